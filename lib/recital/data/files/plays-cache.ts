import { createHash } from 'node:crypto';
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { Plays } from '../plays.js';
import { Vocabulary } from '../vocabulary.js';
import { removeAbandoned, writeAtomically } from './atomic-write.js';

/** Raise it whenever the layout or the meaning of what is cached changes. */
const FORMAT = 2;
const MAGIC = 'recital plays\n';
const SECTIONS = [
  'userBytes',
  'userOffsets',
  'trackBytes',
  'trackOffsets',
  'user',
  'track',
  'playcount',
] as const;

type Sections = Record<
  (typeof SECTIONS)[number],
  Uint8Array | Uint32Array | Int32Array | Float32Array
>;

/**
 * What a cache file says of itself: a line of JSON, padded so that the sections, which follow it,
 * begin at a multiple of 8.
 */
interface Header {
  key: string;
  duplicates: number;
  /** Bytes of each section and its CRC-32. */
  sections: { bytes: number; crc: number }[];
}

/** The encoded plays of a file, kept beside it: a second reading takes a fraction of a second. */
export class PlaysCache {
  private readonly key: string;
  private readonly prefix: string;
  private readonly name: string;
  private readonly folders: string[];

  /**
   * Looks at the file: do it before its content is read, so that what is cached is never newer than
   * what the cache says of it.
   * @param file the file whose plays are cached
   * @param options how it is read
   */
  constructor(file: string, options: unknown) {
    const whole = path.resolve(file);
    this.key = JSON.stringify([FORMAT, identity(file), options]);
    const hash = (text: string): string =>
      createHash('sha256').update(text).digest('hex').slice(0, 12);
    this.prefix = `${path.basename(whole)}.${hash(JSON.stringify(options))}.`;
    this.name = `${this.prefix}${hash(this.key)}.plays`;
    const beside = path.join(path.dirname(whole), '.cache');
    const apart = hash(path.dirname(whole)); // files of one name in several folders
    const { RECITAL_CACHE } = process.env;
    this.folders = RECITAL_CACHE
      ? [path.resolve(RECITAL_CACHE, apart), beside]
      : [beside, path.join(ownTemporaryFolder, apart)];
  }

  /** The plays if they are cached, whole and up to date; else undefined. */
  read(): Plays | undefined {
    for (const folder of this.folders) {
      try {
        checkOwn(folder);
        return this.decode(readWhole(path.join(folder, this.name)));
      } catch {
        // Not there, or not whole: as good as no cache.
      }
    }
    return undefined;
  }

  /**
   * Keeps plays in the first folder that can be written: see {@link ReadPlaysOptions.cache}.
   * Without one it does nothing.
   */
  write(plays: Plays): void {
    for (const folder of this.folders) {
      try {
        if (folder.startsWith(ownTemporaryFolder))
          mkdirSync(ownTemporaryFolder, { recursive: true, mode: 0o700 });
        checkOwn(folder);
        mkdirSync(folder, { recursive: true });
        writeAtomically(path.join(folder, this.name), this.encode(plays), { flush: false }); // what a crash leaves is checked when it is read
        this.removeOutdated(folder);
        return;
      } catch {
        // The next folder, or none.
      }
    }
  }

  private removeOutdated(folder: string): void {
    const ours = (name: string): boolean => name.startsWith(this.prefix) && name.endsWith('.plays');
    for (const entry of readdirSync(folder))
      if (ours(entry) && entry !== this.name) removeQuietly(path.join(folder, entry));
    removeAbandoned(folder, ours);
  }

  private encode(plays: Plays): Uint8Array[] {
    const { users, tracks, user, track, playcount } = plays;
    const sections: Sections = {
      userBytes: users.bytes,
      userOffsets: users.offsets,
      trackBytes: tracks.bytes,
      trackOffsets: tracks.offsets,
      user,
      track,
      playcount,
    };
    const parts = SECTIONS.map(
      (name) =>
        new Uint8Array(sections[name].buffer, sections[name].byteOffset, sections[name].byteLength),
    );
    const header: Header = {
      key: this.key,
      duplicates: plays.repairs.duplicates,
      sections: parts.map((part) => ({ bytes: part.length, crc: crc32(part) })),
    };
    const text = Buffer.from(MAGIC + JSON.stringify(header));
    const lead = Buffer.concat([
      text,
      Buffer.alloc(padding(text.length + 1), ' '),
      Buffer.from('\n'),
    ]);
    return [lead, ...parts.flatMap((part) => [part, new Uint8Array(padding(part.length))])];
  }

  private decode(file: Buffer): Plays {
    const end = file.indexOf(10, MAGIC.length) + 1;
    if (file.toString('latin1', 0, MAGIC.length) !== MAGIC || end === 0)
      throw new Error('Not a cache.');
    const header = JSON.parse(file.toString('utf8', MAGIC.length, end)) as Header;
    if (header.key !== this.key) throw new Error('Out of date.');
    let at = end;
    const parts = header.sections.map(({ bytes, crc }) => {
      const part = file.subarray(at, at + bytes);
      if (part.length !== bytes || crc32(part) !== crc) throw new Error('Damaged.');
      at += bytes + padding(bytes);
      return part;
    });
    const part = (name: (typeof SECTIONS)[number]): [ArrayBufferLike, number, number] => {
      const { buffer, byteOffset, length } = parts[SECTIONS.indexOf(name)];
      return [buffer, byteOffset, length / 4];
    };
    return new Plays({
      users: new Vocabulary(parts[0], new Uint32Array(...part('userOffsets')), { kind: 'user' }),
      tracks: new Vocabulary(parts[2], new Uint32Array(...part('trackOffsets')), { kind: 'track' }),
      user: new Int32Array(...part('user')),
      track: new Int32Array(...part('track')),
      playcount: new Float32Array(...part('playcount')),
      repairs: { duplicates: header.duplicates, notInCatalogue: 0 },
    });
  }
}

/** Of this user alone: the system's temporary folder is everybody's. */
const ownTemporaryFolder = path.join(tmpdir(), `recital-cache-${process.getuid?.() ?? 'user'}`);

/**
 * Throws if a folder lies in the temporary one and that is not ours: somebody else could have put
 * plays there.
 */
function checkOwn(folder: string): void {
  if (!folder.startsWith(ownTemporaryFolder) || process.getuid === undefined) return; // Windows gives each user a temporary folder
  const stat = lstatSync(ownTemporaryFolder);
  if (!stat.isDirectory() || stat.uid !== process.getuid() || (stat.mode & 0o022) !== 0)
    throw new Error('Not ours.');
}

/**
 * File systems keep times in steps: of two changes within one step the second leaves the time as it
 * is.
 */
const STEP_MS = 20;

/**
 * What is another one when a file has been changed, or another file has taken its place. The time
 * of modification can be set to what it was, and is by `cp -p` and `tar`; the time of change
 * (ctime) cannot. Device and number tell apart the files that a link may point to.
 */
function identity(file: string): string[] {
  const { size, mtimeNs, ctimeNs, ctimeMs, ino, dev } = statSync(file, { bigint: true });
  const age = Date.now() - Number(ctimeMs);
  if (age >= 0 && age < STEP_MS)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STEP_MS); // so that a change from now on shows
  return [size, mtimeNs, ctimeNs, ino, dev].map(String);
}

function padding(bytes: number): number {
  return (8 - (bytes % 8)) % 8;
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // A cache is a convenience: what stands in its way is left alone.
  }
}

function readWhole(file: string): Buffer {
  const fd = openSync(file, 'r');
  try {
    const buffer = Buffer.from(new ArrayBuffer(statSync(file).size)); // of its own, so that sections are aligned
    for (let at = 0; at < buffer.length; ) {
      const got = readSync(fd, buffer, at, Math.min(buffer.length - at, 1 << 30), at);
      if (got === 0) throw new Error('Cut off.');
      at += got;
    }
    return buffer;
  } finally {
    closeSync(fd);
  }
}
