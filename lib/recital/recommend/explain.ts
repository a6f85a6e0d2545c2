import { type Cell, type Column, Table } from '../data/table.js';
import { choleskySolve } from '../decomposition/positive-definite.js';
import { ArgumentError } from '../errors.js';
import { visible } from '../printed.js';
import type { CollabLearner } from './learners/collab.js';
import { type FittedListener, fitListener } from './learners/fold-in-fit.js';
import type { UserPrior } from './learners/fold-in-prior.js';
import type { ListenerTracks } from './learners/fold-in-rows.js';
import { dot } from './learners/fold-in-solve.js';
import { trackIndex, userIndex } from './lookup.js';
import type { Id } from './recommender.js';
import { trackInfo } from './track-info.js';

/** What an {@link Explanation} adds up from. */
export interface ExplanationParts {
  /** The track's own bias. */
  readonly trackBias: number;
  /** The listener's bias, the same for every track. */
  readonly userBias: number;
  /**
   * What it says that the listener has not played the other tracks; 0 unless training draws
   * negatives on single rows.
   */
  readonly unplayed: number;
  /**
   * What training gave the listener beyond what their tracks explain; 0 for a listener who was
   * folded in.
   */
  readonly remainder: number;
}

/**
 * Which of a listener's tracks speak for a track, and which against it: one row a track of theirs,
 * the strongest first; columns track_id, title, artist and year as far as the catalogue has them,
 * the rating (or playcount) that training has of it, and contribution. In the units of `scores`,
 * before range and activation: trackBias + userBias + Σ contribution + unplayed + remainder =
 * total.
 * @example
 * const why = learn.explain(user, learn.recommend(user).ids[0]);
 * why.head(5);
 * why.total; // what the prediction is made of
 */
export class Explanation extends Table implements ExplanationParts {
  readonly trackBias: number;
  readonly userBias: number;
  readonly unplayed: number;
  readonly remainder: number;
  /** The listener's score of the track. */
  readonly total: number;

  /**
   * @param name of the track that is explained
   * @param columns `contribution` is among them
   */
  constructor(
    readonly name: string,
    columns: Record<string, Column>,
    { trackBias, userBias, unplayed, remainder }: ExplanationParts,
  ) {
    super(columns);
    this.trackBias = trackBias;
    this.userBias = userBias;
    this.unplayed = unplayed;
    this.remainder = remainder;
    this.total =
      trackBias +
      userBias +
      this.numbers('contribution').reduce((a, b) => a + b, 0) +
      unplayed +
      remainder;
  }

  /**
   * For JSON.stringify: what is explained, its score, the parts of the sum, and the tracks, a
   * record each.
   */
  override toJSON(): ExplanationParts & {
    track: string;
    total: number;
    tracks: Record<string, Cell>[];
  } {
    const { name: track, total, trackBias, userBias, unplayed, remainder } = this;
    return { track, total, trackBias, userBias, unplayed, remainder, tracks: this.rows() };
  }

  /** The table, and the sum below it. */
  override toString(maxRows = 20): string {
    const own = this.numbers('contribution').reduce((a, b) => a + b, 0);
    const parts = {
      "the track's bias": this.trackBias,
      "the listener's bias": this.userBias,
      'their tracks': own,
      'tracks not played': this.unplayed,
      remainder: this.remainder,
    };
    const sum = Object.entries(parts).map(([part, value]) => `${part} ${value.toFixed(4)}`);
    return `${super.toString(maxRows)}\n${visible(this.name)}: ${sum.join(' + ')} = ${this.total.toFixed(4)}`;
  }
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
