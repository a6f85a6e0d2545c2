import { dispose, float32, int32 } from '../compute/memory.js';
import { parallel } from '../compute/threads.js';
import type { CsrRows } from '../data/csr.js';
import { NumericError, userInMessage } from '../errors.js';
import type { Recommender } from './recommender.js';

/** Scores held at once: 4 MB, which stay in the cache between scoring and selecting. */
const BLOCK_SCORES = 1 << 20;

/** Ranked lists for some users, a row each. */
export interface RankedLists {
  /** Room for tracks in each list. */
  readonly n: number;
  /** users × n track indices, best first; −1 where a list ends early. */
  readonly track: Int32Array;
  /** users × n scores; NaN where a list ends early. */
  readonly score: Float32Array;
  /** Tracks in each list. */
  readonly counts: Int32Array;
}

/** The list of one user, and the scores that it was chosen from. */
export interface RankedRow {
  /** The score of each track as the recommender made it; −∞ for what is masked. */
  readonly scores: Float32Array;
  /** The best tracks, their scores, and how many of them count. */
  readonly track: Int32Array;
  readonly score: Float32Array;
  readonly count: number;
}

/**
 * Ranks for user indices, block by block: score, mask, select.
 * @param options.n length of a list, cut to the number of tracks; `filterSeen`: mask what each has
 *   played; `blocked`: tracks that nobody gets; `visit`: is called with each user's place in `users`
 *   and list; its arrays are overwritten afterwards
 */
export function rankUsers(
  recommender: Recommender,
  users: Int32Array,
  options: {
    n: number;
    filterSeen: boolean;
    blocked: Int32Array;
    visit?: (i: number, row: RankedRow) => void;
  },
): RankedLists {
  const tracks = recommender.tracks.length;
  const n = Math.min(options.n, tracks);
  const track = new Int32Array(users.length * n).fill(-1);
  const score = new Float32Array(users.length * n).fill(NaN);
  const counts = new Int32Array(users.length);
  const block = Math.max(1, Math.min(users.length, 256, Math.floor(BLOCK_SCORES / tracks)));
  const buffer = float32(block * tracks); // on the shared memory, so that kernels write into it
  const best = { track: int32(block * n), score: float32(block * n), counts: int32(block) };
  try {
    for (let from = 0; from < users.length; from += block) {
      const part = users.subarray(from, Math.min(users.length, from + block));
      const out = buffer.subarray(0, part.length * tracks);
      recommender.scores(part, out);
      for (let row = 0; row < out.length; row += tracks)
        for (const t of options.blocked) out[row + t] = -Infinity;
      const masked = options.filterSeen ? playedBy(part, recommender.seen) : undefined;
      topRows(out, { rows: part.length, length: tracks, n, masked }, best);
      if (masked) for (const array of [masked.indptr, masked.indices]) dispose(array);
      for (let b = 0; b < part.length; b++) {
        const count = best.counts[b];
        const scores = out.subarray(b * tracks, (b + 1) * tracks);
        if (count < 0) {
          const t = -1 - count;
          const of = `${userInMessage(recommender.users.id(part[b]))}: the score of track "${recommender.tracks.id(t)}"`;
          throw notAScore(scores[t], `${recommender.name}, ${of}`);
        }
        const row = {
          scores,
          track: best.track.subarray(b * n, b * n + count),
          score: best.score.subarray(b * n, b * n + count),
          count,
        };
        track.set(row.track, (from + b) * n);
        score.set(row.score, (from + b) * n);
        counts[from + b] = count;
        options.visit?.(from + b, row);
      }
    }
  } finally {
    for (const array of [buffer, best.track, best.score, best.counts]) dispose(array);
  }
  if (recommender.prediction)
    for (let i = 0; i < score.length; i++)
      if (track[i] >= 0) score[i] = recommender.prediction(score[i]);
  return { n, track, score, counts };
}

/** What some users have played, on the shared memory. */
function playedBy(users: Int32Array, { indptr: from, indices: tracks }: CsrRows): CsrRows {
  const indptr = int32(users.length + 1);
  for (let b = 0; b < users.length; b++)
    indptr[b + 1] = indptr[b] + from[users[b] + 1] - from[users[b]];
  const indices = int32(indptr[users.length]);
  for (let b = 0; b < users.length; b++)
    indices.set(tracks.subarray(from[users[b]], from[users[b] + 1]), indptr[b]);
  return { indptr, indices };
}

/**
 * The n best of each row of a block of scores, in the order of {@link TopN}, on all threads.
 * @param scores rows × length, on the shared memory
 * @param options.masked columns that are not taken, by row, on the shared memory: their scores
 *   become −∞
 * @param best what is found, on the shared memory; its `counts` are −1 − index where the score of
 *   that index is NaN or +∞
 */
export function topRows(
  scores: Float32Array,
  { rows, length, n, masked }: { rows: number; length: number; n: number; masked?: CsrRows },
  { track, score, counts }: Omit<RankedLists, 'n'>,
): void {
  const mask = masked ? [masked.indptr.byteOffset, masked.indices.byteOffset] : [0, 0];
  const found = [track, score, counts].map(({ byteOffset }) => byteOffset);
  const grain = Math.max(4, Math.ceil(100_000 / length));
  parallel('topRows', rows, [n, length, scores.byteOffset, ...mask, ...found], { grain });
}

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
      if (count < n) this.siftUp(count++, i, s);
      else this.siftDown(n, i, s);
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

  /** Whether the entry at a is worse than (i, s): worse entries are nearer to the root. */
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

/** The error for a score of NaN or +∞. */
function notAScore(score: number, what: string): NumericError {
  return new NumericError(
    `${what} is ${score}. A score must be a number: has training diverged? Try a smaller learning rate.`,
  );
}
