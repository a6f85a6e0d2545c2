import { ArgumentError } from '../../../lib/recital/errors.js';

/**
 * By how much values grow from one to the next: the slope of the straight line that fits them best
 * (least squares).
 */
export function growth(values: readonly number[]): number {
  const n = values.length;
  if (n < 2) throw new ArgumentError(`Growth needs at least two values, got ${n}.`);
  const middle = (n - 1) / 2;
  let product = 0;
  let square = 0;
  for (let i = 0; i < n; i++) {
    product += (i - middle) * values[i];
    square += (i - middle) ** 2;
  }
  return product / square;
}
