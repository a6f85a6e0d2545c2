import type { EmbeddingNN } from '../models/embedding-nn.js';
import { CollabRecommender } from './collab-recommender.js';
import { networkScores } from './network-scores.js';
import type { TrackVectors } from './recommender.js';

/** A Learner whose model is EmbeddingNN, and a recommender: what `collabLearner` makes with `useNn: true`. */
export class CollabNNLearner extends CollabRecommender {
  declare readonly model: EmbeddingNN;
  readonly name: string = 'EmbeddingNN';

  /** What the network makes of a block of users and all tracks, before range and activation: see {@link CollabRecommender.scores}. */
  scores(users: Int32Array, out: Float32Array): void {
    this.settle();
    networkScores(this.model, users, out);
  }

  /** The embedding of each track; a copy. */
  trackVectors(): TrackVectors {
    this.settle();
    const { weight, width } = this.model.item;
    return { values: Float32Array.from(weight.value.subarray(width)), width };
  }
}
