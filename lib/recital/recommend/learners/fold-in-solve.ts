import { cholesky, choleskySolve } from '../../decomposition/positive-definite.js';
import { NumericError } from '../../errors.js';
import type { ScoreCurve } from './fold-in-curve.js';

/** What one user's parameters θ are fitted to, one row a track: score = features·θ + offset. */
export interface UserRows {
  /** Rows × width, row-major: the track's factors, then 1. */
  readonly features: Float64Array;
  /** The track's bias, one a row. */
  readonly offset: Float64Array;
  /** One a row. */
  readonly target: ArrayLike<number>;
  /** What the loss of each row counts. */
  readonly weight: Float64Array;
}

/** The solution. */
export interface UserFit {
  /** The parameters: factors, then the bias. */
  readonly theta: Float64Array;
  /** Cholesky factor of the Hessian A = Σ h·x·xᵀ + Λ at the solution. */
  readonly hessian: Float64Array;
  /**
   * Per row the h·(x·θ) − g with which θ = A⁻¹·Σ pull·x, where g and h are slope and curvature of
   * its loss.
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
