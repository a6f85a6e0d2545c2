import { ArgumentError } from '../errors.js';
import { checkArgument, didYouMean } from '../options.js';
import { type EventName, events } from './events.js';
import type { Learner } from './learner.js';

/**
 * Handlers by event. Those of the inner loop run once a batch and must be synchronous; the others
 * may return a promise.
 */
export type EventHandlers = { [E in EventName]?: (learn: Learner) => void | Promise<void> };

/**
 * Something that looks on while a Learner trains, and may steer it: any object, or class, with
 * handlers named after the events. It reads what it wants from `learn` (`learn.loss`, `learn.pred`,
 * `learn.epoch` …), writes to it, or throws a Cancel…Exception to leave a part of the run.
 *
 * @example
 * const logLoss: Callback = {
 *   name: 'logLoss',
 *   afterEpoch: ({ recorder, opt }) => console.log(recorder.log, opt.hypers.lr), // [epoch, train_loss, valid_loss, metrics …, seconds]
 * };
 * await learn.fit(1, 1e-3, { cbs: [logLoss] });
 */
export interface Callback extends EventHandlers {
  /**
   * Shown by `summary` and in errors; default: the name of its class, `callback` for an object
   * without one.
   */
  readonly name?: string;
  /**
   * Callbacks run by ascending order; default 0. TrainEval −10, Recorder 50, schedules and progress
   * 60.
   */
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

/**
 * Adds a callback to every Learner made from now on: notebook/ registers the live progress table
 * this way.
 * @param make makes it, anew for each learner
 * @example registerDefaultCallback(() => new TerminateOnNaN());
 */
export function registerDefaultCallback(make: () => Callback): void {
  checkArgument(
    typeof make === 'function',
    make,
    'registerDefaultCallback',
    'a function that makes a callback, such as () => new TerminateOnNaN()',
  );
  factories.push(make);
}

/** New instances of the registered default callbacks. */
export function defaultCallbacks(): Callback[] {
  return factories.map((make) => make());
}

/** What a callback is called. */
export function callbackName(cb: Callback): string {
  const type = cb.constructor?.name ?? 'Object';
  return cb.name ?? (type === 'Object' ? 'callback' : type);
}

/**
 * Throws unless this is a callback: an object with handlers, each named after an event. A mistyped
 * one would never be called.
 */
export function checkCallback(cb: unknown): asserts cb is Callback {
  const example = "such as { name: 'mine', afterEpoch: (learn) => … }";
  if (typeof cb !== 'object' || cb === null || cb instanceof Promise) {
    const hint = typeof cb === 'function' && cb.name ? ` Make one: new ${cb.name}().` : '';
    throw new ArgumentError(
      `A callback is an object with handlers, ${example}, got ${cb === null ? 'null' : typeof cb}.${hint}`,
    );
  }
  const { name } = cb as Callback;
  if (name !== undefined && typeof name !== 'string')
    throw new ArgumentError(`The name of a callback must be a string, got ${typeof name}.`);
  const called = callbackName(cb as Callback);
  const who = called === 'callback' ? 'A callback' : `The callback ${called}`;
  let handlers = 0;
  for (const event of fieldsOf(cb)) {
    const value = (cb as Record<string, unknown>)[event];
    if (!(events as readonly string[]).includes(event)) {
      if (typeof value !== 'function') continue;
      throw new ArgumentError(
        `${who} has a handler for an event that never comes, "${event}"${didYouMean(event, events)}`,
      );
    }
    if (value === undefined) continue;
    if (typeof value !== 'function')
      throw new ArgumentError(
        `${event} of a callback must be a function of the learner, got ${typeof value}.`,
      );
    handlers++;
  }
  if (handlers === 0)
    throw new ArgumentError(
      `${who} has no handler for any event: a callback is an object with handlers, ${example}.`,
    );
}

/** Names of fields and methods, inherited ones as well, that look like those of events. */
function fieldsOf(cb: object): Set<string> {
  const names = new Set<string>();
  for (let o: object | null = cb; o && o !== Object.prototype; o = Object.getPrototypeOf(o))
    for (const name of Object.getOwnPropertyNames(o))
      if (/^(before|after)/.test(name)) names.add(name);
  return names;
}
