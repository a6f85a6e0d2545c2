import type { Batch } from '../data/batch.js';
import { display } from '../data/display.js';
import { Table } from '../data/table.js';
import { NumericError } from '../errors.js';
import { checkNumber, checkOptions } from '../options.js';
import { checkModel, predictions } from './check-model.js';
import { checkParameter } from './check-parameter.js';
import { type Loss, lossGradient, lossOf } from './loss.js';
import { MSELossFlat } from './losses/regression.js';
import type { Model } from './model.js';

/** Options of checkGradients. */
export interface CheckGradientsOptions {
  /** The loss that is differentiated; default MSELossFlat. */
  lossFunc?: Loss;
  /** Gap allowed, as a share of the parameter's largest derivative; default 0.01. */
  tolerance?: number;
  /**
   * Values tried per parameter, evenly spread over those whose gradient is not 0; default 50.
   * Infinity: all. Of a table only rows that the batch reads are tried. The values whose gradient
   * is 0 are moved together, once: the loss must not change.
   */
  samples?: number;
}

/**
 * Checks a model's hand-written gradients against central differences, (L(w + h) − L(w − h)) / 2h,
 * for a batch. Everything is computed with float32 weights, so the two agree to about three digits.
 * Weights, state and gradients are as before afterwards.
 *
 * The loss itself is known to about seven digits. Where weights are as small as at the start of
 * training, or the batch is large, one of them may change it by less than that: then the check
 * takes larger steps, and where these do not help either, says that it cannot tell.
 * @param model what has forward and backward
 * @param batch rows with targets
 * @returns a table with a row for each parameter: its name, its shape, how many values were tried,
 *   and the largest gap as a share of its largest derivative: a missing value, and a warning, where
 *   it could not tell whether the gradient is right
 * @throws NumericError that names the first value whose gap exceeds the tolerance
 * @example
 * const loaders = CollabDataLoaders.fromPlays(plays);
 * checkGradients(new EmbeddingDotBias(5, loaders.classes, { random: new Random(1) }), loaders.oneBatch());
 */
export function checkGradients(
  model: Model,
  batch: Batch,
  options: CheckGradientsOptions = {},
): Table {
  checkModel(model, 'checkGradients');
  checkOptions(options, ['lossFunc', 'tolerance', 'samples'], 'checkGradients');
  const { lossFunc = new MSELossFlat(), tolerance = 0.01, samples = 50 } = options;
  checkNumber(tolerance, tolerance > 0, 'tolerance must be positive');
  checkNumber(samples, samples >= 1, 'samples must be at least 1');
  const state = (model.buffers ?? []).map((b) => b.value.slice());
  const restore = (): void => {
    for (const [i, b] of (model.buffers ?? []).entries()) b.value.set(state[i]);
  };
  const { size, targets, weights } = batch;
  const forward = () => {
    restore(); // the same dropout mask and statistics each time
    return {
      size,
      targets,
      weights,
      outputs: model.outputs,
      pred: predictions(model, batch, { training: true }),
    };
  };
  const value = (): number => {
    const at = forward();
    return (
      (model.trainingLoss?.()?.value ?? lossOf(lossFunc, at)) + (model.penalty?.()?.value ?? 0)
    );
  };
  try {
    for (const p of model.parameters) p.zeroGrad();
    model.touch?.(batch);
    const at = forward();
    const own = model.trainingLoss?.();
    const penalty = model.penalty?.();
    const loss = (own ? own.value : lossOf(lossFunc, at)) + (penalty?.value ?? 0);
    if (!Number.isFinite(loss))
      throw new NumericError(`The loss of the batch is ${loss}, so it has no gradient.`);
    if (own) own.backward(1);
    else {
      const out = new Float32Array(size * model.outputs);
      lossGradient(lossFunc, at, { out });
      model.backward(out);
    }
    penalty?.backward(1);
    const rows = model.parameters.map((p) => {
      const { tried, gap = null } = checkParameter(p, { loss, value, tolerance, samples });
      return { parameter: p.name, shape: p.shape.join(' × '), tried, gap };
    });
    const unclear = rows.filter(({ gap }) => gap === null).map(({ parameter }) => parameter);
    if (unclear.length) {
      display().warn(
        `checkGradients cannot tell whether the gradient of ${unclear.join(', ')} is right: the loss changes by less than its rounding, or not in a straight ` +
          'line. Check a copy of the model with larger initial weights (a hundred times as large, say), or with a smaller batch.',
      );
    }
    return Table.fromRows(rows);
  } finally {
    restore();
    for (const p of model.parameters) p.zeroGrad();
  }
}
