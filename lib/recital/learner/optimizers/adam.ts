import { parallel } from '../../compute/threads.js';
import type { Parameter } from '../../nn/parameter.js';
import { checkOptions } from '../../options.js';
import { COEFFICIENTS, debias, type MomentStep } from './moments.js';
import { type Hypers, type ParamState, paramGroups } from './optimizer.js';
import { SkippingOptimizer, type SkippingOptions } from './time-skipping/skipping-optimizer.js';

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
