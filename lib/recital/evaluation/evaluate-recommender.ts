import { interruptible } from '../compute/interrupt.js';
import { Random } from '../compute/random.js';
import type { CsrRows } from '../data/csr.js';
import { Plays } from '../data/plays.js';
import { Table } from '../data/table.js';
import { indicesIn } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkOptions, said, whatIs } from '../options.js';
import { Interactions } from '../recommend/interactions.js';
import { checkN, userIndex } from '../recommend/lookup.js';
import type { Id, Recommender } from '../recommend/recommender.js';
import { type CodedLists, hitsOfLists, meansOf, metricsOfLists } from './held-out.js';
import { accuracyMetrics, type RankingMetrics } from './metrics.js';
import { checkOwnMetric, instead, ownValue, type RankingMetric } from './parse.js';
import { rankInParts } from './rank.js';
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
  /**
   * Metrics of your own, in columns of their names beside those that are always there; default
   * none.
   */
  metrics?: readonly RankingMetric<N>[];
  /**
   * Seed of the order of equal scores in the lists that metrics of your own are given; default 42.
   */
  seed?: number | string;
}

/**
 * The outcome for one recommender: a record, so that `Table.fromRows([a, b])` sets several side by
 * side.
 */
export type Evaluation = {
  /** Its name. The other columns are explained at {@link RankingMetrics}. */
  recommender: string;
  /**
   * Users with held-out plays that it does not know, so that they are not in the means. The same
   * for recommenders trained on the same plays.
   */
  unknownUsers: number;
} & RankingMetrics;

/**
 * Ranking metrics on held-out plays, means over users.
 *
 * Protocol: the whole catalogue is ranked for each user (no sampled negatives), without the tracks
 * that the user has in training; relevant is every held-out track that the user has not in
 * training, however often it was played. A held-out track that training does not know cannot be
 * recommended and counts as missed. Users without relevant tracks are left out of the means, but
 * their lists count in the coverage, a share of the recommender's own catalogue.
 *
 * Ties: where scores are equal, each metric is its expected value over all orders of the tied
 * tracks, so that a model that scores all alike is as good as chance; the coverage is that of the
 * lists that `recommend` gives, with equal scores in the order of track ids.
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
  checkN(k, 'k');
  if (users !== undefined && !Array.isArray(users))
    throw new ArgumentError(`users must be an array of user ids, got ${whatIs(users)}.`);
  checkOwn(metrics);
  const test = Interactions.fromPlays(heldOut);
  const trackOf = indicesIn(test.tracks, recommender.tracks);
  const known: number[] = [];
  const testRow: number[] = []; // −1: nothing held out
  let unknownUsers = 0;
  for (const id of users ? new Set(users) : test.users.classes) {
    const index = users ? userIndex(recommender, id) : recommender.users.indexOf(id);
    if (index < 0) unknownUsers++;
    else {
      known.push(index);
      testRow.push(test.users.indexOf(id));
    }
  }
  const relevant = relevantRows(recommender, { known, testRow, test, trackOf });
  const { indptr, indices } = relevant;
  const random = new Random(seed).child('ties');
  const lists = interruptible(() =>
    drain(
      rankInParts(recommender, Int32Array.from(known), {
        n: k,
        relevant: (i) => indices.subarray(indptr[i], indptr[i + 1]),
        ...(metrics.length > 0 && {
          chance: (i: number) => random.child(recommender.users.id(known[i])),
        }),
      }),
    ),
  );
  const values = metricsOfLists(
    hitsOfLists(lists, { relevant, codes: recommender.tracks.length }),
    lists,
    { k, relevant },
  );
  const measured = values.ndcg.reduce((n, x) => n + (Number.isNaN(x) ? 0 : 1), 0);
  if (measured === 0) {
    throw new ArgumentError(
      `No user that ${recommender.name} knows has a held-out track that it was not trained on as well, so there is nothing to measure. Is this the right part of the split?`,
    );
  }
  const covered = new Set(lists.track);
  covered.delete(-1); // where lists end early
  const coverage = covered.size / recommender.tracks.length;
  return {
    recommender: recommender.name,
    k,
    users: measured,
    unknownUsers,
    ...meansOf(values),
    coverage,
    ...Object.fromEntries(
      metrics.map((own) => [
        own.name,
        ownMean(own, { recommender, known, testRow, test, lists, k }),
      ]),
    ),
  } as Evaluation & { readonly [name in N]: number };
}

/** The mean of a metric of one's own over the users with a relevant track. */
function ownMean(
  own: RankingMetric,
  of: {
    recommender: Recommender;
    known: number[];
    testRow: number[];
    test: Interactions;
    lists: CodedLists;
    k: number;
  },
): number {
  const { recommender, known, testRow, test, lists, k } = of;
  const { seen, tracks, users } = recommender;
  return meanOf(
    known.map((user, i) => {
      const heldOut =
        testRow[i] < 0 ? [] : Array.from(test.row(testRow[i]), (t) => test.tracks.id(t));
      const relevant = heldOut.filter(
        (id) => !tracks.has(id) || !seen.has(user, tracks.indexOf(id)),
      );
      if (relevant.length === 0) return NaN;
      const list = lists.shuffled!.subarray(i * lists.n, (i + 1) * lists.n).filter((t) => t >= 0);
      return ownValue(
        own,
        Array.from(list, (t) => tracks.id(t)),
        new Set(relevant),
        { user: users.id(user), k },
      );
    }),
  );
}

/** Throws unless these are metrics of one's own, with names that no other column has. */
function checkOwn(metrics: readonly RankingMetric[]): void {
  checkArgument(
    Array.isArray(metrics),
    metrics,
    'evaluateRecommender',
    'metrics, an array of metrics of your own',
  );
  for (const own of metrics) {
    if (typeof own === 'string') {
      throw new ArgumentError(
        `evaluateRecommender always measures ${accuracyMetrics.join(', ')} and coverage; its metrics are those of your own, { name, value }, got '${said(own)}'. Names are for evaluate.`,
      );
    }
    checkOwnMetric(own);
  }
  const names = ['recommender', 'k', 'users', 'unknownUsers', ...metrics.map(({ name }) => name)];
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined)
    throw new ArgumentError(
      `Two columns would be called "${twice}". Give the metric another name.`,
    );
}

/**
 * What is right for each user: indices of tracks, numbers below 0 for those that the recommender
 * does not know.
 */
function relevantRows(
  { seen }: Recommender,
  {
    known,
    testRow,
    test,
    trackOf,
  }: { known: number[]; testRow: number[]; test: Interactions; trackOf: Int32Array },
): CsrRows {
  const indptr = new Int32Array(known.length + 1);
  const indices: number[] = [];
  known.forEach((user, i) => {
    for (const t of testRow[i] < 0 ? [] : test.row(testRow[i]))
      if (trackOf[t] < 0 || !seen.has(user, trackOf[t])) indices.push(trackOf[t]);
    indptr[i + 1] = indices.length;
  });
  return { indptr, indices: Int32Array.from(indices) };
}

/** Does all the work of a generator at once. */
export function drain<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Throws unless there is a recommender, and plays that it is measured by. */
function checkBoth(name: string, recommender: Recommender, heldOut: Plays): void {
  if (typeof recommender?.scores !== 'function' || !recommender.seen) {
    const several = Array.isArray(recommender)
      ? ` For several: recommenders.map((r) => ${name}(r, heldOut)).`
      : '';
    throw new ArgumentError(
      `${name} needs a recommender, such as new Popularity(train) or a collabLearner, got ${instead(recommender)}.${several}`,
    );
  }
  if (heldOut instanceof Plays) return;
  const hint =
    (heldOut as unknown) instanceof Table
      ? ' Of the rows of a table: Plays.fromRows(table.rows().map((r) => ({ user: r.user, track: r.item }))).'
      : '';
  throw new ArgumentError(
    `${name} needs the held-out plays, such as plays.take(dls.split.valid), got ${whatIs(heldOut)}.${hint}`,
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
  /**
   * Held-out tracks of the user, those unknown to the recommender included: no more than this could
   * be hit.
   */
  readonly relevant: number;
  /** The ids that were hit, best first. */
  readonly ids: readonly string[];
}

/**
 * The paper's test accuracy for one user: of n recommended tracks, how many the user has among the
 * held-out plays, divided by n. It is the precision at n of a single user: set it beside
 * popularity's before believing it. The list is the one that `recommend` gives, with equal scores
 * in the order of track ids.
 * @param recommender trained on other plays
 * @param heldOut the held-out plays
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
  const row = heldOut.users.indexOf(user);
  const relevant = new Set<string>();
  const seen = recommender.seen;
  const index = userIndex(recommender, user);
  for (let i = 0; i < heldOut.length; i++) {
    if (heldOut.user[i] !== row) continue;
    const id = heldOut.tracks.id(heldOut.track[i]);
    const track = recommender.tracks.indexOf(id);
    if (track < 0 || !seen.has(index, track)) relevant.add(id);
  }
  const hit = ids.filter((id) => relevant.has(id));
  return { hits: hit.length, n, accuracy: hit.length / n, relevant: relevant.size, ids: hit };
}
