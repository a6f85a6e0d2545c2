import { kernels } from '../../compute/kernels.js';
import { matmul } from '../../compute/matmul.js';
import { dispose, float32 } from '../../compute/memory.js';
import type { Fields } from '../../fields.js';
import { EmbeddingNN } from '../../models/embedding-nn.js';
import { checkScores } from '../recommender.js';
import type { SavedForm } from '../saved-form.js';
import {
  CollabModelLearner,
  CollabRecommender,
  type ModelVectors,
} from './recommending-learner.js';
import { collabForm, readRange } from './saved-learner.js';

/**
 * Recommends by the network of an EmbeddingNN: the recommender of a {@link CollabNNLearner}. It
 * cannot fold users in: without training, a network has no vector of a new user.
 */
export class NetworkRecommender extends CollabRecommender<CollabNNLearner> {
  readonly name: string = 'EmbeddingNN';

  protected vectors(): ModelVectors {
    const { user, item } = this.learn.model;
    return {
      user: { values: user.weight.value, width: user.width },
      item: { values: item.weight.value, width: item.width },
    };
  }

  override scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    this.learn.settle();
    networkScores(this.learn.model, users, out);
  }
}

/**
 * A Learner whose model is EmbeddingNN, and a recommender: what `collabLearner` makes with
 * `useNn: true`.
 * @example
 * const learn = collabLearner(dls, { useNn: true, layers: [100, 50] });
 * await learn.fitOneCycle(3, 5e-3);
 * learn.recommend(user, { n: 10 });
 */
export class CollabNNLearner extends CollabModelLearner<NetworkRecommender> {
  /** The model that it trains. */
  declare readonly model: EmbeddingNN;

  protected override makeRecommender(): NetworkRecommender {
    return new NetworkRecommender(this);
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<CollabNNLearner> = collabForm({
    name: 'EmbeddingNN',
    withoutSeen: true,
    config: ({ model: { config, yRange } }) => ({
      ...config,
      embSzs: { ...config.embSzs },
      yRange,
    }),
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
    make(dls, config, options) {
      const model = new EmbeddingNN(dls.classes, {
        layers: config.counts('layers'),
        embSzs: embSzs(config),
        ps: config.numbers('ps'),
        embedP: config.number('embedP'),
        useBn: config.flag('useBn'),
        bnFinal: config.flag('bnFinal'),
        yRange: readRange(config),
      });
      return new CollabNNLearner(dls, model, options);
    },
  });
}

function embSzs(config: Fields): { user: number; item: number } {
  const sizes = config.object('embSzs');
  return { user: sizes.count('user'), item: sizes.count('item') };
}

/** Tracks that go through the network at once: what its layers hold of them stays in the cache. */
const CHUNK = 1024;

/**
 * Predictions of an EmbeddingNN, before its range, for a block of users and all tracks (the items
 * without `#na#`). The first layer is linear in the two vectors, W·[u; v] = Wᵤ·u + Wᵥ·v, so each
 * half is computed once for each user and each track; only what follows is computed for every pair.
 * @param users user indices, without `#na#`
 * @param out users × tracks, overwritten
 */
function networkScores(model: EmbeddingNN, users: Int32Array, out: Float32Array): void {
  const { user, item, first, rest } = model;
  const tracks = item.rows - 1;
  const width = first.outputs;
  /** m rows of k numbers, times the columns of W from `column` on. */
  const half = (
    values: Float32Array,
    { offset, m, k, column }: { offset: number; m: number; k: number; column: number },
  ): Float32Array => {
    const c = float32(m * width);
    const w = {
      values: first.weight.value,
      offset: column,
      rowStride: 1,
      columnStride: first.inputs,
    };
    matmul(
      { m, n: width, k },
      { a: { values, offset, rowStride: k }, b: w, c: { values: c, rowStride: width } },
    );
    return c;
  };
  const k = user.width;
  const vectors = float32(users.length * k);
  users.forEach((u, b) => {
    vectors.set(user.weight.value.subarray((u + 1) * k, (u + 2) * k), b * k);
  });
  const ofUsers = half(vectors, { offset: 0, m: users.length, k, column: 0 });
  const { width: own, weight } = item;
  const ofTracks = half(weight.value, { offset: own, m: tracks, k: own, column: k });
  const ofUser = float32(width);
  const one = float32(width).fill(1);
  const hidden = float32(Math.min(CHUNK, tracks) * width);
  for (let b = 0; b < users.length; b++) {
    for (let c = 0; c < width; c++)
      ofUser[c] = ofUsers[b * width + c] + (first.bias?.value[c] ?? 0);
    for (let from = 0; from < tracks; from += CHUNK) {
      const size = Math.min(CHUNK, tracks - from);
      const start = ofTracks.byteOffset + 4 * from * width;
      const to = hidden.byteOffset;
      kernels().scaleShift(size, width, start, one.byteOffset, ofUser.byteOffset, to);
      out.set(rest.forward(hidden.subarray(0, size * width), size, false), b * tracks + from);
    }
  }
  for (const array of [vectors, ofUsers, ofTracks, hidden, ofUser, one]) dispose(array);
}
