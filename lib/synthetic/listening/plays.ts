import type { Random } from '../../recital/compute/random.js';
import { PLAYS_PER_USER } from '../calibration.js';
import { BentLogNormal, normal } from '../draw.js';
import { normalQuantile } from '../exact.js';
import type { Size } from '../kaggle.js';
import type { Catalogue } from '../tracks/catalogue.js';
import { matchHeard } from './listening.js';
import { drawRates } from './popularity.js';
import { type Taste, Tastes } from './preferences.js';
import { FOLLOWS, ODDS, plantSuccessors } from './successors.js';

/** Who hears which tracks in which order. Plays `start[u]` to `start[u + 1] − 1` are user u's. */
export interface Listening {
  start: Int32Array;
  /** Index into the catalogue of each play's track. */
  track: Int32Array;
  /** How much the user likes the track: what the playcount follows, but for chance. */
  affinity: Float32Array;
}

/** Standard deviation of the users' general warmth: some play everything often. */
const WARMTH = 0.55;

/** The most tracks that a user of a catalogue hears: a sixth of those that are played at all. */
export function mostPlays(playable: number): number {
  return Math.floor(playable / 6);
}

/** Lets the users listen. */
export function listen(random: Random, catalogue: Catalogue, size: Size): Listening {
  const counts = playsPerUser(random.child('users'), size);
  const start = new Int32Array(size.users + 1);
  for (let u = 0; u < size.users; u++) start[u + 1] = start[u] + counts[u];
  const successors = plantSuccessors(
    random.child('successors'),
    catalogue,
    drawRates(catalogue.users, counts),
  );
  const tastes = new Tastes(random.child('tastes'), catalogue, successors.rates);
  const track = new Int32Array(size.plays);
  const affinity = new Float32Array(size.plays);
  const seen = new Int32Array(catalogue.length).fill(-1); // the user who heard the track last
  const walk = random.child('walk');
  for (let u = 0; u < size.users; u++) {
    const taste = tastes.taste(walk, counts[u]);
    const warmth = WARMTH * normal(walk);
    let last = -1;
    for (let i = start[u]; i < start[u + 1]; i++) {
      last = step(walk, { tastes, next: successors.next, taste, seen }, u, last);
      seen[last] = u;
      track[i] = last;
      affinity[i] = warmth + tastes.affinity(taste, last);
    }
  }
  matchHeard(random.child('heard'), { start, track }, catalogue, size.heard);
  return { start, track, affinity };
}

interface World {
  tastes: Tastes;
  next: Int32Array;
  taste: Taste;
  seen: Int32Array;
}

/**
 * The next track: a successor of the last one that the user has not heard, or one to the user's
 * taste.
 */
function step(
  random: Random,
  { tastes, next, taste, seen }: World,
  user: number,
  last: number,
): number {
  if (last >= 0 && random.uniform() < FOLLOWS) {
    let x = random.uniform();
    let choice = 0;
    while (choice < ODDS.length - 1 && x >= ODDS[choice]) x -= ODDS[choice++];
    const successor = next[last * ODDS.length + choice];
    if (successor >= 0 && seen[successor] !== user) return successor;
  }
  for (let attempt = 0; ; attempt++) {
    const track =
      attempt < 60 ? tastes.track(random, taste, attempt >= 25) : tastes.anyTrack(random);
    if (seen[track] !== user) return track;
  }
}

/**
 * How many tracks each user hears: evenly spaced quantiles of the real distribution in random
 * order, then ones more or less, for users in proportion to their plays, to reach the total.
 */
function playsPerUser(random: Random, { users, plays, playable }: Size): Int32Array {
  const law = new BentLogNormal(PLAYS_PER_USER, normalQuantile);
  const most = mostPlays(playable);
  const order = random.permutation(users);
  const counts = new Int32Array(users);
  let total = 0;
  for (let i = 0; i < users; i++) {
    const count = Math.min(most, Math.max(1, Math.ceil(law.at(normalQuantile((i + 0.5) / users)))));
    counts[order[i]] = count;
    total += count;
  }
  const share = (plays - total) / total;
  for (let u = 0; u < users; u++) {
    const wanted = counts[u] * share + random.uniform();
    const change = Math.max(1 - counts[u], Math.min(Math.floor(wanted), most - counts[u]));
    counts[u] += change;
    total += change;
  }
  while (total !== plays) {
    const u = random.int(users);
    const change = Math.sign(plays - total);
    if (counts[u] + change < 1 || counts[u] + change > most) continue;
    counts[u] += change;
    total += change;
  }
  return counts;
}
