import './als.js';
import './content.js';
import './ease.js';
import './factor-recommender.js';
import './friends.js';
import './hybrid.js';
import './item-knn.js';
import './pca-recommender.js';
import './rp3beta.js';
import './user-knn.js';
import type { Fields } from '../data/fields.js';
import { readVocabulary } from '../data/packed-strings.js';
import { Plays } from '../data/plays.js';
import { openSafetensors, type SafetensorsFile } from '../data/safetensors.js';
import { isFile } from '../data/text-file.js';
import { readTracks } from '../data/tracks-tensors.js';
import { ArgumentError, DataError } from '../errors.js';
import { fileConfig } from '../learner/checkpoint.js';
import { EXTENSION } from '../learner/model-file.js';
import { makeRecommender, type RecommenderData, type RecommenderTensors } from './export-recommender.js';
import { Interactions } from './interactions.js';
import type { Recommender } from './recommender.js';

/**
 * A recommender from the file that its `export` wrote: it gives the same lists, without the training data. What is counted from plays is counted again.
 * Nothing in the file is executed, and everything is checked before it is used. For learners there is {@link loadLearner}.
 * @param file its path; `.safetensors` is added if there is no such file without
 * @param options.type the class that is expected; default: any
 * @throws DataError for a file that is missing, cut off, or not of this kind
 * @example
 * new ItemKNN(plays).export('neighbours');
 * loadRecommender('neighbours').recommend(user, { n: 10 });
 */
export function loadRecommender<R extends Recommender>(file: string, options: { type: abstract new (...args: never[]) => R }): R;
export function loadRecommender(file: string, options?: { type?: abstract new (...args: never[]) => Recommender }): Recommender;
export function loadRecommender(file: string, { type }: { type?: abstract new (...args: never[]) => Recommender } = {}): Recommender {
  if (typeof file !== 'string') throw new ArgumentError(`loadRecommender needs the path of a file that export wrote, got ${typeof file}.`);
  return openSafetensors(file.endsWith(EXTENSION) || isFile(file) ? file : file + EXTENSION, (st) => {
    const config = fileConfig(st, ['recommender']);
    const recommender = makeRecommender(readData(st, config), config.object('recommender'), tensorsOf(st), 'model.');
    const { name } = recommender.constructor;
    if (!type || recommender instanceof type) return recommender;
    throw new DataError(`it holds a ${name}, not a ${type.name}.`);
  });
}

function tensorsOf(st: SafetensorsFile): RecommenderTensors {
  return {
    has: (name) => st.tensors.has(name),
    shape: (name) => st.tensors.get(name)?.shape ?? [],
    read: (name, dtype, shape) => st.read(name, dtype, shape),
  };
}

/** The plays of training. */
function readData(st: SafetensorsFile, config: Fields): RecommenderData {
  const named: Fields = config.object('kinds');
  const users = readVocabulary(st, 'users', { na: false, kind: named.text('users') });
  const tracks = readVocabulary(st, 'tracks', { na: false, kind: named.text('tracks') });
  const seen = Interactions.fromCsr({
    users,
    tracks,
    indptr: st.read('seen.indptr', 'I32'),
    indices: st.read('seen.indices', 'I32'),
    playcount: st.read('seen.playcount', 'F32'),
  });
  const user = new Int32Array(seen.length);
  for (let u = 0; u < users.length; u++) user.fill(u, seen.indptr[u], seen.indptr[u + 1]);
  const plays = new Plays({ users, tracks, user, track: seen.indices, playcount: seen.playcount, catalogue: readTracks(st) });
  return { plays, seen };
}
