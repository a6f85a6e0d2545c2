import type { Vocabulary } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import { checkArgument } from '../options.js';
import type { Recommender } from '../recommend/recommender.js';
import type { SequenceRecommender } from '../sequential/sequence-recommender.js';

/** Options of {@link WeightedSum}. */
export interface WeightedSumOptions {
  /** A weight for each recommender, not negative, at least one more than 0; default 1 each. */
  weights?: readonly number[];
  /** Name in comparisons; default: the names of the recommenders, joined by ` + `. */
  name?: string;
}

/** The weights of a sum, checked. */
export function weightsOf(
  of: string,
  recommenders: readonly Recommender[],
  weights: readonly number[] = recommenders.map(() => 1),
): readonly number[] {
  const wanted = 'weights, one for each recommender, such as [1, 0.5]';
  checkArgument(Array.isArray(weights), weights, of, wanted);
  if (weights.length !== recommenders.length)
    throw new ArgumentError(
      `There must be a weight for each of the ${recommenders.length} recommenders, got ${weights.length}.`,
    );
  const isWeight = (w: unknown): boolean => typeof w === 'number' && w >= 0 && w < Infinity;
  if (weights.every(isWeight) && weights.some((w) => w > 0)) return [...weights];
  throw new ArgumentError(
    `Weights must not be negative, and one must be more than 0, got [${weights.join(', ')}].`,
  );
}

/** Whether two vocabularies have the same classes. */
export function sameClasses(a: Vocabulary, b: Vocabulary): boolean {
  return a === b || (a.length === b.length && a.classes.every((id, i) => id === b.classes[i]));
}

export const FUSIONS = ['sum', 'rank'] as const;

/** How a {@link Hybrid} makes the scores of its recommenders comparable. */
export type Fusion = (typeof FUSIONS)[number];

/** Keeps a single first place from deciding alone (Cormack, Clarke and Büttcher, 2009). */
const RANK_OFFSET = 60;

/**
 * Makes one user's scores comparable with those of other recommenders, in place; −∞ stays. 'sum':
 * (score − mean) / standard deviation over the tracks that the user has not played, all 0 if these
 * are equal. 'rank': 1 / (60 + rank), where rank 1 is the best track that the user has not played
 * and equal scores have their mean rank.
 * @param scores one per track
 * @param seen tracks that the user has played, ascending
 */
export function normaliseScores(scores: Float32Array, seen: Int32Array, fusion: Fusion): void {
  const played = new Uint8Array(scores.length);
  for (const t of seen) played[t] = 1;
  if (fusion === 'sum') standardise(scores, played);
  else reciprocalRanks(scores, played);
}

function standardise(scores: Float32Array, played: Uint8Array): void {
  let n = 0;
  let sum = 0;
  for (let t = 0; t < scores.length; t++) {
    if (played[t] || scores[t] === -Infinity) continue;
    n++;
    sum += scores[t];
  }
  const mean = n === 0 ? 0 : sum / n;
  let squares = 0;
  for (let t = 0; t < scores.length; t++)
    if (!played[t] && scores[t] !== -Infinity) squares += (scores[t] - mean) ** 2;
  const factor = squares === 0 ? 0 : Math.sqrt(n / squares); // NaN stays, for the ranking to report
  for (let t = 0; t < scores.length; t++)
    if (scores[t] !== -Infinity) scores[t] = (scores[t] - mean) * factor;
}

function reciprocalRanks(scores: Float32Array, played: Uint8Array): void {
  // Sorting numbers is many times as fast as sorting positions: a rank is looked up by its score.
  const sorted = scores.filter((_, t) => !played[t]).sort();
  const n = sorted.length;
  const ends = new Int32Array(n + 1).fill(n); // where the scores equal to that at a position end
  for (let i = n - 2; i >= 0; i--) ends[i] = sorted[i] === sorted[i + 1] ? ends[i + 1] : i + 1;
  let last = NaN;
  let value = 0;
  for (let t = 0; t < scores.length; t++) {
    const score = scores[t];
    if (score === -Infinity || Number.isNaN(score)) continue;
    if (score !== last) {
      const from = lowerBound(sorted, score);
      const equal = from < n && sorted[from] === score ? ends[from] - from : 0;
      last = score;
      value = 1 / (RANK_OFFSET + 1 + n - from - equal + Math.max(0, equal - 1) / 2);
    }
    scores[t] = value;
  }
}

/** How many of ascending numbers are less than a number. */
function lowerBound(sorted: Float32Array, score: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < score) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Comparable scores after each history: the best track has 1 and none has less than 0. Counts:
 * score / maximum, all 0 where nothing has a score. Logits: exp((score − maximum) / 2), which is
 * √softmax divided by its maximum; the root keeps the few best tracks from drowning the others.
 * @param out histories × tracks, row-major, overwritten
 */
export function maximumScores(
  recommender: SequenceRecommender,
  histories: readonly Int32Array[],
  out: Float32Array,
): void {
  recommender.scoresOfMany(histories, out);
  const tracks = recommender.tracks.length;
  const logits = recommender.scale === 'logit';
  for (let b = 0; b < histories.length; b++) {
    const row = out.subarray(b * tracks, (b + 1) * tracks);
    let max = logits ? -Infinity : 0;
    for (let t = 0; t < tracks; t++) if (row[t] > max) max = row[t];
    if (logits) for (let t = 0; t < tracks; t++) row[t] = Math.exp((row[t] - max) / 2);
    else if (max > 0) for (let t = 0; t < tracks; t++) row[t] = row[t] < 0 ? 0 : row[t] / max;
    else for (let t = 0; t < tracks; t++) row[t] = row[t] <= 0 ? 0 : NaN; // NaN must not pass for 0
  }
}
