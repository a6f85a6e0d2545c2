import { ArgumentError } from '../../errors.js';
import { EmbeddingDotBias } from '../../models/embedding-dot-bias.js';
import type { Model } from '../../nn/model.js';
import type { Parameter } from '../../nn/parameter.js';
import { checkArgument, said, whatIs } from '../../options.js';

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

const MAX_LR = 1e30;
// schedules multiply and divide it

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
  const wanted = {
    splitter: 'a splitter that is a function of the model, such as biasSplitter',
    groups: 'a splitter that returns groups, arrays of parameters, such as (model) => [[…], […]]',
  };
  checkArgument(typeof splitter === 'function', splitter, 'A learner', wanted.splitter);
  const groups = splitter(model);
  const fits = Array.isArray(groups) && groups.every((group) => Array.isArray(group));
  checkArgument(fits, groups, 'A learner', wanted.groups);
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

/**
 * Splits an EmbeddingDotBias into biases | factors. Biases (how popular an item is, how much a user
 * plays) rest on all rows of a user or item and settle first; taste is in the factors. So the
 * factors are the last group: `freeze()` trains them with the biases held, and a slice gives the
 * biases the smaller rate.
 * @param model an EmbeddingDotBias
 * @example
 * const learn = collabLearner(dls, { splitter: biasSplitter });
 * await learn.fitOneCycle(5, slice(1e-3, 5e-3)); // biases 1e-3, factors 5e-3
 */
export function biasSplitter(model: Model): readonly (readonly Parameter[])[] {
  if (!(model instanceof EmbeddingDotBias)) {
    throw new ArgumentError(
      `biasSplitter is for EmbeddingDotBias, the model is ${whatIs(model)}: give a splitter of its own.`,
    );
  }
  return [
    [model.uBias, model.iBias],
    [model.uWeight, model.iWeight],
  ];
}

/**
 * Splits a model into embeddings | all other layers: `freeze()` trains the layers on top of
 * embeddings that stay as they are.
 * @param model a model with embeddings, such as EmbeddingNN
 * @example
 * const learn = collabLearner(dls, { useNn: true, splitter: embeddingSplitter });
 * learn.freeze(); // the embeddings stay as they are
 */
export function embeddingSplitter(model: Model): readonly (readonly Parameter[])[] {
  checkArgument(
    Array.isArray(model?.parameters),
    model,
    'embeddingSplitter',
    'a model, such as new EmbeddingNN(dls.classes)',
  );
  const tables = model.parameters.filter((p) => p.slots);
  const others = model.parameters.filter((p) => !p.slots);
  if (!tables.length || !others.length) {
    throw new ArgumentError(
      `embeddingSplitter needs a model of embeddings and other layers; ${model.constructor.name} has only one of them.`,
    );
  }
  return [tables, others];
}

/** Hyper-parameters by name: `lr`, `wd`, and those of the optimizer (`mom`, `sqrMom`, `eps` …). */
export type Hypers = Record<string, number>;

/**
 * Parameters that share hyper-parameters.
 * @example
 * const [group]: readonly ParamGroup[] = learn.opt.groups;
 * group.hypers.wd; // weight decay of its parameters
 */
export interface ParamGroup {
  readonly params: readonly Parameter[];
  readonly hypers: Hypers;
  /**
   * Whether weight decay applies to all of them, batch norm and biases of linear layers as well.
   */
  decayAll: boolean;
}

/** Parameter groups with the same hyper-parameters each. */
export function paramGroups(
  params: readonly (readonly Parameter[])[],
  hypers: Hypers,
): ParamGroup[] {
  const isGroup = (group: unknown): boolean =>
    Array.isArray(group) && group.every((p) => p?.value instanceof Float32Array);
  const wanted = 'groups of parameters, arrays in an array, such as [learn.model.parameters]';
  checkArgument(Array.isArray(params) && params.every(isGroup), params, 'An optimizer', wanted);
  if (!params.some((group) => group.length))
    throw new ArgumentError('An optimizer needs at least one parameter, got none.');
  for (const [name, value] of Object.entries(hypers)) checkHyper(name, value);
  if (hypers.lr === 0) throw new ArgumentError('lr must be a positive number, got 0.');
  const names = new Map<string, Parameter>();
  for (const p of params.flat()) {
    const same = names.get(p.name);
    if (same === p)
      throw new ArgumentError(
        `Parameter ${p.name} is given to the optimizer twice, so it would take two steps at once.`,
      );
    if (same)
      throw new ArgumentError(
        `Two parameters are called ${p.name}, but an optimizer keeps its state by name: names must differ.`,
      );
    names.set(p.name, p);
  }
  return params.map((group) => ({ params: [...group], hypers: { ...hypers }, decayAll: false }));
}

/** Throws ArgumentError for a value that a hyper-parameter of this name cannot have. */
export function checkHyper(name: string, value: number): void {
  const positive = name === 'eps'; // a schedule may start or end at lr 0
  if (!Number.isFinite(value) || value < 0 || (positive && value === 0)) {
    throw new ArgumentError(
      `${name} must be a ${positive || name === 'lr' ? 'positive' : 'non-negative'} number, got ${said(value)}.`,
    );
  }
  if ((name === 'mom' || name === 'sqrMom') && value >= 1)
    throw new ArgumentError(`${name} must be below 1, got ${said(value)}.`);
}
