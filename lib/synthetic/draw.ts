import type { Random } from '../recital/compute/random.js';
import { exactExp, exactLog, normalQuantile } from './exact.js';

/**
 * A standard normal number, the same on every machine (`Random.normal` rests on `Math.log` and
 * `Math.cos`).
 */
export function normal(random: Random): number {
  return normalQuantile((random.uint32() + 0.5) / 4294967296);
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

/**
 * The value at probability p of a distribution known by some of its quantiles: straight between
 * neighbouring knots, on a logarithmic scale where the upper is more than three times the lower
 * (long tails). Outside the knots: the first or last value.
 */
export function quantile(
  probabilities: readonly number[],
  values: readonly number[],
  p: number,
): number {
  const last = probabilities.length - 1;
  if (p <= probabilities[0]) return values[0];
  if (p >= probabilities[last]) return values[last];
  let i = 0;
  while (p > probabilities[i + 1]) i++;
  const a = values[i];
  const b = values[i + 1];
  const t = (p - probabilities[i]) / (probabilities[i + 1] - probabilities[i]);
  return a > 0 && b > 3 * a ? a * exactExp(t * exactLog(b / a)) : a + t * (b - a);
}

/** The category that probability p falls into when category i has the share `counts[i]`. */
export function category(counts: readonly number[], p: number): number {
  let total = 0;
  for (const c of counts) total += c;
  let x = p * total;
  for (let i = 0; i < counts.length - 1; i++) {
    if (x < counts[i]) return i;
    x -= counts[i];
  }
  return counts.length - 1;
}

/**
 * A table of `[probability, value]` knots of a logarithmic quantile function over normal scores:
 * what a log-normal law bent to measure looks like.
 */
export class BentLogNormal {
  private readonly scores: readonly number[];
  private readonly logs: readonly number[];

  constructor(knots: readonly (readonly [number, number])[], score: (p: number) => number) {
    this.scores = knots.map(([p]) => score(p));
    this.logs = knots.map(([, value]) => exactLog(value));
  }

  /** The value at normal score z; the outermost pieces go on beyond the table. */
  at(z: number): number {
    let i = 0;
    while (i < this.scores.length - 2 && z > this.scores[i + 1]) i++;
    const t = (z - this.scores[i]) / (this.scores[i + 1] - this.scores[i]);
    return exactExp(this.logs[i] + t * (this.logs[i + 1] - this.logs[i]));
  }
}

/**
 * Scrambles 32 bits (the last step of MurmurHash3): the same number always gives the same one,
 * nearby ones unrelated ones.
 */
export function scramble(x: number): number {
  let h = x ^ (x >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
