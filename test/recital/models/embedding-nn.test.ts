import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../../lib/recital/compute/random.js';
import type { Batch } from '../../../lib/recital/data/batches.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import {
  EmbeddingNN,
  type EmbeddingNNOptions,
  embSzRule,
} from '../../../lib/recital/models/embedding-nn.js';
import { checkGradients } from '../../../lib/recital/nn/check-gradients.js';
import {
  BCEWithLogitsLossFlat,
  lossGradient,
  MSELossFlat,
} from '../../../lib/recital/nn/losses.js';
import type { Parameter } from '../../../lib/recital/nn/parameter.js';
import { expectClose } from '../../support/golden.js';
import { normals, remember } from '../../support/modules.js';
import { plantedLoaders } from '../../support/synthetic.js';

const vocabulary = (n: number, prefix: string): Vocabulary =>
  Vocabulary.fromValues(
    Array.from({ length: n - 1 }, (_, i) => `${prefix}${i}`),
    { na: true },
  );
const classes = { user: vocabulary(12, 'u'), item: vocabulary(15, 'i') };
const make = (options: Partial<EmbeddingNNOptions> = {}): EmbeddingNN =>
  new EmbeddingNN(classes, { random: new Random(1), ...options });

/** Embeddings of a size that a gradient check can see, and batch norms that do something. */
function stirred(model: EmbeddingNN): EmbeddingNN {
  model.parameters.forEach((p, i) => {
    if (p.slots) p.value.set(normals(p.value.length, i));
    else if (!p.decay) p.value.set(normals(p.value.length, i).map((x) => 1 + 0.3 * x));
  });
  return model;
}

function batchOf(size: number, seed: number): Batch {
  const random = new Random(seed);
  const draw = (n: number): Int32Array => Int32Array.from({ length: size }, () => random.int(n));
  return {
    size,
    inputs: [draw(12), draw(15)],
    targets: Float32Array.from({ length: size }, () => random.uniform()),
    rows: new Int32Array(size),
  };
}

function denseGradient(p: Parameter): number[] {
  if (!p.slots) return [...p.grad];
  return Array.from({ length: p.value.length }, (_, j) => {
    const slot = p.slots![Math.floor(j / p.width)];
    return slot < 0 ? 0 : p.grad[slot * p.width + (j % p.width)];
  });
}

describe('embSzRule', () => {
  it("is fastai's, on all values of its documentation", () => {
    const table = { 10: 6, 101: 21, 944: 74, 1635: 101, 1665: 102, 17633: 382, 100000: 600 };
    for (const [n, size] of Object.entries(table)) expect(embSzRule(Number(n)), n).to.equal(size);
    expect(embSzRule(1)).to.equal(2);
  });

  it('grows with n, up to 600, within half of the exact value', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e7 }), (n) => {
        const size = embSzRule(n);
        return (
          Number.isInteger(size) &&
          size <= 600 &&
          size <= embSzRule(n + 1) &&
          (size === 600 || Math.abs(size - 1.6 * n ** 0.56) <= 0.5)
        );
      }),
    );
    for (const bad of [0, -1, 1.5, NaN])
      expect(() => embSzRule(bad)).to.throw(ArgumentError, 'positive whole number');
  });
});

describe('EmbeddingNN', () => {
  it("is fastai's network: names, shapes, order, decay", () => {
    const model = make({ layers: [8, 4], ps: [0.1, 0], embedP: 0.2 });
    expect(model.parameters.map((p) => [p.name, p.shape.join('×'), p.decay])).to.deep.equal([
      ['embeds.0.weight', '12×6', true],
      ['embeds.1.weight', '15×7', true],
      ['layers.0.0.weight', '8×13', true],
      ['layers.0.2.weight', '8', false],
      ['layers.0.2.bias', '8', false],
      ['layers.1.0.weight', '4×8', true],
      ['layers.1.2.weight', '4', false],
      ['layers.1.2.bias', '4', false],
      ['layers.2.0.weight', '1×4', true],
      ['layers.2.0.bias', '1', false],
    ]);
    expect(model.buffers.map((b) => b.name)).to.deep.equal([
      'emb_drop.step',
      'layers.0.2.running_mean',
      'layers.0.2.running_var',
      'layers.0.3.step',
      'layers.1.2.running_mean',
      'layers.1.2.running_var',
    ]);
    expect(model.parameters[0].value.every((w) => Math.abs(w) < 0.02)).to.equal(true);
  });

  it('has a bias where there is no batch norm, one hidden layer of 50 by default, and none if told', () => {
    const names = (options: Partial<EmbeddingNNOptions>): string[] =>
      make(options)
        .parameters.slice(2)
        .map((p) => `${p.name} ${p.shape.join('×')}`);
    expect(names({ useBn: false })).to.deep.equal([
      'layers.0.0.weight 50×13',
      'layers.0.0.bias 50',
      'layers.1.0.weight 1×50',
      'layers.1.0.bias 1',
    ]);
    expect(names({ layers: [] })).to.deep.equal(['layers.0.0.weight 1×13', 'layers.0.0.bias 1']);
    expect(names({ layers: [], bnFinal: true })).to.deep.equal([
      'layers.0.0.weight 1×13',
      'layers.0.1.weight 1',
      'layers.0.1.bias 1',
    ]);
    expect(names({ layers: [], embSzs: { user: 3 } })).to.deep.equal([
      'layers.0.0.weight 1×10',
      'layers.0.0.bias 1',
    ]);
    expect(names({ layers: [], embSzs: { user: 3, item: 2 } })[0]).to.equal(
      'layers.0.0.weight 1×5',
    );
  });

  it("has TensorFlow's output and gradients", () => {
    const model = stirred(make({ layers: [8, 4], yRange: [-0.2, 1.3] }));
    const batch = batchOf(30, 2);
    const norm = (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor): tf.Tensor => {
      const { mean, variance } = tf.moments(x, 0);
      return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), w), b);
    };
    const linear = (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
      tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, true);
    const predict = (...p: tf.Tensor[]): tf.Tensor => {
      const rows = p
        .slice(0, 2)
        .map((table, i) => tf.gather(table, tf.tensor1d([...batch.inputs[i]], 'int32')));
      const hidden = norm(tf.relu(linear(tf.concat(rows as tf.Tensor2D[], 1), p[2])), p[3], p[4]);
      const deeper = norm(tf.relu(linear(hidden, p[5])), p[6], p[7]);
      return tf.add(tf.mul(tf.sigmoid(tf.add(linear(deeper, p[8]), p[9])), 1.5), -0.2);
    };
    const tensors = model.parameters.map((p) => tf.tensor(p.value.slice(), [...p.shape]));
    model.touch(batch);
    const out = model.forward(batch, true);
    expectClose(out, predict(...tensors).dataSync(), 1e-5, 'output');
    const gradient = new Float32Array(40); // longer than the batch, as the learner's may be
    lossGradient(new MSELossFlat(), { ...batch, pred: out }, { out: gradient });
    model.backward(gradient);
    const loss = (...p: tf.Tensor[]): tf.Scalar =>
      tf.mean(
        tf.squaredDifference(tf.reshape(predict(...p), [-1]), tf.tensor1d(batch.targets)),
      ) as tf.Scalar;
    tf.grads(loss)(tensors).forEach((g, i) => {
      expectClose(denseGradient(model.parameters[i]), g.dataSync(), 2e-5, model.parameters[i].name);
    });
  });

  it('has the gradients of central differences, with dropout, biases and a final batch norm', () => {
    for (const options of [
      { layers: [6, 5], ps: 0.3, embedP: 0.2 },
      { layers: [6], useBn: false, yRange: [0, 2] as const },
      { layers: [6], bnFinal: true },
      { layers: [] },
    ]) {
      checkGradients(stirred(make(options)), batchOf(40, 3), { samples: 30 });
    }
    checkGradients(stirred(make({ layers: [5] })), batchOf(40, 4), {
      lossFunc: new BCEWithLogitsLossFlat(),
    });
  });

  it('predicts a row alone as among others, and nothing changes by predicting', () => {
    const model = stirred(make({ layers: [8], ps: 0.5, embedP: 0.5 }));
    const batch = batchOf(30, 5);
    model.forward(batch, true);
    const state = model.buffers.map((b) => b.value.slice());
    const all = model.forward(batch, false).slice(0, 30);
    const one = model.forward(
      { ...batch, size: 1, inputs: batch.inputs.map((x) => x.subarray(7, 8)) },
      false,
    );
    expect(one[0]).to.equal(all[7]);
    expect(model.buffers.map((b) => b.value)).to.deep.equal(state);
  });

  it('draws the same masks again from saved state', () => {
    const model = stirred(make({ layers: [8], ps: 0.5, embedP: 0.5 }));
    const batch = batchOf(30, 6);
    model.forward(batch, true);
    const restore = remember(model.buffers);
    const second = model.forward(batch, true).slice(0, 30);
    const third = model.forward(batch, true).slice(0, 30);
    expect(third).to.not.deep.equal(second);
    restore();
    expect(model.forward(batch, true).slice(0, 30)).to.deep.equal(second);
  });

  it('says what cannot be built', () => {
    expect(() => make({ layers: [5, 0] })).to.throw(
      ArgumentError,
      'layers.1.0: outputs must be a positive whole number, got 0',
    );
    expect(() => make({ layers: [5, 4], ps: [0.1] })).to.throw(
      ArgumentError,
      'ps has 1 probabilities for 2 hidden layers',
    );
    expect(() => make({ ps: 1 })).to.throw(ArgumentError, 'less than 1');
    expect(() => make({ embedP: -1 })).to.throw(ArgumentError, 'less than 1');
    expect(() => make({ embSzs: { user: 0 } })).to.throw(ArgumentError, 'embeds.0: width');
    expect(() => make({ embSzs: { users: 5 } as never })).to.throw(
      ArgumentError,
      'did you mean "user"',
    );
    expect(() => make({ yRange: [1, 0] })).to.throw(ArgumentError, 'yRange');
    expect(() =>
      make().forward(
        { ...batchOf(2, 1), inputs: [Int32Array.of(0, 1), Int32Array.of(1, 15)] },
        false,
      ),
    ).to.throw(ArgumentError, 'embeds.1: row 1');
  });
});

describe('EmbeddingNN in a Learner', () => {
  const learner = (shuffled: boolean, options: Partial<EmbeddingNNOptions> = {}): Learner => {
    const dls = plantedLoaders({ shuffled });
    const model = new EmbeddingNN(dls.classes, {
      layers: [40],
      yRange: [-4, 10],
      random: new Random(3),
      ...options,
    });
    return new Learner(dls, model);
  };
  const spread = (learn: Learner): number => {
    const { target } = (learn.dls.valid as unknown as { data: { target: Float32Array } }).data;
    const mean = target.reduce((s, y) => s + y, 0) / target.length;
    return target.reduce((s, y) => s + (y - mean) ** 2, 0) / target.length;
  };

  it('finds a planted structure, and none where there is none', async () => {
    for (const shuffled of [false, true]) {
      const learn = learner(shuffled);
      await learn.fitOneCycle(25, 1e-2, { wd: 0.1 });
      const [loss] = (await learn.validate()) as number[];
      const share = loss / spread(learn);
      if (shuffled) expect(share, 'shuffled').to.be.above(0.95);
      else expect(share, 'planted').to.be.below(0.5);
    }
  });

  it('leaves state and weights as they were after lrFind', async () => {
    const learn = learner(false, { ps: 0.2 });
    const all = [...learn.model.parameters, ...learn.model.buffers!];
    const before = all.map((k) => k.value.slice());
    await learn.lrFind({ showPlot: false });
    expect(all.map((k) => k.value)).to.deep.equal(before);
  });

  it('gives the same weights for the same seed', async () => {
    const [one, two] = [learner(false, { ps: 0.2 }), learner(false, { ps: 0.2 })];
    for (const learn of [one, two]) await learn.fitOneCycle(2, 1e-2);
    expect(two.model.parameters.map((p) => p.value)).to.deep.equal(
      one.model.parameters.map((p) => p.value),
    );
    expect(two.model.buffers).to.deep.equal(one.model.buffers);
  });
});
