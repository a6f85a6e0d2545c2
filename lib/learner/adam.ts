import { parallel } from '../compute/threads.js';
import type { Parameter } from '../nn/parameter.js';
import { checkOptions } from '../options.js';
import { type Hypers, Optimizer, type ParamState, paramGroups } from './optimizer.js';

/** Options of Adam; defaults as fastai's. */
export interface AdamOptions {
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
  /** True (default): p ← p·(1 − lr·wd) before the step (AdamW); false: wd·p is added to the gradient (L2). */
  decoupledWd?: boolean;
}

/**
 * fastai's Adam (optimizer.py), dense: every row of every table decays and moves by its momentum in every step, gradient or not.
 *
 *     p ← p·(1 − lr·wd);  m ← mom·m + (1 − mom)·g;  v ← sqrMom·v + (1 − sqrMom)·g²
 *     p ← p − lr/(1 − momᵗ) · m / (√(v/(1 − sqrMomᵗ)) + eps)
 *
 * The correction uses the momentum now in force, not the history of a scheduled one, as fastai does.
 */
export class Adam extends Optimizer {
  private readonly decoupledWd: boolean;

  constructor(params: readonly (readonly Parameter[])[], options: AdamOptions) {
    checkOptions(options, ['lr', 'mom', 'sqrMom', 'eps', 'wd', 'decoupledWd'], 'Adam');
    const { lr, mom = 0.9, sqrMom = 0.99, eps = 1e-5, wd = 0.01, decoupledWd = true } = options;
    super(paramGroups(params, { lr, mom, sqrMom, eps, wd }), ['gradAvg', 'sqrAvg']);
    this.decoupledWd = decoupledWd;
  }

  protected update(p: Parameter, { step: t, buffers }: ParamState, { lr, mom, sqrMom, eps }: Readonly<Hypers>, wd: number): void {
    const keep = this.decoupledWd ? 1 - lr * wd : 1;
    const l2 = this.decoupledWd ? 0 : wd;
    const step = lr / (1 - mom ** t);
    const unbias = 1 / Math.sqrt(1 - sqrMom ** t);
    const m = buffers.gradAvg.byteOffset;
    const v = buffers.sqrAvg.byteOffset;
    const w = p.value.byteOffset;
    const g = p.grad.byteOffset;
    if (p.slots) {
      const slots = p.slots.byteOffset;
      const args = [p.width, slots, w, g, m, v, keep, l2, mom, 1 - mom, sqrMom, 1 - sqrMom, step, unbias, eps];
      parallel('adamTable', p.shape[0], args, { grain: Math.ceil(50_000 / p.width) });
    } else {
      const args = [w, g, m, v, keep, l2, mom, 1 - mom, sqrMom, 1 - sqrMom, step, unbias, eps];
      parallel('adamRange', p.value.length, args, { grain: 50_000 });
    }
  }
}
