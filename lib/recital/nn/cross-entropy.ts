import { float32, int32 } from '../compute/memory.js';
import { parallel } from '../compute/threads.js';
import { ArgumentError, NumericError } from '../errors.js';
import { checkNumber, given, said } from '../options.js';
import { checkPreds, type Loss, type LossRows } from './losses.js';
import { onSharedMemory } from './module.js';

/** Base class of the losses on the softmax of a row; the target is the index of a class. */
abstract class ClassLoss implements Loss {
  abstract readonly name: string;
  /** The number of classes if it is known (by `weight`), else any. */
  readonly outputs: number | undefined;
  /** Weight of each class, if they have any. */
  readonly weight: Float64Array | undefined;

  constructor(weight: ArrayLike<number> | undefined) {
    this.weight = checkedWeights(weight);
    this.outputs = this.weight?.length;
  }

  abstract losses(rows: LossRows, out: Float64Array): void;
  abstract derivatives(rows: LossRows, out: Float32Array): void;

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
}

const DEFAULTS = {
  /** One weight per class, w; default 1 each. */
  weight: undefined as ArrayLike<number> | undefined,
  /** Rows with this target are ignored. */
  ignoreIndex: -100,
  /** Share ε of the target that is spread over all classes, 0 … 1. */
  labelSmoothing: 0,
};

/** Options of CrossEntropyLossFlat. */
export type CrossEntropyLossOptions = Partial<typeof DEFAULTS>;

/**
 * Cross-entropy of a softmax over classes; the target is the index of a class. With
 * log-probabilities z = p − log Σ eᵖ,
 *
 *     l = −(1 − ε)·w[y]·z[y] − (ε/C)·Σ_c w[c]·z[c]
 *
 * and the mean is Σ l / Σ w[y]: with class weights it is divided by the weights of the rows'
 * classes, not by their number. fastai's `CrossEntropyLossFlat`, PyTorch's
 * `CrossEntropyLoss(weight, ignore_index, label_smoothing)`. A row whose predictions are all equal
 * costs ln C.
 * @example new CrossEntropyLossFlat({ weight: [1, 2, 0.5] })
 */
export class CrossEntropyLossFlat extends ClassLoss {
  readonly name: string = 'CrossEntropyLossFlat';
  /** Rows with this target are ignored. */
  readonly ignoreIndex: number;
  /** Share of the target that is spread over all classes, 0 … 1. */
  readonly labelSmoothing: number;

  constructor(options: CrossEntropyLossOptions = {}) {
    const all = given(DEFAULTS, options, 'CrossEntropyLossFlat');
    const { ignoreIndex, labelSmoothing: e } = all;
    checkNumber(e, e >= 0 && e <= 1, 'labelSmoothing must be between 0 and 1');
    checkNumber(ignoreIndex, Number.isInteger(ignoreIndex), 'ignoreIndex must be a whole number');
    super(all.weight);
    this.ignoreIndex = ignoreIndex;
    this.labelSmoothing = e;
  }

  losses(rows: LossRows, out: Float64Array): void {
    const { pred, targets, size, outputs = 1 } = rows;
    const { weight, labelSmoothing: e } = this;
    if (this.plain && forKernel(pred, outputs)) {
      out.set(softmaxCrossEntropy(this.kernelRows(rows)).subarray(0, size));
      return;
    }
    for (let i = 0; i < size; i++) {
      out[i] = 0;
      if (targets[i] === this.ignoreIndex) continue;
      const y = classOf(rows, i, this.name);
      const start = i * outputs;
      const log = logSumExp(pred, start, start + outputs);
      out[i] = (1 - e) * (weight ? weight[y] : 1) * (log - pred[start + y]);
      if (e > 0)
        for (let c = 0; c < outputs; c++)
          out[i] += (e / outputs) * (weight ? weight[c] : 1) * (log - pred[start + c]);
    }
  }

  derivatives(rows: LossRows, out: Float32Array): void {
    const { pred, targets, size, outputs = 1 } = rows;
    const { weight, labelSmoothing: e } = this;
    let spread = e; // the weight of the softmax in the smooth part
    if (weight) spread = weight.reduce((sum, w) => sum + (e / outputs) * w, 0);
    for (let i = 0; i < size; i++) {
      const start = i * outputs;
      if (targets[i] === this.ignoreIndex) {
        out.fill(0, start, start + outputs);
        continue;
      }
      const y = classOf(rows, i, this.name);
      const log = logSumExp(pred, start, start + outputs);
      const hard = (1 - e) * (weight ? weight[y] : 1);
      for (let c = 0; c < outputs; c++) {
        const target =
          (c === y ? hard : 0) + (e > 0 ? (e / outputs) * (weight ? weight[c] : 1) : 0);
        out[start + c] = (hard + spread) * Math.exp(pred[start + c] - log) - target;
      }
    }
  }

  /** By the kernel, for many classes. */
  scaledDerivatives(
    rows: LossRows,
    { out, scaleOf, losses }: Parameters<NonNullable<Loss['scaledDerivatives']>>[1],
  ): boolean {
    const { pred, outputs = 1 } = rows;
    if (!this.plain || !forKernel(pred, outputs) || !onSharedMemory(out)) return false;
    const values = softmaxCrossEntropy(this.kernelRows(rows), { out, scaleOf });
    losses?.set(values.subarray(0, rows.size));
    return true;
  }

  /** What each row adds to the divisor of the mean. */
  divisors({ targets, size }: LossRows, out: Float64Array): void {
    for (let i = 0; i < size; i++)
      out[i] = targets[i] === this.ignoreIndex ? 0 : this.weight ? this.weight[targets[i]] : 1;
  }

  private get plain(): boolean {
    return !this.weight && this.labelSmoothing === 0;
  }

  private kernelRows(rows: LossRows): SoftmaxRows {
    const { ignoreIndex, name } = this;
    const at = (i: number): number =>
      rows.targets[i] === ignoreIndex ? -1 : classOf(rows, i, name);
    return { size: rows.size, pred: rows.pred, outputs: rows.outputs ?? 1, classOf: at };
  }
}

/**
 * Cross-entropy with a share eps of the target spread over all classes, so that no probability is
 * pushed to 1: fastai's `LabelSmoothingCrossEntropyFlat`, the same as `CrossEntropyLossFlat` with
 * `labelSmoothing`, but without class weights.
 * @example new LabelSmoothingCrossEntropyFlat({ eps: 0.1 })
 */
export class LabelSmoothingCrossEntropyFlat extends CrossEntropyLossFlat {
  override readonly name: string = 'LabelSmoothingCrossEntropyFlat';
  /** Share of the target that is spread over all classes, 0 … 1. */
  readonly eps: number;

  /** @param options.eps share that is spread; default 0.1 */
  constructor(options: { eps?: number } = {}) {
    const { eps } = given({ eps: 0.1 }, options, 'LabelSmoothingCrossEntropyFlat');
    checkNumber(eps, eps >= 0 && eps <= 1, 'eps must be between 0 and 1');
    super({ labelSmoothing: eps });
    this.eps = eps;
  }
}

const FOCAL_DEFAULTS = {
  /** γ: how strongly rows that are predicted well are weighted down; 0 is the cross-entropy. */
  gamma: 2,
  /** One weight per class, w (the paper's α); default 1 each. */
  weight: undefined as ArrayLike<number> | undefined,
};

/** Options of FocalLossFlat. */
export type FocalLossOptions = Partial<typeof FOCAL_DEFAULTS>;

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
export class FocalLossFlat extends ClassLoss {
  readonly name: string = 'FocalLossFlat';
  /** γ: how strongly rows that are predicted well are weighted down. */
  readonly gamma: number;

  constructor(options: FocalLossOptions = {}) {
    const { gamma, weight } = given(FOCAL_DEFAULTS, options, 'FocalLossFlat');
    checkNumber(gamma, gamma >= 0 && gamma < Infinity, 'gamma must be a number, 0 or more');
    super(weight);
    this.gamma = gamma;
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

  private crossEntropy(rows: LossRows, i: number): number {
    const { pred, outputs = 1 } = rows;
    const y = classOf(rows, i, this.name);
    const start = i * outputs;
    const loss = logSumExp(pred, start, start + outputs) - pred[start + y];
    return (this.weight ? this.weight[y] : 1) * loss;
  }
}

/** log Σ eˣ over a row, without overflow. */
function logSumExp(pred: Float32Array, start: number, end: number): number {
  let max = -Infinity;
  for (let j = start; j < end; j++) if (!(pred[j] <= max)) max = pred[j]; // NaN comes through
  let sum = 0;
  for (let j = start; j < end; j++) sum += Math.exp(pred[j] - max);
  return max + Math.log(sum);
}

/** The softmax of each row, a new array. */
function softmaxRows(pred: Float32Array, outputs: number): Float32Array {
  const out = new Float32Array(pred.length);
  for (let start = 0; start < pred.length; start += outputs) {
    const log = logSumExp(pred, start, start + outputs);
    for (let j = start; j < start + outputs; j++) out[j] = Math.exp(pred[j] - log);
  }
  return out;
}

/** The index of the largest value of each row, the first of equals. */
export function argmaxRows(values: Float32Array, outputs: number): Float32Array {
  const out = new Float32Array(values.length / outputs);
  for (let i = 0; i < out.length; i++) {
    let best = 0;
    for (let c = 1; c < outputs; c++)
      if (values[i * outputs + c] > values[i * outputs + best]) best = c;
    out[i] = best;
  }
  return out;
}

/** The target class of row i, checked. */
function classOf({ targets, outputs = 1 }: LossRows, i: number, name: string): number {
  const y = targets[i];
  if (Number.isInteger(y) && y >= 0 && y < outputs) return y;
  throw new NumericError(
    `${name} needs classes from 0 to ${outputs - 1} as targets, got ${said(y)} in row ${i} of the batch.`,
  );
}

/** Class weights as given, checked. */
function checkedWeights(weight: ArrayLike<number> | undefined): Float64Array | undefined {
  if (!weight) return undefined;
  const checked = Float64Array.from(weight);
  if (checked.length === 0)
    throw new ArgumentError('weight needs one number for each class, got none.');
  if (checked.every((w) => w === 0))
    throw new ArgumentError('The weights of all classes are 0, so there is nothing to learn.');
  for (const [c, w] of checked.entries())
    checkNumber(w, w >= 0 && w < Infinity, `The weight of class ${c} must be a number, 0 or more`);
  return checked;
}

/** From this number of classes on the kernel is faster than a plain loop in float64. */
const MANY = 256;

let classes = int32(0);
let scales = float32(0);
let room = float32(0);
let parts: ArrayLike<number> = [];
let losses = new Float64Array(0);

/** In how many rows of the last call the target's logit was the highest, or one of the highest. */
export function rightRows(size: number): number {
  let right = 0;
  for (let i = 0; i < size; i++) if (parts[2 * i + 1] === 0 && classes[i] >= 0) right++;
  return right;
}

/** Rows of logits and their classes, −1 for a row that is ignored. */
interface SoftmaxRows {
  readonly size: number;
  readonly outputs: number;
  readonly pred: Float32Array;
  /** The class of row i, checked. */
  classOf(i: number): number;
}

/** Whether the kernel can compute these rows, and is faster. */
function forKernel(pred: Float32Array, outputs: number): boolean {
  return outputs >= MANY && onSharedMemory(pred);
}

/**
 * Cross-entropy of the softmax of rows, by a kernel and on all threads: each row's loss (a view,
 * valid until the next call) and, with `into`, its gradient.
 * @param into.out the array of the gradient, on the shared memory; may be `pred` itself. `scaleOf`:
 *   the factor of row i's gradient
 */
export function softmaxCrossEntropy(
  { size, outputs, pred, classOf }: SoftmaxRows,
  into?: { out: Float32Array; scaleOf: (i: number) => number },
): Float64Array {
  if (classes.length < size) {
    classes = int32(size);
    scales = float32(size);
    room = float32(4 * size);
    parts = new Float64Array(room.buffer, room.byteOffset, 2 * size);
    losses = new Float64Array(size);
  }
  for (let i = 0; i < size; i++) {
    classes[i] = classOf(i);
    scales[i] = into ? into.scaleOf(i) : 0;
  }
  const at = [pred, classes, room].map(({ byteOffset }) => byteOffset);
  const args = [outputs, ...at, into ? into.out.byteOffset : 0, scales.byteOffset];
  parallel('crossEntropyRows', size, args, { grain: Math.ceil(20_000 / outputs) });
  for (let i = 0; i < size; i++) losses[i] = Math.log(parts[2 * i]) + parts[2 * i + 1];
  return losses;
}
