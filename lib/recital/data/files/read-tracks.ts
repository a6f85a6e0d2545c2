import { DataError } from '../../errors.js';
import { checkOptions } from '../../options.js';
import { type Column, Table } from '../table.js';
import { audioFeatures, Tracks, trackColumns } from '../tracks.js';
import { readHetRec } from './hetrec.js';
import { locateTracks } from './locate.js';
import { loadTable } from './read-table.js';
import {
  checkFormat,
  formatOptions,
  refuseFormat,
  shownNames,
  type TextFormatOptions,
} from './text-format.js';

const NUMBERS = ['year', ...audioFeatures];
const TEXTS = trackColumns.filter((name) => !NUMBERS.includes(name));

/**
 * Reads what is known of the tracks: Kaggle's `Music Info`, or any table with a `track_id` column
 * and some of Kaggle's others. `tracks.missingColumns` says which are absent, and further columns
 * are kept. Names are Kaggle's whatever their case: `Track_ID` becomes `track_id`.
 * @param where a file (.csv, .csv.gz, .parquet), or a folder: Kaggle's file in it, else
 *   `tracks_30459` in it, else HetRec's zip in it (artists as tracks), else its folder `sample`
 * @param options how a text file is written
 * @throws DataError naming file, line and column for missing, malformed or foreign files, and for
 *   an id that occurs twice
 * @throws ArgumentError for options that cannot be followed
 * @example const tracks = await readTracks('../data');
 * @example await readTracks('songs.txt', { names: ['track_id', 'name', 'artist'] }) // without a header
 */
export async function readTracks(where: string, options: TextFormatOptions = {}): Promise<Tracks> {
  checkOptions(options, formatOptions, 'readTracks');
  checkFormat(options);
  const found = locateTracks(where);
  if (found.kind === 'table') return readTracksFile(found.path, options);
  refuseFormat(options, found.path);
  return (await readHetRec(found.path)).plays.catalogue!;
}

/** Reads one tracks file. */
export async function readTracksFile(
  path: string,
  options: TextFormatOptions = {},
): Promise<Tracks> {
  const { header, names } = options;
  const { table } = await loadTable(path, { ...options, numbers: NUMBERS, texts: TEXTS }, () => ({
    lenient: true,
  }));
  const columns = new Map<string, Column>();
  for (const name of table.columnNames) {
    const column = table.column(name);
    columns.set(
      known(name, table),
      column instanceof Float64Array ? column : column.map((v) => v || null),
    ); // quoted empty text is missing, too
  }
  if (!columns.has('track_id')) {
    const hint =
      header === undefined && names === undefined
        ? ' Is it the file of the tracks? If it has no header, give names.'
        : '';
    throw new DataError(
      `"${path}", line 1: expected a column "track_id", found: ${shownNames(table.columnNames)}.${hint}`,
    );
  }
  try {
    return new Tracks(new Table(columns));
  } catch (error) {
    throw error instanceof DataError ? new DataError(`"${path}": ${error.message}`) : error;
  }
}

/** Kaggle's name for a column that has it in another case; every other name as it is. */
function known(name: string, table: Table): string {
  const folded = name.toLowerCase();
  const alike = table.columnNames.filter((other) => other.toLowerCase() === folded);
  return alike.length === 1 && trackColumns.includes(folded) ? folded : name;
}
