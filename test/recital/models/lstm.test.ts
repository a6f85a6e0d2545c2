import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import { setCompute } from '../../../lib/recital/compute/threads.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import type { Callback } from '../../../lib/recital/learner/callback.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import { accuracy } from '../../../lib/recital/learner/metrics.js';
import type { OptFunc } from '../../../lib/recital/learner/optimizers/optimizer.js';
import { Adam } from '../../../lib/recital/learner/optimizers/steps.js';
import { LSTMModel, type LSTMModelOptions } from '../../../lib/recital/models/lstm.js';
import { checkGradients } from '../../../lib/recital/nn/check-gradients.js';
import { CrossEntropyLossFlat } from '../../../lib/recital/nn/cross-entropy.js';
import { lossGradient, lossOf } from '../../../lib/recital/nn/losses.js';
import type { Parameter } from '../../../lib/recital/nn/parameter.js';
import { expectClose, golden } from '../../support/golden.js';
import { normals } from '../../support/modules.js';
import {
  CHAIN_ENTROPY,
  chainWindows,
  itemClasses,
  wholeLoader,
  windowBatch,
  windowLoaders,
} from '../../support/windows.js';

const lossFunc = new CrossEntropyLossFlat();
const windows = chainWindows({ n: 40 });

function make(options: LSTMModelOptions = {}, items = 30): LSTMModel {
  return new LSTMModel(itemClasses(items), {
    embSz: 5,
    layers: [6, 7],
    random: new Random(2),
    ...options,
  });
}

/** Gradients in the shape of the parameter. */
function dense(p: Parameter): Float32Array {
  if (!p.slots) return p.grad.slice();
  const out = new Float32Array(p.value.length);
  for (let j = 0; j < p.touchedCount; j++)
    out.set(p.grad.subarray(j * p.width, (j + 1) * p.width), p.touched[j] * p.width);
  return out;
}

describe('LSTMModel', () => {
  it("prints as the paper's Fig. 6", () => {
    expect(String(new LSTMModel(itemClasses(15676)))).to.equal(
      [
        'LSTMModel(',
        '  (embedding): Embedding(15676, 50)',
        '  (lstm_layers): ModuleList(',
        '    (0): LSTM(50, 100, batch_first=True)',
        '    (1): LSTM(100, 100, batch_first=True)',
        '  )',
        '  (fc): Linear(in_features=100, out_features=15676, bias=True)',
        ')',
      ].join('\n'),
    );
    expect(
      String(make({ cell: 'gru', layers: [5], dropout: 0.1, embedP: 0.2, tied: true })),
    ).to.equal(
      [
        'LSTMModel(',
        '  (embedding): Embedding(30, 5)',
        '  (emb_drop): Dropout(p=0.2, inplace=False)',
        '  (gru_layers): ModuleList(',
        '    (0): GRU(5, 5, batch_first=True)',
        '  )',
        '  (dropout): Dropout(p=0.1, inplace=False)',
        '  (fc): Linear(in_features=5, out_features=30, bias=True) with the weights of embedding',
        ')',
      ].join('\n'),
    );
    const projected = make({ tied: true });
    expect(String(projected).split('\n').slice(6, 8)).to.deep.equal([
      '  (projection): Linear(in_features=7, out_features=5, bias=True)',
      '  (fc): Linear(in_features=5, out_features=30, bias=True) with the weights of embedding',
    ]);
    expect(projected.parameters.slice(-3).map((p) => [p.name, p.shape.join('×')])).to.deep.equal([
      ['projection.weight', '5×7'],
      ['projection.bias', '5'],
      ['fc.bias', '30'],
    ]);
  });

  it("has PyTorch's logits, loss and gradients", () => {
    const { x, y, weights, logits, loss, grads } = golden('lstm');
    const model = make({ layers: [6, 6] }, 11);
    const names = [...Object.keys(weights)];
    for (const [i, p] of model.parameters.entries()) p.value.set(weights[names[i]].flat());
    expect(model.parameters.map((p) => p.name)).to.deep.equal([
      'embedding.weight',
      ...['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0'].map(
        (name) => `lstm_layers.0.${name}`,
      ),
      ...['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0'].map(
        (name) => `lstm_layers.1.${name}`,
      ),
      'fc.weight',
      'fc.bias',
    ]);
    const batch = {
      size: 3,
      inputs: [Int32Array.from(x.flat() as number[]), Int32Array.of(4, 4, 4)],
      targets: Float32Array.from(y as number[]),
      rows: new Int32Array(3),
    };
    model.touch(batch);
    const pred = model.forward(batch, true);
    expectClose(pred, logits.flat(), 5e-7, 'logits');
    expect(lossOf(lossFunc, { ...batch, pred, outputs: 11 })).to.be.closeTo(loss, 5e-7);
    const d = new Float32Array(40); // longer than the batch, as the learner's may be
    lossGradient(lossFunc, { ...batch, pred, outputs: 11 }, { out: d });
    model.backward(d);
    model.parameters.forEach((p, i) => {
      expectClose(dense(p), grads[names[i]].flat(), 3e-7, names[i]);
    });
  });

  it("follows PyTorch's Adam: the losses of its first five steps", async () => {
    const { x, y, weights, torch_adam: adam } = golden('lstm');
    const model = make({ layers: [6, 6] }, 11);
    model.parameters.forEach((p, i) => {
      p.value.set((Object.values(weights)[i] as number[]).flat());
    });
    const windows = {
      items: Int32Array.from(x.flat() as number[]),
      lengths: Int32Array.of(4, 4, 4),
      next: Int32Array.from(y as number[]),
      room: 4,
    };
    const train = wholeLoader(windows);
    const dls = {
      train,
      valid: { ...train, n: 0, length: 0 },
      classes: itemClasses(11),
      showBatch() {},
      decode: () => ({}),
    };
    const losses: number[] = [];
    const keep: Callback = { name: 'keep', afterLoss: ({ loss }) => void losses.push(loss) };
    const optFunc: OptFunc = (params, { lr }) =>
      new Adam(params, { lr, mom: 0.9, sqrMom: 0.999, eps: 1e-8, wd: 0 });
    await new Learner(dls, model, { lossFunc, optFunc, cbs: keep }).fit(5, adam.lr);
    expectClose(losses, adam.losses, 1e-6, 'losses');
  });

  for (const [name, options, everyPosition] of [
    ['LSTM', {}, false],
    ['GRU, dropout everywhere', { cell: 'gru', dropout: 0.2, embedP: 0.3 }, false],
    ['tied vectors', { tied: true, layers: [6, 5] }, false],
    ['tied vectors, projected', { tied: true, layers: [6, 7] }, false],
    ['tied vectors, projected, every position', { tied: true, layers: [8], dropout: 0.2 }, true],
    [
      'tied vectors, projected, sampled softmax',
      { tied: true, layers: [3], negatives: { n: 8, counts: new Float32Array(30).fill(3) } },
      true,
    ],
    ['a target at every position', {}, true],
    [
      'a target at every position, tied vectors, dropout',
      { tied: true, layers: [5], dropout: 0.3 },
      true,
    ],
    ['sampled softmax', { negatives: { n: 8, counts: new Float32Array(30).fill(3) } }, false],
    [
      'sampled softmax, tied, every position',
      { tied: true, layers: [5], negatives: { n: 50, counts: normals(30, 1).map(Math.abs) } },
      true,
    ],
    [
      'BPR-max',
      {
        negatives: {
          n: 9,
          counts: normals(30, 1).map((z) => 9 * z * z),
          loss: 'bprMax',
          reg: 0.5,
          power: 1,
        },
      },
      false,
    ],
    [
      'BPR-max, every position, GRU',
      { cell: 'gru', negatives: { n: 4, counts: new Array(30).fill(1), loss: 'bprMax' } },
      true,
    ],
  ] as [string, LSTMModelOptions, boolean][]) {
    it(`has the gradients of central differences: ${name}`, () => {
      const batch = windowBatch(windows, [0, 1, 2, 3, 4, 5, 6, 7], { bs: 10, everyPosition });
      const model = make(options);
      if (options.tied) model.embedding.weight.value.set(normals(30 * 5, 4)); // larger than they start, so that something happens
      checkGradients(model, batch, { lossFunc, samples: 30 });
      checkGradients(
        model,
        { ...batch, weights: Float32Array.from({ length: 10 }, (_, i) => 0.5 + (i % 3)) },
        { lossFunc, samples: 10 },
      );
    });
  }

  it('does not read what lies beyond the length of a row, and predicts a row alone as among others', () => {
    const model = make();
    const all = model.forward(windowBatch(windows, [3, 4, 5, 6]), false).slice();
    const [one] = [windowBatch(windows, [5])];
    one.inputs[0].fill(1e9, one.inputs[1][0]);
    expect(model.forward(one, false).slice()).to.deep.equal(all.slice(60, 90));
  });

  it('estimates the full softmax by its sample: with many draws they agree', () => {
    const batch = windowBatch(windows, [0, 1, 2, 3, 4, 5]);
    const full = make();
    const sampled = make({
      negatives: { n: 200_000, counts: normals(30, 2).map((z) => 20 * z * z), power: 0.75 },
    });
    for (const model of [full, sampled]) model.touch(batch);
    const pred = full.forward(batch, true);
    const d = new Float32Array(pred.length);
    lossGradient(lossFunc, { ...batch, pred, outputs: 30 }, { out: d });
    const loss = lossOf(lossFunc, { ...batch, pred, outputs: 30 });
    full.backward(d);
    expect(sampled.forward(batch, true)).to.have.length(0);
    const own = sampled.trainingLoss()!;
    expect(own.value).to.be.closeTo(loss, 0.01);
    own.backward(1);
    full.parameters.forEach((p, i) => {
      expectClose(dense(sampled.parameters[i]), dense(p), 0.003, p.name);
    });
    expect(sampled.forward(batch, false)).to.have.length(6 * 30);
  });

  it('draws other negatives in each step, and the same again from saved state', () => {
    const model = make({ negatives: { n: 5, counts: new Array(30).fill(1) } });
    const batch = windowBatch(windows, [0, 1, 2]);
    const value = (): number => {
      model.touch(batch);
      model.forward(batch, true);
      return model.trainingLoss()!.value;
    };
    const [first, second] = [value(), value()];
    expect(second).to.not.equal(first);
    model.buffers.find((b) => b.name === 'negatives.step')!.value[0] = 0;
    expect([value(), value()]).to.deep.equal([first, second]);
  });

  it('starts from given vectors', () => {
    const embInit = normals(150, 9);
    expect(make({ embInit }).embedding.weight.value.slice()).to.deep.equal(embInit);
    expect(() => make({ embInit: [1, 2] })).to.throw(
      ArgumentError,
      'embInit must hold 30 × 5 values = 150, got 2',
    );
    expect(() => make({ embInit: embInit.map((z, i) => (i === 3 ? NaN : z)) })).to.throw(
      ArgumentError,
      'embInit has NaN at place 3',
    );
  });

  it('says what cannot be', () => {
    expect(() => make({ layers: [] })).to.throw(
      ArgumentError,
      'The number of layers must be a positive whole number',
    );
    expect(() => make({ layers: [0] })).to.throw(
      ArgumentError,
      'layers[0] must be a positive whole number',
    );
    expect(() => make({ cell: 'rnn' as never })).to.throw(ArgumentError, "'lstm' or 'gru'");
    expect(() => make({ dropout: 1 })).to.throw(ArgumentError, 'less than 1');
    expect(() => make({ negatives: { counts: [1] } })).to.throw(
      ArgumentError,
      'for each of the 30 items, got 1',
    );
    expect(() => make({ negatives: { counts: new Array(30).fill(-1) } })).to.throw(
      ArgumentError,
      'counts[0] must be 0 or more',
    );
    expect(() => make({ negatives: { counts: new Array(30).fill(1), n: 0 } })).to.throw(
      ArgumentError,
      'negatives.n',
    );
    expect(() => make({ negatives: { counts: new Array(30).fill(1), reg: 1 } })).to.throw(
      ArgumentError,
      "for loss: 'bprMax'",
    );
    for (const reg of [0, 2])
      make({ negatives: { counts: new Array(30).fill(1), loss: 'bprMax', reg } });
    for (const reg of [-1, NaN, Infinity]) {
      expect(() =>
        make({ negatives: { counts: new Array(30).fill(1), loss: 'bprMax', reg } }),
      ).to.throw(ArgumentError, 'negatives.reg');
    }
    const model = make();
    const batch = windowBatch(windows, [0, 1]);
    expect(() =>
      model.forward({ ...batch, inputs: [batch.inputs[0], Int32Array.of(0, 1)] }, false),
    ).to.throw(ArgumentError, 'Row 0 of the batch has length 0');
    expect(() => model.forward({ ...batch, inputs: [batch.inputs[0]] }, false)).to.throw(
      ArgumentError,
      'Use SequenceDataLoaders',
    );
    expect(() => model.forward({ ...batch, targets: new Float32Array(5) }, false)).to.throw(
      ArgumentError,
      'a target for each row or each item',
    );
    expect(() =>
      make({}, 3).forward(
        { ...batch, inputs: [new Int32Array(12).fill(3), batch.inputs[1]] },
        false,
      ),
    ).to.throw(ArgumentError, 'rows 0 to 2');
  });
});

describe('LSTMModel in a Learner', () => {
  const trained = async (
    options: LSTMModelOptions,
    data: Parameters<typeof chainWindows>[0] = {},
    everyPosition = false,
  ): Promise<Learner> => {
    const dls = windowLoaders(chainWindows({ n: 4000, ...data }), { everyPosition });
    const model = new LSTMModel(dls.classes, {
      embSz: 16,
      layers: [24],
      random: new Random(4),
      ...options,
    });
    const learn = new Learner(dls, model, { lossFunc, metrics: accuracy });
    await learn.fitOneCycle(6, 2e-2);
    return learn;
  };
  const valid = (learn: Learner): number[] =>
    learn.recorder.values[learn.recorder.values.length - 1].slice(1) as number[];

  it("comes near the chain's entropy, and finds no order where there is none", async () => {
    const [loss, acc] = valid(await trained({}));
    expect(loss).to.be.within(CHAIN_ENTROPY - 0.1, CHAIN_ENTROPY + 0.15);
    expect(acc).to.be.above(0.62);
    const [none, luck] = valid(await trained({}, { shuffled: true }));
    expect(none).to.be.above(Math.log(30) - 0.05);
    expect(luck).to.be.below(0.1);
  });

  for (const [name, options, everyPosition] of [
    ['GRU', { cell: 'gru' }, false],
    ['two layers with dropout', { layers: [24, 24], dropout: 0.1 }, false],
    ['tied vectors', { tied: true, embSz: 32, layers: [32] }, false],
    ['tied vectors, projected', { tied: true, embSz: 32, layers: [48] }, false],
    ['a target at every position', {}, true],
    ['sampled softmax', { negatives: { n: 40, counts: new Array(30).fill(1) } }, false],
  ] as [string, LSTMModelOptions, boolean][]) {
    it(`learns the order of the chain: ${name}`, async () => {
      expect(valid(await trained(options, {}, everyPosition))[0]).to.be.within(
        CHAIN_ENTROPY - 0.1,
        CHAIN_ENTROPY + 0.3,
      );
    });
  }

  it('learns by BPR-max which comes next, though not how probable it is', async () => {
    expect(
      valid(
        await trained({ negatives: { n: 10, counts: new Array(30).fill(1), loss: 'bprMax' } }),
      )[1],
    ).to.be.above(0.6);
  });

  it('finds a learning rate and leaves weights and state as they were, predicts in order', async () => {
    const learn = await trained(
      { dropout: 0.2, negatives: { n: 10, counts: new Array(30).fill(1) } },
      { n: 500 },
    );
    const all = [...learn.model.parameters, ...learn.model.buffers!];
    const before = all.map((k) => k.value.slice());
    const [, share] = valid(learn);
    await learn.lrFind({ showPlot: false });
    expect(all.map((k) => k.value)).to.deep.equal(before);
    const { preds, targets, decoded } = await learn.getPreds({ withDecoded: true });
    expect(preds.length).to.equal(100 * 30);
    expectClose([preds.slice(0, 30).reduce((a, b) => a + b)], [1], 1e-5);
    const right = decoded!.filter((c, i) => c === targets[i]).length / 100;
    expect(right).to.be.closeTo(share, 1e-9);
  });

  it('gives the same weights for the same seed, on any number of threads', async () => {
    const before = setCompute();
    try {
      const runs = [];
      for (const threads of [1, 2]) {
        setCompute({ threads });
        const learn = await trained({ layers: [24, 24], dropout: 0.1 }, { n: 400 });
        runs.push(learn.model.parameters.map((p) => p.value));
      }
      expect(runs[1]).to.deep.equal(runs[0]);
    } finally {
      setCompute(before);
    }
  });

  it('shows and scores the last position when there is a target at each', async () => {
    const learn = await trained({}, { n: 500 }, true);
    const { targets } = await learn.getPreds();
    const { next } = chainWindows({ n: 500 });
    expect([...targets]).to.deep.equal([...next.slice(400)]);
  });
});
