import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type {
  DuckDBConnection,
  DuckDBDataChunk,
  DuckDBDecimalValue,
  DuckDBResult,
  DuckDBValue,
} from '@duckdb/node-api';
import { type AsyncSteps, stoppable } from '../../compute/interrupt.js';
import { threadLimit } from '../../compute/threads.js';
import { DataError, InterruptedError, RecitalError } from '../../errors.js';
import { type Column, Table } from '../table.js';
import { isRunning } from './atomic-write.js';

/** Milliseconds between two interrupts of a connection that goes on. */
const INTERRUPT_MS = 50;

/** Work on a database. In loops of its own a generator yields, and throws if it gets a Stop. */
type Work<T> = (connection: DuckDBConnection) => Promise<T> | AsyncSteps<T>;

/**
 * Runs work on a DuckDB database in memory, which is closed, and its memory released, when the work
 * is done. Ctrl-C, or "interrupt kernel", ends its queries.
 * @param doing the work, for messages, e.g. `reading "plays.csv"`
 * @throws InterruptedError
 */
export async function withDuckDB<T>(doing: string, work: Work<T>): Promise<T> {
  let connection: DuckDBConnection | undefined;
  let again: NodeJS.Timeout | undefined;
  const interrupt = (): void => connection?.interrupt();
  const onStop = (): void => {
    again = setInterval(interrupt, INTERRUPT_MS); // one that comes between two queries is forgotten
    interrupt();
  };
  try {
    const steps = onDatabase((made) => {
      connection = made;
      return work(made);
    });
    return await stoppable(steps, { onStop });
  } catch (error) {
    throw again ? new InterruptedError(`Interrupted while ${doing}.`) : error;
  } finally {
    clearInterval(again);
  }
}

/**
 * DuckDB, loaded when first needed: the import costs time.
 * @throws RecitalError with the command that installs it, if it is not there
 */
export async function loadDuckDB(): Promise<typeof import('@duckdb/node-api')> {
  const name: string = '@duckdb/node-api'; // by a variable: a bundler would look for it
  try {
    return await import(name);
  } catch (error) {
    if (!/MODULE_NOT_FOUND$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new RecitalError(
      `Files and queries are read by DuckDB, a package of its own, which is not there. Install it: npm install ${name}`,
    );
  }
}

async function* onDatabase<T>(work: Work<T>): AsyncSteps<T> {
  const { DuckDBInstance } = await loadDuckDB();
  const threads = threadLimit();
  const spill = spillFolder();
  let instance: Awaited<ReturnType<typeof DuckDBInstance.create>> | undefined;
  let connection: DuckDBConnection | undefined;
  try {
    instance = await DuckDBInstance.create(':memory:', {
      temp_directory: spill ?? '', // used only if memory runs out; '': never
      autoinstall_known_extensions: 'false', // nothing leaves the machine unasked: see missingExtension
      autoload_known_extensions: 'false',
      ...(threads && { threads: String(threads) }), // else one per core
    });
    connection = await instance.connect();
    if (yield) throw stopped();
    const steps = work(connection);
    return steps instanceof Promise ? await steps : yield* steps;
  } finally {
    connection?.closeSync();
    instance?.closeSync();
    if (spill !== undefined) rmSync(spill, { recursive: true, force: true });
  }
}

/** The error that ends work on a database: {@link withDuckDB} says which work it was. */
export function stopped(): InterruptedError {
  return new InterruptedError('Interrupted.');
}

const SPILL = 'recital-duckdb-';
let tidied = false;

/**
 * A new temporary folder, which no other user can read or guess, for data that do not fit into
 * memory; undefined if none can be made. The folders of killed processes are removed.
 */
function spillFolder(): string | undefined {
  try {
    if (!tidied) {
      tidied = true;
      for (const entry of readdirSync(tmpdir())) {
        const pid = new RegExp(`^${SPILL}(\\d+)-`).exec(entry)?.[1];
        if (pid !== undefined && !isRunning(Number(pid)))
          rmSync(path.join(tmpdir(), entry), { recursive: true, force: true });
      }
    }
  } catch {
    // It is another user's, or another process is just removing it.
  }
  try {
    return mkdtempSync(path.join(tmpdir(), `${SPILL}${process.pid}-`)); // with rights for this user alone
  } catch {
    return undefined;
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

/** A path as an SQL literal, with DuckDB's wildcards escaped. */
export function pathLiteral(file: string): string {
  return literal(path.resolve(file).replace(/[[*?]/g, (c) => `[${c}]`));
}

/** The numbers of a column of a chunk as a typed array (a hidden field); undefined for others. */
export function typedItems(vector: object): ArrayBufferView | undefined {
  const items: unknown = (vector as { items?: unknown }).items;
  return ArrayBuffer.isView(items) && !(items instanceof DataView) ? items : undefined;
}

/**
 * The values of a column of a chunk. DuckDB's library drops U+FEFF at the beginning of a text, as a
 * byte order mark, which could make two ids one. It is put back: the vector has the first bytes of
 * each text behind its length of 4 bytes.
 */
function valuesOf(chunk: DuckDBDataChunk, column: number): readonly DuckDBValue[] {
  const values = chunk.getColumnValues(column);
  const vector = chunk.getColumnVector(column);
  const { dataView } = vector as { dataView?: unknown };
  if (String(vector.type) !== 'VARCHAR' || !(dataView instanceof DataView)) return values;
  const marked = (i: number): boolean =>
    (dataView.getUint32(16 * i + 4, true) & 0xffffff) === 0xbfbbef &&
    dataView.getUint32(16 * i, true) >= 3;
  return values.map((value, i) =>
    typeof value === 'string' && marked(i) ? `\ufeff${value}` : value,
  );
}

/** Types of numbers in DuckDB, and of NULL alone; booleans are 0 and 1. */
const NUMERIC =
  /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|UINTEGER|BIGNUM|FLOAT|DOUBLE|BOOLEAN|SQLNULL|DECIMAL\(.*\))$/;

/**
 * A result as a table. Numbers and booleans (0 or 1) become numbers. All else becomes text, as
 * DuckDB writes it, and so does a column of whole or decimal numbers if one of them has more digits
 * than a JavaScript number holds. NULL is a missing value.
 */
export async function* tableOf(result: DuckDBResult): AsyncSteps<Table> {
  const names = result.deduplicatedColumnNames();
  const columns: (number | string | null)[][] = names.map(() => []);
  const types = result.columnTypes().map(String);
  const textual = types.map((type) => !NUMERIC.test(type));
  for await (const chunk of result) {
    for (let j = 0; j < names.length; j++) {
      const out = columns[j];
      for (const value of valuesOf(chunk, j)) {
        const cell = plain(value);
        if (typeof cell === 'string') textual[j] = true;
        out.push(cell);
      }
    }
    if (yield) throw stopped();
  }
  const table = names.map((name, j): [string, Column] => {
    const values = columns[j];
    if (!textual[j])
      return [name, Float64Array.from(values, (v) => (v === null ? NaN : (v as number)))];
    const scale = Number(/^DECIMAL\(\d+,(\d+)\)$/.exec(types[j])?.[1] ?? 0);
    return [name, values.map((v) => (typeof v === 'number' ? decimalText(v, scale) : v))];
  });
  return new Table(new Map(table));
}

function plain(value: unknown): number | string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const text = String(value);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : text;
  if (typeof value !== 'object' || !('toDouble' in value && 'scale' in value)) return text;
  const { scale } = value as DuckDBDecimalValue;
  const x = (value as DuckDBDecimalValue).toDouble();
  const exact = Math.abs(x) <= Number.MAX_SAFE_INTEGER && decimalText(x, scale) === text;
  return exact ? x : text;
}

/** A number as DuckDB writes decimals: the digits that tell it apart, and zeros up to the scale. */
function decimalText(x: number, scale: number): string {
  const [digits, exponent] = Math.abs(x).toExponential().split('e');
  const decimals = Math.max(0, digits.replace('.', '').length - 1 - Number(exponent));
  const text = x.toFixed(Math.min(100, decimals));
  const point = decimals === 0 ? '.' : '';
  return scale > decimals ? `${text}${point}${'0'.repeat(scale - decimals)}` : text;
}

/** The message for a query that needs a missing extension of DuckDB; undefined for other errors. */
export function missingExtension(message: string): string | undefined {
  const name =
    /requires the extension (\w+) to be loaded/.exec(message)?.[1] ??
    /exists in the (\w+) extension/.exec(message)?.[1] ??
    /Extension "(?:[^"]*\/)?(\w+)(?:\.duckdb_extension)?" not found/.exec(message)?.[1];
  if (name === undefined) return undefined;
  return (
    `It needs DuckDB's extension ${name}, which is not here: nothing is fetched unasked. ` +
    `Begin the query with "install ${name}; load ${name};", and DuckDB downloads it from extensions.duckdb.org, once; then "load ${name};" will do.`
  );
}

/** DuckDB's error for a file as a DataError; one of ours stays as it is. */
export function fileError(error: unknown, file: string): RecitalError {
  if (error instanceof RecitalError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const [sentence] = message.replace(/^[A-Za-z ]*Error: /, '').split('\n');
  return /Parquet|No magic bytes/.test(message)
    ? new DataError(`"${file}" is not a whole Parquet file: ${sentence}`)
    : new DataError(`"${file}" cannot be read: ${sentence}`);
}
