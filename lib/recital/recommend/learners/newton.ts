import { cholesky, choleskySolve } from '../../decomposition/positive-definite.js';
import { ArgumentError, NumericError } from '../../errors.js';
import { sigmoid, softplus } from '../../nn/activations.js';
import { BCEWithLogitsLossFlat, BPRLoss, type Loss, MSELossFlat } from '../../nn/losses.js';

/**
 * What one user's parameters θ are fitted to: a track with the factors and 1 in x and the bias in
 * `offset`, whose score is x·θ + offset; the target of the score, and the weight of its loss.
 */
export interface UserRow {
  readonly x: Float64Array;
  readonly offset: number;
  readonly target: number;
  readonly weight: number;
}

/** The objective and its derivatives at some θ. */
export interface UserFit {
  /** The parameters: factors, then the bias. */
  readonly theta: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
  /** The Hessian A = Σ h·x·xᵀ + λ, lower triangle; of the solution, its Cholesky factor. */
  readonly hessian: Float64Array;
  /**
   * h·(x·θ) − g of each row, with slope g and curvature h of its loss: at the solution, θ = A⁻¹·Σ
   * pull·x.
   */
  readonly pull: Float64Array;
}

const MAX_STEPS = 100;

/**
 * Minimises Σ weight·loss(x·θ + offset, target) + ½·λ·|θ|² from θ = 0 by Newton's method. A step
 * that does not lower the sum is halved until it does. Squared errors without a range are solved by
 * the first step.
 * @param width length of θ
 * @param l2 λ > 0
 */
export function solveUser(
  rows: readonly UserRow[],
  curve: ScoreCurve,
  { width, l2 }: { width: number; l2: number },
): UserFit {
  let fit = objective(rows, curve, new Float64Array(width), l2);
  if (!Number.isFinite(fit.value))
    throw new NumericError(
      'The history meets a weight of the model that is not a finite number. Has training diverged?',
    );
  for (let step = 0; ; step++) {
    const { theta, value, gradient, hessian } = fit;
    cholesky(hessian, width);
    const change = choleskySolve(hessian, gradient.slice());
    const decrement = dot(gradient, change); // twice what the step should gain
    if (decrement <= 1e-16 * (1 + Math.abs(value)) || step === MAX_STEPS) return fit;
    let next = fit;
    for (let scale = 1; scale > 1e-9; scale /= 2) {
      const to = theta.map((t, j) => t - scale * change[j]);
      next = objective(rows, curve, to, l2);
      if (next.value <= value - 1e-4 * scale * decrement) break;
    }
    if (!(next.value < value)) return fit; // as low as float64 goes
    fit = next;
  }
}

function objective(
  rows: readonly UserRow[],
  curve: ScoreCurve,
  theta: Float64Array,
  l2: number,
): UserFit {
  const width = theta.length;
  const gradient = theta.map((t) => l2 * t);
  const hessian = new Float64Array(width * width);
  const pull = new Float64Array(rows.length);
  let value = 0;
  for (let j = 0; j < width; j++) {
    value += 0.5 * l2 * theta[j] ** 2;
    hessian[j * width + j] = l2;
  }
  for (let i = 0; i < rows.length; i++) {
    const { x, offset, target, weight } = rows[i];
    const own = dot(x, theta);
    const [loss, slope, curvature] = curve(offset + own, target);
    const [g, h] = [weight * slope, weight * curvature];
    value += weight * loss;
    pull[i] = h * own - g;
    for (let a = 0; a < width; a++) {
      gradient[a] += g * x[a];
      const hx = h * x[a];
      for (let b = 0; b <= a; b++) hessian[a * width + b] += hx * x[b];
    }
  }
  return { theta, value, gradient, hessian, pull };
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < b.length; j++) sum += a[j] * b[j];
  return sum;
}

/**
 * The loss of a score for a target (of a pair: of how much the first scores more than the second),
 * and its first and second derivative by the score. The second is never negative: with a range,
 * whose loss is not convex, the range is taken as straight (Gauss and Newton's approximation).
 */
export type ScoreCurve = (score: number, target: number) => readonly [number, number, number];

/**
 * The loss of a learner as a function of the score that its model makes, before the range.
 * @throws ArgumentError for losses without two derivatives
 */
export function scoreCurve(loss: Loss, yRange: readonly [number, number] | undefined): ScoreCurve {
  if (yRange && loss instanceof BPRLoss)
    throw new ArgumentError(
      `A user is not folded in for ${loss.name} with a yRange. Train without one: pairs need none.`,
    );
  const plain = predictionCurve(loss);
  if (!yRange) return plain;
  const [low, high] = yRange;
  return (s, y) => {
    const rise = (high - low) * sigmoid(s) * sigmoid(-s);
    const [value, slope, curvature] = plain(low + (high - low) * sigmoid(s), y);
    return [value, slope * rise, curvature * rise ** 2];
  };
}

function predictionCurve(loss: Loss): ScoreCurve {
  if (loss instanceof MSELossFlat) return (p, y) => [(p - y) ** 2, 2 * (p - y), 2];
  if (loss instanceof BPRLoss) return (p) => logistic(p, 1, 1);
  if (loss instanceof BCEWithLogitsLossFlat) return (p, y) => logistic(p, y, loss.posWeight);
  throw new ArgumentError(
    `foldIn needs a loss with two derivatives: MSELossFlat, BCEWithLogitsLossFlat or BPRLoss. This learner has ${loss.name}.`,
  );
}

function logistic(p: number, y: number, posWeight: number): [number, number, number] {
  const weight = 1 + (posWeight - 1) * y;
  const [up, down] = [sigmoid(p), sigmoid(-p)];
  return [(1 - y) * p + weight * softplus(-p), 1 - y - weight * down, weight * up * down];
}
