import type { SequenceSource } from '../data/sessions.js';
import { ArgumentError } from '../errors.js';
import type { Fields } from '../fields.js';
import { checkCount, checkNumber, given } from '../options.js';
import { TopN } from '../recommend/rank.js';
import { finiteOrText, readFiniteOrText, type SavedForm } from '../recommend/saved-form.js';
import {
  checkList,
  ScoreList,
  SparseSequenceRecommender,
  trainingHistories,
} from './sequence-recommender.js';

const SESSION_KNN = {
  /** Number of nearest sessions that count; default 200. */
  k: 200,
  /** At most this many of the sessions with a track are compared, the last ones; default all. */
  recent: Infinity,
};

/** Options of {@link SessionKNN}. */
export type SessionKNNOptions = Partial<typeof SESSION_KNN>;

/** Tracks of a history with a smaller weight are left out. */
const LEAST_WEIGHT = 1e-6;

/**
 * Session-kNN: recommends what was played in the training sessions most similar to the history.
 * sim(history, S) = Σ w(t) / √|S| over the distinct tracks t that both have, where w = (position of
 * the last play of t in the history, from 1) / (length of the history) and |S| counts distinct
 * tracks. Score of t = Σ sim over those of the `k` nearest sessions that have t. Among equally near
 * sessions at the k-th place, those that share a later track of the history come first. (S-KNN with
 * weights by position: Ludewig and Jannach, "Evaluation of session-based recommendation
 * algorithms", 2018.)
 * @example new SessionKNN(plays, { k: 100 }).recommend(['Song A', 'Song B'], { n: 5 })
 */
export class SessionKNN extends SparseSequenceRecommender {
  readonly name: string = 'Session-kNN';
  /** How many of the nearest sessions count. */
  readonly k: number;
  /** Of the sessions with a track, at most this many are compared, the last ones. */
  readonly recent: number;
  private readonly near: ScoreList;
  private readonly nearness: Float32Array;
  private readonly top: TopN;
  private readonly found: { session: Int32Array; nearness: Float32Array };

  constructor(source: SequenceSource, options: SessionKNNOptions = {}) {
    const { k, recent } = given(SESSION_KNN, options, 'SessionKNN');
    super(trainingHistories(source));
    checkCount(k, 'k');
    if (recent !== Infinity) checkCount(recent, 'recent');
    const sessions = this.users.length;
    this.k = k;
    this.recent = recent;
    this.near = new ScoreList(sessions);
    this.nearness = new Float32Array(sessions);
    this.top = new TopN(Math.min(k, sessions));
    this.found = { session: new Int32Array(this.top.n), nearness: new Float32Array(this.top.n) };
  }

  override listOf(history: Int32Array, list: ScoreList): void {
    checkList(history, list);
    const { near, nearness, seen, top, found } = this;
    const weights = this.weightsOf(history);
    this.collect(weights);
    for (let j = 0; j < near.count; j++) {
      const session = near.track[j];
      const size = seen.indptr[session + 1] - seen.indptr[session];
      nearness[j] = (near.score[session] / Math.sqrt(size)) * this.ageWeight(session);
    }
    const what = (j: number): string => `${this.name}: the nearness of session ${near.track[j]}`;
    top.select(nearness, 0, near.count, what).copyTo(found.session, found.nearness, 0);
    for (let j = 0; j < top.count && found.nearness[j] > 0; j++) {
      this.addSession(near.track[found.session[j]], found.nearness[j], weights, list);
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
   * Adds the votes of a near session.
   * @param weights of the tracks of the history, by index, the last played first
   */
  protected addSession(
    session: number,
    nearness: number,
    _weights: ReadonlyMap<number, number>,
    list: ScoreList,
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

  /** Sums the weights of the shared tracks for each session that has any. */
  private collect(weights: ReadonlyMap<number, number>): void {
    const { near, recent } = this;
    const { indptr, indices } = this.seen.transpose();
    near.clear();
    for (const [track, weight] of weights) {
      const end = indptr[track + 1];
      for (let i = Math.max(indptr[track], end - recent); i < end; i++)
        near.add(indices[i], weight);
    }
  }

  static readonly saved: SavedForm<SessionKNN> = {
    name: 'SessionKNN',
    data: 'histories',
    describe: ({ k, recent }) => ({ config: { k, recent: finiteOrText(recent) } }),
    make: ({ histories }, config) => new SessionKNN(histories, readOptions(config, SESSION_KNN)),
  };
}

/** The options of these names: `k` is a number of sessions, others may be Infinity. */
function readOptions<T extends typeof SESSION_KNN>(config: Fields, defaults: T): T {
  const { k: _, ...others } = defaults;
  const read = Object.keys(others).map((name) => [name, readFiniteOrText(config, name)]);
  return { k: config.count('k'), ...Object.fromEntries(read) };
}

const STAN_OPTIONS = {
  ...SESSION_KNN,
  /** Tracks of the history weigh e^(−age / historyScale), the last one having age 0; default 3. */
  historyScale: 3,
  /**
   * Training sessions weigh e^(−age / ageScale), where age is the share of the sessions that come
   * later; default Infinity, all alike. For sessions in the order of time 0.5 is good.
   */
  ageScale: Infinity,
  /** Tracks of a near session weigh e^(−plays from the shared track / distanceScale); default 4. */
  distanceScale: 4,
  /** Factor of the distance for plays before the shared track; default 2. 1: both sides alike. */
  backwards: 2,
  /**
   * Weight of the shared track itself, from 0 to 1; default 1/8, good where few tracks are played
   * again soon. If a fifth of the next tracks are repeats, 0.5 is better.
   */
  repeat: 0.125,
};

/** Options of {@link STAN}. */
export type STANOptions = Partial<typeof STAN_OPTIONS>;

/** Farther tracks, by so many scales, are left out: their weight is below e^−20. */
const FARTHEST = 20;

/**
 * Session-kNN with order and time, similar to STAN (Garg et al., "Sequence and time aware
 * neighborhood for session-based recommendations", 2019). sim(history, S) = e^(−age(S)/ageScale) ·
 * Σ w(t) / √|S| over the distinct tracks t that both have, where w = e^(−age(t)/historyScale). In
 * each of the `k` nearest sessions, p is the (last) place of the shared track that comes last in
 * the history; the score of the track at place i of S is Σ sim · e^(−distance/distanceScale), where
 * distance is i − p after p and backwards · (p − i) before it, and sim · repeat at p itself. Unlike
 * in the paper, the two sides differ and ages are counted in sessions, so no times are needed.
 * @example new STAN(plays, { k: 100 }).recommend(['Song A', 'Song B'], { n: 5 })
 */
export class STAN extends SessionKNN {
  override readonly name: string = 'STAN';
  /** All options but those of SessionKNN. */
  readonly options: Readonly<Omit<typeof STAN_OPTIONS, keyof typeof SESSION_KNN>>;

  constructor(source: SequenceSource, options: STANOptions = {}) {
    const { k, recent, ...own } = given(STAN_OPTIONS, options, 'STAN');
    super(source, { k, recent });
    const { repeat, ...scales } = own;
    for (const [name, value] of Object.entries(scales))
      checkNumber(value, value > 0, `${name} must be more than 0`);
    if (scales.distanceScale === Infinity)
      throw new ArgumentError('distanceScale must be a number. Without order, take SessionKNN.');
    checkNumber(repeat, repeat >= 0 && repeat <= 1, 'repeat must be from 0 to 1');
    this.options = own;
  }

  protected override weightAt(position: number, length: number): number {
    return Math.exp(-(length - 1 - position) / this.options.historyScale);
  }

  protected override ageWeight(session: number): number {
    return Math.exp(-(1 - (session + 1) / this.users.length) / this.options.ageScale);
  }

  protected override addSession(
    session: number,
    nearness: number,
    weights: ReadonlyMap<number, number>,
    list: ScoreList,
  ): void {
    const { item, indptr } = this.histories;
    const { repeat, distanceScale, backwards } = this.options;
    const [begin, end] = [indptr[session], indptr[session + 1]];
    let shared = begin;
    for (let i = begin, most = 0; i < end; i++) {
      const weight = weights.get(item[i]);
      if (weight === undefined || weight < most) continue;
      most = weight;
      shared = i;
    }
    if (repeat > 0) list.add(item[shared], nearness * repeat);
    const reach = FARTHEST * distanceScale;
    const first = Math.max(begin, Math.ceil(shared - reach / backwards));
    const last = Math.min(end - 1, Math.floor(shared + reach));
    for (let i = first; i < shared; i++)
      list.add(item[i], nearness * Math.exp((-backwards * (shared - i)) / distanceScale));
    for (let i = shared + 1; i <= last; i++)
      list.add(item[i], nearness * Math.exp(-(i - shared) / distanceScale));
  }

  static override readonly saved: SavedForm<STAN> = {
    name: 'STAN',
    data: 'histories',
    describe: ({ k, recent, options }) => {
      const numbers = Object.entries({ recent, ...options });
      return {
        config: { k, ...Object.fromEntries(numbers.map(([name, x]) => [name, finiteOrText(x)])) },
      };
    },
    make: ({ histories }, config) => new STAN(histories, readOptions(config, STAN_OPTIONS)),
  };
}
