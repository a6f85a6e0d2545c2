import { ArgumentError } from '../errors.js';
import { checkArgument, checkOptions, said } from '../options.js';
import { Plays } from './plays.js';

/**
 * What a model of plays is trained to predict. Playcounts are not ratings, so it has to be chosen:
 * - `'binary'`: 1 if playcount ≥ threshold, else 0. "Came back to it." For BCEWithLogitsLossFlat.
 * - `'log'`: ln(1 + playcount). Tames the few very large counts. For MSELossFlat.
 * - `'rank'`: how high the track stands among the user's own, (r − ½) / n, where r is its rank from the user's least played of n tracks, ties at their
 *   middle rank. Between 0 and 1 and free of how much a user listens. For either loss.
 * - `'count'`: the playcount itself.
 */
export type Target = 'binary' | 'log' | 'rank' | 'count';

/** Options of {@link targetsOf}. */
export interface TargetOptions {
  /** Default `'binary'`. */
  target?: Target;
  /** For `'binary'`: the least playcount that counts as liked. Default 2, so one play is 0. */
  threshold?: number;
}

/**
 * The target of each play, in the order of the plays.
 * @param plays what is to be predicted
 * @example targetsOf(Plays.fromRows([{ user: 'u', track: 'a' }, { user: 'u', track: 'b', playcount: 7 }])) // 0, 1
 */
export function targetsOf(plays: Plays, options: TargetOptions = {}): Float32Array {
  checkOptions(options, ['target', 'threshold'], 'targetsOf');
  const { target = 'binary', threshold = 2 } = options;
  checkArgument(plays instanceof Plays, plays, 'targetsOf', 'plays, such as readPlays reads');
  switch (target) {
    case 'binary':
      if (!Number.isFinite(threshold))
        throw new ArgumentError(`threshold must be a number of plays, got ${said(threshold)}.`);
      return plays.playcount.map((p) => (p >= threshold ? 1 : 0));
    case 'log':
      return plays.playcount.map((p) => Math.log1p(p));
    case 'count':
      return plays.playcount.slice();
    case 'rank':
      return ranksWithinUser(plays);
    default:
      throw new ArgumentError(
        `target must be 'binary', 'log', 'rank' or 'count', got '${said(target)}'.`,
      );
  }
}

function ranksWithinUser(plays: Plays): Float32Array {
  const { indptr, indices } = plays.byUser();
  const out = new Float32Array(plays.length);
  for (let u = 0; u < plays.users.length; u++) {
    const rows = indices
      .slice(indptr[u], indptr[u + 1])
      .sort((a, b) => plays.playcount[a] - plays.playcount[b]);
    for (let first = 0, last = 0; first < rows.length; first = last) {
      while (last < rows.length && plays.playcount[rows[last]] === plays.playcount[rows[first]])
        last++;
      const rank = (first + 1 + last) / 2; // the middle of ranks first + 1 … last
      for (let j = first; j < last; j++) out[rows[j]] = (rank - 0.5) / rows.length;
    }
  }
  return out;
}
