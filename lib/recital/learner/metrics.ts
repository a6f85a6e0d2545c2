import { ArgumentError, NumericError } from '../errors.js';
import { sigmoid } from '../nn/activations.js';
import { argmaxRows } from '../nn/cross-entropy.js';
import {
  checkArgument,
  checkFlag,
  checkNumber,
  given,
  isFunction,
  isNumbers,
  whatIs,
} from '../options.js';
import { printed } from '../printed.js';
import type { Learner } from './learner.js';

/** A number computed over a whole validation pass. */
export interface Metric {
  /** Heading of its column. */
  readonly name: string;
  /** Forgets what was seen. */
  reset(): void;
  /** Takes in the learner's batch: `learn.pred`, `learn.batch`. */
  accumulate(learn: Learner): void;
  /** The value now; NaN if nothing was seen. */
  readonly value: number;
  /** Whether more of it is better; default: by its name, see {@link TrackerOptions}. */
  readonly greater?: boolean | undefined;
}

/**
 * A function of predictions (as the model makes them: logits, if the loss works on logits) and
 * targets. As a metric it is averaged over batches, by their size: see {@link AvgMetric}.
 */
export interface MetricFunction {
  (pred: Float32Array, targets: Float32Array): number;
  /** Whether more of it is better, see {@link Metric}. */
  readonly greater?: boolean | undefined;
}

const OPTIONS = {
  /** Heading of its column; default: the name of the function. */
  name: undefined as string | undefined,
  /** Whether more of it is better; default: as the function says, if it is one of the library's. */
  greater: undefined as boolean | undefined,
};

/**
 * Options of {@link AvgMetric} and {@link AccumMetric}.
 * @example new AvgMetric(mse, { name: 'error', greater: false })
 */
export type MetricOptions = Partial<typeof OPTIONS>;

/** Names of errors, as in fastai those with "loss" or "error", and other usual ones. */
const ERRORS =
  /loss|error|perplexity|brier|deviance|divergence|(^|[^a-z])[rn]?(mse|mae|mape|msle)([^a-z]|$)/i;

/** Whether more is better of a metric, as far as its name tells. */
export function greaterByName(name: string): boolean {
  return !ERRORS.test(name);
}

/** A metric made of a function. */
abstract class FunctionMetric implements Metric {
  readonly name: string;
  /** Whether more is better; undefined where it does not say. */
  readonly greater: boolean | undefined;

  constructor(
    /** The function of predictions and targets. */
    protected readonly func: MetricFunction,
    options: MetricOptions = {},
  ) {
    const of = `new ${new.target.name}`;
    const wanted = 'a function (pred, targets), such as mae';
    checkArgument(typeof func === 'function', func, of, wanted);
    const { name = func.name || 'metric', greater = func.greater } = given(OPTIONS, options, of);
    if (greater !== undefined) checkFlag(greater, 'greater');
    this.name = name;
    this.greater = greater;
  }

  /** Forgets the batches so far. */
  abstract reset(): void;
  /** Takes the batch that the learner has just predicted. */
  abstract accumulate(learn: Learner): void;
  /** The value over all batches since `reset`; NaN without any. */
  abstract get value(): number;

  /** The function's value, which must be a number. */
  protected compute(pred: Float32Array, targets: Float32Array): number {
    const value: unknown = this.func(pred, targets);
    if (typeof value === 'number') return value;
    const { name } = this;
    const hint =
      typeof (value as Metric | undefined)?.accumulate === 'function'
        ? ` It makes metrics, so call it, ${name}().`
        : '';
    throw new ArgumentError(
      `The metric ${name} must return a number, got ${whatIs(value)}.${hint}`,
    );
  }
}

/**
 * Mean over batches weighted by their size: right for a mean over rows, such as an accuracy; wrong
 * for an rmse (use AccumMetric).
 * @example new Learner(dls, model, { metrics: new AvgMetric(mae, { name: 'error' }) })
 */
export class AvgMetric extends FunctionMetric {
  private sum = 0;
  private rows = 0;

  reset(): void {
    this.sum = 0;
    this.rows = 0;
  }

  accumulate({ pred, batch: { size, targets }, model }: Learner): void {
    const value = this.compute(pred.subarray(0, size * model.outputs), targets.subarray(0, size));
    this.sum += value * size;
    this.rows += size;
  }

  get value(): number {
    return this.sum / this.rows;
  }
}

/**
 * Keeps all predictions and targets of the pass and computes once at its end: for what is no mean
 * over rows.
 * @example new Learner(dls, model, { metrics: new AccumMetric((pred, targets) => Math.sqrt(mse(pred, targets)), { name: 'root' }) })
 */
export class AccumMetric extends FunctionMetric {
  private preds: Float32Array[] = [];
  private targets: Float32Array[] = [];

  reset(): void {
    this.preds = [];
    this.targets = [];
  }

  accumulate({ pred, batch, model }: Learner): void {
    this.preds.push(pred.slice(0, batch.size * model.outputs));
    this.targets.push(batch.targets.slice(0, batch.size));
  }

  get value(): number {
    return this.targets.length ? this.compute(concat(this.preds), concat(this.targets)) : NaN;
  }
}

function concat(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * A metric of all rows of a pass at once, which is no mean over batches: a learner that is given
 * it, `metrics: rmse`, does not average it. Called without arguments it makes that Metric.
 * @example
 * const metric: PassMetric = rmse;
 * metric(Float32Array.of(1, 2), Float32Array.of(3, 4)) // 2
 */
export interface PassMetric {
  (pred: Float32Array, targets: Float32Array): number;
  (): Metric;
  /** Whether more of it is better. */
  readonly greater: boolean;
}

const passMetrics = new Set<unknown>();

function passMetric(name: string, greater: boolean, func: MetricFunction): PassMetric {
  const metric = (pred?: Float32Array, targets = new Float32Array(0)): Metric | number =>
    pred ? func(pred, targets) : new AccumMetric(func, { name, greater });
  Object.defineProperty(metric, 'name', { value: name });
  passMetrics.add(metric);
  return Object.assign(metric, { greater }) as PassMetric;
}

/**
 * The Metric of a metric as a learner is given it. The rule for all: those without options are
 * given bare (`mse`, `rmse`, your own functions), those with options are made by a call
 * (`accuracyThresh(0.5)`, `new AvgMetric(mae, { name: 'error' })`).
 */
export function asMetric(metric: Metric | MetricFunction): Metric {
  if (typeof metric === 'function') {
    if (passMetrics.has(metric)) return (metric as PassMetric)();
    if ((metric as unknown) === accuracyThresh)
      throw new ArgumentError('accuracyThresh makes a metric: call it, accuracyThresh(0.5).');
    if (!isFunction(metric))
      throw new ArgumentError(
        `${metric.name} is a class of metrics: make one, new ${metric.name}(…).`,
      );
    return new AvgMetric(metric);
  }
  if (typeof metric?.accumulate === 'function') return metric;
  throw new ArgumentError(
    `A metric is a function of (predictions, targets), such as rmse, or made by a call, such as accuracyThresh(0.5), got ${whatIs(metric)}.`,
  );
}

/**
 * Share of rows where the prediction exceeds `thresh` exactly when the target is above 0.5
 * (fastai's `accuracy_multi` for one label).
 * @param thresh probability from which a prediction counts as 1 (exclusive)
 * @param options.sigmoid whether predictions are logits (default true), as with
 *   BCEWithLogitsLossFlat
 * @example accuracyThresh(0.5)
 */
export function accuracyThresh(thresh = 0.5, options: { sigmoid?: boolean } = {}): Metric {
  const { sigmoid: logits } = given({ sigmoid: true }, options, 'accuracyThresh');
  checkNumber(thresh, thresh >= 0 && thresh <= 1, 'thresh is a probability between 0 and 1');
  const share = (pred: Float32Array, targets: Float32Array): number => {
    checkPairs('accuracyThresh', pred, targets);
    let right = 0;
    for (let i = 0; i < targets.length; i++)
      if ((logits ? sigmoid(pred[i]) : pred[i]) > thresh === targets[i] > 0.5) right++;
    return right / targets.length;
  };
  return new AvgMetric(share, { name: 'accuracy_thresh', greater: true });
}

/**
 * Share of rows whose largest prediction, the first of equals, is that of the target's class
 * (fastai's `accuracy`): for models with one output per class.
 * @param pred predictions, one per class and row, row-major
 * @param targets the right class of each row, by index
 * @example new Learner(dls, model, { lossFunc: new CrossEntropyLossFlat(), metrics: accuracy })
 */
export function accuracy(pred: Float32Array, targets: Float32Array): number {
  checkPairs('accuracy', pred, targets, false);
  const classes = argmaxRows(pred, pred.length / targets.length);
  return classes.reduce((right, c, i) => right + (c === targets[i] ? 1 : 0), 0) / targets.length;
}

accuracy.greater = true;

/** Throws unless there are targets, and one prediction for each, or as many for each. */
function checkPairs(name: string, pred: Float32Array, targets: Float32Array, one = true): void {
  for (const values of [pred, targets])
    checkArgument(isNumbers(values), values, name, 'predictions and targets, Float32Arrays');
  if (targets.length === 0)
    throw new ArgumentError(`${name} needs at least one prediction and its target, got none.`);
  const outputs = pred.length / targets.length;
  if (one ? outputs === 1 : Number.isInteger(outputs) && outputs > 0) return;
  const wanted = one ? 'one prediction' : 'as many predictions';
  throw new ArgumentError(
    `${name} needs ${wanted} for each target, got ${pred.length} predictions and ${targets.length} targets.`,
  );
}

/**
 * Mean squared error.
 * @param pred predictions, one per row
 * @param targets what was right, in the same unit
 * @example mse(Float32Array.of(1, 2), Float32Array.of(1, 4)) // 2
 */
export function mse(pred: Float32Array, targets: Float32Array): number {
  checkPairs('mse', pred, targets);
  let sum = 0;
  for (let i = 0; i < targets.length; i++) sum += (pred[i] - targets[i]) ** 2;
  return sum / targets.length;
}

mse.greater = false;

/**
 * Mean absolute error.
 * @param pred predictions, one per row
 * @param targets what was right, in the same unit
 * @example mae(Float32Array.of(1, 2), Float32Array.of(1, 4)) // 1
 */
export function mae(pred: Float32Array, targets: Float32Array): number {
  checkPairs('mae', pred, targets);
  let sum = 0;
  for (let i = 0; i < targets.length; i++) sum += Math.abs(pred[i] - targets[i]);
  return sum / targets.length;
}

mae.greater = false;

/**
 * Root mean squared error, √(Σ(p − y)²/n) over all rows of the pass at once: how far predictions
 * are off, in the units of the target.
 * @example new Learner(dls, model, { metrics: rmse })
 */
export const rmse: PassMetric = passMetric('rmse', false, (pred, targets) =>
  Math.sqrt(mse(pred, targets)),
);

/**
 * Coefficient of determination, 1 − Σ(y − p)²/Σ(y − ȳ)² (scikit-learn's `r2_score`): the share of
 * the targets' spread that is predicted, 0 for always predicting their mean. Where all targets are
 * equal there is no spread: 1 if every prediction is right, else 0 (scikit-learn's `force_finite`);
 * NaN for a single row, as there.
 * @example r2(Float32Array.of(1, 2, 3), Float32Array.of(1, 2, 4)) // 1 − 1/4.6667 = 0.785714
 */
export const r2: PassMetric = passMetric('r2_score', true, (pred, targets) => {
  const error = mse(pred, targets) * targets.length;
  if (targets.length < 2) return NaN;
  if (targets.every((y) => y === targets[0]))
    return Number.isNaN(error) ? NaN : error === 0 ? 1 : 0; // their mean may be off by a rounding: not told by the spread
  let mean = 0;
  for (const y of targets) mean += y / targets.length;
  return 1 - error / targets.reduce((spread, y) => spread + (y - mean) ** 2, 0);
});

/**
 * Area under the ROC curve: the probability that a row with target 1 is ranked above one with
 * target 0, ties counted half (scikit-learn's `roc_auc_score`); 0.5 is chance. NaN when there is
 * only one class.
 * @example rocAuc(Float32Array.of(0.1, 0.4, 0.35, 0.8), Float32Array.of(0, 0, 1, 1)) // 0.75
 */
export const rocAuc: PassMetric = passMetric('roc_auc_score', true, (pred, targets) => {
  checkPairs('rocAuc', pred, targets);
  const bad = pred.findIndex((p) => Number.isNaN(p));
  if (bad >= 0) throw new NumericError(`rocAuc: prediction ${bad} is NaN, so it has no rank.`);
  const none = targets.findIndex((y) => Number.isNaN(y));
  if (none >= 0) throw new NumericError(`rocAuc: target ${none} is NaN, so it is of no class.`);
  const positives = Float64Array.from(pred.filter((_, i) => targets[i] > 0.5)).sort();
  let pairs = 0;
  for (let i = 0; i < pred.length; i++)
    if (!(targets[i] > 0.5)) pairs += countAbove(positives, pred[i]);
  return pairs / (positives.length * (pred.length - positives.length));
});

/**
 * How many of ascending numbers are above x, those equal to it counted half: over all negatives x,
 * the area under the ROC curve times the number of pairs.
 */
export function countAbove(ascending: Float64Array, x: number): number {
  const n = ascending.length;
  if (n === 0 || x < ascending[0]) return n;
  const below = place(ascending, x, false);
  return n - (below + place(ascending, x, true, below)) / 2;
}

/** How many ascending numbers are below x or, with `equal`, not above it; at least `low` are. */
function place(ascending: Float64Array, x: number, equal: boolean, low = 0): number {
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < x || (equal && ascending[middle] === x)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Share of rows whose target's class is among the k largest predictions (fastai's `top_k_accuracy`;
 * of a next-track model the hit rate at k), headed `top_5_accuracy`; of equal predictions the first
 * ones count as larger. For models with one output per class.
 * @param k how many; default 5
 * @example new Learner(dls, model, { lossFunc: new CrossEntropyLossFlat(), metrics: [accuracy, topKAccuracy(10)] })
 */
export function topKAccuracy(k = 5): Metric {
  const hint = typeof k === 'number' ? '' : ' Call it: topKAccuracy(5).';
  const fits = Number.isInteger(k) && k >= 1;
  checkNumber(k, fits, 'topKAccuracy needs a positive whole number of classes', hint);
  const share = (pred: Float32Array, targets: Float32Array): number => {
    const outputs = pred.length / targets.length;
    let right = 0;
    for (let i = 0; i < targets.length; i++) {
      const own = pred[i * outputs + targets[i]];
      let before = 0;
      for (let c = 0; c < outputs; c++) {
        const other = pred[i * outputs + c];
        if (other > own || (other === own && c < targets[i])) before++;
      }
      if (before < k) right++;
    }
    return right / targets.length;
  };
  return new AvgMetric(share, { name: `top_${k}_accuracy`, greater: true });
}

for (const type of [AvgMetric, AccumMetric])
  printed<Metric>(type, ({ constructor: made, name }) => `${made.name}(${name})`);
