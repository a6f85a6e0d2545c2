import type { Learner } from './learner.js';

/**
 * Copies a learner's weights, the model's other state and, with `withOpt`, the optimizer's. What it
 * returns puts them back.
 */
export function keepState(learn: Learner, { withOpt }: { withOpt: boolean }): () => void {
  learn.settle();
  const kept = [...learn.model.parameters, ...(learn.model.buffers ?? [])];
  const values = kept.map((k) => k.value.slice());
  const state = withOpt ? learn.opt.stateDict() : undefined;
  return () => {
    learn.settle();
    kept.forEach((k, i) => {
      k.value.set(values[i]);
    });
    if (state) learn.opt.loadStateDict(state);
  };
}
