import { type GivenBack, giveBack, usable } from '../compute/disposable.js';
import { AsyncLocalStorage } from '../compute/host.js';
import type { Batch, DataLoader } from '../data/batches.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, didYouMean, isFunction, whatIs } from '../options.js';
import { asMade, printed } from '../printed.js';
import type { RunPosition } from './checkpoint.js';
import type { Learner } from './learner.js';

/**
 * The events of a training run, in fastai's order (callback/core.py). `afterX` comes in every case,
 * after `afterCancelX` if X was cancelled.
 * @example events.indexOf('beforeBatch') // 4
 */
// biome-ignore format: one line for each part of the run
export const events = [
  'afterCreate', 'beforeFit', 'beforeEpoch', 'beforeTrain',
  'beforeBatch', 'afterPred', 'afterLoss',
  'beforeBackward', 'afterCancelBackward', 'afterBackward',
  'beforeStep', 'afterCancelStep', 'afterStep',
  'afterCancelBatch', 'afterBatch',
  'afterCancelTrain', 'afterTrain',
  'beforeValidate', 'afterCancelValidate', 'afterValidate',
  'afterCancelEpoch', 'afterEpoch', 'afterCancelFit', 'afterFit',
] as const;

/**
 * The name of an event.
 * @example const at: EventName = 'afterBatch';
 */
export type EventName = (typeof events)[number];

/** The events of every batch: synchronous, and limited by `runTrain` and `runValid`. */
const batchEvents: ReadonlySet<EventName> = new Set(
  events.slice(events.indexOf('beforeBatch'), events.indexOf('afterBatch') + 1),
);

/**
 * Leaves the batch: the next one follows. Thrown in `beforeStep` it leaves out the step but keeps
 * the gradients, and those of the next batch are added.
 * @example const everyOther: Callback = { beforeBatch: ({ iter }) => { if (iter % 2) throw new CancelBatchException(); } };
 */
export class CancelBatchException extends Error {}
/**
 * Leaves the backward pass: the step follows.
 * @example const noBackward: Callback = { beforeBackward: () => { throw new CancelBackwardException(); } };
 */
export class CancelBackwardException extends Error {}
/**
 * Leaves out the optimizer's step; gradients are cleared all the same.
 * @example const noStep: Callback = { beforeStep: () => { throw new CancelStepException(); } };
 */
export class CancelStepException extends Error {}
/**
 * Leaves the training part of the epoch: validation follows.
 * @example const tenBatches: Callback = { afterBatch: ({ training, iter }) => { if (training && iter === 9) throw new CancelTrainException(); } };
 */
export class CancelTrainException extends Error {}
/**
 * Leaves validation.
 * @example const noValidation: Callback = { beforeValidate: () => { throw new CancelValidException(); } };
 */
export class CancelValidException extends Error {}
/**
 * Leaves the epoch: the next one follows.
 * @example const oneEpoch: Callback = { beforeEpoch: ({ epoch }) => { if (epoch > 0) throw new CancelEpochException(); } };
 */
export class CancelEpochException extends Error {}
/**
 * Ends the run.
 * @example const enough: Callback = { afterEpoch: ({ recorder }) => { if (Number(recorder.log[2]) < 0.2) throw new CancelFitException(); } };
 */
export class CancelFitException extends Error {}

/** The exception that leaves each part of a run. */
const CANCEL = {
  Fit: CancelFitException,
  Epoch: CancelEpochException,
  Train: CancelTrainException,
  Validate: CancelValidException,
  Batch: CancelBatchException,
  Backward: CancelBackwardException,
  Step: CancelStepException,
};

/** Handlers by event. Those of a batch must be synchronous; the others may return a promise. */
export type EventHandlers = { [E in EventName]?: (learn: Learner) => void | Promise<void> };

/**
 * An observer of training that may steer it: any object, or class, with handlers named after the
 * events. It reads what it wants from `learn` (`learn.loss`, `learn.pred`, `learn.epoch` …), writes
 * to it, or throws a Cancel…Exception to leave a part of the run.
 *
 * @example
 * const logLoss: Callback = {
 *   name: 'logLoss',
 *   afterEpoch: ({ recorder, opt }) => console.log(recorder.log, opt.hypers.lr), // [epoch, train_loss, valid_loss, metrics …, seconds]
 * };
 * await learn.fit(1, 1e-3, { cbs: [logLoss] });
 */
export interface Callback extends EventHandlers {
  /** Shown by `summary` and in errors; default: the name of its class, or `callback`. */
  readonly name?: string;
  /** Callbacks run by ascending order; default 0. Recorder 50, schedules and progress 60. */
  readonly order?: number;
  /** False: it gets no events of training batches. */
  readonly runTrain?: boolean;
  /** False: it gets no events of validation batches. */
  readonly runValid?: boolean;
  /** False: it is left out of the trial run of lrFind. */
  readonly runLrFind?: boolean;
  /** True: it is left out of predictions that another callback makes during a run. */
  readonly removeOnFetch?: boolean;
}

const factories: (() => Callback)[] = [];

/** Has `make` make a callback for every Learner from now on, as display/ its progress table. */
export function registerDefaultCallback(make: () => Callback): void {
  factories.push(make);
}

/** The callbacks of every learner: TrainEval, and new instances of those that are registered. */
export function defaultCallbacks(): Callback[] {
  return [new TrainEval(), ...factories.map((make) => make())];
}

/** The name of a callback: its own, or that of its class. */
export function callbackName(cb: Callback): string {
  const type = cb.constructor?.name ?? 'Object';
  return cb.name ?? (type === 'Object' ? 'callback' : type);
}

/** Callbacks by ascending order. */
export function ordered(cbs: readonly Callback[]): Callback[] {
  return [...cbs].sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
}

/** One thing or several, as a new array. */
export function list<T>(value: T | readonly T[]): T[] {
  return Array.isArray(value) ? [...(value as readonly T[])] : [value as T];
}

/**
 * Throws unless this is a callback: an object with at least one handler, each named after an event,
 * since a handler with a mistyped name would never be called.
 */
export function checkCallback(cb: unknown): asserts cb is Callback {
  const example = "an object with handlers, such as { name: 'mine', afterEpoch: (learn) => … }";
  if (typeof cb !== 'object' || cb === null || cb instanceof Promise) {
    const hint = typeof cb === 'function' && cb.name ? ` Make one: new ${cb.name}().` : '';
    throw new ArgumentError(`A callback is ${example}, got ${whatIs(cb)}.${hint}`);
  }
  const { name } = cb as Callback;
  if (name !== undefined && typeof name !== 'string')
    throw new ArgumentError(`The name of a callback must be a string, got ${typeof name}.`);
  const called = callbackName(cb as Callback);
  const who = called === 'callback' ? 'A callback' : `The callback ${called}`;
  let handlers = 0;
  for (const event of handlerNames(cb)) {
    const value = (cb as Record<string, unknown>)[event];
    const known = (events as readonly string[]).includes(event);
    if (!known && typeof value === 'function')
      throw new ArgumentError(
        `${who} has a handler for an event that never comes, "${event}"${didYouMean(event, events)}`,
      );
    if (!known || value === undefined) continue;
    if (typeof value !== 'function')
      throw new ArgumentError(
        `${event} of a callback must be a function of the learner, got ${typeof value}.`,
      );
    handlers++;
  }
  if (handlers === 0)
    throw new ArgumentError(`${who} has no handler for any event: a callback is ${example}.`);
}

/** Names of fields and methods, own and inherited, that look like those of events. */
function handlerNames(cb: object): Set<string> {
  const names = new Set<string>();
  for (let o: object | null = cb; o && o !== Object.prototype; o = Object.getPrototypeOf(o))
    for (const name of Object.getOwnPropertyNames(o))
      if (/^(before|after)/.test(name)) names.add(name);
  return names;
}

/** The learner whose handler is running, in the code after its awaits as well. */
const handled = new AsyncLocalStorage<Learner>();

/** Calls the handlers of a learner's callbacks, by ascending order. */
export class Dispatcher {
  private sorted: readonly Callback[] = [];
  private depth = 0;

  constructor(private readonly learn: Learner) {}

  /** Whether the caller is a handler, or `within`; another cell may run while the run awaits. */
  get inside(): boolean {
    return this.depth > 0 || handled.getStore() === this.learn;
  }

  /** Runs synchronous work as a part of the run. */
  within<T>(work: () => T): T {
    this.depth++;
    try {
      return work();
    } finally {
      this.depth--;
    }
  }

  /** Calls the handlers of an event of a batch; they must be synchronous. */
  call(event: EventName): void {
    const { training } = this.learn;
    for (const cb of this.ordered()) {
      if (batchEvents.has(event) && (training ? cb.runTrain : cb.runValid) === false) continue;
      this.depth++;
      let result: void | Promise<void>;
      try {
        result = cb[event]?.(this.learn);
      } finally {
        this.depth--;
      }
      if (result instanceof Promise)
        throw new ArgumentError(
          `${callbackName(cb)}.${event} returned a promise: handlers that run in every batch must be synchronous.`,
        );
    }
  }

  /** Calls the handlers of any other event, one after the other. */
  async callAsync(event: EventName): Promise<void> {
    for (const cb of this.ordered()) await handled.run(this.learn, () => cb[event]?.(this.learn));
  }

  /** Runs a part between its events `before…` and `after…`; its Cancel…Exception leaves it. */
  async part(
    name: 'Fit' | 'Epoch' | 'Train' | 'Validate',
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      await this.callAsync(`before${name}`);
      await work();
    } catch (e) {
      if (!(e instanceof CANCEL[name])) throw e;
      await this.callAsync(`afterCancel${name}`);
    }
    await this.callAsync(`after${name}`);
  }

  /** The same for a part of a batch. */
  batchPart(name: 'Batch' | 'Backward' | 'Step', work: () => void): void {
    try {
      this.call(`before${name}`);
      work();
    } catch (e) {
      if (!(e instanceof CANCEL[name])) throw e;
      this.call(`afterCancel${name}`);
    }
    this.call(`after${name}`);
  }

  private ordered(): readonly Callback[] {
    const { cbs } = this.learn;
    const same = this.sorted.length === cbs.length && cbs.every((cb) => this.sorted.includes(cb));
    if (!same) this.sorted = ordered(cbs);
    return this.sorted;
  }
}

/** The state of a run, which callbacks read and steer, and the callbacks: a Learner extends it. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: `usable` below gives the class that method
export class RunState {
  /** The current batch. */
  batch: Batch = { size: 0, inputs: [], targets: new Float32Array(0), rows: new Int32Array(0) };
  /** Its predictions: a view, valid until the next batch. */
  pred: Float32Array = new Float32Array(0);
  /** Its loss. */
  loss = NaN;
  /** Its gradients are multiplied by this: 1 at first, for `afterLoss` to change. */
  gradScale = 1;
  /** The current loader. */
  dl: DataLoader;
  /** Its number of batches. */
  nIter = 0;
  /** Number of the current batch, from 0. */
  iter = 0;
  /** Epochs of the run. */
  nEpoch = 0;
  /** Number of the current epoch, from 0. */
  epoch = 0;
  /** Whether this is a training batch. */
  training = false;
  /** Position in the run, 0 … 1. */
  pctTrain = 0;
  /** Training batches done in the run. */
  trainIter = 0;
  /** Training epochs done since the learner was made: the order of the rows depends on it. */
  epochsTrained = 0;
  /** Where this run resumes an interrupted one, whose results callbacks keep, if it does. */
  resumed: RunPosition | undefined;
  /** Whether the last run was interrupted. */
  interrupted = false;
  /** Callbacks, in no particular order. */
  readonly cbs: Callback[] = [];

  constructor(dl: DataLoader) {
    this.dl = dl;
  }

  /** Adds callbacks to every run from now on. */
  addCbs(cbs: Callback | readonly Callback[]): void {
    for (const cb of list(cbs)) checkCallback(cb);
    this.cbs.push(...list(cbs));
  }

  /** Removes callbacks. */
  removeCbs(cbs: Callback | readonly Callback[]): void {
    for (const cb of list(cbs)) {
      const i = this.cbs.indexOf(cb);
      if (i >= 0) this.cbs.splice(i, 1);
    }
  }

  /**
   * Gives the memory of the model, its gradients and the optimizer's moments back at once; any
   * further use of the learner is an ArgumentError that says so. What others may share stays as it
   * is: the loaders, the callbacks, and a model that another learner has as well, until that one is
   * disposed, too. Without it the memory comes back when nobody holds the learner any more and
   * garbage is collected. `using learn = loadLearner(file)` does it at the end of the block. Weights
   * that were taken out of it, such as `learn.model.parameters[0].value`, must not be used
   * afterwards.
   * @throws ArgumentError while the learner trains
   * @example
   * const file = learn.export('listeners');
   * learn.dispose();
   * loadLearner(file).recommend(user, { n: 10 });
   */
  dispose(): void {
    giveBack(this, () => {
      const { loop, dls, dl, batch, cbs, recorder, lossFunc, metrics } = this as unknown as Learner;
      loop.checkIdle();
      return [dls, dl, batch, ...cbs, recorder, lossFunc, ...metrics];
    });
  }

  /** Runs `work` without the callbacks that only show progress. */
  noLogging<T>(work: () => Promise<T>): Promise<T> {
    return this.withoutCbs((cb) => cb.name === 'Progress', work);
  }

  /** Runs `work` without the callbacks that `left` chooses. */
  async withoutCbs<T>(left: (cb: Callback) => boolean, work: () => Promise<T>): Promise<T> {
    const chooses =
      "a function that says which callbacks are left out, such as (cb) => cb.name === 'Progress'";
    checkArgument(isFunction(left), left, 'withoutCbs', chooses);
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

export interface RunState extends GivenBack {}

usable(RunState);

/**
 * Keeps `learn.training`, `learn.pctTrain` and `learn.trainIter` up to date (fastai's
 * TrainEvalCallback).
 * @example learn.cbs.some((cb) => cb instanceof TrainEval) // true
 */
export class TrainEval implements Callback {
  readonly name = 'TrainEval';
  readonly order = -10;
  readonly runValid = false;

  beforeFit(learn: Learner): void {
    learn.trainIter = learn.resumed?.trainIter ?? 0;
    learn.pctTrain = 0;
  }

  beforeTrain(learn: Learner): void {
    const { resumed, epoch, nEpoch } = learn;
    const within = resumed?.epoch === epoch && resumed.iter > 0;
    learn.pctTrain = within ? resumed.pctTrain : epoch / nEpoch;
    learn.training = true;
  }

  afterBatch(learn: Learner): void {
    learn.pctTrain += 1 / (learn.nIter * learn.nEpoch);
    learn.trainIter++;
  }

  beforeValidate(learn: Learner): void {
    learn.training = false;
  }
}

printed(TrainEval, (cb) => asMade(cb));
