import type { Random } from '../../compute/random.js';
import type { Tastes } from './taste.js';

/** How likely the first, second, … successor of a track is to be the one that follows. */
export const ODDS = [0.5, 0.25, 0.15, 0.1] as const;

/**
 * The planted order: for each playable track a few others of its scene that tend to follow it, drawn by popularity, the second of them by the same artist where there is one.
 * @returns `ODDS.length` entries per track of the catalogue, −1 where a scene has too few tracks
 */
export function plantSuccessors(random: Random, tastes: Tastes): Int32Array {
  const { length, listeners, scene, artist } = tastes.catalogue;
  const k = ODDS.length;
  const next = new Int32Array(length * k).fill(-1);
  for (let t = 0; t < length; t++) {
    if (!(listeners[t] > 0)) continue;
    for (let i = 0; i < k; i++) {
      for (let attempt = 0; attempt < 30; attempt++) {
        const candidate = i === 1 && attempt < 6 ? tastes.drawOfArtist(random, artist[t]) : tastes.drawOfScene(random, scene[t]);
        if (candidate === t || next.subarray(t * k, t * k + i).includes(candidate)) continue;
        next[t * k + i] = candidate;
        break;
      }
    }
  }
  return next;
}
