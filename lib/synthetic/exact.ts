/**
 * Logarithm, exponential and normal quantile from + − × ÷ and square root alone. Those five are the
 * same to the last bit on every machine; `Math.log`, `Math.exp` and `Math.cos` are not promised to
 * be, and one differing bit would change the files that a seed gives.
 */

const { LN2 } = Math;

/** Natural logarithm of a positive finite number, to about 1e-15. */
export function exactLog(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  let exponent = 0;
  let m = x; // x = m · 2^exponent with m in [√½, √2)
  while (m >= Math.SQRT2) {
    m /= 2;
    exponent++;
  }
  while (m < Math.SQRT1_2) {
    m *= 2;
    exponent--;
  }
  const s = (m - 1) / (m + 1); // ln m = 2 artanh s, |s| < 0.172
  const s2 = s * s;
  let sum = 0;
  for (let k = 21; k >= 1; k -= 2) sum = sum * s2 + 1 / k;
  return exponent * LN2 + 2 * s * sum;
}

/** e to the power x, to about 1e-15 relative. */
export function exactExp(x: number): number {
  const n = Math.round(x / LN2);
  const r = x - n * LN2; // |r| ≤ ln 2 / 2
  let sum = 1;
  for (let k = 14; k >= 1; k--) sum = 1 + (sum * r) / k;
  let power = 1;
  for (let i = Math.abs(n), base = n < 0 ? 0.5 : 2; i > 0; i >>>= 1, base *= base)
    if (i & 1) power *= base;
  return sum * power;
}

/**
 * The standard normal quantile of p in (0, 1), to about 1e-9 relative. Source: P. J. Acklam's
 * rational approximation (2003).
 */
export function normalQuantile(p: number): number {
  if (p < 0.02425) return tail(p);
  if (p > 0.97575) return -tail(1 - p);
  const q = p - 0.5;
  const r = q * q;
  const top =
    ((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r +
      138.357751867269) *
      r -
      30.66479806614716) *
    r;
  const bottom =
    ((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r +
      66.80131188771972) *
      r -
      13.28068155288572) *
      r +
    1;
  return ((top + 2.506628277459239) * q) / bottom;
}

function tail(p: number): number {
  const q = Math.sqrt(-2 * exactLog(p));
  const top =
    ((((-0.007784894002430293 * q - 0.3223964580411365) * q - 2.400758277161838) * q -
      2.549732539343734) *
      q +
      4.374664141464968) *
    q;
  const bottom =
    (((0.007784695709041462 * q + 0.3224671290700398) * q + 2.445134137142996) * q +
      3.754408661907416) *
      q +
    1;
  return (top + 2.938163982698783) / bottom;
}
