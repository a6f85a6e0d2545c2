import type { Steps } from '../../compute/interrupt.js';
import { dispose, float64 } from '../../compute/memory.js';
import type { Random } from '../../compute/random.js';
import { BLOCK, denseBlock, denseTransposeBlock } from '../../compute/sparse.js';

const B = BLOCK; // an import is read through `exports` at each access

/** Below this share of its column's square, a pivot would cost Cholesky too many digits. */
const ILL = 1e-8;

/** The basis so far: rows × stride, of which the first `columns` columns are orthonormal. */
export interface Basis {
  readonly values: Float64Array;
  readonly rows: number;
  readonly columns: number;
  readonly stride: number;
}

/** W ← W − Q·(QᵀW), for columns `from` … of the basis Q; returns QᵀW. */
export function project(basis: Basis, w: Float64Array, from = 0): Float64Array {
  const columns = basis.columns - from;
  const coefficients = float64(columns * B);
  const part = { ...basis, from, columns };
  denseTransposeBlock(part, w, coefficients);
  denseBlock(part, coefficients, w, { subtract: true });
  const copy = coefficients.slice();
  dispose(coefficients);
  return copy;
}

/** A column shorter than `least` is replaced by a random one. */
interface Replacement {
  least: number;
  random: Random;
}

/**
 * Makes the columns of a block, which are orthogonal to the basis, orthonormal: W = Q·R. A column
 * that depends on those before it (its rest is less than `least`) is replaced by a random one,
 * orthogonal to everything, and its row of R by zeros.
 * @returns R, 8 × 8, row-major, upper triangular
 */
export function orthonormalise(w: Float64Array, basis: Basis, options: Replacement): Float64Array {
  const whole = { values: w, rows: basis.rows, columns: B, stride: B };
  const gram = float64(B * B);
  const copy = float64(w.length);
  try {
    let r: Float64Array | undefined;
    // Cholesky's factor of WᵀW, twice: the first leaves an error of eps·cond(W)².
    for (let pass = 0; pass < 2; pass++) {
      denseTransposeBlock(whole, w, gram);
      const upper = choleskyUpper(gram, pass === 0 ? options.least : 0);
      if (!upper) return gramSchmidt(w, basis, options);
      gram.set(inverseUpper(upper));
      copy.set(w);
      denseBlock({ ...whole, values: copy }, gram, w);
      r = r ? product(upper, r) : upper;
    }
    return r!;
  } finally {
    dispose(gram);
    dispose(copy);
  }
}

/** R of RᵀR = A, or nothing if A is nearly singular. */
function choleskyUpper(a: Float64Array, least: number): Float64Array | undefined {
  const r = new Float64Array(B * B);
  for (let j = 0; j < B; j++) {
    for (let i = 0; i <= j; i++) {
      let sum = a[i * B + j];
      for (let k = 0; k < i; k++) sum -= r[k * B + i] * r[k * B + j];
      if (i < j) r[i * B + j] = sum / r[i * B + i];
      else if (sum > ILL * a[j * B + j] && sum > 4 * least * least) r[j * B + j] = Math.sqrt(sum);
      else return undefined;
    }
  }
  return r;
}

function inverseUpper(r: Float64Array): Float64Array {
  const inverse = new Float64Array(B * B);
  for (let j = 0; j < B; j++) {
    inverse[j * B + j] = 1 / r[j * B + j];
    for (let i = j - 1; i >= 0; i--) {
      let sum = 0;
      for (let k = i + 1; k <= j; k++) sum += r[i * B + k] * inverse[k * B + j];
      inverse[i * B + j] = -sum / r[i * B + i];
    }
  }
  return inverse;
}

/** The product of two 8 × 8 matrices. */
export function product(a: Float64Array, b: Float64Array): Float64Array {
  const c = new Float64Array(B * B);
  for (let i = 0; i < B; i++)
    for (let k = 0; k < B; k++)
      for (let j = 0; j < B; j++) c[i * B + j] += a[i * B + k] * b[k * B + j];
  return c;
}

/** Gram–Schmidt column by column, for blocks of lower rank. */
function gramSchmidt(w: Float64Array, basis: Basis, { least, random }: Replacement): Float64Array {
  const r = new Float64Array(B * B);
  const replaced: number[] = [];
  for (let j = 0; j < B; j++) {
    for (let pass = 0; pass < 2; pass++)
      for (let i = 0; i < j; i++) r[i * B + j] += removeOne(w, i, j);
    const size = norm(w, j);
    if (size > least) {
      r[j * B + j] = size;
      scale(w, j, 1 / size);
      continue;
    }
    for (let i = 0; i < B; i++) r[i * B + j] *= i < j ? 1 : 0;
    replaced.push(j);
    scale(w, j, 0);
  }
  for (const j of replaced) {
    for (let p = j; p < w.length; p += B) w[p] = random.normal();
    for (let pass = 0; pass < 3; pass++) {
      if (basis.columns > 0) {
        // Only this column: the others are orthogonal already.
        const alone = float64(w.length);
        for (let p = j; p < w.length; p += B) alone[p] = w[p];
        project(basis, alone);
        for (let p = j; p < w.length; p += B) w[p] = alone[p];
        dispose(alone);
      }
      for (let i = 0; i < B; i++) if (i !== j) removeOne(w, i, j);
      scale(w, j, 1 / norm(w, j));
    }
  }
  return r;
}

/** Subtracts the part of column j along the unit column i, and returns its length. */
function removeOne(w: Float64Array, i: number, j: number): number {
  let dot = 0;
  for (let p = 0; p < w.length; p += B) dot += w[p + i] * w[p + j];
  for (let p = 0; p < w.length; p += B) w[p + j] -= dot * w[p + i];
  return dot;
}

function norm(w: Float64Array, j: number): number {
  let square = 0;
  for (let p = j; p < w.length; p += B) square += w[p] * w[p];
  return Math.sqrt(square);
}

function scale(w: Float64Array, j: number, by: number): void {
  for (let p = j; p < w.length; p += B) w[p] *= by;
}

/** Two rows are orthogonal when their cosine is no larger than this. */
const ORTHOGONAL = 1e-13;

/**
 * Rotates pairs of rows until all are orthogonal (one-sided Jacobi, Golub and Van Loan, 8.6.3),
 * then sorts them by length, longest first. The lengths are the singular values of the matrix of
 * these rows, the small ones to the same relative precision as the large ones.
 * @param w rows, changed in place
 * @param u rows that are rotated and sorted along with them
 * @returns the lengths
 */
export function* diagonalise(w: Float64Array[], u: Float64Array[]): Steps<Float64Array> {
  const squares = w.map((row) => dot(row, row));
  const noise = (Number.EPSILON * (w[0]?.length ?? 0)) ** 2 * Math.max(...squares);
  for (let sweep = 0, turned = true; turned && sweep < 30; sweep++) {
    turned = false;
    for (let i = 0; i < w.length; i++) {
      for (let j = i + 1; j < w.length; j++) {
        if (Math.min(squares[i], squares[j]) <= noise) continue;
        const size = Math.sqrt(squares[i] * squares[j]);
        const inner = dot(w[i], w[j]);
        if (Math.abs(inner) <= ORTHOGONAL * size) continue;
        turned = true;
        const theta = (squares[j] - squares[i]) / (2 * inner);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        rotate(w[i], w[j], c, c * t);
        rotate(u[i], u[j], c, c * t);
        squares[i] = dot(w[i], w[i]);
        squares[j] = dot(w[j], w[j]);
      }
      yield;
    }
  }
  const order = squares.map((_, i) => i).sort((i, j) => squares[j] - squares[i] || i - j);
  for (const rows of [w, u]) rows.splice(0, rows.length, ...order.map((i) => rows[i]));
  return Float64Array.from(order, (i) => Math.sqrt(squares[i]));
}

/**
 * Replaces rows of zeros by random unit rows that are orthogonal to all others: singular vectors of
 * the singular value 0, of which any will do.
 */
export function* completeRows(rows: Float64Array[], random: Random): Steps<void> {
  for (const row of rows) {
    if (row.some((x) => x !== 0)) continue;
    for (let i = 0; i < row.length; i++) row[i] = random.normal();
    for (let pass = 0; pass < 3; pass++) {
      for (const other of rows) {
        if (other === row) continue;
        const d = dot(row, other);
        for (let k = 0; k < row.length; k++) row[k] -= d * other[k];
      }
      const size = Math.sqrt(dot(row, row));
      for (let k = 0; k < row.length; k++) row[k] /= size;
    }
    yield;
  }
}

/** The dot product, in four sums side by side: an addition must wait for the one before it. */
function dot(a: Float64Array, b: Float64Array): number {
  const n = a.length;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    s0 += a[i] * b[i];
    s1 += a[i + 1] * b[i + 1];
    s2 += a[i + 2] * b[i + 2];
    s3 += a[i + 3] * b[i + 3];
  }
  for (; i < n; i++) s0 += a[i] * b[i];
  return s0 + s1 + (s2 + s3);
}

function rotate(a: Float64Array, b: Float64Array, c: number, s: number): void {
  for (let k = 0; k < a.length; k++) {
    const x = a[k];
    const y = b[k];
    a[k] = c * x - s * y;
    b[k] = s * x + c * y;
  }
}
