import { type GivenBack, giveBack, usable } from '../compute/disposable.js';
import { interruptible } from '../compute/interrupt.js';
import { numbersWhere } from '../data/csr.js';
import type { Table } from '../data/table.js';
import type { Tracks } from '../data/tracks.js';
import { unknownId, type Vocabulary } from '../data/vocabulary.js';
import { ArgumentError, UnknownIdError } from '../errors.js';
import { checkArgument, checkCount, checkFlag, checkIndex, given, whatIs } from '../options.js';
import { counted, printed } from '../printed.js';
import type { FoldedUser, HistoryItem, HistoryOptions } from './fold-in.js';
import type { Interactions } from './interactions.js';
import { rankUsers } from './rank.js';
import { RecommendationBatch, type Recommendations } from './recommendations.js';
import { type ExportOptions, exportRecommender } from './saved-form.js';
import { type SimilarUsersOptions, similarTracks, similarUsers } from './similar.js';

/** A user's or track's own id, as in the data. */
export type Id = string | number;

const SIMILAR_TRACKS = {
  /** Length of the list; default 10. Fewer come back only if fewer are available. */
  n: 10,
  /**
   * Choose among these tracks only: ids, titles, or "title by artist" where there is a catalogue.
   * Default: all.
   */
  among: undefined as readonly Id[] | undefined,
  /** Leave these tracks out, named the same way. Default: none. */
  exclude: undefined as readonly Id[] | undefined,
};

const RECOMMEND = {
  ...SIMILAR_TRACKS,
  /** Leave out what the user has played in training; default true. */
  filterSeen: true,
};

/** Options of {@link Recommender.similarTracks}. */
export type SimilarTracksOptions = Partial<typeof SIMILAR_TRACKS>;

/** Options of {@link Recommender.recommend}. */
export type RecommendOptions = Partial<typeof RECOMMEND>;

/** What the ids of users and tracks are called in the data, e.g. `userId` and `movieId`. */
export interface Names {
  /** Heading of the users' ids. */
  readonly user: string;
  /** Heading of the tracks' ids. */
  readonly item: string;
}

/** A vector for each track, or for each user, as a model has learnt it. */
export interface TrackVectors {
  /** tracks × width (or users × width), row-major. */
  readonly values: Float32Array;
  /** Length of a vector. */
  readonly width: number;
}

/** From so many users on, a stopped cell ends the ranking. */
const MANY = 256;

/**
 * What recommends: everything that has a score for each user and track. A recommender of one's own
 * has a name, what was seen in training, and scores; ranking, filters, batches, titles and errors
 * come from here.
 *
 * Lists are ordered by score, descending, and equal scores by track index, ascending (the code
 * point order of ids): the same data always give the same list. A list has n tracks even where
 * fewer have a score: models of neighbours give 0 to a track that no neighbour has, and such tracks
 * fill the list. Evaluation does not reward their order: see {@link evaluate}, "Ties".
 * @example
 * class Alphabetical extends Recommender {
 *   readonly name: string = 'Alphabetical';
 *   scores(users: Int32Array, out: Float32Array): void { out.fill(0); } // all equal: by id
 * }
 * new Alphabetical(Interactions.fromPlays(plays), { catalogue: plays.catalogue }).recommend('u1');
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: `usable` below gives the class that method
export abstract class Recommender {
  /** Its name in comparisons, e.g. `Popularity`. */
  abstract readonly name: string;
  /** Where titles come from, if there is a catalogue. */
  readonly catalogue: Tracks | undefined;
  /** Headings of the columns of ids in tables; default: `user_id` and `track_id`, as in plays. */
  readonly names?: Names | undefined;

  /**
   * @param seen what each user has played in training: the filter, and the users and tracks that
   *   are known
   * @param options `catalogue`: where titles come from; default: ids only. `names`: headings of the
   *   columns of ids
   */
  constructor(
    readonly seen: Interactions,
    { catalogue, names }: { catalogue?: Tracks; names?: Names } = {},
  ) {
    this.catalogue = catalogue;
    this.names = names;
  }

  /**
   * Scores of a block of users for all tracks: out[b·tracks + t] for user users[b] and track t
   * (indices, without `#na#`). Higher is better; only the order within a user matters. −∞ means
   * never; NaN and +∞ make the ranking fail with a NumericError.
   * @param users user indices
   * @param out users.length × tracks.length numbers, row-major, overwritten
   */
  abstract scores(users: Int32Array, out: Float32Array): void;

  /**
   * Turns a score into the number that lists report, where the two differ (a probability, a
   * rating); must not decrease. Default: the score.
   */
  prediction?(score: number): number;

  /** The vector of each track, for `similarTracks`. Without it, tracks are compared by their users. */
  trackVectors?(): TrackVectors;

  /** The vector of each user, for `similarUsers`; a copy. Without it, users are compared by tracks. */
  userVectors?(): TrackVectors;

  /**
   * Recommends to a user who is not in the training data, from what they have played: tracks (ids,
   * titles, "title by artist"), or `{ track, playcount }`; playcounts of a repeated track are
   * added. The recommender is left as it is.
   * @param options `skipUnknown: true` leaves out tracks that training does not know
   * @throws ArgumentError for an empty history, a playcount that is not positive, and where the
   *   model cannot (`canFoldIn` is false); UnknownIdError for tracks that training has not, with a
   *   suggestion
   * @example recommender.foldIn(['Song A', { track: 'Song B', playcount: 7 }]).recommend({ n: 10 })
   */
  foldIn(_history: readonly HistoryItem[], _options: HistoryOptions = {}): FoldedUser {
    throw cannotFoldIn(this);
  }

  /** Whether `foldIn` works: not for networks, nor for models of one's own that do not have it. */
  get canFoldIn(): boolean {
    return this.foldIn !== Recommender.prototype.foldIn;
  }

  /** Users with plays in training. */
  get users(): Vocabulary {
    return this.seen.users;
  }

  /** Tracks with plays in training, the ones that can be recommended. */
  get tracks(): Vocabulary {
    return this.seen.tracks;
  }

  /** Whether there are scores for this user. */
  knows(user: Id): boolean {
    return this.users.has(user);
  }

  /** Whether the track with this id can be recommended. */
  knowsTrack(track: Id): boolean {
    return this.tracks.has(track);
  }

  /**
   * The best tracks for a user: exactly min(n, available) of them, without those the user has
   * played in training; equal scores in the order of ids.
   * @throws UnknownIdError for an unknown user or track, with a suggestion; ArgumentError for other
   *   wrong options; NumericError for NaN scores
   * @example learn.recommend(user, { n: 5, filterSeen: true })
   */
  recommend(user: Id, options: RecommendOptions = {}): Recommendations {
    return this.recommendBatch([user], options).at(0);
  }

  /**
   * The same for many users at once; each list equals that of `recommend`. No users × tracks matrix
   * is made.
   * @param users ids; `recommender.users.classes` for all
   * @example learn.recommendBatch(learn.users.classes, { n: 5 }).toTable()
   */
  recommendBatch(users: readonly Id[], options: RecommendOptions = {}): RecommendationBatch {
    const { n, filterSeen, ...choice } = given(RECOMMEND, options, 'recommend');
    checkCount(n, 'n');
    checkFlag(filterSeen, 'filterSeen');
    if (!Array.isArray(users))
      throw new ArgumentError(
        `recommendBatch needs an array of user ids, got ${whatIs(users)}. For one user there is recommend.`,
      );
    const blocked = blockedTracks(this, choice);
    const index = Int32Array.from(users, (user) => userIndex(this, user));
    const rank = () => rankUsers(this, index, { n, filterSeen, blocked });
    const ranked = users.length > MANY ? interruptible(rank) : rank();
    return new RecommendationBatch(this, users.map(String), ranked);
  }

  /**
   * The tracks most like a track, itself left out: by the cosine of the model's vectors, or, for a
   * model without vectors, by the cosine of their users, |A ∩ B| / √(|A|·|B|).
   * @param track an id, a title, or "title by artist" where there is a catalogue
   * @example learn.similarTracks(track, { n: 5 })
   */
  similarTracks(track: Id, options: SimilarTracksOptions = {}): Recommendations {
    const { n, ...choice } = given(SIMILAR_TRACKS, options, 'similarTracks');
    checkCount(n, 'n');
    const index = trackIndex(this, track);
    return similarTracks(this, index, { n, blocked: blockedTracks(this, choice) });
  }

  /**
   * The users most like a user, themselves left out: by the cosine of the model's vectors, of
   * factors, PCA and learners of vectors; else by the cosine of what they have played, |A ∩ B| /
   * √(|A|·|B|).
   * @param user a user of the training data; for others there is `foldIn(history).similarUsers()`
   * @returns columns rank, user_id (or what it is called in the data), similarity
   * @example learn.similarUsers(user, { n: 5 })
   */
  similarUsers(user: Id, options: SimilarUsersOptions = {}): Table {
    return similarUsers(this, { user: userIndex(this, user) }, options);
  }

  /**
   * Writes all that the recommender needs to work without the training data, to a file that
   * {@link loadRecommender} reads: what it has learnt, its parts, users and tracks, title, artist
   * and year of the tracks, and **the listening histories of training**, in safetensors' format.
   * With `{ seen: false }` the histories stay out:
   *
   * - factors and learners still recommend to users by id, whose ids and vectors are in the file, but no longer leave out what they have played;
   * - ItemKNN, RP3beta, Content and Popularity have nothing of single users in the file, and recommend by `foldIn(history)`;
   * - `explain` of a user is refused;
   * - what works on the histories themselves (UserKNN, the neighbours and rules of sessions …) cannot be exported.
   * @param file its path; `.safetensors` is added if it is missing
   * @returns the path of the file
   * @throws ArgumentError for a recommender of one's own that {@link registerRecommenderKind} does
   *   not know, and for models written in a cell
   * @example
   * const file = new ItemKNN(plays).export('neighbours');
   * loadRecommender(file).recommend(user, { n: 10 });
   */
  export(file: string, options: ExportOptions = {}): string {
    return exportRecommender(this, file, options);
  }

  /**
   * Gives its memory back at once, and that of the recommenders and the learner that it is made of;
   * any further use is an ArgumentError that says so. Lists that it has made stay as they are, and
   * so do its plays, which others may share. Without it the memory comes back when nobody holds the
   * recommender any more and garbage is collected. `using als = await ALS.fit(plays)` does it at
   * the end of the block. Arrays that were taken out of it, such as `als.factors.users`, must not
   * be used afterwards.
   * @example
   * const als = await ALS.fit(plays, { factors: 8 });
   * const list = als.recommend(plays.users.id(0));
   * als.dispose();
   * list.length // 10
   */
  dispose(): void {
    giveBack(this, () => {
      const { seen, catalogue, histories } = this as Recommender & { histories?: unknown };
      return [seen, catalogue, histories];
    });
  }
}

export interface Recommender extends GivenBack {}

usable(Recommender);

printed(
  Recommender,
  ({ name, users, tracks }) =>
    `${name}: ${counted(users.length, 'user')} × ${counted(tracks.length, 'track')}`,
);

/** The index of a user. */
export function userIndex(recommender: Recommender, user: Id): number {
  checkId(user, 'user');
  const { users, seen } = recommender;
  const index = users.indexOf(user);
  if (index >= 0) return index;
  const hint =
    users.length === 0 && seen.totals
      ? 'It was exported without listening histories ({ seen: false }): foldIn(history) recommends from a history.'
      : recommender.canFoldIn
        ? 'A user without plays in the training data is not in the model: foldIn(history) recommends from a history.'
        : 'A user without plays in the training data has no scores: add their plays and train again.';
  throw unknownId(users, user, hint);
}

/** Throws for what is no id, even if its text is one: that of ['u1'] is u1. */
function checkId(id: unknown, kind: string): void {
  if (typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint') return;
  const folded = typeof id === 'object' && id !== null && 'recommend' in id;
  throw new ArgumentError(
    `A ${kind} is given by an id, a text or a number, got ${whatIs(id)}.${folded ? ' What is folded in recommends by itself: foldIn(history).recommend().' : ''}`,
  );
}

/**
 * The index of a track that is named by id, title or "title by artist".
 * @returns −1 for a track that the catalogue has and training has not
 */
function findTrack({ tracks, catalogue }: Recommender, track: Id): number {
  checkId(track, 'track');
  const index = tracks.indexOf(track);
  if (index >= 0 || !catalogue) return index >= 0 ? index : tracks.index(track);
  try {
    return tracks.indexOf(catalogue.find(String(track)));
  } catch (error) {
    if (
      error instanceof UnknownIdError &&
      (typeof track === 'number' || error.suggestions.length === 0)
    )
      tracks.index(track); // perhaps a mistyped id, or an index
    throw error;
  }
}

/** The index of a track, which must have been played in training. */
export function trackIndex(recommender: Recommender, track: Id): number {
  const index = findTrack(recommender, track);
  if (index >= 0) return index;
  const hint =
    'The catalogue has it, but nobody plays it in the training data, so the model knows nothing about it.';
  throw new UnknownIdError('track', String(track), recommender.tracks.classes, hint);
}

/** The indices of tracks, which must have been played in training. */
export function trackIndices(
  recommender: Recommender,
  tracks: readonly Id[],
  method: string,
): number[] {
  checkList(tracks, method);
  return tracks.map((track) => trackIndex(recommender, track));
}

function checkList(tracks: readonly Id[], name: string): void {
  if (Array.isArray(tracks)) return;
  const one =
    typeof tracks === 'string' || typeof tracks === 'number'
      ? ` For one track: [${JSON.stringify(tracks)}].`
      : '';
  throw new ArgumentError(
    `${name} needs an array of tracks (ids, titles, or "title by artist"), got ${whatIs(tracks)}.${one}`,
  );
}

/** The tracks that must not be recommended to anybody, ascending. */
export function blockedTracks(
  recommender: Recommender,
  { among, exclude }: SimilarTracksOptions,
): Int32Array {
  const find = (list: readonly Id[] | undefined, name: string): Set<number> | undefined => {
    if (list === undefined) return undefined;
    checkList(list, name);
    return new Set(list.map((track) => findTrack(recommender, track)).filter((t) => t >= 0));
  };
  const [allowed, excluded] = [find(among, 'among'), find(exclude, 'exclude')];
  if (among?.length === 0)
    throw new ArgumentError(
      'among is empty: there is nothing to choose from. Leave it out to choose from all tracks.',
    );
  if (allowed?.size === 0)
    throw new ArgumentError(
      `None of the ${among!.length} tracks of among is played in the training data, so none has a score.`,
    );
  if (!allowed && !excluded) return new Int32Array(0);
  const n = recommender.tracks.length;
  return numbersWhere(n, (t) => allowed?.has(t) === false || excluded?.has(t) === true);
}

/** Throws unless these are users, and `out` has room for their scores. */
export function checkScores(
  { users: { length }, tracks }: Recommender,
  users: Int32Array,
  out: Float32Array,
): void {
  const example = "users' indices, such as Int32Array.of(recommender.users.index(user))";
  checkArgument(users instanceof Int32Array, users, 'scores', example);
  for (const user of users) checkIndex(user, length, 'user');
  checkOut(out, users.length * tracks.length, 'users × tracks');
}

/** Throws unless these are histories, and `out` has room for the scores after them. */
export function checkHistories(
  { tracks }: Recommender,
  histories: readonly Int32Array[],
  out: Float32Array,
): void {
  const one = 'a history of track indices, such as Int32Array.of(recommender.tracks.index(track))';
  checkArgument(Array.isArray(histories), histories, 'scoresOfMany', `an array, each ${one}`);
  for (const history of histories)
    checkArgument(history instanceof Int32Array, history, 'A score', one);
  checkOut(out, histories.length * tracks.length, 'histories × tracks');
}

function checkOut(out: Float32Array, n: number, sizes: string): void {
  const wanted = `a Float32Array to write to, of ${sizes} = ${n} numbers`;
  checkArgument(out instanceof Float32Array, out, 'A score', wanted);
  if (out.length < n) throw new ArgumentError(`A score needs ${wanted}, got ${out.length}.`);
}

/** The error of a recommender that cannot fold users in. */
export function cannotFoldIn({ name }: { readonly name: string }): ArgumentError {
  return new ArgumentError(
    `${name} cannot fold in a user whom it was not trained on (canFoldIn is false). Add their plays and train again.`,
  );
}
