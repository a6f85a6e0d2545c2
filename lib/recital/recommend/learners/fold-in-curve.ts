import { ArgumentError } from '../../errors.js';
import { sigmoid, softplus } from '../../nn/activations.js';
import type { Loss } from '../../nn/loss.js';
import { BCEWithLogitsLossFlat, BPRLoss, MSELossFlat } from '../../nn/losses.js';

/**
 * A loss as a function of one score (of a pair: by how much the first scores more than the second),
 * up to its second derivative.
 */
export interface ScoreCurve {
  /** Whether scores are those of pairs, played and not played; their target does not matter. */
  readonly pairs: boolean;
  /** Loss of the score for the target. */
  loss(score: number, target: number): number;
  /** dLoss/dScore. */
  slope(score: number, target: number): number;
  /**
   * d²Loss/dScore², never negative. Exact without a range; with one, Gauss and Newton's
   * approximation, that of a range taken as straight: the loss of a range is not convex.
   */
  curvature(score: number, target: number): number;
}

/**
 * The loss of a learner as a function of the score that its model makes, before the range.
 * @throws ArgumentError for losses without two derivatives
 */
export function scoreCurve(loss: Loss, yRange: readonly [number, number] | undefined): ScoreCurve {
  const plain = predictionCurve(loss);
  if (!yRange) return plain;
  if (plain.pairs)
    throw new ArgumentError(
      `A listener is not folded in for ${loss.name} with a yRange. Train without one: pairs need none.`,
    );
  const [low, high] = yRange;
  const value = (s: number): number => low + (high - low) * sigmoid(s);
  const rise = (s: number): number => (high - low) * sigmoid(s) * sigmoid(-s);
  return {
    pairs: false,
    loss: (s, y) => plain.loss(value(s), y),
    slope: (s, y) => plain.slope(value(s), y) * rise(s),
    curvature: (s, y) => plain.curvature(value(s), y) * rise(s) ** 2,
  };
}

function predictionCurve(loss: Loss): ScoreCurve {
  if (loss instanceof MSELossFlat)
    return {
      pairs: false,
      loss: (p, y) => (p - y) ** 2,
      slope: (p, y) => 2 * (p - y),
      curvature: () => 2,
    };
  if (loss instanceof BCEWithLogitsLossFlat) {
    const weight = (y: number): number => 1 + (loss.posWeight - 1) * y;
    return {
      pairs: false,
      loss: (p, y) => (1 - y) * p + weight(y) * softplus(-p),
      slope: (p, y) => 1 - y - weight(y) * sigmoid(-p),
      curvature: (p, y) => weight(y) * sigmoid(p) * sigmoid(-p),
    };
  }
  if (loss instanceof BPRLoss) {
    return {
      pairs: true,
      loss: (p) => softplus(-p),
      slope: (p) => -sigmoid(-p),
      curvature: (p) => sigmoid(p) * sigmoid(-p),
    };
  }
  throw new ArgumentError(
    `A listener is folded in by Newton's method, which needs a loss with two derivatives: MSELossFlat, BCEWithLogitsLossFlat or BPRLoss. This learner has ${loss.name}.`,
  );
}
