import { parallel } from '../compute/threads.js';
import type { CsrRows } from '../data/csr.js';
import { NumericError } from '../errors.js';

/**
 * The n best of a row of scores, by a bounded heap: one pass, and little work for a score that does
 * not enter.
 *
 * Order: score descending, then index ascending. A score of −∞ is never taken (that is how tracks
 * are masked); NaN and +∞ are a NumericError.
 */
export class TopN {
  /** How many the last `select` found: n, or all there were. */
  count = 0;
  private readonly index: Int32Array;
  private readonly score: Float32Array;

  /** @param n how many to keep, at least 1 */
  constructor(readonly n: number) {
    this.index = new Int32Array(n);
    this.score = new Float32Array(n);
  }

  /**
   * Selects among scores[start … start + length), best first; indices count from `start`.
   * @param what names a score in an error, given its index
   */
  select(
    scores: Float32Array,
    start: number,
    length: number,
    what: (index: number) => string,
  ): this {
    const { n, index, score } = this;
    let count = 0;
    let threshold = -Infinity;
    for (let i = 0; i < length; i++) {
      const s = scores[start + i];
      if (s <= threshold) continue; // an equal score at a later index is worse. NaN passes, to be caught here:
      if (!(s < Infinity)) throw notAScore(s, what(i));
      if (count < n) {
        this.siftUp(count++, i, s);
      } else {
        this.siftDown(n, i, s);
      }
      if (count === n) threshold = score[0];
    }
    this.count = count;
    for (let last = count - 1; last > 0; last--) {
      const i = index[0]; // the worst of those left goes behind them
      const s = score[0];
      this.siftDown(last, index[last], score[last]);
      index[last] = i;
      score[last] = s;
    }
    return this;
  }

  /** Copies what `select` found to `index` and `score` from `at` on. */
  copyTo(index: Int32Array, score: Float32Array, at: number): void {
    index.set(this.index.subarray(0, this.count), at);
    score.set(this.score.subarray(0, this.count), at);
  }

  /** Whether the entry at a is worse than (i, s): such a one lies nearer to the root. */
  private worse(a: number, i: number, s: number): boolean {
    return this.score[a] < s || (this.score[a] === s && this.index[a] > i);
  }

  private siftUp(at: number, i: number, s: number): void {
    const { index, score } = this;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.worse(parent, i, s)) break;
      index[at] = index[parent];
      score[at] = score[parent];
      at = parent;
    }
    index[at] = i;
    score[at] = s;
  }

  /** Puts (i, s) at the root of a heap of `size` in place of what is there. */
  private siftDown(size: number, i: number, s: number): void {
    const { index, score } = this;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.worse(child + 1, index[child], score[child])) child++;
      if (!this.worse(child, i, s)) break;
      index[at] = index[child];
      score[at] = score[child];
      at = child;
    }
    index[at] = i;
    score[at] = s;
  }
}

/** Where topRows puts what it finds, all on the shared memory. */
export interface BestOfRows {
  /** rows × n: the index in its row. */
  readonly track: Int32Array;
  /** rows × n. */
  readonly score: Float32Array;
  /** How many of the n there are; −1 − index where a score is NaN or +∞. */
  readonly counts: Int32Array;
}

/**
 * The n best of each row of a block of scores, in the order of {@link TopN}, on all threads.
 * @param scores rows × length, on the shared memory
 * @param options.masked columns that are not taken, by row, on the shared memory: their scores
 *   become −∞
 */
export function topRows(
  scores: Float32Array,
  { rows, length, n, masked }: { rows: number; length: number; n: number; masked?: CsrRows },
  best: BestOfRows,
): void {
  const mask = masked ? [masked.indptr.byteOffset, masked.indices.byteOffset] : [0, 0];
  parallel(
    'topRows',
    rows,
    [
      n,
      length,
      scores.byteOffset,
      ...mask,
      best.track.byteOffset,
      best.score.byteOffset,
      best.counts.byteOffset,
    ],
    {
      grain: Math.max(4, Math.ceil(100_000 / length)),
    },
  );
}

/** The error for a score that is none. */
export function notAScore(score: number, what: string): NumericError {
  return new NumericError(
    `${what} is ${score}. A score must be a number: has training diverged? Try a smaller learning rate.`,
  );
}
