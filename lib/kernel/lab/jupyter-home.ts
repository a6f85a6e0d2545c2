import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RecitalError } from '../../recital/errors.js';

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
      join(root, 'lib', 'kernel', 'tslab', 'supervise.cjs'),
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
