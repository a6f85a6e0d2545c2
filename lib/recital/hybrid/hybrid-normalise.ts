import { ArgumentError } from '../errors.js';
import { said } from '../options.js';

/** How a {@link Hybrid} makes the scores of its recommenders comparable: see there. */
export type Fusion = 'sum' | 'rank';

/**
 * Cormack, Clarke and Büttcher (2009): with it, no single recommender's first place decides alone.
 */
const RANK_OFFSET = 60;

/** Refuses any other way. */
export function checkFusion(fusion: string): asserts fusion is Fusion {
  if (fusion !== 'sum' && fusion !== 'rank')
    throw new ArgumentError(`fusion must be 'sum' or 'rank', got '${said(fusion)}'.`);
}

/**
 * Makes one user's scores comparable with those of other recommenders, in place; −∞ stays. 'sum':
 * (score − mean) / standard deviation over the tracks that the user has not played, all 0 where
 * these do not differ. 'rank': 1 / (60 + rank), rank 1 being the best of the tracks that the user
 * has not played, equal scores at their middle rank.
 * @param scores one a track
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
  const factor = squares === 0 ? 0 : Math.sqrt(n / squares); // NaN is not 0: it stays, and the ranking reports it
  for (let t = 0; t < scores.length; t++)
    if (scores[t] !== -Infinity) scores[t] = (scores[t] - mean) * factor;
}

function reciprocalRanks(scores: Float32Array, played: Uint8Array): void {
  // Sorted as numbers, which is many times as fast as sorting positions: a rank is looked up by its
  // score.
  const sorted = scores.filter((_, t) => !played[t]).sort();
  const n = sorted.length;
  const ends = new Int32Array(n + 1).fill(n); // where those equal to the one at a position end
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
