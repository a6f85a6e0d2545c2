import { InterruptGuard } from '../compute/interrupt.js';
import { float32, reclaim } from '../compute/memory.js';
import type { Batch, DataLoader } from '../data/batches.js';
import { sayInterrupted } from '../data/display.js';
import { ArgumentError, InterruptedError, NumericError } from '../errors.js';
import { type LossRows, lossGradient, lossOf, lossWithGradient } from '../nn/loss.js';
import { predictions } from '../nn/model.js';
import {
  type Callback,
  CancelBackwardException,
  CancelBatchException,
  CancelEpochException,
  CancelFitException,
  CancelStepException,
  CancelTrainException,
  CancelValidException,
  Dispatcher,
} from './callback.js';
import type { RunPosition, UnfinishedRun } from './checkpoint.js';
import { type FitCall, type FitPlan, planOf } from './fit.js';
import type { Learner } from './learner.js';
import { notFinite, reportWeights, SPOILT } from './not-finite.js';
import { ParamScheduler } from './schedules.js';

/**
 * The call at hand, and where it stands: `iter` training batches of `epoch` are done, whose rows
 * come in the order number `order`.
 */
interface Current {
  readonly calls: readonly FitCall[];
  readonly cbs: readonly Callback[];
  readonly nEpoch: number;
  epoch: number;
  iter: number;
  order: number;
}

/** Runs a learner: epochs, batches, events, interrupts, and where a run was left. */
export class Loop {
  readonly events: Dispatcher;
  /** Whether this is a trial run, of which nothing stays (lrFind). */
  rehearsing = false;
  private readonly oneBatch: OneBatch;
  private running = false;
  private training = false;
  private guard: InterruptGuard | undefined;
  private current: Current | undefined;
  private stopped: UnfinishedRun | undefined;
  private stoppedCbs: readonly Callback[] = [];
  private stoppedGrads: (() => void) | undefined;

  constructor(private readonly learn: Learner) {
    this.events = new Dispatcher(learn);
    this.oneBatch = new OneBatch(learn, this.events);
  }

  /** Whether this is a run of training, validation in it included. */
  get fitting(): boolean {
    return this.current !== undefined;
  }

  /**
   * Refuses, while the learner trains, whoever is not part of the run: weights would be those of
   * some batch in its middle, and a run would go on with what somebody has changed. Callbacks are
   * part of it.
   */
  checkAtRest(): void {
    if (this.training && !this.events.inside) throw atWork();
  }

  /**
   * The run at hand or, between runs, the one that was stopped; undefined if nothing is left to do.
   */
  get unfinished(): UnfinishedRun | undefined {
    return this.current && !this.rehearsing ? this.snapshot(this.current) : this.stopped;
  }

  set unfinished(run: UnfinishedRun | undefined) {
    this.stopped = run;
    this.stoppedCbs = [];
    this.stoppedGrads = undefined;
  }

  /** Trains: one call after the other, until one is interrupted. */
  async fit(calls: readonly FitCall[], cbs: readonly Callback[], at?: RunPosition): Promise<void> {
    if (this.running || this.training) throw atWork();
    const { train } = this.learn.dls;
    if (train.n === 0) {
      throw new ArgumentError(
        'There are no training rows. A learner of loadLearner comes without its data: make loaders of the data and a learner of the same model, then learn.load(file, { withOpt: false }).',
      );
    }
    if (train.length === 0) {
      throw new ArgumentError(
        `There is no full training batch: ${train.n} rows and bs ${train.bs}. The last, smaller batch is dropped; choose bs ≤ ${train.n}.`,
      );
    }
    const plans = calls.map((call) => planOf(call, this.learn)); // checks all before anything is trained
    this.training = true;
    try {
      for (let i = 0; i < calls.length; i++) {
        await this.fitCall(calls.slice(i), plans[i], { cbs, at: i === 0 ? at : undefined });
        if (this.learn.interrupted) return;
      }
    } finally {
      this.training = false;
    }
  }

  /** Goes on with the run that was stopped. */
  async resume(cbs?: readonly Callback[]): Promise<void> {
    const run = this.unfinished;
    if (this.running) throw atWork();
    if (!run)
      throw new ArgumentError(
        'There is no unfinished run: resume() goes on with one that was interrupted, or that was saved on its way.',
      );
    const { length } = this.learn.dls.train;
    if (run.at && run.at.nIter !== length) {
      throw new ArgumentError(
        `The unfinished run has ${run.at.nIter} batches an epoch, these loaders have ${length}: give the learner the same data.`,
      );
    }
    await this.fit(run.calls, cbs ?? this.stoppedCbs, run.at);
  }

  private async fitCall(
    calls: readonly FitCall[],
    plan: FitPlan,
    { cbs, at }: { cbs: readonly Callback[]; at?: RunPosition },
  ): Promise<void> {
    const { learn } = this;
    const [{ options, freezeTo }] = calls;
    const scheduler = Object.keys(plan.scheds).length ? [new ParamScheduler(plan.scheds)] : [];
    let goBack = (): void => {};
    const work = async (): Promise<void> => {
      goBack = this.keepSettings();
      if (at) {
        learn.opt.freezeTo(at.frozenTo);
        for (const name of Object.keys(at.hypers[0]))
          learn.opt.setHypers({ [name]: at.hypers.map((h) => h[name]) });
        learn.epochsTrained = at.order;
        if (at.unsettled) learn.opt.unsettle(at.unsettled);
        this.stoppedGrads?.();
      } else {
        this.events.within(() => {
          if (options.resetOpt) learn.createOpt();
          if (freezeTo !== undefined) learn.freezeTo(freezeTo);
        });
        learn.opt.setHypers({ lr: plan.lrs, wd: options.wd ?? learn.wd });
      }
      learn.nEpoch = plan.nEpoch;
      learn.resumed = at;
      const { epoch = options.startEpoch ?? 0, iter = 0, order = learn.epochsTrained } = at ?? {};
      const current: Current = { calls, cbs, nEpoch: plan.nEpoch, epoch, iter, order };
      this.current = current;
      await this.events.withEvents('Fit', CancelFitException, async () => {
        goBack = () => {}; // every callback has agreed: the run begins
        learn.interrupted = false;
        if (!this.rehearsing) this.unfinished = undefined;
        for (learn.epoch = current.epoch; learn.epoch < plan.nEpoch; learn.epoch++) {
          await this.events.withEvents('Epoch', CancelEpochException, () => this.doEpoch(current));
        }
      });
    };
    try {
      await this.guarded(work, [...cbs, ...scheduler]);
    } catch (error) {
      goBack();
      throw error;
    } finally {
      this.current = undefined;
      learn.resumed = undefined;
    }
  }

  /**
   * What a run that is refused before it begins must leave as it was: what comes back restores it.
   */
  private keepSettings(): () => void {
    const { learn } = this;
    const { epochsTrained, nEpoch } = learn;
    const { frozenTo } = learn.opt;
    const trainable = learn.model.parameters.map((p) => p.trainable);
    const hypers = learn.opt.groups.map((group) => ({ ...group.hypers }));
    return () => {
      Object.assign(learn, { epochsTrained, nEpoch });
      learn.opt.frozenTo = frozenTo;
      learn.opt.groups.forEach((group, i) => {
        Object.assign(group.hypers, hypers[i]);
      });
      learn.model.parameters.forEach((p, i) => {
        p.trainable = trainable[i];
      });
    };
  }

  private async doEpoch(current: Current): Promise<void> {
    const { learn } = this;
    learn.dl = learn.dls.train;
    if (current.epoch !== learn.epoch)
      Object.assign(current, { epoch: learn.epoch, iter: 0, order: learn.epochsTrained });
    // A rehearsal has an order of its own, so that the epochs after it are the same as without it.
    const order = this.rehearsing ? -1 - learn.epoch : current.order;
    const { iter } = current;
    const todo = iter < learn.dl.length ? learn.dl.batches(order) : [];
    await this.events.withEvents('Train', CancelTrainException, () => this.allBatches(todo, iter));
    if (!this.rehearsing) this.checkWeights();
    learn.epochsTrained++;
    current.iter = learn.dl.length;
    if (learn.dls.valid.n > 0) await this.validate(learn.dls.valid);
    Object.assign(current, { epoch: learn.epoch + 1, iter: 0, order: learn.epochsTrained });
  }

  /** The last step of an epoch may have made weights that no training loss has shown. */
  private checkWeights(): void {
    const { learn } = this;
    this.settle();
    if (learn.model.parameters.every(({ value }) => notFinite(value) === undefined)) return;
    const { clause } = reportWeights(learn.model);
    throw new NumericError(
      `After training epoch ${learn.epoch}, at lr ${learn.opt.hypers.lr.toPrecision(3)}, ${clause}. ${SPOILT}`,
    );
  }

  /** One pass without training over a loader, events included. */
  async validate(dl: DataLoader): Promise<void> {
    const { learn } = this;
    this.settle();
    learn.dl = dl;
    learn.training = false;
    await this.events.withEvents('Validate', CancelValidException, () =>
      this.allBatches(dl.batches(0), 0),
    );
  }

  /** One run at a time; the run's own callbacks go with it, whatever happens. */
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
      await this.alone(work, cbs);
    } finally {
      guard.stop();
    }
  }

  private async alone(work: () => Promise<void>, cbs: readonly Callback[]): Promise<void> {
    const { learn } = this;
    this.running = true;
    try {
      await reclaim();
      await work();
    } finally {
      learn.removeCbs(cbs);
      this.oneBatch.dropPending();
      this.settle();
      learn.training = false;
      this.running = false;
    }
  }

  /** Brings every weight up to date, for the run itself. */
  private settle(): void {
    this.events.within(() => this.learn.settle());
  }

  /**
   * A pass without training in the middle of a run, for a callback; the run's state is as before.
   */
  async inner(work: () => Promise<void>, cbs: readonly Callback[]): Promise<void> {
    const { learn } = this;
    this.checkAtRest();
    const { dl, nIter, iter, batch, pred, loss, training } = learn;
    try {
      await learn.withoutCbs(
        (cb) => cb.removeOnFetch === true,
        async () => {
          learn.addCbs(cbs);
          await work();
        },
      );
    } finally {
      Object.assign(learn, { dl, nIter, iter, batch, pred, loss, training });
    }
  }

  private async allBatches(batches: Iterable<Batch>, done: number): Promise<void> {
    const { learn, guard, current } = this;
    learn.nIter = learn.dl.length;
    learn.iter = 0;
    for (const batch of batches) {
      if (learn.iter >= done) this.oneBatch.run(batch, { anyLoss: this.rehearsing });
      learn.iter++;
      if (learn.training && current) current.iter = Math.max(done, learn.iter);
      if (guard?.due() && (await guard.turn())) this.interrupt(guard);
    }
  }

  private interrupt(guard: InterruptGuard): never {
    const { learn, current } = this;
    const where = `${learn.training ? 'training' : 'validation'} batch ${learn.iter} of ${learn.nIter}`;
    if (!current) throw new InterruptedError(`Interrupted in ${where}: there is no result.`);
    learn.interrupted = true;
    if (!this.rehearsing) {
      this.stopped = this.snapshot(current);
      this.stoppedCbs = current.cbs;
      this.stoppedGrads = this.oneBatch.keepPending();
    }
    const next =
      this.stopped && !this.rehearsing
        ? ' What was learnt stays; learn.resume() goes on from here.'
        : '';
    sayInterrupted(guard, `Interrupted in epoch ${learn.epoch}, ${where}.${next}`);
    throw new CancelFitException();
  }

  private snapshot({ calls, nEpoch, epoch, iter, order }: Current): UnfinishedRun | undefined {
    const { pctTrain, trainIter, recorder, opt, dls } = this.learn;
    if (epoch >= nEpoch) return calls.length > 1 ? { calls: calls.slice(1) } : undefined;
    const hypers = opt.groups.map((group) => ({ ...group.hypers }));
    const at = {
      epoch,
      iter,
      nIter: dls.train.length,
      order,
      pctTrain,
      trainIter,
      hypers,
      frozenTo: opt.frozenTo,
      recorder: recorder.state(),
    };
    const unsettled = opt.unsettled();
    return { calls, at: unsettled ? { ...at, unsettled } : at };
  }
}

function atWork(): ArgumentError {
  return new ArgumentError(
    'This learner is at work already: await the run, such as await learn.fitOneCycle(5), before asking for anything else.',
  );
}

/**
 * What happens to one batch: forward, loss and, in training, backward and step, with all events.
 */
export class OneBatch {
  private pending = false; // gradients wait for a later step: a callback has cancelled the batch after its backward pass
  private gradient = float32(0);

  constructor(
    private readonly learn: Learner,
    private readonly events: Dispatcher,
  ) {}

  /** @param options.anyLoss whether training goes on with a loss that is not finite */
  run(batch: Batch, { anyLoss }: { anyLoss: boolean }): void {
    const { learn, events } = this;
    learn.batch = (!learn.training && learn.model.validBatch?.(batch)) || batch;
    learn.gradScale = 1;
    events.around('Batch', CancelBatchException, () => {
      if (learn.training) {
        learn.model.touch?.(learn.batch);
        learn.opt.touch();
      }
      learn.pred = predictions(learn.model, learn.batch, { training: learn.training });
      events.call('afterPred');
      const unknown = !learn.training && Number.isNaN(learn.batch.targets[0]); // rows to predict, without targets
      const own = learn.training ? learn.model.trainingLoss?.() : undefined;
      const both = learn.training && !own ? this.lossWithGradient() : undefined;
      learn.loss = unknown ? NaN : (own?.value ?? both ?? lossOf(learn.lossFunc, this.rows()));
      events.call('afterLoss');
      if (!Number.isFinite(learn.loss) && !anyLoss && !unknown) throw this.badLoss();
      if (!learn.training) return;
      events.around('Backward', CancelBackwardException, () => {
        this.pending = true;
        if (own) own.backward(learn.gradScale);
        else this.backward(both !== undefined);
        learn.model.penalty?.()?.backward(learn.gradScale);
      });
      events.around('Step', CancelStepException, () => learn.opt.step());
      learn.opt.zeroGrad();
      this.pending = false;
    });
  }

  /** Drops gradients that wait for a later step. */
  dropPending(): void {
    this.pending = false;
    for (const p of this.learn.model.parameters) p.zeroGrad();
  }

  /** Copies gradients that wait for a later step; what it returns puts them back. */
  keepPending(): (() => void) | undefined {
    if (!this.pending) return undefined;
    const { parameters } = this.learn.model;
    const kept = parameters.map((p) => ({
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

  /** The loss, with the gradient made along with it, where the loss can. */
  private lossWithGradient(): number | undefined {
    const { pred, lossFunc } = this.learn;
    if (this.gradient.length < pred.length) this.gradient = float32(pred.length);
    return lossWithGradient(lossFunc, this.rows(), { out: this.gradient });
  }

  private backward(made: boolean): void {
    const { learn } = this;
    const n = learn.batch.size * learn.model.outputs;
    if (!made) lossGradient(learn.lossFunc, this.rows(), { out: this.gradient });
    if (learn.gradScale !== 1) for (let i = 0; i < n; i++) this.gradient[i] *= learn.gradScale;
    learn.model.backward(this.gradient);
  }

  private rows(): LossRows {
    const { batch, pred, model } = this.learn;
    const { size, targets, weights } = batch;
    return { size, pred, outputs: model.outputs, targets, weights };
  }

  private badLoss(): NumericError {
    const { learn } = this;
    const batch = `${learn.training ? '' : 'validation '}batch ${learn.iter}`;
    const where = learn.loop.fitting
      ? `epoch ${learn.epoch}, ${batch}, at lr ${learn.opt.hypers.lr.toPrecision(3)}`
      : batch;
    return new NumericError(`The loss became ${learn.loss} in ${where}: ${this.causeOfBadLoss()}`);
  }

  /**
   * Spoilt weights explain everything else, so they come first; then what went in, what came out,
   * and the loss itself.
   */
  private causeOfBadLoss(): string {
    const { model, batch, pred, lossFunc } = this.learn;
    const weights = reportWeights(model);
    if (weights.spoilt) return `${weights.clause}. ${SPOILT}`;
    const target = notFinite(batch.targets, batch.size);
    if (target) return `a target is not finite (${target} in the batch). Drop or mend such rows.`;
    const prediction = notFinite(pred, Math.min(pred.length, batch.size * model.outputs));
    if (prediction)
      return `a prediction is not finite (${prediction} in the batch), though ${weights.clause}. Look at the model's forward pass.`;
    return `predictions, targets and weights are finite, so look at the loss (${lossFunc.name}) and the weights of the rows.`;
  }
}
