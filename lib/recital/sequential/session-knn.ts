import type { SequenceSource, Sessions } from '../data/sessions.js';
import { ArgumentError } from '../errors.js';
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
  /**
   * At most this many of the sessions with a track are compared, the last ones in the order of the
   * file; default Infinity: all.
   */
  recent: Infinity,
};

/** Options of {@link SessionKNN}. */
export type SessionKNNOptions = Partial<typeof SESSION_KNN>;

/** Tracks of a history with a smaller weight are left out. */
const LEAST_WEIGHT = 1e-6;

/**
 * Session-kNN: recommends what was played in the training sessions most similar to the history.
 * sim(history, S) = Σ w(t) / √|S| over the distinct tracks t that both have, where w = (position of
 * the last play of t in the history, from 1) / (length of the history), so that the last track
 * counts most, and |S| counts distinct tracks. Score of t = Σ sim over those of the `k` nearest
 * sessions that have t. Among equally near sessions at the k-th place, those that share a later
 * track of the history come first. (S-KNN with weights by position: Ludewig and Jannach,
 * "Evaluation of session-based recommendation algorithms", 2018.)
 * @example new SessionKNN(plays, { k: 100 }).recommend(['Song A', 'Song B'], { n: 5 })
 */
export class SessionKNN extends SparseSequenceRecommender {
  readonly name: string;
  /** Number of nearest sessions that count. */
  readonly k: number;
  /** Sessions that are looked at for each track, at most. */
  readonly recent: number;
  private readonly near: ScoreList;
  private readonly nearness: Float32Array;
  private readonly top: TopN;
  private readonly found: { session: Int32Array; nearness: Float32Array };

  /** @param source the training plays, a session a user, or sessions */
  constructor(source: SequenceSource, options: SessionKNNOptions = {}) {
    const { k, recent } = given(SESSION_KNN, options, 'SessionKNN');
    super(trainingHistories(source));
    checkCount(k, 'k');
    if (recent !== Infinity) checkCount(recent, 'recent');
    const sessions = this.users.length;
    this.name = 'Session-kNN';
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

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<SessionKNN> = {
    name: 'SessionKNN',
    data: 'histories',
    describe: ({ k, recent }) => ({ config: { k, recent: finiteOrText(recent) } }),
    make: ({ histories }, config) =>
      new SessionKNN(histories, {
        k: config.count('k'),
        recent: readFiniteOrText(config, 'recent'),
      }),
  };
}

const STAN_OPTIONS = {
  ...SESSION_KNN,
  /**
   * Decay of the tracks of the history: weight e^(−age / historyScale), where the last track has
   * age 0; default 3.
   */
  historyScale: 3,
  /**
   * Decay of training sessions: weight e^(−age / ageScale), where age is the share of the sessions
   * that come later in the file; default Infinity, no decay. For sessions in the order of time 0.5
   * is good.
   */
  ageScale: Infinity,
  /**
   * Decay of the tracks of a near session: weight e^(−distance / distanceScale), where distance is
   * that from the shared track, in plays; default 4.
   */
  distanceScale: 4,
  /** Factor of the distance for plays before the shared track; default 2. 1: both sides alike. */
  backwards: 2,
  /**
   * Weight of the shared track itself, from 0 to 1. Default: by the rate of repeats in the training
   * sessions, see {@link STAN}; 0 without repeats.
   */
  repeat: undefined as number | undefined,
};

/** Options of {@link STAN}. */
export type STANOptions = Partial<typeof STAN_OPTIONS>;

type Scales = Readonly<Record<'historyScale' | 'ageScale' | 'distanceScale' | 'backwards', number>>;

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
 *
 * The default of `repeat` gives a shared track the share of a session's votes that repeats have
 * among the next tracks of training: (ρ · v − u) / (1 − ρ), clipped to 0 … 1. ρ is the mean of
 * e^(−(plays back − 1)/historyScale) over the tracks of sessions except the first, 0 for tracks
 * that are no repeats; v is the mean total weight of the other places of a session,
 * e^(−distance/distanceScale), and u that of other places of the same track. About 0.1 for sessions
 * of music; 0.5 if a fifth of the next tracks are repeats.
 * @example new STAN(plays, { k: 100 }).recommend(['Song A', 'Song B'], { n: 5 })
 */
export class STAN extends SessionKNN {
  override readonly name: string;
  /** Weight of the shared track itself. */
  readonly repeat: number;
  /** All options but those of SessionKNN and `repeat`. */
  readonly options: Scales;

  /** @param source the training plays, a session a user, or sessions */
  constructor(source: SequenceSource, options: STANOptions = {}) {
    const { k, recent, repeat, ...scales } = given(STAN_OPTIONS, options, 'STAN');
    super(source, { k, recent });
    for (const [name, value] of Object.entries(scales))
      checkNumber(value, value > 0, `${name} must be more than 0`);
    if (scales.distanceScale === Infinity)
      throw new ArgumentError('distanceScale must be a number. Without order, take SessionKNN.');
    this.repeat = repeat === undefined ? repeatWeight(this.histories, scales) : repeat;
    checkNumber(this.repeat, this.repeat >= 0 && this.repeat <= 1, 'repeat must be from 0 to 1');
    this.name = 'STAN';
    this.options = scales;
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
    const { repeat } = this;
    const { distanceScale, backwards } = this.options;
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

  /** How a file describes it, and how it is made again. */
  static override readonly saved: SavedForm<STAN> = {
    name: 'STAN',
    data: 'histories',
    describe: ({ k, recent, repeat, options }) => {
      const numbers = Object.entries({ recent, repeat, ...options });
      return {
        config: { k, ...Object.fromEntries(numbers.map(([name, x]) => [name, finiteOrText(x)])) },
      };
    },
    make: ({ histories }, config) => {
      const { k: _, ...rest } = STAN_OPTIONS;
      const numbers = Object.keys(rest).map((name) => [name, readFiniteOrText(config, name)]);
      return new STAN(histories, { k: config.count('k'), ...Object.fromEntries(numbers) });
    },
  };
}

/** The default of `repeat`: see {@link STAN}. */
function repeatWeight(
  { item, indptr, items }: Sessions,
  { historyScale, distanceScale, backwards }: Scales,
): number {
  const place = new Int32Array(items.length).fill(-1); // the last one so far
  const same = new Float64Array(items.length); // weight of earlier places, seen from the last one
  const [after, before] = [Math.exp(-1 / distanceScale), Math.exp(-backwards / distanceScale)];
  let [targets, repeats, shared, votes, own] = [0, 0, 0, 0, 0];
  for (let s = 0; s + 1 < indptr.length; s++) {
    const [begin, end] = [indptr[s], indptr[s + 1]];
    targets += Math.max(0, end - begin - 1);
    for (let i = begin; i < end; i++) {
      const back = i - place[item[i]];
      const again = place[item[i]] >= begin;
      if (again) repeats += Math.exp(-(back - 1) / historyScale);
      same[item[i]] = again ? (same[item[i]] + 1) * before ** back : 0;
      place[item[i]] = i;
    }
    for (let i = begin; i < end; i++) {
      if (place[item[i]] !== i) continue; // a near session is entered at the last place of a track
      shared++;
      votes += weightOfSteps(before, i - begin) + weightOfSteps(after, end - 1 - i);
      own += same[item[i]];
    }
  }
  if (repeats === 0) return 0;
  const rate = repeats / targets;
  return rate < 1 ? Math.min(1, Math.max(0, (rate * votes - own) / shared / (1 - rate))) : 1;
}

/** w + w² + … + wⁿ, for w below 1. */
function weightOfSteps(w: number, n: number): number {
  return (w * (1 - w ** n)) / (1 - w);
}
