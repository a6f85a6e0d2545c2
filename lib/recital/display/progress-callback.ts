import { type Callback, registerDefaultCallback } from '../learner/callback.js';
import type { Learner } from '../learner/learner.js';
import { TrainingDisplay } from './progress.js';

/**
 * Shows a run as it goes: fastai's bars and table. Every Learner has one; `noBar`, `noLogging`
 * switch it off.
 * @example learn.removeCbs(learn.cbs.filter((cb) => cb instanceof ProgressCallback)); // trains in silence
 */
export class ProgressCallback implements Callback {
  readonly name = 'Progress';
  readonly order = 60;
  private shown: TrainingDisplay | undefined;

  beforeFit({ nEpoch, dls, recorder }: Learner): void {
    this.shown = new TrainingDisplay(nEpoch, dls.train.length, recorder.metricNames);
  }

  afterBatch({ epoch, iter, nIter, recorder, training }: Learner): void {
    this.shown?.batch(epoch, iter, nIter, recorder.smoothLoss.value, training ? 'train' : 'valid');
  }

  afterEpoch({ recorder }: Learner): void {
    this.shown?.row(recorder.log);
  }

  afterFit(): void {
    this.shown?.done();
    this.shown = undefined;
  }
}

registerDefaultCallback(() => new ProgressCallback());
