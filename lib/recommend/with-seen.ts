import type { Plays } from '../data/plays.js';
import type { FoldedUser, HistoryItem } from './fold-in.js';
import { Interactions } from './interactions.js';
import { Recommender, type TrackVectors } from './recommender.js';

/**
 * The same recommender, with further plays taken for seen: lists leave them out, though nothing was learnt of them. For plays that came in after training, and
 * to measure on test plays what validation plays are no answer to (RecBole's full ranking masks both).
 * @param recommender left as it is
 * @param plays what users have played beside what it was trained on; users and tracks that it does not know are left out
 * @example evaluateRecommender(withSeen(ease, split.valid), split.test)
 */
export function withSeen(recommender: Recommender, plays: Plays): Recommender {
  return new WithSeen(recommender, plays);
}

class WithSeen extends Recommender {
  readonly name: string;
  override readonly prediction?: (score: number) => number;
  override readonly trackVectors?: () => TrackVectors;
  override readonly foldIn?: (history: readonly HistoryItem[]) => FoldedUser;

  constructor(
    private readonly of: Recommender,
    plays: Plays,
  ) {
    super(joined(of.seen, plays), { catalogue: of.catalogue });
    this.name = of.name;
    if (of.prediction) this.prediction = (score) => of.prediction!(score);
    if (of.trackVectors) this.trackVectors = () => of.trackVectors!();
    if (of.foldIn) this.foldIn = (history) => of.foldIn!(history);
  }

  scores(users: Int32Array, out: Float32Array): void {
    this.of.scores(users, out);
  }
}

function joined({ users, tracks, indptr, indices, playcount }: Interactions, plays: Plays): Interactions {
  const user = [new Int32Array(indices.length), plays.user.map((u) => users.indexOf(plays.users.id(u)))];
  for (let u = 0; u < users.length; u++) user[0].fill(u, indptr[u], indptr[u + 1]);
  const track = [indices, plays.track.map((t) => tracks.indexOf(plays.tracks.id(t)))];
  const count = [playcount, plays.playcount];
  const known = Array.from(user[1].keys()).filter((i) => user[1][i] >= 0 && track[1][i] >= 0);
  const join = <T extends Int32Array | Float32Array>([a, b]: T[]): number[] => [...a, ...known.map((i) => b[i])];
  return Interactions.fromPairs({
    users,
    tracks,
    user: Int32Array.from(join(user)),
    track: Int32Array.from(join(track)),
    playcount: Float32Array.from(join(count)),
  });
}
