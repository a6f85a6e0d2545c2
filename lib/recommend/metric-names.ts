import { ArgumentError, UnknownIdError } from '../errors.js';
import { whatIs } from '../options.js';
import type { AccuracyMetric } from './hits.js';
import { checkN } from './lookup.js';

/** Metrics of right and wrong, one number a user, at each k; see metrics.ts. */
export const accuracyMetrics: readonly AccuracyMetric[] = ['precision', 'recall', 'hitRate', 'map', 'mrr', 'ndcg'];
/** Metrics of a list whatever is right, one number a user, at each k; see beyond-accuracy.ts. */
export const listMetrics = ['novelty', 'popularity', 'diversity'] as const;
/** Metrics of all lists together, at each k. */
export const catalogueMetrics = ['coverage', 'gini'] as const;

/** Everything that {@link evaluate} measures. */
export type MetricName = AccuracyMetric | (typeof listMetrics)[number] | (typeof catalogueMetrics)[number] | 'auc';

/** A number that is measured, e.g. `ndcg@10`. */
export interface MetricColumn {
  /** Its name in tables: `ndcg@10`, `auc`, `ndcg@10~100neg`. */
  readonly name: string;
  readonly metric: MetricName;
  /** Length of the lists; the longest for `auc`, which has none. */
  readonly k: number;
  /** So many tracks stand for the catalogue in a sampled metric; 0: the whole catalogue is ranked. */
  readonly negatives: number;
}

const ALL: readonly MetricName[] = [...accuracyMetrics, 'auc', ...catalogueMetrics, ...listMetrics];
const PATTERN = /^([a-zA-Z]+)(?:@(\d+))?(?:~(\d+)neg)?$/;

/** Whether the metric is one of right and wrong, whose differences are tested. */
export function isAccuracy(metric: MetricName): boolean {
  return metric === 'auc' || accuracyMetrics.includes(metric as AccuracyMetric);
}

/** Whether the metric has one number for all users together. */
export function isOfCatalogue(metric: MetricName): boolean {
  return (catalogueMetrics as readonly string[]).includes(metric);
}

/** The lengths of lists, checked: one, or several that differ. */
export function checkedKs(k: number | readonly number[]): number[] {
  const ks: readonly number[] = Array.isArray(k) ? k : [k as number];
  if (ks.length === 0) throw new ArgumentError('k is empty. Give at least one length of a list, such as [5, 10, 20].');
  for (const each of ks) checkN(each, 'k');
  return [...new Set(ks)];
}

/**
 * The columns of a table: each metric at each k.
 * @param names `ndcg` (at each k), `ndcg@5` (at 5 alone), `ndcg~100neg` or `ndcg@5~100neg` (sampled)
 * @param ks lengths of lists
 * @throws ArgumentError for a name that is none; UnknownIdError for a metric that there is not, with a suggestion
 */
export function metricColumns(names: readonly string[], ks: readonly number[]): MetricColumn[] {
  if (!Array.isArray(names)) throw new ArgumentError(`metrics must be an array of names, such as ['ndcg', 'recall'], got ${whatIs(names)}.`);
  if (names.length === 0) throw new ArgumentError("metrics is empty. Give at least one, such as ['ndcg'].");
  const columns = new Map<string, MetricColumn>();
  for (const each of names.flatMap((name) => columnsOf(name, ks))) columns.set(each.name, each);
  return [...columns.values()];
}

function columnsOf(name: string, ks: readonly number[]): MetricColumn[] {
  const [, metric, at, negatives] = (typeof name === 'string' && PATTERN.exec(name)) || [];
  if (metric === undefined)
    throw new ArgumentError(`A metric is a name such as 'ndcg', 'ndcg@10' or, sampled, 'ndcg@10~100neg', got ${JSON.stringify(name)}.`);
  if (!ALL.includes(metric as MetricName)) throw new UnknownIdError('metric', metric, ALL);
  const known = metric as MetricName;
  if (negatives !== undefined) {
    if (known === 'auc' || !isAccuracy(known)) throw new ArgumentError(`"${name}": only ${accuracyMetrics.join(', ')} can be sampled.`);
    checkN(Number(negatives), 'The number of negatives');
  }
  if (known === 'auc') {
    if (at !== undefined) throw new ArgumentError('auc looks at the whole catalogue, not at the first k: write it without @.');
    return [{ name: 'auc', metric: known, k: Math.max(...ks), negatives: 0 }];
  }
  if (at !== undefined) checkN(Number(at), 'k');
  return (at === undefined ? ks : [Number(at)]).map((k) => ({
    name: `${known}@${k}${negatives === undefined ? '' : `~${Number(negatives)}neg`}`,
    metric: known,
    k,
    negatives: Number(negatives ?? 0),
  }));
}
