import type { Histories, SequenceSource } from '../data/sequences-histories.js';
import { checkOptions } from '../options.js';
import {
  finiteOrText,
  readFiniteOrText,
  registerRecommenderKind,
} from '../recommend/export-recommender.js';
import { checkN } from '../recommend/lookup.js';
import { TopN } from '../recommend/top-n.js';
import { SparseSequenceRecommender, trainingHistories } from './next-item.js';
import { checkList, ScoreList } from './next-item-scores.js';

/** Options of {@link SessionKNN}. */
export interface SessionKNNOptions {
  /** Nearest sessions that have a say; default 200. */
  k?: number;
  /**
   * Of each track, look at no more than so many sessions that have it, the last ones in the order
   * of the file; default Infinity: all.
   */
  recent?: number;
}

/** Tracks of the history whose weight is less than this are left out. */
const LEAST_WEIGHT = 1e-6;

/**
 * Session-kNN: what was played in the training sessions most like the history. sim(history, S) = Σ
 * w(t) / √|S| over the distinct tracks t that both have, with w = (position of the last play of t
 * in the history, from 1) / (length of the history), so that the last track counts most; |S| counts
 * distinct tracks. Score of t = Σ sim over those of the `k` nearest sessions that have t. Where
 * several sessions are equally near the k-th place, those that share a later track of the history
 * come first. (S-KNN with weights by position: Ludewig and Jannach, "Evaluation of session-based
 * recommendation algorithms", 2018.)
 * @example new SessionKNN(plays, { k: 100 }).recommend(['Song A', 'Song B'], { n: 5 })
 */
export class SessionKNN extends SparseSequenceRecommender {
  readonly name: string;
  /** Nearest sessions that have a say. */
  readonly k: number;
  /** Sessions that are looked at of each track, at most. */
  readonly recent: number;
  private readonly near: ScoreList;
  private readonly nearness: Float32Array;
  private readonly top: TopN;
  private readonly found: { session: Int32Array; nearness: Float32Array };

  /** @param source the training plays, a session a user, or sessions */
  constructor(source: SequenceSource | Histories, options: SessionKNNOptions = {}) {
    super(trainingHistories(source));
    const { k = 200, recent = Infinity } = options;
    if (new.target === SessionKNN) checkOptions(options, ['k', 'recent'], 'SessionKNN');
    checkN(k, 'k');
    if (recent !== Infinity) checkN(recent, 'recent');
    this.name = 'Session-kNN';
    this.k = k;
    this.recent = recent;
    this.near = new ScoreList(this.users.length);
    this.nearness = new Float32Array(this.users.length);
    this.top = new TopN(Math.min(k, this.users.length));
    this.found = { session: new Int32Array(this.top.n), nearness: new Float32Array(this.top.n) };
  }

  override listOf(history: Int32Array, list: ScoreList): void {
    checkList(history, list);
    const { near, nearness, seen, top, found } = this;
    const weights = this.weightsOf(history);
    this.collect(weights);
    for (let j = 0; j < near.count; j++) {
      const session = near.track[j];
      nearness[j] =
        (near.score[session] / Math.sqrt(seen.indptr[session + 1] - seen.indptr[session])) *
        this.ageWeight(session);
    }
    top
      .select(
        nearness,
        0,
        near.count,
        (j) => `${this.name}: the nearness of session ${near.track[j]}`,
      )
      .copyTo(found.session, found.nearness, 0);
    for (let j = 0; j < top.count && found.nearness[j] > 0; j++) {
      this.addSession(near.track[found.session[j]], { nearness: found.nearness[j], weights, list });
    }
  }

  /** Weight of a track of the history, more than 0, by its position (from 0). */
  protected weightAt(position: number, length: number): number {
    return (position + 1) / length;
  }

  /** Factor of a training session's nearness, by its number. */
  protected ageWeight(_session: number): number {
    return 1;
  }

  /**
   * Adds what a near session says. `weights`: of the tracks of the history, by index, the last
   * played first.
   */
  protected addSession(
    session: number,
    { nearness, list }: { nearness: number; weights: ReadonlyMap<number, number>; list: ScoreList },
  ): void {
    const { indptr, indices } = this.seen;
    for (let i = indptr[session]; i < indptr[session + 1]; i++) list.add(indices[i], nearness);
  }

  /** Weights of the distinct tracks of the history, the last played first. */
  private weightsOf(history: Int32Array): Map<number, number> {
    const weights = new Map<number, number>();
    for (let j = history.length - 1; j >= 0; j--) {
      if (weights.has(history[j])) continue;
      const weight = this.weightAt(j, history.length);
      if (weight < LEAST_WEIGHT) break;
      weights.set(history[j], weight);
    }
    return weights;
  }

  /**
   * Adds up, for each session that shares a track with the history, the weights of the shared
   * tracks.
   */
  private collect(weights: ReadonlyMap<number, number>): void {
    const { near, recent } = this;
    const { indptr, indices } = this.seen.transpose();
    near.clear();
    for (const [track, weight] of weights) {
      for (let i = Math.max(indptr[track], indptr[track + 1] - recent); i < indptr[track + 1]; i++)
        near.add(indices[i], weight);
    }
  }
}

registerRecommenderKind<SessionKNN>({
  name: 'SessionKNN',
  type: SessionKNN,
  data: 'histories',
  describe: ({ k, recent }) => ({ config: { k, recent: finiteOrText(recent) } }),
  make: ({ histories }, config) =>
    new SessionKNN(histories, { k: config.count('k'), recent: readFiniteOrText(config, 'recent') }),
});
