import { ArgumentError } from '../../errors.js';
import { checkOptions, said } from '../../options.js';
import { asMade, printed } from '../../printed.js';
import type { Callback } from '../callback.js';
import type { Learner } from '../learner.js';
import type { GetPredsOptions, Predictions } from '../preds.js';

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
