import { interruptible } from '../compute/interrupt.js';
import { Plays } from '../data/plays.js';
import type { Histories, SequenceDataset, SequenceSource } from '../data/sequences.js';

import { indicesIn } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import { metricsOfHits } from '../evaluation/metrics.js';
import {
  type NextItemCase,
  nextItemCases,
  type Place,
  RankGains,
} from '../evaluation/next-track.js';
import { checkOptions, said, whatIs } from '../options.js';
import { TopN } from '../recommend/rank.js';
import type { Recommender } from '../recommend/recommender.js';
import { checkN } from '../recommend/resolve-ids.js';
import type { SequenceRecommender } from '../sequential/sequence-recommender.js';
import {
  checkFusion,
  checkRecommenders,
  type Fusion,
  Hybrid,
  normalisedScores,
  WeightedSum,
} from './hybrid.js';

/** Options of {@link fitHybrid}. */
export interface FitHybridOptions {
  /** What the weights make large, as {@link evaluateRecommender} measures it; default 'ndcg'. */
  metric?: 'recall' | 'ndcg' | 'map' | 'mrr';
  /** Length of the lists; default 10. */
  k?: number;
  /** How scores are made comparable, see {@link Hybrid}; default 'sum'. */
  fusion?: Fusion;
}

/**
 * Of each recommender so many of its best tracks are kept for a user: what none has among them does
 * not come among the first k of the sum.
 */
const CANDIDATES = 100;
/** Scores of a recommender held at once: 4 MB. */
const BLOCK_SCORES = 1 << 20;

/**
 * One user: candidate tracks × recommenders, comparable scores, row-major; which are held out, and
 * how many are in all.
 */
interface Fit {
  readonly scores: Float32Array;
  readonly hit: Uint8Array;
  readonly relevant: number;
}

/**
 * Finds the weights of a {@link Hybrid} on held-out plays that none of the recommenders was trained
 * on: starting from 1 each, one weight after the other is multiplied by what helps most, until
 * nothing does. The largest becomes 1. While it looks, equal sums stand in the order of ids, as in
 * a list; {@link evaluate}, which takes the expected value over their orders, may give such weights
 * another value.
 * @param recommenders trained on other plays, the same for all; they may know different tracks, as
 *   a {@link Hybrid}'s may
 * @param heldOut the plays to fit on: validation, never those that the result is measured on
 * @example const hybrid = fitHybrid([ease, knn], split.valid); evaluateRecommender(hybrid, split.test)
 */
export function fitHybrid(
  recommenders: readonly Recommender[],
  heldOut: Plays,
  options: FitHybridOptions = {},
): Hybrid {
  checkOptions(options, ['metric', 'k', 'fusion'], 'fitHybrid');
  const { metric = 'ndcg', k = 10, fusion = 'sum' } = options;
  checkN(k, 'k');
  checkFusion(fusion);
  if (!['recall', 'ndcg', 'map', 'mrr'].includes(metric))
    throw new ArgumentError(
      `metric must be 'recall', 'ndcg', 'map' or 'mrr', got '${said(metric)}'.`,
    );
  if (!(heldOut instanceof Plays))
    throw new ArgumentError(
      `fitHybrid needs the held-out plays to fit on, such as split.valid, got ${whatIs(heldOut)}.`,
    );
  const fits = interruptible(() => fitsOf(recommenders, heldOut, k, fusion));
  const value = (weights: readonly number[]): number =>
    fits.reduce(
      (sum, fit) => sum + metricsOfHits(hitsOf(fit, weights, k), fit.relevant, k)[metric],
      0,
    );
  const weights = interruptible(() =>
    climb(
      recommenders.map(() => 1),
      value,
    ),
  );
  const most = Math.max(...weights);
  return new Hybrid(recommenders, { weights: weights.map((w) => w / most), fusion });
}

function fitsOf(
  recommenders: readonly Recommender[],
  heldOut: Plays,
  k: number,
  fusion: Fusion,
): Fit[] {
  const { seen, tracks, users } = new Hybrid(recommenders, { fusion });
  // Each by itself over the tracks of all, so that scores of those that know more tracks, or fewer,
  // are beside each other.
  const alone = recommenders.map(
    (_, a) =>
      new Hybrid(recommenders, { fusion, weights: recommenders.map((_, r) => (r === a ? 1 : 0)) }),
  );
  const relevant = new Map<number, Set<number>>();
  const userOf = indicesIn(heldOut.users, users);
  const trackOf = indicesIn(heldOut.tracks, tracks);
  for (let i = 0; i < heldOut.length; i++) {
    const user = userOf[heldOut.user[i]];
    const track = trackOf[heldOut.track[i]];
    if (user < 0 || (track >= 0 && seen.has(user, track))) continue;
    const own = relevant.get(user) ?? new Set();
    own.add(track >= 0 ? track : -1 - i); // one that none of them knows counts as missed
    relevant.set(user, own);
  }
  if (relevant.size === 0)
    throw new ArgumentError(
      'No user that the recommenders know has a held-out track that they were not trained on as well, so there is nothing to fit.',
    );
  const top = new TopN(Math.min(tracks.length, Math.max(CANDIDATES, k)));
  const found = { track: new Int32Array(top.n), score: new Float32Array(top.n) };
  const block = Math.max(1, Math.min(relevant.size, Math.floor(BLOCK_SCORES / tracks.length)));
  const out = alone.map(() => new Float32Array(block * tracks.length));
  const asked = Int32Array.from(relevant.keys());
  const fits: Fit[] = [];
  for (let from = 0; from < asked.length; from += block) {
    const part = asked.subarray(from, from + block);
    alone.forEach((r, a) => {
      r.scores(part, out[a]);
    });
    part.forEach((user, b) => {
      const rows = out.map((scores) => scores.subarray(b * tracks.length, (b + 1) * tracks.length));
      const chosen = new Set<number>();
      rows.forEach((row, a) => {
        for (const t of seen.row(user)) row[t] = -Infinity;
        top
          .select(
            row,
            0,
            tracks.length,
            (t) => `${recommenders[a].name}: the score of track "${tracks.id(t)}"`,
          )
          .copyTo(found.track, found.score, 0);
        for (let j = 0; j < top.count; j++) chosen.add(found.track[j]);
      });
      const candidates = Int32Array.from(chosen).sort();
      const scores = new Float32Array(candidates.length * rows.length);
      candidates.forEach((t, c) => {
        for (let r = 0; r < rows.length; r++) scores[c * rows.length + r] = rows[r][t];
      });
      const own = relevant.get(user)!;
      fits.push({
        scores,
        hit: Uint8Array.from(candidates, (t) => (own.has(t) ? 1 : 0)),
        relevant: own.size,
      });
    });
  }
  return fits;
}

/** Which of the first k are held out. */
function hitsOf({ scores, hit }: Fit, weights: readonly number[], k: number): Uint8Array {
  const n = weights.length;
  const sums = new Float32Array(hit.length);
  for (let c = 0; c < hit.length; c++)
    for (let r = 0; r < n; r++) sums[c] += weights[r] * scores[c * n + r];
  const top = new TopN(Math.min(k, hit.length)).select(
    sums,
    0,
    hit.length,
    () => 'A sum of scores',
  );
  const found = new Int32Array(top.count);
  top.copyTo(found, new Float32Array(top.count), 0);
  return Uint8Array.from(found, (c) => hit[c]);
}

/** Options of {@link fuse}. */
export interface FuseOptions {
  /**
   * What the weights make large, as {@link evaluateNextItem} measures it; default `'ndcg'`, which
   * looks at both hits and ranks.
   */
  metric?: 'hitRate' | 'mrr' | 'ndcg';
  /** Length of the lists; default 20. */
  k?: number;
  /** Cases to fit on, drawn at random; default 2000. */
  sample?: number;
  /** Seed of the draw; default 42. */
  seed?: number | string;
  /**
   * What the users of plays to fit on had played before, as {@link evaluateNextItem} takes it;
   * default: nothing.
   */
  history?: Plays | readonly Plays[];
}

/**
 * Of each recommender so many of its best tracks are kept for a case: what none has among them does
 * not come among the first k of the sum.
 */
const CASE_CANDIDATES = 300;
/** Factors that are tried for each weight in turn, coarse ones first. */
const FACTORS = [0, 0.25, 0.5, 2, 4, Math.SQRT1_2, Math.SQRT2, 0.85, 1.18];
const MOST_ROUNDS = 12;

/**
 * Finds the weights of a {@link WeightedSum} on sessions that none of the recommenders was trained
 * on: starting from 1 each, one weight after the other is multiplied by what helps most, until
 * nothing does. The largest becomes 1. Weights that are fitted on part of the training data serve
 * recommenders that are then trained on all of it.
 * @param recommenders trained on other sessions
 * @param sessions sessions, plays or windows to fit on; never those that the result is measured on
 * @throws ArgumentError for sessions that one of the recommenders was trained on, all of them; a
 *   warning says so of some
 * @example const { weights } = fuse([new Markov(early), new SessionKNN(early)], late); new WeightedSum([new Markov(all), new SessionKNN(all)], { weights })
 */
export function fuse(
  recommenders: readonly SequenceRecommender[],
  sessions: SequenceSource | Histories | SequenceDataset,
  options: FuseOptions = {},
): WeightedSum {
  checkOptions(options, ['metric', 'k', 'sample', 'seed', 'history'], 'fuse');
  const { metric = 'ndcg', k = 20, sample = 2000, seed = 42, history } = options;
  checkRecommenders(recommenders);
  checkN(k, 'k');
  if (!['hitRate', 'mrr', 'ndcg'].includes(metric))
    throw new ArgumentError(`metric must be 'hitRate', 'mrr' or 'ndcg', got '${said(metric)}'.`);
  const cases = nextItemCases(recommenders[0], sessions, {
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
  const fits = cases.map((c) => candidatesOf(recommenders, c, k));
  const tracks = recommenders[0].tracks.length;
  const value = (weights: readonly number[]): number =>
    fits.reduce((sum, fit) => sum + gains[metric](placeIn(fit, weights, tracks)), 0);
  const weights = climb(
    recommenders.map(() => 1),
    value,
  );
  const most = Math.max(...weights);
  return new WeightedSum(recommenders, { weights: weights.map((w) => w / most) });
}

/**
 * Normalised scores of a case's best tracks: candidates × recommenders, row-major, the target in
 * row 0.
 */
function candidatesOf(
  recommenders: readonly SequenceRecommender[],
  { history, target }: NextItemCase,
  k: number,
): Float32Array {
  const tracks = recommenders[0].tracks.length;
  const top = new TopN(Math.min(tracks, Math.max(CASE_CANDIDATES, k)));
  const found = { track: new Int32Array(top.n), score: new Float32Array(top.n) };
  const chosen = new Set([target]);
  const scores = recommenders.map((recommender) => {
    const out = new Float32Array(tracks);
    normalisedScores(recommender, [history], out);
    top
      .select(
        out,
        0,
        tracks,
        (t) => `${recommender.name}: the score of track "${recommender.tracks.id(t)}"`,
      )
      .copyTo(found.track, found.score, 0);
    for (let j = 0; j < top.count && found.score[j] > 0; j++) chosen.add(found.track[j]);
    return out;
  });
  return Float32Array.from([...chosen].flatMap((t) => scores.map((out) => out[t])));
}

/** Where the target stands. */
function placeIn(fit: Float32Array, weights: readonly number[], tracks: number): Place {
  const n = weights.length;
  let own = 0;
  for (let r = 0; r < n; r++) own += weights[r] * fit[r];
  let higher = 0;
  let equal = own === 0 ? 1 + tracks - fit.length / n : 1;
  for (let at = n; at < fit.length; at += n) {
    let other = 0;
    for (let r = 0; r < n; r++) other += weights[r] * fit[at + r];
    if (other > own) higher++;
    else if (other === own) equal++;
  }
  return { higher, equal };
}

/**
 * The weights, from `start` on, that make `value` largest: one weight after the other is multiplied
 * by what helps most, until nothing does.
 */
export function climb(start: number[], value: (weights: readonly number[]) => number): number[] {
  let best = start;
  let most = value(best);
  for (let round = 0, before = -1; round < MOST_ROUNDS && most > before; round++) {
    before = most;
    for (let r = 0; r < best.length; r++) {
      const from = best;
      for (const factor of FACTORS) {
        const tried = from.map((w, i) => (i !== r ? w : w === 0 ? factor / 4 : w * factor));
        if (!tried.some((w) => w > 0)) continue;
        const reached = value(tried);
        if (reached > most) [best, most] = [tried, reached];
      }
    }
  }
  return best;
}
