import { ArgumentError, NumericError } from '../../errors.js';
import { checkOptions, said } from '../../options.js';
import { checkPreds, type Loss, type LossRows } from '../loss.js';
import { sigmoid, softplus } from '../sigmoid.js';

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
