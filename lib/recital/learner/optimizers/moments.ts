import { kernels } from '../../compute/kernels.js';
import { float32 } from '../../compute/memory.js';
import type { Parameter } from '../../nn/parameter.js';
import type { ParamGroup } from './groups.js';
import { Optimizer } from './optimizer.js';

/**
 * One step, of which most optimizers are cases. With g' = g + l2·p:
 *
 *     m ← b1·m + d1·g';   v ← b2·v + d2·g'²;   p ← keep·p − (a·g' + c·m) / (√(e·g'² + f·v) + eps)
 *
 * m and v are the parameter's `gradAvg` and `sqrAvg`. One that is not kept is left out, and without
 * v the division is, too.
 */
export interface MomentStep {
  /** What decay leaves of the weights; default 1. */
  keep?: number;
  /** Decay as part of the gradient; default 0. */
  l2?: number;
  /** What stays of m, and what of the gradient goes into it; default 1 and 0: m is as before. */
  b1?: number;
  d1?: number;
  /** The same for v. */
  b2?: number;
  d2?: number;
  /** Weights of gradient and m in the step; default 0. */
  a?: number;
  c?: number;
  /** Weights of squared gradient and v in the divisor; default 0. */
  e?: number;
  f?: number;
  /** Added to the divisor; default 1, so that by default nothing is divided. */
  eps?: number;
}

/** The coefficients in the order of the kernel, with their defaults. */
export const COEFFICIENTS: Readonly<Required<MomentStep>> = {
  keep: 1,
  l2: 0,
  b1: 1,
  d1: 0,
  b2: 1,
  d2: 0,
  a: 0,
  c: 0,
  e: 0,
  f: 0,
  eps: 1,
};
const NAMES = Object.keys(COEFFICIENTS) as (keyof typeof COEFFICIENTS)[];

let memory: Float32Array | undefined;

/**
 * Does one step for every value of a parameter; a row of a table that was not touched has the
 * gradient zero.
 */
export function momentStep(
  p: Parameter,
  { gradAvg, sqrAvg }: Record<string, Float32Array>,
  step: MomentStep,
): void {
  memory ??= float32(NAMES.length);
  for (let i = 0; i < NAMES.length; i++) memory[i] = step[NAMES[i]] ?? COEFFICIENTS[NAMES[i]];
  const [w, g, k] = [p.value.byteOffset, p.grad.byteOffset, memory.byteOffset];
  const m = gradAvg?.byteOffset ?? 0;
  const v = sqrAvg?.byteOffset ?? 0;
  if (p.slots) kernels().momentsTable(p.shape[0], p.width, p.slots.byteOffset, w, g, m, v, k);
  else kernels().moments(p.value.length, w, g, m, v, k);
}

/** What all optimizers but Adam have in common: how weight decay works. */
export abstract class MomentOptimizer extends Optimizer {
  /**
   * @param groups parameters and their hyper-parameters
   * @param moments those it keeps: `gradAvg`, `sqrAvg`
   * @param options.decoupledWd true: p ← p·(1 − lr·wd) before the step; false: wd·p is added to the
   *   gradient (L2)
   */
  constructor(
    groups: readonly ParamGroup[],
    moments: readonly ('gradAvg' | 'sqrAvg')[],
    private readonly options: { decoupledWd: boolean },
  ) {
    super(groups, moments);
  }

  /** Weight decay, as coefficients of a step. */
  protected decay(lr: number, wd: number): { keep: number; l2: number } {
    return this.options.decoupledWd ? { keep: 1 - lr * wd, l2: 0 } : { keep: 1, l2: wd };
  }
}

/**
 * fastai's `debias`, 1 − βᵗ: what a damped average of t gradients, zero at first, has of their sum
 * of weights.
 */
export function debias(beta: number, t: number): number {
  return 1 - beta ** t;
}
