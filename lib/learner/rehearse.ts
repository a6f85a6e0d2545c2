import type { Learner } from './learner.js';

/** A training run that leaves no trace but the recorder's: weights, the model's other state, optimizer and the order of later epochs are as before. For lrFind. */
export async function rehearse(learn: Learner, work: () => Promise<void>): Promise<void> {
  learn.settle();
  const { loop, epochsTrained, model } = learn;
  const kept = [...model.parameters, ...(model.buffers ?? [])];
  const values = kept.map((k) => k.value.slice());
  const state = learn.opt.stateDict();
  loop.rehearsing = true;
  try {
    await learn.withoutCbs((cb) => cb.name === 'Progress' || cb.runLrFind === false, work);
  } finally {
    loop.rehearsing = false;
    learn.epochsTrained = epochsTrained;
    kept.forEach((k, i) => {
      k.value.set(values[i]);
    });
    learn.opt.loadStateDict(state);
  }
}
