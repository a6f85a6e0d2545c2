import { ArgumentError } from '../errors.js';
import { Learner } from '../learner/learner.js';
import { checkArgument } from '../options.js';
import type { HistoryItem } from '../recommend/fold-in.js';
import type { Recommendations } from '../recommend/recommendations.js';
import type { Id, Recommender, RecommendOptions } from '../recommend/recommender.js';
import { recommenderOf } from './lstm-recommender.js';

/**
 * Recommends songs to a user, or to whoever has just played these: the paper's `recommend_songs`,
 * for any recommender, and for a learner of an LSTMModel. The label-encoded user 7621 of the paper
 * is `plays.users.id(7621)`.
 * @param from a recommender, or what `trainModel` returns
 * @param user a user's id, or a history: ids, titles or "title by artist", the last played last
 * @param options as of {@link Recommender.recommend}; `n`: length of the list, default 10
 * @throws UnknownIdError for an unknown user or track, with a suggestion; ArgumentError for an
 *   empty history
 * @example recommendSongs(markov, ['Song A', 'Song B', 'Song C'], { n: 5 })
 */
export function recommendSongs(
  from: Recommender | Learner,
  user: Id | readonly HistoryItem[],
  options: RecommendOptions = {},
): Recommendations {
  checkArgument(
    typeof from === 'object' && from !== null && ('recommend' in from || from instanceof Learner),
    from,
    'recommendSongs',
    'a recommender or a learner, such as lstmLearner(dls)',
  );
  const recommender = recommenderOf(from);
  if (typeof user !== 'object') return recommender.recommend(user, options);
  if (!recommender.canFoldIn) {
    throw new ArgumentError(
      `${recommender.name} recommends to users of its training data only, not from a history. Name a user.`,
    );
  }
  return recommender.foldIn(user).recommend(options);
}
