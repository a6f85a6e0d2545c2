import { ArgumentError, DataError, UnknownIdError } from '../errors.js';
import { checkOptions } from '../options.js';
import { counted } from '../printed.js';
import { groupBy, numbersWhere } from './csr.js';
import { shownNames, shownText } from './files/csv-format.js';
import { display } from './output.js';
import { missingAt, type Table } from './table.js';
import type { Tracks } from './tracks.js';
import { refuseRounded, type Vocabulary } from './vocabulary.js';

/** Counts of repairs and findings when plays were read. */
export interface Repairs {
  /** Rows whose playcounts were added to an earlier row of the same (user, track). */
  readonly duplicates: number;
  /** Plays of tracks that the catalogue lacks; they are kept. 0 without a catalogue. */
  readonly notInCatalogue: number;
}

/** Columns of indices and playcounts, of equal length. */
export interface PlayArrays {
  /** Index in `users`, one per play. */
  user: Int32Array;
  /** Index in `tracks`, one per play. */
  track: Int32Array;
  /** How often the user has played the track: more than 0. */
  playcount: Float32Array;
}

/** The columns of {@link Plays}. */
export interface PlaysColumns extends PlayArrays {
  /** The users. */
  users: Vocabulary;
  /** The tracks that are played. */
  tracks: Vocabulary;
  /** The catalogue of the tracks. */
  catalogue?: Tracks;
  /** Default: nothing was repaired. */
  repairs?: Repairs;
}

/** The columns of some rows; `playcount` may come from elsewhere. */
export function rowsOf(
  { user, track, playcount }: Omit<PlayArrays, 'playcount'> & { playcount: ArrayLike<number> },
  rows: ArrayLike<number>,
): PlayArrays {
  const n = rows.length;
  const out = { user: new Int32Array(n), track: new Int32Array(n), playcount: new Float32Array(n) };
  for (let j = 0; j < n; j++) {
    const i = rows[j];
    out.user[j] = user[i];
    out.track[j] = track[i];
    out.playcount[j] = playcount[i];
  }
  return out;
}

/**
 * Sums the playcounts of repeated (user, track) into the first of them, and counts the rows that
 * are dropped. The order is kept.
 */
export function sumDuplicates(columns: PlaysColumns): {
  columns: PlaysColumns;
  duplicates: number;
} {
  const { users, tracks, user, track, playcount } = columns;
  const { indptr, indices } = groupBy(user, users.length);
  const markedBy = new Int32Array(tracks.length).fill(-1);
  const firstRow = new Int32Array(tracks.length);
  const repeated: number[] = [];
  const into: number[] = [];
  for (let u = 0; u < users.length; u++)
    for (let j = indptr[u]; j < indptr[u + 1]; j++) {
      const t = track[indices[j]];
      if (markedBy[t] === u) {
        repeated.push(indices[j]);
        into.push(firstRow[t]);
      } else {
        markedBy[t] = u;
        firstRow[t] = indices[j];
      }
    }
  if (repeated.length === 0) return { columns, duplicates: 0 };
  const sums = Float64Array.from(playcount);
  const dropped = new Uint8Array(user.length);
  for (let j = 0; j < repeated.length; j++) {
    sums[into[j]] += playcount[repeated[j]];
    dropped[repeated[j]] = 1;
  }
  const kept = numbersWhere(user.length, (row) => !dropped[row]);
  const unique = rowsOf({ user, track, playcount: sums }, kept);
  return { columns: { ...columns, ...unique }, duplicates: repeated.length };
}

/** Warns that repeated rows of a file were summed. */
export function warnOfDuplicates(path: string, { duplicates }: Repairs): void {
  if (duplicates === 0) return;
  const rows = duplicates === 1 ? '1 row repeats' : `${counted(duplicates, 'row')} repeat`;
  display().warn(`"${path}": ${rows} an earlier (user, track); the playcounts were added up.`);
}

/** Where the columns of plays are: by name (whatever the case), or by position from 0. */
export interface PlaysColumnNames {
  /** Default `'user_id'`. */
  user?: string | number;
  /** Default `'track_id'`. */
  track?: string | number;
  /**
   * Default `'playcount'`; in a table of users and tracks alone (and times) none. `null`: none,
   * each row is one play.
   */
  playcount?: string | number | null;
  /**
   * When the track was played: numbers, such as seconds since 1970, or ISO dates and times
   * (`2009-05-04T23:08:57Z`; without a zone they are UTC). The plays are then sorted by time, and
   * repeated (user, track) are summed into the first in time. Default: none.
   */
  time?: string | number;
}

type Role = keyof PlaysColumnNames;

/** Positions of the columns; −1 for none. */
export type PlaysPositions = Record<Role, number>;

/** Names that a column has by default, Kaggle's first; words by which another may be recognized. */
const COLUMNS: Readonly<Record<Role, { names: readonly string[]; words: RegExp }>> = {
  user: { names: ['user_id', 'user'], words: /user|listener|person|who/i },
  track: { names: ['track_id', 'track'], words: /track|song|item|artist|title|what/i },
  playcount: { names: ['playcount'], words: /play|count|listen|weight|rating|times|number|^n$/i },
  time: { names: [], words: /time|date|when|stamp|^ts$|_at$/i },
};
const ROLES = Object.keys(COLUMNS) as Role[];

/**
 * Positions of user, track, playcount and time among the columns of a file.
 * @param split how the fields were told apart, for the message where there is one column only
 * @throws DataError that says which columns are missing, and which of the file's may be meant
 */
export function playsPositions(
  path: string,
  names: readonly string[],
  columns: PlaysColumnNames,
  split?: string,
): PlaysPositions {
  checkColumns(columns);
  const nameOf = (role: Role): string | number => columns[role] ?? COLUMNS[role].names[0];
  const roles = ROLES.filter(
    (role) => columns[role] !== null && (role !== 'time' || columns.time !== undefined),
  );
  const wanted = roles.map(nameOf);
  const twice = wanted.find(
    (name) => typeof name === 'string' && names.indexOf(name) !== names.lastIndexOf(name),
  );
  if (twice !== undefined)
    throw new DataError(
      `"${path}", line 1: two columns are called "${twice}". Rename one of them, or give positions from 0 in columns.`,
    );
  const found = positions(
    names,
    (role) => (roles.includes(role) ? columnPosition(names, nameOf(role)) : -1),
    ` of "${path}"`,
  );
  const missing = roles.filter((role) => found[role] < 0);
  const left = names.filter((_, i) => !roles.some((role) => found[role] === i));
  const needless = String(missing) === 'playcount' && columns.playcount === undefined;
  if (missing.length === 0 || (needless && left.length === 0)) return found;
  const expected = `"${path}", line 1: expected the columns ${wanted.join(', ')}, found: ${shownNames(names)}.`;
  if (names.length === 1 && split) throw new DataError(`${expected} That is one column. ${split}`);
  const shown = (name: string | number): string =>
    typeof name === 'number' ? `column ${name} (counted from 0)` : `column "${name}"`;
  const absent = missing.map((role) => shown(nameOf(role))).join(' and ');
  const none = missing.includes('playcount')
    ? ' If there is none, as each row is one play, give { columns: { playcount: null } }.'
    : '';
  const advice = adviceFor(
    missing.map((role) => [role, String(nameOf(role))] as const),
    left,
  );
  throw new DataError(`${expected} There is no ${absent}. ${advice}${none}`);
}

/** A sentence on the columns that may be meant by those that are missing. */
function adviceFor(missing: readonly (readonly [Role, string])[], left: readonly string[]): string {
  const proposals = missing.flatMap(([role, wanted]) => {
    const [misspelt] = new UnknownIdError('column', wanted, left).suggestions;
    const name = misspelt ?? left.find((other) => COLUMNS[role].words.test(other));
    return name === undefined ? [] : [{ role, name: shownText(name) }];
  });
  if (proposals.length) {
    const meant = proposals.map(({ name }) => `"${name}"`).join(' and ');
    const given = proposals.map(({ role, name }) => `${role}: '${name}'`).join(', ');
    return `Did you mean ${meant}? Then give { columns: { ${given} } }.`;
  }
  return left.length
    ? `Say which column it is, e.g. { columns: { ${missing[0][0]}: '${shownText(left[0])}' } }.`
    : 'There is no other column: is this the right file?';
}

/**
 * Positions of user, track, playcount and time among the columns of a table or query. Playcount
 * and time need not be there unless they are asked for.
 * @throws UnknownIdError for a column that is not there
 */
export function playsPositionsIn(
  names: readonly string[],
  columns: PlaysColumnNames,
): PlaysPositions {
  checkColumns(columns);
  return positions(names, (role) => {
    const wanted = columns[role];
    if (wanted === null) return -1;
    const known = COLUMNS[role].names;
    for (const name of wanted === undefined ? known : [wanted]) {
      const at = columnPosition(names, name);
      if (at >= 0) return at;
    }
    if (wanted === undefined && (role === 'playcount' || role === 'time')) return -1;
    const hint = `Say which column holds the ${role}s: { columns: { ${role}: '…' } }.`;
    throw new UnknownIdError('column', String(wanted ?? known[0]), names, hint);
  });
}

/** The positions of all columns; ArgumentError if two are the same. */
function positions(
  names: readonly string[],
  find: (role: Role) => number,
  of = '',
): PlaysPositions {
  const found = Object.fromEntries(ROLES.map((role) => [role, find(role)])) as PlaysPositions;
  const used = ROLES.filter((role) => found[role] >= 0);
  for (const [i, role] of used.entries()) {
    const first = used.find((other) => found[other] === found[role])!;
    if (used.indexOf(first) < i)
      throw new ArgumentError(
        `columns.${role} and columns.${first} are the same column "${names[found[role]]}"${of}.`,
      );
  }
  return found;
}

function checkColumns(columns: PlaysColumnNames): void {
  checkOptions(columns, ROLES, 'columns');
  for (const role of ROLES) {
    const nullable = role === 'playcount';
    if (columns[role] !== null || !nullable)
      checkColumn(columns[role], `columns.${role}`, nullable ? ', or null if there is none' : '');
  }
}

/** Throws unless a column is given by name, by position, or not at all. */
export function checkColumn(wanted: unknown, what: string, or = ''): void {
  if (wanted === undefined || (typeof wanted === 'string' && wanted !== '')) return;
  if (Number.isInteger(wanted) && (wanted as number) >= 0) return;
  throw new ArgumentError(
    `${what} must be a name, or a position from 0${or}, got ${JSON.stringify(wanted)}.`,
  );
}

/**
 * The position of a column, −1 if there is none: a name is found exactly, or else without regard
 * to case if just one column has it so.
 */
function columnPosition(names: readonly string[], wanted: string | number): number {
  if (typeof wanted === 'number') return wanted < names.length ? wanted : -1;
  const exact = names.indexOf(wanted);
  if (exact >= 0) return exact;
  const folded = wanted.toLowerCase();
  const alike = names.flatMap((name, i) => (name.toLowerCase() === folded ? [i] : []));
  return alike.length === 1 ? alike[0] : -1;
}

/** The ids of a column of a table: none is missing, or a number that JavaScript has rounded. */
export function idsIn(table: Table, name: string, role: string): ArrayLike<string | number> {
  const column = table.column(name);
  const none = missingAt(column);
  if (none >= 0)
    throw new DataError(
      `Row ${none} (counted from 0) has no ${role}: column "${name}" is empty there. Drop such rows.`,
    );
  refuseRounded(column, role);
  return column as ArrayLike<string | number>;
}

/** ISO dates and times: 2009-05-04, 2009-05-04T23:08:57.5Z, 2009-05-04 23:08:57+00. */
const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d(?::?\d\d)?)?)?$/;

/**
 * Times as numbers: numbers as they are, or ISO dates and times, in UTC where they name no zone.
 * @param values all of them numbers, or all of them ISO times
 * @param where where a value is, by its position, for the message
 * @throws DataError for a value that is no time
 */
export function timesOf(
  values: ArrayLike<string | number | null>,
  where: (at: number) => string,
): Float64Array {
  const numbers = Float64Array.from(values, (v) =>
    typeof v === 'number' ? v : v === null || v.trim() === '' ? Number.NaN : Number(v),
  );
  if (numbers.every(Number.isFinite)) return numbers;
  const iso = Float64Array.from(values, (v) => {
    const [, day, time = '00:00', zone = 'Z'] = ISO.exec(String(v).trim()) ?? [];
    const minutes = zone.replace(/^([+-]\d\d):?(\d\d)?$/, (_, h: string, m = '00') => `${h}:${m}`);
    return Date.parse(`${day}T${time}${minutes}`);
  });
  const count = (times: Float64Array): number =>
    times.reduce((n, t) => n + Number(Number.isFinite(t)), 0);
  const times = count(iso) > count(numbers) ? iso : numbers;
  const bad = times.findIndex((t) => !Number.isFinite(t));
  if (bad < 0) return times;
  throw new DataError(
    `${where(bad)}: expected a time, in all rows a number or in all an ISO date such as 2009-05-04T23:08:57Z, got ${values[bad]}.`,
  );
}
