import path from 'node:path';
import { hold } from '../compute/disposable.js';
import type { DataLoader, DataLoaders } from '../data/batches.js';
import { makeFolder } from '../data/files/atomic-write.js';
import { type Cell, Table } from '../data/table.js';
import { ArgumentError } from '../errors.js';
import { type Loss, MSELossFlat } from '../nn/losses.js';
import { checkModel, type Model } from '../nn/model.js';
import { checkArgument, checkOptions, given, whatIs } from '../options.js';
import { counted, printed } from '../printed.js';
import {
  type Callback,
  callbackName,
  defaultCallbacks,
  list,
  ordered,
  RunState,
} from './callback.js';
import {
  type LoadOptions,
  loadCheckpoint,
  type SaveOptions,
  saveCheckpoint,
  type UnfinishedRun,
} from './checkpoint.js';
import { Loop } from './loop.js';
import { type LrFindOptions, type LrFindResult, lrFind } from './lr-find.js';
import { asMetric, type Metric, type MetricFunction } from './metrics.js';
import { isPath, modelFile } from './model-file.js';
import {
  asOptFunc,
  checkedOptimizer,
  checkHyper,
  groupRates,
  type LearningRate,
  type OptClass,
  type OptFunc,
  type Optimizer,
  oneGroup,
  type Splitter,
  splitParameters,
} from './optimizers/optimizer.js';
import { Adam } from './optimizers/steps.js';
import {
  checkDsIdx,
  type GetPredsOptions,
  getPreds,
  type Predictions,
  showResults,
} from './predictions.js';
import { type LogRow, Recorder } from './recorder.js';
import {
  checkMoms,
  type FineTuneOptions,
  type FitFlatCosOptions,
  type FitOneCycleOptions,
  type FitOptions,
  type FitSgdrOptions,
  fineTuneCalls,
  fitOptions,
} from './schedules.js';

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

/** Checks data, model and options, before a learner is made of them. */
function checkParts(dls: DataLoaders, model: Model, options: typeof DEFAULTS): void {
  const loaders = 'data loaders, such as CollabDataLoaders.fromPlays makes';
  checkArgument(Boolean(dls?.train && dls.valid), dls, 'A learner', loaders);
  checkModel(model, 'A learner');
  const { lossFunc, lr, splitter, wd, moms } = options;
  if (lossFunc && typeof lossFunc.losses !== 'function')
    throw new ArgumentError(
      `lossFunc must be a loss, such as new BCEWithLogitsLossFlat(), got ${whatIs(lossFunc)}. Functions of predictions are metrics.`,
    );
  const { outputs = model.outputs, name } = lossFunc ?? new MSELossFlat();
  if (outputs !== model.outputs)
    throw new ArgumentError(
      `${name} expects ${outputs} output(s) per row, the model makes ${model.outputs}.`,
    );
  groupRates(lr, splitParameters(splitter, model).length);
  if (wd !== undefined) checkHyper('wd', wd);
  checkMoms(moms);
  for (const name of ['path', 'modelDir'] as const) {
    const folder = options[name];
    checkArgument(typeof folder === 'string', folder, name, 'the path of a folder');
  }
}

/**
 * Data, model, loss and optimizer with the loop that trains them (fastai's Learner). Runs are
 * asynchronous and can be interrupted without losing what was learnt. During a run only callbacks
 * may read or change the model: `recommend`, `save`, another `fit` … throw an ArgumentError that
 * says to await the run.
 *
 * @example
 * const learn = new Learner(dls, model, { lossFunc: new MSELossFlat() });
 * await learn.fitOneCycle(5, 5e-3, { wd: 0.1 });
 */
export class Learner extends RunState {
  readonly lossFunc: Loss;
  readonly metrics: readonly Metric[];
  readonly recorder: Recorder;
  /** Learning rate of fit when it is given none. */
  lr: LearningRate;
  /** Weight decay, if it was given. */
  wd: number | undefined;
  /** Momenta of fitOneCycle: at the start, at the highest rate, at the end. */
  readonly moms: readonly [number, number, number];
  /** Folder of the learner's files. */
  path: string;
  /** Folder of saved models, below `path` unless it is absolute. */
  modelDir: string;
  /** Runs the epochs and batches. */
  readonly loop: Loop;
  private optimizer: Optimizer | undefined;
  /** How the optimizer is made, and which parameters it trains. */
  private readonly how: typeof DEFAULTS & { optFunc: OptFunc };

  /**
   * @param dls training and validation data
   * @param model the model to train
   * @param options see LearnerOptions
   */
  constructor(
    readonly dls: DataLoaders,
    readonly model: Model,
    options: LearnerOptions = {},
  ) {
    const all = given(DEFAULTS, options, 'a learner');
    checkParts(dls, model, all);
    super(dls.train);
    hold(model);
    this.how = { ...all, optFunc: asOptFunc(all.optFunc) };
    this.lossFunc = all.lossFunc ?? new MSELossFlat();
    this.metrics = list(all.metrics).map(asMetric);
    ({ lr: this.lr, wd: this.wd, moms: this.moms } = all);
    ({ path: this.path, modelDir: this.modelDir } = all);
    this.recorder = new Recorder(this.metrics);
    this.addCbs([...defaultCallbacks(), this.recorder, ...list(all.cbs)]);
    this.loop = new Loop(this);
    this.loop.events.call('afterCreate');
  }

  /** The optimizer; made at first use, or anew by `createOpt`. */
  get opt(): Optimizer {
    return this.optimizer ?? this.createOpt();
  }

  /** Makes a new optimizer, without moments. Frozen groups stay frozen. */
  createOpt(): Optimizer {
    this.settle();
    const { optimizer: old } = this;
    const { splitter, optFunc, wdBnBias, trainBn } = this.how;
    const groups = splitParameters(splitter, this.model);
    const lr = groupRates(this.lr, groups.length).at(-1)!;
    const made = checkedOptimizer(optFunc(groups, { lr }));
    old?.clearState();
    made.decayAll = wdBnBias;
    if (old?.frozenTo) made.freezeTo(old.frozenTo, { trainBn });
    this.optimizer = made;
    return made;
  }

  /**
   * Trains the parameter groups from the n-th on, counted from 0, or from the end if n is negative;
   * those before take no step (batch norm does, unless `trainBn` is false). Moments are cleared,
   * as in fastai.
   */
  freezeTo(n: number): void {
    this.settle();
    this.opt.freezeTo(n, { trainBn: this.how.trainBn });
    this.opt.clearState();
  }

  /** Trains the last parameter group only. */
  freeze(): void {
    if (this.opt.groups.length === 1)
      throw new ArgumentError(
        'There is one parameter group only, so freezing leaves nothing to train: give the learner a splitter, e.g. { splitter: biasSplitter }.',
      );
    this.freezeTo(-1);
  }

  /** Trains all parameter groups. */
  unfreeze(): void {
    this.freezeTo(0);
  }

  /**
   * Trains for `nEpoch` epochs at a constant learning rate (or as callbacks set it).
   *
   * An interrupt (the notebook's stop button, Ctrl-C in a script) ends this and every other kind of
   * run after the current batch, without an error: the promise is fulfilled, what was learnt stays,
   * `learn.interrupted` is true, and `resume` goes on.
   * @param nEpoch epochs
   * @param lr learning rate; default the learner's
   * @example await learn.fit(3, 1e-3, { wd: 0.1 });
   */
  async fit(nEpoch: number, lr: LearningRate = this.lr, options: FitOptions = {}): Promise<void> {
    const { cbs, options: rest } = fitOptions('fit', options);
    await this.loop.fit([{ method: 'fit', nEpoch, lr, options: rest }], cbs);
  }

  /**
   * Trains with fastai's one-cycle policy: the learning rate rises from lrMax/div to lrMax over the
   * first `pctStart` of the run and falls to lrMax/divFinal, by cosines; the momentum does the
   * opposite.
   * @param nEpoch epochs
   * @param lrMax highest learning rate; default the learner's
   * @example await learn.fitOneCycle(5, 5e-3, { wd: 0.1 });
   */
  async fitOneCycle(
    nEpoch: number,
    lrMax: LearningRate = this.lr,
    options: FitOneCycleOptions = {},
  ): Promise<void> {
    const { cbs, options: rest } = fitOptions('fitOneCycle', options);
    await this.loop.fit([{ method: 'fitOneCycle', nEpoch, lr: lrMax, options: rest }], cbs);
  }

  /**
   * Trains at a constant learning rate for the first `pctStart` of the run, then lets it fall to
   * lr/divFinal by a cosine.
   * @param nEpoch epochs
   * @param lr learning rate; default the learner's
   * @example await learn.fitFlatCos(5, 5e-3, { pctStart: 0.75 });
   */
  async fitFlatCos(
    nEpoch: number,
    lr: LearningRate = this.lr,
    options: FitFlatCosOptions = {},
  ): Promise<void> {
    const { cbs, options: rest } = fitOptions('fitFlatCos', options);
    await this.loop.fit([{ method: 'fitFlatCos', nEpoch, lr, options: rest }], cbs);
  }

  /**
   * Trains in cycles, in each of which the learning rate falls from lrMax to 0 by a cosine (SGDR,
   * Loshchilov and Hutter 2017).
   * @param nCycles cycles
   * @param cycleLen epochs of the first cycle; each further one is `cycleMult` times as long as the
   *   one before
   * @example await learn.fitSgdr(2, 1, { lrMax: 5e-3, cycleMult: 2 }); // 1 + 2 epochs
   */
  async fitSgdr(nCycles: number, cycleLen: number, options: FitSgdrOptions = {}): Promise<void> {
    const { cbs, options: all } = fitOptions('fitSgdr', options);
    const { lrMax: lr = this.lr, ...rest } = all;
    await this.loop.fit([{ method: 'fitSgdr', nCycles, cycleLen, lr, options: rest }], cbs);
  }

  /**
   * Fine-tunes as fastai does: `freezeEpochs` of one-cycle with all groups frozen but the last,
   * then `epochs` of one-cycle with none frozen, at rates from baseLr/2/lrMult for the first group
   * to baseLr/2 for the last. Needs at least two parameter groups: see LearnerOptions.splitter.
   * @param epochs epochs of the second run
   * @param baseLr default 2e-3; rates for each group (an array or a slice) are taken as they are,
   *   and halved in the second run
   * @example await collabLearner(dls, { splitter: biasSplitter }).fineTune(2, 5e-3);
   */
  async fineTune(
    epochs: number,
    baseLr: LearningRate = 2e-3,
    options: FineTuneOptions = {},
  ): Promise<void> {
    const { cbs, options: rest } = fitOptions('fineTune', options);
    if (this.opt.groups.length === 1) this.freeze(); // says what is missing
    await this.loop.fit(fineTuneCalls(epochs, baseLr, rest), cbs);
  }

  /**
   * Resumes a run that was interrupted, or that `load` has read from a file, at its next batch. It
   * ends with exactly the weights of a run that was never interrupted.
   * @param options.cbs callbacks of the run; default: the same objects as before, none after `load`
   */
  async resume(options: { cbs?: Callback | readonly Callback[] } = {}): Promise<void> {
    checkOptions(options, ['cbs'], 'resume');
    const { cbs } = options;
    await this.loop.resume(cbs && list(cbs));
  }

  /** The resume state of the current or the last interrupted run; undefined if there is none. */
  get unfinished(): UnfinishedRun | undefined {
    return this.loop.unfinished;
  }

  set unfinished(run: UnfinishedRun | undefined) {
    this.loop.checkAtRest();
    this.loop.unfinished = run;
  }

  /**
   * Tries learning rates from small to large on up to 100 batches, draws the loss against them and
   * suggests some. Model, optimizer and the order of later epochs are as before.
   * @example const { valley } = await learn.lrFind();
   */
  lrFind(options: LrFindOptions = {}): Promise<LrFindResult> {
    return lrFind(this, options);
  }

  /**
   * Validation loss and metrics, without training.
   * @param options.dsIdx 0 the training set, in order and whole; 1 (default) the validation set
   * @param options.dl another loader instead, e.g. `dls.testDl(rows)`
   * @returns numbers in the order of the training table, [valid_loss, metric, metric …], as
   *   fastai's `validate`; null each if there are no rows
   * @example const [loss, rmseOfValid, maeOfValid] = await collabLearner(dls, { metrics: [rmse, mae] }).validate();
   */
  async validate(
    options: { dsIdx?: 0 | 1; dl?: DataLoader; cbs?: Callback | readonly Callback[] } = {},
  ): Promise<LogRow> {
    checkOptions(options, ['dsIdx', 'dl', 'cbs'], 'validate');
    const { dsIdx = 1, dl, cbs = [] } = options;
    await this.loop.run(() => this.loop.validate(dl ?? this.loader(dsIdx)), list(cbs));
    return this.recorder.validValues();
  }

  /** The loader of a part of the data: 0 training, in order; 1 validation. */
  loader(dsIdx: 0 | 1): DataLoader {
    checkDsIdx(dsIdx);
    return dsIdx === 0 ? this.dls.train.inOrder() : this.dls.valid;
  }

  /**
   * Predictions and targets of a part of the data, in its order. Copies.
   * @example const { preds, targets } = await learn.getPreds({ dsIdx: 1 });
   */
  getPreds(options: GetPredsOptions = {}): Promise<Predictions> {
    return getPreds(this, options);
  }

  /** Shows a few rows of the validation set with their predictions. */
  showResults(options: Parameters<typeof showResults>[1] = {}): Promise<void> {
    return showResults(this, options);
  }

  /**
   * Saves weights and, unless `withOpt` is false, the state of training (the optimizer's, the
   * number of epochs, an unfinished run), so that training continues bit-exactly after `load`. The
   * file is in safetensors' format: `model.PARAMETER`, `buffers.NAME` (running statistics),
   * `opt.PARAMETER.MOMENT`, and in its metadata a description as JSON. It is written as a whole or
   * not at all.
   * @param file a name: the file is `path/modelDir/NAME.safetensors`. Or a path that is absolute or
   *   begins with `./`
   * @returns the path of the file
   * @example
   * const file = learn.save('stage-1');
   * learn.load('stage-1');
   */
  save(file: string, options: SaveOptions = {}): string {
    const full = modelFile(file, path.resolve(this.path, this.modelDir));
    if (!isPath(file)) makeFolder(path.dirname(full));
    saveCheckpoint(this, full, options);
    return full;
  }

  /**
   * Loads what `save` wrote, into a learner of the same model and data. All of it is read and
   * checked first: after an error the learner is as it was.
   * @param file as in `save`
   * @throws DataError for a file that is missing, cut off, of another kind, or of another model,
   *   optimizer, or classes
   */
  load(file: string, options: LoadOptions = {}): this {
    this.settle();
    loadCheckpoint(this, modelFile(file, path.resolve(this.path, this.modelDir)), options);
    return this;
  }

  /** Layers, shapes and numbers of parameters, the loss, the optimizer and the callbacks. */
  summary(): Table {
    const { parameters } = this.model;
    const size = (params: readonly { value: Float32Array }[]): number =>
      params.reduce((n, p) => n + p.value.length, 0);
    const rows: Record<string, Cell>[] = parameters.map((p) => ({
      name: p.name,
      value: p.shape.join(' × '),
      params: p.value.length,
      trainable: p.trainable ? 'yes' : 'no',
    }));
    rows.push(
      { name: 'total', value: this.model.constructor.name, params: size(parameters) },
      { name: 'total trainable', params: size(parameters.filter((p) => p.trainable)) },
      { name: 'loss', value: this.lossFunc.name },
      { name: 'optimizer', value: this.opt.constructor.name },
      { name: 'callbacks', value: ordered(this.cbs).map(callbackName).join(', ') },
    );
    return Table.fromRows(rows, ['name', 'value', 'params', 'trainable']);
  }

  /**
   * Applies all pending updates of weights; to be called before a whole table is read or changed.
   * @throws ArgumentError while the learner trains, unless a callback of the run calls it
   */
  settle(): void {
    this.loop.checkAtRest();
    this.optimizer?.settle();
  }
}

printed(Learner, (learn) => {
  const { dls, model, lossFunc, opt, metrics, epochsTrained, unfinished } = learn;
  const size = model.parameters.reduce((sum, { value }) => sum + value.length, 0);
  const sizeOf = ({ n, bs, length }: DataLoader): string =>
    `${counted(n, 'row')} (${counted(length, 'batch', 'batches')} of ${bs})`;
  return [
    `${learn.constructor.name}: ${counted(epochsTrained, 'epoch')} trained${unfinished ? '; an unfinished run, which resume() goes on with' : ''}`,
    `  model      ${model.constructor.name}, ${counted(size, 'weight')}`,
    `  data       ${sizeOf(dls.train)} for training, ${sizeOf(dls.valid)} for validation`,
    `  loss       ${lossFunc.name}`,
    `  optimizer  ${opt.constructor.name}`,
    `  metrics    ${metrics.map(({ name }) => name).join(', ') || 'none'}`,
  ].join('\n');
});
