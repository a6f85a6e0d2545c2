import { ArgumentError, UnknownIdError } from './errors.js';
import { isClass, said, whatIs } from './printed.js';

export { said, whatIs };

/**
 * Throws unless options are an object with fields of these names only: where types are not checked,
 * a mistyped option would be ignored silently.
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
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new ArgumentError(
      `The options of ${of} must be an object, such as { ${names[0]}: … }, got ${whatIs(options)}.`,
    );
  const unknown = Object.keys(options).find((name) => !(names as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new ArgumentError(
      `${of} has no option "${unknown}"${didYouMean(unknown, names)} Its options: ${names.join(', ')}.`,
    );
}

/**
 * Options with their defaults filled in. The object of defaults is also the list of names and, as
 * `Partial<typeof DEFAULTS>`, the type, so that an option is written once. `undefined` counts as
 * not given.
 * @param defaults every option; one without a default is `undefined as T | undefined`
 * @param of whose options they are, e.g. `recommend`
 * @example
 * const DEFAULTS = { n: 10, filterSeen: true, among: undefined as string[] | undefined };
 * given(DEFAULTS, { n: 5 }, 'recommend') // { n: 5, filterSeen: true, among: undefined }
 */
export function given<D extends object>(defaults: D, options: Partial<D>, of: string): D {
  checkOptions<Partial<D>>(options, Object.keys(defaults) as (keyof D & string)[], of);
  const set = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(set) };
}

/** The options of what takes none; `checkOptions(options, [], of)` refuses any. */
export type NoOptions = Readonly<Record<string, never>>;

/**
 * Throws unless an argument is of the kind that is needed.
 * @param of what needs it
 * @param wanted what it needs and where it comes from
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
 * Throws unless a value is a number and meets a condition. JavaScript compares texts and null as
 * numbers, so that '' and null would pass for 0 and '5' for 5.
 * @param wanted what it has to be, a sentence without its full stop
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
  const text = typeof value === 'string' ? `the text '${value}'` : whatIs(value);
  throw new ArgumentError(`${wanted}, got ${typeof value === 'number' ? value : text}.${hint}`);
}

/**
 * Throws unless a value is a whole number from `least` to `most`.
 * @example checkCount(64, 'bs')
 */
export function checkCount(
  value: unknown,
  name: string,
  { least = 1, most = Infinity } = {},
): asserts value is number {
  const n = value as number;
  const range =
    most < Infinity
      ? `whole number from ${least} to ${most}`
      : least === 1
        ? 'positive whole number'
        : `whole number, ${least} or more`;
  checkNumber(value, Number.isInteger(n) && n >= least && n <= most, `${name} must be a ${range}`);
}

/**
 * Throws unless a value is one of some texts.
 * @example checkOneOf('none', ['none', 'tfidf', 'bm25'], 'weighting')
 */
export function checkOneOf(value: unknown, allowed: readonly string[], name: string): void {
  if (allowed.includes(value as string)) return;
  const quoted = allowed.map((each) => `'${each}'`);
  const list = `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
  throw new ArgumentError(`${name} must be ${list}, got '${said(value)}'.`);
}

/** Throws unless a value is true or false. */
export function checkFlag(value: unknown, name: string): void {
  if (typeof value !== 'boolean')
    throw new ArgumentError(`${name} must be true or false, got ${said(value)}.`);
}

/** Throws unless a value is one of 0 … length − 1; `what`: one of those counted, such as `row`. */
export function checkIndex(value: unknown, length: number, what: string): void {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < length) return;
  throw new ArgumentError(
    `${what[0].toUpperCase()}${what.slice(1)} ${said(value)} does not exist; there are ${length}, counted from 0.`,
  );
}

/** {@link checkIndex} of each of some numbers: millions, so in a loop of its own. */
export function checkIndices(values: ArrayLike<number>, length: number, what: string): void {
  for (let j = 0; j < values.length; j++)
    if (!(Number.isInteger(values[j]) && values[j] >= 0 && values[j] < length))
      checkIndex(values[j], length, what);
}

/** Throws unless columns, by name, have the same length. */
export function checkLengths(columns: Readonly<Record<string, ArrayLike<unknown>>>): void {
  const sizes = Object.entries(columns).map(([name, { length }]) => `${name}: ${length}`);
  if (new Set(Object.values(columns).map(({ length }) => length)).size > 1)
    throw new ArgumentError(`Columns must have equal lengths, got ${sizes.join(', ')}.`);
}

/** The largest number of epochs, iterations, trials … of one call: more would be a slip. */
export const MAX_ROUNDS = 1e6;

/** Throws unless a number of epochs, iterations, trials … is whole, positive, at most a million. */
export function checkRounds(n: unknown, name: string): asserts n is number {
  checkCount(n, name);
  if (n > MAX_ROUNDS)
    throw new ArgumentError(
      `${name} must be at most ${MAX_ROUNDS.toLocaleString('en')}, got ${said(n)}.`,
    );
}

/** Whether a value is an array or a typed array; the elements of an array are not looked at. */
export function isNumbers(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** Position of the first number that is not finite; −1 if all are. */
export function firstNotFinite(values: ArrayLike<number>, n = values.length): number {
  for (let i = 0; i < n; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

/** Whether a value is a function that can be called without `new`. */
export function isFunction(value: unknown): boolean {
  return typeof value === 'function' && !isClass(value);
}

/** The end of a sentence about an unknown name: the nearest known one, if any is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const [near] = new UnknownIdError('name', name, known).suggestions;
  return near ? `; did you mean "${near}"?` : '.';
}

/** Whether a value is an object, and no array. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
