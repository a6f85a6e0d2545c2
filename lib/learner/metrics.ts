import { ArgumentError, NumericError } from '../errors.js';
import { argmaxRows } from '../nn/losses/classes.js';
import { sigmoid } from '../nn/losses.js';
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
}

/**
 * A function of predictions (as the model makes them: logits, if the loss works on logits) and targets. One given as a metric is averaged over batches,
 * weighted by batch size, as fastai's AvgMetric; its column is headed by its name.
 */
export type MetricFunction = (pred: Float32Array, targets: Float32Array) => number;

/** Mean over batches weighted by their size: right for a mean over rows, such as an accuracy; wrong for an rmse (use AccumMetric). */
export class AvgMetric implements Metric {
  readonly name: string;
  private sum = 0;
  private rows = 0;

  constructor(
    private readonly func: MetricFunction,
    { name = func.name || 'metric' }: { name?: string } = {},
  ) {
    this.name = name;
  }

  reset(): void {
    this.sum = 0;
    this.rows = 0;
  }

  accumulate({ pred, batch, model }: Learner): void {
    const value = this.func(pred.subarray(0, batch.size * model.outputs), batch.targets.subarray(0, batch.size));
    if (typeof value !== 'number') throw new ArgumentError(`The metric ${this.name} must return a number, got ${typeof value}.`);
    this.sum += value * batch.size;
    this.rows += batch.size;
  }

  get value(): number {
    return this.sum / this.rows;
  }
}

/** Keeps all predictions and targets of the pass and computes once at its end: for what is no mean over rows. */
export class AccumMetric implements Metric {
  readonly name: string;
  private preds: Float32Array[] = [];
  private targets: Float32Array[] = [];

  constructor(
    private readonly func: MetricFunction,
    { name = func.name || 'metric' }: { name?: string } = {},
  ) {
    this.name = name;
  }

  reset(): void {
    this.preds = [];
    this.targets = [];
  }

  accumulate({ pred, batch, model }: Learner): void {
    this.preds.push(pred.slice(0, batch.size * model.outputs));
    this.targets.push(batch.targets.slice(0, batch.size));
  }

  get value(): number {
    return this.targets.length ? this.func(concat(this.preds), concat(this.targets)) : NaN;
  }
}

/** A metric, or a function to be averaged over batches, as Metric. */
export function asMetric(metric: Metric | MetricFunction): Metric {
  if (typeof metric === 'function') return new AvgMetric(metric);
  if (typeof metric?.accumulate === 'function') return metric;
  throw new ArgumentError(`A metric is a function of (predictions, targets), such as mse, or made by one, such as rmse(), got ${typeof metric}.`);
}

/**
 * Share of rows where the prediction exceeds `thresh` exactly when the target is above 0.5 (fastai's `accuracy_multi` for one label).
 * @param thresh probability from which a prediction counts as 1 (exclusive)
 * @param options.sigmoid whether predictions are logits (default true), as with BCEWithLogitsLossFlat
 * @example accuracyThresh(0.5)
 */
export function accuracyThresh(thresh = 0.5, { sigmoid: logits = true }: { sigmoid?: boolean } = {}): Metric {
  if (!(thresh >= 0 && thresh <= 1)) throw new ArgumentError(`thresh is a probability between 0 and 1, got ${thresh}.`);
  const share = (pred: Float32Array, targets: Float32Array): number => {
    checkPairs('accuracyThresh', pred, targets, 1);
    let right = 0;
    for (let i = 0; i < targets.length; i++) if ((logits ? sigmoid(pred[i]) : pred[i]) > thresh === targets[i] > 0.5) right++;
    return right / targets.length;
  };
  return new AvgMetric(share, { name: 'accuracy_thresh' });
}

/**
 * Share of rows whose largest prediction, the first of equals, is that of the target's class (fastai's `accuracy`): for models with one output a class.
 * @example new Learner(dls, model, { lossFunc: new CrossEntropyLossFlat(), metrics: accuracy })
 */
export function accuracy(pred: Float32Array, targets: Float32Array): number {
  checkPairs('accuracy', pred, targets);
  const classes = argmaxRows(pred, pred.length / targets.length);
  return classes.reduce((right, c, i) => right + (c === targets[i] ? 1 : 0), 0) / targets.length;
}

/** Throws unless there are as many predictions for each of some targets: a mean of none does not exist. `each`: how many, default any number. */
function checkPairs(name: string, pred: Float32Array, targets: Float32Array, each?: number): void {
  if (targets.length === 0) throw new ArgumentError(`${name} needs at least one prediction and its target, got none.`);
  const outputs = pred.length / targets.length;
  if (each === undefined ? Number.isInteger(outputs) && outputs > 0 : outputs === each) return;
  throw new ArgumentError(
    `${name} needs ${each === undefined ? 'as many predictions' : 'one prediction'} for each target, got ${pred.length} predictions and ${targets.length} targets.`,
  );
}

/** Mean squared error. */
export function mse(pred: Float32Array, targets: Float32Array): number {
  checkPairs('mse', pred, targets, 1);
  let sum = 0;
  for (let i = 0; i < targets.length; i++) sum += (pred[i] - targets[i]) ** 2;
  return sum / targets.length;
}

/** Mean absolute error. */
export function mae(pred: Float32Array, targets: Float32Array): number {
  checkPairs('mae', pred, targets, 1);
  let sum = 0;
  for (let i = 0; i < targets.length; i++) sum += Math.abs(pred[i] - targets[i]);
  return sum / targets.length;
}

/** Root mean squared error, √(Σ(p − y)²/n) over all rows of the pass at once. */
export function rmse(): Metric {
  return new AccumMetric((pred, targets) => Math.sqrt(mse(pred, targets)), { name: 'rmse' });
}

/** Coefficient of determination, 1 − Σ(y − p)²/Σ(y − ȳ)²; NaN when all targets are equal, where it is not defined. */
export function r2(): Metric {
  const score = (pred: Float32Array, targets: Float32Array): number => {
    let mean = 0;
    for (const y of targets) mean += y / targets.length;
    let spread = 0;
    for (const y of targets) spread += (y - mean) ** 2;
    return spread === 0 ? NaN : 1 - (mse(pred, targets) * targets.length) / spread;
  };
  return new AccumMetric(score, { name: 'r2_score' });
}

/**
 * Area under the ROC curve: the probability that a row with target 1 is ranked above one with target 0, ties counted half (scikit-learn's `roc_auc_score`).
 * NaN when there is only one class.
 */
export function rocAuc(): Metric {
  const auc = (pred: Float32Array, targets: Float32Array): number => {
    checkPairs('rocAuc', pred, targets, 1);
    const bad = pred.findIndex((p) => Number.isNaN(p));
    if (bad >= 0) throw new NumericError(`rocAuc: prediction ${bad} is NaN, so it has no rank.`);
    const order = Array.from(pred.keys()).sort((a, b) => pred[a] - pred[b]);
    let positives = 0;
    let rankSum = 0;
    for (let i = 0; i < order.length; ) {
      let j = i;
      while (j < order.length && pred[order[j]] === pred[order[i]]) j++;
      for (let k = i; k < j; k++) {
        if (targets[order[k]] > 0.5) {
          positives++;
          rankSum += (i + 1 + j) / 2; // the middle rank of the tie, counted from 1
        }
      }
      i = j;
    }
    return (rankSum - (positives * (positives + 1)) / 2) / (positives * (order.length - positives));
  };
  return new AccumMetric(auc, { name: 'roc_auc_score' });
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
