import { Random } from '../../compute/random.js';
import { targetsOf } from '../../data/collab-rows.js';
import { type NegativeOptions, WeightedDraw } from '../../data/negatives.js';
import { Plays } from '../../data/plays.js';
import { Vocabulary } from '../../data/vocabulary.js';
import { choleskySolve } from '../../decomposition/positive-definite.js';
import { ArgumentError } from '../../errors.js';
import type { EmbeddingDotBias } from '../../models/embedding-dot-bias.js';
import { BPRLoss } from '../../nn/losses.js';
import { checkNumber, checkOptions, type NoOptions } from '../../options.js';
import { type Explanation, explanation } from '../explanation.js';
import { factorScores } from '../factors/factors.js';
import {
  FoldedUser,
  type History,
  type HistoryItem,
  type HistoryOptions,
  readHistory,
} from '../fold-in.js';
import type { Interactions } from '../interactions.js';
import { type Id, trackIndex, userIndex } from '../recommender.js';
import type { CollabLearner } from './collab.js';
import { dot, scoreCurve, solveUser, type UserFit, type UserRow } from './newton.js';

/**
 * Options of {@link CollabLearner.foldIn}.
 * @example learn.foldIn(['Song A', 'Song B'], { l2: 0.5, skipUnknown: true }).recommend({ n: 10 })
 */
export interface FoldInOptions extends HistoryOptions {
  /**
   * Strength λ of the penalty ½·λ·|θ|² on the user's factors and bias, beside the sum of the losses
   * of the history; more than 0. Larger: nearer to what everybody gets. Default: twice the second
   * derivative of the loss at the score 0, so 4 for squared errors and ½ for losses on logits;
   * `npm run bench -- fold-in` compares the lists with those of trained users.
   */
  l2?: number;
}

/** Training rows in the mean; a learner without its data keeps them. */
export interface TypicalRow {
  /** The target of a track that is liked: the mean of the training targets above their mean. */
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
      'Without training rows it is not known how a user rates a track that they like. Set savedRow.',
    );
  const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length;
  const middle = mean(target);
  const above = target.filter((y) => y > middle);
  return { liked: above.length > 0 ? mean(above) : target[0], weight: weight ? mean(weight) : 1 };
}

/**
 * A user folded into a {@link CollabLearner}.
 * @example
 * const me = learn.foldIn(['Song A', { track: 'Song B', playcount: 7 }]);
 * me.explain(me.recommend({ n: 10 }).ids[0]);
 */
export class CollabFoldedUser extends FoldedUser {
  /** The user's factors. */
  readonly factors: Float64Array;
  /** The user's bias. */
  readonly bias: number;

  constructor(
    private readonly learn: CollabLearner,
    private readonly fit: FittedUser,
    { track, skipped }: History,
  ) {
    const factors = fit.theta.slice(0, -1);
    super(learn, track, scoresOf(learn, fit.theta), { skipped, vector: factors });
    this.factors = factors;
    this.bias = fit.theta[factors.length];
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
    return explainFit(this.learn, this.fit, index, this);
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
  scoreCurve(learn.lossFunc, learn.model.yRange); // refuses other losses, whatever the history
  const history = readHistory(learn, items, rest, learn.dls.target === undefined);
  learn.settle();
  return new CollabFoldedUser(learn, fitUser(learn, rowsOfHistory(learn, history), l2), history);
}

/** See {@link CollabLearner.explain}. */
export function explain(learn: CollabLearner, user: Id, track: Id): Explanation {
  const u = userIndex(learn, user) + 1; // row 0 of the tables is #na#
  const index = trackIndex(learn, track);
  learn.settle();
  const { uWeight, uBias, nFactors } = learn.model;
  const factors = uWeight.value.subarray(u * nFactors, (u + 1) * nFactors);
  const fit = fitUser(learn, rowsOfTraining(learn, u));
  return explainFit(learn, fit, index, { factors, bias: uBias.value[u] });
}

/** A track that a user has played, what the model should predict of it, and what its loss counts. */
export interface PlayedRow {
  readonly track: number;
  readonly target: number;
  readonly weight: number;
}

/** The tracks of a history; targets and weights as the loaders make them of plays. */
function rowsOfHistory(learn: CollabLearner, { track, playcount }: History): PlayedRow[] {
  const { target, weighedBy } = learn.dls;
  const { liked, weight } = typicalRow(learn);
  const counted = track.filter((_, i) => !Number.isNaN(playcount[i]));
  const counts = Float32Array.from(playcount.filter((count) => !Number.isNaN(count)));
  const plays = (): Plays =>
    new Plays({
      users: Vocabulary.inOrder(['user'], { kind: 'user' }),
      tracks: learn.tracks,
      user: new Int32Array(counted.length),
      track: counted,
      playcount: counts,
    });
  const targets = target ? targetsOf(plays(), target) : counts; // of a table: the ratings
  const weighed = target !== undefined && weighedBy === 'playcount';
  let j = 0;
  return Array.from(track, (t, i) =>
    Number.isNaN(playcount[i])
      ? { track: t, target: Math.fround(liked), weight: 1 }
      : { track: t, target: targets[j++], weight: weighed ? playcount[i] / weight : 1 },
  );
}

/** What a user has played in training. Of a pair that occurs again, the first row counts. */
function rowsOfTraining(learn: CollabLearner, user: number): PlayedRow[] {
  const { data, n } = learn.dls.train;
  if (n === 0)
    throw new ArgumentError(
      "To explain is to go back to the user's training rows, and these loaders have none. foldIn(history).explain(track) can.",
    );
  const typical = typicalRow(learn).weight;
  const rows = new Map<number, PlayedRow>();
  for (let i = 0; i < data.user.length; i++) {
    const track = data.item[i] - 1;
    if (data.user[i] !== user || rows.has(track)) continue;
    const weight = data.weight ? data.weight[i] / typical : 1;
    rows.set(track, { track, target: data.target[i], weight });
  }
  return [...rows.values()].sort((a, b) => a.track - b.track);
}

/** The score of each track, by the same matrix product as for users of the training data. */
function scoresOf({ model, tracks }: CollabLearner, theta: Float64Array): Float32Array {
  const { iWeight, iBias, nFactors } = model;
  const out = new Float32Array(tracks.length);
  factorScores(Int32Array.of(0), out, {
    userFactors: Float32Array.from([...new Float64Array(nFactors), ...theta.slice(0, -1)]),
    trackFactors: iWeight.value,
    userBias: Float32Array.of(0, theta[nFactors]),
    trackBias: iBias.value,
    width: nFactors,
    skip: 1,
  });
  return out;
}

/** A user's parameters, and what they were fitted to. */
export interface FittedUser extends UserFit {
  readonly played: readonly PlayedRow[];
  readonly rows: readonly FitRow[];
}

/**
 * Fits a user's parameters to what they have played, tracks fixed.
 * @param played ascending tracks, each once
 * @param l2 see {@link FoldInOptions}
 */
export function fitUser(
  learn: CollabLearner,
  played: readonly PlayedRow[],
  l2?: number,
): FittedUser {
  const { model, lossFunc, dls, seen } = learn;
  const curve = scoreCurve(lossFunc, model.yRange);
  const pairs = lossFunc instanceof BPRLoss;
  const rows = fitRows(model, played, { pairs, negatives: dls.negatives, seen });
  const options = { width: model.nFactors + 1, l2: l2 ?? 2 * curve(0, 0)[2] };
  return { played, rows, ...solveUser(rows, curve, options) };
}

/** `of`: the place of the played track that the row belongs to; −1: the track was not played. */
export type FitRow = UserRow & { readonly of: number };

/** Pairs for each track of a user: many times what training draws. */
const PAIRS = 200;

/**
 * The rows that a user's parameters are fitted to.
 * - Without negatives, one per track.
 * - With negatives, further rows with target 0, one for each track that is not the user's, weighted by how often training would draw it: their sum is what
 *   the draws come to on average.
 * - For a loss on pairs, 200 pairs for each track, whose second is drawn as in training, always the same ones. The bias cancels in them.
 * @param seen what is played in training: popularity
 */
export function fitRows(
  { iWeight, iBias, nFactors }: EmbeddingDotBias,
  played: readonly PlayedRow[],
  { pairs, negatives, seen }: { pairs: boolean; negatives?: NegativeOptions; seen: Interactions },
): FitRow[] {
  if (pairs && !negatives)
    throw new ArgumentError(
      'A loss on pairs needs loaders with negatives: CollabDataLoaders.fromPlays(plays, { negatives: { n: 1 } }).',
    );
  const rowOf = ({ track, target, weight }: PlayedRow, of: number): FitRow => {
    const x = new Float64Array(nFactors + 1);
    x.set(iWeight.value.subarray((track + 1) * nFactors, (track + 2) * nFactors));
    x[nFactors] = 1;
    return { x, offset: iBias.value[track + 1], target, weight, of };
  };
  const own = played.map(rowOf);
  if (!negatives) return own;
  const { n = 1, sampling = 'uniform', power = 0.75 } = negatives;
  const chance = Float64Array.from(seen.usersPerTrack(), (users) =>
    sampling === 'uniform' ? 1 : users ** power,
  );
  for (const { track } of played) chance[track] = 0;
  const chances = chance.reduce((a, b) => a + b, 0);
  if (chances === 0)
    throw new ArgumentError(
      'The history has every track, so there is nothing left to set against it, or to recommend.',
    );
  if (pairs) {
    const draw = new WeightedDraw(chance);
    const random = new Random('fold in').child('pairs');
    const pairOf = (first: FitRow): FitRow => {
      const second = rowOf({ track: draw.draw(random), target: 0, weight: 0 }, -1);
      const x = first.x.map((v, j) => v - second.x[j]);
      const offset = first.offset - second.offset;
      return { ...first, x, offset, weight: (n * first.weight) / PAIRS };
    };
    return own.flatMap((row) => Array.from({ length: PAIRS }, () => pairOf(row)));
  }
  const drawn = (n * played.reduce((sum, { weight }) => sum + weight, 0)) / chances;
  const mine = new Set(played.map(({ track }) => track));
  chance.forEach((p, track) => {
    if (!mine.has(track)) own.push(rowOf({ track, target: 0, weight: drawn * p }, -1));
  });
  return own;
}

/**
 * Decomposes V·U for a track with factors V and a user with factors U: with the user's solution θ =
 * A⁻¹·Σ pull·x over their tracks, each track of theirs contributes Vᵀ·A⁻¹·x·pull, and what U has
 * beyond θ is the remainder.
 */
function explainFit(
  learn: CollabLearner,
  { played, rows, theta, hessian, pull }: FittedUser,
  track: number,
  { factors, bias }: { factors: ArrayLike<number>; bias: number },
): Explanation {
  const { iWeight, iBias, nFactors } = learn.model;
  const v = new Float64Array(nFactors + 1); // 0 for the bias, which is no matter of taste
  v.set(iWeight.value.subarray((track + 1) * nFactors, (track + 2) * nFactors));
  let remainder = 0;
  for (let j = 0; j < nFactors; j++) remainder += v[j] * (factors[j] - theta[j]);
  const direction = choleskySolve(hessian, v);
  const contribution = new Float64Array(played.length);
  let unplayed = 0;
  rows.forEach(({ x, of }, r) => {
    const part = dot(x, direction) * pull[r];
    if (of < 0) unplayed += part;
    else contribution[of] += part;
  });
  const own = Int32Array.from(played, (row) => row.track);
  const rating = Float64Array.from(played, (row) => row.target);
  return explanation(
    learn,
    track,
    { own, [learn.dls.names.rating]: rating, contribution },
    { trackBias: iBias.value[track + 1], userBias: bias, unplayed, remainder },
  );
}
