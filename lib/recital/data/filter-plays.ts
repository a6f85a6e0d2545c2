import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { said } from '../options.js';
import type { PlaysColumns } from './plays.js';

/** Least numbers of plays, for {@link Plays.minPlays}. */
export interface MinPlaysOptions {
  /** Least number of tracks that a user has played. Default 1. */
  perUser?: number;
  /** Least number of users who have played a track. Default 1. */
  perTrack?: number;
}

/**
 * Rows of the plays of `n` users drawn at random. All draws from one seed are nested: those of a
 * smaller n are among those of a larger one.
 */
export function rowsOfSampledUsers(
  { users, user }: PlaysColumns,
  n: number,
  seed: number | string,
): Int32Array {
  const counts = new Int32Array(users.length);
  for (let i = 0; i < user.length; i++) counts[user[i]]++;
  const active = Int32Array.from(counts.keys()).filter((u) => counts[u] > 0);
  if (!(Number.isInteger(n) && n >= 1 && n <= active.length)) {
    throw new ArgumentError(
      `sampleUsers needs a whole number from 1 to ${active.length} (all users with plays), got ${said(n)}.`,
    );
  }
  const chosen = new Uint8Array(users.length);
  for (const i of new Random(seed).child('users').permutation(active.length).subarray(0, n))
    chosen[active[i]] = 1;
  return rowsWhere(user, (i) => chosen[user[i]] === 1);
}

/** Rows whose user and track both have enough plays among all rows: counted once. */
export function rowsWithMinPlays(
  { users, tracks, user, track }: PlaysColumns,
  { perUser = 1, perTrack = 1 }: MinPlaysOptions,
): Int32Array {
  for (const [name, k] of Object.entries({ perUser, perTrack })) {
    if (!(Number.isInteger(k) && k >= 1))
      throw new ArgumentError(
        `${name} must be a whole number of plays, at least 1, got ${said(k)}.`,
      );
  }
  const ofUser = new Int32Array(users.length);
  const ofTrack = new Int32Array(tracks.length);
  for (let i = 0; i < user.length; i++) {
    ofUser[user[i]]++;
    ofTrack[track[i]]++;
  }
  return rowsWhere(user, (i) => ofUser[user[i]] >= perUser && ofTrack[track[i]] >= perTrack);
}

/** Rows whose numbers meet a condition, ascending. */
function rowsWhere(column: Int32Array, keep: (row: number) => boolean): Int32Array {
  const rows = new Int32Array(column.length);
  let n = 0;
  for (let i = 0; i < column.length; i++) if (keep(i)) rows[n++] = i;
  return rows.slice(0, n);
}
