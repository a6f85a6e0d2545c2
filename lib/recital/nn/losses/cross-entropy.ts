import { ArgumentError } from '../../errors.js';
import { checkNumber, checkOptions, said } from '../../options.js';
import { checkPreds, type Loss, type LossRows } from '../loss.js';
import { onSharedMemory } from '../scratch.js';
import { argmaxRows, checkedWeights, classOf, logSumExp, softmaxRows } from './classes.js';
import { forKernel, type SoftmaxRows, softmaxCrossEntropy } from './softmax-kernel.js';

/** Options of CrossEntropyLossFlat. */
export interface CrossEntropyLossOptions {
  /** One weight per class, w; default 1 each. */
  weight?: ArrayLike<number>;
  /** Rows with this target do not count; default −100. */
  ignoreIndex?: number;
  /** Share ε of the target that is spread over all classes, 0 … 1; default 0. */
  labelSmoothing?: number;
}

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
export class CrossEntropyLossFlat implements Loss {
  readonly name: string = 'CrossEntropyLossFlat';
  /** The number of classes if it is known (by `weight`), else any. */
  readonly outputs: number | undefined;
  /** Weight of each class, if they have any. */
  readonly weight: Float64Array | undefined;
  /** Target of the rows that do not count. */
  readonly ignoreIndex: number;
  /** ε. */
  readonly labelSmoothing: number;

  constructor(options: CrossEntropyLossOptions = {}) {
    checkOptions(options, ['weight', 'ignoreIndex', 'labelSmoothing'], 'CrossEntropyLossFlat');
    const { weight, ignoreIndex = -100, labelSmoothing = 0 } = options;
    checkNumber(
      labelSmoothing,
      labelSmoothing >= 0 && labelSmoothing <= 1,
      'labelSmoothing must be between 0 and 1',
    );
    if (!Number.isInteger(ignoreIndex))
      throw new ArgumentError(
        `ignoreIndex must be the whole number that stands for rows to ignore, got ${said(ignoreIndex)}.`,
      );
    this.weight = checkedWeights(weight);
    this.outputs = this.weight?.length;
    this.ignoreIndex = ignoreIndex;
    this.labelSmoothing = labelSmoothing;
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

  /**
   * Losses and derivatives at once, each row's derivatives multiplied by its scale, for many
   * classes: on all threads. False if it cannot.
   */
  scaledDerivatives(
    rows: LossRows,
    {
      out,
      scaleOf,
      losses,
    }: { out: Float32Array; scaleOf: (i: number) => number; losses?: Float64Array },
  ): boolean {
    const { pred, outputs = 1 } = rows;
    if (!this.plain || !forKernel(pred, outputs) || !onSharedMemory(out)) return false;
    const values = softmaxCrossEntropy(this.kernelRows(rows), { out, scaleOf });
    losses?.set(values.subarray(0, rows.size));
    return true;
  }

  divisors({ targets, size }: LossRows, out: Float64Array): void {
    for (let i = 0; i < size; i++)
      out[i] = targets[i] === this.ignoreIndex ? 0 : this.weight ? this.weight[targets[i]] : 1;
  }

  private get plain(): boolean {
    return !this.weight && this.labelSmoothing === 0;
  }

  private kernelRows(rows: LossRows): SoftmaxRows {
    const { size, pred, outputs = 1, targets } = rows;
    return {
      size,
      pred,
      outputs,
      classOf: (i) => (targets[i] === this.ignoreIndex ? -1 : classOf(rows, i, this.name)),
    };
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
}

/**
 * Cross-entropy with a share eps of the target spread over all classes, so that no probability is
 * pushed to 1: fastai's `LabelSmoothingCrossEntropyFlat`, the same as `CrossEntropyLossFlat` with
 * `labelSmoothing`. For class weights use that one.
 * @example new LabelSmoothingCrossEntropyFlat({ eps: 0.1 })
 */
export class LabelSmoothingCrossEntropyFlat extends CrossEntropyLossFlat {
  override readonly name: string = 'LabelSmoothingCrossEntropyFlat';

  /** @param options.eps share that is spread; default 0.1 */
  constructor(options: { eps?: number } = {}) {
    checkOptions(options, ['eps'], 'LabelSmoothingCrossEntropyFlat');
    const { eps = 0.1 } = options;
    checkNumber(eps, eps >= 0 && eps <= 1, 'eps must be between 0 and 1');
    super({ labelSmoothing: eps });
  }
}
