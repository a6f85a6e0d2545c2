import type { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { checkOptions, said, whatIs } from '../options.js';

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
  /**
   * Draw the logarithm evenly, so that 0.001 … 0.01 comes as often as 0.1 … 1: for rates and
   * weights. Default false.
   */
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

/** Throws ArgumentError unless something can be drawn from every setting of the space. */
export function checkSpace(space: SearchSpace): void {
  if (
    typeof space !== 'object' ||
    space === null ||
    Array.isArray(space) ||
    Object.keys(space).length === 0
  ) {
    throw new ArgumentError(
      `A space is an object, such as { factors: [16, 32], lr: { min: 1e-4, max: 0.1, log: true } }, got ${whatIs(space)}.`,
    );
  }
  for (const [name, each] of Object.entries(space)) {
    if (Array.isArray(each)) {
      if (each.length === 0) throw new ArgumentError(`"${name}" has no choice. Give at least one.`);
      const odd = each.find(
        (value) =>
          !(
            value === null ||
            typeof value === 'string' ||
            typeof value === 'boolean' ||
            Number.isFinite(value)
          ),
      );
      if (odd !== undefined || each.includes(undefined)) {
        throw new ArgumentError(
          `Choices are numbers, texts, booleans or null, but "${name}" has ${whatIs(odd)}. Choose by a name, and look the value up.`,
        );
      }
      continue;
    }
    if (typeof each !== 'object' || each === null)
      throw new ArgumentError(
        `"${name}" must be an array of choices or a range { min, max }, got ${whatIs(each)}.`,
      );
    checkOptions(each as SearchRange, ['min', 'max', 'log', 'int'], `the range "${name}"`);
    const { min, max, log = false, int = false } = each as SearchRange;
    if (!(Number.isFinite(min) && Number.isFinite(max) && min <= max))
      throw new ArgumentError(
        `"${name}" needs numbers min ≤ max, got ${said(min)} and ${said(max)}.`,
      );
    if (log && !(min > 0))
      throw new ArgumentError(
        `"${name}" is logarithmic, so min must be more than 0, got ${said(min)}.`,
      );
    if (int && !(Number.isInteger(min) && Number.isInteger(max)))
      throw new ArgumentError(
        `"${name}" takes whole numbers, so min and max must be whole, got ${said(min)} and ${said(max)}.`,
      );
  }
}

/** Draws each setting, by a stream of its own name: a setting more does not change the others. */
export function drawSettings<S extends SearchSpace>(space: S, random: Random): SearchSettings<S> {
  const drawn = Object.entries(space).map(([name, each]) => {
    const own = random.child(name);
    return [
      name,
      Array.isArray(each)
        ? (each as readonly SearchChoice[])[own.int(each.length)]
        : inRange(each as SearchRange, own),
    ];
  });
  return Object.fromEntries(drawn) as SearchSettings<S>;
}

function inRange({ min, max, log = false, int = false }: SearchRange, random: Random): number {
  // Each whole number has an interval of its own, of width 1.
  const [low, high] = int ? [min, max + 1] : [min, max];
  const u = random.uniform();
  const x = log
    ? Math.exp(Math.log(low) + u * (Math.log(high) - Math.log(low)))
    : low + u * (high - low);
  return Math.min(max, Math.max(min, int ? Math.floor(x) : x));
}
