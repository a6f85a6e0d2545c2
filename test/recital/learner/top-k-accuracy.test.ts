import { expect } from 'chai';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { accuracy } from '../../../lib/recital/learner/metrics.js';
import { topKAccuracy } from '../../../lib/recital/learner/top-k-accuracy.js';
import { trainModel } from '../../../lib/recital/learner/train-model.js';
import { LSTMModel } from '../../../lib/recital/models/lstm.js';
import { chainWindows, itemClasses, windowLoaders } from '../../support/windows.js';

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
