import { readFileSync } from 'node:fs';
import { crc32, inflateRawSync } from 'node:zlib';
import { DataError } from '../errors.js';
import { existingFile } from './text-file.js';

/** The files in a zip archive, by name, unpacked and checked. Archives beyond 4 GB (zip64) and encrypted ones are not supported. */
export function unzip(path: string): Map<string, Buffer> {
  existingFile(path);
  const zip = readFileSync(path);
  try {
    return unpack(zip);
  } catch (error) {
    throw new DataError(`"${path}" is not a whole zip archive: ${(error as Error).message}. Fetch it again.`);
  }
}

function unpack(zip: Buffer): Map<string, Buffer> {
  // The list of files stands at the end; its last record, 22 bytes without a comment, says where the list begins.
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0) throw new Error('its list of files is missing');
  const files = new Map<string, Buffer>();
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    if (zip.readUInt32LE(at) !== 0x02014b50) throw new Error('its list of files is damaged');
    const [method, crc, packedSize] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 16), zip.readUInt32LE(at + 20)];
    const [nameSize, extraSize, commentSize] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)];
    const entry = zip.readUInt32LE(at + 42);
    const name = zip.toString('utf8', at + 46, at + 46 + nameSize);
    const start = entry + 30 + zip.readUInt16LE(entry + 26) + zip.readUInt16LE(entry + 28);
    const packed = zip.subarray(start, start + packedSize);
    if (method !== 0 && method !== 8) throw new Error(`"${name}" is packed by an unknown method (${method})`);
    const content = method === 0 ? packed : inflateRawSync(packed);
    if (crc32(content) !== crc) throw new Error(`"${name}" in it is damaged`);
    if (!name.endsWith('/')) files.set(name, content);
    at += 46 + nameSize + extraSize + commentSize;
  }
  return files;
}
