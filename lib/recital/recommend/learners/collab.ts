import { Random } from '../../compute/random.js';
import { CollabDataLoaders } from '../../data/collab.js';
import { type Column, Table } from '../../data/table.js';
import { principalComponents } from '../../decomposition/pca.js';
import { ArgumentError } from '../../errors.js';
import type { LearnerOptions } from '../../learner/learner.js';
import { learnerOptions } from '../../learner/learner.js';
import { EmbeddingDotBias } from '../../models/embedding-dot-bias.js';
import { EmbeddingNN, type EmbSzs, type TabularConfig } from '../../models/embedding-nn.js';
import { checkCount, checkOptions, type NoOptions, whatIs } from '../../options.js';
import type { Explanation } from '../explanation.js';
import type { HistoryItem } from '../fold-in.js';
import { trackInfo } from '../recommendations.js';
import { type Id, trackIndices } from '../recommender.js';
import type { SavedForm } from '../saved-form.js';
import {
  type CollabFoldedUser,
  explain,
  type FoldInOptions,
  foldInCollab,
  type TypicalRow,
  typicalRow,
} from './collab-fold-in.js';
import { CollabNNLearner } from './collab-nn.js';
import {
  CollabModelLearner,
  CollabRecommender,
  type ModelVectors,
} from './recommending-learner.js';
import { collabForm, readRange } from './saved-learner.js';

/** Options of {@link collabLearner}; those of a Learner, and the model's. */
export interface CollabLearnerOptions<UseNn extends boolean = false>
  extends LearnerOptions,
    CollabNNOptions {
  /** False (default): the model is EmbeddingDotBias. True: EmbeddingNN. */
  useNn?: UseNn;
  /** Length of the factors of users and items; default 50. */
  nFactors?: number;
  /** Sigmoid range [low, high] of the prediction; default: none, the plain sum. */
  yRange?: readonly [number, number];
  /** Seed of the initial weights; default 42. */
  seed?: number | string;
}

/** Options of {@link collabLearner} for the network: they need `useNn: true`. */
export interface CollabNNOptions {
  /** Sizes of the hidden layers; default [nFactors]. */
  layers?: readonly number[];
  /** Lengths of the embeddings of users and items; default: fastai's rule, `embSzRule`. */
  embSzs?: EmbSzs;
  /**
   * Dropout and batch normalisation: fastai's `tabular_config`; default: batch normalisation, no
   * dropout.
   */
  config?: TabularConfig;
}

const OPTIONS = ['useNn', 'nFactors', 'yRange', 'seed', 'layers', 'embSzs', 'config'] as const;

/**
 * A learner for collaborative filtering, fastai's `collab_learner`: a vector and a bias for every
 * user and item (EmbeddingDotBias), trained on the loaders' ratings; or, with `useNn`, a small
 * network on their vectors (EmbeddingNN). It recommends, too.
 * @param dls from CollabDataLoaders
 * @example
 * const learn = collabLearner(dls, { nFactors: 50, lossFunc: new BCEWithLogitsLossFlat() });
 * await learn.fitOneCycle(5, 5e-3, { wd: 0.1 });
 * learn.recommend(user, { n: 10 });
 * const network = collabLearner(dls, { useNn: true, layers: [100, 50], yRange: [0, 1] });
 */
export function collabLearner<UseNn extends boolean = false>(
  dls: CollabDataLoaders,
  options: CollabLearnerOptions<UseNn> = {},
): UseNn extends true ? CollabNNLearner : CollabLearner {
  return makeLearner(dls, options) as UseNn extends true ? CollabNNLearner : CollabLearner;
}

function makeLearner(
  dls: CollabDataLoaders,
  options: CollabLearnerOptions<boolean>,
): CollabLearner | CollabNNLearner {
  if (!(dls instanceof CollabDataLoaders))
    throw new ArgumentError(
      `collabLearner needs loaders, such as CollabDataLoaders.fromPlays(plays) makes, got ${whatIs(dls)}.`,
    );
  checkOptions(options, [...learnerOptions, ...OPTIONS], 'collabLearner');
  const { useNn, nFactors = 50, yRange, seed = 42, layers, embSzs, config, ...rest } = options;
  const random = new Random(seed).child('init');
  for (const [name, value] of Object.entries({ layers, embSzs, config }))
    if (value !== undefined && !useNn)
      throw new ArgumentError(`${name} is an option of the network: it needs useNn: true.`);
  const network = { layers: layers ?? [nFactors], embSzs, yRange, ...config, random };
  const learn = useNn
    ? new CollabNNLearner(dls, new EmbeddingNN(dls.classes, network), rest)
    : new CollabLearner(dls, new EmbeddingDotBias(nFactors, dls.classes, { yRange, random }), rest);
  learn.seed = seed;
  return learn;
}

/**
 * Recommends by the factors and biases of an EmbeddingDotBias: the recommender of a
 * {@link CollabLearner}.
 */
export class DotBiasRecommender extends CollabRecommender<CollabLearner> {
  readonly name: string = 'EmbeddingDotBias';

  protected vectors(): ModelVectors {
    const { uWeight, iWeight, uBias, iBias, nFactors: width } = this.learn.model;
    return {
      user: { values: uWeight.value, width },
      item: { values: iWeight.value, width },
      userBias: uBias.value,
      trackBias: iBias.value,
    };
  }

  /**
   * Recommends to a user who is not in the training data. Their factors U and bias b are those that
   * minimise, tracks fixed,
   *
   *     Σ loss(U·V + b + c, target) + ½·λ·|θ|²    θ = (U, b)
   *
   * over the tracks of the history (factors V, bias c), by Newton's method. With a `yRange`
   * there may be several minima: the one reached from θ = 0 is taken. λ: see {@link FoldInOptions}. Nothing
   * of the model is changed.
   *
   * Targets are made of playcounts as the loaders made theirs ('rank': within the history); where
   * the loaders were made of a table, its ratings stand for playcounts. A track without a playcount
   * counts as liked: its target is the mean of the training targets above their mean.
   * @param history tracks (ids, titles, "title by artist"), or `{ track, playcount }`; playcounts
   *   of a repeated track are added
   * @throws ArgumentError for an empty history and other losses; UnknownIdError for tracks that
   *   training has not, with a suggestion
   * @example learn.foldIn(['Song A', { track: 'Song B', playcount: 7 }]).recommend({ n: 10 })
   */
  override foldIn(history: readonly HistoryItem[], options: FoldInOptions = {}): CollabFoldedUser {
    return foldInCollab(this.learn, history, options);
  }
}

/**
 * A Learner whose model is EmbeddingDotBias, and a recommender: tracks are ranked by factors and
 * biases.
 * @example
 * const learn = collabLearner(dls, { nFactors: 50 });
 * await learn.fitOneCycle(3, 5e-3);
 * learn.bias().head(5); // the tracks with the highest bias
 */
export class CollabLearner extends CollabModelLearner<DotBiasRecommender> {
  /** The model that it trains. */
  declare readonly model: EmbeddingDotBias;
  /** The typical row of training, of a learner from a file, which has no training rows. */
  savedRow: TypicalRow | undefined;

  /**
   * The bias of tracks, highest first: how much a track is liked by those whose taste would not
   * suggest it. Columns: track_id (or what it is called in the data), title, artist and year as far
   * as the catalogue has them, bias, and users in training.
   * @param tracks ids, titles, or "title by artist"; default: all
   * @example learn.bias().head(5)
   */
  bias(tracks: readonly Id[] = this.tracks.classes): Table {
    const indices = trackIndices(this, tracks, 'bias');
    this.settle();
    const bias = this.model.iBias.value;
    indices.sort((a, b) => bias[b + 1] - bias[a + 1] || a - b);
    const users = this.seen.usersPerTrack();
    return tableOf(this, indices, {
      bias: Float64Array.from(indices, (t) => bias[t + 1]),
      users: Float64Array.from(indices, (t) => users[t]),
    });
  }

  /** The n tracks with the highest bias, highest first. */
  mostLiked(n = 10): Table {
    checkCount(n, 'n');
    return this.bias().head(n);
  }

  /** The n tracks with the lowest bias, lowest first. */
  leastLiked(n = 10): Table {
    checkCount(n, 'n');
    const all = this.bias();
    return all.take(Array.from({ length: Math.min(n, all.length) }, (_, i) => all.length - 1 - i));
  }

  /**
   * A picture of the factors of some tracks, their first k principal components (fastbook's
   * `movie_w.pca(k)`): columns track_id, title, artist and year as far as the catalogue has them,
   * pc1 … pck. The components are those of these tracks' factors, signed as in {@link PCA}.
   * @param tracks ids, titles, or "title by artist", at least 2
   * @param k number of components
   */
  trackFactorsPca(tracks: readonly Id[], k = 2): Table {
    const indices = trackIndices(this, tracks, 'trackFactorsPca');
    const { values, width } = this.trackVectors();
    const rows = new Float32Array(indices.length * width);
    indices.forEach((t, i) => {
      rows.set(values.subarray(t * width, (t + 1) * width), i * width);
    });
    const found = principalComponents(rows, { width, components: k });
    const columns = Array.from({ length: k }, (_, c) => [
      `pc${c + 1}`,
      Float64Array.from(indices, (_, i) => found[i * k + c]),
    ]);
    return tableOf(this, indices, Object.fromEntries(columns));
  }

  protected override makeRecommender(): DotBiasRecommender {
    return new DotBiasRecommender(this);
  }

  /**
   * Which of a user's own tracks speak for a track, and which against it, as implicit's `explain`
   * for ALS: see {@link Explanation}.
   *
   * The user's row is solved for from their training rows, as `foldIn` does. With x = (V, 1) of a
   * track of theirs, slope g and curvature h of its loss at the solution θ, and A = Σ h·x·xᵀ + λ,
   * that is θ = A⁻¹·Σ (h·x·θ − g)·x. So a track of theirs contributes (h·x·θ − g)·V·A⁻¹·x to the
   * track with factors V. For squared errors, h·x·θ − g is 2·(target − c): were the target at the
   * track's bias c, the score would be less by exactly the contribution. For losses on logits this
   * holds to first order. With negatives, `unplayed` is the same sum over the tracks that are not
   * the user's. The remainder is what the trained row has beyond the solution.
   * @param user a user of the training data
   * @param track id, title, or "title by artist"
   * @example learn.explain(user, learn.recommend(user).ids[0]).head(5)
   */
  explain(user: Id, track: Id, options: NoOptions = {}): Explanation {
    checkOptions(options, [], 'explain');
    return explain(this, user, track);
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<CollabLearner> = collabForm({
    name: 'EmbeddingDotBias',
    withoutSeen: true,
    config: (learn) => ({
      nFactors: learn.model.nFactors,
      yRange: learn.model.yRange,
      prior: learn.dls.train.n > 0 || learn.savedRow ? { ...typicalRow(learn) } : undefined,
    }),
    parameterCount: (config, { user, item }) =>
      (user.length + item.length) * (config.count('nFactors') + 1),
    make(dls, config, options) {
      const [nFactors, yRange] = [config.count('nFactors'), readRange(config)];
      const model = new EmbeddingDotBias(nFactors, dls.classes, { yRange });
      const learn = new CollabLearner(dls, model, options);
      if (config.has('prior')) {
        const prior = config.object('prior');
        learn.savedRow = { liked: prior.number('liked'), weight: prior.number('weight') };
      }
      return learn;
    },
  });
}

/** Some columns of tracks, behind what the tracks are. */
function tableOf(
  learn: CollabLearner,
  indices: readonly number[],
  columns: Readonly<Record<string, Column>>,
): Table {
  return new Table({ ...trackInfo(learn.tracks.decode(indices), learn), ...columns });
}
