import { InterruptGuard } from '../compute/interrupt.js';
import { float32, reclaim } from '../compute/memory.js';
import type { Batch, DataLoader, DataLoaders } from '../data/batch.js';
import { display } from '../data/display.js';
import type { Table } from '../data/table.js';
import { ArgumentError, NumericError } from '../errors.js';
import { type Loss, type LossRows, lossGradient, lossOf, MSELossFlat } from '../nn/losses.js';
import type { Model } from '../nn/model.js';
import { Adam } from './adam.js';
import { type Callback, defaultCallbacks } from './callback.js';
import {
  CancelBackwardException,
  CancelBatchException,
  CancelEpochException,
  CancelFitException,
  CancelStepException,
  CancelTrainException,
  CancelValidException,
  type EventName,
} from './events.js';
import { type LrFindOptions, type LrFindResult, lrFind } from './lr-find.js';
import { asMetric, type Metric, type MetricFunction } from './metrics.js';
import type { OptFunc, Optimizer } from './optimizer.js';
import { ParamScheduler } from './param-scheduler.js';
import { type GetPredsOptions, getPreds, type Predictions, showResults } from './preds.js';
import { type LogRow, Recorder, runsNow, TrainEval } from './recorder.js';
import { combinedCos } from './schedules.js';
import { summary } from './summary.js';

/** Options of a Learner; defaults as fastai's. */
export interface LearnerOptions {
  /** Loss; default MSELossFlat. */
  lossFunc?: Loss;
  /** Makes the optimizer; default Adam. */
  optFunc?: OptFunc;
  /** Learning rate that fit takes when it is given none; default 1e-3. */
  lr?: number;
  /** Metrics: functions of (predictions, targets), averaged over batches, or Metric objects. */
  metrics?: Metric | MetricFunction | readonly (Metric | MetricFunction)[];
  /** Callbacks of every run. */
  cbs?: Callback | readonly Callback[];
  /** Weight decay of every run; default: the optimizer's (0.01 for Adam). */
  wd?: number;
  /** Weight decay for batch norm and the biases of linear layers too; default false. */
  wdBnBias?: boolean;
  /** Momentum of fitOneCycle: start, middle, end; default [0.95, 0.85, 0.95]. */
  moms?: readonly [number, number, number];
}

/** Options of fit. */
export interface FitOptions {
  /** Weight decay from now on; default: the learner's. */
  wd?: number;
  /** Callbacks of this run only. */
  cbs?: Callback | readonly Callback[];
  /** Start with a new optimizer; default false: moments survive from one fit to the next, as in fastai. */
  resetOpt?: boolean;
  /** Skip the epochs before this one, to go on with a run that was interrupted. */
  startEpoch?: number;
}

/** Options of fitOneCycle. */
export interface FitOneCycleOptions extends FitOptions {
  /** The first learning rate is lrMax/div; default 25. */
  div?: number;
  /** The last learning rate is lrMax/divFinal; default 1e5. */
  divFinal?: number;
  /** Share of the run in which the learning rate rises; default 0.25. */
  pctStart?: number;
  /** Momentum: start, middle, end; default the learner's. */
  moms?: readonly [number, number, number];
}

/**
 * Data, model, loss and optimizer, and the loop that trains (fastai's Learner). Runs are asynchronous and can be interrupted: what was learnt stays.
 *
 * @example
 * const learn = new Learner(dls, model, { lossFunc: new MSELossFlat() });
 * await learn.fitOneCycle(5, 5e-3, { wd: 0.1 });
 */
export class Learner {
  readonly lossFunc: Loss;
  readonly metrics: readonly Metric[];
  readonly recorder: Recorder;
  /** Learning rate of fit when it is given none. */
  lr: number;
  /** Weight decay, if it was given. */
  wd: number | undefined;
  readonly moms: readonly [number, number, number];
  /** Callbacks, in no particular order. */
  readonly cbs: Callback[] = [];

  // The state of the run, for callbacks to read and steer.
  /** The batch at hand. */
  batch: Batch = { size: 0, inputs: [], targets: new Float32Array(0), rows: new Int32Array(0) };
  /** Predictions for it: a view, valid until the next batch. */
  pred: Float32Array = new Float32Array(0);
  /** The loss that is differentiated. */
  lossGrad = NaN;
  /** The loss that is recorded. */
  loss = NaN;
  /** The loader at hand, its number of batches, and the number of this batch. */
  dl: DataLoader;
  nIter = 0;
  iter = 0;
  /** Epochs of the run, and the one at hand. */
  nEpoch = 0;
  epoch = 0;
  /** Whether this is a training batch. */
  training = false;
  /** Position in the run, 0 … 1, and training batches done in it. */
  pctTrain = 0;
  trainIter = 0;
  /** Training epochs begun since the learner was made: the order of the rows depends on it. */
  epochsTrained = 0;

  private readonly optFunc: OptFunc;
  private readonly wdBnBias: boolean;
  private optimizer: Optimizer | undefined;
  private gradient = float32(0);
  private running = false;
  private rehearsing = false;
  private guard = new InterruptGuard();

  /**
   * @param dls training and validation data
   * @param model what is trained
   * @param options see LearnerOptions
   */
  constructor(
    readonly dls: DataLoaders,
    readonly model: Model,
    options: LearnerOptions = {},
  ) {
    const { lossFunc = new MSELossFlat(), optFunc = (params, { lr }) => new Adam(params, { lr }), lr = 1e-3, metrics = [], cbs = [] } = options;
    if (!(lr > 0 && Number.isFinite(lr))) throw new ArgumentError(`lr must be a positive number, got ${lr}.`);
    if (lossFunc.outputs !== undefined && lossFunc.outputs !== model.outputs) {
      throw new ArgumentError(`${lossFunc.name} expects ${lossFunc.outputs} output(s) a row, the model makes ${model.outputs}.`);
    }
    this.lossFunc = lossFunc;
    this.optFunc = optFunc;
    this.lr = lr;
    this.wd = options.wd;
    this.wdBnBias = options.wdBnBias ?? false;
    this.moms = options.moms ?? [0.95, 0.85, 0.95];
    this.metrics = list(metrics).map(asMetric);
    this.recorder = new Recorder(this.metrics);
    this.dl = dls.train;
    this.addCbs([new TrainEval(), this.recorder, ...defaultCallbacks(), ...list(cbs)]);
    this.call('afterCreate');
  }

  /** The optimizer; made at first use, or anew by `createOpt`. */
  get opt(): Optimizer {
    return this.optimizer ?? this.createOpt();
  }

  /** Makes a new optimizer, without moments. */
  createOpt(): Optimizer {
    this.optimizer?.settle();
    this.optimizer?.clearState();
    this.optimizer = this.optFunc([this.model.parameters], { lr: this.lr });
    this.optimizer.decayAll = this.wdBnBias;
    return this.optimizer;
  }

  /** Adds callbacks for good. */
  addCbs(cbs: Callback | readonly Callback[]): void {
    this.cbs.push(...list(cbs));
  }

  /** Takes callbacks away. */
  removeCbs(cbs: Callback | readonly Callback[]): void {
    for (const cb of list(cbs)) {
      const i = this.cbs.indexOf(cb);
      if (i >= 0) this.cbs.splice(i, 1);
    }
  }

  /**
   * Trains for `nEpoch` epochs at a constant learning rate (or as callbacks set it).
   * @param nEpoch epochs
   * @param lr learning rate; default the learner's
   */
  async fit(nEpoch: number, lr: number = this.lr, { wd = this.wd, cbs = [], resetOpt = false, startEpoch = 0 }: FitOptions = {}): Promise<void> {
    if (!(Number.isInteger(nEpoch) && nEpoch > 0)) throw new ArgumentError(`nEpoch must be a positive whole number, got ${nEpoch}.`);
    if (!(Number.isInteger(startEpoch) && startEpoch >= 0)) throw new ArgumentError(`startEpoch must be a whole number, got ${startEpoch}.`);
    if (this.dls.train.length === 0) {
      const { n, bs } = this.dls.train;
      throw new ArgumentError(`There is no full training batch: ${n} rows and bs ${bs}. The last, smaller batch is dropped; choose bs ≤ ${n}.`);
    }
    await this.run(async () => {
      if (resetOpt) this.createOpt();
      this.opt.setHypers({ lr, wd });
      this.nEpoch = nEpoch;
      await this.withEvents('Fit', CancelFitException, async () => {
        for (this.epoch = startEpoch; this.epoch < nEpoch; this.epoch++) await this.withEvents('Epoch', CancelEpochException, () => this.doEpoch());
      });
    }, cbs);
  }

  /**
   * Trains with fastai's one-cycle policy: the learning rate rises from lrMax/div to lrMax over the first `pctStart` of the run and falls to lrMax/divFinal,
   * by cosines; the momentum does the opposite.
   * @param nEpoch epochs
   * @param lrMax highest learning rate; default the learner's
   */
  async fitOneCycle(nEpoch: number, lrMax: number = this.lr, options: FitOneCycleOptions = {}): Promise<void> {
    const { div = 25, divFinal = 1e5, pctStart = 0.25, moms = this.moms, cbs = [], ...rest } = options;
    if (!(lrMax > 0 && div > 0 && divFinal > 0))
      throw new ArgumentError(`lrMax, div and divFinal must be positive, got ${lrMax}, ${div}, ${divFinal}.`);
    const scheds = { lr: combinedCos(pctStart, [lrMax / div, lrMax, lrMax / divFinal]), mom: combinedCos(pctStart, moms) };
    await this.fit(nEpoch, lrMax, { ...rest, cbs: [...list(cbs), new ParamScheduler(scheds)] });
  }

  /**
   * Tries learning rates from small to large on up to 100 batches, draws the loss against them and suggests some. Model, optimizer and the order of later
   * epochs are as before.
   */
  lrFind(options: LrFindOptions = {}): Promise<LrFindResult> {
    return lrFind(this, options);
  }

  /** A training run that leaves no trace but the recorder's: for lrFind. */
  async rehearse(nEpoch: number, cbs: readonly Callback[]): Promise<void> {
    this.settle();
    const values = this.model.parameters.map((p) => p.value.slice());
    const state = this.opt.stateDict();
    const { epochsTrained } = this;
    this.rehearsing = true;
    try {
      await this.noLogging(() => this.fit(nEpoch, this.lr, { cbs }));
    } finally {
      this.rehearsing = false;
      this.epochsTrained = epochsTrained;
      this.model.parameters.forEach((p, i) => {
        p.value.set(values[i]);
      });
      this.opt.loadStateDict(state);
    }
  }

  /** Runs `work` without the callbacks that only show progress. */
  async noLogging<T>(work: () => Promise<T>): Promise<T> {
    const shown = this.cbs.filter((cb) => cb.name === 'Progress');
    this.removeCbs(shown);
    try {
      return await work();
    } finally {
      this.addCbs(shown);
    }
  }

  /**
   * Validation loss and metrics.
   * @param options.dsIdx 0 the training set, in order and whole; 1 (default) the validation set
   * @param options.dl another loader instead
   */
  async validate({ dsIdx = 1, dl, cbs = [] }: { dsIdx?: 0 | 1; dl?: DataLoader; cbs?: Callback | readonly Callback[] } = {}): Promise<LogRow> {
    await this.run(() => this.doEpochValidate(dl ?? this.loader(dsIdx)), cbs);
    return this.recorder.validValues();
  }

  /** The loader of a part of the data: 0 training, in order; 1 validation. */
  loader(dsIdx: 0 | 1): DataLoader {
    return dsIdx === 0 ? this.dls.train.inOrder() : this.dls.valid;
  }

  /** Predictions and targets of a part of the data, in its order. Copies. */
  getPreds(options: GetPredsOptions = {}): Promise<Predictions> {
    return getPreds(this, options);
  }

  /** Shows a few rows of the validation set with their predictions. */
  showResults(options: { dsIdx?: 0 | 1; dl?: DataLoader; maxN?: number } = {}): Promise<void> {
    return showResults(this, options);
  }

  /** Layers, shapes and numbers of parameters, the loss, the optimizer and the callbacks. */
  summary(): Table {
    return summary(this);
  }

  /** Brings every weight up to date. Whoever reads a whole table calls this first. */
  settle(): void {
    this.optimizer?.settle();
  }

  /** Runs one pass without training over a loader, events included. */
  async doEpochValidate(dl: DataLoader): Promise<void> {
    this.settle();
    this.dl = dl;
    this.training = false;
    try {
      await this.withEvents('Validate', CancelValidException, () => this.allBatches(dl.batches(0)));
    } finally {
      this.training = false;
    }
  }

  /** One run at a time; the run's own callbacks go with it, whatever happens. */
  async run(work: () => Promise<void>, cbs: Callback | readonly Callback[] = []): Promise<void> {
    if (this.running) throw new ArgumentError('This learner is at work already: await the run before starting another.');
    this.running = true;
    const own = list(cbs);
    this.addCbs(own);
    this.guard = new InterruptGuard();
    try {
      await reclaim();
      await work();
    } finally {
      this.guard.stop();
      this.removeCbs(own);
      this.optimizer?.zeroGrad();
      this.settle();
      this.training = false;
      this.running = false;
    }
  }

  private async doEpoch(): Promise<void> {
    this.dl = this.dls.train;
    // A rehearsal has an order of its own, so that the epochs after it are the same as without it.
    const order = this.rehearsing ? -1 - this.epoch : this.epochsTrained;
    await this.withEvents('Train', CancelTrainException, () => this.allBatches(this.dls.train.batches(order)));
    this.epochsTrained++;
    if (this.dls.valid.n > 0) await this.doEpochValidate(this.dls.valid);
  }

  private async allBatches(batches: Iterable<Batch>): Promise<void> {
    this.nIter = this.dl.length;
    this.iter = 0;
    for (const batch of batches) {
      this.oneBatch(batch);
      this.iter++;
      if (this.guard.due() && (await this.guard.turn())) {
        const where = this.training ? `training batch ${this.iter} of ${this.nIter}` : `validation batch ${this.iter} of ${this.nIter}`;
        display().text(`Interrupted in epoch ${this.epoch}, ${where}. What was learnt stays.`);
        throw new CancelFitException();
      }
    }
  }

  private oneBatch(batch: Batch): void {
    this.batch = batch;
    this.around('Batch', CancelBatchException, () => {
      if (this.training) {
        this.model.touch(batch);
        this.opt.touch();
      }
      this.pred = this.model.forward(batch, this.training);
      this.call('afterPred');
      if (Number.isNaN(batch.targets[0]) && !this.training)
        this.lossGrad = NaN; // rows to predict, without targets
      else this.lossGrad = lossOf(this.lossFunc, this.lossRows());
      this.loss = this.lossGrad;
      this.call('afterLoss');
      if (!this.training) return;
      if (!Number.isFinite(this.loss) && !this.rehearsing) throw this.badLoss();
      this.around('Backward', CancelBackwardException, () => {
        if (this.gradient.length < this.pred.length) this.gradient = float32(this.pred.length);
        lossGradient(this.lossFunc, this.lossRows(), { out: this.gradient });
        this.model.backward(this.gradient);
      });
      this.around('Step', CancelStepException, () => this.opt.step());
      this.opt.zeroGrad();
    });
  }

  private lossRows(): LossRows {
    const { size, targets, weights } = this.batch;
    return { size, pred: this.pred, outputs: this.model.outputs, targets, weights };
  }

  private badLoss(): NumericError {
    const bad = this.model.parameters.find((p) => p.value.some((x) => !Number.isFinite(x)));
    const cause = bad ? `parameter ${bad.name} holds a value that is not finite` : 'all parameters are finite, so look at the targets or the loss';
    const { lr } = this.opt.hypers;
    return new NumericError(
      `The loss became ${this.loss} in epoch ${this.epoch}, batch ${this.iter}, at lr ${lr.toPrecision(3)}: ${cause}. Try a smaller learning rate (lrFind).`,
    );
  }

  /** Calls an event's handlers by ascending order, outside of the inner loop. */
  private async callAsync(event: EventName): Promise<void> {
    for (const cb of this.ordered()) await cb[event]?.(this);
  }

  private call(event: EventName): void {
    for (const cb of this.ordered()) {
      if (!cb[event] || !runsNow(cb, event, this.training)) continue;
      const result = cb[event](this);
      if (result instanceof Promise) {
        throw new ArgumentError(`${cb.name}.${event} returned a promise: handlers that run in every batch must be synchronous.`);
      }
    }
  }

  private sorted: readonly Callback[] = [];

  private ordered(): readonly Callback[] {
    const same = this.sorted.length === this.cbs.length && this.cbs.every((cb) => this.sorted.includes(cb));
    if (!same) this.sorted = [...this.cbs].sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
    return this.sorted;
  }

  private async withEvents(name: 'Fit' | 'Epoch' | 'Train' | 'Validate', cancel: new () => Error, work: () => Promise<void>): Promise<void> {
    try {
      await this.callAsync(`before${name}`);
      await work();
    } catch (e) {
      if (!(e instanceof cancel)) throw e;
      await this.callAsync(`afterCancel${name}`);
    }
    await this.callAsync(`after${name}`);
  }

  private around(name: 'Batch' | 'Backward' | 'Step', cancel: new () => Error, work: () => void): void {
    try {
      this.call(`before${name}`);
      work();
    } catch (e) {
      if (!(e instanceof cancel)) throw e;
      this.call(`afterCancel${name}`);
    }
    this.call(`after${name}`);
  }
}

function list<T>(value: T | readonly T[]): T[] {
  return Array.isArray(value) ? [...(value as readonly T[])] : [value as T];
}
