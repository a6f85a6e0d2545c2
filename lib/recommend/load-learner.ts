import { openSafetensors } from '../data/safetensors.js';
import { isFile } from '../data/text-file.js';
import { DataError } from '../errors.js';
import { fileConfig } from '../learner/checkpoint.js';
import type { LearnerOptions } from '../learner/learner.js';
import { EXTENSION } from '../learner/model-file.js';
import { CollabLearner } from './collab.js';
import type { CollabRecommender } from './collab-recommender.js';
import { readCollab } from './export-collab.js';

/** Options of {@link loadLearner}; those of a Learner are for what a file cannot hold: metrics, callbacks, a loss of one's own. */
export interface LoadLearnerOptions<L extends CollabRecommender = CollabLearner> extends LearnerOptions {
  /** The learner's class; default CollabLearner. For a network: CollabNNLearner. CollabRecommender takes either. */
  type?: abstract new (
    ...args: never[]
  ) => L;
}

/**
 * A learner from the file that `learn.export` wrote, without the data that it was trained on: it recommends, finds similar tracks, and predicts rows given to
 * `learn.dls.testDl`, as the exported one did. To train on, make loaders and a learner of the data, and `learn.load(file, { withOpt: false })`.
 *
 * Nothing in the file is executed, and everything is checked before it is used, so that a file may come from anybody.
 * @param file its path; `.safetensors` is added if there is no such file without
 * @throws DataError for a file that is missing, cut off, or not of this kind
 * @example
 * const file = learn.export('listeners');
 * loadLearner(file).recommend(user, { n: 10 });
 */
export function loadLearner<L extends CollabRecommender = CollabLearner>(file: string, options: LoadLearnerOptions<L> = {}): L {
  const { type = CollabLearner as unknown as NonNullable<LoadLearnerOptions<L>['type']>, ...rest } = options;
  return openSafetensors(file.endsWith(EXTENSION) || isFile(file) ? file : file + EXTENSION, (st) => {
    const config = fileConfig(st, ['learner']);
    if (config.text('loaders') !== 'collab') config.wrong('loaders', '"collab"');
    const learn = readCollab(st, config, rest);
    if (learn instanceof type) return learn as L;
    const { name } = learn.constructor;
    throw new DataError(`it holds a ${name}, not a ${type.name}: loadLearner(file, { type: ${name} }).`);
  });
}
