import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { crc32, inflateRaw, type ZlibOptions } from 'node:zlib';
import { interruptible } from '../../compute/interrupt.js';
import { DataError } from '../../errors.js';
import { given } from '../../options.js';
import { Plays } from '../plays.js';
import { warnOfDuplicates } from '../plays-columns.js';
import { Table } from '../table.js';
import { Tracks } from '../tracks.js';
import { checkFormat, shownNames, shownText } from './csv-format.js';
import {
  decoderOf,
  existingFile,
  isFile,
  linesBeforeFault,
  notInEncoding,
  statOf,
} from './text-file.js';

/** HetRec 2011 Last.fm-2K (Cantador et al., 2011). It has artists in place of tracks. */
export interface HetRec {
  /** Plays of artists, with the artists' names as titles in `plays.catalogue`. */
  readonly plays: Plays;
  /** Tags of artists: user_id, track_id (the artist's), tag, timestamp (milliseconds since 1970). */
  readonly tags: Table;
  /** Pairs of friends, both ways: user_id, friend_id. */
  readonly friends: Table;
}

const READ_HETREC = {
  /**
   * The encoding of all files: a label of TextDecoder, such as `'latin1'`. Default: as published,
   * UTF-8 but Latin-1 in tags.dat.
   */
  encoding: undefined as string | undefined,
};

/** Options of {@link readHetRec}. */
export type ReadHetRecOptions = Partial<typeof READ_HETREC>;

const FILES = [
  'artists.dat',
  'user_artists.dat',
  'tags.dat',
  'user_taggedartists-timestamps.dat',
  'user_friends.dat',
] as const;

/**
 * Reads HetRec 2011 Last.fm-2K: names are UTF-8, tags Latin-1.
 * @param where its zip, a folder with the zip, or the folder of the unpacked files
 * @throws DataError naming file, line and column, also for a character that is none in the file's
 *   encoding
 * @example const { plays, tags, friends } = await readHetRec('hetrec2011-lastfm-2k.zip');
 */
export async function readHetRec(where: string, options: ReadHetRecOptions = {}): Promise<HetRec> {
  const { encoding: label } = given(READ_HETREC, options, 'readHetRec');
  checkFormat({ encoding: label });
  const encoding = label && decoderOf(label);
  const found = locateHetRec(where);
  if (found === undefined)
    throw new DataError(
      `"${where}" is neither HetRec's zip nor a folder with it or with its user_artists.dat.`,
    );
  const files = isFile(found) ? await unzip(found, FILES) : filesIn(found);
  return interruptible(() => parseHetRec(found, files, encoding));
}

function filesIn(folder: string): Map<string, Buffer> {
  const there = FILES.filter((name) => isFile(path.join(folder, name)));
  return new Map(there.map((name) => [name, readFileSync(path.join(folder, name))]));
}

/** The HetRec collection at a path: the path itself, or in the folder of this path. */
export function locateHetRec(where: string): string | undefined {
  const stat = statOf(where);
  if (stat?.isFile()) return where.toLowerCase().endsWith('.zip') ? where : undefined;
  if (!stat?.isDirectory()) return undefined;
  if (isFile(path.join(where, 'user_artists.dat'))) return where;
  const zip = readdirSync(where).find((name) => /^hetrec.*lastfm.*\.zip$/i.test(name));
  return zip === undefined ? undefined : path.join(where, zip);
}

function parseHetRec(
  found: string,
  files: ReadonlyMap<string, Buffer>,
  encoding: string | undefined,
): HetRec {
  const read = (name: (typeof FILES)[number]): Dat => {
    const bytes = files.get(name);
    if (!bytes)
      throw new DataError(
        `"${found}" holds no ${name}, so it is not HetRec Last.fm-2K. Unpack another archive, and read the file in it.`,
      );
    const file = isFile(found) ? `${found}: ${name}` : path.join(found, name);
    if (encoding === undefined && name === 'tags.dat')
      return new Dat(file, bytes.toString('latin1'));
    return new Dat(file, decoded(file, bytes, encoding ?? 'utf-8'));
  };
  const artists = read('artists.dat');
  const [track_id, name, url] = ['id', 'name', 'url'].map((column) => artists.column(column));
  const catalogue = new Tracks(new Table({ track_id, name, url }));
  const played = read('user_artists.dat');
  const [user, track] = ['userID', 'artistID'].map((column) => played.column(column));
  const playcount = played.numbers('weight', 0);
  const plays = Plays.fromColumns({ user, track, playcount }, { catalogue });
  warnOfDuplicates(found, plays.repairs);
  const names = read('tags.dat');
  const values = names.column('tagValue');
  const nameOf = new Map(names.column('tagID').map((id, i) => [id, values[i]]));
  const tagged = read('user_taggedartists-timestamps.dat');
  const tags = new Table({
    user_id: tagged.column('userID'),
    track_id: tagged.column('artistID'),
    tag: tagged.column('tagID').map((id) => nameOf.get(id) ?? id),
    timestamp: tagged.numbers('timestamp'),
  });
  const pairs = read('user_friends.dat');
  const [user_id, friend_id] = ['userID', 'friendID'].map((column) => pairs.column(column));
  return { plays, tags, friends: new Table({ user_id, friend_id }) };
}

/** The text of a file. Throws DataError for bytes that are no text in the encoding. */
function decoded(file: string, bytes: Buffer, encoding: string): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    const line = encoding === 'utf-8' ? `, line ${linesBeforeFault(bytes, encoding) + 1}` : '';
    throw notInEncoding(`"${file}"${line}`, encoding);
  }
}

/** A tab-separated text with a header, without quotation. */
class Dat {
  private readonly names: string[];
  private readonly rows: string[][];

  constructor(
    private readonly file: string,
    text: string,
  ) {
    const lines = text.split(/\r?\n/).map((line) => line.split('\t'));
    if (lines.at(-1)!.join() === '') lines.pop();
    [this.names = [''], ...this.rows] = lines;
    const n = this.names.length;
    const bad = this.rows.findIndex((row) => row.length !== n);
    if (bad >= 0) throw this.fault(bad, `expected ${n} fields, found ${this.rows[bad].length}`);
  }

  column(name: string): string[] {
    const j = this.names.indexOf(name);
    if (j < 0)
      throw this.fault(-1, `expected a column "${name}", found: ${shownNames(this.names)}`);
    return this.rows.map((row) => row[j]);
  }

  /** A column of finite numbers, each more than `above`. */
  numbers(name: string, above = -Infinity): Float64Array {
    return Float64Array.from(this.column(name), (text, i) => {
      const value = text.trim() === '' ? NaN : Number(text);
      if (value > above && value < Infinity) return value;
      const kind = above === 0 ? 'positive number' : 'number';
      throw this.fault(i, `expected a ${kind}, got "${shownText(text)}"`, `, column "${name}"`);
    });
  }

  private fault(row: number, what: string, where = ''): DataError {
    return new DataError(`"${this.file}", line ${row + 2}${where}: ${what}.`);
  }
}

/** The most bytes that an archive may have, and its files that are read may take unpacked. */
const MOST = 2 ** 30;

/**
 * The files of these names in a zip archive, unpacked and checked; names that are not there are
 * left out. Zip64 and encryption are not supported. The archive is not trusted: files that overlap
 * or have one name, and more than 1 GB, are refused.
 * @throws DataError that says what is wrong with the archive
 */
export async function unzip(path: string, names: readonly string[]): Promise<Map<string, Buffer>> {
  const checkSize = (what: string, bytes: number): void => {
    if (bytes > MOST)
      throw new DataError(
        `"${path}" ${what} ${bytes.toLocaleString('en')} bytes, more than the ${MOST.toLocaleString('en')} that are taken. Is it the right archive?`,
      );
  };
  checkSize('has', existingFile(path).size);
  const zip = readFileSync(path);
  try {
    const wanted = entriesOf(zip).filter(({ name }) => names.includes(name));
    checkSize(
      'would take, unpacked,',
      wanted.reduce((sum, entry) => sum + entry.size, 0),
    );
    const files = new Map<string, Buffer>();
    for (const entry of wanted) files.set(entry.name, await unpacked(zip, entry));
    return files;
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(
      `"${path}" is not a whole zip archive: ${(error as Error).message}. Fetch it again.`,
    );
  }
}

/** A file in an archive: its header begins at byte `from`; `size` is that of the unpacked content. */
type Entry = { name: string } & Record<
  'method' | 'crc' | 'size' | 'from' | 'start' | 'end',
  number
>;

/** The files of an archive, by the list at its end. */
function entriesOf(zip: Buffer): Entry[] {
  const u16 = (at: number): number => zip.readUInt16LE(at);
  const u32 = (at: number): number => zip.readUInt32LE(at);
  // The last record has 22 bytes and a comment, whose length it knows.
  const isLast = (at: number): boolean =>
    at + 22 <= zip.length && at + 22 + u16(at + 20) === zip.length;
  let last = zip.length;
  do last = zip.lastIndexOf('PK\x05\x06', last - 1, 'latin1');
  while (last > 0 && !isLast(last));
  if (last < 0 || !isLast(last)) throw new Error('its list of files is missing or cut off');
  const entries: Entry[] = [];
  for (let left = u16(last + 10), at = u32(last + 16); left > 0; left--) {
    if (at + 46 > last || u32(at) !== 0x02014b50) throw new Error('its list of files is damaged');
    const name = zip.toString('utf8', at + 46, at + 46 + u16(at + 28));
    const [method, crc, size, from] = [u16(at + 10), u32(at + 16), u32(at + 24), u32(at + 42)];
    if (from + 30 > zip.length || u32(from) !== 0x04034b50)
      throw new Error(`"${name}" is not where its list of files says`);
    const start = from + 30 + u16(from + 26) + u16(from + 28);
    const end = start + u32(at + 20);
    if (end > last) throw new Error(`"${name}" goes on beyond its end`);
    if (entries.some((entry) => entry.name === name)) throw new Error(`"${name}" is in it twice`);
    entries.push({ name, method, crc, size, from, start, end });
    at += 46 + u16(at + 28) + u16(at + 30) + u16(at + 32);
  }
  entries.sort((a, b) => a.from - b.from);
  if (entries.some(({ from }, i) => i > 0 && from < entries[i - 1].end))
    throw new Error('files in it lie on top of each other');
  return entries;
}

async function unpacked(
  zip: Buffer,
  { name, method, crc, size, start, end }: Entry,
): Promise<Buffer> {
  if (method !== 0 && method !== 8)
    throw new Error(`"${name}" is packed by an unknown method (${method})`);
  const packed = zip.subarray(start, end);
  const content =
    method === 0 ? packed : await inflated(packed, { maxOutputLength: Math.max(1, size) });
  if (content.length !== size || crc32(content) !== crc)
    throw new Error(`"${name}" in it is damaged`);
  return content;
}

const inflated = promisify<Buffer, ZlibOptions, Buffer>(inflateRaw);
