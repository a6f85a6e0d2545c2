import { Random } from '../../compute/random.js';
import { targetsOf } from '../../data/collab-rows.js';
import { type NegativeOptions, WeightedDraw } from '../../data/negatives.js';
import { Plays } from '../../data/plays.js';
import { Vocabulary } from '../../data/vocabulary.js';
import { choleskySolve } from '../../decomposition/positive-definite.js';
import { ArgumentError } from '../../errors.js';
import type { EmbeddingDotBias } from '../../models/embedding-dot-bias.js';
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
import { type Id, trackIndex, userIndex } from '../recommender.js';
import type { CollabLearner } from './collab.js';
import { dot, scoreCurve, solveUser, type UserFit, type UserRows } from './newton.js';

/**
 * Options of {@link CollabLearner.foldIn}.
 * @example learn.foldIn(['Song A', 'Song B'], { l2: 0.5, skipUnknown: true }).recommend({ n: 10 })
 */
export interface FoldInOptions extends HistoryOptions {
  /**
   * Strength λ of the penalty ½·λ·|θ|² on the listener's factors and bias, beside the sum of the
   * losses of the history; more than 0. Larger: nearer to what everybody gets. Default: twice the
   * second derivative of the loss at the score 0, so 4 for squared errors and ½ for losses on
   * logits; `npm run bench -- fold-in` compares the lists with those of trained users.
   */
  l2?: number;
}

/**
 * Training rows in the mean, for tracks of a listener who is not among them. Plain values: a
 * learner without its data keeps them.
 */
export interface TypicalRow {
  /**
   * The target of a track that is named without a playcount, as one that the listener likes: the
   * mean of the training targets above their mean.
   */
  readonly liked: number;
  /** Mean weight of the training rows, 1 without weights. */
  readonly weight: number;
}

/** The typical row of the training data. */
export function typicalRow({ dls, savedRow }: CollabLearner): TypicalRow {
  if (savedRow) return savedRow;
  const { target, weight } = dls.train.data;
  if (target.length === 0)
    throw new ArgumentError(
      'Without training rows it is not known what a listener who likes a track rates it. Set savedRow.',
    );
  const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length;
  const middle = mean(target);
  const above = target.filter((y) => y > middle);
  return {
    liked: above.length > 0 ? mean(above) : target[0],
    weight: weight ? mean(weight) : 1,
  };
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
  return new CollabFoldedUser(
    learn,
    fitListener(learn, listenerTracks(learn, history), l2),
    history,
  );
}

/** Targets and weights by the rules of the loaders, as if the history had been among the plays. */
function listenerTracks(learn: CollabLearner, { track, playcount }: History): ListenerTracks {
  const { dls, tracks } = learn;
  const { liked, weight } = typicalRow(learn);
  const counted = Int32Array.from(track.keys()).filter((i) => !Number.isNaN(playcount[i]));
  const counts = Float32Array.from(counted, (i) => playcount[i]);
  const plays = (): Plays =>
    new Plays({
      users: Vocabulary.inOrder(['listener'], { kind: 'user' }),
      tracks,
      user: new Int32Array(counted.length),
      track: counted.map((i) => track[i]),
      playcount: counts,
    });
  const targets = dls.target ? targetsOf(plays(), dls.target) : counts; // of a table: the ratings
  const target = new Float32Array(track.length).fill(liked);
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
 * Fits a listener's parameters to what they have played, tracks fixed.
 * @param l2 see {@link FoldInOptions}
 */
export function fitListener(
  learn: CollabLearner,
  listener: ListenerTracks,
  l2?: number,
): FittedListener {
  const curve = scoreCurve(learn.lossFunc, learn.model.yRange);
  const rows = listenerRows(learn.model, listener, {
    pairs: curve.pairs,
    negatives: learn.dls.negatives,
    seen: learn.seen,
  });
  const ridge = new Float64Array(learn.model.nFactors + 1).fill(l2 ?? 2 * curve.curvature(0, 0));
  return { listener, rows, ...solveUser(rows, curve, ridge) };
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
  const chance = Float64Array.from(seen.usersPerTrack(), (n) =>
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

/** See {@link CollabLearner.explain}. */
export function explain(learn: CollabLearner, user: Id, track: Id): Explanation {
  const u = userIndex(learn, user);
  const index = trackIndex(learn, track);
  learn.settle();
  const { uWeight, uBias, nFactors } = learn.model;
  const fit = fitListener(learn, trainedTracks(learn, u + 1));
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
function trainedTracks(learn: CollabLearner, user: number): ListenerTracks {
  const { dls, seen } = learn;
  if (dls.train.n === 0) {
    throw new ArgumentError(
      "To explain is to go back to the user's training rows, and these loaders have none. foldIn(history).explain(track) can.",
    );
  }
  const { weight } = typicalRow(learn);
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
