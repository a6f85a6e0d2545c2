import { ArgumentError } from '../../errors.js';
import { checkOptions, said } from '../../options.js';
import { checkPreds, type Loss, type LossRows } from '../loss.js';
import { argmaxRows, checkedWeights, classOf, logSumExp, softmaxRows } from './classes.js';

/** Options of FocalLossFlat. */
export interface FocalLossOptions {
  /**
   * How strongly rows that are predicted well are played down, γ; default 2. 0 is the
   * cross-entropy.
   */
  gamma?: number;
  /** One weight per class, w (the paper's α); default 1 each. */
  weight?: ArrayLike<number>;
}

/**
 * Focal loss (Lin et al. 2017, arXiv 1708.02002) over classes: with the cross-entropy h = −w[y]·log
 * softmax(p)[y],
 *
 *     l = (1 − e^−h)^γ · h
 *
 * so that rows which are right already count little. The mean is over the number of rows, weights
 * or not. fastai's `FocalLossFlat`, which with weights takes e^−h, not softmax(p)[y], as the
 * probability.
 * @example new FocalLossFlat({ gamma: 2 })
 */
export class FocalLossFlat implements Loss {
  readonly name: string = 'FocalLossFlat';
  /** The number of classes if it is known (by `weight`), else any. */
  readonly outputs: number | undefined;
  /** γ. */
  readonly gamma: number;
  /** Weight of each class, if they have any. */
  readonly weight: Float64Array | undefined;

  constructor(options: FocalLossOptions = {}) {
    checkOptions(options, ['gamma', 'weight'], 'FocalLossFlat');
    const { gamma = 2, weight } = options;
    if (!(gamma >= 0 && Number.isFinite(gamma)))
      throw new ArgumentError(`gamma must be a number, 0 or more, got ${said(gamma)}.`);
    this.gamma = gamma;
    this.weight = checkedWeights(weight);
    this.outputs = this.weight?.length;
  }

  losses(rows: LossRows, out: Float64Array): void {
    for (let i = 0; i < rows.size; i++) {
      const h = this.crossEntropy(rows, i);
      out[i] = (-Math.expm1(-h)) ** this.gamma * h;
    }
  }

  derivatives(rows: LossRows, out: Float32Array): void {
    const { pred, size, outputs = 1 } = rows;
    const { gamma, weight } = this;
    for (let i = 0; i < size; i++) {
      const h = this.crossEntropy(rows, i);
      const miss = -Math.expm1(-h); // 1 − e^−h
      // dl/dh; at h = 0 the second term is 0·∞ for γ < 1, and 0 in the limit
      const slope = miss ** gamma + (h > 0 ? gamma * miss ** (gamma - 1) * Math.exp(-h) * h : 0);
      const start = i * outputs;
      const y = rows.targets[i];
      const scale = slope * (weight ? weight[y] : 1);
      const log = logSumExp(pred, start, start + outputs);
      for (let c = 0; c < outputs; c++)
        out[start + c] = scale * (Math.exp(pred[start + c] - log) - (c === y ? 1 : 0));
    }
  }

  /** Probabilities: the softmax of each row. */
  activation(pred: Float32Array, outputs: number): Float32Array {
    checkPreds(pred, this.name, outputs);
    return softmaxRows(pred, outputs);
  }

  /** The most probable class of each row. */
  decodes(activated: Float32Array, outputs: number): Float32Array {
    checkPreds(activated, this.name, outputs);
    return argmaxRows(activated, outputs);
  }

  private crossEntropy(rows: LossRows, i: number): number {
    const { pred, outputs = 1 } = rows;
    const y = classOf(rows, i, this.name);
    const start = i * outputs;
    return (
      (this.weight ? this.weight[y] : 1) *
      (logSumExp(pred, start, start + outputs) - pred[start + y])
    );
  }
}
