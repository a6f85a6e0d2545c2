import { inspect } from 'node:util';
import type { Chart } from '../data/chart.js';
import { display } from '../data/display.js';
import { ArgumentError } from '../errors.js';
import { checkOptions, checkRounds, said } from '../options.js';
import { CancelFitException, CancelValidException } from './events.js';
import type { Learner } from './learner.js';
import { ParamScheduler } from './param-scheduler.js';
import { plotLrFind } from './plots.js';
import { rehearse } from './rehearse.js';
import { schedExp } from './schedules.js';
import { checkRules, rules, type Suggestion, suggestNames } from './suggest.js';

/** Options of lrFind; defaults as fastai's. */
export interface LrFindOptions {
  /** First learning rate; default 1e-7. */
  startLr?: number;
  /** Last learning rate; default 10. */
  endLr?: number;
  /** Batches; default 100, at least 6. */
  numIt?: number;
  /** Stop when the smoothed loss exceeds four times its best; default true. */
  stopDiv?: boolean;
  /** Draw the curve; default true. */
  showPlot?: boolean;
  /** Which suggestions to mark in the plot; default all four. All are returned in any case. */
  suggestFuncs?: readonly SuggestName[];
}

/** The rules of suggest.ts, by name. */
export type SuggestName = keyof typeof rules;

/**
 * What lrFind found. A field is NaN where the curve was too short for its rule. It prints the
 * suggestions alone.
 */
export interface LrFindResult {
  /** Two thirds into the longest fall of the loss: fastai's default. */
  readonly valley: number;
  /** The last rate before the slope turns. */
  readonly slide: number;
  /** A tenth of the rate with the least loss. */
  readonly minimum: number;
  /** The steepest fall. */
  readonly steep: number;
  /** The curve: learning rates, without the first tenth of the batches. */
  readonly lrs: readonly number[];
  /** The smoothed losses to them. */
  readonly losses: readonly number[];
  /** Where each suggestion lies on the curve. */
  readonly points: Readonly<Partial<Record<SuggestName, Suggestion>>>;
  /** The plot, whether it was shown or not: with the suggestions that were asked for. */
  readonly chart: Chart;
}

/**
 * Raises the learning rate exponentially batch by batch until the loss diverges; never validates,
 * and restores model and optimizer at the end.
 */
class LRFinder extends ParamScheduler {
  override readonly name = 'LRFinder';
  private best = Infinity;

  constructor(
    start: number,
    end: number,
    private readonly numIt: number,
    private readonly stopDiv: boolean,
  ) {
    super({ lr: schedExp(start, end) });
  }

  override beforeBatch(learn: Learner): void {
    this.update(learn, learn.trainIter / this.numIt);
  }

  override afterBatch(learn: Learner): void {
    super.afterBatch(learn);
    const smooth = learn.recorder.smoothLoss.value;
    if (smooth < this.best) this.best = smooth;
    if (
      (smooth > 4 * this.best && this.stopDiv) ||
      Number.isNaN(smooth) ||
      learn.trainIter >= this.numIt
    )
      throw new CancelFitException();
  }

  beforeValidate(): void {
    throw new CancelValidException();
  }
}

/** fastai's `lr_find` (callback/schedule.py). See Learner.lrFind. */
export async function lrFind(learn: Learner, options: LrFindOptions = {}): Promise<LrFindResult> {
  checkOptions(
    options,
    ['startLr', 'endLr', 'numIt', 'stopDiv', 'showPlot', 'suggestFuncs'],
    'lrFind',
  );
  const {
    startLr = 1e-7,
    endLr = 10,
    numIt: asked = 100,
    stopDiv = true,
    showPlot = true,
    suggestFuncs = suggestNames,
  } = options;
  if (!([startLr, endLr].every(Number.isFinite) && startLr > 0 && endLr > startLr)) {
    throw new ArgumentError(
      `lrFind needs 0 < startLr < endLr, got ${said(startLr)} and ${said(endLr)}.`,
    );
  }
  checkRounds(asked, 'numIt');
  checkRules(suggestFuncs);
  const numIt = Math.max(6, asked);
  const nEpoch = Math.floor(numIt / Math.max(1, learn.dls.train.length)) + 1;
  await rehearse(learn, () =>
    learn.fit(nEpoch, learn.lr, { cbs: new LRFinder(startLr, endLr, numIt, stopDiv) }),
  );

  const { lrs: allLrs, losses: allLosses } = learn.recorder;
  const from = Math.floor(numIt / 10);
  const lrs = allLrs.slice(from);
  const losses = allLosses.slice(from);
  const bad = losses.slice(0, -5).findIndex(Number.isNaN);
  const count = bad >= 0 ? bad : Math.max(0, losses.length - 5);
  const points: Partial<Record<SuggestName, Suggestion>> = {};
  for (const name of suggestNames) {
    const point = rules[name](lrs.slice(0, count), losses.slice(0, count));
    if (point) points[name] = point;
  }
  const value = (name: SuggestName): number => points[name]?.value ?? NaN;
  const suggested = {
    valley: value('valley'),
    slide: value('slide'),
    minimum: value('minimum'),
    steep: value('steep'),
  };
  const chart = plotLrFind({ lrs, losses, points }, suggestFuncs);
  const found: LrFindResult = { ...suggested, lrs, losses, points, chart };
  const text = (): string =>
    `lrFind: ${Object.entries(suggested)
      .map(([name, lr]) => `${name} ${lr.toExponential(2)}`)
      .join(', ')}`;
  for (const key of ['toString', inspect.custom])
    Object.defineProperty(found, key, { value: text });
  learn.recorder.lrFound = found;
  if (learn.interrupted) return found; // which has been said
  if (showPlot) display().chart(chart);
  if (!points.valley) {
    display().warn(
      `lrFind has no suggestion: only ${losses.length} batches ran before the loss diverged. Try a smaller startLr or a larger numIt.`,
    );
  }
  return found;
}
