import { expect } from 'chai';
import type { Chart } from '../../../../lib/recital/data/output.js';
import { ArgumentError } from '../../../../lib/recital/errors.js';
import type { Callback } from '../../../../lib/recital/learner/callback.js';
import { ShowGraph } from '../../../../lib/recital/learner/callbacks/logging.js';
import {
  FetchPreds,
  ShortEpoch,
  TerminateOnNaN,
} from '../../../../lib/recital/learner/callbacks/training.js';
import { mae } from '../../../../lib/recital/learner/metrics.js';
import { displayed, makeLearner, weights } from '../../../support/learner.js';

describe('a callback of one’s own', () => {
  it('takes five lines', async () => {
    const rates: string[] = [];
    const learn = makeLearner({ bs: 600 });

    const logLr: Callback = {
      name: 'logLr',
      afterEpoch: ({ epoch, opt }) =>
        void rates.push(`epoch ${epoch}: lr ${opt.hypers.lr.toPrecision(2)}`),
    };
    await learn.fitOneCycle(3, 1e-2, { cbs: logLr });

    expect(rates).to.deep.equal(['epoch 0: lr 0.0076', 'epoch 1: lr 0.0075', 'epoch 2: lr 0.0012']);
  });
});

describe('TerminateOnNaN', () => {
  const spoil = (training: boolean): Callback => ({
    name: 'spoil',
    order: -20,
    afterLoss(learn) {
      if (learn.epoch === 1 && learn.iter === 3 && learn.training === training)
        learn.loss = Infinity;
    },
  });

  it('ends the run with a warning, before the step, and records nothing of the bad batch', async () => {
    const learn = makeLearner();
    const { warnings } = await displayed(() =>
      learn.fit(3, 0.01, { cbs: [spoil(true), new TerminateOnNaN()] }),
    );
    expect(warnings).to.deep.equal([
      'The loss became Infinity in epoch 1, training batch 3: the run ends.',
    ]);
    expect(learn.recorder.losses).to.have.length(21);
    expect(learn.recorder.values).to.have.length(1);
    expect(weights(learn).every(Number.isFinite)).to.equal(true);
    await learn.fit(1);
  });

  it('ends it in validation, too', async () => {
    const learn = makeLearner();
    const { warnings } = await displayed(() =>
      learn.fit(3, 0.01, { cbs: [spoil(false), new TerminateOnNaN()] }),
    );
    expect(warnings).to.deep.equal([
      'The loss became Infinity in epoch 1, validation batch 3: the run ends.',
    ]);
    expect(learn.recorder.values).to.have.length(1);
  });

  it('ends a run that diverges, which is an error without it', async () => {
    const learn = makeLearner({ cbs: new TerminateOnNaN() });
    const { warnings } = await displayed(() => learn.fit(50, 1e18));
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(/The loss became (NaN|Infinity)/);
  });

  it('lets rows without targets be predicted', async () => {
    const learn = makeLearner({ cbs: new TerminateOnNaN() });
    const dls = learn.dls as unknown as { testDl(rows: object[]): (typeof learn)['dls']['valid'] };
    const { preds } = await learn.getPreds({ dl: dls.testDl([{ user: 'u1', item: 'i1' }]) });
    expect(preds).to.have.length(1);
  });
});

describe('ShortEpoch', () => {
  it("trains up to the first batch with iter/nIter ≥ pct, as fastai's", async () => {
    // 18 training and 5 validation batches
    for (const [pct, shortValid, train, valid] of [
      [0.01, true, 2, 2],
      [0.5, true, 10, 4],
      [0.5, false, 10, 5],
      [0, false, 1, 5],
      [1, true, 18, 5],
    ] as const) {
      const learn = makeLearner({ metrics: mae });
      const seen = { train: 0, valid: 0 };
      const spy: Callback = {
        name: 'spy',
        order: 51,
        afterBatch: ({ training }) => void (training ? seen.train++ : seen.valid++),
      };
      await learn.fit(2, 1e-3, { cbs: [new ShortEpoch({ pct, shortValid }), spy] });
      expect(seen, String(pct)).to.deep.equal({ train: 2 * train, valid: 2 * valid });
      expect(learn.recorder.losses).to.have.length(2 * train);
      expect(learn.recorder.values[1].every(Number.isFinite)).to.equal(true);
    }
  });

  it('cuts no predictions short, and no lrFind', async () => {
    const learn = makeLearner({ cbs: new ShortEpoch() });
    expect((await learn.getPreds()).preds).to.have.length(300);
    expect((await learn.lrFind({ stopDiv: false, showPlot: false })).lrs).to.have.length(90);
    expect(() => new ShortEpoch({ pct: 2 })).to.throw(ArgumentError, 'share between 0 and 1');
  });
});

describe('FetchPreds', () => {
  it('predicts after each validation, without a trace in the record', async () => {
    const learn = makeLearner({ metrics: mae });
    const plain = makeLearner({ metrics: mae });
    const fetch = new FetchPreds({ dsIdx: 0 });
    const means: number[] = [];
    const look: Callback = {
      name: 'look',
      afterEpoch: () =>
        void means.push(fetch.preds!.preds.reduce((a, b) => a + b, 0) / fetch.preds!.preds.length),
    };
    await learn.fit(2, 0.02, { cbs: [fetch, look] });
    await plain.fit(2, 0.02);
    expect(means).to.have.length(2);
    expect(means[0]).to.not.equal(means[1]);
    expect(fetch.preds!.preds).to.have.length(1200);
    expect(fetch.preds!.preds).to.deep.equal((await learn.getPreds({ dsIdx: 0 })).preds);
    expect(weights(learn)).to.deep.equal(weights(plain));
    expect(learn.recorder.values).to.deep.equal(plain.recorder.values);
    expect(learn.cbs.map((cb) => cb.name)).to.deep.equal(plain.cbs.map((cb) => cb.name));
  });

  it('does not predict twice when predictions are asked for anyway', async () => {
    const fetch = new FetchPreds();
    const learn = makeLearner({ cbs: fetch });
    await learn.getPreds();
    await learn.validate();
    expect(fetch.preds).to.equal(undefined);
  });
});

describe('ShowGraph', () => {
  const domain = (chart: unknown): unknown =>
    ((chart as Chart).spec.encoding as { x: { scale?: { domain: number[] } } }).x.scale?.domain;

  it('draws anew after every epoch where output can be replaced', async () => {
    const updates: Chart[] = [];
    const shown: Chart[] = [];
    const slot = () => ({
      update: (chart: Chart) => void updates.push(chart),
      show: (chart: Chart) => void shown.push(chart),
    });
    const learn = makeLearner();
    const { charts } = await displayed(() => learn.fit(3, 0.02, { cbs: new ShowGraph() }), {
      slot,
    });
    expect(charts).to.deep.equal([]);
    expect(updates).to.have.length(3);
    expect(updates.map(domain)).to.deep.equal([
      [0, 54],
      [0, 54],
      [0, 54],
    ]);
    expect(updates[1].alt).to.contain('36 training batches');
    expect(shown).to.have.length(1);
    expect(domain(shown[0]), 'as far as the run went').to.equal(undefined);
    expect(shown[0].alt).to.contain('54 training batches').and.to.contain('validation loss');
  });

  it('draws once at the end where it cannot, and not at all for lrFind', async () => {
    const learn = makeLearner({ cbs: new ShowGraph() });
    const { charts } = await displayed(() => learn.fit(2, 0.02));
    expect(charts).to.have.length(1);
    const found = await displayed(() => learn.lrFind({ showPlot: false }));
    expect(found.charts).to.deep.equal([]);
  });
});
