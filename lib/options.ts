import { ArgumentError, UnknownIdError } from './errors.js';

/**
 * Throws unless options are an object that has fields of these names only: TypeScript says so in an editor, but nothing does in a notebook of JavaScript,
 * where a mistyped option would be as good as none.
 * @param options what was given
 * @param names every option there is
 * @param of whose options they are, e.g. `recommend`
 * @example checkOptions({ n: 5 }, ['n', 'filterSeen'], 'recommend')
 */
export function checkOptions<T extends object>(options: T, names: readonly (keyof T & string)[], of: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const got = Array.isArray(options) ? 'an array' : options === null ? 'null' : typeof options;
    throw new ArgumentError(`The options of ${of} must be an object, such as { ${names[0]}: … }, got ${got}.`);
  }
  for (const name of Object.keys(options)) {
    if ((names as readonly string[]).includes(name)) continue;
    throw new ArgumentError(`${of} has no option "${name}"${didYouMean(name, names)} Its options: ${names.join(', ')}.`);
  }
}

/** How a sentence on an unknown name ends: with the nearest known one, if any is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const [near] = new UnknownIdError('name', name, known).suggestions;
  return near ? `; did you mean "${near}"?` : '.';
}
