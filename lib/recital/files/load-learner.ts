import type { Fields } from '../data/files/fields.js';
import { openSafetensors, type TensorSource } from '../data/files/safetensors.js';
import { isFile } from '../data/files/text-file.js';
import { ArgumentError, DataError } from '../errors.js';
import { Learner, type LearnerOptions } from '../learner/learner.js';
import { EXTENSION, fileConfig } from '../learner/model-file.js';
import { registerRecommenderKind, sayWithoutSeen } from '../recommend/export-recommender.js';
import { CollabLearner } from '../recommend/learners/collab.js';
import { CollabRecommender } from '../recommend/learners/collab-recommender.js';
import { describeCollab, readCollab } from '../recommend/learners/export-collab.js';
import type { Recommender } from '../recommend/recommender.js';
import { describeSequences, LSTMLearner } from '../sequential/lstm.js';

import { readSequences } from './load-sequences.js';
import '../recommend/learners/light-gcn.js';

/** What makes a learner of a file, by the kind of its loaders. */
type Reader = (st: TensorSource, config: Fields, options: LearnerOptions) => Learner;
const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['collab', readCollab],
  ['sequences', readSequences],
]);

/** The learner that a file describes. */
export function readLearner(st: TensorSource, config: Fields, options: LearnerOptions): Learner {
  const read =
    readers.get(config.text('loaders')) ??
    config.wrong('loaders', [...readers.keys()].join(' or '));
  return read(st, config, options);
}

/**
 * Options of {@link loadLearner}; those of a Learner are for what a file cannot hold: metrics,
 * callbacks, a loss of one's own.
 */
export type LoadLearnerOptions = LearnerOptions;

/** A class of learners. */
export type LearnerClass<L extends Learner> = abstract new (...args: never[]) => L;

/**
 * A learner from the file that `learn.export` wrote, without the data that it was trained on: it
 * recommends, finds similar tracks, and predicts rows given to `learn.dls.testDl`, as the exported
 * one did. To train on, make loaders and a learner of the data, and
 * `learn.load(file, { withOpt: false })`.
 *
 * Nothing in the file is executed, and everything is checked before it is used, so that a file may
 * come from anybody.
 * @param file its path; `.safetensors` is added if there is no such file without
 * @param options those of a Learner, and `type`: the learner's class, default CollabLearner. For a
 *   network: CollabNNLearner; for sequences: LSTMLearner. A class that others extend, such as
 *   CollabRecommender, takes all of them
 * @throws DataError for a file that is missing, cut off, or not of this kind
 * @example
 * const file = learn.export('listeners');
 * loadLearner(file).recommend(user, { n: 10 });
 */
export function loadLearner<L extends Learner>(
  file: string,
  options: LoadLearnerOptions & {
    /** The learner's class; default CollabLearner. */
    type: LearnerClass<L>;
  },
): L;
export function loadLearner(
  file: string,
  options?: LoadLearnerOptions & { type?: undefined },
): CollabLearner;
export function loadLearner(
  file: string,
  options: LoadLearnerOptions & { type?: LearnerClass<Learner> } = {},
): Learner {
  if (typeof file !== 'string')
    throw new ArgumentError(
      `loadLearner needs the path of a file that learn.export wrote, got ${typeof file}.`,
    );
  const { type = CollabLearner, ...rest } = options;
  return openSafetensors(
    file.endsWith(EXTENSION) || isFile(file) ? file : file + EXTENSION,
    (st) => {
      const config = fileConfig(st, ['learner']);
      const learn = readLearner(st, config, rest);
      if (learn instanceof type) {
        if (learn instanceof CollabRecommender || learn instanceof LSTMLearner)
          sayWithoutSeen(learn, file);
        return learn;
      }
      const { name } = learn.constructor;
      throw new DataError(
        `it holds a ${name}, not a ${type.name}: loadLearner(file, { type: ${name} }).`,
      );
    },
  );
}

// Learners as parts of recommenders.
registerRecommenderKind<Recommender>({
  name: 'learner',
  type: Learner as unknown as abstract new () => Recommender,
  is: (recommender: unknown) =>
    recommender instanceof CollabRecommender || recommender instanceof LSTMLearner,
  data: 'none',
  describe: (learn: unknown, options) => {
    const { config, tensors } =
      learn instanceof CollabRecommender
        ? describeCollab(learn, options)
        : describeSequences(learn as LSTMLearner, options);
    return { config: { learner: config }, tensors };
  },
  make: ({ lossFunc }, config, tensors) =>
    readLearner(tensors, config.object('learner'), { lossFunc }) as unknown as Recommender,
});
