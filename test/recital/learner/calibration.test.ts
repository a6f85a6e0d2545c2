import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../../lib/recital/compute/random.js';
import { CollabDataLoaders } from '../../../lib/recital/data/collab.js';
import { chartPng } from '../../../lib/recital/display/chart-render.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { calibration, calibrationCurve } from '../../../lib/recital/learner/calibration.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import { EmbeddingDotBias } from '../../../lib/recital/models/embedding-dot-bias.js';
import { BCEWithLogitsLossFlat } from '../../../lib/recital/nn/losses.js';
import { countPixels, decodePng } from '../../support/png.js';
import { shown } from '../../support/shown.js';

describe('calibrationCurve', () => {
  it('compares the means of each bin, as the example says', () => {
    const curve = calibrationCurve([0.1, 0.3, 0.9], [0, 1, 1], { bins: 2 });
    expect(curve.rows()).to.deep.equal([
      { from: 0, to: 0.5, predicted: 0.2, observed: 0.5, count: 2 },
      { from: 0.5, to: 1, predicted: 0.9, observed: 1, count: 1 },
    ]);
    expect(curve.ece).to.be.closeTo((2 / 3) * 0.3 + (1 / 3) * 0.1, 1e-12);
    expect(curve.mce).to.be.closeTo(0.3, 1e-12);
  });

  it("gives scikit-learn's calibration_curve of its own example, and keeps empty bins", () => {
    // its documentation: prob_true [0, .5, 1], prob_pred [.2, .525, .85] for n_bins=3
    const curve = calibrationCurve(
      [0.1, 0.2, 0.3, 0.4, 0.65, 0.7, 0.8, 0.9, 1],
      [0, 0, 0, 0, 1, 1, 1, 1, 1],
      { bins: 3 },
    );
    const close = (name: string, expected: number[]): void => {
      curve.numbers(name).forEach((value, i) => {
        expect(value).to.be.closeTo(expected[i], 1e-12);
      });
    };
    close('observed', [0, 0.5, 1]);
    close('predicted', [0.2, 0.525, 0.85]);
    const gap = calibrationCurve([0.1, 0.9], [0, 1], { bins: 3 });
    expect(gap.row(1)).to.deep.equal({
      from: 1 / 3,
      to: 2 / 3,
      predicted: null,
      observed: null,
      count: 0,
    });
    expect(gap.ece).to.be.closeTo(0.1, 1e-12);
  });

  it('puts a prediction on an edge into the bin that ends there, and 0 into the first', () => {
    expect([
      ...calibrationCurve([0, 0.5, 1], [0, 0, 1], { bins: 2 }).numbers('count'),
    ]).to.deep.equal([2, 1]);
  });

  it('makes bins of equally many rows by quantiles, and fewer where predictions are equal', () => {
    const random = new Random(1);
    const preds = Float64Array.from({ length: 1000 }, () => 0.4 + 0.05 * random.uniform());
    const counts = calibrationCurve(preds, new Float64Array(1000), {
      bins: 4,
      strategy: 'quantile',
    }).numbers('count');
    expect([...counts]).to.deep.equal([250, 250, 250, 250]);
    expect([
      ...calibrationCurve([0.5, 0.5, 0.5, 0.9], [0, 1, 0, 1], {
        strategy: 'quantile',
        bins: 2,
      }).numbers('count'),
    ]).to.deep.equal([3, 1]);
    expect(calibrationCurve([0.5, 0.5], [0, 1], { strategy: 'quantile' }).rows()).to.deep.equal([
      { from: 0.5, to: 0.5, predicted: 0.5, observed: 0.5, count: 2 },
    ]);
  });

  it('finds honest probabilities calibrated and exaggerated ones not', () => {
    const random = new Random(2);
    const truth = Float64Array.from({ length: 20_000 }, () => random.uniform());
    const targets = truth.map((p) => (random.uniform() < p ? 1 : 0));
    expect(calibrationCurve(truth, targets).ece).to.be.below(0.02);
    const bold = truth.map((p) => 1 / (1 + ((1 - p) / p) ** 3));
    expect(calibrationCurve(bold, targets).ece).to.be.above(0.1);
  });

  it('counts every row once, whatever the bins, and its error lies between 0 and the largest gap', () => {
    const row = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1));
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom('uniform', 'quantile'),
        (rows, bins, strategy) => {
          const [preds, targets] = [rows.map(([p]) => p), rows.map(([, y]) => y)];
          const curve = calibrationCurve(preds, targets, { bins, strategy: strategy as 'uniform' });
          expect(curve.numbers('count').reduce((a, b) => a + b, 0)).to.equal(rows.length);
          expect(curve.ece).to.be.within(0, curve.mce + 1e-12);
          expect(curve.length).to.be.within(1, bins);
          for (const bin of curve.rows())
            if (bin.count)
              expect(bin.predicted).to.be.within(Number(bin.from) - 1e-12, Number(bin.to) + 1e-12);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('refuses what is no probability, no rows, unequal lengths and impossible bins', () => {
    expect(() => calibrationCurve([1.2], [1])).to.throw(
      ArgumentError,
      'Row 0 has the prediction 1.2; probabilities from 0 to 1',
    );
    expect(() => calibrationCurve([NaN], [1])).to.throw(ArgumentError, 'prediction NaN');
    expect(() => calibrationCurve([0.5], [3])).to.throw(
      ArgumentError,
      "the target 3; a number from 0 to 1 was expected. Make the loaders with target 'binary'",
    );
    expect(() => calibrationCurve([], [])).to.throw(ArgumentError, 'no predictions');
    expect(() => calibrationCurve([0.5], [])).to.throw(
      ArgumentError,
      '1 predictions and 0 targets',
    );
    expect(() => calibrationCurve([0.5], [1], { bins: 0 })).to.throw(
      ArgumentError,
      'bins must be a positive whole number, got 0',
    );
    expect(() => calibrationCurve([0.5], [1], { strategy: 'even' as 'uniform' })).to.throw(
      ArgumentError,
      "'uniform' or 'quantile', got 'even'",
    );
  });
});

describe('calibration', () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({
    user: i % 4,
    item: Math.floor(i / 4),
    rating: i % 3 === 0 ? 1 : 0,
  }));
  const dls = CollabDataLoaders.fromTable(rows, { bs: 8 });
  const model = new EmbeddingDotBias(2, dls.classes, { random: new Random(1) });

  it("bins a learner's probabilities, of validation unless told", async () => {
    const learn = new Learner(dls, model, { lossFunc: new BCEWithLogitsLossFlat() });
    const { preds, targets } = await learn.getPreds();
    expect((await calibration(learn, { bins: 3 })).rows()).to.deep.equal(
      calibrationCurve(preds, targets, { bins: 3 }).rows(),
    );
    expect(
      (await calibration(learn, { dsIdx: 0 })).numbers('count').reduce((a, b) => a + b, 0),
    ).to.equal(32);
    expect(
      (await calibration(learn, { dl: dls.testDl(rows.slice(0, 5)) }))
        .numbers('count')
        .reduce((a, b) => a + b, 0),
    ).to.equal(5);
  });

  it('refuses predictions that are no probabilities', async () => {
    const learn = new Learner(dls, model);
    model.iBias.value.fill(-1);
    const error = await calibration(learn).then(
      () => undefined,
      (e: Error) => e,
    );
    expect(error).to.be.instanceOf(ArgumentError);
    expect(error!.message).to.contain('probabilities from 0 to 1 were expected');
  });

  it('draws the curve, the diagonal and the counts, and says the error', () => {
    const preds = [0.1, 0.12, 0.3, 0.35, 0.6, 0.9];
    const { charts } = shown(() =>
      calibrationCurve(preds, [0, 0, 1, 0, 1, 1], { bins: 5 }).plotCalibration({
        title: 'Six rows',
      }),
    );
    expect(charts[0].title).to.equal('Six rows');
    expect(charts[0].alt).to.equal(
      'Observed against predicted probability of 6 rows in 5 bins; expected calibration error 0.178. The largest gap: predicted 0.60, observed 1.00.',
    );
    const image = decodePng(chartPng(charts[0]).png);
    const blue = (r: number, g: number, b: number): boolean => b - r > 100 && b > g;
    expect(countPixels(image, blue)).to.be.greaterThan(3000);
  });
});
