import type { Fields, Json } from '../data/files/fields.js';
import { NumericError } from '../errors.js';
import { checkNumber, given, said } from '../options.js';
import { sigmoid, softplus } from './activations.js';
import {
  CrossEntropyLossFlat,
  FocalLossFlat,
  LabelSmoothingCrossEntropyFlat,
} from './cross-entropy.js';
import { checkPreds, type Loss, type LossRows } from './loss.js';

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
      posWeight > 0 && Number.isFinite(posWeight),
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

/** The losses of the library, and the properties that hold their options under the same name. */
const kinds: Readonly<Record<string, [type: new (options: never) => Loss, ...options: string[]]>> =
  {
    MSELossFlat: [MSELossFlat],
    L1LossFlat: [L1LossFlat],
    BCEWithLogitsLossFlat: [BCEWithLogitsLossFlat, 'posWeight', 'thresh'],
    CrossEntropyLossFlat: [CrossEntropyLossFlat, 'weight', 'ignoreIndex', 'labelSmoothing'],
    LabelSmoothingCrossEntropyFlat: [LabelSmoothingCrossEntropyFlat, 'eps'],
    FocalLossFlat: [FocalLossFlat, 'gamma', 'weight'],
    BPRLoss: [BPRLoss],
    HingeLoss: [HingeLoss, 'margin'],
  };

function kindOf(name: string): (typeof kinds)[string] | undefined {
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

/** A loss as JSON: its name and, if it is one of the library's, its options. */
export function lossConfig(loss: Loss): { readonly [name: string]: Json } {
  const kind = kindOf(loss.name);
  if (!kind || loss.constructor !== kind[0]) return { name: loss.name, own: true };
  const config: Record<string, Json> = { name: loss.name };
  for (const option of kind.slice(1) as string[]) {
    const value = (loss as unknown as Record<string, number | ArrayLike<number> | undefined>)[
      option
    ];
    if (value !== undefined) config[option] = typeof value === 'number' ? value : Array.from(value);
  }
  return config;
}

/** The loss that is described; undefined if it is not one of the library's. */
export function lossFromConfig(fields: Fields): Loss | undefined {
  const kind = kindOf(fields.text('name'));
  if (!kind || fields.has('own')) return undefined;
  const [Type, ...names] = kind;
  fields.only(['name', ...names]);
  const options = names.flatMap((option) => {
    if (!fields.has(option)) return [];
    return [[option, option === 'weight' ? fields.numbers(option) : fields.number(option)]];
  });
  return new Type(Object.fromEntries(options) as never);
}
