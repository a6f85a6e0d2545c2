import type { Model } from '../nn/model.js';

/** Weights beyond this are no longer learning: trained ones seldom exceed 10. */
const HUGE = 1e4;

/** What is wrong with the weights of a model, if anything is. */
export interface WeightsReport {
  /**
   * A clause on the value that is not finite or, if all are, on the one farthest from 0: which
   * parameter's, how large, where.
   */
  readonly clause: string;
  /**
   * Whether the weights are spoilt: not finite, or so large that what is computed from them soon is
   * not.
   */
  readonly spoilt: boolean;
}

/** Looks through all weights of a model. */
export function reportWeights({ parameters }: Model): WeightsReport {
  let largest = { name: '', size: -1, value: NaN, at: 0 };
  for (const { name, value } of parameters) {
    for (let i = 0; i < value.length; i++) {
      const size = Math.abs(value[i]);
      if (!(size < Infinity))
        return {
          clause: `parameter ${name} holds a value that is not finite (${value[i]} at position ${i})`,
          spoilt: true,
        };
      if (size > largest.size) largest = { name, size, value: value[i], at: i };
    }
  }
  const { name, size, value, at } = largest;
  if (size < 0) return { clause: 'the model has no parameters', spoilt: false };
  const shown = `parameter ${name} holds ${Number(value.toPrecision(3))} at position ${at}`;
  if (size > HUGE) return { clause: `the weights have exploded: ${shown}`, spoilt: true };
  return {
    clause: `the weights are finite, and none is large (the largest: ${shown})`,
    spoilt: false,
  };
}

/** What to do about spoilt weights. */
export const SPOILT =
  'Try a smaller learning rate (lrFind). The weights are spoilt now: load saved ones (learn.load), or make the learner again, before you train or predict.';

/** Position of the first of some numbers that is not finite; −1 if all are. */
export function firstNotFinite(values: ArrayLike<number>, n = values.length): number {
  for (let i = 0; i < n; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

/** The first of some numbers that is not finite, as text; undefined if all are. */
export function notFinite(values: ArrayLike<number>, n = values.length): string | undefined {
  const i = firstNotFinite(values, n);
  return i < 0 ? undefined : `${values[i]} at position ${i}`;
}
