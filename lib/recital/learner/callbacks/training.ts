import { display } from '../../data/output.js';
import { checkNumber, given } from '../../options.js';
import { asMade, printed } from '../../printed.js';
import {
  type Callback,
  CancelFitException,
  CancelTrainException,
  CancelValidException,
} from '../callback.js';
import type { Learner } from '../learner.js';
import { checkDsIdx, type GetPredsOptions, PREDS, type Predictions } from '../predictions.js';

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
    const batch = `${training ? 'training' : 'validation'} batch ${iter}`;
    display().warn(`The loss became ${loss} in epoch ${epoch}, ${batch}: the run ends.`);
    throw new CancelFitException();
  }
}

const SHORT_EPOCH = {
  /** Share of an epoch's batches; default 0.01. */
  pct: 0.01,
  /** Whether validation is cut short as well; default true. */
  shortValid: true,
};

/** Options of ShortEpoch; defaults as fastai's. */
export type ShortEpochOptions = Partial<typeof SHORT_EPOCH>;

/**
 * Trains on a share of each epoch, to try out a run quickly (fastai's ShortEpochCallback): up to
 * the first batch number i with i ≥ pct·batches.
 * @example await learn.fit(1, 1e-3, { cbs: new ShortEpoch({ pct: 0.1 }) });
 */
export class ShortEpoch implements Callback {
  readonly name = 'ShortEpoch';
  /** After all callbacks that record a batch. */
  readonly order = 70;
  readonly runLrFind = false;
  readonly removeOnFetch = true;
  /** Share of each epoch's batches, 0 … 1. */
  readonly pct: number;
  /** Whether validation is shortened, too. */
  readonly shortValid: boolean;

  constructor(options: ShortEpochOptions = {}) {
    const { pct, shortValid } = given(SHORT_EPOCH, options, 'ShortEpoch');
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

/**
 * Predicts after every validation of a run, for callbacks that look at predictions while the model
 * is trained (fastai's FetchPredsCallback). Its options are those of getPreds.
 * @example
 * const fetch = new FetchPreds({ dsIdx: 0 });
 * await learn.fit(2, 1e-3, { cbs: [fetch, { name: 'look', afterEpoch: () => console.log(fetch.preds!.preds[0]) }] });
 */
export class FetchPreds implements Callback {
  readonly name = 'FetchPreds';
  readonly runLrFind = false;
  readonly removeOnFetch = true;
  /** The last predictions; undefined before the first validation. */
  preds: Predictions | undefined;
  private readonly options: GetPredsOptions;

  constructor(options: GetPredsOptions = {}) {
    this.options = given(PREDS, options, 'FetchPreds');
    checkDsIdx(this.options.dsIdx);
  }

  async afterValidate(learn: Learner): Promise<void> {
    if (learn.loop.fitting) this.preds = await learn.getPreds(this.options);
  }
}

printed(TerminateOnNaN, (cb) => asMade(cb));
printed(ShortEpoch, (cb) => asMade(cb, ['pct', 'shortValid']));
printed(FetchPreds, (cb) => asMade(cb));
