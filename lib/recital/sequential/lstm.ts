import path from 'node:path';
import { Random } from '../compute/random.js';
import { makeFolder } from '../data/files/atomic-write.js';
import type { Json } from '../data/files/fields.js';
import type { Tensor } from '../data/files/safetensors.js';
import { fingerprint, tracksTensors, vocabularyTensors } from '../data/files/tensors.js';
import { SequenceDataLoaders } from '../data/sequence-loaders.js';
import { Histories, type SequenceDataset } from '../data/sequences.js';
import type { Table } from '../data/table.js';
import type { Tracks } from '../data/tracks.js';
import type { Vocabulary } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import { Learner, type LearnerOptions } from '../learner/learner.js';
import { learnerOptions } from '../learner/learner-options.js';
import { isPath, modelFile, modelTensors, writeModelFile } from '../learner/model-file.js';
import { LSTMModel, type LSTMModelOptions, lstmModelOptions } from '../models/lstm.js';
import { CrossEntropyLossFlat } from '../nn/cross-entropy.js';
import { lossConfig } from '../nn/losses.js';
import { checkOptions } from '../options.js';
import {
  type ExportOptions,
  exportOptions,
  registerRecommenderKind,
} from '../recommend/export-recommender.js';
import type { FoldedUser, HistoryItem, HistoryOptions } from '../recommend/fold-in.js';
import type { Interactions } from '../recommend/interactions.js';
import type { RecommendationBatch } from '../recommend/recommendation-batch.js';
import type { Recommendations } from '../recommend/recommendations.js';
import type {
  Id,
  RecommendOptions,
  SimilarTracksOptions,
  TrackVectors,
} from '../recommend/recommender.js';
import type { SimilarUsersOptions } from '../recommend/similar.js';
import { LSTMRecommender, trainedPart } from './lstm-recommender.js';
import { namesOnly, type SequenceRecommender } from './sequence-recommender.js';

/** Options of {@link lstmLearner}: those of a Learner, and the model's. */
export interface LSTMLearnerOptions extends LearnerOptions, Omit<LSTMModelOptions, 'random'> {
  /** Seed of the initial weights, dropout masks and negatives; default 42. */
  seed?: number | string;
}

/** Their names. */
const lstmLearnerOptions = [
  ...learnerOptions,
  ...lstmModelOptions.filter((name) => name !== 'random'),
  'seed' as const,
];

/**
 * A learner of the next track: an LSTMModel, trained by cross-entropy on windows of what was
 * played. It recommends, too.
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
  if (!(dls instanceof SequenceDataLoaders)) {
    throw new ArgumentError(
      `lstmLearner needs loaders, such as SequenceDataLoaders.fromPlays(plays) makes, got ${dls === null ? 'null' : typeof dls}.`,
    );
  }
  checkOptions(options, lstmLearnerOptions, 'lstmLearner');
  const {
    embSz,
    layers,
    cell,
    dropout,
    embedP,
    tied,
    embInit,
    negatives,
    seed = 42,
    lossFunc = new CrossEntropyLossFlat(),
    ...rest
  } = options;
  const random = new Random(seed).child('init');
  const model = new LSTMModel(dls.classes, {
    embSz,
    layers,
    cell,
    dropout,
    embedP,
    tied,
    embInit,
    negatives,
    random,
  });
  const learn = new LSTMLearner(dls, model, { lossFunc, ...rest });
  learn.seed = seed;
  return learn;
}

/**
 * A Learner of an LSTMModel that recommends: what {@link LSTMRecommender} says, of this very
 * learner, so that it can stand wherever a recommender of the next track can.
 * @example
 * const learn: LSTMLearner = lstmLearner(SequenceDataLoaders.fromPlays(plays));
 * await learn.fitOneCycle(3, 3e-3);
 * learn.recommend(['Song A', 'Song B'], { n: 5 });
 */
export class LSTMLearner extends Learner implements SequenceRecommender {
  declare readonly dls: SequenceDataLoaders;
  declare readonly model: LSTMModel;
  readonly scale = 'logit' as const;
  readonly usesHistory: boolean = true;
  /** Seed of the initial weights, if they had one. */
  seed: number | string | undefined;
  private own: LSTMRecommender | undefined;

  /** What this learner recommends by. */
  get recommender(): LSTMRecommender {
    this.own ??= new LSTMRecommender(this);
    return this.own;
  }

  /** `LSTM` or `GRU`. */
  get name(): string {
    return this.model.config.cell.toUpperCase();
  }

  /** What training has of each user's plays, in order. */
  get histories(): Histories {
    return this.recommender.histories;
  }

  /** The windows that it validates with. */
  get heldOut(): SequenceDataset {
    return this.recommender.heldOut;
  }

  /** What each user has in training. */
  get seen(): Interactions {
    return this.recommender.seen;
  }

  /** Users with plays in training. */
  get users(): Vocabulary {
    return this.recommender.users;
  }

  /** Tracks with plays in training, the ones that can be recommended. */
  get tracks(): Vocabulary {
    return this.recommender.tracks;
  }

  /** Where titles come from, if the loaders have a catalogue. */
  get catalogue(): Tracks | undefined {
    return this.dls.catalogue;
  }

  /** From a score to the probability that lists report: see {@link LSTMRecommender}. */
  get prediction(): ((score: number) => number) | undefined {
    return this.recommender.prediction;
  }

  /** Whether the user has plays in training. */
  knows(user: Id): boolean {
    return this.recommender.knows(user);
  }

  /** Whether the track with this id has plays in training. */
  knowsTrack(track: Id): boolean {
    return this.recommender.knowsTrack(track);
  }

  /** Logits of all tracks after a history. */
  scoresOf(history: Int32Array, out: Float32Array): void {
    this.recommender.scoresOf(history, out);
  }

  /** Logits of all tracks after several histories. */
  scoresOfMany(histories: readonly Int32Array[], out: Float32Array): void {
    this.recommender.scoresOfMany(histories, out);
  }

  /** Scores of a block of users and all tracks, as lists report them before `prediction`. */
  scores(users: Int32Array, out: Float32Array): void {
    this.recommender.scores(users, out);
  }

  /**
   * The best next tracks for a user, or after tracks that were just played: see
   * {@link SequenceRecommender.recommend}.
   */
  recommend(user: Id | readonly Id[], options: RecommendOptions = {}): Recommendations {
    return this.recommender.recommend(user, options);
  }

  /** The same for many users at once: see {@link SequenceRecommender.recommendBatch}. */
  recommendBatch(users: readonly Id[], options: RecommendOptions = {}): RecommendationBatch {
    return this.recommender.recommendBatch(users, options);
  }

  /**
   * A listener who has just played these tracks, in order: see {@link SequenceRecommender.foldIn}.
   */
  foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    return this.recommender.foldIn(history, options);
  }

  /** Whether `foldIn` works: it does. */
  get canFoldIn(): boolean {
    return true;
  }

  /** The users who have played most of the same: see {@link SequenceRecommender.similarUsers}. */
  similarUsers(user: Id, options: SimilarUsersOptions = {}): Table {
    return this.recommender.similarUsers(user, options);
  }

  /**
   * The tracks whose vectors have the largest cosine with that of a track: see
   * {@link SequenceRecommender.similarTracks}.
   */
  similarTracks(track: Id, options: SimilarTracksOptions = {}): Recommendations {
    return this.recommender.similarTracks(track, options);
  }

  /** The vector of each track; a copy. */
  trackVectors(): TrackVectors {
    return this.recommender.trackVectors();
  }

  /**
   * Writes all that a learner needs that works without the training data's files: the weights, the
   * tracks, what training has of each user's plays, in order, the loss, and title, artist and year
   * of the tracks. `loadLearner(file, { type: LSTMLearner })` reads it. In safetensors' format:
   * `model.PARAMETER`, `buffers.NAME`, `classes.item` and `users` (`.bytes`: the ids in UTF-8, one
   * after the other; `.offsets`: id i is bytes[offsets[i] … offsets[i + 1])), `histories.indptr`
   * and `histories.item` (user u has played item[indptr[u] … indptr[u + 1])), `catalogue.…`, and in
   * its metadata a description as JSON.
   *
   * So the file holds **the listening histories of training**, unless `{ seen: false }` leaves them
   * out: the loaded learner recommends after tracks then, and to no user by id.
   * @param file a name: the file is `path/NAME.safetensors`, default `export`. Or a path that is
   *   absolute or begins with `./`
   * @returns the path of the file
   */
  export(file = 'export', options: ExportOptions = {}): string {
    const full = modelFile(file, this.path);
    const contents = describeSequences(this, exportOptions(options));
    if (!isPath(file)) makeFolder(path.dirname(full));
    writeModelFile(full, 'learner', contents);
    return full;
  }
}

registerRecommenderKind<LSTMRecommender>({
  name: 'LSTMRecommender',
  type: LSTMRecommender,
  data: 'none',
  describe: ({ learn }) => ({
    config: {},
    parts: [learn instanceof LSTMLearner ? learn : recommendingLearner(learn)],
  }),
  make: (_data, _config, _tensors, [learn]) => new LSTMRecommender(learn as unknown as LSTMLearner),
});

/** A learner that recommends, of the model and the loaders of another. */
function recommendingLearner({ dls, model, lossFunc, wd, epochsTrained }: Learner): LSTMLearner {
  const made = new LSTMLearner(dls, model, { lossFunc, wd });
  made.epochsTrained = epochsTrained;
  return made;
}

/** What a file says of a learner of sequences: see {@link LSTMLearner.export}. */
export function describeSequences(
  learn: LSTMLearner,
  options: Required<ExportOptions>,
): { config: Json; tensors: Map<string, Tensor> } {
  learn.settle();
  const { dls, model, lossFunc, epochsTrained, seed } = learn;
  const seen = options.seen && !namesOnly.has(dls.histories);
  const trained = trainedPart(dls);
  const { users, items, indptr, item, catalogue } = seen
    ? dls.histories.only(trained.plays)
    : namesOf(dls.histories, trained.tracks);
  const tensors = modelTensors(model);
  tensors.delete('buffers.negatives.step'); // a learner from a file draws none
  for (const [name, tensor] of vocabularyTensors('classes.item', items)) tensors.set(name, tensor);
  for (const [name, tensor] of users ? vocabularyTensors('users', users) : [])
    tensors.set(name, tensor);
  tensors.set('histories.indptr', { shape: [indptr.length], data: indptr });
  tensors.set('histories.item', { shape: [item.length], data: item });
  for (const [name, tensor] of catalogue ? tracksTensors(catalogue) : []) tensors.set(name, tensor);
  const config = {
    loaders: 'sequences',
    ...(!seen && { seen }),
    model: { name: 'LSTMModel', ...model.config, probabilistic: model.probabilistic },
    loss: lossConfig(lossFunc),
    classes: { item: fingerprint(items) },
    kinds: { item: items.kind, ...(users && { user: users.kind }) },
    length: dls.dataset.windowLength,
    everyPosition: dls.dataset.everyPosition,
    bs: seen ? dls.train.bs : 1,
    valBs: seen ? dls.valid.bs : 1,
    epochsTrained,
    seed,
  };
  return { config: config as Json, tensors };
}

/** In place of what anybody has played: one sequence that names each track of training once. */
function namesOf({ items, catalogue }: Histories, trained: Uint8Array): Histories {
  const item = Int32Array.from(trained.keys()).filter((t) => trained[t] === 1);
  return Histories.from({ items, indptr: Int32Array.of(0, item.length), item, catalogue });
}
