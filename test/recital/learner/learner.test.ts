import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import { setDisplay } from '../../../lib/recital/data/output.js';
import type { Table } from '../../../lib/recital/data/table.js';
import { ArgumentError, NumericError, RecitalError } from '../../../lib/recital/errors.js';
import {
  type Callback,
  CancelBackwardException,
  CancelBatchException,
  CancelEpochException,
  CancelFitException,
  CancelStepException,
  CancelTrainException,
  CancelValidException,
  type EventName,
  events,
} from '../../../lib/recital/learner/callback.js';

import { Learner, type LearnerOptions } from '../../../lib/recital/learner/learner.js';
import {
  accuracyThresh,
  mae,
  mse,
  r2,
  rmse,
  rocAuc,
} from '../../../lib/recital/learner/metrics.js';
import { EmbeddingDotBias } from '../../../lib/recital/models/embedding-dot-bias.js';
import { BCEWithLogitsLossFlat, lossOf, MSELossFlat } from '../../../lib/recital/nn/losses.js';
import { expectClose, golden } from '../../support/golden.js';
import { plantedLoaders } from '../../support/synthetic.js';

function make(
  options: LearnerOptions & { bs?: number; shuffled?: boolean; rows?: number } = {},
): Learner {
  const { bs, shuffled, rows, ...rest } = options;
  const dls = plantedLoaders({ bs, shuffled, rows });
  const model = new EmbeddingDotBias(8, dls.classes, {
    random: new Random(1),
    yRange: rest.lossFunc ? undefined : [-3, 9],
  });
  return new Learner(dls, model, rest);
}

const weights = (learn: Learner): number[] => learn.model.parameters.flatMap((p) => [...p.value]);

describe('Learner', () => {
  it('learns a planted structure, and not a shuffled one', async () => {
    const valid: number[] = [];
    for (const shuffled of [false, true]) {
      const learn = make({ shuffled, rows: 2400, metrics: [r2()] });
      await learn.fitOneCycle(30, 0.05, { wd: 0.1 });
      valid.push(learn.recorder.values[29][2] as number);
    }
    expect(valid[0], 'R² on planted ratings').to.be.above(0.6);
    expect(valid[1], 'R² on shuffled ratings').to.be.below(0.05);
  });

  it('calls every event in fastai order, cancelled ones excepted', async () => {
    const seen: EventName[] = [];
    const spy: Callback = {
      name: 'spy',
      order: 100,
      ...Object.fromEntries(events.map((e) => [e, () => seen.push(e) && undefined])),
    };
    const learn = make({ bs: 600, cbs: spy });
    await learn.fit(1);
    const train = [
      'beforeBatch',
      'afterPred',
      'afterLoss',
      'beforeBackward',
      'afterBackward',
      'beforeStep',
      'afterStep',
      'afterBatch',
    ];
    const valid = ['beforeBatch', 'afterPred', 'afterLoss', 'afterBatch'];
    const epoch = [
      'beforeTrain',
      ...train,
      ...train,
      'afterTrain',
      'beforeValidate',
      ...valid,
      'afterValidate',
    ];
    expect(seen).to.deep.equal([
      'afterCreate',
      'beforeFit',
      'beforeEpoch',
      ...epoch,
      'afterEpoch',
      'afterFit',
    ]);
  });

  const cancels: [EventName, new () => Error, EventName[]][] = [
    [
      'beforeBackward',
      CancelBackwardException,
      ['afterCancelBackward', 'afterBackward', 'beforeStep'],
    ],
    ['beforeStep', CancelStepException, ['afterCancelStep', 'afterStep', 'afterBatch']],
    ['afterPred', CancelBatchException, ['afterCancelBatch', 'afterBatch']],
    ['afterLoss', CancelTrainException, ['afterCancelTrain', 'afterTrain', 'beforeValidate']],
    [
      'beforeValidate',
      CancelValidException,
      ['afterCancelValidate', 'afterValidate', 'afterEpoch'],
    ],
    ['afterTrain', CancelEpochException, ['afterCancelEpoch', 'afterEpoch']],
    ['beforeTrain', CancelFitException, ['afterCancelFit', 'afterFit']],
  ];
  for (const [at, Exception, expected] of cancels) {
    it(`leaves the right part of the run when ${at} throws ${Exception.name}`, async () => {
      const seen: EventName[] = [];
      const spy: Callback = {
        name: 'spy',
        order: 100,
        ...Object.fromEntries(events.map((e) => [e, () => seen.push(e) && undefined])),
      };
      let thrown = false;
      const cancel: Callback = {
        name: 'cancel',
        order: 101,
        [at]: () => {
          if (thrown) return;
          thrown = true;
          seen.length = 0;
          throw new Exception();
        },
      };
      await make({ bs: 600, cbs: [spy, cancel] }).fit(1);
      expect(seen.slice(0, expected.length)).to.deep.equal(expected);
      expect(seen.at(-1)).to.equal('afterFit');
    });
  }

  it('skips the step that a callback cancels', async () => {
    const learn = make();
    const before = weights(learn);
    await learn.fit(1, 0.1, {
      cbs: {
        name: 'noStep',
        beforeStep: () => {
          throw new CancelStepException();
        },
      },
    });
    expect(weights(learn)).to.deep.equal(before);
  });

  it('minds runTrain, runValid and order, and refuses a promise in the inner loop', async () => {
    const calls: string[] = [];
    const learn = make({ bs: 600 });
    const cb = (name: string, more: Partial<Callback>): Callback => ({
      name,
      afterBatch: () => void calls.push(name),
      ...more,
    });
    await learn.fit(1, 1e-3, {
      cbs: [
        cb('late', { order: 5, runTrain: false }),
        cb('early', { order: -5, runValid: false }),
        cb('both', {}),
      ],
    });
    expect(calls).to.deep.equal(['early', 'both', 'early', 'both', 'both', 'late']);
    expect(learn.cbs.map((c) => c.name)).to.not.include('both');
    const wait: Callback = { name: 'wait', afterBatch: async () => {} };
    let error: unknown;
    await learn.fit(1, 1e-3, { cbs: wait }).catch((e) => {
      error = e;
    });
    expect(String(error)).to.contain('wait.afterBatch returned a promise');
    await learn.fit(1); // and is not left in a broken state
  });

  it("schedules fitOneCycle as fastai's, batch by batch", async () => {
    const g = golden('fit_schedules');
    const learn = make({ rows: 500, bs: 80 }); // 400 training rows: 5 batches
    expect(learn.dls.train.length).to.equal(5);
    await learn.fitOneCycle(2, 1e-2);
    expectClose(learn.recorder.hps.lr, g.one_cycle.lr, 1e-6, 'lr');
    expectClose(learn.recorder.hps.mom, g.one_cycle.mom, 1e-6, 'mom');
    await learn.fitOneCycle(3, 5e-3, { pctStart: 0.3, div: 10, divFinal: 1e3 });
    expectClose(learn.recorder.hps.lr, g.one_cycle_3.lr, 1e-6, 'lr');
    expectClose(learn.recorder.hps.mom, g.one_cycle_3.mom, 1e-6, 'mom');
    expect(learn.recorder.lrs).to.deep.equal(learn.recorder.hps.lr);
  });

  it('finds learning rates on the grid of fastai and restores model, optimizer and order', async () => {
    const one = make();
    const two = make();
    await one.fit(1, 0.01);
    await two.fit(1, 0.01);
    const found = await two.lrFind({ stopDiv: false });
    const lr = golden('fit_schedules').lr_finder.lr as number[];
    expectClose(two.recorder.lrs, lr, 1e-6, 'grid');
    for (const name of ['valley', 'slide', 'minimum', 'steep'] as const)
      expect(found[name], name).to.be.above(0);
    expect(weights(two)).to.deep.equal(weights(one));
    expect(two.opt.hypers).to.deep.equal(one.opt.hypers);
    await one.fitOneCycle(1, 0.01);
    await two.fitOneCycle(1, 0.01);
    expect(weights(two)).to.deep.equal(weights(one));
  });

  it('lrFind stops at divergence and says so when it has no suggestion', async () => {
    const learn = make();
    const { lrs } = await learn.lrFind({ endLr: 1e6 });
    expect(lrs.length).to.be.below(90);
    expect(weights(learn).every(Number.isFinite)).to.equal(true);
    const warnings: string[] = [];
    const before = setDisplay({
      table() {},
      chart() {},
      text() {},
      warn: (line) => warnings.push(line),
    });
    const found = await learn.lrFind({ numIt: 6 });
    setDisplay(before);
    expect(found.valley).to.be.NaN;
    expect(warnings.join()).to.contain('no suggestion');
    await learn.lrFind({ startLr: 1, endLr: 0.1 }).then(
      () => expect.fail('must be refused'),
      (e) => expect(e).to.be.instanceOf(ArgumentError),
    );
  });

  it('draws the search for a learning rate, at once and again', async () => {
    const titles: string[] = [];
    const before = setDisplay({
      table() {},
      chart: (chart) => titles.push(`${chart.title}: ${chart.alt}`),
      text() {},
      warn() {},
    });
    const learn = make();
    expect(() => learn.recorder.plotLrFind()).to.throw(RecitalError, 'call lrFind first');
    await learn.lrFind();
    learn.recorder.plotLrFind();
    setDisplay(before);
    expect(titles).to.have.length(2);
    expect(titles[0]).to.contain('valley').and.to.contain('steep');
    expect(titles[1]).to.equal(titles[0]);
  });

  it('records losses, learning rates and a row an epoch as fastai does', async () => {
    const learn = make({ metrics: [rmse(), mse] });
    await learn.fitOneCycle(3, 0.01);
    const { recorder } = learn;
    expect(recorder.metricNames).to.deep.equal([
      'epoch',
      'train_loss',
      'valid_loss',
      'rmse',
      'mse',
      'time',
    ]);
    expect(recorder.iters).to.deep.equal([18, 36, 54]);
    expect(recorder.losses).to.have.length(54);
    const [train, valid, root, square] = recorder.values[2] as number[];
    expect(train).to.equal(recorder.losses[53]);
    expect(root ** 2).to.be.closeTo(valid, 1e-5);
    expect(square).to.be.closeTo(valid, 1e-5);
    expect(recorder.log[0]).to.equal(2);
  });

  it('validates and predicts the same numbers, in the order of the data', async () => {
    const learn = make({ metrics: [mae] });
    await learn.fit(2, 0.02);
    const [loss, error] = (await learn.validate()) as number[];
    expect([loss, error]).to.deep.equal(learn.recorder.values[1].slice(1));
    const { preds, targets, inputs, losses, rows } = await learn.getPreds({
      withInput: true,
      withLoss: true,
    });
    expect(lossOf(new MSELossFlat(), { size: preds.length, pred: preds, targets })).to.be.closeTo(
      loss,
      1e-6,
    );
    expect(losses![3]).to.be.closeTo((preds[3] - targets[3]) ** 2, 1e-6);
    const data = (
      learn.dls.valid as unknown as {
        data: { user: Int32Array; item: Int32Array; row: Int32Array };
      }
    ).data;
    expect([...inputs![0]]).to.deep.equal([...data.user]);
    expect([...inputs![1]]).to.deep.equal([...data.item]);
    expect([...rows]).to.deep.equal([...data.row]);
    const train = await learn.getPreds({ dsIdx: 0 });
    expect(train.preds.length, 'all training rows, the ragged batch too').to.equal(
      learn.dls.train.n,
    );
  });

  it('activates and decodes predictions of a binary loss', async () => {
    const learn = make({
      lossFunc: new BCEWithLogitsLossFlat(),
      metrics: [accuracyThresh(0.5), rocAuc()],
    });
    const binary = learn.dls as unknown as {
      train: { data: { target: Float32Array } };
      valid: { data: { target: Float32Array } };
    };
    for (const part of [binary.train, binary.valid])
      for (let i = 0; i < part.data.target.length; i++)
        part.data.target[i] = part.data.target[i] > 3 ? 1 : 0;
    await learn.fitOneCycle(20, 0.02, { wd: 0.1 });
    const { preds, decoded, targets } = await learn.getPreds({ withDecoded: true });
    expect(preds.every((p) => p > 0 && p < 1)).to.equal(true);
    expect([...decoded!]).to.deep.equal(Array.from(preds, (p) => (p > 0.5 ? 1 : 0)));
    const [, accuracy, auc] = (await learn.validate()) as number[];
    expect(accuracy).to.be.closeTo(
      decoded!.filter((d, i) => d === targets[i]).length / targets.length,
      1e-9,
    );
    expect(auc).to.be.above(0.75);
  });

  it('gives the same weights for the same seed', async () => {
    const one = make();
    const two = make();
    await one.fitOneCycle(2, 0.01);
    await two.fitOneCycle(2, 0.01);
    expect(weights(two)).to.deep.equal(weights(one));
  });

  it('keeps the optimizer from fit to fit, and makes a new one when asked', async () => {
    const learn = make();
    await learn.fit(1, 0.01, { wd: 0.2 });
    const { opt } = learn;
    await learn.fit(1, 0.02);
    expect(learn.opt).to.equal(opt);
    expect(learn.opt.hypers).to.include({ lr: 0.02, wd: 0.2 });
    learn.createOpt();
    expect(learn.opt).to.not.equal(opt);
  });

  it('stops cleanly when interrupted, keeps what was learnt, and can go on', async () => {
    const lines: string[] = [];
    const before = setDisplay({
      table() {},
      chart() {},
      text: (line) => lines.push(line),
      warn() {},
    });
    const learn = make();
    const start = weights(learn);
    setTimeout(() => process.emit('SIGINT'), 150);
    await learn.fit(100_000, 1e-3);
    setDisplay(before);
    expect(lines.join()).to.match(/Interrupted in epoch \d+/);
    expect(weights(learn)).to.not.deep.equal(start);
    expect(process.listenerCount('SIGINT')).to.equal(0);
    await learn.fit(1, 1e-3);
  });

  it('stops at a loss that is not finite and names epoch, batch, learning rate and cause', async () => {
    const learn = make({ lossFunc: new MSELossFlat() });
    const error = await learn.fit(50, 1e18).then(
      () => undefined,
      (e) => e,
    );
    expect(error).to.be.instanceOf(NumericError);
    expect(error.message).to.match(/epoch \d+, batch \d+, at lr 1\.00e\+18: parameter \w+ holds/);
  });

  it('shows results and sums itself up', async () => {
    const tables: Table[] = [];
    const before = setDisplay({ table: (t) => tables.push(t), chart() {}, text() {}, warn() {} });
    const learn = make();
    await learn.showResults({ maxN: 4 });
    setDisplay(before);
    expect(tables[0].columnNames).to.deep.equal(['user', 'item', 'rating', 'rating_pred']);
    expect(tables[0].length).to.equal(4);
    const text = learn.summary().toString();
    expect(text)
      .to.contain('uWeight')
      .and.to.contain('MSELossFlat')
      .and.to.contain('TrainEval, Recorder');
  });

  it('refuses what cannot be trained, and two runs at once', async () => {
    expect(() => make({ lr: 0 })).to.throw(ArgumentError, 'lr must be a positive number');
    const message = (p: Promise<unknown>): Promise<string> => p.then(() => 'no error', String);
    const learn = make();
    expect(await message(learn.fit(0))).to.contain('nEpoch must be a positive whole number');
    expect(await message(learn.fit(1, -1))).to.contain('lr must be a positive number');
    expect(await message(learn.fitOneCycle(1, 1e-2, { pctStart: 1 }))).to.contain('rising part');
    expect(await message(make({ bs: 5000 }).fit(1))).to.contain(
      'no full training batch: 1200 rows and bs 5000',
    );
    const first = learn.fit(1);
    expect(await message(learn.fit(1))).to.contain('at work already');
    await first;
  });
});
