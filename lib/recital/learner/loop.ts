import { InterruptGuard } from '../compute/interrupt.js';
import { float32, reclaim } from '../compute/memory.js';
import type { Batch, DataLoader } from '../data/batches.js';
import { sayInterrupted } from '../data/output.js';
import { ArgumentError, InterruptedError, NumericError } from '../errors.js';
import { type LossRows, lossGradient, lossOf, lossWithGradient } from '../nn/losses.js';
import { type Model, predictions } from '../nn/model.js';
import { firstNotFinite } from '../options.js';
import { type Callback, CancelFitException, Dispatcher } from './callback.js';
import type { RunPosition, UnfinishedRun } from './checkpoint.js';
import type { Learner } from './learner.js';
import { type FitCall, type FitPlan, ParamScheduler, planOf } from './schedules.js';

/**
 * The current call and its position: `iter` training batches of `epoch` are done, and `order` is
 * the number of the order in which the epoch's rows come.
 */
interface Current {
  readonly calls: readonly FitCall[];
  readonly cbs: readonly Callback[];
  readonly nEpoch: number;
  epoch: number;
  iter: number;
  order: number;
}

/**
 * The training loop, from top to bottom: `fit` runs calls, a call runs epochs, an epoch a training
 * and a validation pass, a pass batches, and a training batch ends with the optimizer's step.
 */
export class Loop {
  readonly events: Dispatcher;
  /** Whether this is lrFind's trial run, whose effects are undone. */
  rehearsing = false;
  private running = false;
  private training = false;
  // Not `stoppable`: a callback may predict in the middle of a run, and both ask one guard.
  private guard: InterruptGuard | undefined;
  private current: Current | undefined;
  /** What resume() goes on with, and what restores gradients that no step has used. */
  private stopped?: { run: UnfinishedRun; cbs: readonly Callback[]; gradients?: () => void };
  /** Whether there are gradients that no step has used: between batches, if a callback says so. */
  private pending = false;
  private gradient = float32(0);

  constructor(private readonly learn: Learner) {
    this.events = new Dispatcher(learn);
  }

  /** Trains: one call after the other, until one is interrupted. */
  async fit(calls: readonly FitCall[], cbs: readonly Callback[], at?: RunPosition): Promise<void> {
    this.checkIdle();
    checkRows(this.learn.dls.train);
    const plans = calls.map((call) => planOf(call, this.learn)); // checks all before training any
    this.training = true;
    try {
      for (let i = 0; i < calls.length; i++) {
        await this.fitCall(calls.slice(i), plans[i], cbs, i === 0 ? at : undefined);
        if (this.learn.interrupted) return;
      }
    } finally {
      this.training = false;
    }
  }

  private async fitCall(
    calls: readonly FitCall[],
    { nEpoch, lrs, scheds }: FitPlan,
    cbs: readonly Callback[],
    at?: RunPosition,
  ): Promise<void> {
    const { learn } = this;
    const scheduler = Object.keys(scheds).length ? [new ParamScheduler(scheds)] : [];
    const epochs = async (): Promise<void> => {
      const restore = this.keepSettings();
      let begun = false;
      try {
        if (at) this.goBackTo(at);
        else this.prepare(calls[0], lrs);
        learn.nEpoch = nEpoch;
        learn.resumed = at;
        const { epoch = 0, iter = 0, order = learn.epochsTrained } = at ?? {};
        const current: Current = { calls, cbs, nEpoch, epoch, iter, order };
        this.current = current;
        await this.events.part('Fit', async () => {
          begun = true; // no callback has refused
          learn.interrupted = false;
          if (!this.rehearsing) this.unfinished = undefined;
          for (learn.epoch = epoch; learn.epoch < nEpoch; learn.epoch++)
            await this.events.part('Epoch', () => this.epoch(current));
        });
      } catch (error) {
        if (!begun) restore();
        throw error;
      } finally {
        this.current = undefined;
        learn.resumed = undefined;
      }
    };
    await this.guarded(epochs, [...cbs, ...scheduler]);
  }

  private async epoch(current: Current): Promise<void> {
    const { learn } = this;
    const { train, valid } = learn.dls;
    if (current.epoch !== learn.epoch)
      Object.assign(current, { epoch: learn.epoch, iter: 0, order: learn.epochsTrained });
    // lrFind has an order of its own, so that it does not change that of later epochs.
    const order = this.rehearsing ? -1 - learn.epoch : current.order;
    const done = current.iter;
    const batches = done < train.length ? train.batches(order) : [];
    learn.dl = train;
    await this.events.part('Train', () => this.pass(batches, done));
    if (!this.rehearsing) {
      this.settle();
      checkWeights(learn);
    }
    learn.epochsTrained++;
    current.iter = train.length;
    if (valid.n > 0) await this.validate(valid);
    Object.assign(current, { epoch: learn.epoch + 1, iter: 0, order: learn.epochsTrained });
  }

  /** One pass over a loader without training, with its events. */
  async validate(dl: DataLoader): Promise<void> {
    const { learn } = this;
    this.settle();
    learn.dl = dl;
    learn.training = false;
    await this.events.part('Validate', () => this.pass(dl.batches(0), 0));
  }

  /** The batches of a pass, without the first `done`, which a resumed run has already done. */
  private async pass(batches: Iterable<Batch>, done: number): Promise<void> {
    const { learn, guard, current } = this;
    learn.nIter = learn.dl.length;
    learn.iter = 0;
    for (const batch of batches) {
      if (learn.iter >= done) this.batch(batch);
      learn.iter++;
      if (learn.training && current) current.iter = Math.max(done, learn.iter);
      if (guard?.due() && (await guard.turn())) this.interrupt(guard);
    }
  }

  /** One batch: forward pass and loss and, in training, backward pass and step. */
  private batch(batch: Batch): void {
    const { learn, events } = this;
    const { model } = learn;
    learn.batch = (!learn.training && model.validBatch?.(batch)) || batch;
    learn.gradScale = 1;
    events.batchPart('Batch', () => {
      if (learn.training) {
        model.touch?.(learn.batch);
        learn.opt.touch();
      }
      learn.pred = predictions(model, learn.batch, { training: learn.training });
      events.call('afterPred');
      const loss = learn.training ? (model.trainingLoss?.() ?? this.trainingLoss()) : undefined;
      const noTargets = !loss && Number.isNaN(learn.batch.targets[0]);
      learn.loss = noTargets ? NaN : (loss?.value ?? lossOf(learn.lossFunc, this.rows()));
      events.call('afterLoss');
      if (!Number.isFinite(learn.loss) && !noTargets && !this.rehearsing) throw badLoss(learn);
      if (!loss) return;
      events.batchPart('Backward', () => {
        this.pending = true;
        loss.backward(learn.gradScale);
        model.penalty?.()?.backward(learn.gradScale);
      });
      events.batchPart('Step', () => learn.opt.step());
      learn.opt.zeroGrad();
      this.pending = false;
    });
  }

  /** The loss by the loss function, with the gradient computed along with it where it can be. */
  private trainingLoss(): { value: number; backward(scale: number): void } {
    const { pred, lossFunc, model } = this.learn;
    if (this.gradient.length < pred.length) this.gradient = float32(pred.length);
    const out = this.gradient;
    const value = lossWithGradient(lossFunc, this.rows(), { out });
    const backward = (scale: number): void => {
      const rows = this.rows();
      if (value === undefined) lossGradient(lossFunc, rows, { out });
      if (scale !== 1) for (let i = 0; i < rows.size * model.outputs; i++) out[i] *= scale;
      model.backward(out);
    };
    return { value: value ?? lossOf(lossFunc, this.rows()), backward };
  }

  private rows(): LossRows {
    const { batch, pred, model } = this.learn;
    const { size, targets, weights } = batch;
    return { size, pred, outputs: model.outputs, targets, weights };
  }

  // How a run begins and ends.

  /** Throws while there is a run, for its callbacks, too. */
  checkIdle(): void {
    if (this.running || this.training) throw atWork();
  }

  /** Validates or predicts: the only run at this time, with callbacks of its own. */
  async run(work: () => Promise<void>, cbs: readonly Callback[] = []): Promise<void> {
    if (this.running) throw atWork();
    this.checkAtRest();
    await this.guarded(work, cbs);
  }

  private async guarded(work: () => Promise<void>, cbs: readonly Callback[]): Promise<void> {
    const { learn } = this;
    const guard = new InterruptGuard();
    try {
      learn.addCbs(cbs);
      this.guard = guard;
      this.running = true;
      await reclaim();
      await work();
    } finally {
      if (this.guard === guard) {
        learn.removeCbs(cbs);
        this.pending = false;
        for (const p of learn.model.parameters) p.zeroGrad();
        this.settle();
        learn.training = false;
        this.running = false;
        this.guard = undefined;
      }
      guard.stop();
    }
  }

  /** A pass in the middle of a run, for a callback; afterwards the run's state is as before. */
  async inner(work: () => Promise<void>, cbs: readonly Callback[]): Promise<void> {
    const { learn } = this;
    this.checkAtRest();
    const { dl, nIter, iter, batch, pred, loss, training } = learn;
    const withCbs = async (): Promise<void> => {
      learn.addCbs(cbs);
      await work();
    };
    try {
      await learn.withoutCbs((cb) => cb.removeOnFetch === true, withCbs);
    } finally {
      Object.assign(learn, { dl, nIter, iter, batch, pred, loss, training });
    }
  }

  /** Whether this is a run of training, including its validation passes. */
  get fitting(): boolean {
    return this.current !== undefined;
  }

  /**
   * Throws while the learner trains, unless a callback of the run asks: other callers would see
   * weights in the middle of an epoch, or change what the run builds on.
   */
  checkAtRest(): void {
    if (this.training && !this.events.inside) throw atWork();
  }

  /** Applies all pending updates of weights, as a part of the run. */
  private settle(): void {
    this.events.within(() => this.learn.settle());
  }

  /** Sets optimizer and groups as a call asks for. */
  private prepare({ options, freezeTo }: FitCall, lrs: readonly number[]): void {
    const { learn } = this;
    if (freezeTo !== undefined) this.events.within(() => learn.freezeTo(freezeTo));
    learn.opt.setHypers({ lr: lrs, wd: options.wd ?? learn.wd });
  }

  /** Copies the settings that a run changes before it begins; returns what restores them. */
  private keepSettings(): () => void {
    const { learn } = this;
    const { epochsTrained, nEpoch, opt, model } = learn;
    const { frozenTo } = opt;
    const trainable = model.parameters.map((p) => p.trainable);
    const hypers = opt.groups.map((group) => ({ ...group.hypers }));
    return () => {
      Object.assign(learn, { epochsTrained, nEpoch });
      opt.frozenTo = frozenTo;
      for (const [i, group] of opt.groups.entries()) Object.assign(group.hypers, hypers[i]);
      for (const [i, p] of model.parameters.entries()) p.trainable = trainable[i];
    };
  }

  // How a run is interrupted and resumed.

  /** Resumes the run that was interrupted. */
  async resume(cbs?: readonly Callback[]): Promise<void> {
    const run = this.unfinished;
    if (this.running) throw atWork();
    if (!run)
      throw new ArgumentError(
        'There is no unfinished run: resume() goes on with one that was interrupted, or that was saved on its way.',
      );
    const { length } = this.learn.dls.train;
    if (run.at && run.at.nIter !== length)
      throw new ArgumentError(
        `The unfinished run has ${run.at.nIter} batches per epoch, these loaders have ${length}: give the learner the same data.`,
      );
    await this.fit(run.calls, cbs ?? this.stopped?.cbs ?? [], run.at);
  }

  /** The current run or, between runs, the interrupted one; undefined if there is none. */
  get unfinished(): UnfinishedRun | undefined {
    return this.current && !this.rehearsing ? this.snapshot(this.current) : this.stopped?.run;
  }

  set unfinished(run: UnfinishedRun | undefined) {
    this.stopped = run && { run, cbs: [] };
  }

  private interrupt(guard: InterruptGuard): never {
    const { learn, current, rehearsing } = this;
    const where = `${learn.training ? 'training' : 'validation'} batch ${learn.iter} of ${learn.nIter}`;
    if (!current) throw new InterruptedError(`Interrupted in ${where}: there is no result.`);
    learn.interrupted = true;
    if (!rehearsing) {
      const run = this.snapshot(current);
      const gradients = this.pending ? this.keepGradients() : undefined;
      this.stopped = run && { run, cbs: current.cbs, gradients };
    }
    const resumable = this.stopped && !rehearsing;
    const next = resumable ? ' What was learnt stays; learn.resume() goes on from here.' : '';
    sayInterrupted(guard, `Interrupted in epoch ${learn.epoch}, ${where}.${next}`);
    throw new CancelFitException();
  }

  private snapshot({ calls, nEpoch, epoch, iter, order }: Current): UnfinishedRun | undefined {
    if (epoch >= nEpoch) return calls.length > 1 ? { calls: calls.slice(1) } : undefined;
    const { pctTrain, trainIter, opt, dls } = this.learn;
    const hypers = opt.groups.map((group) => ({ ...group.hypers }));
    const at = { epoch, iter, nIter: dls.train.length, order, pctTrain, trainIter, hypers };
    const recorder = this.learn.recorder.state();
    const pendingRows = opt.pendingRows();
    const { frozenTo } = opt;
    return { calls, at: { ...at, frozenTo, recorder, ...(pendingRows && { pendingRows }) } };
  }

  /** Sets optimizer, groups and weights as they were where a run was interrupted. */
  private goBackTo(at: RunPosition): void {
    const { learn } = this;
    learn.opt.freezeTo(at.frozenTo);
    for (const name of Object.keys(at.hypers[0]))
      learn.opt.setHypers({ [name]: at.hypers.map((hypers) => hypers[name]) });
    learn.epochsTrained = at.order;
    if (at.pendingRows) learn.opt.restorePendingRows(at.pendingRows);
    this.stopped?.gradients?.();
  }

  /** Copies gradients that wait for a later step; returns what restores them. */
  private keepGradients(): () => void {
    const kept = this.learn.model.parameters.map((p) => ({
      p,
      rows: p.touched.slice(0, p.touchedCount),
      grad: p.grad.slice(0, p.gradSize),
    }));
    return () => {
      for (const { p, rows, grad } of kept) {
        if (p.slots) p.touch(rows);
        p.grad.set(grad);
      }
      this.pending = true;
    };
  }
}

function atWork(): ArgumentError {
  return new ArgumentError(
    'This learner is at work already: await the run, such as await learn.fitOneCycle(5), before asking for anything else.',
  );
}

function checkRows({ n, bs, length }: DataLoader): void {
  if (n === 0)
    throw new ArgumentError(
      'There are no training rows. A learner of loadLearner comes without its data: make loaders of the data and a learner of the same model, then learn.load(file, { withOpt: false }).',
    );
  if (length === 0)
    throw new ArgumentError(
      `There is no full training batch: ${n} rows and bs ${bs}. The last, smaller batch is dropped; choose bs ≤ ${n}.`,
    );
}

// What is said of numbers that are not finite.

/** Larger weights are taken for a diverged run: trained ones seldom exceed 10. */
const HUGE = 1e4;

/** What to do about unusable weights. */
const REMEDY =
  'Try a smaller learning rate (lrFind). The weights are spoilt now: load saved ones (learn.load), or make the learner again, before you train or predict.';

/** What is wrong with a model's weights, in a clause, and the remedy if something is. */
export function reportWeights({ parameters }: Model): { clause: string; remedy?: string } {
  let largest = { name: '', size: -1, value: NaN, at: 0 };
  for (const { name, value } of parameters) {
    const bad = firstNotFinite(value);
    if (bad >= 0) {
      const what = `(${value[bad]} at position ${bad})`;
      return {
        clause: `parameter ${name} holds a value that is not finite ${what}`,
        remedy: REMEDY,
      };
    }
    for (let i = 0; i < value.length; i++) {
      const size = Math.abs(value[i]);
      if (size > largest.size) largest = { name, size, value: value[i], at: i };
    }
  }
  const { name, size, value, at } = largest;
  const shown = `parameter ${name} holds ${Number(value.toPrecision(3))} at position ${at}`;
  if (size > HUGE) return { clause: `the weights have exploded: ${shown}`, remedy: REMEDY };
  return { clause: `the weights are finite, and none is large (the largest: ${shown})` };
}

/** Throws NumericError after an epoch whose last step made weights that are not finite. */
function checkWeights({ model, epoch, opt }: Learner): void {
  if (model.parameters.every(({ value }) => firstNotFinite(value) < 0)) return;
  throw new NumericError(
    `After training epoch ${epoch}, at lr ${opt.hypers.lr.toPrecision(3)}, ${reportWeights(model).clause}. ${REMEDY}`,
  );
}

/** The error for a loss that is not finite: where it came, and its cause. */
function badLoss(learn: Learner): NumericError {
  const batch = `${learn.training ? '' : 'validation '}batch ${learn.iter}`;
  const where = learn.loop.fitting
    ? `epoch ${learn.epoch}, ${batch}, at lr ${learn.opt.hypers.lr.toPrecision(3)}`
    : batch;
  return new NumericError(`The loss became ${learn.loss} in ${where}: ${causeOfBadLoss(learn)}`);
}

/** Spoilt weights explain all the rest, so they come first; then inputs, outputs, the loss. */
function causeOfBadLoss({ model, batch, pred, lossFunc }: Learner): string {
  const { clause, remedy } = reportWeights(model);
  if (remedy) return `${clause}. ${remedy}`;
  const target = firstNotFinite(batch.targets, batch.size);
  if (target >= 0)
    return `a target is not finite (${batch.targets[target]} at position ${target} in the batch). Drop or mend such rows.`;
  const bad = firstNotFinite(pred, Math.min(pred.length, batch.size * model.outputs));
  if (bad >= 0)
    return `a prediction is not finite (${pred[bad]} at position ${bad} in the batch), though ${clause}. Look at the model's forward pass.`;
  return `predictions, targets and weights are finite, so look at the loss (${lossFunc.name}) and the weights of the rows.`;
}
