import { ArgumentError, NumericError } from '../../errors.js';
import { checkNumber, checkOptions, said } from '../../options.js';
import { asMade, printed } from '../../printed.js';
import { type Callback, CancelBatchException } from '../callback.js';

import type { Learner } from '../learner.js';

/** Options of GradientClip; defaults as fastai's. */
export interface GradientClipOptions {
  /** The largest norm; default 1. */
  maxNorm?: number;
  /** Order of the norm; default 2, Infinity for the largest absolute value. */
  normType?: number;
}

/**
 * Scales the gradients down if their norm, over all parameters that are trained, is more than
 * `maxNorm` (fastai's GradientClip, PyTorch's `clip_grad_norm_`): g ← g·min(1, maxNorm/(‖g‖ +
 * 1e-6)).
 * @example await learn.fit(1, 1e-3, { cbs: new GradientClip({ maxNorm: 1 }) });
 */
export class GradientClip implements Callback {
  readonly name = 'GradientClip';
  readonly order = 11;
  readonly maxNorm: number;
  readonly normType: number;
  /** The norm before the last step. */
  norm = NaN;

  constructor(options: GradientClipOptions = {}) {
    checkOptions(options, ['maxNorm', 'normType'], 'GradientClip');
    const { maxNorm = 1, normType = 2 } = options;
    checkNumber(maxNorm, maxNorm > 0, 'maxNorm must be positive');
    checkNumber(normType, normType > 0, 'normType must be positive');
    this.maxNorm = maxNorm;
    this.normType = normType;
  }

  beforeStep({ opt, epoch, iter }: Learner): void {
    const trained = opt.groups.flatMap(({ params }) => params.filter((p) => p.trainable));
    const norms = trained.map((p) => pNorm(p.grad.subarray(0, p.gradSize), this.normType));
    this.norm = pNorm(norms, this.normType);
    if (!Number.isFinite(this.norm)) {
      const i = norms.findIndex((n) => !Number.isFinite(n));
      const which = i < 0 ? 'the parameters together' : trained[i].name;
      throw new NumericError(
        `The gradient of ${which} is not finite in epoch ${epoch}, batch ${iter}. Try a smaller learning rate (lrFind).`,
      );
    }
    const scale = this.maxNorm / (this.norm + 1e-6);
    if (scale >= 1) return;
    for (const p of trained) {
      const { grad, gradSize } = p;
      for (let i = 0; i < gradSize; i++) grad[i] *= scale;
    }
  }
}

function pNorm(x: ArrayLike<number>, order: number): number {
  let sum = 0;
  if (order === Infinity) {
    for (let i = 0; i < x.length; i++) sum = Math.max(sum, Math.abs(x[i])); // NaN stays NaN
    return sum;
  }
  if (order === 2) for (let i = 0; i < x.length; i++) sum += x[i] * x[i];
  else for (let i = 0; i < x.length; i++) sum += Math.abs(x[i]) ** order;
  return sum ** (1 / order);
}

/** Options of GradientAccumulation; default as fastai's. */
export interface GradientAccumulationOptions {
  /** Rows that make a step; default 32. */
  nAcc?: number;
}

/**
 * Adds up the gradients of batches and steps once `nAcc` rows have been seen (fastai's
 * GradientAccumulation): the step is that of one batch of nAcc rows, if bs divides nAcc and rows
 * have no weights. Gradients that wait at the end of an epoch go into the next one; a file does not
 * hold them.
 * @example await learn.fit(1, 1e-3, { cbs: new GradientAccumulation({ nAcc: 256 }) }); // steps as with bs: 256
 */
export class GradientAccumulation implements Callback {
  readonly name = 'GradientAccumulation';
  readonly order = 6;
  readonly runValid = false;
  readonly nAcc: number;
  private count = 0;

  constructor(options: GradientAccumulationOptions = {}) {
    checkOptions(options, ['nAcc'], 'GradientAccumulation');
    const { nAcc = 32 } = options;
    if (!(Number.isInteger(nAcc) && nAcc > 0))
      throw new ArgumentError(`nAcc must be a positive whole number of rows, got ${said(nAcc)}.`);
    this.nAcc = nAcc;
  }

  beforeFit({ resumed }: Learner): void {
    if (!resumed) this.count = 0;
  }

  afterLoss(learn: Learner): void {
    learn.gradScale *= learn.batch.size / this.nAcc;
  }

  beforeStep({ batch }: Learner): void {
    this.count += batch.size;
    if (this.count < this.nAcc) throw new CancelBatchException(); // leaves out the step, and what clears the gradients
    this.count = 0;
  }
}

printed(GradientClip, (cb) => asMade(cb, ['maxNorm', 'normType']));
printed(GradientAccumulation, (cb) => asMade(cb, ['nAcc']));
