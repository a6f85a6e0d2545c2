import { readFileSync } from 'node:fs';
import { crc32, inflateRaw } from 'node:zlib';
import { DataError } from '../../errors.js';
import { existingFile } from './text-file.js';

/** Bytes that an archive may hold unpacked, of what is asked for. */
const MOST = 2 ** 30;

/** Where a file lies in an archive. */
interface Entry {
  method: number;
  crc: number;
  /** Of the packed bytes. */
  start: number;
  end: number;
  /** Bytes unpacked, as the archive says. */
  size: number;
}

/**
 * The files of these names in a zip archive, unpacked and checked; names that are not there are
 * left out. Archives beyond 4 GB (zip64) and encrypted ones are not supported. An archive is read
 * as if somebody had made it to do harm: files that lie on top of each other or are there twice,
 * and more than 1 GB, are refused.
 * @throws DataError saying what is wrong with the archive
 */
export async function unzip(path: string, names: readonly string[]): Promise<Map<string, Buffer>> {
  const tooLarge = (what: string, bytes: number): DataError =>
    new DataError(
      `"${path}" ${what} ${bytes.toLocaleString('en')} bytes, more than the ${MOST.toLocaleString('en')} that are taken. Is it the right archive?`,
    );
  const { size: packed } = existingFile(path);
  if (packed > MOST) throw tooLarge('has', packed);
  const zip = readFileSync(path);
  try {
    const entries = entriesOf(zip);
    const wanted = names.flatMap((name): [string, Entry][] =>
      entries.has(name) ? [[name, entries.get(name)!]] : [],
    );
    const size = wanted.reduce((sum, [, entry]) => sum + entry.size, 0);
    if (size > MOST) throw tooLarge('would take, unpacked,', size);
    const files = new Map<string, Buffer>();
    for (const [name, entry] of wanted) files.set(name, await unpack(zip, name, entry));
    return files;
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(
      `"${path}" is not a whole zip archive: ${(error as Error).message}. Fetch it again.`,
    );
  }
}

/** The list of files, which stands at the end. */
function entriesOf(zip: Buffer): Map<string, Entry> {
  // Its last record, 22 bytes and a comment of the length that it says, tells where the list
  // begins.
  let end = zip.length;
  do end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'), end - 1);
  while (
    end > 0 &&
    end + 22 + (end + 22 <= zip.length ? zip.readUInt16LE(end + 20) : Infinity) !== zip.length
  );
  if (end < 0 || end + 22 > zip.length || end + 22 + zip.readUInt16LE(end + 20) !== zip.length)
    throw new Error('its list of files is missing or cut off');
  const entries = new Map<string, Entry>();
  const places: [from: number, to: number][] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    if (at + 46 > end || zip.readUInt32LE(at) !== 0x02014b50)
      throw new Error('its list of files is damaged');
    const [method, crc, packedSize, size] = [
      zip.readUInt16LE(at + 10),
      zip.readUInt32LE(at + 16),
      zip.readUInt32LE(at + 20),
      zip.readUInt32LE(at + 24),
    ];
    const [nameSize, extraSize, commentSize] = [
      zip.readUInt16LE(at + 28),
      zip.readUInt16LE(at + 30),
      zip.readUInt16LE(at + 32),
    ];
    const local = zip.readUInt32LE(at + 42);
    const name = zip.toString('utf8', at + 46, at + 46 + nameSize);
    if (local + 30 > zip.length || zip.readUInt32LE(local) !== 0x04034b50)
      throw new Error(`"${name}" is not where its list of files says`);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    if (start + packedSize > end) throw new Error(`"${name}" goes on beyond its end`);
    if (entries.has(name)) throw new Error(`"${name}" is in it twice`);
    entries.set(name, { method, crc, start, end: start + packedSize, size });
    places.push([local, start + packedSize]);
    at += 46 + nameSize + extraSize + commentSize;
  }
  places.sort(([a], [b]) => a - b);
  for (let i = 1; i < places.length; i++)
    if (places[i][0] < places[i - 1][1]) throw new Error('files in it lie on top of each other');
  return entries;
}

async function unpack(
  zip: Buffer,
  name: string,
  { method, crc, start, end, size }: Entry,
): Promise<Buffer> {
  if (method !== 0 && method !== 8)
    throw new Error(`"${name}" is packed by an unknown method (${method})`);
  const packed = zip.subarray(start, end);
  const content = method === 0 ? packed : await inflated(packed, size);
  if (content.length !== size || crc32(content) !== crc)
    throw new Error(`"${name}" in it is damaged`);
  return content;
}

/** Unpacks on another thread; stops at the size that it should have. */
function inflated(packed: Buffer, size: number): Promise<Buffer> {
  return new Promise((done, failed) => {
    inflateRaw(packed, { maxOutputLength: Math.max(1, size) }, (error, content) =>
      error ? failed(error) : done(content),
    );
  });
}
