import { bootstrapIntervals, deviationOf, meanOf } from './bootstrap.js';
import { isAccuracy, isGreaterBetter, isOfCatalogue, type MetricColumn } from './metric-names.js';
import { holm, pairedTTest } from './significance.js';

/** One metric of one recommender. */
export type ComparisonRow = {
  recommender: string;
  /** E.g. `ndcg@10`. */
  metric: string;
  /** Over users and seeds. */
  mean: number;
  /**
   * Ends of the confidence interval of the mean; null for coverage and gini, which are no means.
   */
  low: number | null;
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
  differenceHigh: number | null;
  /** Paired t-test over users, two-sided. */
  p: number | null;
  /** The same with Holm's correction over all comparisons of the table. */
  pHolm: number | null;
};

/** Values of one recommender: for each seed a column for each metric. */
export interface Entry {
  readonly name: string;
  readonly baseline: boolean;
  /**
   * By metric: one column of users a seed, or a single number a seed for metrics of the catalogue.
   */
  readonly values: ReadonlyMap<string, readonly Float64Array[]>;
}

/** The mean over seeds, user by user. */
export function overSeeds(values: readonly Float64Array[]): Float64Array {
  return values.length === 1
    ? values[0]
    : values[0].map((_, i) => values.reduce((sum, column) => sum + column[i], 0) / values.length);
}

/** Means, intervals and tests. A generator, as resampling is long work. */
export function* comparisonRows(
  entries: readonly Entry[],
  columns: readonly MetricColumn[],
  options: { samples: number; confidence: number; seed: number | string },
): Generator<void, ComparisonRow[]> {
  const rows: ComparisonRow[] = [];
  const resampled: { values: Float64Array; put: (low: number, high: number) => void }[] = [];
  for (const column of columns) {
    const users = entries.map(({ values }) => overSeeds(values.get(column.name)!));
    const means = users.map(meanOf);
    const best = isAccuracy(column) ? bestOf(entries, means, isGreaterBetter(column)) : -1;
    entries.forEach(({ name, values }, e) => {
      const seeds = values.get(column.name)!;
      const row: ComparisonRow = {
        recommender: name,
        metric: column.name,
        mean: means[e],
        low: null,
        high: null,
        seedSd: seeds.length > 1 ? deviationOf(seeds.map(meanOf)) : null,
        baseline: null,
        difference: null,
        differenceLow: null,
        differenceHigh: null,
        p: null,
        pHolm: null,
      };
      rows.push(row);
      if (isOfCatalogue(column)) return;
      resampled.push({ values: users[e], put: (low, high) => Object.assign(row, { low, high }) });
      if (best < 0 || best === e) return;
      const differences = users[e].map((x, i) => x - users[best][i]);
      const { p } = pairedTTest(differences.filter((x) => !Number.isNaN(x)));
      Object.assign(row, { baseline: entries[best].name, difference: meanOf(differences), p });
      resampled.push({
        values: differences,
        put: (low, high) => Object.assign(row, { differenceLow: low, differenceHigh: high }),
      });
    });
  }
  const intervals = yield* bootstrapIntervals(
    resampled.map(({ values }) => values),
    options,
  );
  intervals.forEach(({ low, high }, i) => {
    resampled[i].put(low, high);
  });
  const corrected = holm(rows.map(({ p }) => p ?? NaN));
  rows.forEach((row, i) => {
    if (!Number.isNaN(corrected[i])) row.pHolm = corrected[i];
  });
  return rows;
}

/** Which baseline has the best mean; −1 if there is none, or nothing beside it. */
function bestOf(entries: readonly Entry[], means: readonly number[], greater: boolean): number {
  let best = -1;
  entries.forEach(({ baseline }, e) => {
    if (baseline && (best < 0 || (greater ? means[e] > means[best] : means[e] < means[best])))
      best = e;
  });
  return best;
}
