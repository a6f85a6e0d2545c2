import { ArgumentError, NumericError } from '../errors.js';

/**
 * A loss: the mean over the rows of a batch (weighted, if the batch has weights), and its gradient. Predictions and targets are flattened, as fastai's
 * `…LossFlat` do; everything is computed in float64.
 */
export interface Loss {
  /** fastai's name. */
  readonly name: string;
  /** Loss of each row, not reduced. */
  losses(pred: Float32Array, targets: Float32Array, size: number, out: Float64Array): void;
  /** dLoss/dPrediction of each row, not reduced. */
  derivatives(pred: Float32Array, targets: Float32Array, size: number, out: Float32Array): void;
  /** Turns predictions into what getPreds returns: probabilities for a loss on logits. */
  activation(pred: number): number;
  /** Turns an activated prediction into a decision: a class for a classifier, the value itself for a regression. */
  decodes(activated: number): number;
  /** Predictions per row that the loss expects. */
  readonly outputs: number;
}

/** How the losses of rows become one number. */
export type Reduction = 'mean' | 'sum';

const scratch = { losses: new Float64Array(0) };

/**
 * The reduced loss, Σ wᵢ·lᵢ / Σ wᵢ for `mean` (wᵢ = 1 without weights).
 * @param size rows that count
 */
export function lossOf(
  loss: Loss,
  pred: Float32Array,
  targets: Float32Array,
  size: number,
  weights?: Float32Array,
  reduction: Reduction = 'mean',
): number {
  if (scratch.losses.length < size) scratch.losses = new Float64Array(size);
  const each = scratch.losses;
  loss.losses(pred, targets, size, each);
  let sum = 0;
  let total = 0;
  for (let i = 0; i < size; i++) {
    const w = weights ? weights[i] : 1;
    sum += w * each[i];
    total += w;
  }
  return reduction === 'sum' ? sum : sum / total;
}

/** The gradient of the reduced loss with respect to the predictions, into `out`. */
export function lossGradient(
  loss: Loss,
  pred: Float32Array,
  targets: Float32Array,
  size: number,
  out: Float32Array,
  weights?: Float32Array,
  reduction: Reduction = 'mean',
): void {
  loss.derivatives(pred, targets, size, out);
  let total = 0;
  for (let i = 0; i < size; i++) total += weights ? weights[i] : 1;
  const scale = reduction === 'sum' ? 1 : 1 / total;
  const n = loss.outputs;
  for (let i = 0; i < size; i++) {
    const w = (weights ? weights[i] : 1) * scale;
    for (let j = i * n; j < (i + 1) * n; j++) out[j] *= w;
  }
}

/** Stable logistic function 1/(1+e^−x). */
export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

const identity = (x: number): number => x;

/** Mean squared error, l = (p − y)²; fastai's `MSELossFlat`, the default of collabLearner. */
export class MSELossFlat implements Loss {
  readonly name: string = 'MSELossFlat';
  readonly outputs: number = 1;
  readonly activation = identity;
  readonly decodes = identity;
  losses(pred: Float32Array, targets: Float32Array, size: number, out: Float64Array): void {
    for (let i = 0; i < size; i++) out[i] = (pred[i] - targets[i]) ** 2;
  }
  derivatives(pred: Float32Array, targets: Float32Array, size: number, out: Float32Array): void {
    for (let i = 0; i < size; i++) out[i] = 2 * (pred[i] - targets[i]);
  }
}

/** Mean absolute error, l = |p − y|, with derivative 0 where p = y (PyTorch's choice); fastai's `L1LossFlat`. */
export class L1LossFlat implements Loss {
  readonly name: string = 'L1LossFlat';
  readonly outputs: number = 1;
  readonly activation = identity;
  readonly decodes = identity;
  losses(pred: Float32Array, targets: Float32Array, size: number, out: Float64Array): void {
    for (let i = 0; i < size; i++) out[i] = Math.abs(pred[i] - targets[i]);
  }
  derivatives(pred: Float32Array, targets: Float32Array, size: number, out: Float32Array): void {
    for (let i = 0; i < size; i++) out[i] = Math.sign(pred[i] - targets[i]);
  }
}

/** Options of BCEWithLogitsLossFlat. */
export interface BCEWithLogitsLossOptions {
  /** Weight of the positive class, w in l below; default 1. */
  posWeight?: number;
  /** Probability from which `decodes` says 1 (exclusive, as fastai); default 0.5. */
  thresh?: number;
}

/**
 * Binary cross-entropy on logits, l = −w·y·log σ(p) − (1−y)·log(1−σ(p)), in the form that does not overflow: (1−y)·p + (1 + (w−1)·y)·log(1 + e^−p).
 * Targets lie in [0, 1]. fastai's `BCEWithLogitsLossFlat`, PyTorch's `BCEWithLogitsLoss(pos_weight)`.
 * @example new BCEWithLogitsLossFlat({ posWeight: 3 })
 */
export class BCEWithLogitsLossFlat implements Loss {
  readonly name: string = 'BCEWithLogitsLossFlat';
  readonly outputs: number = 1;
  /** Weight of the positive class. */
  readonly posWeight: number;
  /** Decision threshold of `decodes`. */
  readonly thresh: number;

  constructor({ posWeight = 1, thresh = 0.5 }: BCEWithLogitsLossOptions = {}) {
    if (!(posWeight > 0)) throw new ArgumentError(`posWeight must be positive, got ${posWeight}.`);
    if (!(thresh >= 0 && thresh <= 1)) throw new ArgumentError(`thresh is a probability between 0 and 1, got ${thresh}.`);
    this.posWeight = posWeight;
    this.thresh = thresh;
  }

  readonly activation = sigmoid;
  readonly decodes = (p: number): number => (p > this.thresh ? 1 : 0);

  losses(pred: Float32Array, targets: Float32Array, size: number, out: Float64Array): void {
    for (let i = 0; i < size; i++) {
      const p = pred[i];
      const y = targets[i];
      if (!(y >= 0 && y <= 1)) {
        throw new NumericError(
          `BCEWithLogitsLossFlat needs targets between 0 and 1, got ${y}. Choose the target 'binary' or 'rank', or a loss for counts.`,
        );
      }
      // log(1 + e^−p) = max(−p, 0) + log1p(e^−|p|)
      out[i] = (1 - y) * p + (1 + (this.posWeight - 1) * y) * (Math.max(-p, 0) + Math.log1p(Math.exp(-Math.abs(p))));
    }
  }
  derivatives(pred: Float32Array, targets: Float32Array, size: number, out: Float32Array): void {
    for (let i = 0; i < size; i++) {
      const y = targets[i];
      out[i] = 1 - y - (1 + (this.posWeight - 1) * y) * sigmoid(-pred[i]);
    }
  }
}
