import { Random } from '../compute/random.js';
import type { Batch } from '../data/batches.js';
import type { Vocabulary } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import { ReLU, SigmoidRange } from '../nn/activations.js';
import { BatchNorm1d } from '../nn/batch-norm.js';
import { Dropout } from '../nn/dropout.js';
import { Embedding } from '../nn/embedding.js';
import { Linear } from '../nn/linear.js';
import type { Model } from '../nn/model.js';
import { checkRandom, type Module, Scratch, Sequential, type StateBuffer } from '../nn/module.js';
import type { Parameter } from '../nn/parameter.js';
import { checkArgument, checkCount, checkOptions, given } from '../options.js';
import { printed, tree } from '../printed.js';
import { checkClasses } from './embedding-dot-bias.js';

/** Lengths of the embeddings; what is left out follows {@link embSzRule}. */
export interface EmbSzs {
  /** Length of a user's vector. */
  user?: number;
  /** Length of an item's vector. */
  item?: number;
}

/**
 * How the layers are built: fastai's `tabular_config`. (Its `lin_first`, `act_cls` and `bn_cont`
 * are fixed to their defaults: Linear → ReLU → BatchNorm.)
 */
export interface TabularConfig {
  /** Probability of dropout after each hidden layer: one for all, or one for each; default 0. */
  ps?: number | readonly number[];
  /** Probability of dropout on the embeddings; default 0. */
  embedP?: number;
  /** Whether hidden layers have batch normalisation (and then no bias); default true. */
  useBn?: boolean;
  /** Whether the last layer has batch normalisation too; default false. */
  bnFinal?: boolean;
}

const CONFIG_DEFAULTS = {
  ps: 0 as number | readonly number[],
  embedP: 0,
  useBn: true,
  bnFinal: false,
};

const DEFAULTS = {
  /** Sizes of the hidden layers. May be empty. */
  layers: [50] as readonly number[],
  /** Lengths of the embeddings, instead of the rule. */
  embSzs: {} as EmbSzs,
  /** Sigmoid range [low, high] of the prediction; default: none. */
  yRange: undefined as readonly [number, number] | undefined,
  /** Source of initial weights and dropout masks; without it the vectors are 0, to be loaded. */
  random: undefined as Random | undefined,
  ...CONFIG_DEFAULTS,
};

/** Options of EmbeddingNN. */
export type EmbeddingNNOptions = Partial<Omit<typeof DEFAULTS, keyof TabularConfig>> &
  TabularConfig;

/**
 * fastai's `EmbeddingNN` (collab.py, tabular/model.py): the vectors of user and item, one after the
 * other, go through a small network: dropout, then for each hidden size Linear → ReLU → BatchNorm →
 * Dropout, then Linear to one number, then the sigmoid range. Row 0 of each table is `#na#`, the
 * unknown. Parameters have the names that PyTorch gives to fastai's (`embeds.0.weight`,
 * `layers.0.0.weight` …).
 * @example new Learner(dls, new EmbeddingNN(dls.classes, { layers: [100, 50], ps: 0.1, random: new Random(42) }))
 */
export class EmbeddingNN implements Model {
  readonly outputs: number = 1;
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly StateBuffer[];
  /** Vectors of the users. */
  readonly user: Embedding;
  /** Vectors of the items. */
  readonly item: Embedding;
  /** The options that determine its shape. */
  readonly config: Required<Omit<EmbeddingNNOptions, 'yRange' | 'random'>>;
  /** Sigmoid range of the prediction, if any. */
  readonly yRange: readonly [number, number] | undefined;
  /** The first layer: of the two vectors, the user's first. */
  readonly first: Linear;
  /** The layers after it, up to the range. */
  readonly rest: Sequential;
  private readonly range: SigmoidRange | undefined;
  private readonly embedDrop: Dropout;
  private readonly pairs = new Scratch();
  private size = 0;

  /**
   * @param classes vocabularies of users and items: a CollabDataLoaders' `classes`
   * @param options see EmbeddingNNOptions
   */
  constructor(
    readonly classes: { user: Vocabulary; item: Vocabulary },
    options: EmbeddingNNOptions = {},
  ) {
    const settings = given(DEFAULTS, options, 'EmbeddingNN');
    const { layers, embSzs, ps, embedP, useBn, bnFinal, yRange } = settings;
    checkClasses(classes, 'EmbeddingNN');
    const sizesWanted = 'layers, the sizes of the hidden layers, such as [50]';
    checkArgument(Array.isArray(layers), layers, 'EmbeddingNN', sizesWanted);
    checkOptions(embSzs, ['user', 'item'], 'embSzs');
    if (settings.random !== undefined) checkRandom(settings.random, 'EmbeddingNN');
    const random = settings.random ?? new Random(0);
    const drops = typeof ps === 'number' ? layers.map(() => ps) : ps;
    if (drops.length !== layers.length)
      throw new ArgumentError(
        `ps has ${drops.length} probabilities for ${layers.length} hidden layers: give one number, or one for each.`,
      );
    const { user = embSzRule(classes.user.length), item = embSzRule(classes.item.length) } = embSzs;
    const vectors = { random: settings.random }; // without it they stay 0
    this.user = new Embedding(classes.user.length, user, { name: 'embeds.0', ...vectors });
    this.item = new Embedding(classes.item.length, item, { name: 'embeds.1', ...vectors });
    const sizesOf = { user, item };
    this.config = { layers: [...layers], embSzs: sizesOf, ps: [...drops], embedP, useBn, bnFinal };
    this.embedDrop = new Dropout(embedP, { name: 'emb_drop', random });
    this.yRange = yRange;
    this.range = yRange && new SigmoidRange(yRange);
    const sizes = [user + item, ...layers, 1];
    // fastai's LinBnDrop, linear first: Linear (no bias before a batch norm) → ReLU → BatchNorm →
    // Dropout
    const modules = sizes.slice(1).flatMap((outputs, i): Module[] => {
      const last = i === layers.length;
      const bn = useBn && (!last || bnFinal);
      const made: Module[] = [];
      const name = (): string => `layers.${i}.${made.length}`;
      made.push(new Linear(sizes[i], outputs, { bias: !bn, name: name(), random }));
      if (!last) made.push(new ReLU());
      if (bn) made.push(new BatchNorm1d(outputs, { name: name() }));
      if (!last && drops[i] > 0) made.push(new Dropout(drops[i], { name: name(), random }));
      return made;
    });
    this.first = modules[0] as Linear;
    this.rest = new Sequential(modules.slice(1));
    this.parameters = [this.user, this.item, this.first, this.rest].flatMap((m) => m.parameters);
    this.buffers = [...this.embedDrop.buffers, ...this.rest.buffers];
  }

  touch({ inputs: [users, items], size }: Batch): void {
    this.user.touch(users, size);
    this.item.touch(items, size);
  }

  forward({ inputs: [users, items], size }: Batch, training: boolean): Float32Array {
    const stride = this.first.inputs;
    const into = this.pairs.get(size * stride);
    this.size = size;
    this.user.forward(users, size, { into, column: 0, stride });
    this.item.forward(items, size, { into, column: this.user.width, stride });
    const hidden = this.first.forward(this.embedDrop.forward(into, size, training), size);
    const out = this.rest.forward(hidden, size, training);
    return this.range ? this.range.forward(out) : out;
  }

  backward(gradient: Float32Array): void {
    const stride = this.first.inputs;
    const d = gradient.subarray(0, this.size); // the learner's array may be longer
    const hidden = this.rest.backward(this.range ? this.range.backward(d) : d);
    const pairs = this.embedDrop.backward(this.first.backward(hidden));
    this.user.backward(pairs, { column: 0, stride });
    this.item.backward(pairs, { column: this.user.width, stride });
  }
}

printed(EmbeddingNN, ({ constructor: type, user, item, first, rest, config: { embedP }, yRange }) =>
  tree(type.name, {
    embeds: tree('ModuleList', { 0: user, 1: item }),
    ...(embedP > 0 && { emb_drop: `Dropout(p=${embedP}, inplace=False)` }),
    layers: new Sequential([first, ...rest.modules]),
    ...(yRange && { yRange: `SigmoidRange([${yRange.join(', ')}])` }),
  }),
);

/**
 * fastai's rule for the length of an embedding (tabular/model.py): min(600, round(1.6·n^0.56)),
 * rounded half to even as Python does.
 * @param n number of vectors, `#na#` included
 * @example embSzRule(1635) // 101
 */
export function embSzRule(n: number): number {
  checkCount(n, 'The number of vectors');
  const exact = 1.6 * n ** 0.56;
  const floor = Math.floor(exact);
  const up = exact - floor === 0.5 ? floor % 2 === 1 : exact - floor > 0.5;
  return Math.min(600, up ? floor + 1 : floor);
}
