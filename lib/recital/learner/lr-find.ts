import { inspect } from 'node:util';
import { type Chart, display } from '../data/output.js';

import { ArgumentError, UnknownIdError } from '../errors.js';
import { checkArgument, checkRounds, given, isNumbers, said } from '../options.js';
import { CancelFitException, CancelValidException } from './callback.js';
import { keepState } from './checkpoint.js';
import type { Learner } from './learner.js';
import { plotLrFind } from './plots.js';
import { ParamScheduler, schedExp } from './schedules.js';

const LR_FIND = {
  /** First learning rate; default 1e-7. */
  startLr: 1e-7,
  /** Last learning rate; default 10. */
  endLr: 10,
  /** Batches; default 100, at least 6. */
  numIt: 100,
  /** Stop when the smoothed loss exceeds four times its best; default true. */
  stopDiv: true,
  /** Draw the curve; default true. */
  showPlot: true,
  /** The suggestions that the plot marks; default all four. All are returned in any case. */
  suggestFuncs: ['valley', 'slide', 'minimum', 'steep'] as readonly SuggestName[],
};

/** Options of lrFind; defaults as fastai's. */
export type LrFindOptions = Partial<typeof LR_FIND>;

/** The name of a rule that suggests a learning rate. */
export type SuggestName = 'valley' | 'slide' | 'minimum' | 'steep';

/**
 * The result of lrFind. A suggestion is NaN where the curve was too short for its rule. Only the
 * suggestions are printed.
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
  const { startLr, endLr, stopDiv, showPlot, suggestFuncs, ...rest } = given(
    LR_FIND,
    options,
    'lrFind',
  );
  if (!([startLr, endLr].every(Number.isFinite) && startLr > 0 && endLr > startLr))
    throw new ArgumentError(
      `lrFind needs 0 < startLr < endLr, got ${said(startLr)} and ${said(endLr)}.`,
    );
  checkRounds(rest.numIt, 'numIt');
  checkRules(suggestFuncs);
  const numIt = Math.max(6, rest.numIt);
  const nEpoch = Math.floor(numIt / Math.max(1, learn.dls.train.length)) + 1;
  const finder = new LRFinder(startLr, endLr, numIt, stopDiv);
  await rehearse(learn, () => learn.fit(nEpoch, learn.lr, { cbs: finder }));

  const from = Math.floor(numIt / 10);
  const lrs = learn.recorder.lrs.slice(from);
  const losses = learn.recorder.losses.slice(from);
  const bad = losses.slice(0, -5).findIndex(Number.isNaN);
  const count = bad >= 0 ? bad : Math.max(0, losses.length - 5);
  const curve = [lrs.slice(0, count), losses.slice(0, count)] as const;
  const points: Partial<Record<SuggestName, Suggestion>> = {};
  for (const name of suggestNames) {
    const point = rules[name](...curve);
    if (point) points[name] = point;
  }
  const suggested = Object.fromEntries(
    suggestNames.map((name) => [name, points[name]?.value ?? NaN]),
  ) as Record<SuggestName, number>;
  const chart = plotLrFind({ lrs, losses, points }, suggestFuncs);
  const found: LrFindResult = { ...suggested, lrs, losses, points, chart };
  const values = Object.entries(suggested).map(([name, lr]) => `${name} ${lr.toExponential(2)}`);
  for (const key of ['toString', inspect.custom])
    Object.defineProperty(found, key, { value: () => `lrFind: ${values.join(', ')}` });
  learn.recorder.lrFound = found;
  if (learn.interrupted) return found;
  if (showPlot) display().chart(chart);
  if (!points.valley)
    display().warn(
      `lrFind has no suggestion: only ${losses.length} batches ran before the loss diverged. Try a smaller startLr or a larger numIt.`,
    );
  return found;
}

/** A suggestion: a learning rate, and the point of the curve that it is drawn at. */
export interface Suggestion {
  /** The suggested learning rate. */
  readonly value: number;
  /** Where it is marked in the plot. */
  readonly lr: number;
  readonly loss: number;
}

/**
 * Rules that read a learning rate off the curve of loss against learning rate; undefined where the
 * curve is too short for them.
 */
export type SuggestFunction = (
  lrs: readonly number[],
  losses: readonly number[],
) => Suggestion | undefined;

/**
 * The middle of the longest valley: two thirds into the longest strictly decreasing subsequence, as
 * fastai's `valley`.
 * @example
 * const { lrs, losses } = await learn.lrFind({ showPlot: false });
 * valley(lrs, losses)?.value;
 */
export const valley: SuggestFunction = (lrs, losses) => {
  checkCurve(lrs, losses, 'valley');
  const n = losses.length;
  if (n < 2) return undefined;
  const length = new Array<number>(n).fill(1);
  for (let i = 1; i < n; i++)
    for (let j = 0; j < i; j++)
      if (losses[i] < losses[j] && length[i] < length[j] + 1) length[i] = length[j] + 1;
  let end = 0;
  for (let i = 1; i < n; i++) if (length[i] > length[end]) end = i;
  const start = end - length[end];
  const section = (end - start) / 3;
  const at = start + Math.trunc(section) + Math.trunc(section / 2);
  return mark(lrs, losses, Math.max(0, at));
};

/**
 * The last rate before the loss turns, by comparing slopes 15 points apart from the right (fastai's
 * `slide`, ESRI's rule).
 * @example
 * const { lrs, losses } = await learn.lrFind({ showPlot: false });
 * slide(lrs, losses)?.value;
 */
export const slide: SuggestFunction = (lrs, losses) => {
  checkCurve(lrs, losses, 'slide');
  const n = losses.length;
  const window = 15;
  if (n < window + 2) return undefined;
  const gradient = losses.map((_, i) => {
    if (i === 0) return losses[1] - losses[0];
    if (i === n - 1) return losses[n - 1] - losses[n - 2];
    return (losses[i + 1] - losses[i - 1]) / 2;
  });
  let right = n - 1;
  let left = right - window;
  let at = left;
  while (left >= 0 && Math.abs(gradient[right] - gradient[left]) > 0.005) {
    at = left;
    right--;
    left--;
  }
  return mark(lrs, losses, at);
};

/**
 * A tenth of the rate with the least loss (fastai's `minimum`), marked at the minimum itself.
 * @example minimum([1e-3, 1e-2, 1e-1], [0.6, 0.5, 0.9])?.value // 0.001
 */
export const minimum: SuggestFunction = (lrs, losses) => {
  checkCurve(lrs, losses, 'minimum');
  if (!losses.length) return undefined;
  const at = argmin(losses);
  return { value: lrs[at] / 10, lr: lrs[at], loss: losses[at] };
};

/**
 * Where the loss falls fastest, per step in log lr (fastai's `steep`).
 * @example steep([1e-3, 1e-2, 1e-1], [0.6, 0.5, 0.1])?.value // 0.01
 */
export const steep: SuggestFunction = (lrs, losses) => {
  checkCurve(lrs, losses, 'steep');
  if (losses.length < 2) return undefined;
  const slopes = losses
    .slice(1)
    .map((loss, i) => (loss - losses[i]) / (Math.log(lrs[i + 1]) - Math.log(lrs[i])));
  return mark(lrs, losses, argmin(slopes));
};

function checkCurve(lrs: readonly number[], losses: readonly number[], of: string): void {
  const wanted = 'learning rates and losses, arrays of numbers, such as learn.lrFind() returns';
  for (const values of [lrs, losses]) checkArgument(isNumbers(values), values, of, wanted);
}

function mark(lrs: readonly number[], losses: readonly number[], i: number): Suggestion {
  return { value: lrs[i], lr: lrs[i], loss: losses[i] };
}

function argmin(values: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] < values[best]) best = i;
  return best;
}

const rules: Record<SuggestName, SuggestFunction> = { valley, slide, minimum, steep };
/** The names of the rules. */
export const suggestNames = LR_FIND.suggestFuncs;

/** Throws UnknownIdError for a name that no rule has. */
export function checkRules(names: readonly string[]): void {
  const wanted = "an array of rules' names, such as ['valley', 'slide']";
  checkArgument(Array.isArray(names), names, 'suggestFuncs', wanted);
  for (const name of names)
    if (!Object.hasOwn(rules, name))
      throw new UnknownIdError('suggestion', String(name), Object.keys(rules));
}

/**
 * A trial run, which leaves only the recorder's results: weights, the model's other state,
 * optimizer and the order of later epochs are as before.
 */
async function rehearse(learn: Learner, work: () => Promise<void>): Promise<void> {
  const { loop, epochsTrained } = learn;
  const restore = keepState(learn, { withOpt: true });
  loop.rehearsing = true;
  try {
    await learn.withoutCbs((cb) => cb.name === 'Progress' || cb.runLrFind === false, work);
  } finally {
    loop.rehearsing = false;
    learn.epochsTrained = epochsTrained;
    restore();
  }
}
