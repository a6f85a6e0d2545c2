import type { Random } from '../../recital/compute/random.js';
import { normalQuantile } from './exact.js';

/**
 * A standard normal number, the same on every machine (`Random.normal` rests on `Math.log` and
 * `Math.cos`).
 */
export function normal(random: Random): number {
  return normalQuantile((random.uint32() + 0.5) / 4294967296);
}

/** n standard normal numbers. */
export function normals(random: Random, n: number): Float64Array {
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) out[i] = normal(random);
  return out;
}

/**
 * Draws index i with a probability proportional to `weights[i]`, in constant time (Walker's alias
 * method, as Vose builds it).
 */
export class WeightedDraw {
  readonly length: number;
  /** The sum of the weights. */
  readonly total: number;
  private readonly keep: Float64Array;
  private readonly alias: Int32Array;

  /** @param weights not negative, at least one positive */
  constructor(weights: ArrayLike<number>) {
    const n = weights.length;
    let total = 0;
    for (let i = 0; i < n; i++) total += weights[i];
    this.length = n;
    this.total = total;
    this.keep = new Float64Array(n);
    this.alias = new Int32Array(n);
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < n; i++) {
      this.keep[i] = (weights[i] * n) / total;
      this.alias[i] = i;
      (this.keep[i] < 1 ? small : large).push(i);
    }
    while (small.length > 0 && large.length > 0) {
      const s = small.pop() as number;
      const l = large[large.length - 1];
      this.alias[s] = l;
      this.keep[l] -= 1 - this.keep[s];
      if (this.keep[l] < 1) small.push(large.pop() as number);
    }
    for (const i of small) this.keep[i] = 1; // what rounding left over
    for (const i of large) this.keep[i] = 1;
  }

  draw(random: Random): number {
    const x = random.uniform() * this.length;
    const i = Math.floor(x);
    return x - i < this.keep[i] ? i : this.alias[i];
  }
}

/** The indices 0 … n−1 by rising value; equal values in order of index. */
export function argsort(values: ArrayLike<number>): Int32Array {
  const order = new Int32Array(values.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  return order.sort((a, b) => values[a] - values[b] || a - b);
}

/** The place of each value in the sorted list as a number in (0, 1): (rank + ½)/n. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const order = argsort(values);
  const out = new Float64Array(values.length);
  for (let r = 0; r < order.length; r++) out[order[r]] = (r + 0.5) / order.length;
  return out;
}
