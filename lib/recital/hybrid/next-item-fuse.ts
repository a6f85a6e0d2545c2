import type { Plays } from '../data/plays.js';
import type { SequenceDataset } from '../data/sequences.js';
import type { Histories, SequenceSource } from '../data/sequences-histories.js';
import { ArgumentError } from '../errors.js';
import { type NextItemCase, nextItemCases } from '../evaluation/next-item-evaluate.js';
import { type Place, RankGains } from '../evaluation/next-item-rank.js';
import { checkOptions, said } from '../options.js';
import { checkN } from '../recommend/lookup.js';
import { TopN } from '../recommend/top-n.js';
import type { SequenceRecommender } from '../sequential/next-item.js';
import { normalisedScores } from './next-item-normalise.js';
import { checkRecommenders, WeightedSum } from './next-item-sum.js';

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
const CANDIDATES = 300;
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
  const top = new TopN(Math.min(tracks, Math.max(CANDIDATES, k)));
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
