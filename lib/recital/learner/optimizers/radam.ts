import type { Parameter } from '../../nn/parameter.js';
import { checkOptions } from '../../options.js';
import { debias, type MomentStep, momentStep } from './moments.js';
import { type Hypers, type ParamState, paramGroups } from './optimizer.js';
import { SkippingOptimizer, type SkippingOptions } from './time-skipping/skipping-optimizer.js';

/** Options of RAdam; defaults as fastai's. */
export interface RAdamOptions extends SkippingOptions {
  /** Learning rate. */
  lr: number;
  /** Momentum β₁; default 0.9, scheduled by fitOneCycle. */
  mom?: number;
  /** β₂ of the squared gradients; default 0.99. */
  sqrMom?: number;
  /** Added to the denominator; default 1e-5. */
  eps?: number;
  /** Weight decay; default 0. */
  wd?: number;
  /** Sharpness of a softplus on the denominator, log(1 + e^(beta·x))/beta; default 0: none. */
  beta?: number;
}

/**
 * Rectified Adam (Liu et al. 2020), as fastai's. With r∞ = 2/(1 − β₂) − 1 and r = r∞ − 2t·β₂ᵗ/(1 −
 * β₂ᵗ), the step is that of Adam times √((r−4)(r−2)r∞/((r∞−4)(r∞−2)r)) where r > 5; before, while
 * the squared gradients are not known well enough, it is lr·m/(1 − β₁ᵗ).
 * @example new Learner(dls, model, { optFunc: RAdam })
 */
export class RAdam extends SkippingOptimizer {
  constructor(params: readonly (readonly Parameter[])[], options: RAdamOptions) {
    checkOptions(
      options,
      ['lr', 'mom', 'sqrMom', 'eps', 'wd', 'beta', 'decoupledWd', 'timeSkipping'],
      'RAdam',
    );
    const { lr, mom = 0.9, sqrMom = 0.99, eps = 1e-5, wd = 0, beta = 0, ...skipping } = options;
    super(paramGroups(params, { lr, mom, sqrMom, eps, wd, beta }), ['gradAvg', 'sqrAvg'], skipping);
  }

  protected rule(
    t: number,
    { lr, mom, sqrMom, eps, beta }: Readonly<Hypers>,
    wd: number,
  ): MomentStep | undefined {
    const rectified = rectification(t, sqrMom);
    const step = { ...this.decay(lr, wd), b1: mom, d1: 1 - mom, b2: sqrMom, d2: 1 - sqrMom };
    const c = lr / debias(mom, t);
    if (!rectified) return { ...step, c };
    return beta ? undefined : { ...step, c: rectified * c, f: 1 / debias(sqrMom, t), eps };
  }

  /** With a softplus, the step is none of MomentStep's cases. */
  protected override dense(
    p: Parameter,
    state: ParamState,
    step: MomentStep | undefined,
    hypers: Readonly<Hypers>,
    wd: number,
  ): void {
    if (step) {
      super.dense(p, state, step, hypers, wd);
      return;
    }
    const { step: t, buffers } = state;
    const { lr, mom, sqrMom, eps, beta } = hypers;
    momentStep(p, buffers, {
      ...this.decay(lr, wd),
      b1: mom,
      d1: 1 - mom,
      b2: sqrMom,
      d2: 1 - sqrMom,
    });
    const c = (rectification(t, sqrMom) * lr) / debias(mom, t);
    const { gradAvg, sqrAvg } = buffers;
    for (let i = 0; i < gradAvg.length; i++)
      p.value[i] -=
        (c * gradAvg[i]) / softplus(Math.sqrt(sqrAvg[i] / debias(sqrMom, t)) + eps, beta);
  }
}

/** How far the squared gradients are to be trusted at step t; 0: not yet. */
function rectification(t: number, sqrMom: number): number {
  const rInf = 2 / (1 - sqrMom) - 1;
  const r = rInf - (2 * t * sqrMom ** t) / debias(sqrMom, t);
  return r > 5 ? Math.sqrt(((r - 4) * (r - 2) * rInf) / ((rInf - 4) * (rInf - 2) * r)) : 0;
}

/** PyTorch's softplus, log(1 + e^(βx))/β, linear where βx > 20. */
function softplus(x: number, beta: number): number {
  return beta * x > 20 ? x : Math.log1p(Math.exp(beta * x)) / beta;
}
