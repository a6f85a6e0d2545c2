import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RecitalError } from '../../recital/errors.js';

/** A JupyterLab that can be started. */
export interface JupyterLab {
  /** The program and its first arguments; what follows are JupyterLab's own options. */
  command: readonly string[];
  version: string;
  /** Where it was found, for people. */
  from: string;
}

/** JupyterLab is not there and cannot be installed. The message says what is missing. */
export class JupyterMissingError extends RecitalError {}

/**
 * What a new .venv gets. JupyterLab 4 draws the charts; nbconvert makes PDF, HTML and slides of
 * notebooks.
 */
const packages = ['jupyterlab==4.6.6', 'nbconvert==7.17.2'];
const OLDEST = 4;
const windows = process.platform === 'win32';
const alternative = 'Without Jupyter, `npm start` runs the notebooks and writes web pages.';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The JupyterLab to start: that of $JUPYTER, the one that was installed before, a `jupyter` on the
 * PATH, or that of `python3`. Undefined if there is none of version 4 or newer.
 * @param folders where one may have been installed, into `.venv`: the workspace, the checkout
 * @param env the environment for `jupyter lab --version`: {@link jupyterHome}'s,
 *   else it makes folders in the user's home
 */
export function findJupyter(
  folders: readonly string[],
  env: Environment = process.env,
): JupyterLab | undefined {
  const { JUPYTER } = process.env;
  if (JUPYTER) {
    const lab = probe([JUPYTER, 'lab'], '$JUPYTER', env);
    if (lab) return lab;
    throw new JupyterMissingError(
      `JUPYTER is set to "${JUPYTER}", but \`${JUPYTER} lab --version\` does not answer with version ${OLDEST} or newer.`,
    );
  }
  const venvs = folders.map((folder) => join(folder, '.venv'));
  const own = venvs.find(
    (venv) => existsSync(stamp(venv)) && readFileSync(stamp(venv), 'utf8') === packages.join(' '),
  );
  return (
    (own ? probe([python(own), '-m', 'jupyterlab'], '.venv', env) : undefined) ??
    probe(['jupyter', 'lab'], 'the PATH', env) ??
    probe([systemPython(), '-m', 'jupyterlab'], systemPython(), env)
  );
}

/**
 * Installs JupyterLab into .venv of the checkout or of another workspace, and leaves nothing
 * elsewhere. Throws JupyterMissingError.
 * @param env as in {@link findJupyter}
 */
export function installJupyter(folder: string, env: Environment = process.env): JupyterLab {
  const venv = join(folder, '.venv');
  const name = systemPython();
  const rustup = join(folder, '.cache', 'rustup'); // pip asks `rustc` for its version, and rustup's makes a folder in the home unless told where
  const quiet = { RUSTUP_HOME: rustup, ...process.env };
  console.log(
    `There is no JupyterLab 4 here. Installing it into ${venv}, for this folder alone (once; a minute or two, and 250 MB) …`,
  );
  if (!existsSync(python(venv))) {
    const made = spawnSync(name, ['-m', 'venv', venv], { encoding: 'utf8', env: quiet });
    if (made.error) {
      throw new JupyterMissingError(
        `JupyterLab needs Python 3.9 or newer, and \`${name}\` cannot be started (${made.error.message}). Install it. ${alternative}`,
      );
    }
    if (made.status !== 0) {
      const hint = /ensurepip/.test(made.stdout + made.stderr)
        ? ' On Debian and Ubuntu: `apt install python3-venv`.'
        : '';
      throw new JupyterMissingError(
        `\`${name} -m venv\` failed:\n${(made.stdout + made.stderr).trim()}\nPython's venv module is needed.${hint} ${alternative}`,
      );
    }
  }
  const options = ['--disable-pip-version-check', '--no-cache-dir', '--quiet']; // no cache in the home
  const pip = spawnSync(python(venv), ['-m', 'pip', 'install', ...options, ...packages], {
    stdio: 'inherit',
    env: quiet,
  });
  rmSync(rustup, { recursive: true, force: true });
  if (pip.status !== 0) {
    throw new JupyterMissingError(
      `pip could not install ${packages.join(' and ')}; its message is above. It needs the network once. ${alternative}`,
    );
  }
  const lab = probe([python(venv), '-m', 'jupyterlab'], '.venv', env);
  if (!lab)
    throw new JupyterMissingError(
      `JupyterLab was installed into ${venv} but does not start. Remove that folder and try again. ${alternative}`,
    );
  writeFileSync(stamp(venv), packages.join(' '));
  return lab;
}

function probe(command: readonly string[], from: string, env: Environment): JupyterLab | undefined {
  const { status, stdout } = spawnSync(command[0], [...command.slice(1), '--version'], {
    encoding: 'utf8',
    env,
  });
  const version = /\d+\.\d+\S*/.exec(stdout ?? '')?.[0];
  if (status !== 0 || !version || Number.parseInt(version, 10) < OLDEST) return undefined;
  return { command, version, from };
}

function systemPython(): string {
  return process.env.PYTHON ?? (windows ? 'py' : 'python3');
}

function python(venv: string): string {
  return join(venv, windows ? 'Scripts/python.exe' : 'bin/python');
}

/** A file that says what was installed, written when the installation is complete. */
function stamp(venv: string): string {
  return join(venv, 'recital-packages');
}

/**
 * Prepares a home for Jupyter, so that nothing is written to the user's: settings, trust, runtime
 * files, and the kernel. The kernelspec is written at each start, because the checkout or Node may
 * have moved.
 * @param root the checkout
 * @param workspace the folder whose `.cache/jupyter` it is; default: the checkout
 * @returns the environment for Jupyter
 */
export function jupyterHome(root: string, workspace = root): Record<string, string> {
  const home = join(workspace, '.cache', 'jupyter');
  const data = join(home, 'data');
  const config = join(home, 'config');
  write(join(data, kernelFile), kernelSpec(root));
  const settings = join(config, 'lab', 'user-settings', '@jupyterlab');
  writeOnce(join(settings, 'completer-extension', 'manager.jupyterlab-settings'), {
    autoCompletion: true,
  });
  writeOnce(join(settings, 'apputils-extension', 'notification.jupyterlab-settings'), {
    fetchNews: 'false',
    checkForUpdates: false,
  });
  return {
    JUPYTER_CONFIG_DIR: config,
    JUPYTER_DATA_DIR: data,
    JUPYTER_RUNTIME_DIR: join(home, 'runtime'),
    IPYTHONDIR: join(home, 'ipython'),
  };
}

/**
 * Where a kernel lies in one of Jupyter's data folders: under the name that the notebooks ask for.
 */
const kernelFile = join('kernels', 'tslab', 'kernel.json');

/** How a Jupyter starts the kernel of this checkout. */
function kernelSpec(root: string): object {
  return {
    argv: [
      process.execPath,
      join(root, 'lib', 'kernel', 'tslab', 'start.cjs'),
      'supervise',
      '{connection_file}',
    ],
    display_name: 'TypeScript',
    language: 'typescript',
    interrupt_mode: 'message',
  };
}

/**
 * Writes the kernel of this checkout into another Jupyter, such as that of a server or of VS Code.
 * The variables of the environment that begin with RECITAL_, and NODE_OPTIONS, go along: limits of
 * threads and memory for all users, for example.
 * @param root the checkout
 * @param prefix the folder of a Python environment (what `sys.prefix` says), or `~/.local` for all
 *   Jupyters of a user of Linux
 * @returns the file that was written
 * @throws RecitalError if it cannot be written
 */
export function installKernel(root: string, prefix: string): string {
  const file = join(prefix, 'share', 'jupyter', kernelFile);
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => /^(RECITAL_.*|NODE_OPTIONS)$/.test(name)),
  );
  try {
    write(file, { ...kernelSpec(root), ...(Object.keys(env).length ? { env } : {}) });
  } catch (error) {
    throw new RecitalError(
      `The kernel cannot be written into ${prefix}: ${(error as Error).message}. Name the folder of a Python environment of yours.`,
    );
  }
  return file;
}

function write(file: string, content: object): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 1)}\n`);
}

/** A setting is a proposal: what the user has changed since stays. */
function writeOnce(file: string, content: object): void {
  if (!existsSync(file)) write(file, content);
}
