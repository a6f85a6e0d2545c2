import type { Parameter } from '../../nn/parameter.js';
import { checkOptions } from '../../options.js';
import { debias, MomentOptimizer, momentStep } from './moments.js';
import { type Hypers, type ParamState, paramGroups } from './optimizer.js';

/** Options of Lamb; defaults as fastai's. */
export interface LambOptions {
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
  /**
   * True (default): p ← p·(1 − lr·wd) before the step; false: wd·p is added to the gradient (L2).
   */
  decoupledWd?: boolean;
}

/**
 * LAMB (You et al. 2020), as fastai's: Adam whose step s = m̂/(√v̂ + eps) of each parameter, as a
 * whole, is scaled by min(rms(p)/rms(s), 10), or by 1 where one of them is 0. A table is one
 * parameter.
 * @example new Learner(dls, model, { optFunc: Lamb })
 */
export class Lamb extends MomentOptimizer {
  constructor(params: readonly (readonly Parameter[])[], options: LambOptions) {
    checkOptions(options, ['lr', 'mom', 'sqrMom', 'eps', 'wd', 'decoupledWd'], 'Lamb');
    const { lr, mom = 0.9, sqrMom = 0.99, eps = 1e-5, wd = 0, decoupledWd = true } = options;
    super(paramGroups(params, { lr, mom, sqrMom, eps, wd }), ['gradAvg', 'sqrAvg'], {
      decoupledWd,
    });
  }

  protected update(
    p: Parameter,
    { step: t, buffers }: ParamState,
    { lr, mom, sqrMom, eps }: Readonly<Hypers>,
    wd: number,
  ): void {
    momentStep(p, buffers, {
      ...this.decay(lr, wd),
      b1: mom,
      d1: 1 - mom,
      b2: sqrMom,
      d2: 1 - sqrMom,
    });
    const { gradAvg, sqrAvg } = buffers;
    const c = 1 / debias(mom, t);
    const f = 1 / debias(sqrMom, t);
    let weights = 0;
    let steps = 0;
    for (let i = 0; i < p.value.length; i++) {
      weights += p.value[i] ** 2;
      steps += ((c * gradAvg[i]) / (Math.sqrt(f * sqrAvg[i]) + eps)) ** 2;
    }
    const scale = weights === 0 || steps === 0 ? 1 : Math.min(Math.sqrt(weights / steps), 10);
    momentStep(p, buffers, { c: lr * scale * c, f, eps });
  }
}
