import { Random } from '../compute/random.js';

/** The middle part of what resampling gives. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A column of values, one a user, NaN for users that have none. */
type Values = Float64Array;

/**
 * Percentile bootstrap of means over users (Efron, 1979): users are drawn with replacement as often as there are users, again and again; the interval is where
 * the middle of the resampled means lies. Every column is resampled with the same users. A generator: it yields after each resample, so that long work can
 * be interrupted.
 * @param columns values of the same users
 * @param options.samples resamples; `confidence`: share of them inside the interval, e.g. 0.95
 */
export function* bootstrapIntervals(
  columns: readonly Values[],
  { samples, confidence, seed }: { samples: number; confidence: number; seed: number | string },
): Generator<void, Interval[]> {
  const n = columns[0]?.length ?? 0;
  const random = new Random(seed).child('bootstrap');
  const drawn = new Float64Array(n);
  const means = columns.map(() => new Float64Array(samples));
  for (let s = 0; s < samples; s++) {
    drawn.fill(0);
    for (let i = 0; i < n; i++) drawn[random.int(n)]++;
    columns.forEach((values, c) => {
      means[c][s] = weightedMean(values, drawn);
    });
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

function weightedMean(values: Values, weights: Float64Array): number {
  let [sum, n] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) continue;
    sum += weights[i] * value;
    n += weights[i];
  }
  return n > 0 ? sum / n : NaN;
}

/** Linear interpolation between the neighbours in rank, as NumPy's quantile. */
function quantile(sorted: Float64Array, q: number): number {
  if (sorted.length === 0) return NaN;
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}
