import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import v8 from 'node:v8';
import { askedFor, loadNative } from '../../native/native.js';
import { ArgumentError, RecitalError } from '../errors.js';
import { said } from '../options.js';
import { memory } from './memory.js';
import { type WasmMemory, wasm } from './wasm.js';

/**
 * The kernels of assembly/index.ts. Pointers are byte offsets into the shared memory
 * (`array.byteOffset`).
 */
export interface Kernels {
  dotBiasForward(
    n: number,
    k: number,
    users: number,
    items: number,
    U: number,
    V: number,
    bu: number,
    bv: number,
    out: number,
  ): void;
  dotBiasBackward(
    n: number,
    k: number,
    users: number,
    items: number,
    d: number,
    U: number,
    V: number,
    slotU: number,
    slotI: number,
    gU: number,
    gV: number,
    gbu: number,
    gbv: number,
  ): void;
  adam(
    n: number,
    w: number,
    g: number,
    m: number,
    v: number,
    keep: number,
    l2: number,
    b1: number,
    d1: number,
    b2: number,
    d2: number,
    step: number,
    unbias: number,
    eps: number,
  ): void;
  adamTable(
    from: number,
    to: number,
    width: number,
    slot: number,
    w: number,
    g: number,
    m: number,
    v: number,
    keep: number,
    l2: number,
    b1: number,
    d1: number,
    b2: number,
    d2: number,
    step: number,
    unbias: number,
    eps: number,
  ): void;
  moments(n: number, w: number, g: number, m: number, v: number, coefficients: number): void;
  momentsTable(
    count: number,
    width: number,
    slot: number,
    w: number,
    g: number,
    m: number,
    v: number,
    coefficients: number,
  ): void;
  gemm(
    M: number,
    N: number,
    K: number,
    a: number,
    rsa: number,
    csa: number,
    b: number,
    rsb: number,
    csb: number,
    c: number,
    ldc: number,
    add: boolean,
    scratch: number,
  ): void;
  gemmColumns(from: number, to: number, ...args: number[]): void;
  gemmRows(from: number, to: number, ...args: number[]): void;
  gemmWorkspace(): number;
  gatherRows(
    n: number,
    width: number,
    rows: number,
    table: number,
    out: number,
    stride: number,
  ): void;
  scatterRows(
    n: number,
    width: number,
    rows: number,
    d: number,
    stride: number,
    table: number,
  ): void;
  columnSums(n: number, width: number, x: number, sums: number): void;
  scaleShift(n: number, width: number, x: number, scale: number, shift: number, out: number): void;
  relu(n: number, x: number, y: number): void;
  reluBackward(n: number, y: number, d: number, out: number): void;
  adamRange(from: number, to: number, ...args: number[]): void;
  alsRows(from: number, to: number, ...args: number[]): void;
  alsWorkspace(width: number): number;
  bprMaxRows(from: number, to: number, ...args: number[]): void;
  crossEntropyRows(from: number, to: number, ...args: number[]): void;
  denseBlock(from: number, to: number, ...args: number[]): void;
  denseTransposeBlock(from: number, to: number, ...args: number[]): void;
  outerSum(from: number, to: number, ...args: number[]): void;
  skipAdvance(from: number, to: number, ...args: number[]): void;
  skipRows(from: number, to: number, ...args: number[]): void;
  skipScan(from: number, to: number, ...args: number[]): void;
  skipStep(from: number, to: number, ...args: number[]): void;
  sparseBlock(from: number, to: number, ...args: number[]): void;
  topRows(from: number, to: number, ...args: number[]): void;
  sparseRows(from: number, to: number, ...args: number[]): void;
  gruForward(from: number, to: number, ...args: number[]): void;
  gruBackward(from: number, to: number, ...args: number[]): void;
  lstmForward(from: number, to: number, ...args: number[]): void;
  lstmBackward(from: number, to: number, ...args: number[]): void;
}

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

/**
 * Whether the instructions of the fast build are behind a flag. Later versions have them anyway,
 * and Node 22 no longer knows the flag: it complains.
 */
const relaxedSimdNeedsFlag = process.versions.node.startsWith('20.');

/** The file of a build. */
export function kernelFile(name: WasmBuild): string {
  return join(__dirname, 'build', `${name}.wasm`);
}

/** Compiles a build and links it to a memory: this thread's own instance. */
export function instantiate(name: WasmBuild, shared: WasmMemory): Kernels {
  const file = kernelFile(name);
  if (!existsSync(file))
    throw new RecitalError(
      `The compiled kernels are missing (${file}). Run \`npm run prepare\` in the project's folder.`,
    );
  if (name === 'fast' && relaxedSimdNeedsFlag)
    v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  const module = new wasm.Module(readFileSync(file));
  return new wasm.Instance(module, { env: { memory: shared, abort: () => {} } })
    .exports as unknown as Kernels;
}

/** The kernels in force, on this thread. */
export function kernels(): Kernels {
  const name = wasmBuild();
  let k = loaded.get(name);
  if (!k) {
    k = instantiate(name, memory);
    loaded.set(name, k);
  }
  return k;
}

/**
 * The build in force: the reproducible one, unless useBuild or the environment variable
 * RECITAL_NATIVE says otherwise.
 */
export function kernelBuild(): Build {
  if (build === undefined) useBuild(askedFor().native ? 'native' : 'reproducible');
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
  if (name !== 'reproducible' && name !== 'fast' && name !== 'native') {
    throw new ArgumentError(`A build is 'reproducible', 'fast' or 'native', got '${said(name)}'.`);
  }
  if (name === 'native') loadNative();
  else before = name;
  build = name;
}
