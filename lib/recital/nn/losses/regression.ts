import { checkPreds, type Loss, type LossRows } from '../loss.js';

/**
 * Mean squared error, l = (p − y)²; fastai's `MSELossFlat`, the default of collabLearner.
 * @example collabLearner(dls, { lossFunc: new MSELossFlat(), yRange: [0, 1] })
 */
export class MSELossFlat implements Loss {
  readonly name: string = 'MSELossFlat';
  readonly outputs: number = 1;

  losses({ pred, targets, size }: LossRows, out: Float64Array): void {
    for (let i = 0; i < size; i++) out[i] = (pred[i] - targets[i]) ** 2;
  }

  derivatives({ pred, targets, size }: LossRows, out: Float32Array): void {
    for (let i = 0; i < size; i++) out[i] = 2 * (pred[i] - targets[i]);
  }

  /** The predictions themselves. */
  activation(pred: Float32Array): Float32Array {
    checkPreds(pred, this.name);
    return pred.slice();
  }

  /** The predictions themselves. */
  decodes(activated: Float32Array): Float32Array {
    checkPreds(activated, this.name);
    return activated.slice();
  }
}

/**
 * Mean absolute error, l = |p − y|, with derivative 0 where p = y (PyTorch's choice); fastai's
 * `L1LossFlat`.
 * @example collabLearner(dls, { lossFunc: new L1LossFlat() })
 */
export class L1LossFlat implements Loss {
  readonly name: string = 'L1LossFlat';
  readonly outputs: number = 1;

  losses({ pred, targets, size }: LossRows, out: Float64Array): void {
    for (let i = 0; i < size; i++) out[i] = Math.abs(pred[i] - targets[i]);
  }

  derivatives({ pred, targets, size }: LossRows, out: Float32Array): void {
    for (let i = 0; i < size; i++) out[i] = Math.sign(pred[i] - targets[i]);
  }

  /** The predictions themselves. */
  activation(pred: Float32Array): Float32Array {
    checkPreds(pred, this.name);
    return pred.slice();
  }

  /** The predictions themselves. */
  decodes(activated: Float32Array): Float32Array {
    checkPreds(activated, this.name);
    return activated.slice();
  }
}
