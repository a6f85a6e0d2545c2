import { ArgumentError, NumericError } from '../errors.js';
import { checkArgument, checkOptions, isNumbers } from '../options.js';

/**
 * Area under the ROC curve of one user, over the whole catalogue: the probability that a relevant
 * track scores above one that is not, Σ (#(lower) + #(equal)/2) / (|rel| · #(others)).
 *
 * Ties: equal scores count one half, so that a recommender that scores all alike has 0.5. A score
 * of −∞ (what the user has played) is left out; a relevant track with it, or one that has no score
 * at all, counts as below all others.
 * @param scores of all tracks
 * @param relevant which of them are relevant, each once, at least one unless some are missed
 * @param options.missed relevant tracks that have no score; default 0
 * @returns NaN where every track is relevant
 * @example aucOf([0.9, 0.4, 0.4, 0.1], [1]) // above 1 of 3, equal to 1 of 3: (1 + 1/2) / 3 = 0.5
 */
export function aucOf(
  scores: ArrayLike<number>,
  relevant: ArrayLike<number>,
  options: { missed?: number } = {},
): number {
  checkOptions(options, ['missed'], 'aucOf');
  const { missed = 0 } = options;
  for (const values of [scores, relevant])
    checkArgument(
      isNumbers(values),
      values,
      'aucOf',
      'scores, and the places of relevant tracks in them: arrays of numbers',
    );
  if (relevant.length + missed === 0)
    throw new ArgumentError(
      'The user has no relevant track, so the metric does not exist: leave such users out of a mean.',
    );
  const isRelevant = new Uint8Array(scores.length);
  const own = new Float64Array(relevant.length);
  for (let i = 0; i < relevant.length; i++) {
    if (!(relevant[i] >= 0 && relevant[i] < scores.length) || isRelevant[relevant[i]])
      throw new ArgumentError(
        `Relevant tracks are different places in ${scores.length} scores, counted from 0, got ${relevant[i]}.`,
      );
    isRelevant[relevant[i]] = 1;
    own[i] = scores[relevant[i]];
  }
  own.sort();
  let [others, pairs] = [0, 0];
  for (let t = 0; t < scores.length; t++) {
    const score = scores[t];
    if (Number.isNaN(score)) throw new NumericError(`The score of track ${t} is NaN.`);
    if (isRelevant[t] || score === -Infinity) continue;
    others++;
    // Relevant tracks above this one count one, those equal to it one half.
    const below = countBelow(own, score);
    let equal = 0;
    while (below + equal < own.length && own[below + equal] === score) equal++;
    pairs += own.length - below - equal / 2;
  }
  return pairs / ((relevant.length + missed) * others);
}

/** How many of ascending numbers are below x. */
function countBelow(sorted: Float64Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
