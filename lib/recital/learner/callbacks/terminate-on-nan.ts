import { display } from '../../data/display.js';
import { asMade, printed } from '../../printed.js';
import type { Callback } from '../callback.js';
import { CancelFitException } from '../events.js';
import type { Learner } from '../learner.js';

/**
 * Ends the run when the loss of a batch is NaN or infinite (fastai's TerminateOnNaNCallback): with
 * a warning, where a learner without it throws a NumericError. The weights are those that made this
 * loss.
 * @example await learn.fit(1, 1e-3, { cbs: new TerminateOnNaN() });
 */
export class TerminateOnNaN implements Callback {
  readonly name = 'TerminateOnNaN';
  readonly order = -9;
  readonly runLrFind = false;
  readonly removeOnFetch = true;

  afterLoss({ loss, loop, epoch, iter, training }: Learner): void {
    if (Number.isFinite(loss) || !loop.fitting) return;
    display().warn(
      `The loss became ${loss} in epoch ${epoch}, ${training ? 'training' : 'validation'} batch ${iter}: the run ends.`,
    );
    throw new CancelFitException();
  }
}

printed(TerminateOnNaN, (cb) => asMade(cb));
