import { ArgumentError, NumericError } from '../errors.js';
import { checkArgument, checkOptions, isNumbers, said } from '../options.js';
import { checkN } from '../recommend/lookup.js';

/**
 * Ranking metrics for one user's list. In the formulas, h_j is 1 if the j-th recommended track (j
 * from 1) is relevant, |rel| is the number of relevant tracks, and sums run over j = 1 … k.
 *
 * Ties: a list is taken as it stands: it does not tell which scores are equal. `evaluate` and its
 * like see the scores, and give the expected value over all orders of equal ones; for the list of a
 * recommender, which has them in the order of ids, the two may differ. A user without relevant
 * tracks has no such metric (ArgumentError); `rankingMetrics` leaves them out of its means.
 *
 * The worked example of each is one list: recommended b a d c e, relevant {a, c, f}, k = 5, with
 * hits at ranks 2 and 4.
 */
export interface AtK {
  /** Length of the list that counts; default 10. */
  k?: number;
}

/** Relevant tracks: an array (repeats count once) or a set. */
export type Relevant<T> = readonly T[] | ReadonlySet<T>;

/**
 * Of the k tracks recommended, the share that is right; "is what it shows worth showing?": the
 * share of the k places that are hits, Σ h_j / k. The divisor is k even if fewer were recommended:
 * empty places are misses.
 * @param recommended the list, best first
 * @param relevant what would be right
 * @example precisionAtK(['b', 'a', 'd', 'c', 'e'], ['a', 'c', 'f'], { k: 5 }) // 2/5 = 0.4
 */
export function precisionAtK<T>(
  recommended: readonly T[],
  relevant: Relevant<T>,
  options: AtK = {},
): number {
  checkOptions(options, ['k'], 'precisionAtK');
  const { k = 10 } = options;
  return countHits(hitsAtK(recommended, asSet(relevant), k)) / k;
}

/**
 * Of the tracks that would be right, the share that is found: the relevant tracks that are
 * recommended, Σ h_j / |rel|.
 * @param recommended the list, best first
 * @param relevant what would be right
 * @example recallAtK(['b', 'a', 'd', 'c', 'e'], ['a', 'c', 'f'], { k: 5 }) // 2/3
 */
export function recallAtK<T>(
  recommended: readonly T[],
  relevant: Relevant<T>,
  options: AtK = {},
): number {
  checkOptions(options, ['k'], 'recallAtK');
  const { k = 10 } = options;
  const rel = asSet(relevant);
  return countHits(hitsAtK(recommended, rel, k)) / rel.size;
}

/**
 * 1 if there is any hit, else 0; its mean over users is the hit rate, the share of users who find
 * at least one right track in their list.
 * @param recommended the list, best first
 * @param relevant what would be right
 * @example hitAtK(['b', 'a', 'd', 'c', 'e'], ['a', 'c', 'f'], { k: 5 }) // 1
 */
export function hitAtK<T>(
  recommended: readonly T[],
  relevant: Relevant<T>,
  options: AtK = {},
): number {
  checkOptions(options, ['k'], 'hitAtK');
  const { k = 10 } = options;
  return hitsAtK(recommended, asSet(relevant), k).includes(1) ? 1 : 0;
}

/**
 * Average precision, which rewards right tracks more the earlier they stand: Σ h_j · (precision at
 * j) / min(k, |rel|), where precision at j = (h_1 + … + h_j) / j; its mean over users is MAP@k
 * (RecBole's and implicit's). With `over: 'relevant'` the divisor is |rel|, as trec_eval and
 * scikit-learn have it; a list cut at k cannot reach 1 then if |rel| > k.
 * @param recommended the list, best first
 * @param relevant what would be right
 * @param options.over what Σ is divided by: `'min'` (default) or `'relevant'`, see above
 * @example averagePrecisionAtK(['b', 'a', 'd', 'c', 'e'], ['a', 'c', 'f'], { k: 5 }) // (1/2 + 2/4) / 3 = 1/3
 */
export function averagePrecisionAtK<T>(
  recommended: readonly T[],
  relevant: Relevant<T>,
  { k = 10, over = 'min' }: AtK & { over?: 'min' | 'relevant' } = {},
): number {
  if (over !== 'min' && over !== 'relevant')
    throw new ArgumentError(
      `over must be 'min' (of k and |rel|) or 'relevant' (|rel|), got '${said(over)}'.`,
    );
  const rel = asSet(relevant);
  return (
    sumPrecisions(hitsAtK(recommended, rel, k)) /
    (over === 'min' ? Math.min(k, rel.size) : rel.size)
  );
}

/**
 * How far up the first right track stands: 1 / rank of the first hit, 0 without a hit in the first
 * k; its mean over users is MRR@k.
 * @param recommended the list, best first
 * @param relevant what would be right
 * @example reciprocalRankAtK(['b', 'a', 'd', 'c', 'e'], ['a', 'c', 'f'], { k: 5 }) // 1/2
 */
export function reciprocalRankAtK<T>(
  recommended: readonly T[],
  relevant: Relevant<T>,
  options: AtK = {},
): number {
  checkOptions(options, ['k'], 'reciprocalRankAtK');
  const { k = 10 } = options;
  return reciprocalOfFirst(hitsAtK(recommended, asSet(relevant), k));
}

/**
 * Normalised discounted cumulative gain, in which a right track counts less the later it stands,
 * from 0 to 1 for the best order: DCG / IDCG, DCG = Σ h_j / log2(j + 1), and IDCG the DCG of a list
 * with min(k, |rel|) hits in front.
 * @param recommended the list, best first
 * @param relevant what would be right
 * @example ndcgAtK(['b', 'a', 'd', 'c', 'e'], ['a', 'c', 'f'], { k: 5 }) // 1.061606 / 2.130930 = 0.498189
 */
export function ndcgAtK<T>(
  recommended: readonly T[],
  relevant: Relevant<T>,
  options: AtK = {},
): number {
  checkOptions(options, ['k'], 'ndcgAtK');
  const { k = 10 } = options;
  const rel = asSet(relevant);
  return discountedGain(hitsAtK(recommended, rel, k), Math.min(k, rel.size));
}

/**
 * Catalogue coverage, how much of the catalogue anybody gets to see: distinct tracks in all users'
 * first k, as a share of the catalogue.
 * @param lists recommended tracks, one list a user
 * @example coverageAtK([['a', 'b'], ['b', 'c']], { k: 2, catalogueSize: 12 }) // 3/12
 */
export function coverageAtK<T>(
  lists: readonly (readonly T[])[],
  options: AtK & { catalogueSize: number },
): number {
  checkLists(lists, 'coverageAtK');
  checkOptions(options, ['catalogueSize', 'k'], 'coverageAtK');
  const { k = 10, catalogueSize } = options;
  checkN(k, 'k');
  checkN(catalogueSize, 'catalogueSize');
  const distinct = new Set<T>();
  for (const list of lists)
    for (let j = 0; j < Math.min(k, list.length); j++) distinct.add(list[j]);
  if (distinct.size > catalogueSize) {
    throw new ArgumentError(
      `${distinct.size} distinct tracks are recommended, but catalogueSize is ${catalogueSize}. Give the size of the whole catalogue.`,
    );
  }
  return distinct.size / catalogueSize;
}

/** Means over users, and the coverage of all lists. */
export type RankingMetrics = {
  /** Length of the lists. */
  k: number;
  /** Users in the means: those with at least one relevant track. */
  users: number;
  /**
   * Of the k tracks that a user is recommended, the share that is right. See {@link precisionAtK}.
   */
  precision: number;
  /** Of the tracks that would be right, the share that is among the k. See {@link recallAtK}. */
  recall: number;
  /** The share of users for whom at least one of the k is right. See {@link hitAtK}. */
  hitRate: number;
  /**
   * Mean average precision: like precision, but a right track counts more the earlier it stands; 1
   * if all right ones stand in front. See {@link averagePrecisionAtK}.
   */
  map: number;
  /**
   * Mean reciprocal rank: 1 if the first track is right, ½ if only the second is, ⅓ … and 0 without
   * any; its mean. See {@link reciprocalRankAtK}.
   */
  mrr: number;
  /**
   * Normalised discounted cumulative gain: right tracks count less the later they stand, as a share
   * of the best order there could be. See {@link ndcgAtK}.
   */
  ndcg: number;
  /**
   * The share of the catalogue that is recommended to anybody at all: small if everybody gets the
   * same. See {@link coverageAtK}.
   */
  coverage: number;
};

/**
 * The means of all metrics. Users without relevant tracks are left out of the means, but their
 * lists count in the coverage.
 * @param recommended one list a user
 * @param relevant the relevant tracks of the same users
 * @param options `k`, and `catalogueSize`, the number of tracks that could have been recommended
 * @example rankingMetrics([['b', 'a', 'd'], ['c', 'a', 'b']], [['a'], ['c', 'd']], { k: 3, catalogueSize: 4 }).hitRate // 1
 */
export function rankingMetrics<T>(
  recommended: readonly (readonly T[])[],
  relevant: readonly Relevant<T>[],
  options: AtK & { catalogueSize: number },
): RankingMetrics {
  checkLists(recommended, 'rankingMetrics');
  checkArgument(
    Array.isArray(relevant),
    relevant,
    'rankingMetrics',
    'the relevant tracks of each user: an array of arrays or sets',
  );
  checkOptions(options, ['catalogueSize', 'k'], 'rankingMetrics');
  const { k = 10, catalogueSize } = options;
  if (recommended.length !== relevant.length) {
    throw new ArgumentError(
      `Each user needs a list and relevant tracks, got ${recommended.length} lists and ${relevant.length} sets of relevant tracks.`,
    );
  }
  const mean = new MeanMetrics();
  recommended.forEach((list, i) => {
    const rel = setOf(relevant[i]);
    if (rel.size > 0) mean.add(metricsOfHits(hitsAtK(list, rel, k), rel.size, k));
  });
  if (mean.users === 0)
    throw new ArgumentError('No user has a relevant track, so there is nothing to average.');
  return {
    k,
    users: mean.users,
    ...mean.means(),
    coverage: coverageAtK(recommended, { k, catalogueSize }),
  };
}

/** Throws unless there are lists of tracks. */
export function checkLists(lists: readonly (readonly unknown[])[], of: string): void {
  checkArgument(
    Array.isArray(lists),
    lists,
    of,
    'lists of recommended tracks, one a user: an array of arrays',
  );
  for (const list of lists)
    checkArgument(
      isNumbers(list),
      list,
      of,
      'lists of recommended tracks, one a user: an array of arrays',
    );
}

function asSet<T>(relevant: Relevant<T>): ReadonlySet<T> {
  const set = setOf(relevant);
  if (set.size === 0)
    throw new ArgumentError(
      'The user has no relevant track, so the metric does not exist: leave such users out of a mean.',
    );
  return set;
}

/** Of tables and maps the rows are no tracks, though they can be iterated over. */
function setOf<T>(relevant: Relevant<T>): ReadonlySet<T> {
  if (Object.prototype.toString.call(relevant) === '[object Set]')
    return relevant as ReadonlySet<T>; // of any realm
  checkArgument(
    isNumbers(relevant),
    relevant,
    'The metric',
    "the relevant tracks: an array or a set, such as table.column('track_id')",
  );
  return new Set(relevant as readonly T[]);
}

function hitsAtK<T>(recommended: readonly T[], relevant: ReadonlySet<T>, k: number): Uint8Array {
  checkN(k, 'k');
  checkArgument(
    isNumbers(recommended),
    recommended,
    'The metric',
    'the list of a user, best first: an array of tracks',
  );
  const hits = new Uint8Array(Math.min(k, recommended.length));
  const before = new Set<T>();
  for (let j = 0; j < hits.length; j++) {
    if (before.has(recommended[j]))
      throw new ArgumentError(
        `"${recommended[j]}" is recommended twice, which would count it twice.`,
      );
    before.add(recommended[j]);
    hits[j] = relevant.has(recommended[j]) ? 1 : 0;
  }
  return hits;
}

/**
 * The inner loops of the ranking metrics, on a list of hits: hits[j] = 1 if the track in position j
 * (from 0) is relevant, for at most the first k. They check nothing; metrics.ts does.
 *
 * Where scores are equal, no order of these tracks is better founded than another: an order by id
 * would give a model that knows nothing whatever the ids happen to know (ids are often given by age
 * or popularity). So a metric is its expected value over all orders of the tied tracks,
 * {@link expectedOfHits}.
 */

/** Number of hits. */
export function countHits(hits: Uint8Array): number {
  let sum = 0;
  for (let j = 0; j < hits.length; j++) sum += hits[j];
  return sum;
}

/** Sum over the hits of the precision at their rank. */
export function sumPrecisions(hits: Uint8Array): number {
  let sum = 0;
  for (let j = 0, found = 0; j < hits.length; j++) if (hits[j]) sum += ++found / (j + 1);
  return sum;
}

/** 1 / rank of the first hit, 0 if there is none. */
export function reciprocalOfFirst(hits: Uint8Array): number {
  const first = hits.indexOf(1);
  return first < 0 ? 0 : 1 / (first + 1);
}

/** DCG/IDCG with discount log2(rank + 1); the ideal has `ideal` hits in front. */
export function discountedGain(hits: Uint8Array, ideal: number): number {
  let dcg = 0;
  for (let j = 0; j < hits.length; j++) if (hits[j]) dcg += 1 / Math.log2(j + 2);
  return dcg / idealGain(ideal);
}

/** IDCG: the DCG of a list with `ideal` hits in front. */
function idealGain(ideal: number): number {
  let best = 0;
  for (let j = 0; j < ideal; j++) best += 1 / Math.log2(j + 2);
  return best;
}

/** The metrics of one user, as RankingMetrics in metrics.ts explains them. */
export interface UserMetrics {
  precision: number;
  recall: number;
  hitRate: number;
  map: number;
  mrr: number;
  ndcg: number;
}

/** Names of these metrics. */
export type AccuracyMetric = keyof UserMetrics;

/** These names, in the order of tables. */
export const accuracyMetrics: readonly AccuracyMetric[] = [
  'precision',
  'recall',
  'hitRate',
  'map',
  'mrr',
  'ndcg',
];

/** All metrics of one list. `relevant`: number of relevant tracks, at least 1. */
export function metricsOfHits(hits: Uint8Array, relevant: number, k: number): UserMetrics {
  const found = countHits(hits);
  const ideal = Math.min(k, relevant);
  return {
    precision: found / k,
    recall: found / relevant,
    hitRate: found > 0 ? 1 : 0,
    map: sumPrecisions(hits) / ideal,
    mrr: reciprocalOfFirst(hits),
    ndcg: discountedGain(hits, ideal),
  };
}

/** Equal scores of one list, see {@link expectedOfHits}. */
export interface TiedHits {
  /** 1 for a position with the score of the one before it; as long as the list of hits. */
  readonly same: Uint8Array;
  /** How many tracks that are not on the list have the score of its last one. */
  readonly beyond: number;
  /** How many of these are relevant. */
  readonly missed: number;
}

/** Whether the order of equal scores can make a difference to the first k. */
export function hasTies({ same, beyond }: Pick<TiedHits, 'same' | 'beyond'>, k: number): boolean {
  const last = Math.min(k, same.length - 1); // position k itself may be tied with the one before it
  for (let j = 1; j <= last; j++) if (same[j]) return true;
  return beyond > 0 && k >= same.length;
}

/**
 * All metrics of one list with equal scores: the expected value of each over all orders of the tied
 * tracks, each order being equally likely. Exact: for a group of m tracks in positions a + 1 … a +
 * m, of which r are relevant, after H relevant ones, h_j of its i-th track is 1 with probability
 * r/m, and E[h_j · precision at j] = (r/m) · (H + 1 + (i − 1)(r − 1)/(m − 1)) / j; the first i have
 * no relevant one with probability C(m − r, i) / C(m, i).
 * @param hits of the whole list, which may be longer than k: the tracks tied with the k-th count
 * @param options.relevant number of relevant tracks, at least 1
 */
export function expectedOfHits(
  hits: Uint8Array,
  { same, beyond, missed }: TiedHits,
  { relevant, k }: { relevant: number; k: number },
): UserMetrics {
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
    let none = 1; // probability that none of the tracks of this group so far is relevant
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
  const ideal = Math.min(k, relevant);
  return {
    precision: found / k,
    recall: found / relevant,
    hitRate,
    map: precisions / ideal,
    mrr,
    ndcg: dcg / idealGain(ideal),
  };
}

/** Adds up metrics of users and gives their means. */
export class MeanMetrics {
  /** Users added. */
  users = 0;
  private readonly sums: UserMetrics = {
    precision: 0,
    recall: 0,
    hitRate: 0,
    map: 0,
    mrr: 0,
    ndcg: 0,
  };

  /** Adds one user. */
  add(user: UserMetrics): void {
    this.users++;
    for (const name of Object.keys(this.sums) as (keyof UserMetrics)[])
      this.sums[name] += user[name];
  }

  /** The means over the users added. */
  means(): UserMetrics {
    const { precision, recall, hitRate, map, mrr, ndcg } = this.sums;
    const n = this.users;
    return {
      precision: precision / n,
      recall: recall / n,
      hitRate: hitRate / n,
      map: map / n,
      mrr: mrr / n,
      ndcg: ndcg / n,
    };
  }
}

/**
 * Area under the ROC curve of one user, over the whole catalogue: the probability that a relevant
 * track scores above one that is not, Σ (#(lower) + #(equal)/2) / (|rel| · #(others)).
 *
 * Ties: equal scores count one half, so that a recommender that scores all alike has 0.5. A score
 * of −∞ (what the user has played) is left out; a relevant track with it, or one that has no score
 * at all, counts as below all others.
 * @param scores of all tracks
 * @param relevant which of them are relevant, each once, at least one unless some are missed
 * @param options.missed relevant tracks that have no score; default 0
 * @returns NaN where every track is relevant
 * @example aucOf([0.9, 0.4, 0.4, 0.1], [1]) // above 1 of 3, equal to 1 of 3: (1 + 1/2) / 3 = 0.5
 */
export function aucOf(
  scores: ArrayLike<number>,
  relevant: ArrayLike<number>,
  options: { missed?: number } = {},
): number {
  checkOptions(options, ['missed'], 'aucOf');
  const { missed = 0 } = options;
  for (const values of [scores, relevant])
    checkArgument(
      isNumbers(values),
      values,
      'aucOf',
      'scores, and the places of relevant tracks in them: arrays of numbers',
    );
  if (relevant.length + missed === 0)
    throw new ArgumentError(
      'The user has no relevant track, so the metric does not exist: leave such users out of a mean.',
    );
  const isRelevant = new Uint8Array(scores.length);
  const own = new Float64Array(relevant.length);
  for (let i = 0; i < relevant.length; i++) {
    if (!(relevant[i] >= 0 && relevant[i] < scores.length) || isRelevant[relevant[i]])
      throw new ArgumentError(
        `Relevant tracks are different places in ${scores.length} scores, counted from 0, got ${relevant[i]}.`,
      );
    isRelevant[relevant[i]] = 1;
    own[i] = scores[relevant[i]];
  }
  own.sort();
  let [others, pairs] = [0, 0];
  for (let t = 0; t < scores.length; t++) {
    const score = scores[t];
    if (Number.isNaN(score)) throw new NumericError(`The score of track ${t} is NaN.`);
    if (isRelevant[t] || score === -Infinity) continue;
    others++;
    // Relevant tracks above this one count one, those equal to it one half.
    const below = countBelow(own, score);
    let equal = 0;
    while (below + equal < own.length && own[below + equal] === score) equal++;
    pairs += own.length - below - equal / 2;
  }
  return pairs / ((relevant.length + missed) * others);
}

/** How many of ascending numbers are below x. */
function countBelow(sorted: Float64Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
