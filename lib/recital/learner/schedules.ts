import { ArgumentError } from '../errors.js';
import { checkArgument, checkNumber, checkOptions, said } from '../options.js';
import { printed } from '../printed.js';
import type { Callback } from './callback.js';
import type { Learner } from './learner.js';

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
