import { closeSync, createReadStream, openSync, readSync, type Stats, statSync } from 'node:fs';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { InterruptGuard } from '../compute/interrupt.js';
import { ArgumentError, DataError, InterruptedError } from '../errors.js';

const HEAD_BYTES = 65536;

/** A text file that has been looked at: it is there, it is not empty, it begins with UTF-8 text. */
export interface TextFile {
  /** As it was given. */
  readonly path: string;
  /** Whether it is compressed by gzip. */
  readonly gzip: boolean;
  /** The beginning of the text, without a byte order mark: whole lines, unless the first one is very long. */
  readonly head: string;
}

/** The file's size and times. Throws DataError if it is not there or is no file. */
export function existingFile(path: string): Stats {
  const stat = statOf(path);
  if (!stat) throw new DataError(`There is no file "${path}". Check the path; a relative one starts from ${process.cwd()}.`);
  if (!stat.isFile()) throw new DataError(`"${path}" is not a file.`);
  return stat;
}

/** Whether there is a file of this name. */
export function isFile(path: string): boolean {
  return statOf(path)?.isFile() ?? false;
}

/** Size, times and kind of what is at a path; undefined if there is nothing. Throws an error of ours for a path that cannot be one. */
export function statOf(path: string): Stats | undefined {
  if (typeof path !== 'string' || path === '') {
    throw new ArgumentError(`A path must be a text, such as '../data', got ${path === '' ? 'an empty one' : typeof path}.`);
  }
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new DataError(
      `"${path.slice(0, 200)}" cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}. Check the path.`,
    );
  }
}

/** The first bytes of a file. */
export function firstBytes(path: string, n: number): Buffer {
  existingFile(path);
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(n);
    return buffer.subarray(0, readSync(file, buffer, 0, n, 0));
  } finally {
    closeSync(file);
  }
}

/**
 * Looks at a text file before anything else reads it, so that a wrong one is named for what it is. A gzip file is read through once, because only its
 * end tells whether it is whole.
 */
export async function openText(path: string): Promise<TextFile> {
  const raw = firstBytes(path, HEAD_BYTES);
  if (raw.length === 0) throw new DataError(`"${path}" is empty.`);
  const gzip = raw[0] === 0x1f && raw[1] === 0x8b;
  if (!gzip && path.endsWith('.gz')) throw new DataError(`"${path}" is not a gzip file, in spite of its name.`);
  if (gzip) await checkGzip(path);
  const bytes = gzip ? gunzipSync(raw, { finishFlush: constants.Z_SYNC_FLUSH }) : raw;
  if (bytes.length === 0) throw new DataError(`"${path}" is empty.`);
  if (bytes.subarray(0, HEAD_BYTES).includes(0)) throw new DataError(`"${path}" is not a text file: it holds zero bytes. Was another file meant?`);
  let text: string;
  try {
    const whole = !gzip && raw.length < HEAD_BYTES;
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !whole });
  } catch {
    throw new DataError(`"${path}" is not text in UTF-8. Save it in that encoding, or name another file.`);
  }
  const end = text.lastIndexOf('\n');
  return { path, gzip, head: end < 0 ? text : text.slice(0, end + 1) };
}

/** Reads a gzip file through: throws DataError if it is cut off or damaged. */
async function checkGzip(path: string): Promise<void> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const guard = new InterruptGuard();
  const stop = new AbortController();
  guard.onInterrupt(() => stop.abort());
  try {
    await guard.turn();
    await pipeline(createReadStream(path, { highWaterMark: 1 << 18 }), createGunzip({ chunkSize: 1 << 20 }), nowhere, { signal: stop.signal });
  } catch (error) {
    if (guard.interrupted) throw new InterruptedError(`Interrupted while reading "${path}".`);
    throw new DataError(`"${path}" is a cut-off or damaged gzip file (${(error as Error).message}). Fetch it again.`);
  } finally {
    guard.stop();
  }
}

/** A record of a CSV file. */
export interface CsvRecord {
  /** Line on which it begins, counted from 1. */
  line: number;
  /** Its fields, unquoted. */
  fields: string[];
  /** What is wrong with its quotation marks: none closes a text, or a text goes on behind the one that closes it. */
  fault?: 'open' | 'stray';
}

/**
 * Record `index` of a CSV file, counted from 0, the header included, blank lines left out. It reads from the start: for error messages.
 */
export async function csvRecord(file: TextFile, index: number, delimiter: string): Promise<CsvRecord> {
  let record: CsvRecord = { line: 1, fields: [] };
  await eachRecord(file, delimiter, (i, line, bytes) => {
    record = { line, fields: splitRecord(Buffer.from(bytes).toString('utf8').replace(/\r$/, ''), delimiter) };
    return i < index;
  });
  return record;
}

/**
 * The first record of a CSV file whose number of fields is not `n`, or whose quotation marks are at fault; undefined if there is none. It reads from the start:
 * for error messages.
 */
export async function badRecord(file: TextFile, n: number, delimiter: string): Promise<CsvRecord | undefined> {
  let bad: CsvRecord | undefined;
  await eachRecord(file, delimiter, (_i, line, bytes, fault) => {
    const fields = splitRecord(Buffer.from(bytes).toString('utf8').replace(/\r$/, ''), delimiter);
    if (fields.length !== n || fault) bad = { line, fields, fault };
    return bad === undefined;
  });
  return bad;
}

type Visit = (index: number, line: number, bytes: readonly number[], fault: CsvRecord['fault']) => boolean;

/** Visits the records of a CSV file, blank lines left out, until `visit` returns false. A quotation mark quotes where a field begins, as in DuckDB. */
async function eachRecord(file: TextFile, delimiter: string, visit: Visit): Promise<void> {
  const separator = Buffer.from(delimiter);
  let line = 1;
  let start = 1;
  let index = 0;
  let matched = 0; // bytes of the delimiter
  let quoted = false;
  let begins = true; // a field
  let closed = false; // a quotation: another mark is a quoted mark
  let stray = false;
  let blank = true;
  let bytes: number[] = [];
  for await (const chunk of textOf(file)) {
    for (const byte of chunk) {
      if (byte === 10) line++;
      if (byte === 10 && !quoted) {
        if (!blank && !visit(index++, start, bytes, stray ? 'stray' : undefined)) return;
        blank = true;
        begins = true;
        closed = false;
        stray = false;
        matched = 0;
        bytes = [];
        start = line;
        continue;
      }
      if (byte !== 13) blank = false;
      bytes.push(byte);
      if (quoted) {
        closed = byte === 34;
        quoted = !closed;
        continue;
      }
      if (byte === 34 && (begins || closed)) quoted = true;
      else if (closed && byte !== separator[0] && byte !== 13) stray = true;
      closed = false;
      matched = byte === separator[matched] ? matched + 1 : byte === separator[0] ? 1 : 0;
      begins = matched === separator.length;
      if (begins) matched = 0;
    }
  }
  if (!blank) visit(index, start, bytes, quoted ? 'open' : stray ? 'stray' : undefined);
}

/** The bytes of a text file, unpacked. */
async function* textOf({ path, gzip }: TextFile): AsyncGenerator<Buffer> {
  const guard = new InterruptGuard();
  const raw = createReadStream(path);
  try {
    for await (const chunk of gzip ? raw.pipe(createGunzip()) : raw) {
      if (await guard.turnIfDue()) throw new InterruptedError(`Interrupted while reading "${path}".`);
      yield chunk as Buffer;
    }
  } finally {
    raw.destroy();
    guard.stop();
  }
}

/** The fields of one CSV record, unquoted. */
export function splitRecord(record: string, delimiter: string): string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < record.length; i++) {
    const c = record[i];
    if (quoted) {
      if (c !== '"') field += c;
      else if (record[i + 1] === '"') field += record[i++];
      else quoted = false;
    } else if (c === '"' && field === '') quoted = true;
    else if (record.startsWith(delimiter, i)) {
      fields.push(field);
      field = '';
      i += delimiter.length - 1;
    } else field += c;
  }
  return [...fields, field];
}

/** The delimiter of a CSV file, judged by its first line: the most frequent of comma, tab, semicolon and bar; `::` where it has none of these. */
export function delimiterOf(line: string): string {
  const counts = [',', '\t', ';', '|'].map((d) => [d, splitRecord(line, d).length] as const);
  const [delimiter, n] = counts.reduce((best, next) => (next[1] > best[1] ? next : best));
  return n === 1 && line.includes('::') ? '::' : delimiter;
}

/** The first line of a text that is not blank. */
export function firstLine(text: string): string {
  return text.split(/\r?\n/).find((line) => line.trim() !== '') ?? '';
}
