import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { type AsyncSteps, stoppable } from '../../compute/interrupt.js';
import { ArgumentError, DataError, RecitalError, UnknownIdError } from '../../errors.js';
import { checkArgument, checkOptions } from '../../options.js';
import { type Cells, quoted, type Row, Table } from '../table.js';
import {
  checkFormat,
  delimiterHint,
  formatOf,
  formatOptions,
  recordFault,
  refuseFormat,
  shownText,
  type TextFormat,
  type TextFormatOptions,
} from './csv-format.js';
import { fileError, identifier, literal, pathLiteral, tableOf, withDuckDB } from './duckdb.js';
import {
  bytesOf,
  type CsvRecord,
  csvRecord,
  eachRecord,
  existingFile,
  interrupted,
  openText,
  type TextFile,
} from './text-file.js';

/** Options of {@link readTable}: the format of a text file, and the types of its columns. */
export interface ReadTableOptions extends TextFormatOptions {
  /**
   * Columns to read as numbers, whatever the case of their names. A text in one of them is an
   * error. Default: by their content.
   */
  numbers?: readonly string[];
  /** Columns to read as text, whatever the case of their names. Default: by their content. */
  texts?: readonly string[];
}

/**
 * Reads a CSV file (also .csv.gz; comma, tab, semicolon, bar or another delimiter; with or without
 * a header) or a Parquet file.
 *
 * A column whose values are all numbers is numeric, every other one is text as it stands in the
 * file: dates, `true`, whole numbers beyond 2⁵³ and those with leading zeros (`007`). An empty field
 * is a missing value; `nan` and `inf` are numbers among numbers.
 *
 * The rows are as the type argument says, as those of `sql`; nothing checks that they are.
 * @throws DataError naming file, line and column for a missing, empty, malformed or foreign file,
 *   and for a first line of numbers where names were expected
 * @throws ArgumentError for options that cannot be followed, and for those of a text where the file
 *   is Parquet
 * @throws UnknownIdError for a name in `numbers` or `texts` that no column has
 * @example await readTable('../data/Music Info.csv')
 * @example await readTable('ml-100k/u.data', { names: ['user', 'item', 'rating', 'timestamp'] }) // without a header
 * @example await readTable('unique_tracks.txt', { names: ['track', 'song', 'artist', 'title'], delimiter: '<SEP>', quote: '' })
 */
export async function readTable<R extends object = Row>(
  file: string,
  options: ReadTableOptions = {},
): Promise<Table<Cells<R>>> {
  checkOptions(options, [...formatOptions, 'numbers', 'texts'], 'readTable');
  return (await loadTable(file, options)).table as Table<object> as Table<Cells<R>>;
}

/** A table that was read from a file. */
export interface LoadedTable {
  table: Table;
  /**
   * The line of a text file on which a row begins; undefined for Parquet. For error messages: it
   * reads the file again.
   */
  lineOf?(row: number): Promise<number>;
}

/** The types of columns that neither `numbers` nor `texts` name. */
export interface ColumnMeanings {
  /** Ids: numbers only if each is written as a number writes itself, else text. */
  ids?: readonly string[];
  /** Numbers, however they are written; text if one is none. */
  values?: readonly string[];
  /** Whether `numbers` and `texts` may name columns that the file lacks. */
  lenient?: boolean;
}

/**
 * Reads a table, and can find the lines of its rows.
 * @param meanings types of columns by the names of all; `hint` is for errors of the first line
 */
export async function loadTable(
  file: string,
  options: ReadTableOptions = {},
  meanings: (names: readonly string[], hint?: string) => ColumnMeanings = () => ({}),
): Promise<LoadedTable> {
  checkFormat(options);
  existingFile(file);
  const loaded = file.endsWith('.parquet')
    ? await loadParquet(file, options, meanings)
    : await loadText(await openText(file, options.encoding), options, meanings);
  if (loaded.table.length === 0) throw new DataError(`"${file}" has a header and no row.`);
  return loaded;
}

type Meanings = NonNullable<Parameters<typeof loadTable>[2]>;

async function loadParquet(
  file: string,
  options: TextFormatOptions,
  meanings: Meanings,
): Promise<LoadedTable> {
  refuseFormat(options, file);
  const { source, columnNames } = await parquetSource(file);
  const types: Partial<Record<Kind, string>> = { number: '::double', text: '::varchar' };
  const casts = columnKinds(columnNames, options, meanings(columnNames)).map((kind, i) => {
    const name = identifier(columnNames[i]);
    return `${name}${types[kind] ?? ''} as ${name}`;
  });
  const table = await withDuckDB(`reading "${file}"`, async function* (connection) {
    try {
      return yield* tableOf(await connection.run(`select ${casts.join(', ')} from ${source}`));
    } catch (error) {
      throw fileError(error, file);
    }
  });
  return { table };
}

async function loadText(
  file: TextFile,
  options: ReadTableOptions,
  meanings: Meanings,
): Promise<LoadedTable> {
  const format = formatOf(file, options);
  const { names } = format;
  const kinds = columnKinds(names, options, meanings(names, delimiterHint(format)));
  const numbers = kinds.flatMap((kind, i) => (kind === 'number' ? i : []));
  const read = await readCsv(file, { ...format, numbers }, (from) =>
    withDuckDB(`reading "${file.path}"`, async function* (connection) {
      const numeric = await areNumeric(connection, kinds, from);
      const as = kinds.map((_, i) => (numeric[i] ? `try_cast(c${i} as double) as c${i}` : `c${i}`));
      return yield* tableOf(await connection.run(`select ${as.join(', ')} from ${from}`));
    }),
  );
  return {
    table: new Table(new Map(names.map((name, i) => [name, read.column(`c${i}`)]))),
    lineOf: async (row) => (await csvRecord(file, row + Number(format.header), format)).line,
  };
}

type Kind = 'content' | 'id' | 'value' | 'number' | 'text';

/** SQL of whether a text is a short, plain number: tested first, in a fifth of the time. */
const plain = (c: string): string =>
  `strlen(${c}) <= 15 and regexp_full_match(${c}, '-?(?:[1-9][0-9]*|0)(?:[.][0-9]+)?')`;
const DECIMAL =
  "'[ \t]*-?(?:(?:0|[1-9][0-9]*)?[.][0-9]+|(?:0|[1-9][0-9]*)[.]?)(?:[eE][+-]?[0-9]+)?[ \t]*'";
const decimal = (c: string): string =>
  `regexp_full_match(${c}, ${DECIMAL}) and isfinite(try_cast(${c} as double)) and (abs(try_cast(${c} as double)) <= 9007199254740991 or regexp_matches(${c}, '[eE]'))`;
/** SQL of whether a text is a whole number that a double holds, without leading zeros. */
const whole = (c: string): string =>
  `regexp_full_match(${c}, '-?[1-9][0-9]*|0') and (strlen(${c}) <= 15 or coalesce(abs(try_cast(${c} as bigint)) <= 9007199254740991, false))`;

/**
 * SQL of whether a column has a value, and each value meets one of the tests.
 * @param neither the test of values that do not count, the last because it is slow
 */
const all = (c: string, tests: readonly string[], neither = 'false'): string =>
  `coalesce(max(case when ${c} is null then 0 ${tests.map((test) => `when ${test} then 1`).join(' ')} when ${neither} then 0 else 2 end) = 1, false)`;

/** SQL of whether a column of text is to become numbers. */
const KINDS: Readonly<Record<Kind, (column: string) => string>> = {
  content: (c) =>
    all(c, [plain(c), decimal(c)], `regexp_full_match(lower(${c}), '[+-]?(?:nan|inf|infinity)')`),
  id: (c) => all(c, [whole(c)]),
  value: (c) => all(c, [`try_cast(${c} as double) is not null`]),
  number: () => 'bool_or(false)', // it was read as such
  text: () => 'bool_or(false)',
};

/** The most columns with an expression each: planning more takes longer than reading. */
const WIDE = 200;

/** Whether each column of text is to become numbers. */
async function areNumeric(
  connection: DuckDBConnection,
  kinds: readonly Kind[],
  from: string,
): Promise<(boolean | null)[]> {
  const wide = kinds.length > WIDE;
  const tests = kinds.map((kind, i) => KINDS[wide && kind === 'content' ? 'text' : kind](`c${i}`));
  const answer = await connection.runAndReadAll(`select ${tests.join(', ')} from ${from}`);
  const [found] = answer.getRows() as (boolean | null)[][];
  if (!wide) return found;
  const list = kinds.map((kind, i) => (kind === 'content' ? `c${i}` : 'null'));
  const rows = await connection.runAndReadAll(
    `select i, ${KINDS.content('v')} from (select unnest(range(${kinds.length}))::int as i, unnest([${list.join(', ')}]) as v from ${from}) group by i`,
  );
  for (const [i, numeric] of rows.getRows() as [number, boolean][])
    if (kinds[i] === 'content') found[i] = numeric;
  return found;
}

function columnKinds(
  names: readonly string[],
  options: ReadTableOptions,
  { ids = [], values = [], lenient }: ColumnMeanings,
): Kind[] {
  const { numbers = [], texts = [] } = options;
  if (!lenient) checkNames(names, options);
  return names.map((name) => {
    const is = (wanted: string): boolean => isColumn(names, wanted, name);
    if (numbers.some(is)) return 'number';
    if (texts.some(is)) return 'text';
    return ids.includes(name) ? 'id' : values.includes(name) ? 'value' : 'content';
  });
}

/** Whether a column has the wanted name, or else this name in another case. */
function isColumn(names: readonly string[], wanted: string, name: string): boolean {
  return (
    wanted === name || (!names.includes(wanted) && wanted.toLowerCase() === name.toLowerCase())
  );
}

function checkNames(
  names: readonly string[],
  { numbers = [], texts = [] }: ReadTableOptions,
): void {
  for (const [option, given] of Object.entries({ numbers, texts }))
    checkArgument(Array.isArray(given), given, option, "an array of names, such as ['title']");
  for (const wanted of [...numbers, ...texts])
    if (!names.some((name) => isColumn(names, wanted, name)))
      throw new UnknownIdError('column', wanted, names);
  const among = (wanted: readonly string[], name: string): boolean =>
    wanted.some((each) => isColumn(names, each, name));
  const twice = names.find((name) => among(numbers, name) && among(texts, name));
  if (twice !== undefined)
    throw new ArgumentError(
      `The column "${twice}" cannot be read as numbers and as text: name it in numbers or in texts.`,
    );
}

/** The SQL that reads a Parquet file, to put after `from`, and its columns. */
export async function parquetSource(
  file: string,
): Promise<{ source: string; columnNames: string[]; columnTypes: string[] }> {
  const source = `read_parquet(${pathLiteral(file)})`;
  return withDuckDB(`reading "${file}"`, async (connection) => {
    try {
      const result = await connection.run(`select * from ${source} limit 0`);
      const columnTypes = result.columnTypes().map(String);
      return { source, columnNames: result.columnNames(), columnTypes };
    } catch (error) {
      throw fileError(error, file);
    }
  });
}

/** How a text file is written; its columns are c0, c1 … in SQL. */
interface CsvFormat extends TextFormat {
  /** Positions of columns that DuckDB reads as numbers, not as text. */
  numbers?: readonly number[];
  /** Whether a line is a user and all of their tracks: each track becomes a row. */
  lists?: boolean;
}

/**
 * Runs work on the rows of a text file as DuckDB reads them. DuckDB reads a large file itself if
 * its rules agree with those of `Records`; a file with quotation marks is checked by these, too, as
 * DuckDB accepts `"a" "b"`. Otherwise, and whenever DuckDB finds a fault, it reads a copy in plain
 * CSV. Making the copy finds the fault, with its line, or that there is none.
 *
 * DuckDB alone does not do: its sniffer does not know `<SEP>`, `::` and mixed line ends and joins
 * lines by a stray mark; `store_rejects` counts records, not lines, and only of columns it reads.
 * @param work gets the SQL to put after `from`. Errors of DuckDB are let through
 */
export async function readCsv<T>(
  file: TextFile,
  format: CsvFormat,
  work: (from: string) => Promise<T>,
): Promise<T> {
  if (!file.whole && canBeRead(file, format)) {
    try {
      const compression = file.gzip ? 'gzip' : 'none';
      const [value, marks] = await Promise.allSettled([
        work(csvSource(file.path, { ...format, compression })),
        stoppable(findMark(file, format.quote)),
      ]);
      if (value.status === 'rejected') throw value.reason;
      if (marks.status === 'rejected') throw marks.reason;
      if (marks.value)
        await eachRecord(file, format, (record) => checkRecord(file, record, format));
      file.unchanged();
      return value.value;
    } catch (error) {
      file.unchanged();
      if (error instanceof RecitalError) throw error;
    }
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'recital-csv-'));
  const copy = path.join(folder, 'copy.csv');
  try {
    const longest = await writePlain(file, format, copy);
    const plain = { delimiter: ',', quote: '"', skip: 0, header: false, lineEnd: '\n' };
    return await work(csvSource(copy, { ...format, ...plain, compression: 'none', longest }));
  } catch (error) {
    throw error instanceof RecitalError ? error : fileError(error, file.path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether DuckDB can read a file by the rules of `Records`. */
function canBeRead({ encoding }: TextFile, format: CsvFormat): boolean {
  const { delimiter, quote, comment, lists, names } = format;
  if (encoding !== 'utf-8' || comment !== '' || lists || names.length === 1) return false;
  return quote.length <= 1 && quote < '\x7f' && Buffer.byteLength(delimiter) <= 4;
}

function checkRecord(file: TextFile, record: CsvRecord, format: TextFormat): void {
  const fault = recordFault(file.path, record, format);
  if (fault) throw fault;
}

/** Bytes of a line from which on DuckDB must be told its length, and needs memory for it. */
const LONG_LINE = 1_000_000;

/** SQL that reads a text file. Columns are c0, c1 …, as DuckDB takes `a` and `A` for one name. */
function csvSource(
  file: string,
  format: CsvFormat & { compression: string; longest?: number },
): string {
  const { delimiter, quote, skip, header, names, numbers = [], lineEnd } = format;
  const { compression, longest = 0 } = format;
  const types = names.map((_, i) => `'c${i}': '${numbers.includes(i) ? 'DOUBLE' : 'VARCHAR'}'`);
  const mark = literal(quote);
  const options = [
    `${pathLiteral(file)}, auto_detect = false, compression = '${compression}'`,
    `header = ${header}, skip = ${skip}, delim = ${literal(delimiter)}`,
    `quote = ${mark}, escape = ${mark}, columns = {${types.join(', ')}}`,
  ];
  if (lineEnd) options.push(`new_line = ${literal(JSON.stringify(lineEnd).slice(1, -1))}`);
  if (longest > LONG_LINE) options.push(`max_line_size = ${longest}`);
  return `read_csv(${options.join(', ')})`;
}

/** Looks for a quotation mark in a file. Most large files have none. */
async function* findMark(file: TextFile, quote: string): AsyncSteps<boolean> {
  if (quote === '') return false;
  for await (const bytes of bytesOf(file)) {
    if (yield) throw interrupted(file.path);
    if (bytes.includes(quote)) return true;
  }
  return false;
}

/**
 * Writes the rows of a file, without its header, as CSV that every reader reads alike. Throws
 * DataError naming the line at fault. Returns an upper bound of the bytes of the longest line.
 */
async function writePlain(file: TextFile, format: CsvFormat, copy: string): Promise<number> {
  const { header, names, numbers = [], lists } = format;
  const n = names.length;
  const out = openSync(copy, 'wx', 0o600);
  let text = '';
  let longest = 0;
  const put = (fields: readonly string[]): void => {
    const line = n === 1 && fields[0] === '' ? '""' : fields.map(quoted).join(','); // a blank line would be no row
    longest = Math.max(longest, line.length);
    text += `${line}\n`;
    if (text.length < 1 << 20) return;
    writeSync(out, text);
    text = '';
  };
  try {
    let heads = header ? 1 : 0;
    await eachRecord(file, format, (record) => {
      const { fields, line } = record;
      if (lists) {
        const [user, ...tracks] = fields.filter((field) => field !== '');
        for (const track of tracks) put([user, track]);
        return;
      }
      checkRecord(file, record, format);
      if (heads-- > 0) return;
      for (const i of numbers)
        if (!NUMERAL.test(fields[i]))
          throw new DataError(
            `"${file.path}", line ${line}, column "${names[i]}": expected a number, got "${shownText(fields[i])}".`,
          );
      put(fields.slice(0, n));
    });
    writeSync(out, text);
  } finally {
    closeSync(out);
  }
  file.unchanged();
  return 4 * longest;
}

/** What DuckDB takes for a number, or for a missing one. */
const NUMERAL =
  /^$|^[\t-\r ]*[+-]?(?:(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?|nan|inf|infinity)[\t-\r ]*$/i;
