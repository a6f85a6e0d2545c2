import type { Loss } from '../nn/losses.js';
import type { Callback } from './callback.js';
import type { LearningRate, Splitter } from './groups.js';
import type { Metric, MetricFunction } from './metrics.js';
import type { OptClass, OptFunc } from './optimizer.js';

/** Options of a Learner; defaults as fastai's. */
export interface LearnerOptions {
  /** Loss; default MSELossFlat. */
  lossFunc?: Loss;
  /** Makes the optimizer: its class, or a function such as `(params, { lr }) => new SGD(params, { lr, mom: 0.9 })`; default Adam. */
  optFunc?: OptFunc | OptClass;
  /** Splits the parameters into groups; default: one group. */
  splitter?: Splitter;
  /** Learning rate that fit takes when it is given none; default 1e-3. */
  lr?: LearningRate;
  /** Metrics: functions of (predictions, targets), averaged over batches, or Metric objects. */
  metrics?: Metric | MetricFunction | readonly (Metric | MetricFunction)[];
  /** Callbacks of every run. */
  cbs?: Callback | readonly Callback[];
  /** Weight decay of every run; default: the optimizer's (0.01 for Adam). */
  wd?: number;
  /** Weight decay for batch norm and the biases of linear layers too; default false. */
  wdBnBias?: boolean;
  /** Whether batch norm is trained in frozen groups too; default true. */
  trainBn?: boolean;
  /** Momentum of fitOneCycle: start, middle, end; default [0.95, 0.85, 0.95]. */
  moms?: readonly [number, number, number];
  /** Folder of what the learner writes; default: the current one. */
  path?: string;
  /** Folder of saved models, below `path` unless it is absolute; default `models`. */
  modelDir?: string;
}
