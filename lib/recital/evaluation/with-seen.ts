import { Plays, playsAmong } from '../data/plays.js';

import { ArgumentError } from '../errors.js';
import { checkArgument } from '../options.js';
import type { SavedForm } from '../recommend/export.js';
import type { FoldedUser, HistoryItem, HistoryOptions } from '../recommend/fold-in.js';
import { Interactions } from '../recommend/interactions.js';
import { Recommender, type TrackVectors } from '../recommend/recommender.js';
import { instead, isRecommender } from './parse.js';

/**
 * The same recommender, with further plays taken for seen: lists leave them out, though nothing was
 * learnt of them. For plays that came in after training, and to measure on test plays what
 * validation plays are no answer to (RecBole's full ranking masks both).
 * @param recommender left as it is
 * @param plays what users have played beside what it was trained on; users and tracks that it does
 *   not know are left out
 * @example evaluateRecommender(withSeen(ease, split.valid), split.test)
 */
export function withSeen(recommender: Recommender, plays: Plays): Recommender {
  if (!isRecommender(recommender)) {
    throw new ArgumentError(
      `withSeen needs a recommender, such as new Popularity(train), got ${instead(recommender)}.`,
    );
  }
  checkArgument(plays instanceof Plays, plays, 'withSeen', 'plays, such as readPlays reads');
  return new WithSeen(recommender, joined(recommender.seen, plays));
}

export class WithSeen extends Recommender {
  readonly name: string;
  override readonly prediction?: (score: number) => number;
  override readonly trackVectors?: () => TrackVectors;
  override readonly userVectors?: () => TrackVectors;

  constructor(
    readonly of: Recommender,
    seen: Interactions,
  ) {
    super(seen, { catalogue: of.catalogue, names: of.names });
    this.name = of.name;
    if (of.prediction) this.prediction = (score) => of.prediction!(score);
    if (of.trackVectors) this.trackVectors = () => of.trackVectors!();
    if (of.userVectors) this.userVectors = () => of.userVectors!();
  }

  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    return this.of.foldIn(history, options);
  }

  override get canFoldIn(): boolean {
    return this.of.canFoldIn;
  }

  scores(users: Int32Array, out: Float32Array): void {
    this.of.scores(users, out);
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<WithSeen> = {
    name: 'WithSeen',
    describe: ({ of }) => ({ config: {}, parts: [of] }),
    make: ({ seen }, _config, _tensors, [of]) => new WithSeen(of, seen),
  };
}

/**
 * What was seen together with further plays, as long as these are there: recommenders of the same
 * plays share it.
 */
const known = new WeakMap<Interactions, WeakMap<Plays, Interactions>>();

function joined(seen: Interactions, plays: Plays): Interactions {
  let ofSeen = known.get(seen);
  if (!ofSeen) known.set(seen, (ofSeen = new WeakMap()));
  let made = ofSeen.get(plays);
  if (!made) ofSeen.set(plays, (made = join(seen, plays)));
  return made;
}

/** Row by row: both are in order, so nothing is sorted but the further plays. */
function join(seen: Interactions, plays: Plays): Interactions {
  const { users, tracks } = seen;
  const further = Interactions.fromPairs({ users, tracks, ...playsAmong(plays, seen) });
  const most = seen.length + further.length;
  const [indptr, indices, playcount] = [
    new Int32Array(users.length + 1),
    new Int32Array(most),
    new Float32Array(most),
  ];
  let n = 0;
  for (let u = 0; u < users.length; u++) {
    let a = seen.indptr[u];
    let b = further.indptr[u];
    const [endA, endB] = [seen.indptr[u + 1], further.indptr[u + 1]];
    for (; a < endA || b < endB; n++) {
      const [s, t] = [
        a < endA ? seen.indices[a] : tracks.length,
        b < endB ? further.indices[b] : tracks.length,
      ];
      indices[n] = Math.min(s, t);
      if (s <= t) playcount[n] += seen.playcount[a++];
      if (t <= s) playcount[n] += further.playcount[b++];
    }
    indptr[u + 1] = n;
  }
  return Interactions.fromCsr({
    users,
    tracks,
    indptr,
    indices: indices.slice(0, n),
    playcount: playcount.slice(0, n),
  });
}
