import { NumericError } from '../errors.js';
import type { Model } from '../nn/model.js';
import type { Learner } from './learner.js';

/** Larger weights are taken for a diverged run: trained ones seldom exceed 10. */
const HUGE = 1e4;

/** What to do about unusable weights. */
export const SPOILT =
  'Try a smaller learning rate (lrFind). The weights are spoilt now: load saved ones (learn.load), or make the learner again, before you train or predict.';

/** Position of the first number that is not finite; −1 if all are. */
export function firstNotFinite(values: ArrayLike<number>, n = values.length): number {
  for (let i = 0; i < n; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

/**
 * Looks through all weights of a model. Returns a description of the value that is not finite or,
 * if all are, on the one farthest from 0, and whether the weights are unusable: not finite, or so
 * large that what is computed from them soon is not.
 */
export function reportWeights({ parameters }: Model): { clause: string; spoilt: boolean } {
  let largest = { name: '', size: -1, value: NaN, at: 0 };
  for (const { name, value } of parameters) {
    for (let i = 0; i < value.length; i++) {
      const size = Math.abs(value[i]);
      if (!(size < Infinity))
        return {
          clause: `parameter ${name} holds a value that is not finite (${value[i]} at position ${i})`,
          spoilt: true,
        };
      if (size > largest.size) largest = { name, size, value: value[i], at: i };
    }
  }
  const { name, size, value, at } = largest;
  if (size < 0) return { clause: 'the model has no parameters', spoilt: false };
  const shown = `parameter ${name} holds ${Number(value.toPrecision(3))} at position ${at}`;
  return size > HUGE
    ? { clause: `the weights have exploded: ${shown}`, spoilt: true }
    : {
        clause: `the weights are finite, and none is large (the largest: ${shown})`,
        spoilt: false,
      };
}

/** Throws NumericError after an epoch whose last step made weights that are not finite. */
export function checkWeights({ model, epoch, opt }: Learner): void {
  if (model.parameters.every(({ value }) => firstNotFinite(value) < 0)) return;
  throw new NumericError(
    `After training epoch ${epoch}, at lr ${opt.hypers.lr.toPrecision(3)}, ${reportWeights(model).clause}. ${SPOILT}`,
  );
}

/** The error for a loss that is not finite: where it came, and its cause. */
export function badLoss(learn: Learner): NumericError {
  const batch = `${learn.training ? '' : 'validation '}batch ${learn.iter}`;
  const where = learn.loop.fitting
    ? `epoch ${learn.epoch}, ${batch}, at lr ${learn.opt.hypers.lr.toPrecision(3)}`
    : batch;
  return new NumericError(`The loss became ${learn.loss} in ${where}: ${causeOfBadLoss(learn)}`);
}

/** Spoilt weights explain all the rest, so they come first; then inputs, outputs, the loss. */
function causeOfBadLoss({ model, batch, pred, lossFunc }: Learner): string {
  const { clause, spoilt } = reportWeights(model);
  if (spoilt) return `${clause}. ${SPOILT}`;
  const found = (values: ArrayLike<number>, n: number): string | undefined => {
    const i = firstNotFinite(values, n);
    return i < 0 ? undefined : `${values[i]} at position ${i} in the batch`;
  };
  const target = found(batch.targets, batch.size);
  if (target) return `a target is not finite (${target}). Drop or mend such rows.`;
  const prediction = found(pred, Math.min(pred.length, batch.size * model.outputs));
  if (prediction)
    return `a prediction is not finite (${prediction}), though ${clause}. Look at the model's forward pass.`;
  return `predictions, targets and weights are finite, so look at the loss (${lossFunc.name}) and the weights of the rows.`;
}
