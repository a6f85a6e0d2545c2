import { ArgumentError } from '../errors.js';
import { checkCount, checkNumber, checkOptions, checkRounds, MAX_ROUNDS } from '../options.js';
import { type Callback, list } from './callback.js';
import type { Learner } from './learner.js';
import { checkHyper, groupRates, type LearningRate, type Slice } from './optimizers/optimizer.js';
import { combinedCos, combineScheds, type Schedule, schedCos } from './schedules.js';

/** Options of every kind of run. */
export interface FitOptions {
  /** Weight decay from now on; default: the learner's. */
  wd?: number;
  /** Callbacks of this run only; default: none. */
  cbs?: Callback | readonly Callback[];
  /**
   * Start with a new optimizer; default false: moments survive from one fit to the next, as in
   * fastai.
   */
  resetOpt?: boolean;
  /** Skip the epochs before this one, with their part of the schedule; default 0. */
  startEpoch?: number;
}

/** Options of fitOneCycle. */
export interface FitOneCycleOptions extends FitOptions {
  /** The first learning rate is lrMax/div; default 25. */
  div?: number;
  /** The last learning rate is lrMax/divFinal; default 1e5. */
  divFinal?: number;
  /** Share of the run in which the learning rate rises; default 0.25. */
  pctStart?: number;
  /** Momentum: start, middle, end; default the learner's. */
  moms?: readonly [number, number, number];
}

/** Options of fitFlatCos. */
export interface FitFlatCosOptions extends FitOptions {
  /** The last learning rate is lr/divFinal; default 1e5. */
  divFinal?: number;
  /** Share of the run in which the learning rate stays; default 0.75. */
  pctStart?: number;
}

/** Options of fitSgdr. */
export interface FitSgdrOptions extends FitOptions {
  /** Learning rate at the start of each cycle; default the learner's. */
  lrMax?: LearningRate;
  /** Each cycle is this many times as long as the one before, a whole number; default 2. */
  cycleMult?: number;
}

/**
 * Options of fineTune; those of fitOneCycle are for both runs, `pctStart` and `div` for the second.
 */
export interface FineTuneOptions extends FitOneCycleOptions {
  /** Epochs with all groups frozen but the last; default 1. */
  freezeEpochs?: number;
  /** In the second run the last group's rate is this many times the first one's; default 100. */
  lrMult?: number;
  /** As in fitOneCycle; default 0.3. */
  pctStart?: number;
  /** As in fitOneCycle; default 5. */
  div?: number;
}

const every = ['wd', 'cbs', 'resetOpt', 'startEpoch'] as const;
const oneCycleNames = [...every, 'div', 'divFinal', 'pctStart', 'moms'] as const;
const names = {
  fit: every,
  fitOneCycle: oneCycleNames,
  fitFlatCos: [...every, 'divFinal', 'pctStart'],
  fitSgdr: [...every, 'lrMax', 'cycleMult'],
  fineTune: [...oneCycleNames, 'freezeEpochs', 'lrMult'],
} as const;

/** The callbacks of a run, and its other options; throws ArgumentError for an unknown one. */
export function fitOptions<O extends FitOptions>(
  method: keyof typeof names,
  options: O,
): { cbs: readonly Callback[]; options: Omit<O, 'cbs'> } {
  checkOptions<FineTuneOptions & FitSgdrOptions>(options, names[method], method);
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
  const { startEpoch = 0, wd } = call.options;
  checkCount(startEpoch, 'startEpoch', { least: 0 });
  if (wd !== undefined) checkHyper('wd', wd);
  const lrs = groupRates(call.lr, learn.opt.groups.length);
  if (call.method === 'fitSgdr') return sgdr(call, lrs);
  const { nEpoch } = call;
  checkRounds(nEpoch, 'nEpoch');
  if (call.method === 'fit') return { nEpoch, lrs, scheds: {} };
  const { divFinal = 1e5 } = call.options;
  checkPositive('divFinal', divFinal);
  if (call.method === 'fitFlatCos') {
    const { pctStart = 0.75 } = call.options;
    const lr = lrs.map((rate) => combinedCos(pctStart, [rate, rate, rate / divFinal]));
    return { nEpoch, lrs, scheds: { lr } };
  }
  const { div = 25, pctStart = 0.25, moms = learn.moms } = call.options;
  checkPositive('div', div);
  checkMoms(moms);
  const lr = lrs.map((rate) => combinedCos(pctStart, [rate / div, rate, rate / divFinal]));
  return { nEpoch, lrs, scheds: { lr, mom: combinedCos(pctStart, moms) } };
}

const MAX_CYCLES = 1e5;

function sgdr(
  { nCycles, cycleLen, options: { cycleMult = 2 } }: FitCall & { method: 'fitSgdr' },
  lrs: readonly number[],
): FitPlan {
  for (const [name, n] of Object.entries({ nCycles, cycleLen, cycleMult })) checkCount(n, name);
  if (nCycles > MAX_CYCLES || !(cycleLen * cycleMult ** (nCycles - 1) <= MAX_ROUNDS))
    throw new ArgumentError(
      `${nCycles} cycles, the first of ${cycleLen} epochs and each ${cycleMult} times as long as the one before, are too long a run. Give fewer, or cycleMult: 1.`,
    );
  const epochs = Array.from({ length: nCycles }, (_, i) => cycleLen * cycleMult ** i);
  const nEpoch = epochs.reduce((a, b) => a + b, 0);
  const shares = epochs.map((e) => e / nEpoch);
  const cycles = (lr: number): Schedule => {
    const cycle = schedCos(lr, 0);
    return combineScheds(
      shares,
      epochs.map(() => cycle),
    );
  };
  return { nEpoch, lrs, scheds: { lr: lrs.map(cycles) } };
}

/** The two calls of fastai's `fine_tune`. */
export function fineTuneCalls(
  epochs: number,
  baseLr: LearningRate,
  options: Omit<FineTuneOptions, 'cbs'>,
): FitCall[] {
  const { freezeEpochs = 1, lrMult = 100, pctStart = 0.3, div = 5, ...rest } = options;
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
  return lr.start === undefined
    ? { stop: lr.stop / 2 }
    : { start: lr.start / 2, stop: lr.stop / 2 };
}

/** Throws unless these are three momenta: start, middle, end. */
export function checkMoms(moms: readonly [number, number, number]): void {
  if (!Array.isArray(moms) || moms.length !== 3)
    throw new ArgumentError(
      `moms must be three momenta, [start, middle, end], got ${Array.isArray(moms) ? `${moms.length} numbers` : moms}.`,
    );
  for (const mom of moms) checkHyper('mom', mom);
}

function checkPositive(name: string, value: number): void {
  checkNumber(value, value > 0 && value < Infinity, `${name} must be a positive number`);
}
