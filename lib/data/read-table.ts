import { DataError } from '../errors.js';
import { checkOptions } from '../options.js';
import { fileError, literal, pathLiteral, tableOf, withDuckDB } from './duckdb.js';
import { type Column, Table } from './table.js';
import { badRecord, csvRecord, existingFile, openText, type TextFile } from './text-file.js';
import { checkFormat, formatOf, refuseFormat, type TextFormat, type TextFormatOptions } from './text-format.js';

/** Options of {@link readTable}: how a text file is written, and what its columns hold. */
export interface ReadTableOptions extends TextFormatOptions {
  /** Columns that must be read as numbers, whatever the case of their names. A text in one of them is an error. Default: by their content. */
  numbers?: readonly string[];
  /** Columns that must be read as text, whatever the case of their names. Default: by their content. */
  texts?: readonly string[];
}

/**
 * Reads a CSV file (also .csv.gz; comma, tab, semicolon, bar or another delimiter; with or without a header) or a Parquet file. A column whose values are all
 * numbers is numeric, every other one is text; an empty field is a missing value.
 * @param path the file
 * @throws DataError naming file, line and column for a missing, empty, malformed or foreign file, and for a first line of numbers where names were expected
 * @throws ArgumentError for options that cannot be followed, and for header, names or delimiter of a Parquet file
 * @example await readTable('../data/Music Info.csv')
 * @example await readTable('ml-100k/u.data', { names: ['user', 'item', 'rating', 'timestamp'] }) // without a header
 */
export async function readTable(path: string, options: ReadTableOptions = {}): Promise<Table> {
  checkOptions(options, ['header', 'names', 'delimiter', 'numbers', 'texts'], 'readTable');
  return (await loadTable(path, options)).table;
}

/** A table that was read from a file. */
export interface LoadedTable {
  table: Table;
  /** The line of a text file on which a row begins; undefined for Parquet. It reads the file again: for error messages. */
  lineOf?(row: number): Promise<number>;
}

/** Reads a table, and can tell where in the file its rows are. */
export async function loadTable(path: string, options: ReadTableOptions = {}): Promise<LoadedTable> {
  checkFormat(options);
  existingFile(path);
  if (path.endsWith('.parquet')) {
    refuseFormat(options, path);
    const { source } = await parquetSource(path);
    return { table: await load(path, source, (error) => Promise.resolve(fileError(error, path))) };
  }
  const file = await openText(path);
  const format = formatOf(file, options);
  const { names, delimiter, header } = format;
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) throw new DataError(`"${path}", line 1: two columns are called "${repeated}". Rename one of them, or give names.`);
  const read = await load(path, csvSource(file, format, options), (error) => malformed(error, file, format));
  const columns = new Map<string, Column>(names.map((name, i) => [name, read.column(read.columnNames[i])]));
  return { table: new Table(columns), lineOf: async (row) => (await csvRecord(file, row + Number(header), delimiter)).line };
}

async function load(path: string, source: string, failed: (error: unknown) => Promise<DataError>): Promise<Table> {
  const table = await withDuckDB(`reading "${path}"`, async (connection, turn) => {
    try {
      return await tableOf(await connection.run(`select * from ${source}`), turn);
    } catch (error) {
      throw await failed(error);
    }
  });
  if (table.length === 0) throw new DataError(`"${path}" has a header and no row.`);
  return table;
}

/** How DuckDB reads a text file. Columns are c0, c1 …: its own rules for names take `a` and `A` for the same. */
function csvSource(file: TextFile, { header, names, delimiter, skip }: TextFormat, { numbers = [], texts = [] }: ReadTableOptions): string {
  const typed = names.flatMap((name, i) => {
    const is = (wanted: string): boolean => wanted === name || (!names.includes(wanted) && wanted.toLowerCase() === name.toLowerCase());
    return numbers.some(is) ? [`'c${i}': 'DOUBLE'`] : texts.some(is) ? [`'c${i}': 'VARCHAR'`] : [];
  });
  const types = typed.length ? `, types = {${typed.join(', ')}}` : '';
  // Without skip and comment DuckDB would look for lines to leave out, and leave out data.
  return (
    `read_csv(${pathLiteral(file.path)}, header = ${header}, names = [${names.map((_, i) => `'c${i}'`).join(', ')}], skip = ${skip}, comment = '', ` +
    `delim = ${literal(delimiter)}, quote = '"', escape = '"', sample_size = -1, compression = '${file.gzip ? 'gzip' : 'none'}'${types})`
  );
}

/** What is wrong with a text file. Where DuckDB names no line, the first one at fault is looked for. */
async function malformed(error: unknown, file: TextFile, { names, delimiter }: TextFormat): Promise<DataError> {
  const known = fileError(error, file.path, Object.fromEntries(names.map((name, i) => [`c${i}`, name])));
  if (/", line \d/.test(known.message)) return known;
  const bad = await badRecord(file, names.length, delimiter);
  if (!bad) return known;
  const where = `"${file.path}", line ${bad.line}`;
  if (bad.fault === 'open') return new DataError(`${where}: a quotation mark opens a text and none closes it.`);
  if (bad.fault === 'stray')
    return new DataError(`${where}: a text goes on behind the quotation mark that closes it. Write a mark within a text twice.`);
  const hint = 'Is a line cut off, or a text with a delimiter not quoted?';
  return new DataError(`${where}: expected ${names.length} columns, found ${bad.fields.length}. ${hint}`);
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
