import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
 * @param env the environment that a JupyterLab is asked for its version in: {@link jupyterHome}'s,
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
