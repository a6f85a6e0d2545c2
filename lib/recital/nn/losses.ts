import { ArgumentError, NumericError } from '../errors.js';
import { checkArgument, checkCount, checkNumber, given, isNumbers, said } from '../options.js';
import { sigmoid, softplus } from './activations.js';

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

/**
 * The way the losses of rows become one number.
 * @example const summed: Reduction = 'sum';
 */
export type Reduction = 'mean' | 'sum';

const REDUCTION = { reduction: 'mean' as Reduction };

let each = new Float64Array(0);
let parts = new Float64Array(0);

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

/**
 * The gradient of the reduced loss with respect to the predictions.
 * @param loss which
 * @param rows predictions and targets
 * @param options `out`: where it goes, size × outputs
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
  const { out, reduction } = given({ ...REDUCTION, out: options?.out }, options, 'lossGradient');
  checkArgument(isNumbers(out), out, 'lossGradient', 'out, room for the gradient: a Float32Array');
  const { size, outputs = 1 } = rows;
  if (out.length < size * outputs)
    throw new ArgumentError(
      `The gradient has ${size * outputs} values, but out has room for ${out.length}.`,
    );
  const scaleOf = scales(rows, reduction === 'sum' ? 1 : 1 / divisor(loss, rows));
  if (loss.scaledDerivatives?.(rows, { out, scaleOf })) return;
  loss.derivatives(rows, out);
  for (let i = 0; i < size; i++) {
    const w = scaleOf(i);
    for (let j = i * outputs; j < (i + 1) * outputs; j++) out[j] *= w;
  }
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
  const scale = 1 / divisor(loss, rows);
  if (each.length < rows.size) each = new Float64Array(rows.size);
  const scaleOf = scales(rows, scale);
  if (!loss.scaledDerivatives(rows, { out, scaleOf, losses: each })) return undefined;
  return weightedSum(each, rows) * scale;
}

/** The factor of each row's loss in the reduced one. */
function scales({ weights }: LossRows, scale: number): (i: number) => number {
  return (i) => (weights ? weights[i] * scale : scale);
}

function weightedSum(values: Float64Array, { size, weights }: LossRows): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += weights ? weights[i] * values[i] : values[i];
  return sum;
}

function divisor(loss: Loss, rows: LossRows): number {
  if (parts.length < rows.size) parts = new Float64Array(rows.size);
  if (loss.divisors) loss.divisors(rows, parts);
  else parts.fill(1, 0, rows.size);
  const total = weightedSum(parts, rows);
  if (total !== 0) return total;
  throw new NumericError(
    `${loss.name}: no row of the batch counts, so there is no mean: weights are 0, or all rows are ignored.`,
  );
}

/** Throws unless these are predictions, in whole rows of `outputs`. */
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
  const known = typeof loss?.losses === 'function';
  checkArgument(known, loss, 'A loss of rows', 'a loss, such as new MSELossFlat()');
  const { name, outputs: wanted } = loss;
  const arrays = isNumbers(rows?.pred) && isNumbers(rows.targets);
  checkArgument(arrays, rows, said(name), 'rows: { size, pred, targets }');
  const { size, pred, outputs = 1, targets, weights } = rows;
  if (!(Number.isInteger(outputs) && outputs > 0) || (wanted !== undefined && wanted !== outputs))
    throw new ArgumentError(
      `${name} needs ${wanted ?? 'a positive whole number of'} prediction(s) a row, got outputs ${outputs}.`,
    );
  checkCount(size, `${name}: size, the number of rows,`);
  const wants = { predictions: size * outputs, targets: size, weights: weights ? size : 0 };
  const got = { predictions: pred.length, targets: targets.length, weights: weights?.length ?? 0 };
  const short = (Object.keys(got) as (keyof typeof got)[]).find((key) => !(got[key] >= wants[key]));
  if (short)
    throw new ArgumentError(
      `${name} needs ${size} rows × ${outputs} predictions, and a target and weight for each row, got ${got[short]} ${short}.`,
    );
}

/** Base class of the losses on one number a row which is itself the prediction. */
abstract class PlainLoss implements Loss {
  abstract readonly name: string;
  readonly outputs: number = 1;
  abstract losses(rows: LossRows, out: Float64Array): void;
  abstract derivatives(rows: LossRows, out: Float32Array): void;

  /** The predictions themselves. */
  activation(pred: Float32Array): Float32Array {
    checkPreds(pred, this.name);
    return pred.slice();
  }

  /** The predictions themselves. */
  decodes(activated: Float32Array): Float32Array {
    checkPreds(activated, this.name);
    return activated.slice();
  }
}

/**
 * Mean squared error, l = (p − y)²; fastai's `MSELossFlat`, the default of collabLearner.
 * @example collabLearner(dls, { lossFunc: new MSELossFlat(), yRange: [0, 1] })
 */
export class MSELossFlat extends PlainLoss {
  readonly name: string = 'MSELossFlat';

  losses({ pred, targets, size }: LossRows, out: Float64Array): void {
    for (let i = 0; i < size; i++) out[i] = (pred[i] - targets[i]) ** 2;
  }

  derivatives({ pred, targets, size }: LossRows, out: Float32Array): void {
    for (let i = 0; i < size; i++) out[i] = 2 * (pred[i] - targets[i]);
  }
}

/**
 * Mean absolute error, l = |p − y|, with derivative 0 where p = y (PyTorch's choice); fastai's
 * `L1LossFlat`.
 * @example collabLearner(dls, { lossFunc: new L1LossFlat() })
 */
export class L1LossFlat extends PlainLoss {
  readonly name: string = 'L1LossFlat';

  losses({ pred, targets, size }: LossRows, out: Float64Array): void {
    for (let i = 0; i < size; i++) out[i] = Math.abs(pred[i] - targets[i]);
  }

  derivatives({ pred, targets, size }: LossRows, out: Float32Array): void {
    for (let i = 0; i < size; i++) out[i] = Math.sign(pred[i] - targets[i]);
  }
}

const BCE_DEFAULTS = {
  /** Weight of the positive class, w in l below. */
  posWeight: 1,
  /** Probability above which `decodes` says 1, as in fastai. */
  thresh: 0.5,
};

/** Options of BCEWithLogitsLossFlat. */
export type BCEWithLogitsLossOptions = Partial<typeof BCE_DEFAULTS>;

/**
 * Binary cross-entropy on logits, l = −w·y·log σ(p) − (1−y)·log(1−σ(p)), in the form that does not
 * overflow: (1−y)·p + (1 + (w−1)·y)·log(1 + e^−p). Targets lie in [0, 1]. fastai's
 * `BCEWithLogitsLossFlat`, PyTorch's `BCEWithLogitsLoss(pos_weight)`.
 * @example new BCEWithLogitsLossFlat({ posWeight: 3 })
 */
export class BCEWithLogitsLossFlat implements Loss {
  readonly name: string = 'BCEWithLogitsLossFlat';
  readonly outputs: number = 1;
  /** Weight of the positive class. */
  readonly posWeight: number;
  /** Decision threshold of `decodes`. */
  readonly thresh: number;

  constructor(options: BCEWithLogitsLossOptions = {}) {
    const { posWeight, thresh } = given(BCE_DEFAULTS, options, 'BCEWithLogitsLossFlat');
    checkNumber(
      posWeight,
      posWeight > 0 && posWeight < Infinity,
      'posWeight must be positive and finite',
    );
    checkNumber(thresh, thresh >= 0 && thresh <= 1, 'thresh is a probability between 0 and 1');
    this.posWeight = posWeight;
    this.thresh = thresh;
  }

  losses({ pred, targets, size }: LossRows, out: Float64Array): void {
    for (let i = 0; i < size; i++) {
      const y = targets[i];
      if (!(y >= 0 && y <= 1)) {
        throw new NumericError(
          `BCEWithLogitsLossFlat needs targets between 0 and 1, got ${said(y)}. Choose the target 'binary' or 'rank', or a loss for counts.`,
        );
      }
      out[i] = (1 - y) * pred[i] + (1 + (this.posWeight - 1) * y) * softplus(-pred[i]);
    }
  }

  derivatives({ pred, targets, size }: LossRows, out: Float32Array): void {
    for (let i = 0; i < size; i++) {
      const y = targets[i];
      out[i] = 1 - y - (1 + (this.posWeight - 1) * y) * sigmoid(-pred[i]);
    }
  }

  /** Probabilities, σ(p). */
  activation(pred: Float32Array): Float32Array {
    checkPreds(pred, this.name);
    return pred.map(sigmoid);
  }

  /** 1 where the probability exceeds `thresh`, else 0. */
  decodes(activated: Float32Array): Float32Array {
    checkPreds(activated, this.name);
    return activated.map((p) => (p > this.thresh ? 1 : 0));
  }
}

/**
 * Base class of the ranking losses: a track that the user has played should score higher than one
 * that the user has not. Batches come from loaders with `negatives`: each row with target 1 (a
 * positive) is followed by its rows with target 0 (its negatives), and every negative forms a pair
 * with the positive before it. The loss is the mean over pairs; a pair's loss is that of the row of
 * its negative.
 * @example
 * const dls = CollabDataLoaders.fromPlays(plays, { negatives: { n: 1 }, bs: 128 });
 * collabLearner(dls, { lossFunc: new BPRLoss() }); // or HingeLoss
 */
export abstract class PairwiseLoss extends PlainLoss {
  /** Loss of a pair whose positive scores `margin` more than its negative. */
  protected abstract pairLoss(margin: number): number;
  /** Its derivative. */
  protected abstract pairSlope(margin: number): number;

  losses(rows: LossRows, out: Float64Array): void {
    const { pred, targets, size } = rows;
    let positive = -1;
    let pairs = 0;
    for (let i = 0; i < size; i++) {
      out[i] = 0;
      if (targets[i] === 1) positive = i;
      else if (targets[i] === 0 && positive >= 0) {
        out[i] = this.pairLoss(pred[positive] - pred[i]);
        pairs++;
      } else
        throw this.noPairs(
          `row ${i} of the batch has the target ${targets[i]}${positive < 0 ? ' and no positive before it' : ''}`,
        );
    }
    if (pairs === 0) throw this.noPairs('the batch has positives only');
  }

  derivatives({ pred, targets, size }: LossRows, out: Float32Array): void {
    let positive = 0;
    for (let i = 0; i < size; i++) {
      out[i] = 0;
      if (targets[i] === 1) positive = i;
      else {
        const slope = this.pairSlope(pred[positive] - pred[i]);
        out[positive] += slope;
        out[i] = -slope;
      }
    }
  }

  /** What each row adds to the divisor of the mean. */
  divisors({ targets, size }: LossRows, out: Float64Array): void {
    for (let i = 0; i < size; i++) out[i] = targets[i] === 1 ? 0 : 1;
  }

  private noPairs(what: string): NumericError {
    return new NumericError(
      `${this.name} compares each negative (target 0) with the positive (target 1) before it, but ${what}. Make the loaders with negatives: ` +
        'CollabDataLoaders.fromPlays(plays, { negatives: { n: 1 } }).',
    );
  }
}

/**
 * Bayesian personalised ranking, l = −ln σ(p⁺ − p⁻) = ln(1 + e^−(p⁺ − p⁻)) for the scores of a
 * positive and a negative item of a user: Rendle et al. 2009 (arXiv 1205.2618), RecBole's `BPRLoss`
 * (which adds 1e-10 inside the logarithm). Spotlight's `bpr_loss` is 1 − σ(p⁺ − p⁻) instead.
 * @example new BPRLoss()
 */
export class BPRLoss extends PairwiseLoss {
  readonly name: string = 'BPRLoss';

  protected pairLoss(margin: number): number {
    return softplus(-margin);
  }

  protected pairSlope(margin: number): number {
    return -sigmoid(-margin);
  }
}

/**
 * Hinge loss, l = max(0, margin − (p⁺ − p⁻)): a pair that is `margin` apart has no gradient.
 * Spotlight's `hinge_loss` with the default margin 1.
 * @example new HingeLoss({ margin: 1 })
 */
export class HingeLoss extends PairwiseLoss {
  readonly name: string = 'HingeLoss';
  /** How much more a positive should score. */
  readonly margin: number;

  /** @param options.margin how much more a positive should score; default 1 */
  constructor(options: { margin?: number } = {}) {
    super();
    const { margin } = given({ margin: 1 }, options, 'HingeLoss');
    checkNumber(margin, margin > 0 && margin < Infinity, 'margin must be a positive number');
    this.margin = margin;
  }

  protected pairLoss(apart: number): number {
    return Math.max(0, this.margin - apart);
  }

  protected pairSlope(apart: number): number {
    return apart < this.margin ? -1 : 0;
  }
}
