import { Random } from '../compute/random.js';
import type { Plays } from '../data/plays.js';
import type { Split } from '../data/splits.js';
import { ArgumentError } from '../errors.js';
import { checkNumber, given } from '../options.js';
import { Interactions } from '../recommend/interactions.js';
import type { Recommender } from '../recommend/recommender.js';
import { blockedTracks, checkN } from '../recommend/resolve-ids.js';
import { measure } from './evaluate-recommender.js';
import { HeldOut } from './held-out.js';
import { accuracyMetrics, type RankingMetrics } from './metrics.js';
import { checkBoth, checkPlays } from './parse.js';

const SPLIT = {
  /** Share of the played tracks that are hidden; default 0.1. */
  trackPct: 0.1,
  /** Seed of the draw; default 42. */
  seed: 42 as number | string,
};

/** Options of {@link coldTrackSplit}. */
export type ColdTrackSplitOptions = Partial<typeof SPLIT>;

/**
 * A split that hides tracks as if nobody had played them yet: `valid` has all plays of
 * trunc(trackPct · tracks) tracks drawn at random, `train` those of the others, both in file order.
 * @param plays what is split
 * @throws ArgumentError unless both parts get a track
 * @example
 * const { train, valid } = coldTrackSplit(plays, { seed: 1 });
 * const content = await ContentRecommender.fit(plays.take(train), tracks);
 * evaluateColdTracks(content, plays.take(valid));
 */
export function coldTrackSplit(plays: Plays, options: ColdTrackSplitOptions = {}): Split {
  checkPlays('coldTrackSplit', plays);
  const { trackPct, seed } = given(SPLIT, options, 'coldTrackSplit');
  checkNumber(
    trackPct,
    trackPct > 0 && trackPct < 1,
    'trackPct must be between 0 and 1, both excluded',
  );
  const { track, tracks } = plays.compact();
  const n = tracks.length;
  const cut = Math.trunc(trackPct * n);
  if (cut === 0 || cut === n)
    throw new ArgumentError(
      `trackPct ${trackPct} of ${n} tracks leaves ${cut} to hide and ${n - cut} to train on.`,
    );
  const hidden = new Uint8Array(n);
  for (const t of new Random(seed).child('cold tracks').permutation(n).subarray(0, cut))
    hidden[t] = 1;
  const rows = Int32Array.from(track.keys());
  return {
    train: rows.filter((i) => !hidden[track[i]]),
    valid: rows.filter((i) => hidden[track[i]]),
  };
}

const EVALUATE = {
  /** Length of the lists; default 10. */
  k: 10,
};

/** Options of {@link evaluateColdTracks}. */
export type EvaluateColdTracksOptions = Partial<typeof EVALUATE>;

/** The outcome of {@link evaluateColdTracks}. */
export type ColdTracksEvaluation = {
  /** Name of the recommender. */
  recommender: string;
  /** Number of hidden tracks, among which it chose. */
  tracks: number;
  /** Number of users with hidden tracks that it does not know; they are not in the means. */
  unknownUsers: number;
} & RankingMetrics;

/**
 * Ranking metrics on tracks that training does not have: for each user who has played some of them,
 * all hidden tracks are ranked, and the user's own are relevant. Hidden tracks that the recommender
 * cannot score count as missed; the coverage is a share of the hidden tracks. Equal scores count as
 * in {@link evaluateRecommender}, which ranks the whole catalogue.
 * @param recommender trained on the other tracks, and able to score these, as ContentRecommender is
 * @param heldOut all plays of the hidden tracks, e.g. `plays.take(coldTrackSplit(plays).valid)`
 * @throws ArgumentError if it knows none of the tracks, or none of the users
 * @example
 * const { train, valid } = coldTrackSplit(plays, { seed: 1 });
 * const content = await ContentRecommender.fit(plays.take(train), tracks);
 * evaluateColdTracks(content, plays.take(valid), { k: 5 });
 */
export function evaluateColdTracks(
  recommender: Recommender,
  heldOut: Plays,
  options: EvaluateColdTracksOptions = {},
): ColdTracksEvaluation {
  checkBoth('evaluateColdTracks', recommender, heldOut);
  const { k } = given(EVALUATE, options, 'evaluateColdTracks');
  checkN(k, 'k');
  const hidden = Interactions.fromPlays(heldOut);
  const tracks = hidden.tracks.length;
  const among = hidden.tracks.classes.filter((id) => recommender.tracks.has(id));
  if (among.length === 0) {
    throw new ArgumentError(
      `${recommender.name} has none of the ${tracks} hidden tracks in its catalogue: only tracks that it can score can be ranked, as those of ContentRecommender.`,
    );
  }
  if (!hidden.users.classes.some((id) => recommender.users.has(id)))
    throw new ArgumentError(
      `${recommender.name} knows none of the ${hidden.users.length} users who have played the hidden tracks.`,
    );
  const {
    recommender: name,
    unknownUsers,
    ...means
  } = measure(
    recommender,
    new HeldOut(recommender.seen, heldOut),
    [...accuracyMetrics, 'coverage'],
    { k, catalogueSize: tracks, blocked: blockedTracks(recommender, { among }) },
  );
  return { recommender: name, tracks, unknownUsers, ...means };
}
