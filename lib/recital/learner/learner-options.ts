import type { DataLoaders } from '../data/batches.js';
import { ArgumentError } from '../errors.js';
import type { Loss } from '../nn/loss.js';
import { MSELossFlat } from '../nn/losses.js';
import { checkModel, type Model } from '../nn/model.js';
import { given, whatIs } from '../options.js';
import { type Callback, list } from './callback.js';
import { checkMoms } from './fit.js';
import { asMetric, type Metric, type MetricFunction } from './metrics.js';
import {
  asOptFunc,
  checkHyper,
  groupRates,
  type LearningRate,
  type OptClass,
  type OptFunc,
  oneGroup,
  type Splitter,
  splitParameters,
} from './optimizers/optimizer.js';
import { Adam } from './optimizers/steps.js';

const DEFAULTS = {
  /** Loss; default MSELossFlat. */
  lossFunc: undefined as Loss | undefined,
  /**
   * Makes the optimizer: its class, or a function such as
   * `(params, { lr }) => new SGD(params, { lr, mom: 0.9 })`; default Adam.
   */
  optFunc: Adam as OptFunc | OptClass,
  /** Splits the parameters into groups; default: one group. */
  splitter: oneGroup as Splitter,
  /** Learning rate of fit when it is given none; default 1e-3. */
  lr: 1e-3 as LearningRate,
  /**
   * Metrics: bare where they have no options (`rmse`, `mae`, your own functions), made by a call
   * where they have (`accuracyThresh(0.5)`). Default: none.
   */
  metrics: [] as Metric | MetricFunction | readonly (Metric | MetricFunction)[],
  /** Callbacks of every run; default: none. */
  cbs: [] as Callback | readonly Callback[],
  /** Weight decay of every run; default: the optimizer's (0.01 for Adam). */
  wd: undefined as number | undefined,
  /** Weight decay for batch norm and the biases of linear layers too; default false. */
  wdBnBias: false,
  /** Whether batch norm is trained in frozen groups too; default true. */
  trainBn: true,
  /** Momentum of fitOneCycle: start, middle, end; default [0.95, 0.85, 0.95]. */
  moms: [0.95, 0.85, 0.95] as readonly [number, number, number],
  /** Folder of what the learner writes; default: the current one. */
  path: '.',
  /** Folder of saved models, below `path` unless it is absolute; default `models`. */
  modelDir: 'models',
};

/** Options of a Learner; defaults as fastai's. */
export type LearnerOptions = Partial<typeof DEFAULTS>;

/** The names of a learner's options. */
export const learnerOptions = Object.keys(DEFAULTS) as readonly (keyof LearnerOptions)[];

/** A learner's options as it keeps them. */
export type ResolvedOptions = Omit<typeof DEFAULTS, 'lossFunc' | 'optFunc' | 'metrics' | 'cbs'> & {
  lossFunc: Loss;
  optFunc: OptFunc;
  metrics: readonly Metric[];
  cbs: readonly Callback[];
};

/** Checks data, model and options, before a learner is made, and sets the defaults. */
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
  const all = given(DEFAULTS, options, 'a learner');
  const { lossFunc = new MSELossFlat(), wd, path, modelDir } = all;
  if (typeof lossFunc?.losses !== 'function')
    throw new ArgumentError(
      `lossFunc must be a loss, such as new BCEWithLogitsLossFlat(), got ${whatIs(lossFunc)}. Functions of predictions are metrics.`,
    );
  if (lossFunc.outputs !== undefined && lossFunc.outputs !== model.outputs)
    throw new ArgumentError(
      `${lossFunc.name} expects ${lossFunc.outputs} output(s) a row, the model makes ${model.outputs}.`,
    );
  groupRates(all.lr, splitParameters(all.splitter, model).length);
  if (wd !== undefined) checkHyper('wd', wd);
  checkMoms(all.moms);
  for (const [name, folder] of Object.entries({ path, modelDir }))
    if (typeof folder !== 'string')
      throw new ArgumentError(`${name} must be the path of a folder, got ${whatIs(folder)}.`);
  return {
    ...all,
    lossFunc,
    optFunc: asOptFunc(all.optFunc),
    metrics: list(all.metrics).map(asMetric),
    cbs: list(all.cbs),
  };
}
