import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type AsyncSteps, stoppable } from '../../compute/interrupt.js';
import { DataError, RecitalError } from '../../errors.js';
import { quoted } from '../table.js';
import { recordFault, shownText, type TextStart } from './csv-format.js';
import type { CsvRecord } from './csv-records.js';
import { fileError, literal, pathLiteral } from './duckdb.js';
import { bytesOf, eachRecord, interrupted, type TextFile } from './text-file.js';

/** How a text file is written, and what its columns, which are c0, c1 … in SQL, are called. */
export interface CsvFormat extends TextStart {
  header: boolean;
  names: readonly string[];
  /** Positions of columns that DuckDB reads as numbers, not as text. */
  numbers?: readonly number[];
  /** Whether a line is a user and all of their tracks: each track becomes a row. */
  lists?: boolean;
}

/**
 * Runs work on the rows of a text file as DuckDB reads them. DuckDB reads a large file itself if
 * its rules agree with those of `Records`; if the file has quotation marks it is checked by these
 * afterwards, as DuckDB accepts `"a" "b"`. In all other cases, and whenever DuckDB finds a fault,
 * it reads a copy in plain CSV. Making the copy finds the fault, with its line, or that there is
 * none.
 *
 * DuckDB's own means do not replace this: its sniffer does not know `<SEP>`, `::` and mixed line
 * ends and joins lines by a stray mark; `store_rejects` counts records, not lines, and leaves
 * faults of columns that are not read unnoticed.
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
function canBeRead(
  file: TextFile,
  { delimiter, quote, comment, lists, names }: CsvFormat,
): boolean {
  return (
    file.encoding === 'utf-8' &&
    comment === '' &&
    !lists &&
    names.length > 1 &&
    quote.length <= 1 &&
    quote < '\x7f' &&
    Buffer.byteLength(delimiter) <= 4
  );
}

function checkRecord(file: TextFile, record: CsvRecord, format: TextStart): void {
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
  const types = names.map((_, i) => `'c${i}': '${numbers.includes(i) ? 'DOUBLE' : 'VARCHAR'}'`);
  const options = [
    pathLiteral(file),
    'auto_detect = false',
    `header = ${header}`,
    `skip = ${skip}`,
    `delim = ${literal(delimiter)}`,
    `quote = ${literal(quote)}`,
    `escape = ${literal(quote)}`,
    `compression = '${format.compression}'`,
    `columns = {${types.join(', ')}}`,
  ];
  if (lineEnd !== undefined)
    options.push(`new_line = '${lineEnd.replace('\r', '\\r').replace('\n', '\\n')}'`);
  const { longest = 0 } = format;
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
  let lines: string[] = [];
  let size = 0;
  let longest = 0;
  const flush = (): void => {
    if (lines.length) writeSync(out, `${lines.join('\n')}\n`);
    lines = [];
    size = 0;
  };
  const put = (fields: readonly string[]): void => {
    const line = n === 1 && fields[0] === '' ? '""' : fields.map(quoted).join(','); // a blank line would be no row
    lines.push(line);
    longest = Math.max(longest, line.length);
    size += line.length;
    if (size >= 1 << 20) flush();
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
        if (!NUMERAL.test(fields[i])) throw notANumber(file.path, line, names[i], fields[i]);
      put(fields.slice(0, n));
    });
    flush();
  } finally {
    closeSync(out);
  }
  file.unchanged();
  return 4 * longest;
}

/** What DuckDB takes for a number, or for a missing one. */
const NUMERAL =
  /^$|^[\t-\r ]*[+-]?(?:(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?|nan|inf|infinity)[\t-\r ]*$/i;

/** The error for a field that should be a number. */
export function notANumber(file: string, line: number, column: string, field: string): DataError {
  return new DataError(
    `"${file}", line ${line}, column "${column}": expected a number, got "${shownText(field)}".`,
  );
}
