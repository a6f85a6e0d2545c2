import { DenoKernel } from './deno.js';
import { type Content, KernelClient, KernelDiedError } from './kernel-client.js';
import { joined, type Notebook, type NotebookCell, Outputs } from './notebook-file.js';

/** A cell that failed. */
export interface CellFailure {
  /** Number of the cell as Jupyter shows it, `[3]`. */
  number: number;
  /** Its first line that the error names, and the text there. */
  line?: number;
  source?: string;
  /** Kind and text of the error, e.g. `ArgumentError: …`. */
  message: string;
  /** Whether somebody stopped it. */
  interrupted: boolean;
  /** Whether its code failed, rather than being stopped, or ending the kernel. */
  byCode: boolean;
}

/** How the execution of a notebook went. */
export interface Execution {
  /** Undefined if every cell succeeded. */
  failure: CellFailure | undefined;
  /** Seconds from the start of the kernel to the end. */
  seconds: number;
}

/** Called as things happen, for whoever wants to show them. */
export interface Watcher {
  /** A code cell begins. */
  cell?(number: number, cell: NotebookCell): void;
  /** A message of the running cell. */
  output?(type: string, content: Content): void;
  /** The running cell has ended. */
  end?(seconds: number): void;
}

/** The kernels that notebooks run in, and what their files say of each. */
export const kernels = {
  recital: { display_name: 'TypeScript', language: 'typescript', name: 'tslab' },
  deno: { display_name: 'Deno', language: 'typescript', name: 'deno' },
} as const;

/** The name of a kernel. */
export type KernelName = keyof typeof kernels;

/** Options of executeNotebook. */
export interface ExecuteOptions {
  /** Working folder of the kernel: that of the notebook. */
  cwd: string;
  /** Environment of the kernel. Default: this process's. */
  env?: NodeJS.ProcessEnv;
  /** Seconds for which a cell may print and show nothing. Default 600. */
  timeout?: number;
  /** The kernel: this checkout's, or Deno's, which checks no types. Default `recital`. */
  kernel?: KernelName;
  watcher?: Watcher;
  /** Called with a function that stops the running cell, and one that ends the kernel at once. */
  onStart?(interrupt: () => void, kill: () => void): void;
}

const GRACE_MS = 5_000; // for a cell to stop once it is told to

/** Jupyter's tag of a cell that may fail. */
const MAY_FAIL = 'raises-exception';

/**
 * Runs all code cells of a notebook from top to bottom in a new kernel, and puts outputs and
 * numbers into it. Stops at the first cell that fails, unless it has the tag `raises-exception`. A
 * promise that a cell leaves behind and that is rejected is a failure, too. Nothing is thrown for a
 * cell that fails, takes too long, or ends the kernel: that is the `failure` of the result.
 */
export async function executeNotebook(
  notebook: Notebook,
  options: ExecuteOptions,
): Promise<Execution> {
  const { cwd, env, timeout = 600, kernel: of = 'recital', watcher = {}, onStart } = options;
  const start = performance.now();
  const cells = notebook.cells.filter((cell) => cell.cell_type === 'code');
  for (const cell of cells) Object.assign(cell, { outputs: [], execution_count: null });
  const kernel = await (of === 'deno' ? DenoKernel : KernelClient).start({ cwd, env });
  onStart?.(
    () => kernel.interrupt(),
    () => kernel.kill(),
  );
  const outputs = new Outputs();
  let failure: CellFailure | undefined;
  let number = 0;
  const take = (type: string, content: Content): void => {
    outputs.add(type, content);
    watcher.output?.(type, content);
  };
  try {
    for (const cell of cells) {
      const code = joined(cell.source);
      if (code.trim() === '') continue;
      cell.outputs = [];
      cell.execution_count = ++number;
      outputs.begin(cell.outputs);
      watcher.cell?.(number, cell);
      const began = performance.now();
      failure = await runCell(kernel, { code, number, timeout, take });
      watcher.end?.((performance.now() - began) / 1000);
      if (failure?.byCode && tagsOf(cell).includes(MAY_FAIL)) failure = undefined;
      if (failure) break;
    }
    if (!failure && number > 0 && kernel instanceof KernelClient)
      failure = await leftBehind(kernel, number, take);
  } finally {
    await kernel.stop();
  }
  notebook.metadata.kernelspec = { ...kernels[of] };
  notebook.metadata.language_info = kernel.info.language_info;
  return { failure, seconds: (performance.now() - start) / 1000 };
}

interface CellJob {
  code: string;
  number: number;
  timeout: number;
  take(type: string, content: Content): void;
}

async function runCell(
  kernel: KernelClient | DenoKernel,
  { code, number, timeout, take }: CellJob,
): Promise<CellFailure | undefined> {
  let late = false;
  let killer: NodeJS.Timeout | undefined;
  // Silence, not work: on a slow machine a training that prints an epoch now and then may take an
  // hour.
  const silence = setTimeout(() => {
    late = true;
    kernel.interrupt();
    killer = setTimeout(() => kernel.kill(), GRACE_MS);
  }, timeout * 1000);
  const heard = (type: string, content: Content): void => {
    if (!late) silence.refresh();
    take(type, content);
  };
  const tooLong = `Timeout: the cell printed and showed nothing for ${timeout} s. Give --timeout more seconds, or less data.`;
  try {
    const reply = await kernel.execute(code, heard);
    if (reply.status === 'ok') return rejected(reply, number);
    const {
      ename,
      evalue,
      traceback = [],
    } = reply as { ename?: string; evalue?: string; traceback?: string[] };
    const interrupted = ename === 'Interrupted';
    const message = late ? tooLong : `${ename}: ${evalue}`;
    return {
      number,
      message,
      interrupted: interrupted && !late,
      byCode: !interrupted && !late && ename !== 'KernelExit',
      ...place(traceback, number, code),
    };
  } catch (error) {
    if (!(error instanceof KernelDiedError)) throw error;
    const message = late ? tooLong : error.message;
    take('error', {
      ename: late ? 'Timeout' : error.name,
      evalue: message,
      traceback: message.split('\n'),
    });
    return { number, message, interrupted: false, byCode: false };
  } finally {
    clearTimeout(silence);
    clearTimeout(killer);
  }
}

interface Rejection {
  ename: string;
  evalue: string;
  traceback: string[];
}

/**
 * The failure of a promise that was rejected although no cell awaits it: see the launcher. The cell
 * is the one that its stack names, or that ran.
 */
function rejected(reply: Content, running: number): CellFailure | undefined {
  const [first] = (reply.rejections ?? []) as Rejection[];
  if (!first) return undefined;
  const [, number = running, line] =
    /cell \[(\d+)\], line (\d+)/.exec(first.traceback.join('\n')) ?? [];
  const source = /cell \[\d+\], line \d+(?: \(.*?\))?: (.*)/.exec(first.traceback.join('\n'))?.[1];
  const message = `${first.ename}: ${first.evalue}\nNo cell awaits the promise that was rejected: write \`await\` before the call.`;
  return {
    number: Number(number),
    message,
    interrupted: false,
    byCode: true,
    ...(line ? { line: Number(line), source } : {}),
  };
}

/**
 * What cells have left running when the last one has ended: waits for it a while, and gives its
 * failure.
 */
async function leftBehind(
  kernel: KernelClient,
  number: number,
  take: CellJob['take'],
): Promise<CellFailure | undefined> {
  try {
    const reply = await kernel.request('recital_finish_request', {});
    for (const content of reply.rejections as Rejection[]) take('error', { ...content });
    const still =
      'Work that no cell awaits still went on when the last cell had ended; it was cut off. Write `await` before the call that began it.\n';
    if (reply.running) take('stream', { name: 'stderr', text: still });
    return rejected(reply, number);
  } catch (error) {
    if (!(error instanceof KernelDiedError)) throw error;
    take('error', {
      ename: error.name,
      evalue: error.message,
      traceback: error.message.split('\n'),
    });
    return { number, message: error.message, interrupted: false, byCode: false };
  }
}

/** The tags of a cell. */
function tagsOf(cell: NotebookCell): readonly unknown[] {
  const { tags } = cell.metadata ?? {};
  return Array.isArray(tags) ? tags : [];
}

/** The first line of this cell that a traceback names. */
function place(
  traceback: readonly string[],
  number: number,
  code: string,
): { line?: number; source?: string } {
  const line = Number(
    new RegExp(`cell \\[${number}\\], line (\\d+)`).exec(traceback.join('\n'))?.[1],
  );
  return line ? { line, source: code.split('\n')[line - 1]?.trim() } : {};
}
