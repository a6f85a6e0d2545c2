import { spawn } from 'node:child_process';
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { complaint } from '../../recital/data/files/atomic-write.js';
import { RecitalError } from '../../recital/errors.js';
import { findJupyter, installJupyter, installKernel, jupyterHome } from './jupyter.js';

const root = resolve(__dirname, '../../..');
/** Whether it is a checkout that runs: what is installed as a package works in the folder it is called in. */
const isCheckout = existsSync(join(root, 'tsconfig.json'));
const here = process.env.INIT_CWD ?? process.cwd(); // npm runs scripts in the checkout; a path is meant from where the command was typed

/** What is asked for: our own options, and what is JupyterLab's. */
interface Asked {
  workspace: string;
  kernel?: string;
  prepare: boolean;
  rest: string[];
}

function parse(argv: readonly string[]): Asked {
  const asked: Asked = { workspace: workspaceOf(root), prepare: false, rest: [] };
  for (let i = 0; i < argv.length; i++) {
    const [, name, after] = /^--(workspace|kernel)(?:=(.*))?$/s.exec(argv[i]) ?? [];
    if (name) {
      const folder = after ?? argv[++i];
      if (!folder || folder.startsWith('-')) throw new RecitalError(`--${name} needs a folder.`);
      asked[name as 'workspace' | 'kernel'] = resolve(here, folder);
    } else if (argv[i] === '--prepare') asked.prepare = true;
    else asked.rest.push(argv[i]);
  }
  return asked;
}

/** The options for JupyterLab: the user's come last, so that they win. */
function options(workspace: string, given: readonly string[]): string[] {
  const own = [
    `--ServerApp.root_dir=${workspace}`,
    '--MultiKernelManager.default_kernel_name=tslab', // of a new notebook
    '--LanguageServerManager.autodetect=False', // it would start npm, rustup and others to look for language servers
  ];
  if (process.getuid?.() === 0) own.push('--allow-root'); // in containers; the server listens on loopback and asks for a token
  const files = given.map((arg) =>
    !arg.startsWith('-') && !isAbsolute(arg) && existsSync(resolve(here, arg))
      ? resolve(here, arg)
      : arg,
  );
  const notebook = files.find((file) => file.endsWith('.ipynb'));
  if (
    notebook &&
    isAbsolute(notebook) &&
    !given.some((arg) => arg.startsWith('--ServerApp.root_dir'))
  )
    checkInside(workspace, notebook);
  const first = notebook ? undefined : firstNotebook(workspace);
  if (first) own.push(`--LabApp.default_url=/lab/tree/notebooks/${encodeURIComponent(first)}`);
  return [...own, ...files];
}

function checkInside(workspace: string, notebook: string): void {
  const path = relative(workspace, notebook);
  if (!path.startsWith('..') && !isAbsolute(path)) return;
  throw new RecitalError(
    `${notebook} is not in ${workspace}: JupyterLab shows that folder alone. ` +
      `Copy it into ${join(workspace, 'notebooks')}, or make the folder above it a workspace: --workspace FOLDER.`,
  );
}

/** What is opened where nothing is asked for: 0-start-here, or whatever comes first. */
function firstNotebook(workspace: string): string | undefined {
  const folder = join(workspace, 'notebooks');
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ipynb'))
    .sort()[0];
}

function main(): void {
  const { workspace, kernel, prepare, rest } = parse(process.argv.slice(2));
  if (kernel !== undefined) {
    console.log(`The kernel "TypeScript" of ${root} is in ${installKernel(root, kernel)}.`);
    return;
  }
  if (isCheckout) prepareWorkspace(root, workspace);
  if (workspace !== root) console.log(`Your notebooks and results are in ${workspace}.`);
  if (prepare) return;
  const env = { ...process.env, ...jupyterHome(root, workspace) };
  const lab = findJupyter([workspace, root], env) ?? installJupyter(workspace, env);
  console.log(
    `JupyterLab ${lab.version} (${lab.from}) for ${workspace}. To stop it, press Ctrl-C twice.`,
  );
  const [program, ...first] = lab.command;
  const server = spawn(program, [...first, ...options(workspace, rest)], {
    cwd: workspace,
    env,
    stdio: 'inherit',
  });
  process.on('SIGINT', () => {}); // the terminal sends Ctrl-C to Jupyter too, which asks before it stops
  process.on('SIGTERM', () => server.kill('SIGTERM'));
  server.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

const { lab: usage } = require('../usage.cjs') as { lab: string };

// Not where another program imports this file.
if (process.argv[1] === __filename) {
  try {
    if (process.argv.slice(2).some((arg) => arg === '--help' || arg === '-h')) console.log(usage);
    else main();
  } catch (error) {
    const said = complaint(error);
    if (said === undefined) throw error;
    console.error(said);
    process.exitCode = 1;
  }
}

/**
 * The folder for what a user makes: results, Jupyter's settings, a JupyterLab of one's own. It is
 * the checkout, but where nothing can be written there, as on a server with one checkout for many,
 * `recital` in the home folder, or what the environment variable RECITAL_WORKSPACE says.
 * @param root the checkout
 */
export function workspaceOf(root: string): string {
  const { RECITAL_WORKSPACE } = process.env;
  if (RECITAL_WORKSPACE) return resolve(RECITAL_WORKSPACE);
  try {
    accessSync(root, constants.W_OK);
    return root;
  } catch {
    return join(homedir(), 'recital');
  }
}

/**
 * Makes a folder outside of the checkout ready to work in: `notebooks/` with copies of the
 * checkout's (those that are there already stay as they are), and links to what they and README
 * name: data, docs, figures, README itself, and the library, so that editors find its types. Can be
 * called again at any time.
 * @throws RecitalError if it cannot be made
 */
export function prepareWorkspace(root: string, folder: string): void {
  if (folder === root) return; // it has all of it
  try {
    const notebooks = join(folder, 'notebooks');
    mkdirSync(notebooks, { recursive: true });
    for (const file of readdirSync(join(root, 'notebooks'))) {
      const copy = join(notebooks, file);
      if (file.endsWith('.ipynb') && !existsSync(copy))
        copyFileSync(join(root, 'notebooks', file), copy);
    }
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    link(root, join(folder, 'node_modules', 'recital'));
    for (const linked of ['data', 'docs', 'README.md', join('notebooks', 'figures')])
      link(join(root, linked), join(folder, linked));
  } catch (error) {
    throw new RecitalError(
      `The workspace ${folder} cannot be made: ${(error as Error).message}. Name another with --workspace.`,
    );
  }
}

function link(target: string, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) || !existsSync(target)) return;
  if (process.platform === 'win32' && lstatSync(target).isFile())
    copyFileSync(target, path); // Windows allows everybody junctions, which are folders
  else symlinkSync(target, path, 'junction');
}
