import type { Histories, SequenceSource } from '../data/sequences-histories.js';
import { checkOptions, type NoOptions } from '../options.js';
import { registerRecommenderKind } from '../recommend/export-recommender.js';
import { SequentialRules } from './sequential-rules.js';

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
}

registerRecommenderKind<Markov>({
  name: 'Markov',
  type: Markov,
  data: 'histories',
  describe: () => ({ config: {} }),
  make: ({ histories }) => new Markov(histories),
});
