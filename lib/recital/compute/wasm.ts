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
