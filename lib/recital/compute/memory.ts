import { NumericError } from '../errors.js';
import { checkCount } from '../options.js';
import { garbageCollector, nextTurn } from './host.js';

// The part of the WebAssembly API that is used here. TypeScript declares it with the browser's DOM
// types only, which a Node library does without.

/** A memory shared between threads. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
  /** Grows by that many pages of 64 KiB; throws when the maximum is reached. */
  grow(pages: number): number;
}

interface WasmApi {
  Memory: new (options: { initial: number; maximum: number; shared: true }) => WasmMemory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
    imports: Record<string, Record<string, unknown>>,
  ) => { exports: unknown };
}

/** WebAssembly, typed. */
export const wasm: WasmApi = (globalThis as unknown as { WebAssembly: WasmApi }).WebAssembly;

/**
 * The one memory that parameters, moments and activations live on, so that kernels and threads work
 * in place and nothing is copied. It grows up to 4 GiB; old views stay valid when it does, because
 * it is shared.
 */
export const memory: WasmMemory = new wasm.Memory({ initial: 1, maximum: 65536, shared: true });

/** SharedArrayBuffer, which a page knows by this name only if it is cross-origin isolated. */
export const SharedBuffer: typeof SharedArrayBuffer = memory.buffer
  .constructor as typeof SharedArrayBuffer;

const ALIGN = 64; // a cache line: no two blocks share one
const PAGE = 65536;
const MAX_BYTES = 2 ** 32;
/** Bytes given out between two garbage collections. */
const COLLECT_EVERY = 256 * 2 ** 20;
/** Bytes in use below which, outside of training runs, no garbage is collected for those given out. */
const CROWDED = 512 * 2 ** 20;
/** Bytes that may come to be in use, beside as many as after the last collection, before the next. */
const GROWTH = 32 * 2 ** 20;

/** Free blocks by address: [start, size], sorted, never adjacent. */
const free: [number, number][] = [];
let top = 1024; // address 0 is never given out: kernels take it for "none"
let untouched = top; // from here on nothing has ever been given out, so it is zero, and no page of it has been taken from the system
let used = 0;
let madeSinceCollection = 0;
let least = 0; // fewest bytes in use since the last collection: what is still needed, or less

/** A view dropped by everybody gives its block back. */
const dropped = new FinalizationRegistry<[number, number]>(([start, size]) => release(start, size));
const blocks = new WeakMap<object, [number, number]>();

/** A block of the memory, [start, size]. */
function take(bytes: number): [number, number] {
  if (bytes > MAX_BYTES) throw tooMuch(bytes); // before it is counted: adding a huge number could not be undone exactly
  const size = Math.max(ALIGN, Math.ceil(bytes / ALIGN) * ALIGN);
  used += size;
  madeSinceCollection += size;
  const grown = used > 2 * least + GROWTH && madeSinceCollection > GROWTH;
  if (grown || (used > CROWDED && madeSinceCollection > COLLECT_EVERY)) collectGarbage();
  for (let i = 0; i < free.length; i++) {
    const [start, length] = free[i];
    if (length < size) continue;
    if (length === size) free.splice(i, 1);
    else free[i] = [start + size, length - size];
    return [start, size];
  }
  const start = top;
  const missing = start + size - memory.buffer.byteLength;
  if (missing > 0) {
    try {
      memory.grow(Math.ceil(missing / PAGE));
    } catch {
      used -= size;
      collectGarbage(); // for the next try
      throw tooMuch(bytes);
    }
  }
  top += size;
  return [start, size];
}

function tooMuch(bytes: number): NumericError {
  const mb = (b: number): string => `${Math.round(b / 2 ** 20).toLocaleString('en')} MB`;
  return new NumericError(
    `Out of memory: ${mb(bytes)} more were asked for, ${mb(used)} are in use, and 4 GiB is the limit. Drop learners and arrays that are no longer needed, or use fewer factors, rows or users. What was dropped comes back between two awaits, not within a loop that awaits nothing.`,
  );
}

function release(start: number, size: number): void {
  used -= size;
  least = Math.min(least, used);
  let i = 0;
  while (i < free.length && free[i][0] < start) i++;
  free.splice(i, 0, [start, size]);
  if (i + 1 < free.length && start + size === free[i + 1][0]) {
    free[i][1] += free[i + 1][1];
    free.splice(i + 1, 1);
  }
  if (i > 0 && free[i - 1][0] + free[i - 1][1] === start) {
    free[i - 1][1] += free[i][1];
    free.splice(i, 1);
    i--;
  }
  const last = free[free.length - 1];
  if (last && last[0] + last[1] === top) {
    top = last[0];
    free.pop();
  }
}

type View = Float32Array | Float64Array | Int32Array;

function zeroed<T extends View>(
  Type: { new (buffer: SharedArrayBuffer, start: number, n: number): T; BYTES_PER_ELEMENT: number },
  n: number,
  fill = true,
): T {
  checkCount(n, 'The length of an array', { least: 0 });
  const block = take(n * Type.BYTES_PER_ELEMENT);
  const [start, size] = block;
  const view = new Type(memory.buffer, start, n);
  // Writing to fresh pages here, in one go, costs less than their first use by kernels; of a very
  // large array, which may never be used whole, it takes seconds.
  const old = Math.ceil(Math.max(0, untouched - start) / Type.BYTES_PER_ELEMENT);
  if (fill) view.fill(0, 0, size <= COLLECT_EVERY ? n : old);
  untouched = Math.max(untouched, start + size);
  blocks.set(view, block);
  dropped.register(view, block, view);
  return view;
}

/**
 * `n` zeroed floats on the shared memory. They go back when the returned array is collected,
 * between two awaits: keep this very object, a `subarray` of it does not hold it.
 * @example const weights = float32(1000); // 4,000 bytes
 */
export function float32(n: number): Float32Array {
  return zeroed<Float32Array>(Float32Array, n);
}

/** `n` floats on the shared memory, whatever they are: all of them must be written next. */
export function unsetFloat32(n: number): Float32Array {
  return zeroed<Float32Array>(Float32Array, n, false);
}

/** `n` zeroed float64 on the shared memory, with the same rule. */
export function float64(n: number): Float64Array {
  return zeroed<Float64Array>(Float64Array, n);
}

/** `n` zeroed 32-bit integers on the shared memory, with the same rule. */
export function int32(n: number): Int32Array {
  return zeroed<Int32Array>(Int32Array, n);
}

/** Whether an array lies on the shared memory, and has not been given back. */
export function onMemory(view: object): boolean {
  return blocks.has(view);
}

/** Gives an array's memory back at once. The array must not be used afterwards. */
export function dispose(view: View): void {
  const block = blocks.get(view);
  if (!block) return;
  blocks.delete(view);
  dropped.unregister(view);
  release(...block);
}

/**
 * Bytes in use and bytes held.
 * @example const { used, held } = memoryUsage(); // both in bytes
 */
export function memoryUsage(): { used: number; held: number } {
  return { used, held: memory.buffer.byteLength };
}

let collect: (() => void) | undefined;

/**
 * Finds the views that nobody holds any more. Their blocks come back in tasks of their own, so not
 * before the event loop turns.
 */
function collectGarbage(): void {
  madeSinceCollection = 0;
  least = used;
  collect ??= garbageCollector();
  collect();
}

/**
 * Lets dropped arrays go. The JavaScript heap does not see how much a view holds, so that a cell
 * run fifty times would grow the process: a training run calls this first, and once 256 MB have
 * been given out since the last time it collects garbage. So does an array that is made while 512
 * MB are in use, or while twice as much is in use as after the last collection, and 32 MB more.
 */
export async function reclaim(): Promise<void> {
  if (madeSinceCollection < COLLECT_EVERY) return;
  collectGarbage();
  await nextTurn(); // finalizers run as tasks of their own
}
