import { NumericError } from '../../errors.js';

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
