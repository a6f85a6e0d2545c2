import type { Steps } from '../compute/interrupt.js';
import { matmul } from '../compute/matmul.js';
import { dispose, float32 } from '../compute/memory.js';
import { Random } from '../compute/random.js';
import { quantile } from '../data/explore.js';
import { checkArgument, checkNumber, isNumbers } from '../options.js';
import { isAccuracy, isGreaterBetter, isOfCatalogue, type MetricColumn } from './metric-columns.js';

/** One metric of one recommender. */
export type ComparisonRow = {
  /** Name of the recommender. */
  recommender: string;
  /** E.g. `ndcg@10`. */
  metric: string;
  /** Over users and seeds. */
  mean: number;
  /**
   * Ends of the confidence interval of the mean; null for coverage and gini, which are no means.
   */
  low: number | null;
  /** The upper end, as `low`. */
  high: number | null;
  /** Standard deviation over seeds; null for one seed. */
  seedSd: number | null;
  /**
   * The best baseline at this metric; null in its own row, and for metrics whose differences are
   * not tested.
   */
  baseline: string | null;
  /** Mean minus the baseline's. */
  difference: number | null;
  /** Ends of the confidence interval of the difference, user by user. */
  differenceLow: number | null;
  /** The upper end, as `differenceLow`. */
  differenceHigh: number | null;
  /** Paired t-test over users, two-sided. */
  p: number | null;
  /** The same with Holm's correction over all comparisons of the table. */
  pHolm: number | null;
};

/** The values of one recommender, a column for each seed, by name of the metric. */
export interface Entry {
  readonly name: string;
  readonly baseline: boolean;
  /** One value per user; a single one for metrics of the catalogue. */
  readonly values: ReadonlyMap<string, readonly Float64Array[]>;
}

/** The mean over seeds, user by user. */
export function overSeeds(values: readonly Float64Array[]): Float64Array {
  return values.length === 1
    ? values[0]
    : values[0].map((_, i) => values.reduce((sum, column) => sum + column[i], 0) / values.length);
}

/** Means, intervals and tests: a row for each metric and recommender. */
export function* comparisonRows(
  entries: readonly Entry[],
  columns: readonly MetricColumn[],
  options: { samples: number; confidence: number; seed: number | string },
): Steps<ComparisonRow[]> {
  const rows: ComparisonRow[] = [];
  const resampled: { values: Float64Array; put: (interval: Interval) => void }[] = [];
  for (const column of columns) {
    const users = entries.map(({ values }) => overSeeds(values.get(column.name)!));
    const means = users.map(meanOf);
    const best = isAccuracy(column) ? bestOf(entries, means, isGreaterBetter(column)) : -1;
    entries.forEach(({ name, values }, e) => {
      const seeds = values.get(column.name)!;
      const row: ComparisonRow = {
        ...{ recommender: name, metric: column.name, mean: means[e], low: null, high: null },
        seedSd: seeds.length > 1 ? deviationOf(seeds.map(meanOf)) : null,
        ...{ baseline: null, difference: null, differenceLow: null, differenceHigh: null },
        ...{ p: null, pHolm: null },
      };
      rows.push(row);
      if (isOfCatalogue(column)) return;
      resampled.push({ values: users[e], put: (interval) => Object.assign(row, interval) });
      if (best < 0 || best === e) return;
      const differences = users[e].map((x, i) => x - users[best][i]);
      row.baseline = entries[best].name;
      row.difference = meanOf(differences);
      row.p = pairedTTest(differences.filter((x) => !Number.isNaN(x))).p;
      resampled.push({
        values: differences,
        put: ({ low, high }) => Object.assign(row, { differenceLow: low, differenceHigh: high }),
      });
    });
  }
  const intervals = yield* bootstrapIntervals(
    resampled.map(({ values }) => values),
    options,
  );
  for (const [i, { put }] of resampled.entries()) put(intervals[i]);
  holm(rows.map(({ p }) => p ?? NaN)).forEach((p, i) => {
    if (!Number.isNaN(p)) rows[i].pHolm = p;
  });
  return rows;
}

/** Index of the baseline with the best mean; −1 if there is none. */
function bestOf(entries: readonly Entry[], means: readonly number[], greater: boolean): number {
  let best = -1;
  entries.forEach(({ baseline }, e) => {
    const better = greater ? means[e] > means[best] : means[e] < means[best];
    if (baseline && (best < 0 || better)) best = e;
  });
  return best;
}

/** The ends of a confidence interval. */
export type Interval = Readonly<Record<'low' | 'high', number>>;

/** Resamples that are computed at once. */
const BLOCK = 32;

/**
 * Percentile bootstrap of means over users (Efron, 1979): as many users as there are are drawn with
 * replacement, again and again; the interval holds the middle part of the resampled means. All
 * columns are resampled with the same users.
 * @param columns values of the same users, NaN for users without one; a shorter column is of the
 *   first of them
 * @param options.samples number of resamples; `confidence`: share of them inside the interval
 */
export function* bootstrapIntervals(
  columns: readonly Float64Array[],
  { samples, confidence, seed }: { samples: number; confidence: number; seed: number | string },
): Steps<Interval[]> {
  const n = Math.max(0, ...columns.map((values) => values.length));
  if (n === 0) return columns.map(() => ({ low: NaN, high: NaN }));
  const random = new Random(seed).child('bootstrap');
  const ranges = columns.map(rangeOf);
  // A resampled mean is least + Σ drawn·(value − least) / Σ drawn, over users with a value. All
  // means are one matrix product in float32 without negative terms: if every drawn user has the
  // least value, such as no hit, the mean is exactly that value.
  const gaps = columns.flatMap((values, c) =>
    values.length < n || values.some(Number.isNaN) ? [c] : [],
  );
  const width = columns.length + gaps.length;
  const values = float32(width * n);
  const drawn = float32(BLOCK * n);
  const sums = float32(BLOCK * width);
  try {
    columns.forEach((column, c) => {
      for (let i = 0; i < column.length; i++)
        values[c * n + i] = Number.isNaN(column[i]) ? 0 : column[i] - ranges[c].least;
    });
    gaps.forEach((c, g) => {
      for (let i = 0; i < columns[c].length; i++)
        values[(columns.length + g) * n + i] = Number.isNaN(columns[c][i]) ? 0 : 1;
    });
    const means = columns.map(() => new Float64Array(samples));
    for (let from = 0; from < samples; from += BLOCK) {
      const m = Math.min(BLOCK, samples - from);
      drawn.fill(0);
      for (let s = 0; s < m; s++) for (let i = 0; i < n; i++) drawn[s * n + random.int(n)]++;
      const a = { values: drawn, rowStride: n };
      const b = { values, rowStride: 1, columnStride: n };
      matmul({ m, n: width, k: n }, { a, b, c: { values: sums, rowStride: width } });
      columns.forEach((_, c) => {
        const gap = gaps.indexOf(c);
        const { least, most } = ranges[c];
        for (let s = 0; s < m; s++) {
          const users = gap < 0 ? n : sums[s * width + columns.length + gap];
          const mean = least + sums[s * width + c] / users;
          means[c][from + s] = Math.min(most, mean); // a mean lies among its values
        }
      });
      yield;
    }
    return means.map((each) => {
      const sorted = each.filter((x) => !Number.isNaN(x)).sort();
      const [low, high] = [-1, 1].map((side) => quantile(sorted, (1 + side * confidence) / 2));
      return { low, high };
    });
  } finally {
    for (const array of [values, drawn, sums]) dispose(array);
  }
}

/** The least and the largest of the values that are not NaN. */
function rangeOf(values: Float64Array): { least: number; most: number } {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}

/** The mean of the values that are not NaN; NaN if there is none. */
export function meanOf(values: ArrayLike<number>): number {
  let [sum, n] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    sum += values[i];
    n++;
  }
  return n ? sum / n : NaN;
}

/** Standard deviation of a sample, with the divisor n − 1; NaN for fewer than two values. */
export function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : NaN;
}

/**
 * Student's paired t-test: whether the mean of differences is 0, t = mean / (sd / √n) with n − 1
 * degrees of freedom, two-sided. With hundreds of users the differences need not be normal, and the
 * test agrees with the bootstrap and the randomization test (Smucker, Allan and Carterette, 2007).
 * @param differences one per pair
 * @returns `p`: probability of differences at least this large by chance; 1 if all are 0, 0 if all
 *   are equal but not 0. NaN (and so is t) for fewer than two differences, or if one is NaN or
 *   infinite, as in SciPy
 * @example pairedTTest([1, 2, 3, 4]).p // 0.0305: t = 3.873, 3 degrees of freedom
 */
export function pairedTTest(differences: ArrayLike<number>): { t: number; df: number; p: number } {
  const wanted = 'the differences of pairs: an array of numbers';
  checkArgument(isNumbers(differences), differences, 'pairedTTest', wanted);
  const n = differences.length;
  const df = n - 1;
  if (n < 2) return { t: NaN, df, p: NaN };
  let most = 0;
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(differences[i])) return { t: NaN, df, p: NaN };
    most = Math.max(most, Math.abs(differences[i]));
  }
  if (most === 0) return { t: 0, df, p: 1 };
  // As shares of the largest: t is the same, and no square overflows or underflows.
  let mean = 0;
  for (let i = 0; i < n; i++) mean += differences[i] / most / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (differences[i] / most - mean) ** 2;
  if (mean === 0) return { t: 0, df, p: 1 };
  const t = mean / Math.sqrt(squares / df / n);
  return { t, df, p: Number.isFinite(t) ? incompleteBeta(df / 2, 0.5, df / (df + t * t)) : 0 };
}

/**
 * p-values corrected for several comparisons (Holm, 1979): in ascending order, the i-th of m (from
 * 0) is multiplied by m − i, and none is less than the one before. Then a false alarm among all
 * comparisons with p below α has a probability below α. NaN stays NaN and does not count.
 * @param p p-values, from 0 to 1
 * @example holm([0.01, 0.04, 0.03]) // [0.03, 0.06, 0.06]
 */
export function holm(p: readonly number[]): number[] {
  checkArgument(isNumbers(p), p, 'holm', 'p-values: an array of numbers');
  for (const each of p)
    if (!Number.isNaN(each)) checkNumber(each, each >= 0 && each <= 1, 'p-values are from 0 to 1');
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
  const away = (v: number): number => (Math.abs(v) < 1e-300 ? 1e-300 : v);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let h = d;
  for (let m = 1; m <= 1000; m++) {
    const before = h;
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    for (const term of [even, odd]) {
      d = 1 / away(1 + term * d);
      c = away(1 + term / c);
      h *= d * c;
    }
    if (Math.abs(h - before) <= 1e-15 * Math.abs(h)) break;
  }
  return h;
}

/** log Γ(x), x > 0: Stirling's series, after a shift to x ≥ 15, where it is exact. */
function logGamma(x: number): number {
  let shift = 0;
  for (; x < 15; x++) shift += Math.log(x);
  const y = 1 / (x * x);
  const series = (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188)))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
