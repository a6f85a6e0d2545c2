import type { Table } from '../data/table.js';
import type { Tracks } from '../data/tracks.js';
import type { Vocabulary } from '../data/vocabulary.js';
import { counted, printed } from '../printed.js';
import type { FoldedUser, HistoryItem, HistoryOptions } from './fold-in.js';
import type { Interactions } from './interactions.js';
import { recommend, recommendBatch } from './rank.js';
import type { RecommendationBatch, Recommendations } from './recommendations.js';
import { cannotFoldIn } from './resolve-ids.js';
import { type ExportOptions, exportRecommender } from './saved-form.js';
import { type SimilarUsersOptions, similarTracks, similarUsers } from './similar.js';

/** A user's or track's own id, as in the data. */
export type Id = string | number;

/** Options of {@link Recommender.similarTracks}. */
export interface SimilarTracksOptions {
  /** Length of the list; default 10. Fewer come back only if fewer are available. */
  n?: number;
  /**
   * Choose among these tracks only: ids, titles, or "title by artist" where there is a catalogue.
   * Default: all.
   */
  among?: readonly Id[];
  /** Leave these tracks out, named the same way. Default: none. */
  exclude?: readonly Id[];
}

/** Options of {@link Recommender.recommend}. */
export interface RecommendOptions extends SimilarTracksOptions {
  /** Leave out what the user has played in training; default true. */
  filterSeen?: boolean;
}

/** What the ids of users and tracks are called in the data, e.g. `userId` and `movieId`. */
export interface Names {
  readonly user: string;
  readonly item: string;
}

/** A vector for each track, or for each user, as a model has learnt it. */
export interface TrackVectors {
  /** tracks × width (or users × width), row-major. */
  readonly values: Float32Array;
  /** Length of a vector. */
  readonly width: number;
}

/**
 * What recommends: everything that has a score for each user and track. A recommender of one's own
 * says what it is called, what it has seen and how it scores; ranking, filters, batches, titles and
 * errors come from here.
 *
 * Lists are ordered by score, descending, and where scores are equal by track index, ascending (the
 * code point order of ids): the same data give the same list, always. A list has n tracks even
 * where a recommender has something to say about fewer: neighbourhood models (ItemKNN, UserKNN,
 * RP3beta, those of sessions) give 0 to a track that no neighbour has, and fill the rest of a list
 * with such tracks, in the order of ids. Their column `score` says 0; cut the list there to drop
 * them. Evaluation does not reward this order: see {@link evaluate}, "Ties".
 * @example
 * class Alphabetical extends Recommender {
 *   readonly name: string = 'Alphabetical';
 *   scores(users: Int32Array, out: Float32Array): void { out.fill(0); } // all equal: by id
 * }
 * new Alphabetical(Interactions.fromPlays(plays), { catalogue: plays.catalogue }).recommend('u1');
 */
export abstract class Recommender {
  /** Stands in comparisons, e.g. `Popularity`. */
  abstract readonly name: string;
  /** Where titles come from, if there is a catalogue. */
  readonly catalogue: Tracks | undefined;
  /**
   * What ids of users and tracks are called, the headings of their columns in tables; default:
   * `user_id` and `track_id`, as in plays.
   */
  readonly names?: Names;

  /**
   * @param seen what each user has played in training: the filter, and the users and tracks that
   *   are known
   * @param options `catalogue`: where titles come from; default: ids only. `names`: headings of the
   *   columns of ids, see there
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

  /**
   * The vector of each track, which `similarTracks` compares. Without it, tracks are compared by
   * who listens to them.
   */
  trackVectors?(): TrackVectors;

  /**
   * The vector of each user, which `similarUsers` compares; a copy. Without it, users are compared
   * by what they listen to.
   */
  userVectors?(): TrackVectors;

  /**
   * Recommends to a listener who is not in the training data, from what they have played: tracks
   * (ids, titles, "title by artist"), or `{ track, playcount }`; playcounts of a repeated track are
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

  /**
   * Whether `foldIn` works: factors, neighbours, content and models of the next track can; networks
   * and models of one's own cannot, unless they override it.
   */
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
   * played in training; equal scores, and so tracks of score 0 that fill the list, in the order of
   * ids.
   * @throws UnknownIdError for an unknown user or track, with a suggestion; ArgumentError for other
   *   wrong options; NumericError for NaN scores
   * @example learn.recommend(user, { n: 5, filterSeen: true })
   */
  recommend(user: Id, options: RecommendOptions = {}): Recommendations {
    return recommend(this, user, options);
  }

  /**
   * The same for many users at once; each list equals that of `recommend`. No users × tracks matrix
   * is made.
   * @param users ids; `recommender.users.classes` for all
   * @example learn.recommendBatch(learn.users.classes, { n: 5 }).toTable()
   */
  recommendBatch(users: readonly Id[], options: RecommendOptions = {}): RecommendationBatch {
    return recommendBatch(this, users, options);
  }

  /**
   * The tracks most like a track, itself left out: by the cosine of the model's vectors, or, for a
   * model without vectors, by the cosine of their listeners, |A ∩ B| / √(|A|·|B|).
   * @param track an id, a title, or "title by artist" where there is a catalogue
   * @example learn.similarTracks(track, { n: 5 })
   */
  similarTracks(track: Id, options: SimilarTracksOptions = {}): Recommendations {
    return similarTracks(this, track, options);
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
    return similarUsers(this, { user }, options);
  }

  /**
   * Writes all that the recommender needs to work without the training data's files, to a file that
   * {@link loadRecommender} reads: what it has learnt, its parts, users and tracks, title, artist
   * and year of the tracks, and **the listening histories of training**, in safetensors' format.
   * With `{ seen: false }` the histories stay out, where the recommender can do without:
   *
   * - factors (ALS, PCA, factors from elsewhere) and learners still recommend to users by id, but no longer leave out what they have played; the users' ids and
   *   vectors are in the file;
   * - ItemKNN, RP3beta, Content and Popularity have nothing of single users in the file, and recommend by `foldIn(history)`;
   * - `explain` of a user goes back to the histories, so it is refused;
   * - what works on the histories themselves (UserKNN, the neighbours and rules of sessions …) cannot be exported without them.
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
}

printed(
  Recommender,
  ({ name, users, tracks }) =>
    `${name}: ${counted(users.length, 'user')} × ${counted(tracks.length, 'track')}`,
);
