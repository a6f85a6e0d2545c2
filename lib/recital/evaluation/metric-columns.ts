import { ArgumentError, UnknownIdError } from '../errors.js';
import { checkArgument, checkCount, checkFlag, checkOptions, whatIs } from '../options.js';
import { type AccuracyMetric, accuracyMetrics } from './metrics.js';

/** Metrics of one user's list whatever is relevant: see beyond-accuracy.ts. */
const listMetrics = ['novelty', 'popularity', 'diversity'] as const;
/** Metrics of all users' lists together. */
const catalogueMetrics = ['coverage', 'gini'] as const;

/** The metrics that {@link evaluate} knows by name. */
type KnownMetric =
  | AccuracyMetric
  | (typeof listMetrics)[number]
  | (typeof catalogueMetrics)[number]
  | 'auc';

/**
 * Name of a metric of {@link evaluate}: `ndcg` (at each k), `ndcg@5` (at 5 alone), `ndcg~100neg` or
 * `ndcg@5~100neg` (sampled).
 * @example const metrics: readonly MetricName[] = ['ndcg', 'recall@20', 'coverage'];
 */
export type MetricName =
  | KnownMetric
  | `${Exclude<KnownMetric, 'auc'>}@${number}`
  | `${AccuracyMetric}~${number}neg`
  | `${AccuracyMetric}@${number}~${number}neg`;

/**
 * A ranking metric of one's own: one number per user, from the list and the relevant tracks.
 * {@link evaluate} treats it like any other, with intervals, paired tests and segments.
 *
 * Ties: tracks with equal scores are in random order on the list (by the seed, and different for
 * each user), so the mean over users is unbiased, as the expected values of the other metrics are.
 * @example
 * const first: RankingMetric = { name: 'first', value: ([best], heldOut) => (heldOut.has(best) ? 1 : 0) };
 * await evaluate([new Popularity(split.train)], split, { metrics: ['ndcg', first] });
 */
export interface RankingMetric<N extends string = string> {
  /** Heading of its column, followed by `@` and k; no name of a known metric. */
  readonly name: N;
  /**
   * The value of one user; NaN leaves the user out of the mean.
   * @param list track ids, the best first: at most k
   * @param heldOut ids of all relevant tracks, at least one
   * @param about `user`: the id; `k`: the length of list that was asked for
   */
  readonly value: (
    list: readonly string[],
    heldOut: ReadonlySet<string>,
    about: { readonly user: string; readonly k: number },
  ) => number;
  /** Whether more is better; default true. */
  readonly greater?: boolean;
}

/** A column of results, e.g. `ndcg@10`. */
export interface MetricColumn {
  /** Its heading: `ndcg@10`, `auc`, `ndcg@10~100neg`. */
  readonly name: string;
  /** Undefined for a metric of one's own. */
  readonly metric: KnownMetric | undefined;
  readonly own?: RankingMetric;
  /** Length of the lists; the longest for `auc`, which has none. */
  readonly k: number;
  /** Number of sampled tracks in place of the catalogue; 0: the whole catalogue is ranked. */
  readonly negatives: number;
}

const known: readonly string[] = [
  ...accuracyMetrics,
  'auc',
  ...catalogueMetrics,
  ...listMetrics,
] satisfies readonly KnownMetric[];
const PATTERN = /^([a-zA-Z]+)(?:@(\d+))?(?:~(\d+)neg)?$/;

/** Whether a metric compares lists with the relevant tracks: its differences are tested. */
export function isAccuracy({ metric }: MetricColumn): boolean {
  const accurate: readonly unknown[] = [undefined, 'auc', ...accuracyMetrics];
  return accurate.includes(metric);
}

/** Whether a metric is one number for all users together. */
export function isOfCatalogue({ metric }: MetricColumn): boolean {
  return (catalogueMetrics as readonly unknown[]).includes(metric);
}

/** Whether more of a metric is better, or comes first where it is neither good nor bad. */
export function isGreaterBetter({ own }: MetricColumn): boolean {
  return own?.greater ?? true;
}

/** The lengths of lists, checked: one, or several different ones. */
export function checkedKs(k: number | readonly number[]): number[] {
  const ks: readonly number[] = Array.isArray(k) ? k : [k as number];
  if (ks.length === 0)
    throw new ArgumentError('k is empty. Give at least one length of a list, such as [5, 10, 20].');
  for (const each of ks) checkCount(each, 'k');
  return [...new Set(ks)];
}

/**
 * The columns of a table: each metric at each k.
 * @throws ArgumentError for what is no metric; UnknownIdError for an unknown name, with a
 *   suggestion
 */
export function metricColumns(
  metrics: readonly (MetricName | RankingMetric)[],
  ks: readonly number[],
): MetricColumn[] {
  if (!Array.isArray(metrics) || metrics.length === 0)
    throw new ArgumentError(
      `metrics must be an array of names, such as ['ndcg', 'recall'], got ${Array.isArray(metrics) ? 'an empty one' : whatIs(metrics)}.`,
    );
  const columns = new Map<string, MetricColumn>();
  const all = (metrics as readonly (MetricName | RankingMetric)[]).flatMap((metric) =>
    typeof metric === 'string' ? namedColumns(metric, ks) : ownColumns(metric, ks),
  );
  for (const column of all) {
    const before = columns.get(column.name);
    if (before && before.own !== column.own)
      throw new ArgumentError(
        `Two metrics are called "${column.own?.name}". Give each a name of its own.`,
      );
    columns.set(column.name, column);
  }
  return [...columns.values()];
}

function namedColumns(name: MetricName, ks: readonly number[]): MetricColumn[] {
  const [, metric, at, negatives] = PATTERN.exec(name) ?? [];
  if (metric === undefined)
    throw new ArgumentError(
      `A metric is a name such as 'ndcg', 'ndcg@10' or, sampled, 'ndcg@10~100neg', got ${JSON.stringify(name)}.`,
    );
  if (!known.includes(metric))
    throw new UnknownIdError('metric', metric, known, `The metrics: ${known.join(', ')}.`);
  if (negatives !== undefined) {
    if (!(accuracyMetrics as readonly string[]).includes(metric))
      throw new ArgumentError(`"${name}": only ${accuracyMetrics.join(', ')} can be sampled.`);
    checkCount(Number(negatives), 'The number of negatives');
  }
  if (metric === 'auc') {
    if (at === undefined) return [{ name, metric, k: Math.max(...ks), negatives: 0 }];
    throw new ArgumentError(
      'auc is about the whole catalogue, not the first k: write it without @.',
    );
  }
  if (at !== undefined) checkCount(Number(at), 'k');
  return (at === undefined ? ks : [Number(at)]).map((k) => ({
    name: `${metric}@${k}${negatives === undefined ? '' : `~${Number(negatives)}neg`}`,
    metric: metric as KnownMetric,
    k,
    negatives: Number(negatives ?? 0),
  }));
}

function ownColumns(own: RankingMetric, ks: readonly number[]): MetricColumn[] {
  if (typeof own !== 'object' || own === null)
    throw new ArgumentError(
      `A metric is a name such as 'ndcg', or one of your own, { name, value: (list, heldOut) => number }, got ${whatIs(own)}.`,
    );
  const { name, value, greater } = own;
  checkOptions(own, ['name', 'value', 'greater'], 'a metric of your own');
  if (typeof name !== 'string' || !/^[^@~]*[^@~\s][^@~]*$/.test(name))
    throw new ArgumentError(
      `A metric of your own needs a name without @ and ~, such as 'first', got ${JSON.stringify(name)}.`,
    );
  if (known.includes(name))
    throw new ArgumentError(`"${name}" is the name of another metric. Choose another one.`);
  const of = `The metric "${name}"`;
  const wanted = 'value, a function (list, heldOut) => number';
  checkArgument(typeof value === 'function', value, of, wanted);
  if (greater !== undefined) checkFlag(greater, `${of}: greater`);
  return ks.map((k) => ({ name: `${name}@${k}`, metric: undefined, own, k, negatives: 0 }));
}
