import { dispose, float32 } from '../compute/memory.js';
import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { aucOf } from './auc.js';
import type { CodedLists, HeldOut } from './held-out.js';
import { rankUsers } from './rank.js';
import type { Recommender } from './recommender.js';
import { TopN } from './top-n.js';

/** Users that are ranked between two chances to stop. */
const PART = 128;
/** Scores held at once: 4 MB. */
const BLOCK_SCORES = 1 << 20;

/** What one recommender makes of the users of a {@link HeldOut}, row by row. */
export interface RankedHeldOut {
  /** Ranked from the whole catalogue. */
  readonly lists: CodedLists;
  /** Which users the recommender knows; the others have empty lists. */
  readonly known: Uint8Array;
  /** Which tracks it can recommend, by number. */
  readonly catalogue: Int32Array;
  /** Area under the ROC curve, where it was asked for; NaN for unknown users. */
  readonly auc: Float64Array | undefined;
  /** Ranked from the relevant tracks and so many others. */
  readonly sampled: ReadonlyMap<number, CodedLists>;
}

/** What to make. */
export interface RankOptions {
  /** Length of the lists. */
  n: number;
  auc: boolean;
  /** Numbers of negatives of sampled lists. */
  negatives: readonly number[];
  /** Seed of the negatives. */
  seed: number | string;
}

/**
 * Ranks for user indices part by part; yields after each, so that long work can be interrupted.
 * @returns users × n track indices of the recommender, −1 where a list ends early
 */
export function* rankInParts(recommender: Recommender, users: Int32Array, n: number): Generator<void, CodedLists> {
  const width = Math.min(n, recommender.tracks.length);
  const track = new Int32Array(users.length * width);
  for (let from = 0; from < users.length; from += PART) {
    const ranked = rankUsers(recommender, users.subarray(from, from + PART), { n: width, filterSeen: true, blocked: new Int32Array(0) });
    track.set(ranked.track, from * width);
    yield;
  }
  return { n: width, track };
}

/** Ranks the held-out users by a recommender. */
export function* rankHeldOut(recommender: Recommender, heldOut: HeldOut, options: RankOptions): Generator<void, RankedHeldOut> {
  const { users, codes } = heldOut;
  const code = codes.of(recommender.tracks);
  const index = Int32Array.from(users, (id) => recommender.users.indexOf(id));
  refuseTrainedOn(recommender, heldOut, { index, code });
  const rows = Int32Array.from(index.keys()).filter((row) => index[row] >= 0);
  if (rows.length === 0) throw new ArgumentError(`${recommender.name} knows none of the ${users.length} users that are measured.`);
  const ranked = yield* rankInParts(
    recommender,
    rows.map((row) => index[row]),
    options.n,
  );
  const n = ranked.n;
  const track = new Int32Array(users.length * n).fill(-1);
  rows.forEach((row, i) => {
    for (let j = 0; j < n; j++) track[row * n + j] = ranked.track[i * n + j] < 0 ? -1 : code[ranked.track[i * n + j]];
  });
  const further =
    options.auc || options.negatives.length > 0 ? yield* scoreFully(recommender, heldOut, { ...options, index, rows, code }) : undefined;
  const known = Uint8Array.from(index, (i) => (i < 0 ? 0 : 1));
  return { lists: { n, track }, known, catalogue: code, auc: options.auc ? further?.auc : undefined, sampled: further?.sampled ?? new Map() };
}

/** A recommender that has seen a track which it is to find cannot be measured by it. */
function refuseTrainedOn(
  recommender: Recommender,
  { users, relevant, codes }: HeldOut,
  { index, code }: { index: Int32Array; code: Int32Array },
): void {
  const own = new Int32Array(codes.length).fill(-1);
  code.forEach((c, t) => {
    own[c] = t;
  });
  users.forEach((user, row) => {
    if (index[row] < 0) return;
    for (let j = relevant.indptr[row]; j < relevant.indptr[row + 1]; j++) {
      const track = own[relevant.indices[j]];
      if (track < 0 || !recommender.seen.has(index[row], track)) continue;
      throw new ArgumentError(
        `${recommender.name} was trained on plays that it is to be measured by: user "${user}" and track "${recommender.tracks.id(track)}", for instance. Train it on the training part of the split.`,
      );
    }
  });
}

interface Places {
  /** The recommender's index of each user. */
  index: Int32Array;
  /** Users that it knows. */
  rows: Int32Array;
  /** The number of each of its tracks. */
  code: Int32Array;
}

/** What lists do not tell: the rank of every relevant track, and ranks among sampled tracks. */
function* scoreFully(
  recommender: Recommender,
  heldOut: HeldOut,
  options: RankOptions & Places,
): Generator<void, { auc: Float64Array; sampled: Map<number, CodedLists> }> {
  const { index, rows, code } = options;
  const tracks = recommender.tracks.length;
  const own = new Int32Array(heldOut.codes.length).fill(-1);
  code.forEach((c, t) => {
    own[c] = t;
  });
  const { indptr, indices } = heldOut.relevant;
  const auc = new Float64Array(index.length).fill(NaN);
  const sampled = new Map(options.negatives.map((n) => [n, { n: options.n, track: new Int32Array(index.length * options.n).fill(-1) }]));
  const block = Math.max(1, Math.min(rows.length, PART, Math.floor(BLOCK_SCORES / tracks)));
  const buffer = float32(block * tracks); // on the shared memory, so that kernels write into it
  try {
    for (let from = 0; from < rows.length; from += block) {
      const part = rows.subarray(from, from + block);
      recommender.scores(
        part.map((row) => index[row]),
        buffer.subarray(0, part.length * tracks),
      );
      part.forEach((row, b) => {
        const out = buffer.subarray(b * tracks, (b + 1) * tracks);
        for (const t of recommender.seen.row(index[row])) out[t] = -Infinity;
        const relevant = indices.subarray(indptr[row], indptr[row + 1]);
        const found = relevant.map((c) => own[c]).filter((t) => t >= 0);
        if (options.auc) auc[row] = aucOf(out, found, { missed: relevant.length - found.length });
        for (const [n, lists] of sampled) {
          const drawn = drawNegatives(heldOut, row, { n, seen: recommender.seen.row(index[row]), code, seed: options.seed });
          const candidates = Int32Array.from([...relevant, ...drawn], (c) => own[c]).filter((t) => t >= 0 && out[t] > -Infinity);
          lists.track.set(
            bestOf(out, candidates.sort(), options.n).map((t) => code[t]),
            row * options.n,
          );
        }
      });
      yield;
    }
  } finally {
    dispose(buffer);
  }
  return { auc, sampled };
}

/** The best n of some tracks, ascending by index. Their scores have been checked when the whole catalogue was ranked. */
function bestOf(scores: Float32Array, candidates: Int32Array, n: number): Int32Array {
  const top = new TopN(n).select(
    Float32Array.from(candidates, (t) => scores[t]),
    0,
    candidates.length,
    (i) => `The score of track ${candidates[i]}`,
  );
  const best = new Int32Array(top.count);
  top.copyTo(best, new Float32Array(top.count), 0);
  return best.map((i) => candidates[i]);
}

/**
 * Tracks of training that a user has neither played nor is to be given, each equally likely: the same for every recommender that has seen the same plays of the
 * user. All there are, if these are fewer than `n`.
 */
function drawNegatives(
  { users, relevant, trainTracks }: HeldOut,
  row: number,
  { n, seen, code, seed }: { n: number; seen: Int32Array; code: Int32Array; seed: number | string },
): number[] {
  const taken = new Set(Array.from(seen, (t) => code[t]));
  for (let j = relevant.indptr[row]; j < relevant.indptr[row + 1]; j++) taken.add(relevant.indices[j]);
  let free = trainTracks;
  for (const c of taken) if (c < trainTracks) free--;
  if (free <= n) return Array.from({ length: trainTracks }, (_, c) => c).filter((c) => !taken.has(c));
  const random = new Random(seed).child('negatives').child(users[row]);
  const drawn: number[] = [];
  while (drawn.length < n) {
    const c = random.int(trainTracks);
    if (taken.has(c)) continue;
    taken.add(c);
    drawn.push(c);
  }
  return drawn;
}
