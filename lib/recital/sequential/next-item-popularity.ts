import type { Histories, SequenceSource } from '../data/sequences-histories.js';
import { checkOptions, type NoOptions } from '../options.js';
import { registerRecommenderKind } from '../recommend/export-recommender.js';
import { checkHistories } from '../recommend/lookup.js';
import { SequenceRecommender, trainingHistories } from './next-item.js';

/**
 * The baseline that any next-track model must beat: the tracks that were played most often in
 * training, whatever came before. A track that is played twice in a history counts twice.
 * @example evaluateNextItem(new NextItemPopularity(train), test)
 */
export class NextItemPopularity extends SequenceRecommender {
  readonly name: string;
  override readonly usesHistory = false;
  /** How often each track was played. */
  readonly counts: Float32Array;

  /** @param source the training plays or sessions */
  constructor(source: SequenceSource | Histories, options: NoOptions = {}) {
    checkOptions(options, [], 'NextItemPopularity');
    super(trainingHistories(source));
    this.name = 'Popularity (plays in sequences)';
    this.counts = new Float32Array(this.tracks.length);
    for (const track of this.histories.item) this.counts[track]++;
  }

  scoresOf(history: Int32Array, out: Float32Array): void {
    checkHistories(this, [history], out);
    out.set(this.counts);
  }
}

registerRecommenderKind<NextItemPopularity>({
  name: 'NextItemPopularity',
  type: NextItemPopularity,
  data: 'histories',
  describe: () => ({ config: {} }),
  make: ({ histories }) => new NextItemPopularity(histories),
});
