import { exactExp, exactLog } from '../exact.js';

/**
 * A user hears a track once, so its users grow more slowly than the rate at which it is drawn,
 * the more so as those who like its kind draw it again and again. With one user in `CROWD` liking
 * it, who draw it `CROWD` times as often, n draws at rate r reach (1 − exp(−CROWD·n·r)) ÷ CROWD of
 * the users who make n draws.
 */
const CROWD = 5.5;
/**
 * No track is heard by a larger share of the users than the best known of the real ones, 80,656 of
 * 962,037.
 */
const MOST_USERS = 80_656 / 962_037;

/**
 * How often each track must be drawn to have, in the end, the wanted share of the users (a
 * small catalogue's stars are kept within what is real).
 *
 * @param users wanted users per track, up to a factor; 0 for tracks that nobody plays
 * @param plays how many plays each user makes
 * @returns rates, 0 where `users` is 0
 */
export function drawRates(users: Float64Array, plays: Int32Array): Float64Array {
  let total = 0;
  for (const l of users) total += l;
  let wanted = 0;
  for (const n of plays) wanted += n;
  const nodes = everyNth(plays.slice().sort(), 200);
  const reach = (rate: number): number => {
    let sum = 0;
    for (const n of nodes) sum += 1 - exactExp(-CROWD * n * rate);
    return ((sum / nodes.length) * plays.length) / CROWD;
  };
  // the curve rate → users at rates that rise by 10 %, to be read backwards
  const rates: number[] = [];
  const reached: number[] = [];
  for (let rate = 1e-9; rate < 0.3; rate *= 1.1) {
    rates.push(rate);
    reached.push(reach(rate));
  }
  const out = new Float64Array(users.length);
  for (let t = 0; t < users.length; t++) {
    if (!(users[t] > 0)) continue;
    const target = Math.min((users[t] / total) * wanted, MOST_USERS * plays.length);
    let i = 0;
    let last = reached.length - 1;
    while (last - i > 1) {
      const middle = (i + last) >>> 1;
      if (reached[middle] < target) i = middle;
      else last = middle;
    }
    const slope = exactLog(rates[last] / rates[i]) / exactLog(reached[last] / reached[i]);
    out[t] = rates[i] * exactExp(Math.min(slope * exactLog(target / reached[i]), 3));
  }
  return out;
}

function everyNth(sorted: Int32Array, count: number): number[] {
  return Array.from(
    { length: Math.min(count, sorted.length) },
    (_, i) => sorted[Math.floor(((i + 0.5) * sorted.length) / Math.min(count, sorted.length))],
  );
}
