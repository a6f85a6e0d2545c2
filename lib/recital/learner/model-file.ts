import path from 'node:path';
import { ArgumentError } from '../errors.js';

/** How files of models end. */
export const EXTENSION = '.safetensors';

/**
 * The file that `save`, `load` and `export` mean. A name, such as `best` or `run-3/best`, is a file
 * in `folder`, and cannot leave it. A path that is absolute, or begins with `./`, is taken as it
 * is, from the current folder. `.safetensors` is added unless it is there.
 * @param file a name or a path
 * @param folder where names are
 */
export function modelFile(file: string, folder: string): string {
  if (typeof file !== 'string') throw new ArgumentError(`A file needs a name, got ${typeof file}.`);
  if (file === '' || file.includes('\0'))
    throw new ArgumentError(`A file needs a name, got ${JSON.stringify(file)}.`);
  if (/[\\/]$/.test(file))
    throw new ArgumentError(`"${file}" is a folder; the name of a file was expected.`);
  const full = file.endsWith(EXTENSION) ? file : file + EXTENSION;
  if (isPath(file)) return path.resolve(full);
  const bad = file.split(/[\\/]/).find((part) => part === '' || part === '.' || part === '..');
  if (bad !== undefined) {
    throw new ArgumentError(
      `"${file}" is not a name: it has the part "${bad}". To say where the file is, give a path on purpose: an absolute one, or one that begins with "./", such as "./${file}".`,
    );
  }
  return path.resolve(folder, full);
}

/** Whether a file is given by its path, not by its name. */
export function isPath(file: string): boolean {
  return path.isAbsolute(file) || /^\.[\\/]/.test(file);
}
