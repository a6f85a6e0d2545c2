import { ArgumentError } from '../errors.js';
import {
  checkCount,
  checkNumber,
  checkOptions,
  checkRounds,
  given,
  MAX_ROUNDS,
} from '../options.js';
import { type Callback, list } from './callback.js';
import type { Learner } from './learner.js';
import { checkHyper, groupRates, type LearningRate, type Slice } from './optimizers/optimizer.js';
import { combinedCos, combineScheds, type Schedule, schedCos } from './schedules.js';

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
