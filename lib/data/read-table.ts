import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { ArgumentError, DataError, UnknownIdError } from '../errors.js';
import { checkOptions } from '../options.js';
import { notANumber, readCsv } from './csv-text.js';
import { fileError, identifier, pathLiteral, tableOf, withDuckDB } from './duckdb.js';
import { type Column, Table } from './table.js';
import { csvRecord, eachRecord, existingFile, openText, type TextFile } from './text-file.js';
import { checkFormat, decoderLabel, formatOf, formatOptions, refuseFormat, type TextFormat, type TextFormatOptions } from './text-format.js';

/** Options of {@link readTable}: how a text file is written, and what its columns hold. */
export interface ReadTableOptions extends TextFormatOptions {
  /** Columns that must be read as numbers, whatever the case of their names. A text in one of them is an error. Default: by their content. */
  numbers?: readonly string[];
  /** Columns that must be read as text, whatever the case of their names. Default: by their content. */
  texts?: readonly string[];
}

/**
 * Reads a CSV file (also .csv.gz; comma, tab, semicolon, bar or another delimiter; with or without a header) or a Parquet file.
 *
 * A column whose values are all numbers is numeric, every other one is text, as it stands in the file: dates, times, `true`. Numbers that would not come
 * back as they were are text, and so is their column: whole ones beyond 2⁵³, and those with leading zeros (`007`). An empty field is a missing value; `nan`
 * and `inf` are numbers among numbers.
 * @param path the file
 * @throws DataError naming file, line and column for a missing, empty, malformed or foreign file, and for a first line of numbers where names were expected
 * @throws ArgumentError for options that cannot be followed, and for those of a text where the file is Parquet
 * @throws UnknownIdError for a name in `numbers` or `texts` that no column has
 * @example await readTable('../data/Music Info.csv')
 * @example await readTable('ml-100k/u.data', { names: ['user', 'item', 'rating', 'timestamp'] }) // without a header
 * @example await readTable('unique_tracks.txt', { names: ['track', 'song', 'artist', 'title'], delimiter: '<SEP>', quote: '' })
 */
export async function readTable(path: string, options: ReadTableOptions = {}): Promise<Table> {
  checkOptions(options, [...formatOptions, 'numbers', 'texts'], 'readTable');
  return (await loadTable(path, options)).table;
}

/** A table that was read from a file. */
export interface LoadedTable {
  table: Table;
  /** The line of a text file on which a row begins; undefined for Parquet. It reads the file again: for error messages. */
  lineOf?(row: number): Promise<number>;
}

/** What further columns hold, by the names of all. */
export interface ColumnMeanings {
  /** Ids: numbers only if each is written as a number writes itself, else text. */
  ids?: readonly string[];
  /** Numbers, however they are written; text if one is none. */
  values?: readonly string[];
  /** Whether `numbers` and `texts` may name columns that the file lacks. */
  lenient?: boolean;
}

/** Reads a table, and can tell where in the file its rows are. */
export async function loadTable(
  path: string,
  options: ReadTableOptions = {},
  meanings: (names: readonly string[]) => ColumnMeanings = () => ({}),
): Promise<LoadedTable> {
  checkFormat(options);
  existingFile(path);
  if (path.endsWith('.parquet')) {
    refuseFormat(options, path);
    const { source, columnNames } = await parquetSource(path);
    const casts = columnKinds(columnNames, options, meanings(columnNames)).map((kind, i) => {
      const name = identifier(columnNames[i]);
      return kind === 'number' ? `${name}::double as ${name}` : kind === 'text' ? `${name}::varchar as ${name}` : name;
    });
    const wrong = (error: unknown): Promise<never> => Promise.reject(fileError(error, path));
    return { table: await load(path, (run) => run(`select ${casts.join(', ')} from ${source}`).catch(wrong)) };
  }
  const file = await openText(path, decoderLabel(options.encoding));
  const format = formatOf(file, options);
  const { names } = format;
  const kinds = columnKinds(names, options, meanings(names));
  const read = await readCsv(file, format, (from) =>
    load(path, async (run) => {
      const tests = kinds.map((kind, i) => `${KINDS[kind](`c${i}`)} as k${i}`);
      const [found] = (await (await run(`select ${tests.join(', ')} from ${from}`)).getRowObjectsJS()) as [Record<string, unknown>];
      const forced = kinds.findIndex((kind, i) => kind === 'number' && found[`k${i}`] !== null);
      if (forced >= 0) throw await noNumber(file, format, forced, found[`k${forced}`] as string);
      const numeric = kinds.map((kind, i) => kind === 'number' || found[`k${i}`] === true);
      return run(`select ${numeric.map((is, i) => (is ? `try_cast(c${i} as double) as c${i}` : `c${i}`)).join(', ')} from ${from}`);
    }),
  );
  const columns = new Map<string, Column>(names.map((name, i) => [name, read.column(`c${i}`)]));
  return { table: new Table(columns), lineOf: async (row) => (await csvRecord(file, row + Number(format.header), format)).line };
}

type Kind = 'content' | 'id' | 'value' | 'number' | 'text';

const DECIMAL = String.raw`'\s*-?((0|[1-9][0-9]*)?\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][+-]?[0-9]+)?\s*'`;
/** A whole number that a double holds, written as it writes itself. */
const whole = (c: string): string =>
  `coalesce(abs(try_cast(${c} as bigint)) <= 9007199254740991 and try_cast(${c} as bigint)::varchar = ${c}, false)`;
const decimal = (c: string): string =>
  `(regexp_full_match(${c}, ${DECIMAL}) and isfinite(try_cast(${c} as double)) and (abs(try_cast(${c} as double)) <= 9007199254740991 or regexp_matches(${c}, '[eE]')))`;
const noNumberSql = (c: string): string => `regexp_full_match(lower(${c}), '[+-]?(nan|inf|infinity)')`;

/** SQL, over all values, of whether a column is numeric: of `number`, a value that is none. */
const KINDS: Readonly<Record<Kind, (column: string) => string>> = {
  content: (c) =>
    `coalesce(bool_and(case when ${c} is null then true when ${whole(c)} then true when ${decimal(c)} then true else ${noNumberSql(c)} end) ` +
    `and bool_or(${whole(c)} or ${decimal(c)}), false)`,
  id: (c) => `coalesce(bool_and(${c} is null or ${whole(c)}) and count(${c}) > 0, false)`,
  value: (c) => `coalesce(bool_and(${c} is null or try_cast(${c} as double) is not null) and count(${c}) > 0, false)`,
  number: (c) => `any_value(case when try_cast(${c} as double) is null then ${c} end)`,
  text: () => 'bool_or(false)',
};

function columnKinds(names: readonly string[], options: ReadTableOptions, { ids = [], values = [], lenient }: ColumnMeanings): Kind[] {
  const { numbers = [], texts = [] } = options;
  if (!lenient) checkNames(names, options);
  return names.map((name) => {
    const is = (wanted: string): boolean => isColumn(names, wanted, name);
    if (numbers.some(is)) return 'number';
    if (texts.some(is)) return 'text';
    return ids.includes(name) ? 'id' : values.includes(name) ? 'value' : 'content';
  });
}

/** Whether a column is the wanted one: by its name, else by its name in another case. */
function isColumn(names: readonly string[], wanted: string, name: string): boolean {
  return wanted === name || (!names.includes(wanted) && wanted.toLowerCase() === name.toLowerCase());
}

function checkNames(names: readonly string[], { numbers = [], texts = [] }: ReadTableOptions): void {
  for (const wanted of [...numbers, ...texts]) {
    if (!names.some((name) => isColumn(names, wanted, name))) throw new UnknownIdError('column', wanted, names);
  }
  const twice = numbers.find((wanted) => names.some((name) => isColumn(names, wanted, name) && texts.some((text) => isColumn(names, text, name))));
  if (twice !== undefined) throw new ArgumentError(`The column "${twice}" cannot be read as numbers and as text: name it in numbers or in texts.`);
}

/** The error for a column that should hold numbers and has this text. */
async function noNumber(file: TextFile, format: TextFormat, column: number, text: string): Promise<DataError> {
  let line = 0;
  let heads = format.header ? 1 : 0;
  await eachRecord(file, format, (record) => {
    if (heads-- > 0 || record.fields[column] !== text) return true;
    line = record.line;
    return false;
  });
  return notANumber(file.path, line, format.names[column], text);
}

async function load(path: string, query: (run: DuckDBConnection['run']) => Promise<DuckDBResult>): Promise<Table> {
  const table = await withDuckDB(`reading "${path}"`, async (connection, turn) => tableOf(await query((sql) => connection.run(sql)), turn));
  if (table.length === 0) throw new DataError(`"${path}" has a header and no row.`);
  return table;
}

/** How DuckDB reads a table file: the SQL to put after `from`, and the columns. */
export interface TableSource {
  /** A call of a table function. */
  source: string;
  /** Names in the file's order. */
  columnNames: string[];
}

/** How DuckDB reads a Parquet file. */
export async function parquetSource(path: string): Promise<TableSource> {
  const source = `read_parquet(${pathLiteral(path)})`;
  const columnNames = await withDuckDB(`reading "${path}"`, async (connection) => {
    try {
      return (await connection.run(`select * from ${source} limit 0`)).columnNames();
    } catch (error) {
      throw fileError(error, path);
    }
  });
  return { source, columnNames };
}
