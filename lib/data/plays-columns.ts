import { distance } from 'fastest-levenshtein';
import { ArgumentError, DataError } from '../errors.js';

/** Where the columns of a plays file are: by name (whatever the case), or by position from 0. */
export interface PlaysColumnNames {
  /** Default `'user_id'`. */
  user?: string | number;
  /** Default `'track_id'`. */
  track?: string | number;
  /** Default `'playcount'`. */
  playcount?: string | number;
}

const KAGGLE = { user: 'user_id', track: 'track_id', playcount: 'playcount' } as const;
const OTHER_WORDS: Readonly<Record<keyof typeof KAGGLE, RegExp>> = {
  user: /user|listener|person|who/i,
  track: /track|song|item|artist|title|what/i,
  playcount: /play|count|listen|weight|rating|times|number|^n$/i,
};

/**
 * Positions of user, track and playcount among the columns of a file. A name is found exactly, or else whatever its case, if just one column has it so.
 * @throws DataError that says which columns are missing, and which of the file's may be meant
 */
export function playsPositions(path: string, names: readonly string[], columns: PlaysColumnNames): number[] {
  const roles = Object.keys(KAGGLE) as (keyof typeof KAGGLE)[];
  for (const role of roles) {
    const wanted: unknown = columns[role];
    if (wanted === undefined || (typeof wanted === 'string' && wanted !== '') || (Number.isInteger(wanted) && (wanted as number) >= 0)) continue;
    throw new ArgumentError(`columns.${role} must be a name, or a position from 0, got ${JSON.stringify(wanted)}.`);
  }
  const wanted = roles.map((role) => columns[role] ?? KAGGLE[role]);
  const at = wanted.map((name) => position(names, name));
  const missing = roles.filter((_, i) => at[i] < 0);
  if (missing.length === 0) return at;
  const left = names.filter((_, i) => !at.includes(i));
  const proposals = missing.flatMap((role) => {
    const found = proposed(role, String(wanted[roles.indexOf(role)]), left);
    return found ? [found] : [];
  });
  const advice = proposals.length
    ? `Did you mean ${proposals.map(([, name]) => `"${name}"`).join(' and ')}? Then give { columns: { ${proposals.map(([role, name]) => `${role}: '${name}'`).join(', ')} } }.`
    : left.length
      ? `Say which column it is, e.g. { columns: { ${missing[0]}: '${left[0]}' } }.`
      : 'There is no other column: is this the right file? Plays without counts can be made by Plays.fromRows, which takes a missing playcount for 1.';
  const absent = missing.map((role) => shown(wanted[roles.indexOf(role)])).join(' and ');
  throw new DataError(
    `"${path}", line 1: expected the columns ${wanted.map(String).join(', ')}, found: ${names.join(', ')}. ` + `There is no ${absent}. ${advice}`,
  );
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
function proposed(role: keyof typeof KAGGLE, wanted: string, left: readonly string[]): [string, string] | undefined {
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
