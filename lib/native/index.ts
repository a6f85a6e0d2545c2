import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { currentStamp, fileName, NativeError, nativeFolder, stampOf } from './stamp.js';

export { type BuildNativeOptions, buildNative, type NativeBuild } from './build.js';
export { currentStamp, fileName, NativeError, nativeFolder } from './stamp.js';

interface Addon {
  readonly names: readonly string[];
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

/** Whether there is a native kernel that was built from these sources for this machine. */
export function nativeBuilt(folder: string = nativeFolder()): boolean {
  return existsSync(join(folder, fileName(currentStamp())));
}

/**
 * Loads the native kernel.
 * @param memory shared, and never moved: the kernels' addresses are byte offsets into it
 * @param folder where it was built; default: where `npm run native` puts it
 * @throws NativeError if there is none, or one of other sources or for another machine
 */
export function loadNative(memory: Uint8Array, folder: string = nativeFolder()): Native {
  const stamp = currentStamp();
  const file = join(folder, fileName(stamp));
  if (!existsSync(file))
    throw new NativeError(
      `${whyMissing(folder, stamp.machine)} Run \`npm run native\` in the project's folder.`,
    );
  const module: { exports: unknown } = { exports: {} };
  try {
    process.dlopen(module, file);
  } catch (error) {
    throw new NativeError(
      `The native kernel ${file} cannot be loaded: ${(error as Error).message}. Run \`npm run native\` again.`,
    );
  }
  const addon = module.exports as Addon;
  const numbers = new Map(addon.names.map((name, i) => [name, i]));
  const args = new Float64Array(new SharedArrayBuffer(8 * 32)); // arguments go through memory: faster than one by one
  addon.attach(memory, args);
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
