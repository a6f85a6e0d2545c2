import { DataError } from '../errors.js';
import { fileError, literal, pathLiteral, tableOf, withDuckDB } from './duckdb.js';
import type { Table } from './table.js';
import { delimiterOf, existingFile, firstLine, openText, splitRecord } from './text-file.js';

/** Options of {@link readTable}. */
export interface ReadTableOptions {
  /** Columns that must be read as numbers. A text in one of them is an error. Default: by their content. */
  numbers?: readonly string[];
  /** Columns that must be read as text. Default: by their content. */
  texts?: readonly string[];
}

/**
 * Reads a CSV file (also .csv.gz; comma, tab, semicolon or bar; with a header) or a Parquet file. A column whose values are all numbers is
 * numeric, every other one is text; an empty field is a missing value.
 * @throws DataError naming file, line and column for a missing, empty, malformed or foreign file
 * @example await readTable('../data/Music Info.csv')
 */
export async function readTable(path: string, options: ReadTableOptions = {}): Promise<Table> {
  const { source } = await tableSource(path, options);
  const table = await withDuckDB(async (connection) => {
    try {
      return await tableOf(await connection.run(`select * from ${source}`));
    } catch (error) {
      throw fileError(error, path);
    }
  });
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

/** Looks at a table file and says how to read it. */
export async function tableSource(path: string, { numbers = [], texts = [] }: ReadTableOptions = {}): Promise<TableSource> {
  existingFile(path);
  if (path.endsWith('.parquet')) return parquetSource(path);
  const file = await openText(path);
  const line = firstLine(file.head);
  const delimiter = delimiterOf(line);
  const columnNames = splitRecord(line, delimiter);
  const repeated = columnNames.find((name, i) => columnNames.indexOf(name) !== i);
  if (repeated !== undefined) throw new DataError(`"${path}", line 1: two columns are called "${repeated}". Rename one of them.`);
  const typed = [...numbers.map((name) => [name, 'DOUBLE']), ...texts.map((name) => [name, 'VARCHAR'])].filter(([name]) =>
    columnNames.includes(name),
  );
  const types = typed.map(([name, type]) => `${literal(name)}: ${literal(type)}`).join(', ');
  const forced = typed.length ? `, types = {${types}}` : '';
  const compression = file.gzip ? 'gzip' : 'none';
  const source = `read_csv(${pathLiteral(path)}, header = true, delim = ${literal(delimiter)}, quote = '"', escape = '"', sample_size = -1, compression = '${compression}'${forced})`;
  return { source, columnNames };
}

/** How DuckDB reads a Parquet file. */
export async function parquetSource(path: string): Promise<TableSource> {
  const source = `read_parquet(${pathLiteral(path)})`;
  const columnNames = await withDuckDB(async (connection) => {
    try {
      return (await connection.run(`select * from ${source} limit 0`)).columnNames();
    } catch (error) {
      throw fileError(error, path);
    }
  });
  return { source, columnNames };
}
