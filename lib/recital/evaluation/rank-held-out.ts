import type { Steps } from '../compute/interrupt.js';
import { Random } from '../compute/random.js';
import type { CsrRows } from '../data/csr.js';
import { ArgumentError, userInMessage } from '../errors.js';
import { countAbove } from '../learner/metrics.js';
import { whatIs } from '../options.js';
import { type RankedRow, rankUsers, TopN } from '../recommend/rank.js';
import type { Recommender } from '../recommend/recommender.js';
import { diversityOf, giniOfCounts, selfInformation } from './beyond-accuracy.js';
import type { HeldOut } from './held-out.js';
import { isOfCatalogue, type MetricColumn, type RankingMetric } from './metric-columns.js';
import { type AccuracyMetric, type ListsWithTies, metricsOfLists } from './metrics.js';

/** Users that are ranked between two chances to stop. */
const PART = 128;

/** The lists of one recommender for the users of a {@link HeldOut}, row by row. */
export interface RankedHeldOut {
  /** Ranked from the whole catalogue. */
  readonly lists: Lists;
  /** The same with equal scores in random order, if a metric of one's own needs it. */
  readonly shuffled: Int32Array | undefined;
  /** Ranked from the relevant tracks and n others, by n. */
  readonly sampled: ReadonlyMap<number, Lists>;
  /** Area under the ROC curve, if it was asked for; NaN for unknown users. */
  readonly auc: Float64Array | undefined;
  /** 1 for users that the recommender knows; the others have empty lists. */
  readonly known: Uint8Array;
  /** Codes of the tracks that it can recommend. */
  readonly catalogue: Int32Array;
}

/** Options of {@link rankHeldOut}. */
export interface RankOptions {
  /** What will be measured. */
  readonly columns: readonly MetricColumn[];
  /** Seed of sampled tracks, and of the order of equal scores. */
  readonly seed: number | string;
  /** Indices of tracks that nobody is recommended. */
  readonly blocked?: Int32Array;
}

/** Ranks the held-out users by a recommender. Returns undefined if it was stopped. */
export function* rankHeldOut(
  recommender: Recommender,
  heldOut: HeldOut,
  { columns, seed, blocked = new Int32Array(0) }: RankOptions,
): Steps<RankedHeldOut | undefined> {
  const { users, codes, relevant } = heldOut;
  const { seen, tracks } = recommender;
  const code = codes.of(tracks);
  const own = new Int32Array(codes.length).fill(-1); // the recommender's index of each code
  for (let t = 0; t < code.length; t++) own[code[t]] = t;
  const index = Int32Array.from(users, (id) => recommender.users.indexOf(id));
  refuseSeen(recommender, heldOut, index, own);
  const relevantTo = (row: number): Int32Array =>
    relevant.indices.subarray(relevant.indptr[row], relevant.indptr[row + 1]).map((c) => own[c]);
  const n = Math.min(tracks.length, Math.max(...columns.map(({ k }) => k)));
  const lists = new Lists(users.length, n);
  const shuffled = columns.some((column) => column.own) ? lists.track.slice() : undefined;
  const auc = columns.some(({ metric }) => metric === 'auc')
    ? new Float64Array(users.length).fill(NaN)
    : undefined;
  const sampled = new Map<number, Lists>();
  for (const { negatives } of columns)
    if (negatives > 0) sampled.set(negatives, new Lists(users.length, n));
  const random = new Random(seed);
  const [ties, top] = [random.child('ties'), new TopN(n + 1)];
  const rows = Int32Array.from(index.keys()).filter((row) => index[row] >= 0);
  if (rows.length === 0)
    throw new ArgumentError(
      `${recommender.name} knows none of the ${users.length} users with held-out plays, so there is nothing to measure.`,
    );
  for (let from = 0; from < rows.length; from += PART) {
    const part = rows.subarray(from, from + PART);
    const visit = (i: number, best: RankedRow): void => {
      const row = part[i];
      lists.set(row, best, code, relevantTo);
      if (shuffled) {
        const list = best.track.slice(0, Math.min(n, best.count));
        shuffleTied(list, best, ties.child(users[row]));
        for (let j = 0; j < list.length; j++) shuffled[row * n + j] = code[list[j]];
      }
      if (!auc && sampled.size === 0) return;
      const right = relevantTo(row);
      const found = right.filter((t) => t >= 0);
      if (auc) auc[row] = aucOf(best.scores, found, right.length - found.length);
      for (const [size, few] of sampled) {
        const drawn = drawNegatives(heldOut, row, size, random, seen.row(index[row]), code);
        const among = Int32Array.from([...found, ...drawn.map((c) => own[c])]);
        setSampled(few, row, best.scores, among.sort(), { code, right: new Set(found), top });
      }
    };
    const options = { n: n + 1, filterSeen: true, blocked, visit }; // one more shows a tie at the end
    const some = part.map((row) => index[row]);
    rankUsers(recommender, some, options);
    if (yield) return undefined;
  }
  const known = Uint8Array.from(index, (i) => (i < 0 ? 0 : 1));
  return { lists, shuffled, sampled, auc, known, catalogue: code };
}

/** Throws if the recommender has seen a track that it is to find. */
function refuseSeen(
  { name, seen, tracks }: Recommender,
  { users, relevant: { indptr, indices } }: HeldOut,
  index: Int32Array,
  own: Int32Array,
): void {
  users.forEach((user, row) => {
    for (let j = indptr[row]; j < indptr[row + 1] && index[row] >= 0; j++) {
      const track = own[indices[j]];
      if (track >= 0 && seen.has(index[row], track))
        throw new ArgumentError(
          `${name} was trained on plays that it is to be measured by: ${userInMessage(user)} and track "${tracks.id(track)}", for instance. Train it on the training part of the split.`,
        );
    }
  });
}

type Accuracies = ReturnType<typeof metricsOfLists>;

class Lists implements ListsWithTies {
  readonly track: Int32Array;
  readonly same: Uint8Array;
  readonly beyond: Int32Array;
  readonly missed: Map<number, Int32Array> = new Map();
  private readonly measured = new WeakMap<CsrRows, Map<number, Accuracies>>();

  constructor(
    rows: number,
    readonly n: number,
  ) {
    this.track = new Int32Array(rows * n).fill(-1);
    this.same = new Uint8Array(rows * n);
    this.beyond = new Int32Array(rows);
  }

  /**
   * Writes the list of a user into a row.
   * @param best its n + 1 best tracks, as far as there are so many
   * @param code the code of each track of `best`
   * @param relevantTo the relevant tracks of a row, in the numbers of `best`
   */
  set(
    row: number,
    { scores, track, score, count }: RankedRow,
    code: Int32Array,
    relevantTo: (row: number) => Int32Array,
  ): void {
    const { n } = this;
    const length = Math.min(n, count);
    for (let j = 0; j < length; j++) {
      this.track[row * n + j] = code[track[j]];
      if (j > 0 && score[j] === score[j - 1]) this.same[row * n + j] = 1;
    }
    if (count <= n || score[n] !== score[n - 1]) return;
    const [last, lastTrack] = [score[n - 1], track[n - 1]]; // equal scores are ordered by index
    for (let t = lastTrack + 1; t < scores.length; t++) if (scores[t] === last) this.beyond[row]++;
    const missed = relevantTo(row).filter((t) => t > lastTrack && scores[t] === last);
    const codes = missed.map((t) => code[t]);
    this.missed.set(row, codes);
  }

  /** All accuracy metrics at one k: computed together, and kept for the columns to come. */
  accuracies(k: number, relevant: CsrRows, codes: number): Accuracies {
    const byK = this.measured.get(relevant) ?? new Map<number, Accuracies>();
    this.measured.set(relevant, byK);
    const values = byK.get(k) ?? metricsOfLists(this, { k, relevant, codes });
    byK.set(k, values);
    return values;
  }
}

/**
 * Puts each group of equal scores of a list in random order. The last group is drawn from all
 * tracks with its score, on the list or not.
 */
function shuffleTied(list: Int32Array, { score, scores }: RankedRow, random: Random): void {
  for (let from = 0, to = 1; from < list.length; from = to++) {
    while (to < list.length && score[to] === score[from]) to++;
    const group = Array.from(list.subarray(from, to));
    if (to === list.length) {
      for (let t = list[to - 1] + 1; t < scores.length; t++)
        if (scores[t] === score[from]) group.push(t);
    } else if (group.length === 1) continue;
    for (let j = from; j < to; j++) {
      const other = j - from + random.int(group.length - (j - from));
      list[j] = group[other];
      group[other] = group[j - from];
    }
  }
}

/** Ranks a few tracks, ascending by index, by scores that were checked with the whole catalogue. */
function setSampled(
  lists: Lists,
  row: number,
  scores: Float32Array,
  among: Int32Array,
  { code, right, top }: { code: Int32Array; right: ReadonlySet<number>; top: TopN },
): void {
  const candidates = among.filter((t) => t >= 0 && scores[t] > -Infinity);
  const few = Float32Array.from(candidates, (t) => scores[t]);
  const { count } = top.select(few, 0, few.length, (i) => `The score of track ${candidates[i]}`);
  const best = { scores: few, track: new Int32Array(count), score: new Float32Array(count), count };
  top.copyTo(best.track, best.score, 0);
  lists.set(
    row,
    best,
    candidates.map((t) => code[t]),
    () => Int32Array.from(candidates.keys()).filter((i) => right.has(candidates[i])),
  );
}

/**
 * Area under the ROC curve of one user: the probability that a relevant track scores above another
 * one, Σ (#(lower) + #(equal)/2) / (|rel| · #(others)). NaN where every track is relevant.
 *
 * Tracks with the score −∞ (what the user has played) are left out; a relevant track with it, or
 * one without a score, counts as below all others.
 * @param scores of all tracks
 * @param relevant indices of the relevant ones, each once
 * @param missed number of relevant tracks without a score
 * @example aucOf([0.9, 0.4, 0.4, 0.1], [1]) // above 1 of 3, equal to 1 of 3: (1 + 1/2) / 3 = 0.5
 */
export function aucOf(scores: ArrayLike<number>, relevant: ArrayLike<number>, missed = 0): number {
  const isRelevant = new Uint8Array(scores.length);
  for (let i = 0; i < relevant.length; i++) isRelevant[relevant[i]] = 1;
  const own = Float64Array.from(relevant, (t) => scores[t]).sort();
  let [others, pairs] = [0, 0];
  for (let t = 0; t < scores.length; t++) {
    const score = scores[t];
    if (isRelevant[t] || score === -Infinity) continue;
    others++;
    pairs += countAbove(own, score);
  }
  return pairs / ((relevant.length + missed) * others);
}

/**
 * Draws n training tracks (or all, if there are no more) that a user has not played and that are not
 * relevant: the same for all recommenders that have seen the same plays of the user.
 */
function drawNegatives(
  { users, relevant: { indptr, indices }, trainTracks }: HeldOut,
  row: number,
  n: number,
  seed: Random,
  seen: Int32Array,
  code: Int32Array,
): number[] {
  const taken = new Set(Array.from(seen, (t) => code[t]));
  for (let j = indptr[row]; j < indptr[row + 1]; j++) taken.add(indices[j]);
  let free = trainTracks;
  for (const c of taken) if (c < trainTracks) free--;
  if (free <= n) return [...Array(trainTracks).keys()].filter((c) => !taken.has(c));
  const random = seed.child('negatives').child(users[row]);
  const drawn: number[] = [];
  while (drawn.length < n) {
    const c = random.int(trainTracks);
    if (taken.has(c)) continue;
    taken.add(c);
    drawn.push(c);
  }
  return drawn;
}

/** What values of metrics are computed from, the same for all recommenders. */
export interface Measure {
  readonly heldOut: HeldOut;
  /** Rows of the users in the means: those that every recommender knows. */
  readonly rows: Int32Array;
  /** Number of tracks that any of the recommenders can recommend. */
  readonly catalogueSize: number;
  /** The vector of a track by its code, for diversity. */
  readonly vector?: (code: number) => Float64Array | undefined;
}

/**
 * The values of a metric for one recommender: one for each of `measure.rows`, NaN where the metric
 * is undefined; a single one for metrics of the catalogue.
 * @param relevant relevant tracks, if not all held-out ones count
 */
export function valuesOf(
  ranked: RankedHeldOut,
  column: MetricColumn,
  measure: Measure,
  relevant: CsrRows = measure.heldOut.relevant,
): Float64Array {
  const { rows, heldOut } = measure;
  const { metric, own, k, negatives } = column;
  if (metric === 'auc') return Float64Array.from(rows, (row) => ranked.auc![row]);
  const lists = negatives > 0 ? ranked.sampled.get(negatives)! : ranked.lists;
  const tracks = own ? ranked.shuffled! : lists.track;
  const first = (row: number): Int32Array => {
    const list = tracks.subarray(row * lists.n, row * lists.n + Math.min(k, lists.n));
    const end = list.indexOf(-1);
    return end < 0 ? list : list.subarray(0, end);
  };
  const meanOver = (value: (code: number) => number): Float64Array =>
    Float64Array.from(rows, (row) => {
      const list = first(row);
      let sum = 0;
      for (const code of list) sum += value(code);
      return sum / list.length;
    });
  if (own) return ownValues(own, k, measure, first, relevant);
  if (isOfCatalogue(column)) {
    const counts = new Float64Array(heldOut.codes.length);
    for (const row of rows) for (const code of first(row)) counts[code]++;
    const used = counts.filter((count) => count > 0);
    const size = measure.catalogueSize;
    return Float64Array.of(metric === 'gini' ? giniOfCounts(used, size) : used.length / size);
  }
  const listeners = (code: number): number => heldOut.listeners[code] ?? 0;
  switch (metric) {
    case 'popularity':
      return meanOver(listeners);
    case 'novelty':
      return meanOver((code) => selfInformation(listeners(code), heldOut.trainUsers));
    case 'diversity':
      return Float64Array.from(rows, (row) =>
        diversityOf(Array.from(first(row)).flatMap((code) => measure.vector!(code) ?? [])),
      );
    default: {
      const values = lists.accuracies(k, relevant, heldOut.codes.length);
      return Float64Array.from(rows, (row) => values[metric as AccuracyMetric][row]);
    }
  }
}

function ownValues(
  { name, value }: RankingMetric,
  k: number,
  { heldOut: { users, codes }, rows }: Measure,
  first: (row: number) => Int32Array,
  { indptr, indices }: CsrRows,
): Float64Array {
  const ids = codes.ids();
  const idsOf = (some: Int32Array): string[] => Array.from(some, (code) => ids[code]);
  return Float64Array.from(rows, (row) => {
    const right = new Set(idsOf(indices.subarray(indptr[row], indptr[row + 1])));
    if (right.size === 0) return NaN;
    const x: unknown = value(idsOf(first(row)), right, { user: users[row], k });
    if (typeof x === 'number' && Math.abs(x) !== Infinity) return x;
    throw new ArgumentError(
      `The metric "${name}" returned ${typeof x === 'number' ? x : whatIs(x)} for ${userInMessage(users[row])}. It must return a number, or NaN where there is none.`,
    );
  });
}
