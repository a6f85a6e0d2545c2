import { type Csr, groupBy } from '../data/csr.js';
import type { Histories, SequenceSource } from '../data/sequences-histories.js';
import { ArgumentError } from '../errors.js';
import { checkOptions, said } from '../options.js';
import { registerRecommenderKind } from '../recommend/export-recommender.js';
import { sequenceOfPlays, trainingHistories } from './next-item.js';
import { PairRecommender } from './next-item-pairs.js';
import type { ScoreList } from './next-item-scores.js';

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
  private readonly places: Csr;
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
}

registerRecommenderKind<SequentialRules>({
  name: 'SequentialRules',
  type: SequentialRules,
  data: 'histories',
  describe: ({ window, decay }) => ({ config: { window, decay } }),
  make: ({ histories }, config) =>
    new SequentialRules(histories, {
      window: config.count('window'),
      decay: config.number('decay'),
    }),
});
