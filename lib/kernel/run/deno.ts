// Deno's Jupyter kernel (`deno jupyter`) in the place of the checkout's own.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RecitalError } from '../../recital/errors.js';
import { type Content, KernelClient, type OnOutput } from './kernel-client.js';
import { displayId } from './notebook-file.js';

const LATE_MS = 2_000; // for output that comes after the reply to its cell

/** The program: that of the environment variable DENO, or the one on the PATH. */
export const denoProgram = (env = process.env): string => env.DENO || 'deno';

/** Throws if there is no Deno 2 here. */
export function checkDeno(env = process.env): void {
  const program = denoProgram(env);
  const { stdout, error } = spawnSync(program, ['--version'], { encoding: 'utf8', env });
  const version = /^deno (\d+)\S*/.exec(stdout ?? '');
  if (Number(version?.[1]) >= 2) return;
  const found = error || !version ? `"${program}" is not there, or is no Deno` : version[0];
  throw new RecitalError(
    `--kernel deno needs Deno 2: ${found}. Install it (npm install --global deno), or name it in the environment variable DENO.`,
  );
}

/**
 * A folder to start Deno's kernel in, so that cells find the library: the notebooks' own, if npm
 * has installed the library there or above. Else a temporary one, with an import map that leads
 * `recital` to the library of this program and `./x.ts` to the notebooks' folder.
 */
export function denoFolder(notebooks: string): { folder: string; temporary?: string } {
  for (let at = resolve(notebooks); ; at = dirname(at)) {
    const has = (file: string): boolean => existsSync(join(at, file));
    if (has('node_modules/recital/package.json') && has('package.json'))
      return { folder: notebooks };
    if (at === dirname(at)) break;
  }
  const temporary = mkdtempSync(join(tmpdir(), 'recital-deno-'));
  const folder = join(temporary, 'in/it'); // what `../` stands for is of this program, too
  mkdirSync(folder, { recursive: true });
  const manifest = require.resolve('recital/package.json');
  const { exports } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    exports: Record<string, { import?: { default: string } }>;
  };
  const library = Object.entries(exports).flatMap(([name, { import: entry }]) =>
    entry
      ? [[`recital${name.slice(1)}`, pathToFileURL(join(dirname(manifest), entry.default)).href]]
      : [],
  );
  const imports = {
    ...Object.fromEntries(library),
    './': `${pathToFileURL(resolve(notebooks)).href}/`,
    '../': `${pathToFileURL(resolve(notebooks, '..')).href}/`,
  };
  writeFileSync(
    join(folder, 'deno.json'),
    JSON.stringify({ nodeModulesDir: 'manual', lock: false, imports }),
  );
  return { folder, temporary };
}

/** Deno's kernel, as one that runs the cells of a notebook. */
export class DenoKernel {
  private onOutput: OnOutput = () => undefined;
  private mark = ''; // what the ends of the queues say; empty while a cell runs
  private awaited = new Set<string>();
  private arrived = (): void => undefined;
  private interrupted = false;

  private constructor(
    private readonly client: KernelClient,
    private readonly temporary: string | undefined,
  ) {}

  /**
   * Starts the kernel and waits until it answers.
   * @param options.cwd the notebooks' folder
   */
  static async start(options: { cwd: string; env?: NodeJS.ProcessEnv }): Promise<DenoKernel> {
    const { cwd, env = process.env } = options;
    const { folder, temporary } = denoFolder(cwd);
    let kernel: DenoKernel | undefined;
    try {
      const client = await KernelClient.start({
        cwd: folder,
        env: { ...env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' }, // values are printed as in a file
        program: denoProgram(env),
        launcher: ['jupyter', '--kernel', '--conn'],
        onLate: (type, content) => kernel?.hear(type, content),
      });
      kernel = new DenoKernel(client, temporary);
      if (temporary) await client.execute(`Deno.chdir(${JSON.stringify(resolve(cwd))})`);
      return kernel;
    } catch (error) {
      if (!kernel && temporary) rmSync(temporary, { recursive: true, force: true });
      throw error;
    }
  }

  /** The kernel's answer to kernel_info_request. */
  get info(): Content {
    return this.client.info;
  }

  /** Runs the code of a cell; ends when its output has come, which Deno may send after the reply. */
  async execute(code: string, onOutput: OnOutput): Promise<Content> {
    this.onOutput = onOutput;
    this.interrupted = false;
    const hear: OnOutput = (type, content) => this.hear(type, content);
    const reply = await this.client.execute(code, hear);
    const mark = randomUUID();
    const all = new Promise<void>((done) => {
      this.awaited = new Set(['stream', 'display_data']);
      this.arrived = done;
    });
    this.mark = mark;
    // Streams and displays are sent by two queues: a mark at the end of each.
    const { status } = await this.client.request(
      'execute_request',
      {
        code: `console.log('${mark}'); Deno.jupyter.broadcast('display_data', { data: {}, metadata: {}, transient: { display_id: '${mark}' } });`,
        silent: true,
        store_history: false,
        user_expressions: {},
        allow_stdin: false,
        stop_on_error: false,
      },
      { onOutput: hear },
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((done) => {
      timer = setTimeout(done, status === 'ok' ? LATE_MS : 0);
    });
    await Promise.race([all, late]);
    clearTimeout(timer);
    this.mark = '';
    if (!this.interrupted || reply.status === 'ok') return reply;
    return { ...reply, ename: 'Interrupted', evalue: 'The cell was stopped.' };
  }

  /** Output has come: of the cell that runs, or the marks behind it. */
  private hear(type: string, content: Content): void {
    const { mark } = this;
    if (type === 'execute_input') return;
    const marked =
      mark !== '' &&
      (type === 'stream' ? String(content.text).includes(mark) : displayId(content) === mark);
    if (!marked) {
      this.onOutput(type, content);
      return;
    }
    if (type === 'stream') {
      const text = String(content.text).replace(`${mark}\n`, '');
      if (text) this.onOutput(type, { ...content, text });
    }
    this.awaited.delete(type);
    if (this.awaited.size === 0) this.arrived();
  }

  /** Asks the running cell to stop: one that waits for a promise does not hear it. */
  interrupt(): void {
    this.interrupted = true;
    this.client.interrupt();
  }

  /** Ends the process at once. */
  kill(): void {
    this.client.kill();
  }

  /** Ends the kernel in order, and removes its files. */
  async stop(): Promise<void> {
    await this.client.stop();
    if (this.temporary) rmSync(this.temporary, { recursive: true, force: true });
  }
}
