import type { Steps } from '../compute/interrupt.js';
import { matmul } from '../compute/matmul.js';
import { dispose, float32 } from '../compute/memory.js';
import { ArgumentError, NumericError } from '../errors.js';

/**
 * Cholesky factor of a symmetric positive definite matrix: A = L·Lᵀ with L lower triangular. Made
 * for matrices of a few hundred rows.
 * @param a n × n, row-major; its lower triangle is read and overwritten by L, the rest is left
 *   alone
 * @throws NumericError if A is not positive definite
 * @example const l = Float64Array.of(4, 0, 2, 5); cholesky(l, 2); [...l] // [2, 0, 1, 2]
 */
export function cholesky(a: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      if (i > j) a[i * n + j] = sum / a[j * n + j];
      else if (sum > 0 && sum < Infinity) a[j * n + j] = Math.sqrt(sum);
      else
        throw new NumericError(
          `The matrix is not positive definite (pivot ${j} of ${n} is ${sum}), so the system cannot be solved.`,
        );
    }
  }
}

/**
 * Solves L·Lᵀ·x = b in place.
 * @param l what {@link cholesky} made
 * @param b n numbers, overwritten by x
 * @example const l = Float64Array.of(4, 0, 2, 5); cholesky(l, 2); choleskySolve(l, Float64Array.of(8, 9)); // [1.375, 1.25]
 */
export function choleskySolve(l: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  for (let i = 0; i < n; i++) {
    let sum = b[i];
    for (let k = 0; k < i; k++) sum -= l[i * n + k] * b[k];
    b[i] = sum / l[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = b[i];
    for (let k = i + 1; k < n; k++) sum -= l[k * n + i] * b[k];
    b[i] = sum / l[i * n + i];
  }
  return b;
}

/** Columns that are swept at once: as many as a packed panel of the matrix product holds. */
const BLOCK = 256;

/**
 * The inverse of a symmetric positive definite matrix, in place, in float32: block by block, n³
 * multiplications and additions as matrix products on all threads.
 *
 * Sweeping block k, with D the inverse of A_kk (in float64), turns A_ij into A_ij − A_ik·D·A_kj,
 * A_ik into A_ik·D and A_kk into −D, and keeps A symmetric, so that its lower triangle suffices;
 * when all blocks are swept, A has become −A⁻¹ (Beaton's sweep operator).
 * @param a n × n on the shared memory, row-major; its lower triangle is read, the whole is
 *   overwritten
 * @param n its rows
 * @throws NumericError if the matrix is not positive definite, to the precision of float32
 */
export function* invertSymmetric(a: Float32Array, n: number): Steps<void> {
  if (a.length !== n * n)
    throw new ArgumentError(`A matrix of ${n} × ${n} has ${n * n} numbers, got ${a.length}.`);
  const width = Math.min(BLOCK, n);
  const panel = float32(n * width); // column block k of A
  const scaled = float32(n * width); // −panel·D
  const d = float32(width * width);
  try {
    for (let k = 0; k < n; k += BLOCK) {
      const w = Math.min(BLOCK, n - k);
      readPanel(a, panel, { n, k, w });
      invertPivot(panel.subarray(k * w, (k + w) * w), d, w);
      panel.fill(0, k * w, (k + w) * w); // so that the products below leave row and column k alone
      matmul(
        { m: n, n: w, k: w },
        {
          a: { values: panel, rowStride: w },
          b: { values: d, rowStride: w },
          c: { values: scaled, rowStride: w },
        },
      );
      for (let i = 0; i < n * w; i++) scaled[i] = -scaled[i];
      for (let i = 0; i < n; i += BLOCK) {
        const rows = Math.min(BLOCK, n - i);
        const left = { values: scaled, offset: i * w, rowStride: w };
        const right = { values: panel, rowStride: 1, columnStride: w };
        matmul(
          { m: rows, n: i + rows, k: w },
          { a: left, b: right, c: { values: a.subarray(i * n), rowStride: n }, add: true },
        );
        yield;
      }
      writePanel(a, scaled, d, { n, k, w });
    }
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = -a[i * n + j];
    }
  } finally {
    for (const array of [panel, scaled, d]) dispose(array);
  }
}

type Place = Record<'n' | 'k' | 'w', number>;

/** Columns k … k + w of the symmetric matrix, n × w. */
function readPanel(a: Float32Array, panel: Float32Array, { n, k, w }: Place): void {
  for (let j = 0; j < w; j++) for (let i = 0; i < k; i++) panel[i * w + j] = a[(k + j) * n + i];
  for (let i = k; i < n; i++)
    for (let j = 0; j < w; j++)
      panel[i * w + j] = i < k + w && i - k < j ? a[(k + j) * n + i] : a[i * n + k + j];
}

function writePanel(a: Float32Array, scaled: Float32Array, d: Float32Array, at: Place): void {
  const { n, k, w } = at;
  for (let j = 0; j < w; j++) {
    for (let i = 0; i < k; i++) a[(k + j) * n + i] = -scaled[i * w + j];
    for (let i = 0; i <= j; i++) a[(k + j) * n + k + i] = -d[j * w + i];
  }
  for (let i = k + w; i < n; i++) for (let j = 0; j < w; j++) a[i * n + k + j] = -scaled[i * w + j];
}

/** out = the inverse of a w × w block, swept number by number in float64. */
function invertPivot(block: Float32Array, out: Float32Array, w: number): void {
  const a = Float64Array.from(block);
  for (let k = 0; k < w; k++) {
    const pivot = a[k * w + k];
    if (!(pivot > 0 && pivot < Infinity))
      throw new NumericError(
        `The matrix is not positive definite: a pivot is ${pivot}, so it has no inverse.`,
      );
    const row = a.subarray(k * w, (k + 1) * w);
    row[k] = 1;
    for (let j = 0; j < w; j++) row[j] /= pivot;
    for (let i = 0; i < w; i++) {
      const factor = a[i * w + k];
      if (i === k || factor === 0) continue;
      const other = a.subarray(i * w, (i + 1) * w);
      other[k] = 0;
      for (let j = 0; j < w; j++) other[j] -= factor * row[j];
    }
  }
  out.set(a);
}
