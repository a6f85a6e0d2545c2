import { type DisplaySlot, display } from '../../data/display.js';
import { asMade, printed } from '../../printed.js';
import type { Callback } from '../callback.js';
import type { Learner } from '../learner.js';
import { plotLoss } from '../plots.js';

/**
 * Draws the smoothed training loss and the validation loss as the run goes, anew after every epoch
 * (fastai's ShowGraphCallback); where output cannot be replaced, once at the end.
 * @example await learn.fitOneCycle(10, 5e-3, { cbs: new ShowGraph() });
 */
export class ShowGraph implements Callback {
  readonly name = 'ShowGraph';
  readonly order = 65;
  readonly runLrFind = false;
  readonly removeOnFetch = true;
  private slot: DisplaySlot | undefined;

  beforeFit(): void {
    this.slot = display().slot?.();
  }

  afterEpoch({ recorder, nEpoch, dls }: Learner): void {
    if (recorder.losses.length)
      this.slot?.update(
        plotLoss(recorder, { skipStart: 0, withValid: true, batches: nEpoch * dls.train.length }),
      );
  }

  afterFit({ recorder }: Learner): void {
    if (!recorder.losses.length) return;
    const chart = plotLoss(recorder, { skipStart: 0, withValid: true });
    if (this.slot) this.slot.show(chart);
    else display().chart(chart);
  }
}

printed(ShowGraph, (cb) => asMade(cb));
