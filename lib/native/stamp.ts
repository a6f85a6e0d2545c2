import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { join, resolve } from 'node:path';

/** What is wrong with the native kernel, or with building it, and what to do. */
export class NativeError extends Error {
  override readonly name = 'NativeError';
}

/**
 * The folder that the native kernel is built into and loaded from: lib/native/build, or the one
 * that the environment variable RECITAL_NATIVE names (if it is not just 1, or 0).
 */
export function nativeFolder(): string {
  const asked = process.env.RECITAL_NATIVE ?? '';
  return ['', '0', '1'].includes(asked) ? join(__dirname, 'build') : resolve(asked);
}

/**
 * What a native kernel was compiled from and for: it runs only where both are the same, else the
 * process could end at an unknown instruction.
 */
export interface Stamp {
  /** Of the sources. */
  readonly source: string;
  /**
   * Of the processor's model and instructions, the platform and the architecture that Node was made
   * for.
   */
  readonly machine: string;
}

/** The stamp of a kernel made here and now. */
export function currentStamp(): Stamp {
  const sources = readdirSync(__dirname).filter((file) => /\.[ch]$/.test(file));
  return {
    source: hash(sources.sort().map((file) => file + readFileSync(join(__dirname, file), 'utf8'))),
    machine: hash([process.platform, process.arch, os.cpus()[0]?.model ?? '', instructions()]),
  };
}

/**
 * The file's name says what it is, so that builds of several machines can lie in one folder, and
 * none is overwritten while it is in use.
 */
export function fileName({ machine, source }: Stamp): string {
  return `native-${machine}-${source}.node`;
}

/** The stamp of a file; undefined for another kind of file. */
export function stampOf(file: string): Stamp | undefined {
  const [, machine, source] = /^native-([0-9a-f]{12})-([0-9a-f]{12})\.node$/.exec(file) ?? [];
  return source === undefined ? undefined : { machine, source };
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12);
}

/**
 * The instructions that the processor has, where the system tells them: virtual machines call many
 * processors by one name.
 */
function instructions(): string {
  try {
    const [, flags] =
      /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
    return (flags ?? '').split(' ').sort().join(' ');
  } catch {
    return '';
  }
}
