import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Content, KernelClient, supervised } from '../../../lib/kernel/run/kernel-client.js';
import { RecitalError } from '../../../lib/recital/errors.js';

const START_MS = 600_000; // thirty at once take turns

/** A kernel as Jupyter starts it, with the process beside it. */
export class KernelProcess {
  private constructor(
    private readonly kernel: KernelClient,
    private readonly pids: readonly number[],
  ) {}

  /** Starts one in a folder. */
  static async start(cwd: string, env: NodeJS.ProcessEnv = {}): Promise<KernelProcess> {
    const kernel = await KernelClient.start({
      cwd,
      env: { ...process.env, ...env },
      launcher: supervised,
      startTimeout: START_MS,
    });
    let printed = '';
    await kernel.execute('console.log(process.pid, process.ppid)', (type, { text }) => {
      if (type === 'stream') printed += text;
    });
    return new KernelProcess(kernel, printed.trim().split(' ').map(Number));
  }

  /**
   * Runs a cell.
   * @param options.fails whether it is to fail
   * @returns seconds from asking to the end
   * @throws RecitalError if it does not end as it should
   */
  async run(code: string, { fails = false }: { fails?: boolean } = {}): Promise<number> {
    const start = performance.now();
    const { status, ename, evalue }: Content = await this.kernel.execute(code);
    if ((status === 'error') !== fails)
      throw new RecitalError(`${code}\nended with ${status} ${ename ?? ''} ${evalue ?? ''}`);
    return (performance.now() - start) / 1000;
  }

  /**
   * Its memory and that of the process beside it, in megabytes; what processes share counts in
   * parts (PSS). Linux only: elsewhere NaN.
   */
  get memoryMB(): number {
    if (process.platform !== 'linux') return NaN;
    const pss = (pid: number): number =>
      Number(
        /^Pss:\s+(\d+) kB$/m.exec(
          readFileSync(path.join('/proc', String(pid), 'smaps_rollup'), 'utf8'),
        )?.[1],
      );
    return this.pids.reduce((sum, pid) => sum + pss(pid), 0) / 1024;
  }

  stop(): Promise<void> {
    return this.kernel.stop();
  }
}
