import type { Parameter } from '../../nn/parameter.js';
import { checkOptions } from '../../options.js';
import type { MomentStep } from './moments.js';
import { type Hypers, paramGroups } from './optimizer.js';
import { SkippingOptimizer, type SkippingOptions } from './time-skipping/skipping-optimizer.js';

/** Options of RMSProp; defaults as fastai's. */
export interface RMSPropOptions extends SkippingOptions {
  /** Learning rate. */
  lr: number;
  /** β₂ of the squared gradients; default 0.99. */
  sqrMom?: number;
  /** Momentum, not damped; default 0: none is kept, and schedules of it have no effect. */
  mom?: number;
  /** Added to the denominator; default 1e-8. */
  eps?: number;
  /** Weight decay; default 0. */
  wd?: number;
}

/**
 * fastai's RMSProp: v ← sqrMom·v + (1 − sqrMom)·g² and p ← p − lr·g/(√v + eps); with momentum, m ←
 * mom·m + g stands in the place of g.
 * @example new Learner(dls, model, { optFunc: (params, { lr }) => new RMSProp(params, { lr, mom: 0.9 }) })
 */
export class RMSProp extends SkippingOptimizer {
  private readonly momentum: boolean;

  constructor(params: readonly (readonly Parameter[])[], options: RMSPropOptions) {
    checkOptions(
      options,
      ['lr', 'sqrMom', 'mom', 'eps', 'wd', 'decoupledWd', 'timeSkipping'],
      'RMSProp',
    );
    const { lr, sqrMom = 0.99, mom = 0, eps = 1e-8, wd = 0, ...skipping } = options;
    super(
      paramGroups(params, { lr, mom, sqrMom, eps, wd }),
      mom ? ['gradAvg', 'sqrAvg'] : ['sqrAvg'],
      skipping,
    );
    this.momentum = mom !== 0;
  }

  protected rule(_t: number, { lr, mom, sqrMom, eps }: Readonly<Hypers>, wd: number): MomentStep {
    const step = this.momentum ? { b1: mom, d1: 1, c: lr } : { a: lr };
    return { ...this.decay(lr, wd), ...step, b2: sqrMom, d2: 1 - sqrMom, f: 1, eps };
  }
}
