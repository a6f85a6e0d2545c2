import { atOnce, interruptible } from '../compute/interrupt.js';
import { Random } from '../compute/random.js';
import type { Plays } from '../data/plays.js';
import type { Split } from '../data/splits.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkCount, checkNumber, checkOptions, given, said } from '../options.js';
import { Interactions } from '../recommend/interactions.js';
import { blockedTracks, type Id, type Recommender, userIndex } from '../recommend/recommender.js';
import { checkBoth, checkPlays } from './candidates.js';
import { HeldOut } from './held-out.js';
import { metricColumns, type RankingMetric } from './metric-columns.js';
import { accuracyMetrics, type RankingMetrics } from './metrics.js';
import { rankHeldOut, valuesOf } from './rank-held-out.js';
import { meanOf } from './statistics.js';

/**
 * Options of {@link evaluateRecommender}.
 * @example const options: EvaluateOptions = { k: 5 };
 */
export interface EvaluateOptions<N extends string = string> {
  /** Length of the lists; default 10. */
  k?: number;
  /** Users to evaluate; default: all with held-out plays. */
  users?: readonly Id[];
  /** Metrics of your own, in further columns; default none. */
  metrics?: readonly RankingMetric<N>[];
  /** Seed of the order of equal scores in the lists for metrics of your own; default 42. */
  seed?: number | string;
}

/** The outcome for one recommender: `Table.fromRows([a, b])` sets several side by side. */
export type Evaluation = {
  /** Name of the recommender. The other columns are explained at {@link RankingMetrics}. */
  recommender: string;
  /**
   * Number of users with held-out plays that it does not know, so that they are not in the means.
   * The same for recommenders trained on the same plays.
   */
  unknownUsers: number;
} & RankingMetrics;

/**
 * Ranking metrics of one recommender on held-out plays, means over users. {@link evaluate} compares
 * several, with intervals and tests.
 *
 * Protocol and ties are those of {@link evaluate}, but lists leave out the tracks of training alone,
 * and users without relevant tracks, who are not in the means, count in the coverage, a share of
 * the recommender's own catalogue.
 * @param recommender trained on other plays
 * @param heldOut the held-out plays, e.g. `plays.take(dls.split.valid)`
 * @example Table.fromRows([learn, new Popularity(train)].map((r) => evaluateRecommender(r, heldOut, { k: 10 })))
 */
export function evaluateRecommender<const N extends string = never>(
  recommender: Recommender,
  heldOut: Plays,
  options: EvaluateOptions<N> = {},
): Evaluation & { readonly [name in N]: number } {
  checkOptions(options, ['k', 'users', 'metrics', 'seed'], 'evaluateRecommender');
  const { k = 10, users, metrics = [], seed = 42 } = options;
  checkBoth('evaluateRecommender', recommender, heldOut);
  checkCount(k, 'k');
  checkOwn(metrics);
  if (users !== undefined)
    checkArgument(Array.isArray(users), users, 'evaluateRecommender', 'users, an array of ids');
  for (const id of users ?? []) userIndex(recommender, id);
  const held = new HeldOut(recommender.seen, heldOut, {
    users: users && new Set(users.map(String)),
    keepEmpty: true,
  });
  const catalogueSize = recommender.tracks.length;
  const means = measure(recommender, held, { k, seed, catalogueSize, metrics });
  if (means.users > 0) return means as unknown as Evaluation & { readonly [name in N]: number };
  throw new ArgumentError(
    `No user that ${recommender.name} knows has a held-out track that it was not trained on as well, so there is nothing to measure. Is this the right part of the split?`,
  );
}

/** The means over the users of `heldOut` that a recommender knows. */
function measure(
  recommender: Recommender,
  heldOut: HeldOut,
  options: Pick<EvaluateOptions, 'metrics' | 'seed'> & {
    k: number;
    catalogueSize: number;
    blocked?: Int32Array;
  },
): Evaluation {
  const { k, catalogueSize, metrics = [], seed = 42, blocked } = options;
  const columns = metricColumns([...accuracyMetrics, 'coverage', ...metrics], [k]);
  const work = rankHeldOut(recommender, heldOut, { columns, seed, blocked });
  const ranked = interruptible(() => atOnce(work))!;
  const rows = Int32Array.from(ranked.known.keys()).filter((row) => ranked.known[row]);
  const { indptr } = heldOut.relevant;
  const values = columns.map((column): [string, number] => [
    column.own?.name ?? column.metric!,
    meanOf(valuesOf(ranked, column, { heldOut, rows, catalogueSize })),
  ]);
  return {
    recommender: recommender.name,
    k,
    users: rows.filter((row) => indptr[row] < indptr[row + 1]).length,
    unknownUsers: heldOut.users.length - rows.length,
    ...(Object.fromEntries(values) as Omit<RankingMetrics, 'k' | 'users'>),
  };
}

/** Throws unless these are metrics of one's own, with names that no other column has. */
function checkOwn(metrics: readonly RankingMetric[]): void {
  const of = 'evaluateRecommender';
  checkArgument(Array.isArray(metrics), metrics, of, 'metrics, an array of metrics of your own');
  const name = metrics.find((own) => typeof own === 'string');
  if (name !== undefined)
    throw new ArgumentError(
      `${of} always measures ${accuracyMetrics.join(', ')} and coverage; its metrics are those of your own, { name, value }, got '${said(name)}'. Names are for evaluate.`,
    );
  const names = ['recommender', 'k', 'users', 'unknownUsers', ...metrics.map((own) => own?.name)];
  const twice = names.find((one, i) => one !== undefined && names.indexOf(one) < i);
  if (twice !== undefined)
    throw new ArgumentError(
      `Two columns would be called "${twice}". Give the metric another name.`,
    );
}

/** What {@link hitsAmong} returns. */
export interface HitsAmong {
  /** Number of recommended tracks that are held out. */
  readonly hits: number;
  /** Length of the list. */
  readonly n: number;
  /** hits / n: the paper's test accuracy of a user. */
  readonly accuracy: number;
  /** Number of the user's held-out tracks, those unknown to the recommender included. */
  readonly relevant: number;
  /** The ids that were hit, best first. */
  readonly ids: readonly string[];
}

/**
 * The paper's test accuracy for one user: how many of n recommended tracks are among the user's
 * held-out plays, divided by n. It is the precision at n of a single user: compare it with that of
 * popularity. The list is the one that `recommend` gives.
 * @param recommender trained on other plays
 * @param options.user whose list; `n`: length of the list, default 30
 * @example hitsAmong(learn, heldOut, { user, n: 10 }).accuracy
 */
export function hitsAmong(
  recommender: Recommender,
  heldOut: Plays,
  options: { user: Id; n?: number },
): HitsAmong {
  checkOptions(options, ['user', 'n'], 'hitsAmong');
  const { user, n = 30 } = options;
  checkBoth('hitsAmong', recommender, heldOut);
  const { ids } = recommender.recommend(user, { n });
  const { seen, tracks } = recommender;
  const index = userIndex(recommender, user);
  const row = heldOut.users.indexOf(user);
  const relevant = new Set<string>();
  for (let i = 0; i < heldOut.length; i++) {
    if (heldOut.user[i] !== row) continue;
    const id = heldOut.tracks.id(heldOut.track[i]);
    if (!tracks.has(id) || !seen.has(index, tracks.indexOf(id))) relevant.add(id);
  }
  const hit = ids.filter((id) => relevant.has(id));
  return { hits: hit.length, n, accuracy: hit.length / n, relevant: relevant.size, ids: hit };
}

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
  const wanted = 'trackPct must be between 0 and 1, both excluded';
  checkNumber(trackPct, trackPct > 0 && trackPct < 1, wanted);
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
  checkCount(k, 'k');
  const hidden = Interactions.fromPlays(heldOut);
  const tracks = hidden.tracks.length;
  const among = hidden.tracks.classes.filter((id) => recommender.tracks.has(id));
  if (among.length === 0)
    throw new ArgumentError(
      `${recommender.name} has none of the ${tracks} hidden tracks in its catalogue: only tracks that it can score can be ranked, as those of ContentRecommender.`,
    );
  if (!hidden.users.classes.some((id) => recommender.users.has(id)))
    throw new ArgumentError(
      `${recommender.name} knows none of the ${hidden.users.length} users who have played the hidden tracks.`,
    );
  const held = new HeldOut(recommender.seen, heldOut);
  const blocked = blockedTracks(recommender, { among });
  const measured = measure(recommender, held, { k, catalogueSize: tracks, blocked });
  const { recommender: name, unknownUsers, ...means } = measured;
  return { recommender: name, tracks, unknownUsers, ...means };
}
