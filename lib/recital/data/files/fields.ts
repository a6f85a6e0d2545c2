import { DataError } from '../../errors.js';

/** What JSON can hold. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

/** Text of more than this is not parsed: a description of a model is some kilobytes. */
const MAX_TEXT = 1 << 20;

/**
 * An object of JSON that came from a file, read field by field: each reader checks what it gives,
 * and says in a DataError what was expected. Nothing of a file is taken for a type that has not
 * been looked at.
 */
export class Fields {
  private readonly values: ReadonlyMap<string, Json>;

  /**
   * @param value what should be an object
   * @param what what it is, for messages, e.g. `config`
   */
  constructor(
    value: Json | undefined,
    readonly what: string,
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new DataError(`${what} should be an object, got ${shown(value)}.`);
    this.values = new Map(Object.entries(value as Record<string, Json>));
  }

  /** From text. */
  static parse(text: string | undefined, what: string): Fields {
    if (text === undefined) throw new DataError(`${what} is missing.`);
    if (text.length > MAX_TEXT)
      throw new DataError(
        `${what} has ${text.length} characters; at most ${MAX_TEXT} were expected.`,
      );
    let value: Json;
    try {
      value = JSON.parse(text) as Json;
    } catch {
      throw new DataError(`${what} is not JSON.`);
    }
    return new Fields(value, what);
  }

  /** The names of the fields. */
  get names(): string[] {
    return [...this.values.keys()];
  }

  /** Whether there is such a field. */
  has(name: string): boolean {
    return this.values.has(name);
  }

  /** Whether the field is a list. */
  isList(name: string): boolean {
    return Array.isArray(this.values.get(name));
  }

  /** Whether the field is an object. */
  isObject(name: string): boolean {
    const value = this.values.get(name);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  }

  /** Whether the field is text. */
  isText(name: string): boolean {
    return typeof this.values.get(name) === 'string';
  }

  /** A finite number. */
  number(name: string): number {
    const value = this.values.get(name);
    return typeof value === 'number' && Number.isFinite(value)
      ? value
      : this.wrong(name, 'a number');
  }

  /** A whole number, at least 0. */
  count(name: string): number {
    const value = this.values.get(name);
    return Number.isSafeInteger(value) && (value as number) >= 0
      ? (value as number)
      : this.wrong(name, 'a whole number, 0 or more');
  }

  /** Text. */
  text(name: string): string {
    const value = this.values.get(name);
    return typeof value === 'string' ? value : this.wrong(name, 'text');
  }

  /** True or false. */
  flag(name: string): boolean {
    const value = this.values.get(name);
    return typeof value === 'boolean' ? value : this.wrong(name, 'true or false');
  }

  /** Finite numbers; `length`: how many, default any number. */
  numbers(name: string, length?: number): number[] {
    const value = this.values.get(name);
    const fits =
      Array.isArray(value) &&
      (length === undefined || value.length === length) &&
      value.every((v) => Number.isFinite(v));
    return fits ? (value as number[]) : this.wrong(name, `${length ?? 'a list of'} numbers`);
  }

  /** Whole numbers, each at least 0. */
  counts(name: string): number[] {
    const value = this.numbers(name);
    return value.every((v) => Number.isSafeInteger(v) && v >= 0)
      ? value
      : this.wrong(name, 'whole numbers, 0 or more');
  }

  /** Texts. */
  texts(name: string): string[] {
    const value = this.values.get(name);
    return Array.isArray(value) && value.every((v) => typeof v === 'string')
      ? (value as string[])
      : this.wrong(name, 'a list of texts');
  }

  /** An object. */
  object(name: string): Fields {
    return new Fields(this.values.get(name), `${this.what}.${name}`);
  }

  /** Objects. */
  objects(name: string): Fields[] {
    return this.list(name).map((v, i) => new Fields(v, `${this.what}.${name}[${i}]`));
  }

  /** A list of anything. */
  list(name: string): readonly Json[] {
    const value = this.values.get(name);
    return Array.isArray(value) ? (value as readonly Json[]) : this.wrong(name, 'a list');
  }

  /** The fields of these names only: any other is an error. */
  only(names: readonly string[]): this {
    const other = this.names.find((name) => !names.includes(name));
    if (other !== undefined)
      throw new DataError(
        `${this.what} has an unknown field "${other}"; known are: ${names.join(', ')}.`,
      );
    return this;
  }

  /** Fails: a field is not what was expected. */
  wrong(name: string, expected: string): never {
    throw new DataError(
      `${this.what}.${name} should be ${expected}, got ${shown(this.values.get(name))}.`,
    );
  }
}

function shown(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
