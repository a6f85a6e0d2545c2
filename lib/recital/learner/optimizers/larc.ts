import type { Parameter } from '../../nn/parameter.js';
import { checkOptions } from '../../options.js';
import { MomentOptimizer, momentStep } from './moments.js';
import { type Hypers, type ParamState, paramGroups } from './optimizer.js';

/** Options of Larc; defaults as fastai's. */
export interface LarcOptions {
  /** Learning rate: the most that a parameter gets, with `clip`. */
  lr: number;
  /** Momentum, not damped; default 0.9. With 0 none is kept, and schedules of it have no effect. */
  mom?: number;
  /**
   * True (default): the rate of a parameter is at most lr. False: it is the product whatever that
   * comes to (LARS).
   */
  clip?: boolean;
  /** How large a step may be beside its parameter; default 0.02. */
  trustCoeff?: number;
  /** Added to the denominator; default 1e-8. */
  eps?: number;
  /** Weight decay; default 0. */
  wd?: number;
  /**
   * True (default): p ← p·(1 − lr·wd) before the step; false: wd·p is added to the gradient (L2).
   */
  decoupledWd?: boolean;
}

/**
 * Layer-wise adaptive rates (You et al. 2017), as fastai's: SGD in which each parameter, as a
 * whole, has the rate lr·trustCoeff·‖p‖/(‖g‖ + wd·‖p‖ + eps), at most lr. A table is one parameter.
 * @example new Learner(dls, model, { optFunc: (params, { lr }) => new Larc(params, { lr, mom: 0.9 }) })
 */
export class Larc extends MomentOptimizer {
  private readonly momentum: boolean;
  private readonly clip: boolean;

  constructor(params: readonly (readonly Parameter[])[], options: LarcOptions) {
    checkOptions(options, ['lr', 'mom', 'clip', 'trustCoeff', 'eps', 'wd', 'decoupledWd'], 'Larc');
    const {
      lr,
      mom = 0.9,
      clip = true,
      trustCoeff = 0.02,
      eps = 1e-8,
      wd = 0,
      decoupledWd = true,
    } = options;
    super(paramGroups(params, { lr, mom, trustCoeff, eps, wd }), mom ? ['gradAvg'] : [], {
      decoupledWd,
    });
    this.momentum = mom !== 0;
    this.clip = clip;
  }

  protected update(
    p: Parameter,
    { buffers }: ParamState,
    { lr, mom, trustCoeff, eps, ...hypers }: Readonly<Hypers>,
    wd: number,
  ): void {
    const { keep, l2 } = this.decay(lr, wd);
    const pNorm = keep * Math.sqrt(dot(p.value, p.value)); // after decay
    const rate = (lr * trustCoeff * pNorm) / (gradNorm(p, l2) + hypers.wd * pNorm + eps);
    const local = this.clip ? Math.min(lr, rate) : rate;
    momentStep(p, buffers, {
      keep,
      l2,
      ...(this.momentum ? { b1: mom, d1: 1, c: local } : { a: local }),
    });
  }
}

function dot(x: Float32Array, y: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

/** ‖g + l2·p‖ over a whole parameter; rows that were not touched have g = 0. */
function gradNorm(p: Parameter, l2: number): number {
  const { grad, value, width, touched } = p;
  const g = grad.subarray(0, p.gradSize);
  if (l2 === 0) return Math.sqrt(dot(g, g));
  let cross = 0;
  if (p.slots)
    for (let i = 0; i < g.length; i++)
      cross += g[i] * value[touched[Math.floor(i / width)] * width + (i % width)];
  else cross = dot(g, value);
  return Math.sqrt(Math.max(0, dot(g, g) + 2 * l2 * cross + l2 * l2 * dot(value, value)));
}
