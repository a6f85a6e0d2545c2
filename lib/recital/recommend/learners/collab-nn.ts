import type { Fields } from '../../data/files/fields.js';
import { EmbeddingNN } from '../../models/embedding-nn.js';
import { cannotFoldIn, checkScores } from '../lookup.js';
import type { TrackVectors } from '../recommender.js';
import { readRange, registerCollabKind } from './collab-kinds.js';
import { CollabRecommender } from './collab-recommender.js';
import { networkScores } from './network-scores.js';

/**
 * A Learner whose model is EmbeddingNN, and a recommender: what `collabLearner` makes with
 * `useNn: true`.
 * @example
 * const learn = collabLearner(dls, { useNn: true, layers: [100, 50] });
 * await learn.fitOneCycle(3, 5e-3);
 * learn.recommend(user, { n: 10 });
 */
export class CollabNNLearner extends CollabRecommender {
  declare readonly model: EmbeddingNN;
  readonly name: string = 'EmbeddingNN';

  /**
   * What the network makes of a block of users and all tracks, before range and activation: see
   * {@link CollabRecommender.scores}.
   */
  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    this.settle();
    networkScores(this.model, users, out);
  }

  /** The embedding of each user; a copy. */
  override userVectors(): TrackVectors {
    this.settle();
    const { weight, width } = this.model.user;
    return { values: Float32Array.from(weight.value.subarray(width)), width };
  }

  /**
   * A network has no vector of a listener whom it has not met, short of training.
   * @throws ArgumentError always: see {@link Recommender.canFoldIn}
   */
  override foldIn(): never {
    throw cannotFoldIn(this);
  }

  /** False. */
  override get canFoldIn(): boolean {
    return false;
  }

  /** The embedding of each track; a copy. */
  trackVectors(): TrackVectors {
    this.settle();
    const { weight, width } = this.model.item;
    return { values: Float32Array.from(weight.value.subarray(width)), width };
  }
}

const embSzs = (config: Fields): { user: number; item: number } => {
  const sizes = config.object('embSzs');
  return { user: sizes.count('user'), item: sizes.count('item') };
};

registerCollabKind<CollabNNLearner>({
  name: 'EmbeddingNN',
  type: CollabNNLearner,
  withoutSeen: true,
  config: ({ model: { config, yRange } }) => ({ ...config, embSzs: { ...config.embSzs }, yRange }),
  parameterCount(config, classes) {
    const { user, item } = embSzs(config);
    const layers = config.counts('layers');
    const sizes = [user + item, ...layers, 1];
    let count = classes.user.length * user + classes.item.length * item;
    for (let i = 1; i < sizes.length; i++) {
      const bn = config.flag('useBn') && (i <= layers.length || config.flag('bnFinal'));
      count += sizes[i - 1] * sizes[i] + (bn ? 2 : 1) * sizes[i]; // weights, then either scale and shift or a bias
    }
    return count;
  },
  make: (config, classes) =>
    new EmbeddingNN(classes, {
      layers: config.counts('layers'),
      embSzs: embSzs(config),
      ps: config.numbers('ps'),
      embedP: config.number('embedP'),
      useBn: config.flag('useBn'),
      bnFinal: config.flag('bnFinal'),
      yRange: readRange(config),
    }),
  learner: (dls, model, options) => new CollabNNLearner(dls, model, options),
});
