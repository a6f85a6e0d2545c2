// npm run lab [-- OPTIONS]: opens JupyterLab with the kernel of this checkout. Options are
// JupyterLab's, e.g. --no-browser --port 8890, or a notebook.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { complaint } from '../../recital/data/files/atomic-write.js';
import { RecitalError } from '../../recital/errors.js';
import { findJupyter, installJupyter } from './jupyter.js';
import { installKernel, jupyterHome } from './jupyter-home.js';
import { prepareWorkspace, workspaceOf } from './workspace.js';

const root = resolve(__dirname, '../../..');
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
  prepareWorkspace(root, workspace);
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

try {
  if (process.argv.slice(2).some((arg) => arg === '--help' || arg === '-h')) console.log(usage);
  else main();
} catch (error) {
  const said = complaint(error);
  if (said === undefined) throw error;
  console.error(said);
  process.exitCode = 1;
}
