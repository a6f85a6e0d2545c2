import { ArgumentError, NumericError } from '../errors.js';
import { checkArgument, checkCount, checkOptions, given, isNumbers, said } from '../options.js';

/**
 * Predictions of some rows, and what they should have been. Arrays may be longer: only the first
 * `size` rows count.
 */
export interface LossRows {
  /** Rows. */
  readonly size: number;
  /** Predictions, size × outputs, row-major. */
  readonly pred: Float32Array;
  /** Predictions per row; default 1. */
  readonly outputs?: number;
  /** One target per row: a number, or the index of a class. */
  readonly targets: Float32Array;
  /** One weight per row; default 1 each. */
  readonly weights?: Float32Array;
}

/**
 * A loss: the mean over rows (weighted, if the rows have weights), and its gradient. Predictions
 * and targets are flattened, as fastai's `…LossFlat` do; everything is computed in float64.
 */
export interface Loss {
  /** fastai's name. */
  readonly name: string;
  /**
   * Predictions per row that the loss expects; undefined for one that takes any number of classes.
   */
  readonly outputs: number | undefined;
  /** Loss of each row, not reduced. */
  losses(rows: LossRows, out: Float64Array): void;
  /** dLoss/dPrediction of the sum of the rows' losses, size × outputs. */
  derivatives(rows: LossRows, out: Float32Array): void;
  /**
   * The derivatives of row i multiplied by scaleOf(i) and, if asked for, each row's loss, if the
   * loss has a quicker way for these rows than `losses` and `derivatives`; else it does nothing and
   * returns false.
   */
  scaledDerivatives?(
    rows: LossRows,
    options: { out: Float32Array; scaleOf: (i: number) => number; losses?: Float64Array },
  ): boolean;
  /**
   * Each row's share of the divisor of the mean: the weight of its class, 0 for a row that is
   * ignored. Without it, 1 each.
   */
  divisors?(rows: LossRows, out: Float64Array): void;
  /**
   * Turns predictions (whole rows of `outputs`) into what getPreds returns: probabilities for a
   * loss on logits. A new array.
   */
  activation(pred: Float32Array, outputs: number): Float32Array;
  /**
   * Turns activated predictions into decisions, one a row: a class for a classifier, the value
   * itself for a regression. A new array.
   */
  decodes(activated: Float32Array, outputs: number): Float32Array;
}

/** The way the losses of rows become one number. */
export type Reduction = 'mean' | 'sum';

const REDUCTION = { reduction: 'mean' as Reduction };

let each = new Float64Array(0);
let parts = new Float64Array(0);

/** Each row's share of the divisor of the mean. A view, valid until the next call. */
function divisors(loss: Loss, rows: LossRows): Float64Array {
  if (parts.length < rows.size) parts = new Float64Array(rows.size);
  if (loss.divisors) loss.divisors(rows, parts);
  else parts.fill(1, 0, rows.size);
  return parts;
}

/**
 * The reduced loss: Σ wᵢ·lᵢ for `sum`, Σ wᵢ·lᵢ / Σ wᵢ·dᵢ for `mean`, with the rows' weights w and
 * divisors d, both 1 unless given.
 * @param loss which
 * @param rows predictions and targets
 * @example lossOf(new MSELossFlat(), { size: 2, pred: Float32Array.of(1, 2), targets: Float32Array.of(1, 4) }) // 2
 */
export function lossOf(
  loss: Loss,
  rows: LossRows,
  options: { reduction?: Reduction } = {},
): number {
  const { reduction } = given(REDUCTION, options, 'lossOf');
  checkLossRows(loss, rows);
  if (each.length < rows.size) each = new Float64Array(rows.size);
  loss.losses(rows, each);
  const sum = weightedSum(each, rows);
  return reduction === 'sum' ? sum : sum / divisor(loss, rows);
}

function weightedSum(values: Float64Array, { size, weights }: LossRows): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += weights ? weights[i] * values[i] : values[i];
  return sum;
}

function divisor(loss: Loss, rows: LossRows): number {
  const total = weightedSum(divisors(loss, rows), rows);
  if (total === 0)
    throw new NumericError(
      `${loss.name}: no row of the batch counts, so there is no mean: weights are 0, or all rows are ignored.`,
    );
  return total;
}

/**
 * Throws unless these are predictions, in whole rows.
 * @param name of the loss that reads them
 */
export function checkPreds(pred: Float32Array, name: string, outputs = 1): void {
  checkArgument(pred instanceof Float32Array, pred, name, 'predictions, a Float32Array');
  checkCount(outputs, `${name}: outputs, the number of predictions a row,`);
  if (pred.length % outputs !== 0)
    throw new ArgumentError(
      `${name} needs whole rows of ${outputs} predictions, got ${pred.length} numbers.`,
    );
}

/** Throws unless there are rows, and every array is long enough for them. */
function checkLossRows(loss: Loss, rows: LossRows): void {
  checkArgument(
    typeof loss?.losses === 'function',
    loss,
    'A loss of rows',
    'a loss, such as new MSELossFlat()',
  );
  checkArgument(
    isNumbers(rows?.pred) && isNumbers(rows.targets),
    rows,
    said(loss.name),
    'rows: { size, pred, targets }',
  );
  const { name, outputs: wanted } = loss;
  const { size, pred, outputs = 1, targets, weights } = rows;
  if (!(Number.isInteger(outputs) && outputs > 0) || (wanted !== undefined && wanted !== outputs)) {
    throw new ArgumentError(
      `${name} needs ${wanted ?? 'a positive whole number of'} prediction(s) a row, got outputs ${outputs}.`,
    );
  }
  if (!(Number.isInteger(size) && size > 0))
    throw new ArgumentError(`${name} needs a positive whole number of rows, got size ${size}.`);
  if (
    pred.length >= size * outputs &&
    targets.length >= size &&
    !(weights && weights.length < size)
  )
    return;
  throw new ArgumentError(
    `${name} needs ${size} rows × ${outputs} predictions and ${size} targets${weights ? ' and weights' : ''}, got ${pred.length} predictions and ${targets.length} targets${weights ? ` and ${weights.length} weights` : ''}.`,
  );
}

/**
 * The mean loss, with its gradient written into `out` (size × outputs); undefined if the loss has
 * no quicker way to compute both together.
 */
export function lossWithGradient(
  loss: Loss,
  rows: LossRows,
  { out }: { out: Float32Array },
): number | undefined {
  if (!loss.scaledDerivatives) return undefined;
  checkLossRows(loss, rows);
  const { size, weights } = rows;
  const scale = 1 / divisor(loss, rows);
  const scaleOf = (i: number): number => (weights ? weights[i] * scale : scale);
  if (each.length < size) each = new Float64Array(size);
  if (!loss.scaledDerivatives(rows, { out, scaleOf, losses: each })) return undefined;
  return weightedSum(each, rows) * scale;
}

/**
 * The gradient of the reduced loss with respect to the predictions.
 * @param loss which
 * @param rows predictions and targets
 * @param options.out where it goes, size × outputs
 * @example
 * const out = new Float32Array(2);
 * lossGradient(new MSELossFlat(), { size: 2, pred: Float32Array.of(1, 2), targets: Float32Array.of(1, 4) }, { out });
 * out // [0, -2]
 */
export function lossGradient(
  loss: Loss,
  rows: LossRows,
  options: { out: Float32Array; reduction?: Reduction },
): void {
  checkLossRows(loss, rows);
  checkOptions(options, ['out', 'reduction'], 'lossGradient');
  const { out, reduction = 'mean' } = options;
  checkArgument(isNumbers(out), out, 'lossGradient', 'out, room for the gradient: a Float32Array');
  const { size, weights, outputs = 1 } = rows;
  if (out.length < size * outputs)
    throw new ArgumentError(
      `The gradient has ${size * outputs} values, but out has room for ${out.length}.`,
    );
  const scale = reduction === 'sum' ? 1 : 1 / divisor(loss, rows);
  const scaleOf = (i: number): number => (weights ? weights[i] * scale : scale);
  if (loss.scaledDerivatives?.(rows, { out, scaleOf })) return;
  loss.derivatives(rows, out);
  for (let i = 0; i < size; i++) {
    const w = scaleOf(i);
    for (let j = i * outputs; j < (i + 1) * outputs; j++) out[j] *= w;
  }
}
