import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { InterruptGuard } from '../compute/interrupt.js';
import { threadLimit } from '../compute/thread-limit.js';
import { DataError, InterruptedError } from '../errors.js';
import { type Column, Table } from './table.js';

/** Between two interrupts of what does not stop. */
const INTERRUPT_MS = 50;

/** Work on a database. In its own long loops it gives the event loop a turn, by the second argument; queries look after themselves. */
type Work<T> = (connection: DuckDBConnection, turn: () => Promise<void>) => Promise<T>;

/**
 * Runs work on a DuckDB database in memory, which is closed, and its memory given back, when the work is done. Ctrl-C, or "interrupt kernel", ends its queries.
 * @param doing what it does, for messages, e.g. `reading "plays.csv"`
 * @throws InterruptedError
 */
export async function withDuckDB<T>(doing: string, work: Work<T>): Promise<T> {
  const guard = new InterruptGuard();
  const turn = async (): Promise<void> => {
    if (await guard.turnIfDue()) throw new InterruptedError('Interrupted.');
  };
  let again: NodeJS.Timeout | undefined;
  try {
    await guard.turn();
    return await onDatabase(async (connection) => {
      // A connection forgets an interrupt that comes while no query runs: the next one runs.
      guard.onInterrupt(() => {
        again = setInterval(() => connection.interrupt(), INTERRUPT_MS);
        connection.interrupt();
      });
      await turn();
      return work(connection, turn);
    });
  } catch (error) {
    throw guard.interrupted ? new InterruptedError(`Interrupted while ${doing}.`) : error;
  } finally {
    clearInterval(again);
    guard.stop();
  }
}

async function onDatabase<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const { DuckDBInstance } = await import('@duckdb/node-api'); // when first needed: the import costs time
  const threads = threadLimit();
  const instance = await DuckDBInstance.create(':memory:', {
    temp_directory: path.join(tmpdir(), `recital-duckdb-${process.pid}`), // used, and made, only if memory runs out
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    ...(threads === undefined ? {} : { threads: String(threads) }), // else as many as the machine has cores
  });
  try {
    const connection = await instance.connect();
    try {
      return await work(connection);
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

/** Text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as an SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A path as an SQL literal, its characters that DuckDB takes for wildcards made plain. */
export function pathLiteral(file: string): string {
  return literal(path.resolve(file).replace(/[[*?]/g, (c) => `[${c}]`));
}

/**
 * The numbers of one column of a chunk as a typed array, undefined for other types. The library holds them under a name that its types hide.
 */
export function typedItems(vector: object): ArrayBufferView | undefined {
  const items: unknown = (vector as { items?: unknown }).items;
  return ArrayBuffer.isView(items) && !(items instanceof DataView) ? items : undefined;
}

/**
 * A result as a table. Numbers and booleans (0 or 1) become numbers, whole numbers beyond 2⁵³ and everything else become text, NULL is a missing value.
 */
export async function tableOf(result: DuckDBResult, turn: () => Promise<void>): Promise<Table> {
  const names = result.deduplicatedColumnNames();
  const columns: (number | string | null)[][] = names.map(() => []);
  const textual = names.map(() => false);
  for await (const chunk of result) {
    for (let j = 0; j < names.length; j++) {
      const out = columns[j];
      for (const value of chunk.getColumnValues(j)) {
        const cell = plain(value);
        if (typeof cell === 'string') textual[j] = true;
        out.push(cell);
      }
    }
    await turn();
  }
  const table = new Map<string, Column>();
  const types = result.columnTypes().map(String);
  names.forEach((name, j) => {
    const text = textual[j] || /^(VARCHAR|ENUM|BLOB|DATE|TIME|UUID|INTERVAL)|\[|^(STRUCT|MAP|UNION)/.test(types[j]);
    table.set(
      name,
      text ? columns[j].map((v) => (v === null ? null : String(v))) : Float64Array.from(columns[j], (v) => (v === null ? NaN : (v as number))),
    );
  });
  return new Table(table);
}

function plain(value: unknown): number | string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'bigint') return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : String(value);
  if (typeof value === 'object' && 'toDouble' in value && typeof value.toDouble === 'function') return value.toDouble() as number;
  return String(value);
}

/**
 * What DuckDB says of a file that it cannot read, as one of our errors: file, line, column, what was expected and what came.
 * @param names the file's names of columns that the query calls otherwise
 */
export function fileError(error: unknown, file: string, names: Readonly<Record<string, string>> = {}): DataError {
  const message = error instanceof Error ? error.message : String(error);
  const line = /CSV Error on Line: (\d+)/.exec(message)?.[1];
  const where = line ? `"${file}", line ${line}` : `"${file}"`;
  const conversion = /converting column "(.*?)"\. Could not convert string "([\s\S]*?)" to '/.exec(message);
  if (conversion) return new DataError(`${where}, column "${names[conversion[1]] ?? conversion[1]}": expected a number, got "${conversion[2]}".`);
  const count = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message);
  if (count)
    return new DataError(`${where}: expected ${count[1]} columns, found ${count[2]}. Is a line cut off, or a text with a delimiter not quoted?`);
  if (/unterminated quote/.test(message)) return new DataError(`${where}: a quotation mark opens a text and none closes it.`);
  if (/invalid unicode|not utf-8/i.test(message)) return new DataError(`${where}: expected text in UTF-8. Save the file in that encoding.`);
  if (/state machine|RFC 4180/.test(message)) {
    return new DataError(`${where} is not a proper CSV file: its quotation marks or line ends are mixed up. Save it again as CSV in UTF-8.`);
  }
  if (/Parquet|No magic bytes/.test(message)) return new DataError(`${where} is not a whole Parquet file: ${firstSentence(message)}`);
  return new DataError(`${where} cannot be read: ${firstSentence(message)}`);
}

function firstSentence(message: string): string {
  return message.split('\n')[0].replace(/^[A-Za-z ]*Error: /, '');
}
