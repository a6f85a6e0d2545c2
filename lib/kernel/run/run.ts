// npm start [-- NAME … --data DIR]: runs the notebooks without Jupyter or Python, and writes what a
// reader wants: the executed copy and a web page.
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { complaint, makeFolder, writeAtomically } from '../../recital/data/files/atomic-write.js';
import { RecitalError, UnknownIdError } from '../../recital/errors.js';
import { visible } from '../../recital/printed.js';
import { workspaceOf } from '../lab/lab.js';
import { willHaveIndex, writeIndex } from '../pages/index-page.js';
import { notebookPage } from '../pages/page.js';
import { checkDeno } from './deno.js';
import { type CellFailure, executeNotebook, type KernelName, kernels } from './executor.js';
import { readNotebook, writeNotebook } from './notebook-file.js';
import { TerminalWatcher } from './terminal.js';

const { start: usage } = require('../usage.cjs') as { start: string };

const root = resolve(__dirname, '../../..');
const here = process.env.INIT_CWD ?? process.cwd(); // npm runs scripts in the checkout; paths are meant from where the command was typed

/** What was asked for cannot be done: nothing has been run. */
class UsageError extends RecitalError {}

interface Job {
  names: string[];
  data?: string;
  timeout: number;
  notebooks: string;
  out: string;
  inPlace: boolean;
  kernel: KernelName;
}

function parse(argv: string[]): Job | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    data: text,
    timeout: text,
    notebooks: text,
    out: text,
    kernel: text,
    'in-place': flag,
    help: flag,
  };
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: argv, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage}`);
  }
  const { values, positionals } = parsed;
  if (values.help) return undefined;
  const timeout = Number(values.timeout ?? 600);
  if (!(timeout > 0))
    throw new UsageError(`--timeout needs a positive number of seconds, got "${values.timeout}".`);
  const kernel = kernelOf(values.kernel, Boolean(values['in-place']));
  const folder = (given: string | undefined, standard: string): string =>
    given === undefined ? join(root, standard) : resolve(here, given);
  const notebooks = folder(values.notebooks, 'notebooks');
  if (values.notebooks !== undefined)
    checkFolder('--notebooks', notebooks, 'Give the folder of the notebooks.');
  let data = values.data === undefined ? undefined : resolve(here, values.data);
  if (data !== undefined)
    checkFolder('--data', data, 'data/README.md says which files belong there.');
  // A notebook that somebody has handed in looks for the data beside its folder, as in a checkout.
  else if (!process.env.RECITAL_DATA && !existsSync(join(notebooks, '..', 'data')))
    data = join(root, 'data');
  return {
    names: positionals,
    data,
    timeout,
    notebooks,
    out: writableFolder(
      values.out === undefined ? join(workspaceOf(root), 'out') : resolve(here, values.out),
    ),
    inPlace: Boolean(values['in-place']),
    kernel,
  };
}

/** The kernel of this name, if it can be had here. */
function kernelOf(name = 'recital', inPlace: boolean): KernelName {
  if (!Object.hasOwn(kernels, name))
    throw new UsageError(`--kernel needs recital or deno, got "${name}".`);
  if (name === 'deno') {
    if (inPlace)
      throw new UsageError(
        "--in-place keeps the outputs of the notebooks' own kernel. With --kernel deno take the copies of --out.",
      );
    try {
      checkDeno();
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  }
  return name as KernelName;
}

function checkFolder(option: string, path: string, hint: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return;
  throw new UsageError(
    `${option}: ${stat ? `${path} is a file; a folder was expected` : `there is no folder ${path}`}. ${hint}`,
  );
}

/** Makes the folder for the results, before anything runs for it. */
function writableFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK);
    return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'EEXIST' || code === 'ENOTDIR'
        ? 'there is a file in its place'
        : code === 'EACCES'
          ? 'nothing may be written there'
          : code;
    throw new UsageError(`--out: ${path} cannot be used as a folder: ${why}. Give another one.`);
  }
}

/** The files to run: all, or those named, each name exact or the beginning of just one. */
function choose({ names, notebooks }: Job): string[] {
  const all = existsSync(notebooks)
    ? readdirSync(notebooks).filter((file) => file.endsWith('.ipynb'))
    : [];
  const known = all
    .map((file) => basename(file, '.ipynb'))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (known.length === 0) throw new UsageError(`There is no notebook in ${notebooks}.`);
  const chosen = names.map((name) => {
    const wanted = basename(name, '.ipynb');
    const matching = known.includes(wanted)
      ? [wanted]
      : known.filter((candidate) => candidate.startsWith(wanted));
    if (matching.length !== 1)
      throw new UsageError(new UnknownIdError('notebook', name, known).message);
    return matching[0];
  });
  return chosen.length ? chosen : known;
}

let stop: { interrupt(): void; kill(): void } | undefined;
let asked = false;

/**
 * The kernel has a process group of its own, so what the terminal sends reaches us alone: the first
 * Ctrl-C stops the cell, the second one everything.
 */
function watchSignals(): void {
  process.on('SIGINT', () => {
    if (asked || !stop) leave(130);
    else stop.interrupt();
    asked = true;
  });
  process.on('SIGTERM', () => leave(143));
  process.on('SIGHUP', () => leave(129));
}

function leave(code: number): never {
  stop?.kill();
  process.exit(code);
}

/** How one notebook went. */
interface Outcome {
  failure?: CellFailure;
  /** What could not be written where it belongs, and where it is instead. */
  unwritten: string[];
}

async function runOne(name: string, job: Job, { home }: { home: boolean }): Promise<Outcome> {
  const file = join(job.notebooks, `${name}.ipynb`);
  const notebook = readNotebook(file);
  const watcher = new TerminalWatcher(process.stdout);
  watcher.line(`\n${name}\n${'='.repeat(name.length)}`);
  const env = { ...process.env, ...(job.data ? { RECITAL_DATA: job.data } : {}) };
  const onStart = (interrupt: () => void, kill: () => void): void => {
    stop = { interrupt, kill };
  };
  const { failure, seconds } = await executeNotebook(notebook, {
    cwd: job.notebooks,
    env,
    timeout: job.timeout,
    kernel: job.kernel,
    watcher,
    onStart,
  });
  stop = undefined;
  const copy = join(job.out, `${name}.ipynb`);
  const page = join(job.out, `${name}.html`);
  const replaced = existsSync(page) ? " (in the place of an earlier run's)" : '';
  const data = resolve(job.notebooks, job.data ?? process.env.RECITAL_DATA ?? '../data');
  const folder = job.notebooks;
  const shown = (path: string): string => relative(here, path);
  const html = notebookPage(notebook, {
    name,
    seconds,
    data,
    folder,
    home,
    failure: failure && { text: explained(failure), cell: failure.number },
  });
  const written: string[] = [];
  const unwritten: string[] = [];
  const keep = (target: string, write: (path: string) => void): void => {
    const { path, trouble } = kept(target, write);
    if (trouble === undefined) written.push(shown(target));
    else
      unwritten.push(
        `${trouble} ${path === undefined ? 'It is lost.' : `It is kept as ${path} instead.`}`,
      );
  };
  keep(copy, (path) => writeNotebook(path, notebook));
  keep(page, (path) => writeAtomically(path, [Buffer.from(html)]));
  if (job.inPlace && !failure) keep(file, (path) => writeNotebook(path, notebook));
  const results = written.filter((path) => path !== shown(file)).reverse(); // the page first
  watcher.line(
    `\n${name}: ${failure ? 'failed' : 'done'} in ${seconds.toFixed(1)} s${results.length ? ` → ${results.join(', ')}` : ''}${replaced}`,
  );
  for (const line of unwritten) watcher.line(line);
  if (failure) watcher.line(explained(failure));
  return { failure, unwritten };
}

/**
 * Writes a result of a run, which may have taken an hour: where it belongs or, if that cannot be
 * written, in a temporary folder.
 */
function kept(target: string, write: (path: string) => void): { path?: string; trouble?: string } {
  try {
    makeFolder(dirname(target)); // it may have been removed meanwhile
    write(target);
    return { path: target };
  } catch (error) {
    const trouble = complaint(error);
    if (trouble === undefined) throw error;
    try {
      refuge ??= mkdtempSync(join(tmpdir(), 'recital-results-'));
      const path = join(refuge, basename(target));
      write(path);
      return { path, trouble };
    } catch {
      return { trouble };
    }
  }
}

let refuge: string | undefined;

/** Where and why a notebook failed. */
function explained({ number, line, source, message }: CellFailure): string {
  return `Cell [${number}]${line ? `, line ${line}: ${source}` : ''}\n${message}`;
}

async function main(): Promise<number> {
  const job = parse(process.argv.slice(2));
  if (!job) {
    console.log(usage);
    return 0;
  }
  const names = choose(job);
  watchSignals();
  const failed: string[] = [];
  for (const name of names) readNotebook(join(job.notebooks, `${name}.ipynb`)); // a file that is none is found before the first one runs
  const home = willHaveIndex(job.out, names);
  for (const name of names) {
    const { failure, unwritten } = await runOne(name, job, { home });
    if (unwritten.length) failed.push(`${name}: ${unwritten.join(' ')}`);
    if (failure)
      failed.push(`${name}, cell [${failure.number}]: ${failure.message.split('\n')[0]}`);
    if (failure?.interrupted) break;
  }
  const index = indexOf(job.out);
  if (index !== undefined) console.log(`\nAll pages: ${relative(here, index)}`);
  if (names.length > 1 && failed.length)
    console.log(
      `\n${failed.length} of ${names.length} notebooks failed:\n${visible(failed.join('\n'), '\n')}`,
    );
  return failed.length ? 1 : 0;
}

/** Writes the start page, if it can be written: the notebooks have run. */
function indexOf(folder: string): string | undefined {
  try {
    return writeIndex(folder);
  } catch (error) {
    const trouble = complaint(error);
    if (trouble === undefined) throw error;
    console.error(trouble);
    process.exitCode = 1;
    return undefined;
  }
}

main().then(
  (code) => {
    process.exitCode ||= code;
  },
  (error) => {
    console.error(complaint(error) ?? error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
