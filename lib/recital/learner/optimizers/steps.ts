import { parallel } from '../../compute/threads.js';
import type { Parameter } from '../../nn/parameter.js';
import { given } from '../../options.js';
import { debias, MomentOptimizer, type MomentStep, momentStep, type Step } from './moments.js';
import type { Hypers, ParamState } from './optimizer.js';

type Params = readonly (readonly Parameter[])[];

/** Options by their defaults: `lr`, which the learner gives, has none. */
type Options<D extends { lr: number }> = { lr: number } & Partial<D>;

const DECAY = {
  /** Weight decay; default 0, of Adam 0.01. */
  wd: 0,
  /**
   * True (default): p ← p·(1 − lr·wd) before the step; false: wd·p is added to the gradient (L2).
   */
  decoupledWd: true,
};

const SKIPPING = {
  /**
   * Whether rows of a table (an embedding) that have no gradient are left alone and brought up to
   * date when they are needed, which gives the same weights in time proportional to the rows
   * touched. Default: where it is quicker, in tables that are large beside the batch. True: in
   * every table. False: never, every row takes every step.
   */
  timeSkipping: undefined as boolean | undefined,
};

const UNDAMPED = {
  /** Learning rate. */
  lr: NaN,
  /**
   * Momentum, not damped; default 0, of Larc 0.9. With 0 none is kept, and schedules of it have no
   * effect.
   */
  mom: 0,
};

const AVERAGES = {
  /** Learning rate. */
  lr: NaN,
  /** Momentum β₁; default 0.9, scheduled by fitOneCycle. QHAdam's is 0.999: give `moms`. */
  mom: 0.9,
  /** β₂ of the squared gradients; default 0.99, of QHAdam 0.999. */
  sqrMom: 0.99,
  /** Added to the denominator; default 1e-5, of QHAdam 1e-8. */
  eps: 1e-5,
  ...DECAY,
};

const DEFAULTS = {
  SGD: { ...UNDAMPED, ...DECAY, ...SKIPPING },
  RMSProp: {
    ...UNDAMPED,
    /** β₂ of the squared gradients; default 0.99. */
    sqrMom: 0.99,
    /** Added to the denominator; default 1e-8. */
    eps: 1e-8,
    ...DECAY,
    ...SKIPPING,
  },
  Adam: { ...AVERAGES, wd: 0.01, ...SKIPPING },
  RAdam: {
    ...AVERAGES,
    /** Sharpness of a softplus on the denominator, log(1 + e^(beta·x))/beta; default 0: none. */
    beta: 0,
    ...SKIPPING,
  },
  QHAdam: {
    ...AVERAGES,
    mom: 0.999,
    sqrMom: 0.999,
    eps: 1e-8,
    /** Weight of the momentum against the gradient itself; default 0.7. */
    nu1: 0.7,
    /** Weight of the averaged against the present squared gradient; default 1. */
    nu2: 1,
    ...SKIPPING,
  },
  Lamb: AVERAGES,
  Larc: {
    ...UNDAMPED,
    mom: 0.9,
    /** How large a step may be beside its parameter; default 0.02. */
    trustCoeff: 0.02,
    /** Added to the denominator; default 1e-8. */
    eps: 1e-8,
    ...DECAY,
    /** Whether the rate of a parameter is at most lr; default true. False: LARS. */
    clip: true,
  },
};

/** Options of SGD; defaults as fastai's. */
export type SGDOptions = Options<typeof DEFAULTS.SGD>;

/**
 * fastai's SGD: p ← p − lr·g or, with momentum, m ← mom·m + g and p ← p − lr·m, as PyTorch's.
 * @example new Learner(dls, model, { optFunc: (params, { lr }) => new SGD(params, { lr, mom: 0.9 }) });
 */
export class SGD extends MomentOptimizer {
  private readonly momentum: boolean;

  constructor(params: Params, options: SGDOptions) {
    const all = given(DEFAULTS.SGD, options, 'SGD');
    super(params, all, all.mom ? ['gradAvg'] : []);
    this.momentum = all.mom !== 0;
  }

  protected override rule(_t: number, { lr, mom }: Readonly<Hypers>, wd: number): MomentStep {
    return { ...this.decay(lr, wd), ...undamped(lr, mom, this.momentum) };
  }
}

/** Options of RMSProp; defaults as fastai's. */
export type RMSPropOptions = Options<typeof DEFAULTS.RMSProp>;

/**
 * fastai's RMSProp: v ← sqrMom·v + (1 − sqrMom)·g² and p ← p − lr·g/(√v + eps); with momentum, m ←
 * mom·m + g replaces g.
 * @example new Learner(dls, model, { optFunc: (params, { lr }) => new RMSProp(params, { lr, mom: 0.9 }) })
 */
export class RMSProp extends MomentOptimizer {
  private readonly momentum: boolean;

  constructor(params: Params, options: RMSPropOptions) {
    const all = given(DEFAULTS.RMSProp, options, 'RMSProp');
    super(params, all, all.mom ? ['gradAvg', 'sqrAvg'] : ['sqrAvg']);
    this.momentum = all.mom !== 0;
  }

  protected override rule(
    _t: number,
    { lr, mom, sqrMom, eps }: Readonly<Hypers>,
    wd: number,
  ): MomentStep {
    const step = undamped(lr, mom, this.momentum);
    return { ...this.decay(lr, wd), ...step, b2: sqrMom, d2: 1 - sqrMom, f: 1, eps };
  }
}

/** Options of Adam; defaults as fastai's. */
export type AdamOptions = Options<typeof DEFAULTS.Adam>;

/**
 * fastai's Adam (optimizer.py): every row of every table decays and moves by its momentum in every
 * step, with or without a gradient.
 *
 *     p ← p·(1 − lr·wd);  m ← mom·m + (1 − mom)·g;  v ← sqrMom·v + (1 − sqrMom)·g²
 *     p ← p − lr/(1 − momᵗ) · m / (√(v/(1 − sqrMomᵗ)) + eps)
 *
 * As in fastai, the correction uses the current momentum, not the history of a scheduled one. In
 * large tables rows without gradient are brought up to date when they are needed, so that a step
 * costs what the touched rows cost: see Timeline. It is not PyTorch's SparseAdam, where such rows do
 * not move.
 * @example new Learner(dls, model, { optFunc: (params, { lr }) => new Adam(params, { lr, sqrMom: 0.999, eps: 1e-8 }) });
 */
export class Adam extends MomentOptimizer {
  constructor(params: Params, options: AdamOptions) {
    super(params, given(DEFAULTS.Adam, options, 'Adam'), ['gradAvg', 'sqrAvg']);
  }

  protected override rule(
    t: number,
    { lr, mom, sqrMom, eps }: Readonly<Hypers>,
    wd: number,
  ): MomentStep {
    const corrected = { c: lr / debias(mom, t), f: 1 / debias(sqrMom, t), eps };
    return { ...this.decay(lr, wd), ...averages(mom, sqrMom), ...corrected };
  }

  /** The same by a kernel of Adam's own, which runs on all threads. */
  protected override dense(
    p: Parameter,
    { buffers: { gradAvg, sqrAvg } }: ParamState,
    _hypers: Readonly<Hypers>,
    _wd: number,
    { keep, l2, b1, d1, b2, d2, c, f, eps }: Step,
  ): void {
    const at = [p.value, p.grad, gradAvg, sqrAvg].map(({ byteOffset }) => byteOffset);
    const args = [...at, keep, l2, b1, d1, b2, d2, c, Math.sqrt(f), eps];
    const grain = 50_000;
    if (!p.slots) parallel('adamRange', p.value.length, args, { grain });
    else
      parallel('adamTable', p.shape[0], [p.width, p.slots.byteOffset, ...args], {
        grain: Math.ceil(grain / p.width),
      });
  }
}

/** Options of RAdam; defaults as fastai's. */
export type RAdamOptions = Options<typeof DEFAULTS.RAdam>;

/**
 * Rectified Adam (Liu et al. 2020), as fastai's. With r∞ = 2/(1 − β₂) − 1 and r = r∞ − 2t·β₂ᵗ/(1 −
 * β₂ᵗ), the step is that of Adam times √((r−4)(r−2)r∞/((r∞−4)(r∞−2)r)) where r > 5; before, while
 * the average of the squared gradients is too uncertain, it is lr·m/(1 − β₁ᵗ).
 * @example new Learner(dls, model, { optFunc: RAdam })
 */
export class RAdam extends MomentOptimizer {
  constructor(params: Params, options: RAdamOptions) {
    super(params, given(DEFAULTS.RAdam, options, 'RAdam'), ['gradAvg', 'sqrAvg']);
  }

  protected override rule(
    t: number,
    { lr, mom, sqrMom, eps, beta }: Readonly<Hypers>,
    wd: number,
  ): MomentStep | undefined {
    const rectified = rectification(t, sqrMom);
    const step = { ...this.decay(lr, wd), ...averages(mom, sqrMom) };
    const c = lr / debias(mom, t);
    if (!rectified) return { ...step, c };
    return beta ? undefined : { ...step, c: rectified * c, f: 1 / debias(sqrMom, t), eps };
  }

  /** The step with a softplus is no MomentStep. */
  protected override dense(
    p: Parameter,
    state: ParamState,
    hypers: Readonly<Hypers>,
    wd: number,
    step: Step | undefined,
  ): void {
    if (step) {
      super.dense(p, state, hypers, wd, step);
      return;
    }
    const { step: t, buffers } = state;
    const { lr, mom, sqrMom, eps, beta } = hypers;
    momentStep(p, buffers, { ...this.decay(lr, wd), ...averages(mom, sqrMom) });
    const c = (rectification(t, sqrMom) * lr) / debias(mom, t);
    const { gradAvg, sqrAvg } = buffers;
    for (let i = 0; i < gradAvg.length; i++)
      p.value[i] -=
        (c * gradAvg[i]) / softplus(Math.sqrt(sqrAvg[i] / debias(sqrMom, t)) + eps, beta);
  }
}

/** The factor of RAdam's t-th step; 0 while the squared gradients are too uncertain. */
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
export type QHAdamOptions = Options<typeof DEFAULTS.QHAdam>;

/**
 * Quasi-hyperbolic Adam (Ma and Yarats 2019), as fastai's. With m̂ = m/(1 − momᵗ) and v̂ = v/(1 −
 * sqrMomᵗ) as in Adam:
 *
 *     p ← p − lr·((1 − nu1)·g + nu1·m̂) / (√((1 − nu2)·g² + nu2·v̂) + eps)
 * @example new Learner(dls, model, { optFunc: (params, { lr }) => new QHAdam(params, { lr, nu1: 0.7 }) })
 */
export class QHAdam extends MomentOptimizer {
  constructor(params: Params, options: QHAdamOptions) {
    super(params, given(DEFAULTS.QHAdam, options, 'QHAdam'), ['gradAvg', 'sqrAvg']);
  }

  protected override rule(
    t: number,
    { lr, mom, sqrMom, nu1, nu2, eps }: Readonly<Hypers>,
    wd: number,
  ): MomentStep {
    const above = { a: lr * (1 - nu1), c: (lr * nu1) / debias(mom, t) };
    const below = { e: 1 - nu2, f: nu2 / debias(sqrMom, t), eps };
    return { ...this.decay(lr, wd), ...averages(mom, sqrMom), ...above, ...below };
  }
}

/** Options of Lamb; defaults as fastai's. */
export type LambOptions = Options<typeof DEFAULTS.Lamb>;

/**
 * LAMB (You et al. 2020), as fastai's: Adam whose step s = m̂/(√v̂ + eps) of each parameter, as a
 * whole, is scaled by min(rms(p)/rms(s), 10), or by 1 where one of them is 0. A table is one
 * parameter.
 * @example new Learner(dls, model, { optFunc: Lamb })
 */
export class Lamb extends MomentOptimizer {
  constructor(params: Params, options: LambOptions) {
    super(params, given(DEFAULTS.Lamb, options, 'Lamb'), ['gradAvg', 'sqrAvg']);
  }

  protected override dense(
    p: Parameter,
    { step: t, buffers }: ParamState,
    { lr, mom, sqrMom, eps }: Readonly<Hypers>,
    wd: number,
  ): void {
    momentStep(p, buffers, { ...this.decay(lr, wd), ...averages(mom, sqrMom) });
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
export type LarcOptions = Options<typeof DEFAULTS.Larc>;

/**
 * Layer-wise adaptive rates (You et al. 2017), as fastai's: SGD in which each parameter, as a
 * whole, has the rate lr·trustCoeff·‖p‖/(‖g‖ + wd·‖p‖ + eps), at most lr. A table is one parameter.
 * @example new Learner(dls, model, { optFunc: (params, { lr }) => new Larc(params, { lr, mom: 0.9 }) })
 */
export class Larc extends MomentOptimizer {
  private readonly momentum: boolean;
  private readonly clip: boolean;

  constructor(params: Params, options: LarcOptions) {
    const { clip, ...all } = given(DEFAULTS.Larc, options, 'Larc');
    super(params, all, all.mom ? ['gradAvg'] : []);
    this.momentum = all.mom !== 0;
    this.clip = clip;
  }

  protected override dense(
    p: Parameter,
    { buffers }: ParamState,
    { lr, mom, trustCoeff, eps, ...hypers }: Readonly<Hypers>,
    wd: number,
  ): void {
    const { keep, l2 } = this.decay(lr, wd);
    const pNorm = keep * Math.sqrt(dot(p.value, p.value)); // after decay
    const rate = (lr * trustCoeff * pNorm) / (gradNorm(p, l2) + hypers.wd * pNorm + eps);
    const local = this.clip ? Math.min(lr, rate) : rate;
    momentStep(p, buffers, { keep, l2, ...undamped(local, mom, this.momentum) });
  }
}

/** m and v as damped averages of the gradients and their squares. */
function averages(mom: number, sqrMom: number): MomentStep {
  return { b1: mom, d1: 1 - mom, b2: sqrMom, d2: 1 - sqrMom };
}

/** The step of m ← mom·m + g or, without momentum, of g. */
function undamped(lr: number, mom: number, momentum: boolean): MomentStep {
  return momentum ? { b1: mom, d1: 1, c: lr } : { a: lr };
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
  if (!p.slots) cross = dot(g, value);
  else
    for (let i = 0; i < g.length; i++)
      cross += g[i] * value[touched[Math.floor(i / width)] * width + (i % width)];
  return Math.sqrt(Math.max(0, dot(g, g) + 2 * l2 * cross + l2 * l2 * dot(value, value)));
}
