import { DataError } from '../errors.js';
import { readHetRec } from './hetrec.js';
import { locateTracks } from './locate.js';
import { readTable } from './read-table.js';
import { type Column, Table } from './table.js';
import { audioFeatures, Tracks, trackColumns } from './tracks.js';

const NUMBERS = ['year', ...audioFeatures];
const TEXTS = trackColumns.filter((name) => !NUMBERS.includes(name));

/**
 * Reads what is known of the tracks: Kaggle's `Music Info`, or any table with a `track_id` column and some of Kaggle's others.
 * `tracks.missingColumns` says which are absent, and further columns are kept.
 * @param where a file (.csv, .csv.gz, .parquet), or a folder: Kaggle's file in it, else `tracks_30459` in it, else HetRec's zip in it (artists as
 * tracks), else its folder `sample`
 * @throws DataError naming file, line and column for missing, malformed or foreign files, and for an id that occurs twice
 * @example const tracks = await readTracks('../data');
 */
export async function readTracks(where: string): Promise<Tracks> {
  const found = locateTracks(where);
  if (found.kind === 'hetrec') return (await readHetRec(found.path)).plays.catalogue!;
  return readTracksFile(found.path);
}

/** Reads one tracks file. */
export async function readTracksFile(path: string): Promise<Tracks> {
  const table = await readTable(path, { numbers: NUMBERS, texts: TEXTS });
  if (!table.has('track_id')) {
    throw new DataError(`"${path}", line 1: expected a column "track_id", found: ${table.columnNames.join(', ')}. Is it the file of the tracks?`);
  }
  const columns = new Map<string, Column>();
  for (const name of table.columnNames) {
    const column = table.column(name);
    columns.set(name, column instanceof Float64Array ? column : column.map((v) => v || null)); // quoted empty text is missing, too
  }
  try {
    return new Tracks(new Table(columns));
  } catch (error) {
    throw error instanceof DataError ? new DataError(`"${path}": ${error.message}`) : error;
  }
}
