import { ArgumentError } from '../../errors.js';
import { findOptional, loadQuietly, notInstalled, requireFile } from '../../optional.js';
import { checkArgument, given } from '../../options.js';
import { type Column, Table } from '../table.js';

/** The module danfojs-node. */
interface Danfo {
  DataFrame: new (
    rows: readonly unknown[][],
    options: { columns: readonly string[]; dtypes?: readonly string[] },
  ) => unknown;
}

const FROM_DANFO = {
  /** Name of a first column for the labels of the rows, as of describe(). Default: without it. */
  index: undefined as string | undefined,
};

/** Options of {@link fromDanfo}. */
export type FromDanfoOptions = Partial<typeof FROM_DANFO>;

/** Names that danfo.js needs itself, as all that begin with $: no column may have them. */
const taken: readonly string[] = ['columns', 'constructor', 'dtypes', 'index', 'shape', 'values'];

/**
 * A table as a DataFrame of danfo.js, for cells in the style of pandas. Numbers stay float64,
 * missing ones are NaN, missing texts null. Unlike pandas, danfo.js does not skip missing numbers
 * in groups: their mean is missing, and their count includes them. `sql` skips them,
 * `select g, avg(v), count(v) from t group by g`; or drop such rows before,
 * `frame.dropNa({ axis: 1 })`.
 * @param table at most some 100,000 rows: danfo.js keeps a JavaScript array for each
 * @throws DataError if danfojs-node is not installed; `npm run danfo` does it
 * @example
 * const plays = new Table({ artist: ['a', 'b', 'a'], playcount: [3, 1, 4] });
 * const sums = toDanfo(plays).groupby(['artist']).col(['playcount']).sum();
 * fromDanfo(sums).numbers('playcount_sum') // 7, 1
 */
export function toDanfo<Frame = DanfoFrame>(table: Table): Frame {
  checkArgument(table instanceof Table, table, 'toDanfo', 'a Table');
  const { columnNames, length } = table;
  const bad = columnNames.find((name) => taken.includes(name) || name.startsWith('$'));
  if (bad !== undefined)
    throw new ArgumentError(
      `danfo.js has a property of its own called "${bad}": copy that column, table.withColumn('my ${bad}', table.column('${bad}')), and leave it out by table.select([…]).`,
    );
  const { DataFrame } = danfo();
  const columns = columnNames.map((name) => table.column(name));
  const rows = Array.from({ length }, (_, i) => columns.map((column) => column[i]));
  const dtypes = columns.map(dtypeOf);
  return new DataFrame(rows, { columns: columnNames, ...(length && { dtypes }) }) as Frame;
}

/**
 * A DataFrame of danfo.js as a table. A column of numbers is numeric, true and false become text,
 * null, undefined and NaN missing values.
 * @param frame a DataFrame; of a Series, `series.values` is an array already
 * @example fromDanfo(toDanfo(table).describe(), { index: 'statistic' })
 */
export function fromDanfo(
  frame: Pick<DanfoFrame, 'columns' | 'values' | 'index' | 'shape'>,
  options: FromDanfoOptions = {},
): Table {
  const { index } = given(FROM_DANFO, options, 'fromDanfo');
  const { columns: names, values, shape } = frame ?? {};
  const isFrame = Array.isArray(names) && Array.isArray(values) && shape?.length === 2;
  checkArgument(isFrame, frame, 'fromDanfo', 'a DataFrame of danfo.js');
  const rows = values as readonly unknown[][];
  const repeated = names.find((name, j) => names.indexOf(name) !== j);
  if (repeated !== undefined)
    throw new ArgumentError(`The DataFrame has two columns "${repeated}": rename one of them.`);
  if (index !== undefined && names.includes(index))
    throw new ArgumentError(
      `The DataFrame has a column "${index}" already: give index another name.`,
    );
  const labels = index === undefined ? [] : [[index, columnOf(frame.index)] as const];
  const columns = names.map((name, j) => [name, columnOf(rows.map((row) => row[j]))] as const);
  return new Table(new Map([...labels, ...columns]));
}

function danfo(): Danfo {
  const file = findOptional('danfo');
  if (!file) throw notInstalled('danfo', 'toDanfo');
  return loadQuietly(() => requireFile<Danfo>(file));
}

/** danfo.js guesses from the first rows, which may be whole or missing where others are not. */
function dtypeOf(column: Column): string {
  if (!(column instanceof Float64Array)) return 'string';
  return column.every((x) => Number.isInteger(x) && Math.abs(x) < 2 ** 31) ? 'int32' : 'float32'; // labels: the values are float64 all the same
}

function columnOf(values: readonly unknown[]): Column {
  const missing = (value: unknown): boolean =>
    value === null || value === undefined || Number.isNaN(value);
  if (values.every((value) => typeof value === 'number' || missing(value)))
    return Float64Array.from(values, (value) => (missing(value) ? NaN : (value as number)));
  return values.map((value) => (missing(value) ? null : String(value)));
}

// The part of danfo.js that is typed here: its own types are missing where it is not installed.

/** A value of danfo.js. */
export type DanfoValue = string | number | boolean | null | undefined;

/** Methods of these names with the same arguments and result. */
type Methods<Name extends string, Args extends unknown[], Result> = {
  [name in Name]: (...args: Args) => Result;
};
type DanfoRows = readonly (string | number | boolean)[];
type Statistic = 'count' | 'sum' | 'mean' | 'std' | 'min' | 'max';

/** A column of danfo.js. */
export interface DanfoSeries
  extends Methods<Statistic | 'median', [], number>,
    Methods<'eq' | 'ne', [other: DanfoValue | DanfoSeries], DanfoSeries>,
    Methods<'gt' | 'ge' | 'lt' | 'le', [other: number | DanfoSeries], DanfoSeries>,
    Methods<'and' | 'or', [other: DanfoSeries], DanfoSeries>,
    Methods<'unique' | 'valueCounts', [], DanfoSeries>,
    Methods<'print', [], void> {
  /** Its values, a row each. */
  readonly values: readonly DanfoValue[];
  /** The labels of its rows. */
  readonly index: readonly (string | number)[];
}

/** Groups of danfo.js: `frame.groupby(['artist']).col(['playcount']).sum()`. */
export interface DanfoGroups extends Methods<Statistic, [], DanfoFrame> {
  /** The same groups with these columns only. */
  col(names: readonly string[]): DanfoGroups;
  /** Statistics of each group: their names by column. */
  agg(operations: Readonly<Record<string, string | readonly string[]>>): DanfoFrame;
}

/**
 * A table of danfo.js. It can do more than is listed: https://danfo.jsdata.org;
 * `toDanfo<DataFrame>(table)` has its own types, where they are installed.
 */
export interface DanfoFrame extends Methods<'head' | 'tail', [rows?: number], DanfoFrame> {
  /** Names of the columns. */
  readonly columns: readonly string[];
  /** Types of the columns: `int32`, `float32`, `string` or `boolean`. */
  readonly dtypes: readonly string[];
  /** The labels of the rows. */
  readonly index: readonly (string | number)[];
  /** Numbers of rows and of columns. */
  readonly shape: readonly number[];
  /** The rows. */
  readonly values: readonly unknown[];
  /** A column by its name. */
  column(name: string): DanfoSeries;
  /** The rows where the condition is true. */
  query(condition: DanfoSeries | readonly boolean[]): DanfoFrame;
  /** Rows and columns by their labels. */
  loc(options: { rows?: DanfoRows | DanfoSeries; columns?: readonly string[] }): DanfoFrame;
  /** Rows and columns by their places, from 0. */
  iloc(options: { rows?: DanfoRows; columns?: readonly (string | number)[] }): DanfoFrame;
  /** The rows in groups of equal values in these columns. */
  groupby(names: readonly string[]): DanfoGroups;
  /** The rows in the order of a column; ascending by default. */
  sortValues(name: string, options?: { ascending?: boolean }): DanfoFrame;
  /** The table with one more column. */
  addColumn(name: string, values: DanfoSeries | readonly DanfoValue[]): DanfoFrame;
  /** The table without these columns or rows. */
  drop(options: { columns?: string | readonly string[]; index?: DanfoSeries['index'] }): DanfoFrame;
  /** The table with new names of columns, by the old ones. */
  rename(names: Readonly<Record<string, string>>): DanfoFrame;
  /** The table with a value in place of missing ones. */
  fillNa(value: string | number | boolean, options?: { columns?: readonly string[] }): DanfoFrame;
  /** The table without rows with missing values (`axis: 1`), or without such columns (`axis: 0`). */
  dropNa(options?: { axis: 0 | 1 }): DanfoFrame;
  /** Count, mean, deviation, extremes and the like of each column of numbers. */
  describe(): DanfoFrame;
  /** Prints it, shortened if it is long. */
  print(): void;
}
