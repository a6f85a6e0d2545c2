import path from 'node:path';
import { ArgumentError, DataError, userInMessage } from '../../errors.js';
import { checkFlag, checkOptions } from '../../options.js';
import { Plays } from '../plays.js';
import {
  type PlaysColumnNames,
  type PlaysColumns,
  type PlaysPositions,
  playsPositions,
  sumDuplicates,
  warnOfDuplicates,
} from '../plays-columns.js';
import { type Column, Table } from '../table.js';
import { audioFeatures, Tracks, trackColumns } from '../tracks.js';
import {
  checkFormat,
  columnNames,
  delimiterHint,
  formatOptions,
  isNumber,
  numbersForNames,
  refuseFormat,
  shownNames,
  shownText,
  startOf,
  type TextFormat,
  type TextFormatOptions,
} from './csv-format.js';
import { fileError, identifier } from './duckdb.js';
import { encodePlays, type PlaysQuery, playsSql } from './encode-plays.js';
import { locateHetRec, readHetRec } from './hetrec.js';
import { PlaysCache } from './plays-cache.js';
import { loadTable, parquetSource, readCsv } from './read-table.js';
import { checkIdType, type PlaysOfQuery, playsOfQuery } from './sql.js';
import { csvRecord, existingFile, isFile, openText, type TextFile } from './text-file.js';

/** Options of {@link readPlays}. */
export interface ReadPlaysOptions extends TextFormatOptions {
  /**
   * The columns. Default: Kaggle's names, or in a file without a header the first three, if they
   * are text, text, number (the Taste Profile's user ⇥ song ⇥ plays). In a file of users and tracks
   * alone each playcount is 1.
   */
  columns?: PlaysColumnNames;
  /**
   * Whether each line is a user and all of their tracks, each played once, as in the published
   * splits of NGCF and LightGCN: `1 5 9 12`. A user without tracks is left out. Default false.
   */
  lists?: boolean;
  /**
   * Whether the first line holds names. Default: no if `names` are given; yes if a column is given
   * by name; else unless the playcount of that line is a number. A first line of nothing but
   * numbers is an error if names were expected.
   */
  header?: boolean;
  /**
   * What is known of the tracks. Default (true): the tracks file beside the plays, if there is one;
   * false: nothing.
   */
  catalogue?: Tracks | boolean;
  /**
   * Whether the encoded plays are cached, so that reading the file again takes a fraction of a
   * second: in the folder `.cache` beside the file or, if that cannot be written, in the system's
   * temporary folder, readable by this user alone. The environment variable RECITAL_CACHE names
   * another folder. The cache is renewed after any change of the file (size, times, inode), and for
   * other options. It can be deleted at any time. Default: for files from 1 MB on; never HetRec.
   */
  cache?: boolean;
}

export type { PlaysColumnNames };

const WORTH_CACHING = 1 << 20;

/**
 * Reads plays: which user played which track how often.
 *
 * Repeated pairs of user and track are summed into the first, counted in `plays.repairs`, and
 * reported by a warning. Plays of tracks that the catalogue lacks are kept and counted.
 * @param where a file (.csv, .csv.gz, .parquet, or text with another delimiter), or a folder:
 *   Kaggle's `User Listening History` in it, else HetRec's zip in it, else its folder `sample`; or
 *   a query in SQL with its options, {@link PlaysOfQuery}
 * @throws DataError naming file, line and column for missing, malformed or foreign files and for
 *   playcounts that are not positive numbers
 * @throws ArgumentError for options that cannot be followed
 * @example const plays = await readPlays('../data'); // Kaggle's file if it is there, else the sample
 * @example await readPlays('log.tsv', { columns: { user: 'who', track: 'song', playcount: 'n' } })
 * @example await readPlays({ sql: "from '../data/User Listening History.csv' where playcount > 1" }) // any query of sql
 * @example await readPlays('ml-1m/ratings.dat', { names: ['user_id', 'track_id', 'playcount', 'time'], columns: { time: 'time' } }) // 1::1193::5::978300760
 * @example await readPlays('log.csv', { columns: { user: 'who', track: 'song', playcount: null, time: 'when' } }) // one play a row, put in order of time
 * @example await readPlays('usersha1-artmbid-artname-plays.tsv', { names: ['user', 'mbid', 'artist', 'n'], columns: { user: 0, track: 2, playcount: 3 }, quote: '' })
 */
export async function readPlays(
  where: string | PlaysOfQuery,
  options: ReadPlaysOptions = {},
): Promise<Plays> {
  if (typeof where === 'object' && where !== null) {
    if (Object.keys(options).length === 0) return playsOfQuery(where);
    throw new ArgumentError(
      'Options of a query stand beside it: readPlays({ sql: "…", columns: { … } }).',
    );
  }
  checkOptions(options, [...formatOptions, 'columns', 'lists', 'catalogue', 'cache'], 'readPlays');
  const { catalogue = true, lists = false } = options;
  checkFormat(options);
  checkFlag(lists, 'lists');
  const found = locatePlays(where);
  if (found.kind === 'hetrec') {
    refuseFormat(options, found.path, { columns: options.columns, lists });
    const { plays } = await readHetRec(found.path);
    if (typeof catalogue !== 'boolean') return plays.withCatalogue(catalogue);
    return catalogue ? plays : new Plays({ ...plays, catalogue: undefined });
  }
  const plays = await readPlaysFile(found.path, options);
  warnOfDuplicates(found.path, plays.repairs);
  if (typeof catalogue !== 'boolean') return plays.withCatalogue(catalogue);
  const tracks = catalogue ? namedIn(path.dirname(found.path), TRACKS) : undefined;
  return tracks === undefined ? plays : plays.withCatalogue(await readTracksFile(tracks));
}

async function readPlaysFile(path: string, options: ReadPlaysOptions): Promise<Plays> {
  const { cache, catalogue, columns = {}, ...format } = options;
  const stat = existingFile(path);
  const store =
    (cache ?? stat.size >= WORTH_CACHING)
      ? new PlaysCache(path, { columns, ...format })
      : undefined;
  const cached = store?.read();
  if (cached) return cached;
  const read = path.endsWith('.parquet')
    ? await parquetPlays(path, columns, format)
    : await textPlays(path, columns, format);
  const encoded = sumDuplicates(read);
  const sum = encoded.columns.playcount.indexOf(Infinity);
  if (sum >= 0) {
    const { users, tracks, user, track } = encoded.columns;
    throw new DataError(
      `"${path}": the playcounts of ${userInMessage(users.id(user[sum]))} and track "${tracks.id(track[sum])}" add up to more than a float32 holds (3.4e38). Are they playcounts?`,
    );
  }
  const repairs = { duplicates: encoded.duplicates, notInCatalogue: 0 };
  const plays = new Plays({ ...encoded.columns, repairs });
  store?.write(plays);
  return plays;
}

type TextOptions = TextFormatOptions & Pick<ReadPlaysOptions, 'lists'>;

async function parquetPlays(
  path: string,
  columns: PlaysColumnNames,
  format: TextOptions,
): Promise<PlaysColumns> {
  refuseFormat(format, path, { lists: format.lists });
  const { source, columnNames: inFile, columnTypes } = await parquetSource(path);
  const at = playsPositions(path, inFile, columns);
  const advice = `Say what they are, by readPlays({ sql: "select … from '${path}'" }):`;
  for (const role of ['user', 'track'] as const)
    checkIdType(role, inFile[at[role]], columnTypes[at[role]], { name: `"${path}"`, advice });
  const column = (i: number): string => identifier(inFile[i]);
  const query: PlaysQuery = {
    path,
    from: source,
    ...playsSql(at, column, (i) => `nullif(${column(i)}::varchar, '')`),
    reject: async (row) => {
      const time = at.time < 0 ? '' : ' and a time';
      throw new DataError(
        `"${path}", row ${row} (counted from 0): expected a user, a track, a playcount that is a positive number${time}.`,
      );
    },
  };
  return encodePlays(query).catch((error: unknown) => {
    throw fileError(error, path);
  });
}

async function textPlays(
  path: string,
  columns: PlaysColumnNames,
  options: TextOptions,
): Promise<PlaysColumns> {
  const file = await openText(path, options.encoding);
  const format = options.lists
    ? listsFormat(file, columns, options)
    : layout(file, columns, options);
  const { at, header, names } = format;
  const reject = async (row: number): Promise<never> => {
    const { line, fields } = await csvRecord(file, row + (header ? 1 : 0), format);
    file.unchanged();
    const [i, expected] = faultOf(fields, at);
    throw new DataError(
      `"${path}", line ${line}, column "${shownText(names[i])}": expected ${expected}, got "${shownText(fields[i] ?? '')}".`,
    );
  };
  const numbers = at.playcount < 0 ? [] : [at.playcount];
  const column = (i: number): string => `c${i}`;
  return readCsv(file, { ...format, numbers, lists: options.lists }, (from) =>
    encodePlays({ path, from, ...playsSql(at, column, column), reject }),
  );
}

/** The column of a record that is not what was expected, and what was. */
function faultOf(fields: readonly string[], at: PlaysPositions): [number, string] {
  const empty = [at.user, at.track].find((i) => !fields[i]);
  if (empty !== undefined) return [empty, 'an id'];
  const count = at.playcount < 0 ? 1 : Number(fields[at.playcount] || NaN);
  if (count >= 3.5e38 && count < Infinity)
    return [at.playcount, 'a positive number that a float32 holds (up to 3.4e38)'];
  if (!(count > 0 && count < Infinity) || at.time < 0) return [at.playcount, 'a positive number'];
  return [
    at.time,
    'a time: in all rows a number, or in all an ISO date such as 2009-05-04T23:08:57Z',
  ];
}

/** The format of a text of plays, and where its columns are. */
type PlaysFormat = TextFormat & { at: PlaysPositions };

/** The format of a file with a user and all of their tracks on each line. */
function listsFormat(
  file: TextFile,
  columns: PlaysColumnNames,
  { header, names, delimiter, ...options }: TextOptions,
): PlaysFormat {
  if (header || names || Object.keys(columns).length)
    throw new ArgumentError(
      'Lists have no columns: with lists leave header, names and columns out.',
    );
  const between = delimiter ?? [...'\t,'].find((mark) => file.head.includes(mark)) ?? ' ';
  const start = startOf(file, { ...options, delimiter: between, header: false });
  const at = { user: 0, track: 1, playcount: -1, time: -1 };
  return { ...start, header: false, names: ['user', 'track'], at };
}

/** The header, the names of the columns, and the positions of those of the plays. */
function layout(file: TextFile, columns: PlaysColumnNames, options: TextOptions): PlaysFormat {
  const { path } = file;
  const start = startOf(file, options);
  const { first } = start;
  const format = (header: boolean, names: string[], wanted = columns): PlaysFormat => {
    const at = playsPositions(path, names, wanted, delimiterHint(start));
    return { ...start, header, names, at };
  };
  if (options.names)
    return format(options.header ?? false, columnNames(path, first, false, options.names));
  const given = [columns.user, columns.track, columns.playcount, columns.time];
  const numbered = first.map((_, i) => `column ${i}`);
  const triplets =
    given.every((c) => c === undefined) && first.map(isNumber).join() === 'false,false,true';
  if (options.header === false || triplets) {
    const name = given.find((c) => typeof c === 'string');
    if (name !== undefined)
      throw new DataError(
        `"${path}" has no header, so there is no column "${name}". Give positions from 0, or names.`,
      );
    const third = first.length > 2 && columns.time !== 2 ? 2 : null; // null: users and tracks alone
    const { user = 0, track = 1, playcount = third, time } = columns;
    return format(false, numbered, { user, track, playcount, time });
  }
  const byPosition =
    given.every((c, i) => typeof c === 'number' || (i > 1 && !c)) &&
    columns.playcount !== undefined;
  if (options.header === undefined && !byPosition && first.every(isNumber))
    throw numbersForNames(
      path,
      first,
      'say where its columns are:',
      '{ header: false, columns: { user: 0, track: 1, playcount: 2 } }; if each line is a user and all of their tracks, give { lists: true }',
    );
  const named = format(true, first);
  const judged = named.at.playcount < 0 ? named.at.time : named.at.playcount;
  const isHeader = options.header ?? !(byPosition && judged >= 0 && isNumber(first[judged]));
  return isHeader ? named : { ...named, header: false, names: numbered };
}

/** A data file: a table of rows, or the HetRec Last.fm-2K collection (zip or folder). */
interface Located {
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

function located(where: string, names: readonly string[], what: string): Located {
  const table = existingFile(where, { folders: true }).isFile() ? where : namedIn(where, names);
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

const NUMBERS = ['year', ...audioFeatures];
const TEXTS = trackColumns.filter((name) => !NUMBERS.includes(name));

/**
 * Reads a catalogue of tracks: Kaggle's `Music Info`, or any table with a `track_id` column and
 * some of Kaggle's others. `tracks.missingColumns` names the absent ones; further columns are kept.
 * Names in another case become Kaggle's: `Track_ID` becomes `track_id`.
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
  const found = located(where, TRACKS, 'tracks');
  if (found.kind === 'table') return readTracksFile(found.path, options);
  refuseFormat(options, found.path);
  return (await readHetRec(found.path)).plays.catalogue!;
}

async function readTracksFile(path: string, options: TextFormatOptions = {}): Promise<Tracks> {
  const { table } = await loadTable(path, { ...options, numbers: NUMBERS, texts: TEXTS }, () => ({
    lenient: true,
  }));
  const columns = table.columnNames.map((name): [string, Column] => {
    const column = table.column(name);
    const numbers = column instanceof Float64Array;
    return [kaggleName(name, table), numbers ? column : column.map((v) => v || null)]; // a quoted empty text is missing, too
  });
  const found = new Table(new Map(columns));
  if (!found.has('track_id'))
    throw new DataError(
      `"${path}", line 1: expected a column "track_id", found: ${shownNames(table.columnNames)}. Is it the file of the tracks? If it has no header, give names.`,
    );
  try {
    return new Tracks(found);
  } catch (error) {
    throw error instanceof DataError ? new DataError(`"${path}": ${error.message}`) : error;
  }
}

/** Kaggle's name for a column that has it in another case; every other name as it is. */
function kaggleName(name: string, table: Table): string {
  const folded = name.toLowerCase();
  const alike = table.columnNames.filter((other) => other.toLowerCase() === folded);
  return alike.length === 1 && trackColumns.includes(folded) ? folded : name;
}
