import type { Histories, SequenceSource } from '../data/sequences-histories.js';
import { checkNumber, checkOptions } from '../options.js';
import { registerRecommenderKind } from '../recommend/export-recommender.js';
import { trainingHistories } from './next-item.js';
import { PairRecommender } from './next-item-pairs.js';
import type { ScoreList } from './next-item-scores.js';

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
}

registerRecommenderKind<NextItemKNN>({
  name: 'NextItemKNN',
  type: NextItemKNN,
  data: 'histories',
  describe: ({ shrinkage, decay }) => ({ config: { shrinkage, decay } }),
  make: ({ histories }, config) =>
    new NextItemKNN(histories, {
      shrinkage: config.number('shrinkage'),
      decay: config.number('decay'),
    }),
});
