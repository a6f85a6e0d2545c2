import { display } from '../../data/display.js';
import { ArgumentError } from '../../errors.js';
import { checkNumber, checkOptions, said } from '../../options.js';
import { asMade, printed } from '../../printed.js';
import {
  type Callback,
  CancelFitException,
  CancelTrainException,
  CancelValidException,
} from '../callback.js';
import type { Learner } from '../learner.js';
import type { GetPredsOptions, Predictions } from '../predictions.js';

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

/** Options of FetchPreds: those of getPreds. */
export interface FetchPredsOptions extends Omit<GetPredsOptions, 'inner'> {
  /** Callbacks that have no part in it; default: none. */
  cbs?: Callback | readonly Callback[];
}

/**
 * Predicts after every validation of a run, for callbacks that look at predictions while the model
 * is trained (fastai's FetchPredsCallback).
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
  private readonly left: readonly Callback[];

  constructor(options: FetchPredsOptions = {}) {
    checkOptions(
      options,
      ['dsIdx', 'dl', 'withInput', 'withDecoded', 'withLoss', 'act', 'cbs'],
      'FetchPreds',
    );
    const { cbs = [], ...rest } = options;
    const { dsIdx = 1 } = rest;
    if (dsIdx !== 0 && dsIdx !== 1)
      throw new ArgumentError(
        `dsIdx is 0 for the training set or 1 for the validation set, got ${said(dsIdx)}.`,
      );
    this.options = rest;
    this.left = [cbs].flat();
  }

  async afterValidate(learn: Learner): Promise<void> {
    if (!learn.loop.fitting) return;
    await learn.withoutCbs(
      (cb) => this.left.includes(cb),
      async () => {
        this.preds = await learn.getPreds({ ...this.options, inner: true });
      },
    );
  }
}

printed(FetchPreds, (cb) => asMade(cb));
