import { interruptible } from '../compute/interrupt.js';
import { dispose, float32, int32 } from '../compute/memory.js';
import type { CsrRows } from '../data/csr.js';
import { ArgumentError } from '../errors.js';
import { checkOptions, said, whatIs } from '../options.js';
import type { Interactions } from './interactions.js';
import { blockedTracks, checkN, userIndex } from './lookup.js';
import { RecommendationBatch } from './recommendation-batch.js';
import type { Recommendations } from './recommendations.js';
import type { Id, Recommender, RecommendOptions } from './recommender.js';
import { notAScore, topRows } from './top-n.js';

/** Scores held at once: 4 MB, which stay in the cache between scoring and selecting. */
const BLOCK_SCORES = 1 << 20;
/** So many users may take long. */
const MANY = 256;

/** See {@link Recommender.recommend}. */
export function recommend(
  recommender: Recommender,
  user: Id,
  options: RecommendOptions = {},
): Recommendations {
  return recommendBatch(recommender, [user], options).at(0);
}

/** See {@link Recommender.recommendBatch}. */
export function recommendBatch(
  recommender: Recommender,
  users: readonly Id[],
  options: RecommendOptions = {},
): RecommendationBatch {
  checkOptions(options, ['n', 'filterSeen', 'among', 'exclude'], 'recommend');
  const { n = 10, filterSeen = true } = options;
  checkN(n);
  if (typeof filterSeen !== 'boolean')
    throw new ArgumentError(`filterSeen must be true or false, got ${said(filterSeen)}.`);
  if (!Array.isArray(users))
    throw new ArgumentError(
      `recommendBatch needs an array of user ids, got ${whatIs(users)}. For one user there is recommend.`,
    );
  const blocked = blockedTracks(recommender, options);
  const index = Int32Array.from(users, (user) => userIndex(recommender, user));
  const work = (): RankedLists => rankUsers(recommender, index, { n, filterSeen, blocked });
  const ranked = users.length > MANY ? interruptible(work) : work();
  const { tracks, catalogue, names } = recommender;
  return new RecommendationBatch({ users: users.map(String), tracks, catalogue, names, ...ranked });
}

/** Lists of n track indices and their scores, row-major, and how many of each list count. */
export interface RankedLists {
  n: number;
  track: Int32Array;
  score: Float32Array;
  counts: Int32Array;
}

/** One user, while all scores are there. */
export interface RankedRow {
  /** All scores of the user as the recommender made them; −∞ for what is masked. */
  readonly scores: Float32Array;
  /** The best tracks, their scores, and how many of them count. */
  readonly track: Int32Array;
  readonly score: Float32Array;
  readonly count: number;
}

/**
 * Ranks for user indices, block by block: score, mask, select.
 * @param options.n length of a list, cut to the number of tracks; `filterSeen`: mask what each has
 *   played; `blocked`: tracks nobody gets; `visit`: is shown each user (by place in `users`) while
 *   the scores are there
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
  const { seen } = recommender;
  const tracks = recommender.tracks.length;
  const n = Math.min(options.n, tracks);
  const track = new Int32Array(users.length * n).fill(-1);
  const score = new Float32Array(users.length * n).fill(NaN);
  const counts = new Int32Array(users.length);
  const block = Math.max(1, Math.min(users.length, 256, Math.floor(BLOCK_SCORES / tracks)));
  const buffer = float32(block * tracks); // on the shared memory, so that kernels write into it
  const best = { track: int32(block * n), score: float32(block * n), counts: int32(block) };
  const masks = options.filterSeen ? new Masks(seen, block) : undefined;
  try {
    for (let from = 0; from < users.length; from += block) {
      const part = users.subarray(from, Math.min(users.length, from + block));
      const out = buffer.subarray(0, part.length * tracks);
      recommender.scores(part, out);
      for (let b = 0; b < part.length; b++) {
        const row = b * tracks;
        for (let j = 0; j < options.blocked.length; j++) out[row + options.blocked[j]] = -Infinity;
      }
      topRows(out, { rows: part.length, length: tracks, n, masked: masks?.of(part) }, best);
      for (let b = 0; b < part.length; b++) {
        const found = best.counts[b];
        if (found < 0) {
          const t = -1 - found;
          throw notAScore(
            out[b * tracks + t],
            `${recommender.name}, user "${recommender.users.id(part[b])}": the score of track "${recommender.tracks.id(t)}"`,
          );
        }
        const [ids, values] = [
          best.track.subarray(b * n, b * n + found),
          best.score.subarray(b * n, b * n + found),
        ];
        track.set(ids, (from + b) * n);
        score.set(values, (from + b) * n);
        counts[from + b] = found;
        options.visit?.(from + b, {
          scores: out.subarray(b * tracks, (b + 1) * tracks),
          track: ids,
          score: values,
          count: found,
        });
      }
    }
  } finally {
    for (const array of [buffer, best.track, best.score, best.counts]) dispose(array);
    masks?.dispose();
  }
  if (recommender.prediction) {
    for (let i = 0; i < score.length; i++)
      if (track[i] >= 0) score[i] = recommender.prediction(score[i]);
  }
  return { n, track, score, counts };
}

/** What the users of a block have played, on the shared memory. */
class Masks {
  private readonly indptr: Int32Array;
  private indices: Int32Array;

  constructor(
    private readonly seen: Interactions,
    block: number,
  ) {
    this.indptr = int32(block + 1);
    this.indices = int32(0);
  }

  of(users: Int32Array): CsrRows {
    const { seen, indptr } = this;
    for (let b = 0; b < users.length; b++)
      indptr[b + 1] = indptr[b] + seen.indptr[users[b] + 1] - seen.indptr[users[b]];
    if (indptr[users.length] > this.indices.length) {
      dispose(this.indices);
      this.indices = int32(2 * indptr[users.length]);
    }
    for (let b = 0; b < users.length; b++) this.indices.set(seen.row(users[b]), indptr[b]);
    return { indptr, indices: this.indices };
  }

  dispose(): void {
    dispose(this.indptr);
    dispose(this.indices);
  }
}
