import type { Random } from '../../lib/recital/compute/random.js';
import type { Generated } from '../../lib/synthetic/kaggle.js';
import { auc, mean, std } from './statistics.js';

/**
 * Quick recommenders, to see whether generated plays hold anything that a model could learn. All
 * count, none trains.
 */

type Log = Pick<Generated, 'start' | 'track'>;

/** The same plays with each user's in random order. */
export function shuffled({ start, track }: Log, random: Random): Log {
  const out = track.slice();
  for (let u = 0; u + 1 < start.length; u++) {
    const order = random.permutation(start[u + 1] - start[u]);
    for (let i = 0; i < order.length; i++) out[start[u] + i] = track[start[u] + order[i]];
  }
  return { start, track: out };
}

/**
 * The share of users (of at least `least` plays) whose last play is among the k tracks that score
 * highest after their other plays; what was heard before is left out.
 */
export function lastPlayHits(
  { start, track }: Log,
  tracks: number,
  { k, least = 3, most = 4000 }: { k: number; least?: number; most?: number },
): Record<'popularity' | 'markov' | 'itemKnn', number> {
  const popularity = new Float64Array(tracks);
  const next = Array.from({ length: tracks }, () => new Map<number, number>());
  const users: number[] = [];
  for (let u = 0; u + 1 < start.length; u++) {
    const end = start[u + 1] - start[u] >= least ? start[u + 1] - 1 : start[u + 1];
    if (end < start[u + 1] && users.length < most) users.push(u);
    for (let i = start[u]; i < end; i++) {
      popularity[track[i]]++;
      if (i > start[u])
        next[track[i - 1]].set(track[i], (next[track[i - 1]].get(track[i]) ?? 0) + 1);
    }
  }
  const together = togetherness({ start, track }, tracks, least, popularity);
  const hits = { popularity: 0, markov: 0, itemKnn: 0 };
  const scores = new Float64Array(tracks);
  const seen = new Uint8Array(tracks);
  const hit = (target: number): number => {
    let above = 0;
    for (let t = 0; t < tracks; t++)
      if (!seen[t] && t !== target && scores[t] >= scores[target]) above++;
    return above < k ? 1 : 0;
  };
  for (const u of users) {
    const end = start[u + 1] - 1;
    for (let i = start[u]; i < end; i++) seen[track[i]] = 1;
    scores.set(popularity);
    hits.popularity += hit(track[end]);
    for (let t = 0; t < tracks; t++) scores[t] *= 1e-6; // among tracks that never followed, the popular ones
    for (const [t, n] of next[track[end - 1]]) scores[t] += n;
    hits.markov += hit(track[end]);
    for (let t = 0; t < tracks; t++) scores[t] = popularity[t] * 1e-9;
    for (let i = start[u]; i < end; i++) for (const [t, s] of together(track[i])) scores[t] += s;
    hits.itemKnn += hit(track[end]);
    for (let i = start[u]; i < end; i++) seen[track[i]] = 0;
  }
  return {
    popularity: hits.popularity / users.length,
    markov: hits.markov / users.length,
    itemKnn: hits.itemKnn / users.length,
  };
}

/**
 * Cosines of a track with others by their users, last plays left out; worked out when asked
 * for.
 */
function togetherness(
  { start, track }: Log,
  tracks: number,
  least: number,
  popularity: Float64Array,
): (t: number) => Map<number, number> {
  const users: number[][] = Array.from({ length: tracks }, () => []);
  const ends = new Int32Array(start.length - 1);
  for (let u = 0; u + 1 < start.length; u++) {
    ends[u] = start[u + 1] - start[u] >= least ? start[u + 1] - 1 : start[u + 1];
    for (let i = start[u]; i < ends[u]; i++) users[track[i]].push(u);
  }
  const known = new Map<number, Map<number, number>>();
  return (t) => {
    let row = known.get(t);
    if (!row) {
      row = new Map();
      for (const u of users[t])
        for (let i = start[u]; i < ends[u]; i++)
          if (track[i] !== t) row.set(track[i], (row.get(track[i]) ?? 0) + 1);
      for (const [other, n] of row)
        row.set(other, n / Math.sqrt(popularity[t] * popularity[other]));
      known.set(t, row);
    }
    return row;
  };
}

/**
 * Predicts whether a play's count is 2 or more from the other plays: mean of the user, mean of the
 * track, and mean of the user's plays of the same artist, each shrunk towards the overall mean.
 */
export function playcountScores(
  { start, track, playcount, catalogue }: Generated,
  random: Random,
): { score: number[]; positive: boolean[] } {
  const n = track.length;
  const test = new Uint8Array(n);
  for (let i = 0; i < n; i++) test[i] = random.uniform() < 0.2 ? 1 : 0;
  const again = (i: number): number => (playcount[i] >= 2 ? 1 : 0);
  const byTrack = new Float64Array(catalogue.length);
  const trackN = new Float64Array(catalogue.length);
  let base = 0;
  let trained = 0;
  for (let i = 0; i < n; i++) {
    if (test[i]) continue;
    byTrack[track[i]] += again(i);
    trackN[track[i]]++;
    base += again(i);
    trained++;
  }
  base /= trained;
  const score: number[] = [];
  const positive: boolean[] = [];
  for (let u = 0; u + 1 < start.length; u++) {
    let userSum = 0;
    let userN = 0;
    const artists = new Map<number, { sum: number; n: number }>();
    for (let i = start[u]; i < start[u + 1]; i++) {
      if (test[i]) continue;
      userSum += again(i);
      userN++;
      const a = catalogue.artist[track[i]];
      const entry = artists.get(a) ?? { sum: 0, n: 0 };
      entry.sum += again(i);
      entry.n++;
      artists.set(a, entry);
    }
    const user = (userSum + 4 * base) / (userN + 4) - base;
    for (let i = start[u]; i < start[u + 1]; i++) {
      if (!test[i]) continue;
      const t = (byTrack[track[i]] + 6 * base) / (trackN[track[i]] + 6) - base;
      const entry = artists.get(catalogue.artist[track[i]]);
      const artist = entry ? (entry.sum + 2 * base) / (entry.n + 2) - base + 0.1 : 0; // several tracks of an artist: a favourite
      score.push(user + t + artist);
      positive.push(again(i) === 1);
    }
  }
  return { score, positive };
}

/**
 * How well sound alone tells the tracks that a user hears from others: a fifth of the tracks is
 * hidden, and each user's hidden tracks are set against as many hidden tracks that others hear, by
 * their distance (standardised features) to the mean of the user's other tracks. 0.5 is chance.
 */
export function contentAuc(
  { start, track, catalogue }: Generated,
  features: readonly ArrayLike<number>[],
  random: Random,
): number {
  const hidden = Uint8Array.from({ length: catalogue.length }, () =>
    random.uniform() < 0.2 ? 1 : 0,
  );
  const scale = features.map((x) => ({ mean: mean(x), std: std(x) }));
  const score: number[] = [];
  const positive: boolean[] = [];
  for (let u = 0; u + 1 < start.length && score.length < 20_000; u++) {
    const history = track.subarray(start[u], start[u + 1]);
    const open = history.filter((t) => !hidden[t]);
    const secret = history.filter((t) => hidden[t]);
    if (open.length < 3 || secret.length === 0) continue;
    const centre = features.map((x) => mean(Float64Array.from(open, (t) => x[t])));
    const nearness = (t: number): number =>
      -features.reduce((sum, x, j) => sum + ((x[t] - centre[j]) / scale[j].std) ** 2, 0);
    for (const t of secret) {
      let other = track[random.int(track.length)];
      while (!hidden[other] || history.includes(other)) other = track[random.int(track.length)];
      score.push(nearness(t), nearness(other));
      positive.push(true, false);
    }
  }
  return auc(score, (i) => positive[i]);
}
