import { Plays } from '../data/plays.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, isObject, whatIs } from '../options.js';
import { Recommender } from '../recommend/recommender.js';

/** Makes a recommender of training plays; equal seeds should make equal ones. */
export type RecommenderFactory = (
  train: Plays,
  seed: number | string,
) => Recommender | Promise<Recommender>;

/** What {@link evaluate} compares: recommenders and functions that make them. */
export type Candidates =
  | readonly (Recommender | RecommenderFactory)[]
  | Readonly<Record<string, Recommender | RecommenderFactory>>;

/** One recommender to compare: made for each seed, or a single one that exists already. */
export interface Candidate {
  /** Undefined until it is made, if neither the caller nor the recommender names it. */
  readonly name: string | undefined;
  /** Undefined for a recommender that exists. */
  readonly factory: RecommenderFactory | undefined;
  readonly recommender: Recommender | undefined;
}

/** Checks what is to be compared, and brings it into one form. */
export function candidatesOf(recommenders: Candidates): Candidate[] {
  const several = typeof recommenders === 'object' && recommenders && !isRecommender(recommenders);
  const wanted = 'an array of recommenders, such as [new Popularity(train)]';
  checkArgument(Boolean(several), recommenders, 'evaluate', wanted);
  const named: [string | undefined, unknown][] = Array.isArray(recommenders)
    ? recommenders.map((each) => [undefined, each])
    : Object.entries(recommenders);
  if (named.length === 0)
    throw new ArgumentError('There is no recommender to compare. Give at least one.');
  return named.map(([name, each], i) => {
    if (isRecommender(each))
      return { name: name ?? each.name, factory: undefined, recommender: each };
    if (typeof each === 'function' && !(each.prototype instanceof Recommender))
      return { name, factory: each as RecommenderFactory, recommender: undefined };
    const which = name === undefined ? `Number ${i} (from 0)` : `"${name}"`;
    const got =
      typeof each === 'function'
        ? `a class: (train) => ${'fit' in each ? `${each.name}.fit` : `new ${each.name}`}(train)`
        : instead(each);
    throw new ArgumentError(
      `${which} must be a recommender, or a function (train, seed) => recommender, got ${got}.`,
    );
  });
}

/** Describes a wrong value given for a recommender; an own model gets a hint at the base class. */
export function instead(
  value: unknown,
  base: 'Recommender' | 'SequenceRecommender' = 'Recommender',
): string {
  const isOwn =
    isObject(value) &&
    (Object.getPrototypeOf(value) === Object.prototype || 'scores' in value || 'scoresOf' in value);
  return isOwn
    ? `${whatIs(value)} (a recommender of one's own is a class that extends ${base})`
    : whatIs(value);
}

/** Whether a value can be ranked by. */
export function isRecommender(value: unknown): value is Recommender {
  const { scores, seen } = (value ?? {}) as Partial<Recommender>;
  return typeof scores === 'function' && Boolean(seen);
}

/** Throws unless these are a recommender, and the plays it is measured by. */
export function checkBoth(of: string, recommender: Recommender, plays: Plays): void {
  if (!isRecommender(recommender)) {
    const several = Array.isArray(recommender)
      ? ` For several: recommenders.map((r) => ${of}(r, heldOut)).`
      : '';
    throw new ArgumentError(
      `${of} needs a recommender, such as new Popularity(train) or a collabLearner, got ${instead(recommender)}.${several}`,
    );
  }
  checkPlays(of, plays);
}

/** Throws unless these are plays. */
export function checkPlays(of: string, plays: Plays): void {
  const wanted = 'plays, such as split.valid or Plays.fromRows(rows)';
  checkArgument(plays instanceof Plays, plays, of, wanted);
}
