import { addColumnSums, matmul } from '../compute/matmul.js';
import { int32 } from '../compute/memory.js';
import type { Random } from '../compute/random.js';
import { parallel } from '../compute/threads.js';
import { WeightedDraw } from '../data/negatives.js';
import { ArgumentError } from '../errors.js';
import { rightRows, softmaxCrossEntropy } from '../nn/cross-entropy.js';
import { gatherRows, scatterRows } from '../nn/embedding.js';
import { addWeightGradient, affine, inputGradient } from '../nn/linear.js';
import type { StateBuffer } from '../nn/module.js';
import { Scratch } from '../nn/module.js';
import { initUniform, Parameter } from '../nn/parameter.js';
import { checkCount, checkNumber, checkOneOf, given } from '../options.js';

/**
 * The output layer: the score of each item is w·h + b. It is PyTorch's `nn.Linear(hidden, items)`,
 * with the same names and initial weights, which can also score a sample of the items, and share
 * its vectors with the embedding.
 */
export class OutputLayer {
  /** w of each item, items × hidden. */
  readonly weight: Parameter;
  /** b of each item. */
  readonly bias: Parameter;
  /** Its own parameters: tied vectors belong to the embedding. */
  readonly parameters: readonly Parameter[];
  private readonly everyItem: Int32Array | undefined;
  private input: Float32Array = new Float32Array(0);
  private some: Int32Array = int32(0);
  private slots: Int32Array = int32(0);
  private readonly room = {
    out: new Scratch(),
    inputGradient: new Scratch(),
    vectors: new Scratch(),
    vectorGradient: new Scratch(),
  };

  constructor(
    readonly hiddenSize: number,
    readonly items: number,
    options: {
      /** The vectors, if they are those of another table too. Default: own vectors. */
      readonly tied?: Parameter;
      /** Whether training scores a sample of the items: only their vectors have gradients. */
      readonly sampled: boolean;
      readonly random: Random;
    },
  ) {
    const { tied, sampled, random } = options;
    const drawn = (p: Parameter): Parameter => initUniform(p, hiddenSize, random);
    this.weight =
      tied ?? drawn(new Parameter('fc.weight', [items, hiddenSize], { table: sampled }));
    this.bias = drawn(new Parameter('fc.bias', [items], { decay: false }));
    this.parameters = tied ? [this.bias] : [this.weight, this.bias];
    if (this.weight.slots && !sampled)
      this.everyItem = Int32Array.from({ length: items }, (_, i) => i);
  }

  /**
   * Tells the table which vectors the step reads, before anything else touches it. Default: all, in
   * order, so that the gradients lie as in a dense parameter.
   */
  touch(some = this.everyItem): void {
    if (some) this.weight.touch(some);
  }

  /** The scores of all items, size × items: a view. */
  all(input: Float32Array, size: number): Float32Array {
    const { hiddenSize: inputs, items: outputs, weight, bias } = this;
    this.input = input;
    const out = this.room.out.get(size * outputs);
    affine(input, weight.value, out, { inputs, outputs, bias: bias.value });
    return out;
  }

  /** Adds the gradients of the last `all`, and returns dLoss/dInput. */
  allBackward(d: Float32Array, size: number): Float32Array {
    const { hiddenSize: inputs, items: outputs, weight } = this;
    addWeightGradient(d, this.input, weight.grad, { inputs, outputs });
    addColumnSums(d, size, this.bias.grad);
    const out = this.room.inputGradient.get(size * inputs);
    inputGradient(d, weight.value, out, { inputs, outputs });
    return out;
  }

  /** Vectors of some items, one row each, on the shared memory: a view, until the next call. */
  vectors(some: Int32Array): Float32Array {
    const [size, width] = [some.length, this.hiddenSize];
    if (this.some.length < size) {
      this.some = int32(size);
      this.slots = int32(size);
    }
    this.some.set(some);
    const out = this.room.vectors.get(size * width);
    gatherRows(this.some, this.weight.value, out, { size, width });
    return out;
  }

  /** Scratch space for the gradients of n vectors, filled with 0. */
  vectorGradients(n: number): Float32Array {
    return this.room.vectorGradient.get(n * this.hiddenSize).fill(0);
  }

  /** Adds gradients of the vectors and biases of some items, which have been touched. */
  addGradients(some: Int32Array, vectors: Float32Array, biases: Float64Array): void {
    const { weight, bias } = this;
    for (let j = 0; j < some.length; j++) {
      this.slots[j] = weight.slots![some[j]];
      bias.grad[some[j]] += biases[j];
    }
    const [size, width] = [some.length, this.hiddenSize];
    scatterRows(this.slots, vectors, weight.grad, { size, width });
  }
}

/** States to score, on the shared memory, and for each a target, an item, and a weight (default 1). */
interface ScoredRows {
  readonly states: Float32Array;
  readonly targets: Int32Array;
  readonly weights: Float32Array | undefined;
}

/** A loss, a mean over rows, and its derivative with respect to the states. */
interface ScoredLoss {
  readonly value: number;
  /** See TrainingLoss. */
  readonly hits?: { readonly right: number; readonly of: number };
  /**
   * Adds `scale` times the gradients of the items' vectors and biases, and returns `scale` times
   * dLoss/dStates.
   */
  backward(scale: number): Float32Array;
}

const shareRoom = new Scratch();

/**
 * Cross-entropy over all items, for a batch that has more targets than rows. Its gradient is
 * written over the scores.
 */
export function everyItemLoss(
  fc: OutputLayer,
  { states, targets, weights }: ScoredRows,
): ScoredLoss {
  const size = targets.length;
  checkTargets(targets, fc.items);
  const pred = fc.all(states, size);
  const share = shares(weights, shareRoom.get(size));
  const losses = softmaxCrossEntropy(
    { size, outputs: fc.items, pred, classOf: (i) => targets[i] },
    { out: pred, scaleOf: (i) => share[i] },
  );
  return {
    value: weighted(losses, share),
    hits: { right: rightRows(size), of: size },
    backward: (scale) => fc.allBackward(scaled(pred, scale), size),
  };
}

/** The share of each row in a mean, written into `share`. */
function shares(weights: Float32Array | undefined, share: Float32Array): Float32Array {
  const size = share.length;
  let sum = 0;
  for (let i = 0; i < size; i++) sum += weights ? weights[i] : 1;
  for (let i = 0; i < size; i++) share[i] = (weights ? weights[i] : 1) / sum;
  return share;
}

/** Σ share·loss. */
function weighted(losses: ArrayLike<number>, share: Float32Array): number {
  return share.reduce((sum, w, i) => sum + w * losses[i], 0);
}

function scaled(values: Float32Array, scale: number): Float32Array {
  if (scale !== 1) for (let j = 0; j < values.length; j++) values[j] *= scale;
  return values;
}

/** Throws unless every target is an item. */
function checkTargets(targets: Int32Array, items: number): void {
  for (let i = 0; i < targets.length; i++)
    if (!(targets[i] >= 0 && targets[i] < items))
      throw new ArgumentError(
        `Target ${i} of the batch is item ${targets[i]}; the model has items 0 to ${items - 1}.`,
      );
}

const NEGATIVE_DEFAULTS = {
  /**
   * `'softmax'` (default): the cross-entropy over all items, estimated. `'bprMax'`: GRU4Rec's
   * ranking loss.
   */
  loss: 'softmax' as 'softmax' | 'bprMax',
  /** Items drawn for each batch, shared by its rows. */
  n: 2048,
  /** Items are drawn in proportion to max(1, count)^power: 0 is uniform, 1 by popularity. */
  power: 0.5,
  /** For `'bprMax'`: weight of the squared scores of the negatives; default 1. */
  reg: undefined as number | undefined,
};

/** Training on a sample of the items: see LSTMModelOptions.negatives. */
export interface NegativeLossOptions extends Partial<typeof NEGATIVE_DEFAULTS> {
  /** Number of occurrences of each item in training. */
  counts: ArrayLike<number>;
}

/** In place of the score of a negative that is the target itself: it has no part in the loss. */
const NONE = -1e15;

/**
 * Losses of the target against a sample of items drawn by popularity (negatives), one sample for
 * all rows of a batch. A negative that is a row's target is ignored in that row. With the scores r
 * of the target and r_j of the n negatives, drawn with probabilities q_j:
 *
 * - softmax: −r + log(eʳ + Σ_j e^(r_j) / (n·q_j)), where the sum has the mean of the sum over all items but the target (Bengio and Senécal 2008).
 * - BPR-max: −log Σ_j s_j·σ(r − r_j) + reg·Σ_j s_j·r_j², s = softmax(r_j) (Hidasi and Karatzoglou 2018).
 *
 * The draws depend on the seed and the number of training steps so far, which is saved with the
 * model: a resumed run draws the same negatives as one that was not interrupted.
 */
export class NegativeLoss {
  readonly buffers: readonly StateBuffer[];
  private readonly step = new Float32Array(1);
  private readonly loss: 'softmax' | 'bprMax';
  private readonly reg: number;
  private readonly random: Random;
  private readonly chances: WeightedDraw;
  private readonly correction: Float64Array;
  private readonly drawn: Int32Array;
  private readonly places = new Map<number, number[]>();
  private readonly room = {
    scores: new Scratch(),
    states: new Scratch(),
    parts: new Scratch(),
    shares: new Scratch(),
  };

  constructor(
    private readonly fc: OutputLayer,
    options: NegativeLossOptions,
    random: Random,
  ) {
    const all = { ...NEGATIVE_DEFAULTS, counts: options.counts };
    const { counts, loss, n, power, reg = 1 } = given(all, options, 'negatives');
    const check = (name: string, value: number): void =>
      checkNumber(value, value >= 0 && value < Infinity, `negatives.${name} must be 0 or more`);
    if (counts?.length !== fc.items)
      throw new ArgumentError(
        `negatives.counts needs a number for each of the ${fc.items} items, got ${counts?.length ?? 'none'}.`,
      );
    for (let i = 0; i < counts.length; i++) check(`counts[${i}]`, counts[i]);
    checkOneOf(loss, ['softmax', 'bprMax'], 'negatives.loss');
    checkCount(n, 'negatives.n');
    check('power', power);
    check('reg', reg);
    if (options.reg !== undefined && loss !== 'bprMax')
      throw new ArgumentError("negatives.reg is for loss: 'bprMax'; leave it out.");
    this.loss = loss;
    this.reg = reg;
    const weights = Float64Array.from(counts, (count) => Math.max(1, count) ** power);
    const total = weights.reduce((a, b) => a + b, 0);
    this.random = random.child('negatives');
    this.chances = new WeightedDraw(weights);
    this.correction = weights.map((w) => Math.log((n * w) / total));
    this.drawn = new Int32Array(n);
    this.buffers = [{ name: 'negatives.step', value: this.step }];
  }

  /** Draws the negatives of the next step. */
  draw(): void {
    const random = this.random.child(this.step[0]);
    this.step[0] = (this.step[0] + 1) % 2 ** 24; // as far as float32 counts
    this.places.clear();
    for (let j = 0; j < this.drawn.length; j++) {
      const item = this.chances.draw(random);
      this.drawn[j] = item;
      const places = this.places.get(item);
      if (places) places.push(j);
      else this.places.set(item, [j]);
    }
  }

  /** The items whose vectors the step reads. Targets below 0 are none. */
  reads(targets: Float32Array): Int32Array {
    const wanted = Int32Array.from(targets).filter((target) => target >= 0);
    checkTargets(wanted, this.fc.items);
    return concat(wanted, this.drawn);
  }

  of({ states, targets, weights }: ScoredRows): ScoredLoss {
    const { fc } = this;
    const size = targets.length;
    const share = shares(weights, this.room.shares.get(size));
    const items = concat(targets, this.drawn);
    const vectors = fc.vectors(items);
    const scores = this.scores(states, targets, vectors);
    const width = this.drawn.length + 1;
    const rows = { size, outputs: width, pred: scores, classOf: () => 0 };
    const losses =
      this.loss === 'softmax'
        ? softmaxCrossEntropy(rows, { out: scores, scaleOf: (i) => share[i] })
        : this.bprMax(scores, share);
    return {
      value: weighted(losses, share),
      backward: (scale) => this.backward(scaled(scores, scale), states, items, vectors),
    };
  }

  /** Each row's score of its target, then those of the negatives. */
  private scores(states: Float32Array, targets: Int32Array, vectors: Float32Array): Float32Array {
    const { fc, drawn, correction } = this;
    const [size, n, k] = [targets.length, drawn.length, fc.hiddenSize];
    const bias = fc.bias.value;
    const scores = this.room.scores.get(size * (n + 1));
    const corrected = (item: number): number => bias[item] - correction[item];
    const base = Float32Array.from(drawn, this.loss === 'softmax' ? corrected : (i) => bias[i]);
    for (let r = 0; r < size; r++) {
      let dot = bias[targets[r]];
      for (let j = 0; j < k; j++) dot += states[r * k + j] * vectors[r * k + j];
      scores[r * (n + 1)] = dot;
      scores.set(base, r * (n + 1) + 1);
    }
    matmul(
      { m: size, n, k },
      {
        a: { values: states, rowStride: k },
        b: { values: vectors, offset: size * k, rowStride: 1, columnStride: k },
        c: { values: scores, offset: 1, rowStride: n + 1 },
        add: true,
      },
    );
    for (let r = 0; r < size; r++)
      for (const j of this.places.get(targets[r]) ?? []) scores[r * (n + 1) + 1 + j] = NONE;
    return scores;
  }

  private bprMax(scores: Float32Array, share: Float32Array): Float64Array {
    const size = share.length;
    const room = this.room.parts.get(4 * size); // two float64 a row
    const parts = new Float64Array(room.buffer, room.byteOffset, 2 * size);
    const at = [scores, room, share].map(({ byteOffset }) => byteOffset);
    const args = [this.drawn.length + 1, ...at, this.reg];
    parallel('bprMaxRows', size, args, { grain: Math.ceil(10_000 / this.drawn.length) });
    return Float64Array.from(
      share,
      (_, r) => -Math.log(parts[2 * r]) + this.reg * parts[2 * r + 1],
    );
  }

  private backward(
    d: Float32Array,
    states: Float32Array,
    items: Int32Array,
    vectors: Float32Array,
  ): Float32Array {
    const { fc, drawn } = this;
    const [n, k] = [drawn.length, fc.hiddenSize];
    const size = items.length - n;
    const out = this.room.states.get(size * k);
    const ofVectors = fc.vectorGradients(items.length);
    const ofBiases = new Float64Array(items.length);
    const negatives = { values: d, offset: 1 };
    matmul(
      { m: size, n: k, k: n },
      {
        a: { ...negatives, rowStride: n + 1 },
        b: { values: vectors, offset: size * k, rowStride: k },
        c: { values: out, rowStride: k },
      },
    );
    matmul(
      { m: n, n: k, k: size },
      {
        a: { ...negatives, rowStride: 1, columnStride: n + 1 },
        b: { values: states, rowStride: k },
        c: { values: ofVectors, offset: size * k, rowStride: k },
      },
    );
    for (let r = 0; r < size; r++) {
      const dr = d[r * (n + 1)];
      ofBiases[r] = dr;
      for (let j = 0; j < k; j++) {
        out[r * k + j] += dr * vectors[r * k + j];
        ofVectors[r * k + j] = dr * states[r * k + j];
      }
      for (let j = 0; j < n; j++) ofBiases[size + j] += d[r * (n + 1) + 1 + j];
    }
    fc.addGradients(items, ofVectors, ofBiases);
    return out;
  }
}

function concat(a: Int32Array, b: Int32Array): Int32Array {
  const out = new Int32Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
