import type { Random } from '../../lib/recital/compute/random.js';
import type { Vocabulary } from '../../lib/recital/data/vocabulary.js';
import { EmbeddingDotBias } from '../../lib/recital/models/embedding-dot-bias.js';
import { LSTMModel } from '../../lib/recital/models/lstm.js';
import {
  type TensorflowModel,
  type TensorflowVariables,
  tensorflowModel,
} from '../../lib/recital/models/tensorflow.js';

import { tensorflow } from '../../lib/recital/models/tensorflow-load.js';
import type { Model } from '../../lib/recital/nn/model.js';

/** The variables of a TensorFlow.js function, as the parameters of a model of ours start. */
function startOf(
  ours: Model,
): Record<string, { shape: readonly number[]; init: Float32Array; decay: boolean }> {
  return Object.fromEntries(
    ours.parameters.map(({ name, shape, value, decay }) => [name, { shape, init: value, decay }]),
  );
}

/** EmbeddingDotBias, and the same in TensorFlow.js, from the same weights. */
export function dotBiasPair(
  classes: { user: Vocabulary; item: Vocabulary },
  { random, yRange }: { random: Random; yRange?: [number, number] },
): { ours: EmbeddingDotBias; theirs: TensorflowModel } {
  const tf = tensorflow();
  const ours = new EmbeddingDotBias(4, classes, { random, yRange });
  const theirs = tensorflowModel(([users, items], { uWeight, iWeight, uBias, iBias }) => {
    const dot = tf.gather(uWeight, users).mul(tf.gather(iWeight, items)).sum(1, true);
    const sum = dot.add(tf.gather(uBias, users)).add(tf.gather(iBias, items));
    return yRange
      ? sum
          .sigmoid()
          .mul(yRange[1] - yRange[0])
          .add(yRange[0])
      : sum;
  }, startOf(ours));
  return { ours, theirs };
}

/** LSTMModel of one layer, and the same in TensorFlow.js, from the same weights. */
export function lstmPair(
  classes: { item: Vocabulary },
  { random }: { random: Random },
): { ours: LSTMModel; theirs: TensorflowModel } {
  const tf = tensorflow();
  const ours = new LSTMModel(classes, { embSz: 3, layers: [5], random });
  const names = ['vectors', 'wx', 'wh', 'bx', 'bh', 'out', 'bias'];
  const start = Object.values(startOf(ours));
  const variables: TensorflowVariables = Object.fromEntries(
    names.map((name, i) => [name, start[i]]),
  );
  const theirs = tensorflowModel(
    ([tracks, lengths], { vectors, wx, wh, bx, bh, out, bias }, { size }) => {
      let [h, c] = [tf.zeros([size, 5]), tf.zeros([size, 5])];
      for (const [t, x] of tf.gather(vectors, tracks).unstack(1).entries()) {
        const gates = tf
          .matMul(x, wx, false, true)
          .add(bx)
          .add(tf.matMul(h, wh, false, true))
          .add(bh);
        const [i, f, g, o] = tf.split(gates, 4, 1);
        const inside = lengths.greater(t).expandDims(1); // what lies right of a window changes nothing
        c = tf.where(inside, f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh())), c);
        h = tf.where(inside, o.sigmoid().mul(c.tanh()), h);
      }
      return tf.matMul(h, out, false, true).add(bias);
    },
    variables,
    { outputs: ours.outputs },
  );
  return { ours, theirs };
}
