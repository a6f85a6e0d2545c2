import { ArgumentError, NumericError } from '../errors.js';
import { checkArgument, checkNumber, checkOptions, isNumbers, said } from '../options.js';

/**
 * How well scores tell targets 0 and 1 apart. A metric that does not exist for these data is NaN,
 * as its comment says.
 */
export type BinaryMetrics = {
  /** Probability that a 1 scores above a 0, ties counted half; NaN with one class only. */
  rocAuc: number;
  /** Σ (R_n − R_{n−1})·P_n over the distinct scores, descending; NaN without a 1. */
  averagePrecision: number;
  /** Share of rows decided rightly. */
  accuracy: number;
  /** Share of ones among the rows decided 1; 0 if none is. */
  precision: number;
  /** Share of the ones that are decided 1; NaN without a 1. */
  recall: number;
  /** 2·TP / (2·TP + FP + FN); 0 if that is 0/0. */
  f1: number;
  /**
   * Mean of −log of the probability given to the target, for scores in [0, 1], clipped by 2.2e-16;
   * NaN for other scores.
   */
  logLoss: number;
  /** Mean squared difference of score and target. */
  mse: number;
  /** Mean absolute difference of score and target. */
  mae: number;
};

/**
 * Metrics of a yes-or-no prediction, with scikit-learn's definitions. Useful beside the ranking
 * metrics: a model can decide most rows rightly and still recommend badly, because these rows were
 * chosen by the listener.
 *
 * Ties: equal scores are one step of the curves, whatever their order.
 * @param targets 0 or 1, one a row
 * @param scores predictions, e.g. the probabilities of `getPreds`
 * @param options.threshold a row is decided 1 if its score ≥ threshold; default 0.5
 * @example binaryMetrics([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).rocAuc // 0.75
 */
export function binaryMetrics(
  targets: ArrayLike<number>,
  scores: ArrayLike<number>,
  options: { threshold?: number } = {},
): BinaryMetrics {
  checkOptions(options, ['threshold'], 'binaryMetrics');
  const { threshold = 0.5 } = options;
  for (const values of [targets, scores])
    checkArgument(
      isNumbers(values),
      values,
      'binaryMetrics',
      'targets and scores: arrays of numbers',
    );
  const n = targets.length;
  if (n === 0 || scores.length !== n)
    throw new ArgumentError(
      `As many scores as targets are needed, at least one, got ${said(n)} targets and ${scores.length} scores.`,
    );
  checkNumber(threshold, !Number.isNaN(threshold), 'threshold must be a number');
  let [truePositives, falsePositives, falseNegatives, logLoss, squares, absolutes] = [
    0, 0, 0, 0, 0, 0,
  ];
  for (let i = 0; i < n; i++) {
    const [y, s] = [targets[i], scores[i]];
    if (y !== 0 && y !== 1)
      throw new ArgumentError(`Targets must be 0 or 1, got ${said(y)} in row ${i}.`);
    if (Number.isNaN(s)) throw new NumericError(`The score of row ${i} is NaN.`);
    if (s >= threshold) {
      if (y) truePositives++;
      else falsePositives++;
    } else if (y) falseNegatives++;
    logLoss += s >= 0 && s <= 1 ? -Math.log(Math.max(y ? s : 1 - s, Number.EPSILON)) : NaN;
    squares += (s - y) ** 2;
    absolutes += Math.abs(s - y);
  }
  const positives = truePositives + falseNegatives;
  return {
    ...areas(targets, scores, positives),
    accuracy: (n - falsePositives - falseNegatives) / n,
    precision: truePositives ? truePositives / (truePositives + falsePositives) : 0,
    recall: truePositives / positives,
    f1: truePositives
      ? (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives)
      : 0,
    logLoss: logLoss / n,
    mse: squares / n,
    mae: absolutes / n,
  };
}

/**
 * The areas under both curves, from one pass over the rows by descending score, a tie at a time.
 */
function areas(
  targets: ArrayLike<number>,
  scores: ArrayLike<number>,
  positives: number,
): { rocAuc: number; averagePrecision: number } {
  const n = targets.length;
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
  let [ones, zeros, pairs, precisions] = [0, 0, 0, 0];
  for (let i = 0; i < n; ) {
    const onesAbove = ones;
    const zerosAbove = zeros;
    for (const s = scores[order[i]]; i < n && scores[order[i]] === s; i++) {
      if (targets[order[i]]) ones++;
      else zeros++;
    }
    pairs += (zeros - zerosAbove) * (onesAbove + (ones - onesAbove) / 2);
    precisions += ((ones - onesAbove) * ones) / (ones + zeros);
  }
  return {
    rocAuc: pairs / (positives * (n - positives)),
    averagePrecision: precisions / positives,
  };
}
