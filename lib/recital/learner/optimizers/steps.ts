import { parallel } from '../../compute/threads.js';
import type { Parameter } from '../../nn/parameter.js';
import { checkOptions } from '../../options.js';
import { type Hypers, paramGroups } from './groups.js';
import { COEFFICIENTS, debias, MomentOptimizer, type MomentStep, momentStep } from './moments.js';
import type { ParamState } from './optimizer.js';
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

/** Options of Adam; defaults as fastai's. */
export interface AdamOptions extends SkippingOptions {
  /** Learning rate. */
  lr: number;
  /** Momentum β₁; default 0.9, scheduled by fitOneCycle. */
  mom?: number;
  /** β₂ of the squared gradients; default 0.99. */
  sqrMom?: number;
  /** Added to the denominator; default 1e-5. */
  eps?: number;
  /** Weight decay; default 0.01. */
  wd?: number;
}

/**
 * fastai's Adam (optimizer.py): every row of every table decays and moves by its momentum in every
 * step, gradient or not.
 *
 *     p ← p·(1 − lr·wd);  m ← mom·m + (1 − mom)·g;  v ← sqrMom·v + (1 − sqrMom)·g²
 *     p ← p − lr/(1 − momᵗ) · m / (√(v/(1 − sqrMomᵗ)) + eps)
 *
 * The correction uses the momentum now in force, not the history of a scheduled one, as fastai
 * does. In large tables rows without gradient are brought up to date when they are needed, which
 * costs what the touched rows cost and rounds less: see SkippingOptimizer and Timeline, which has
 * the derivation. It is not PyTorch's SparseAdam, where such rows stand still.
 * @example new Learner(dls, model, { optFunc: (params, { lr }) => new Adam(params, { lr, sqrMom: 0.999, eps: 1e-8 }) });
 */
export class Adam extends SkippingOptimizer {
  constructor(params: readonly (readonly Parameter[])[], options: AdamOptions) {
    checkOptions(
      options,
      ['lr', 'mom', 'sqrMom', 'eps', 'wd', 'decoupledWd', 'timeSkipping'],
      'Adam',
    );
    const { lr, mom = 0.9, sqrMom = 0.99, eps = 1e-5, wd = 0.01, ...skipping } = options;
    super(paramGroups(params, { lr, mom, sqrMom, eps, wd }), ['gradAvg', 'sqrAvg'], skipping);
  }

  protected rule(t: number, { lr, mom, sqrMom, eps }: Readonly<Hypers>, wd: number): MomentStep {
    const moments = { b1: mom, d1: 1 - mom, b2: sqrMom, d2: 1 - sqrMom };
    return {
      ...this.decay(lr, wd),
      ...moments,
      c: lr / debias(mom, t),
      f: 1 / debias(sqrMom, t),
      eps,
    };
  }

  protected override dense(p: Parameter, { buffers }: ParamState, step: MomentStep): void {
    const { keep, l2, b1, d1, b2, d2, c, f, eps } = { ...COEFFICIENTS, ...step };
    const at = [p.value, p.grad, buffers.gradAvg, buffers.sqrAvg].map(
      ({ byteOffset }) => byteOffset,
    );
    const args = [...at, keep, l2, b1, d1, b2, d2, c, Math.sqrt(f), eps];
    if (p.slots)
      parallel('adamTable', p.shape[0], [p.width, p.slots.byteOffset, ...args], {
        grain: Math.ceil(50_000 / p.width),
      });
    else parallel('adamRange', p.value.length, args, { grain: 50_000 });
  }
}

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
