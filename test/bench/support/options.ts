import { ArgumentError, UnknownIdError } from '../../../lib/recital/errors.js';

/**
 * One option of a benchmark: what it means, its value when it is not given, and how its text is
 * read. A switch has no `read`.
 */
export interface Option<T> {
  readonly about: string;
  readonly value: T;
  readonly read?: (text: string, name: string) => T;
}

/** Options by name, as written after `--` in camelCase: `maxGrowth` is `--max-growth`. */
export type OptionSpecs = Readonly<Record<string, Option<unknown>>>;

/** The values of options. */
export type OptionValues<S extends OptionSpecs> = {
  -readonly [K in keyof S]: S[K]['value'];
};

/** `--bs 64,1024`: whole numbers from 1 on. */
export function counts(value: readonly number[], about: string): Option<readonly number[]> {
  return {
    about,
    value,
    read: (text, name) => text.split(',').map((part) => wholeNumber(part, name)),
  };
}

/** `--runs 3`: a whole number, from `least` (default 1) on. */
export function count(
  value: number,
  about: string,
  { least = 1 }: { least?: number } = {},
): Option<number> {
  return { about, value, read: (text, name) => wholeNumber(text, name, least) };
}

/** `--fastai` or `--no-fastai`. */
export function flag(value: boolean, about: string): Option<boolean> {
  return { about, value };
}

function wholeNumber(text: string, name: string, least = 1): number {
  if (!/^\d{1,9}$/.test(text.trim()) || Number(text) < least) {
    throw new ArgumentError(`--${name} needs a whole number from ${least} on, got "${text}".`);
  }
  return Number(text);
}

const dashed = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

/**
 * Reads `--name value`, `--name=value`, `--switch` and `--no-switch`.
 * @throws UnknownIdError for an option that is not there, ArgumentError for a wrong or missing
 *   value
 */
export function parseOptions<S extends OptionSpecs>(
  specs: S,
  args: readonly string[],
): OptionValues<S> {
  const values: Record<string, unknown> = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [name, spec.value]),
  );
  const byName = new Map(Object.keys(specs).map((name) => [dashed(name), name]));
  for (let i = 0; i < args.length; i++) {
    const [, written, given] = /^--([^=]+)(?:=(.*))?$/s.exec(args[i]) ?? [];
    if (written === undefined) throw new ArgumentError(`Options begin with --, got "${args[i]}".`);
    const off = written.startsWith('no-') && !byName.has(written);
    const name = byName.get(off ? written.slice(3) : written);
    if (name === undefined)
      throw new UnknownIdError('option', written, [...byName.keys()], usage(specs));
    const { read } = specs[name];
    if (!read) {
      if (given !== undefined)
        throw new ArgumentError(`--${written} is a switch and takes no value, got "${given}".`);
      values[name] = !off;
      continue;
    }
    const text = given ?? args[++i];
    if (off || text === undefined)
      throw new ArgumentError(`--${written} needs a value. ${usage(specs)}`);
    values[name] = read(text, dashed(name));
  }
  return values as OptionValues<S>;
}

/** The options, one a line. */
export function usage(specs: OptionSpecs): string {
  const lines = Object.entries(specs).map(([name, { about, value, read }]) =>
    read
      ? `  --${dashed(name)} ${String(value)}   ${about}`
      : `  --${value ? 'no-' : ''}${dashed(name)}   ${about}`,
  );
  return lines.length ? `Options, with their defaults:\n${lines.join('\n')}` : 'It has no options.';
}
