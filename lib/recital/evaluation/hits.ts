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
