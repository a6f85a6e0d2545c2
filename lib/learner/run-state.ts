import type { Batch, DataLoader } from '../data/batch.js';
import type { RunPosition } from './resume.js';

/** The state of a run, for callbacks to read and steer: a Learner has it. */
export class RunState {
  /** The batch at hand. */
  batch: Batch = { size: 0, inputs: [], targets: new Float32Array(0), rows: new Int32Array(0) };
  /** Predictions for it: a view, valid until the next batch. */
  pred: Float32Array = new Float32Array(0);
  /** The loss of the batch. */
  loss = NaN;
  /** Its gradients are multiplied by this; 1 at the beginning of each batch, for `afterLoss` to change. */
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
  /** Where the run was left that this one goes on with; undefined in a new run. What callbacks have gathered then stays. */
  resumed: RunPosition | undefined;
  /** Whether the last run was interrupted. */
  interrupted = false;

  constructor(dl: DataLoader) {
    this.dl = dl;
  }
}
