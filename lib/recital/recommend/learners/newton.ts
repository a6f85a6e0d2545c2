import { cholesky, choleskySolve } from '../../decomposition/positive-definite.js';
import { ArgumentError, NumericError } from '../../errors.js';
import { sigmoid, softplus } from '../../nn/activations.js';
import type { Loss } from '../../nn/loss.js';
import { BCEWithLogitsLossFlat, BPRLoss, MSELossFlat } from '../../nn/losses.js';

/** What one user's parameters θ are fitted to, one row a track: score = features·θ + offset. */
export interface UserRows {
  /** Rows × width, row-major: the track's factors, then 1. */
  readonly features: Float64Array;
  /** The track's bias, one a row. */
  readonly offset: Float64Array;
  /** The target, one per row. */
  readonly target: ArrayLike<number>;
  /** The weight of each row's loss. */
  readonly weight: Float64Array;
}

/** The solution. */
export interface UserFit {
  /** The parameters: factors, then the bias. */
  readonly theta: Float64Array;
  /** Cholesky factor of the Hessian A = Σ h·x·xᵀ + Λ at the solution. */
  readonly hessian: Float64Array;
  /**
   * Per row pull = h·(x·θ) − g, so that θ = A⁻¹·Σ pull·x; g and h are slope and curvature of the
   * row's loss.
   */
  readonly pull: Float64Array;
}

const MAX_STEPS = 100;

/**
 * Minimises Σ weight·loss(x·θ + offset, target) + ½·Σ λ·θ² from θ = 0 by Newton's method. A step
 * that does not lower the sum is halved until it does, so it never gets worse. Squared errors
 * without a range are solved by the first step.
 * @param l2 one λ > 0 a parameter
 */
export function solveUser(rows: UserRows, curve: ScoreCurve, l2: Float64Array): UserFit {
  const width = l2.length;
  const n = rows.offset.length;
  let theta = new Float64Array(width);
  let value = objective(rows, curve, l2, theta);
  if (!Number.isFinite(value))
    throw new NumericError(
      'The history meets a weight of the model that is not a finite number. Has training diverged?',
    );
  const hessian = new Float64Array(width * width);
  const pull = new Float64Array(n);
  for (let step = 0; ; step++) {
    const gradient = linearise(rows, curve, l2, theta, { hessian, pull });
    cholesky(hessian, width);
    const change = choleskySolve(hessian, gradient.slice());
    let decrement = 0; // gradient·A⁻¹·gradient, twice what the step should gain
    for (let j = 0; j < width; j++) decrement += gradient[j] * change[j];
    if (decrement <= 1e-16 * (1 + Math.abs(value)) || step === MAX_STEPS)
      return { theta, hessian, pull };
    let scale = 1;
    let next = theta;
    let nextValue = Infinity;
    for (; scale > 1e-9; scale /= 2) {
      next = theta.map((t, j) => t - scale * change[j]);
      nextValue = objective(rows, curve, l2, next);
      if (nextValue <= value - 1e-4 * scale * decrement) break;
    }
    if (!(nextValue < value)) return { theta, hessian, pull }; // as low as float64 goes
    theta = next;
    value = nextValue;
  }
}

function objective(
  { features, offset, target, weight }: UserRows,
  curve: ScoreCurve,
  l2: Float64Array,
  theta: Float64Array,
): number {
  const width = theta.length;
  let sum = 0;
  for (let j = 0; j < width; j++) sum += 0.5 * l2[j] * theta[j] ** 2;
  for (let i = 0; i < offset.length; i++)
    sum += weight[i] * curve.loss(offset[i] + dot(features, i * width, theta), target[i]);
  return sum;
}

/** The gradient at θ; fills the Hessian's lower triangle and the pulls. */
function linearise(
  { features, offset, target, weight }: UserRows,
  curve: ScoreCurve,
  l2: Float64Array,
  theta: Float64Array,
  { hessian, pull }: { hessian: Float64Array; pull: Float64Array },
): Float64Array {
  const width = theta.length;
  const gradient = theta.map((t, j) => l2[j] * t);
  hessian.fill(0);
  for (let j = 0; j < width; j++) hessian[j * width + j] = l2[j];
  for (let i = 0; i < offset.length; i++) {
    const at = i * width;
    const own = dot(features, at, theta);
    const g = weight[i] * curve.slope(offset[i] + own, target[i]);
    const h = weight[i] * curve.curvature(offset[i] + own, target[i]);
    pull[i] = h * own - g;
    for (let a = 0; a < width; a++) {
      gradient[a] += g * features[at + a];
      const hx = h * features[at + a];
      for (let b = 0; b <= a; b++) hessian[a * width + b] += hx * features[at + b];
    }
  }
  return gradient;
}

/** features[at …]·theta. */
export function dot(features: ArrayLike<number>, at: number, theta: ArrayLike<number>): number {
  let sum = 0;
  for (let j = 0; j < theta.length; j++) sum += features[at + j] * theta[j];
  return sum;
}

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
