import type { DuckDBConnection } from '@duckdb/node-api';
import { ArgumentError, DataError, UnknownIdError } from '../../errors.js';
import { checkArgument, checkOptions } from '../../options.js';
import { Table } from '../table.js';
import {
  checkFormat,
  decoderLabel,
  delimiterHint,
  formatOf,
  formatOptions,
  refuseFormat,
  type TextFormat,
  type TextFormatOptions,
} from './csv-format.js';
import { fileError, identifier, pathLiteral, tableOf, withDuckDB } from './duckdb.js';
import { notANumber, readCsv } from './read-csv.js';
import { csvRecord, eachRecord, existingFile, openText, type TextFile } from './text-file.js';

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
 * A column whose values are all numbers is numeric, every other one is text, as it stands in the
 * file: dates, times, `true`. Numbers that would not come back as they were are text, and so is
 * their column: whole ones beyond 2⁵³, and those with leading zeros (`007`). An empty field is a
 * missing value; `nan` and `inf` are numbers among numbers.
 * @param path the file
 * @throws DataError naming file, line and column for a missing, empty, malformed or foreign file,
 *   and for a first line of numbers where names were expected
 * @throws ArgumentError for options that cannot be followed, and for those of a text where the file
 *   is Parquet
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
  path: string,
  options: ReadTableOptions = {},
  meanings: (names: readonly string[], hint?: string) => ColumnMeanings = () => ({}),
): Promise<LoadedTable> {
  checkFormat(options);
  existingFile(path);
  if (path.endsWith('.parquet')) {
    refuseFormat(options, path);
    const { source, columnNames } = await parquetSource(path);
    const casts = columnKinds(columnNames, options, meanings(columnNames)).map((kind, i) => {
      const name = identifier(columnNames[i]);
      return kind === 'number'
        ? `${name}::double as ${name}`
        : kind === 'text'
          ? `${name}::varchar as ${name}`
          : name;
    });
    const table = await withDuckDB(`reading "${path}"`, async function* (connection) {
      try {
        return yield* tableOf(await connection.run(`select ${casts.join(', ')} from ${source}`));
      } catch (error) {
        throw fileError(error, path);
      }
    });
    if (table.length === 0) throw noRow(path);
    return { table };
  }
  const file = await openText(path, decoderLabel(options.encoding));
  const format = formatOf(file, options);
  const { names } = format;
  const kinds = columnKinds(names, options, meanings(names, delimiterHint(format)));
  const read = await readCsv(file, format, (from) =>
    withDuckDB(`reading "${path}"`, async function* (connection) {
      const found = await judged(connection, kinds, from);
      const forced = kinds.findIndex((kind, i) => kind === 'number' && found[i] !== null);
      if (forced >= 0) throw await noNumber(file, format, forced, found[forced] as string);
      const as = kinds.map((kind, i) =>
        kind === 'number' || found[i] === true ? `try_cast(c${i} as double) as c${i}` : `c${i}`,
      );
      return yield* tableOf(await connection.run(`select ${as.join(', ')} from ${from}`));
    }),
  );
  if (read.length === 0) throw noRow(path);
  const table = new Table(new Map(names.map((name, i) => [name, read.column(`c${i}`)])));
  return {
    table,
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

/** SQL of whether all values of a column are numbers; for `number`, of a value that is none. */
const KINDS: Readonly<Record<Kind, (column: string) => string>> = {
  content: (c) =>
    `coalesce(max(case when ${c} is null then 0 when ${plain(c)} then 1 when ${decimal(c)} then 1 ` +
    `when regexp_full_match(lower(${c}), '[+-]?(?:nan|inf|infinity)') then 0 else 2 end) = 1, false)`,
  id: (c) =>
    `coalesce(max(case when ${c} is null then 0 when ${whole(c)} then 1 else 2 end) = 1, false)`,
  value: (c) =>
    `coalesce(max(case when ${c} is null then 0 when try_cast(${c} as double) is not null then 1 else 2 end) = 1, false)`,
  number: (c) => `any_value(case when try_cast(${c} as double) is null then ${c} end)`,
  text: () => 'bool_or(false)',
};

/**
 * Number of columns up to which each has an expression: planning more takes longer than reading.
 */
const WIDE = 200;

/** The values of `KINDS` for each column. */
async function judged(
  connection: DuckDBConnection,
  kinds: readonly Kind[],
  from: string,
): Promise<unknown[]> {
  const wide = kinds.length > WIDE;
  const tests = kinds.map((kind, i) => KINDS[wide && kind === 'content' ? 'text' : kind](`c${i}`));
  const [found] = (
    await connection.runAndReadAll(`select ${tests.join(', ')} from ${from}`)
  ).getRows() as unknown[][];
  if (!wide) return found;
  const list = kinds.map((_, i) => `c${i}`).join(', ');
  const rows = await connection.runAndReadAll(
    `select i, ${KINDS.content('v')} from (select unnest(range(${kinds.length}))::int as i, unnest([${list}]) as v from ${from}) group by i`,
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
  for (const wanted of [...numbers, ...texts]) {
    if (!names.some((name) => isColumn(names, wanted, name)))
      throw new UnknownIdError('column', wanted, names);
  }
  const twice = numbers.find((wanted) =>
    names.some(
      (name) => isColumn(names, wanted, name) && texts.some((text) => isColumn(names, text, name)),
    ),
  );
  if (twice !== undefined)
    throw new ArgumentError(
      `The column "${twice}" cannot be read as numbers and as text: name it in numbers or in texts.`,
    );
}

/** The error for a text in a column of numbers. */
async function noNumber(
  file: TextFile,
  format: TextFormat,
  column: number,
  text: string,
): Promise<DataError> {
  let line = 0;
  let heads = format.header ? 1 : 0;
  await eachRecord(file, format, (record) => {
    if (heads-- > 0 || record.fields[column] !== text) return true;
    line = record.line;
    return false;
  });
  return notANumber(file.path, line, format.names[column], text);
}

function noRow(path: string): DataError {
  return new DataError(`"${path}" has a header and no row.`);
}

/** How DuckDB reads a Parquet file. */
export interface ParquetSource {
  /** SQL to put after `from`. */
  source: string;
  /** Names in the file's order. */
  columnNames: string[];
  /** DuckDB's types of them. */
  columnTypes: string[];
}

/** How DuckDB reads a Parquet file. */
export async function parquetSource(file: string): Promise<ParquetSource> {
  const source = `read_parquet(${pathLiteral(file)})`;
  return withDuckDB(`reading "${file}"`, async (connection) => {
    try {
      const result = await connection.run(`select * from ${source} limit 0`);
      return {
        source,
        columnNames: result.columnNames(),
        columnTypes: result.columnTypes().map(String),
      };
    } catch (error) {
      throw fileError(error, file);
    }
  });
}
