import { ArgumentError, DataError } from '../errors.js';
import { identifier, literal, pathLiteral } from './duckdb.js';
import { sumDuplicates, warnOfDuplicates } from './duplicates.js';
import { encodePlays, type PlaysQuery } from './encode-plays.js';
import { readHetRec } from './hetrec.js';
import { locatePlays, tracksBeside } from './locate.js';
import { Plays } from './plays.js';
import { PlaysCache } from './plays-cache.js';
import { parquetSource } from './read-table.js';
import { readTracksFile } from './read-tracks.js';
import { csvRecord, delimiterOf, existingFile, firstLine, openText, splitRecord, type TextFile } from './text-file.js';
import type { Tracks } from './tracks.js';

/** Where the columns of a plays file are: by name, or by position from 0. */
export interface PlaysColumnNames {
  /** Default `'user_id'`. */
  user?: string | number;
  /** Default `'track_id'`. */
  track?: string | number;
  /** Default `'playcount'`. */
  playcount?: string | number;
}

/** Options of {@link readPlays}. */
export interface ReadPlaysOptions {
  /**
   * The columns. Default: Kaggle's names; in a file without a header whose lines are text, text, number (the Taste Profile's user ⇥ song ⇥ plays) these
   * three.
   */
  columns?: PlaysColumnNames;
  /** For text files: whether the first line holds names. Default: yes where a column is given by name; else unless that line's playcount is a number. */
  header?: boolean;
  /** What is known of the tracks. Default (true): the tracks file beside the plays, if there is one; false: nothing. */
  catalogue?: Tracks | boolean;
  /** Whether the encoded plays are kept in `.cache/` beside the file, or in the system's temporary folder. Default: for files from 1 MB on; never HetRec. */
  cache?: boolean;
}

const WORTH_CACHING = 1 << 20;

/**
 * Reads who played what, how often.
 *
 * Repeated (user, track) are summed into the first, counted in `plays.repairs`, and a warning says so. Plays of tracks that the catalogue lacks are
 * kept and counted.
 * @param where a file (.csv, .csv.gz, .parquet, or text with another delimiter), or a folder: Kaggle's `User Listening History` in it, else HetRec's zip
 * in it, else its folder `sample`
 * @throws DataError naming file, line and column for missing, malformed or foreign files and for playcounts that are not positive numbers
 * @example const plays = await readPlays('../data'); // Kaggle's file if it is there, else the sample
 * @example await readPlays('log.tsv', { columns: { user: 'who', track: 'song', playcount: 'n' } })
 */
export async function readPlays(where: string, options: ReadPlaysOptions = {}): Promise<Plays> {
  const { catalogue = true } = options;
  const found = locatePlays(where);
  if (found.kind === 'hetrec') {
    if (options.columns || options.header !== undefined)
      throw new ArgumentError(`"${found.path}" has columns of its own: leave columns and header out.`);
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

async function readPlaysFile(path: string, { columns = {}, header, cache }: ReadPlaysOptions): Promise<Plays> {
  const stat = existingFile(path);
  const store = (cache ?? stat.size >= WORTH_CACHING) ? new PlaysCache(path, stat, { columns, header }) : undefined;
  const cached = store?.read();
  if (cached) return cached;
  const query = path.endsWith('.parquet') ? await parquetQuery(path, columns) : await csvQuery(await openText(path), columns, header);
  const encoded = sumDuplicates(await encodePlays(query));
  const plays = new Plays({ ...encoded.columns, repairs: { duplicates: encoded.duplicates, notInCatalogue: 0 } });
  store?.write(plays);
  return plays;
}

async function parquetQuery(path: string, columns: PlaysColumnNames): Promise<PlaysQuery> {
  const { source, columnNames } = await parquetSource(path);
  const [user, track, playcount] = positions(path, columnNames, columns).map((i) => identifier(columnNames[i]));
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

async function csvQuery(file: TextFile, columns: PlaysColumnNames, headerGiven: boolean | undefined): Promise<PlaysQuery> {
  const { path } = file;
  const line = firstLine(file.head);
  const delimiter = delimiterOf(line);
  const first = splitRecord(line, delimiter);
  const { header, at } = layout(path, first, columns, headerGiven);
  const names = header ? first : first.map((_, i) => `column ${i}`);
  const types = first.map((_, i) => `'c${i}': '${i === at[2] ? 'DOUBLE' : 'VARCHAR'}'`).join(', ');
  const from =
    `read_csv(${pathLiteral(path)}, auto_detect = false, header = ${header}, delim = ${literal(delimiter)}, quote = '"', escape = '"', ` +
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

/** Whether a file has a header, and the positions of user, track and playcount. */
function layout(path: string, first: string[], columns: PlaysColumnNames, headerGiven: boolean | undefined): { header: boolean; at: number[] } {
  const given = [columns.user, columns.track, columns.playcount];
  const isNumber = (field: string | undefined): boolean => field !== undefined && field.trim() !== '' && Number.isFinite(Number(field));
  const triplets = given.every((c) => c === undefined) && first.length === 3 && isNumber(first[2]) && !isNumber(first[0]) && !isNumber(first[1]);
  if (headerGiven === false || triplets) {
    const at = given.map((c, i) => c ?? i);
    const name = at.find((c) => typeof c === 'string');
    if (name !== undefined) throw new DataError(`"${path}" has no header, so there is no column "${name}". Give positions from 0 instead.`);
    return { header: false, at: positions(path, first, { user: at[0], track: at[1], playcount: at[2] }) };
  }
  const at = positions(path, first, columns);
  const byPosition = given.every((c) => typeof c === 'number');
  return { header: headerGiven ?? !(byPosition && isNumber(first[at[2]])), at };
}

function positions(path: string, names: readonly string[], columns: PlaysColumnNames): number[] {
  const wanted = [columns.user ?? 'user_id', columns.track ?? 'track_id', columns.playcount ?? 'playcount'];
  const at = wanted.map((c) => (typeof c === 'number' ? (c in names ? c : -1) : names.indexOf(c)));
  if (at.includes(-1)) {
    throw new DataError(
      `"${path}", line 1: expected the columns ${wanted.join(', ')}, found: ${names.join(', ')}. ` +
        `Name the right ones by the option columns, e.g. { columns: { user: '${names[0]}' } }.`,
    );
  }
  return at;
}
