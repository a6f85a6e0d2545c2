import { rowOfEach } from '../data/csr.js';
import { Plays } from '../data/plays.js';
import type { SequenceDataLoaders } from '../data/sequence-loaders.js';
import type { SequenceDataset } from '../data/sequences.js';
import { type SequenceSource, Sessions } from '../data/sessions.js';
import { Vocabulary } from '../data/vocabulary.js';
import { checkArgument, checkCount, checkOptions, type NoOptions } from '../options.js';
import {
  FoldedUser,
  type HistoryItem,
  type HistoryOptions,
  readHistory,
} from '../recommend/fold-in.js';
import { Interactions } from '../recommend/interactions.js';
import type { Recommendations } from '../recommend/recommendations.js';
import {
  checkHistories,
  checkScores,
  type Id,
  Recommender,
  type RecommendOptions,
} from '../recommend/recommender.js';
import type { SavedForm } from '../recommend/saved-form.js';

/**
 * Base class of next-track recommenders: they score each track by what was played before, in order,
 * by a user of training or in a given history. Trained on sessions, their "users" are the numbers of
 * sessions, from 0: `recommend(7)` continues session 7.
 * @example
 * class Again extends SequenceRecommender {
 *   readonly name: string = 'Again';
 *   scoresOf(history: Int32Array, out: Float32Array): void { out.fill(0); out[history[history.length - 1]] = 1; }
 * }
 * new Again(Sessions.of(plays)).recommend(['t1', 't2'], { n: 1, filterSeen: false }).ids // ['t2']
 */
export abstract class SequenceRecommender extends Recommender {
  /**
   * Scale of the scores: `'count'` (default): 0 or more, 0 for no evidence; `'logit'`: any numbers,
   * whose exponentials are proportional to probabilities. Sums of recommenders depend on it.
   */
  readonly scale: 'count' | 'logit' = 'count';

  /** Whether scores depend on the history; default true. If not, evaluation computes them once. */
  readonly usesHistory: boolean = true;

  /**
   * Windows that training held out, of a split by window. {@link evaluateNextItem} takes these, and
   * refuses other parts of the histories.
   */
  readonly heldOut?: SequenceDataset;

  /** The recommenders of a sum: evaluation checks each of them. */
  readonly parts?: readonly SequenceRecommender[];

  /** @param histories what each user has played, in order; the users and tracks that are known */
  constructor(readonly histories: Sessions) {
    const wanted = 'histories, such as Sessions.of(plays)';
    const of = 'A recommender of the next track';
    checkArgument(histories instanceof Sessions, histories, of, wanted);
    super(interactionsOf(histories), { catalogue: histories.catalogue });
  }

  /**
   * Scores of all tracks after a history, those of the history included; higher is better.
   * @param history track indices, in order, at least one
   * @param out one score per track, overwritten
   */
  abstract scoresOf(history: Int32Array, out: Float32Array): void;

  /**
   * The same for several histories at once, which a model may do faster.
   * @param out histories × tracks, row-major, overwritten
   */
  scoresOfMany(histories: readonly Int32Array[], out: Float32Array): void {
    checkHistories(this, histories, out);
    const tracks = this.tracks.length;
    histories.forEach((history, b) => {
      this.scoresOf(history, out.subarray(b * tracks, (b + 1) * tracks));
    });
  }

  /**
   * Converts all scores after a history to those that lists report, in the same order, such as
   * logits to probabilities.
   * @param scores one score per track, changed in place
   */
  listed?(scores: Float32Array): void;

  /** Adds the scores above 0 to an empty list, where most are 0 and none less: much faster. */
  listOf?(history: Int32Array, list: ScoreList): void;

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    const histories = Array.from(users, (user) => this.histories.history(user));
    this.scoresOfMany(histories, out);
    const tracks = this.tracks.length;
    users.forEach((_, b) => {
      this.listed?.(out.subarray(b * tracks, (b + 1) * tracks));
    });
  }

  /**
   * The best next tracks for a user, or after tracks that were just played: ids, titles, "title by
   * artist", in order. Tracks of the history are left out unless `filterSeen` is false.
   * @throws UnknownIdError for an unknown user or track, with a suggestion; ArgumentError for an
   *   empty history
   * @example markov.recommend(['Song A', 'Song B'], { n: 5 })
   */
  override recommend(user: Id | readonly Id[], options: RecommendOptions = {}): Recommendations {
    return typeof user === 'object'
      ? this.foldIn(user).recommend(options)
      : super.recommend(user, options);
  }

  /** A new user who has just played these tracks, in order. See {@link Recommender.foldIn}. */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const { track, order, skipped } = readHistory(this, history, options);
    const scores = new Float32Array(this.tracks.length);
    this.scoresOf(order, scores);
    this.listed?.(scores);
    return new FoldedUser(this, track, scores, { skipped });
  }
}

/** Base class of next-track recommenders that score few tracks: they list these. */
export abstract class SparseSequenceRecommender extends SequenceRecommender {
  private list: ScoreList | undefined;

  abstract override listOf(history: Int32Array, list: ScoreList): void;

  scoresOf(history: Int32Array, out: Float32Array): void {
    checkHistories(this, [history], out);
    this.list ??= new ScoreList(this.tracks.length);
    this.list.clear();
    this.listOf(history, this.list);
    this.list.copyTo(out);
  }
}

/** The histories of training, without users and tracks that have no play. */
export function trainingHistories(source: SequenceSource): Sessions {
  if (source instanceof Sessions) return source;
  return Sessions.of(source instanceof Plays ? source.compact() : source);
}

/** Sessions of files without users' plays: one sequence that names each track of training once. */
export const namesOnly = new WeakSet<Sessions>();

function interactionsOf(histories: Sessions): Interactions {
  const { items: tracks, indptr, item: track, length } = histories;
  if (namesOnly.has(histories)) {
    const users = Vocabulary.inOrder([], { kind: 'user' });
    const [usersPerTrack, plays] = [new Int32Array(tracks.length), new Float64Array(tracks.length)];
    return Interactions.ofTotals({ users, tracks }, { usersPerTrack, plays, meanLog: 0 });
  }
  const numbers = (): Vocabulary => Vocabulary.inOrder(Array(length).keys(), { kind: 'session' });
  const users = histories.users ?? numbers();
  return Interactions.fromPairs({ users, tracks, user: rowOfEach(indptr), track });
}

/** Throws unless these are a history and a list; the contents are not checked, for speed. */
export function checkList(history: Int32Array, list: ScoreList): void {
  const indices = 'a history of track indices, such as Int32Array.of(recommender.tracks.index(id))';
  checkArgument(history instanceof Int32Array, history, 'listOf', indices);
  const wanted = 'a list to add scores to, new ScoreList(recommender.tracks.length)';
  checkArgument(list instanceof ScoreList, list, 'listOf', wanted);
}

/**
 * A sparse vector of scores: the few tracks with one are listed, all others have the score 0. One
 * list serves all histories: clearing it takes as long as filling it.
 */
export class ScoreList {
  /** Number of tracks with a score. */
  count = 0;
  /** Their indices, in the order in which they were added: the first `count` numbers. */
  readonly track: Int32Array;
  /** The score of each track of the catalogue, by index. */
  readonly score: Float64Array;

  /** @param tracks number of tracks in the catalogue */
  constructor(readonly tracks: number) {
    checkCount(tracks, 'The number of tracks of a ScoreList', { least: 0, most: 2 ** 31 - 1 });
    this.track = new Int32Array(tracks);
    this.score = new Float64Array(tracks);
  }

  /** Adds to a track's score. `x` must be more than 0. */
  add(track: number, x: number): void {
    if (this.score[track] === 0) this.track[this.count++] = track;
    this.score[track] += x;
  }

  /** The largest score, 0 if there is none. */
  max(): number {
    let max = 0;
    for (let j = 0; j < this.count; j++) max = Math.max(max, this.score[this.track[j]]);
    return max;
  }

  /** Sets all scores to 0. */
  clear(): void {
    for (let j = 0; j < this.count; j++) this.score[this.track[j]] = 0;
    this.count = 0;
  }

  /** Writes all scores, zeros included, to `out`: one a track. */
  copyTo(out: Float32Array): void {
    const wanted = 'a Float32Array, a number for each track';
    checkArgument(out instanceof Float32Array, out, 'copyTo', wanted);
    out.fill(0);
    for (let j = 0; j < this.count; j++) out[this.track[j]] = this.score[this.track[j]];
  }
}

/**
 * The baseline of next-track models: tracks by their number of plays in training, whatever was
 * played before. A track that is played twice in a history counts twice.
 * @example evaluateNextItem(new NextItemPopularity(train), test)
 */
export class NextItemPopularity extends SequenceRecommender {
  readonly name: string = 'Popularity (plays in sequences)';
  override readonly usesHistory = false;
  /** How often each track was played. */
  readonly counts: Float32Array;

  /** @param source the training plays or sessions */
  constructor(source: SequenceSource, options: NoOptions = {}) {
    checkOptions(options, [], 'NextItemPopularity');
    super(trainingHistories(source));
    this.counts = new Float32Array(this.tracks.length);
    for (const track of this.histories.item) this.counts[track]++;
  }

  scoresOf(history: Int32Array, out: Float32Array): void {
    checkHistories(this, [history], out);
    out.set(this.counts);
  }

  static readonly saved: SavedForm<NextItemPopularity> = {
    name: 'NextItemPopularity',
    data: 'histories',
    describe: () => ({ config: {} }),
    make: ({ histories }) => new NextItemPopularity(histories),
  };
}

/**
 * 1 for each play (in the order of `histories.item`), and for each track, that is part of training:
 * in a training window, or in a session that is too short for a window.
 */
export function trainedPart({ dataset, split, histories }: SequenceDataLoaders): {
  readonly plays: Uint8Array;
  readonly tracks: Uint8Array;
} {
  const { item, indptr, items } = histories;
  const plays = new Uint8Array(item.length);
  const windowed = new Uint8Array(histories.length);
  for (const s of dataset.sequence) windowed[s] = 1;
  for (let s = 0; s < histories.length; s++)
    if (!windowed[s]) plays.fill(1, indptr[s], indptr[s + 1]);
  for (const i of split.train)
    plays.fill(1, dataset.start[i], dataset.start[i] + dataset.size[i] + 1);
  const tracks = new Uint8Array(items.length);
  for (let i = 0; i < item.length; i++) if (plays[i]) tracks[item[i]] = 1;
  return { plays, tracks };
}
