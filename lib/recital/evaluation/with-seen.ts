import { type Plays, playsAmong } from '../data/plays.js';

import type { SavedForm } from '../recommend/export.js';
import type { FoldedUser, HistoryItem, HistoryOptions } from '../recommend/fold-in.js';
import { Interactions } from '../recommend/interactions.js';
import { Recommender, type TrackVectors } from '../recommend/recommender.js';
import { checkBoth } from './parse.js';

/**
 * The same recommender with further plays counted as seen: lists leave them out, though nothing was
 * learnt from them. For plays that came in after training, and to mask validation plays when
 * measuring on test plays (as RecBole's full ranking does).
 * @param recommender left as it is
 * @param plays further plays of its users; users and tracks that it does not know are left out
 * @example evaluateRecommender(withSeen(ease, split.valid), split.test)
 */
export function withSeen(recommender: Recommender, plays: Plays): Recommender {
  checkBoth('withSeen', recommender, plays);
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

/** Seen and further plays together, kept: recommenders trained on the same plays share them. */
const known = new WeakMap<Interactions, WeakMap<Plays, Interactions>>();

function joined(seen: Interactions, plays: Plays): Interactions {
  const ofSeen = known.get(seen) ?? new WeakMap<Plays, Interactions>();
  known.set(seen, ofSeen);
  const made = ofSeen.get(plays) ?? join(seen, plays);
  ofSeen.set(plays, made);
  return made;
}

function join(seen: Interactions, plays: Plays): Interactions {
  const { users, tracks, indptr } = seen;
  const further = playsAmong(plays, seen);
  const n = seen.length + further.user.length;
  const pairs = {
    user: new Int32Array(n),
    track: new Int32Array(n),
    playcount: new Float32Array(n),
  };
  for (let u = 0; u < users.length; u++) pairs.user.fill(u, indptr[u], indptr[u + 1]);
  pairs.track.set(seen.indices);
  pairs.playcount.set(seen.playcount);
  pairs.user.set(further.user, seen.length);
  pairs.track.set(further.track, seen.length);
  pairs.playcount.set(further.playcount, seen.length);
  return Interactions.fromPairs({ users, tracks, ...pairs });
}
