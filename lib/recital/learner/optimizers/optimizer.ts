import { dispose, float32 } from '../../compute/memory.js';
import { display } from '../../data/output.js';
import { ArgumentError, UnknownIdError } from '../../errors.js';
import type { Parameter } from '../../nn/parameter.js';
import { checkArgument, checkNumber, checkOptions, isFunction } from '../../options.js';
import { counted, printed } from '../../printed.js';
import { checkHyper, type Hypers, type ParamGroup } from './groups.js';
import type { PendingRows } from './time-skipping/pending-rows.js';

/**
 * The state of one parameter: steps taken and moments.
 * @example const { step, buffers }: ParamState = { step: 1, buffers: { gradAvg: new Float32Array(6) } }; // after one step of SGD with momentum
 */
export interface ParamState {
  step: number;
  readonly buffers: Record<string, Float32Array>;
}

/** The whole state of an optimizer, as copies: to restore after lrFind, or to save. */
export interface OptimizerState {
  readonly hypers: readonly Hypers[];
  readonly params: Record<string, { step: number; buffers: Record<string, Float32Array> }>;
}

type OptArguments = [params: readonly (readonly Parameter[])[], options: { lr: number }];

/** Makes an optimizer for parameter groups. */
export type OptFunc = (...args: OptArguments) => Optimizer;

/** The class of an optimizer whose options, `lr` excepted, have defaults. */
export type OptClass = new (...args: OptArguments) => Optimizer;

/** A function that makes an optimizer, given one or a class. */
export function asOptFunc(make: OptFunc | OptClass): OptFunc {
  if (typeof make !== 'function')
    throw new ArgumentError(
      `optFunc must be an optimizer's class, such as Adam, or a function that makes an optimizer, got ${typeof make}.`,
    );
  if (make.prototype instanceof Optimizer)
    return (params, options) => new (make as OptClass)(params, options);
  if (!isFunction(make))
    throw new ArgumentError(
      `optFunc must be an optimizer's class, such as Adam; ${make.name || 'this class'} is none.`,
    );
  return make as OptFunc;
}

/**
 * Base class of the optimizers. An optimizer may update the rows of tables lazily: `touch()` is
 * called when the model has marked the rows that the next forward pass reads, and `settle()` before
 * a whole table is read (validation, saving, `bias()`, recommending, changing the optimizer). Both
 * do nothing, except where time is skipped (see SkippingOptimizer).
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

  /**
   * Whether weight decay applies to batch norm and biases of linear layers as well (fastai's
   * `wd_bn_bias`).
   */
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
    checkOptions(options, ['trainBn'], 'freezeTo');
    const { trainBn = true } = options;
    checkNumber(n, Number.isInteger(n), 'freezeTo needs the number of a parameter group');
    const { length } = this.groups;
    this.frozenTo = Math.max(0, n < 0 ? length + n : n);
    if (this.frozenTo >= length)
      display().warn(`Freezing ${this.frozenTo} of ${length} groups: the whole model is frozen.`);
    this.groups.forEach(({ params }, i) => {
      for (const p of params) p.trainable = i >= this.frozenTo || (trainBn && p.norm);
    });
  }

  /**
   * Sets hyper-parameters: one value for all groups, or one for each group. All are checked before
   * any is set.
   */
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
      groups.forEach((group, i) => {
        group.hypers[name] = each[i];
      });
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

  /**
   * Restores the updates that were pending when `saved` was made, unless the weights have been
   * changed by other means.
   */
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
    const params: OptimizerState['params'] = {};
    for (const [p, { step, buffers }] of this.states) {
      params[p.name] = {
        step,
        buffers: Object.fromEntries(Object.entries(buffers).map(([name, b]) => [name, b.slice()])),
      };
    }
    return { hypers: this.groups.map((g) => ({ ...g.hypers })), params };
  }

  /**
   * Throws ArgumentError if a state is of other parameters or another optimizer.
   * @returns this optimizer's parameters by name
   */
  checkStateDict(saved: OptimizerState): Map<string, Parameter> {
    checkState(saved);
    const all = new Map(this.groups.flatMap((g) => g.params.map((p) => [p.name, p])));
    if (saved.hypers.length !== this.groups.length)
      throw new ArgumentError(
        `The saved optimizer has ${saved.hypers.length} parameter groups, this one has ${this.groups.length}.`,
      );
    const names = (o: object): string => Object.keys(o).sort().join(', ');
    saved.hypers.forEach((h, i) => {
      const { hypers } = this.groups[i];
      if (names(h) === names(hypers)) return;
      throw new ArgumentError(
        `The saved optimizer is of another kind: its hyper-parameters are ${names(h)}, those of this one ${names(hypers)}.`,
      );
    });
    for (const [name, { buffers }] of Object.entries(saved.params)) {
      const p = all.get(name);
      if (!p)
        throw new UnknownIdError(
          'parameter',
          name,
          [...all.keys()],
          'The saved optimizer belongs to another model.',
        );
      if (
        names(buffers) !== [...this.bufferNames].sort().join(', ') ||
        Object.values(buffers).some((b) => b.length !== p.value.length)
      )
        throw new ArgumentError(
          `The saved state of ${name} (${Object.keys(buffers).join(', ')}) does not fit this optimizer or this parameter's shape.`,
        );
    }
    return all;
  }

  /** Sets a state. Throws ArgumentError, and changes nothing, if it does not fit. */
  loadStateDict(saved: OptimizerState): void {
    const all = this.checkStateDict(saved);
    saved.hypers.forEach((h, i) => {
      Object.assign(this.groups[i].hypers, h);
    });
    this.clearState();
    for (const [name, { step, buffers }] of Object.entries(saved.params)) {
      const state = this.state(all.get(name)!);
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

/** The result of an optFunc, if it is an optimizer. */
export function checkedOptimizer(made: unknown): Optimizer {
  if (made instanceof Optimizer) return made;
  throw new ArgumentError(
    `optFunc must return an optimizer, as (params, { lr }) => new SGD(params, { lr }) does, got ${made === null ? 'null' : typeof made}.`,
  );
}

printed(Optimizer, ({ constructor: type, groups, hypers }) => {
  const values = Object.entries(hypers).map(
    ([name, value]) => `${name} ${Number(value.toPrecision(6))}`,
  );
  const n = groups.reduce((sum, { params }) => sum + params.length, 0);
  const many = groups.length > 1 ? ` in ${groups.length} groups, of which the last has` : ',';
  return `${type.name}: ${counted(n, 'parameter')}${many} ${values.join(', ')}`;
});
