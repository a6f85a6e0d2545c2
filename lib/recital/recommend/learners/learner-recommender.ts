import { CollabDataLoaders } from '../../data/collab.js';
import { ArgumentError } from '../../errors.js';
import { Learner } from '../../learner/learner.js';
import { EmbeddingDotBias } from '../../models/embedding-dot-bias.js';
import { EmbeddingNN } from '../../models/embedding-nn.js';
import { LightGCN } from '../../models/light-gcn.js';
import { predictions } from '../../nn/model.js';
import { checkOptions, whatIs } from '../../options.js';
import { checkScores, Recommender } from '../recommender.js';
import type { SavedForm } from '../saved-form.js';
import { CollabLearner } from './collab.js';
import { CollabNNLearner } from './collab-nn.js';
import { CollabModelLearner, trainingInteractions } from './collab-recommender.js';
import { LightGCNLearner } from './light-gcn.js';

/** Pairs of a user and a track that go through a model at once. */
const CHUNK = 4096;

/** Options of LearnerRecommender. */
export interface LearnerRecommenderOptions {
  /** What it is called in comparisons; default `own model`. */
  name?: string;
}

/**
 * Recommends by a model of one's own, written with `tensorflowModel` or as a plain object, that a
 * Learner trains on CollabDataLoaders: every pair of the user and a track goes through its
 * `forward`. So it takes part in lists, metrics and comparisons like any other; learners of
 * `collabLearner` do so by themselves. Users and tracks are those of the training rows. Lists
 * report what `getPreds` returns for the pair.
 * @example
 * const tf = tensorflow();
 * const { user, item } = dls.classes;
 * const dot = tensorflowModel(([users, items], { U, V }) => tf.gather(U, users).mul(tf.gather(V, items)).sum(1), {
 *   U: [user.length, 8],
 *   V: [item.length, 8],
 * });
 * const learn = new Learner(dls, dot);
 * await learn.fit(1, 0.01);
 * const own = new LearnerRecommender(learn, { name: 'dot product' });
 * own.recommend(own.users.classes[0], { n: 5 });
 */
export class LearnerRecommender extends Recommender {
  readonly name: string;

  /**
   * @param learn what trains the model; further training shows in what is recommended
   * @param options see LearnerRecommenderOptions
   * @throws ArgumentError for a learner of other loaders, and for a model with more than one output
   */
  constructor(
    readonly learn: Learner,
    options: LearnerRecommenderOptions = {},
  ) {
    checkOptions(options, ['name'], 'LearnerRecommender');
    const { name = 'own model' } = options;
    if (typeof name !== 'string' || name === '')
      throw new ArgumentError(`name must be a text, got ${whatIs(name)}.`);
    const { names, catalogue, seen } = partsOf(learn);
    super(seen, { names, catalogue });
    this.name = name;
  }

  /**
   * What the model predicts for a block of users and all tracks: see {@link Recommender.scores}.
   */
  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    const { learn } = this;
    learn.settle();
    const tracks = this.tracks.length;
    const pairs = users.length * tracks;
    for (let from = 0; from < pairs; from += CHUNK) {
      const size = Math.min(CHUNK, pairs - from);
      const [user, item] = [new Int32Array(size), new Int32Array(size)];
      for (let i = 0; i < size; i++) {
        user[i] = users[Math.floor((from + i) / tracks)] + 1; // row 0 of the tables is #na#
        item[i] = ((from + i) % tracks) + 1;
      }
      const batch = {
        size,
        inputs: [user, item],
        targets: new Float32Array(size).fill(NaN),
        rows: new Int32Array(size).fill(-1),
      };
      const made = predictions(learn.model, batch, { training: false });
      if (made.length < size) {
        throw new ArgumentError(
          `The model's forward must return a prediction for each of the ${size} rows of the batch, got ${made.length} numbers.`,
        );
      }
      out.set(made.subarray(0, size), from);
    }
  }

  /** What `getPreds` returns for a score. */
  override prediction(score: number): number {
    return this.learn.lossFunc.activation(Float32Array.of(score), 1)[0];
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<LearnerRecommender> = {
    name: 'LearnerRecommender',
    data: 'none',
    describe: (recommender) => ({
      config: { title: recommender.name },
      parts: [libraryLearner(recommender)],
    }),
    make: (_data, config, _tensors, [learn]) =>
      new LearnerRecommender(learn as unknown as Learner, { name: config.text('title') }),
  };
}

/** What the learner's loaders know. */
function partsOf(
  learn: Learner,
): Pick<CollabDataLoaders, 'names' | 'catalogue'> & Pick<Recommender, 'seen'> {
  if (!(learn instanceof Learner))
    throw new ArgumentError(
      `LearnerRecommender needs a learner, such as new Learner(dls, model), got ${whatIs(learn)}.`,
    );
  const { dls, model } = learn;
  if (!(dls instanceof CollabDataLoaders)) {
    throw new ArgumentError(
      `LearnerRecommender needs a learner with CollabDataLoaders, which know users and tracks, got ${whatIs(dls)}.`,
    );
  }
  if (model.outputs !== 1) {
    throw new ArgumentError(
      `LearnerRecommender needs a model with one output, the score of a user and a track; got one with ${model.outputs}.`,
    );
  }
  return {
    names: dls.names,
    catalogue: dls.catalogue,
    seen: learn instanceof CollabModelLearner ? learn.seen : trainingInteractions(dls),
  };
}

/** A learner of the library for the same model and loaders, which a file can hold. */
function libraryLearner({ name, learn }: LearnerRecommender): CollabModelLearner {
  if (learn instanceof CollabModelLearner) return learn;
  const { model, lossFunc, wd, epochsTrained } = learn;
  const dls = learn.dls as CollabDataLoaders;
  const options = { lossFunc, wd };
  let made: CollabModelLearner;
  if (model instanceof EmbeddingDotBias) made = new CollabLearner(dls, model, options);
  else if (model instanceof EmbeddingNN) made = new CollabNNLearner(dls, model, options);
  else if (model instanceof LightGCN) made = new LightGCNLearner(dls, model, options);
  else {
    throw new ArgumentError(
      `The model of ${name} is one of your own, and a file holds no code to make it again of. Keep its weights by learn.save(file); to use them, make the model, the ` +
        'loaders and the learner as before, then learn.load(file) and new LearnerRecommender(learn).',
    );
  }
  made.epochsTrained = epochsTrained;
  return made;
}
