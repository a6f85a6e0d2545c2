import { ArgumentError, DataError } from '../errors.js';
import { checkOptions } from '../options.js';
import { identifier, literal, pathLiteral } from './duckdb.js';
import { sumDuplicates, warnOfDuplicates } from './duplicates.js';
import { encodePlays, type PlaysQuery } from './encode-plays.js';
import { readHetRec } from './hetrec.js';
import { locatePlays, tracksBeside } from './locate.js';
import { Plays } from './plays.js';
import { PlaysCache } from './plays-cache.js';
import { type PlaysColumnNames, playsPositions } from './plays-columns.js';
import { parquetSource } from './read-table.js';
import { readTracksFile } from './read-tracks.js';
import { csvRecord, existingFile, openText, type TextFile } from './text-file.js';
import { checkFormat, columnNames, firstRecord, isNumber, refuseFormat, type TextFormatOptions } from './text-format.js';
import type { Tracks } from './tracks.js';

/** Options of {@link readPlays}. */
export interface ReadPlaysOptions extends TextFormatOptions {
  /**
   * The columns. Default: Kaggle's names; in a file without a header whose lines are text, text, number (the Taste Profile's user ⇥ song ⇥ plays) these
   * three.
   */
  columns?: PlaysColumnNames;
  /**
   * Whether the first line holds names. Default: no where `names` are given; yes where a column is given by name; else unless that line's playcount is a number.
   * A first line of nothing but numbers where names were expected is an error.
   */
  header?: boolean;
  /** What is known of the tracks. Default (true): the tracks file beside the plays, if there is one; false: nothing. */
  catalogue?: Tracks | boolean;
  /**
   * Whether the encoded plays are kept in the folder `.cache` beside the file, or where that cannot be written in the system's temporary folder, readable by
   * this user alone: reading the file again then takes a fraction of a second. The environment variable RECITAL_CACHE names another folder. They are made anew
   * when the file has changed in any way (size, times, inode), or is read by other options. The folder can be deleted at any time. Default: for files from 1 MB on; never HetRec.
   */
  cache?: boolean;
}

export type { PlaysColumnNames };

const WORTH_CACHING = 1 << 20;

/**
 * Reads who played what, how often.
 *
 * Repeated (user, track) are summed into the first, counted in `plays.repairs`, and a warning says so. Plays of tracks that the catalogue lacks are
 * kept and counted.
 * @param where a file (.csv, .csv.gz, .parquet, or text with another delimiter), or a folder: Kaggle's `User Listening History` in it, else HetRec's zip
 * in it, else its folder `sample`
 * @throws DataError naming file, line and column for missing, malformed or foreign files and for playcounts that are not positive numbers
 * @throws ArgumentError for options that cannot be followed
 * @example const plays = await readPlays('../data'); // Kaggle's file if it is there, else the sample
 * @example await readPlays('log.tsv', { columns: { user: 'who', track: 'song', playcount: 'n' } })
 * @example await readPlays('ml-1m/ratings.dat', { names: ['user_id', 'track_id', 'playcount', 'time'] }) // 1::1193::5::978300760, without a header
 */
export async function readPlays(where: string, options: ReadPlaysOptions = {}): Promise<Plays> {
  checkOptions(options, ['header', 'names', 'delimiter', 'columns', 'catalogue', 'cache'], 'readPlays');
  const { catalogue = true } = options;
  checkFormat(options);
  const found = locatePlays(where);
  if (found.kind === 'hetrec') {
    if (options.columns) throw new ArgumentError(`"${found.path}" has columns of its own: leave columns out.`);
    refuseFormat(options, found.path);
    const { plays } = await readHetRec(found.path);
    if (catalogue === true) return plays;
    return catalogue === false ? new Plays({ ...plays, catalogue: undefined }) : plays.withCatalogue(catalogue);
  }
  const plays = await readPlaysFile(found.path, options);
  warnOfDuplicates(found.path, plays.repairs);
  if (typeof catalogue !== 'boolean') return plays.withCatalogue(catalogue);
  const tracks = catalogue ? tracksBeside(found.path) : undefined;
  return tracks === undefined ? plays : plays.withCatalogue(await readTracksFile(tracks));
}

async function readPlaysFile(path: string, { cache, columns = {}, header, names, delimiter }: ReadPlaysOptions): Promise<Plays> {
  const stat = existingFile(path);
  const format = { header, names, delimiter };
  const store = (cache ?? stat.size >= WORTH_CACHING) ? new PlaysCache(path, { columns, ...format }) : undefined;
  const cached = store?.read();
  if (cached) return cached;
  if (path.endsWith('.parquet')) refuseFormat(format, path);
  const query = path.endsWith('.parquet') ? await parquetQuery(path, columns) : await csvQuery(await openText(path), columns, format);
  const encoded = sumDuplicates(await encodePlays(query));
  const plays = new Plays({ ...encoded.columns, repairs: { duplicates: encoded.duplicates, notInCatalogue: 0 } });
  store?.write(plays);
  return plays;
}

async function parquetQuery(path: string, columns: PlaysColumnNames): Promise<PlaysQuery> {
  const { source, columnNames: inFile } = await parquetSource(path);
  const [user, track, playcount] = playsPositions(path, inFile, columns).map((i) => identifier(inFile[i]));
  return {
    path,
    from: source,
    user: `nullif(${user}::varchar, '')`,
    track: `nullif(${track}::varchar, '')`,
    playcount: `${playcount}::double`,
    reject: async (row) => {
      throw new DataError(`"${path}", row ${row} (counted from 0): expected a user, a track and a playcount that is a positive number.`);
    },
  };
}

async function csvQuery(file: TextFile, columns: PlaysColumnNames, format: TextFormatOptions): Promise<PlaysQuery> {
  const { path } = file;
  const { delimiter, first, skip } = firstRecord(file, format);
  const { header, names, at } = layout(path, { first, columns, format });
  const types = first.map((_, i) => `'c${i}': '${i === at[2] ? 'DOUBLE' : 'VARCHAR'}'`).join(', ');
  const from =
    `read_csv(${pathLiteral(path)}, auto_detect = false, header = ${header}, skip = ${skip}, delim = ${literal(delimiter)}, quote = '"', escape = '"', ` +
    `compression = '${file.gzip ? 'gzip' : 'none'}', columns = {${types}})`;
  return {
    path,
    from,
    user: `c${at[0]}`,
    track: `c${at[1]}`,
    playcount: `c${at[2]}`,
    names: Object.fromEntries(names.map((name, i) => [`c${i}`, name])),
    reject: async (row) => {
      const record = await csvRecord(file, row + (header ? 1 : 0), delimiter);
      const empty = at.slice(0, 2).find((i) => !record.fields[i]);
      const column = names[empty ?? at[2]];
      const expected = empty === undefined ? 'a positive number' : 'an id';
      throw new DataError(`"${path}", line ${record.line}, column "${column}": expected ${expected}, got "${record.fields[empty ?? at[2]] ?? ''}".`);
    },
  };
}

/** Whether a file has a header, what its columns are called, and the positions of user, track and playcount. */
function layout(
  path: string,
  { first, columns, format }: { first: string[]; columns: PlaysColumnNames; format: TextFormatOptions },
): { header: boolean; names: string[]; at: number[] } {
  const given = [columns.user, columns.track, columns.playcount];
  if (format.names) {
    const names = columnNames(path, { first, header: false, given: format.names });
    return { header: format.header ?? false, names, at: playsPositions(path, names, columns) };
  }
  const triplets = given.every((c) => c === undefined) && first.length === 3 && isNumber(first[2]) && !isNumber(first[0]) && !isNumber(first[1]);
  if (format.header === false || triplets) {
    const at = given.map((c, i) => c ?? i);
    const name = at.find((c) => typeof c === 'string');
    if (name !== undefined) throw new DataError(`"${path}" has no header, so there is no column "${name}". Give positions from 0, or names.`);
    return {
      header: false,
      names: first.map((_, i) => `column ${i}`),
      at: playsPositions(path, first, { user: at[0], track: at[1], playcount: at[2] }),
    };
  }
  const byPosition = given.every((c) => typeof c === 'number');
  if (format.header === undefined && !byPosition && first.every(isNumber)) throw numbersForNames(path, first);
  const at = playsPositions(path, first, columns);
  const header = format.header ?? !(byPosition && isNumber(first[at[2]]));
  return { header, names: header ? first : first.map((_, i) => `column ${i}`), at };
}

function numbersForNames(path: string, first: readonly string[]): DataError {
  return new DataError(
    `"${path}", line 1: expected the names of the columns, found numbers: ${first.slice(0, 8).join(', ')}. If the file has no header, say where its columns are: ` +
      '{ header: false, columns: { user: 0, track: 1, playcount: 2 } }. If these are the names, give { header: true }.',
  );
}
