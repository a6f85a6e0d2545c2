import type { DataLoaders } from '../data/batches.js';
import { ArgumentError } from '../errors.js';
import type { Loss } from '../nn/loss.js';
import { MSELossFlat } from '../nn/losses.js';
import { checkModel, type Model } from '../nn/model.js';

import { checkOptions, whatIs } from '../options.js';
import type { Callback } from './callback.js';
import { checkMoms } from './fit.js';
import { asMetric, type Metric, type MetricFunction } from './metrics.js';
import {
  checkHyper,
  groupRates,
  type LearningRate,
  oneGroup,
  type Splitter,
  splitParameters,
} from './optimizers/groups.js';
import { asOptFunc, type OptClass, type OptFunc } from './optimizers/optimizer.js';
import { Adam } from './optimizers/steps.js';

/** Options of a Learner; defaults as fastai's. */
export interface LearnerOptions {
  /** Loss; default MSELossFlat. */
  lossFunc?: Loss;
  /**
   * Makes the optimizer: its class, or a function such as
   * `(params, { lr }) => new SGD(params, { lr, mom: 0.9 })`; default Adam.
   */
  optFunc?: OptFunc | OptClass;
  /** Splits the parameters into groups; default: one group. */
  splitter?: Splitter;
  /** Learning rate that fit takes when it is given none; default 1e-3. */
  lr?: LearningRate;
  /**
   * Metrics: bare where they have no options (`rmse`, `mae`, functions of one's own), made by a
   * call where they have (`accuracyThresh(0.5)`). Default: none.
   */
  metrics?: Metric | MetricFunction | readonly (Metric | MetricFunction)[];
  /** Callbacks of every run; default: none. */
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

/** Their names. */
export const learnerOptions = [
  'lossFunc',
  'optFunc',
  'splitter',
  'lr',
  'metrics',
  'cbs',
  'wd',
  'wdBnBias',
  'trainBn',
  'moms',
  'path',
  'modelDir',
] as const satisfies readonly (keyof LearnerOptions)[];

/** A learner's options as it keeps them. */
export interface ResolvedOptions
  extends Required<
    Pick<
      LearnerOptions,
      'lossFunc' | 'splitter' | 'lr' | 'wdBnBias' | 'trainBn' | 'moms' | 'path' | 'modelDir'
    >
  > {
  readonly optFunc: OptFunc;
  readonly metrics: readonly Metric[];
  readonly cbs: readonly Callback[];
  readonly wd: number | undefined;
}

/** One thing or several, as an array of its own. */
export function list<T>(value: T | readonly T[]): T[] {
  return Array.isArray(value) ? [...(value as readonly T[])] : [value as T];
}

/**
 * Data and model, and options with their defaults: all checked, before a learner is made of them.
 */
export function resolveOptions(
  dls: DataLoaders,
  model: Model,
  options: LearnerOptions,
): ResolvedOptions {
  if (!dls?.train || !dls.valid)
    throw new ArgumentError(
      `A learner needs data loaders, such as CollabDataLoaders.fromPlays makes, got ${whatIs(dls)}.`,
    );
  checkModel(model, 'A learner');
  checkOptions(options, learnerOptions, 'a learner');
  const {
    lossFunc = new MSELossFlat(),
    splitter = oneGroup,
    lr = 1e-3,
    wd,
    moms = [0.95, 0.85, 0.95],
  } = options;
  if (typeof lossFunc?.losses !== 'function') {
    throw new ArgumentError(
      `lossFunc must be a loss, such as new BCEWithLogitsLossFlat(), got ${whatIs(lossFunc)}. Functions of predictions are metrics.`,
    );
  }
  if (lossFunc.outputs !== undefined && lossFunc.outputs !== model.outputs) {
    throw new ArgumentError(
      `${lossFunc.name} expects ${lossFunc.outputs} output(s) a row, the model makes ${model.outputs}.`,
    );
  }
  groupRates(lr, splitParameters(splitter, model).length);
  if (wd !== undefined) checkHyper('wd', wd);
  checkMoms(moms);
  const {
    optFunc = Adam,
    metrics = [],
    cbs = [],
    wdBnBias = false,
    trainBn = true,
    path = '.',
    modelDir = 'models',
  } = options;
  for (const [name, folder] of Object.entries({ path, modelDir })) {
    if (typeof folder !== 'string')
      throw new ArgumentError(`${name} must be the path of a folder, got ${whatIs(folder)}.`);
  }
  return {
    lossFunc,
    optFunc: asOptFunc(optFunc),
    splitter,
    lr,
    metrics: list(metrics).map(asMetric),
    cbs: list(cbs),
    wd,
    wdBnBias,
    trainBn,
    moms,
    path,
    modelDir,
  };
}
