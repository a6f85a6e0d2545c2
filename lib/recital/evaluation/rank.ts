import { dispose, float32 } from '../compute/memory.js';
import { Random } from '../compute/random.js';
import type { CsrRows } from '../data/csr.js';
import { ArgumentError } from '../errors.js';
import { type RankedRow, rankUsers } from '../recommend/rank.js';
import type { Recommender } from '../recommend/recommender.js';
import { TopN } from '../recommend/top-n.js';
import { diversityOf, giniOfCounts, selfInformation } from './beyond-accuracy.js';
import { type CodedLists, type HeldOut, hitsOfLists, metricsOfLists } from './held-out.js';
import { type AccuracyMetric, aucOf } from './metrics.js';
import { isOfCatalogue, type MetricColumn, ownValue } from './parse.js';

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
  /** Whether lists with equal scores in an order of chance are needed. */
  shuffled: boolean;
  /** Seed of the negatives, and of the order of equal scores. */
  seed: number | string;
}

/** What {@link rankInParts} is asked. */
export interface PartsOptions {
  /** Length of the lists. */
  n: number;
  /**
   * What is right for the i-th user, by index of the recommender; numbers below 0 are never
   * recommended.
   */
  relevant: (i: number) => Int32Array;
  /** Tracks that nobody gets; default none. */
  blocked?: Int32Array;
  /**
   * The chance by which the i-th user's equal scores are put in an order; default: they are not.
   */
  chance?: (i: number) => Random;
  /**
   * The row of each user, among how many, and what to call each track; default: user by user, by
   * index of the recommender.
   */
  as?: { readonly row: Int32Array; readonly rows: number; readonly code: Int32Array };
}

/**
 * Ranks for user indices part by part; yields after each, so that long work can be interrupted.
 * @returns rows × n tracks, −1 where a list ends early
 */
export function* rankInParts(
  recommender: Recommender,
  users: Int32Array,
  options: PartsOptions,
): Generator<void, CodedLists> {
  const { blocked = new Int32Array(0), as } = options;
  const lists = new ListsWithTies(
    as?.rows ?? users.length,
    Math.min(options.n, recommender.tracks.length),
    options.chance !== undefined,
  );
  const how: RowOptions = { relevant: options.relevant, chance: options.chance, code: as?.code };
  for (let from = 0; from < users.length; from += PART) {
    rankUsers(recommender, users.subarray(from, from + PART), {
      n: lists.n + 1, // one more tells whether the last one on the list is tied with tracks that are not
      filterSeen: true,
      blocked,
      visit: (b, ranked) =>
        lists.set({ user: from + b, row: as ? as.row[from + b] : from + b }, ranked, how),
    });
    yield;
  }
  return lists;
}

/** What {@link ListsWithTies.set} must know of the i-th user. */
interface RowOptions {
  /** What is right, in the numbers of the row's tracks. */
  readonly relevant: (i: number) => Int32Array;
  /** What to write for each of these numbers; default: the number. */
  readonly code?: Int32Array;
  readonly chance?: (i: number) => Random;
}

/** Lists, and where they have equal scores. */
class ListsWithTies implements CodedLists {
  readonly track: Int32Array;
  readonly shuffled: Int32Array | undefined;
  readonly ties: {
    readonly any: Uint8Array;
    readonly same: Uint8Array;
    readonly beyond: Int32Array;
    readonly missed: Map<number, Int32Array>;
  };

  constructor(
    rows: number,
    readonly n: number,
    shuffled: boolean,
  ) {
    this.track = new Int32Array(rows * n).fill(-1);
    this.shuffled = shuffled ? new Int32Array(rows * n).fill(-1) : undefined;
    this.ties = {
      any: new Uint8Array(rows),
      same: new Uint8Array(rows * n),
      beyond: new Int32Array(rows),
      missed: new Map(),
    };
  }

  /**
   * Takes the n best of a user in which there is one more, if there is one, into a row; equal
   * scores by index.
   */
  set(
    { user, row }: { user: number; row: number },
    { scores, track, score, count }: RankedRow,
    { relevant, code, chance }: RowOptions,
  ): void {
    const { n, ties } = this;
    const at = row * n;
    const length = Math.min(n, count);
    let tied = false;
    for (let j = 0; j < length; j++) {
      this.track[at + j] = code ? code[track[j]] : track[j];
      if (j === 0 || score[j] !== score[j - 1]) continue;
      ties.same[at + j] = 1;
      tied = true;
    }
    if (count > n && score[n] === score[n - 1]) {
      tied = true;
      const [last, lastTrack] = [score[n - 1], track[n - 1]];
      let beyond = 0;
      for (let t = lastTrack + 1; t < scores.length; t++) if (scores[t] === last) beyond++; // those before it are on the list
      ties.beyond[row] = beyond;
      const missed = relevant(user).filter((t) => t > lastTrack && scores[t] === last);
      if (missed.length > 0) ties.missed.set(row, code ? missed.map((t) => code[t]) : missed);
    }
    if (tied) ties.any[row] = 1;
    if (!this.shuffled) return;
    const list = track.slice(0, length);
    if (tied) shuffleTied(list, { score, scores, random: chance!(user) });
    this.shuffled.set(code ? list.map((t) => code[t]) : list, at);
  }
}

/**
 * Puts each group of equal scores of a list in an order of chance; of a group that is longer than
 * the list, some of all its tracks are drawn.
 */
function shuffleTied(
  list: Int32Array,
  { score, scores, random }: { score: Float32Array; scores: Float32Array; random: Random },
): void {
  for (let from = 0; from < list.length; ) {
    let to = from + 1;
    while (to < list.length && score[to] === score[from]) to++;
    if (to === list.length || to > from + 1) {
      const group: number[] = Array.from(list.subarray(from, to));
      if (to === list.length)
        for (let t = list[to - 1] + 1; t < scores.length; t++)
          if (scores[t] === score[from]) group.push(t);
      for (let j = from; j < to; j++) {
        const other = j - from + random.int(group.length - (j - from));
        list[j] = group[other];
        group[other] = group[j - from];
      }
    }
    from = to;
  }
}

/** Ranks the held-out users by a recommender. */
export function* rankHeldOut(
  recommender: Recommender,
  heldOut: HeldOut,
  options: RankOptions,
): Generator<void, RankedHeldOut> {
  const { users, codes, relevant } = heldOut;
  const code = codes.of(recommender.tracks);
  const index = Int32Array.from(users, (id) => recommender.users.indexOf(id));
  refuseTrainedOn(recommender, heldOut, { index, code });
  const rows = Int32Array.from(index.keys()).filter((row) => index[row] >= 0);
  if (rows.length === 0)
    throw new ArgumentError(
      `${recommender.name} knows none of the ${users.length} users that are measured.`,
    );
  const own = ownOf(code, codes.length);
  const relevantTo = (row: number): Int32Array =>
    relevant.indices.subarray(relevant.indptr[row], relevant.indptr[row + 1]).map((c) => own[c]);
  const random = new Random(options.seed).child('ties');
  const ranked = yield* rankInParts(
    recommender,
    rows.map((row) => index[row]),
    {
      n: options.n,
      relevant: (i) => relevantTo(rows[i]),
      as: { row: rows, rows: users.length, code },
      ...(options.shuffled && { chance: (i: number) => random.child(users[rows[i]]) }),
    },
  );
  const further =
    options.auc || options.negatives.length > 0
      ? yield* scoreFully(recommender, heldOut, { ...options, index, rows, code })
      : undefined;
  const known = Uint8Array.from(index, (i) => (i < 0 ? 0 : 1));
  return {
    lists: ranked,
    known,
    catalogue: code,
    auc: options.auc ? further?.auc : undefined,
    sampled: further?.sampled ?? new Map(),
  };
}

/** A recommender that has seen a track which it is to find cannot be measured by it. */
function refuseTrainedOn(
  recommender: Recommender,
  { users, relevant, codes }: HeldOut,
  { index, code }: { index: Int32Array; code: Int32Array },
): void {
  const own = ownOf(code, codes.length);
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

/** The recommender's index of each numbered track; −1 where it has none. */
function ownOf(code: Int32Array, codes: number): Int32Array {
  const own = new Int32Array(codes).fill(-1);
  code.forEach((c, t) => {
    own[c] = t;
  });
  return own;
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
  const own = ownOf(code, heldOut.codes.length);
  const { indptr, indices } = heldOut.relevant;
  const auc = new Float64Array(index.length).fill(NaN);
  const sampled = new Map(
    options.negatives.map((n) => [n, new ListsWithTies(index.length, options.n, false)]),
  );
  const top = new TopN(options.n + 1);
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
          const drawn = drawNegatives(heldOut, row, {
            n,
            seen: recommender.seen.row(index[row]),
            code,
            seed: options.seed,
          });
          const candidates = Int32Array.from([...relevant, ...drawn], (c) => own[c]).filter(
            (t) => t >= 0 && out[t] > -Infinity,
          );
          setSampled(lists, row, {
            candidates: candidates.sort(),
            scores: out,
            code,
            relevant,
            top,
          });
        }
      });
      yield;
    }
  } finally {
    dispose(buffer);
  }
  return { auc, sampled };
}

/**
 * Ranks some tracks alone, ascending by index. Their scores have been checked when the whole
 * catalogue was ranked.
 */
function setSampled(
  lists: ListsWithTies,
  row: number,
  {
    candidates,
    scores,
    code,
    relevant,
    top,
  }: {
    candidates: Int32Array;
    scores: Float32Array;
    code: Int32Array;
    relevant: Int32Array;
    top: TopN;
  },
): void {
  const alone = Float32Array.from(candidates, (t) => scores[t]);
  const { count } = top.select(
    alone,
    0,
    alone.length,
    (i) => `The score of track ${candidates[i]}`,
  );
  const best = {
    scores: alone,
    track: new Int32Array(count),
    score: new Float32Array(count),
    count,
  };
  top.copyTo(best.track, best.score, 0);
  const right = new Set(relevant);
  const codes = candidates.map((t) => code[t]);
  lists.set({ user: row, row }, best, {
    relevant: () => Int32Array.from(codes.keys()).filter((i) => right.has(codes[i])),
    code: codes,
  });
}

/**
 * Tracks of training that a user has neither played nor is to be given, each equally likely: the
 * same for every recommender that has seen the same plays of the user. All there are, if these are
 * fewer than `n`.
 */
function drawNegatives(
  { users, relevant, trainTracks }: HeldOut,
  row: number,
  { n, seen, code, seed }: { n: number; seen: Int32Array; code: Int32Array; seed: number | string },
): number[] {
  const taken = new Set(Array.from(seen, (t) => code[t]));
  for (let j = relevant.indptr[row]; j < relevant.indptr[row + 1]; j++)
    taken.add(relevant.indices[j]);
  let free = trainTracks;
  for (const c of taken) if (c < trainTracks) free--;
  if (free <= n)
    return Array.from({ length: trainTracks }, (_, c) => c).filter((c) => !taken.has(c));
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

/** What values are computed from, the same for all recommenders. */
export interface Measure {
  readonly heldOut: HeldOut;
  /** Rows of the users that every recommender knows. */
  readonly rows: Int32Array;
  /** Tracks that any of the recommenders can recommend. */
  readonly catalogueSize: number;
  /** The vector of a track by its number, for diversity. */
  readonly vector?: (code: number) => Float64Array | undefined;
}

/**
 * A column of values of one recommender, one for each of `measure.rows`, NaN where there is none; a
 * column of the catalogue has a single value.
 * @param options.relevant what is right, instead of all held-out tracks
 */
export function valuesOf(
  ranked: RankedHeldOut,
  column: MetricColumn,
  measure: Measure,
  { relevant = measure.heldOut.relevant }: { relevant?: CsrRows } = {},
): Float64Array {
  const { rows, heldOut, catalogueSize } = measure;
  const { metric, own, k, negatives } = column;
  const lists = negatives > 0 ? ranked.sampled.get(negatives)! : ranked.lists;
  const { n } = lists;
  const track = own ? lists.shuffled! : lists.track;
  if (metric === 'auc')
    return rows.length ? Float64Array.from(rows, (row) => ranked.auc![row]) : new Float64Array(0);
  const first = (row: number): Int32Array => {
    const list = track.subarray(row * n, row * n + Math.min(k, n));
    const end = list.indexOf(-1);
    return end < 0 ? list : list.subarray(0, end);
  };
  if (own) {
    const ids = heldOut.codes.ids();
    const idsOf = (codes: Int32Array): string[] => Array.from(codes, (code) => ids[code]);
    return Float64Array.from(rows, (row) => {
      const right = relevant.indices.subarray(relevant.indptr[row], relevant.indptr[row + 1]);
      return right.length === 0
        ? NaN
        : ownValue(own, idsOf(first(row)), new Set(idsOf(right)), { user: heldOut.users[row], k });
    });
  }
  if (isOfCatalogue(column)) {
    const counts = new Float64Array(heldOut.codes.length);
    for (const row of rows) for (const code of first(row)) counts[code]++;
    const used = counts.filter((count) => count > 0);
    return Float64Array.of(
      metric === 'coverage' ? used.length / catalogueSize : giniOfCounts(used, catalogueSize),
    );
  }
  if (metric === 'novelty') {
    return meanOverList(rows, first, (code) =>
      selfInformation(heldOut.listeners[code] ?? 0, heldOut.trainUsers),
    );
  }
  if (metric === 'popularity')
    return meanOverList(rows, first, (code) => heldOut.listeners[code] ?? 0);
  if (metric === 'diversity') {
    return Float64Array.from(rows, (row) => {
      const vectors = Array.from(first(row)).flatMap((code) => measure.vector!(code) ?? []);
      return diversityOf(vectors.length, (j) => vectors[j]);
    });
  }
  const values = accuracies(ranked, lists, { k, negatives, relevant, codes: heldOut.codes.length })[
    metric as AccuracyMetric
  ];
  return Float64Array.from(rows, (row) => values[row]);
}

function meanOverList(
  rows: Int32Array,
  first: (row: number) => Int32Array,
  value: (code: number) => number,
): Float64Array {
  return Float64Array.from(rows, (row) => {
    const list = first(row);
    let sum = 0;
    for (const code of list) sum += value(code);
    return sum / list.length;
  });
}

type Accuracies = Record<AccuracyMetric, Float64Array>;
const computed = new WeakMap<RankedHeldOut, WeakMap<CsrRows, Map<string, Accuracies>>>();

/**
 * All metrics of right and wrong at one k come at once: kept, as one after the other is asked for.
 */
function accuracies(
  ranked: RankedHeldOut,
  lists: CodedLists,
  {
    k,
    negatives,
    relevant,
    codes,
  }: { k: number; negatives: number; relevant: CsrRows; codes: number },
): Accuracies {
  const byRelevant = computed.get(ranked) ?? new WeakMap<CsrRows, Map<string, Accuracies>>();
  const kept = byRelevant.get(relevant) ?? new Map<string, Accuracies>();
  computed.set(ranked, byRelevant.set(relevant, kept));
  const key = `${k}~${negatives}`;
  const found =
    kept.get(key) ??
    metricsOfLists(hitsOfLists(lists, { relevant, codes }), lists, { k, relevant });
  kept.set(key, found);
  return found;
}
