// What the library needs of its runtime, of a page: stands in compute/host.ts's place in
// recital/browser, with the same names.
import type { Sha256, TextBytes } from '../compute/host.js';
import { Digest } from './sha256.js';
import { PageBytes } from './text-bytes.js';

/** The most threads that kernels can use here: the page's own. */
export const MOST_THREADS = 1;

export function processors(): number {
  return MOST_THREADS;
}

/** A page has no environment variables. */
export function environmentOf(): undefined {
  return undefined;
}

export function runtime(): { node: string; platform: string } {
  const { navigator } = globalThis as unknown as { navigator?: { userAgent: string } };
  return { node: 'none', platform: navigator?.userAgent ?? 'a page' };
}

const encoder = new TextEncoder();

export function utf8(text: string): TextBytes {
  return textBytes(encoder.encode(text));
}

export function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

export function textBytes({ buffer, byteOffset, byteLength }: Uint8Array): TextBytes {
  return new PageBytes(buffer, byteOffset, byteLength);
}

export function sha256(): Sha256 {
  return new Digest();
}

/** Whether bytes are UTF-8. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** An object's fields in one line, as Node prints them where they are numbers, texts or lists. */
export function fieldsText(fields: object): string {
  const parts = Object.entries(fields).map(([name, value]) => `${name}: ${fieldText(value)}`);
  return parts.length ? `{ ${parts.join(', ')} }` : '{}';
}

function fieldText(value: unknown): string {
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&')}'`;
  if (typeof value === 'function')
    return value.name ? `[Function: ${value.name}]` : '[Function (anonymous)]';
  if (Array.isArray(value)) return value.length ? `[ ${value.map(fieldText).join(', ')} ]` : '[]';
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.getPrototypeOf(value) === Object.prototype ? fieldsText(value) : String(value);
}

/** Browsers that have the instructions of the fast build have them always. */
export function allowRelaxedSimd(): void {}

/** A page cannot ask for a collection: garbage goes when the browser takes it. */
export function garbageCollector(): () => void {
  return () => {};
}

/** A message to oneself: a timer would wait 4 ms each time. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** A page gets no signals: who trains in one stops by a callback. */
export function watchStop(): void {}

export function unwatchStop(): void {}

/** Never called: without signals nothing is asked to stop twice. */
export function stopProcess(): void {
  throw new Error('A page cannot end itself.');
}

/** Never called: MOST_THREADS is 1. */
export function startThread(): void {
  throw new Error('In a page the kernels run on one thread.');
}

/** Machine code is not for pages. */
export function nativePackage(): undefined {
  return undefined;
}

/**
 * A value that holds for the work called by `run`, until the promise that it returns is settled.
 * Browsers do not follow a value through awaits: until then it holds for other code, too.
 */
export class AsyncLocalStorage<T> {
  private readonly values: T[] = [];

  getStore(): T | undefined {
    return this.values.at(-1);
  }

  run<R>(value: T, work: () => R): R {
    this.values.push(value);
    const over = (): void => {
      this.values.splice(this.values.lastIndexOf(value), 1);
    };
    let result: R;
    try {
      result = work();
    } catch (error) {
      over();
      throw error;
    }
    if (result instanceof Promise) result.then(over, over);
    else over();
    return result;
  }
}
