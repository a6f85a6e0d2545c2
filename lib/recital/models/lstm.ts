import { int32 } from '../compute/memory.js';
import { Random } from '../compute/random.js';
import type { Batch } from '../data/batches.js';
import { Vocabulary } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import { Dropout } from '../nn/dropout.js';
import { Embedding, gatherRows, scatterRows } from '../nn/embedding.js';
import { Linear } from '../nn/linear.js';
import type { Model, TrainingLoss } from '../nn/model.js';
import type { StateBuffer } from '../nn/module.js';
import { checkRandom, Scratch } from '../nn/module.js';
import type { Parameter } from '../nn/parameter.js';
import { GRU, LSTM, PackedSequences, type Recurrent } from '../nn/recurrent.js';
import { checkArgument, checkCount, checkOneOf, given } from '../options.js';
import { tree } from '../printed.js';
import {
  everyItemLoss,
  NegativeLoss,
  type NegativeLossOptions,
  OutputLayer,
} from './output-layer.js';

const DEFAULTS = {
  /** Length of an item's vector. */
  embSz: 50,
  /** State sizes of the recurrent layers, the first one first. */
  layers: [100, 100] as readonly number[],
  /** `'lstm'` (default) or `'gru'`. */
  cell: 'lstm' as 'lstm' | 'gru',
  /** Probability of dropout after each recurrent layer. */
  dropout: 0,
  /** Probability of dropout on the items' vectors. */
  embedP: 0,
  /**
   * Whether an item is scored by the vector that it has as an input (Inan et al. 2017). If the last
   * layer has another size than embSz, a linear projection is put between.
   */
  tied: false,
  /**
   * Initial vectors, items × embSz, row-major; default: standard normal as in PyTorch, and
   * 0.01·fmod(z, 2) as in fastai if tied.
   */
  embInit: undefined as ArrayLike<number> | undefined,
  /**
   * Trains on a sample of the items instead of all: for large catalogues. Default: none, so that
   * the learner's loss is used.
   */
  negatives: undefined as NegativeLossOptions | undefined,
  /** Source of initial weights, dropout masks and negatives; default: `new Random(0)`. */
  random: undefined as Random | undefined,
};

/** Options of LSTMModel; the defaults are the paper's model. */
export type LSTMModelOptions = Partial<typeof DEFAULTS>;

/** Names of the options of LSTMModel. */
export const lstmModelOptions = Object.keys(DEFAULTS) as readonly (keyof typeof DEFAULTS)[];

/**
 * The next track after a sequence of tracks: Embedding → LSTM → LSTM → Linear to a score for every
 * track (the paper's Fig. 6). Trained as a classifier by `CrossEntropyLossFlat`.
 *
 * Batches are those of SequenceDataLoaders: `inputs[0]` the tracks of each row, left-aligned,
 * `inputs[1]` their number. With a target for each row, the loss is that of the last position. With
 * a target for each position (−1 for none), the training loss is the mean cross-entropy of all
 * positions. Validation has one prediction a row: SequenceDataLoaders make a row for each target;
 * in batches of other loaders the last position is scored.
 *
 * Most of a step is matrix products: `setCompute({ reproducible: false })` makes it faster, but its
 * last bits may differ between machines; `setCompute({ native: true })` makes it two to three times
 * as fast, once `npm run native` has compiled the kernels for the processor.
 *
 * @example
 * const model = new LSTMModel(dls.classes, { random: new Random(42) });
 * const learn = new Learner(dls, model, { lossFunc: new CrossEntropyLossFlat(), metrics: accuracy });
 * await learn.fitOneCycle(5, 3e-3);
 */
export class LSTMModel implements Model {
  /** A score for each item. */
  readonly outputs: number;
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly StateBuffer[];
  /** Vectors of the items. */
  readonly embedding: Embedding;
  /** The options that determine its shape. */
  readonly config: Omit<typeof DEFAULTS, 'embInit' | 'negatives' | 'random'>;
  /**
   * Whether its scores are log-probabilities plus a constant of the row: false if it is trained to
   * rank, by BPR-max.
   */
  probabilistic: boolean;
  private readonly layers: readonly Recurrent[];
  private readonly drops: readonly Dropout[];
  private readonly projection: Linear | undefined;
  private readonly fc: OutputLayer;
  private readonly negatives: NegativeLoss | undefined;
  private readonly room = {
    states: new Scratch(),
    gradient: new Scratch(),
    statesGradient: new Scratch(),
  };
  private sizes: Int32Array = int32(0);
  private packed: PackedSequences | undefined;
  private at: Int32Array = int32(0);
  private count = 0;
  private own: TrainingLoss | undefined;

  /**
   * @param classes vocabulary of the items: a SequenceDataLoaders' `classes`
   * @param options see LSTMModelOptions
   */
  constructor(
    readonly classes: { readonly item: Vocabulary },
    options: LSTMModelOptions = {},
  ) {
    const settings = given(DEFAULTS, options, 'LSTMModel');
    const { embSz, layers, cell, dropout, embedP, tied, embInit, negatives } = settings;
    const { random = new Random(0) } = settings;
    const of = 'LSTMModel';
    checkRandom(random, of);
    const vocabulary = classes?.item instanceof Vocabulary;
    checkArgument(
      vocabulary,
      classes,
      of,
      'the classes of its loaders, new LSTMModel(dls.classes)',
    );
    const items = classes.item.length;
    checkOneOf(cell, ['lstm', 'gru'], 'cell');
    const sizes = 'layers, the sizes of the layers, such as [100]';
    checkArgument(Array.isArray(layers), layers, of, sizes);
    checkCount(layers.length, 'The number of layers');
    checkCount(embSz, 'embSz');
    for (const [i, size] of layers.entries()) checkCount(size, `layers[${i}]`);
    const last = layers[layers.length - 1];
    this.outputs = items;
    this.config = { embSz, layers: [...layers], cell, dropout, embedP, tied };
    this.embedding = new Embedding(items, embSz, { random, init: tied ? 'fastai' : 'pytorch' });
    if (embInit) setVectors(this.embedding.weight, embInit);
    const Cell = cell === 'lstm' ? LSTM : GRU;
    this.layers = layers.map((size, i) => {
      const name = `${cell}_layers.${i}`;
      return new Cell(i ? layers[i - 1] : embSz, size, { name, random });
    });
    this.drops = [embedP, ...layers.map(() => dropout)].map((p, i) => {
      const name = i ? `dropout.${i - 1}` : 'emb_drop';
      return new Dropout(p, { name, random });
    });
    if (tied && last !== embSz)
      this.projection = new Linear(last, embSz, { name: 'projection', random });
    this.fc = new OutputLayer(tied ? embSz : last, items, {
      tied: tied ? this.embedding.weight : undefined,
      sampled: negatives !== undefined,
      random,
    });
    this.probabilistic = negatives?.loss !== 'bprMax';
    this.negatives = negatives && new NegativeLoss(this.fc, negatives, random);
    const modules = [this.embedding, ...this.layers, this.projection, this.fc];
    this.parameters = modules.flatMap((m) => m?.parameters ?? []);
    this.buffers = [...this.drops.flatMap((d) => d.buffers), ...(this.negatives?.buffers ?? [])];
  }

  touch(batch: Batch): void {
    const { inputs, size } = batch;
    const { room, everyPosition } = widths(batch);
    this.negatives?.draw();
    const targets = batch.targets.subarray(0, everyPosition ? size * room : size);
    this.fc.touch(this.negatives?.reads(targets));
    let n = 0;
    const items = new Int32Array(size * room);
    for (let r = 0; r < size; r++)
      for (let t = 0; t < inputs[1][r]; t++) items[n++] = inputs[0][r * room + t];
    this.embedding.touch(items, n);
  }

  forward(batch: Batch, training: boolean): Float32Array {
    const { inputs, size } = batch;
    const { room } = widths(batch);
    if (this.sizes.length < room) this.sizes = int32(room);
    const packed = new PackedSequences(inputs[1], { steps: room, size, room: this.sizes });
    this.packed = packed;
    const vectors = this.embedding.forward(packed.pack(inputs[0], { room }));
    let x = this.drops[0].forward(vectors, packed.total, training);
    this.layers.forEach((layer, i) => {
      x = this.drops[i + 1].forward(layer.forward(x, packed, training), packed.total, training);
    });
    const targets = training ? this.place(batch, packed) : this.placeLast(packed);
    const [count, width] = [this.count, this.width];
    const top = this.room.states.get(count * width);
    gatherRows(this.at, x, top, { size: count, width });
    const states = this.projection ? this.projection.forward(top, count) : top;
    this.own = undefined;
    if (!targets) return this.fc.all(states, size);
    const rows = { ...targets, states };
    const loss = this.negatives ? this.negatives.of(rows) : everyItemLoss(this.fc, rows);
    this.own = {
      value: loss.value,
      hits: loss.hits,
      backward: (scale) => this.statesBackward(loss.backward(scale)),
    };
    return new Float32Array(0);
  }

  /**
   * The vectors by which items are scored, items × width: those of `embedding` if tied, else of the
   * last layer. They are similar for items that follow the same items.
   */
  get itemVectors(): Parameter {
    return this.fc.weight;
  }

  trainingLoss(): TrainingLoss | undefined {
    return this.own;
  }

  backward(gradient: Float32Array): void {
    const used = gradient.subarray(0, this.count * this.outputs); // the learner's array may be longer
    const d = this.room.gradient.shared(used);
    this.statesBackward(this.fc.allBackward(d, this.count));
  }

  validBatch(batch: Batch): Batch {
    const { room, everyPosition } = widths(batch);
    if (!everyPosition) return batch;
    const last = (n: number, r: number): number =>
      r < batch.size ? batch.targets[r * room + n - 1] : NaN;
    return { ...batch, targets: Float32Array.from(batch.inputs[1], last) };
  }

  /** The layers as PyTorch prints them, and as the paper's Fig. 6 shows them. */
  toString(): string {
    const { config, embedding, layers, projection, fc } = this;
    const { cell, dropout, embedP, tied } = config;
    const linear = `Linear(in_features=${fc.hiddenSize}, out_features=${this.outputs}, bias=True)`;
    return tree('LSTMModel', {
      embedding,
      ...(embedP > 0 && { emb_drop: this.drops[0] }),
      [`${cell}_layers`]: tree('ModuleList', { ...layers }),
      ...(dropout > 0 && { dropout: this.drops[1] }),
      ...(projection && { projection }),
      fc: linear + (tied ? ' with the weights of embedding' : ''),
    });
  }

  /** Size of a state of the last recurrent layer. */
  private get width(): number {
    return this.layers[this.layers.length - 1].hiddenSize;
  }

  /**
   * Chooses the positions that training scores. Returns their targets if the loss is the model's
   * own, else undefined: then they are the last positions.
   */
  private place(
    batch: Batch,
    packed: PackedSequences,
  ): { targets: Int32Array; weights: Float32Array | undefined } | undefined {
    const { room, everyPosition } = widths(batch);
    if (!everyPosition) {
      this.placeLast(packed);
      const targets = Int32Array.from(batch.targets.subarray(0, packed.size));
      return this.negatives && { targets, weights: batch.weights };
    }
    const targets: number[] = [];
    const weights: number[] = [];
    if (this.at.length < packed.total) this.at = int32(packed.total);
    for (let t = 0; t < packed.steps; t++) {
      for (let p = 0; p < packed.sizes[t]; p++) {
        const r = packed.order[p];
        const target = batch.targets[r * room + t];
        if (target < 0) continue;
        this.at[targets.length] = packed.starts[t] + p;
        targets.push(target);
        weights.push(batch.weights ? batch.weights[r] : 1);
      }
    }
    if (!targets.length)
      throw new ArgumentError('The batch has no target at any position: all are −1.');
    this.count = targets.length;
    return {
      targets: Int32Array.from(targets),
      weights: batch.weights && Float32Array.from(weights),
    };
  }

  private placeLast(packed: PackedSequences): undefined {
    if (this.at.length < packed.size) this.at = int32(packed.size);
    this.at.set(packed.last);
    this.count = packed.size;
    return undefined;
  }

  /** Adds the gradients of all layers below, given that of the scored states. */
  private statesBackward(gradient: Float32Array): void {
    const width = this.width;
    const top = this.projection ? this.projection.backward(gradient) : gradient;
    let d: Float32Array = this.room.statesGradient.get(this.packed!.total * width).fill(0);
    scatterRows(this.at, top, d, { size: this.count, width });
    for (let i = this.layers.length - 1; i >= 0; i--)
      d = this.layers[i].backward(this.drops[i + 1].backward(d));
    this.embedding.backward(this.drops[0].backward(d));
  }
}

/** Sets the initial vectors. */
function setVectors(weight: Parameter, vectors: ArrayLike<number>): void {
  const { value, shape } = weight;
  if (vectors.length !== value.length)
    throw new ArgumentError(
      `embInit must hold ${shape.join(' × ')} values = ${value.length}, got ${vectors.length}.`,
    );
  const bad = Array.prototype.findIndex.call(vectors, (x: number) => !Number.isFinite(x));
  if (bad >= 0)
    throw new ArgumentError(`embInit has ${vectors[bad]} at place ${bad}: numbers were expected.`);
  value.set(vectors);
}

/** The length of a batch's rows, and whether each position has a target. */
function widths({ inputs, targets, size }: Batch): { room: number; everyPosition: boolean } {
  if (inputs.length !== 2)
    throw new ArgumentError(
      `LSTMModel needs batches of sequences: their items and their lengths, got ${inputs.length} columns. Use SequenceDataLoaders.`,
    );
  const rows = inputs[1].length;
  const room = inputs[0].length / rows;
  const perRow = targets.length / rows;
  if (!Number.isInteger(room) || rows < size || (perRow !== 1 && perRow !== room))
    throw new ArgumentError(
      `A batch of ${size} sequences with room for ${rows} needs as many items in each row, and a target for each row or each item; got ${inputs[0].length} items, ${targets.length} targets.`,
    );
  return { room, everyPosition: perRow > 1 };
}
