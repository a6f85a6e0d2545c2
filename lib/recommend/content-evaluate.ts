import { Random } from '../compute/random.js';
import { Plays } from '../data/plays.js';
import type { Split } from '../data/splits.js';
import { ArgumentError } from '../errors.js';
import { checkNumber, checkOptions, whatIs } from '../options.js';
import { MeanMetrics, metricsOfHits } from './hits.js';
import { Interactions } from './interactions.js';
import { checkN } from './lookup.js';
import type { RankingMetrics } from './metrics.js';
import type { Recommender } from './recommender.js';

/** Options of {@link coldTrackSplit}. */
export interface ColdTrackSplitOptions {
  /** Share of the played tracks that are hidden; default 0.1. */
  trackPct?: number;
  /** Seed of the draw; default 42. */
  seed?: number | string;
}

/**
 * Hides tracks as if nobody had played them yet: `valid` are all plays of trunc(trackPct · tracks) tracks drawn at random, `train` those of the others, both in
 * file order.
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
  checkNumber(trackPct, trackPct > 0 && trackPct < 1, 'trackPct must be between 0 and 1, both excluded');
  const played = plays.compact();
  const n = played.tracks.length;
  const cut = Math.trunc(trackPct * n);
  if (cut === 0 || cut === n) throw new ArgumentError(`trackPct ${trackPct} of ${n} tracks leaves ${cut} to hide and ${n - cut} to train on.`);
  const hidden = new Uint8Array(n);
  for (const t of new Random(seed).child('cold tracks').permutation(n).subarray(0, cut)) hidden[t] = 1;
  const rows = Int32Array.from(played.track.keys());
  return { train: rows.filter((i) => !hidden[played.track[i]]), valid: rows.filter((i) => hidden[played.track[i]]) };
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
 * Ranking metrics among tracks that training has not: for each user who has played some of them, all hidden tracks are ranked, and right are the user's own.
 * Hidden tracks that the recommender cannot score count as missed. The coverage is a share of the hidden tracks. For lists out of the whole catalogue there
 * is {@link evaluateRecommender}.
 * @param recommender trained on the other tracks, and able to score these, as ContentRecommender is
 * @param heldOut all plays of the hidden tracks, e.g. `plays.take(coldTrackSplit(plays).valid)`
 * @throws ArgumentError if it knows none of the tracks, or none of the users
 * @example
 * const { train, valid } = coldTrackSplit(plays, { seed: 1 });
 * const content = await ContentRecommender.fit(plays.take(train), tracks);
 * evaluateColdTracks(content, plays.take(valid), { k: 5 });
 */
export function evaluateColdTracks(recommender: Recommender, heldOut: Plays, options: EvaluateColdTracksOptions = {}): ColdTracksEvaluation {
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
    throw new ArgumentError(`${recommender.name} knows none of the ${test.users.length} users who have played the hidden tracks.`);
  const lists = recommender.recommendBatch(users, { n: k, among });
  const covered = new Set<number>();
  const mean = new MeanMetrics();
  const hiddenOf = Int32Array.from({ length: recommender.tracks.length }).fill(-1);
  test.tracks.classes.forEach((id, t) => {
    const track = recommender.tracks.indexOf(id);
    if (track >= 0) hiddenOf[track] = t;
  });
  users.forEach((id, i) => {
    const user = test.users.indexOf(id);
    const hits = new Uint8Array(lists.counts[i]);
    for (let j = 0; j < hits.length; j++) {
      const track = hiddenOf[lists.track[i * lists.n + j]];
      covered.add(track);
      hits[j] = test.has(user, track) ? 1 : 0;
    }
    mean.add(metricsOfHits(hits, test.row(user).length, k));
  });
  const tracks = test.tracks.length;
  const unknownUsers = test.users.length - users.length;
  return { recommender: recommender.name, tracks, unknownUsers, k, users: mean.users, ...mean.means(), coverage: covered.size / tracks };
}

function checkPlays(name: string, plays: Plays): void {
  if (!(plays instanceof Plays)) throw new ArgumentError(`${name} needs plays, such as readPlays reads, got ${whatIs(plays)}.`);
}
