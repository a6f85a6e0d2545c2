import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import type { Batch } from '../../../lib/recital/data/batches.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { ArgumentError, UnknownIdError } from '../../../lib/recital/errors.js';
import { Adam } from '../../../lib/recital/learner/optimizers/steps.js';
import { EmbeddingDotBias } from '../../../lib/recital/models/embedding-dot-bias.js';
import {
  BCEWithLogitsLossFlat,
  lossGradient,
  lossOf,
  MSELossFlat,
} from '../../../lib/recital/nn/losses.js';
import type { Parameter } from '../../../lib/recital/nn/parameter.js';
import { expectClose, golden } from '../../support/golden.js';

const names = {
  u_weight: 'uWeight',
  i_weight: 'iWeight',
  u_bias: 'uBias',
  i_bias: 'iBias',
} as const;
type Weights = Record<keyof typeof names, number[][]>;

const vocabulary = (n: number, prefix: string): Vocabulary =>
  Vocabulary.fromValues(
    Array.from({ length: n - 1 }, (_, i) => `${prefix}${i}`),
    { na: true },
  );

function denseGradient(p: Parameter): number[] {
  return Array.from({ length: p.value.length }, (_, j) => {
    const slot = p.slots![Math.floor(j / p.width)];
    return slot < 0 ? 0 : p.grad[slot * p.width + (j % p.width)];
  });
}

describe('EmbeddingDotBias', () => {
  const g = golden('embedding_dot_bias');
  const make = (yRange?: [number, number]): EmbeddingDotBias => {
    const classes = { user: vocabulary(g.n_users, 'u'), item: vocabulary(g.n_items, 'i') };
    const model = new EmbeddingDotBias(g.n_factors, classes, { yRange, random: new Random(1) });
    for (const [theirs, ours] of Object.entries(names))
      model[ours].value.set((g.weights as Weights)[theirs as keyof Weights].flat());
    return model;
  };
  const batchOf = (x: number[][], y: number[]): Batch => ({
    size: y.length,
    inputs: [Int32Array.from(x, (r) => r[0]), Int32Array.from(x, (r) => r[1])],
    targets: Float32Array.from(y),
    rows: Int32Array.from(y.keys()),
  });

  for (const [title, c] of Object.entries(g.cases as Record<string, ReturnType<typeof golden>>)) {
    it(`${title}: output, loss, gradients and five Adam steps are fastai's`, () => {
      const model = make(c.y_range ?? undefined);
      const loss = title.includes('BCE') ? new BCEWithLogitsLossFlat() : new MSELossFlat();
      const batch = batchOf(g.x, c.y);
      const opt = new Adam([model.parameters], { lr: 5e-3 });
      const grad = new Float32Array(batch.size);
      for (let step = 0; step < 5; step++) {
        model.touch(batch);
        const out = model.forward(batch);
        expectClose(
          [lossOf(loss, { ...batch, pred: out })],
          [c.adam5.losses[step]],
          2e-6,
          `loss of step ${step}`,
        );
        if (step === 0) expectClose(out.subarray(0, batch.size), c.out, 1e-6, 'output');
        lossGradient(loss, { ...batch, pred: out }, { out: grad });
        model.backward(grad);
        if (step === 0)
          for (const [theirs, ours] of Object.entries(names))
            expectClose(denseGradient(model[ours]), c.grads[theirs].flat(), 1e-6, theirs);
        opt.step();
        opt.zeroGrad();
      }
      for (const [theirs, ours] of Object.entries(names))
        expectClose(
          model[ours].value,
          c.adam5.weights[theirs].flat(),
          2e-6,
          `${theirs} after 5 steps`,
        );
    });
  }

  it('has the gradients of central differences, with repeated users and items in the batch', () => {
    const random = new Random(5);
    const classes = { user: vocabulary(6, 'u'), item: vocabulary(8, 'i') };
    const model = new EmbeddingDotBias(7, classes, { yRange: [0, 5.5], random });
    for (const p of model.parameters) for (let j = 0; j < p.value.length; j++) p.value[j] *= 40;
    const x = Array.from({ length: 20 }, () => [random.int(6), random.int(8)]);
    const batch = batchOf(
      x,
      x.map(() => random.uniform() * 5),
    );
    const loss = new MSELossFlat();
    const value = (): number => lossOf(loss, { ...batch, pred: model.forward(batch) });
    model.touch(batch);
    const grad = new Float32Array(batch.size);
    lossGradient(loss, { ...batch, pred: model.forward(batch) }, { out: grad });
    model.backward(grad);
    for (const p of model.parameters) {
      const exact = denseGradient(p);
      for (let j = 0; j < p.value.length; j++) {
        const w = p.value[j];
        const h = 2e-3;
        p.value[j] = w + h;
        const up = value();
        p.value[j] = w - h;
        const down = value();
        p.value[j] = w;
        expect(Math.abs((up - down) / (2 * h) - exact[j]), `${p.name}[${j}]`).to.be.below(2e-3);
      }
    }
  });

  it("starts as fastai's embedding: |w| < 0.02 and a standard deviation near 0.00867", () => {
    const classes = { user: vocabulary(2000, 'u'), item: vocabulary(10, 'i') };
    const { uWeight } = new EmbeddingDotBias(50, classes, { random: new Random(3) });
    expect(uWeight.value.every((w) => Math.abs(w) < 0.02)).to.equal(true);
    const std = Math.sqrt(uWeight.value.reduce((s, w) => s + w * w, 0) / uWeight.value.length);
    expect(std).to.be.closeTo(0.00867, 0.0001);
  });

  it('looks biases and factors up by class name, as copies', () => {
    const model = make();
    expect([...model.bias(['i0', 'i5'])]).to.deep.equal([
      model.iBias.value[1],
      model.iBias.value[6],
    ]);
    expect([...model.bias(['u1'], { isItem: false })]).to.deep.equal([model.uBias.value[2]]);
    const [row] = model.weight(['i2']);
    expect([...row]).to.deep.equal([...model.iWeight.value.slice(12, 16)]);
    row[0] = 99;
    expect(model.iWeight.value[12]).to.not.equal(99);
    expect(() => model.bias(['i77'])).to.throw(UnknownIdError);
  });

  it('refuses what cannot be a model or a batch', () => {
    const classes = { user: vocabulary(3, 'u'), item: vocabulary(3, 'i') };
    const random = new Random(1);
    for (const nFactors of [0, -1, 1.5, NaN])
      expect(() => new EmbeddingDotBias(nFactors, classes, { random })).to.throw(
        ArgumentError,
        'nFactors',
      );
    expect(() => new EmbeddingDotBias(2, classes, { random, yRange: [5, 0] })).to.throw(
      ArgumentError,
      'yRange',
    );
    expect(() =>
      new EmbeddingDotBias(2, classes, { random }).forward(batchOf([[0, 3]], [1])),
    ).to.throw(ArgumentError, 'item index 3');
  });
});
