import { utf8 } from '../compute/host.js';
import { ArgumentError, UnknownIdError } from '../errors.js';
import {
  checkArgument,
  checkCount,
  checkIndex,
  checkIndices,
  checkLengths,
  didYouMean,
  isNumbers,
  said,
  whatIs,
} from '../options.js';
import { counted, printed, visible } from '../printed.js';
import { pick } from './csr.js';
import { writeAtomically } from './files/atomic-write.js';

/** One value of a table; `null` is a missing one. */
export type Cell = string | number | boolean | null;
/** A column: numbers (NaN is missing) or strings (null is missing). */
export type Column = Float64Array | readonly (string | null)[];

/**
 * The values that a column can be made of: a {@link Column}, any numbers, or an array of numbers
 * and null for a missing one.
 */
export type ColumnValues = Column | readonly (number | null)[] | NumberArray;
type NumberArray = ArrayLike<number> & { readonly BYTES_PER_ELEMENT: number };

/** A row of a table as a record, where its columns are not known to the compiler. */
export interface Row {
  /** The cell of each column by its name. */
  [column: string]: Cell;
}

/** The names of the columns of rows. */
export type ColumnName<R> = keyof R & string;

/** The column of cells of a type: a Float64Array of numbers, an array of texts. */
export type ColumnOf<C> = [Exclude<C, null>] extends [number]
  ? Float64Array
  : [C & number] extends [never]
    ? readonly Extract<C, string | null>[]
    : Column;

/** The text of a cell of a type; null only where a number or a text may be missing. */
export type TextOf<C> = [C & (number | null)] extends [never] ? string : string | null;

/** The rows of a table that is made of records: all their fields, null where one lacks a field. */
export type RowOf<R> =
  string extends FieldOf<R>
    ? Row
    : [R] extends [never]
      ? Row
      : {
          [K in FieldOf<R>]: CellOf<R extends unknown ? (K extends keyof R ? R[K] : null) : never>;
        };
type FieldOf<R> = R extends unknown ? ColumnName<R> : never;
type CellOf<C> = C extends boolean ? string : C extends undefined ? null : C; // true becomes a text
/** Records whose fields are cells, those of an interface, too. */
type Fields<R> = { readonly [K in keyof R]: Cell | undefined };

/**
 * What may name a column: one that rows have, or any text that is known when it runs.
 * @example const name: NameIn<{ artist: string }, 'artist'> = 'artist';
 */
export type NameIn<R, K extends string> = string extends K ? K : keyof R & string;
type CellIn<R, K extends string> = (R & Row)[K];

/** The rows of some of the columns. */
export type SelectedRow<R, K extends string> = string extends K | keyof R
  ? Row
  : Pick<R, K & keyof R>;

/**
 * The same rows as a type of their own, which {@link Row} takes for one: an interface is none.
 * @example const row: Cells<{ plays: number }> = { plays: 3 };
 */
export type Cells<R> = string extends keyof R ? Row : { [K in keyof R]: R[K] };

/** The rows with a column more. */
export type ExtendedRow<R, K extends string, V> = string extends K | keyof R
  ? Row
  : {
      [N in ColumnName<R> | K]: N extends K
        ? Exclude<V extends ArrayLike<infer C> ? C : never, undefined>
        : N extends keyof R
          ? R[N]
          : never;
    };

/**
 * Named columns of equal length. Prints itself: as aligned text in a terminal, as an HTML table
 * when it is the last value of a notebook cell. For anything beyond looking at it there is `sql`.
 *
 * `Table<{ artist: string; n: number }>` says what its rows are, as those of `Table.fromRows` and
 * `sql<…>(…)`: then a column that it has not is an error of types, and cells need no cast. A number
 * that is missing is NaN in a column and null in a row.
 */
export class Table<out R extends object = Row> {
  /** Number of rows. */
  readonly length: number;
  /** Column names, in order. */
  readonly columnNames: readonly string[];
  private readonly data: ReadonlyMap<string, Column>;

  /**
   * @param columns by name: a record, or a Map where their order matters and a name may be a whole
   *   number (which a record puts first). A Float64Array and an array of text are kept as they are,
   *   other numbers are copied into a Float64Array
   * @throws ArgumentError for columns of unequal lengths, and for one that holds neither numbers
   *   nor text alone
   * @example new Table({ track: ['a', 'b'], plays: [3, 1] })
   */
  constructor(columns: ReadonlyMap<string, ColumnValues>);
  constructor(columns: { readonly [K in keyof R]: ColumnValues & ArrayLike<R[K]> });
  constructor(columns: object) {
    const fits = typeof columns === 'object' && columns !== null;
    checkArgument(fits, columns, 'new Table', 'columns by name');
    const given: Iterable<[string, ColumnValues]> =
      columns instanceof Map ? columns : Object.entries(columns);
    this.data = new Map(Array.from(given, ([name, values]) => [name, columnOf(name, values)]));
    this.columnNames = [...this.data.keys()];
    this.length = this.columnNames.length ? this.data.get(this.columnNames[0])!.length : 0;
    checkLengths(Object.fromEntries(this.data));
  }

  /**
   * From records. A column is numeric if none of its values is a string or boolean. `columnNames`
   * says which fields, in which order; default: those of all records, in order of appearance.
   * @param rows one record per row; a missing or null field is a missing value
   * @example Table.fromRows([{ track: 'a', plays: 3 }, { track: 'b' }]).numbers('plays') // [3, NaN]
   */
  static fromRows<F extends Fields<F>>(rows: readonly F[]): Table<RowOf<F>>;
  static fromRows<F extends Fields<F>, K extends ColumnName<RowOf<F>>>(
    rows: readonly F[],
    columnNames: readonly K[],
  ): Table<SelectedRow<RowOf<F>, K>>;
  static fromRows(
    rows: readonly Record<string, Cell | undefined>[],
    columnNames?: readonly string[],
  ): Table;
  static fromRows(
    rows: readonly Record<string, Cell | undefined>[],
    columnNames?: readonly string[],
  ): Table {
    const example = "{ track: 'a', plays: 3 }";
    const wanted = `an array of records, such as ${example}`;
    checkArgument(Array.isArray(rows), rows, 'Table.fromRows', wanted);
    for (const [i, row] of rows.entries()) checkRecord(row, i, example);
    const names = columnNames ?? [...new Set(rows.flatMap((r) => Object.keys(r)))];
    const columns = new Map<string, Column>();
    for (const name of names) {
      const values = rows.map((r) => (Object.hasOwn(r, name) ? (r[name] ?? null) : null)); // not what a record inherits, such as `constructor`
      const numeric = values.every((v) => v === null || typeof v === 'number');
      const text = (v: Cell): string | null => (v === null ? null : String(v));
      const number = (v: Cell): number => (v === null ? NaN : (v as number));
      columns.set(name, numeric ? Float64Array.from(values, number) : values.map(text));
    }
    return new Table(columns);
  }

  /** Whether there is a column of this name. */
  has(name: string): boolean {
    return this.data.has(name);
  }

  /**
   * A column. Throws UnknownIdError for an unknown name.
   * @example new Table({ plays: [3, 1] }).column('plays') // [3, 1]
   */
  column<K extends string>(name: NameIn<R, K>): ColumnOf<CellIn<R, K>> {
    const column = this.data.get(name);
    if (!column) throw new UnknownIdError('column', name, this.columnNames);
    return column as ColumnOf<CellIn<R, K>>;
  }

  /**
   * A numeric column. Throws for a column of strings.
   * @example new Table({ plays: [3, 1] }).numbers('plays') // [3, 1]
   */
  numbers<K extends string>(name: NameIn<R, K>): Float64Array {
    const column: Column = this.column(name);
    if (!(column instanceof Float64Array))
      throw new ArgumentError(`Column "${name}" holds text; a column of numbers was expected.`);
    return column;
  }

  /** A column as text; numbers are written out, missing values stay null. */
  strings<K extends string>(name: NameIn<R, K>): readonly TextOf<CellIn<R, K>>[] {
    const column: Column = this.column(name);
    const texts =
      column instanceof Float64Array
        ? Array.from(column, (v) => (Number.isNaN(v) ? null : String(v)))
        : column;
    return texts as readonly TextOf<CellIn<R, K>>[];
  }

  /**
   * Row `i` as a record.
   * @example new Table({ track: ['a', 'b'], plays: [3, 1] }).row(1).track // 'b'
   */
  row(i: number): R {
    checkIndex(i, this.length, 'row');
    const cell = (value: string | number | null) => (Number.isNaN(value) ? null : value);
    const cells = Array.from(this.data, ([name, column]) => [name, cell(column[i])] as const);
    return Object.fromEntries(cells) as R;
  }

  /** All rows as records: for small tables. */
  rows(): R[] {
    return [...this];
  }

  /**
   * The rows as records, one after the other: for large tables, too.
   * @example for (const row of new Table({ track: ['a', 'b'], plays: [3, 1] })) console.log(row.track);
   */
  *[Symbol.iterator](): IterableIterator<R> {
    for (let i = 0; i < this.length; i++) yield this.row(i);
  }

  /**
   * The value that JSON.stringify writes: the rows, so that `JSON.stringify(table)` is what `save`
   * writes. A missing value is null.
   * @example JSON.stringify(new Table({ track: ['a', null], plays: [3, NaN] })) // '[{"track":"a","plays":3},{"track":null,"plays":null}]'
   */
  toJSON(): unknown {
    return this.rows();
  }

  /**
   * The first `n` rows: a whole number, or Infinity for all.
   * @example tracks.table.head(5)
   */
  head(n = 10): Table<R> {
    if (n !== Infinity) checkCount(n, 'n of head', { least: 0 });
    return this.take(Array.from({ length: Math.min(n, this.length) }, (_, i) => i));
  }

  /**
   * The rows with these numbers, in this order. Throws ArgumentError for a row that does not exist.
   * @example new Table({ plays: [3, 1, 2] }).take([2, 0]).numbers('plays') // [2, 3]
   */
  take(rows: ArrayLike<number>): Table<R> {
    checkArgument(isNumbers(rows), rows, 'take', 'row numbers, such as split.train');
    checkIndices(rows, this.length, 'row');
    const taken = (c: Column): Column =>
      c instanceof Float64Array ? pick(c, rows) : Array.from(rows, (i) => c[i]);
    return new Table(new Map(Array.from(this.data, ([name, c]) => [name, taken(c)])));
  }

  /**
   * These columns only, in this order.
   * @example tracks.table.select(['name', 'artist'])
   */
  select<K extends string>(names: readonly NameIn<R, K>[]): Table<SelectedRow<R, K>> {
    const wanted = "columns' names, such as ['name', 'artist']";
    checkArgument(Array.isArray(names), names, 'select', wanted);
    return new Table(new Map(names.map((name) => [name, this.column(name)])));
  }

  /**
   * The same table with a column more, or with another in the place of one of that name.
   * @example new Table({ plays: [3, 1] }).withColumn('share', [0.75, 0.25])
   */
  withColumn<K extends string, V extends ColumnValues>(
    name: K,
    column: V,
  ): Table<ExtendedRow<R, K, V>> {
    checkArgument(typeof name === 'string', name, 'withColumn', "the column's name, a text");
    return new Table(new Map<string, ColumnValues>([...this.data, [name, column]]));
  }

  /**
   * Writes the table to a file, as a whole or not at all, by its name as CSV (`.csv`, a first line
   * of column names, numbers in full, a missing value as an empty field: `readTable` reads it) or
   * JSON (`.json`, an object for each row, null for a value that is missing or infinite).
   * @returns the path
   * @throws ArgumentError for another ending
   * @example new Table({ artist: ['Air', 'Can'], plays: [3, 5] }).save('artists.csv')
   */
  save(file: string): string {
    const kind = typeof file === 'string' ? /\.(csv|json)$/i.exec(file)?.[1] : undefined;
    if (kind === undefined)
      throw new ArgumentError(`A table is saved as .csv or .json, got ${said(file)}.`);
    const json = kind.toLowerCase() === 'json';
    const text = json
      ? `${JSON.stringify(this.rows(), null, 1)}\n`
      : csv(this as Table<object> as Table);
    writeAtomically(file, [utf8(text)]);
    return file;
  }

  /** Aligned text, at most `maxRows` rows. */
  toString(maxRows = 20): string {
    const shown = this.head(maxRows);
    const columns = Array.from(shown.data, ([name, column]) => {
      const cells = [visible(name), ...formatColumn(column)];
      const width = Math.max(...cells.map((text) => text.length));
      const right = column instanceof Float64Array;
      return cells.map((text) => (right ? text.padStart(width) : text.padEnd(width)));
    });
    const lines = Array.from({ length: shown.length + 1 }, (_, i) =>
      columns
        .map((cells) => cells[i])
        .join('  ')
        .trimEnd(),
    );
    const left = this.length - shown.length;
    if (left > 0) lines.push(`… ${counted(left, 'more row')}`);
    return lines.join('\n');
  }
}

printed(Table);

/**
 * Throws unless row `i` of some records is one, and has no other fields.
 * @param fields default: any
 */
export function checkRecord(
  row: unknown,
  i: number,
  example: string,
  fields?: readonly string[],
): void {
  const which = `Row ${i} (counted from 0)`;
  if (typeof row !== 'object' || row === null)
    throw new ArgumentError(`${which} must be a record, such as ${example}, got ${whatIs(row)}.`);
  const other = fields && Object.keys(row).find((field) => !fields.includes(field));
  if (other !== undefined)
    throw new ArgumentError(
      `${which} has the field "${other}"${didYouMean(other, fields!)} Its fields: ${fields!.join(', ')}.`,
    );
}

/** A column made of values. Throws ArgumentError unless they are numbers or texts alone. */
function columnOf(name: string, values: unknown): Column {
  if (values instanceof Float64Array) return values;
  const wanted = 'an array of numbers or an array of strings, with null for a missing one';
  if (isNumbers(values) && !Array.isArray(values) && typeof values[0] !== 'bigint')
    return Float64Array.from(values);
  checkArgument(Array.isArray(values), values, `Column "${name}"`, wanted);
  const first: unknown = values.find((value) => value !== null);
  const type = typeof first === 'number' ? 'number' : 'string';
  const bad = values.findIndex((value) => typeof value !== type && value !== null);
  if (bad >= 0)
    throw new ArgumentError(
      `Column "${name}" needs ${wanted}, got ${typeof values[bad]} in row ${bad} (counted from 0). One column holds one kind: write all as texts, String(value).`,
    );
  return type === 'number'
    ? Float64Array.from(values as (number | null)[], (value) => value ?? NaN)
    : (values as (string | null)[]);
}

/** The first row of a column without a value, −1 if there is none. */
export function missingAt(column: Column): number {
  return column instanceof Float64Array ? column.findIndex(Number.isNaN) : column.indexOf(null);
}

/**
 * The cells of a column as text, – for a missing one. The numbers of a column have the same number
 * of decimals: none if all are whole, else as many as give the largest six digits, from one to six
 * (fastai's tables), and at least three if some are below 1. From 10,000 on thousands are
 * separated: 12,345. Very small or very large numbers are in scientific notation. In a column with
 * negative numbers what is below 1e-12 of the largest is a rounding error, and written as 0.
 */
export function formatColumn(column: Column): string[] {
  if (!(column instanceof Float64Array))
    return column.map((text) => (text === null ? '–' : visible(text)));
  let largest = 0;
  let smallest = Infinity; // beside zero
  let whole = true;
  let negative = false;
  for (const x of column) {
    if (!Number.isFinite(x)) continue;
    negative ||= x < 0;
    largest = Math.max(largest, Math.abs(x));
    if (x !== 0) smallest = Math.min(smallest, Math.abs(x));
    whole &&= Number.isInteger(x);
  }
  const scientific = largest >= (whole ? 1e15 : 1e9) || (largest > 0 && largest < 1e-4);
  const decimals = whole
    ? 0
    : Math.min(6, Math.max(smallest < 1 ? 3 : 1, 5 - Math.floor(Math.log10(largest))));
  const zero = 0.5 * 10 ** -decimals; // what is below it is written 0.000
  return Array.from(column, (x) => {
    if (Number.isNaN(x)) return '–';
    if (!Number.isFinite(x)) return String(x);
    if (negative && Math.abs(x) <= 1e-12 * largest) x = 0; // the rounding error of a sum, not a value
    if (x !== 0 && (scientific || Math.abs(x) < zero)) return x.toExponential(scientific ? 3 : 2);
    const text = (x === 0 ? 0 : x).toFixed(decimals); // no -0
    return largest < 10_000 ? text : text.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ',');
  });
}

/**
 * A table as CSV (RFC 4180, lines end in \n): numbers in full precision, a missing value as an
 * empty field.
 */
export function csv(table: Table): string {
  const columns = table.columnNames.map((name) => table.strings(name));
  const lines = Array.from({ length: table.length }, (_, i) =>
    columns.map((column) => quoted(column[i] ?? '')).join(','),
  );
  return [table.columnNames.map(quoted).join(','), ...lines, ''].join('\n');
}

/** A field of CSV, between quotation marks if it must be. */
export function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replace(/"/g, '""')}"` : field;
}
