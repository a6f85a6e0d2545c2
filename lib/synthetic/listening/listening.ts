import type { Random } from '../../recital/compute/random.js';
import { ArgumentError } from '../../recital/errors.js';
import type { Catalogue } from '../tracks/catalogue.js';

interface Plays {
  start: Int32Array;
  track: Int32Array;
}

/**
 * How many tries find a play of the wanted scene, and after it any play that will do, before giving
 * up.
 */
const TRIES_IN_SCENE = 200;
const TRIES = 5000;

/**
 * Brings the number of different tracks to `heard`, by changing the tracks of a few plays in place:
 * where too few were heard, a play of a known track becomes one of an unheard track, if possible of
 * the same scene; where too many were, the play of a track heard once becomes one of a known track.
 */
export function matchHeard(
  random: Random,
  plays: Plays,
  catalogue: Catalogue,
  heard: number,
): void {
  const { length, users } = catalogue;
  const count = new Int32Array(length);
  for (const t of plays.track) count[t]++;
  let distinct = 0;
  for (const c of count) if (c > 0) distinct++;
  const spare: number[] = [];
  for (let t = 0; t < length; t++)
    if (distinct < heard ? users[t] > 0 && count[t] === 0 : count[t] === 1) spare.push(t);
  if (spare.length < Math.abs(distinct - heard)) {
    throw new ArgumentError(
      `These plays reach about ${distinct} tracks, too far from the ${heard} asked for. Ask for about ${distinct}, or change the number of plays.`,
    );
  }
  const chosen = random.permutation(spare.length).subarray(0, Math.abs(distinct - heard));
  if (distinct < heard) for (const i of chosen) add(random, plays, catalogue, count, spare[i]);
  else {
    const playOf = new Map<number, number>();
    plays.track.forEach((t, play) => {
      if (count[t] === 1) playOf.set(t, play);
    });
    for (const i of chosen) remove(random, plays, catalogue, count, playOf.get(spare[i]) as number);
  }
}

/** Gives an unheard track the play of a track that can spare one. */
function add(
  random: Random,
  { track }: Plays,
  { scene }: Catalogue,
  count: Int32Array,
  unheard: number,
): void {
  const known = (2 * track.length) / count.length;
  for (let i = 0; i < TRIES; i++) {
    const play = random.int(track.length);
    const t = track[play];
    if (count[t] < 2 || (i < TRIES_IN_SCENE && (count[t] < known || scene[t] !== scene[unheard])))
      continue;
    track[play] = unheard;
    count[t]--;
    count[unheard]++;
    return;
  }
  throw noRoom();
}

/** Gives the only play of a track to another track, which the user has not heard. */
function remove(
  random: Random,
  { start, track }: Plays,
  { scene }: Catalogue,
  count: Int32Array,
  play: number,
): void {
  const user = userOf(start, play);
  const history = track.subarray(start[user], start[user + 1]);
  for (let i = 0; i < TRIES; i++) {
    const t = track[random.int(track.length)];
    if (
      count[t] < 2 ||
      history.includes(t) ||
      (i < TRIES_IN_SCENE && scene[t] !== scene[track[play]])
    )
      continue;
    count[track[play]]--;
    count[t]++;
    track[play] = t;
    return;
  }
  throw noRoom();
}

function noRoom(): ArgumentError {
  return new ArgumentError(
    'So few plays cannot reach exactly the number of tracks asked for. Ask for more plays, or another number of tracks.',
  );
}

/** The user whose plays include this one. */
function userOf(start: Int32Array, play: number): number {
  let low = 0;
  let high = start.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (start[middle] <= play) low = middle;
    else high = middle;
  }
  return low;
}
