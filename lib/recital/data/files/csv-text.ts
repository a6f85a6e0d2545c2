import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { InterruptGuard } from '../../compute/interrupt.js';
import { DataError, InterruptedError, RecitalError } from '../../errors.js';
import { quoted } from '../table.js';
import { fileError, literal, pathLiteral } from './duckdb.js';
import { eachRecord, type TextFile } from './text-file.js';
import { recordFault, shownText, type TextStart } from './text-format.js';

/**
 * How a text file is written, and which of its columns, called c0, c1 …, are what they are called
 * here.
 */
export interface CsvFormat extends TextStart {
  header: boolean;
  names: readonly string[];
  /** Positions of columns that DuckDB is to read as numbers, not as text. */
  numbers?: readonly number[];
  /** Gives the tracks of a user who has a line of them each a line. */
  lists?: boolean;
}

const MAX_LINE = 1_000_000; // bytes: DuckDB takes twice as long lines without being told, and needs memory for longer ones

/**
 * Runs work on what DuckDB reads of a text file. A large file is read as it is, if DuckDB's own
 * rules can be those of {@link Records}: one with quotation marks is checked by them afterwards, as
 * DuckDB takes `"a" "b"` for a text. In all other cases, and whenever DuckDB finds a fault, it
 * reads a copy in plain CSV that is made by these rules. Making it finds the fault, with its line,
 * or that there is none.
 * @param work gets what to put after `from`. Errors of DuckDB are let through
 */
export async function readCsv<T>(
  file: TextFile,
  format: CsvFormat,
  work: (from: string) => Promise<T>,
): Promise<T> {
  const { delimiter, quote, comment, lists, names } = format;
  const plain =
    file.encoding === 'utf-8' &&
    comment === '' &&
    !lists &&
    names.length > 1 &&
    quote.length <= 1 &&
    quote < '\x7f';
  if (plain && !file.whole && Buffer.byteLength(delimiter) <= 4) {
    try {
      const [value, marks] = await both(
        work(csvSource(file.path, { ...format, compression: file.gzip ? 'gzip' : 'none' })),
        holdsMarks(file, quote),
      );
      if (marks) {
        await eachRecord(file, format, (record) => {
          const fault = recordFault(file.path, record, format);
          if (fault) throw fault;
        });
      }
      file.unchanged();
      return value;
    } catch (error) {
      file.unchanged();
      if (error instanceof RecitalError) throw error;
    }
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'recital-csv-'));
  const copy = path.join(folder, 'copy.csv');
  try {
    const longest = await writePlain(file, format, copy);
    return await work(
      csvSource(copy, {
        ...format,
        delimiter: ',',
        quote: '"',
        skip: 0,
        header: false,
        lineEnd: '\n',
        compression: 'none',
        longest,
      }),
    );
  } catch (error) {
    throw error instanceof RecitalError
      ? error
      : fileError(error, file.path, Object.fromEntries(names.map((name, i) => [`c${i}`, name])));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Two results, or, when both are over, the error of the first that has one. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === 'rejected') throw a.reason;
  if (b.status === 'rejected') throw b.reason;
  return [a.value, b.value];
}

/**
 * How DuckDB reads a text file. Columns are c0, c1 …: its own rules for names take `a` and `A` for
 * the same.
 */
function csvSource(
  file: string,
  {
    delimiter,
    quote,
    skip,
    header,
    names,
    numbers = [],
    lineEnd,
    compression,
    longest = 0,
  }: CsvFormat & { compression: string; longest?: number },
): string {
  const types = names
    .map((_, i) => `'c${i}': '${numbers.includes(i) ? 'DOUBLE' : 'VARCHAR'}'`)
    .join(', ');
  const end =
    lineEnd === undefined
      ? ''
      : `, new_line = '${lineEnd.replace('\r', '\\r').replace('\n', '\\n')}'`;
  return (
    `read_csv(${pathLiteral(file)}, auto_detect = false, header = ${header}, skip = ${skip}, delim = ${literal(delimiter)}, quote = ${literal(quote)}, ` +
    `escape = ${literal(quote)}, compression = '${compression}'${longest > MAX_LINE ? `, max_line_size = ${longest}` : ''}${end}, columns = {${types}})`
  );
}

/**
 * Whether there is a quotation mark in a file. Most large files have none, and are looked through
 * in no time.
 */
async function holdsMarks({ path: file, gzip }: TextFile, quote: string): Promise<boolean> {
  if (quote === '') return false;
  const guard = new InterruptGuard();
  const raw = createReadStream(file, { highWaterMark: 1 << 22 });
  try {
    for await (const chunk of gzip ? raw.pipe(createGunzip({ chunkSize: 1 << 20 })) : raw) {
      if (await guard.turnIfDue())
        throw new InterruptedError(`Interrupted while reading "${file}".`);
      if ((chunk as Buffer).includes(quote)) return true;
    }
    return false;
  } finally {
    raw.destroy();
    guard.stop();
  }
}

/**
 * Writes the rows of a file, without its header, as CSV that every reader reads alike. Throws
 * DataError naming the line at fault. Returns the bytes of the longest line, at most.
 */
async function writePlain(file: TextFile, format: CsvFormat, copy: string): Promise<number> {
  const { header, names, numbers = [], lists } = format;
  const n = names.length;
  const out = openSync(copy, 'wx', 0o600);
  let lines: string[] = [];
  let size = 0;
  let longest = 0;
  const put = (fields: readonly string[]): void => {
    const line = n === 1 && fields[0] === '' ? '""' : fields.map(quoted).join(','); // a blank line would be none
    lines.push(line);
    longest = Math.max(longest, line.length);
    size += line.length;
    if (size < 1 << 20) return;
    flush();
  };
  const flush = (): void => {
    if (lines.length) writeSync(out, `${lines.join('\n')}\n`);
    lines = [];
    size = 0;
  };
  try {
    let heads = header ? 1 : 0;
    await eachRecord(file, format, (record) => {
      if (lists) {
        const [user, ...tracks] = record.fields.filter((field) => field !== '');
        for (const track of tracks) put([user, track]);
        return;
      }
      const fault = recordFault(file.path, record, format);
      if (fault) throw fault;
      if (heads-- > 0) return;
      for (const i of numbers)
        if (!isNumeral(record.fields[i]))
          throw notANumber(file.path, record.line, names[i], record.fields[i]);
      put(record.fields.length > n ? record.fields.slice(0, n) : record.fields);
    });
    flush();
  } finally {
    closeSync(out);
  }
  file.unchanged();
  return 4 * longest;
}

/** Whether DuckDB takes a field for a number, or for none at all. */
function isNumeral(field: string): boolean {
  return (
    field === '' ||
    /^\s*[+-]?(?:\d[\d_]*\.?[\d_]*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|nan|inf|infinity)\s*$/i.test(
      field,
    )
  );
}

/** The error for a field that should be a number. */
export function notANumber(file: string, line: number, column: string, field: string): DataError {
  return new DataError(
    `"${file}", line ${line}, column "${column}": expected a number, got "${shownText(field)}".`,
  );
}
