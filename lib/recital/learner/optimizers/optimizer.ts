import { dispose, float32 } from '../../compute/memory.js';
import { display } from '../../data/output.js';
import { ArgumentError, UnknownIdError } from '../../errors.js';
import { EmbeddingDotBias } from '../../models/embedding-dot-bias.js';
import type { Model } from '../../nn/model.js';
import type { Parameter } from '../../nn/parameter.js';
import { checkArgument, checkNumber, given, isFunction, said, whatIs } from '../../options.js';
import { counted, printed } from '../../printed.js';
import type { PendingRows } from './time-skipping/pending-rows.js';

type Groups = readonly (readonly Parameter[])[];

/**
 * Splits a model's parameters into groups, which may have learning rates of their own and be
 * frozen: first those to be changed least, last the "head".
 */
export type Splitter = (model: Model) => Groups;

/** Learning rates that rise by a constant factor from the first group to the last: `slice`. */
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
  if (Array.isArray(lr)) return [...lr];
  if (typeof lr !== 'object' || lr === null || !('stop' in lr)) {
    const options = whatIs(lr) === 'an object of Object';
    const hint = options ? ' Options come after it: learn.fit(5, 1e-3, { wd: 0.1 }).' : '';
    throw new ArgumentError(
      `lr must be a positive number, one for each parameter group, or a slice(start, stop), got ${whatIs(lr)}.${hint}`,
    );
  }
  const { start, stop } = lr;
  return Array.from({ length: n }, (_, i) => {
    if (i === n - 1) return stop;
    return start === undefined ? stop / 10 : start * (stop / start) ** (i / (n - 1));
  });
}

/** All parameters in one group: the default. */
export function oneGroup(model: Model): Groups {
  return [model.parameters];
}

/** The groups that a splitter makes, checked: no parameter twice, none of another model. */
export function splitParameters(splitter: Splitter, model: Model): Groups {
  if (model.parameters.length === 0)
    throw new ArgumentError('The model has no parameters: there is nothing to train.');
  const fn = 'a splitter that is a function of the model, such as biasSplitter';
  checkArgument(typeof splitter === 'function', splitter, 'A learner', fn);
  const groups = splitter(model);
  const fits = Array.isArray(groups) && groups.every((group) => Array.isArray(group));
  const arrays = 'a splitter that returns groups, arrays of parameters: (model) => [[…], […]]';
  checkArgument(fits, groups, 'A learner', arrays);
  const wrong = (what: string): ArgumentError => new ArgumentError(`The splitter ${what}.`);
  const seen = new Set<Parameter>();
  for (const p of groups.flat()) {
    if (!model.parameters.includes(p))
      throw wrong(`names the parameter ${p?.name}, which the model does not have`);
    if (seen.has(p)) throw wrong(`puts the parameter ${p.name} into two groups`);
    seen.add(p);
  }
  if (groups.some((group) => group.length === 0)) throw wrong('makes a group without parameters');
  return groups;
}

/**
 * Splits an EmbeddingDotBias into biases | factors, so that `freeze()` trains the factors (the
 * taste) with the biases held, and a slice gives the biases the smaller rate: they rest on all rows
 * of a user or track, and are learnt first.
 * @param model an EmbeddingDotBias
 * @example
 * const learn = collabLearner(dls, { splitter: biasSplitter });
 * await learn.fitOneCycle(5, slice(1e-3, 5e-3)); // biases 1e-3, factors 5e-3
 */
export function biasSplitter(model: Model): Groups {
  if (!(model instanceof EmbeddingDotBias))
    throw new ArgumentError(
      `biasSplitter is for EmbeddingDotBias, the model is ${whatIs(model)}: give a splitter of its own.`,
    );
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
export function embeddingSplitter(model: Model): Groups {
  const wanted = 'a model, such as new EmbeddingNN(dls.classes)';
  checkArgument(Array.isArray(model?.parameters), model, 'embeddingSplitter', wanted);
  const tables = model.parameters.filter((p) => p.slots);
  const others = model.parameters.filter((p) => !p.slots);
  if (tables.length && others.length) return [tables, others];
  throw new ArgumentError(
    `embeddingSplitter needs a model of embeddings and other layers; ${model.constructor.name} has only one of them.`,
  );
}

/** Hyper-parameters by name: `lr`, `wd`, and those of the optimizer (`mom`, `sqrMom`, `eps` …). */
export type Hypers = Record<string, number>;

/** Throws ArgumentError for a value that a hyper-parameter of this name cannot have. */
export function checkHyper(name: string, value: number): void {
  const least = name === 'eps' ? Number.MIN_VALUE : 0; // a schedule may start or end at lr 0
  const kind = name === 'eps' || name === 'lr' ? 'positive' : 'non-negative';
  if (!(Number.isFinite(value) && value >= least))
    throw new ArgumentError(`${name} must be a ${kind} number, got ${said(value)}.`);
  if ((name === 'mom' || name === 'sqrMom') && value >= 1)
    throw new ArgumentError(`${name} must be below 1, got ${said(value)}.`);
}

/**
 * Parameters that share hyper-parameters.
 * @example
 * const [group]: readonly ParamGroup[] = learn.opt.groups;
 * group.hypers.wd; // weight decay of its parameters
 */
export interface ParamGroup {
  readonly params: readonly Parameter[];
  readonly hypers: Hypers;
  /** Whether weight decay applies to batch norm and biases of linear layers as well. */
  decayAll: boolean;
}

/** Parameter groups with the same hyper-parameters each. */
export function paramGroups(params: Groups, hypers: Hypers): ParamGroup[] {
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
    if (same)
      throw new ArgumentError(
        same === p
          ? `Parameter ${p.name} is given to the optimizer twice, so it would take two steps at once.`
          : `Two parameters are called ${p.name}, but an optimizer keeps its state by name: names must differ.`,
      );
    names.set(p.name, p);
  }
  return params.map((group) => ({ params: [...group], hypers: { ...hypers }, decayAll: false }));
}

/**
 * The state of one parameter: steps taken and moments.
 * @example const state: ParamState = { step: 1, buffers: { gradAvg: new Float32Array(6) } };
 */
export interface ParamState {
  step: number;
  readonly buffers: Record<string, Float32Array>;
}

/** The whole state of an optimizer, as copies. */
export interface OptimizerState {
  readonly hypers: readonly Hypers[];
  readonly params: Record<string, ParamState>;
}

type OptArguments = [params: Groups, options: { lr: number }];

/** Makes an optimizer for parameter groups. */
export type OptFunc = (...args: OptArguments) => Optimizer;

/** The class of an optimizer whose options, `lr` excepted, have defaults. */
export type OptClass = new (...args: OptArguments) => Optimizer;

/** A function that makes an optimizer, given one or a class. */
export function asOptFunc(make: OptFunc | OptClass): OptFunc {
  if (make?.prototype instanceof Optimizer)
    return (params, options) => new (make as OptClass)(params, options);
  if (isFunction(make)) return make as OptFunc;
  const got = typeof make === 'function' ? make.name || 'another class' : typeof make;
  throw new ArgumentError(
    `optFunc must be an optimizer's class, such as Adam, or a function that makes an optimizer, got ${got}.`,
  );
}

/** The result of an optFunc, if it is an optimizer. */
export function checkedOptimizer(made: unknown): Optimizer {
  if (made instanceof Optimizer) return made;
  throw new ArgumentError(
    `optFunc must return an optimizer, as (params, { lr }) => new SGD(params, { lr }) does, got ${made === null ? 'null' : typeof made}.`,
  );
}

/**
 * Base class of the optimizers. One may update the rows of tables late (see MomentOptimizer):
 * `touch()` is called when the model has marked the rows that the next forward pass reads, and
 * `settle()` before a whole table is read (validation, saving, `bias()`, recommending).
 * @example
 * const { groups, hypers } = learn.opt; // an Optimizer
 * hypers.lr; // the rate of the last group
 */
export abstract class Optimizer {
  /** The first group whose parameters are trained: see `freezeTo`. */
  frozenTo = 0;
  protected readonly states = new Map<Parameter, ParamState>();

  /**
   * @param groups parameters and their hyper-parameters
   * @param bufferNames the moments kept per parameter, each of its shape, zero at first
   */
  constructor(
    readonly groups: readonly ParamGroup[],
    private readonly bufferNames: readonly string[],
  ) {}

  /** Whether weight decay applies to all parameters of all groups: fastai's `wd_bn_bias`. */
  get decayAll(): boolean {
    return this.groups.every((group) => group.decayAll);
  }

  set decayAll(all: boolean) {
    for (const group of this.groups) group.decayAll = all;
  }

  /**
   * Freezes the groups before the n-th: their parameters take no step.
   * @param n counted from 0, or from the end if negative
   * @param options.trainBn whether parameters of batch norm are trained in any case; default true
   */
  freezeTo(n: number, options: { trainBn?: boolean } = {}): void {
    const { trainBn } = given({ trainBn: true }, options, 'freezeTo');
    checkNumber(n, Number.isInteger(n), 'freezeTo needs the number of a parameter group');
    const { length } = this.groups;
    this.frozenTo = Math.max(0, n < 0 ? length + n : n);
    if (this.frozenTo >= length)
      display().warn(`Freezing ${this.frozenTo} of ${length} groups: the whole model is frozen.`);
    for (const [i, { params }] of this.groups.entries())
      for (const p of params) p.trainable = i >= this.frozenTo || (trainBn && p.norm);
  }

  /** Sets hyper-parameters, all or none: one value for all groups, or one for each group. */
  setHypers(values: Record<string, number | readonly number[] | undefined>): void {
    const wanted = 'values by name, such as { lr: 0.01 }';
    checkArgument(typeof values === 'object' && values !== null, values, 'setHypers', wanted);
    const { groups } = this;
    const perGroup = Object.entries(values).flatMap(([name, value]) => {
      if (value === undefined) return [];
      this.checkName(name);
      const each = typeof value === 'number' ? groups.map(() => value) : value;
      if (each.length !== groups.length)
        throw new ArgumentError(
          `${name} has ${each.length} values for ${groups.length} parameter groups: give one value, or one for each group.`,
        );
      for (const x of each) checkHyper(name, x);
      return [{ name, each }];
    });
    for (const { name, each } of perGroup)
      for (const [i, group] of groups.entries()) group.hypers[name] = each[i];
  }

  /** Throws UnknownIdError unless there is a hyper-parameter of this name. */
  checkName(name: string): void {
    const { hypers } = this.groups[0];
    if (!Object.hasOwn(hypers, name))
      throw new UnknownIdError('hyper-parameter', name, Object.keys(hypers));
  }

  /** Hyper-parameters of the last group, which fastai's recorder logs. */
  get hypers(): Readonly<Hypers> {
    return this.groups[this.groups.length - 1].hypers;
  }

  /** Brings the rows that every table has marked as touched up to date. */
  touch(): void {}

  /** Brings every row of every table up to date. */
  settle(): void {}

  /** The pending updates of tables, as copies; undefined if there are none. */
  pendingRows(): PendingRows | undefined {
    return undefined;
  }

  /** Restores pending updates, unless the weights have been changed by other means. */
  restorePendingRows(_saved: PendingRows): void {}

  /** One step for every trainable parameter, from its gradient. */
  step(): void {
    for (const { params, hypers, decayAll } of this.groups) {
      for (const p of params) {
        if (!p.trainable) continue;
        const state = this.state(p);
        state.step++;
        this.update(p, state, hypers, p.decay || decayAll ? hypers.wd : 0);
      }
    }
  }

  /** Sets all gradients to 0. */
  zeroGrad(): void {
    for (const { params } of this.groups) for (const p of params) p.zeroGrad();
  }

  /** A copy of the state. */
  stateDict(): OptimizerState {
    this.settle();
    const params = [...this.states].map(([{ name }, { step, buffers }]) => [
      name,
      { step, buffers: copies(buffers) },
    ]);
    return {
      hypers: this.groups.map((g) => ({ ...g.hypers })),
      params: Object.fromEntries(params),
    };
  }

  /** Throws ArgumentError if a state is of other parameters or another optimizer. */
  checkStateDict(saved: OptimizerState): void {
    checkState(saved);
    const params = this.byName();
    if (saved.hypers.length !== this.groups.length)
      throw new ArgumentError(
        `The saved optimizer has ${saved.hypers.length} parameter groups, this one has ${this.groups.length}.`,
      );
    const list = (names: readonly string[]): string => [...names].sort().join(', ');
    for (const [i, { hypers }] of this.groups.entries()) {
      const [theirs, own] = [saved.hypers[i], hypers].map((h) => list(Object.keys(h)));
      if (theirs !== own)
        throw new ArgumentError(
          `The saved optimizer is of another kind: its hyper-parameters are ${theirs}, those of this one ${own}.`,
        );
    }
    for (const [name, { buffers }] of Object.entries(saved.params)) {
      const p = params.get(name);
      const hint = 'The saved optimizer belongs to another model.';
      if (!p) throw new UnknownIdError('parameter', name, [...params.keys()], hint);
      const lengths = Object.values(buffers).every((b) => b.length === p.value.length);
      if (!lengths || list(Object.keys(buffers)) !== list(this.bufferNames))
        throw new ArgumentError(
          `The saved state of ${name} (${Object.keys(buffers).join(', ')}) does not fit this optimizer or this parameter's shape.`,
        );
    }
  }

  /** Sets a state. Throws ArgumentError, and changes nothing, if it does not fit. */
  loadStateDict(saved: OptimizerState): void {
    this.checkStateDict(saved);
    for (const [i, { hypers }] of this.groups.entries()) Object.assign(hypers, saved.hypers[i]);
    this.clearState();
    const params = this.byName();
    for (const [name, { step, buffers }] of Object.entries(saved.params)) {
      const state = this.state(params.get(name)!);
      state.step = step;
      for (const [key, values] of Object.entries(buffers)) state.buffers[key].set(values);
    }
  }

  /** Clears moments and step counts. */
  clearState(): void {
    for (const { buffers } of this.states.values()) Object.values(buffers).forEach(dispose);
    this.states.clear();
  }

  /** One step for one parameter. `wd` is 0 where decay does not apply. */
  protected abstract update(
    p: Parameter,
    state: ParamState,
    hypers: Readonly<Hypers>,
    wd: number,
  ): void;

  /** The parameters by their names. */
  protected byName(): Map<string, Parameter> {
    return new Map(this.groups.flatMap(({ params }) => params.map((p) => [p.name, p])));
  }

  /** The state of a parameter; zero at first. */
  protected state(p: Parameter): ParamState {
    const known = this.states.get(p);
    if (known) return known;
    const buffers = this.bufferNames.map((name) => [name, float32(p.value.length)]);
    const state: ParamState = { step: 0, buffers: Object.fromEntries(buffers) };
    this.states.set(p, state);
    return state;
  }
}

/** Copies of arrays, under the same names. */
export function copies(buffers: Record<string, Float32Array>): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(buffers).map(([name, b]) => [name, b.slice()]));
}

/** Throws ArgumentError unless this has the structure of a state, of whatever parameters. */
export function checkState(saved: OptimizerState): void {
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
  const fits =
    Array.isArray(saved?.hypers) &&
    saved.hypers.every(isObject) &&
    isObject(saved.params) &&
    Object.values(saved.params).every((p) => isObject(p?.buffers));
  checkArgument(fits, saved, 'loadStateDict', 'what stateDict() of such an optimizer has returned');
}

printed(Optimizer, ({ constructor: type, groups, hypers }) => {
  const values = Object.entries(hypers).map(
    ([name, value]) => `${name} ${Number(value.toPrecision(6))}`,
  );
  const n = groups.reduce((sum, { params }) => sum + params.length, 0);
  const many = groups.length > 1 ? ` in ${groups.length} groups, of which the last has` : ',';
  return `${type.name}: ${counted(n, 'parameter')}${many} ${values.join(', ')}`;
});
