import { Plays } from '../data/plays.js';
import type { SequenceDataLoaders } from '../data/sequence-loaders.js';
import { Histories, type SequenceDataset, type SequenceSource } from '../data/sequences.js';

import { Vocabulary } from '../data/vocabulary.js';
import { checkArgument, checkNumber, checkOptions, type NoOptions } from '../options.js';
import type { SavedForm } from '../recommend/export.js';
import {
  FoldedUser,
  type HistoryItem,
  type HistoryOptions,
  readHistory,
} from '../recommend/fold-in.js';
import { Interactions } from '../recommend/interactions.js';
import type { Recommendations } from '../recommend/recommendations.js';
import { type Id, Recommender, type RecommendOptions } from '../recommend/recommender.js';
import { checkHistories, checkScores } from '../recommend/resolve-ids.js';

/**
 * What recommends the next track: it has a score for each track after what was played before, in
 * order. So it serves users, whose history it knows, and anybody who says what they have just
 * played.
 *
 * Trained on sessions, its "users" are their numbers, counted from 0: `recommend(7)` goes on with
 * session 7.
 * @example
 * class Again extends SequenceRecommender {
 *   readonly name: string = 'Again';
 *   scoresOf(history: Int32Array, out: Float32Array): void { out.fill(0); out[history[history.length - 1]] = 1; }
 * }
 * new Again(Histories.of(plays)).recommend(['t1', 't2'], { n: 1, filterSeen: false }).ids // ['t2']
 */
export abstract class SequenceRecommender extends Recommender {
  /**
   * What scores are: `'count'` (default): not negative, and 0 says nothing; `'logit'`: any numbers,
   * whose exponentials are in proportion to probabilities. Sums of recommenders need to know.
   */
  readonly scale: 'count' | 'logit' = 'count';

  /**
   * Whether scores depend on the history; default true. Evaluation asks for those that do not only
   * once.
   */
  readonly usesHistory: boolean = true;

  /**
   * Windows that training held out although it has seen their tracks, as inputs of others: a split
   * by window does so. They may be asked about; anything else that is part of the histories is
   * refused, see {@link evaluateNextItem}.
   */
  readonly heldOut?: SequenceDataset;

  /** The recommenders that this one is a sum of, if it is one: evaluation checks each of them. */
  readonly parts?: readonly SequenceRecommender[];

  /** @param histories what each user has played, in order; the users and tracks that are known */
  constructor(readonly histories: Histories) {
    checkArgument(
      histories instanceof Histories,
      histories,
      'A recommender of the next track',
      'histories, such as Histories.of(plays)',
    );
    super(interactionsOf(histories), { catalogue: histories.catalogue });
  }

  /**
   * Scores of all tracks after a history. Higher is better; tracks of the history have scores too,
   * since a song can be played again.
   * @param history track indices, in order, at least one
   * @param out one score a track, overwritten
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
   * Makes of all scores after a history those that lists report, in the same order: of logits, say,
   * probabilities. Default: they are reported as they are.
   * @param scores one score a track, changed in place
   */
  listed?(scores: Float32Array): void;

  /**
   * The same as {@link scoresOf} for methods in which most tracks have the score 0 and none has
   * less: only the others are listed, in an empty list. Evaluation is many times as fast with it.
   */
  listOf?(history: Int32Array, list: ScoreList): void;

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    this.scoresOfMany(
      Array.from(users, (user) => this.histories.history(user)),
      out,
    );
    const tracks = this.tracks.length;
    if (this.listed)
      for (let b = 0; b < users.length; b++)
        this.listed(out.subarray(b * tracks, (b + 1) * tracks));
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

  /**
   * A listener who has just played these tracks, in order. Playcounts make no difference. See
   * {@link Recommender.foldIn}.
   */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const { track, order, skipped } = readHistory(this, history, options);
    const scores = new Float32Array(this.tracks.length);
    this.scoresOf(order, scores);
    this.listed?.(scores);
    return new FoldedUser(this, track, scores, { skipped });
  }
}

/**
 * A {@link SequenceRecommender} that lists the tracks that it has something to say about.
 * @example
 * class Neighbour extends SparseSequenceRecommender {
 *   readonly name: string = 'Neighbour';
 *   listOf(history: Int32Array, list: ScoreList): void {
 *     list.add((history[history.length - 1] + 1) % this.tracks.length, 1);
 *   }
 * }
 * new Neighbour(Histories.of(plays)).recommend(['Song A'], { n: 1 });
 */
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

/**
 * Histories to count in. Of plays, users and tracks without a play are left out: nothing is known
 * of them.
 */
export function trainingHistories(source: SequenceSource | Histories): Histories {
  if (source instanceof Histories) return source;
  return Histories.of(source instanceof Plays ? source.compact() : source);
}

/** The sequence of each play. */
export function sequenceOfPlays({ indptr, item }: Histories): Int32Array {
  const sequence = new Int32Array(item.length);
  for (let s = 0; s + 1 < indptr.length; s++) sequence.fill(s, indptr[s], indptr[s + 1]);
  return sequence;
}

/**
 * Histories that stand for the tracks of training alone: of a file without listening histories, a
 * sequence that names each track once.
 */
export const namesOnly = new WeakSet<Histories>();

function interactionsOf(histories: Histories): Interactions {
  if (namesOnly.has(histories)) {
    const n = histories.items.length;
    const totals = { listeners: new Int32Array(n), plays: new Float64Array(n), meanLog: 0 };
    return Interactions.ofTotals(
      { users: Vocabulary.inOrder([], { kind: 'user' }), tracks: histories.items },
      totals,
    );
  }
  const users =
    histories.users ?? Vocabulary.inOrder(Array(histories.length).keys(), { kind: 'session' });
  return Interactions.fromPairs({
    users,
    tracks: histories.items,
    user: sequenceOfPlays(histories),
    track: histories.item,
  });
}

/**
 * Throws unless this is a history, and a list to add scores to: by type alone, as it is asked for
 * each play of an evaluation.
 */
export function checkList(history: Int32Array, list: ScoreList): void {
  checkArgument(
    history instanceof Int32Array,
    history,
    'listOf',
    'a history of track indices, such as Int32Array.of(recommender.tracks.index(track))',
  );
  checkArgument(
    list instanceof ScoreList,
    list,
    'listOf',
    'a list to add scores to, new ScoreList(recommender.tracks.length)',
  );
}

/**
 * Scores of the few tracks that a method has something to say about; all others have the score 0.
 * Made once and used again for each history: clearing costs what was added.
 * @example
 * const list = new ScoreList(3);
 * list.add(2, 0.5);
 * list.max() // 0.5
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
    checkNumber(
      tracks,
      Number.isInteger(tracks) && tracks >= 0 && tracks < 2 ** 31,
      'The number of tracks of a ScoreList must be a whole number, 0 or more',
    );
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

  /** Takes all scores away. */
  clear(): void {
    for (let j = 0; j < this.count; j++) this.score[this.track[j]] = 0;
    this.count = 0;
  }

  /** Writes all scores, zeros included, to `out`: one a track. */
  copyTo(out: Float32Array): void {
    checkArgument(
      out instanceof Float32Array,
      out,
      'copyTo',
      'a Float32Array, a number for each track',
    );
    out.fill(0);
    for (let j = 0; j < this.count; j++) out[this.track[j]] = this.score[this.track[j]];
  }
}

/**
 * The baseline that any next-track model must beat: the tracks that were played most often in
 * training, whatever came before. A track that is played twice in a history counts twice.
 * @example evaluateNextItem(new NextItemPopularity(train), test)
 */
export class NextItemPopularity extends SequenceRecommender {
  readonly name: string;
  override readonly usesHistory = false;
  /** How often each track was played. */
  readonly counts: Float32Array;

  /** @param source the training plays or sessions */
  constructor(source: SequenceSource | Histories, options: NoOptions = {}) {
    checkOptions(options, [], 'NextItemPopularity');
    super(trainingHistories(source));
    this.name = 'Popularity (plays in sequences)';
    this.counts = new Float32Array(this.tracks.length);
    for (const track of this.histories.item) this.counts[track]++;
  }

  scoresOf(history: Int32Array, out: Float32Array): void {
    checkHistories(this, [history], out);
    out.set(this.counts);
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<NextItemPopularity> = {
    name: 'NextItemPopularity',
    data: 'histories',
    describe: () => ({ config: {} }),
    make: ({ histories }) => new NextItemPopularity(histories),
  };
}

/** What training has of the histories of some loaders. */
export interface TrainedPart {
  /** For each play, in the order of `histories.item`, 1 if it is part of training. */
  readonly plays: Uint8Array;
  /** For each track, 1 if a play of it is part of training. */
  readonly tracks: Uint8Array;
}

/**
 * Which plays are part of training: those that lie in a training window, as an input or as its
 * target. So a user who is held out is not, nor the last track of each history with the split
 * `'last'`. Histories that are too short for a window are in neither part; nothing of them is held
 * out, so they count as known.
 */
export function trainedPart({ dataset, split, histories }: SequenceDataLoaders): TrainedPart {
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
