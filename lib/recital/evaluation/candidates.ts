import type { Plays } from '../data/plays.js';
import { ArgumentError } from '../errors.js';
import { whatIs } from '../options.js';
import { Recommender } from '../recommend/recommender.js';

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
