import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { Dropout } from '../../../lib/recital/nn/dropout.js';
import { expectModule, normals } from '../../support/modules.js';

const random = new Random(13);
const ones = new Float32Array(1000).fill(1);

describe('Dropout', () => {
  it('zeroes a share p in training and scales the rest, so that the mean stays', () => {
    for (const p of [0.1, 0.5, 0.9]) {
      const out = new Dropout(p, { random }).forward(new Float32Array(20_000).fill(1), 1, true);
      const zeros = out.reduce((n, x) => n + (x === 0 ? 1 : 0), 0);
      expect(zeros / out.length).to.be.closeTo(p, 4 * Math.sqrt((p * (1 - p)) / out.length));
      expect(out.every((x) => x === 0 || Math.abs(x - 1 / (1 - p)) < 1e-6)).to.equal(true);
    }
  });

  it('does nothing otherwise, nor with p = 0', () => {
    const input = normals(50, 1);
    expect(new Dropout(0.5, { random }).forward(input, 1, false)).to.deep.equal(input);
    const none = new Dropout(0, { random });
    expect(none.forward(input, 1, true)).to.deep.equal(input);
    expect(none.buffers).to.deep.equal([]);
    expect(none.backward(input)).to.deep.equal(input);
  });

  it('is a product with its mask, forward and backward', () => {
    const mask = new Dropout(0.3, { random })
      .forward(new Float32Array(60).fill(1), 12, true)
      .slice();
    const reference = (x: tf.Tensor2D): tf.Tensor => tf.mul(x, tf.tensor2d(mask, [12, 5]));
    expectModule(new Dropout(0.3, { random }), { input: normals(60, 2), size: 12, reference });
  });

  it('draws another mask each step, another for each name and seed, and the same for the same', () => {
    const masks = (name: string, seed: number): number[][] => {
      const layer = new Dropout(0.5, { name, random: new Random(seed) });
      return [1, 2, 3].map(() => [...layer.forward(ones, 1, true)]);
    };
    const [a, b, c] = masks('one', 1);
    expect(a).to.not.deep.equal(b);
    expect(b).to.not.deep.equal(c);
    expect(masks('one', 1)).to.deep.equal([a, b, c]);
    expect(masks('two', 1)[0]).to.not.deep.equal(a);
    expect(masks('one', 2)[0]).to.not.deep.equal(a);
  });

  it('goes on from saved state with the masks it would have drawn, whatever was validated in between', () => {
    const layer = new Dropout(0.5, { random });
    layer.forward(ones, 1, true);
    const [saved] = layer.buffers.map((b) => b.value.slice());
    layer.forward(ones, 1, false);
    const next = [...layer.forward(ones, 1, true)];
    const resumed = new Dropout(0.5, { random });
    resumed.buffers[0].value.set(saved);
    expect([...resumed.forward(ones, 1, true)]).to.deep.equal(next);
  });

  it('refuses what is no probability', () => {
    for (const p of [-0.1, 1, 1.5, NaN])
      expect(() => new Dropout(p, { random })).to.throw(ArgumentError, `less than 1, got ${p}`);
    const layer = new Dropout(0.5, { random, name: 'embed_drop' });
    layer.forward(ones, 1, true);
    expect(() => layer.backward(new Float32Array(3))).to.throw(
      ArgumentError,
      'Dropout embed_drop: the gradient must hold 1000 values',
    );
  });
});
