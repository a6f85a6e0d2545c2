// npm run lab [-- OPTIONS]: opens JupyterLab with the kernel of this checkout. Options are JupyterLab's, e.g. --no-browser --port 8890, or a notebook.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { RecitalError } from '../errors.js';
import { findJupyter, installJupyter } from './jupyter.js';
import { jupyterHome } from './jupyter-home.js';

const root = resolve(__dirname, '..', '..');
const here = process.env.INIT_CWD ?? process.cwd(); // npm runs scripts in the checkout; a path is meant from where the command was typed

/** The options for JupyterLab: the user's come last, so that they win. */
function options(given: readonly string[]): string[] {
  const own = [
    `--ServerApp.root_dir=${root}`,
    '--MultiKernelManager.default_kernel_name=tslab', // of a new notebook
    '--LanguageServerManager.autodetect=False', // it would start npm, rustup and others to look for language servers
  ];
  if (process.getuid?.() === 0) own.push('--allow-root'); // in containers; the server listens on loopback and asks for a token
  const files = given.map((arg) => (!arg.startsWith('-') && !isAbsolute(arg) && existsSync(resolve(here, arg)) ? resolve(here, arg) : arg));
  const first = readdirSync(root).includes('notebooks')
    ? readdirSync(join(root, 'notebooks'))
        .filter((file) => file.endsWith('.ipynb'))
        .sort()[0]
    : undefined;
  if (first && !files.some((file) => file.endsWith('.ipynb'))) own.push(`--LabApp.default_url=/lab/tree/notebooks/${encodeURIComponent(first)}`);
  return [...own, ...files];
}

function main(): void {
  const lab = findJupyter(root) ?? installJupyter(root);
  const env = { ...process.env, ...jupyterHome(root) };
  console.log(`JupyterLab ${lab.version} (${lab.from}) for ${root}. To stop it, press Ctrl-C twice.`);
  const [program, ...first] = lab.command;
  const server = spawn(program, [...first, ...options(process.argv.slice(2))], { cwd: root, env, stdio: 'inherit' });
  process.on('SIGINT', () => {}); // the terminal sends Ctrl-C to Jupyter too, which asks before it stops
  process.on('SIGTERM', () => server.kill('SIGTERM'));
  server.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

const { lab: usage } = require('./usage.cjs') as { lab: string };

try {
  if (process.argv.slice(2).some((arg) => arg === '--help' || arg === '-h')) console.log(usage);
  else main();
} catch (error) {
  if (!(error instanceof RecitalError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
