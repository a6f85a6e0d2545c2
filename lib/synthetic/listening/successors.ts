import type { Random } from '../../recital/compute/random.js';
import { argsort } from '../draw.js';
import type { Catalogue } from '../tracks/catalogue.js';
import { Shelves } from '../tracks/genres.js';

/** How often a track follows from the one before. */
export const FOLLOWS = 0.55;
/** How likely the first, second, … successor of a track is to be the one that follows. */
export const ODDS = [0.5, 0.25, 0.15, 0.1] as const;
/**
 * How often a track really follows: the first of a user has none before it, and what was heard is
 * not heard again.
 */
const FOLLOWS_IN_FACT = 0.44;
/** A successor owes at most this share of its plays to the tracks before it. */
const MOST_INFLOW = 0.8;

/** The planted order. */
export interface Successors {
  /**
   * `ODDS.length` entries per track of the catalogue: the tracks that tend to follow it; −1 where
   * there is none.
   */
  next: Int32Array;
  /** How often each track is to be drawn other than as a successor. */
  rates: Float64Array;
}

/**
 * Plants the order: gives each track a few others of its scene that tend to follow it, drawn by
 * popularity, the second of them by the same artist where there is one. The tracks keep their
 * popularity: none gets more plays from those before it than it should have, and what it gets is
 * taken off the rate at which it is drawn otherwise.
 *
 * @param rates how often each track is to be played; 0 for tracks that nobody plays
 */
export function plantSuccessors(
  random: Random,
  catalogue: Catalogue,
  rates: Float64Array,
): Successors {
  const { length, scene, artist } = catalogue;
  const shelves = new Shelves(catalogue, rates);
  const k = ODDS.length;
  const next = new Int32Array(length * k).fill(-1);
  const inflow = new Float64Array(length);
  for (const t of argsort(rates).reverse()) {
    if (!(rates[t] > 0)) break; // sorted: the rest is never played
    for (let i = 0; i < k; i++) {
      const flow = FOLLOWS_IN_FACT * ODDS[i] * rates[t];
      for (let attempt = 0; attempt < 60; attempt++) {
        const candidate =
          i === 1 && attempt < 6
            ? shelves.trackOfArtist(random, artist[t])
            : shelves.trackOfScene(random, scene[t]);
        if (candidate === t || next.subarray(t * k, t * k + i).includes(candidate)) continue;
        if (attempt < 50 && inflow[candidate] + flow > MOST_INFLOW * rates[candidate]) continue;
        next[t * k + i] = candidate;
        inflow[candidate] += flow;
        break;
      }
    }
  }
  const own = new Float64Array(length);
  for (let t = 0; t < length; t++) own[t] = Math.max(0.05 * rates[t], rates[t] - inflow[t]);
  return { next, rates: own };
}
