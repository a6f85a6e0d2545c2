import { DataError } from './errors.js';
import { visible } from './printed.js';

/** What JSON can hold. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

/** The longest text that is parsed: the description of a model has some kilobytes. */
const MAX_TEXT = 1 << 20;

/**
 * A JSON object from a file, read field by field: each reader checks the type of its field, and its
 * DataError says what was expected and what came.
 */
export class Fields {
  private readonly values: ReadonlyMap<string, Json>;

  /**
   * @param value what should be an object
   * @param what its name in messages, e.g. `config`
   */
  constructor(
    value: Json | undefined,
    readonly what: string,
  ) {
    if (!isObject(value)) throw new DataError(`${what} should be an object, got ${shown(value)}.`);
    this.values = new Map(Object.entries(value));
  }

  /** The object that a text holds. */
  static parse(text: string | undefined, what: string, longest = MAX_TEXT): Fields {
    if (text === undefined) throw new DataError(`${what} is missing.`);
    if (text.length > longest)
      throw new DataError(
        `${what} has ${text.length} characters; at most ${longest} were expected.`,
      );
    let value: Json;
    try {
      value = JSON.parse(text) as Json;
    } catch {
      throw new DataError(`${what} is not JSON.`);
    }
    return new Fields(value, what);
  }

  get names(): string[] {
    return [...this.values.keys()];
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  isList(name: string): boolean {
    return isList(this.values.get(name));
  }

  isObject(name: string): boolean {
    return isObject(this.values.get(name));
  }

  isText(name: string): boolean {
    return isText(this.values.get(name));
  }

  /** A finite number. */
  number(name: string): number {
    return this.get(name, isNumber, 'a number');
  }

  /** A whole number, at least 0. */
  count(name: string): number {
    return this.get(name, isCount, 'a whole number, 0 or more');
  }

  text(name: string): string {
    return this.get(name, isText, 'text');
  }

  /** One of some texts. */
  oneOf<const T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.text(name) as T;
    return allowed.includes(value)
      ? value
      : this.wrong(name, allowed.map((each) => `'${each}'`).join(' or '));
  }

  flag(name: string): boolean {
    return this.get(name, (v) => typeof v === 'boolean', 'true or false');
  }

  /** Finite numbers; `length`: how many, default any number. */
  numbers(name: string, length?: number): number[] {
    const list = this.get(name, listOf(isNumber), `${length ?? 'a list of'} numbers`);
    return list.length === (length ?? list.length) ? list : this.wrong(name, `${length} numbers`);
  }

  /** Whole numbers, each at least 0. */
  counts(name: string): number[] {
    return this.get(name, listOf(isCount), 'a list of whole numbers, 0 or more');
  }

  texts(name: string): string[] {
    return this.get(name, listOf(isText), 'a list of texts');
  }

  object(name: string): Fields {
    return new Fields(this.values.get(name), `${this.what}.${short(name)}`);
  }

  objects(name: string): Fields[] {
    const list = this.get(name, isList, 'a list');
    return list.map((v, i) => new Fields(v as Json, `${this.what}.${name}[${i}]`));
  }

  /** The same object, if it has fields of these names only; else it throws. */
  only(names: readonly string[]): this {
    const other = this.names.find((name) => !names.includes(name));
    if (other === undefined) return this;
    throw new DataError(
      `${this.what} has an unknown field "${short(other)}"; known are: ${names.join(', ')}.`,
    );
  }

  /** Throws the DataError for a field that is not what was expected. */
  wrong(name: string, expected: string): never {
    const got = shown(this.values.get(name));
    throw new DataError(`${this.what}.${short(name)} should be ${expected}, got ${got}.`);
  }

  private get<T>(name: string, fits: (value: unknown) => value is T, expected: string): T {
    const value = this.values.get(name);
    return fits(value) ? value : this.wrong(name, expected);
  }
}

const isList = (value: unknown): value is unknown[] => Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isCount = (value: unknown): value is number =>
  isNumber(value) && Number.isSafeInteger(value) && value >= 0;
const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !isList(value);
const listOf =
  <T>(fits: (value: unknown) => value is T) =>
  (value: unknown): value is T[] =>
    isList(value) && value.every(fits);

function shown(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (isList(value)) return `a list of ${value.length}`;
  return isObject(value) ? 'an object' : short(JSON.stringify(value));
}

/** The beginning of a text from a file, for a message. */
export function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

const short = (text: string): string => visible(shortened(text));
