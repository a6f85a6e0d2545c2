import { interruptible } from '../compute/interrupt.js';
import type { Plays } from '../data/plays.js';
import type { SequenceDataset } from '../data/sequences.js';
import type { SequenceSource } from '../data/sessions.js';
import { indicesIn, type Vocabulary } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import { checkPlays } from '../evaluation/candidates.js';
import { metricsOfHits } from '../evaluation/metrics.js';
import { nextTrackCases, type Place, RankGains } from '../evaluation/next-track.js';
import { checkCount, checkOneOf, given } from '../options.js';
import { TopN } from '../recommend/rank.js';
import type { Recommender } from '../recommend/recommender.js';
import type { SequenceRecommender } from '../sequential/sequence-recommender.js';
import { checkSequential, Hybrid, WeightedSum } from './hybrid.js';
import { FUSIONS, type Fusion, maximumScores } from './normalise.js';

const USER_METRICS = ['recall', 'ndcg', 'map', 'mrr'] as const;
const SEQUENCE_METRICS = ['hitRate', 'mrr', 'ndcg'] as const;

const FIT_HYBRID = {
  /** The metric to maximise, as {@link evaluateRecommender} has it; default 'ndcg'. */
  metric: 'ndcg' as (typeof USER_METRICS)[number],
  /** Length of the lists; default 10. */
  k: 10,
  /** How scores are made comparable, see {@link Hybrid}; default 'sum'. */
  fusion: 'sum' as Fusion,
};

/** Options of {@link fitHybrid}. */
export type FitHybridOptions = Partial<typeof FIT_HYBRID>;

const FUSE = {
  /** The metric to maximise, as {@link evaluateNextItem} has it; default 'ndcg'. */
  metric: 'ndcg' as (typeof SEQUENCE_METRICS)[number],
  /** Length of the lists; default 20. */
  k: 20,
  /** Number of cases to fit on, drawn at random; default 2000. */
  sample: 2000,
  /** Seed of the draw; default 42. */
  seed: 42 as number | string,
  /** What users had played before, as {@link evaluateNextItem} takes it; default: nothing. */
  history: undefined as Plays | readonly Plays[] | undefined,
};

/** Options of {@link fuse}. */
export type FuseOptions = Partial<typeof FUSE>;

/** Candidates: a track beyond the best so many of each recommender cannot reach the first k. */
const CANDIDATES = { users: 100, sequences: 300 };
/** Scores of a recommender held at once: 4 MB. */
const BLOCK_SCORES = 1 << 20;
/** Factors that are tried for each weight in turn, coarse ones first. */
const FACTORS = [0, 0.25, 0.5, 2, 4, Math.SQRT1_2, Math.SQRT2, 0.85, 1.18];
const MOST_ROUNDS = 12;

/**
 * Finds the weights of a {@link Hybrid} on held-out plays by coordinate ascent: from 1 each, one
 * weight after the other is multiplied by the factor that helps most, until none helps. The largest
 * becomes 1. Equal sums are in the order of ids here, where {@link evaluate} takes the mean over
 * their orders.
 * @param recommenders trained on other plays, the same for all; they may know different tracks
 * @param heldOut the plays to fit on: validation, never those that the result is measured on
 * @example const hybrid = fitHybrid([ease, knn], split.valid); evaluateRecommender(hybrid, split.test)
 */
export function fitHybrid(
  recommenders: readonly Recommender[],
  heldOut: Plays,
  options: FitHybridOptions = {},
): Hybrid {
  const { metric, k, fusion } = given(FIT_HYBRID, options, 'fitHybrid');
  checkCount(k, 'k');
  checkOneOf(fusion, FUSIONS, 'fusion');
  checkOneOf(metric, USER_METRICS, 'metric');
  checkPlays('fitHybrid', heldOut);
  const weights = interruptible(() => {
    const cases = userCases(recommenders, heldOut, k, fusion);
    return climb(
      recommenders.length,
      cases,
      (one, weights) => metricsOfHits(firstHits(one, weights, k), one.relevant, k)[metric],
    );
  });
  return new Hybrid(recommenders, { weights, fusion });
}

/** One user: comparable scores, candidates × recommenders, row-major, and which are held out. */
interface UserCase {
  readonly scores: Float32Array;
  readonly hit: Uint8Array;
  /** Number of held-out tracks, candidates or not. */
  readonly relevant: number;
}

function userCases(
  recommenders: readonly Recommender[],
  heldOut: Plays,
  k: number,
  fusion: Fusion,
): UserCase[] {
  const { seen, tracks, users } = new Hybrid(recommenders, { fusion });
  // Each recommender alone over the tracks of all, so that scores of the same track are aligned.
  const alone = recommenders.map((_, a) => {
    const weights = recommenders.map((_, r) => (r === a ? 1 : 0));
    return new Hybrid(recommenders, { fusion, weights });
  });
  const relevant = new Map<number, Set<number>>();
  const userOf = indicesIn(heldOut.users, users);
  const trackOf = indicesIn(heldOut.tracks, tracks);
  for (let i = 0; i < heldOut.length; i++) {
    const user = userOf[heldOut.user[i]];
    const track = trackOf[heldOut.track[i]];
    if (user < 0 || (track >= 0 && seen.has(user, track))) continue;
    const own = relevant.get(user) ?? new Set();
    relevant.set(user, own.add(track >= 0 ? track : -1 - i)); // an unknown one counts as missed
  }
  if (relevant.size === 0)
    throw new ArgumentError(
      'No user that the recommenders know has a held-out track that they were not trained on as well, so there is nothing to fit.',
    );
  const n = tracks.length;
  const best = bestTracks(recommenders, tracks, Math.max(CANDIDATES.users, k));
  const block = Math.max(1, Math.min(relevant.size, Math.floor(BLOCK_SCORES / n)));
  const out = alone.map(() => new Float32Array(block * n));
  const asked = Int32Array.from(relevant.keys());
  const cases: UserCase[] = [];
  for (let from = 0; from < asked.length; from += block) {
    const part = asked.subarray(from, from + block);
    alone.forEach((r, a) => {
      r.scores(part, out[a]);
    });
    part.forEach((user, b) => {
      const rows = out.map((scores) => scores.subarray(b * n, (b + 1) * n));
      for (const row of rows) for (const t of seen.row(user)) row[t] = -Infinity;
      const candidates = Int32Array.from(best(rows, -Infinity)).sort();
      const own = relevant.get(user)!;
      cases.push({
        scores: scoresOf(rows, candidates),
        hit: Uint8Array.from(candidates, (t) => (own.has(t) ? 1 : 0)),
        relevant: own.size,
      });
    });
  }
  return cases;
}

/** Which of the first k of the sum are held out. */
function firstHits({ scores, hit }: UserCase, weights: readonly number[], k: number): Uint8Array {
  const n = weights.length;
  const sums = new Float32Array(hit.length);
  for (let c = 0; c < hit.length; c++)
    for (let r = 0; r < n; r++) sums[c] += weights[r] * scores[c * n + r];
  const top = new TopN(Math.min(k, hit.length));
  top.select(sums, 0, hit.length, () => 'A sum of scores');
  const found = new Int32Array(top.count);
  top.copyTo(found, new Float32Array(top.count), 0);
  return Uint8Array.from(found, (c) => hit[c]);
}

/**
 * Finds the weights of a {@link WeightedSum} on held-out sessions, as {@link fitHybrid} does. They
 * also serve recommenders that are then trained on all sessions.
 * @param recommenders trained on other sessions
 * @param sessions sessions, plays or windows to fit on; never those that the result is measured on
 * @throws ArgumentError if all sessions are among those that a recommender was trained on; a
 *   warning says so of some
 * @example const { weights } = fuse([new Markov(early), new SessionKNN(early)], late); new WeightedSum([new Markov(all), new SessionKNN(all)], { weights })
 */
export function fuse(
  recommenders: readonly SequenceRecommender[],
  sessions: SequenceSource | SequenceDataset,
  options: FuseOptions = {},
): WeightedSum {
  const { metric, k, sample, seed, history } = given(FUSE, options, 'fuse');
  checkSequential('fuse', recommenders);
  checkCount(k, 'k');
  checkOneOf(metric, SEQUENCE_METRICS, 'metric');
  const { tracks } = recommenders[0];
  const cases = nextTrackCases(recommenders[0], sessions, {
    sample,
    seed,
    recommenders,
    history,
    advice: 'fuse(recommenders, valid, { history: train })',
  }).filter((c) => c.target >= 0 && c.history.length > 0);
  if (cases.length === 0)
    throw new ArgumentError(
      'The recommenders know no next track of these sessions, so there is nothing to fit.',
    );
  const gains = new RankGains(k);
  const best = bestTracks(recommenders, tracks, Math.max(CANDIDATES.sequences, k));
  const scores = cases.map(({ history, target }) => {
    const rows = recommenders.map((recommender) => {
      const out = new Float32Array(tracks.length);
      maximumScores(recommender, [history], out);
      return out;
    });
    return scoresOf(rows, [...new Set([target, ...best(rows, 0)])]);
  });
  const weights = climb(recommenders.length, scores, (own, weights) =>
    gains[metric](placeOfFirst(own, weights, tracks.length)),
  );
  return new WeightedSum(recommenders, { weights });
}

/**
 * The place of the target, which is candidate 0; tracks that are no candidates have the score 0.
 */
function placeOfFirst(scores: Float32Array, weights: readonly number[], tracks: number): Place {
  const n = weights.length;
  let own = 0;
  for (let r = 0; r < n; r++) own += weights[r] * scores[r];
  let higher = 0;
  let equal = own === 0 ? 1 + tracks - scores.length / n : 1;
  for (let at = n; at < scores.length; at += n) {
    let other = 0;
    for (let r = 0; r < n; r++) other += weights[r] * scores[at + r];
    if (other > own) higher++;
    else if (other === own) equal++;
  }
  return { higher, equal };
}

/** Finds the n best tracks in each recommender's row that score above a number, each once. */
function bestTracks(
  recommenders: readonly Recommender[],
  tracks: Vocabulary,
  n: number,
): (rows: readonly Float32Array[], above: number) => Set<number> {
  const top = new TopN(Math.min(tracks.length, n));
  const [found, score] = [new Int32Array(top.n), new Float32Array(top.n)];
  return (rows, above) => {
    const chosen = new Set<number>();
    rows.forEach((row, r) => {
      const { name } = recommenders[r];
      const what = (t: number): string => `${name}: the score of track "${tracks.id(t)}"`;
      top.select(row, 0, row.length, what).copyTo(found, score, 0);
      for (let j = 0; j < top.count && score[j] > above; j++) chosen.add(found[j]);
    });
    return chosen;
  };
}

/** The scores of candidates in each row: candidates × rows, row-major. */
function scoresOf(rows: readonly Float32Array[], candidates: Iterable<number>): Float32Array {
  return Float32Array.from([...candidates].flatMap((t) => rows.map((row) => row[t])));
}

/**
 * The weights that maximise the sum of `value` over cases, the largest 1: see {@link fitHybrid}.
 */
function climb<C>(
  n: number,
  cases: readonly C[],
  value: (one: C, weights: readonly number[]) => number,
): number[] {
  const total = (weights: readonly number[]): number =>
    cases.reduce((sum, one) => sum + value(one, weights), 0);
  let best: number[] = new Array(n).fill(1);
  let most = total(best);
  for (let round = 0, before = -1; round < MOST_ROUNDS && most > before; round++) {
    before = most;
    for (let r = 0; r < n; r++) {
      const from = best;
      for (const factor of FACTORS) {
        const tried = from.map((w, i) => (i !== r ? w : w === 0 ? factor / 4 : w * factor));
        if (!tried.some((w) => w > 0)) continue;
        const reached = total(tried);
        if (reached > most) [best, most] = [tried, reached];
      }
    }
  }
  const largest = Math.max(...best);
  return best.map((w) => w / largest);
}
