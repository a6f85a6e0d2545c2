import type { Recommender } from '../../../lib/recital/recommend/recommender.js';

/** Ids of the contract's data, e.g. `track07`. */
export const padded = (kind: string, i: number): string => `${kind}${String(i).padStart(2, '0')}`;

/** The bytes of all scores. */
export function scoreBytes(recommender: Recommender): Buffer {
  const users = Int32Array.from({ length: recommender.users.length }, (_, u) => u);
  const out = new Float32Array(users.length * recommender.tracks.length);
  recommender.scores(users, out);
  return Buffer.from(out.buffer);
}
