import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Steps } from '../../compute/interrupt.js';
import { DataError, RecitalError } from '../../errors.js';
import { namedError } from './named-error.js';
import { existingFile, isFile } from './text-file.js';

/** Bytes of which parts are read when they are asked for. */
export interface ByteSource {
  /** How many there are. */
  readonly size: number;
  /** Fills an array with those from this place on. */
  fill(into: Uint8Array, from: number): void;
}

/** Bytes that are read by one call. */
const CHUNK = 1 << 28;

/**
 * Opens a file for as long as `use` works with it, in steps. A RecitalError in there becomes one that
 * names the file.
 */
export function* fileInSteps<T>(file: string, use: (bytes: ByteSource) => Steps<T>): Steps<T> {
  let fd: number | undefined;
  try {
    existingFile(file);
    const opened = (fd = openSync(file, 'r'));
    const fill = (into: Uint8Array, from: number): void => readInto(into, opened, from);
    return yield* use({ size: fstatSync(opened).size, fill });
  } catch (error) {
    if (fd === undefined && error instanceof RecitalError) throw error; // it names the file
    throw namedError(error, `"${file}"`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Fills an array of bytes with those of a file, from this place on. */
function readInto(bytes: Uint8Array, fd: number, from: number): void {
  for (let at = 0; at < bytes.length; ) {
    const got = readSync(fd, bytes, at, Math.min(bytes.length - at, CHUNK), from + at);
    if (got === 0) throw new DataError('it was cut off while it was read.');
    at += got;
  }
}

/** The path of a file, with an ending put to it if there is no such file without. */
export function withEnding(file: string, ending: string): string {
  return file.endsWith(ending) || isFile(file) ? file : file + ending;
}
