// What the library needs of the runtime that it runs in: here of Node, and alike of Bun and Deno.
// recital/browser has browser/host.ts in its place, with the same names.
import { AsyncLocalStorage } from 'node:async_hooks';
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { inspect } from 'node:util';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Worker } from 'node:worker_threads';

export { AsyncLocalStorage, isUtf8 };

/** The most threads that kernels can use here. */
export const MOST_THREADS = 16;

/** Processors that this process may use. */
export const processors: () => number = availableParallelism;

/** An environment variable; undefined where it is not set. */
export function environmentOf(name: string): string | undefined {
  return process.env[name];
}

/** The runtime and its version, and what it runs on, for run cards. */
export function runtime(): { node: string; platform: string } {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}, ${processors()} processors`,
  };
}

/** Bytes of which parts can be read as text and compared: a part of what Node's Buffer can. */
export interface TextBytes extends Uint8Array {
  /** The text of a part of the bytes, which are UTF-8. */
  toString(encoding?: 'utf8', start?: number, end?: number): string;
  /** −1, 0 or 1: how a part of the bytes stands to a part of others, by their values in order. */
  compare(
    other: Uint8Array,
    otherStart?: number,
    otherEnd?: number,
    start?: number,
    end?: number,
  ): -1 | 0 | 1;
}

/** The UTF-8 of a text. */
export function utf8(text: string): TextBytes {
  return Buffer.from(text);
}

/** How many bytes the UTF-8 of a text has. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text);
}

/** A view of bytes by which they are read as text. */
export function textBytes({ buffer, byteOffset, byteLength }: Uint8Array): TextBytes {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** A hash in progress, SHA-256. */
export interface Sha256 {
  /** Adds bytes, or a text as UTF-8. */
  update(data: NodeJS.ArrayBufferView | string): Sha256;
  /** The hash as 64 hexadecimal digits; nothing can be added then. */
  digest(encoding: 'hex'): string;
}

/** Begins a SHA-256. */
export function sha256(): Sha256 {
  return createHash('sha256');
}

/** An object's fields in one line, as Node prints them. */
export function fieldsText(fields: object): string {
  return inspect(fields, { breakLength: Infinity });
}

/** Lets WebAssembly have the instructions of the fast build. */
export function allowRelaxedSimd(): void {
  // Later versions have the instructions anyway, and Node 22 complains of the flag.
  if (process.versions.node.startsWith('20.'))
    v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
}

/** What collects the garbage of JavaScript at once. */
export function garbageCollector(): () => void {
  v8.setFlagsFromString('--expose-gc');
  return vm.runInNewContext('gc') as () => void;
}

/** Lets the event loop have a turn, in which finalizers and input have theirs. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Calls `stop` when the process is asked to stop, by Ctrl-C, until `unwatchStop`. */
export function watchStop(stop: () => void): void {
  process.on('SIGINT', stop);
}

/** Undoes `watchStop`. */
export function unwatchStop(stop: () => void): void {
  process.off('SIGINT', stop);
}

/** Stops the process as Ctrl-C does. */
export function stopProcess(): void {
  process.kill(process.pid, 'SIGINT');
}

/** Starts a thread of a program; the process ends although it waits. */
export function startThread(program: string, workerData: object): void {
  new Worker(program, { eval: true, workerData, execArgv: [] }).unref();
}

/** The package of machine code; undefined where it is not installed. */
export function nativePackage(): unknown {
  try {
    return require('recital-native');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    return undefined;
  }
}
