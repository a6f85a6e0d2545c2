import type { Fields } from '../data/fields.js';
import { openSafetensors, type SafetensorsFile } from '../data/safetensors.js';
import { isFile } from '../data/text-file.js';
import { ArgumentError, DataError } from '../errors.js';
import { fileConfig } from '../learner/checkpoint.js';
import type { Learner, LearnerOptions } from '../learner/learner.js';
import { EXTENSION } from '../learner/model-file.js';
import { CollabLearner } from './collab.js';
import { readCollab } from './export-collab.js';
import { readSequences } from './load-sequences.js';
import './light-gcn.js';

/** What makes a learner of a file, by the kind of its loaders. */
type Reader = (st: SafetensorsFile, config: Fields, options: LearnerOptions) => Learner;
const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['collab', readCollab],
  ['sequences', readSequences],
]);

/** Options of {@link loadLearner}; those of a Learner are for what a file cannot hold: metrics, callbacks, a loss of one's own. */
export type LoadLearnerOptions = LearnerOptions;

/** A class of learners. */
export type LearnerClass<L extends Learner> = abstract new (...args: never[]) => L;

/**
 * A learner from the file that `learn.export` wrote, without the data that it was trained on: it recommends, finds similar tracks, and predicts rows given to
 * `learn.dls.testDl`, as the exported one did. To train on, make loaders and a learner of the data, and `learn.load(file, { withOpt: false })`.
 *
 * Nothing in the file is executed, and everything is checked before it is used, so that a file may come from anybody.
 * @param file its path; `.safetensors` is added if there is no such file without
 * @param options those of a Learner, and `type`: the learner's class, default CollabLearner. For a network: CollabNNLearner; for sequences: LSTMLearner. A class
 *   that others extend, such as CollabRecommender, takes all of them
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
export function loadLearner(file: string, options?: LoadLearnerOptions & { type?: undefined }): CollabLearner;
export function loadLearner(file: string, options: LoadLearnerOptions & { type?: LearnerClass<Learner> } = {}): Learner {
  if (typeof file !== 'string') throw new ArgumentError(`loadLearner needs the path of a file that learn.export wrote, got ${typeof file}.`);
  const { type = CollabLearner, ...rest } = options;
  return openSafetensors(file.endsWith(EXTENSION) || isFile(file) ? file : file + EXTENSION, (st) => {
    const config = fileConfig(st, ['learner']);
    const read = readers.get(config.text('loaders')) ?? config.wrong('loaders', [...readers.keys()].join(' or '));
    const learn = read(st, config, rest);
    if (learn instanceof type) return learn;
    const { name } = learn.constructor;
    throw new DataError(`it holds a ${name}, not a ${type.name}: loadLearner(file, { type: ${name} }).`);
  });
}
