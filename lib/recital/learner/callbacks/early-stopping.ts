import { display } from '../../data/display.js';
import { CancelFitException } from '../events.js';
import type { Learner } from '../learner.js';
import { PatientTracker } from './tracker.js';

/**
 * Ends the run after `patience` epochs without improvement (fastai's EarlyStoppingCallback). The
 * weights are those of the last epoch: add SaveModel for the best.
 * @example await learn.fit(50, 1e-3, { cbs: [new EarlyStopping({ monitor: 'valid_loss', patience: 3 })] });
 */
export class EarlyStopping extends PatientTracker {
  readonly name = 'EarlyStopping';
  override readonly order = 63;

  protected act({ epoch }: Learner): void {
    display().text(`No improvement since epoch ${epoch - this.wait}: early stopping`);
    throw new CancelFitException();
  }
}
