import { AsyncLocalStorage } from 'node:async_hooks';
import { ArgumentError } from '../errors.js';
import { type Callback, callbackName } from './callback.js';
import { type EventName, innerLoop } from './events.js';
import type { Learner } from './learner.js';

/** The learner whose run a handler belongs to, in what follows its awaits as well. */
const handled = new AsyncLocalStorage<Learner>();

/** Calls the handlers of a learner's callbacks, by ascending order. */
export class Dispatcher {
  private sorted: readonly Callback[] = [];
  private depth = 0;

  constructor(private readonly learn: Learner) {}

  /**
   * Whether the code that asks belongs to the learner's own run: to a handler, or to `within`.
   * Other cells and callers come between two awaits.
   */
  get inside(): boolean {
    return this.depth > 0 || handled.getStore() === this.learn;
  }

  /** Does what belongs to the run, without waiting. */
  within<T>(work: () => T): T {
    this.depth++;
    try {
      return work();
    } finally {
      this.depth--;
    }
  }

  /** Calls an event's handlers, none of which may wait. */
  call(event: EventName): void {
    for (const cb of this.ordered()) {
      if (!runsNow(cb, event, this.learn.training)) continue;
      this.depth++;
      let result: void | Promise<void>;
      try {
        result = cb[event]?.(this.learn);
      } finally {
        this.depth--;
      }
      if (result instanceof Promise) {
        throw new ArgumentError(
          `${callbackName(cb)}.${event} returned a promise: handlers that run in every batch must be synchronous.`,
        );
      }
    }
  }

  /** Calls an event's handlers outside of the inner loop, one after the other. */
  async callAsync(event: EventName): Promise<void> {
    for (const cb of this.ordered()) await handled.run(this.learn, () => cb[event]?.(this.learn));
  }

  /**
   * A part of the run between its events `before…` and `after…`; a callback leaves it by throwing
   * `cancel`.
   */
  async withEvents(
    name: 'Fit' | 'Epoch' | 'Train' | 'Validate',
    cancel: new () => Error,
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      await this.callAsync(`before${name}`);
      await work();
    } catch (e) {
      if (!(e instanceof cancel)) throw e;
      await this.callAsync(`afterCancel${name}`);
    }
    await this.callAsync(`after${name}`);
  }

  /** The same for a part of a batch. */
  around(name: 'Batch' | 'Backward' | 'Step', cancel: new () => Error, work: () => void): void {
    try {
      this.call(`before${name}`);
      work();
    } catch (e) {
      if (!(e instanceof cancel)) throw e;
      this.call(`afterCancel${name}`);
    }
    this.call(`after${name}`);
  }

  private ordered(): readonly Callback[] {
    const { cbs } = this.learn;
    const same = this.sorted.length === cbs.length && cbs.every((cb) => this.sorted.includes(cb));
    if (!same) this.sorted = [...cbs].sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
    return this.sorted;
  }
}

/**
 * Whether a callback gets an event now: `runTrain` and `runValid` limit those of the inner loop.
 */
function runsNow(cb: Callback, event: EventName, training: boolean): boolean {
  if (!innerLoop.has(event)) return true;
  return training ? cb.runTrain !== false : cb.runValid !== false;
}
