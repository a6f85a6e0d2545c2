import { ArgumentError } from '../errors.js';
import type { Model } from '../nn/model.js';
import type { Parameter } from '../nn/parameter.js';
import { checkArgument, whatIs } from '../options.js';

/**
 * Splits a model's parameters into groups, which may have learning rates of their own and be
 * frozen: first those to be changed least, last the "head".
 */
export type Splitter = (model: Model) => readonly (readonly Parameter[])[];

/**
 * Learning rates that rise evenly (by a constant factor) from the first group to the last; fastai's
 * `slice`.
 */
export interface Slice {
  /** Rate of the first group; without it every group but the last gets stop/10. */
  readonly start?: number;
  /** Rate of the last group. */
  readonly stop: number;
}

/** A learning rate: one for all parameter groups, one for each, or a slice. */
export type LearningRate = number | readonly number[] | Slice;

/**
 * fastai's `slice(lo, hi)`: rates from `lo` for the first group to `hi` for the last, each the same
 * multiple of the one before. `slice(hi)`: `hi` for the last group, hi/10 for all others.
 * @param start rate of the first group; alone, that of the last
 * @param stop rate of the last group
 * @example slice(1e-5, 1e-3) // three groups: 1e-5, 1e-4, 1e-3
 */
export function slice(start: number, stop?: number): Slice {
  return stop === undefined ? { stop: start } : { start, stop };
}

const MAX_LR = 1e30; // schedules multiply and divide it

/** The learning rate of each of `n` groups. */
export function groupRates(lr: LearningRate, n: number): number[] {
  const rates = spread(lr, n);
  if (rates.length !== n)
    throw new ArgumentError(
      `There are ${rates.length} learning rates for ${n} parameter groups: give one, or one for each.`,
    );
  const bad = rates.findIndex((rate) => !(rate > 0 && rate <= MAX_LR));
  if (bad >= 0)
    throw new ArgumentError(
      `lr must be a positive number, got ${rates[bad]}. Common ones lie between 1e-5 and 0.1: lrFind suggests some.`,
    );
  return rates;
}

function spread(lr: LearningRate, n: number): number[] {
  if (typeof lr === 'number') return Array<number>(n).fill(lr);
  if (typeof lr !== 'object' || lr === null || !(Array.isArray(lr) || 'stop' in lr)) {
    const hint =
      whatIs(lr) === 'an object of Object'
        ? ' Options come after it: learn.fit(5, 1e-3, { wd: 0.1 }).'
        : '';
    throw new ArgumentError(
      `lr must be a positive number, one for each parameter group, or a slice(start, stop), got ${whatIs(lr)}.${hint}`,
    );
  }
  if (!('stop' in lr)) return [...lr];
  const { start, stop } = lr;
  if (start === undefined)
    return Array.from({ length: n }, (_, i) => (i < n - 1 ? stop / 10 : stop));
  return Array.from({ length: n }, (_, i) =>
    i < n - 1 ? start * (stop / start) ** (i / (n - 1)) : stop,
  );
}

/** All parameters in one group: the default. */
export function oneGroup(model: Model): readonly (readonly Parameter[])[] {
  return [model.parameters];
}

/** The groups that a splitter makes, checked: no parameter twice, none of another model. */
export function splitParameters(
  splitter: Splitter,
  model: Model,
): readonly (readonly Parameter[])[] {
  if (model.parameters.length === 0)
    throw new ArgumentError('The model has no parameters: there is nothing to train.');
  checkArgument(
    typeof splitter === 'function',
    splitter,
    'A learner',
    'a splitter that is a function of the model, such as biasSplitter',
  );
  const groups = splitter(model);
  const fits = Array.isArray(groups) && groups.every((group) => Array.isArray(group));
  checkArgument(
    fits,
    groups,
    'A learner',
    'a splitter that returns groups, arrays of parameters, such as (model) => [[…], […]]',
  );
  const seen = new Set<Parameter>();
  for (const p of groups.flat()) {
    if (!model.parameters.includes(p))
      throw new ArgumentError(
        `The splitter names the parameter ${p.name}, which the model does not have.`,
      );
    if (seen.has(p))
      throw new ArgumentError(`The splitter puts the parameter ${p.name} into two groups.`);
    seen.add(p);
  }
  if (groups.some((group) => group.length === 0))
    throw new ArgumentError('The splitter makes a group without parameters.');
  return groups;
}
