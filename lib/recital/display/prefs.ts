import { AsyncLocalStorage } from 'node:async_hooks';
import { checkArgument, isFunction } from '../options.js';

interface Prefs {
  readonly bar: boolean;
  readonly logging: boolean;
}

const scope = new AsyncLocalStorage<Prefs>();
const all: Prefs = { bar: true, logging: true };

/** What the live display of a training may show at this point. */
export function displayPrefs(): Prefs {
  return scope.getStore() ?? all;
}

/**
 * Trains without progress bars; the table of results still grows. fastai's `learn.no_bar()`.
 * @param work what trains, e.g. `() => learn.fit(1)`
 * @returns what `work` returns, so that it can be awaited
 * @example await noBar(() => learn.fitOneCycle(5));
 */
export function noBar<T>(work: () => T): T {
  checkArgument(isFunction(work), work, 'noBar', 'a function, such as () => learn.fit(1)');
  return scope.run({ ...displayPrefs(), bar: false }, work);
}

/**
 * Trains without bars and without the table. fastai's `learn.no_logging()`. The recorder still
 * keeps every value.
 * @param work what trains, e.g. `() => learn.fit(1)`
 * @returns what `work` returns, so that it can be awaited
 * @example await noLogging(() => learn.fit(1));
 */
export function noLogging<T>(work: () => T): T {
  checkArgument(isFunction(work), work, 'noLogging', 'a function, such as () => learn.fit(1)');
  return scope.run({ bar: false, logging: false }, work);
}
