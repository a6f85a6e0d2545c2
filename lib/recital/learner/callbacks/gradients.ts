import { NumericError } from '../../errors.js';
import { checkCount, checkNumber, given } from '../../options.js';
import { asMade, printed } from '../../printed.js';
import { type Callback, CancelBatchException } from '../callback.js';
import type { Learner } from '../learner.js';

const CLIP = {
  /** The largest norm; default 1. */
  maxNorm: 1,
};

/** Options of GradientClip; defaults as fastai's. */
export type GradientClipOptions = Partial<typeof CLIP>;

/**
 * Scales the gradients down if their Euclidean norm, over all parameters that are trained, is more
 * than `maxNorm` (fastai's GradientClip, PyTorch's `clip_grad_norm_`):
 * g ← g·min(1, maxNorm/(‖g‖ + 1e-6)).
 * @example await learn.fit(1, 1e-3, { cbs: new GradientClip({ maxNorm: 1 }) });
 */
export class GradientClip implements Callback {
  readonly name = 'GradientClip';
  readonly order = 11;
  /** The largest norm that gradients keep. */
  readonly maxNorm: number;
  /** The norm before the last step. */
  norm = NaN;

  constructor(options: GradientClipOptions = {}) {
    const { maxNorm } = given(CLIP, options, 'GradientClip');
    checkNumber(maxNorm, maxNorm > 0, 'maxNorm must be positive');
    this.maxNorm = maxNorm;
  }

  beforeStep({ opt, epoch, iter }: Learner): void {
    const trained = opt.groups.flatMap(({ params }) => params.filter((p) => p.trainable));
    const norms = trained.map((p) => norm(p.grad.subarray(0, p.gradSize)));
    this.norm = norm(norms);
    if (!Number.isFinite(this.norm)) {
      const bad = trained.find((_, i) => !Number.isFinite(norms[i]));
      throw new NumericError(
        `The gradient of ${bad?.name ?? 'the parameters together'} is not finite in epoch ${epoch}, batch ${iter}. Try a smaller learning rate (lrFind).`,
      );
    }
    const scale = this.maxNorm / (this.norm + 1e-6);
    if (scale >= 1) return;
    for (const { grad, gradSize } of trained) for (let i = 0; i < gradSize; i++) grad[i] *= scale;
  }
}

function norm(x: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * x[i];
  return Math.sqrt(sum);
}

const ACCUMULATION = {
  /** Rows that make a step; default 32. */
  nAcc: 32,
};

/** Options of GradientAccumulation; default as fastai's. */
export type GradientAccumulationOptions = Partial<typeof ACCUMULATION>;

/**
 * Adds up the gradients of batches and steps once `nAcc` rows have been seen (fastai's
 * GradientAccumulation): the step is that of one batch of nAcc rows, if bs divides nAcc and rows
 * have no weights. Gradients left at the end of an epoch go into the next one; a saved file does
 * not hold them.
 * @example await learn.fit(1, 1e-3, { cbs: new GradientAccumulation({ nAcc: 256 }) }); // steps as with bs: 256
 */
export class GradientAccumulation implements Callback {
  readonly name = 'GradientAccumulation';
  readonly order = 6;
  readonly runValid = false;
  /** Rows whose gradients make one step. */
  readonly nAcc: number;
  private count = 0;

  constructor(options: GradientAccumulationOptions = {}) {
    const { nAcc } = given(ACCUMULATION, options, 'GradientAccumulation');
    checkCount(nAcc, 'nAcc');
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
    if (this.count < this.nAcc) throw new CancelBatchException(); // no step, and gradients are kept
    this.count = 0;
  }
}

printed(GradientClip, (cb) => asMade(cb, ['maxNorm']));
printed(GradientAccumulation, (cb) => asMade(cb, ['nAcc']));
