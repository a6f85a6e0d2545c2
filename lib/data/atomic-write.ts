import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { DataError } from '../errors.js';

/** Bytes handed to the system at once. */
const CHUNK = 1 << 26;
let written = 0;

/**
 * Writes a file as a whole or not at all: into a temporary file in the same folder, flushed to the disk, which then takes the file's name. Whoever reads
 * meanwhile, or after a crash, finds the old content or the new one, never a part.
 * @param file its path; the folder must exist
 * @param parts the content, one after the other: any typed array, on shared memory too. Nothing is put together in memory
 * @throws DataError if it cannot be written; the file is as it was before
 */
export function writeAtomically(file: string, parts: Iterable<NodeJS.ArrayBufferView>): void {
  const folder = path.dirname(path.resolve(file));
  const temporary = path.join(folder, `.${path.basename(file)}.${process.pid}.${written++}.tmp`);
  let made = false;
  try {
    const fd = openSync(temporary, 'wx');
    made = true;
    try {
      for (const { buffer, byteOffset, byteLength } of parts) {
        const bytes = new Uint8Array(buffer, byteOffset, byteLength);
        for (let at = 0; at < byteLength; ) at += writeSync(fd, bytes, at, Math.min(byteLength - at, CHUNK));
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, file);
    made = false;
  } catch (error) {
    if (made) rmSync(temporary, { force: true });
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new DataError(`"${file}" cannot be written: ${reason(error as NodeJS.ErrnoException, folder)} A file of that name is as it was before.`);
  }
  flushFolder(folder);
}

/** Makes a folder, and those above it, unless they are there. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new DataError(`The folder "${folder}" cannot be made: ${(error as Error).message}.`);
  }
}

function reason({ code, message }: NodeJS.ErrnoException, folder: string): string {
  if (code === 'ENOENT') return `there is no folder "${folder}". Make it first.`;
  if (code === 'ENOTDIR') return `"${folder}" is not a folder.`;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return `"${folder}" does not allow it (${code}). Choose another folder.`;
  if (code === 'ENOSPC' || code === 'EDQUOT') return `no space is left there (${code}).`;
  if (code === 'EISDIR') return 'there is a folder of that name.';
  return `${message}.`;
}

/** Makes the new name itself survive a crash, where the system can. */
function flushFolder(folder: string): void {
  try {
    const fd = openSync(folder, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Windows cannot: there the rename is journalled.
  }
}
