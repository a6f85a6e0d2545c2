import { ArgumentError } from '../errors.js';
import { rightRows, softmaxCrossEntropy } from '../nn/losses/softmax-kernel.js';
import { Scratch } from '../nn/scratch.js';
import type { ItemScores } from './lstm-scores.js';

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
