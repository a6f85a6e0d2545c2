import { createHash, type Hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { makeFolder, WholeFile } from '../recital/data/files/atomic-write.js';
import { DataError } from '../recital/errors.js';

/**
 * A file that was written: where, how many lines below the header, how many bytes, and the SHA-256
 * of them.
 */
export interface Written {
  path: string;
  rows: number;
  bytes: number;
  sha256: string;
}

const CHUNK = 1 << 20;

/**
 * Writes lines of bytes through one buffer into a temporary file, hashing on the way. Nothing
 * appears under the file's own name before `commit`.
 */
export class FileWriter {
  rows = 0;
  private bytes = 0;
  private readonly buffer = Buffer.allocUnsafe(CHUNK + 4096);
  private used = 0;
  private readonly hash: Hash = createHash('sha256');
  private readonly whole: WholeFile;

  /** @param file the file to be; its folder is made if need be */
  constructor(readonly file: string) {
    makeFolder(path.dirname(file));
    this.whole = new WholeFile(file);
  }

  /** Appends text and counts a row. */
  line(text: string): void {
    this.text(text);
    this.rows++;
  }

  /** Appends text of at most 4,096 bytes, without counting a row. */
  text(text: string): void {
    this.used += this.buffer.write(text, this.used);
    if (this.used >= CHUNK) this.flush();
  }

  /** Appends `track,user,playcount⏎` from ASCII bytes, and counts a row. */
  play(
    tracks: Uint8Array,
    track: number,
    trackLength: number,
    user: Uint8Array,
    playcount: number,
  ): void {
    const { buffer } = this;
    let at = this.used;
    for (let i = track * trackLength, end = i + trackLength; i < end; i++) buffer[at++] = tracks[i];
    buffer[at++] = 44; // ,
    for (let i = 0; i < user.length; i++) buffer[at++] = user[i];
    buffer[at++] = 44;
    let unit = 1;
    while (unit * 10 <= playcount) unit *= 10;
    for (let rest = playcount; unit >= 1; unit = Math.floor(unit / 10)) {
      const digit = Math.floor(rest / unit);
      buffer[at++] = 48 + digit;
      rest -= digit * unit;
    }
    buffer[at++] = 10;
    this.used = at;
    this.rows++;
    if (at >= CHUNK) this.flush();
  }

  /** Writes what is left and closes the temporary file. */
  close(): Written {
    this.flush();
    this.whole.close();
    return { path: this.file, rows: this.rows, bytes: this.bytes, sha256: this.hash.digest('hex') };
  }

  /** Gives the temporary file its own name. */
  commit(): void {
    this.whole.commit();
  }

  /** Removes the temporary file. */
  discard(): void {
    this.whole.discard();
  }

  private flush(): void {
    const part = this.buffer.subarray(0, this.used);
    this.whole.write(part);
    this.hash.update(part);
    this.bytes += this.used;
    this.used = 0;
  }
}

/** Throws if one of the files exists. */
export function refuseToOverwrite(files: readonly string[]): void {
  const there = files.filter((file) => existsSync(file));
  if (there.length > 0)
    throw new DataError(
      `${there.join(' and ')} ${there.length === 1 ? 'is' : 'are'} there already. Say --force to replace, or --out DIR to write elsewhere.`,
    );
}

/**
 * Opens writers, lets `write` fill them, and gives the files their names once all are complete; if
 * `write` throws, nothing is left behind and existing files stay as they were.
 */
export function writeFiles(
  files: readonly string[],
  write: (writers: readonly FileWriter[]) => void,
): Written[] {
  const writers: FileWriter[] = [];
  try {
    for (const file of files) writers.push(new FileWriter(file));
    write(writers);
    const written = writers.map((writer) => writer.close());
    for (const writer of writers) writer.commit();
    return written;
  } catch (error) {
    for (const writer of writers) writer.discard();
    throw error;
  }
}

/**
 * A CSV field: in quotation marks, inner ones doubled, if it holds a comma, a quotation mark or a
 * line end.
 */
export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A number as Python writes a float: `0.0`, `-12.0`, `3.77e-05`. */
export function pythonFloat(x: number): string {
  if (Number.isInteger(x)) return `${x}.0`;
  if (Math.abs(x) >= 1e-4) return String(x);
  const [mantissa, exponent] = x.toExponential().split('e-');
  return `${mantissa}e-${exponent.padStart(2, '0')}`;
}
