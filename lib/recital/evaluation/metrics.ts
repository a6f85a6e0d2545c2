import { ArgumentError } from '../errors.js';
import { checkArgument, checkOptions, isNumbers, said } from '../options.js';
import { checkN } from '../recommend/lookup.js';
import {
  countHits,
  discountedGain,
  MeanMetrics,
  metricsOfHits,
  reciprocalOfFirst,
  sumPrecisions,
} from './hits.js';

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
