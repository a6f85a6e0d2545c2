import type { Random } from '../../compute/random.js';
import { PLAYS_PER_USER } from './calibration.js';
import type { Catalogue } from './catalogue.js';
import { normal } from './draw.js';
import { normalQuantile } from './exact.js';
import { BentLogNormal } from './quantiles.js';
import type { Size } from './sizes.js';
import { ODDS, plantSuccessors } from './successors.js';
import { type Taste, Tastes } from './taste.js';

/** Who hears which tracks in which order. Plays `start[u]` to `start[u + 1] − 1` are user u's. */
export interface Listening {
  start: Int32Array;
  /** Index into the catalogue of each play's track. */
  track: Int32Array;
  /** How much the user likes the track: what the playcount follows, but for chance. */
  affinity: Float32Array;
}

/** How often a track follows from the one before. */
const FOLLOWS = 0.55;
/** Standard deviation of the users' general warmth: some play everything often. */
const WARMTH = 0.55;
/** No user hears more than this share of the playable tracks. */
const MOST = 1 / 6;

/** Lets the users listen. */
export function listen(random: Random, catalogue: Catalogue, size: Size): Listening {
  const tastes = new Tastes(catalogue, random.child('tastes'));
  const successors = plantSuccessors(random.child('successors'), tastes);
  const start = playsPerUser(random.child('users'), size);
  const track = new Int32Array(size.plays);
  const affinity = new Float32Array(size.plays);
  const seen = new Int32Array(catalogue.length).fill(-1); // the user who heard the track last
  const walk = random.child('walk');
  for (let u = 0; u < size.users; u++) {
    const taste = tastes.taste(walk, start[u + 1] - start[u]);
    const warmth = WARMTH * normal(walk);
    let last = -1;
    for (let i = start[u]; i < start[u + 1]; i++) {
      last = step(walk, { tastes, successors, taste, seen }, u, last);
      seen[last] = u;
      track[i] = last;
      affinity[i] = warmth + tastes.affinity(taste, last);
    }
  }
  matchHeard(random.child('heard'), track, start, catalogue, size.heard);
  return { start, track, affinity };
}

interface World {
  tastes: Tastes;
  successors: Int32Array;
  taste: Taste;
  seen: Int32Array;
}

/** The next track: a successor of the last one that the user has not heard, or one to the user's taste. */
function step(random: Random, { tastes, successors, taste, seen }: World, user: number, last: number): number {
  if (last >= 0 && random.uniform() < FOLLOWS) {
    let x = random.uniform();
    let choice = 0;
    while (choice < ODDS.length - 1 && x >= ODDS[choice]) x -= ODDS[choice++];
    const next = successors[last * ODDS.length + choice];
    if (next >= 0 && seen[next] !== user) return next;
  }
  for (let attempt = 0; ; attempt++) {
    const next = attempt < 60 ? tastes.draw(random, taste, attempt >= 25) : tastes.drawAny(random);
    if (seen[next] !== user) return next;
  }
}

/** Where each user's plays start: evenly spaced quantiles of the real distribution in random order, then ones more or less, for users in proportion to their plays, to reach the total. */
function playsPerUser(random: Random, { users, plays, playable }: Size): Int32Array {
  const law = new BentLogNormal(PLAYS_PER_USER, normalQuantile);
  const most = Math.max(1, Math.floor(playable * MOST));
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
  const start = new Int32Array(users + 1);
  for (let u = 0; u < users; u++) start[u + 1] = start[u] + counts[u];
  return start;
}

/**
 * Brings the number of different tracks to `heard` by changing a few plays at random: too few, and plays of well-known tracks become plays of unheard ones of the same scene
 * where possible; too many, and tracks heard once give their play to a well-known one.
 */
function matchHeard(random: Random, track: Int32Array, start: Int32Array, { length, listeners, scene }: Catalogue, heard: number): void {
  const count = new Int32Array(length);
  for (const t of track) count[t]++;
  let distinct = 0;
  for (const c of count) if (c > 0) distinct++;
  const candidates: number[] = [];
  const missing = distinct < heard;
  for (let t = 0; t < length; t++) if (missing ? listeners[t] > 0 && count[t] === 0 : count[t] === 1) candidates.push(t);
  const order = random.permutation(candidates.length);
  const known = 20 * (track.length / heard / 10); // a track that can spare a play, or get one, unnoticed
  const playOf = new Map<number, number>();
  if (!missing) for (let i = 0; i < track.length; i++) if (count[track[i]] === 1) playOf.set(track[i], i);

  for (let i = 0; distinct !== heard; i++) {
    const t = candidates[order[i]];
    if (missing) {
      let play = random.int(track.length);
      for (let attempt = 0; attempt < 2000 && !(count[track[play]] > known && (attempt >= 200 || scene[track[play]] === scene[t])); attempt++)
        play = random.int(track.length);
      count[track[play]]--;
      track[play] = t;
      count[t]++;
      distinct++;
    } else {
      const play = playOf.get(t) as number;
      const user = userOf(start, play);
      const history = track.subarray(start[user], start[user + 1]);
      let other = track[random.int(track.length)];
      for (let attempt = 0; history.includes(other) || count[other] < 2 || (attempt < 200 && scene[other] !== scene[t]); attempt++)
        other = track[random.int(track.length)];
      track[play] = other;
      count[other]++;
      count[t] = 0;
      distinct--;
    }
  }
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
