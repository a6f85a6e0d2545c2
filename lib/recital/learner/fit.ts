import { ArgumentError } from '../errors.js';
import { checkOptions, checkRounds, MAX_ROUNDS, said } from '../options.js';
import type { Callback } from './callback.js';
import type { Learner } from './learner.js';
import { checkHyper, groupRates, type LearningRate, type Slice } from './optimizers/groups.js';
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
 * Options of fineTune; those of fitOneCycle go to both runs, `pctStart` and `div` to the second.
 */
export interface FineTuneOptions extends FitOneCycleOptions {
  /** Epochs with all groups frozen but the last; default 1. */
  freezeEpochs?: number;
  /**
   * In the second run the first group learns at this fraction of the last one's rate; default 100.
   */
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

/**
 * The callbacks of a run, and its other options; throws ArgumentError for one that there is not.
 */
export function fitOptions<O extends FitOptions>(
  method: keyof typeof names,
  options: O,
): { cbs: readonly Callback[]; options: Omit<O, 'cbs'> } {
  checkOptions<FineTuneOptions & FitSgdrOptions>(options, names[method], method);
  const { cbs = [], ...rest } = options;
  return { cbs: [cbs].flat() as readonly Callback[], options: rest };
}

/**
 * A run as it was asked for, without its callbacks: plain data, so that it can be saved and taken
 * up again.
 */
export type FitCall = { readonly freezeTo?: number } & (
  | {
      readonly method: 'fit';
      readonly nEpoch: number;
      readonly lr: LearningRate;
      readonly options: Omit<FitOptions, 'cbs'>;
    }
  | {
      readonly method: 'fitOneCycle';
      readonly nEpoch: number;
      readonly lr: LearningRate;
      readonly options: Omit<FitOneCycleOptions, 'cbs'>;
    }
  | {
      readonly method: 'fitFlatCos';
      readonly nEpoch: number;
      readonly lr: LearningRate;
      readonly options: Omit<FitFlatCosOptions, 'cbs'>;
    }
  | {
      readonly method: 'fitSgdr';
      readonly nCycles: number;
      readonly cycleLen: number;
      readonly lr: LearningRate;
      readonly options: Omit<FitSgdrOptions, 'cbs' | 'lrMax'>;
    }
);

/** What a call comes to: epochs, learning rates of the groups, and schedules, if any. */
export interface FitPlan {
  readonly nEpoch: number;
  readonly lrs: readonly number[];
  readonly scheds: Readonly<Record<string, Schedule | readonly Schedule[]>>;
}

const MAX_CYCLES = 1e5;

/** Checks a call and works out its epochs, learning rates and schedules. */
export function planOf(call: FitCall, learn: Learner): FitPlan {
  const { startEpoch = 0, wd } = call.options;
  checkCount('startEpoch', startEpoch, 0);
  if (wd !== undefined) checkHyper('wd', wd);
  const lrs = groupRates(call.lr, learn.opt.groups.length);
  if (call.method === 'fitSgdr') {
    const { cycleMult = 2 } = call.options;
    return sgdr(call.nCycles, call.cycleLen, { lrs, cycleMult });
  }
  const { nEpoch } = call;
  checkRounds(nEpoch, 'nEpoch');
  switch (call.method) {
    case 'fit':
      return { nEpoch, lrs, scheds: {} };
    case 'fitOneCycle':
      return {
        nEpoch,
        lrs,
        scheds: oneCycle(lrs, {
          ...call.options,
          moms: call.options.moms === undefined ? learn.moms : call.options.moms,
        }),
      };
    case 'fitFlatCos':
      return { nEpoch, lrs, scheds: flatCos(lrs, call.options) };
  }
}

type OneCycle = Omit<FitOneCycleOptions, 'moms'> & { moms: readonly [number, number, number] };

function oneCycle(
  lrs: readonly number[],
  { div = 25, divFinal = 1e5, pctStart = 0.25, moms }: OneCycle,
): FitPlan['scheds'] {
  checkPositive('div', div);
  checkPositive('divFinal', divFinal);
  checkMoms(moms);
  return {
    lr: lrs.map((lr) => combinedCos(pctStart, [lr / div, lr, lr / divFinal])),
    mom: combinedCos(pctStart, moms),
  };
}

function flatCos(
  lrs: readonly number[],
  { divFinal = 1e5, pctStart = 0.75 }: FitFlatCosOptions,
): FitPlan['scheds'] {
  checkPositive('divFinal', divFinal);
  return { lr: lrs.map((lr) => combinedCos(pctStart, [lr, lr, lr / divFinal])) };
}

function sgdr(
  nCycles: number,
  cycleLen: number,
  { lrs, cycleMult }: { lrs: readonly number[]; cycleMult: number },
): FitPlan {
  checkCount('nCycles', nCycles, 1);
  checkCount('cycleLen', cycleLen, 1);
  checkCount('cycleMult', cycleMult, 1);
  if (nCycles > MAX_CYCLES || !(cycleLen * cycleMult ** (nCycles - 1) <= MAX_ROUNDS)) {
    throw new ArgumentError(
      `${nCycles} cycles, the first of ${cycleLen} epochs and each ${cycleMult} times as long as the one before, are too long a run. Give fewer, or cycleMult: 1.`,
    );
  }
  const epochs = Array.from({ length: nCycles }, (_, i) => cycleLen * cycleMult ** i);
  const nEpoch = epochs.reduce((a, b) => a + b, 0);
  const pcts = epochs.map((e) => e / nEpoch);
  const cycles = (lr: number): Schedule =>
    combineScheds(
      pcts,
      epochs.map(() => schedCos(lr, 0)),
    );
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
  const first: LearningRate = typeof baseLr === 'number' ? { stop: baseLr } : baseLr;
  const second: LearningRate =
    typeof baseLr === 'number' ? { start: baseLr / 2 / lrMult, stop: baseLr / 2 } : halved(baseLr);
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
  if (!Array.isArray(moms) || moms.length !== 3) {
    throw new ArgumentError(
      `moms must be three momenta, [start, middle, end], got ${Array.isArray(moms) ? `${moms.length} numbers` : moms}.`,
    );
  }
  for (const mom of moms) checkHyper('mom', mom);
}

function checkCount(name: string, value: number, least: 0 | 1): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new ArgumentError(
    `${name} must be a ${least ? 'positive ' : ''}whole number, got ${said(value)}.`,
  );
}

function checkPositive(name: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value)))
    throw new ArgumentError(`${name} must be a positive number, got ${said(value)}.`);
}
