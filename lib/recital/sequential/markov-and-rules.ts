import { type CsrRows, groupBy, rowOfEach } from '../data/csr.js';
import type { SequenceSource, Sessions } from '../data/sessions.js';
import { checkCount, checkNumber, checkOptions, given, type NoOptions } from '../options.js';
import type { SavedForm } from '../recommend/saved-form.js';
import {
  checkList,
  ScoreList,
  SparseSequenceRecommender,
  trainingHistories,
} from './sequence-recommender.js';

/** Tracks of a history with a smaller weight are left out. */
const LEAST_WEIGHT = 1e-6;

/**
 * Base class of recommenders by pairs of tracks: score of track t after a history = Σ decay^age ·
 * pair(track of that age, t), where the last track has age 0. Subclasses define the value of a
 * pair; the pairs of a track are computed when first needed, and kept.
 */
abstract class PairRecommender extends SparseSequenceRecommender {
  private readonly rows: ({ track: Int32Array; score: Float32Array } | undefined)[];
  private readonly pairs: ScoreList;

  constructor(
    histories: Sessions,
    /** Weight of a track, relative to the one played after it. */
    readonly decay: number,
  ) {
    super(histories);
    const wanted = 'decay must be from 0 (the last track alone) to 1 (all alike)';
    checkNumber(decay, decay >= 0 && decay <= 1, wanted);
    this.rows = new Array(this.tracks.length);
    this.pairs = new ScoreList(this.tracks.length);
  }

  /** Adds the value of each pair of `track` and a next track to an empty list. */
  protected abstract addPairs(track: number, list: ScoreList): void;

  override listOf(history: Int32Array, list: ScoreList): void {
    checkList(history, list);
    let weight = 1;
    for (let j = history.length - 1; j >= 0 && weight >= LEAST_WEIGHT; j--, weight *= this.decay) {
      const { track, score } = this.row(history[j]);
      for (let i = 0; i < track.length; i++) list.add(track[i], weight * score[i]);
    }
  }

  private row(of: number): { track: Int32Array; score: Float32Array } {
    const known = this.rows[of];
    if (known) return known;
    const { pairs } = this;
    pairs.clear();
    this.addPairs(of, pairs);
    const track = pairs.track.slice(0, pairs.count);
    return (this.rows[of] = { track, score: Float32Array.from(track, (t) => pairs.score[t]) });
  }
}

const PAIRS = {
  /** Weight of a track of the history, relative to the one after it; default 0.8. 0: the last alone. */
  decay: 0.8,
};

const RULES = {
  /** Largest distance between the tracks of a rule, in plays; default 10. */
  window: 10,
  ...PAIRS,
};

/** Options of {@link SequentialRules}. */
export type SequentialRulesOptions = Partial<typeof RULES>;

/**
 * Sequential rules "b is played some time after a": rule(a, b) = Σ 1/d over all places of training
 * where b was played d ≤ `window` plays after a, in the same sequence. Score of t = Σ decay^age ·
 * rule(track of that age, t) over the history. (Ludewig and Jannach, "Evaluation of session-based
 * recommendation algorithms", 2018, whose SR uses the last track alone: decay 0.)
 * @example new SequentialRules(plays, { window: 5 }).recommend(['Song A', 'Song B'], { n: 5 })
 */
export class SequentialRules extends PairRecommender {
  readonly name: string = 'Sequential rules';
  /** How many plays after a track still count as following it. */
  readonly window: number;
  private readonly places: CsrRows;
  private readonly sequence: Int32Array;

  constructor(source: SequenceSource, options: SequentialRulesOptions = {}) {
    const { window, decay } = given(RULES, options, 'SequentialRules');
    super(trainingHistories(source), decay);
    checkCount(window, 'window');
    this.window = window;
    this.places = groupBy(this.histories.item, this.tracks.length);
    this.sequence = rowOfEach(this.histories.indptr);
  }

  protected override addPairs(track: number, list: ScoreList): void {
    const { item, indptr } = this.histories;
    for (let j = this.places.indptr[track]; j < this.places.indptr[track + 1]; j++) {
      const at = this.places.indices[j];
      const end = Math.min(indptr[this.sequence[at] + 1], at + this.window + 1);
      for (let next = at + 1; next < end; next++) list.add(item[next], 1 / (next - at));
    }
  }

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
 * The first-order Markov chain: the score of a track is how often it was played right after the
 * last track of the history in training; earlier tracks make no difference. It is the sequential
 * rule of window 1 and decay 0.
 * @example new Markov(plays).recommend(['Song A'], { n: 5 })
 */
export class Markov extends SequentialRules {
  override readonly name: string = 'Markov';

  constructor(source: SequenceSource, options: NoOptions = {}) {
    checkOptions(options, [], 'Markov');
    super(source, { window: 1, decay: 0 });
  }

  static override readonly saved: SavedForm<Markov> = {
    name: 'Markov',
    data: 'histories',
    describe: () => ({ config: {} }),
    make: ({ histories }) => new Markov(histories),
  };
}

const KNN = {
  /** Added to the denominator of the similarity, against chance; default 20. */
  shrinkage: 20,
  ...PAIRS,
};

/** Options of {@link NextItemKNN}. */
export type NextItemKNNOptions = Partial<typeof KNN>;

/**
 * Item-kNN for the next track: sim(a, b) = |A ∩ B| / (√(|A|·|B|) + shrinkage), where A and B are
 * the histories that have a and b; sim(a, a) = 0. Score of t = Σ decay^age · sim(track of that age,
 * t) over the history. Order matters in the history, by the decay, but not in training.
 * @example new NextItemKNN(plays, { decay: 0.8 }).recommend(['Song A', 'Song B'], { n: 5 })
 */
export class NextItemKNN extends PairRecommender {
  readonly name: string;
  /** Added to the divisor of similarities, against those that few histories support. */
  readonly shrinkage: number;

  constructor(source: SequenceSource, options: NextItemKNNOptions = {}) {
    const { shrinkage, decay } = given(KNN, options, 'NextItemKNN');
    super(trainingHistories(source), decay);
    const fits = shrinkage >= 0 && shrinkage < Infinity;
    checkNumber(shrinkage, fits, 'shrinkage must be a number from 0 on');
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
