import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import { setCompute } from '../../../lib/recital/compute/threads.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { checkGradients } from '../../../lib/recital/nn/check-gradients.js';
import { CrossEntropyLossFlat } from '../../../lib/recital/nn/cross-entropy.js';
import { Embedding } from '../../../lib/recital/nn/embedding.js';
import { Linear } from '../../../lib/recital/nn/linear.js';
import { lossGradient, lossOf } from '../../../lib/recital/nn/losses.js';
import type { Module } from '../../../lib/recital/nn/module.js';
import { GRU, LSTM, PackedSequences, type Recurrent } from '../../../lib/recital/nn/recurrent.js';

import { expectClose, golden } from '../../support/golden.js';
import {
  expectModule,
  moduleModel,
  normals,
  type TensorFunction,
  targetsFor,
} from '../../support/modules.js';

const random = new Random(5);

/** Layers over given sequences as a module: rows are packed items. */
function over(layers: Recurrent, packed: PackedSequences): Module {
  return {
    parameters: layers.parameters,
    buffers: layers.buffers,
    forward: (input, _, training) => layers.forward(input, packed, training),
    backward: (gradient) => layers.backward(gradient),
  };
}

/** What TensorFlow.js computes from packed items, position by position. */
function reference(
  type: 'LSTM' | 'GRU',
  { packed, layers, hidden }: { packed: PackedSequences; layers: number; hidden: number },
): TensorFunction {
  return (input, ...p) => {
    let x: tf.Tensor2D = input;
    for (let l = 0; l < layers; l++) {
      const [wi, wh, bi, bh] = p.slice(4 * l, 4 * l + 4) as [
        tf.Tensor2D,
        tf.Tensor2D,
        tf.Tensor1D,
        tf.Tensor1D,
      ];
      let h = tf.zeros([packed.size, hidden]) as tf.Tensor2D;
      let c = h;
      const out: tf.Tensor2D[] = [];
      for (let t = 0; t < packed.steps; t++) {
        const n = packed.sizes[t];
        const before = tf.slice(h, 0, n);
        const xi = tf.add(tf.matMul(tf.slice(x, packed.starts[t], n), wi, false, true), bi);
        const hi = tf.add(tf.matMul(before, wh, false, true), bh);
        if (type === 'LSTM') {
          const [i, f, g, o] = tf.split(tf.add(xi, hi) as tf.Tensor2D, 4, 1);
          c = tf.add(tf.mul(tf.sigmoid(f), tf.slice(c, 0, n)), tf.mul(tf.sigmoid(i), tf.tanh(g)));
          h = tf.mul(tf.sigmoid(o), tf.tanh(c));
        } else {
          const [xr, xz, xn] = tf.split(xi as tf.Tensor2D, 3, 1);
          const [hr, hz, hn] = tf.split(hi as tf.Tensor2D, 3, 1);
          const z = tf.sigmoid(tf.add(xz, hz));
          const fresh = tf.tanh(tf.add(xn, tf.mul(tf.sigmoid(tf.add(xr, hr)), hn)));
          h = tf.add(tf.mul(tf.sub(1, z), fresh), tf.mul(z, before));
        }
        out.push(h);
      }
      x = tf.concat(out, 0);
    }
    return x;
  };
}

describe('PackedSequences', () => {
  it('sorts by length, keeps the order of equals, and knows where each sequence ends', () => {
    const packed = new PackedSequences(Int32Array.of(2, 3, 1, 3, 9), { steps: 4, size: 4 });
    expect([...packed.order]).to.deep.equal([1, 3, 0, 2]);
    expect([...packed.sizes]).to.deep.equal([4, 3, 2]);
    expect([...packed.starts]).to.deep.equal([0, 4, 7]);
    expect([...packed.last]).to.deep.equal([6, 7, 3, 8]);
    const items = Int32Array.of(10, 11, -1, -1, 20, 21, 22, -1, 30, -1, -1, -1, 40, 41, 42, -1);
    expect([...packed.pack(items, { room: 4 })]).to.deep.equal([
      20, 40, 10, 30, 21, 41, 11, 22, 42,
    ]);
  });

  it('says which length is none', () => {
    expect(() => new PackedSequences(Int32Array.of(2, 0), { steps: 3 })).to.throw(
      ArgumentError,
      'Row 1 of the batch has length 0; lengths are 1 to 3',
    );
    expect(() => new PackedSequences(Int32Array.of(4), { steps: 3 })).to.throw(
      ArgumentError,
      'has length 4',
    );
    expect(() => new PackedSequences(new Int32Array(0), { steps: 3 })).to.throw(
      ArgumentError,
      'at least one row',
    );
  });
});

describe('LSTM', () => {
  it("is PyTorch's: states, logits, loss and all gradients", () => {
    const { x, y, weights, grads, ...expected } = golden('lstm');
    const embedding = new Embedding(11, 5, { name: 'emb' });
    const lstm = new LSTM(5, 6, { numLayers: 2, name: 'lstm', random });
    const linear = new Linear(6, 11, { name: 'out', random });
    const parameters = [embedding, lstm, linear].flatMap((m) => m.parameters);
    expect(parameters.map((p) => p.name)).to.deep.equal(Object.keys(weights));
    for (const p of parameters) p.value.set(weights[p.name].flat());
    const packed = new PackedSequences(Int32Array.of(4, 4, 4), { steps: 4 });
    const items = packed.pack(Int32Array.from(x.flat() as number[]), { room: 4 });
    embedding.touch(items);
    const states = lstm.forward(embedding.forward(items), packed, true);
    const at = (r: number, t: number): Float32Array =>
      states.subarray((3 * t + r) * 6, (3 * t + r + 1) * 6);
    for (let r = 0; r < 3; r++)
      for (let t = 0; t < 4; t++)
        expectClose(at(r, t), expected.top_layer_outputs[r][t], 3e-7, `state ${r}, ${t}`);
    const last = states.slice(9 * 6);
    expectClose(last, expected.h_n[1].flat(), 3e-7, 'h_n of the last layer');
    const pred = linear.forward(last, 3);
    expectClose(pred, expected.logits.flat(), 5e-7, 'logits');
    const lossRows = { size: 3, pred, outputs: 11, targets: Float32Array.from(y as number[]) };
    const loss = new CrossEntropyLossFlat();
    expect(lossOf(loss, lossRows)).to.be.closeTo(expected.loss, 1e-6);
    const d = new Float32Array(33);
    lossGradient(loss, lossRows, { out: d });
    const dStates = new Float32Array(states.length);
    dStates.set(linear.backward(d), 9 * 6);
    embedding.backward(lstm.backward(dStates));
    for (const p of parameters) {
      const grad = p.slots
        ? Float32Array.from(p.value, (_, j) =>
            gradOf(p.slots![Math.floor(j / p.width)], p.grad, p.width, j % p.width),
          )
        : p.grad;
      expectClose(grad, grads[p.name].flat(), 3e-7, `gradient of ${p.name}`);
    }
  });
});

function gradOf(slot: number, grad: Float32Array, width: number, j: number): number {
  return slot < 0 ? 0 : grad[slot * width + j];
}

for (const type of ['LSTM', 'GRU'] as const) {
  const make = { LSTM, GRU }[type];
  describe(`${type} over sequences of different lengths`, () => {
    for (const { inputs, hidden, layers, lengths } of [
      { inputs: 3, hidden: 5, layers: 1, lengths: [1] },
      { inputs: 4, hidden: 8, layers: 1, lengths: [3, 3, 3] },
      { inputs: 3, hidden: 6, layers: 2, lengths: [2, 4, 1, 4, 3] },
      { inputs: 5, hidden: 3, layers: 3, lengths: [4, 1, 2, 4, 1] },
    ]) {
      it(`is TensorFlow's: ${inputs} → ${hidden}, ${layers} layer(s), lengths ${lengths.join(' ')}`, () => {
        const packed = new PackedSequences(Int32Array.from(lengths), { steps: 5 });
        const module = over(new make(inputs, hidden, { numLayers: layers, random }), packed);
        const input = normals(packed.total * inputs, 3);
        expectModule(module, {
          input,
          size: packed.total,
          reference: reference(type, { packed, layers, hidden }),
        });
      });
    }

    it('has the gradients of central differences with dropout between layers', () => {
      const packed = new PackedSequences(Int32Array.of(4, 2, 3), { steps: 4 });
      const layers = new make(3, 4, { numLayers: 3, dropout: 0.3, random });
      expect(layers.buffers.map((b) => b.name)).to.deep.equal([
        'dropout_l0.step',
        'dropout_l1.step',
      ]);
      const model = moduleModel(over(layers, packed), {
        input: normals(packed.total * 3, 4),
        size: packed.total,
      });
      checkGradients(model, targetsFor(packed.total * 4));
    });

    it('gives a sequence the same bits alone as among others, on any number of threads', async () => {
      const before = setCompute();
      try {
        const layers = new make(6, 10, { numLayers: 2, random });
        const lengths = Int32Array.from({ length: 33 }, (_, r) => 1 + ((5 * r) % 7));
        const packed = new PackedSequences(lengths, { steps: 7 });
        const input = normals(packed.total * 6, 8);
        const gradient = normals(packed.total * 10, 9);
        const results = [];
        for (const threads of [1, 3, 3, 3]) {
          setCompute({ threads });
          for (const p of layers.parameters) p.zeroGrad();
          const states = layers.forward(input, packed, true).slice();
          results.push([
            states,
            layers.backward(gradient).slice(),
            ...layers.parameters.map((p) => p.grad.slice()),
          ]);
          await new Promise((resolve) => setTimeout(resolve, 30)); // the threads come up meanwhile
        }
        for (const result of results) expect(result).to.deep.equal(results[0]);
        const r = 12;
        const alone = new PackedSequences(lengths.subarray(r, r + 1), { steps: 7 });
        const place = packed.order.indexOf(r);
        const own = new Float32Array(alone.total * 6);
        for (let t = 0; t < lengths[r]; t++)
          own.set(
            input.subarray((packed.starts[t] + place) * 6, (packed.starts[t] + place + 1) * 6),
            t * 6,
          );
        const state = layers.forward(own, alone, false).slice((alone.total - 1) * 10);
        expect(state).to.deep.equal(
          results[0][0].slice(packed.last[r] * 10, (packed.last[r] + 1) * 10),
        );
      } finally {
        setCompute(before);
      }
    });

    it('starts uniform in ±1/√hidden, prints as PyTorch does, and says what cannot be', () => {
      const layers = new make(50, 100, { numLayers: 2, dropout: 0.25, name: 'rnn', random });
      expect(String(layers)).to.equal(
        `${type}(50, 100, num_layers=2, batch_first=True, dropout=0.25)`,
      );
      expect(String(new make(50, 100, { random }))).to.equal(`${type}(50, 100, batch_first=True)`);
      const gates = type === 'LSTM' ? 4 : 3;
      expect(
        layers.parameters.slice(4).map((p) => `${p.name} ${p.shape.join('×')} ${p.decay}`),
      ).to.deep.equal([
        `rnn.weight_ih_l1 ${100 * gates}×100 true`,
        `rnn.weight_hh_l1 ${100 * gates}×100 true`,
        `rnn.bias_ih_l1 ${100 * gates} true`,
        `rnn.bias_hh_l1 ${100 * gates} true`,
      ]);
      for (const { value } of layers.parameters) {
        expect(Math.max(...value.map(Math.abs))).to.be.within(0.095, 0.1);
        expect(value.reduce((s, w) => s + w * w, 0) / value.length).to.be.closeTo(0.01 / 3, 0.0006);
      }
      expect(() => new make(0, 3, { random })).to.throw(
        ArgumentError,
        'inputSize must be a positive whole number',
      );
      expect(() => new make(3, 3, { dropout: 0.1, random })).to.throw(
        ArgumentError,
        'one layer only',
      );
      const packed = new PackedSequences(Int32Array.of(2, 1), { steps: 2 });
      expect(() => new make(3, 4, { random }).forward(new Float32Array(8), packed, true)).to.throw(
        ArgumentError,
        '3 rows × 3 values = 9, got 8',
      );
    });
  });
}
