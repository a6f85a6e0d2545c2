import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { Plays } from '../plays.js';
import { Vocabulary } from '../vocabulary.js';
import { quietly, removeAbandoned, writeAtomically } from './atomic-write.js';
import {
  openSafetensors,
  type SafetensorsFile,
  safetensorsOf,
  type Tensor,
} from './safetensors.js';
import { vocabularyTensors } from './tensors.js';

/** To be raised whenever the layout or the meaning of what is cached changes. */
const FORMAT = 3;

/** The cache of a file's encoded plays, which makes reading it again a matter of milliseconds. */
export class PlaysCache {
  private readonly key: string;
  private readonly prefix: string;
  private readonly name: string;
  private readonly folders: string[];

  /**
   * Notes the file's state. To be made before the file is read, so that a later change of the file
   * makes the cache invalid.
   * @param options how the file is read
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

  /** The cached plays; undefined if there are none, or they are damaged or out of date. */
  read(): Plays | undefined {
    for (const folder of this.folders) {
      try {
        checkOwn(folder);
        return openSafetensors(path.join(folder, this.name), (st) => this.decode(st));
      } catch {
        // Missing or damaged: the next folder.
      }
    }
    return undefined;
  }

  /** Writes plays to the first folder that can be written, if there is one. */
  write(plays: Plays): void {
    for (const folder of this.folders) {
      try {
        if (folder.startsWith(ownTemporaryFolder))
          mkdirSync(ownTemporaryFolder, { recursive: true, mode: 0o700 });
        checkOwn(folder);
        mkdirSync(folder, { recursive: true });
        writeAtomically(path.join(folder, this.name), this.encode(plays), { flush: false });
      } catch {
        continue; // with the next folder, or none
      }
      quietly(() => this.removeOutdated(folder));
      return;
    }
  }

  private removeOutdated(folder: string): void {
    const ours = (name: string): boolean => name.startsWith(this.prefix) && name.endsWith('.plays');
    const outdated = readdirSync(folder).filter((entry) => ours(entry) && entry !== this.name);
    for (const entry of outdated) rmSync(path.join(folder, entry), { force: true });
    removeAbandoned(folder, ours);
  }

  private encode(plays: Plays): NodeJS.ArrayBufferView[] {
    const { length, users, tracks, user, track, playcount } = plays;
    const columns = Object.entries({ user, track, playcount });
    const tensors = new Map<string, Tensor>([
      ...vocabularyTensors('users', users),
      ...vocabularyTensors('tracks', tracks),
      ...columns.map(([name, data]): [string, Tensor] => [name, { shape: [length], data }]),
    ]);
    const duplicates = String(plays.repairs.duplicates);
    const arrays = Array.from(tensors.values(), ({ data }) => data);
    const crc = checksum(this.key + duplicates, arrays);
    return safetensorsOf(tensors, { key: this.key, duplicates, crc });
  }

  private decode(st: SafetensorsFile): Plays {
    const { key, duplicates, crc } = st.metadata;
    const ids = (name: string) =>
      [st.read(`${name}.bytes`, 'U8'), st.read(`${name}.offsets`, 'U32')] as const;
    const users = ids('users');
    const tracks = ids('tracks');
    const user = st.read('user', 'I32');
    const track = st.read('track', 'I32');
    const playcount = st.read('playcount', 'F32');
    const arrays = [...users, ...tracks, user, track, playcount];
    if (key !== this.key || crc !== checksum(key + duplicates, arrays))
      throw new Error('Out of date, or damaged.');
    return new Plays({
      users: new Vocabulary(...users, { kind: 'user' }),
      tracks: new Vocabulary(...tracks, { kind: 'track' }),
      user,
      track,
      playcount,
      repairs: { duplicates: Number(duplicates), notInCatalogue: 0 },
    });
  }
}

/** The CRC-32 of a text and arrays: a file system may lose what was not flushed. */
function checksum(text: string, arrays: readonly NodeJS.ArrayBufferView[]): string {
  return String(arrays.reduce((crc, array) => crc32(array, crc), crc32(text)));
}

/** A folder for this user alone: others can write to the system's temporary folder, too. */
const ownTemporaryFolder = path.join(tmpdir(), `recital-cache-${process.getuid?.() ?? 'user'}`);

/** Throws for a folder in the temporary one if another user could have put plays there. */
function checkOwn(folder: string): void {
  if (!folder.startsWith(ownTemporaryFolder) || process.getuid === undefined) return; // Windows gives each user a temporary folder
  const stat = lstatSync(ownTemporaryFolder);
  if (!stat.isDirectory() || stat.uid !== process.getuid() || (stat.mode & 0o022) !== 0)
    throw new Error('Not ours.');
}

/** File systems keep times in steps of up to this: a second change within one is not seen. */
const STEP_MS = 20;

/**
 * Identity of a file's content: another one after any change, or if another file takes its place.
 * The time of modification can be set back, as `cp -p` and `tar` do; the time of change (ctime)
 * cannot. Device and inode distinguish the files that a link may point to.
 */
function identity(file: string): string[] {
  const { size, mtimeNs, ctimeNs, ctimeMs, ino, dev } = statSync(file, { bigint: true });
  const age = Date.now() - Number(ctimeMs);
  if (age >= 0 && age < STEP_MS)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STEP_MS); // so that a change from now on shows
  return [size, mtimeNs, ctimeNs, ino, dev].map(String);
}
