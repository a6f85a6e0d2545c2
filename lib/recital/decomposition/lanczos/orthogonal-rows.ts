import { dispose } from '../../compute/memory.js';
import type { Random } from '../../compute/random.js';

/** Two rows are orthogonal when their cosine is no larger than this. */
const ORTHOGONAL = 1e-13;

/** How long work on rows takes that is stopped. */
export interface Stoppable {
  /** Asked often: true stops. */
  turn: () => Promise<boolean>;
  /** So many rows, the first ones, are finished nevertheless; the others are dropped. */
  kept: number;
}

/**
 * Turns pairs of rows until all are orthogonal (one-sided Jacobi, Golub and Van Loan, 8.6.3), then
 * sorts them by length, longest first. The singular values of a matrix with these rows are their
 * lengths, the small ones as exact, relatively, as the large ones.
 * @param w rows, changed in place
 * @param u turned and sorted along with them
 * @param options see {@link Stoppable}: rows beyond `kept` are given back to the shared memory
 * @returns the lengths
 */
export async function diagonalise(
  w: Float64Array[],
  u: Float64Array[],
  { turn, kept }: Stoppable,
): Promise<Float64Array> {
  const squares = w.map((row) => dot(row, row));
  const noise = (Number.EPSILON * (w[0]?.length ?? 0)) ** 2 * Math.max(...squares);
  let whole = true;
  for (let sweep = 0, turned = true; turned && sweep < 30; sweep++) {
    turned = false;
    for (let i = 0; i < w.length; i++) {
      for (let j = i + 1; j < w.length; j++) {
        if (Math.min(squares[i], squares[j]) <= noise) continue;
        const size = Math.sqrt(squares[i] * squares[j]);
        const product = dot(w[i], w[j]);
        if (Math.abs(product) <= ORTHOGONAL * size) continue;
        turned = true;
        const theta = (squares[j] - squares[i]) / (2 * product);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        rotate(w[i], w[j], c, c * t);
        rotate(u[i], u[j], c, c * t);
        squares[i] = dot(w[i], w[i]);
        squares[j] = dot(w[j], w[j]);
      }
      if (whole && w.length > kept && (await turn())) {
        // What has been turned so far spans the same: the first rows can go on without the others.
        whole = false;
        for (const rows of [w, u]) for (const row of rows.splice(kept)) dispose(row);
        squares.length = kept;
        turned = true;
      }
    }
  }
  const order = squares.map((_, i) => i).sort((i, j) => squares[j] - squares[i] || i - j);
  const sorted = (rows: Float64Array[]): Float64Array[] => order.map((i) => rows[i]);
  w.splice(0, w.length, ...sorted(w));
  u.splice(0, u.length, ...sorted(u));
  return Float64Array.from(order, (i) => Math.sqrt(squares[i]));
}

/**
 * Puts unit rows, orthogonal to all the others, in the place of rows that are zero: any will do
 * where the singular value is 0.
 * @returns how many rows are complete: all, unless it was stopped
 */
export async function completeRows(
  rows: Float64Array[],
  random: Random,
  { turn, kept }: Stoppable,
): Promise<number> {
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at];
    if (row.some((x) => x !== 0)) continue;
    if (at >= kept && (await turn())) return at;
    for (let i = 0; i < row.length; i++) row[i] = random.normal();
    for (let pass = 0; pass < 3; pass++) {
      rows.forEach((other, i) => {
        if (i === at) return;
        const d = dot(row, other);
        for (let k = 0; k < row.length; k++) row[k] -= d * other[k];
      });
      const size = Math.sqrt(dot(row, row));
      for (let k = 0; k < row.length; k++) row[k] /= size;
    }
  }
  return rows.length;
}

/** Four sums side by side: each addition waits for the one before it. */
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
