import type { Random } from '../compute/random.js';
import type { Plays } from '../data/plays.js';
import { ArgumentError } from '../errors.js';
import { checkOptions, said, whatIs } from '../options.js';
import type { Recommender } from '../recommend/recommender.js';

/**
 * A value that a search can choose: one that a results file can hold.
 * @example const factors: readonly SearchChoice[] = [16, 32, 64];
 */
export type SearchChoice = string | number | boolean | null;

/**
 * Numbers from `min` to `max`, both included.
 * @example const lr: SearchRange = { min: 1e-4, max: 1e-1, log: true };
 */
export interface SearchRange {
  /** The smallest. */
  readonly min: number;
  /** The largest. */
  readonly max: number;
  /** Draw the logarithm uniformly, for learning rates and weights; default false. */
  readonly log?: boolean;
  /** Whole numbers only; default false. */
  readonly int?: boolean;
}

/** What to try for each setting: choices, or a range. */
export type SearchSpace = Readonly<Record<string, readonly SearchChoice[] | SearchRange>>;

/** A value for each setting of a space. */
export type SearchSettings<S extends SearchSpace> = {
  [K in keyof S]: S[K] extends readonly (infer V)[] ? V : number;
};

/** What a trial is given besides its settings. */
export interface TrialContext {
  /** Plays to train on. */
  readonly train: Plays;
  /** The seed of the search, the same for all trials: settings are compared, not seeds. */
  readonly seed: number | string;
  /** With halving: how much to train in all, e.g. epochs; else undefined. */
  readonly budget: number | undefined;
  /**
   * With halving: the recommender of the same trial after `previousBudget`, for models whose
   * training can be continued; undefined in the first round, and after a resumption.
   */
  readonly previous: Recommender | undefined;
  /** The budget that `previous` has had; 0 without it. */
  readonly previousBudget: number;
}

/** Makes the recommender of a trial. */
export type TrialMaker<S extends SearchSpace> = (
  settings: SearchSettings<S>,
  context: TrialContext,
) => Recommender | Promise<Recommender>;

/**
 * One training of a search.
 * @example
 * const found = await search(({ factors }, { train }) => ALS.fit(train, { factors }), { factors: [4, 8] }, { split, trials: 2 });
 * found.trials.map((trial) => trial.score);
 */
export interface SearchTrial {
  /** Its number, from 0: which settings were drawn. */
  readonly trial: number;
  /** Its budget; null without halving. */
  readonly budget: number | null;
  readonly settings: Readonly<Record<string, SearchChoice>>;
  /** The metric on validation; null if it failed. */
  readonly score: number | null;
  readonly seconds: number;
  /** Why it failed. */
  readonly error?: string;
}

/** Throws ArgumentError unless something can be drawn for every setting of the space. */
export function checkSpace(space: SearchSpace): void {
  const isSpace = typeof space === 'object' && space !== null && !Array.isArray(space);
  if (!isSpace || Object.keys(space).length === 0)
    throw new ArgumentError(
      `A space is an object, such as { factors: [16, 32], lr: { min: 1e-4, max: 0.1, log: true } }, got ${whatIs(space)}.`,
    );
  for (const [name, each] of Object.entries(space)) {
    if (Array.isArray(each)) checkChoices(name, each);
    else if (typeof each === 'object' && each !== null) checkRange(name, each as SearchRange);
    else
      throw new ArgumentError(
        `"${name}" must be an array of choices or a range { min, max }, got ${whatIs(each)}.`,
      );
  }
}

function checkChoices(name: string, choices: readonly unknown[]): void {
  if (choices.length === 0) throw new ArgumentError(`"${name}" has no choice. Give at least one.`);
  for (const value of choices) {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') continue;
    if (Number.isFinite(value)) continue;
    throw new ArgumentError(
      `Choices are numbers, texts, booleans or null, but "${name}" has ${whatIs(value)}. Choose by a name, and look the value up.`,
    );
  }
}

function checkRange(name: string, range: SearchRange): void {
  checkOptions(range, ['min', 'max', 'log', 'int'], `the range "${name}"`);
  const { min, max, log = false, int = false } = range;
  const wrong = !(Number.isFinite(min) && Number.isFinite(max) && min <= max)
    ? 'needs numbers min ≤ max'
    : log && min <= 0
      ? 'is logarithmic, so min must be more than 0'
      : int && !(Number.isInteger(min) && Number.isInteger(max))
        ? 'takes whole numbers, so min and max must be whole'
        : undefined;
  if (wrong)
    throw new ArgumentError(`"${name}" ${wrong}, got min ${said(min)} and max ${said(max)}.`);
}

/** Draws each setting from a stream of its own: a further setting does not change the others. */
export function drawSettings<S extends SearchSpace>(space: S, random: Random): SearchSettings<S> {
  const drawn = Object.entries(space).map(([name, each]) => {
    const own = random.child(name);
    if (Array.isArray(each)) return [name, each[own.int(each.length)]];
    const { min, max, log = false, int = false } = each as SearchRange;
    const [low, high] = int ? [min, max + 1] : [min, max]; // each whole number has width 1
    const u = own.uniform();
    const x = log
      ? Math.exp(Math.log(low) + u * (Math.log(high) - Math.log(low)))
      : low + u * (high - low);
    return [name, Math.min(max, Math.max(min, int ? Math.floor(x) : x))];
  });
  return Object.fromEntries(drawn) as SearchSettings<S>;
}
