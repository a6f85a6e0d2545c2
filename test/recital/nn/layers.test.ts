import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'chai';
import { float32 } from '../../../lib/recital/compute/memory.js';
import { Random } from '../../../lib/recital/compute/random.js';
import { setCompute } from '../../../lib/recital/compute/threads.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { ReLU, SigmoidRange } from '../../../lib/recital/nn/activations.js';
import { BatchNorm1d } from '../../../lib/recital/nn/batch-norm.js';
import { Linear } from '../../../lib/recital/nn/linear.js';
import { Sequential } from '../../../lib/recital/nn/module.js';
import { expectClose } from '../../support/golden.js';
import { expectModule, normals } from '../../support/modules.js';

const random = new Random(11);

describe('Linear', () => {
  for (const [size, inputs, outputs] of [
    [1, 1, 1],
    [5, 7, 3],
    [64, 33, 18],
    [7, 300, 1],
  ]) {
    it(`is TensorFlow's for ${size} rows, ${inputs} → ${outputs}`, () => {
      const input = normals(size * inputs, 1);
      expectModule(new Linear(inputs, outputs, { random }), {
        input,
        size,
        reference: (x, w, b) => tf.add(tf.matMul(x, w, false, true), b),
      });
      expectModule(new Linear(inputs, outputs, { random, bias: false }), {
        input,
        size,
        reference: (x, w) => tf.matMul(x, w, false, true),
      });
    });
  }

  it('starts uniform in ±1/√inputs, and decays its weight only', () => {
    const { weight, bias, parameters } = new Linear(400, 300, { random, name: 'layers.0.0' });
    expect(parameters.map((p) => [p.name, p.shape, p.decay])).to.deep.equal([
      ['layers.0.0.weight', [300, 400], true],
      ['layers.0.0.bias', [300], false],
    ]);
    for (const { value } of [weight, bias!]) {
      expect(Math.max(...value.map(Math.abs))).to.be.within(0.0499 * 0.95, 0.05);
      expect(value.reduce((s, w) => s + w * w, 0) / value.length).to.be.closeTo(
        0.05 ** 2 / 3,
        0.0001,
      );
      expect(value.reduce((s, w) => s + w, 0) / value.length).to.be.closeTo(0, 0.006);
    }
    expect(new Linear(2, 2, { random, bias: false }).parameters).to.have.length(1);
  });

  it('adds to the gradients that are there', () => {
    const layer = new Linear(2, 1, { random });
    for (let i = 0; i < 2; i++) {
      layer.forward(Float32Array.of(3, 4), 1);
      layer.backward(Float32Array.of(2));
    }
    expect([...layer.weight.grad, ...layer.bias!.grad]).to.deep.equal([12, 16, 4]);
  });

  it('takes arrays on the shared memory and others alike', () => {
    const layer = new Linear(3, 2, { random });
    const plain = Float32Array.of(1, 2, 3, 4, 5, 6);
    const shared = float32(6);
    shared.set(plain);
    expect(layer.forward(plain, 2).slice()).to.deep.equal(layer.forward(shared, 2).slice());
  });

  it('says which shape it expected', () => {
    const layer = new Linear(3, 2, { random, name: 'layers.1.0' });
    expect(() => layer.forward(new Float32Array(8), 2)).to.throw(
      ArgumentError,
      'Linear layers.1.0: the input must hold 2 rows × 3 values = 6, got 8',
    );
    layer.forward(new Float32Array(6), 2);
    expect(() => layer.backward(new Float32Array(6))).to.throw(
      ArgumentError,
      'Linear layers.1.0: the gradient must hold 2 rows × 2 values = 4',
    );
    for (const n of [0, -1, 1.5, NaN])
      expect(() => new Linear(n, 2, { random })).to.throw(
        ArgumentError,
        'inputs must be a positive whole number',
      );
  });
});

describe('ReLU and SigmoidRange', () => {
  it("ReLU is TensorFlow's", () => {
    expectModule(new ReLU(), { input: normals(40, 2), size: 8, reference: (x) => tf.relu(x) });
  });

  it('ReLU has the derivative 0 at 0, and lets NaN through', () => {
    const layer = new ReLU();
    expect([...layer.forward(Float32Array.of(-1, 0, 2, NaN))]).to.deep.equal([0, 0, 2, NaN]);
    expect([...layer.backward(Float32Array.of(5, 5, 5, 5))]).to.deep.equal([0, 0, 5, 0]);
    expect(() => layer.backward(new Float32Array(3))).to.throw(
      ArgumentError,
      'ReLU: the gradient must hold 4 values',
    );
  });

  it('the range is low + (high − low)·σ(x)', () => {
    expectModule(new SigmoidRange([-1, 5.5]), {
      input: normals(30, 3),
      size: 30,
      reference: (x) => tf.add(tf.mul(tf.sigmoid(x), 6.5), -1),
    });
    expect(new SigmoidRange([0, 4]).at(0)).to.equal(2);
    const layer = new SigmoidRange([0, 4]);
    expect([...layer.forward(Float32Array.of(-800, 800))]).to.deep.equal([0, 4]);
    expect([...layer.backward(Float32Array.of(1, 1))]).to.deep.equal([0, 0]);
  });

  it('the range has a low and a high end', () => {
    for (const yRange of [
      [5, 0],
      [1, 1],
      [0, Infinity],
      [NaN, 1],
    ] as const)
      expect(() => new SigmoidRange(yRange)).to.throw(ArgumentError, 'yRange must be [low, high]');
  });
});

describe('BatchNorm1d', () => {
  const normalised = (x: tf.Tensor2D, w: tf.Tensor, b: tf.Tensor): tf.Tensor => {
    const { mean, variance } = tf.moments(x, 0);
    return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), w), b);
  };

  it("normalises by the batch in training, with TensorFlow's gradients", () => {
    for (const [size, width] of [
      [2, 1],
      [9, 4],
      [64, 17],
    ]) {
      const layer = new BatchNorm1d(width);
      layer.weight.value.set(normals(width, 4));
      layer.bias.value.set(normals(width, 5));
      const input = normals(size * width, 6).map((x, i) => 3 * x + (i % width));
      expectModule(layer, { input, size, reference: (x, w, b) => normalised(x, w, b) });
    }
  });

  it('normalises by the running statistics otherwise, with their gradients', () => {
    const layer = new BatchNorm1d(2);
    layer.runningMean.set([1, -1]);
    layer.runningVar.set([4, 0.25]);
    layer.weight.value.set([2, 3]);
    expectClose(
      layer.forward(Float32Array.of(3, 0, 1, -2), 2, false),
      [2.001, 6.001, 0.001, -5.999],
      1e-4,
    );
    expectClose(layer.backward(Float32Array.of(1, 1, 0, 2)), [1, 6, 0, 12], 1e-4);
    expectClose(layer.weight.grad, [1, 2 - 4], 1e-4);
    expectClose(layer.bias.grad, [1, 3], 0);
  });

  it('starts as fastai says, spares its parameters from decay, and keeps running statistics as PyTorch does', () => {
    const layer = new BatchNorm1d(2, { name: 'layers.0.2' });
    expect(layer.parameters.map((p) => [p.name, [...p.value], p.decay])).to.deep.equal([
      ['layers.0.2.weight', [1, 1], false],
      ['layers.0.2.bias', [0.001, 0.001].map(Math.fround), false],
    ]);
    expect(layer.buffers.map((b) => b.name)).to.deep.equal([
      'layers.0.2.running_mean',
      'layers.0.2.running_var',
    ]);
    layer.forward(Float32Array.of(1, 10, 3, 30, 5, 20), 3, true);
    // means 3 and 20, variances (÷ 2) 4 and 100: a tenth of the way from 0 and 1
    expectClose(layer.runningMean, [0.3, 2], 1e-6);
    expectClose(layer.runningVar, [0.9 + 0.4, 0.9 + 10], 1e-6);
    layer.forward(Float32Array.of(1, 10, 3, 30, 5, 20), 3, false);
    expectClose(layer.runningMean, [0.3, 2], 1e-6);
  });

  it('refuses one row, wrong shapes and wrong options', () => {
    expect(() => new BatchNorm1d(2, { name: 'bn' }).forward(new Float32Array(2), 1, true)).to.throw(
      ArgumentError,
      'at least 2 rows',
    );
    expect(() => new BatchNorm1d(2).forward(new Float32Array(5), 2, true)).to.throw(
      ArgumentError,
      '2 rows × 2 values = 4, got 5',
    );
    expect(() => new BatchNorm1d(0)).to.throw(
      ArgumentError,
      'width must be a positive whole number',
    );
    expect(() => new BatchNorm1d(2, { momentum: 2 })).to.throw(ArgumentError, 'momentum');
    expect(() => new BatchNorm1d(2, { eps: 0 })).to.throw(ArgumentError, 'eps');
    expect(
      new BatchNorm1d(2).forward(new Float32Array(2), 1, false).length,
      'one row is fine to predict',
    ).to.equal(2);
  });
});

describe('Sequential', () => {
  it("chains layers forward and backward, with TensorFlow's gradients", () => {
    const layers = [
      new Linear(6, 5, { random, name: '0' }),
      new ReLU(),
      new BatchNorm1d(5, { name: '2' }),
      new Linear(5, 1, { random, name: '3' }),
    ];
    const chain = new Sequential(layers);
    expect(chain.parameters.map((p) => p.name)).to.deep.equal([
      '0.weight',
      '0.bias',
      '2.weight',
      '2.bias',
      '3.weight',
      '3.bias',
    ]);
    expect(chain.buffers).to.have.length(2);
    expectModule(chain, {
      input: normals(72, 7),
      size: 12,
      reference: (x, w0, b0, w2, b2, w3, b3) => {
        const hidden = tf.relu(
          tf.add(tf.matMul(x, w0 as tf.Tensor2D, false, true), b0),
        ) as tf.Tensor2D;
        const { mean, variance } = tf.moments(hidden, 0);
        const normal = tf.add(
          tf.mul(tf.div(tf.sub(hidden, mean), tf.sqrt(tf.add(variance, 1e-5))), w2),
          b2,
        ) as tf.Tensor2D;
        return tf.add(tf.matMul(normal, w3 as tf.Tensor2D, false, true), b3);
      },
    });
  });

  it('gives the same in both builds of the kernels, up to rounding', () => {
    const input = normals(33 * 7, 8);
    const outputs = [true, false].map((reproducible) => {
      setCompute({ reproducible });
      const layers = [
        new Linear(7, 19, { random, name: '0' }),
        new ReLU(),
        new BatchNorm1d(19),
        new Linear(19, 3, { random, name: '3' }),
      ];
      const chain = new Sequential(layers);
      const out = [...chain.forward(input, 33, true)];
      return [
        ...out,
        ...chain.backward(normals(99, 9)),
        ...chain.parameters.flatMap((p) => [...p.grad]),
      ];
    });
    setCompute({ reproducible: true });
    expectClose(outputs[1], outputs[0], 1e-4);
  });
});
