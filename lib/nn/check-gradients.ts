import { Random } from '../compute/random.js';
import type { Batch } from '../data/batch.js';
import { type Cell, Table } from '../data/table.js';
import { ArgumentError, NumericError } from '../errors.js';
import { checkModel, predictions } from './check-model.js';
import { type Loss, lossGradient, lossOf } from './loss.js';
import { MSELossFlat } from './losses/regression.js';
import type { Model } from './model.js';
import type { Parameter } from './parameter.js';

/** Options of checkGradients. */
export interface CheckGradientsOptions {
  /** The loss that is differentiated; default MSELossFlat. */
  lossFunc?: Loss;
  /** Gap allowed, as a share of the parameter's largest derivative; default 0.01. */
  tolerance?: number;
  /**
   * Values tried per parameter, evenly spread over those whose gradient is not 0; default 50. Infinity: all. Of a table only rows that the batch reads are
   * tried. The values whose gradient is 0 are moved together, once: the loss must not change.
   */
  samples?: number;
}

/**
 * Checks a model's hand-written gradients against central differences, (L(w + h) − L(w − h)) / 2h, for a batch. Everything is computed with float32
 * weights, so the two agree to about three digits. Weights, state and gradients are as before afterwards.
 * @param model what has forward and backward
 * @param batch rows with targets
 * @returns a table with a row for each parameter: its name, its shape, how many values were tried, and the largest gap as a share of its largest derivative
 * @throws NumericError that names the first value whose gap exceeds the tolerance
 * @example
 * const loaders = CollabDataLoaders.fromPlays(plays);
 * checkGradients(new EmbeddingDotBias(5, loaders.classes, { random: new Random(1) }), loaders.oneBatch());
 */
export function checkGradients(model: Model, batch: Batch, options: CheckGradientsOptions = {}): Table {
  checkModel(model, 'checkGradients');
  const { lossFunc = new MSELossFlat(), tolerance = 0.01, samples = 50 } = options;
  if (!(tolerance > 0)) throw new ArgumentError(`tolerance must be positive, got ${tolerance}.`);
  if (!(samples >= 1)) throw new ArgumentError(`samples must be at least 1, got ${samples}.`);
  const state = (model.buffers ?? []).map((b) => b.value.slice());
  const restore = (): void => {
    for (const [i, b] of (model.buffers ?? []).entries()) b.value.set(state[i]);
  };
  const { size, targets, weights } = batch;
  const rows = () => {
    restore(); // the same dropout mask and statistics each time
    return { size, targets, weights, outputs: model.outputs, pred: predictions(model, batch, { training: true }) };
  };
  const value = (): number => {
    const at = rows();
    return model.trainingLoss?.()?.value ?? lossOf(lossFunc, at);
  };
  try {
    for (const p of model.parameters) p.zeroGrad();
    model.touch?.(batch);
    const at = rows();
    const own = model.trainingLoss?.();
    const loss = own ? own.value : lossOf(lossFunc, at);
    if (!Number.isFinite(loss)) throw new NumericError(`The loss of the batch is ${loss}, so it has no gradient.`);
    if (own) own.backward(1);
    else {
      const out = new Float32Array(size * model.outputs);
      lossGradient(lossFunc, at, { out });
      model.backward(out);
    }
    return Table.fromRows(model.parameters.map((p) => checkParameter(p, value, { loss, tolerance, samples })));
  } finally {
    restore();
    for (const p of model.parameters) p.zeroGrad();
  }
}

function checkParameter(p: Parameter, value: () => number, options: { loss: number; tolerance: number; samples: number }): Record<string, Cell> {
  const { loss, tolerance, samples } = options;
  const n = p.gradSize;
  const step = 0.01 * (Math.sqrt(p.value.reduce((sum, w) => sum + w * w, 0) / p.value.length) || 1);
  // The loss of float32 predictions is known to about seven digits, its differences to as many less as the step is small.
  const noise = (5e-7 * Math.abs(loss)) / step;
  let largest = 0;
  for (let g = 0; g < n; g++) largest = Math.max(largest, Math.abs(p.grad[g]));
  const place = (g: number): number => (p.slots ? p.touched[Math.floor(g / p.width)] * p.width + (g % p.width) : g);
  const all = Array.from({ length: n }, (_, g) => g);
  const moving = all.filter((g) => p.grad[g] !== 0);
  const from = moving.length ? moving : all; // of a table without slots a batch moves few rows: most values say nothing
  const count = Math.min(from.length, samples);
  const tried = Array.from({ length: count }, (_, k) => {
    const g = from[Math.floor((k * from.length) / count)];
    const index = place(g);
    // A large step drowns the rounding, a small one does not go over the kink of a ReLU. A wrong gradient is far from all of them.
    const found = [10 * step, step, step / 4].map((h) => centralDifference(p.value, index, { h, value }));
    const numeric = found.reduce((best, x) => (Math.abs(x - p.grad[g]) < Math.abs(best - p.grad[g]) ? x : best));
    largest = Math.max(largest, Math.abs(numeric));
    return { index, exact: p.grad[g], numeric };
  });
  let worst = 0;
  for (const { index, exact, numeric } of tried) {
    const gap = Math.abs(exact - numeric);
    if (!(gap <= tolerance * largest + noise)) {
      throw new NumericError(
        `The gradient of ${p.name}[${index}] is ${exact.toPrecision(4)} by backward and ${numeric.toPrecision(4)} by central differences; ` +
          `the parameter's largest is ${largest.toPrecision(4)}.`,
      );
    }
    if (largest > 0) worst = Math.max(worst, gap / largest);
  }
  const still = all.filter((g) => p.grad[g] === 0).map(place);
  const change = still.length ? Math.min(...[step, step / 4, step / 16].map((h) => Math.abs(changeAlong(p.value, still, { h, value })))) : 0;
  if (!(change <= tolerance * largest + noise)) {
    throw new NumericError(
      `The gradient of ${p.name} is 0 by backward at ${still.length} of ${n} values, such as ${p.name}[${still[0]}], yet the loss changes with them: ` +
        `by ${change.toPrecision(4)} where all of them move by 1, up or down.`,
    );
  }
  return { parameter: p.name, shape: p.shape.join(' × '), tried: count, gap: worst };
}

/** The derivative of the loss where many values move at once, each up or down by chance, so that they do not make up for each other. */
function changeAlong(values: Float32Array, indices: readonly number[], { h, value }: { h: number; value: () => number }): number {
  const before = indices.map((index) => values[index]);
  const random = new Random('checkGradients');
  const signs = indices.map(() => (random.uniform() < 0.5 ? -1 : 1));
  const losses = [h, -h].map((step) => {
    for (const [i, index] of indices.entries()) values[index] = before[i] + signs[i] * step;
    return value();
  });
  for (const [i, index] of indices.entries()) values[index] = before[i];
  return (losses[0] - losses[1]) / (2 * h);
}

function centralDifference(values: Float32Array, index: number, { h, value }: { h: number; value: () => number }): number {
  const w = values[index];
  const ends = [w + h, w - h].map(Math.fround);
  const losses = ends.map((x) => {
    values[index] = x;
    return value();
  });
  values[index] = w;
  return (losses[0] - losses[1]) / (ends[0] - ends[1]);
}
