import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'chai';
import { float32 } from '../../../lib/recital/compute/memory.js';
import { Random } from '../../../lib/recital/compute/random.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { Embedding } from '../../../lib/recital/nn/embedding.js';
import { Parameter } from '../../../lib/recital/nn/parameter.js';
import { expectClose } from '../../support/golden.js';
import { normals } from '../../support/modules.js';

const random = new Random(12);

function denseGradient(p: Parameter): number[] {
  return Array.from({ length: p.value.length }, (_, j) => {
    const slot = p.slots![Math.floor(j / p.width)];
    return slot < 0 ? 0 : p.grad[slot * p.width + (j % p.width)];
  });
}

describe('Embedding', () => {
  const indices = Int32Array.of(3, 0, 3, 7, 3, 5);

  it("looks rows up, and has TensorFlow's gradients, with repeated indices", () => {
    const layer = new Embedding(9, 4, { init: 'pytorch', random });
    const weight = tf.tensor2d(layer.weight.value.slice(), [9, 4]);
    const coefficients = normals(24, 1);
    const lookup = (w: tf.Tensor): tf.Tensor =>
      tf.gather(w as tf.Tensor2D, tf.tensor1d([...indices], 'int32'));
    layer.touch(indices);
    expectClose(layer.forward(indices), lookup(weight).dataSync(), 0, 'output');
    layer.backward(coefficients);
    const [expected] = tf.grads((w) =>
      tf.sum(tf.mul(lookup(w), tf.tensor2d(coefficients, [6, 4]))),
    )([weight]);
    expectClose(denseGradient(layer.weight), expected.dataSync(), 1e-6, 'gradient');
  });

  it('reads only as many indices as it is told', () => {
    const layer = new Embedding(9, 2, { random });
    layer.touch(indices, 2);
    expect(layer.weight.touchedCount).to.equal(2);
    expect(layer.forward(indices, 2).length).to.equal(4);
  });

  it('writes into columns of a wider array, and reads gradients from there', () => {
    const layer = new Embedding(9, 2, { init: 'pytorch', random });
    const into = float32(6 * 5).fill(-1);
    layer.touch(indices);
    const wide = layer.forward(indices, 6, { into, column: 2, stride: 5 });
    const row = (r: number): number[] => [
      ...layer.weight.value.slice(2 * indices[r], 2 * indices[r] + 2),
    ];
    for (let r = 0; r < 6; r++)
      expect([...wide.slice(5 * r, 5 * r + 5)]).to.deep.equal([-1, -1, ...row(r), -1]);
    layer.backward(
      into.map((_, i) => i),
      { column: 2, stride: 5 },
    );
    // index 3 in rows 0, 2 and 4: 2 + 12 + 22 and 3 + 13 + 23
    expect(denseGradient(layer.weight).slice(6, 8)).to.deep.equal([36, 39]);
  });

  it("starts as fastai's or as PyTorch's embedding", () => {
    const std = (values: Float32Array): number =>
      Math.sqrt(values.reduce((s, w) => s + w * w, 0) / values.length);
    const fastai = new Embedding(2000, 50, { random }).weight.value;
    expect(std(fastai)).to.be.closeTo(0.00867, 0.0001);
    expect(fastai.every((w) => Math.abs(w) < 0.02)).to.equal(true);
    expect(std(new Embedding(2000, 50, { init: 'pytorch', random }).weight.value)).to.be.closeTo(
      1,
      0.01,
    );
  });

  it('has a table whose rows are touched by number: a whole number of rows, and such as there are', () => {
    const table = new Parameter('table', [4, 2], { table: true });
    const rows = Int32Array.of(0, 3, 0);
    for (const n of [-1, 0.5, 1.5, 4, NaN, Infinity, '1' as unknown as number]) {
      expect(() => table.touch(rows, n), String(n)).to.throw(
        ArgumentError,
        `${n} rows cannot be touched; there are 3`,
      );
    }
    for (const bad of [-1, 4])
      expect(() => table.touch(Int32Array.of(0, bad))).to.throw(
        ArgumentError,
        `row ${bad} cannot be touched`,
      );
    expect(table.touchedCount, 'nothing is touched after an error').to.equal(0);
    table.touch(rows, 0);
    expect(table.touchedCount).to.equal(0);
    table.touch(rows);
    expect([...table.touched.subarray(0, table.touchedCount)]).to.deep.equal([0, 3]);
    expect(() => new Parameter('w', [2]).touch(rows)).to.throw(ArgumentError, 'no rows to touch');
  });

  it('says what is wrong with indices, sizes and calls', () => {
    const layer = new Embedding(9, 2, { random, name: 'embeds.0' });
    for (const bad of [9, -1]) {
      expect(() => layer.forward(Int32Array.of(1, bad))).to.throw(
        ArgumentError,
        `embeds.0: row 1 of the batch has index ${bad}; the table has rows 0 to 8`,
      );
      expect(() => layer.touch(Int32Array.of(bad))).to.throw(ArgumentError, `index ${bad}`);
    }
    expect(() => layer.forward(indices, 7)).to.throw(
      ArgumentError,
      '7 indices were expected, got 6',
    );
    expect(() =>
      layer.forward(indices, 6, { into: new Float32Array(12), column: 0, stride: 2 }),
    ).to.throw(ArgumentError, 'float32(n)');
    expect(() =>
      layer.forward(indices, 6, { into: new Float32Array(3), column: 0, stride: 2 }),
    ).to.throw(ArgumentError, '6 rows × 2 values');
    layer.forward(indices);
    expect(() => layer.backward(new Float32Array(3))).to.throw(ArgumentError, '6 rows × 2 values');
    expect(() => layer.backward(new Float32Array(12))).to.throw(ArgumentError, 'Call touch()');
    expect(() => new Embedding(0, 2, { random })).to.throw(
      ArgumentError,
      'rows must be a positive whole number',
    );
    expect(() => new Embedding(2, 1.5, { random })).to.throw(
      ArgumentError,
      'width must be a positive whole number',
    );
    expect(() => new Embedding(2, 1, { random, init: 'keras' as never })).to.throw(
      ArgumentError,
      "'fastai' or 'pytorch'",
    );
  });
});
