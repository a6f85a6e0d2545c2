import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { memory } from '../recital/compute/memory.js';
import { RecitalError } from '../recital/errors.js';
import { NATIVE_DIR } from './build.js';
import { currentStamp, fileName, stampOf } from './stamp.js';

/** The kernels of recital.c, in its order. */
const names = [
  'adamRange',
  'adamTable',
  'columnSums',
  'crossEntropyRows',
  'gemmColumns',
  'gemmRows',
  'gruBackward',
  'gruForward',
  'lstmBackward',
  'lstmForward',
  'zero',
];
const numbers = new Map(names.map((name, i) => [name, i]));

interface Addon {
  attach(memory: Uint8Array, args: Float64Array): void;
  run(kernel: number, rows: number, threads: number): void;
}

/** The native kernel, loaded. */
export interface Native {
  /** The file that it was loaded from. */
  readonly file: string;
  /** Whether it has a kernel. */
  has(name: string): boolean;
  /**
   * Runs a kernel over n rows (columns, of columnSums and gemmColumns) on at most so many threads;
   * they are its own.
   */
  run(name: string, n: number, args: readonly number[], threads: number): void;
}

let loaded: Native | undefined;

/**
 * What the environment variable RECITAL_NATIVE asks for: nothing (unset, empty or 0), the native
 * kernel (1), or the one in a folder (its path).
 */
export function askedFor(): { native: boolean; dir: string } {
  const asked = process.env.RECITAL_NATIVE ?? '';
  return {
    native: asked !== '' && asked !== '0',
    dir: asked === '' || asked === '0' || asked === '1' ? NATIVE_DIR : resolve(asked),
  };
}

/** Whether there is a native kernel that was built from these sources for this machine. */
export function nativeBuilt(dir: string = askedFor().dir): boolean {
  return existsSync(join(dir, fileName(currentStamp())));
}

/**
 * Loads the native kernel, once.
 * @param dir where it was built, to load it from there, whatever is loaded; default:
 *   lib/recital/compute/build, or what RECITAL_NATIVE says
 * @throws RecitalError if there is none, or one of other sources or for another machine
 */
export function loadNative(dir?: string): Native {
  if (!loaded || dir !== undefined) loaded = load(dir ?? askedFor().dir);
  return loaded;
}

function load(dir: string): Native {
  const stamp = currentStamp();
  const file = join(dir, fileName(stamp));
  if (!existsSync(file))
    throw new RecitalError(
      `${whyMissing(dir, stamp.machine)} Run \`npm run native\` in the project's folder.`,
    );
  const module: { exports: unknown } = { exports: {} };
  try {
    process.dlopen(module, file);
  } catch (error) {
    throw new RecitalError(
      `The native kernel ${file} cannot be loaded: ${(error as Error).message}. Run \`npm run native\` again.`,
    );
  }
  const addon = module.exports as Addon;
  const args = new Float64Array(new SharedArrayBuffer(8 * 32)); // arguments go through memory: faster than one by one
  addon.attach(new Uint8Array(memory.buffer), args); // memory grows in place
  return {
    file,
    has: (name) => numbers.has(name),
    run(name, n, values, threads) {
      args.set(values);
      addon.run(numbers.get(name) ?? -1, n, threads);
    },
  };
}

function whyMissing(dir: string, machine: string): string {
  const others = existsSync(dir) ? readdirSync(dir).flatMap((file) => stampOf(file) ?? []) : [];
  if (others.some((stamp) => stamp.machine === machine))
    return `The native kernel in ${dir} was built from other sources than these.`;
  if (others.length)
    return `The native kernel in ${dir} was built for another processor or system.`;
  return `The native kernel has not been built (${dir}).`;
}
