import type { Csr } from '../data/csr.js';
import { diversityOf, giniOfCounts, selfInformation } from './beyond-accuracy.js';
import { type CodedLists, type HeldOut, hitsOfLists, metricsOfLists } from './held-out.js';
import type { AccuracyMetric } from './hits.js';
import { isOfCatalogue, type MetricColumn, ownValue } from './metric-names.js';
import type { RankedHeldOut } from './rank-held-out.js';

/** What values are computed from, the same for all recommenders. */
export interface Measure {
  readonly heldOut: HeldOut;
  /** Rows of the users that every recommender knows. */
  readonly rows: Int32Array;
  /** Tracks that any of the recommenders can recommend. */
  readonly catalogueSize: number;
  /** The vector of a track by its number, for diversity. */
  readonly vector?: (code: number) => Float64Array | undefined;
}

/**
 * A column of values of one recommender, one for each of `measure.rows`, NaN where there is none; a
 * column of the catalogue has a single value.
 * @param options.relevant what is right, instead of all held-out tracks
 */
export function valuesOf(
  ranked: RankedHeldOut,
  column: MetricColumn,
  measure: Measure,
  { relevant = measure.heldOut.relevant }: { relevant?: Csr } = {},
): Float64Array {
  const { rows, heldOut, catalogueSize } = measure;
  const { metric, own, k, negatives } = column;
  const lists = negatives > 0 ? ranked.sampled.get(negatives)! : ranked.lists;
  const { n } = lists;
  const track = own ? lists.shuffled! : lists.track;
  if (metric === 'auc')
    return rows.length ? Float64Array.from(rows, (row) => ranked.auc![row]) : new Float64Array(0);
  const first = (row: number): Int32Array => {
    const list = track.subarray(row * n, row * n + Math.min(k, n));
    const end = list.indexOf(-1);
    return end < 0 ? list : list.subarray(0, end);
  };
  if (own) {
    const ids = heldOut.codes.ids();
    const idsOf = (codes: Int32Array): string[] => Array.from(codes, (code) => ids[code]);
    return Float64Array.from(rows, (row) => {
      const right = relevant.indices.subarray(relevant.indptr[row], relevant.indptr[row + 1]);
      return right.length === 0
        ? NaN
        : ownValue(own, idsOf(first(row)), new Set(idsOf(right)), { user: heldOut.users[row], k });
    });
  }
  if (isOfCatalogue(column)) {
    const counts = new Float64Array(heldOut.codes.length);
    for (const row of rows) for (const code of first(row)) counts[code]++;
    const used = counts.filter((count) => count > 0);
    return Float64Array.of(
      metric === 'coverage' ? used.length / catalogueSize : giniOfCounts(used, catalogueSize),
    );
  }
  if (metric === 'novelty') {
    return meanOverList(rows, first, (code) =>
      selfInformation(heldOut.listeners[code] ?? 0, heldOut.trainUsers),
    );
  }
  if (metric === 'popularity')
    return meanOverList(rows, first, (code) => heldOut.listeners[code] ?? 0);
  if (metric === 'diversity') {
    return Float64Array.from(rows, (row) => {
      const vectors = Array.from(first(row)).flatMap((code) => measure.vector!(code) ?? []);
      return diversityOf(vectors.length, (j) => vectors[j]);
    });
  }
  const values = accuracies(ranked, lists, { k, negatives, relevant, codes: heldOut.codes.length })[
    metric as AccuracyMetric
  ];
  return Float64Array.from(rows, (row) => values[row]);
}

function meanOverList(
  rows: Int32Array,
  first: (row: number) => Int32Array,
  value: (code: number) => number,
): Float64Array {
  return Float64Array.from(rows, (row) => {
    const list = first(row);
    let sum = 0;
    for (const code of list) sum += value(code);
    return sum / list.length;
  });
}

type Accuracies = Record<AccuracyMetric, Float64Array>;
const computed = new WeakMap<RankedHeldOut, WeakMap<Csr, Map<string, Accuracies>>>();

/**
 * All metrics of right and wrong at one k come at once: kept, as one after the other is asked for.
 */
function accuracies(
  ranked: RankedHeldOut,
  lists: CodedLists,
  { k, negatives, relevant, codes }: { k: number; negatives: number; relevant: Csr; codes: number },
): Accuracies {
  const byRelevant = computed.get(ranked) ?? new WeakMap<Csr, Map<string, Accuracies>>();
  const kept = byRelevant.get(relevant) ?? new Map<string, Accuracies>();
  computed.set(ranked, byRelevant.set(relevant, kept));
  const key = `${k}~${negatives}`;
  const found =
    kept.get(key) ??
    metricsOfLists(hitsOfLists(lists, { relevant, codes }), lists, { k, relevant });
  kept.set(key, found);
  return found;
}
