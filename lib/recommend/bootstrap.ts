import { Random } from '../compute/random.js';

/** The middle part of what resampling gives. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A column of values, one a user, NaN for users that have none. */
type Values = Float64Array;

/** Values that are added up between two chances to stop. */
const WORK = 1e7;

/**
 * Percentile bootstrap of means over users (Efron, 1979): users are drawn with replacement as often as there are users, again and again; the interval is where
 * the middle of the resampled means lies. Sums are of float64, and no end lies beyond the values themselves. Every column is resampled with the same users. A generator: it yields now and then, so that long work can
 * be interrupted.
 * @param columns values of the same users; a shorter one is of the first of them
 * @param options.samples resamples; `confidence`: share of them inside the interval, e.g. 0.95
 */
export function* bootstrapIntervals(
  columns: readonly Values[],
  { samples, confidence, seed }: { samples: number; confidence: number; seed: number | string },
): Generator<void, Interval[]> {
  const n = Math.max(0, ...columns.map((values) => values.length));
  if (n === 0) return columns.map(() => ({ low: NaN, high: NaN }));
  const random = new Random(seed).child('bootstrap');
  const width = columns.length;
  const gaps = columns.map((values) => values.length < n || values.some(Number.isNaN)); // columns in which some users have no value
  const values = new Float64Array(n * width); // a row a user, so that a resample reads each row once, in order
  const has = new Uint8Array(n * width);
  const bounds = columns.map((column, c) => {
    let [least, most] = [Infinity, -Infinity];
    for (let i = 0; i < column.length; i++) {
      if (Number.isNaN(column[i])) continue;
      values[i * width + c] = column[i];
      has[i * width + c] = 1;
      least = Math.min(least, column[i]);
      most = Math.max(most, column[i]);
    }
    return { least, most };
  });
  const anyGaps = gaps.includes(true);
  const means = columns.map(() => new Float64Array(samples));
  const drawn = new Int32Array(n);
  const sums = new Float64Array(width);
  const counts = new Float64Array(width);
  for (let s = 0, work = 0; s < samples; s++, work += n * width) {
    drawn.fill(0);
    sums.fill(0);
    counts.fill(0);
    for (let i = 0; i < n; i++) drawn[random.int(n)]++;
    for (let i = 0; i < n; i++) {
      const times = drawn[i];
      if (times === 0) continue;
      const row = i * width;
      for (let c = 0; c < width; c++) sums[c] += times * values[row + c];
      if (anyGaps) for (let c = 0; c < width; c++) counts[c] += times * has[row + c];
    }
    for (let c = 0; c < width; c++) {
      // A mean lies among its values; that of a rounding beyond them would be an end below 0 of what is never negative.
      means[c][s] = Math.min(bounds[c].most, Math.max(bounds[c].least, sums[c] / (gaps[c] ? counts[c] : n)));
    }
    if (work < WORK) continue;
    work = 0;
    yield;
  }
  return means.map((each) => {
    const sorted = each.filter((x) => !Number.isNaN(x)).sort();
    return { low: quantile(sorted, (1 - confidence) / 2), high: quantile(sorted, (1 + confidence) / 2) };
  });
}

/** The mean of the values that there are; NaN if there is none. */
export function meanOf(values: ArrayLike<number>): number {
  let [sum, n] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    sum += values[i];
    n++;
  }
  return n ? sum / n : NaN;
}

/** The standard deviation of a sample, divided by n − 1; NaN for less than two. */
export function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : NaN;
}

/** Linear interpolation between the neighbours in rank, as NumPy's quantile. */
function quantile(sorted: Float64Array, q: number): number {
  if (sorted.length === 0) return NaN;
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}
