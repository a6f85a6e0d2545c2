import type { Random } from '../../recital/compute/random.js';
import { PLAYCOUNT_AT_LEAST } from '../calibration.js';
import { normal } from '../draw.js';
import { exactExp, exactLog } from '../exact.js';

/** Standard deviation of what a playcount owes to chance rather than to affinity. */
const CHANCE = 0.9;

/** The share of plays with a playcount of at least k, by the calibration table. */
export function shareAtLeast(k: number): number {
  let i = 0;
  while (i < PLAYCOUNT_AT_LEAST.length - 2 && k > PLAYCOUNT_AT_LEAST[i + 1][0]) i++;
  const [a, p] = PLAYCOUNT_AT_LEAST[i];
  const [b, q] = PLAYCOUNT_AT_LEAST[i + 1];
  return exactExp(exactLog(p) + (exactLog(q / p) * exactLog(k / a)) / exactLog(b / a));
}

/**
 * Gives every play its playcount: the keener the play (affinity plus chance) among all plays, the
 * higher, with exactly the real distribution.
 */
export function drawPlaycounts(random: Random, affinity: Float32Array): Uint16Array {
  const n = affinity.length;
  const keenness = new Float32Array(n);
  for (let i = 0; i < n; i++) keenness[i] = affinity[i] + CHANCE * normal(random);
  const sorted = keenness.slice().sort();
  const thresholds: number[] = []; // thresholds[j]: the least keenness with a playcount of j + 2
  for (let k = 2; ; k++) {
    const above = Math.round(shareAtLeast(k) * n);
    if (above < 1 || k > 60_000) break;
    thresholds.push(sorted[n - above]);
  }
  const counts = new Uint16Array(n);
  for (let i = 0; i < n; i++) {
    let low = 0;
    let high = thresholds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keenness[i] >= thresholds[middle]) low = middle + 1;
      else high = middle;
    }
    counts[i] = low + 1;
  }
  return counts;
}
