import { NumericError } from '../errors.js';
import type { ScoreList } from '../sequential/next-item-scores.js';

/**
 * Where a track stands: how many others have a higher score, and how many, itself included, the
 * same. Any order of these is as likely as another, so its rank is one of higher + 1 … higher +
 * equal.
 */
export interface Place {
  readonly higher: number;
  readonly equal: number;
}

/**
 * The place of a track among all scores.
 * @param options.name the recommender's, for the error; `without`: tracks that are no candidates
 *   (the target is not among them)
 * @throws NumericError if a score is NaN
 */
export function placeOf(
  scores: Float32Array,
  target: number,
  { name, without }: { name: string; without?: ReadonlySet<number> },
): Place {
  const own = scores[target];
  let higher = 0;
  let equal = 0;
  for (let t = 0; t < scores.length; t++) {
    const score = scores[t];
    if (score < own) continue;
    if (score > own) higher++;
    else if (score === own) equal++;
    else
      throw new NumericError(
        `${name}: a score is NaN. A score must be a number: has training diverged? Try a smaller learning rate.`,
      );
  }
  return leaveOut({ higher, equal }, own, without, (t) => scores[t]);
}

/** The same for a list, in which tracks that are not listed have the score 0. */
export function placeInList(list: ScoreList, target: number, without?: ReadonlySet<number>): Place {
  const { track, score, count } = list;
  const own = Math.fround(score[target]);
  let higher = 0;
  let equal = own === 0 ? list.tracks - count : 0;
  for (let j = 0; j < count; j++) {
    const other = Math.fround(score[track[j]]);
    if (other > own) higher++;
    else if (other === own) equal++;
  }
  return leaveOut({ higher, equal }, own, without, (t) => Math.fround(score[t]));
}

/** The place if some tracks are no candidates. */
export function leaveOut(
  { higher, equal }: Place,
  own: number,
  without: Iterable<number> | undefined,
  scoreOf: (t: number) => number,
): Place {
  for (const t of without ?? []) {
    const score = scoreOf(t);
    if (score > own) higher--;
    else if (score === own) equal--;
  }
  return { higher, equal };
}

/** What a place is worth: the expected value of each metric over the ranks that it may be. */
export class RankGains {
  /** Up to each rank, the sums of 1 / rank and of 1 / log2(rank + 1). */
  private readonly reciprocal: Float64Array;
  private readonly discount: Float64Array;

  /** @param k ranks beyond it are worth nothing */
  constructor(readonly k: number) {
    this.reciprocal = new Float64Array(k + 1);
    this.discount = new Float64Array(k + 1);
    for (let rank = 1; rank <= k; rank++) {
      this.reciprocal[rank] = this.reciprocal[rank - 1] + 1 / rank;
      this.discount[rank] = this.discount[rank - 1] + 1 / Math.log2(rank + 1);
    }
  }

  /** The chance of being first. */
  accuracy({ higher, equal }: Place): number {
    return higher === 0 ? 1 / equal : 0;
  }

  /** The chance of being among the first k. */
  hitRate({ higher, equal }: Place): number {
    return higher >= this.k ? 0 : Math.min(1, (this.k - higher) / equal);
  }

  mrr(place: Place): number {
    return place.equal === 1
      ? place.higher < this.k
        ? 1 / (place.higher + 1)
        : 0
      : this.mean(this.reciprocal, place);
  }

  ndcg(place: Place): number {
    return place.equal === 1
      ? place.higher < this.k
        ? 1 / Math.log2(place.higher + 2)
        : 0
      : this.mean(this.discount, place);
  }

  private mean(sums: Float64Array, { higher, equal }: Place): number {
    return higher >= this.k ? 0 : (sums[Math.min(this.k, higher + equal)] - sums[higher]) / equal;
  }
}
