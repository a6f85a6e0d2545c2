import type { Histories, SequenceSource } from '../data/sequences.js';
import { ArgumentError } from '../errors.js';
import { checkNumber, checkOptions } from '../options.js';
import { finiteOrText, readFiniteOrText, type SavedForm } from '../recommend/export.js';
import { TopN } from '../recommend/rank.js';
import { checkN } from '../recommend/resolve-ids.js';
import {
  checkList,
  ScoreList,
  SparseSequenceRecommender,
  trainingHistories,
} from './sequence-recommender.js';

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

/** Options of {@link STAN}. */
export interface STANOptions extends SessionKNNOptions {
  /**
   * How fast tracks of the history lose weight: e^(−age / historyScale), where the last track has
   * age 0; default 3.
   */
  historyScale?: number;
  /**
   * How fast training sessions lose weight with age: e^(−age / ageScale), where age is the share of
   * the sessions that come later in the file; default Infinity, all alike. For sessions in the
   * order of time; 0.5 is good then.
   */
  ageScale?: number;
  /**
   * How fast tracks of a near session lose weight with the distance, in plays, from the shared
   * track: e^(−distance / distanceScale); default 4.
   */
  distanceScale?: number;
  /**
   * How many plays a play before the shared track counts for in the distance; default 2, so that
   * what came after is worth more. 1: both sides alike.
   */
  backwards?: number;
  /**
   * Weight of the shared track itself, so that it may come again; from 0 to 1. Default: by how
   * often tracks come again in the training sessions, see {@link STAN}; 0 where none does.
   */
  repeat?: number;
}

/** Distances beyond so many scales are left out: e^−20. */
const FARTHEST = 20;

/**
 * Session-kNN with order and time, in the manner of STAN (Garg et al., "Sequence and time aware
 * neighborhood for session-based recommendations", 2019). sim(history, S) = e^(−age(S)/ageScale) ·
 * Σ w(t) / √|S| over the distinct tracks t that both have, with w = e^(−age(t)/historyScale). In
 * each of the `k` nearest sessions p is the place (the last one) of the shared track that was
 * played last in the history; score of the track at place i of S = Σ sim ·
 * e^(−distance/distanceScale), where distance is i − p after p and backwards · (p − i) before it,
 * and sim · repeat at p itself. Unlike the paper, the two sides differ and ages are counted in
 * sessions, so that no times are needed.
 *
 * The default of `repeat` gives a shared track that share of a session's votes that repeats have
 * among the next tracks of training: (ρ · v − u) / (1 − ρ), from 0 to 1. ρ is the mean of
 * e^(−(plays back − 1)/historyScale) over the tracks of sessions but the first, 0 for one that is
 * there for the first time; v is the mean weight that the other places of a session have together,
 * e^(−distance/distanceScale), and u that of other places of the same track. Sessions of music:
 * about 0.1; where a fifth of the next tracks are repeats: 0.5.
 * @example new STAN(plays, { k: 100 }).recommend(['Song A', 'Song B'], { n: 5 })
 */
export class STAN extends SessionKNN {
  override readonly name: string;
  /** Weight of the shared track itself. */
  readonly repeat: number;
  /** All options but those of SessionKNN and `repeat`. */
  readonly options: Readonly<Required<Omit<STANOptions, keyof SessionKNNOptions | 'repeat'>>>;

  /** @param source the training plays, a session a user, or sessions */
  constructor(source: SequenceSource | Histories, options: STANOptions = {}) {
    super(source, options);
    checkOptions(
      options,
      ['k', 'recent', 'historyScale', 'ageScale', 'distanceScale', 'backwards', 'repeat'],
      'STAN',
    );
    const { historyScale = 3, ageScale = Infinity, distanceScale = 4, backwards = 2 } = options;
    for (const [name, value] of Object.entries({
      historyScale,
      ageScale,
      distanceScale,
      backwards,
    })) {
      checkNumber(value, value > 0, `${name} must be more than 0`);
    }
    if (distanceScale === Infinity)
      throw new ArgumentError('distanceScale must be a number. Without order, take SessionKNN.');
    const { repeat = repeatWeight(this.histories, { historyScale, distanceScale, backwards }) } =
      options;
    checkNumber(repeat, repeat >= 0 && repeat <= 1, 'repeat must be from 0 to 1');
    this.name = 'STAN';
    this.repeat = repeat;
    this.options = { historyScale, ageScale, distanceScale, backwards };
  }

  protected override weightAt(position: number, length: number): number {
    return Math.exp(-(length - 1 - position) / this.options.historyScale);
  }

  protected override ageWeight(session: number): number {
    return Math.exp(-(1 - (session + 1) / this.users.length) / this.options.ageScale);
  }

  protected override addSession(
    session: number,
    {
      nearness,
      weights,
      list,
    }: { nearness: number; weights: ReadonlyMap<number, number>; list: ScoreList },
  ): void {
    const { item, indptr } = this.histories;
    const { repeat } = this;
    const { distanceScale, backwards } = this.options;
    const [begin, end] = [indptr[session], indptr[session + 1]];
    let shared = begin;
    for (let i = begin, most = 0; i < end; i++) {
      const weight = weights.get(item[i]);
      if (weight !== undefined && weight >= most) {
        most = weight;
        shared = i;
      }
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
    describe: ({ k, recent, repeat, options }) => ({
      config: {
        k,
        ...Object.fromEntries(
          Object.entries({ recent, repeat, ...options }).map(([name, x]) => [
            name,
            finiteOrText(x),
          ]),
        ),
      },
    }),
    make: ({ histories }, config) => {
      const number = (name: string): number => readFiniteOrText(config, name);
      return new STAN(histories, {
        k: config.count('k'),
        recent: number('recent'),
        historyScale: number('historyScale'),
        ageScale: number('ageScale'),
        distanceScale: number('distanceScale'),
        backwards: number('backwards'),
        repeat: number('repeat'),
      });
    },
  };
}

/**
 * See {@link STAN}: what a shared track has to weigh for repeats to come as often as they did in
 * training.
 */
function repeatWeight(
  { item, indptr, items }: Histories,
  {
    historyScale,
    distanceScale,
    backwards,
  }: { historyScale: number; distanceScale: number; backwards: number },
): number {
  const place = new Int32Array(items.length).fill(-1); // the last one so far
  const same = new Float64Array(items.length); // weight of the earlier places of a track, seen from its last one
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
