import { checkNumber, checkOptions } from '../../options.js';
import { asMade, printed } from '../../printed.js';
import type { Callback } from '../callback.js';
import { CancelTrainException, CancelValidException } from '../events.js';
import type { Learner } from '../learner.js';

/** Options of ShortEpoch; defaults as fastai's. */
export interface ShortEpochOptions {
  /** Share of an epoch's batches; default 0.01. */
  pct?: number;
  /** Whether validation is cut short as well; default true. */
  shortValid?: boolean;
}

/**
 * Trains on a share of each epoch, to see whether a run goes through (fastai's ShortEpochCallback):
 * up to the first batch number i with i ≥ pct·batches.
 * @example await learn.fit(1, 1e-3, { cbs: new ShortEpoch({ pct: 0.1 }) });
 */
export class ShortEpoch implements Callback {
  readonly name = 'ShortEpoch';
  /** After all that records a batch. */
  readonly order = 70;
  readonly runLrFind = false;
  readonly removeOnFetch = true;
  readonly pct: number;
  readonly shortValid: boolean;

  constructor(options: ShortEpochOptions = {}) {
    checkOptions(options, ['pct', 'shortValid'], 'ShortEpoch');
    const { pct = 0.01, shortValid = true } = options;
    checkNumber(pct, pct >= 0 && pct <= 1, 'pct is a share between 0 and 1');
    this.pct = pct;
    this.shortValid = shortValid;
  }

  afterBatch({ iter, nIter, training, loop }: Learner): void {
    if (iter / nIter < this.pct || !loop.fitting) return;
    if (training) throw new CancelTrainException();
    if (this.shortValid) throw new CancelValidException();
  }
}

printed(ShortEpoch, (cb) => asMade(cb, ['pct', 'shortValid']));
