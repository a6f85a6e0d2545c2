import { Random } from '../../lib/recital/compute/random.js';
import { CollabDataLoaders } from '../../lib/recital/data/collab.js';
import { Table } from '../../lib/recital/data/table.js';

/**
 * Ratings with a planted structure: 3 + the product of a user's and an item's hidden taste (rank 2)
 * + noise; `shuffled` breaks the structure.
 */
export function plantedRatings({
  users = 60,
  items = 50,
  rows = 1500,
  seed = 7,
  shuffled = false,
} = {}): Table {
  const random = new Random(seed);
  const taste = (n: number): number[][] =>
    Array.from({ length: n }, () => [random.normal(), random.normal()]);
  const u = taste(users);
  const v = taste(items);
  const pairs = random
    .permutation(users * items)
    .slice(0, rows)
    .sort();
  const rating = Float64Array.from(pairs, (p) => {
    const a = u[Math.floor(p / items)];
    const b = v[p % items];
    return 3 + a[0] * b[0] + a[1] * b[1] + 0.1 * random.normal();
  });
  const order = random.permutation(rows);
  return new Table({
    user: Array.from(pairs, (p) => `u${Math.floor(p / items)}`),
    item: Array.from(pairs, (p) => `i${p % items}`),
    rating: shuffled ? rating.map((_, i) => rating[order[i]]) : rating,
  });
}

/** Loaders over planted ratings. */
export function plantedLoaders(
  options: { bs?: number; seed?: number; shuffled?: boolean; rows?: number } = {},
): CollabDataLoaders {
  const { bs = 64, seed = 3, ...data } = options;
  return CollabDataLoaders.fromTable(plantedRatings(data), { bs, seed });
}
