import { createReadStream, type Stats, statSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { type AsyncSteps, stoppable } from '../../compute/interrupt.js';
import { ArgumentError, DataError, InterruptedError } from '../../errors.js';
import { whatIs } from '../../printed.js';

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

/**
 * Size, times and kind of a file. Throws DataError if it does not exist, or is no file.
 * @param folders whether a folder will do, too
 */
export function existingFile(path: string, { folders = false } = {}): Stats {
  const stat = statOf(path);
  if (!stat)
    throw new DataError(
      `There is no file ${folders ? 'or folder ' : ''}"${path}". Check the path; a relative one starts from ${process.cwd()}.`,
    );
  if (stat.isFile() || (folders && stat.isDirectory())) return stat;
  throw new DataError(
    `"${path}" is not a file${stat.isDirectory() ? '' : ', but a pipe or a device: copy what it gives to a file'}.`,
  );
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
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DataError(
      `"${path.slice(0, 200)}" cannot be read: ${code ?? message}. Check the path.`,
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
  const start = createReadStream(path, { end: HEAD_BYTES - 1 });
  const raw = Buffer.concat((await start.toArray()) as Buffer[]);
  if (raw.length === 0) throw new DataError(`"${path}" is empty.`);
  refuseForeign(path, raw.toString('latin1'));
  const gzip = raw[0] === 0x1f && raw[1] === 0x8b;
  if (!gzip && path.endsWith('.gz'))
    throw new DataError(`"${path}" is not a gzip file, in spite of its name.`);
  if (gzip) await stoppable(readThrough(path));
  const bytes = gzip ? gunzipSync(raw, { finishFlush: constants.Z_SYNC_FLUSH }) : raw;
  if (bytes.length === 0) throw new DataError(`"${path}" is empty.`);
  const label = encoding === undefined ? encodingOf(path, bytes) : decoderOf(encoding)!;
  const encoded = { path, gzip, encoding: label };
  const unchanged = (): void => {
    const now = statOf(path);
    if (now?.size === stat.size && now.mtimeMs === stat.mtimeMs && now.ino === stat.ino) return;
    throw new DataError(
      `"${path}" was changed while it was read. Read it again when nothing writes to it.`,
    );
  };
  return { ...encoded, ...(await headOf(encoded)), unchanged };
}

const EXCEL = 'an Excel file. Save its sheet as CSV in UTF-8, and read that';
const ZIP = 'a zip archive. Unpack it, and read the file in it';
const PARQUET = 'a Parquet file. Give it a name that ends in .parquet';
const ARCHIVE = 'an archive. Unpack it, or compress the text by gzip';

/** The first bytes of files that are taken for tables of text, and what to do with such a file. */
const FOREIGN: Readonly<Record<string, string>> = {
  'PK\x03\x04': ZIP,
  '\xd0\xcf\x11\xe0': EXCEL,
  PAR1: PARQUET,
  BZh: ARCHIVE,
  '7z\xbc\xaf': ARCHIVE,
  '\xfd7zXZ': ARCHIVE,
  '\x28\xb5\x2f\xfd': ARCHIVE,
  'Rar!': ARCHIVE,
};

/** Throws DataError for a file of another kind, by its first bytes. */
function refuseForeign(path: string, bytes: string): void {
  const start = Object.keys(FOREIGN).find((mark) => bytes.startsWith(mark));
  if (start === undefined) return;
  const kind = FOREIGN[start];
  if (kind === PARQUET && path.endsWith('.parquet'))
    throw new DataError(
      `"${path}" is a Parquet file, not a text. readTable reads it, and Sessions.fromTable takes its table.`,
    );
  const excel = kind === ZIP && /\[Content_Types\]\.xml|_rels\/|xl\//.test(bytes);
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
    whole = head.length < HEAD_BYTES || !/\S/.test(head.slice(0, end));
    if (!whole) {
      head = head.slice(0, end);
      break;
    }
    if (head.length > MAX_RECORD)
      throw new DataError(`"${path}" has no line end in its first ${TOO_LONG}. Is it a table?`);
  }
  if (!/[^\s\0]/.test(head))
    throw new DataError(`"${path}" is blank: there is nothing in it but blanks and line ends.`);
  const [line] = head.trimStart().split(/[\r\n]/, 1);
  if (/^(?:\{\s*"|\[\s*\{)/.test(head.trimStart()) && (line[0] === '[' || line.endsWith('}')))
    throw new DataError(
      `"${path}" holds JSON, not a table of text. Read it by sql("from read_json('${path}')"), which gives a table.`,
    );
  return { head, whole };
}

/** The label by which TextDecoder knows an encoding; undefined for an unknown one. */
export function decoderOf(encoding: string): string | undefined {
  try {
    return new TextDecoder(/^latin[-_ ]1$/i.test(encoding) ? 'latin1' : encoding).encoding;
  } catch {
    return undefined;
  }
}

/** The encoding by the byte order mark, else UTF-8. Throws DataError for bytes that are no text. */
function encodingOf(path: string, bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  if (!bytes.subarray(0, HEAD_BYTES).includes(0)) return 'utf-8';
  const zeros = (first: number): number =>
    bytes.subarray(0, 64).filter((byte, i) => i % 2 === first && byte === 0).length;
  const [even, odd] = [zeros(0), zeros(1)];
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

/** How a text is split into records and fields. */
export interface Dialect {
  /** The text between fields. */
  delimiter: string;
  /** The mark around fields that hold delimiters, line ends or (doubled) marks; '' for none. */
  quote: string;
  /** The beginning of lines that are left out; '' for none. */
  comment: string;
  /** Number of lines to leave out at the beginning. */
  skip: number;
  /** Whether a blank line is a record: where there is one column. */
  blank: boolean;
}

/** A record of a CSV file. */
export interface CsvRecord {
  /** Line on which it begins, counted from 1. */
  line: number;
  /** Its fields, unquoted. */
  fields: string[];
  /** Its text, if it has several lines. */
  raw?: string;
  /** A fault of quotation: it is never closed, or text follows the mark that closes it. */
  fault?: 'open' | 'stray';
}

/** The most characters of a record: a longer one is an open quotation, or no table. */
const MAX_RECORD = 1 << 24;
const TOO_LONG = '16 million characters';

/**
 * Splits a text that comes in parts into records, by the rules of every reader: a line ends at \n,
 * \r\n or \r; blank lines are left out, unless there is one column; a quotation begins with a mark
 * at the beginning of a field, and blanks around it do not count; within a quotation two marks are
 * one, and line ends are text.
 */
export class Records {
  private text = '';
  private at = 0;
  /** The line on which the next record begins. */
  line = 1;
  private nextReturn = -2; // −1: there is none; −2: not looked for
  private toSkip: number;

  constructor(private readonly dialect: Dialect) {
    this.toSkip = dialect.skip;
  }

  /** The line that the text has reached. */
  get lineReached(): number {
    return this.line + lineEnds(this.text.slice(this.at));
  }

  /** Whether the record that has begun is too long. */
  get tooLong(): boolean {
    return this.text.length - this.at > MAX_RECORD;
  }

  /** Adds text and visits the records that it completes. Returns false once `visit` does. */
  push(part: string, last: boolean, visit: (record: CsvRecord) => unknown): boolean {
    this.text = this.text.slice(this.at) + part;
    this.at = 0;
    this.nextReturn = -2;
    for (let record = this.next(last); record; record = this.next(last))
      if (visit(record) === false) return false;
    return true;
  }

  private next(last: boolean): CsvRecord | undefined {
    const { quote, comment, delimiter, blank } = this.dialect;
    while (this.at < this.text.length) {
      const end = this.lineEnd(this.at, last);
      if (end < 0) return undefined;
      const text = this.text.slice(this.at, end);
      const leftOut =
        this.toSkip > 0 || (text === '' && !blank) || (comment !== '' && text.startsWith(comment));
      if (!leftOut && quote !== '' && text.includes(quote)) return this.quoted(last);
      const { line } = this;
      this.pass(end);
      if (!leftOut) return { line, fields: text.split(delimiter) };
      if (this.toSkip > 0) this.toSkip--;
    }
    return undefined;
  }

  /** A record with quotation marks, undefined if it is not complete. */
  private quoted(last: boolean): CsvRecord | undefined {
    const { quote, delimiter } = this.dialect;
    const { text, at: start, line } = this;
    const blanks = (i: number): number => {
      while (text[i] === ' ') i++;
      return i;
    };
    const fields: string[] = [];
    let fault: CsvRecord['fault'];
    let at = start;
    let end = this.lineEnd(start, last);
    for (;;) {
      const mark = delimiter[0] === ' ' ? at : blanks(at);
      if (text[mark] !== quote) {
        const next = text.indexOf(delimiter, at);
        const more = next >= 0 && next < end;
        fields.push(text.slice(at, more ? next : end));
        if (!more) break;
        at = next + delimiter.length;
        continue;
      }
      let field = '';
      for (at = mark + 1; ; at++) {
        const close = text.indexOf(quote, at);
        if (!last && (close < 0 || close + 1 === text.length)) return undefined;
        if (close < 0) {
          fields.push(field + text.slice(at));
          this.at = text.length;
          return { line, fields, fault: 'open' };
        }
        field += text.slice(at, close);
        at = close + 1;
        if (text[at] !== quote) break;
        field += quote;
      }
      fields.push(field);
      end = this.lineEnd(at, last);
      if (end < 0) return undefined;
      if (!text.startsWith(delimiter, at)) at = blanks(at);
      if (at === end) break;
      if (!text.startsWith(delimiter, at)) {
        fault = 'stray';
        break;
      }
      at += delimiter.length;
    }
    const raw = text.slice(start, end);
    this.line += lineEnds(raw);
    const several = this.line > line;
    this.pass(end);
    return { line, fields, raw: several ? raw : undefined, fault };
  }

  /** Where the line of a place ends; −1 if that is not known yet. */
  private lineEnd(from: number, last: boolean): number {
    const { text } = this;
    if (this.nextReturn === -2 || (this.nextReturn >= 0 && this.nextReturn < from))
      this.nextReturn = text.indexOf('\r', from);
    const feed = text.indexOf('\n', from);
    const end =
      this.nextReturn >= 0 && (feed < 0 || this.nextReturn < feed) ? this.nextReturn : feed;
    if (end < 0) return last ? text.length : -1;
    return text[end] === '\r' && end + 1 === text.length && !last ? -1 : end; // \n may follow
  }

  /** Moves behind a line end. */
  private pass(end: number): void {
    this.at = end + (this.text.startsWith('\r\n', end) ? 2 : 1);
    this.line++;
  }
}

/** The number of line ends in a text. */
export function lineEnds(text: string): number {
  return (text.match(/\r\n?|\n/g) ?? []).length;
}

/** Visits the records of a text file, the header included, until `visit` returns false. */
export function eachRecord(
  file: TextFile,
  dialect: Dialect,
  visit: (record: CsvRecord) => unknown,
): Promise<void> {
  const { path } = file;
  const visiting = async function* (): AsyncSteps<void> {
    const records = new Records(dialect);
    for await (const part of textOf(file, () => records.lineReached)) {
      if (yield) throw interrupted(path);
      if (!records.push(part, false, visit)) return;
      if (records.tooLong)
        throw new DataError(
          `"${path}", line ${records.line}: a record goes on for more than ${TOO_LONG}. Is a quotation mark left open?`,
        );
    }
    records.push('', true, visit);
  };
  return stoppable(visiting());
}

/**
 * Record `index` of a text file, counted from 0, the header included. It reads the file from the
 * start: for error messages.
 */
export async function csvRecord(file: TextFile, index: number, dialect: Dialect) {
  let record: CsvRecord = { line: 1, fields: [] };
  let i = 0;
  await eachRecord(file, dialect, (next) => {
    record = next;
    return i++ < index;
  });
  return record;
}
