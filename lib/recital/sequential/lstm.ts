import { Random } from '../compute/random.js';
import type { Batch } from '../data/batches.js';
import { numbersWhere } from '../data/csr.js';
import { SequenceDataLoaders } from '../data/sequence-loaders.js';
import type { SequenceDataset } from '../data/sequences.js';
import { ArgumentError } from '../errors.js';
import { Learner, type LearnerOptions, learnerOptions } from '../learner/learner.js';
import { LSTMModel, type LSTMModelOptions, lstmModelOptions } from '../models/lstm.js';
import { CrossEntropyLossFlat } from '../nn/cross-entropy.js';
import { checkArgument, checkOptions, said } from '../options.js';
import type { HistoryItem } from '../recommend/fold-in.js';
import {
  type RecommendingLearner,
  recommendingLearner,
} from '../recommend/learners/recommending-learner.js';
import { restoreLearner, restoreOptions } from '../recommend/learners/saved-learner.js';
import type { Recommendations } from '../recommend/recommendations.js';
import {
  checkHistories,
  type Id,
  type Recommender,
  type RecommendOptions,
  type TrackVectors,
} from '../recommend/recommender.js';
import type { SavedForm } from '../recommend/saved-form.js';
import { describeSequences, readSequences } from './lstm-file.js';
import { namesOnly, SequenceRecommender, trainedPart } from './sequence-recommender.js';

/** Options of {@link lstmLearner}: those of a Learner, and the model's. */
export interface LSTMLearnerOptions extends LearnerOptions, Omit<LSTMModelOptions, 'random'> {
  /** Seed of the initial weights, dropout masks and negatives; default 42. */
  seed?: number | string;
}

const MODEL = lstmModelOptions.filter((name) => name !== 'random');

/**
 * A learner of an LSTMModel that predicts the next track, trained by cross-entropy on windows of
 * histories. It is a recommender, too.
 * @param dls from SequenceDataLoaders
 * @example
 * const learn = lstmLearner(SequenceDataLoaders.fromPlays(plays, { everyPosition: true }), { metrics: accuracy });
 * await learn.fitOneCycle(5, 3e-3);
 * learn.recommend(user, { n: 10 });
 * learn.recommend(['Song A', 'Song B']); // after these two
 */
export function lstmLearner(
  dls: SequenceDataLoaders,
  options: LSTMLearnerOptions = {},
): LSTMLearner {
  const wanted = 'loaders, such as SequenceDataLoaders.fromPlays(plays) makes';
  checkArgument(dls instanceof SequenceDataLoaders, dls, 'lstmLearner', wanted);
  checkOptions(options, [...learnerOptions, ...MODEL, 'seed'], 'lstmLearner');
  const { seed = 42, lossFunc = new CrossEntropyLossFlat(), ...rest } = options;
  const among = (names: readonly string[]): object =>
    Object.fromEntries(Object.entries(rest).filter(([name]) => names.includes(name)));
  const random = new Random(seed).child('init');
  const model = new LSTMModel(dls.classes, { ...among(MODEL), random });
  const learn = new LSTMLearner(dls, model, { ...among(learnerOptions), lossFunc });
  learn.seed = seed;
  return learn;
}

/** Scores that a forward pass makes at once, at most: 16 MB. */
const BLOCK_SCORES = 1 << 22;

/**
 * The next-track recommender of an LSTMModel that a Learner has trained on SequenceDataLoaders. It
 * reads the last tracks of a history, as many as a window has.
 *
 * Scores in lists are probabilities that the track comes next, the softmax of the logits of
 * `scoresOf`; those of a model trained to rank, by BPR-max, stay as they are. Tracks that occur in
 * held-out plays only cannot be recommended.
 * @example
 * const learn = await trainModel(new LSTMModel(dls.classes), dls, { epochs: 5 });
 * evaluateNextItem(new LSTMRecommender(learn), heldOut);
 */
export class LSTMRecommender extends SequenceRecommender {
  /** `LSTM` or `GRU`. */
  readonly name: string;
  override readonly scale = 'logit' as const;
  override readonly prediction?: (score: number) => number;
  /** The windows that its learner validates with. */
  override readonly heldOut: SequenceDataset;
  /** Number of tracks of a history that the model reads, at most. */
  readonly length: number;
  private readonly model: LSTMModel;
  /** The index in the model of each track, where the two differ. */
  private readonly classOf: Int32Array | undefined;

  /**
   * @param learn what has trained the model; further training shows in what is recommended
   * @throws ArgumentError for a learner of another model or of other loaders
   */
  constructor(readonly learn: Learner) {
    const { model, dls } = partsOf(learn);
    const { plays, tracks } = trainedPart(dls);
    const trained = numbersWhere(tracks.length, (t) => tracks[t] === 1);
    const classOf = trained.length < tracks.length ? trained : undefined;
    const items = classOf && dls.histories.items.subset(classOf);
    const histories = dls.histories.only(plays, { items });
    if (namesOnly.has(dls.histories)) namesOnly.add(histories);
    super(histories);
    this.heldOut = dls.valid.dataset;
    this.name = model.config.cell.toUpperCase();
    this.model = model;
    this.length = dls.dataset.windowLength;
    this.classOf = classOf;
    if (model.probabilistic) this.prediction = Math.exp;
  }

  /** Logits of all tracks after a history: see {@link SequenceRecommender.scoresOf}. */
  scoresOf(history: Int32Array, out: Float32Array): void {
    this.scoresOfMany([history], out);
  }

  /** The same for several histories, as many at once as there is room for. */
  override scoresOfMany(histories: readonly Int32Array[], out: Float32Array): void {
    checkHistories(this, histories, out);
    const { learn, model, classOf } = this;
    const { outputs } = model;
    const tracks = this.tracks.length;
    learn.settle();
    const block = Math.max(1, Math.min(256, Math.floor(BLOCK_SCORES / outputs)));
    for (let from = 0; from < histories.length; from += block) {
      const part = histories.slice(from, from + block);
      const pred = model.forward(this.batchOf(part), false);
      if (!classOf) out.set(pred.subarray(0, part.length * outputs), from * tracks);
      else
        for (let b = 0; b < part.length; b++)
          for (let t = 0; t < tracks; t++)
            out[(from + b) * tracks + t] = pred[b * outputs + classOf[t]];
    }
  }

  /** From logits to logarithms of probabilities. */
  override listed(scores: Float32Array): void {
    const wanted = 'the scores of all tracks, a Float32Array';
    checkArgument(scores instanceof Float32Array, scores, 'listed', wanted);
    if (!this.model.probabilistic) return;
    let max = -Infinity;
    for (let t = 0; t < scores.length; t++) if (scores[t] > max) max = scores[t];
    let sum = 0;
    for (let t = 0; t < scores.length; t++) sum += Math.exp(scores[t] - max);
    const log = max + Math.log(sum);
    for (let t = 0; t < scores.length; t++) scores[t] -= log;
  }

  /** The output vector of each track, a copy: tracks that follow the same tracks have similar ones. */
  override trackVectors(): TrackVectors {
    this.learn.settle();
    const { value, shape } = this.model.itemVectors;
    const width = shape[1];
    if (!this.classOf) return { values: value.slice(), width };
    const values = new Float32Array(this.tracks.length * width);
    this.classOf.forEach((c, t) => {
      values.set(value.subarray(c * width, (c + 1) * width), t * width);
    });
    return { values, width };
  }

  /** The last tracks of some histories, as the model's batch. */
  private batchOf(histories: readonly Int32Array[]): Batch {
    const { classOf } = this;
    const sizes = Int32Array.from(histories, (history) => Math.min(history.length, this.length));
    if (sizes.includes(0))
      throw new ArgumentError(`${this.name} needs a history of at least one track, got none.`);
    const width = sizes.reduce((a, b) => Math.max(a, b), 1);
    const items = new Int32Array(histories.length * width);
    histories.forEach((history, r) => {
      const last = history.subarray(history.length - sizes[r]);
      items.set(classOf ? last.map((t) => classOf[t]) : last, r * width);
    });
    const size = histories.length;
    const [targets, rows] = [new Float32Array(size), new Int32Array(size)];
    return { size, inputs: [items, sizes], targets, rows };
  }

  static readonly saved: SavedForm<LSTMRecommender> = {
    name: 'LSTMRecommender',
    data: 'none',
    describe: ({ learn }) => ({
      config: {},
      parts: [learn instanceof LSTMLearner ? learn : recommendingCopy(learn)],
    }),
    make: (_data, _config, _tensors, [learn]) => new LSTMRecommender(learn as LSTMLearner),
  };
}

type Answered = SequenceRecommender & Pick<LSTMRecommender, 'trackVectors'>;
const Recommending: RecommendingLearner<Answered> = recommendingLearner({
  properties: ['histories', 'heldOut', 'scale', 'usesHistory'],
  methods: ['scoresOf', 'scoresOfMany'],
});

/**
 * A Learner of an LSTMModel that is a next-track recommender, too: its {@link LSTMRecommender}
 * answers.
 * @example
 * const learn: LSTMLearner = lstmLearner(SequenceDataLoaders.fromPlays(plays));
 * await learn.fitOneCycle(3, 3e-3);
 * learn.recommend(['Song A', 'Song B'], { n: 5 });
 */
export class LSTMLearner extends Recommending<LSTMRecommender> {
  /** The loaders that it was made with. */
  declare readonly dls: SequenceDataLoaders;
  /** The model that it trains. */
  declare readonly model: LSTMModel;

  protected override makeRecommender(): LSTMRecommender {
    return new LSTMRecommender(this);
  }

  static readonly saved: SavedForm<LSTMLearner> = {
    name: 'LSTMModel',
    data: 'none',
    describe: describeSequences,
    make: ({ options }, config, tensors) => {
      const { dls, model } = readSequences(tensors, config);
      return restoreLearner(new LSTMLearner(dls, model, restoreOptions(config, options)), config);
    },
  };
}

/** An LSTMLearner with the model and the loaders of another learner. */
function recommendingCopy({ dls, model, lossFunc, wd, epochsTrained }: Learner): LSTMLearner {
  const made = new LSTMLearner(dls, model, { lossFunc, wd });
  made.epochsTrained = epochsTrained;
  return made;
}

/** The model and the loaders of a learner, checked. */
function partsOf(learn: Learner): { model: LSTMModel; dls: SequenceDataLoaders } {
  const of = 'LSTMRecommender';
  const isLearner = learn instanceof Learner;
  checkArgument(isLearner, learn, of, 'a learner, such as trainModel or lstmLearner returns');
  const { model, dls } = learn;
  if (!(model instanceof LSTMModel))
    throw new ArgumentError(
      `${of} needs a learner of an LSTMModel, got one of ${model.constructor.name}.`,
    );
  if (!(dls instanceof SequenceDataLoaders))
    throw new ArgumentError(
      `${of} needs a learner with SequenceDataLoaders, which know the histories, got ${said(dls.constructor.name)}.`,
    );
  const { length } = dls.histories.items;
  if (model.outputs !== length)
    throw new ArgumentError(
      `The model is for ${model.outputs} tracks, the loaders have ${length}. Make it with their classes.`,
    );
  return { model, dls };
}

const known = new WeakMap<Learner, Recommender>();

/** A recommender as it is; for a learner that is none, its LSTMRecommender. */
function recommenderOf(from: Recommender | Learner): Recommender {
  if (!(from instanceof Learner) || 'recommend' in from) return from as Recommender;
  const recommender = known.get(from) ?? new LSTMRecommender(from);
  known.set(from, recommender);
  return recommender;
}

/**
 * Recommendations for a user, or after a history: the paper's `recommend_songs`. The label-encoded
 * user 7621 of the paper is `plays.users.id(7621)`.
 * @param from a recommender, or what `trainModel` returns
 * @param user a user's id, or a history: ids, titles or "title by artist", the last played last
 * @throws UnknownIdError for an unknown user or track, with a suggestion; ArgumentError for an
 *   empty history
 * @example recommendSongs(markov, ['Song A', 'Song B', 'Song C'], { n: 5 })
 */
export function recommendSongs(
  from: Recommender | Learner,
  user: Id | readonly HistoryItem[],
  options: RecommendOptions = {},
): Recommendations {
  const fits = from instanceof Learner || (typeof from === 'object' && from && 'recommend' in from);
  const wanted = 'a recommender or a learner, such as lstmLearner(dls)';
  checkArgument(!!fits, from, 'recommendSongs', wanted);
  const recommender = recommenderOf(from);
  if (typeof user !== 'object') return recommender.recommend(user, options);
  if (!recommender.canFoldIn) {
    throw new ArgumentError(
      `${recommender.name} recommends to users of its training data only, not from a history. Name a user.`,
    );
  }
  return recommender.foldIn(user).recommend(options);
}
