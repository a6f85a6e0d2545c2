import { type Chart, display } from '../data/output.js';
import { ArgumentError } from '../errors.js';
import { checkRounds, given, said } from '../options.js';
import { inspected } from '../printed.js';
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
  /** Draw the curve, with all suggestions; default true. */
  showPlot: true,
};

/** Options of lrFind; defaults as fastai's. */
export type LrFindOptions = Partial<typeof LR_FIND>;

/**
 * The result of lrFind. A suggestion is NaN where the curve was too short for its rule. Only the
 * suggestions are printed.
 */
export interface LrFindResult {
  /** Two thirds into the longest fall of the loss: fastai's default. */
  readonly valley: number;
  /** The last rate before the slope changes. */
  readonly slide: number;
  /** A tenth of the rate with the least loss. */
  readonly minimum: number;
  /** The steepest fall. */
  readonly steep: number;
  /** The curve: learning rates, without the first tenth of the batches. */
  readonly lrs: readonly number[];
  /** The smoothed losses to them. */
  readonly losses: readonly number[];
  /** The plot, whether it was shown or not. */
  readonly chart: Chart;
}

/** Raises the learning rate exponentially until the loss diverges; never validates. */
class LRFinder extends ParamScheduler {
  override readonly name = 'LRFinder';
  private best = Infinity;

  constructor(private readonly options: typeof LR_FIND) {
    super({ lr: schedExp(options.startLr, options.endLr) });
  }

  override beforeBatch(learn: Learner): void {
    this.update(learn, learn.trainIter / this.options.numIt);
  }

  override afterBatch(learn: Learner): void {
    super.afterBatch(learn);
    const { numIt, stopDiv } = this.options;
    const smooth = learn.recorder.smoothLoss.value;
    if (smooth < this.best) this.best = smooth;
    const diverged = Number.isNaN(smooth) || (stopDiv && smooth > 4 * this.best);
    if (diverged || learn.trainIter >= numIt) throw new CancelFitException();
  }

  beforeValidate(): void {
    throw new CancelValidException();
  }
}

/** fastai's `lr_find` (callback/schedule.py). See Learner.lrFind. */
export async function lrFind(learn: Learner, options: LrFindOptions = {}): Promise<LrFindResult> {
  const all = given(LR_FIND, options, 'lrFind');
  const { startLr, endLr, showPlot } = all;
  if (!([startLr, endLr].every(Number.isFinite) && startLr > 0 && endLr > startLr))
    throw new ArgumentError(
      `lrFind needs 0 < startLr < endLr, got ${said(startLr)} and ${said(endLr)}.`,
    );
  checkRounds(all.numIt, 'numIt');
  const numIt = Math.max(6, all.numIt);
  const nEpoch = Math.floor(numIt / Math.max(1, learn.dls.train.length)) + 1;
  const finder = new LRFinder({ ...all, numIt });
  await rehearse(learn, () => learn.fit(nEpoch, learn.lr, { cbs: finder }));

  const from = Math.floor(numIt / 10);
  const lrs = learn.recorder.lrs.slice(from);
  const losses = learn.recorder.losses.slice(from);
  const bad = losses.slice(0, -5).findIndex(Number.isNaN);
  const count = bad >= 0 ? bad : Math.max(0, losses.length - 5);
  const points = suggest(lrs.slice(0, count), losses.slice(0, count));
  const chart = plotLrFind({ lrs, losses, points });
  const names = Object.keys(rules) as (keyof typeof rules)[];
  const suggested = Object.fromEntries(
    names.map((name) => [name, points[name]?.value ?? NaN]),
  ) as Record<keyof typeof rules, number>;
  const found: LrFindResult = { ...suggested, lrs, losses, chart };
  const values = Object.entries(suggested).map(([name, lr]) => `${name} ${lr.toExponential(2)}`);
  for (const key of ['toString', inspected])
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

// The rules that read a learning rate off the curve of loss against learning rate.

/** A suggestion: a learning rate, and the point of the curve that it is drawn at. */
interface Suggestion {
  readonly value: number;
  readonly lr: number;
  readonly loss: number;
}

/** A curve's suggestions by rule; undefined where it is too short for the rule. */
export type Suggestions = Partial<Record<keyof typeof rules, Suggestion>>;

/** What all rules suggest. */
export function suggest(lrs: readonly number[], losses: readonly number[]): Suggestions {
  const points: Suggestions = {};
  for (const [name, rule] of Object.entries(rules)) {
    const at = losses.length ? rule(lrs, losses) : undefined;
    if (at === undefined) continue;
    const value = name === 'minimum' ? lrs[at] / 10 : lrs[at];
    points[name as keyof typeof rules] = { value, lr: lrs[at], loss: losses[at] };
  }
  return points;
}

/** Each rule gives a position on the curve. */
const rules = {
  /** Two thirds into the longest strictly decreasing subsequence (fastai's `valley`). */
  valley(_lrs: readonly number[], losses: readonly number[]): number | undefined {
    const n = losses.length;
    if (n < 2) return undefined;
    const length = new Array<number>(n).fill(1);
    for (let i = 1; i < n; i++)
      for (let j = 0; j < i; j++)
        if (losses[i] < losses[j] && length[i] < length[j] + 1) length[i] = length[j] + 1;
    const end = argmin(length.map((each) => -each));
    const start = end - length[end];
    const section = (end - start) / 3;
    return Math.max(0, start + Math.trunc(section) + Math.trunc(section / 2));
  },

  /**
   * The last rate before the slope changes, by comparing slopes 15 points apart from the right
   * (fastai's `slide`, ESRI's rule).
   */
  slide(_lrs: readonly number[], losses: readonly number[]): number | undefined {
    const n = losses.length;
    const window = 15;
    if (n < window + 2) return undefined;
    const gradient = losses.map((_, i) => {
      if (i === 0) return losses[1] - losses[0];
      if (i === n - 1) return losses[n - 1] - losses[n - 2];
      return (losses[i + 1] - losses[i - 1]) / 2;
    });
    let at = n - 1 - window;
    for (
      let left = at;
      left >= 0 && Math.abs(gradient[left + window] - gradient[left]) > 0.005;
      left--
    )
      at = left;
    return at;
  },

  /** The least loss; a tenth of its rate is suggested (fastai's `minimum`). */
  minimum(_lrs: readonly number[], losses: readonly number[]): number | undefined {
    return argmin(losses);
  },

  /** Where the loss falls fastest, per step in log lr (fastai's `steep`). */
  steep(lrs: readonly number[], losses: readonly number[]): number | undefined {
    if (losses.length < 2) return undefined;
    const slope = (loss: number, i: number): number =>
      (loss - losses[i]) / (Math.log(lrs[i + 1]) - Math.log(lrs[i]));
    return argmin(losses.slice(1).map(slope));
  },
};

function argmin(values: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] < values[best]) best = i;
  return best;
}
