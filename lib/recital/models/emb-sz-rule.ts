import { ArgumentError } from '../errors.js';
import { said } from '../options.js';

/**
 * fastai's rule for the length of an embedding (tabular/model.py): min(600, round(1.6·n^0.56)),
 * rounded half to even as Python does.
 * @param n number of vectors, `#na#` included
 * @example embSzRule(1635) // 101
 */
export function embSzRule(n: number): number {
  if (!(Number.isInteger(n) && n > 0))
    throw new ArgumentError(
      `The number of vectors must be a positive whole number, got ${said(n)}.`,
    );
  const exact = 1.6 * n ** 0.56;
  const floor = Math.floor(exact);
  const up = exact - floor === 0.5 ? floor % 2 === 1 : exact - floor > 0.5;
  return Math.min(600, up ? floor + 1 : floor);
}
