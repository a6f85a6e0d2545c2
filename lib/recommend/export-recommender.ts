import type { Fields, Json } from '../data/fields.js';
import { vocabularyTensors } from '../data/packed-strings.js';
import type { Plays } from '../data/plays.js';
import type { Tensor } from '../data/safetensors.js';
import type { Dtype, TensorArrays } from '../data/safetensors-header.js';
import { tracksTensors } from '../data/tracks-tensors.js';
import { ArgumentError } from '../errors.js';
import { writeModelFile } from '../learner/checkpoint.js';
import { EXTENSION } from '../learner/model-file.js';
import type { Interactions } from './interactions.js';
import { Popularity } from './popularity.js';
import type { Recommender } from './recommender.js';

/** What a recommender is beside the plays that it was made of. */
export interface RecommenderDescription {
  /** Options and numbers, as JSON. */
  readonly config: { readonly [name: string]: Json | undefined };
  /** What is too large for that, by name. */
  readonly tensors?: ReadonlyMap<string, Tensor>;
}

/** What of a file belongs to one recommender. */
export interface RecommenderTensors {
  /** Whether there is a tensor of this name. */
  has(name: string): boolean;
  /** Its shape. */
  shape(name: string): readonly number[];
  /** Its values, checked to be of this kind and shape. */
  read<D extends Dtype>(name: string, dtype: D, shape?: readonly number[]): TensorArrays[D];
}

/** What a recommender has been trained on, from its file. */
export interface RecommenderData {
  readonly plays: Plays;
  readonly seen: Interactions;
}

/** How a recommender gets into a file and out again. A file says the name only; nothing in it is ever executed. */
export interface RecommenderKind<R extends Recommender = Recommender> {
  /** Name of the class. */
  readonly name: string;
  /** The class. */
  readonly type: abstract new (
    ...args: never[]
  ) => R;
  /** What `make` needs beside the plays. */
  describe(recommender: R): RecommenderDescription;
  /** Makes it again of the plays, which come as `seen` too: with the users and tracks that have none. */
  make(data: RecommenderData, config: Fields, tensors: RecommenderTensors): R;
}

const kinds = new Map<string, RecommenderKind>();

/** Makes a kind of recommender known to `export` and {@link loadRecommender}: for those of one's own. Those of the library are known. */
export function registerRecommenderKind<R extends Recommender>(kind: RecommenderKind<R>): void {
  kinds.set(kind.name, kind as unknown as RecommenderKind);
}

/** The name and description of a recommender, its tensors under names that begin with `prefix`. */
export function describeRecommender(recommender: Recommender, tensors: Map<string, Tensor>, prefix: string): Json {
  const kind = [...kinds.values()].find(({ type }) => recommender.constructor === type);
  if (!kind) {
    throw new ArgumentError(
      `${recommender.constructor.name} is not known to export, which knows ${[...kinds.keys()].join(', ')}: registerRecommenderKind makes it known.`,
    );
  }
  const described = kind.describe(recommender);
  for (const [name, tensor] of described.tensors ?? []) tensors.set(prefix + name, tensor);
  return { name: kind.name, ...described.config };
}

/** Makes a recommender of its description. */
export function makeRecommender(data: RecommenderData, config: Fields, st: RecommenderTensors, prefix: string): Recommender {
  const kind = kinds.get(config.text('name'));
  if (!kind) return config.wrong('name', [...kinds.keys()].join(' or '));
  return kind.make(data, config, {
    has: (name) => st.has(prefix + name),
    shape: (name) => st.shape(prefix + name),
    read: (name, dtype, shape) => st.read(prefix + name, dtype, shape),
  });
}

/**
 * Writes all that a recommender needs to work without the training data: what it has learnt, users and tracks, what each user has played, and title, artist
 * and year of the tracks, in safetensors' format.
 * @param file its path; `.safetensors` is added if it is missing
 * @returns the path of the file
 */
export function exportRecommender(recommender: Recommender, file: string): string {
  if (typeof file !== 'string' || file === '')
    throw new ArgumentError(`export needs the path of a file, got ${file === '' ? 'an empty one' : typeof file}.`);
  const { seen, catalogue } = recommender;
  const tensors = new Map<string, Tensor>([
    ...vocabularyTensors('users', seen.users),
    ...vocabularyTensors('tracks', seen.tracks),
    ...(catalogue ? tracksTensors(catalogue) : []),
  ]);
  for (const [name, data] of [
    ['seen.indptr', seen.indptr],
    ['seen.indices', seen.indices],
    ['seen.playcount', seen.playcount],
  ] as const) {
    tensors.set(name, { shape: [data.length], data });
  }
  const config = { recommender: describeRecommender(recommender, tensors, 'model.'), kinds: { users: seen.users.kind, tracks: seen.tracks.kind } };
  const full = file.endsWith(EXTENSION) ? file : file + EXTENSION;
  writeModelFile(full, 'recommender', { config, tensors });
  return full;
}

registerRecommenderKind<Popularity>({
  name: 'Popularity',
  type: Popularity,
  describe: ({ name }) => ({ config: { by: name === 'Popularity' ? 'listeners' : 'plays' } }),
  make: ({ plays }, config) => new Popularity(plays, { by: config.text('by') === 'plays' ? 'plays' : 'listeners' }),
});
