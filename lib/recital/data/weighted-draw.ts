import type { Random } from '../compute/random.js';

/** Draws indices with chances in proportion to weights, by binary search in their running sum. */
export class WeightedDraw {
  private readonly sums: Float64Array;

  /** @param weights one for each index, 0 or more, not all 0 */
  constructor(weights: ArrayLike<number>) {
    this.sums = new Float64Array(weights.length);
    let total = 0;
    for (let i = 0; i < weights.length; i++) this.sums[i] = total += weights[i];
  }

  /** An index, never one of weight 0. */
  draw(random: Random): number {
    const { sums } = this;
    const x = random.uniform() * sums[sums.length - 1];
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sums[middle] > x) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
