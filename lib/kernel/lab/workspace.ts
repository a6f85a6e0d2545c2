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
import { join, resolve } from 'node:path';
import { RecitalError } from '../../recital/errors.js';

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
