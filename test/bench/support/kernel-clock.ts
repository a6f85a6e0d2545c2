import { type Work, workOf } from './kernel-work.js';

/** What a kernel has done while the clock ran. */
export interface KernelTime extends Work {
  calls: number;
  ms: number;
}

type Kernel = (...args: number[]) => unknown;
type Exports = Record<string, unknown>;
type Instance = new (...args: unknown[]) => { readonly exports: Exports };

/**
 * Times each call of a kernel, and adds up the work that its arguments ask for. On one thread: what
 * other threads do is not seen.
 */
export class KernelClock {
  private times = new Map<string, KernelTime>();
  private running = false;

  /**
   * Puts a clock around the kernels that are linked from now on: it must be made before the first
   * kernel is called.
   */
  constructor() {
    const api = (globalThis as unknown as { WebAssembly: { Instance: Instance } }).WebAssembly;
    const wrap = (exports: Exports): Exports => this.wrapped(exports);
    api.Instance = new Proxy(api.Instance, {
      construct: (target, args) => ({ exports: wrap(new target(...(args as unknown[])).exports) }),
    });
  }

  start(): void {
    this.times = new Map();
    this.running = true;
  }

  /** What has been done since `start`, by kernel. */
  stop(): ReadonlyMap<string, KernelTime> {
    this.running = false;
    return this.times;
  }

  private wrapped(exports: Exports): Exports {
    return Object.fromEntries(
      Object.entries(exports).map(([name, kernel]) => [
        name,
        typeof kernel === 'function' ? this.clocked(name, kernel as Kernel) : kernel,
      ]),
    );
  }

  private clocked(name: string, kernel: Kernel): Kernel {
    return (...args) => {
      if (!this.running) return kernel(...args);
      const started = performance.now();
      const result = kernel(...args);
      this.add(name, performance.now() - started, workOf(name, args));
      return result;
    };
  }

  private add(name: string, ms: number, { flops, bytes }: Work): void {
    const time = this.times.get(name) ?? { calls: 0, ms: 0, flops: 0, bytes: 0 };
    time.calls++;
    time.ms += ms;
    time.flops += flops;
    time.bytes += bytes;
    this.times.set(name, time);
  }
}
