import type { FitCall } from './fit.js';
import type { Hypers } from './optimizers/optimizer.js';
import type { Unsettled } from './optimizers/time-skipping/unsettled.js';
import type { RecorderState } from './recorder.js';

/**
 * Where a run stands between two batches: plain data.
 * @example const at: RunPosition | undefined = learn.resumed;
 */
export interface RunPosition {
  /** Epoch at hand. */
  readonly epoch: number;
  /** Training batches done in it. */
  readonly iter: number;
  /** Training batches of an epoch. */
  readonly nIter: number;
  /** Number of the order in which the epoch's rows are drawn. */
  readonly order: number;
  /** Position in the run, 0 … 1. */
  readonly pctTrain: number;
  /** Training batches done in the run. */
  readonly trainIter: number;
  /** Hyper-parameters of the optimizer's groups. */
  readonly hypers: readonly Hypers[];
  /** Groups before this one are frozen. */
  readonly frozenTo: number;
  readonly recorder: RecorderState;
  /**
   * Tables that were not up to date where the run was stopped. JSON leaves it out: the run goes on
   * to the same numbers then, but for rounding.
   */
  readonly unsettled?: Unsettled;
}

/**
 * A run that is not finished, as plain data that JSON can hold: what `learn.resume()` goes on with.
 * With it, the weights, the model's buffers and the optimizer's state, a run that was stopped ends
 * with the weights of one that was not: the order of the rows depends on the loaders' seed and the
 * number of the epoch alone, and the schedule on the position in the run, so nothing else needs to
 * be kept.
 * @example const run: UnfinishedRun | undefined = learn.unfinished;
 */
export interface UnfinishedRun {
  /** What is left to do: the call at hand, then those after it. */
  readonly calls: readonly FitCall[];
  /** How far the first call has come; undefined: it has not begun. */
  readonly at?: RunPosition;
}
