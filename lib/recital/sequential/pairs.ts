import { type CsrRows, groupBy } from '../data/csr.js';
import type { Histories, SequenceSource } from '../data/sequences.js';
import { ArgumentError } from '../errors.js';
import { checkNumber, checkOptions, type NoOptions, said } from '../options.js';
import type { SavedForm } from '../recommend/export.js';
import {
  checkList,
  ScoreList,
  SparseSequenceRecommender,
  sequenceOfPlays,
  trainingHistories,
} from './sequence-recommender.js';

/** Ages whose weight is less than this are left out. */
const LEAST_WEIGHT = 1e-6;

/**
 * Recommends by pairs of tracks: score of track t after a history = Σ decay^age · pair(track of
 * that age, t), where the last track played has age 0. With decay 0 the last track alone counts.
 * What a pair is worth, subclasses say; a track's pairs are worked out when it is first needed, and
 * kept.
 */
export abstract class PairRecommender extends SparseSequenceRecommender {
  private readonly rows: ({ track: Int32Array; score: Float32Array } | undefined)[];
  private readonly pairs: ScoreList;

  constructor(
    histories: Histories,
    /** Weight of a track, relative to the one played after it. */
    readonly decay: number,
  ) {
    super(histories);
    checkNumber(
      decay,
      decay >= 0 && decay <= 1,
      'decay must be from 0 (the last track alone) to 1 (all alike)',
    );
    this.rows = new Array(this.tracks.length);
    this.pairs = new ScoreList(this.tracks.length);
  }

  /** Adds what each track is worth after `track` to an empty list. */
  protected abstract addPairs(track: number, list: ScoreList): void;

  override listOf(history: Int32Array, list: ScoreList): void {
    checkList(history, list);
    let weight = 1;
    for (let j = history.length - 1; j >= 0 && weight >= LEAST_WEIGHT; j--, weight *= this.decay) {
      const { track, score } = this.row(history[j]);
      for (let i = 0; i < track.length; i++) list.add(track[i], weight * score[i]);
    }
  }

  private row(track: number): { track: Int32Array; score: Float32Array } {
    const known = this.rows[track];
    if (known) return known;
    const { pairs } = this;
    pairs.clear();
    this.addPairs(track, pairs);
    const tracks = pairs.track.slice(0, pairs.count);
    return (this.rows[track] = {
      track: tracks,
      score: Float32Array.from(tracks, (t) => pairs.score[t]),
    });
  }
}

/** Options of {@link SequentialRules}. */
export interface SequentialRulesOptions {
  /** How far apart the tracks of a rule may be, in plays; default 10. */
  window?: number;
  /**
   * Weight of a track of the history, relative to the one played after it; default 0.8. 0: the last
   * track alone counts.
   */
  decay?: number;
}

/**
 * Sequential rules "after a, some time later, b": rule(a, b) = Σ 1/d over all places of training
 * where b was played d ≤ `window` plays after a, in the same history. Score of t = Σ decay^age ·
 * rule(track of that age, t) over the history. (Ludewig and Jannach, "Evaluation of session-based
 * recommendation algorithms", 2018, whose SR uses the last track alone: decay 0.)
 * @example new SequentialRules(plays, { window: 5 }).recommend(['Song A', 'Song B'], { n: 5 })
 */
export class SequentialRules extends PairRecommender {
  readonly name: string;
  /** How far apart the tracks of a rule may be, in plays. */
  readonly window: number;
  private readonly places: CsrRows;
  private readonly sequence: Int32Array;

  /** @param source the training plays or sessions */
  constructor(source: SequenceSource | Histories, options: SequentialRulesOptions = {}) {
    const { window = 10, decay = 0.8 } = options;
    super(trainingHistories(source), decay);
    checkOptions(options, ['window', 'decay'], 'SequentialRules');
    if (!(Number.isInteger(window) && window >= 1))
      throw new ArgumentError(
        `window must be a whole number of plays, at least 1, got ${said(window)}.`,
      );
    this.name = 'Sequential rules';
    this.window = window;
    this.places = groupBy(this.histories.item, this.tracks.length);
    this.sequence = sequenceOfPlays(this.histories);
  }

  protected override addPairs(track: number, list: ScoreList): void {
    const { item, indptr } = this.histories;
    for (let j = this.places.indptr[track]; j < this.places.indptr[track + 1]; j++) {
      const at = this.places.indices[j];
      const end = Math.min(indptr[this.sequence[at] + 1], at + this.window + 1);
      for (let next = at + 1; next < end; next++) list.add(item[next], 1 / (next - at));
    }
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<SequentialRules> = {
    name: 'SequentialRules',
    data: 'histories',
    describe: ({ window, decay }) => ({ config: { window, decay } }),
    make: ({ histories }, config) =>
      new SequentialRules(histories, {
        window: config.count('window'),
        decay: config.number('decay'),
      }),
  };
}

/**
 * The first-order Markov chain: the score of a track is how often it came right after the last
 * track of the history in training. The history before its last track makes no difference. It is
 * the sequential rule of window 1 and decay 0.
 * @example new Markov(plays).recommend(['Song A'], { n: 5 })
 */
export class Markov extends SequentialRules {
  override readonly name: string;

  /** @param source the training plays or sessions */
  constructor(source: SequenceSource | Histories, options: NoOptions = {}) {
    checkOptions(options, [], 'Markov');
    super(source, { window: 1, decay: 0 });
    this.name = 'Markov';
  }

  /** How a file describes it, and how it is made again. */
  static override readonly saved: SavedForm<Markov> = {
    name: 'Markov',
    data: 'histories',
    describe: () => ({ config: {} }),
    make: ({ histories }) => new Markov(histories),
  };
}

/** Options of {@link NextItemKNN}. */
export interface NextItemKNNOptions {
  /**
   * Added to the denominator, so that tracks that few have played are not thought alike by chance;
   * default 20.
   */
  shrinkage?: number;
  /**
   * Weight of a track of the history, relative to the one played after it; default 0.8. 0: the last
   * track alone counts.
   */
  decay?: number;
}

/**
 * Item-kNN for the next track: sim(a, b) = |A ∩ B| / (√(|A|·|B|) + shrinkage), where A and B are
 * the histories that have a and b; sim(a, a) = 0. Score of t = Σ decay^age · sim(track of that age,
 * t) over the history. The order of training does not matter, that of the history does, by the
 * decay.
 * @example new NextItemKNN(plays, { decay: 0.8 }).recommend(['Song A', 'Song B'], { n: 5 })
 */
export class NextItemKNN extends PairRecommender {
  readonly name: string;
  /** Added to the denominator. */
  readonly shrinkage: number;

  /** @param source the training plays or sessions */
  constructor(source: SequenceSource | Histories, options: NextItemKNNOptions = {}) {
    const { shrinkage = 20, decay = 0.8 } = options;
    super(trainingHistories(source), decay);
    checkOptions(options, ['shrinkage', 'decay'], 'NextItemKNN');
    checkNumber(
      shrinkage,
      shrinkage >= 0 && shrinkage < Infinity,
      'shrinkage must be a number from 0 on',
    );
    this.name = decay === 0 ? 'Item-kNN, last track' : 'Item-kNN';
    this.shrinkage = shrinkage;
  }

  protected override addPairs(track: number, list: ScoreList): void {
    const { seen } = this;
    const { indptr, indices } = seen.transpose();
    for (let j = indptr[track]; j < indptr[track + 1]; j++) {
      const row = indices[j];
      for (let i = seen.indptr[row]; i < seen.indptr[row + 1]; i++)
        if (seen.indices[i] !== track) list.add(seen.indices[i], 1);
    }
    const n = indptr[track + 1] - indptr[track];
    for (let j = 0; j < list.count; j++) {
      const other = list.track[j];
      list.score[other] /= Math.sqrt(n * (indptr[other + 1] - indptr[other])) + this.shrinkage;
    }
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<NextItemKNN> = {
    name: 'NextItemKNN',
    data: 'histories',
    describe: ({ shrinkage, decay }) => ({ config: { shrinkage, decay } }),
    make: ({ histories }, config) =>
      new NextItemKNN(histories, {
        shrinkage: config.number('shrinkage'),
        decay: config.number('decay'),
      }),
  };
}
