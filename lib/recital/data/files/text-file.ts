import { closeSync, createReadStream, openSync, readSync, type Stats, statSync } from 'node:fs';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { InterruptGuard } from '../../compute/interrupt.js';
import { ArgumentError, DataError, InterruptedError } from '../../errors.js';

const HEAD_BYTES = 65536;

/** A text file that has been looked at: it is there, it is not empty, and it begins with text. */
export interface TextFile {
  /** As it was given. */
  readonly path: string;
  /** Whether it is compressed by gzip. */
  readonly gzip: boolean;
  /** How its characters are written: a label of TextDecoder. */
  readonly encoding: string;
  /** The beginning of the text, without a byte order mark: whole lines. */
  readonly head: string;
  /** Whether the head is all there is. */
  readonly whole: boolean;
  /** Throws DataError if the file is no longer the one that was looked at. */
  unchanged(): void;
}

/** The file's size and times. Throws DataError if it is not there or is no file. */
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

/** Whether there is a file of this name. */
export function isFile(path: string): boolean {
  return statOf(path)?.isFile() ?? false;
}

/**
 * Size, times and kind of what is at a path; undefined if there is nothing. Throws an error of ours
 * for a path that cannot be one.
 */
export function statOf(path: string): Stats | undefined {
  if (typeof path !== 'string' || path === '') {
    throw new ArgumentError(
      `A path must be a text, such as '../data', got ${path === '' ? 'an empty one' : typeof path}.`,
    );
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

const EXCEL = 'an Excel file. Save its sheet as CSV in UTF-8, and read that';
const ARCHIVE = 'an archive. Unpack it, or compress the text by gzip';

/** How files begin that are taken for tables of text, and what to do with them. */
const FOREIGN: readonly [string, string][] = [
  ['PK\x03\x04', 'a zip archive. Unpack it, and read the file in it'],
  ['\xd0\xcf\x11\xe0', EXCEL],
  ['PAR1', 'a Parquet file. Give it a name that ends in .parquet'],
  ...['BZh', '7z\xbc\xaf', '\xfd7zXZ', '\x28\xb5\x2f\xfd', 'Rar!'].map(
    (bytes): [string, string] => [bytes, ARCHIVE],
  ),
];

/** Throws DataError for a file of another kind, by its first bytes. */
function refuseForeign(path: string, bytes: string): void {
  const kind = FOREIGN.find(([start]) => bytes.startsWith(start))?.[1];
  if (kind?.includes('Parquet') && path.endsWith('.parquet'))
    throw new DataError(
      `"${path}" is a Parquet file, not a text. readTable reads it, and Sessions.fromTable takes its table.`,
    );
  if (kind)
    throw new DataError(
      `"${path}" is ${kind.includes('zip') && /\[Content_Types\]\.xml|_rels\/|xl\//.test(bytes) ? EXCEL : kind}.`,
    );
}

/**
 * Looks at a text file before anything else reads it, so that a wrong one is named for what it is.
 * A gzip file is read through once, because only its end tells whether it is whole.
 * @param given how its characters are written. Default: what its byte order mark says, else UTF-8
 */
export async function openText(path: string, given?: string): Promise<TextFile> {
  const stat = existingFile(path);
  const raw = firstBytes(path, HEAD_BYTES);
  if (raw.length === 0) throw new DataError(`"${path}" is empty.`);
  refuseForeign(path, raw.toString('latin1'));
  const gzip = raw[0] === 0x1f && raw[1] === 0x8b;
  if (!gzip && path.endsWith('.gz'))
    throw new DataError(`"${path}" is not a gzip file, in spite of its name.`);
  if (gzip) await checkGzip(path);
  const bytes = gzip ? gunzipSync(raw, { finishFlush: constants.Z_SYNC_FLUSH }) : raw;
  if (bytes.length === 0) throw new DataError(`"${path}" is empty.`);
  const encoding = given ?? encodingOf(path, bytes);
  const unchanged = (): void => {
    const now = statOf(path);
    if (now?.size === stat.size && now.mtimeMs === stat.mtimeMs && now.ino === stat.ino) return;
    throw new DataError(
      `"${path}" was changed while it was read. Read it again when nothing writes to it.`,
    );
  };
  return { path, gzip, encoding, unchanged, ...(await headOf({ path, gzip, encoding })) };
}

/** The first lines of a text: 64 KB, or as much as the first line takes. */
async function headOf(
  file: Pick<TextFile, 'path' | 'gzip' | 'encoding'>,
): Promise<Pick<TextFile, 'head' | 'whole'>> {
  let text = '';
  for await (const part of textOf(file, () => 1 + lineEnds(text))) {
    text += part;
    const end = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r'));
    if (text.length >= HEAD_BYTES && end >= 0 && /\S/.test(text.slice(0, end))) {
      refuseJson(file.path, text);
      return { head: text.slice(0, end + 1), whole: false };
    }
    if (text.length > MAX_RECORD)
      throw new DataError(
        `"${file.path}" has no line end in its first ${TOO_LONG}. Is it a table?`,
      );
  }
  if (!/[^\s\0]/.test(text))
    throw new DataError(
      `"${file.path}" is blank: there is nothing in it but blanks and line ends.`,
    );
  refuseJson(file.path, text);
  return { head: text, whole: true };
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

/** What the byte order mark says, else UTF-8. Throws DataError for what is no text. */
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

/** Reads a gzip file through: throws DataError if it is cut off or damaged. */
async function checkGzip(path: string): Promise<void> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const guard = new InterruptGuard();
  const stop = new AbortController();
  guard.onInterrupt(() => stop.abort());
  try {
    await guard.turn();
    await pipeline(
      createReadStream(path, { highWaterMark: 1 << 18 }),
      createGunzip({ chunkSize: 1 << 20 }),
      nowhere,
      { signal: stop.signal },
    );
  } catch (error) {
    if (guard.interrupted) throw new InterruptedError(`Interrupted while reading "${path}".`);
    throw new DataError(
      `"${path}" is a cut-off or damaged gzip file (${(error as Error).message}). Fetch it again.`,
    );
  } finally {
    guard.stop();
  }
}

/** How the fields of a text are told from each other. */
export interface Dialect {
  /** What stands between fields: any text. */
  delimiter: string;
  /**
   * The mark around fields that hold delimiters, line ends or marks, which are then written twice;
   * '' where there is none.
   */
  quote: string;
  /** What lines begin with that are left out; '' where there are none. */
  comment: string;
  /** Lines to leave out at the beginning. */
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
  /** Its text, where it goes over several lines. */
  raw?: string;
  /**
   * What is wrong with its quotation marks: none closes a text, or a text goes on behind the one
   * that closes it.
   */
  fault?: 'open' | 'stray';
}

/** Characters of a record at most: a longer one is an open quotation, or no table. */
const MAX_RECORD = 1 << 24;
const TOO_LONG = '16 million characters';

/**
 * The records of a text that comes in parts. This is the rule of every reader: a line ends at \n,
 * \r\n or \r; blank lines are left out, unless there is one column; a mark quotes where a field
 * begins, blanks before it and behind its end do not count; within a quotation two marks are one,
 * and line ends are text.
 */
export class Records {
  private text = '';
  private at = 0;
  /** The line on which the next record begins. */
  line = 1;
  private nextReturn = -2; // -2: not looked for
  private toSkip: number;

  constructor(private readonly dialect: Dialect) {
    this.toSkip = dialect.skip;
  }

  /** The line that the text has reached. */
  get lineReached(): number {
    return this.line + lineEnds(this.text.slice(this.at));
  }

  /** Whether what is no record yet is longer than a record may be. */
  get tooLong(): boolean {
    return this.text.length - this.at > MAX_RECORD;
  }

  /**
   * Adds text and visits the records that it completes, until `visit` returns false: then this
   * returns false, too.
   */
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
    for (;;) {
      if (this.at >= this.text.length) return undefined;
      const end = this.lineEnd(this.at, last);
      if (end < 0) return undefined;
      const line = this.text.slice(this.at, end);
      const begins = this.line;
      const leftOut =
        this.toSkip > 0 || (line === '' && !blank) || (comment !== '' && line.startsWith(comment));
      if (leftOut || quote === '' || !line.includes(quote)) {
        this.pass(end);
        if (this.toSkip > 0) this.toSkip--;
        if (!leftOut) return { line: begins, fields: line.split(delimiter) };
        continue;
      }
      return this.quoted(last);
    }
  }

  /** A record with quotation marks, undefined if it is not complete. */
  private quoted(last: boolean): CsvRecord | undefined {
    const { quote, delimiter } = this.dialect;
    const { text, at: start, line: begins } = this;
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
      for (at = mark + 1; ; ) {
        const close = text.indexOf(quote, at);
        if (close < 0 && !last) return undefined;
        if (close < 0) {
          fields.push(field + text.slice(at));
          this.at = text.length;
          return { line: begins, fields, fault: 'open' };
        }
        if (close + 1 === text.length && !last) return undefined;
        field += text.slice(at, close);
        at = close + 1;
        if (text[at] !== quote) break;
        field += quote;
        at++;
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
    const more = lineEnds(raw);
    this.line += more;
    this.pass(end);
    return { line: begins, fields, raw: more > 0 ? raw : undefined, fault };
  }

  /** Where the line of a place ends, −1 if that is not known yet. */
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

  /** Goes behind a line end. */
  private pass(end: number): void {
    this.at = end + (this.text.startsWith('\r\n', end) ? 2 : 1);
    this.line++;
  }
}

/** Visits the records of a text file, the header included, until `visit` returns false. */
export async function eachRecord(
  file: TextFile,
  dialect: Dialect,
  visit: (record: CsvRecord) => unknown,
): Promise<void> {
  const records = new Records(dialect);
  for await (const part of textOf(file, () => records.lineReached)) {
    if (!records.push(part, false, visit)) return;
    if (!records.tooLong) continue;
    throw new DataError(
      `"${file.path}", line ${records.line}: a record goes on for more than ${TOO_LONG}. Is a quotation mark left open?`,
    );
  }
  records.push('', true, visit);
}

/**
 * Record `index` of a text file, counted from 0, the header included. It reads from the start: for
 * error messages.
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

/**
 * The text of a file, unpacked and decoded, without a byte order mark. Throws DataError for bytes
 * that are no text; `line` tells the line reached.
 */
async function* textOf(
  { path, gzip, encoding }: Pick<TextFile, 'path' | 'gzip' | 'encoding'>,
  line: () => number,
): AsyncGenerator<string> {
  const guard = new InterruptGuard();
  const raw = createReadStream(path, { highWaterMark: 1 << 19 });
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decoded = (bytes: Buffer | undefined): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      const at = `"${path}", line ${line() + (bytes ? linesBeforeFault(bytes, encoding) : 0)}`;
      if (encoding !== 'utf-8')
        throw new DataError(`${at}: this is no text in ${encoding}. Is its encoding another one?`);
      throw new DataError(
        `${at}: expected text in UTF-8. Save it in that encoding, or give the one that it has, such as { encoding: 'latin1' }.`,
      );
    }
  };
  try {
    for await (const chunk of gzip ? raw.pipe(createGunzip({ chunkSize: 1 << 19 })) : raw) {
      if (await guard.turnIfDue())
        throw new InterruptedError(`Interrupted while reading "${path}".`);
      yield decoded(chunk as Buffer);
    }
    yield decoded(undefined);
  } finally {
    raw.destroy();
    guard.stop();
  }
}

/** How many lines of a part of a file are text, before one that is not. */
function linesBeforeFault(bytes: Buffer, encoding: string): number {
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

function lineEnds(text: string): number {
  return (text.match(/\r\n?|\n/g) ?? []).length;
}

/** The fields of one CSV record, unquoted. */
export function splitRecord(record: string, delimiter: string): string[] {
  let fields = [''];
  new Records({ delimiter, quote: '"', comment: '', skip: 0, blank: true }).push(
    record,
    true,
    (first) => {
      ({ fields } = first);
      return false;
    },
  );
  return fields;
}
