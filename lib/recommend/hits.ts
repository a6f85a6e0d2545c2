/**
 * The inner loops of the ranking metrics, on a list of hits: hits[j] = 1 if the track in position j (from 0) is relevant, for at most the first k. They
 * check nothing; metrics.ts does.
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
  let best = 0;
  for (let j = 0; j < hits.length; j++) if (hits[j]) dcg += 1 / Math.log2(j + 2);
  for (let j = 0; j < ideal; j++) best += 1 / Math.log2(j + 2);
  return dcg / best;
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

/** Adds up metrics of users and gives their means. */
export class MeanMetrics {
  /** Users added. */
  users = 0;
  private readonly sums: UserMetrics = { precision: 0, recall: 0, hitRate: 0, map: 0, mrr: 0, ndcg: 0 };

  /** Adds one user. */
  add(user: UserMetrics): void {
    this.users++;
    for (const name of Object.keys(this.sums) as (keyof UserMetrics)[]) this.sums[name] += user[name];
  }

  /** The means over the users added. */
  means(): UserMetrics {
    const { precision, recall, hitRate, map, mrr, ndcg } = this.sums;
    const n = this.users;
    return { precision: precision / n, recall: recall / n, hitRate: hitRate / n, map: map / n, mrr: mrr / n, ndcg: ndcg / n };
  }
}
