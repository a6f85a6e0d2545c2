import { ArgumentError, NumericError } from '../errors.js';

/** Eigenvalues, largest first, and the eigenvectors that belong to them. */
export interface SymmetricEigen {
  /** n eigenvalues, descending. */
  readonly values: Float64Array;
  /** n × n, row-major: row i is the unit eigenvector of values[i]. */
  readonly vectors: Float64Array;
}

/**
 * Eigenvalues and eigenvectors of a small symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan, Matrix Computations, 8.5): a few n³ operations,
 * accurate to rounding, and without a choice that could differ between machines. Equal eigenvalues keep the order of their columns.
 * @param matrix n × n, row-major; only its upper triangle is read
 * @param n rows
 */
export function symmetricEigen(matrix: Float64Array, n: number): SymmetricEigen {
  if (matrix.length !== n * n || n < 1) throw new ArgumentError(`A matrix of ${n} × ${n} numbers was expected, got ${matrix.length}.`);
  const a = new Float64Array(n * n);
  const v = new Float64Array(n * n); // rows are eigenvectors
  let scale = 0;
  for (let i = 0; i < n; i++) {
    v[i * n + i] = 1;
    for (let j = i; j < n; j++) {
      const x = matrix[i * n + j];
      if (!Number.isFinite(x)) throw new NumericError(`The matrix holds ${x} at row ${i}, column ${j}; its eigenvectors do not exist.`);
      a[i * n + j] = a[j * n + i] = x;
      scale = Math.max(scale, Math.abs(x));
    }
  }
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) off = Math.max(off, Math.abs(a[i * n + j]));
    if (off <= scale * 1e-16) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j] - a[i * n + i] || i - j);
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors.set(v.subarray(order[i] * n, order[i] * n + n), i * n);
  return { values: Float64Array.from(order, (i) => a[i * n + i]), vectors };
}

/** One rotation in the plane of axes p and q that makes a[p,q] zero, applied to both sides of a and to the vectors. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q];
  if (apq === 0) return;
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1)); // tangent of the smaller angle
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let i = 0; i < n; i++) {
    const x = a[i * n + p];
    const y = a[i * n + q];
    a[i * n + p] = c * x - s * y;
    a[i * n + q] = s * x + c * y;
  }
  for (let i = 0; i < n; i++) {
    const x = a[p * n + i];
    const y = a[q * n + i];
    a[p * n + i] = c * x - s * y;
    a[q * n + i] = s * x + c * y;
    const e = v[p * n + i];
    const f = v[q * n + i];
    v[p * n + i] = c * e - s * f;
    v[q * n + i] = s * e + c * f;
  }
  a[p * n + q] = a[q * n + p] = 0; // exact, where rounding leaves a crumb
}
