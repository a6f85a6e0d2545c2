import { ArgumentError } from '../errors.js';
import {
  checkArgument,
  checkCount,
  checkNumber,
  checkOptions,
  checkRounds,
  given,
  MAX_ROUNDS,
  said,
} from '../options.js';
import { printed } from '../printed.js';
import { type Callback, list } from './callback.js';
import type { Learner } from './learner.js';
import { checkHyper, groupRates, type LearningRate, type Slice } from './optimizers/optimizer.js';

/** A hyper-parameter as a function of the position in the run, 0 … 1. */
export type Schedule = (pos: number) => number;

/** The largest value: beyond it, the difference of two may overflow. */
const MAX = 1e300;

function checkEnds(name: string, ...ends: readonly number[]): void {
  if (ends.every((end) => Number.isFinite(end) && Math.abs(end) <= MAX)) return;
  throw new ArgumentError(
    `${name} needs finite values, at most ${MAX}, got ${ends.map(said).join(' and ')}.`,
  );
}

/**
 * Linear from start to end.
 * @example schedLin(1, 3)(0.25) // 1.5
 */
export function schedLin(start: number, end: number): Schedule {
  checkEnds('schedLin', start, end);
  return (pos) => start + pos * (end - start);
}

/**
 * Half a cosine from start to end: start + (end − start)·(1 + cos(π(1 − pos)))/2.
 * @example schedCos(0, 1)(0.5) // 0.5
 */
export function schedCos(start: number, end: number): Schedule {
  checkEnds('schedCos', start, end);
  return (pos) => start + ((1 + Math.cos(Math.PI * (1 - pos))) * (end - start)) / 2;
}

/**
 * Exponential from start to end, both more than 0: start·(end/start)^pos.
 * @example schedExp(1e-4, 1e-2)(0.5) // 0.001
 */
export function schedExp(start: number, end: number): Schedule {
  const ratio = end / start;
  if (!(start > 0 && end > 0 && ratio > 0 && Number.isFinite(ratio)))
    throw new ArgumentError(
      `schedExp needs positive values that are not too far apart, got ${said(start)} and ${said(end)}.`,
    );
  return (pos) => start * (end / start) ** pos;
}

/**
 * Polynomial from start to end: start + (end − start)·pos^power.
 * @param options.power exponent, more than 0
 * @example schedPoly(0, 1, { power: 2 })(0.5) // 0.25
 */
export function schedPoly(start: number, end: number, options: { power: number }): Schedule {
  checkEnds('schedPoly', start, end);
  checkOptions(options, ['power'], 'schedPoly');
  const { power } = options;
  checkNumber(power, power > 0 && Number.isFinite(power), 'schedPoly needs a positive power');
  return (pos) => start + (end - start) * pos ** power;
}

/**
 * Schedules one after the other, each taking its share of the way and running over 0 … 1 in it
 * (fastai's `combine_scheds`).
 * @param pcts shares, none negative, that sum to 1
 * @param scheds as many schedules
 * @example combineScheds([0.5, 0.5], [schedLin(0, 1), schedLin(1, 0)])(0.75) // 0.5
 */
export function combineScheds(pcts: readonly number[], scheds: readonly Schedule[]): Schedule {
  const of = 'combineScheds';
  for (const values of [pcts, scheds])
    checkArgument(Array.isArray(values), values, of, 'an array of shares and one of schedules');
  const wanted = 'schedules that are functions, such as schedCos(1e-2, 1e-4)';
  for (const sched of scheds) checkArgument(typeof sched === 'function', sched, of, wanted);
  if (pcts.length !== scheds.length || pcts.length === 0)
    throw new ArgumentError(
      `${of} needs as many schedules as shares, got ${scheds.length} and ${pcts.length}.`,
    );
  const shares = Array.from(pcts);
  if (!shares.every((p) => p >= 0) || Math.abs(shares.reduce((a, b) => a + b, 0) - 1) > 1e-9)
    throw new ArgumentError(
      `${of} needs non-negative shares that sum to 1, got ${shares.slice(0, 10).join(', ')}.`,
    );
  const starts = [0];
  for (const p of shares) starts.push(starts[starts.length - 1] + p);
  let last = scheds.length - 1; // the last schedule with a share that is not 0
  while (last > 0 && starts[last + 1] === starts[last]) last--;
  return (pos) => {
    if (pos >= 1) return scheds[scheds.length - 1](1);
    let i = 0;
    while (i < last && pos >= starts[i + 1] - 1e-9) i++; // 0.1 + 0.2 > 0.3: sums are rounded
    return scheds[i](Math.max(0, pos - starts[i]) / (starts[i + 1] - starts[i]));
  };
}

/**
 * Cosine from start to middle over the first `pct`, then cosine to end: the one-cycle shape
 * (fastai's `combined_cos`).
 * @example combinedCos(0.25, [0.001, 0.01, 0])(0.25) // 0.01
 */
export function combinedCos(pct: number, values: readonly [number, number, number]): Schedule {
  checkArgument(Array.isArray(values), values, 'combinedCos', 'three values: [start, middle, end]');
  const [start, middle, end] = values;
  checkNumber(pct, pct > 0 && pct < 1, 'The share of the rising part must lie between 0 and 1');
  return combineScheds([pct, 1 - pct], [schedCos(start, middle), schedCos(middle, end)]);
}

/**
 * Sets hyper-parameters before every training batch from the position in the run, `learn.pctTrain`,
 * and has the recorder keep them (fastai's ParamScheduler).
 * @example
 * // three epochs: one of warming up, two of cooling down
 * const lr = combineScheds([1 / 3, 2 / 3], [schedLin(1e-4, 1e-2), schedCos(1e-2, 1e-6)]);
 * await learn.fit(3, 1e-2, { cbs: new ParamScheduler({ lr }) });
 */
export class ParamScheduler implements Callback {
  readonly name: string = 'ParamScheduler';
  readonly order = 60;
  readonly runValid = false;

  /**
   * @param scheds by hyper-parameter (`lr`, `mom`, `wd` …) a schedule for all parameter groups, or
   * one for each
   */
  constructor(readonly scheds: Readonly<Record<string, Schedule | readonly Schedule[]>>) {
    const wanted = 'schedules by hyper-parameter, such as { lr: schedCos(1e-2, 1e-5) }';
    const fits = typeof scheds === 'object' && scheds !== null;
    checkArgument(fits, scheds, 'new ParamScheduler', wanted);
    for (const [name, sched] of Object.entries(scheds)) {
      if ([sched].flat().every((each) => typeof each === 'function')) continue;
      throw new ArgumentError(
        `The schedule of ${name} must be a function of the position in the run, such as schedCos(1e-2, 1e-5), or one for each group.`,
      );
    }
  }

  beforeFit({ recorder, opt }: Learner): void {
    const names = Object.keys(this.scheds);
    for (const name of names) opt.checkName(name);
    for (const name of names) recorder.hps[name] ??= [];
  }

  beforeBatch(learn: Learner): void {
    this.update(learn, learn.pctTrain);
  }

  afterBatch({ recorder, opt }: Learner): void {
    for (const name of Object.keys(this.scheds)) recorder.hps[name].push(opt.hypers[name]);
  }

  /** Sets the hyper-parameters for a position in the run, 0 … 1. */
  protected update({ opt }: Learner, pos: number): void {
    const at = Object.entries(this.scheds).map(([name, sched]) => [
      name,
      typeof sched === 'function' ? sched(pos) : sched.map((each) => each(pos)),
    ]);
    opt.setHypers(Object.fromEntries(at));
  }
}

printed(
  ParamScheduler,
  ({ constructor: type, scheds }) => `${type.name}(${Object.keys(scheds).join(', ')})`,
);

// The kinds of runs: their options, and the schedules that they make of them.

type Moms = readonly [number, number, number];

const FIT = {
  /** Weight decay from now on; default: the learner's. */
  wd: undefined as number | undefined,
  /** Callbacks of this run only; default: none. */
  cbs: [] as Callback | readonly Callback[],
};

/** Options of every kind of run. */
export type FitOptions = Partial<typeof FIT>;

const ONE_CYCLE = {
  ...FIT,
  /** The first learning rate is lrMax/div; default 25. */
  div: 25,
  /** The last learning rate is lrMax/divFinal; default 1e5. */
  divFinal: 1e5,
  /** Share of the run in which the learning rate rises; default 0.25. */
  pctStart: 0.25,
  /** Momentum: start, middle, end; default the learner's. */
  moms: undefined as Moms | undefined,
};

/** Options of fitOneCycle. */
export type FitOneCycleOptions = Partial<typeof ONE_CYCLE>;

const FLAT_COS = {
  ...FIT,
  /** The last learning rate is lr/divFinal; default 1e5. */
  divFinal: 1e5,
  /** Share of the run in which the learning rate stays; default 0.75. */
  pctStart: 0.75,
};

/** Options of fitFlatCos. */
export type FitFlatCosOptions = Partial<typeof FLAT_COS>;

const SGDR = {
  ...FIT,
  /** Learning rate at the start of each cycle; default the learner's. */
  lrMax: undefined as LearningRate | undefined,
  /** Each cycle is this many times as long as the one before, a whole number; default 2. */
  cycleMult: 2,
};

/** Options of fitSgdr. */
export type FitSgdrOptions = Partial<typeof SGDR>;

const FINE_TUNE = {
  ...ONE_CYCLE,
  /** Epochs with all groups frozen but the last; default 1. */
  freezeEpochs: 1,
  /** In the second run the last group's rate is this many times the first one's; default 100. */
  lrMult: 100,
  /** As in fitOneCycle, of the second run; default 0.3. */
  pctStart: 0.3,
  /** As in fitOneCycle, of the second run; default 5. */
  div: 5,
};

/** Options of fineTune: those of fitOneCycle are for both runs, `pctStart` and `div` for the second. */
export type FineTuneOptions = Partial<typeof FINE_TUNE>;

const OPTIONS = {
  fit: FIT,
  fitOneCycle: ONE_CYCLE,
  fitFlatCos: FLAT_COS,
  fitSgdr: SGDR,
  fineTune: FINE_TUNE,
};

/** The callbacks of a run, and its other options; throws ArgumentError for an unknown one. */
export function fitOptions<O extends FitOptions>(
  method: keyof typeof OPTIONS,
  options: O,
): { cbs: readonly Callback[]; options: Omit<O, 'cbs'> } {
  checkOptions(options, Object.keys(OPTIONS[method]) as (keyof O & string)[], method);
  const { cbs = [], ...rest } = options;
  return { cbs: list(cbs), options: rest };
}

type Call<Method, Options, Size = { nEpoch: number }> = Readonly<
  Size & { method: Method; lr: LearningRate; options: Omit<Options, 'cbs'>; freezeTo?: number }
>;

/** The call of a method that trains, without its callbacks: plain data, to be saved and resumed. */
export type FitCall =
  | Call<'fit', FitOptions>
  | Call<'fitOneCycle', FitOneCycleOptions>
  | Call<'fitFlatCos', FitFlatCosOptions>
  | Call<'fitSgdr', Omit<FitSgdrOptions, 'lrMax'>, { nCycles: number; cycleLen: number }>;

/** A call worked out: epochs, learning rates of the groups, and schedules, if any. */
export interface FitPlan {
  readonly nEpoch: number;
  readonly lrs: readonly number[];
  readonly scheds: Readonly<Record<string, Schedule | readonly Schedule[]>>;
}

/** Checks a call and computes its epochs, learning rates and schedules. */
export function planOf(call: FitCall, learn: Learner): FitPlan {
  const { wd } = call.options;
  if (wd !== undefined) checkHyper('wd', wd);
  const lrs = groupRates(call.lr, learn.opt.groups.length);
  if (call.method === 'fitSgdr') return sgdr(call, lrs);
  const { nEpoch } = call;
  checkRounds(nEpoch, 'nEpoch');
  if (call.method === 'fit') return { nEpoch, lrs, scheds: {} };
  if (call.method === 'fitFlatCos') {
    const { divFinal, pctStart } = given(FLAT_COS, call.options, 'fitFlatCos');
    checkPositive('divFinal', divFinal);
    const lr = lrs.map((rate) => combinedCos(pctStart, [rate, rate, rate / divFinal]));
    return { nEpoch, lrs, scheds: { lr } };
  }
  const all = given(ONE_CYCLE, call.options, 'fitOneCycle');
  const { div, divFinal, pctStart, moms = learn.moms } = all;
  checkPositive('divFinal', divFinal);
  checkPositive('div', div);
  checkMoms(moms);
  const lr = lrs.map((rate) => combinedCos(pctStart, [rate / div, rate, rate / divFinal]));
  return { nEpoch, lrs, scheds: { lr, mom: combinedCos(pctStart, moms) } };
}

const MAX_CYCLES = 1e5;

function sgdr(call: FitCall & { method: 'fitSgdr' }, lrs: readonly number[]): FitPlan {
  const { nCycles, cycleLen } = call;
  const { cycleMult } = given(SGDR, call.options, 'fitSgdr');
  for (const [name, n] of Object.entries({ nCycles, cycleLen, cycleMult })) checkCount(n, name);
  if (nCycles > MAX_CYCLES || !(cycleLen * cycleMult ** (nCycles - 1) <= MAX_ROUNDS))
    throw new ArgumentError(
      `${nCycles} cycles, the first of ${cycleLen} epochs and each ${cycleMult} times as long as the one before, are too long a run. Give fewer, or cycleMult: 1.`,
    );
  const epochs = Array.from({ length: nCycles }, (_, i) => cycleLen * cycleMult ** i);
  const nEpoch = epochs.reduce((a, b) => a + b, 0);
  const shares = epochs.map((e) => e / nEpoch);
  const cycles = (lr: number): Schedule =>
    combineScheds(shares, Array<Schedule>(nCycles).fill(schedCos(lr, 0)));
  return { nEpoch, lrs, scheds: { lr: lrs.map(cycles) } };
}

/** The two calls of fastai's `fine_tune`. */
export function fineTuneCalls(
  epochs: number,
  baseLr: LearningRate,
  options: Omit<FineTuneOptions, 'cbs'>,
): FitCall[] {
  const { freezeEpochs, lrMult, pctStart, div } = given(FINE_TUNE, options, 'fineTune');
  const { wd, moms, divFinal } = options;
  const rest = { wd, moms, divFinal };
  checkRounds(epochs, 'epochs');
  checkRounds(freezeEpochs, 'freezeEpochs');
  checkPositive('lrMult', lrMult);
  const method = 'fitOneCycle';
  const single = typeof baseLr === 'number';
  const first = single ? { stop: baseLr } : baseLr;
  const second = single ? { start: baseLr / 2 / lrMult, stop: baseLr / 2 } : halved(baseLr);
  return [
    { method, freezeTo: -1, nEpoch: freezeEpochs, lr: first, options: { ...rest, pctStart: 0.99 } },
    { method, freezeTo: 0, nEpoch: epochs, lr: second, options: { ...rest, pctStart, div } },
  ];
}

function halved(lr: readonly number[] | Slice): LearningRate {
  if (!('stop' in lr)) return lr.map((rate) => rate / 2);
  const stop = lr.stop / 2;
  return lr.start === undefined ? { stop } : { start: lr.start / 2, stop };
}

/** Throws unless these are three momenta: start, middle, end. */
export function checkMoms(moms: Moms): void {
  if (!Array.isArray(moms) || moms.length !== 3)
    throw new ArgumentError(
      `moms must be three momenta, [start, middle, end], got ${Array.isArray(moms) ? `${moms.length} numbers` : moms}.`,
    );
  for (const mom of moms) checkHyper('mom', mom);
}

function checkPositive(name: string, value: number): void {
  checkNumber(value, value > 0 && value < Infinity, `${name} must be a positive number`);
}
