import type { Cell, Table } from '../data/table.js';
import { Vocabulary } from '../data/vocabulary.js';
import { ArgumentError, UnknownIdError } from '../errors.js';
import { checkFlag, given, whatIs } from '../options.js';
import { counted, inspected } from '../printed.js';
import { Interactions } from './interactions.js';
import type { Recommendations } from './recommendations.js';
import { type Id, Recommender, type RecommendOptions, trackIndex } from './recommender.js';
import { type SimilarUsersOptions, similarUsers } from './similar.js';

/**
 * What a new user has played: a track that they like (an id, a title, or "title by artist"), or a
 * track with how often they have played it.
 */
export type HistoryItem = Id | { readonly track: Id; readonly playcount?: number };

const HISTORY = {
  /**
   * True: tracks of the history that training does not know are left out; `skipped` of the folded
   * user names them. Default false: they are an error, since a typo would be ignored silently.
   */
  skipUnknown: false,
};

/** Options of `foldIn`. */
export type HistoryOptions = Partial<typeof HISTORY>;

/** A history, looked up. */
export interface History {
  /** Track indices, ascending, each once. */
  readonly track: Int32Array;
  /** How often each was played; NaN for a track that is just liked. */
  readonly playcount: Float64Array;
  /** The index of every entry that is known, in order. */
  readonly order: Int32Array;
  /** The entries of the history that are known. */
  readonly entries: readonly HistoryItem[];
  /** Names of what was left out. */
  readonly skipped: readonly string[];
}

/**
 * Looks the tracks of a history up. Playcounts of a track that occurs again are added; a track that
 * is named at least once without a playcount is liked.
 * @param ratings playcounts are ratings: any finite numbers, which cannot be added; default false
 * @throws ArgumentError for an empty history and playcounts that are not positive; UnknownIdError
 *   for unknown tracks, with a suggestion
 */
export function readHistory(
  recommender: Recommender,
  history: readonly HistoryItem[],
  options: HistoryOptions = {},
  ratings = false,
): History {
  const { skipUnknown } = given(HISTORY, options, 'foldIn');
  checkFlag(skipUnknown, 'skipUnknown');
  if (!Array.isArray(history))
    throw new ArgumentError(
      `A history is a list of tracks, or of { track, playcount }, got ${whatIs(history)}.`,
    );
  if (history.length === 0)
    throw new ArgumentError(
      'The history is empty, so nothing is known of the user. Name at least one track, or recommend what is popular.',
    );
  const counts = new Map<number, number>();
  const order: number[] = [];
  const entries: HistoryItem[] = [];
  const skipped: string[] = [];
  for (const [i, entry] of history.entries()) {
    const { track, playcount } = readItem(entry, i, ratings);
    const index = lookUp(recommender, track, skipUnknown);
    if (index < 0) {
      skipped.push(String(track));
      continue;
    }
    if (ratings && counts.has(index))
      throw new ArgumentError(
        `"${track}" is rated twice in the history. Ratings do not add up: keep one of them.`,
      );
    counts.set(index, (counts.get(index) ?? 0) + playcount); // NaN stays NaN
    order.push(index);
    entries.push(entry);
  }
  const some = skipped.slice(0, 3).map((name) => `"${name}"`);
  if (order.length === 0)
    throw new ArgumentError(
      `None of the ${history.length} tracks of the history is known to ${recommender.name}, such as ${some.join(', ')}. Name at least one, or recommend what is popular.`,
    );
  const track = Int32Array.from(counts.keys()).sort();
  const playcount = Float64Array.from(track, (t) => counts.get(t)!);
  return { track, playcount, order: Int32Array.from(order), entries, skipped };
}

/** An entry of a history, checked; its playcount is NaN if there is none. */
function readItem(entry: HistoryItem, i: number, ratings: boolean) {
  const { track, playcount = NaN }: { track: Id; playcount?: number } =
    typeof entry === 'object' && entry !== null ? entry : { track: entry };
  if (typeof track !== 'string' && typeof track !== 'number')
    throw new ArgumentError(
      `Entry ${i} of the history (counted from 0) names no track: a track, or { track, playcount }, was expected.`,
    );
  const finite = typeof playcount === 'number' && Math.abs(playcount) !== Infinity;
  if (!finite || (playcount <= 0 && !ratings))
    throw new ArgumentError(
      `"${track}" has playcount ${playcount} in the history; a ${ratings ? 'finite rating' : 'positive number'} was expected.`,
    );
  return { track, playcount };
}

/** The index of a track; −1 for an unknown one that is to be left out. */
function lookUp(recommender: Recommender, track: Id, skipUnknown: boolean): number {
  try {
    return trackIndex(recommender, track);
  } catch (error) {
    if (!(error instanceof UnknownIdError)) throw error;
    if (skipUnknown) return -1;
    error.message +=
      ' foldIn(history, { skipUnknown: true }) leaves out the tracks that are not known.';
    throw error;
  }
}

/**
 * A user who is not in the training data, made by `foldIn` from what they have played. The
 * recommender that made it is left as it is.
 * @example learn.foldIn(['Song A', { track: 'Song B', playcount: 7 }]).recommend({ n: 10 })
 */
export class FoldedUser {
  /** Ids of the tracks of the history. */
  readonly history: readonly string[];
  /** Unknown tracks of the history that were left out, as they were named. */
  readonly skipped: readonly string[];
  /** The user's vector, of a model that has {@link Recommender.userVectors}. */
  readonly vector: Float64Array | undefined;
  private readonly alone: Recommender;

  /**
   * @param of whose tracks these are
   * @param history track indices, each once
   * @param scores the user's score of each track, as in {@link Recommender.scores}
   * @param options `skipped`: names that were left out of the history, default none; `vector`: the
   *   user's, if users have one
   */
  constructor(
    private readonly of: Recommender,
    history: Int32Array,
    readonly scores: Float32Array,
    { skipped = [], vector }: { skipped?: readonly string[]; vector?: Float64Array } = {},
  ) {
    if (scores.length !== of.tracks.length)
      throw new ArgumentError(
        `There must be one score per track, got ${scores.length} scores for ${of.tracks.length} tracks.`,
      );
    this.history = of.tracks.decode(history);
    this.skipped = skipped;
    this.vector = vector;
    this.alone = new OneUser(of, history, scores);
  }

  /**
   * The best tracks for this user, without those of the history unless `filterSeen` is false: the
   * same options, order and errors as {@link Recommender.recommend}.
   */
  recommend(options: RecommendOptions = {}): Recommendations {
    return this.alone.recommend(FOLDED_IN, options);
  }

  /** The users of the training data who are most like this one: {@link Recommender.similarUsers}. */
  similarUsers(options: SimilarUsersOptions = {}): Table {
    const { of, vector } = this;
    const history = this.history.map((id) => of.tracks.index(id));
    return similarUsers(of, { vector, history }, options);
  }

  /** For JSON.stringify: the history, what was left out of it, and the ten best tracks. */
  toJSON(): {
    history: readonly string[];
    skipped: readonly string[];
    recommendations: Record<string, Cell>[];
  } {
    const { history, skipped } = this;
    return { history, skipped, recommendations: this.recommend().rows() };
  }

  [inspected](): string {
    const left = this.skipped.length;
    const unknown = left ? ` (${counted(left, 'track')} more unknown, left out)` : '';
    return `A user of ${counted(this.history.length, 'track')}${unknown}, folded into ${this.alone.name}; recommend() lists what else they may like.`;
  }
}

const FOLDED_IN = 'folded in';

/** A recommender for a single user. */
class OneUser extends Recommender {
  readonly name: string;
  override readonly prediction?: (score: number) => number;

  constructor(
    of: Recommender,
    history: Int32Array,
    private readonly own: Float32Array,
  ) {
    const users = Vocabulary.inOrder([FOLDED_IN], { kind: 'user' });
    const user = new Int32Array(history.length);
    super(Interactions.fromPairs({ users, tracks: of.tracks, user, track: history }), of);
    this.name = of.name;
    if (of.prediction) this.prediction = (score) => of.prediction!(score);
  }

  scores(_users: Int32Array, out: Float32Array): void {
    out.set(this.own);
  }
}
