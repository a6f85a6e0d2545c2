import { matmul } from '../compute/matmul.js';
import { dispose, float32 } from '../compute/memory.js';
import { Random } from '../compute/random.js';

/** The middle part of what resampling gives. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A column of values, one a user, NaN for users that have none. */
type Values = Float64Array;

/** Resamples that are computed at once. */
const BLOCK = 32;

/**
 * Percentile bootstrap of means over users (Efron, 1979): users are drawn with replacement as often
 * as there are users, again and again; the interval is where the middle of the resampled means
 * lies. Every column is resampled with the same users. A generator: it yields now and then, so that
 * long work can be interrupted.
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
  const ranges = columns.map(rangeOf);
  // A resampled mean is the least value + Σ drawn·(value − least) / Σ drawn, over users with a
  // value. All of them are one product of matrices in float32, whose terms are never negative:
  // where every drawn user has the least value, such as no hit, the mean is that value and no
  // rounding.
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
      matmul(
        { m, n: width, k: n },
        {
          a: { values: drawn, rowStride: n },
          b: { values, rowStride: 1, columnStride: n },
          c: { values: sums, rowStride: width },
        },
      );
      columns.forEach((_, c) => {
        const gap = gaps.indexOf(c);
        const { least, most } = ranges[c];
        for (let s = 0; s < m; s++) {
          const mean =
            least + sums[s * width + c] / (gap < 0 ? n : sums[s * width + columns.length + gap]);
          means[c][from + s] = Math.min(most, mean); // a mean lies among its values
        }
      });
      yield;
    }
    return means.map((each) => {
      const sorted = each.filter((x) => !Number.isNaN(x)).sort();
      return {
        low: quantile(sorted, (1 - confidence) / 2),
        high: quantile(sorted, (1 + confidence) / 2),
      };
    });
  } finally {
    for (const array of [values, drawn, sums]) dispose(array);
  }
}

/** The least and the largest of the values that there are. */
function rangeOf(values: Values): { least: number; most: number } {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
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
