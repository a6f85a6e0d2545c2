import type { Plays } from '../data/plays.js';
import { ArgumentError, UnknownIdError } from '../errors.js';
import { checkOptions, whatIs } from '../options.js';
import { checkN } from '../recommend/lookup.js';
import { Recommender } from '../recommend/recommender.js';
import { type AccuracyMetric, accuracyMetrics } from './metrics.js';

/** Makes a recommender of training plays; equal seeds should make equal ones. */
export type RecommenderFactory = (
  train: Plays,
  seed: number | string,
) => Recommender | Promise<Recommender>;

/**
 * What {@link evaluate} compares: recommenders and functions that make them, in an array, or by
 * name.
 */
export type Candidates =
  | readonly (Recommender | RecommenderFactory)[]
  | Readonly<Record<string, Recommender | RecommenderFactory>>;

/** A recommender for each seed, or one for all. */
export interface Candidate {
  /** Known beforehand: from a record, or a recommender's own. */
  readonly name: string | undefined;
  /** Whether it is made by a function. */
  readonly made: boolean;
  /** Seeds to make it with; a recommender that is there has none. */
  readonly seeds: readonly (number | string | undefined)[];
  /** Makes it, or returns the one that is there. */
  readonly make: (
    train: Plays,
    seed: number | string | undefined,
  ) => Recommender | Promise<Recommender>;
}

/** Checks what is to be compared, and brings it into one form. */
export function candidatesOf(
  recommenders: Candidates,
  seeds: readonly (number | string)[],
): Candidate[] {
  if (typeof recommenders !== 'object' || recommenders === null || isRecommender(recommenders)) {
    throw new ArgumentError(
      `evaluate needs an array of recommenders, such as [new Popularity(train)], got ${whatIs(recommenders)}.`,
    );
  }
  const named: readonly (readonly [string | undefined, Recommender | RecommenderFactory])[] =
    Array.isArray(recommenders)
      ? (recommenders as readonly (Recommender | RecommenderFactory)[]).map(
          (each) => [undefined, each] as const,
        )
      : Object.entries(recommenders as Readonly<Record<string, Recommender | RecommenderFactory>>);
  if (named.length === 0)
    throw new ArgumentError('There is no recommender to compare. Give at least one.');
  return named.map(([name, each], i) => {
    if (isRecommender(each))
      return { name: name ?? each.name, made: false, seeds: [undefined], make: () => each };
    if (typeof each !== 'function' || each.prototype instanceof Recommender) {
      throw new ArgumentError(
        `${name === undefined ? `Number ${i} (from 0)` : `"${name}"`} must be a recommender, or a function (train, seed) => recommender, got ${
          typeof each === 'function'
            ? `a class: ${'fit' in each ? `(train) => ${each.name}.fit(train)` : `(train) => new ${each.name}(train)`}`
            : instead(each)
        }.`,
      );
    }
    const make: RecommenderFactory = each;
    return {
      name,
      made: true,
      seeds,
      make: async (train, seed) => {
        const made: unknown = await make(train, seed!);
        if (!isRecommender(made))
          throw new ArgumentError(`A function must return a recommender, got ${instead(made)}.`);
        return made;
      },
    };
  });
}

/** What came in the place of a recommender; of an object, how one of one's own is made. */
export function instead(
  value: unknown,
  base: 'Recommender' | 'SequenceRecommender' = 'Recommender',
): string {
  const object = typeof value === 'object' && value !== null && !Array.isArray(value);
  const plain =
    object &&
    (Object.getPrototypeOf(value) === Object.prototype || 'scores' in value || 'scoresOf' in value);
  return plain
    ? `${whatIs(value)} (a recommender of one's own is a class that extends ${base})`
    : whatIs(value);
}

export function isRecommender(value: unknown): value is Recommender {
  return (
    typeof (value as Recommender | undefined)?.scores === 'function' &&
    Boolean((value as Recommender).seen)
  );
}

/** Metrics of a list whatever is right, one number a user, at each k; see beyond-accuracy.ts. */
export const listMetrics = ['novelty', 'popularity', 'diversity'] as const;
/** Metrics of all lists together, at each k. */
export const catalogueMetrics = ['coverage', 'gini'] as const;

/** What {@link evaluate} measures by itself. */
export type KnownMetric =
  | AccuracyMetric
  | (typeof listMetrics)[number]
  | (typeof catalogueMetrics)[number]
  | 'auc';

/**
 * A number that {@link evaluate} measures: `ndcg` (at each k), `ndcg@5` (at 5 alone), `ndcg~100neg`
 * or `ndcg@5~100neg` (sampled).
 * @example const metrics: readonly MetricName[] = ['ndcg', 'recall@20', 'coverage'];
 */
export type MetricName =
  | KnownMetric
  | `${Exclude<KnownMetric, 'auc'>}@${number}`
  | `${AccuracyMetric}~${number}neg`
  | `${AccuracyMetric}@${number}~${number}neg`;

/**
 * A ranking metric of one's own: one number a user, from the list and what would have been right.
 * {@link evaluate} treats it like any other, with intervals, paired tests and segments.
 *
 * Ties: where scores are equal, the list that it is given has these tracks in an order of chance
 * (by the seed, another for each user), so that its mean over users is right on average, as the
 * expected values of the other metrics are.
 * @example
 * const first: RankingMetric = { name: 'first', value: ([best], heldOut) => (heldOut.has(best) ? 1 : 0) };
 * await evaluate([new Popularity(split.train)], split, { metrics: ['ndcg', first] });
 */
export interface RankingMetric<N extends string = string> {
  /** Heading of its column, `@` and k added; none of the names that there are. */
  readonly name: N;
  /**
   * The value of one user; NaN where there is none, so that the user is left out of the mean.
   * @param list track ids, the best first: at most k
   * @param heldOut ids of all tracks that would be right, at least one
   * @param about `user`: the id; `k`: the length of the list that was asked for
   */
  readonly value: (
    list: readonly string[],
    heldOut: ReadonlySet<string>,
    about: { readonly user: string; readonly k: number },
  ) => number;
  /** Whether more is better; default true. */
  readonly greater?: boolean;
}

/** A number that is measured, e.g. `ndcg@10`. */
export interface MetricColumn {
  /** Its name in tables: `ndcg@10`, `auc`, `ndcg@10~100neg`. */
  readonly name: string;
  /** Undefined for one of the caller's own. */
  readonly metric: KnownMetric | undefined;
  readonly own?: RankingMetric;
  /** Length of the lists; the longest for `auc`, which has none. */
  readonly k: number;
  /**
   * So many tracks stand for the catalogue in a sampled metric; 0: the whole catalogue is ranked.
   */
  readonly negatives: number;
}

const ALL: readonly KnownMetric[] = [
  ...accuracyMetrics,
  'auc',
  ...catalogueMetrics,
  ...listMetrics,
];
const PATTERN = /^([a-zA-Z]+)(?:@(\d+))?(?:~(\d+)neg)?$/;

/** Whether the metric is one of right and wrong, whose differences are tested. */
export function isAccuracy({ metric }: Pick<MetricColumn, 'metric'>): boolean {
  return (
    metric === undefined || metric === 'auc' || accuracyMetrics.includes(metric as AccuracyMetric)
  );
}

/** Whether the metric has one number for all users together. */
export function isOfCatalogue({ metric }: Pick<MetricColumn, 'metric'>): boolean {
  return (catalogueMetrics as readonly unknown[]).includes(metric);
}

/**
 * Whether more of it is better; of what is neither good nor bad by itself, such as novelty, more
 * comes first as well.
 */
export function isGreaterBetter({ own }: Pick<MetricColumn, 'own'>): boolean {
  return own?.greater ?? true;
}

/** The lengths of lists, checked: one, or several that differ. */
export function checkedKs(k: number | readonly number[]): number[] {
  const ks: readonly number[] = Array.isArray(k) ? k : [k as number];
  if (ks.length === 0)
    throw new ArgumentError('k is empty. Give at least one length of a list, such as [5, 10, 20].');
  for (const each of ks) checkN(each, 'k');
  return [...new Set(ks)];
}

/**
 * The columns of a table: each metric at each k.
 * @param metrics names, see {@link MetricName}, and metrics of one's own
 * @param ks lengths of lists
 * @throws ArgumentError for a name that is none; UnknownIdError for a metric that there is not,
 *   with a suggestion
 */
export function metricColumns(
  metrics: readonly (MetricName | RankingMetric)[],
  ks: readonly number[],
): MetricColumn[] {
  if (!Array.isArray(metrics))
    throw new ArgumentError(
      `metrics must be an array of names, such as ['ndcg', 'recall'], got ${whatIs(metrics)}.`,
    );
  if (metrics.length === 0)
    throw new ArgumentError("metrics is empty. Give at least one, such as ['ndcg'].");
  const columns = new Map<string, MetricColumn>();
  for (const each of (metrics as readonly (MetricName | RankingMetric)[]).flatMap((one) =>
    columnsOf(one, ks),
  )) {
    const before = columns.get(each.name);
    if (before && before.own !== each.own)
      throw new ArgumentError(
        `Two metrics are called "${each.own?.name}". Give each a name of its own.`,
      );
    columns.set(each.name, each);
  }
  return [...columns.values()];
}

/** Throws unless this is a metric of one's own. */
export function checkOwnMetric(own: RankingMetric): void {
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
  if ((ALL as readonly string[]).includes(name))
    throw new ArgumentError(`"${name}" is the name of another metric. Choose another one.`);
  if (typeof value !== 'function')
    throw new ArgumentError(
      `The metric "${name}" needs value, a function (list, heldOut) => number, got ${whatIs(value)}.`,
    );
  if (greater !== undefined && typeof greater !== 'boolean')
    throw new ArgumentError(
      `The metric "${name}": greater must be true or false, got ${String(greater)}.`,
    );
}

/** The value of a user by a metric of one's own, checked. */
export function ownValue(
  { name, value }: RankingMetric,
  list: readonly string[],
  heldOut: ReadonlySet<string>,
  about: { user: string; k: number },
): number {
  const x: unknown = value(list, heldOut, about);
  if (typeof x === 'number' && Math.abs(x) !== Infinity) return x;
  throw new ArgumentError(
    `The metric "${name}" returned ${typeof x === 'number' ? x : whatIs(x)} for user "${about.user}". It must return a number, or NaN where there is none.`,
  );
}

function columnsOf(one: MetricName | RankingMetric, ks: readonly number[]): MetricColumn[] {
  if (typeof one !== 'string') {
    checkOwnMetric(one);
    return ks.map((k) => ({
      name: `${one.name}@${k}`,
      metric: undefined,
      own: one,
      k,
      negatives: 0,
    }));
  }
  const [, metric, at, negatives] = PATTERN.exec(one) ?? [];
  if (metric === undefined)
    throw new ArgumentError(
      `A metric is a name such as 'ndcg', 'ndcg@10' or, sampled, 'ndcg@10~100neg', got ${JSON.stringify(one)}.`,
    );
  if (!ALL.includes(metric as KnownMetric))
    throw new UnknownIdError('metric', metric, ALL, `The metrics: ${ALL.join(', ')}.`);
  const known = metric as KnownMetric;
  if (negatives !== undefined) {
    if (!(accuracyMetrics as readonly string[]).includes(known))
      throw new ArgumentError(`"${one}": only ${accuracyMetrics.join(', ')} can be sampled.`);
    checkN(Number(negatives), 'The number of negatives');
  }
  if (known === 'auc') {
    if (at !== undefined)
      throw new ArgumentError(
        'auc looks at the whole catalogue, not at the first k: write it without @.',
      );
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
