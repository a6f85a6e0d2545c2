import { expect } from 'chai';
import { ArgumentError, NumericError } from '../../../lib/recital/errors.js';
import {
  AccumMetric,
  AvgMetric,
  accuracy,
  accuracyThresh,
  asMetric,
  type Metric,
  type MetricFunction,
  mae,
  mse,
  r2,
  rmse,
  rocAuc,
  topKAccuracy,
} from '../../../lib/recital/learner/metrics.js';
import { trainModel } from '../../../lib/recital/learner/train-model.js';
import { LSTMModel } from '../../../lib/recital/models/lstm.js';
import { makeLearner, rejection } from '../../support/learner.js';
import { chainWindows, itemClasses, windowLoaders } from '../../support/windows.js';

const pred = Float32Array.of(0.1, 0.4, 0.35, 0.8);
const targets = Float32Array.of(0, 0, 1, 1);

describe('metrics', () => {
  it('are functions of predictions and targets, all that have no options', () => {
    expect(rmse(pred, targets)).to.be.closeTo(Math.sqrt(mse(pred, targets)), 1e-12);
    expect(rocAuc(pred, targets)).to.equal(0.75); // scikit-learn's example
    expect(() => (rmse as MetricFunction)(pred, undefined as never)).to.throw(
      ArgumentError,
      'needs at least one prediction and its target',
    );
    expect(r2(targets, targets)).to.equal(1);
    expect(r2(Float32Array.of(0.5, 0.5, 0.5, 0.5), targets)).to.equal(0);
  });

  it('have one answer for constant targets: scikit-learn’s', () => {
    for (const y of [0.7, 1, 0, 1e-30]) {
      const constant = new Float32Array(7).fill(y);
      expect(r2(constant, constant), `right, ${y}`).to.equal(1);
      expect(
        r2(
          constant.map((x) => x + 1),
          constant,
        ),
        `wrong, ${y}`,
      ).to.equal(0);
    }
    expect(r2(Float32Array.of(0.7, 0.7, 0.8), new Float32Array(3).fill(0.7))).to.equal(0);
    expect(r2(Float32Array.of(1), Float32Array.of(1))).to.be.NaN;
    expect(r2(Float32Array.of(1, NaN), Float32Array.of(1, 1))).to.be.NaN;
    expect(() => rocAuc(pred, Float32Array.of(0, NaN, 1, 1))).to.throw(
      NumericError,
      'target 1 is NaN',
    );
  });

  it('are given bare or made, to the same numbers, under the same headings', async () => {
    const bare = makeLearner({ metrics: [rmse, r2, rocAuc, mae] });
    const made = makeLearner({ metrics: [rmse(), r2(), rocAuc(), new AvgMetric(mae)] });
    expect(bare.metrics.map((m) => m.name)).to.deep.equal([
      'rmse',
      'r2_score',
      'roc_auc_score',
      'mae',
    ]);
    await bare.fit(1, 0.02);
    await made.fit(1, 0.02);
    expect(await bare.validate()).to.deep.equal(await made.validate());
    expect(made.metrics.map((m) => m.name)).to.deep.equal(bare.metrics.map((m) => m.name));
    const all = await bare.getPreds();
    expect((await bare.validate())[1], 'over all rows at once').to.be.closeTo(
      rmse(all.preds, all.targets),
      1e-9,
    );
  });

  it('are refused where a call is missing, with the call', async () => {
    const wrong =
      (metric: unknown): (() => Metric) =>
      () =>
        asMetric(metric as MetricFunction);
    expect(wrong(accuracyThresh)).to.throw(
      ArgumentError,
      'accuracyThresh makes a metric: call it, accuracyThresh(0.5).',
    );
    expect(wrong(AccumMetric)).to.throw(
      ArgumentError,
      'AccumMetric is a class of metrics: make one, new AccumMetric(…).',
    );
    expect(wrong('rmse')).to.throw(ArgumentError, 'got a string');
    const own = (() => new AccumMetric(mae)) as unknown as MetricFunction;
    expect(await rejection(makeLearner({ metrics: own }).validate())).to.contain(
      'It makes metrics, so call it, own().',
    );
    const nothing = (() => undefined) as unknown as MetricFunction;
    for (const metric of [nothing, new AccumMetric(nothing)]) {
      expect(await rejection(makeLearner({ metrics: metric }).validate())).to.contain(
        'The metric nothing must return a number, got nothing',
      );
    }
  });
});

/** The metric of some predictions. */
function value(k: number, rows: number[][], targets: number[]): number {
  const metric = topKAccuracy(k);
  metric.reset();
  const outputs = rows[0].length;
  const batch = {
    size: rows.length,
    inputs: [],
    targets: Float32Array.from(targets),
    rows: new Int32Array(rows.length),
  };
  metric.accumulate({ pred: Float32Array.from(rows.flat()), batch, model: { outputs } } as never);
  return metric.value;
}

describe('topKAccuracy', () => {
  it('counts targets among the k largest, the first of equals first', () => {
    const rows = [
      [3, 1, 2, 0],
      [0, 0, 0, 0],
      [1, 5, 5, 2],
    ];
    expect(value(1, rows, [0, 0, 1])).to.equal(1);
    expect(value(1, rows, [2, 1, 2])).to.equal(0);
    expect(value(2, rows, [2, 1, 2])).to.equal(1);
    expect(value(2, rows, [1, 2, 3])).to.equal(0);
    expect(value(3, rows, [1, 2, 3])).to.equal(1);
    expect(value(9, rows, [3, 3, 0])).to.equal(1);
  });

  it('with k = 1 is the accuracy', async () => {
    const dls = windowLoaders(chainWindows({ n: 300 }));
    const model = new LSTMModel(itemClasses(30), { embSz: 6, layers: [8] });
    const learn = await trainModel(model, dls, {
      epochs: 1,
      metrics: [accuracy, topKAccuracy(1), topKAccuracy(30)],
    });
    const { valid_accuracy, valid_top_1_accuracy, valid_top_30_accuracy } = learn.history.row(0);
    expect(valid_top_1_accuracy).to.equal(valid_accuracy);
    expect(valid_top_30_accuracy).to.equal(1);
  });

  it('needs a k that makes sense', () => {
    for (const k of [0, -1, 1.5, NaN])
      expect(() => topKAccuracy(k)).to.throw(ArgumentError, `got ${k}`);
  });
});
