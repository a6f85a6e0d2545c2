import { closeSync, createReadStream, openSync, readSync, type Stats, statSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { type AsyncSteps, stoppable } from '../../compute/interrupt.js';
import { ArgumentError, DataError, InterruptedError } from '../../errors.js';
import { whatIs } from '../../options.js';
import {
  type CsvRecord,
  type Dialect,
  lineEnds,
  MAX_RECORD,
  Records,
  TOO_LONG,
} from './csv-records.js';

/** How the bytes of a text file become characters. */
interface Encoded {
  /** The path as it was given. */
  readonly path: string;
  /** Whether the file is compressed by gzip. */
  readonly gzip: boolean;
  /** The encoding of its characters: a label of TextDecoder. */
  readonly encoding: string;
}

/** A text file that has been looked at: it exists, is not empty, and begins with text. */
export interface TextFile extends Encoded {
  /** The first lines of the text, without a byte order mark. */
  readonly head: string;
  /** Whether the head is the whole text. */
  readonly whole: boolean;
  /** Throws DataError if the file has changed since it was looked at. */
  unchanged(): void;
}

/** Size, times and kind of a file. Throws DataError if it does not exist, or is no file. */
export function existingFile(path: string): Stats {
  const stat = statOf(path);
  if (!stat)
    throw new DataError(
      `There is no file "${path}". Check the path; a relative one starts from ${process.cwd()}.`,
    );
  if (!stat.isFile())
    throw new DataError(
      `"${path}" is not a file${stat.isDirectory() ? '' : ', but a pipe or a device: copy what it gives to a file'}.`,
    );
  return stat;
}

/** Whether there is a file at a path. */
export function isFile(path: string): boolean {
  return statOf(path)?.isFile() ?? false;
}

/**
 * Size, times and kind of a file or folder; undefined if there is none. Throws ArgumentError or
 * DataError for a value that cannot be a path.
 */
export function statOf(path: string): Stats | undefined {
  if (typeof path !== 'string' || path === '')
    throw new ArgumentError(
      `A path must be a text, such as '../data', got ${path === '' ? 'an empty one' : whatIs(path)}.`,
    );
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new DataError(
      `"${path.slice(0, 200)}" cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}. Check the path.`,
    );
  }
}

/** Bytes from the beginning of a file that tell its kind and encoding. */
const HEAD_BYTES = 65536;

/**
 * Looks at a text file before it is read, so that the error for a wrong one names its kind. A gzip
 * file is read through once, because only its end tells whether it is whole.
 * @param encoding that of its characters. Default: by its byte order mark, else UTF-8
 */
export async function openText(path: string, encoding?: string): Promise<TextFile> {
  const stat = existingFile(path);
  const raw = firstBytes(path);
  if (raw.length === 0) throw new DataError(`"${path}" is empty.`);
  refuseForeign(path, raw.toString('latin1'));
  const gzip = raw[0] === 0x1f && raw[1] === 0x8b;
  if (!gzip && path.endsWith('.gz'))
    throw new DataError(`"${path}" is not a gzip file, in spite of its name.`);
  if (gzip) await stoppable(readThrough(path));
  const bytes = gzip ? gunzipSync(raw, { finishFlush: constants.Z_SYNC_FLUSH }) : raw;
  if (bytes.length === 0) throw new DataError(`"${path}" is empty.`);
  const encoded = { path, gzip, encoding: encoding ?? encodingOf(path, bytes) };
  const unchanged = (): void => {
    const now = statOf(path);
    if (now?.size === stat.size && now.mtimeMs === stat.mtimeMs && now.ino === stat.ino) return;
    throw new DataError(
      `"${path}" was changed while it was read. Read it again when nothing writes to it.`,
    );
  };
  return { ...encoded, ...(await headOf(encoded)), unchanged };
}

function firstBytes(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(HEAD_BYTES);
    return buffer.subarray(0, readSync(file, buffer, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(file);
  }
}

const EXCEL = 'an Excel file. Save its sheet as CSV in UTF-8, and read that';
const ARCHIVE = 'an archive. Unpack it, or compress the text by gzip';

/** The first bytes of files that are taken for tables of text, and what to do with such a file. */
const FOREIGN: readonly (readonly [string, string])[] = [
  ['PK\x03\x04', 'a zip archive. Unpack it, and read the file in it'],
  ['\xd0\xcf\x11\xe0', EXCEL],
  ['PAR1', 'a Parquet file. Give it a name that ends in .parquet'],
  ...['BZh', '7z\xbc\xaf', '\xfd7zXZ', '\x28\xb5\x2f\xfd', 'Rar!'].map(
    (b) => [b, ARCHIVE] as const,
  ),
];

/** Throws DataError for a file of another kind, by its first bytes. */
function refuseForeign(path: string, bytes: string): void {
  const kind = FOREIGN.find(([start]) => bytes.startsWith(start))?.[1];
  if (kind === undefined) return;
  if (kind.includes('Parquet') && path.endsWith('.parquet'))
    throw new DataError(
      `"${path}" is a Parquet file, not a text. readTable reads it, and Sessions.fromTable takes its table.`,
    );
  const excel = kind.includes('zip') && /\[Content_Types\]\.xml|_rels\/|xl\//.test(bytes);
  throw new DataError(`"${path}" is ${excel ? EXCEL : kind}.`);
}

/** The first lines of a text: 64 KB, or as much as the first line takes. */
async function headOf(file: Encoded): Promise<Pick<TextFile, 'head' | 'whole'>> {
  const { path } = file;
  let head = '';
  let whole = true;
  for await (const part of textOf(file, () => 1 + lineEnds(head))) {
    head += part;
    const end = 1 + Math.max(head.lastIndexOf('\n'), head.lastIndexOf('\r'));
    if (head.length >= HEAD_BYTES && /\S/.test(head.slice(0, end))) {
      head = head.slice(0, end);
      whole = false;
      break;
    }
    if (head.length > MAX_RECORD)
      throw new DataError(`"${path}" has no line end in its first ${TOO_LONG}. Is it a table?`);
  }
  if (!/[^\s\0]/.test(head))
    throw new DataError(`"${path}" is blank: there is nothing in it but blanks and line ends.`);
  refuseJson(path, head);
  return { head, whole };
}

/** Throws DataError for JSON: an object a line, or a list of objects. */
function refuseJson(path: string, text: string): void {
  if (!/^\s*(?:\{\s*"|\[\s*\{)/.test(text)) return;
  const [line] = text.trimStart().split(/[\r\n]/, 1);
  if (line.startsWith('{') && !line.endsWith('}')) return;
  throw new DataError(
    `"${path}" holds JSON, not a table of text. Read it by sql("from read_json('${path}')"), which gives a table.`,
  );
}

/** The encoding by the byte order mark, else UTF-8. Throws DataError for bytes that are no text. */
function encodingOf(path: string, bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  if (!bytes.subarray(0, HEAD_BYTES).includes(0)) return 'utf-8';
  const [even, odd] = [0, 1].map(
    (first) => bytes.subarray(0, 64).filter((byte, i) => i % 2 === first && byte === 0).length,
  );
  const likely =
    odd > 8 && even === 0 ? 'utf-16le' : even > 8 && odd === 0 ? 'utf-16be' : undefined;
  const advice = likely
    ? `It looks like text in ${likely.toUpperCase()}: give { encoding: '${likely}' }.`
    : 'Was another file meant?';
  throw new DataError(`"${path}" is not a text file in UTF-8: it holds zero bytes. ${advice}`);
}

/** Reads a gzip file through. Throws DataError if it is cut off or damaged. */
async function* readThrough(path: string): AsyncSteps<void> {
  try {
    for await (const _ of bytesOf({ path, gzip: true })) if (yield) throw interrupted(path);
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    throw new DataError(
      `"${path}" is a cut-off or damaged gzip file (${(error as Error).message}). Fetch it again.`,
    );
  }
}

/** The bytes of a file, unpacked. */
export function bytesOf({ path, gzip }: Pick<Encoded, 'path' | 'gzip'>): AsyncIterable<Buffer> {
  const raw = createReadStream(path, { highWaterMark: 1 << 20 });
  return gzip ? pipeline(raw, createGunzip({ chunkSize: 1 << 20 }), () => {}) : raw;
}

/** The error for reading that was asked to stop. */
export function interrupted(path: string): InterruptedError {
  return new InterruptedError(`Interrupted while reading "${path}".`);
}

/**
 * The text of a file, unpacked and decoded, without a byte order mark. Throws DataError for bytes
 * that are no text.
 * @param line tells the line that has been reached
 */
async function* textOf(file: Encoded, line: () => number): AsyncGenerator<string> {
  const { path, encoding } = file;
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decoded = (bytes?: Buffer): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      const at = `"${path}", line ${line() + (bytes ? linesBeforeFault(bytes, encoding) : 0)}`;
      throw notInEncoding(at, encoding);
    }
  };
  for await (const bytes of bytesOf(file)) yield decoded(bytes);
  yield decoded();
}

/** The error for bytes that are no text in an encoding. */
export function notInEncoding(at: string, encoding: string): DataError {
  return new DataError(
    encoding === 'utf-8'
      ? `${at}: expected text in UTF-8. Save it in that encoding, or give the one that it has, such as { encoding: 'latin1' }.`
      : `${at}: this is no text in ${encoding}. Is its encoding another one?`,
  );
}

/** How many lines of a part of a file are text, before one that is not. */
export function linesBeforeFault(bytes: Buffer, encoding: string): number {
  let at = 0;
  while (encoding === 'utf-8' && at < 3 && (bytes[at] & 0xc0) === 0x80) at++; // the end of a character of the part before
  for (let n = 0; ; n++) {
    const end = bytes.indexOf(10, at);
    try {
      new TextDecoder(encoding, { fatal: true }).decode(
        bytes.subarray(at, end < 0 ? bytes.length : end),
      );
    } catch {
      return n;
    }
    if (end < 0) return n;
    at = end + 1;
  }
}

/** Visits the records of a text file, the header included, until `visit` returns false. */
export async function eachRecord(
  file: TextFile,
  dialect: Dialect,
  visit: (record: CsvRecord) => unknown,
): Promise<void> {
  await stoppable(visiting(file, dialect, visit));
}

async function* visiting(
  file: TextFile,
  dialect: Dialect,
  visit: (record: CsvRecord) => unknown,
): AsyncSteps<void> {
  const records = new Records(dialect);
  for await (const part of textOf(file, () => records.lineReached)) {
    if (yield) throw interrupted(file.path);
    if (!records.push(part, false, visit)) return;
    if (records.tooLong)
      throw new DataError(
        `"${file.path}", line ${records.line}: a record goes on for more than ${TOO_LONG}. Is a quotation mark left open?`,
      );
  }
  records.push('', true, visit);
}

/**
 * Record `index` of a text file, counted from 0, the header included. It reads the file from the
 * start: for error messages.
 */
export async function csvRecord(
  file: TextFile,
  index: number,
  dialect: Dialect,
): Promise<CsvRecord> {
  let record: CsvRecord = { line: 1, fields: [] };
  let i = 0;
  await eachRecord(file, dialect, (next) => {
    record = next;
    return i++ < index;
  });
  return record;
}
