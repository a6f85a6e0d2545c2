import { kernels } from '../../compute/kernels.js';
import { float32 } from '../../compute/memory.js';
import type { Parameter } from '../../nn/parameter.js';
import { paramGroups } from './groups.js';
import { Optimizer } from './optimizer.js';

/**
 * The general step; those of SGD, RMSProp, Adam … are special cases. With g' = g + l2·p:
 *
 *     m ← b1·m + d1·g';   v ← b2·v + d2·g'²;   p ← keep·p − (a·g' + c·m) / (√(e·g'² + f·v) + eps)
 *
 * m and v are the parameter's `gradAvg` and `sqrAvg`. A moment that is not kept is left out;
 * without v nothing is divided.
 */
export interface MomentStep {
  /** Factor of the weights (decoupled decay); default 1. */
  keep?: number;
  /** Weight decay in the gradient (L2); default 0. */
  l2?: number;
  /** Factors of m and of the gradient in the new m; default 1 and 0: m stays. */
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

/** An optimizer whose steps are made of moment steps, with weight decay of one of two kinds. */
export abstract class MomentOptimizer extends Optimizer {
  private readonly decoupledWd: boolean;

  /**
   * @param params groups of parameters
   * @param options their hyper-parameters, and `decoupledWd`. True: p ← p·(1 − lr·wd) before the
   *   step; false: wd·p is added to the gradient (L2)
   * @param moments the moments that it keeps
   */
  constructor(
    params: readonly (readonly Parameter[])[],
    { decoupledWd, ...hypers }: { decoupledWd: boolean; lr: number },
    moments: readonly ('gradAvg' | 'sqrAvg')[],
  ) {
    super(paramGroups(params, hypers), moments);
    this.decoupledWd = decoupledWd;
  }

  /** Weight decay, as coefficients of a step. */
  protected decay(lr: number, wd: number): { keep: number; l2: number } {
    return this.decoupledWd ? { keep: 1 - lr * wd, l2: 0 } : { keep: 1, l2: wd };
  }
}

/** fastai's `debias`, 1 − βᵗ: the sum of the weights of t gradients in a damped average. */
export function debias(beta: number, t: number): number {
  return 1 - beta ** t;
}
