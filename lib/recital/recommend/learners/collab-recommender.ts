import path from 'node:path';
import type { CollabDataLoaders } from '../../data/collab.js';
import { makeFolder } from '../../data/files/atomic-write.js';
import type { Table } from '../../data/table.js';
import type { Tracks } from '../../data/tracks.js';
import type { Vocabulary } from '../../data/vocabulary.js';
import { ArgumentError } from '../../errors.js';
import { Learner, type LearnerOptions } from '../../learner/learner.js';
import { isPath, modelFile, writeModelFile } from '../../learner/model-file.js';
import { sigmoid } from '../../nn/activations.js';
import type { Model } from '../../nn/model.js';
import { said } from '../../options.js';
import { type ExportOptions, exportOptions } from '../export-recommender.js';
import type { FoldedUser, HistoryItem, HistoryOptions } from '../fold-in.js';
import { Interactions, type InteractionTotals } from '../interactions.js';
import { cannotFoldIn } from '../lookup.js';
import { recommend, recommendBatch } from '../rank.js';
import type { RecommendationBatch } from '../recommendation-batch.js';
import type { Recommendations } from '../recommendations.js';
import type {
  Id,
  Names,
  Recommender,
  RecommendOptions,
  SimilarTracksOptions,
  TrackVectors,
} from '../recommender.js';
import { type SimilarUsersOptions, similarTracks, similarUsers } from '../similar.js';
import { describeCollab } from './export-collab.js';

/** A model of users and items. */
export interface CollabModel extends Model {
  /** Users and items by row of its tables, `#na#` first. */
  readonly classes: { readonly user: Vocabulary; readonly item: Vocabulary };
  /** Sigmoid range of the prediction, if any. */
  readonly yRange: readonly [number, number] | undefined;
}

/**
 * A Learner that recommends: what the learners of collaborative filtering have in common. Users and
 * tracks are those of the training rows: of a track that occurs in validation only nothing was
 * learnt. The score that is reported is the prediction, as `getPreds` returns it.
 * @example
 * const learn: CollabRecommender = collabLearner(dls, { nFactors: 20 });
 * learn.similarTracks(track, { n: 5 });
 */
export abstract class CollabRecommender extends Learner implements Recommender {
  declare readonly dls: CollabDataLoaders;
  declare readonly model: CollabModel;
  /** Stands in comparisons. */
  abstract readonly name: string;
  /** Seed of the initial weights, if they had one. */
  seed: number | string | undefined;
  private interactions: Interactions | undefined;

  constructor(dls: CollabDataLoaders, model: CollabModel, options: LearnerOptions = {}) {
    super(dls, model, options);
    if (
      model.classes.user.length !== dls.classes.user.length ||
      model.classes.item.length !== dls.classes.item.length
    ) {
      throw new ArgumentError(
        `The model is for ${model.classes.user.length} users × ${model.classes.item.length} items, the loaders have ${dls.classes.user.length} × ${dls.classes.item.length}.`,
      );
    }
  }

  /**
   * Scores of a block of users and all tracks, before range and activation: see
   * {@link Recommender.scores}.
   */
  abstract scores(users: Int32Array, out: Float32Array): void;

  /** The vector of each track; a copy. */
  abstract trackVectors(): TrackVectors;

  /** What each user has in training. */
  get seen(): Interactions {
    this.interactions ??= trainingInteractions(this.dls);
    return this.interactions;
  }

  /** Users of the training rows. */
  get users(): Vocabulary {
    return this.seen.users;
  }

  /** Tracks of the training rows, the ones that can be recommended. */
  get tracks(): Vocabulary {
    return this.seen.tracks;
  }

  /** Where titles come from, if the loaders have a catalogue. */
  get catalogue(): Tracks | undefined {
    return this.dls.catalogue;
  }

  /** The names of the columns in the data that the loaders were made from. */
  get names(): Names {
    return this.dls.names;
  }

  /** Whether the user is in the training rows. */
  knows(user: Id): boolean {
    return this.users.has(user);
  }

  /** Whether the track with this id is in the training rows. */
  knowsTrack(track: Id): boolean {
    return this.tracks.has(track);
  }

  /**
   * What `getPreds` would return for a score: the range of the model, then the activation of the
   * loss.
   */
  prediction(score: number): number {
    if (typeof score !== 'number')
      throw new ArgumentError(`A score is a number, got ${said(score)}.`);
    const { yRange } = this.model;
    const value = yRange ? yRange[0] + (yRange[1] - yRange[0]) * sigmoid(score) : score;
    return this.lossFunc.activation(Float32Array.of(value), 1)[0];
  }

  /**
   * Writes all that a learner needs that works without the training data: the weights, users and
   * items, what each user has in training, the loss, and title, artist and year of the tracks.
   * `loadLearner` reads it. In safetensors' format: `model.PARAMETER`, `buffers.NAME`,
   * `classes.user` and `classes.item` (`.bytes`: the ids in UTF-8, one after the other; `.offsets`:
   * id i is bytes[offsets[i] … offsets[i + 1])), `seen.indptr` and `seen.indices` (the items of
   * user u are indices[indptr[u] … indptr[u + 1])), `catalogue.…`, and in its metadata a
   * description as JSON.
   *
   * So the file holds **the listening histories of training**, unless `{ seen: false }` leaves them
   * out: the loaded learner recommends to users by id and by `foldIn` as before, but no longer
   * leaves out what users have played.
   * @param file a name: the file is `path/NAME.safetensors`, default `export`. Or a path that is
   *   absolute or begins with `./`
   * @returns the path of the file
   * @example loadLearner(learn.export('listeners')).recommend(user, { n: 10 });
   */
  export(file = 'export', options: ExportOptions = {}): string {
    const full = modelFile(file, this.path);
    const contents = describeCollab(this, exportOptions(options));
    if (!isPath(file)) makeFolder(path.dirname(full));
    writeModelFile(full, 'learner', contents);
    return full;
  }

  /**
   * Takes sums for what each user has played, which is not known: for a learner from a file without
   * listening histories.
   */
  knowTotals(totals: InteractionTotals): void {
    const { users, tracks } = this.seen;
    this.interactions = Interactions.ofTotals({ users, tracks }, totals);
  }

  /** See {@link Recommender.recommend}. */
  recommend(user: Id, options: RecommendOptions = {}): Recommendations {
    return recommend(this, user, options);
  }

  /** See {@link Recommender.foldIn}; a model that has a vector for each user can. */
  foldIn(_history: readonly HistoryItem[], _options: HistoryOptions = {}): FoldedUser {
    throw cannotFoldIn(this);
  }

  /** Whether `foldIn` works: see {@link Recommender.canFoldIn}. */
  get canFoldIn(): boolean {
    return this.foldIn !== CollabRecommender.prototype.foldIn;
  }

  /** See {@link Recommender.userVectors}. */
  userVectors?(): TrackVectors;

  /**
   * The users whose vectors have the largest cosine with that of a user: see
   * {@link Recommender.similarUsers}.
   */
  similarUsers(user: Id, options: SimilarUsersOptions = {}): Table {
    return similarUsers(this, { user }, options);
  }

  /** See {@link Recommender.recommendBatch}. */
  recommendBatch(users: readonly Id[], options: RecommendOptions = {}): RecommendationBatch {
    return recommendBatch(this, users, options);
  }

  /**
   * The tracks whose vectors have the largest cosine with that of a track: see
   * {@link Recommender.similarTracks}.
   */
  similarTracks(track: Id, options: SimilarTracksOptions = {}): Recommendations {
    return similarTracks(this, track, options);
  }
}

/** What each user has in training, numbered without `#na#`. */
export function trainingInteractions({ classes, seen }: CollabDataLoaders): Interactions {
  const withoutNa = (vocabulary: Vocabulary): Vocabulary =>
    vocabulary.subset(Int32Array.from({ length: vocabulary.length - 1 }, (_, i) => i + 1));
  const indptr = new Int32Array(classes.user.length);
  const indices = new Int32Array(seen.indices.length);
  let n = 0;
  for (let u = 1; u < classes.user.length; u++) {
    for (let j = seen.indptr[u]; j < seen.indptr[u + 1]; j++)
      if (seen.indices[j] > 0) indices[n++] = seen.indices[j] - 1;
    indptr[u] = n;
  }
  return Interactions.fromCsr({
    users: withoutNa(classes.user),
    tracks: withoutNa(classes.item),
    indptr,
    indices: indices.slice(0, n),
  });
}
