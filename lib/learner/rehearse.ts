import type { Learner } from './learner.js';

/** A training run that leaves no trace but the recorder's: weights, optimizer and the order of later epochs are as before. For lrFind. */
export async function rehearse(learn: Learner, work: () => Promise<void>): Promise<void> {
  learn.settle();
  const { loop, epochsTrained } = learn;
  const values = learn.model.parameters.map((p) => p.value.slice());
  const state = learn.opt.stateDict();
  loop.rehearsing = true;
  try {
    await learn.withoutCbs((cb) => cb.name === 'Progress' || cb.runLrFind === false, work);
  } finally {
    loop.rehearsing = false;
    learn.epochsTrained = epochsTrained;
    learn.model.parameters.forEach((p, i) => {
      p.value.set(values[i]);
    });
    learn.opt.loadStateDict(state);
  }
}
