import type { Parameter } from '../../nn/parameter.js';
import { checkOptions } from '../../options.js';
import { debias, type MomentStep } from './moments.js';
import { type Hypers, paramGroups } from './optimizer.js';
import { SkippingOptimizer, type SkippingOptions } from './time-skipping/skipping-optimizer.js';

/** Options of QHAdam; defaults as fastai's. */
export interface QHAdamOptions extends SkippingOptions {
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
}

/**
 * Quasi-hyperbolic Adam (Ma and Yarats 2019), as fastai's. With m̂ = m/(1 − momᵗ) and v̂ = v/(1 −
 * sqrMomᵗ) as in Adam:
 *
 *     p ← p − lr·((1 − nu1)·g + nu1·m̂) / (√((1 − nu2)·g² + nu2·v̂) + eps)
 * @example new Learner(dls, model, { optFunc: (params, { lr }) => new QHAdam(params, { lr, nu1: 0.7 }) })
 */
export class QHAdam extends SkippingOptimizer {
  constructor(params: readonly (readonly Parameter[])[], options: QHAdamOptions) {
    checkOptions(
      options,
      ['lr', 'mom', 'sqrMom', 'nu1', 'nu2', 'eps', 'wd', 'decoupledWd', 'timeSkipping'],
      'QHAdam',
    );
    const {
      lr,
      mom = 0.999,
      sqrMom = 0.999,
      nu1 = 0.7,
      nu2 = 1,
      eps = 1e-8,
      wd = 0,
      ...skipping
    } = options;
    super(
      paramGroups(params, { lr, mom, sqrMom, nu1, nu2, eps, wd }),
      ['gradAvg', 'sqrAvg'],
      skipping,
    );
  }

  protected rule(
    t: number,
    { lr, mom, sqrMom, nu1, nu2, eps }: Readonly<Hypers>,
    wd: number,
  ): MomentStep {
    return {
      ...this.decay(lr, wd),
      ...{ b1: mom, d1: 1 - mom, b2: sqrMom, d2: 1 - sqrMom },
      ...{
        a: lr * (1 - nu1),
        c: (lr * nu1) / debias(mom, t),
        e: 1 - nu2,
        f: nu2 / debias(sqrMom, t),
        eps,
      },
    };
  }
}
