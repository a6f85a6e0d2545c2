import { exactExp, exactLog } from './exact.js';

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
