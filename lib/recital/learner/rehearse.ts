import { keepState } from './keep-state.js';
import type { Learner } from './learner.js';

/**
 * A training run that leaves no trace but the recorder's: weights, the model's other state,
 * optimizer and the order of later epochs are as before. For lrFind.
 */
export async function rehearse(learn: Learner, work: () => Promise<void>): Promise<void> {
  const { loop, epochsTrained } = learn;
  const restore = keepState(learn, { withOpt: true });
  loop.rehearsing = true;
  try {
    await learn.withoutCbs((cb) => cb.name === 'Progress' || cb.runLrFind === false, work);
  } finally {
    loop.rehearsing = false;
    learn.epochsTrained = epochsTrained;
    restore();
  }
}
