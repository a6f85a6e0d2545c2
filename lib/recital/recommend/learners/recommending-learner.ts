import path from 'node:path';
import { makeFolder } from '../../data/files/atomic-write.js';
import type { Fields, Json } from '../../data/files/fields.js';
import type { Tensor, TensorSource } from '../../data/files/safetensors.js';
import { DataError } from '../../errors.js';
import { Learner, type LearnerOptions } from '../../learner/learner.js';
import { isPath, modelFile, writeModelFile } from '../../learner/model-file.js';
import type { Loss } from '../../nn/loss.js';
import { lossConfig, lossFromConfig } from '../../nn/losses.js';
import type { Recommender } from '../recommender.js';
import {
  type ExportOptions,
  exportOptions,
  formOf,
  type RecommenderDescription,
} from '../saved-form.js';

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

  protected abstract makeRecommender(): R;

  /**
   * Writes all that a learner needs to work without the training data: the weights, users and
   * tracks, **the listening histories of training**, the loss, and title, artist and year of the
   * tracks. `loadLearner` reads it. With `{ seen: false }` the histories stay out: the loaded
   * learner no longer leaves out what users have played, and a learner of sequences recommends
   * after given tracks only.
   *
   * In safetensors' format: `model.PARAMETER`, `buffers.NAME`, `classes.…` and `users` (`.bytes`:
   * the ids in UTF-8, one after the other; `.offsets`: id i is bytes[offsets[i] … offsets[i + 1])),
   * `seen.indptr` and `seen.indices` (user u has played the tracks indices[indptr[u] … indptr[u +
   * 1])) or, of sequences, `histories.indptr` and `histories.item`, `catalogue.…`, and in its
   * metadata a description as JSON.
   * @param file a name: the file is `path/NAME.safetensors`, default `export`. Or a path that is
   *   absolute or begins with `./`
   * @returns the path of the file
   * @example loadLearner(learn.export('listeners')).recommend(user, { n: 10 });
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

/** What learners answer as recommenders. */
export interface Members<Base> {
  readonly properties: readonly (keyof Base & string)[];
  readonly methods: readonly (keyof Base & string)[];
}

/** What every recommender with vectors of tracks answers. */
export const RECOMMENDER_MEMBERS = {
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
} as const satisfies Members<Recommender>;

/** A base class of learners: see {@link recommendingLearner}. */
export type RecommendingLearner<Base extends Recommender> = abstract new <R extends Base>(
  ...args: ConstructorParameters<typeof Learner>
) => WithRecommender<R> & { readonly [M in keyof Base]: R[M] };

/**
 * Makes a base class of learners that can stand wherever a recommender can: what they are asked as
 * recommenders, `learn.recommender` answers.
 */
export function recommendingLearner<Base extends Recommender>({
  properties,
  methods,
}: Members<Base>): RecommendingLearner<Base> {
  abstract class Forwarding extends WithRecommender<Base> {}
  for (const name of properties) {
    Object.defineProperty(Forwarding.prototype, name, {
      get(this: Forwarding): unknown {
        const { recommender } = this;
        const value: unknown = recommender[name];
        return typeof value === 'function' ? value.bind(recommender) : value;
      },
    });
  }
  for (const name of methods) {
    Object.defineProperty(Forwarding.prototype, name, {
      value(this: Forwarding, ...args: unknown[]): unknown {
        const { recommender } = this;
        return (recommender[name] as (...args: unknown[]) => unknown).apply(recommender, args);
      },
    });
  }
  return Forwarding as unknown as RecommendingLearner<Base>;
}

/** What a file says of every learner, and of this one in `config` and `tensors`. */
export function learnerDescription(
  { lossFunc, epochsTrained, seed }: WithRecommender<Recommender>,
  config: { readonly [name: string]: Json | undefined },
  tensors: ReadonlyMap<string, Tensor>,
): RecommenderDescription {
  const learner = { ...config, loss: lossConfig(lossFunc), epochsTrained, seed } as Json;
  return { config: { name: 'learner', learner }, tensors };
}

/** What {@link learnerDescription} says of every learner, put into one that is made again. */
export function restoreLearner<L extends WithRecommender<Recommender>>(
  learn: L,
  config: Fields,
): L {
  learn.epochsTrained = config.count('epochsTrained');
  if (config.has('seed'))
    learn.seed = config.isText('seed') ? config.text('seed') : config.number('seed');
  return learn;
}

/** The options of a learner in a file: the loss in its description, or one's own in its place. */
export function restoreOptions(
  config: Fields,
  options: LearnerOptions,
): LearnerOptions & { lossFunc: Loss } {
  const fields = config.object('loss');
  const name = fields.text('name');
  if (options.lossFunc && options.lossFunc.name !== name)
    throw new DataError(`it was trained with ${name}, but lossFunc is a ${options.lossFunc.name}.`);
  const lossFunc = options.lossFunc ?? lossFromConfig(fields);
  if (!lossFunc)
    throw new DataError(
      `it was trained with ${name}, which is not one of the library's losses: give it, loadLearner(file, { lossFunc }).`,
    );
  return { ...options, lossFunc };
}

/**
 * Compares the number of weights in a file with that of the model that it describes, before memory
 * is taken for the model.
 */
export function checkWeights(st: TensorSource, expected: number, model: string): void {
  let there = 0;
  for (const [name, { shape }] of st.tensors)
    if (name.startsWith('model.')) there += shape.reduce((a, b) => a * b, 1);
  if (expected !== there)
    throw new DataError(
      `it holds ${there} weights, a ${model} such as it describes has ${expected}.`,
    );
}
