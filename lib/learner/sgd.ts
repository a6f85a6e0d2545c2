import type { Parameter } from '../nn/parameter.js';
import { checkOptions } from '../options.js';
import { MomentOptimizer, momentStep } from './moments.js';
import { type Hypers, type ParamState, paramGroups } from './optimizer.js';

/** Options of SGD; defaults as fastai's. */
export interface SGDOptions {
  /** Learning rate. */
  lr: number;
  /** Momentum, not damped; default 0: none is kept, and schedules of it have no effect. */
  mom?: number;
  /** Weight decay; default 0. */
  wd?: number;
  /** True (default): p ← p·(1 − lr·wd) before the step; false: wd·p is added to the gradient (L2). */
  decoupledWd?: boolean;
}

/**
 * fastai's SGD: p ← p − lr·g or, with momentum, m ← mom·m + g and p ← p − lr·m, as PyTorch's.
 * @example new Learner(dls, model, { optFunc: (params, { lr }) => new SGD(params, { lr, mom: 0.9 }) });
 */
export class SGD extends MomentOptimizer {
  private readonly momentum: boolean;

  constructor(params: readonly (readonly Parameter[])[], options: SGDOptions) {
    checkOptions(options, ['lr', 'mom', 'wd', 'decoupledWd'], 'SGD');
    const { lr, mom = 0, wd = 0, decoupledWd = true } = options;
    super(paramGroups(params, { lr, mom, wd }), mom ? ['gradAvg'] : [], { decoupledWd });
    this.momentum = mom !== 0;
  }

  protected update(p: Parameter, { buffers }: ParamState, { lr, mom }: Readonly<Hypers>, wd: number): void {
    const step = this.momentum ? { b1: mom, d1: 1, c: lr } : { a: lr };
    momentStep(p, buffers, { ...this.decay(lr, wd), ...step });
  }
}
