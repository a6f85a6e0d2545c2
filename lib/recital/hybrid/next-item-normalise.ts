import type { SequenceRecommender } from '../sequential/next-item.js';

/**
 * Scores made comparable: for each history the best track has 1 and none has less than 0. Counts:
 * score / maximum, all 0 where nothing has a score. Logits: exp((score − maximum) / 2), which is
 * √softmax divided by its maximum; the root keeps the best few from drowning the others.
 * @param out histories × tracks, row-major, overwritten
 */
export function normalisedScores(
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
    else for (let t = 0; t < tracks; t++) row[t] = row[t] <= 0 ? 0 : NaN; // NaN is greater than nothing: it must not pass for 0
  }
}
