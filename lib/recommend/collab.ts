import { Random } from '../compute/random.js';
import type { CollabDataLoaders } from '../data/collab.js';
import { Table } from '../data/table.js';
import type { Tracks } from '../data/tracks.js';
import type { Vocabulary } from '../data/vocabulary.js';
import { factorPca } from '../decomposition/factor-pca.js';
import { ArgumentError } from '../errors.js';
import { Learner, type LearnerOptions } from '../learner/learner.js';
import { EmbeddingDotBias } from '../models/embedding-dot-bias.js';
import { sigmoid } from '../nn/losses.js';
import { factorScores } from './factor-scores.js';
import { Interactions } from './interactions.js';
import { checkN, trackIndex } from './lookup.js';
import { recommend, recommendBatch } from './rank.js';
import type { RecommendationBatch } from './recommendation-batch.js';
import type { Recommendations } from './recommendations.js';
import type { Id, Recommender, RecommendOptions, SimilarTracksOptions, TrackVectors } from './recommender.js';
import { similarTracks } from './similar.js';
import { trackInfo } from './track-info.js';

/** Options of {@link collabLearner}; those of a Learner, and the model's. */
export interface CollabLearnerOptions extends LearnerOptions {
  /** Length of the factors of users and items; default 50. */
  nFactors?: number;
  /** Sigmoid range [low, high] of the prediction; default: none, the plain sum. */
  yRange?: readonly [number, number];
  /** Seed of the initial weights; default 42. */
  seed?: number | string;
}

/**
 * A learner for collaborative filtering, fastai's `collab_learner`: a vector and a bias for every user and item (EmbeddingDotBias), trained on the
 * loaders' ratings. It recommends, too.
 * @param dls from CollabDataLoaders
 * @example
 * const learn = collabLearner(dls, { nFactors: 50, lossFunc: new BCEWithLogitsLossFlat() });
 * await learn.fitOneCycle(5, 5e-3, { wd: 0.1 });
 * learn.recommend(user, { n: 10 });
 */
export function collabLearner(dls: CollabDataLoaders, options: CollabLearnerOptions = {}): CollabLearner {
  const { nFactors = 50, yRange, seed = 42, ...rest } = options;
  const random = new Random(seed).child('init');
  return new CollabLearner(dls, new EmbeddingDotBias(nFactors, dls.classes, { yRange, random }), rest);
}

/**
 * A Learner whose model is EmbeddingDotBias, and a {@link Recommender}: tracks are ranked by factors and biases, and the score that is reported is the
 * prediction, as `getPreds` returns it. Users and tracks are those of the training rows: of a track that occurs in validation only nothing was learnt.
 */
export class CollabLearner extends Learner implements Recommender {
  declare readonly dls: CollabDataLoaders;
  declare readonly model: EmbeddingDotBias;
  readonly name: string = 'EmbeddingDotBias';
  private interactions: Interactions | undefined;

  constructor(dls: CollabDataLoaders, model: EmbeddingDotBias, options: LearnerOptions = {}) {
    super(dls, model, options);
    if (model.classes.user.length !== dls.classes.user.length || model.classes.item.length !== dls.classes.item.length) {
      throw new ArgumentError(
        `The model is for ${model.classes.user.length} users × ${model.classes.item.length} items, the loaders have ${dls.classes.user.length} × ${dls.classes.item.length}.`,
      );
    }
  }

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

  /** Whether the user is in the training rows. */
  knows(user: Id): boolean {
    return this.users.has(user);
  }

  /** Whether the track with this id is in the training rows. */
  knowsTrack(track: Id): boolean {
    return this.tracks.has(track);
  }

  /** Factors and biases of a block of users and all tracks, before range and activation: see {@link Recommender.scores}. */
  scores(users: Int32Array, out: Float32Array): void {
    this.settle();
    const { uWeight, iWeight, uBias, iBias, nFactors } = this.model;
    const tables = { userFactors: uWeight.value, trackFactors: iWeight.value, userBias: uBias.value, trackBias: iBias.value };
    factorScores(users, out, { ...tables, width: nFactors, skip: 1 });
  }

  /** What `getPreds` would return for a score: the range of the model, then the activation of the loss. */
  prediction(score: number): number {
    const { yRange } = this.model;
    const value = yRange ? yRange[0] + (yRange[1] - yRange[0]) * sigmoid(score) : score;
    return this.lossFunc.activation(Float32Array.of(value), 1)[0];
  }

  /** The factors of each track; a copy. */
  trackVectors(): TrackVectors {
    this.settle();
    const { iWeight, nFactors } = this.model;
    return { values: Float32Array.from(iWeight.value.subarray(nFactors)), width: nFactors };
  }

  /** See {@link Recommender.recommend}. */
  recommend(user: Id, options: RecommendOptions = {}): Recommendations {
    return recommend(this, user, options);
  }

  /** See {@link Recommender.recommendBatch}. */
  recommendBatch(users: readonly Id[], options: RecommendOptions = {}): RecommendationBatch {
    return recommendBatch(this, users, options);
  }

  /** The tracks whose factors have the largest cosine with those of a track: see {@link Recommender.similarTracks}. */
  similarTracks(track: Id, options: SimilarTracksOptions = {}): Recommendations {
    return similarTracks(this, track, options);
  }

  /**
   * The bias of tracks, highest first: how much a track is liked by those whose taste would not suggest it. Columns: track_id, title, artist and year as
   * far as the catalogue has them, bias, and listeners in training.
   * @param tracks ids, titles, or "title by artist"; default: all
   */
  bias(tracks?: readonly Id[]): Table {
    const indices = tracks ? tracks.map((track) => trackIndex(this, track)) : Array.from({ length: this.tracks.length }, (_, t) => t);
    this.settle();
    const bias = this.model.iBias.value;
    indices.sort((a, b) => bias[b + 1] - bias[a + 1] || a - b);
    const listeners = this.seen.listeners();
    return new Table({
      ...trackInfo(this.tracks.decode(indices), this.catalogue),
      bias: Float64Array.from(indices, (t) => bias[t + 1]),
      listeners: Float64Array.from(indices, (t) => listeners[t]),
    });
  }

  /** The n tracks with the highest bias, highest first. */
  mostLiked(n = 10): Table {
    checkN(n);
    return this.bias().head(n);
  }

  /** The n tracks with the lowest bias, lowest first. */
  leastLiked(n = 10): Table {
    checkN(n);
    const all = this.bias();
    return all.take(Array.from({ length: Math.min(n, all.length) }, (_, i) => all.length - 1 - i));
  }

  /**
   * A picture of the factors of some tracks, their first k principal components (fastbook's `movie_w.pca(k)`): columns track_id, title, artist and year as
   * far as the catalogue has them, pc1 … pck. The components are those of these tracks' factors, signs fixed as `factorPca` says.
   * @param tracks ids, titles, or "title by artist", at least 2
   * @param k number of components
   */
  trackFactorsPca(tracks: readonly Id[], k = 2): Table {
    const indices = tracks.map((track) => trackIndex(this, track));
    this.settle();
    const { iWeight, nFactors } = this.model;
    const rows = new Float32Array(indices.length * nFactors);
    indices.forEach((t, i) => {
      rows.set(iWeight.value.subarray((t + 1) * nFactors, (t + 2) * nFactors), i * nFactors);
    });
    const { coordinates } = factorPca(rows, { width: nFactors, components: k });
    const columns = trackInfo(this.tracks.decode(indices), this.catalogue);
    for (let c = 0; c < k; c++) columns[`pc${c + 1}`] = Float64Array.from(indices, (_, i) => coordinates[i * k + c]);
    return new Table(columns);
  }
}

/** The training rows as pairs, counted without `#na#`. */
function trainingInteractions({ classes, train }: CollabDataLoaders): Interactions {
  const known = Int32Array.from(train.data.user.keys()).filter((i) => train.data.user[i] > 0 && train.data.item[i] > 0);
  const withoutNa = (vocabulary: Vocabulary): Vocabulary => vocabulary.subset(Array.from({ length: vocabulary.length - 1 }, (_, i) => i + 1));
  return Interactions.fromPairs({
    users: withoutNa(classes.user),
    tracks: withoutNa(classes.item),
    user: known.map((i) => train.data.user[i] - 1),
    track: known.map((i) => train.data.item[i] - 1),
  });
}
