import { ArgumentError, NumericError } from '../../errors.js';
import { said } from '../../options.js';
import type { LossRows } from '../loss.js';

// What the losses over classes share: a row of logits, softmax, and the target as a class.

/** log Σ eˣ over a row, without overflow. */
export function logSumExp(pred: Float32Array, start: number, end: number): number {
  let max = -Infinity;
  for (let j = start; j < end; j++) if (!(pred[j] <= max)) max = pred[j]; // NaN comes through
  let sum = 0;
  for (let j = start; j < end; j++) sum += Math.exp(pred[j] - max);
  return max + Math.log(sum);
}

/** The softmax of each row, a new array. */
export function softmaxRows(pred: Float32Array, outputs: number): Float32Array {
  const out = new Float32Array(pred.length);
  for (let start = 0; start < pred.length; start += outputs) {
    const log = logSumExp(pred, start, start + outputs);
    for (let j = start; j < start + outputs; j++) out[j] = Math.exp(pred[j] - log);
  }
  return out;
}

/** The index of the largest value of each row, the first of equals. */
export function argmaxRows(values: Float32Array, outputs: number): Float32Array {
  const out = new Float32Array(values.length / outputs);
  for (let i = 0; i < out.length; i++) {
    let best = 0;
    for (let c = 1; c < outputs; c++)
      if (values[i * outputs + c] > values[i * outputs + best]) best = c;
    out[i] = best;
  }
  return out;
}

/** The target class of row i, checked. */
export function classOf({ targets, outputs = 1 }: LossRows, i: number, name: string): number {
  const y = targets[i];
  if (!(Number.isInteger(y) && y >= 0 && y < outputs)) {
    throw new NumericError(
      `${name} needs classes from 0 to ${outputs - 1} as targets, got ${said(y)} in row ${i} of the batch.`,
    );
  }
  return y;
}

/** Class weights as given, checked. */
export function checkedWeights(weight: ArrayLike<number> | undefined): Float64Array | undefined {
  if (!weight) return undefined;
  const checked = Float64Array.from(weight);
  if (checked.length === 0)
    throw new ArgumentError('weight needs one number for each class, got none.');
  if (checked.every((w) => w === 0))
    throw new ArgumentError('The weights of all classes are 0, so there is nothing to learn.');
  checked.forEach((w, c) => {
    if (!(w >= 0 && Number.isFinite(w)))
      throw new ArgumentError(
        `The weight of class ${c} must be a number, 0 or more, got ${said(w)}.`,
      );
  });
  return checked;
}
