import { ArgumentError } from '../errors.js';
import { checkCount, checkFlag, given } from '../options.js';
import { threadProgram } from '../packaged.js';
import { environmentOf, MOST_THREADS, processors, startThread } from './host.js';
import {
  compiled,
  kernelBuild,
  kernels,
  loadNative,
  type RangeKernel,
  useBuild,
  type WasmBuild,
  wasmBefore,
  wasmBuild,
} from './kernels.js';
import { memory, SharedBuffer } from './memory.js';

const builds: readonly WasmBuild[] = ['reproducible', 'fast'];
/** The most threads that can be asked for. */
export const MAX_THREADS: number = MOST_THREADS;
// Places of the control block; from RANGES on, where the range of each task begins and ends.
const [GENERATION, ACTIVE, BUILD, KERNEL, ARGS, READY, NEXT, TASKS, OPEN, RANGES] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 10,
];

const control = new Int32Array(new SharedBuffer(4 * (RANGES + 2 * MAX_THREADS)));
const numbers = new Float64Array(new SharedBuffer(8 * 32));
let wanted = defaultThreads();
let names: string[] | undefined; // of the kernels, the same in both builds
let started = 1;

const kernelNames = (): string[] => (names ??= Object.keys(kernels()));

/**
 * How many threads a process may use, for kernels and for reading files: the environment variable
 * RECITAL_THREADS, for machines with many users. Undefined where it is not set, or is no whole
 * number of 1 or more.
 */
export function threadLimit(): number | undefined {
  const asked = Number(environmentOf('RECITAL_THREADS'));
  return Number.isInteger(asked) && asked > 0 ? asked : undefined;
}

/** By default one for each core, at most 4: the work is bound by memory. */
function defaultThreads(): number {
  return Math.min(threadLimit() ?? Math.min(4, processors()), MAX_THREADS);
}

const OPTIONS = {
  /**
   * Threads that kernels may use, 1 … 16. Default: the number of cores, at most 4, or the
   * environment variable RECITAL_THREADS.
   */
  threads: undefined as number | undefined,
  /**
   * True (default): the same bits on every machine and any number of threads. False: fused
   * multiply-add where the runtime has it, somewhat faster.
   */
  reproducible: undefined as boolean | undefined,
  /**
   * True: machine code for this machine's processor, which `npm run native` has made, where there
   * is such a kernel: faster still, and the same bits on any number of threads, but not on every
   * machine, so `reproducible` becomes false. Default false, or true with RECITAL_NATIVE=1 in the
   * environment.
   */
  native: undefined as boolean | undefined,
};

/** Options of setCompute. */
export type ComputeOptions = Partial<typeof OPTIONS>;

/**
 * Sets how kernels run, and returns the current setting. Options that are left out keep their
 * values, unless they conflict with one that is given.
 * @throws ArgumentError for values that make no sense, RecitalError where the native kernel has not
 *   been built; then nothing changes
 * @example setCompute({ threads: 2, reproducible: true }).threads // 2
 */
export function setCompute(options: ComputeOptions = {}) {
  const { threads, reproducible, native } = given(OPTIONS, options, 'setCompute');
  if (threads !== undefined) checkCount(threads, 'threads', { most: MAX_THREADS });
  if (reproducible !== undefined) checkFlag(reproducible, 'reproducible');
  if (native !== undefined) checkFlag(native, 'native');
  if (reproducible && native)
    throw new ArgumentError(
      'reproducible and native exclude each other: a native kernel rounds as its processor does. Leave one of them out.',
    );
  const build = kernelBuild();
  if (native) useBuild('native');
  else if (reproducible) useBuild('reproducible');
  else if (reproducible === false && (native === false || build !== 'native')) useBuild('fast');
  else if (native === false && build === 'native') useBuild(wasmBefore());
  wanted = threads ?? wanted; // only now: a refused call changes nothing
  return {
    threads: wanted,
    reproducible: kernelBuild() === 'reproducible',
    native: kernelBuild() === 'native',
  };
}

/**
 * The number of threads that are ready, this one included. They start at first use; until they are
 * up, this thread works alone.
 */
function ready(): number {
  while (started < wanted) {
    const modules = builds.map(compiled);
    const workerData = { memory, control, numbers, id: started, modules, names: kernelNames() };
    startThread(threadProgram(), workerData);
    started++;
  }
  return 1 + Atomics.load(control, READY) === started ? Math.min(wanted, started) : 1;
}

/**
 * Runs a kernel by the native build, if that is in force and has it, on threads of its own. False:
 * it did nothing.
 */
export function native(
  name: RangeKernel | 'columnSums' | 'zero',
  n: number,
  args: readonly number[],
): boolean {
  if (kernelBuild() !== 'native') return false;
  const build = loadNative();
  if (!build.has(name)) return false;
  build.run(name, n, args, wanted);
  return true;
}

/**
 * Runs a kernel over the rows 0 … n−1, split into one range for each thread. A kernel's result for
 * a row must not depend on the range: then the number of threads does not matter.
 * @param name which kernel
 * @param n rows
 * @param args its further arguments
 * @param options.grain rows that are worth a thread of their own: below twice that, this thread
 *   works alone
 */
export function parallel(
  name: RangeKernel,
  n: number,
  args: readonly number[],
  { grain }: { grain: number },
): void {
  if (native(name, n, args)) return;
  const kernel = kernels()[name] as unknown as (
    from: number,
    to: number,
    ...args: number[]
  ) => void;
  const threads = n < 2 * grain || wanted === 1 ? 1 : Math.min(ready(), Math.floor(n / grain));
  if (threads === 1) {
    kernel(0, n, ...args, 0);
    return;
  }
  settle(); // a notebook's stop button may have ended the job before in its middle
  const share = Math.ceil(n / threads / 4) * 4; // a multiple of 4 rows: full register tiles
  for (let task = 0; task < threads; task++) {
    control[RANGES + 2 * task] = Math.min(n, task * share);
    control[RANGES + 2 * task + 1] = Math.min(n, (task + 1) * share);
  }
  numbers.set(args);
  control[TASKS] = threads;
  control[ARGS] = args.length;
  control[KERNEL] = kernelNames().indexOf(name);
  control[BUILD] = builds.indexOf(wasmBuild());
  Atomics.store(control, NEXT, 0);
  Atomics.store(control, OPEN, 1);
  Atomics.add(control, GENERATION, 1);
  Atomics.notify(control, GENERATION);
  // Each free thread takes the next task: a thread that starts late, because its core is taken by
  // another program, leaves its task to this one.
  for (let task = 0; (task = Atomics.add(control, NEXT, 1)) < threads; ) {
    kernel(control[RANGES + 2 * task], control[RANGES + 2 * task + 1], ...args, 0);
  }
  settle();
}

/** Closes the job and waits until no other thread is at work. */
function settle(): void {
  Atomics.store(control, OPEN, 0);
  let spins = 0;
  for (let active = 0; (active = Atomics.load(control, ACTIVE)) > 0; )
    if (++spins > 20_000) Atomics.wait(control, ACTIVE, active, 1);
}
