import { NumericError } from '../../errors.js';
import { checkNumber, checkOptions, said } from '../../options.js';
import { checkPreds, type Loss, type LossRows } from '../loss.js';
import { sigmoid, softplus } from '../sigmoid.js';

/** Options of BCEWithLogitsLossFlat. */
export interface BCEWithLogitsLossOptions {
  /** Weight of the positive class, w in l below; default 1. */
  posWeight?: number;
  /** Probability from which `decodes` says 1 (exclusive, as fastai); default 0.5. */
  thresh?: number;
}

/**
 * Binary cross-entropy on logits, l = −w·y·log σ(p) − (1−y)·log(1−σ(p)), in the form that does not
 * overflow: (1−y)·p + (1 + (w−1)·y)·log(1 + e^−p). Targets lie in [0, 1]. fastai's
 * `BCEWithLogitsLossFlat`, PyTorch's `BCEWithLogitsLoss(pos_weight)`.
 * @example new BCEWithLogitsLossFlat({ posWeight: 3 })
 */
export class BCEWithLogitsLossFlat implements Loss {
  readonly name: string = 'BCEWithLogitsLossFlat';
  readonly outputs: number = 1;
  /** Weight of the positive class. */
  readonly posWeight: number;
  /** Decision threshold of `decodes`. */
  readonly thresh: number;

  constructor(options: BCEWithLogitsLossOptions = {}) {
    checkOptions(options, ['posWeight', 'thresh'], 'BCEWithLogitsLossFlat');
    const { posWeight = 1, thresh = 0.5 } = options;
    checkNumber(
      posWeight,
      posWeight > 0 && Number.isFinite(posWeight),
      'posWeight must be positive and finite',
    );
    checkNumber(thresh, thresh >= 0 && thresh <= 1, 'thresh is a probability between 0 and 1');
    this.posWeight = posWeight;
    this.thresh = thresh;
  }

  losses({ pred, targets, size }: LossRows, out: Float64Array): void {
    for (let i = 0; i < size; i++) {
      const y = targets[i];
      if (!(y >= 0 && y <= 1)) {
        throw new NumericError(
          `BCEWithLogitsLossFlat needs targets between 0 and 1, got ${said(y)}. Choose the target 'binary' or 'rank', or a loss for counts.`,
        );
      }
      out[i] = (1 - y) * pred[i] + (1 + (this.posWeight - 1) * y) * softplus(-pred[i]);
    }
  }

  derivatives({ pred, targets, size }: LossRows, out: Float32Array): void {
    for (let i = 0; i < size; i++) {
      const y = targets[i];
      out[i] = 1 - y - (1 + (this.posWeight - 1) * y) * sigmoid(-pred[i]);
    }
  }

  /** Probabilities, σ(p). */
  activation(pred: Float32Array): Float32Array {
    checkPreds(pred, this.name);
    return pred.map(sigmoid);
  }

  /** 1 where the probability exceeds `thresh`, else 0. */
  decodes(activated: Float32Array): Float32Array {
    checkPreds(activated, this.name);
    return activated.map((p) => (p > this.thresh ? 1 : 0));
  }
}
