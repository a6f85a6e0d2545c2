import { ArgumentError } from '../errors.js';
import { whatIs } from '../options.js';
import { AvgMetric, type Metric } from './metrics.js';

/**
 * Share of rows whose target's class is among the k largest predictions (fastai's `top_k_accuracy`;
 * of a next-song model the hit rate at k), headed `top_5_accuracy`; of equal predictions the first
 * ones count as larger. For models with one output a class.
 * @param k how many; default 5
 * @example new Learner(dls, model, { lossFunc: new CrossEntropyLossFlat(), metrics: [accuracy, topKAccuracy(10)] })
 */
export function topKAccuracy(k = 5): Metric {
  if (!(Number.isInteger(k) && k >= 1))
    throw new ArgumentError(
      `topKAccuracy needs a positive whole number of classes, got ${typeof k === 'number' ? k : `${whatIs(k)}: call it, topKAccuracy(5)`}.`,
    );
  const share = (pred: Float32Array, targets: Float32Array): number => {
    const outputs = pred.length / targets.length;
    let right = 0;
    for (let i = 0; i < targets.length; i++) {
      const own = pred[i * outputs + targets[i]];
      let before = 0;
      for (let c = 0; c < outputs; c++) {
        const other = pred[i * outputs + c];
        if (other > own || (other === own && c < targets[i])) before++;
      }
      if (before < k) right++;
    }
    return right / targets.length;
  };
  return new AvgMetric(share, { name: `top_${k}_accuracy`, greater: true });
}
