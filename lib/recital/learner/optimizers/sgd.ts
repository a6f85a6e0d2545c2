import type { Parameter } from '../../nn/parameter.js';
import { checkOptions } from '../../options.js';
import type { MomentStep } from './moments.js';
import { type Hypers, paramGroups } from './optimizer.js';
import { SkippingOptimizer, type SkippingOptions } from './time-skipping/skipping-optimizer.js';

/** Options of SGD; defaults as fastai's. */
export interface SGDOptions extends SkippingOptions {
  /** Learning rate. */
  lr: number;
  /** Momentum, not damped; default 0: none is kept, and schedules of it have no effect. */
  mom?: number;
  /** Weight decay; default 0. */
  wd?: number;
}

/**
 * fastai's SGD: p ← p − lr·g or, with momentum, m ← mom·m + g and p ← p − lr·m, as PyTorch's.
 * @example new Learner(dls, model, { optFunc: (params, { lr }) => new SGD(params, { lr, mom: 0.9 }) });
 */
export class SGD extends SkippingOptimizer {
  private readonly momentum: boolean;

  constructor(params: readonly (readonly Parameter[])[], options: SGDOptions) {
    checkOptions(options, ['lr', 'mom', 'wd', 'decoupledWd', 'timeSkipping'], 'SGD');
    const { lr, mom = 0, wd = 0, ...skipping } = options;
    super(paramGroups(params, { lr, mom, wd }), mom ? ['gradAvg'] : [], skipping);
    this.momentum = mom !== 0;
  }

  protected rule(_t: number, { lr, mom }: Readonly<Hypers>, wd: number): MomentStep {
    const step = this.momentum ? { b1: mom, d1: 1, c: lr } : { a: lr };
    return { ...this.decay(lr, wd), ...step };
  }
}
