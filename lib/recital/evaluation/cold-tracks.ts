import { interruptible } from '../compute/interrupt.js';
import { Random } from '../compute/random.js';
import { Plays } from '../data/plays.js';
import type { Split } from '../data/splits.js';
import { ArgumentError } from '../errors.js';
import { checkNumber, checkOptions, whatIs } from '../options.js';
import { Interactions } from '../recommend/interactions.js';
import { blockedTracks, checkN } from '../recommend/lookup.js';
import type { Recommender } from '../recommend/recommender.js';
import { drain } from './evaluate-recommender.js';
import { hitsOfLists, meansOf, metricsOfLists } from './held-out.js';
import type { RankingMetrics } from './metrics.js';
import { rankInParts } from './rank.js';

/** Options of {@link coldTrackSplit}. */
export interface ColdTrackSplitOptions {
  /** Share of the played tracks that are hidden; default 0.1. */
  trackPct?: number;
  /** Seed of the draw; default 42. */
  seed?: number | string;
}

/**
 * Hides tracks as if nobody had played them yet: `valid` are all plays of trunc(trackPct · tracks)
 * tracks drawn at random, `train` those of the others, both in file order.
 * @param plays what is split
 * @throws ArgumentError unless both parts get a track
 * @example
 * const { train, valid } = coldTrackSplit(plays, { seed: 1 });
 * const content = await ContentRecommender.fit(plays.take(train), tracks);
 * evaluateColdTracks(content, plays.take(valid));
 */
export function coldTrackSplit(plays: Plays, options: ColdTrackSplitOptions = {}): Split {
  checkPlays('coldTrackSplit', plays);
  checkOptions(options, ['trackPct', 'seed'], 'coldTrackSplit');
  const { trackPct = 0.1, seed = 42 } = options;
  checkNumber(
    trackPct,
    trackPct > 0 && trackPct < 1,
    'trackPct must be between 0 and 1, both excluded',
  );
  const played = plays.compact();
  const n = played.tracks.length;
  const cut = Math.trunc(trackPct * n);
  if (cut === 0 || cut === n)
    throw new ArgumentError(
      `trackPct ${trackPct} of ${n} tracks leaves ${cut} to hide and ${n - cut} to train on.`,
    );
  const hidden = new Uint8Array(n);
  for (const t of new Random(seed).child('cold tracks').permutation(n).subarray(0, cut))
    hidden[t] = 1;
  const rows = Int32Array.from(played.track.keys());
  return {
    train: rows.filter((i) => !hidden[played.track[i]]),
    valid: rows.filter((i) => hidden[played.track[i]]),
  };
}

/** Options of {@link evaluateColdTracks}. */
export interface EvaluateColdTracksOptions {
  /** Length of the lists; default 10. */
  k?: number;
}

/** How well tracks that nobody had played were recommended. */
export type ColdTracksEvaluation = {
  /** Its name. */
  recommender: string;
  /** The hidden tracks, among which it chose. */
  tracks: number;
  /** Users with hidden tracks that it does not know, so that they are not in the means. */
  unknownUsers: number;
} & RankingMetrics;

/**
 * Ranking metrics among tracks that training has not: for each user who has played some of them,
 * all hidden tracks are ranked, and right are the user's own. Hidden tracks that the recommender
 * cannot score count as missed. Equal scores count as {@link evaluateRecommender} counts them. The
 * coverage is a share of the hidden tracks. For lists out of the whole catalogue there is
 * {@link evaluateRecommender}.
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
  checkPlays('evaluateColdTracks', heldOut);
  checkOptions(options, ['k'], 'evaluateColdTracks');
  const { k = 10 } = options;
  checkN(k, 'k');
  const test = Interactions.fromPlays(heldOut);
  const among = test.tracks.classes.filter((id) => recommender.tracks.has(id));
  if (among.length === 0) {
    throw new ArgumentError(
      `${recommender.name} has none of the ${test.tracks.length} hidden tracks in its catalogue: only tracks that it can score can be ranked, as those of ContentRecommender.`,
    );
  }
  const users = test.users.classes.filter((id) => recommender.users.has(id));
  if (users.length === 0)
    throw new ArgumentError(
      `${recommender.name} knows none of the ${test.users.length} users who have played the hidden tracks.`,
    );
  // Hidden tracks that the recommender has not are numbered behind those that it has.
  const code = Int32Array.from(test.tracks.classes, (id, t) =>
    recommender.tracks.has(id) ? recommender.tracks.indexOf(id) : recommender.tracks.length + t,
  );
  const rows = users.map((id) => test.row(test.users.indexOf(id)).map((t) => code[t]));
  const relevant = {
    indptr: Int32Array.from([0, ...rows].map(() => 0)),
    indices: Int32Array.from(rows.flatMap((row) => [...row])),
  };
  rows.forEach((row, i) => {
    relevant.indptr[i + 1] = relevant.indptr[i] + row.length;
  });
  const lists = interruptible(() =>
    drain(
      rankInParts(
        recommender,
        Int32Array.from(users, (id) => recommender.users.indexOf(id)),
        { n: k, relevant: (i) => rows[i], blocked: blockedTracks(recommender, { among }) },
      ),
    ),
  );
  const values = metricsOfLists(
    hitsOfLists(lists, { relevant, codes: recommender.tracks.length + test.tracks.length }),
    lists,
    { k, relevant },
  );
  const covered = new Set(lists.track);
  covered.delete(-1); // where lists end early
  const tracks = test.tracks.length;
  const unknownUsers = test.users.length - users.length;
  const coverage = covered.size / tracks;
  return {
    recommender: recommender.name,
    tracks,
    unknownUsers,
    k,
    users: users.length,
    ...meansOf(values),
    coverage,
  };
}

function checkPlays(name: string, plays: Plays): void {
  if (!(plays instanceof Plays))
    throw new ArgumentError(`${name} needs plays, such as readPlays reads, got ${whatIs(plays)}.`);
}
