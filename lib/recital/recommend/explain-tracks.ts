import { ArgumentError } from '../errors.js';
import { Explanation } from './explain.js';
import { userIndex } from './lookup.js';
import type { Id, Recommender } from './recommender.js';
import { trackInfo } from './track-info.js';

/**
 * An explanation whose rows are a user's tracks, the strongest first: columns track_id, title,
 * artist and year as far as the catalogue has them, playcount, contribution.
 * @param of the user, and the track index that is explained
 * @param contribution of one of the user's tracks, given its index and its position in `seen`
 * @param remainder what the contributions lack of the score; default 0
 */
export function explainByTracks(
  recommender: Recommender,
  of: { user: Id; track: number; remainder?: number },
  contribution: (own: number, at: number) => number,
): Explanation {
  const { seen, tracks, catalogue } = recommender;
  if (seen.totals) {
    throw new ArgumentError(
      `${recommender.name} was exported without listening histories ({ seen: false }), so there is nothing that explain could go back to.`,
    );
  }
  const from = seen.indptr[userIndex(recommender, of.user)];
  const row = seen.row(userIndex(recommender, of.user));
  const parts = Float64Array.from(row, (own, i) => contribution(own, from + i));
  const order = Array.from(row.keys()).sort((a, b) => parts[b] - parts[a] || a - b);
  const columns = {
    ...trackInfo(tracks.decode(order.map((i) => row[i])), recommender),
    playcount: Float64Array.from(order, (i) => seen.playcount[from + i]),
    contribution: Float64Array.from(order, (i) => parts[i]),
  };
  const id = tracks.id(of.track);
  const { remainder = 0 } = of;
  return new Explanation(catalogue?.label(id) ?? id, columns, {
    trackBias: 0,
    userBias: 0,
    unplayed: 0,
    remainder,
  });
}
