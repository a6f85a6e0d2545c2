import { addColumnSums } from '../compute/column-sums.js';
import { kernels } from '../compute/kernels.js';
import { matmul } from '../compute/matmul.js';
import { int32 } from '../compute/memory.js';
import type { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { rightRows, softmaxCrossEntropy } from '../nn/cross-entropy.js';
import { Parameter } from '../nn/parameter.js';
import { Scratch } from '../nn/scratch.js';

/** Options of ItemScores. */
export interface ItemScoresOptions {
  /**
   * The vectors of the items, if they are those of another table too: tied. Default: vectors of
   * their own.
   */
  readonly tied?: Parameter;
  /** Whether training scores some of the items only: then only their vectors have gradients. */
  readonly sampled: boolean;
  readonly random: Random;
}

/**
 * The last layer: the score of each item is w·h + b. It is PyTorch's `nn.Linear(hidden, items)`,
 * with the same names and initial weights, which can score some of the items alone, and share its
 * vectors with the embedding.
 */
export class ItemScores {
  /** w of each item, items × hidden. */
  readonly weight: Parameter;
  /** b of each item. */
  readonly bias: Parameter;
  /** Its own: without tied vectors. */
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
    { tied, sampled, random }: ItemScoresOptions,
  ) {
    const uniform = (p: Parameter): Parameter => {
      const draw = random.child(p.name);
      for (let i = 0; i < p.value.length; i++)
        p.value[i] = (2 * draw.uniform() - 1) / Math.sqrt(hiddenSize);
      return p;
    };
    this.weight =
      tied ?? uniform(new Parameter('fc.weight', [items, hiddenSize], { table: sampled }));
    this.bias = uniform(new Parameter('fc.bias', [items], { decay: false }));
    this.parameters = tied ? [this.bias] : [this.weight, this.bias];
    if (this.weight.slots && !sampled)
      this.everyItem = Int32Array.from({ length: items }, (_, i) => i);
  }

  /**
   * Tells the vectors which of them the step reads: before anything else touches them. Default:
   * all.
   */
  touch(some?: Int32Array): void {
    if (some) this.weight.touch(some);
    else if (this.everyItem) this.weight.touch(this.everyItem); // in order, so that the gradients lie as in a dense parameter
  }

  /** The scores of all items, size × items: a view. */
  all(input: Float32Array, size: number): Float32Array {
    const { hiddenSize, items, weight, bias } = this;
    this.input = input;
    const out = this.room.out.get(size * items);
    matmul(
      { m: size, n: items, k: hiddenSize },
      {
        a: { values: input, rowStride: hiddenSize },
        b: { values: weight.value, rowStride: 1, columnStride: hiddenSize },
        c: { values: out, rowStride: items },
        bias: bias.value,
      },
    );
    return out;
  }

  /** Adds the gradients of the last `all`, and returns dLoss/dInput. */
  allBackward(d: Float32Array, size: number): Float32Array {
    const { hiddenSize, items, weight, bias } = this;
    matmul(
      { m: items, n: hiddenSize, k: size },
      {
        a: { values: d, rowStride: 1, columnStride: items },
        b: { values: this.input, rowStride: hiddenSize },
        c: { values: weight.grad, rowStride: hiddenSize },
        add: true,
      },
    );
    addColumnSums(d, size, bias.grad);
    const out = this.room.inputGradient.get(size * hiddenSize);
    matmul(
      { m: size, n: hiddenSize, k: items },
      {
        a: { values: d, rowStride: items },
        b: { values: weight.value, rowStride: hiddenSize },
        c: { values: out, rowStride: hiddenSize },
      },
    );
    return out;
  }

  /**
   * Vectors of some items, one row each, on the shared memory: a view, valid until the next call.
   */
  vectors(some: Int32Array): Float32Array {
    const { hiddenSize, weight } = this;
    if (this.some.length < some.length) {
      this.some = int32(some.length);
      this.slots = int32(some.length);
    }
    this.some.set(some);
    const out = this.room.vectors.get(some.length * hiddenSize);
    kernels().gatherRows(
      some.length,
      hiddenSize,
      this.some.byteOffset,
      weight.value.byteOffset,
      out.byteOffset,
      hiddenSize,
    );
    return out;
  }

  /** Room for the gradients of n vectors, 0 at first. */
  vectorGradients(n: number): Float32Array {
    return this.room.vectorGradient.get(n * this.hiddenSize).fill(0);
  }

  /** Adds gradients of the vectors and biases of some items, which have been touched. */
  addGradients(some: Int32Array, vectors: Float32Array, biases: Float64Array): void {
    const { hiddenSize, weight, bias } = this;
    for (let j = 0; j < some.length; j++) {
      this.slots[j] = weight.slots![some[j]];
      bias.grad[some[j]] += biases[j];
    }
    kernels().scatterRows(
      some.length,
      hiddenSize,
      this.slots.byteOffset,
      vectors.byteOffset,
      hiddenSize,
      weight.grad.byteOffset,
    );
  }
}

/** States to score, and what should have come. */
export interface ScoredRows {
  /** One row for each target, on the shared memory. */
  readonly states: Float32Array;
  /** Indices of items. */
  readonly targets: Int32Array;
  /** One weight for each target; default 1 each. */
  readonly weights: Float32Array | undefined;
}

/** A loss, a mean over rows, and the way back to the states. */
export interface ScoredLoss {
  readonly value: number;
  /** See TrainingLoss. */
  readonly hits?: { readonly right: number; readonly of: number };
  /**
   * Adds `scale` times the gradients of the items' vectors and biases, and returns `scale` times
   * dLoss/dStates.
   */
  backward(scale: number): Float32Array;
}

/**
 * Cross-entropy over all items, for a batch that has more targets than rows. Its gradient takes the
 * place of the scores.
 */
export class EveryItemLoss {
  private readonly room = new Scratch();

  constructor(private readonly fc: ItemScores) {}

  of({ states, targets, weights }: ScoredRows): ScoredLoss {
    const { fc } = this;
    const size = targets.length;
    checkTargets(targets, fc.items);
    const pred = fc.all(states, size);
    const share = shares(weights, this.room.get(size));
    const losses = softmaxCrossEntropy(
      { size, outputs: fc.items, pred, classOf: (i) => targets[i] },
      { out: pred, scaleOf: (i) => share[i] },
    );
    return {
      value: weighted(losses, share),
      hits: { right: rightRows(size), of: size },
      backward: (scale) => {
        if (scale !== 1) for (let j = 0; j < pred.length; j++) pred[j] *= scale;
        return fc.allBackward(pred, size);
      },
    };
  }
}

/** The share of each row in a mean, written into `share`. */
export function shares(weights: Float32Array | undefined, share: Float32Array): Float32Array {
  const size = share.length;
  let sum = 0;
  for (let i = 0; i < size; i++) sum += weights ? weights[i] : 1;
  for (let i = 0; i < size; i++) share[i] = (weights ? weights[i] : 1) / sum;
  return share;
}

/** Σ share·loss. */
export function weighted(losses: ArrayLike<number>, share: Float32Array): number {
  return share.reduce((sum, w, i) => sum + w * losses[i], 0);
}

/** Throws unless every target is an item. */
export function checkTargets(targets: Int32Array, items: number): void {
  for (let i = 0; i < targets.length; i++) {
    if (!(targets[i] >= 0 && targets[i] < items)) {
      throw new ArgumentError(
        `Target ${i} of the batch is item ${targets[i]}; the model has items 0 to ${items - 1}.`,
      );
    }
  }
}
