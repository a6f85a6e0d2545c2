import { CollabDataLoaders } from '../../data/collab.js';
import { ArgumentError } from '../../errors.js';
import { Learner } from '../../learner/learner.js';
import { predictions } from '../../nn/model.js';
import { checkArgument, given, whatIs } from '../../options.js';
import { checkScores, Recommender } from '../recommender.js';
import type { SavedForm } from '../saved-form.js';
import { CollabModelLearner, trainingInteractions } from './recommending-learner.js';

/** Pairs of a user and a track that go through a model at once. */
const CHUNK = 4096;

const DEFAULTS = {
  /** What it is called in comparisons; default `own model`. */
  name: 'own model',
};

/** Options of LearnerRecommender. */
export type LearnerRecommenderOptions = Partial<typeof DEFAULTS>;

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
    const { name } = given(DEFAULTS, options, 'LearnerRecommender');
    if (typeof name !== 'string' || name === '')
      throw new ArgumentError(`name must be a text, got ${whatIs(name)}.`);
    const of = 'LearnerRecommender';
    const example = 'a learner, such as new Learner(dls, model)';
    checkArgument(learn instanceof Learner, learn, of, example);
    const { dls, model } = learn;
    const loaders = 'a learner with CollabDataLoaders, which know users and tracks';
    checkArgument(dls instanceof CollabDataLoaders, dls, of, loaders);
    if (model.outputs !== 1)
      throw new ArgumentError(
        `LearnerRecommender needs a model with one output, the score of a user and a track; got one with ${model.outputs}.`,
      );
    const { names, catalogue } = dls;
    const seen = learn instanceof CollabModelLearner ? learn.seen : trainingInteractions(dls);
    super(seen, { names, catalogue });
    this.name = name;
  }

  /** What the model predicts for a block of users and all tracks: {@link Recommender.scores}. */
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
      const [targets, rows] = [new Float32Array(size).fill(NaN), new Int32Array(size).fill(-1)];
      const batch = { size, inputs: [user, item], targets, rows };
      const made = predictions(learn.model, batch, { training: false });
      if (made.length < size)
        throw new ArgumentError(
          `The model's forward must return a prediction for each of the ${size} rows of the batch, got ${made.length} numbers.`,
        );
      out.set(made.subarray(0, size), from);
    }
  }

  /** What `getPreds` returns for a score. */
  override prediction(score: number): number {
    return this.learn.lossFunc.activation(Float32Array.of(score), 1)[0];
  }

  /** How a file describes it, and how it is made again: only learners that are recommenders can. */
  static readonly saved: SavedForm<LearnerRecommender> = {
    name: 'LearnerRecommender',
    data: 'none',
    describe({ name, learn }) {
      if (learn instanceof CollabModelLearner) return { config: { title: name }, parts: [learn] };
      throw new ArgumentError(
        `The model of ${name} is one of your own: a file holds no code. Keep its weights by learn.save(file); to use them, make the learner as before, then learn.load(file).`,
      );
    },
    make: (_data, config, _tensors, [learn]) =>
      new LearnerRecommender(learn as unknown as Learner, { name: config.text('title') }),
  };
}
