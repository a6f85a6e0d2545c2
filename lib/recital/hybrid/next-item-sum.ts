import { ArgumentError } from '../errors.js';
import { instead, isRecommender } from '../evaluation/candidates.js';
import { checkArgument, checkOptions, whatIs } from '../options.js';
import { registerRecommenderKind } from '../recommend/export-recommender.js';
import { checkHistories } from '../recommend/lookup.js';
import { SequenceRecommender } from '../sequential/next-item.js';
import { checkList, ScoreList } from '../sequential/next-item-scores.js';
import { normalisedScores } from './next-item-normalise.js';

/** Options of {@link WeightedSum}. */
export interface WeightedSumOptions {
  /** A weight for each recommender, not negative, at least one more than 0; default 1 each. */
  weights?: readonly number[];
  /** Stands in comparisons; default: the names, joined by ` + `. */
  name?: string;
}

/**
 * A sum of recommenders: score = Σ weight · (score of the recommender / its maximum for this
 * history), so that each has a say whatever the size of its scores. Scores of models that are
 * logits come in as exp((score − maximum) / 2), √softmax divided by its maximum. Scores below 0 of
 * others count as 0.
 *
 * Equal weights, the default, are no rule: where one recommender is much better than the others,
 * the sum can be worse than it alone. `fuse` finds weights, 0 among them, on sessions that were
 * held out.
 * @example new WeightedSum([new Markov(train), new SessionKNN(train), new SequentialRules(train)], { weights: [1, 2, 1] })
 */
export class WeightedSum extends SequenceRecommender {
  readonly name: string;
  /** The recommenders, as every sum names them. */
  override readonly parts: readonly SequenceRecommender[];
  /** A weight for each recommender. */
  readonly weights: readonly number[];
  /** Lists the tracks with a score, where all recommenders do. */
  override readonly listOf?: (history: Int32Array, list: ScoreList) => void;
  /** What one recommender says of one history. */
  private readonly list: ScoreList;

  /**
   * @param recommenders at least one, all trained with the same tracks. Users and their histories
   *   are those of the first
   * @throws ArgumentError for recommenders with different tracks, or wrong weights
   */
  constructor(
    readonly recommenders: readonly SequenceRecommender[],
    options: WeightedSumOptions = {},
  ) {
    checkRecommenders(recommenders);
    checkOptions(options, ['weights', 'name'], 'WeightedSum');
    const { weights = recommenders.map(() => 1), name } = options;
    super(recommenders[0].histories);
    checkArgument(
      Array.isArray(weights),
      weights,
      'WeightedSum',
      'weights, one for each recommender, such as [1, 0.5]',
    );
    if (weights.length !== recommenders.length) {
      throw new ArgumentError(
        `There must be a weight for each of the ${recommenders.length} recommenders, got ${weights.length}.`,
      );
    }
    if (
      !weights.every((w) => typeof w === 'number' && w >= 0 && w < Infinity) ||
      !weights.some((w) => w > 0)
    ) {
      throw new ArgumentError(
        `Weights must not be negative, and one must be more than 0, got [${weights.join(', ')}].`,
      );
    }
    this.parts = recommenders;
    this.weights = [...weights];
    this.list = new ScoreList(this.tracks.length);
    this.name = name ?? recommenders.map((r) => r.name).join(' + ');
    if (recommenders.every((r) => r.listOf && r.scale === 'count')) {
      this.listOf = (history, list) => this.addLists(history, list);
    }
  }

  scoresOf(history: Int32Array, out: Float32Array): void {
    this.scoresOfMany([history], out);
  }

  override scoresOfMany(histories: readonly Int32Array[], out: Float32Array): void {
    checkHistories(this, histories, out);
    const tracks = this.tracks.length;
    const part = new Float32Array(out.length);
    out.fill(0);
    this.recommenders.forEach((recommender, r) => {
      const weight = this.weights[r];
      if (weight === 0) return;
      if (recommender.listOf && recommender.scale === 'count') {
        histories.forEach((history, b) => {
          this.addRow(out.subarray(b * tracks, (b + 1) * tracks), { history, recommender, weight });
        });
        return;
      }
      normalisedScores(recommender, histories, part);
      for (let i = 0; i < out.length; i++) out[i] += weight * part[i];
    });
  }

  /** Adds the few scores that a method has, the largest of them as 1. */
  private addRow(
    out: Float32Array,
    {
      history,
      recommender,
      weight,
    }: { history: Int32Array; recommender: SequenceRecommender; weight: number },
  ): void {
    const { list } = this;
    list.clear();
    recommender.listOf!(history, list);
    const factor = weight / list.max();
    for (let j = 0; j < list.count; j++) out[list.track[j]] += factor * list.score[list.track[j]];
  }

  private addLists(history: Int32Array, list: ScoreList): void {
    checkList(history, list);
    const { list: part } = this;
    this.recommenders.forEach((recommender, r) => {
      if (this.weights[r] === 0) return;
      part.clear();
      recommender.listOf!(history, part);
      const factor = this.weights[r] / part.max();
      for (let j = 0; j < part.count; j++)
        list.add(part.track[j], factor * part.score[part.track[j]]);
    });
  }
}

/** Recommenders whose scores can be added: at least one, and all with the same tracks. */
export function checkRecommenders(recommenders: readonly SequenceRecommender[]): void {
  if (!Array.isArray(recommenders as unknown))
    throw new ArgumentError(
      `An array of recommenders of the next track was expected, got ${whatIs(recommenders)}.`,
    );
  if (recommenders.length === 0)
    throw new ArgumentError('There is no recommender to add up. Give at least one.');
  for (const one of recommenders) {
    if (typeof one?.scoresOf === 'function' && isRecommender(one)) continue;
    throw new ArgumentError(
      `A sum needs recommenders of the next track, such as new Markov(train), got ${instead(one, 'SequenceRecommender')}.`,
    );
  }
  const [first, ...others] = recommenders;
  for (const other of others) {
    if (other.tracks === first.tracks) continue;
    if (
      other.tracks.length !== first.tracks.length ||
      other.tracks.classes.some((id, t) => id !== first.tracks.classes[t])
    ) {
      throw new ArgumentError(
        `${first.name} and ${other.name} know different tracks, so their scores cannot be added. Train both on the same data.`,
      );
    }
  }
}

registerRecommenderKind<WeightedSum>({
  name: 'WeightedSum',
  type: WeightedSum,
  data: 'none',
  describe: ({ recommenders, weights, name }) => ({
    config: { weights, title: name },
    parts: recommenders,
  }),
  make: (_data, config, _tensors, parts) =>
    new WeightedSum(parts as readonly SequenceRecommender[], {
      weights: config.numbers('weights', parts.length),
      name: config.text('title'),
    }),
});
