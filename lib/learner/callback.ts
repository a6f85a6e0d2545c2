import { ArgumentError } from '../errors.js';
import type { EventName } from './events.js';
import type { Learner } from './learner.js';

/** Handlers by event. Those of the inner loop run once a batch and must be synchronous; the others may return a promise. */
export type EventHandlers = { [E in EventName]?: (learn: Learner) => void | Promise<void> };

/**
 * Something that looks on while a Learner trains, and may steer it: any object, or class, with handlers named after the events. It reads what it wants from
 * `learn` (`learn.loss`, `learn.pred`, `learn.epoch` …), writes to it, or throws a Cancel…Exception to leave a part of the run.
 *
 * @example
 * const logLr: Callback = {
 *   name: 'logLr',
 *   afterEpoch: (learn) => console.log(learn.epoch, learn.opt.hypers.lr),
 * };
 * await learn.fit(1, 1e-3, { cbs: [logLr] });
 */
export interface Callback extends EventHandlers {
  /** Shown by `summary`. */
  readonly name: string;
  /** Callbacks run by ascending order; default 0. TrainEval −10, Recorder 50, schedules and progress 60. */
  readonly order?: number;
  /** False: the events of training batches pass it by. */
  readonly runTrain?: boolean;
  /** False: the events of validation batches pass it by. */
  readonly runValid?: boolean;
  /** False: it has no part in the trial run of lrFind. */
  readonly runLrFind?: boolean;
  /** True: it has no part in predictions that another callback fetches in the middle of a run. */
  readonly removeOnFetch?: boolean;
}

const factories: (() => Callback)[] = [];

/** Adds a callback to every Learner made from now on: notebook/ registers the live progress table this way. */
export function registerDefaultCallback(make: () => Callback): void {
  factories.push(make);
}

/** New instances of the registered default callbacks. */
export function defaultCallbacks(): Callback[] {
  return factories.map((make) => make());
}

/** Throws unless this is a callback. */
export function checkCallback(cb: unknown): asserts cb is Callback {
  if (typeof cb === 'object' && cb !== null && typeof (cb as Callback).name === 'string') return;
  const hint = typeof cb === 'function' && cb.name ? ` Make one: new ${cb.name}().` : '';
  throw new ArgumentError(
    `A callback is an object with a name and handlers, such as { name: 'mine', afterEpoch: (learn) => … }, got ${typeof cb}.${hint}`,
  );
}
