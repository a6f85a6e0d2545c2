import { Random } from '../../compute/random.js';
import type { CollabDataLoaders } from '../../data/collab.js';
import { targetsOf } from '../../data/collab-rows.js';
import type { Fields } from '../../data/files/fields.js';
import { type NegativeOptions, WeightedDraw } from '../../data/negatives.js';
import { Plays } from '../../data/plays.js';
import { Vocabulary } from '../../data/vocabulary.js';
import { cholesky, choleskySolve } from '../../decomposition/positive-definite.js';
import { ArgumentError, NumericError } from '../../errors.js';
import type { EmbeddingDotBias } from '../../models/embedding-dot-bias.js';
import { sigmoid, softplus } from '../../nn/activations.js';
import type { Loss } from '../../nn/loss.js';
import { BCEWithLogitsLossFlat, BPRLoss, MSELossFlat } from '../../nn/losses.js';
import { checkNumber, checkOptions, type NoOptions } from '../../options.js';
import { Explanation } from '../explanation.js';
import { factorScores } from '../factors/factors.js';
import {
  FoldedUser,
  type History,
  type HistoryItem,
  type HistoryOptions,
  readHistory,
} from '../fold-in.js';
import type { Interactions } from '../interactions.js';
import { trackInfo } from '../recommendations.js';
import type { Id } from '../recommender.js';
import { trackIndex, userIndex } from '../resolve-ids.js';
import type { CollabLearner } from './collab.js';

/** Options of {@link CollabLearner.foldIn}. */
export interface FoldInOptions extends HistoryOptions {
  /**
   * Strength λ of the penalty ½·λ·|θ|² on the listener's factors and bias, beside the sum of the
   * losses of the history; more than 0. Larger: nearer to what everybody gets. Default: as strong
   * as the weight decay was on the users of the training data, see {@link userPrior}.
   */
  l2?: number;
}

/**
 * A listener folded into a {@link CollabLearner}.
 * @example
 * const me = learn.foldIn(['Song A', { track: 'Song B', playcount: 7 }]);
 * me.explain(me.recommend({ n: 10 }).ids[0]);
 */
export class CollabFoldedUser extends FoldedUser {
  /** The listener's factors. */
  readonly factors: Float64Array;
  /** The listener's bias. */
  readonly bias: number;
  private readonly fit: FittedListener;

  constructor(
    private readonly learn: CollabLearner,
    fit: FittedListener,
    { skipped }: { skipped?: readonly string[] } = {},
  ) {
    const factors = fit.theta.slice(0, -1);
    super(learn, fit.listener.track, scoresOf(learn, fit.theta), { skipped, vector: factors });
    this.factors = factors;
    this.bias = fit.theta[fit.theta.length - 1];
    this.fit = fit;
  }

  /**
   * Which tracks of the history speak for a track: see {@link CollabLearner.explain}. Nothing is
   * left over here, as long as the learner is not trained further.
   * @param track id, title, or "title by artist"
   */
  explain(track: Id, options: NoOptions = {}): Explanation {
    checkOptions(options, [], 'explain');
    const index = trackIndex(this.learn, track);
    this.learn.settle();
    return explanation(this.learn, this.fit, {
      track: index,
      factors: this.factors,
      bias: this.bias,
    });
  }
}

/** See {@link CollabLearner.foldIn}. */
export function foldInCollab(
  learn: CollabLearner,
  items: readonly HistoryItem[],
  options: FoldInOptions = {},
): CollabFoldedUser {
  checkOptions(options, ['l2', 'skipUnknown'], 'foldIn');
  const { l2, ...rest } = options;
  if (l2 !== undefined) checkNumber(l2, l2 > 0 && l2 < Infinity, 'l2 must be a positive number');
  scoreCurve(learn.lossFunc, learn.model.yRange); // refuses losses that it cannot work with, whatever the history
  const history = readHistory(learn, items, rest, learn.dls.target === undefined);
  learn.settle();
  const prior = learn.userPrior();
  return new CollabFoldedUser(
    learn,
    fitListener(learn, listenerTracks(learn, history, prior), { prior, l2 }),
    history,
  );
}

const found = new WeakMap<CollabLearner, { state: readonly number[]; prior: UserPrior }>();

/**
 * What training tells about a new listener: see {@link userPrior}. It is kept as long as the
 * weights are the same.
 */
export function learnerPrior(learn: CollabLearner): UserPrior {
  if (learn.dls.train.n === 0) {
    throw new ArgumentError(
      'Without training rows it is not known how strongly training holds a listener back. Set savedPrior to what userPrior() was.',
    );
  }
  learn.settle();
  const { wd } = learn.opt.hypers;
  const state = [wd, ...learn.model.parameters.map(({ value }) => fingerprint(value))];
  const last = found.get(learn);
  if (last?.state.every((x, i) => x === state[i])) return last.prior;
  const prior = userPrior(learn.dls, learn.model, { lossFunc: learn.lossFunc, wd });
  found.set(learn, { state, prior });
  return prior;
}

/** A number that changes with the values. */
function fingerprint(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (1 + (i & 255)) * values[i];
  return sum;
}

/** Targets and weights by the rules of the loaders, as if the history had been among the plays. */
function listenerTracks(
  { dls, tracks }: CollabLearner,
  { track, playcount }: History,
  { liked, weight }: UserPrior,
): ListenerTracks {
  const counted = Int32Array.from(track.keys()).filter((i) => !Number.isNaN(playcount[i]));
  const target = new Float32Array(track.length).fill(liked);
  const counts = Float32Array.from(counted, (i) => playcount[i]);
  const plays = (): Plays => {
    const users = Vocabulary.inOrder(['listener'], { kind: 'user' });
    return new Plays({
      users,
      tracks,
      user: new Int32Array(counted.length),
      track: counted.map((i) => track[i]),
      playcount: counts,
    });
  };
  const targets = dls.target ? targetsOf(plays(), dls.target) : counts; // of a table: the ratings
  targets.forEach((t, j) => {
    target[counted[j]] = t;
  });
  const byCount = dls.weighedBy === 'playcount' && dls.target !== undefined;
  return {
    track,
    target,
    weight: Float64Array.from(playcount, (count) =>
      byCount && !Number.isNaN(count) ? count / weight : 1,
    ),
  };
}

/** The score of each track, by the same matrix product as for users of the training data. */
function scoresOf({ model, tracks }: CollabLearner, theta: Float64Array): Float32Array {
  const { iWeight, iBias, nFactors } = model;
  const factors = new Float32Array(2 * nFactors); // row 0 is #na#
  factors.set(theta.subarray(0, nFactors), nFactors);
  const bias = Float32Array.of(0, theta[nFactors]);
  const out = new Float32Array(tracks.length);
  factorScores(Int32Array.of(0), out, {
    userFactors: factors,
    trackFactors: iWeight.value,
    userBias: bias,
    trackBias: iBias.value,
    width: nFactors,
    skip: 1,
  });
  return out;
}

/** A listener's parameters, and what they were fitted to. */
export interface FittedListener extends UserFit {
  /** What the listener has played. */
  readonly listener: ListenerTracks;
  /** The rows that this made. */
  readonly rows: ListenerRows;
}

/**
 * The parameters that what a listener has played leads to, tracks fixed.
 * @param options.l2 one λ for all parameters; default: that of training
 */
export function fitListener(
  learn: CollabLearner,
  listener: ListenerTracks,
  { prior, l2 }: { prior: UserPrior; l2?: number },
): FittedListener {
  const curve = scoreCurve(learn.lossFunc, learn.model.yRange);
  const rows = listenerRows(learn.model, listener, {
    pairs: curve.pairs,
    negatives: learn.dls.negatives,
    seen: learn.seen,
  });
  const root = Math.sqrt(listener.track.length);
  const ridge = Float64Array.from(prior.strength, (s) => l2 ?? Math.max(1e-6, s * root)); // a ridge of 0 may leave nothing to solve
  return { listener, rows, ...solveUser(rows, curve, ridge) };
}

/**
 * A loss as a function of one score (of a pair: by how much the first scores more than the second),
 * up to its second derivative.
 */
export interface ScoreCurve {
  /** Whether scores are those of pairs, played and not played; their target does not matter. */
  readonly pairs: boolean;
  /** Loss of the score for the target. */
  loss(score: number, target: number): number;
  /** dLoss/dScore. */
  slope(score: number, target: number): number;
  /**
   * d²Loss/dScore², never negative. Exact without a range; with one, Gauss and Newton's
   * approximation, that of a range taken as straight: the loss of a range is not convex.
   */
  curvature(score: number, target: number): number;
}

/**
 * The loss of a learner as a function of the score that its model makes, before the range.
 * @throws ArgumentError for losses without two derivatives
 */
export function scoreCurve(loss: Loss, yRange: readonly [number, number] | undefined): ScoreCurve {
  const plain = predictionCurve(loss);
  if (!yRange) return plain;
  if (plain.pairs)
    throw new ArgumentError(
      `A listener is not folded in for ${loss.name} with a yRange. Train without one: pairs need none.`,
    );
  const [low, high] = yRange;
  const value = (s: number): number => low + (high - low) * sigmoid(s);
  const rise = (s: number): number => (high - low) * sigmoid(s) * sigmoid(-s);
  return {
    pairs: false,
    loss: (s, y) => plain.loss(value(s), y),
    slope: (s, y) => plain.slope(value(s), y) * rise(s),
    curvature: (s, y) => plain.curvature(value(s), y) * rise(s) ** 2,
  };
}

function predictionCurve(loss: Loss): ScoreCurve {
  if (loss instanceof MSELossFlat)
    return {
      pairs: false,
      loss: (p, y) => (p - y) ** 2,
      slope: (p, y) => 2 * (p - y),
      curvature: () => 2,
    };
  if (loss instanceof BCEWithLogitsLossFlat) {
    const weight = (y: number): number => 1 + (loss.posWeight - 1) * y;
    return {
      pairs: false,
      loss: (p, y) => (1 - y) * p + weight(y) * softplus(-p),
      slope: (p, y) => 1 - y - weight(y) * sigmoid(-p),
      curvature: (p, y) => weight(y) * sigmoid(p) * sigmoid(-p),
    };
  }
  if (loss instanceof BPRLoss) {
    return {
      pairs: true,
      loss: (p) => softplus(-p),
      slope: (p) => -sigmoid(-p),
      curvature: (p) => sigmoid(p) * sigmoid(-p),
    };
  }
  throw new ArgumentError(
    `A listener is folded in by Newton's method, which needs a loss with two derivatives: MSELossFlat, BCEWithLogitsLossFlat or BPRLoss. This learner has ${loss.name}.`,
  );
}

/** What a listener has played, one entry a track. */
export interface ListenerTracks {
  /** Track indices, ascending, each once. */
  readonly track: Int32Array;
  /** What the model should predict of each. */
  readonly target: Float32Array;
  /** What the loss of each counts. */
  readonly weight: Float64Array;
}

/** Rows of a listener. */
export interface ListenerRows extends UserRows {
  /**
   * Position in the listener's tracks that each row belongs to; −1: to a track that is not theirs.
   */
  readonly of: Int32Array;
}

/** Pairs for each track of a listener: many times what training draws. */
const PAIRS = 200;

/**
 * The rows that a listener's parameters are fitted to.
 * - Without negatives, one a track.
 * - With negatives, further rows with target 0, one for each track that is not the listener's, weighted by how often training would draw it: their sum is
 *   what the draws come to on average.
 * - For a loss on pairs, 200 pairs for each track, whose second is drawn as in training, always the same ones. The bias cancels in them.
 * @param seen what is played in training: popularity
 */
export function listenerRows(
  model: EmbeddingDotBias,
  listener: ListenerTracks,
  { pairs, negatives, seen }: { pairs: boolean; negatives?: NegativeOptions; seen: Interactions },
): ListenerRows {
  if (pairs && !negatives)
    throw new ArgumentError(
      'A loss on pairs needs loaders with negatives: CollabDataLoaders.fromPlays(plays, { negatives: { n: 1 } }).',
    );
  const own = ownRows(model, listener);
  if (!negatives) return own;
  const chance = chances(listener, negatives, seen);
  if (chance.every((p) => p === 0))
    throw new ArgumentError(
      'The history has every track, so there is nothing left to set against it, or to recommend.',
    );
  return pairs
    ? pairRows(model, listener, { negatives, chance })
    : withUnplayed(model, listener, { own, negatives, chance });
}

/** How likely each track is drawn as a negative of the listener, in proportion. */
function chances(
  { track }: ListenerTracks,
  { sampling = 'uniform', power = 0.75 }: NegativeOptions,
  seen: Interactions,
): Float64Array {
  const chance = Float64Array.from(seen.listeners(), (n) =>
    sampling === 'uniform' ? 1 : n ** power,
  );
  for (const t of track) chance[t] = 0;
  return chance;
}

function ownRows(model: EmbeddingDotBias, { track, target, weight }: ListenerTracks): ListenerRows {
  const rows = emptyRows(model, track.length);
  for (let i = 0; i < track.length; i++) addTrack(rows, i, { model, track: track[i], sign: 1 });
  rows.target.set(target);
  rows.weight.set(weight);
  return { ...rows, of: Int32Array.from(track.keys()) };
}

function withUnplayed(
  model: EmbeddingDotBias,
  { track, weight }: ListenerTracks,
  {
    own,
    negatives: { n = 1 },
    chance,
  }: { own: ListenerRows; negatives: NegativeOptions; chance: Float64Array },
): ListenerRows {
  const size = chance.length; // the listener's own tracks first, then the others
  const rows = { ...emptyRows(model, size), of: new Int32Array(size).fill(-1) };
  rows.features.set(own.features);
  rows.offset.set(own.offset);
  rows.target.set(own.target);
  rows.weight.set(own.weight);
  rows.of.set(own.of);
  const mine = new Set(track);
  const drawn = (n * sum(weight)) / sum(chance);
  let r = track.length;
  for (let t = 0; t < size; t++) {
    if (mine.has(t)) continue;
    addTrack(rows, r, { model, track: t, sign: 1 });
    rows.weight[r++] = drawn * chance[t];
  }
  return rows;
}

function pairRows(
  model: EmbeddingDotBias,
  { track, weight }: ListenerTracks,
  { negatives: { n = 1 }, chance }: { negatives: NegativeOptions; chance: Float64Array },
): ListenerRows {
  const draw = new WeightedDraw(chance);
  const random = new Random('fold in').child('pairs');
  const rows = {
    ...emptyRows(model, track.length * PAIRS),
    of: new Int32Array(track.length * PAIRS),
  };
  for (let r = 0; r < rows.of.length; r++) {
    const i = Math.floor(r / PAIRS);
    addTrack(rows, r, { model, track: track[i], sign: 1 });
    addTrack(rows, r, { model, track: draw.draw(random), sign: -1 });
    rows.weight[r] = (n * weight[i]) / PAIRS;
    rows.of[r] = i;
  }
  return rows;
}

interface Rows {
  features: Float64Array;
  offset: Float64Array;
  target: Float32Array;
  weight: Float64Array;
}

function emptyRows({ nFactors }: EmbeddingDotBias, size: number): Rows {
  const [features, offset] = [new Float64Array(size * (nFactors + 1)), new Float64Array(size)];
  return { features, offset, target: new Float32Array(size), weight: new Float64Array(size) };
}

/** Adds a track's factors, 1 and bias to row r, or takes them off. */
function addTrack(
  { features, offset }: Rows,
  r: number,
  {
    model: { iWeight, iBias, nFactors },
    track,
    sign,
  }: { model: EmbeddingDotBias; track: number; sign: 1 | -1 },
): void {
  const from = (track + 1) * nFactors; // row 0 is #na#
  const to = r * (nFactors + 1);
  for (let j = 0; j < nFactors; j++) features[to + j] += sign * iWeight.value[from + j];
  features[to + nFactors] += sign;
  offset[r] += sign * iBias.value[track + 1];
}

function sum(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0);
}

/** What one user's parameters θ are fitted to, one row a track: score = features·θ + offset. */
export interface UserRows {
  /** Rows × width, row-major: the track's factors, then 1. */
  readonly features: Float64Array;
  /** The track's bias, one a row. */
  readonly offset: Float64Array;
  /** One a row. */
  readonly target: ArrayLike<number>;
  /** What the loss of each row counts. */
  readonly weight: Float64Array;
}

/** The solution. */
export interface UserFit {
  /** The parameters: factors, then the bias. */
  readonly theta: Float64Array;
  /** Cholesky factor of the Hessian A = Σ h·x·xᵀ + Λ at the solution. */
  readonly hessian: Float64Array;
  /**
   * Per row the h·(x·θ) − g with which θ = A⁻¹·Σ pull·x, where g and h are slope and curvature of
   * its loss.
   */
  readonly pull: Float64Array;
}

const MAX_STEPS = 100;

/**
 * Minimises Σ weight·loss(x·θ + offset, target) + ½·Σ λ·θ² from θ = 0 by Newton's method. A step
 * that does not lower the sum is halved until it does, so it never gets worse. Squared errors
 * without a range are solved by the first step.
 * @param l2 one λ > 0 a parameter
 */
export function solveUser(rows: UserRows, curve: ScoreCurve, l2: Float64Array): UserFit {
  const width = l2.length;
  const n = rows.offset.length;
  let theta = new Float64Array(width);
  let value = objective(rows, curve, l2, theta);
  if (!Number.isFinite(value))
    throw new NumericError(
      'The history meets a weight of the model that is not a finite number. Has training diverged?',
    );
  const hessian = new Float64Array(width * width);
  const pull = new Float64Array(n);
  for (let step = 0; ; step++) {
    const gradient = linearise(rows, curve, l2, theta, { hessian, pull });
    cholesky(hessian, width);
    const change = choleskySolve(hessian, gradient.slice());
    let decrement = 0; // gradient·A⁻¹·gradient, twice what the step should gain
    for (let j = 0; j < width; j++) decrement += gradient[j] * change[j];
    if (decrement <= 1e-16 * (1 + Math.abs(value)) || step === MAX_STEPS)
      return { theta, hessian, pull };
    let scale = 1;
    let next = theta;
    let nextValue = Infinity;
    for (; scale > 1e-9; scale /= 2) {
      next = theta.map((t, j) => t - scale * change[j]);
      nextValue = objective(rows, curve, l2, next);
      if (nextValue <= value - 1e-4 * scale * decrement) break;
    }
    if (!(nextValue < value)) return { theta, hessian, pull }; // as low as float64 goes
    theta = next;
    value = nextValue;
  }
}

function objective(
  { features, offset, target, weight }: UserRows,
  curve: ScoreCurve,
  l2: Float64Array,
  theta: Float64Array,
): number {
  const width = theta.length;
  let sum = 0;
  for (let j = 0; j < width; j++) sum += 0.5 * l2[j] * theta[j] ** 2;
  for (let i = 0; i < offset.length; i++)
    sum += weight[i] * curve.loss(offset[i] + dot(features, i * width, theta), target[i]);
  return sum;
}

/** The gradient at θ; fills the Hessian's lower triangle and the pulls. */
function linearise(
  { features, offset, target, weight }: UserRows,
  curve: ScoreCurve,
  l2: Float64Array,
  theta: Float64Array,
  { hessian, pull }: { hessian: Float64Array; pull: Float64Array },
): Float64Array {
  const width = theta.length;
  const gradient = theta.map((t, j) => l2[j] * t);
  hessian.fill(0);
  for (let j = 0; j < width; j++) hessian[j * width + j] = l2[j];
  for (let i = 0; i < offset.length; i++) {
    const at = i * width;
    const own = dot(features, at, theta);
    const g = weight[i] * curve.slope(offset[i] + own, target[i]);
    const h = weight[i] * curve.curvature(offset[i] + own, target[i]);
    pull[i] = h * own - g;
    for (let a = 0; a < width; a++) {
      gradient[a] += g * features[at + a];
      const hx = h * features[at + a];
      for (let b = 0; b <= a; b++) hessian[a * width + b] += hx * features[at + b];
    }
  }
  return gradient;
}

/** features[at …]·theta. */
export function dot(features: ArrayLike<number>, at: number, theta: ArrayLike<number>): number {
  let sum = 0;
  for (let j = 0; j < theta.length; j++) sum += features[at + j] * theta[j];
  return sum;
}

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

/** See {@link CollabLearner.explain}. */
export function explain(learn: CollabLearner, user: Id, track: Id): Explanation {
  const u = userIndex(learn, user);
  const index = trackIndex(learn, track);
  learn.settle();
  const { uWeight, uBias, nFactors } = learn.model;
  const prior = learn.userPrior();
  const fit = fitListener(learn, trainedTracks(learn, u + 1, prior), { prior });
  const factors = uWeight.value.subarray((u + 1) * nFactors, (u + 2) * nFactors);
  return explanation(learn, fit, { track: index, factors, bias: uBias.value[u + 1] });
}

/**
 * Decomposes V·U for a track with factors V and a user with factors U: with the user's ridge
 * solution θ = A⁻¹·Σ pull·x over their tracks, each track of theirs contributes Vᵀ·A⁻¹·x·pull, and
 * what U has beyond θ is the remainder.
 */
export function explanation(
  learn: CollabLearner,
  fit: FittedListener,
  { track, factors, bias }: { track: number; factors: ArrayLike<number>; bias: number },
): Explanation {
  const { iWeight, iBias, nFactors } = learn.model;
  const width = nFactors + 1;
  const v = new Float64Array(width); // 0 for the bias, which is no matter of taste
  v.set(iWeight.value.subarray((track + 1) * nFactors, (track + 2) * nFactors));
  let remainder = 0;
  for (let j = 0; j < nFactors; j++) remainder += v[j] * (factors[j] - fit.theta[j]);
  const direction = choleskySolve(fit.hessian, v);
  const { listener, rows, pull } = fit;
  const contribution = new Float64Array(listener.track.length);
  let unplayed = 0;
  for (let r = 0; r < rows.of.length; r++) {
    const part = dot(rows.features, r * width, direction) * pull[r];
    if (rows.of[r] < 0) unplayed += part;
    else contribution[rows.of[r]] += part;
  }
  const order = Array.from(contribution.keys()).sort(
    (a, b) => contribution[b] - contribution[a] || a - b,
  );
  const columns = {
    ...trackInfo(learn.tracks.decode(order.map((i) => listener.track[i])), learn),
    [learn.dls.names.rating]: Float64Array.from(order, (i) => listener.target[i]),
    contribution: Float64Array.from(order, (i) => contribution[i]),
  };
  const id = learn.tracks.id(track);
  return new Explanation(learn.catalogue?.label(id) ?? id, columns, {
    trackBias: iBias.value[track + 1],
    userBias: bias,
    unplayed,
    remainder,
  });
}

/** What a user has played in training. Of a pair that occurs again, the first row counts. */
function trainedTracks(
  { dls, seen }: CollabLearner,
  user: number,
  { weight }: UserPrior,
): ListenerTracks {
  if (dls.train.n === 0) {
    throw new ArgumentError(
      "To explain is to go back to the user's training rows, and these loaders have none. foldIn(history).explain(track) can.",
    );
  }
  const { data } = dls.train;
  const rowOf = new Map<number, number>();
  for (let i = 0; i < data.user.length; i++)
    if (data.user[i] === user && !rowOf.has(data.item[i] - 1)) rowOf.set(data.item[i] - 1, i);
  const track = seen.row(user - 1).slice();
  return {
    track,
    target: Float32Array.from(track, (t) => data.target[rowOf.get(t)!]),
    weight: Float64Array.from(track, (t) =>
      data.weight ? data.weight[rowOf.get(t)!] / weight : 1,
    ),
  };
}
