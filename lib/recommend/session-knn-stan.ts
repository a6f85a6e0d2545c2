import type { Histories, SequenceSource } from '../data/sequences-histories.js';
import { ArgumentError } from '../errors.js';
import { checkNumber, checkOptions } from '../options.js';
import type { ScoreList } from './next-item-scores.js';
import { SessionKNN, type SessionKNNOptions } from './session-knn.js';

/** Options of {@link STAN}. */
export interface STANOptions extends SessionKNNOptions {
  /** How fast tracks of the history lose weight: e^(−age / historyScale), where the last track has age 0; default 3. */
  historyScale?: number;
  /**
   * How fast training sessions lose weight with age: e^(−age / ageScale), where age is the share of the sessions that come later in the file; default
   * Infinity, all alike. For sessions in the order of time; 0.5 is good then.
   */
  ageScale?: number;
  /** How fast tracks of a near session lose weight with the distance, in plays, from the shared track: e^(−distance / distanceScale); default 4. */
  distanceScale?: number;
  /** How many plays a play before the shared track counts for in the distance; default 2, so that what came after is worth more. 1: both sides alike. */
  backwards?: number;
  /** Weight of the shared track itself, so that it may come again; from 0 to 1, default 0.05. */
  repeat?: number;
}

/** Distances beyond so many scales are left out: e^−20. */
const FARTHEST = 20;

/**
 * Session-kNN with order and time, in the manner of STAN (Garg et al., "Sequence and time aware neighborhood for session-based recommendations", 2019).
 * sim(history, S) = e^(−age(S)/ageScale) · Σ w(t) / √|S| over the distinct tracks t that both have, with w = e^(−age(t)/historyScale). In each of the `k`
 * nearest sessions p is the place (the last one) of the shared track that was played last in the history; score of the track at place i of S =
 * Σ sim · e^(−distance/distanceScale), where distance is i − p after p and backwards · (p − i) before it, and sim · repeat at p itself.
 * Unlike the paper, the two sides differ and ages are counted in sessions, so that no times are needed.
 * @example new STAN(plays, { k: 100 }).recommend(['Song A', 'Song B'], { n: 5 })
 */
export class STAN extends SessionKNN {
  override readonly name: string;
  private readonly options: Required<Omit<STANOptions, keyof SessionKNNOptions>>;

  /** @param source the training plays, a session a user, or sessions */
  constructor(source: SequenceSource | Histories, options: STANOptions = {}) {
    super(source, options);
    checkOptions(options, ['k', 'recent', 'historyScale', 'ageScale', 'distanceScale', 'backwards', 'repeat'], 'STAN');
    const { historyScale = 3, ageScale = Infinity, distanceScale = 4, backwards = 2, repeat = 0.05 } = options;
    for (const [name, value] of Object.entries({ historyScale, ageScale, distanceScale, backwards })) {
      checkNumber(value, value > 0, `${name} must be more than 0`);
    }
    if (distanceScale === Infinity) throw new ArgumentError('distanceScale must be a number. Without order, take SessionKNN.');
    checkNumber(repeat, repeat >= 0 && repeat <= 1, 'repeat must be from 0 to 1');
    this.name = 'STAN';
    this.options = { historyScale, ageScale, distanceScale, backwards, repeat };
  }

  protected override weightAt(position: number, length: number): number {
    return Math.exp(-(length - 1 - position) / this.options.historyScale);
  }

  protected override ageWeight(session: number): number {
    return Math.exp(-(1 - (session + 1) / this.users.length) / this.options.ageScale);
  }

  protected override addSession(
    session: number,
    { nearness, weights, list }: { nearness: number; weights: ReadonlyMap<number, number>; list: ScoreList },
  ): void {
    const { item, indptr } = this.histories;
    const { distanceScale, backwards, repeat } = this.options;
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
    for (let i = first; i < shared; i++) list.add(item[i], nearness * Math.exp((-backwards * (shared - i)) / distanceScale));
    for (let i = shared + 1; i <= last; i++) list.add(item[i], nearness * Math.exp(-(i - shared) / distanceScale));
  }
}
