import { UnknownIdError } from '../errors.js';
import { checkArgument, isNumbers } from '../options.js';

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
  for (const values of [lrs, losses])
    checkArgument(
      isNumbers(values),
      values,
      of,
      'learning rates and losses, arrays of numbers; learn.lrFind() finds them and asks it',
    );
}

function mark(lrs: readonly number[], losses: readonly number[], i: number): Suggestion {
  return { value: lrs[i], lr: lrs[i], loss: losses[i] };
}

function argmin(values: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] < values[best]) best = i;
  return best;
}

/** The rules by name. */
export const rules = { valley, slide, minimum, steep };
/** The names of the rules. */
export const suggestNames = Object.keys(rules) as (keyof typeof rules)[];

/** Throws UnknownIdError for a name that no rule has. */
export function checkRules(names: readonly string[]): void {
  checkArgument(
    Array.isArray(names),
    names,
    'suggestFuncs',
    "an array of rules' names, such as ['valley', 'slide']",
  );
  for (const name of names)
    if (!Object.hasOwn(rules, name))
      throw new UnknownIdError('suggestion', String(name), Object.keys(rules));
}
