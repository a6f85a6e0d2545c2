import { expect } from 'chai';
import { ArgumentError } from '../../../lib/errors.js';
import type { Callback } from '../../../lib/learner/callback.js';
import { EarlyStopping } from '../../../lib/learner/callbacks/early-stopping.js';
import { ReduceLROnPlateau } from '../../../lib/learner/callbacks/reduce-lr-on-plateau.js';
import { Tracker, type TrackerOptions } from '../../../lib/learner/callbacks/tracker.js';
import type { Learner } from '../../../lib/learner/learner.js';
import { mae, r2 } from '../../../lib/learner/metrics.js';
import { biasSplitter } from '../../../lib/learner/splitters.js';
import { displayed, makeLearner, rejection } from '../../support/learner.js';

/** Puts these numbers in the place of the validation losses (or another column); null: validation was left out. */
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

async function bests(values: readonly (number | null)[], options: TrackerOptions = {}, column = 1): Promise<number[]> {
  const spy = new Spy(options);
  const learn = makeLearner({ bs: 600, metrics: [mae, r2()] });
  await learn.fit(values.length, 1e-3, { cbs: [pretend(values, column), spy] });
  return spy.bests;
}

describe('Tracker', () => {
  it('takes less as better for a loss or an error, more for anything else, unless told', async () => {
    const values = [3, 2, 4, 2, 1, 5];
    expect(await bests(values)).to.deep.equal([0, 1, 4]);
    expect(await bests(values, { monitor: 'train_loss' }, 0)).to.deep.equal([0, 1, 4]);
    expect(await bests(values, { monitor: 'r2_score' }, 3)).to.deep.equal([0, 2, 5]);
    expect(await bests(values, { monitor: 'mae' }, 2), "by fastai's rule of names").to.deep.equal([0, 2, 5]);
    expect(await bests(values, { monitor: 'mae', comp: 'less' }, 2)).to.deep.equal([0, 1, 4]);
    expect(await bests(values, { comp: 'greater' })).to.deep.equal([0, 2, 5]);
  });

  it('wants an improvement of more than minDelta, and none from NaN or from an epoch without the value', async () => {
    expect(await bests([3, 2.75, 2.25, 2, 1], { minDelta: 0.5 })).to.deep.equal([0, 2, 4]);
    expect(await bests([1, 1.25, 2, 2.5], { comp: 'greater', minDelta: 0.5 })).to.deep.equal([0, 2]);
    expect(await bests([NaN, 3, null, NaN, 2])).to.deep.equal([1, 4]);
  });

  it('compares anew in each fit, unless told', async () => {
    for (const [resetOnFit, expected] of [
      [true, [0, 1, 0]],
      [false, [0, 1]],
    ] as const) {
      const spy = new Spy({ resetOnFit });
      const learn = makeLearner({ bs: 600 });
      await learn.fit(2, 1e-3, { cbs: [pretend([3, 1]), spy] });
      await learn.fit(2, 1e-3, { cbs: [pretend([2, 2]), spy] });
      expect(spy.bests).to.deep.equal(expected);
      expect(spy.best).to.equal(resetOnFit ? 2 : 1);
    }
  });

  it('refuses a column that is not there, and validation without rows', async () => {
    const learn = makeLearner({ metrics: mae });
    expect(await rejection(learn.fit(1, 1e-3, { cbs: new Spy({ monitor: 'valid_los' }) }))).to.contain('did you mean "valid_loss"?');
    expect(await rejection(learn.fit(1, 1e-3, { cbs: new Spy({ monitor: 'time' }) }))).to.contain('train_loss, valid_loss, mae');
    Object.assign(learn.dls, { valid: { n: 0 } });
    expect(await rejection(learn.fit(1, 1e-3, { cbs: new Spy() }))).to.contain("no validation rows. Choose { monitor: 'train_loss' }");
    await learn.fit(1, 1e-3, { cbs: new Spy({ monitor: 'train_loss' }) });
    expect(() => new Spy({ minDelta: -1 })).to.throw(ArgumentError, 'minDelta');
    expect(() => new Spy({ comp: 'lower' as never })).to.throw(ArgumentError, "comp is 'less' or 'greater'");
  });
});

describe('EarlyStopping', () => {
  it("stops after patience epochs without improvement and prints fastai's line", async () => {
    for (const [patience, last] of [
      [1, 2],
      [2, 5],
    ]) {
      const learn = makeLearner({ bs: 600 });
      const { texts } = await displayed(() => learn.fit(9, 1e-3, { cbs: [pretend([3, 2, 2, 1, 1.5, 1]), new EarlyStopping({ patience })] }));
      expect(learn.recorder.values).to.have.length(last + 1);
      expect(texts).to.deep.equal([`No improvement since epoch ${last - patience}: early stopping`]);
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
    for (const patience of [0, -1, 1.5, NaN]) expect(() => new EarlyStopping({ patience })).to.throw(ArgumentError, 'patience');
  });
});

describe('ReduceLROnPlateau', () => {
  it("divides the rates of all groups and prints fastai's line, down to minLr", async () => {
    const learn = makeLearner({ bs: 600, splitter: biasSplitter });
    const rates: number[][] = [];
    const spy: Callback = { name: 'spy', order: 99, afterEpoch: ({ opt }) => void rates.push(opt.groups.map((group) => group.hypers.lr)) };
    const reduce = new ReduceLROnPlateau({ patience: 2, factor: 4, minLr: 1 / 64 });
    const { texts } = await displayed(() => learn.fit(8, [1 / 4, 1], { cbs: [pretend([1, 0.5, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5]), reduce, spy] }));
    expect(rates.map(([, factors]) => factors)).to.deep.equal([1, 1, 1, 1 / 4, 1 / 4, 1 / 16, 1 / 16, 1 / 64]);
    expect(rates.map(([biases]) => biases)).to.deep.equal([1 / 4, 1 / 4, 1 / 4, 1 / 16, 1 / 16, 1 / 64, 1 / 64, 1 / 64]);
    expect(texts).to.deep.equal(['Epoch 3: reducing lr to 0.25', 'Epoch 5: reducing lr to 0.0625', 'Epoch 7: reducing lr to 0.015625']);
  });

  it('says nothing once the rate is as low as it may be', async () => {
    const learn = makeLearner({ bs: 600 });
    const { texts } = await displayed(() => learn.fit(4, 0.1, { cbs: [pretend([1, 1, 1, 1]), new ReduceLROnPlateau({ minLr: 0.1 })] }));
    expect(texts).to.deep.equal([]);
    expect(learn.opt.hypers.lr).to.equal(0.1);
  });

  it('refuses a factor that raises the rate', () => {
    expect(() => new ReduceLROnPlateau({ factor: 1 })).to.throw(ArgumentError, 'factor must be more than 1');
    expect(() => new ReduceLROnPlateau({ minLr: -1 })).to.throw(ArgumentError, 'minLr');
  });
});
