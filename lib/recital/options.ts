import { ArgumentError, UnknownIdError } from './errors.js';
import { said, whatIs } from './printed.js';

export { said, whatIs };

/**
 * Throws unless options are an object that has fields of these names only: TypeScript says so in an
 * editor, but nothing does in a notebook of JavaScript, where a mistyped option would be as good as
 * none.
 * @param options what was given
 * @param names every option there is
 * @param of whose options they are, e.g. `recommend`
 * @example checkOptions<{ n?: number; filterSeen?: boolean }>({ n: 5 }, ['n', 'filterSeen'], 'recommend')
 */
export function checkOptions<T extends object>(
  options: T,
  names: readonly (keyof T & string)[],
  of: string,
): void {
  if (names.length === 0 && options && Object.keys(options).length === 0) return;
  if (names.length === 0) throw new ArgumentError(`${of} takes no options; leave them out.`);
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ArgumentError(
      `The options of ${of} must be an object, such as { ${names[0]}: … }, got ${whatIs(options)}.`,
    );
  }
  for (const name of Object.keys(options)) {
    if ((names as readonly string[]).includes(name)) continue;
    throw new ArgumentError(
      `${of} has no option "${name}"${didYouMean(name, names)} Its options: ${names.join(', ')}.`,
    );
  }
}

/**
 * The options that were given, with the defaults of those that were not: an object of defaults is
 * the list of names, the values, and by `Partial<typeof DEFAULTS>` the type, so that an option is
 * written once. `undefined` counts as not given.
 * @param defaults every option with its default; one without a default is
 *   `undefined as T | undefined`
 * @param options what was given
 * @param of whose options they are, e.g. `recommend`
 * @throws ArgumentError for a name that there is not, with the nearest that there is
 * @example
 * const DEFAULTS = { n: 10, filterSeen: true, among: undefined as string[] | undefined };
 * given(DEFAULTS, { n: 5 }, 'recommend') // { n: 5, filterSeen: true, among: undefined }
 */
export function given<D extends object>(defaults: D, options: Partial<D>, of: string): D {
  checkOptions<Partial<D>>(options, Object.keys(defaults) as (keyof D & string)[], of);
  const all = { ...defaults };
  for (const name of Object.keys(options) as (keyof D)[]) {
    const value = options[name];
    if (value !== undefined) all[name] = value;
  }
  return all;
}

/**
 * Of what takes no options: TypeScript refuses any, {@link checkOptions} with no names does where
 * there are no types.
 */
export type NoOptions = Readonly<Record<string, never>>;

/**
 * Throws unless an argument is of the kind that is needed: else a notebook would show what
 * JavaScript says of a property of undefined, somewhere inside.
 * @param fits whether it is
 * @param value what came
 * @param of what needs it, e.g. `describe`
 * @param wanted what it needs, and how to come by it, e.g. `a table, such as readTable reads`
 * @example checkArgument(table instanceof Table, table, 'missingValues', 'a table, such as readTable reads')
 */
export function checkArgument(
  fits: boolean,
  value: unknown,
  of: string,
  wanted: string,
): asserts fits {
  if (!fits) throw new ArgumentError(`${of} needs ${wanted}, got ${whatIs(value)}.`);
}

/**
 * Throws unless an option is a number, and fits. JavaScript compares texts and null as numbers, so
 * that '' and null would pass for 0 and '5' for 5.
 * @param value what came
 * @param fits whether it does, were it a number
 * @param wanted what it has to be, a sentence without its end
 * @param hint a further sentence, with a blank before it
 * @example const shrink = 20; checkNumber(shrink, shrink >= 0 && shrink < Infinity, 'shrink must be a number from 0 on')
 */
export function checkNumber(
  value: unknown,
  fits: boolean,
  wanted: string,
  hint = '',
): asserts value is number {
  if (typeof value === 'number' && fits) return;
  const got =
    typeof value === 'number'
      ? value
      : typeof value === 'string'
        ? `the text '${value}'`
        : whatIs(value);
  throw new ArgumentError(`${wanted}, got ${got}.${hint}`);
}

/** The most epochs, iterations, trials … of one call: more would be a slip, and not end. */
export const MAX_ROUNDS = 1e6;

/**
 * Throws unless a number of epochs, iterations, trials … is a positive whole number, at most a
 * million.
 */
export function checkRounds(n: unknown, name: string): asserts n is number {
  checkNumber(
    n,
    Number.isInteger(n) && (n as number) >= 1,
    `${name} must be a positive whole number`,
  );
  if (n > MAX_ROUNDS)
    throw new ArgumentError(
      `${name} must be at most ${MAX_ROUNDS.toLocaleString('en')}, got ${said(n)}.`,
    );
}

/**
 * Whether a value can be read as numbers in order: a typed array or an array, which is not looked
 * through.
 */
export function isNumbers(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** Whether a value can be called: a function, but no class, which has to be made by `new`. */
export function isFunction(value: unknown): boolean {
  return typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value));
}

/** How a sentence on an unknown name ends: with the nearest known one, if any is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const [near] = new UnknownIdError('name', name, known).suggestions;
  return near ? `; did you mean "${near}"?` : '.';
}
