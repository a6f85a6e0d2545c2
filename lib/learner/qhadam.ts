import type { Parameter } from '../nn/parameter.js';
import { checkOptions } from '../options.js';
import { debias, MomentOptimizer, momentStep } from './moments.js';
import { type Hypers, type ParamState, paramGroups } from './optimizer.js';

/** Options of QHAdam; defaults as fastai's. */
export interface QHAdamOptions {
  /** Learning rate. */
  lr: number;
  /** Momentum β₁; default 0.999. fitOneCycle sets its own: give it `moms`. */
  mom?: number;
  /** β₂ of the squared gradients; default 0.999. */
  sqrMom?: number;
  /** Weight of the momentum against the gradient itself; default 0.7. */
  nu1?: number;
  /** Weight of the averaged against the present squared gradient; default 1. */
  nu2?: number;
  /** Added to the denominator; default 1e-8. */
  eps?: number;
  /** Weight decay; default 0. */
  wd?: number;
  /** True (default): p ← p·(1 − lr·wd) before the step; false: wd·p is added to the gradient (L2). */
  decoupledWd?: boolean;
}

/**
 * Quasi-hyperbolic Adam (Ma and Yarats 2019), as fastai's. With m̂ = m/(1 − momᵗ) and v̂ = v/(1 − sqrMomᵗ) as in Adam:
 *
 *     p ← p − lr·((1 − nu1)·g + nu1·m̂) / (√((1 − nu2)·g² + nu2·v̂) + eps)
 * @example new Learner(dls, model, { optFunc: (params, { lr }) => new QHAdam(params, { lr, nu1: 0.7 }) })
 */
export class QHAdam extends MomentOptimizer {
  constructor(params: readonly (readonly Parameter[])[], options: QHAdamOptions) {
    checkOptions(options, ['lr', 'mom', 'sqrMom', 'nu1', 'nu2', 'eps', 'wd', 'decoupledWd'], 'QHAdam');
    const { lr, mom = 0.999, sqrMom = 0.999, nu1 = 0.7, nu2 = 1, eps = 1e-8, wd = 0, decoupledWd = true } = options;
    super(paramGroups(params, { lr, mom, sqrMom, nu1, nu2, eps, wd }), ['gradAvg', 'sqrAvg'], { decoupledWd });
  }

  protected update(p: Parameter, { step: t, buffers }: ParamState, { lr, mom, sqrMom, nu1, nu2, eps }: Readonly<Hypers>, wd: number): void {
    momentStep(p, buffers, {
      ...this.decay(lr, wd),
      ...{ b1: mom, d1: 1 - mom, b2: sqrMom, d2: 1 - sqrMom },
      ...{ a: lr * (1 - nu1), c: (lr * nu1) / debias(mom, t), e: 1 - nu2, f: nu2 / debias(sqrMom, t), eps },
    });
  }
}
