import type { CollabDataLoaders } from '../../data/collab.js';
import type { Fields } from '../../data/files/fields.js';
import type { EmbeddingDotBias } from '../../models/embedding-dot-bias.js';
import { sigmoid } from '../../nn/activations.js';
import type { Loss } from '../../nn/loss.js';

/**
 * What training tells about a listener whom it has not met. Plain values: a learner without its
 * data can keep them.
 */
export interface UserPrior {
  /**
   * The ridge λ of each parameter (factors, then the bias) for a history of one track; for n tracks
   * it is √n times as strong.
   */
  readonly strength: readonly number[];
  /**
   * The target of a track that is named without a playcount, as one that the listener likes: the
   * mean of the training targets above their mean.
   */
  readonly liked: number;
  /** Mean weight of the training rows, 1 without weights. */
  readonly weight: number;
}

const MAX_ROWS = 50_000;
const MAX_USERS = 20_000;

/**
 * How strongly training shrinks a user's row, as a ridge: λ in Σ loss + ½·Σ λ·θ².
 *
 * Adam's decay is decoupled: each step takes lr·wd·θ off the row and moves it by lr·m/√v, where m
 * is the mean gradient and v the mean of its squares over batches. Where the two balance, Σ g + λ·θ
 * = 0 for the sum over the user's n rows; and as one of these rows comes up in n·bs/N of the
 * batches, √v makes λ = wd·√(N/bs)·√n·rms(g), with N rows in all and rms(g) the root mean square of
 * the parameter's gradient: a ridge that grows with the square root of the history, and that holds
 * a bias back more than a factor.
 *
 * A run that ends before that balance, as most do, shrinks more, since its rows are still on their
 * way from 0. So the constant c in λ = c·√n·rms(g) is not taken to be wd·√(N/bs): it is the one
 * under which the trained rows come nearest to balance, c = −Σ θ·g / Σ √n·rms(g)·θ², summed over
 * users, for factors and for biases. (After long runs that is 1.0 to 1.4 times wd·√(N/bs), after
 * three epochs at wd 0.01 five to eighty times.) Where it is not positive, as before any training,
 * wd·√(N/bs) it is.
 *
 * A row's negatives count as one row with it. Seen are at most 50,000 rows, drawn as in an epoch,
 * and 20,000 users; nothing depends on chance.
 * @param dls with training rows
 * @param options `lossFunc`: what was minimised; `wd`: the weight decay
 */
export function userPrior(
  dls: CollabDataLoaders,
  model: EmbeddingDotBias,
  { lossFunc, wd }: { lossFunc: Loss; wd: number },
): UserPrior {
  const { target, weight } = dls.train.data;
  const mean = weight ? weight.reduce((a, b) => a + b, 0) / weight.length : 1;
  const { pulledFactors, pulledBias, rms } = gradients(dls, model, { lossFunc, weight: mean });
  const { pullFactors, pullBias } = rowsAgainst(dls, model, rms);
  const balance = wd * Math.sqrt(dls.train.n / dls.train.bs);
  const constant = (pulled: number, pull: number, otherwise: number): number =>
    pulled > 0 && pull > 0 ? pulled / pull : otherwise;
  const both = constant(pulledFactors + pulledBias, pullFactors + pullBias, balance);
  const [factors, bias] = [
    constant(pulledFactors, pullFactors, both),
    constant(pulledBias, pullBias, both),
  ];
  const strength = Array.from(rms, (r, j) => r * (j < model.nFactors ? factors : bias));
  return { strength, liked: meanAboveMean(target), weight: mean };
}

/**
 * Sums over training rows of −θ·g, for factors and for biases, and the root mean square of g for
 * each parameter of a row of users.
 * @param options.weight mean weight of the rows, which is taken for 1
 */
function gradients(
  dls: CollabDataLoaders,
  { uWeight, iWeight, uBias, iBias, nFactors: k, yRange }: EmbeddingDotBias,
  { lossFunc, weight }: { lossFunc: Loss; weight: number },
): { pulledFactors: number; pulledBias: number; rms: Float64Array } {
  const loader = dls.train.length > 0 ? dls.train : dls.train.inOrder(); // in random order, so that the first rows stand for all
  const group = 1 + (dls.negatives ? (dls.negatives.n ?? 1) : 0);
  const [u, v, low, span] = [
    uWeight.value,
    iWeight.value,
    yRange?.[0] ?? 0,
    yRange ? yRange[1] - yRange[0] : 1,
  ];
  const pred = new Float32Array(loader.bs);
  const slope = new Float32Array(loader.bs);
  const taste = new Float64Array(loader.bs); // U·V
  const rms = new Float64Array(k + 1);
  const g = new Float64Array(k + 1);
  let [pulledFactors, pulledBias, seen] = [0, 0, 0];
  for (const { inputs, targets, weights, size } of loader.batches(0)) {
    const [users, items] = inputs;
    for (let r = 0; r < size; r++) {
      taste[r] = 0;
      for (let j = 0; j < k; j++) taste[r] += u[users[r] * k + j] * v[items[r] * k + j];
      const score = taste[r] + uBias.value[users[r]] + iBias.value[items[r]];
      pred[r] = yRange ? low + span * sigmoid(score) : score;
    }
    lossFunc.derivatives({ size, pred, targets }, slope);
    for (let first = 0; first < size; first += group) {
      g.fill(0);
      for (let r = first; r < first + group; r++) {
        const share = (pred[r] - low) / span;
        const d =
          slope[r] *
          (yRange ? span * share * (1 - share) : 1) *
          (weights ? weights[r] / weight : 1);
        for (let j = 0; j < k; j++) g[j] += d * v[items[r] * k + j];
        g[k] += d;
        pulledFactors -= d * taste[r];
        pulledBias -= d * uBias.value[users[r]];
      }
      for (let j = 0; j <= k; j++) rms[j] += g[j] * g[j];
      seen++;
    }
    if (seen * group >= MAX_ROWS) break;
  }
  const all = dls.train.data.user.length / seen;
  return {
    pulledFactors: pulledFactors * all,
    pulledBias: pulledBias * all,
    rms: rms.map((sum) => Math.sqrt(sum / seen)),
  };
}

/** Sums over users of √n·rms(g)·θ², for factors and for biases. */
function rowsAgainst(
  { seen }: CollabDataLoaders,
  { uWeight, uBias, nFactors: k, classes }: EmbeddingDotBias,
  rms: Float64Array,
): { pullFactors: number; pullBias: number } {
  const step = Math.ceil(classes.user.length / MAX_USERS);
  let [pullFactors, pullBias] = [0, 0];
  for (let u = 1; u < classes.user.length; u += step) {
    const root = Math.sqrt(seen.indptr[u + 1] - seen.indptr[u]);
    for (let j = 0; j < k; j++) pullFactors += root * rms[j] * uWeight.value[u * k + j] ** 2;
    pullBias += root * rms[k] * uBias.value[u] ** 2;
  }
  return { pullFactors: pullFactors * step, pullBias: pullBias * step };
}

function meanAboveMean(values: Float32Array): number {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let [sum, n] = [0, 0];
  for (const value of values) {
    if (value <= mean) continue;
    sum += value;
    n++;
  }
  return n > 0 ? sum / n : values[0];
}

/** A prior that was written to a file, for `width` parameters. */
export function readUserPrior(config: Fields, { width }: { width: number }): UserPrior {
  return {
    strength: config.numbers('strength', width),
    liked: config.number('liked'),
    weight: config.number('weight'),
  };
}
