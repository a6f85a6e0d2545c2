// npm start [-- NAME … --data DIR]: runs the notebooks without Jupyter or Python, and writes what a reader wants: the executed copy and a web page.
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ArgumentError, DataError, RecitalError, UnknownIdError } from '../errors.js';
import { type CellFailure, executeNotebook } from './executor.js';
import { readNotebook, writeNotebook, writeWhole } from './notebook-file.js';
import { notebookPage } from './page.js';
import { TerminalWatcher } from './terminal.js';

const usage = `usage: npm start [-- NAME … OPTIONS]

Runs the notebooks, all or those named, in order; writes the executed copies and web pages.

  NAME                a notebook, e.g. 1-collab; the beginning of its name will do
  --data DIR          folder with the data, for notebooks as the environment variable RECITAL_DATA; default: they take data/
  --timeout SECONDS   how long a cell may take; default 600
  --notebooks DIR     folder of the notebooks; default notebooks/
  --out DIR           folder for the results; default out/
  --in-place          write the executed copy over the notebook as well
  --help`;

const root = resolve(__dirname, '..', '..');
const here = process.env.INIT_CWD ?? process.cwd(); // npm runs scripts in the checkout; paths are meant from where the command was typed

interface Job {
  names: string[];
  data?: string;
  timeout: number;
  notebooks: string;
  out: string;
  inPlace: boolean;
}

function parse(argv: string[]): Job | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { data: text, timeout: text, notebooks: text, out: text, 'in-place': flag, help: flag };
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: argv, options, allowPositionals: true });
  } catch (error) {
    throw new ArgumentError(`${(error as Error).message}\n\n${usage}`);
  }
  const { values, positionals } = parsed;
  if (values.help) return undefined;
  const timeout = Number(values.timeout ?? 600);
  if (!(timeout > 0)) throw new ArgumentError(`--timeout needs a positive number of seconds, got "${values.timeout}".`);
  const data = values.data === undefined ? undefined : resolve(here, values.data);
  if (data && !(existsSync(data) && statSync(data).isDirectory())) {
    throw new DataError(`--data ${values.data}: there is no folder ${data}. data/README.md says which files belong there.`);
  }
  const folder = (given: string | undefined, standard: string): string => (given === undefined ? join(root, standard) : resolve(here, given));
  return {
    names: positionals,
    data,
    timeout,
    notebooks: folder(values.notebooks, 'notebooks'),
    out: folder(values.out, 'out'),
    inPlace: Boolean(values['in-place']),
  };
}

/** The files to run: all, or those named, each name exact or the beginning of just one. */
function choose({ names, notebooks }: Job): string[] {
  const all = existsSync(notebooks) ? readdirSync(notebooks).filter((file) => file.endsWith('.ipynb')) : [];
  const known = all.map((file) => basename(file, '.ipynb')).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (known.length === 0) throw new DataError(`There is no notebook in ${notebooks}.`);
  const chosen = names.map((name) => {
    const wanted = basename(name, '.ipynb');
    const matching = known.includes(wanted) ? [wanted] : known.filter((candidate) => candidate.startsWith(wanted));
    if (matching.length !== 1) throw new UnknownIdError('notebook', name, known, `There are: ${known.join(', ')}.`);
    return matching[0];
  });
  return chosen.length ? chosen : known;
}

let stop: { interrupt(): void; kill(): void } | undefined;
let asked = false;

/** The kernel has a process group of its own, so what the terminal sends reaches us alone: the first Ctrl-C stops the cell, the second one everything. */
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

async function runOne(name: string, job: Job): Promise<CellFailure | undefined> {
  const file = join(job.notebooks, `${name}.ipynb`);
  const notebook = readNotebook(file);
  const watcher = new TerminalWatcher(process.stdout);
  watcher.line(`\n${name}\n${'='.repeat(name.length)}`);
  const env = { ...process.env, ...(job.data ? { RECITAL_DATA: job.data } : {}) };
  const onStart = (interrupt: () => void, kill: () => void): void => {
    stop = { interrupt, kill };
  };
  const { failure, seconds } = await executeNotebook(notebook, { cwd: job.notebooks, env, timeout: job.timeout, watcher, onStart });
  stop = undefined;
  mkdirSync(job.out, { recursive: true });
  const copy = join(job.out, `${name}.ipynb`);
  const page = join(job.out, `${name}.html`);
  writeNotebook(copy, notebook);
  writeWhole(page, notebookPage(notebook, { name, seconds }));
  if (job.inPlace && !failure) writeNotebook(file, notebook);
  const shown = (path: string): string => relative(here, path);
  watcher.line(`\n${name}: ${failure ? 'failed' : 'done'} in ${seconds.toFixed(1)} s → ${shown(page)}, ${shown(copy)}`);
  if (failure) {
    watcher.line(`Cell [${failure.number}]${failure.line ? `, line ${failure.line}: ${failure.source}` : ''}\n${failure.message}`);
  }
  return failure;
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
  for (const name of names) {
    const failure = await runOne(name, job);
    if (failure) failed.push(`${name}, cell [${failure.number}]: ${failure.message.split('\n')[0]}`);
    if (failure?.interrupted) break;
  }
  if (names.length > 1 && failed.length) console.log(`\n${failed.length} of ${names.length} notebooks failed:\n${failed.join('\n')}`);
  return failed.length ? 1 : 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error instanceof RecitalError ? error.message : error);
    process.exitCode = error instanceof RecitalError ? 2 : 1;
  },
);
