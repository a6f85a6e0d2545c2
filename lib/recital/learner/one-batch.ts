import { float32 } from '../compute/memory.js';
import type { Batch } from '../data/batch.js';
import { NumericError } from '../errors.js';
import { predictions } from '../nn/check-model.js';
import { type LossRows, lossGradient, lossOf, lossWithGradient } from '../nn/losses.js';
import type { Dispatcher } from './dispatch.js';
import { CancelBackwardException, CancelBatchException, CancelStepException } from './events.js';
import type { Learner } from './learner.js';
import { notFinite, reportWeights, SPOILT } from './not-finite.js';

/**
 * What happens to one batch: forward, loss and, in training, backward and step, with all events.
 */
export class OneBatch {
  private pending = false; // gradients wait for a later step: a callback has cancelled the batch after its backward pass
  private gradient = float32(0);

  constructor(
    private readonly learn: Learner,
    private readonly events: Dispatcher,
  ) {}

  /** @param options.anyLoss whether training goes on with a loss that is not finite */
  run(batch: Batch, { anyLoss }: { anyLoss: boolean }): void {
    const { learn, events } = this;
    learn.batch = (!learn.training && learn.model.validBatch?.(batch)) || batch;
    learn.gradScale = 1;
    events.around('Batch', CancelBatchException, () => {
      if (learn.training) {
        learn.model.touch?.(learn.batch);
        learn.opt.touch();
      }
      learn.pred = predictions(learn.model, learn.batch, { training: learn.training });
      events.call('afterPred');
      const unknown = !learn.training && Number.isNaN(learn.batch.targets[0]); // rows to predict, without targets
      const own = learn.training ? learn.model.trainingLoss?.() : undefined;
      const both = learn.training && !own ? this.lossWithGradient() : undefined;
      learn.loss = unknown ? NaN : (own?.value ?? both ?? lossOf(learn.lossFunc, this.rows()));
      events.call('afterLoss');
      if (!Number.isFinite(learn.loss) && !anyLoss && !unknown) throw this.badLoss();
      if (!learn.training) return;
      events.around('Backward', CancelBackwardException, () => {
        this.pending = true;
        if (own) own.backward(learn.gradScale);
        else this.backward(both !== undefined);
        learn.model.penalty?.()?.backward(learn.gradScale);
      });
      events.around('Step', CancelStepException, () => learn.opt.step());
      learn.opt.zeroGrad();
      this.pending = false;
    });
  }

  /** Drops gradients that wait for a later step. */
  dropPending(): void {
    this.pending = false;
    for (const p of this.learn.model.parameters) p.zeroGrad();
  }

  /** Copies gradients that wait for a later step; what it returns puts them back. */
  keepPending(): (() => void) | undefined {
    if (!this.pending) return undefined;
    const { parameters } = this.learn.model;
    const kept = parameters.map((p) => ({
      p,
      rows: p.touched.slice(0, p.touchedCount),
      grad: p.grad.slice(0, p.gradSize),
    }));
    return () => {
      for (const { p, rows, grad } of kept) {
        if (p.slots) p.touch(rows);
        p.grad.set(grad);
      }
      this.pending = true;
    };
  }

  /** The loss, with the gradient made along with it, where the loss can. */
  private lossWithGradient(): number | undefined {
    const { pred, lossFunc } = this.learn;
    if (this.gradient.length < pred.length) this.gradient = float32(pred.length);
    return lossWithGradient(lossFunc, this.rows(), { out: this.gradient });
  }

  private backward(made: boolean): void {
    const { learn } = this;
    const n = learn.batch.size * learn.model.outputs;
    if (!made) lossGradient(learn.lossFunc, this.rows(), { out: this.gradient });
    if (learn.gradScale !== 1) for (let i = 0; i < n; i++) this.gradient[i] *= learn.gradScale;
    learn.model.backward(this.gradient);
  }

  private rows(): LossRows {
    const { batch, pred, model } = this.learn;
    const { size, targets, weights } = batch;
    return { size, pred, outputs: model.outputs, targets, weights };
  }

  private badLoss(): NumericError {
    const { learn } = this;
    const batch = `${learn.training ? '' : 'validation '}batch ${learn.iter}`;
    const where = learn.loop.fitting
      ? `epoch ${learn.epoch}, ${batch}, at lr ${learn.opt.hypers.lr.toPrecision(3)}`
      : batch;
    return new NumericError(`The loss became ${learn.loss} in ${where}: ${this.causeOfBadLoss()}`);
  }

  /**
   * Spoilt weights explain everything else, so they come first; then what went in, what came out,
   * and the loss itself.
   */
  private causeOfBadLoss(): string {
    const { model, batch, pred, lossFunc } = this.learn;
    const weights = reportWeights(model);
    if (weights.spoilt) return `${weights.clause}. ${SPOILT}`;
    const target = notFinite(batch.targets, batch.size);
    if (target) return `a target is not finite (${target} in the batch). Drop or mend such rows.`;
    const prediction = notFinite(pred, Math.min(pred.length, batch.size * model.outputs));
    if (prediction)
      return `a prediction is not finite (${prediction} in the batch), though ${weights.clause}. Look at the model's forward pass.`;
    return `predictions, targets and weights are finite, so look at the loss (${lossFunc.name}) and the weights of the rows.`;
  }
}
