import { distance } from 'fastest-levenshtein';
import { ArgumentError, DataError } from '../errors.js';
import { checkOptions } from '../options.js';
import { shownNames, shownText } from './text-format.js';

/** Where the columns of a plays file are: by name (whatever the case), or by position from 0. */
export interface PlaysColumnNames {
  /** Default `'user_id'`. */
  user?: string | number;
  /** Default `'track_id'`. */
  track?: string | number;
  /** Default `'playcount'`; in a table of users and tracks alone (and times) none. `null`: none, each row is one play. */
  playcount?: string | number | null;
  /**
   * When the track was played: numbers, such as seconds since 1970, or ISO dates and times (`2009-05-04T23:08:57Z`; without a zone they are UTC). The plays then
   * come in this order, those of one time in that of the file. Repeated (user, track) are summed into the first in time. Default: none.
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
const KAGGLE = { user: 'user_id', track: 'track_id', playcount: 'playcount', time: 'time' } as const;
const OTHER_WORDS: Readonly<Record<Role, RegExp>> = {
  user: /user|listener|person|who/i,
  track: /track|song|item|artist|title|what/i,
  playcount: /play|count|listen|weight|rating|times|number|^n$/i,
  time: /time|date|when|stamp|^ts$|_at$/i,
};

/**
 * Positions of user, track, playcount and time among the columns of a file. A name is found exactly, or else whatever its case, if just one column has it so.
 * @throws DataError that says which columns are missing, and which of the file's may be meant
 */
export function playsPositions(path: string, names: readonly string[], columns: PlaysColumnNames): PlaysPositions {
  checkColumns(columns);
  const roles = (['user', 'track', 'playcount', 'time'] as const).filter(
    (role) => columns[role] !== null && (role !== 'time' || columns.time !== undefined),
  );
  const wanted = roles.map((role) => columns[role] ?? KAGGLE[role]);
  for (const name of wanted) {
    const twice = typeof name === 'string' && names.indexOf(name) !== names.lastIndexOf(name);
    if (twice) throw new DataError(`"${path}", line 1: two columns are called "${name}". Rename one of them, or give positions from 0 in columns.`);
  }
  const at = wanted.map((name) => position(names, name));
  const positions = { user: -1, track: -1, playcount: -1, time: -1, ...Object.fromEntries(roles.map((role, i) => [role, at[i]])) };
  const same = roles.find((_, i) => at[i] >= 0 && at.indexOf(at[i]) !== i);
  if (same) throw new ArgumentError(`columns.${same} and columns.${roles[at.indexOf(positions[same])]} are the same column of "${path}".`);
  const missing = roles.filter((_, i) => at[i] < 0);
  const left = names.filter((_, i) => !at.includes(i));
  if (missing.length === 0 || (missing.length === 1 && missing[0] === 'playcount' && columns.playcount === undefined && left.length === 0))
    return positions;
  const proposals = missing.flatMap((role) => {
    const found = proposed(role, String(wanted[roles.indexOf(role)]), left);
    return found ? [found] : [];
  });
  const none = missing.includes('playcount') ? ' If there is none, as each row is one play, give { columns: { playcount: null } }.' : '';
  const advice = proposals.length
    ? `Did you mean ${proposals.map(([, name]) => `"${shownText(name)}"`).join(' and ')}? Then give { columns: { ${proposals.map(([role, name]) => `${role}: '${shownText(name)}'`).join(', ')} } }.`
    : left.length
      ? `Say which column it is, e.g. { columns: { ${missing[0]}: '${shownText(left[0])}' } }.`
      : 'There is no other column: is this the right file?';
  const absent = missing.map((role) => shown(wanted[roles.indexOf(role)])).join(' and ');
  throw new DataError(
    `"${path}", line 1: expected the columns ${wanted.map(String).join(', ')}, found: ${shownNames(names)}. ` +
      `There is no ${absent}. ${advice}${none}`,
  );
}

function checkColumns(columns: PlaysColumnNames): void {
  checkOptions(columns, ['user', 'track', 'playcount', 'time'], 'columns');
  for (const [role, wanted] of Object.entries(columns) as [Role, unknown][]) {
    if (wanted === undefined || (typeof wanted === 'string' && wanted !== '') || (Number.isInteger(wanted) && (wanted as number) >= 0)) continue;
    if (role === 'playcount' && wanted === null) continue;
    const or = role === 'playcount' ? ', or null if there is none' : '';
    throw new ArgumentError(`columns.${role} must be a name, or a position from 0${or}, got ${JSON.stringify(wanted)}.`);
  }
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
function proposed(role: Role, wanted: string, left: readonly string[]): [string, string] | undefined {
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
