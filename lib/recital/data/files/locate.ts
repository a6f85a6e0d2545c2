import { readdirSync } from 'node:fs';
import path from 'node:path';
import { DataError } from '../../errors.js';
import { isFile, statOf } from './text-file.js';

/**
 * A data file and its kind: a table of rows, or the HetRec Last.fm-2K collection (its zip, or the
 * folder of its files).
 */
export interface Located {
  kind: 'table' | 'hetrec';
  path: string;
}

const PLAYS = ['User Listening History'];
const TRACKS = ['Music Info', 'tracks_30459'];
const EXTENSIONS = ['.csv', '.csv.gz', '.parquet'];

/** The plays of a path: see {@link readPlays}. Throws DataError if there are none. */
export function locatePlays(where: string): Located {
  return located(where, PLAYS, 'plays');
}

/** The tracks of a path: see {@link readTracks}. Throws DataError if there are none. */
export function locateTracks(where: string): Located {
  return located(where, TRACKS, 'tracks');
}

/** The tracks file in the same folder as a plays file, if there is one. */
export function tracksBeside(plays: string): string | undefined {
  return namedIn(path.dirname(plays), TRACKS);
}

/** The HetRec collection at a path: the path itself, or in the folder of this path. */
export function locateHetRec(where: string): string | undefined {
  const stat = statOf(where);
  if (stat?.isFile()) return where.toLowerCase().endsWith('.zip') ? where : undefined;
  if (!stat?.isDirectory()) return undefined;
  if (isFile(path.join(where, 'user_artists.dat'))) return where;
  const zip = readdirSync(where).find((name) => /^hetrec.*lastfm.*\.zip$/i.test(name));
  return zip === undefined ? undefined : path.join(where, zip);
}

function located(where: string, names: readonly string[], what: string): Located {
  const stat = statOf(where);
  if (!stat)
    throw new DataError(
      `There is no file or folder "${where}". Check the path; a relative one starts from ${process.cwd()}.`,
    );
  if (!stat.isFile() && !stat.isDirectory())
    throw new DataError(
      `"${where}" is a pipe or a device: copy what it gives to a file, and read that.`,
    );
  const table = stat.isFile() ? where : namedIn(where, names);
  const hetRec = locateHetRec(where);
  if (hetRec !== undefined && (table === undefined || table === hetRec))
    return { kind: 'hetrec', path: hetRec };
  const found = table ?? namedIn(path.join(where, 'sample'), names);
  if (found !== undefined) return { kind: 'table', path: found };
  throw new DataError(
    `The folder "${where}" holds no ${what}. Put Kaggle's "${names[0]}.csv" there, or give the path of a file.`,
  );
}

function namedIn(folder: string, names: readonly string[]): string | undefined {
  return names
    .flatMap((name) => EXTENSIONS.map((extension) => path.join(folder, name + extension)))
    .find(isFile);
}
