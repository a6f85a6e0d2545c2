import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { threadId } from 'node:worker_threads';
import { DataError, RecitalError } from '../../errors.js';

/** Bytes handed to the system at once. */
const CHUNK = 1 << 26;
let written = 0;

/**
 * Writes a file as a whole or not at all: a temporary file in the same folder is written, flushed
 * to the disk and renamed. Other programs, also after a crash, see the old content or the new one,
 * never a part. Temporary files of this name that a dead process has left are removed.
 * @param file its path; the folder must exist
 * @param parts the content in order: typed arrays, on shared memory too
 * @param options `flush`: whether the disk has the file before this returns; false for what can be
 *   made again
 * @throws DataError if it cannot be written; an old file is as it was before
 */
export function writeAtomically(
  file: string,
  parts: Iterable<NodeJS.ArrayBufferView>,
  options: { flush?: boolean } = {},
): void {
  const whole = new WholeFile(file, options);
  try {
    for (const { buffer, byteOffset, byteLength } of parts)
      whole.write(new Uint8Array(buffer, byteOffset, byteLength));
    whole.close();
    whole.commit();
  } catch (error) {
    whole.discard();
    throw error;
  }
}

/**
 * A file that is being written as a whole: {@link writeAtomically} for content that comes in parts,
 * or for several files that belong together.
 */
export class WholeFile {
  private readonly folder: string;
  private readonly temporary: string;
  private readonly flush: boolean;
  private descriptor: number | undefined;
  private left = false;

  /** Opens the temporary file. Throws DataError if it cannot be opened. */
  constructor(
    readonly file: string,
    { flush = true } = {},
  ) {
    this.folder = path.dirname(path.resolve(file));
    this.flush = flush;
    const name = path.basename(file);
    removeAbandoned(this.folder, (other) => other === name);
    const unique = `${process.pid}-${HOST}.${threadId}-${written++}`;
    this.temporary = path.join(this.folder, `.${name}.${unique}.tmp`);
    this.descriptor = this.tried(() => openSync(this.temporary, 'wx'));
    this.left = true;
  }

  /** Appends bytes. */
  write(bytes: Uint8Array): void {
    this.tried(() => {
      for (let at = 0; at < bytes.length; )
        at += writeSync(this.descriptor!, bytes, at, Math.min(bytes.length - at, CHUNK));
    });
  }

  /** Closes the temporary file, flushed to the disk. */
  close(): void {
    this.tried(() => {
      if (this.flush) fsyncSync(this.descriptor!);
      closeSync(this.descriptor!);
    });
    this.descriptor = undefined;
  }

  /** Renames the temporary file to the file. */
  commit(): void {
    this.tried(() => renameSync(this.temporary, this.file));
    this.left = false;
    if (this.flush) quietly(() => this.flushFolder());
  }

  /** Flushes the new name to the disk; not on Windows, where it is journalled. */
  private flushFolder(): void {
    const folder = openSync(this.folder, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }

  /** Removes the temporary file, unless it has been renamed. */
  discard(): void {
    quietly(() => this.descriptor !== undefined && closeSync(this.descriptor));
    this.descriptor = undefined;
    if (this.left) quietly(() => rmSync(this.temporary, { force: true }));
    this.left = false;
  }

  private tried<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new DataError(
        `"${this.file}" cannot be written: ${reason(error as NodeJS.ErrnoException, this.folder)} A file of that name is as it was before.`,
      );
    }
  }
}

/** A hash of this computer's name: several computers may share a folder. */
const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);

/** Age from which on another computer's temporary file is taken for abandoned. */
const FOREIGN_MS = 24 * 3600 * 1000;

/**
 * Removes the temporary files in a folder that no living process writes: those of killed processes
 * can be large.
 * @param ours whether a file of this name is the caller's
 */
export function removeAbandoned(folder: string, ours: (name: string) => boolean): void {
  const removeIfAbandoned = (entry: string): void => {
    const [, name, pid, host = HOST] =
      /^\.(.+)\.(\d+)(?:-([0-9a-f]{6}))?\.[\d-]+\.tmp$/s.exec(entry) ?? [];
    if (name === undefined || !ours(name)) return;
    const file = path.join(folder, entry);
    const changed = statSync(file).mtimeMs;
    const living =
      host === HOST ? isWriting(Number(pid), changed) : Date.now() - changed <= FOREIGN_MS;
    if (!living) rmSync(file, { force: true });
  };
  quietly(() => {
    for (const entry of readdirSync(folder)) quietly(() => removeIfAbandoned(entry));
  });
}

/**
 * Whether a process with this number may have changed a file at this time. Numbers are used again:
 * in a container an earlier process may have had this one's.
 */
function isWriting(pid: number, changed: number): boolean {
  if (pid === process.pid) return changed >= Date.now() - 1000 * process.uptime() - 1000; // a second, because file systems round
  return isRunning(pid);
}

/** Whether there is a process of this number, on this computer. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Runs work whose failure does no harm. */
export function quietly(work: () => unknown): void {
  try {
    work();
  } catch {
    // It stays.
  }
}

/** Makes a folder, and those above it, if missing. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new DataError(
      `The folder "${folder}" cannot be made: ${reason(error as NodeJS.ErrnoException, path.dirname(folder))}`,
    );
  }
}

/**
 * The message of an error for the user of a command: a RecitalError's, or a sentence for one of the
 * system, such as a full disk; undefined for a defect, whose stack is needed.
 */
export function complaint(error: unknown): string | undefined {
  if (error instanceof RecitalError) return error.message;
  const { code, syscall, path: file } = (error ?? {}) as NodeJS.ErrnoException;
  if (typeof code !== 'string' || typeof syscall !== 'string') return undefined;
  const what = file === undefined ? 'A file' : `"${file}"`;
  const done = /^(open|read|scandir|l?stat|access)$/.test(syscall) ? 'opened' : 'written';
  const why =
    code === 'ENOENT'
      ? 'there is no such file or folder.'
      : reason(error as NodeJS.ErrnoException, path.dirname(file ?? '.'));
  return `${what} cannot be ${done}: ${why}`;
}

function reason({ code = '', message }: NodeJS.ErrnoException, folder: string): string {
  const another = 'Choose another folder.';
  const why: Readonly<Record<string, string>> = {
    ENOENT: `there is no folder "${folder}". Make it first.`,
    ENOTDIR: `"${folder}" is not a folder.`,
    EISDIR: 'there is something else of that name.',
    ENOSPC: `no space is left there (${code}). Make room, or choose another folder.`,
    EFBIG: `files may not become that large there (${code}). ${another}`,
    EACCES: `"${folder}" does not allow it (${code}). ${another}`,
    EIO: 'the disk reports a fault (EIO). Choose another one.',
  };
  return why[LIKE[code] ?? code] ?? `${message}.`;
}

/** Codes of errors that are told like another one. */
const LIKE: Readonly<Record<string, string>> = {
  EEXIST: 'EISDIR',
  EDQUOT: 'ENOSPC',
  EPERM: 'EACCES',
  EROFS: 'EACCES',
};
