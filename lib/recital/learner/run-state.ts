import type { Batch, DataLoader } from '../data/batch.js';
import { checkArgument, isFunction } from '../options.js';
import { type Callback, checkCallback } from './callback.js';
import { list } from './learner-options.js';
import type { RunPosition } from './resume.js';

/** The state of a run, for callbacks to read and steer, and these callbacks: a Learner has it. */
export class RunState {
  /** The batch at hand. */
  batch: Batch = { size: 0, inputs: [], targets: new Float32Array(0), rows: new Int32Array(0) };
  /** Predictions for it: a view, valid until the next batch. */
  pred: Float32Array = new Float32Array(0);
  /** The loss of the batch. */
  loss = NaN;
  /**
   * Its gradients are multiplied by this; 1 at the beginning of each batch, for `afterLoss` to
   * change.
   */
  gradScale = 1;
  /** The loader at hand. */
  dl: DataLoader;
  /** Its batches. */
  nIter = 0;
  /** Number of this batch, from 0. */
  iter = 0;
  /** Epochs of the run. */
  nEpoch = 0;
  /** Number of this epoch, from 0. */
  epoch = 0;
  /** Whether this is a training batch. */
  training = false;
  /** Position in the run, 0 … 1. */
  pctTrain = 0;
  /** Training batches done in the run. */
  trainIter = 0;
  /** Training epochs done since the learner was made: the order of the rows depends on it. */
  epochsTrained = 0;
  /**
   * Where the run was left that this one goes on with; undefined in a new run. What callbacks have
   * gathered then stays.
   */
  resumed: RunPosition | undefined;
  /** Whether the last run was interrupted. */
  interrupted = false;
  /** Callbacks, in no particular order. */
  readonly cbs: Callback[] = [];

  constructor(dl: DataLoader) {
    this.dl = dl;
  }

  /** Adds callbacks for good. */
  addCbs(cbs: Callback | readonly Callback[]): void {
    for (const cb of list(cbs)) checkCallback(cb);
    this.cbs.push(...list(cbs));
  }

  /** Takes callbacks away. */
  removeCbs(cbs: Callback | readonly Callback[]): void {
    for (const cb of list(cbs)) {
      const i = this.cbs.indexOf(cb);
      if (i >= 0) this.cbs.splice(i, 1);
    }
  }

  /** Runs `work` without the callbacks that only show progress. */
  noLogging<T>(work: () => Promise<T>): Promise<T> {
    return this.withoutCbs((cb) => cb.name === 'Progress', work);
  }

  /** Runs `work` without some of the callbacks. */
  async withoutCbs<T>(left: (cb: Callback) => boolean, work: () => Promise<T>): Promise<T> {
    checkArgument(
      isFunction(left),
      left,
      'withoutCbs',
      "a function that says which callbacks are left out, such as (cb) => cb.name === 'Progress'",
    );
    checkArgument(
      isFunction(work),
      work,
      'withoutCbs',
      'a function that trains, such as () => learn.fit(1)',
    );
    const all = [...this.cbs];
    this.cbs.splice(0, all.length, ...all.filter((cb) => !left(cb)));
    try {
      return await work();
    } finally {
      this.cbs.splice(0, this.cbs.length, ...all);
    }
  }
}
