import { NumericError } from '../errors.js';
import type { ScoreList } from './next-item-scores.js';

/**
 * Middle rank of a track among all scores: 1 + #(higher) + (#(equal) − 1) / 2.
 * @param name the recommender's, for the error
 * @throws NumericError if a score is NaN
 */
export function middleRank(scores: Float32Array, target: number, name: string): number {
  const own = scores[target];
  let higher = 0;
  let equal = 0;
  for (let t = 0; t < scores.length; t++) {
    const score = scores[t];
    if (score < own) continue;
    if (score > own) higher++;
    else if (score === own) equal++;
    else throw new NumericError(`${name}: a score is NaN. A score must be a number: has training diverged? Try a smaller learning rate.`);
  }
  return 1 + higher + (equal - 1) / 2;
}

/** The same for a list, in which tracks that are not listed have the score 0. */
export function middleRankInList(list: ScoreList, target: number): number {
  const { track, score, count } = list;
  const own = Math.fround(score[target]);
  let higher = 0;
  let equal = own === 0 ? list.tracks - count : 0;
  for (let j = 0; j < count; j++) {
    const other = Math.fround(score[track[j]]);
    if (other > own) higher++;
    else if (other === own) equal++;
  }
  return 1 + higher + (equal - 1) / 2;
}
