import type { Fields, Json } from '../data/files/fields.js';
import { ArgumentError, NumericError } from '../errors.js';
import { checkNumber, checkOptions, said } from '../options.js';
import { sigmoid, softplus } from './activations.js';
import {
  CrossEntropyLossFlat,
  FocalLossFlat,
  LabelSmoothingCrossEntropyFlat,
} from './cross-entropy.js';
import { checkPreds, type Loss, type LossRows } from './loss.js';

/**
 * Mean squared error, l = (p − y)²; fastai's `MSELossFlat`, the default of collabLearner.
 * @example collabLearner(dls, { lossFunc: new MSELossFlat(), yRange: [0, 1] })
 */
export class MSELossFlat implements Loss {
  readonly name: string = 'MSELossFlat';
  readonly outputs: number = 1;

  losses({ pred, targets, size }: LossRows, out: Float64Array): void {
    for (let i = 0; i < size; i++) out[i] = (pred[i] - targets[i]) ** 2;
  }

  derivatives({ pred, targets, size }: LossRows, out: Float32Array): void {
    for (let i = 0; i < size; i++) out[i] = 2 * (pred[i] - targets[i]);
  }

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
 * Mean absolute error, l = |p − y|, with derivative 0 where p = y (PyTorch's choice); fastai's
 * `L1LossFlat`.
 * @example collabLearner(dls, { lossFunc: new L1LossFlat() })
 */
export class L1LossFlat implements Loss {
  readonly name: string = 'L1LossFlat';
  readonly outputs: number = 1;

  losses({ pred, targets, size }: LossRows, out: Float64Array): void {
    for (let i = 0; i < size; i++) out[i] = Math.abs(pred[i] - targets[i]);
  }

  derivatives({ pred, targets, size }: LossRows, out: Float32Array): void {
    for (let i = 0; i < size; i++) out[i] = Math.sign(pred[i] - targets[i]);
  }

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

/** Options of BCEWithLogitsLossFlat. */
export interface BCEWithLogitsLossOptions {
  /** Weight of the positive class, w in l below; default 1. */
  posWeight?: number;
  /** Probability from which `decodes` says 1 (exclusive, as fastai); default 0.5. */
  thresh?: number;
}

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
    checkOptions(options, ['posWeight', 'thresh'], 'BCEWithLogitsLossFlat');
    const { posWeight = 1, thresh = 0.5 } = options;
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
 * Base of the ranking losses: an item that the user has played should score higher than one that
 * the user has not. They read a batch as loaders with `negatives` make it: each row with target 1
 * (a positive) is followed by its rows with target 0 (its negatives), and every negative forms a
 * pair with the positive before it. The loss is a mean over pairs; each pair's loss stands in the
 * row of its negative.
 * @example
 * const dls = CollabDataLoaders.fromPlays(plays, { negatives: { n: 1 }, bs: 128 });
 * collabLearner(dls, { lossFunc: new BPRLoss() }); // or HingeLoss
 */
export abstract class PairwiseLoss implements Loss {
  abstract readonly name: string;
  readonly outputs: number = 1;

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

  /** The scores themselves: only their order within a user means something. */
  activation(pred: Float32Array): Float32Array {
    checkPreds(pred, this.name);
    return pred.slice();
  }

  /** The scores themselves. */
  decodes(activated: Float32Array): Float32Array {
    checkPreds(activated, this.name);
    return activated.slice();
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
 * Hinge loss, l = max(0, margin − (p⁺ − p⁻)): nothing is learnt from a pair that is apart far
 * enough. Spotlight's `hinge_loss` with the default margin 1.
 * @example new HingeLoss({ margin: 1 })
 */
export class HingeLoss extends PairwiseLoss {
  readonly name: string = 'HingeLoss';
  /** How far apart is far enough. */
  readonly margin: number;

  /** @param options.margin how much more a positive should score; default 1 */
  constructor(options: { margin?: number } = {}) {
    super();
    checkOptions(options, ['margin'], 'HingeLoss');
    const { margin = 1 } = options;
    if (!(margin > 0 && Number.isFinite(margin)))
      throw new ArgumentError(`margin must be a positive number, got ${said(margin)}.`);
    this.margin = margin;
  }

  protected pairLoss(apart: number): number {
    return Math.max(0, this.margin - apart);
  }

  protected pairSlope(apart: number): number {
    return apart < this.margin ? -1 : 0;
  }
}

/** Values of a loss's options. */
type Options = Record<string, number | number[]>;

/** How a loss is described and made again. */
interface LossKind {
  readonly type: new (...args: never[]) => Loss;
  /** Its options, and the property in which it keeps each. */
  readonly options: Readonly<Record<string, string>>;
  make(options: Options): Loss;
}

const kinds: Readonly<Record<string, LossKind>> = {
  MSELossFlat: { type: MSELossFlat, options: {}, make: () => new MSELossFlat() },
  L1LossFlat: { type: L1LossFlat, options: {}, make: () => new L1LossFlat() },
  BCEWithLogitsLossFlat: {
    type: BCEWithLogitsLossFlat,
    options: { posWeight: 'posWeight', thresh: 'thresh' },
    make: (options) => new BCEWithLogitsLossFlat(options),
  },
  CrossEntropyLossFlat: {
    type: CrossEntropyLossFlat,
    options: { weight: 'weight', ignoreIndex: 'ignoreIndex', labelSmoothing: 'labelSmoothing' },
    make: (options) => new CrossEntropyLossFlat(options),
  },
  LabelSmoothingCrossEntropyFlat: {
    type: LabelSmoothingCrossEntropyFlat,
    options: { eps: 'labelSmoothing' },
    make: (options) => new LabelSmoothingCrossEntropyFlat(options),
  },
  FocalLossFlat: {
    type: FocalLossFlat,
    options: { gamma: 'gamma', weight: 'weight' },
    make: (options) => new FocalLossFlat(options),
  },
  BPRLoss: { type: BPRLoss, options: {}, make: () => new BPRLoss() },
  HingeLoss: {
    type: HingeLoss,
    options: { margin: 'margin' },
    make: (options) => new HingeLoss(options),
  },
};

/** A loss as JSON: its name and, if it is one of the library's, its options. */
export function lossConfig(loss: Loss): { readonly [name: string]: Json } {
  const kind = kindOf(loss.name);
  if (!kind || loss.constructor !== kind.type) return { name: loss.name, own: true };
  const config: Record<string, Json> = { name: loss.name };
  for (const [option, property] of Object.entries(kind.options)) {
    const value = (loss as unknown as Record<string, number | ArrayLike<number> | undefined>)[
      property
    ];
    if (value !== undefined) config[option] = typeof value === 'number' ? value : Array.from(value);
  }
  return config;
}

/** The loss that is described; undefined if it is not one of the library's. */
export function lossFromConfig(fields: Fields): Loss | undefined {
  const kind = kindOf(fields.text('name'));
  if (!kind || fields.has('own')) return undefined;
  fields.only(['name', ...Object.keys(kind.options)]);
  const options: Options = {};
  for (const option of Object.keys(kind.options)) {
    if (fields.has(option))
      options[option] = option === 'weight' ? fields.numbers(option) : fields.number(option);
  }
  return kind.make(options);
}

function kindOf(name: string): LossKind | undefined {
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

export {
  CrossEntropyLossFlat,
  type CrossEntropyLossOptions,
  FocalLossFlat,
  type FocalLossOptions,
  LabelSmoothingCrossEntropyFlat,
} from './cross-entropy.js';
// Every loss, and what they have in common.
export {
  type Loss,
  type LossRows,
  lossGradient,
  lossOf,
  lossWithGradient,
  type Reduction,
} from './loss.js';
