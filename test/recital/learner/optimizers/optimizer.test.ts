import { expect } from 'chai';
import { ArgumentError } from '../../../../lib/recital/errors.js';
import type { Callback } from '../../../../lib/recital/learner/callback.js';
import {
  biasSplitter,
  embeddingSplitter,
  groupRates,
  type Splitter,
  slice,
  splitParameters,
} from '../../../../lib/recital/learner/optimizers/optimizer.js';
import { SGD } from '../../../../lib/recital/learner/optimizers/steps.js';
import type { EmbeddingDotBias } from '../../../../lib/recital/models/embedding-dot-bias.js';
import { expectClose } from '../../../support/golden.js';
import { makeDeepLearner, makeLearner, rejection, weights } from '../../../support/learner.js';

const three: Splitter = ({ parameters: [u, i, bu, bi] }) => [[bu, bi], [u], [i]];

describe('parameter groups', () => {
  it('have the learning rates of fastai: one for all, one each, or a slice', () => {
    expect(groupRates(0.1, 3)).to.deep.equal([0.1, 0.1, 0.1]);
    expect(groupRates([1, 2, 3], 3)).to.deep.equal([1, 2, 3]);
    expectClose(groupRates(slice(1e-5, 1e-3), 3), [1e-5, 1e-4, 1e-3], 1e-15);
    expectClose(groupRates({ stop: 1e-3 }, 3), [1e-4, 1e-4, 1e-3], 1e-15);
    expect(groupRates(slice(1e-3), 1)).to.deep.equal([1e-3]);
    expect(groupRates(slice(1e-5, 1e-3), 1)).to.deep.equal([1e-3]);
    expect(() => groupRates([1, 2], 3)).to.throw(
      ArgumentError,
      '2 learning rates for 3 parameter groups',
    );
    for (const bad of [0, -1, NaN, Infinity, slice(0, 1), [1, 0, 1]])
      expect(() => groupRates(bad, 3)).to.throw(ArgumentError, 'positive number');
  });

  it('are made by a splitter, which is checked', () => {
    const { model } = makeLearner();
    const other = makeLearner().model;
    expect(splitParameters(three, model).map((group) => group.length)).to.deep.equal([2, 1, 1]);
    expect(() => splitParameters(() => [other.parameters], model)).to.throw(
      ArgumentError,
      'which the model does not have',
    );
    expect(() => splitParameters(({ parameters: [u] }) => [[u], [u]], model)).to.throw(
      ArgumentError,
      'uWeight into two groups',
    );
    expect(() => splitParameters(({ parameters: [u] }) => [[u], []], model)).to.throw(
      ArgumentError,
      'a group without parameters',
    );
    const none = Object.defineProperty(Object.create(model), 'parameters', {
      value: [],
    }) as typeof model;
    expect(() => splitParameters(({ parameters }) => [parameters], none)).to.throw(
      ArgumentError,
      'The model has no parameters: there is nothing to train.',
    );
    expect(() => makeLearner({ splitter: () => [other.parameters] })).to.throw(ArgumentError);
    expect(() => makeLearner({ splitter: three, lr: [1, 2] })).to.throw(
      ArgumentError,
      '2 learning rates',
    );
  });

  it('split EmbeddingDotBias into biases and factors', () => {
    const model = makeLearner().model as EmbeddingDotBias;
    expect(biasSplitter(model).map((group) => group.map((p) => p.name))).to.deep.equal([
      ['uBias', 'iBias'],
      ['uWeight', 'iWeight'],
    ]);
    expect(() => embeddingSplitter(model)).to.throw(ArgumentError, 'has only one of them');
    expect(() => biasSplitter({ ...model, parameters: [] } as never)).to.throw(
      ArgumentError,
      'biasSplitter is for EmbeddingDotBias',
    );
  });

  it('split a network into embeddings and layers, whose batch norm is trained in any case', async () => {
    for (const trainBn of [true, false]) {
      const learn = makeDeepLearner({
        splitter: (model) => [...embeddingSplitter(model)].reverse(),
        trainBn,
      });
      const names = (trainable: boolean): string[] =>
        learn.model.parameters.filter((p) => p.trainable === trainable).map((p) => p.name);
      learn.freeze();
      const embeddings = ['embeds.0.weight', 'embeds.1.weight'];
      expect(names(true)).to.deep.equal(
        trainBn ? [...embeddings, 'layers.0.2.weight', 'layers.0.2.bias'] : embeddings,
      );
      const before = new Map(learn.model.parameters.map((p) => [p.name, p.value.slice()]));
      await learn.fit(1, 1e-2);
      const moved = learn.model.parameters
        .filter((p) => p.value.some((w, i) => w !== before.get(p.name)![i]))
        .map((p) => p.name);
      expect(moved).to.deep.equal(names(true));
    }
  });

  it('are frozen but for the last one in the first epochs of fineTune, however many there are', async () => {
    const learn = makeLearner({ splitter: three });
    const before = new Map(learn.model.parameters.map((p) => [p.name, p.value.slice()]));
    const moved: string[][] = [];
    const look: Callback = {
      name: 'look',
      afterEpoch: ({ opt, model }) => {
        opt.settle();
        moved.push(
          model.parameters
            .filter((p) => p.value.some((w, i) => w !== before.get(p.name)![i]))
            .map((p) => p.name),
        );
      },
    };
    await learn.fineTune(1, 0.02, { freezeEpochs: 2, cbs: look });
    expect(moved).to.deep.equal([
      ['iWeight'],
      ['iWeight'],
      ['uWeight', 'iWeight', 'uBias', 'iBias'],
    ]);
  });

  it('learn at rates of their own', async () => {
    const learn = makeLearner({ splitter: three, optFunc: SGD });
    await learn.fit(1, [1e-9, 1e-3, 1e-2], { wd: 0 });
    const still = makeLearner();
    const moved = (i: number): number =>
      Math.hypot(
        ...learn.model.parameters[i].value.map((w, j) => w - still.model.parameters[i].value[j]),
      );
    expect(moved(2)).to.be.below(1e-6);
    expect(moved(0)).to.be.within(1e-5, 0.2 * moved(1));
    const same = makeLearner({ optFunc: SGD });
    await same.fit(1, 1e-3, { wd: 0 });
    const apart = makeLearner({ splitter: three, optFunc: SGD });
    await apart.fit(1, 1e-3, { wd: 0 });
    expect(weights(apart), 'one rate for all groups is no groups').to.deep.equal(weights(same));
  });

  it('are scheduled by every kind of run, the recorder logging the last', async () => {
    const learn = makeLearner({ splitter: biasSplitter, bs: 600 });
    const seen: number[][] = [];
    const cbs = {
      name: 'spy',
      order: 61,
      runValid: false,
      beforeBatch: () => void seen.push(learn.opt.groups.map((group) => group.hypers.lr)),
    };
    await learn.fitOneCycle(2, slice(1e-3, 1e-2), { cbs });
    await learn.fitFlatCos(2, slice(1e-2), { cbs });
    await learn.fitSgdr(1, 2, { lrMax: [1e-3, 1e-2], cbs });
    await learn.fit(2, slice(1e-2), { cbs });
    expect(seen).to.have.length(16);
    for (const [biases, factors] of seen) expect(factors / biases).to.be.closeTo(10, 1e-9);
    expect(seen[1][1]).to.be.closeTo(1e-2, 1e-12); // a quarter of the cycle: the peak
    expect(learn.recorder.lrs).to.deep.equal(seen.slice(12).map(([, factors]) => factors));
  });

  it('can be frozen: they take no step, and moments are forgotten', async () => {
    const learn = makeLearner({ splitter: biasSplitter });
    await learn.fit(1, 1e-2);
    expect(Object.keys(learn.opt.stateDict().params)).to.have.length(4);
    learn.freeze();
    expect(learn.opt.stateDict().params).to.deep.equal({});
    const [u, i, bu, bi] = learn.model.parameters;
    const before = [bu, bi].map((p) => [...p.value]);
    const factors = [...u.value];
    await learn.fit(1, 1e-2, { wd: 0.5 });
    expect([bu, bi].map((p) => [...p.value])).to.deep.equal(before);
    expect([...u.value]).to.not.deep.equal(factors);
    expect(Object.keys(learn.opt.stateDict().params)).to.have.members([u.name, i.name]);
    expect(learn.summary().toString()).to.contain('no');
    learn.createOpt();
    expect(bu.trainable, 'a new optimizer keeps them frozen').to.equal(false);
    learn.unfreeze();
    await learn.fit(1, 1e-2);
    expect([bu, bi].map((p) => [...p.value])).to.not.deep.equal(before);
    learn.freezeTo(1);
    expect([bu.trainable, u.trainable]).to.deep.equal([false, true]);
  });

  it('says what is missing when there is one group only', async () => {
    const learn = makeLearner();
    expect(() => learn.freeze()).to.throw(ArgumentError, 'give the learner a splitter');
    expect(await rejection(learn.fineTune(1))).to.contain('give the learner a splitter');
  });
});

describe('fineTune', () => {
  it("freezes, trains, unfreezes and trains at fastai's rates", async () => {
    const learn = makeLearner({ splitter: biasSplitter, bs: 600 }); // 2 batches an epoch
    const seen: { lrs: number[]; frozen: boolean }[] = [];
    const cbs = {
      name: 'spy',
      order: 61,
      runValid: false,
      beforeBatch: () =>
        void seen.push({
          lrs: learn.opt.groups.map((group) => group.hypers.lr),
          frozen: !learn.model.parameters[2].trainable,
        }),
    };
    await learn.fineTune(5, 2e-3, { cbs });
    expect(seen.map((s) => s.frozen)).to.deep.equal([
      true,
      true,
      ...Array<boolean>(10).fill(false),
    ]);
    // first: one epoch of one-cycle to slice(2e-3) with pctStart 0.99 and div 25
    const cos = (a: number, b: number, pos: number): number =>
      a + ((1 + Math.cos(Math.PI * (1 - pos))) * (b - a)) / 2;
    expectClose(seen[0].lrs, [2e-4 / 25, 2e-3 / 25], 1e-12);
    expectClose(
      seen[1].lrs,
      [cos(2e-4 / 25, 2e-4, 0.5 / 0.99), cos(2e-3 / 25, 2e-3, 0.5 / 0.99)],
      1e-12,
    );
    // then: slice(1e-5, 1e-3), pctStart 0.3, div 5
    expectClose(seen[2].lrs, [1e-5 / 5, 1e-3 / 5], 1e-12);
    expectClose(seen[5].lrs, [1e-5, 1e-3], 1e-12);
    expect(learn.recorder.losses).to.have.length(10);
  });

  it('takes its options, and rates of the groups as they are', async () => {
    const learn = makeLearner({ splitter: biasSplitter, bs: 600 });
    const first: number[][] = [];
    const cbs = {
      name: 'spy',
      order: 61,
      beforeTrain: () => void first.push(learn.opt.groups.map((group) => group.hypers.lr)),
    };
    const peaks: number[][] = [];
    const spy = {
      name: 'peak',
      order: 61,
      runValid: false,
      beforeBatch: () => void peaks.push(learn.opt.groups.map((group) => group.hypers.lr)),
    };
    await learn.fineTune(2, [1e-3, 4e-3], {
      freezeEpochs: 2,
      pctStart: 0.5,
      div: 2,
      cbs: [cbs, spy],
    });
    expect(first).to.have.length(4);
    expectClose(peaks[4], [0.5e-3 / 2, 2e-3 / 2], 1e-12);
    expectClose(peaks[6], [0.5e-3, 2e-3], 1e-12);
    expect(await rejection(learn.fineTune(0))).to.contain('epochs must be a positive whole number');
    expect(await rejection(learn.fineTune(1, 1e-3, { lrMult: 0 }))).to.contain(
      'lrMult must be a positive number',
    );
    expect(await rejection(learn.fineTune(1, 1e-3, { freezeEpochs: 0 }))).to.contain(
      'freezeEpochs must be',
    );
  });
});
