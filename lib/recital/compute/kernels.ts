import { RecitalError } from '../errors.js';
import { checkOneOf } from '../options.js';
import { wasmBytes } from '../packaged.js';
import { allowRelaxedSimd, environmentOf, nativePackage as installedNative } from './host.js';
import type { KernelParameters } from './kernel-list.js';
import { memory, type WasmMemory, wasm } from './memory.js';

/** A number for each word. */
type Numbers<Words extends string> = Words extends `${string} ${infer Rest}`
  ? [number, ...Numbers<Rest>]
  : [number];

/**
 * The kernels of assembly/index.ts. Pointers are byte offsets into the shared memory
 * (`array.byteOffset`).
 */
export type Kernels = {
  readonly [K in keyof KernelParameters]: (
    ...numbers: KernelParameters[K] extends '' ? [] : Numbers<KernelParameters[K]>
  ) => number;
};

/**
 * Kernels over a range of rows, (from, to, …numbers, thread): the ones that can be split over
 * threads.
 */
export type RangeKernel = {
  [K in keyof KernelParameters]: KernelParameters[K] extends `from to ${string}` ? K : never;
}[keyof KernelParameters];

/**
 * Which build of the kernels: `reproducible` gives the same bits on every machine, `fast` uses
 * fused multiply-add where the runtime has it. `native` is machine code for this machine's
 * processor where `npm run native` has made it, and `fast` for what it lacks.
 */
export type Build = WasmBuild | 'native';
/** The builds that are WebAssembly. */
export type WasmBuild = 'reproducible' | 'fast';

const loaded = new Map<Build, Kernels>();
let build: Build | undefined;
let before: WasmBuild = 'reproducible';

/** Compiles a build: its module can be sent to a thread. */
export function compiled(name: WasmBuild): object {
  if (name === 'fast') allowRelaxedSimd();
  return new wasm.Module(wasmBytes(name));
}

/** Compiles a build and links it to a memory: this thread's own instance. */
export function instantiate(name: WasmBuild, shared: WasmMemory): Kernels {
  return new wasm.Instance(compiled(name), { env: { memory: shared, abort: () => {} } })
    .exports as unknown as Kernels;
}

/** The kernels in force, on this thread. */
export function kernels(): Kernels {
  const name = wasmBuild();
  const known = loaded.get(name);
  if (known) return known;
  loaded.set(name, instantiate(name, memory));
  return kernels();
}

/**
 * The build in force: the reproducible one, unless useBuild or the environment variable
 * RECITAL_NATIVE says otherwise.
 */
export function kernelBuild(): Build {
  if (build === undefined) {
    const isNative = !['', '0'].includes(environmentOf('RECITAL_NATIVE') ?? '');
    useBuild(isNative ? 'native' : 'reproducible');
  }
  return build!;
}

/** The WebAssembly build in force: that of the kernels that are not native. */
export function wasmBuild(): WasmBuild {
  const name = kernelBuild();
  return name === 'native' ? 'fast' : name;
}

/** The WebAssembly build that was in force last. */
export function wasmBefore(): WasmBuild {
  return before;
}

/**
 * Puts another build in force, for work that starts from now on. Throws, and changes nothing, if
 * there is no native one.
 */
export function useBuild(name: Build): void {
  checkOneOf(name, ['reproducible', 'fast', 'native'], 'build');
  if (name === 'native') loadNative();
  else before = name;
  build = name;
}

type NativePackage = typeof import('recital-native');
type Native = ReturnType<NativePackage['loadNative']>;

let machineCode: Native | undefined;

/**
 * The native build, loaded once.
 * @param folder where it was built, to load it from there, whatever is loaded; default: where
 *   `npm run native` puts it
 * @throws RecitalError if there is none, or one of other sources or for another machine
 */
export function loadNative(folder?: string): Native {
  if (machineCode && folder === undefined) return machineCode;
  const { loadNative: load, NativeError } = nativePackage();
  try {
    machineCode = load(new Uint8Array(memory.buffer), folder); // memory grows in place
    return machineCode;
  } catch (error) {
    throw error instanceof NativeError ? new RecitalError(error.message) : error;
  }
}

function nativePackage(): NativePackage {
  const found = installedNative() as NativePackage | undefined;
  if (found) return found;
  throw new RecitalError(
    'The native kernel is a package of its own, recital-native, which is not installed.',
  );
}
