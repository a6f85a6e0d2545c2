import { ArgumentError, UnknownIdError } from './errors.js';

/**
 * Throws unless options are an object that has fields of these names only: TypeScript says so in an editor, but nothing does in a notebook of JavaScript,
 * where a mistyped option would be as good as none.
 * @param options what was given
 * @param names every option there is
 * @param of whose options they are, e.g. `recommend`
 * @example checkOptions<{ n?: number; filterSeen?: boolean }>({ n: 5 }, ['n', 'filterSeen'], 'recommend')
 */
export function checkOptions<T extends object>(options: T, names: readonly (keyof T & string)[], of: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ArgumentError(`The options of ${of} must be an object, such as { ${names[0]}: … }, got ${whatIs(options)}.`);
  }
  for (const name of Object.keys(options)) {
    if ((names as readonly string[]).includes(name)) continue;
    throw new ArgumentError(`${of} has no option "${name}"${didYouMean(name, names)} Its options: ${names.join(', ')}.`);
  }
}

/** What a value is, for messages: `null`, `an array`, `a string`, `an object of Table`. */
export function whatIs(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return `an object of ${value.constructor?.name || 'no class'}`;
  return value === undefined ? 'nothing' : `a ${typeof value}`;
}

/**
 * Throws unless an argument is of the kind that is needed: else a notebook would show what JavaScript says of a property of undefined, somewhere inside.
 * @param fits whether it is
 * @param value what came
 * @param of what needs it, e.g. `describe`
 * @param wanted what it needs, and how to come by it, e.g. `a table, such as readTable reads`
 * @example checkArgument(table instanceof Table, table, 'missingValues', 'a table, such as readTable reads')
 */
export function checkArgument(fits: boolean, value: unknown, of: string, wanted: string): asserts fits {
  if (!fits) throw new ArgumentError(`${of} needs ${wanted}, got ${whatIs(value)}.`);
}

/** Whether a value can be read as numbers in order: a typed array or an array, which is not looked through. */
export function isNumbers(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** How a sentence on an unknown name ends: with the nearest known one, if any is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const [near] = new UnknownIdError('name', name, known).suggestions;
  return near ? `; did you mean "${near}"?` : '.';
}
