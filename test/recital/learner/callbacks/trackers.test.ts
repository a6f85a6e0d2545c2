import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { ArgumentError } from '../../../../lib/recital/errors.js';
import type { Callback } from '../../../../lib/recital/learner/callback.js';
import {
  EarlyStopping,
  ReduceLROnPlateau,
  SaveModel,
  Tracker,
  type TrackerOptions,
} from '../../../../lib/recital/learner/callbacks/trackers.js';
import type { Learner } from '../../../../lib/recital/learner/learner.js';
import {
  AccumMetric,
  AvgMetric,
  accuracy,
  accuracyThresh,
  type Metric,
  type MetricFunction,
  mae,
  mse,
  r2,
  rmse,
  rocAuc,
  topKAccuracy,
} from '../../../../lib/recital/learner/metrics.js';
import { biasSplitter } from '../../../../lib/recital/learner/optimizers/optimizer.js';
import {
  displayed,
  interruptAt,
  makeLearner,
  rejection,
  weights,
} from '../../../support/learner.js';

/**
 * Puts these numbers in the place of the validation losses (or another column); null: validation
 * was left out.
 */
function pretend(values: readonly (number | null)[], column = 1): Callback {
  return {
    name: 'pretend',
    order: 51,
    afterEpoch: ({ recorder, epoch }) => {
      recorder.values[epoch][column] = values[epoch];
    },
  };
}

/** Records which epochs are the best. */
class Spy extends Tracker {
  readonly name = 'Spy';
  readonly bests: number[] = [];
  afterEpoch(learn: Learner): void {
    if (this.compare(learn)) this.bests.push(learn.epoch);
  }
}

async function bests(
  values: readonly (number | null)[],
  options: TrackerOptions = {},
  column = 1,
): Promise<number[]> {
  const spy = new Spy(options);
  const learn = makeLearner({ bs: 600, metrics: [mae, r2()] });
  await learn.fit(values.length, 1e-3, { cbs: [pretend(values, column), spy] });
  return spy.bests;
}

describe('Tracker', () => {
  it('takes less as better for losses and errors, more for anything else, unless told', async () => {
    const values = [3, 2, 4, 2, 1, 5];
    const [down, up] = [
      [0, 1, 4],
      [0, 2, 5],
    ];
    expect(await bests(values)).to.deep.equal(down);
    expect(await bests(values, { monitor: 'train_loss' }, 0)).to.deep.equal(down);
    expect(await bests(values, { monitor: 'r2_score' }, 3)).to.deep.equal(up);
    expect(await bests(values, { monitor: 'mae' }, 2)).to.deep.equal(down);
    expect(await bests(values, { monitor: 'mae', comp: 'greater' }, 2)).to.deep.equal(up);
    expect(await bests(values, { comp: 'greater' })).to.deep.equal(up);
  });

  it('goes by what the metric says, whatever its name', async () => {
    const values = [3, 2, 4, 2, 1, 5];
    const one = (): number => 1;
    const learn = (metric: Metric | MetricFunction): Learner =>
      makeLearner({ bs: 600, metrics: [metric] });
    const found = async (metric: Metric | MetricFunction, monitor: string): Promise<string> => {
      const spy = new Spy({ monitor });
      await learn(metric).fit(values.length, 1e-3, { cbs: [pretend(values, 2), spy] });
      return spy.bests.join() === '0,1,4'
        ? 'less'
        : spy.bests.join() === '0,2,5'
          ? 'greater'
          : spy.bests.join();
    };
    for (const metric of [mse, mae, rmse, rmse()])
      expect(await found(metric, metric.name), metric.name).to.equal('less');
    for (const metric of [r2, rocAuc, accuracyThresh(0.5)])
      expect(await found(metric, metric.name), metric.name).to.equal('greater');
    for (const metric of [accuracy, topKAccuracy(5)]) expect(metric.greater).to.equal(true);
    for (const Type of [AvgMetric, AccumMetric]) {
      expect(await found(new Type(one, { name: 'surprise', greater: false }), 'surprise')).to.equal(
        'less',
      );
      expect(await found(new Type(one, { name: 'lossless', greater: true }), 'lossless')).to.equal(
        'greater',
      );
      expect(await found(new Type(mae, { name: 'x' }), 'x')).to.equal('less');
      expect(await found(new Type(one, { name: 'my_rmse' }), 'my_rmse')).to.equal('less');
      expect(await found(new Type(one, { name: 'gain' }), 'gain')).to.equal('greater');
      expect(() => new Type(one, { greater: 'less' as unknown as boolean })).to.throw(
        ArgumentError,
        'greater must be true or false',
      );
      expect(() => new Type(one, { grater: true } as object)).to.throw(
        ArgumentError,
        'did you mean "greater"?',
      );
    }
    expect(
      await found(
        Object.assign(() => 1, { greater: false }),
        'metric',
      ),
    ).to.equal('less');
  });

  it('knows the usual names of errors before a fit, too', () => {
    for (const monitor of [
      'rmse',
      'mae',
      'mse',
      'MAE',
      'valid_rmse',
      'logLoss',
      'myError',
      'perplexity',
      'nmse_2',
      'brier',
    ])
      expect(new EarlyStopping({ monitor }).comp, monitor).to.equal('less');
    for (const monitor of ['r2_score', 'accuracy', 'ndcg', 'premsel', 'gmaes'])
      expect(new EarlyStopping({ monitor }).comp, monitor).to.equal('greater');
  });

  it('stops and saves the right way: an rmse that falls goes on', async () => {
    const learn = makeLearner({ bs: 600, metrics: [rmse] });
    const save = new SaveModel({ monitor: 'rmse', fname: null });
    const { texts } = await displayed(() =>
      learn.fit(4, 1e-3, {
        cbs: [pretend([0.5, 0.4, 0.3, 0.35], 2), new EarlyStopping({ monitor: 'rmse' }), save],
      }),
    );
    expect(learn.recorder.values.length).to.equal(4);
    expect(save.best).to.equal(0.3);
    expect(texts.join()).to.contain('since epoch 2');
  });

  it('wants an improvement of more than minDelta, and none from NaN or from an epoch without the value', async () => {
    expect(await bests([3, 2.75, 2.25, 2, 1], { minDelta: 0.5 })).to.deep.equal([0, 2, 4]);
    expect(await bests([1, 1.25, 2, 2.5], { comp: 'greater', minDelta: 0.5 })).to.deep.equal([
      0, 2,
    ]);
    expect(await bests([NaN, 3, null, NaN, 2])).to.deep.equal([1, 4]);
  });

  it('compares anew in each fit', async () => {
    const spy = new Spy();
    const learn = makeLearner({ bs: 600 });
    await learn.fit(2, 1e-3, { cbs: [pretend([3, 1]), spy] });
    await learn.fit(2, 1e-3, { cbs: [pretend([2, 2]), spy] });
    expect(spy.bests).to.deep.equal([0, 1, 0]);
    expect(spy.best).to.equal(2);
  });

  it('refuses a column that is not there, and validation without rows', async () => {
    const learn = makeLearner({ metrics: mae });
    expect(
      await rejection(learn.fit(1, 1e-3, { cbs: new Spy({ monitor: 'valid_los' }) })),
    ).to.contain('did you mean "valid_loss"?');
    expect(await rejection(learn.fit(1, 1e-3, { cbs: new Spy({ monitor: 'time' }) }))).to.contain(
      'train_loss, valid_loss, mae',
    );
    Object.assign(learn.dls, { valid: { n: 0 } });
    expect(await rejection(learn.fit(1, 1e-3, { cbs: new Spy() }))).to.contain(
      "no validation rows. Choose { monitor: 'train_loss' }",
    );
    await learn.fit(1, 1e-3, { cbs: new Spy({ monitor: 'train_loss' }) });
    expect(() => new Spy({ minDelta: -1 })).to.throw(ArgumentError, 'minDelta');
    expect(() => new Spy({ comp: 'lower' as never })).to.throw(
      ArgumentError,
      "comp must be 'less' or 'greater'",
    );
  });
});

describe('EarlyStopping', () => {
  it("stops after patience epochs without improvement and prints fastai's line", async () => {
    for (const [patience, last] of [
      [1, 2],
      [2, 5],
    ]) {
      const learn = makeLearner({ bs: 600 });
      const { texts } = await displayed(() =>
        learn.fit(9, 1e-3, {
          cbs: [pretend([3, 2, 2, 1, 1.5, 1]), new EarlyStopping({ patience })],
        }),
      );
      expect(learn.recorder.values).to.have.length(last + 1);
      expect(texts).to.deep.equal([
        `No improvement since epoch ${last - patience}: early stopping`,
      ]);
      expect(learn.unfinished, 'it is over').to.equal(undefined);
    }
  });

  it('lets a run end that gets better, and has no part in lrFind', async () => {
    const learn = makeLearner({ cbs: new EarlyStopping() });
    const { texts } = await displayed(() => learn.fitOneCycle(4, 0.03, { wd: 0.1 }));
    expect(texts).to.deep.equal([]);
    expect(learn.recorder.values).to.have.length(4);
    const { lrs } = await learn.lrFind({ stopDiv: false, showPlot: false });
    expect(lrs).to.have.length(90);
  });

  it('stops a model that cannot learn anything from shuffled ratings', async () => {
    const learn = makeLearner({ shuffled: true });
    await displayed(() => learn.fit(30, 0.05, { cbs: new EarlyStopping({ patience: 3 }) }));
    expect(learn.recorder.values.length).to.be.below(20);
  });

  it('refuses a patience of no epochs', () => {
    for (const patience of [0, -1, 1.5, NaN])
      expect(() => new EarlyStopping({ patience })).to.throw(ArgumentError, 'patience');
  });
});

describe('ReduceLROnPlateau', () => {
  it("divides the rates of all groups and prints fastai's line, down to minLr", async () => {
    const learn = makeLearner({ bs: 600, splitter: biasSplitter });
    const rates: number[][] = [];
    const spy: Callback = {
      name: 'spy',
      order: 99,
      afterEpoch: ({ opt }) => void rates.push(opt.groups.map((group) => group.hypers.lr)),
    };
    const reduce = new ReduceLROnPlateau({ patience: 2, factor: 4, minLr: 1 / 64 });
    const { texts } = await displayed(() =>
      learn.fit(8, [1 / 4, 1], {
        cbs: [pretend([1, 0.5, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5]), reduce, spy],
      }),
    );
    expect(rates.map(([, factors]) => factors)).to.deep.equal([
      1,
      1,
      1,
      1 / 4,
      1 / 4,
      1 / 16,
      1 / 16,
      1 / 64,
    ]);
    expect(rates.map(([biases]) => biases)).to.deep.equal([
      1 / 4,
      1 / 4,
      1 / 4,
      1 / 16,
      1 / 16,
      1 / 64,
      1 / 64,
      1 / 64,
    ]);
    expect(texts).to.deep.equal([
      'Epoch 3: reducing lr to 0.25',
      'Epoch 5: reducing lr to 0.0625',
      'Epoch 7: reducing lr to 0.015625',
    ]);
  });

  it('says nothing once the rate is as low as it may be', async () => {
    const learn = makeLearner({ bs: 600 });
    const { texts } = await displayed(() =>
      learn.fit(4, 0.1, { cbs: [pretend([1, 1, 1, 1]), new ReduceLROnPlateau({ minLr: 0.1 })] }),
    );
    expect(texts).to.deep.equal([]);
    expect(learn.opt.hypers.lr).to.equal(0.1);
  });

  it('refuses a factor that raises the rate', () => {
    expect(() => new ReduceLROnPlateau({ factor: 1 })).to.throw(
      ArgumentError,
      'factor must be more than 1',
    );
    expect(() => new ReduceLROnPlateau({ minLr: -1 })).to.throw(ArgumentError, 'minLr');
  });
});

/** Weights after each epoch, in the order of the run. */
function history(): { cb: Callback; weights: number[][] } {
  const seen: number[][] = [];
  return {
    weights: seen,
    cb: { name: 'history', order: 99, afterEpoch: (learn) => void seen.push(weights(learn)) },
  };
}

describe('SaveModel', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'recital-save-model-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const files = (): string[] =>
    existsSync(path.join(folder, 'models')) ? readdirSync(path.join(folder, 'models')).sort() : [];

  for (const fname of ['model', null]) {
    it(`goes back to the best at the end: ${fname ? 'from a file' : 'from memory, without a file'}`, async () => {
      const learn = makeLearner({ path: folder });
      const each = history();
      const save = new SaveModel(fname ? {} : { fname });
      const { texts } = await displayed(() =>
        learn.fit(4, 0.05, { cbs: [pretend([3, 1, 2, 1]), save, each.cb] }),
      );
      expect(weights(learn)).to.deep.equal(each.weights[1]);
      expect(texts).to.deep.equal([
        'Better model found at epoch 0 with valid_loss value: 3.',
        'Better model found at epoch 1 with valid_loss value: 1.',
      ]);
      expect(files()).to.deep.equal(fname ? ['model.safetensors'] : []);
      expect(save.lastSavedPath).to.equal(
        fname ? path.join(folder, 'models', 'model.safetensors') : undefined,
      );
      expect(save.best).to.equal(1);
      expect(learn.epochsTrained, 'epochs are counted on').to.equal(4);
      expect(learn.unfinished).to.equal(undefined);
    });

    it(`takes the optimizer back with it if told (${fname ?? 'memory'})`, async () => {
      for (const withOpt of [false, true]) {
        const learn = makeLearner({ path: folder });
        let best: unknown;
        const keep: Callback = {
          name: 'keep',
          order: 99,
          afterEpoch: ({ epoch, opt }) => void (epoch === 0 && (best = opt.stateDict())),
        };
        await displayed(() =>
          learn.fit(3, 0.05, {
            cbs: [pretend([1, 2, 3]), new SaveModel({ fname, withOpt }), keep],
          }),
        );
        if (withOpt) expect(learn.opt.stateDict()).to.deep.equal(best);
        else expect(learn.opt.stateDict()).to.not.deep.equal(best);
        expect(learn.epochsTrained).to.equal(3);
        expect(learn.unfinished).to.equal(undefined);
      }
    });
  }

  it('saves every epoch, or every n-th, and then stays with the last', async () => {
    for (const [options, names] of [
      [{ everyEpoch: true }, ['m_0', 'm_1', 'm_2', 'm_3', 'm_4']],
      [{ everyEpoch: 2 }, ['m_0', 'm_2', 'm_4']],
    ] as const) {
      rmSync(path.join(folder, 'models'), { recursive: true, force: true });
      const learn = makeLearner({ path: folder, bs: 600 });
      const each = history();
      await displayed(() =>
        learn.fit(5, 0.05, {
          cbs: [pretend([1, 2, 3, 4, 5]), new SaveModel({ ...options, fname: 'm' }), each.cb],
        }),
      );
      expect(files()).to.deep.equal(names.map((name) => `${name}.safetensors`));
      expect(weights(learn)).to.deep.equal(each.weights[4]);
      learn.load('m_2', { withOpt: false });
      expect(weights(learn)).to.deep.equal(each.weights[2]);
    }
  });

  it('leaves the weights alone after an interrupt, and where nothing was better', async () => {
    const learn = makeLearner({ path: folder });
    const each = history();
    await displayed(() =>
      learn.fit(3, 0.05, {
        cbs: [pretend([1, 2, 3]), new SaveModel(), each.cb, interruptAt(1, 9)],
      }),
    );
    expect(weights(learn)).to.not.deep.equal(each.weights[0]);
    learn.load('model', { withOpt: false });
    expect(weights(learn)).to.deep.equal(each.weights[0]);
    const nan = history();
    await displayed(() =>
      learn.fit(2, 0.05, { cbs: [pretend([NaN, NaN]), new SaveModel(), nan.cb] }),
    );
    expect(weights(learn), 'not the file of the run before').to.deep.equal(nan.weights[1]);
  });

  it('has no part in lrFind', async () => {
    const learn = makeLearner({ path: folder, cbs: new SaveModel() });
    await learn.lrFind({ showPlot: false });
    expect(files()).to.deep.equal([]);
  });

  it('makes a model better that was trained for too long', async () => {
    const last: number[] = [];
    for (const cbs of [[], [new SaveModel({ fname: null })]]) {
      const learn = makeLearner();
      await displayed(() => learn.fit(16, 0.05, { wd: 0, cbs }));
      last.push((await learn.validate())[0] as number);
    }
    expect(last[1]).to.be.below(0.9 * last[0]);
  });

  it('refuses options that contradict each other', () => {
    expect(() => new SaveModel({ fname: null, everyEpoch: true })).to.throw(
      ArgumentError,
      'give fname',
    );
    expect(() => new SaveModel({ everyEpoch: -1 })).to.throw(
      ArgumentError,
      'everyEpoch is true, false or a whole number',
    );
  });
});
