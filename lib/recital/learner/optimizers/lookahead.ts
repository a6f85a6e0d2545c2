import type { Parameter } from '../../nn/parameter.js';
import { checkArgument, checkCount, checkNumber, given } from '../../options.js';
import { checkState, Optimizer, type OptimizerState, type ParamState } from './optimizer.js';
import { RAdam, type RAdamOptions } from './steps.js';
import type { PendingRows } from './time-skipping/pending-rows.js';

const LOOKAHEAD = {
  /** Steps of the inner optimizer between two of the slow weights; default 6. */
  k: 6,
  /** How far the slow weights follow, 0 … 1; default 0.5. */
  alpha: 0.5,
};

/** Options of Lookahead; defaults as fastai's. */
export type LookaheadOptions = Partial<typeof LOOKAHEAD>;

/**
 * Lookahead (Zhang et al. 2019), as fastai's, around any optimizer: after every k of its steps the
 * slow weights follow, slow ← slow + alpha·(p − slow), and the weights start from there again, p ←
 * slow.
 * @example new Learner(dls, model, { optFunc: (params, { lr }) => new Lookahead(new SGD(params, { lr })) });
 */
export class Lookahead extends Optimizer {
  /** Steps of the inner optimizer between two of the slow weights. */
  readonly k: number;
  /** How far the slow weights follow, 0 … 1. */
  readonly alpha: number;

  /** @param opt the inner optimizer; its groups and hyper-parameters are this one's */
  constructor(
    readonly opt: Optimizer,
    options: LookaheadOptions = {},
  ) {
    const { k, alpha } = given(LOOKAHEAD, options, 'Lookahead');
    const wanted = 'an optimizer, as in (params, { lr }) => new Lookahead(new SGD(params, { lr }))';
    checkArgument(opt instanceof Optimizer, opt, 'Lookahead', wanted);
    checkCount(k, 'k');
    checkNumber(alpha, alpha > 0 && alpha <= 1, 'alpha must lie between 0 (exclusive) and 1');
    super(opt.groups, ['slow']);
    this.k = k;
    this.alpha = alpha;
  }

  override touch(): void {
    this.opt.touch();
  }

  override settle(): void {
    this.opt.settle();
  }

  override pendingRows(): PendingRows | undefined {
    return this.opt.pendingRows();
  }

  override restorePendingRows(saved: PendingRows): void {
    this.opt.restorePendingRows(saved);
  }

  override step(): void {
    const params = this.groups.flatMap((group) => group.params.filter((p) => p.trainable));
    if (params.some((p) => !this.states.has(p))) {
      this.settle();
      for (const p of params) if (!this.states.has(p)) this.state(p).buffers.slow.set(p.value);
    }
    this.opt.step();
    super.step();
  }

  protected update(p: Parameter, { step, buffers: { slow } }: ParamState): void {
    if (step % this.k !== 0) return;
    this.settle();
    for (let i = 0; i < slow.length; i++) slow[i] += this.alpha * (p.value[i] - slow[i]);
    p.value.set(slow);
  }

  override stateDict(): OptimizerState {
    const slow = super.stateDict().params;
    const { hypers, params } = this.opt.stateDict();
    for (const [name, { buffers }] of Object.entries(params))
      Object.assign(buffers, slow[name].buffers);
    return { hypers, params };
  }

  override loadStateDict(saved: OptimizerState): void {
    checkState(saved);
    const part = (own: boolean): OptimizerState => {
      const params = Object.entries(saved.params).map(([name, { step, buffers }]) => {
        const kept = Object.entries(buffers).filter(([buffer]) => (buffer === 'slow') === own);
        return [name, { step, buffers: Object.fromEntries(kept) }];
      });
      return { ...saved, params: Object.fromEntries(params) };
    };
    this.opt.checkStateDict(part(false)); // before either is changed
    super.loadStateDict(part(true)); // clears both
    this.opt.loadStateDict(part(false));
  }

  override clearState(): void {
    super.clearState();
    this.opt.clearState();
  }
}

/** Options of ranger: RAdam's, with other defaults, and Lookahead's. */
export type RangerOptions = RAdamOptions & LookaheadOptions;

/**
 * fastai's `ranger`: Lookahead around RAdam, with mom 0.95, wd 0.01 and eps 1e-6 by default.
 * @example new Learner(dls, model, { optFunc: ranger });
 */
export function ranger(
  params: readonly (readonly Parameter[])[],
  options: RangerOptions,
): Lookahead {
  const wanted = 'options with a learning rate, such as { lr: 1e-3 }';
  checkArgument(typeof options === 'object' && options !== null, options, 'ranger', wanted);
  const { k, alpha, mom = 0.95, wd = 0.01, eps = 1e-6, ...rest } = options;
  return new Lookahead(new RAdam(params, { mom, wd, eps, ...rest }), { k, alpha });
}
