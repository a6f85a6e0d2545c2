import path from 'node:path';
import type { CollabDataLoaders } from '../../data/collab.js';
import { makeFolder } from '../../data/files/atomic-write.js';
import type { Vocabulary } from '../../data/vocabulary.js';
import { ArgumentError } from '../../errors.js';
import type { Json } from '../../fields.js';
import { Learner, type LearnerOptions } from '../../learner/learner.js';
import { isPath, modelFile, writeModelFile } from '../../learner/model-file.js';
import { sigmoid } from '../../nn/activations.js';
import type { Model } from '../../nn/model.js';
import { said } from '../../options.js';
import { factorScores } from '../factors/factors.js';
import { Interactions, type InteractionTotals } from '../interactions.js';
import { checkScores, Recommender, type TrackVectors } from '../recommender.js';
import { type ExportOptions, exportOptions, formOf } from '../saved-form.js';

/** A learner that has a recommender: see {@link recommendingLearner}. */
export abstract class WithRecommender<R extends Recommender> extends Learner {
  /** Seed of the initial weights, if they had one. */
  seed: number | string | undefined;
  private own: R | undefined;

  /** Recommends by the model as it is: further training shows in the lists. */
  get recommender(): R {
    this.own ??= this.makeRecommender();
    return this.own;
  }

  /** Makes the recommender that answers for this learner. */
  protected abstract makeRecommender(): R;

  /**
   * Writes all that a learner needs to work without the training data: the weights, users and
   * tracks, **the listening histories of training**, the loss, and title, artist and year of the
   * tracks. `loadLearner` reads it. With `{ seen: false }` the histories stay out: the loaded
   * learner no longer leaves out what users have played, and a learner of sequences recommends
   * after given tracks only.
   *
   * In safetensors' format: `model.PARAMETER`, `buffers.NAME`; `classes.…` and `users`, ids in
   * UTF-8 (`.bytes`, `.offsets`); `seen.indptr` and `seen.indices`, the tracks of each user, or
   * `histories.indptr` and `histories.item`; `catalogue.…`; in its metadata a description as JSON.
   * @param file a name: the file is `path/NAME.safetensors`, default `export`. Or a path that is
   *   absolute or begins with `./`
   * @returns the path of the file
   * @example loadLearner(learn.export('model')).recommend(user, { n: 10 });
   */
  export(file = 'export', options: ExportOptions = {}): string {
    const full = modelFile(file, this.path);
    const learn = this as unknown as Recommender;
    const { config, tensors } = formOf(learn).describe(learn, exportOptions(options));
    if (!isPath(file)) makeFolder(path.dirname(full));
    writeModelFile(full, 'learner', { config: config.learner as Json, tensors: tensors! });
    return full;
  }
}

/** What all learners that recommend answer as recommenders: values, and methods. */
const ANSWERED: Readonly<
  Record<'properties' | 'methods', readonly (keyof Recommender & string)[]>
> = {
  properties: ['name', 'names', 'catalogue', 'seen', 'users', 'tracks', 'prediction', 'canFoldIn'],
  methods: [
    'knows',
    'knowsTrack',
    'scores',
    'trackVectors',
    'foldIn',
    'recommend',
    'recommendBatch',
    'similarTracks',
    'similarUsers',
  ],
};

/** A base class of learners: see {@link recommendingLearner}. */
export type RecommendingLearner<Base extends Recommender> = abstract new <R extends Base>(
  ...args: ConstructorParameters<typeof Learner>
) => WithRecommender<R> & { readonly [M in keyof Base]: R[M] };

/**
 * Makes a base class of learners that can stand wherever a recommender can: what they are asked as
 * recommenders, `learn.recommender` answers.
 * @param more what they answer beside what all do
 */
export function recommendingLearner<Base extends Recommender>(more: {
  readonly properties?: readonly (keyof Base & string)[];
  readonly methods?: readonly (keyof Base & string)[];
}): RecommendingLearner<Base> {
  abstract class Forwarding extends WithRecommender<Base> {}
  const define = (name: keyof Base & string, how: PropertyDescriptor & ThisType<Forwarding>) =>
    Object.defineProperty(Forwarding.prototype, name, how);
  for (const name of [...ANSWERED.properties, ...(more.properties ?? [])])
    define(name, {
      get() {
        const value: unknown = this.recommender[name];
        return typeof value === 'function' ? value.bind(this.recommender) : value;
      },
    });
  for (const name of [...ANSWERED.methods, ...(more.methods ?? [])])
    define(name, {
      value(...args: unknown[]) {
        const { recommender } = this;
        return (recommender[name] as (...args: unknown[]) => unknown).apply(recommender, args);
      },
    });
  return Forwarding as unknown as RecommendingLearner<Base>;
}

/**
 * A model of users and items.
 * @example const model: CollabModel = new EmbeddingDotBias(8, dls.classes, { random: new Random(1) });
 */
export interface CollabModel extends Model {
  /** Users and items by row of its tables, `#na#` first. */
  readonly classes: { readonly user: Vocabulary; readonly item: Vocabulary };
  /** Sigmoid range of the prediction, if any. */
  readonly yRange: readonly [number, number] | undefined;
}

/** The vectors of a model, and the biases if it has them, a row per user or item, `#na#` first. */
export interface ModelVectors {
  readonly user: TrackVectors;
  readonly item: TrackVectors;
  readonly userBias?: Float32Array;
  readonly trackBias?: Float32Array;
}

/**
 * Base class of the recommenders of learners on CollabDataLoaders: by default the score is the
 * product of the vectors of user and track, and their biases. Users and tracks are those of the
 * training rows: of a track that occurs in validation only nothing was learnt. Lists report the
 * prediction, as `getPreds` returns it.
 */
export abstract class CollabRecommender<L extends CollabModelLearner> extends Recommender {
  constructor(readonly learn: L) {
    const { names, catalogue } = learn.dls;
    const seen = trainingInteractions(learn.dls);
    super(learn.totals ? Interactions.ofTotals(seen, learn.totals) : seen, { names, catalogue });
  }

  /** The vectors of the model as it is. */
  protected abstract vectors(): ModelVectors;

  /**
   * Scores of a block of users for all tracks, before range and activation: see
   * {@link Recommender.scores}.
   */
  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    this.learn.settle();
    const { user, item, userBias, trackBias } = this.vectors();
    factorScores(users, out, {
      userFactors: user.values,
      trackFactors: item.values,
      userBias,
      trackBias,
      width: user.width,
      skip: 1,
    });
  }

  /**
   * What `getPreds` would return for a score: the range of the model, then the activation of the
   * loss.
   */
  override prediction(score: number): number {
    if (typeof score !== 'number')
      throw new ArgumentError(`A score is a number, got ${said(score)}.`);
    const { yRange } = this.learn.model;
    const value = yRange ? yRange[0] + (yRange[1] - yRange[0]) * sigmoid(score) : score;
    return this.learn.lossFunc.activation(Float32Array.of(value), 1)[0];
  }

  /** The vector of each user; a copy. */
  override userVectors(): TrackVectors {
    return this.copyOf('user');
  }

  /** The vector of each track; a copy. */
  override trackVectors(): TrackVectors {
    return this.copyOf('item');
  }

  private copyOf(side: 'user' | 'item'): TrackVectors {
    this.learn.settle();
    const { values, width } = this.vectors()[side];
    return { values: Float32Array.from(values.subarray(width)), width };
  }
}

/** A recommender of predictions, with a vector for each user and track. */
type VectorRecommender = Recommender &
  Required<Pick<Recommender, 'prediction' | 'trackVectors' | 'userVectors'>>;

/** Base class of learners of a {@link CollabModel} on CollabDataLoaders. */
export abstract class CollabModelLearner<
  R extends VectorRecommender = VectorRecommender,
> extends recommendingLearner<VectorRecommender>({ methods: ['userVectors'] })<R> {
  /** The loaders that it was made with. */
  declare readonly dls: CollabDataLoaders;
  /** The model that it trains. */
  declare readonly model: CollabModel;
  /** Of a learner from a file without listening histories: how many play each track. */
  totals: InteractionTotals | undefined;

  constructor(dls: CollabDataLoaders, model: CollabModel, options: LearnerOptions = {}) {
    super(dls, model, options);
    const [own, theirs] = [model, dls].map(
      ({ classes: { user, item } }) => `${user.length} users × ${item.length} items`,
    );
    if (own !== theirs)
      throw new ArgumentError(`The model is for ${own}, the loaders have ${theirs}.`);
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
  const [users, tracks] = [withoutNa(classes.user), withoutNa(classes.item)];
  return Interactions.fromCsr({ users, tracks, indptr, indices: indices.slice(0, n) });
}
