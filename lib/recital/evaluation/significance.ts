import { checkArgument, checkNumber, isNumbers } from '../options.js';

/**
 * Student's t-test for pairs: whether the mean of differences is 0, t = mean / (sd / √n) with n − 1
 * degrees of freedom, two-sided. With hundreds of users it hardly matters that the differences are
 * not normal, and it agrees with the bootstrap and the randomization test (Smucker, Allan and
 * Carterette, 2007).
 * @param differences one a pair
 * @returns `p`: how likely differences at least this large are by chance; 1 if all are 0; NaN (and
 *   so is t) for less than two, or if one is NaN or infinite, as SciPy has it. All equal, but not
 *   0: t is infinite and p is 0
 * @example pairedTTest([1, 2, 3, 4]).p // 0.0305: t = 3.873, 3 degrees of freedom
 */
export function pairedTTest(differences: ArrayLike<number>): { t: number; df: number; p: number } {
  checkArgument(
    isNumbers(differences),
    differences,
    'pairedTTest',
    'the differences of pairs: an array of numbers',
  );
  const n = differences.length;
  const df = n - 1;
  if (n < 2) return { t: NaN, df, p: NaN };
  let most = 0;
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(differences[i])) return { t: NaN, df, p: NaN };
    most = Math.max(most, Math.abs(differences[i]));
  }
  if (most === 0) return { t: 0, df, p: 1 };
  // As shares of the largest: t is the same, and no square is too large or too small for a number.
  let mean = 0;
  for (let i = 0; i < n; i++) mean += differences[i] / most / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (differences[i] / most - mean) ** 2;
  if (mean === 0) return { t: 0, df, p: 1 };
  const t = mean / Math.sqrt(squares / df / n);
  return { t, df, p: Number.isFinite(t) ? incompleteBeta(df / 2, 0.5, df / (df + t * t)) : 0 };
}

/**
 * p-values for several comparisons at once (Holm, 1979): ascending, the i-th of m (from 0) is
 * multiplied by m − i, and none falls below the one before. Below α then means: the chance of any
 * false alarm among all of them is below α. NaN stays NaN and does not count.
 * @param p p-values, from 0 to 1
 * @example holm([0.01, 0.04, 0.03]) // [0.03, 0.06, 0.06]
 */
export function holm(p: readonly number[]): number[] {
  checkArgument(isNumbers(p), p, 'holm', 'p-values: an array of numbers');
  for (const each of p) {
    if (!Number.isNaN(each)) checkNumber(each, each >= 0 && each <= 1, 'p-values are from 0 to 1');
  }
  const order = [...p.keys()].filter((i) => !Number.isNaN(p[i])).sort((a, b) => p[a] - p[b]);
  const out = p.map(() => NaN);
  let least = 0;
  order.forEach((i, rank) => {
    least = Math.max(least, Math.min(1, p[i] * (order.length - rank)));
    out[i] = least;
  });
  return out;
}

/**
 * The regularised incomplete beta function I_x(a, b), by Lentz's continued fraction (Numerical
 * Recipes, 6.4).
 */
function incompleteBeta(a: number, b: number, x: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x),
  );
  return x < (a + 1) / (a + b + 2)
    ? (front * fraction(a, b, x)) / a
    : 1 - (front * fraction(b, a, 1 - x)) / b;
}

function fraction(a: number, b: number, x: number): number {
  const tiny = 1e-300;
  const away = (v: number): number => (Math.abs(v) < tiny ? tiny : v);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let h = d;
  for (let m = 1; m <= 1000; m++) {
    const before = h;
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    h *= d * c;
    if (Math.abs(h - before) <= 1e-15 * Math.abs(h)) break;
  }
  return h;
}

/** log Γ(x), x > 0: Stirling's series, after a shift to where it is exact. */
function logGamma(x: number): number {
  let shift = 0;
  for (; x < 15; x++) shift += Math.log(x);
  const y = 1 / (x * x);
  const series = (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188)))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
