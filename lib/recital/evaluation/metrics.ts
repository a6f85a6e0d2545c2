import type { CsrRows } from '../data/csr.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkCount, checkOneOf, checkOptions, isNumbers } from '../options.js';

/**
 * Options of the metrics of one user's list, whose best track comes first. In their formulas, h_j is
 * 1 if the j-th track of the list (j from 1) is relevant, |rel| is the number of relevant tracks,
 * and sums run over j = 1 … k.
 *
 * Ties: these functions take the list as it is. `evaluate` and the like see the scores, and give
 * the expected value over all orders of equal ones. A user without relevant tracks has no such
 * metric (ArgumentError); `rankingMetrics` leaves these users out of its means.
 *
 * The worked example of each metric is the same: list b a d c e, relevant {a, c, f}, k = 5, so hits
 * are at ranks 2 and 4.
 */
export interface AtK {
  /** Length of the list that counts; default 10. */
  k?: number;
}

/** Relevant tracks: an array (repeats count once) or a set. */
export type Relevant<T> = readonly T[] | ReadonlySet<T>;

/**
 * Precision: the share of the k recommended tracks that is relevant, Σ h_j / k. The divisor is k
 * even if fewer tracks are recommended: empty places are misses.
 * @example precisionAtK(['b', 'a', 'd', 'c', 'e'], ['a', 'c', 'f'], { k: 5 }) // 2/5 = 0.4
 */
export function precisionAtK<T>(list: readonly T[], relevant: Relevant<T>, options?: AtK): number {
  return metricsOf('precisionAtK', list, relevant, options).precision;
}

/**
 * Recall: the share of the relevant tracks that is recommended, Σ h_j / |rel|.
 * @example recallAtK(['b', 'a', 'd', 'c', 'e'], ['a', 'c', 'f'], { k: 5 }) // 2/3
 */
export function recallAtK<T>(list: readonly T[], relevant: Relevant<T>, options?: AtK): number {
  return metricsOf('recallAtK', list, relevant, options).recall;
}

/**
 * Hit: 1 if any of the k recommended tracks is relevant, else 0. Its mean over users is the hit
 * rate.
 * @example hitAtK(['b', 'a', 'd', 'c', 'e'], ['a', 'c', 'f'], { k: 5 }) // 1
 */
export function hitAtK<T>(list: readonly T[], relevant: Relevant<T>, options?: AtK): number {
  return metricsOf('hitAtK', list, relevant, options).hitRate;
}

/**
 * Average precision, in which a hit counts more the earlier it comes: Σ h_j · (precision at j) /
 * min(k, |rel|), where precision at j = (h_1 + … + h_j) / j. Its mean over users is MAP@k
 * (RecBole's and implicit's). With `over: 'relevant'` the divisor is |rel|, as in trec_eval and
 * scikit-learn; a list of k tracks cannot reach 1 then if |rel| > k.
 * @param options `over`: the divisor, `'min'` (default) or `'relevant'`, see above
 * @example averagePrecisionAtK(['b', 'a', 'd', 'c', 'e'], ['a', 'c', 'f'], { k: 5 }) // (1/2 + 2/4) / 3 = 1/3
 */
export function averagePrecisionAtK<T>(
  list: readonly T[],
  relevant: Relevant<T>,
  { over = 'min', ...options }: AtK & { over?: 'min' | 'relevant' } = {},
): number {
  checkOneOf(over, ['min', 'relevant'], 'over');
  const { hits, k, count } = readList('averagePrecisionAtK', list, relevant, options);
  return sumsOf(hits, k).precisions / (over === 'min' ? Math.min(k, count) : count);
}

/**
 * Reciprocal rank: 1 / rank of the first hit, 0 without a hit in the first k. Its mean over users
 * is MRR@k.
 * @example reciprocalRankAtK(['b', 'a', 'd', 'c', 'e'], ['a', 'c', 'f'], { k: 5 }) // 1/2
 */
export function reciprocalRankAtK<T>(
  list: readonly T[],
  relevant: Relevant<T>,
  options?: AtK,
): number {
  return metricsOf('reciprocalRankAtK', list, relevant, options).mrr;
}

/**
 * Normalised discounted cumulative gain, in which a hit counts less the later it comes: DCG / IDCG,
 * where DCG = Σ h_j / log2(j + 1) and IDCG is the DCG of a list that begins with min(k, |rel|)
 * hits. From 0 to 1, the best order.
 * @example ndcgAtK(['b', 'a', 'd', 'c', 'e'], ['a', 'c', 'f'], { k: 5 }) // 1.061606 / 2.130930 = 0.498189
 */
export function ndcgAtK<T>(list: readonly T[], relevant: Relevant<T>, options?: AtK): number {
  return metricsOf('ndcgAtK', list, relevant, options).ndcg;
}

/**
 * Catalogue coverage: the number of distinct tracks in all users' first k, divided by the size of
 * the catalogue.
 * @param lists recommended tracks, one list per user
 * @example coverageAtK([['a', 'b'], ['b', 'c']], { k: 2, catalogueSize: 12 }) // 3/12
 */
export function coverageAtK<T>(
  lists: readonly (readonly T[])[],
  options: AtK & { catalogueSize: number },
): number {
  return countRecommended('coverageAtK', lists, options).size / options.catalogueSize;
}

/** How often each track is among the first k of a list. */
export function countRecommended<T>(
  of: string,
  lists: readonly (readonly T[])[],
  options: AtK & { catalogueSize: number },
): Map<T, number> {
  checkLists(lists, of);
  checkOptions(options, ['catalogueSize', 'k'], of);
  const { k = 10, catalogueSize } = options;
  checkCount(k, 'k');
  checkCount(catalogueSize, 'catalogueSize');
  const counts = new Map<T, number>();
  for (const list of lists)
    for (const track of list.slice(0, k)) counts.set(track, (counts.get(track) ?? 0) + 1);
  if (counts.size <= catalogueSize) return counts;
  throw new ArgumentError(
    `${counts.size} tracks are recommended; catalogueSize (${catalogueSize}) is that of the whole catalogue.`,
  );
}

/** Means over users, and the coverage of all lists. */
export type RankingMetrics = {
  /** Length of the lists. */
  k: number;
  /** Number of users in the means: those with at least one relevant track. */
  users: number;
  /** Share of the k recommended tracks that is relevant. See {@link precisionAtK}. */
  precision: number;
  /** Share of the relevant tracks that is among the k. See {@link recallAtK}. */
  recall: number;
  /** Share of users with at least one hit. See {@link hitAtK}. */
  hitRate: number;
  /** Mean average precision: early hits count more. See {@link averagePrecisionAtK}. */
  map: number;
  /** Mean of 1 / rank of the first hit. See {@link reciprocalRankAtK}. */
  mrr: number;
  /** Discounted gain as a share of that of the best order. See {@link ndcgAtK}. */
  ndcg: number;
  /** Share of the catalogue that is recommended to anybody. See {@link coverageAtK}. */
  coverage: number;
};

/**
 * The means of all metrics. Users without relevant tracks are left out of the means, but their
 * lists count in the coverage.
 * @param recommended one list per user
 * @param relevant the relevant tracks of the same users
 * @param options `k`, and `catalogueSize`, the number of tracks that could have been recommended
 * @example rankingMetrics([['b', 'a', 'd'], ['c', 'a', 'b']], [['a'], ['c', 'd']], { k: 3, catalogueSize: 4 }).hitRate // 1
 */
export function rankingMetrics<T>(
  recommended: readonly (readonly T[])[],
  relevant: readonly Relevant<T>[],
  options: AtK & { catalogueSize: number },
): RankingMetrics {
  const { size } = countRecommended('rankingMetrics', recommended, options);
  const wanted = 'the relevant tracks of each user: an array of arrays or sets';
  checkArgument(Array.isArray(relevant), relevant, 'rankingMetrics', wanted);
  const { k = 10, catalogueSize } = options;
  if (recommended.length !== relevant.length)
    throw new ArgumentError(
      `Each user needs a list and relevant tracks, got ${recommended.length} lists and ${relevant.length} sets of relevant tracks.`,
    );
  const users = recommended.flatMap((list, i) => {
    const set = setOf(relevant[i]);
    return set.size === 0 ? [] : [metricsOfHits(hitsOf(list, set, k), set.size, k)];
  });
  if (users.length === 0)
    throw new ArgumentError('No user has a relevant track, so there is nothing to average.');
  const means = byMetric((name) => users.reduce((sum, user) => sum + user[name], 0) / users.length);
  return { k, users: users.length, ...means, coverage: size / catalogueSize };
}

/** Throws unless there are lists of tracks. */
export function checkLists(lists: readonly (readonly unknown[])[], of: string): void {
  const wanted = 'lists of recommended tracks, one per user: an array of arrays';
  checkArgument(Array.isArray(lists), lists, of, wanted);
  for (const list of lists) checkArgument(isNumbers(list), list, of, wanted);
}

function metricsOf<T>(...call: Parameters<typeof readList<T>>): UserMetrics {
  const { hits, count, k } = readList(...call);
  return metricsOfHits(hits, count, k);
}

function readList<T>(
  of: string,
  list: readonly T[],
  relevant: Relevant<T>,
  options: AtK = {},
): { hits: Uint8Array; count: number; k: number } {
  checkOptions(options, ['k'], of);
  const { k = 10 } = options;
  const set = setOf(relevant);
  if (set.size === 0)
    throw new ArgumentError(
      'The user has no relevant track, so there is no metric: leave such users out of a mean.',
    );
  return { hits: hitsOf(list, set, k), count: set.size, k };
}

/**
 * The relevant tracks as a set. A table or a map can be iterated over, but its rows are no tracks.
 */
function setOf<T>(relevant: Relevant<T>): ReadonlySet<T> {
  if (Object.prototype.toString.call(relevant) === '[object Set]')
    return relevant as ReadonlySet<T>; // a set of another realm is no instanceof Set
  const wanted = "the relevant tracks: an array or a set, such as table.column('track_id')";
  checkArgument(isNumbers(relevant), relevant, 'The metric', wanted);
  return new Set(relevant as readonly T[]);
}

function hitsOf<T>(list: readonly T[], relevant: ReadonlySet<T>, k: number): Uint8Array {
  checkCount(k, 'k');
  const wanted = 'the list of a user, best first: an array of tracks';
  checkArgument(isNumbers(list), list, 'The metric', wanted);
  const first = Array.prototype.slice.call(list, 0, k) as T[];
  if (new Set(first).size < first.length) {
    const twice = first.find((track, j) => first.indexOf(track) < j);
    throw new ArgumentError(`"${twice}" is recommended twice, which would count it twice.`);
  }
  return Uint8Array.from(first, (track) => (relevant.has(track) ? 1 : 0));
}

/** Accuracy metrics compare a list with the relevant tracks. */
export const accuracyMetrics = ['precision', 'recall', 'hitRate', 'map', 'mrr', 'ndcg'] as const;

/** Name of an accuracy metric. */
export type AccuracyMetric = (typeof accuracyMetrics)[number];

/** The accuracy metrics of one user. */
export type UserMetrics = Record<AccuracyMetric, number>;

function byMetric<V>(value: (name: AccuracyMetric) => V): Record<AccuracyMetric, V> {
  const entries = accuracyMetrics.map((name) => [name, value(name)] as const);
  return Object.fromEntries(entries) as Record<AccuracyMetric, V>;
}

/** The equal scores of one list. */
interface Ties {
  /** 1 for a position whose score equals that of the position before. */
  readonly same: Uint8Array;
  /** Number of tracks off the list with the score of its last track. */
  beyond: number;
  /** Number of relevant ones among them. */
  missed: number;
}

const NO_TIES: Ties = { same: new Uint8Array(0), beyond: 0, missed: 0 };

/**
 * All accuracy metrics of one list: with equal scores, the expected value of each over all orders
 * of the tied tracks. No order is better founded than another; an order by id would reward a model
 * that knows nothing, since ids often follow age or popularity.
 * @param hits 1 where the track is relevant; the list may be longer than k: tracks tied with the
 *   k-th count
 * @param relevant number of relevant tracks, at least 1
 */
export function metricsOfHits(
  hits: Uint8Array,
  relevant: number,
  k: number,
  ties: Ties = NO_TIES,
): UserMetrics {
  const { found, hitRate, precisions, mrr, dcg } = sumsOf(hits, k, ties);
  const ideal = Math.min(k, relevant);
  let idealGain = 0; // of a list that begins with hits
  for (let j = 0; j < ideal; j++) idealGain += 1 / Math.log2(j + 2);
  return {
    precision: found / k,
    recall: found / relevant,
    hitRate,
    map: precisions / ideal,
    mrr,
    ndcg: dcg / idealGain,
  };
}

/**
 * Expected sums over the hits among the first k: their number, precisions at their ranks, DCG; 1 /
 * rank of the first; and the probability of any.
 *
 * Exact: take a group of m tied tracks in positions a + 1 … a + m, of which r are relevant, after H
 * relevant ones. Its i-th track is a hit with probability r/m; E[h_j · precision at j] = (r/m) ·
 * (H + 1 + (i − 1)(r − 1)/(m − 1)) / j; the first i are all misses with probability
 * C(m − r, i) / C(m, i).
 */
function sumsOf(
  hits: Uint8Array,
  k: number,
  { same, beyond, missed }: Ties = NO_TIES,
): Record<'found' | 'hitRate' | 'precisions' | 'mrr' | 'dcg', number> {
  const end = Math.min(k, hits.length);
  let [found, precisions, dcg, mrr, hitRate, before] = [0, 0, 0, 0, 0, 0];
  for (let a = 0; a < end; ) {
    let m = 1;
    let r = hits[a];
    for (; a + m < hits.length && same[a + m]; m++) r += hits[a + m];
    const places = Math.min(m, end - a);
    if (a + m === hits.length) {
      m += beyond;
      r += missed;
    }
    let none = 1; // probability of no hit so far in this group
    for (let i = 0; i < places && r > 0; i++) {
      const rank = a + i + 1;
      found += r / m;
      dcg += r / m / Math.log2(rank + 1);
      precisions += ((r / m) * (before + 1 + (m > 1 ? (i * (r - 1)) / (m - 1) : 0))) / rank;
      if (before === 0) mrr += (none * r) / (m - i) / rank;
      none *= (m - r - i) / (m - i);
    }
    if (before === 0) hitRate = 1 - none;
    before += r;
    a += places;
  }
  return { found, hitRate, precisions, mrr, dcg };
}

/** Lists of track codes, one row per user: rows × n, −1 where a list ends early. */
export interface ListsWithTies {
  readonly n: number;
  readonly track: Int32Array;
  /** rows × n: 1 for a track with the score of the one before it. */
  readonly same: Uint8Array;
  /** For each list, the number of tracks off the list with the score of its last track. */
  readonly beyond: Int32Array;
  /** The relevant ones among them, by list. */
  readonly missed: ReadonlyMap<number, Int32Array>;
}

/**
 * Each accuracy metric of each list at k, expected values where scores are equal; NaN for users
 * without relevant tracks.
 * @param options.relevant the relevant tracks of each list; codes below 0 are never recommended
 * @param options.codes number of track codes
 */
export function metricsOfLists(
  { n, track, same, beyond, missed }: ListsWithTies,
  { k, relevant: { indptr, indices }, codes }: { k: number; relevant: CsrRows; codes: number },
): Record<AccuracyMetric, Float64Array> {
  const rows = indptr.length - 1;
  const out = byMetric(() => new Float64Array(rows).fill(NaN));
  const relevantFor = new Int32Array(codes).fill(-1); // the last list for which a track is relevant
  const hits = new Uint8Array(n);
  const ties = { same: new Uint8Array(n), beyond: 0, missed: 0 };
  for (let row = 0; row < rows; row++) {
    const count = indptr[row + 1] - indptr[row];
    if (count === 0) continue;
    for (let j = indptr[row]; j < indptr[row + 1]; j++)
      if (indices[j] >= 0) relevantFor[indices[j]] = row;
    for (let j = 0; j < n; j++) {
      const code = track[row * n + j];
      hits[j] = code >= 0 && relevantFor[code] === row ? 1 : 0;
      ties.same[j] = same[row * n + j];
    }
    ties.beyond = beyond[row];
    ties.missed = 0;
    for (const code of missed.get(row) ?? []) if (relevantFor[code] === row) ties.missed++;
    const user = metricsOfHits(hits, count, k, ties);
    for (const name of accuracyMetrics) out[name][row] = user[name];
  }
  return out;
}
