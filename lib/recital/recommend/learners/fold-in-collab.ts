import { targetsOf } from '../../data/collab-rows.js';
import { Plays } from '../../data/plays.js';
import { Vocabulary } from '../../data/vocabulary.js';
import { ArgumentError } from '../../errors.js';
import { checkNumber, checkOptions, type NoOptions } from '../../options.js';
import { type Explanation, explanation } from '../explain.js';
import { factorScores } from '../factors/factor-scores.js';
import {
  FoldedUser,
  type History,
  type HistoryItem,
  type HistoryOptions,
  readHistory,
} from '../fold-in.js';
import { trackIndex } from '../lookup.js';
import type { Id } from '../recommender.js';
import type { CollabLearner } from './collab.js';
import { scoreCurve } from './fold-in-curve.js';
import { type FittedListener, fitListener } from './fold-in-fit.js';
import { type UserPrior, userPrior } from './fold-in-prior.js';
import type { ListenerTracks } from './fold-in-rows.js';

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
