import { createHash } from 'node:crypto';
import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, readSync, renameSync, rmSync, type Stats, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { Plays } from './plays.js';
import { Vocabulary } from './vocabulary.js';

/** Raise it whenever the layout or the meaning of what is cached changes. */
const FORMAT = 1;
const MAGIC = 'recital plays\n';
const SECTIONS = ['userBytes', 'userOffsets', 'trackBytes', 'trackOffsets', 'user', 'track', 'playcount'] as const;

type Sections = Record<(typeof SECTIONS)[number], Uint8Array | Uint32Array | Int32Array | Float32Array>;

/** What a cache file says of itself: a line of JSON, padded so that the sections, which follow it, begin at a multiple of 8. */
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
   * @param file the file whose plays are cached
   * @param stat its size and time of change: another one makes the cache void
   * @param options how it was read, likewise
   */
  constructor(file: string, stat: Stats, options: unknown) {
    const whole = path.resolve(file);
    this.key = JSON.stringify([FORMAT, stat.size, stat.mtimeMs, options]);
    const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
    this.prefix = `${path.basename(whole)}.${hash(JSON.stringify(options))}.`;
    this.name = `${this.prefix}${hash(this.key)}.plays`;
    const beside = path.join(path.dirname(whole), '.cache');
    const apart = hash(path.dirname(whole)); // files of one name in several folders
    const { RECITAL_CACHE } = process.env;
    this.folders = RECITAL_CACHE ? [path.resolve(RECITAL_CACHE, apart), beside] : [beside, path.join(ownTemporaryFolder, apart)];
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

  /** Keeps plays in the first folder that can be written: see {@link ReadPlaysOptions.cache}. Without one it does nothing. */
  write(plays: Plays): void {
    for (const folder of this.folders) {
      const temporary = path.join(folder, `${this.name}.${process.pid}.tmp`);
      try {
        if (folder.startsWith(ownTemporaryFolder)) mkdirSync(ownTemporaryFolder, { recursive: true, mode: 0o700 });
        checkOwn(folder);
        mkdirSync(folder, { recursive: true });
        writeWhole(temporary, this.encode(plays));
        renameSync(temporary, path.join(folder, this.name));
        this.removeOutdated(folder);
        return;
      } catch {
        removeQuietly(temporary);
      }
    }
  }

  private removeOutdated(folder: string): void {
    for (const entry of readdirSync(folder)) {
      if (entry.startsWith(this.prefix) && entry.endsWith('.plays') && entry !== this.name) removeQuietly(path.join(folder, entry));
    }
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
    const parts = SECTIONS.map((name) => new Uint8Array(sections[name].buffer, sections[name].byteOffset, sections[name].byteLength));
    const header: Header = {
      key: this.key,
      duplicates: plays.repairs.duplicates,
      sections: parts.map((part) => ({ bytes: part.length, crc: crc32(part) })),
    };
    const text = Buffer.from(MAGIC + JSON.stringify(header));
    const lead = Buffer.concat([text, Buffer.alloc(padding(text.length + 1), ' '), Buffer.from('\n')]);
    return [lead, ...parts.flatMap((part) => [part, new Uint8Array(padding(part.length))])];
  }

  private decode(file: Buffer): Plays {
    const end = file.indexOf(10, MAGIC.length) + 1;
    if (file.toString('latin1', 0, MAGIC.length) !== MAGIC || end === 0) throw new Error('Not a cache.');
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

/** Throws if a folder lies in the temporary one and that is not ours: somebody else could have put plays there. */
function checkOwn(folder: string): void {
  if (!folder.startsWith(ownTemporaryFolder) || process.getuid === undefined) return; // Windows gives each user a temporary folder
  const stat = lstatSync(ownTemporaryFolder);
  if (!stat.isDirectory() || stat.uid !== process.getuid() || (stat.mode & 0o022) !== 0) throw new Error('Not ours.');
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

function writeWhole(file: string, parts: readonly Uint8Array[]): void {
  const fd = openSync(file, 'wx');
  try {
    for (const part of parts) {
      for (let at = 0; at < part.length; ) at += writeSync(fd, part, at, Math.min(part.length - at, 1 << 30));
    }
  } finally {
    closeSync(fd);
  }
}
