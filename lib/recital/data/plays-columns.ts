import { distance } from 'fastest-levenshtein';
import { ArgumentError, DataError, UnknownIdError } from '../errors.js';
import { checkOptions } from '../options.js';
import { shownNames, shownText } from './files/csv-format.js';

/** Where the columns of a plays file are: by name (whatever the case), or by position from 0. */
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
   * (`2009-05-04T23:08:57Z`; without a zone they are UTC). The plays then come in this order, those
   * of one time in that of the file. Repeated (user, track) are summed into the first in time.
   * Default: none.
   */
  time?: string | number;
}

/** Positions of the columns; −1 for none. */
export interface PlaysPositions {
  user: number;
  track: number;
  playcount: number;
  time: number;
}

type Role = keyof PlaysColumnNames;
const KAGGLE = {
  user: 'user_id',
  track: 'track_id',
  playcount: 'playcount',
  time: 'time',
} as const;
const OTHER_WORDS: Readonly<Record<Role, RegExp>> = {
  user: /user|listener|person|who/i,
  track: /track|song|item|artist|title|what/i,
  playcount: /play|count|listen|weight|rating|times|number|^n$/i,
  time: /time|date|when|stamp|^ts$|_at$/i,
};

/**
 * Positions of user, track, playcount and time among the columns of a file. A name is found
 * exactly, or else whatever its case, if just one column has it so.
 * @param split how the fields were told from each other, for the message where there is one column
 *   only
 * @throws DataError that says which columns are missing, and which of the file's may be meant
 */
export function playsPositions(
  path: string,
  names: readonly string[],
  columns: PlaysColumnNames,
  split?: string,
): PlaysPositions {
  checkColumns(columns);
  const roles = (['user', 'track', 'playcount', 'time'] as const).filter(
    (role) => columns[role] !== null && (role !== 'time' || columns.time !== undefined),
  );
  const wanted = roles.map((role) => columns[role] ?? KAGGLE[role]);
  for (const name of wanted) {
    const twice = typeof name === 'string' && names.indexOf(name) !== names.lastIndexOf(name);
    if (twice)
      throw new DataError(
        `"${path}", line 1: two columns are called "${name}". Rename one of them, or give positions from 0 in columns.`,
      );
  }
  const at = wanted.map((name) => position(names, name));
  const positions = {
    user: -1,
    track: -1,
    playcount: -1,
    time: -1,
    ...Object.fromEntries(roles.map((role, i) => [role, at[i]])),
  };
  const same = roles.find((_, i) => at[i] >= 0 && at.indexOf(at[i]) !== i);
  if (same)
    throw new ArgumentError(
      `columns.${same} and columns.${roles[at.indexOf(positions[same])]} are the same column of "${path}".`,
    );
  const missing = roles.filter((_, i) => at[i] < 0);
  const left = names.filter((_, i) => !at.includes(i));
  if (
    missing.length === 0 ||
    (missing.length === 1 &&
      missing[0] === 'playcount' &&
      columns.playcount === undefined &&
      left.length === 0)
  )
    return positions;
  const expected = `"${path}", line 1: expected the columns ${wanted.map(String).join(', ')}, found: ${shownNames(names)}.`;
  if (names.length === 1 && split) throw new DataError(`${expected} That is one column. ${split}`);
  const proposals = missing.flatMap((role) => {
    const found = proposed(role, String(wanted[roles.indexOf(role)]), left);
    return found ? [found] : [];
  });
  const none = missing.includes('playcount')
    ? ' If there is none, as each row is one play, give { columns: { playcount: null } }.'
    : '';
  const advice = proposals.length
    ? `Did you mean ${proposals.map(([, name]) => `"${shownText(name)}"`).join(' and ')}? Then give { columns: { ${proposals.map(([role, name]) => `${role}: '${shownText(name)}'`).join(', ')} } }.`
    : left.length
      ? `Say which column it is, e.g. { columns: { ${missing[0]}: '${shownText(left[0])}' } }.`
      : 'There is no other column: is this the right file?';
  const absent = missing.map((role) => shown(wanted[roles.indexOf(role)])).join(' and ');
  throw new DataError(`${expected} There is no ${absent}. ${advice}${none}`);
}

function checkColumns(columns: PlaysColumnNames): void {
  checkOptions(columns, ['user', 'track', 'playcount', 'time'], 'columns');
  for (const [role, wanted] of Object.entries(columns) as [Role, unknown][]) {
    if (
      wanted === undefined ||
      (typeof wanted === 'string' && wanted !== '') ||
      (Number.isInteger(wanted) && (wanted as number) >= 0)
    )
      continue;
    if (role === 'playcount' && wanted === null) continue;
    const or = role === 'playcount' ? ', or null if there is none' : '';
    throw new ArgumentError(
      `columns.${role} must be a name, or a position from 0${or}, got ${JSON.stringify(wanted)}.`,
    );
  }
}

/**
 * What the columns of a table in memory may be called where nothing is said: Kaggle's names, or
 * those of records.
 */
const WITHOUT_FILE: Readonly<Record<Role, readonly string[]>> = {
  user: ['user_id', 'user'],
  track: ['track_id', 'track'],
  playcount: ['playcount'],
  time: [],
};

/**
 * Positions of user, track, playcount and time among the columns of a table or query; −1 for a
 * playcount that nobody asked for and that is not there, and for a time that nobody asked for.
 * @throws UnknownIdError for a column that is not there
 */
export function playsPositionsIn(
  names: readonly string[],
  columns: PlaysColumnNames,
): PlaysPositions {
  checkColumns(columns);
  const find = (role: Role): number => {
    const wanted = columns[role];
    for (const name of wanted === undefined
      ? WITHOUT_FILE[role]
      : wanted === null
        ? []
        : [wanted]) {
      const at = position(names, name);
      if (at >= 0) return at;
    }
    if (wanted === null || (wanted === undefined && (role === 'playcount' || role === 'time')))
      return -1;
    const hint = `Say which column holds the ${role}s: { columns: { ${role}: '…' } }.`;
    throw new UnknownIdError('column', String(wanted ?? WITHOUT_FILE[role][0]), names, hint);
  };
  const at = {
    user: find('user'),
    track: find('track'),
    playcount: find('playcount'),
    time: find('time'),
  };
  const used = Object.entries(at).filter(([, i]) => i >= 0);
  const same = used.find(([, i], j) => used.findIndex(([, other]) => other === i) !== j);
  if (same)
    throw new ArgumentError(
      `columns.${same[0]} and columns.${used.find(([, i]) => i === same[1])![0]} are the same column "${names[same[1]]}".`,
    );
  return at;
}

/** ISO dates and times: 2009-05-04, 2009-05-04T23:08:57.5Z, 2009-05-04 23:08:57+00. */
const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d(?::?\d\d)?)?)?$/;

/**
 * Times as numbers that rise with time: numbers as they are, or ISO dates and times, in UTC where
 * they name no zone.
 * @param values all of them numbers, or all of them ISO times
 * @param fail raises the error for a value, by its position, that is not
 */
export function timesOf(
  values: ArrayLike<string | number | null>,
  fail: (at: number) => never,
): Float64Array {
  const numbers = Float64Array.from(values, (v) =>
    typeof v === 'number' ? v : v === null || v.trim() === '' ? Number.NaN : Number(v),
  );
  if (numbers.every(Number.isFinite)) return numbers;
  const iso = Float64Array.from(values, (v) => {
    const [, day, time = '00:00', zone = 'Z'] = ISO.exec(String(v).trim()) ?? [];
    return Date.parse(
      `${day}T${time}${zone.replace(/^([+-]\d\d):?(\d\d)?$/, (_, h: string, m = '00') => `${h}:${m}`)}`,
    );
  });
  const count = (times: Float64Array): number =>
    times.reduce((n, t) => n + Number(Number.isFinite(t)), 0);
  const times = count(iso) > count(numbers) ? iso : numbers;
  const bad = times.findIndex((t) => !Number.isFinite(t));
  return bad >= 0 ? fail(bad) : times;
}

/** The column of a name or position, −1 if there is none. */
function position(names: readonly string[], wanted: string | number): number {
  if (typeof wanted === 'number') return wanted < names.length ? wanted : -1;
  const exact = names.indexOf(wanted);
  if (exact >= 0) return exact;
  const folded = wanted.toLowerCase();
  const alike = names.flatMap((name, i) => (name.toLowerCase() === folded ? [i] : []));
  return alike.length === 1 ? alike[0] : -1;
}

/** The column that may be meant: a misspelt one, or one of another usual name. */
function proposed(
  role: Role,
  wanted: string,
  left: readonly string[],
): [string, string] | undefined {
  const misspelt = left.find((name) => distance(plain(name), plain(wanted)) <= wanted.length / 4);
  const name = misspelt ?? left.find((other) => OTHER_WORDS[role].test(other));
  return name === undefined ? undefined : [role, name];
}

/** A name without case and separators: `playCount`, `play_count`. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}

function shown(column: string | number): string {
  return typeof column === 'number' ? `column ${column} (counted from 0)` : `column "${column}"`;
}
