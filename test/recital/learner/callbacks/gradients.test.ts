import { expect } from 'chai';
import { ArgumentError } from '../../../../lib/recital/errors.js';
import type { Callback } from '../../../../lib/recital/learner/callback.js';
import {
  GradientAccumulation,
  GradientClip,
} from '../../../../lib/recital/learner/callbacks/gradients.js';
import type { Learner } from '../../../../lib/recital/learner/learner.js';
import { biasSplitter } from '../../../../lib/recital/learner/optimizers/optimizer.js';
import { SGD } from '../../../../lib/recital/learner/optimizers/steps.js';
import { expectClose } from '../../../support/golden.js';
import { makeDeepLearner, makeLearner, rejection, weights } from '../../../support/learner.js';

/** Gradients of all rows of all parameters, 0 where there is none. */
function gradients(learn: Learner): number[] {
  return learn.model.parameters.flatMap((p) => {
    if (!p.slots) return [...p.grad];
    const dense = new Array<number>(p.value.length).fill(0);
    for (let s = 0; s < p.touchedCount; s++)
      for (let j = 0; j < p.width; j++) dense[p.touched[s] * p.width + j] = p.grad[s * p.width + j];
    return dense;
  });
}

describe('GradientClip', () => {
  /** Gradients before the first step, without and with clipping. */
  async function clipped(
    clip: GradientClip,
    prepare = (_learn: Learner): void => {},
  ): Promise<[number[], number[]]> {
    const seen: number[][] = [];
    for (const cbs of [[], [clip]]) {
      const learn = makeLearner({ optFunc: SGD, splitter: biasSplitter });
      prepare(learn);
      const spy: Callback = {
        name: 'spy',
        order: 99,
        beforeStep: () => void (learn.trainIter === 0 && seen.push(gradients(learn))),
      };
      await learn.fit(1, 1e-3, { cbs: [...cbs, spy] });
    }
    return [seen[0], seen[1]];
  }

  it('scales all gradients to the norm, and leaves smaller ones alone', async () => {
    const [whole] = await clipped(new GradientClip({ maxNorm: 1e9 }));
    const maxNorm = Math.hypot(...whole) / 4;
    const [, cut] = await clipped(new GradientClip({ maxNorm }));
    expect(Math.hypot(...cut) / maxNorm).to.be.closeTo(1, 1e-3);
    expectClose(
      cut.map((x) => 4 * x),
      whole,
      1e-3 * Math.max(...whole.map(Math.abs)),
    );
    const [, same] = await clipped(new GradientClip({ maxNorm: 16 * maxNorm }));
    expect(same).to.deep.equal(whole);
  });

  it('counts layers and embeddings alike', async () => {
    const learn = makeDeepLearner({ optFunc: SGD });
    const clip = new GradientClip({ maxNorm: 0.01 });
    const norms: number[][] = [];
    const before: Callback = {
      name: 'before',
      beforeStep: () => void norms.push([Math.hypot(...gradients(learn))]),
    };
    const after: Callback = {
      name: 'after',
      order: 99,
      beforeStep: () => void norms[norms.length - 1].push(Math.hypot(...gradients(learn))),
    };
    await learn.fit(1, 1e-2, { cbs: [clip, before, after] });
    for (const [whole, cut] of norms) expect(cut).to.be.closeTo(Math.min(whole, 0.01), 1e-5);
    expect(clip.norm).to.be.closeTo(norms[17][0], 1e-6);
  });

  it('does not count what is frozen', async () => {
    const learn = makeLearner({ optFunc: SGD, splitter: biasSplitter });
    learn.freeze();
    const clip = new GradientClip();
    let factors = NaN;
    const spy: Callback = {
      name: 'spy',
      order: 0,
      beforeStep: () => void (factors = Math.hypot(...gradients(learn).slice(0, -2 - 110))),
    };
    await learn.fit(1, 1e-3, { cbs: [clip, spy] });
    expect(clip.norm).to.be.within(0.99 * factors, 1.01 * factors);
  });

  it('keeps a run from diverging that would', async () => {
    const run = (cbs: Callback[]): Promise<string> => {
      const learn = makeLearner({ optFunc: SGD, ranged: false });
      return rejection(learn.fit(5, 10, { cbs }));
    };
    expect(await run([])).to.contain('NumericError: The loss became');
    expect(await run([new GradientClip({ maxNorm: 0.1 })])).to.equal('no error');
  });

  it('stops at a gradient that is not finite, and names its parameter', async () => {
    const learn = makeLearner();
    const spoil: Callback = {
      name: 'spoil',
      beforeStep: ({ model }) => void (model.parameters[1].grad[0] = NaN),
    };
    const error = await rejection(learn.fit(1, 1e-3, { cbs: [spoil, new GradientClip()] }));
    expect(error).to.contain(
      'NumericError: The gradient of iWeight is not finite in epoch 0, batch 0',
    );
  });

  it('refuses norms that are none', () => {
    expect(() => new GradientClip({ maxNorm: 0 })).to.throw(ArgumentError, 'maxNorm');
  });
});

describe('GradientAccumulation', () => {
  it('makes of small batches the steps of large ones', async () => {
    const large = makeLearner({ bs: 60 });
    await large.fitOneCycle(2, 0.02);
    const small = makeLearner({ bs: 12 });
    let steps = 0;
    const spy: Callback = { name: 'spy', order: 99, afterStep: () => void steps++ };
    // the schedule is the large one's: that of its last small batch
    const sched: Callback = {
      name: 'sched',
      order: 61,
      beforeBatch: ({ opt, trainIter }) =>
        opt.setHypers({
          lr: large.recorder.hps.lr[Math.floor(trainIter / 5)],
          mom: large.recorder.hps.mom[Math.floor(trainIter / 5)],
        }),
      runValid: false,
    };
    await small.fitOneCycle(2, 0.02, { cbs: [new GradientAccumulation({ nAcc: 60 }), sched, spy] });
    expect(steps).to.equal(40);
    expectClose(weights(small), weights(large), 2e-4);
    const plain = makeLearner({ bs: 12 });
    await plain.fitOneCycle(2, 0.02, { cbs: sched });
    expect(Math.max(...weights(plain).map((w, i) => Math.abs(w - weights(large)[i])))).to.be.above(
      0.05,
    );
  });

  it('carries what is left of an epoch into the next, and records the losses of the batches themselves', async () => {
    const learn = makeLearner({ bs: 64 }); // 18 batches
    const at: number[] = [];
    const spy: Callback = {
      name: 'spy',
      order: 99,
      afterStep: ({ trainIter }) => void at.push(trainIter),
    };
    await learn.fit(2, 1e-9, { cbs: [new GradientAccumulation({ nAcc: 64 * 7 }), spy] });
    expect(at).to.deep.equal([6, 13, 20, 27, 34]);
    const plain = makeLearner({ bs: 64 });
    await plain.fit(2, 1e-9);
    expectClose(learn.recorder.losses, plain.recorder.losses, 1e-5);
  });

  it('never steps if it waits for more rows than there are', async () => {
    const learn = makeLearner();
    const before = weights(learn);
    await learn.fit(2, 0.1, { cbs: new GradientAccumulation({ nAcc: 10_000 }) });
    expect(weights(learn)).to.deep.equal(before);
    for (const p of learn.model.parameters)
      expect(p.touchedCount, 'and leaves no gradients behind').to.equal(0);
  });

  it('clips the sum, not the parts', async () => {
    const learn = makeLearner({ bs: 12 });
    const norms: number[] = [];
    const clip = new GradientClip({ maxNorm: 1e9 });
    const spy: Callback = { name: 'spy', order: 99, afterStep: () => void norms.push(clip.norm) };
    await learn.fit(1, 1e-9, { cbs: [clip, new GradientAccumulation({ nAcc: 60 }), spy] });
    expect(norms).to.have.length(20);
    const large = makeLearner({ bs: 60 });
    let norm = NaN;
    const largeClip = new GradientClip({ maxNorm: 1e9 });
    const first: Callback = {
      name: 'first',
      order: 99,
      afterStep: ({ trainIter }) => void (trainIter === 0 && (norm = largeClip.norm)),
    };
    await large.fit(1, 1e-9, { cbs: [largeClip, first] });
    expect(norms[0]).to.be.closeTo(norm, 1e-5 * norm);
  });

  it('refuses a number of rows that is none', () => {
    for (const nAcc of [0, 1.5, NaN])
      expect(() => new GradientAccumulation({ nAcc })).to.throw(ArgumentError, 'nAcc');
  });
});
