import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../../lib/recital/compute/random.js';
import { CollabDataLoaders } from '../../../lib/recital/data/collab.js';
import { setDisplay } from '../../../lib/recital/data/output.js';
import type { Table } from '../../../lib/recital/data/table.js';
import { chartPng } from '../../../lib/recital/display/chart-render.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import {
  calibration,
  calibrationCurve,
  Interpretation,
} from '../../../lib/recital/learner/interpretation.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import { EmbeddingDotBias } from '../../../lib/recital/models/embedding-dot-bias.js';
import { BCEWithLogitsLossFlat } from '../../../lib/recital/nn/losses.js';
import type { Model } from '../../../lib/recital/nn/model.js';
import { Parameter } from '../../../lib/recital/nn/parameter.js';
import { countPixels, decodePng } from '../../support/png.js';
import { shown } from '../../support/shown.js';

/** Predicts a given number for each item, whoever asks. */
function fixedModel(byItem: Record<string, number>, dls: CollabDataLoaders): Model {
  const of = Float32Array.from(
    { length: dls.classes.item.length },
    (_, i) => byItem[dls.classes.item.id(i)] ?? 0,
  );
  return {
    parameters: [new Parameter('unused', [1, 1])],
    outputs: 1,
    touch() {},
    forward: ({ inputs: [, items], size }) =>
      Float32Array.from({ length: size }, (_, r) => of[items[r]]),
    backward() {},
  };
}

const ratings = [
  { user: 'u1', item: 'a', rating: 1 },
  { user: 'u1', item: 'b', rating: 0 },
  { user: 'u2', item: 'a', rating: 0 },
  { user: 'u2', item: 'b', rating: 1 },
  { user: 'u2', item: 'c', rating: 1 },
  { user: 'u3', item: 'a', rating: 1 },
];
const split = { train: [0, 1, 2, 3, 4, 5], valid: [5, 4, 3, 2, 1, 0] };

/**
 * Loaders whose validation rows are all six, in reverse; each row is in both parts, as a model that
 * learns nothing may have it.
 */
function loaders(rows = ratings): CollabDataLoaders {
  const train = CollabDataLoaders.fromTable(rows, {
    bs: 2,
    split: { train: split.train, valid: [] },
  });
  return Object.assign(Object.create(train), {
    valid: train.testDl(
      split.valid.map((i) => rows[i]),
      { bs: 4 },
    ),
  }) as CollabDataLoaders;
}

describe('Interpretation', () => {
  const dls = loaders();
  const learn = new Learner(dls, fixedModel({ a: 0.75, b: 0.25, c: 1 }, dls)); // squared errors: a 1: .0625, a 0: .5625, b 0: .0625, b 1: .5625, c 1: 0

  it('lists the rows with the largest losses, decoded, and the earlier one first where losses are equal', async () => {
    const top = (await Interpretation.fromLearner(learn)).topLosses(3);
    expect(top.rows()).to.deep.equal([
      { row: 2, user: 'u2', item: 'b', rating: 1, rating_pred: 0.25, loss: 0.5625 }, // the third of the rows: they come in reverse
      { row: 3, user: 'u2', item: 'a', rating: 0, rating_pred: 0.75, loss: 0.5625 },
      { row: 0, user: 'u3', item: 'a', rating: 1, rating_pred: 0.75, loss: 0.0625 },
    ]);
  });

  it('lists the smallest losses if told, all rows if fewer are there, and 10 by default', async () => {
    const interp = await Interpretation.fromLearner(learn);
    expect(interp.length).to.equal(6);
    expect(interp.topLosses(1, { largest: false }).row(0)).to.include({ item: 'c', loss: 0 });
    const all = interp.topLosses(100);
    expect(all.length).to.equal(6);
    expect([...all.numbers('loss')]).to.deep.equal([...all.numbers('loss')].sort((a, b) => b - a));
    const many = CollabDataLoaders.fromTable(
      Array.from({ length: 30 }, (_, i) => ({ user: i % 3, item: i % 5, rating: i })),
    );
    expect(
      (
        await Interpretation.fromLearner(new Learner(many, fixedModel({}, many)), { dsIdx: 0 })
      ).topLosses(),
    ).to.have.length(10);
  });

  it('looks at the training set, or at another loader', async () => {
    const training = await Interpretation.fromLearner(learn, { dsIdx: 0 });
    expect([...training.targets]).to.deep.equal(ratings.map((r) => r.rating)); // in order, though training shuffles
    const other = await Interpretation.fromLearner(learn, {
      dl: dls.testDl([{ user: 'u1', item: 'c', rating: -1 }]),
    });
    expect(other.topLosses(5).rows()).to.deep.equal([
      { row: 0, user: 'u1', item: 'c', rating: -1, rating_pred: 1, loss: 4 },
    ]);
  });

  it('shows its tables through the display, and none without one', async () => {
    const interp = await Interpretation.fromLearner(learn);
    const tables = shown(() => {
      interp.plotTopLosses(2);
      interp.plotTopLosses(1, { largest: false });
      interp.showResults([5, 0]);
    }).tables;
    expect(tables.map(({ title }) => title)).to.deep.equal([
      'Largest losses',
      'Smallest losses',
      undefined,
    ]);
    expect(tables[0].table.rows()).to.deep.equal(interp.topLosses(2).rows());
    expect((tables[2].table as Table).strings('user')).to.deep.equal(['u1', 'u3']);
    setDisplay(undefined);
    interp.plotTopLosses(2);
  });

  it('refuses rows without targets, no rows, and a k that is none', async () => {
    const failure = (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => 'no error',
        (e) => `${e.constructor.name}: ${e.message}`,
      );
    const bare = dls.testDl(
      [
        { user: 'u1', item: 'a', rating: 1 },
        { user: 'u1', item: 'b' },
      ].map(({ user, item }) => ({ user, item })),
    );
    expect(await failure(Interpretation.fromLearner(learn, { dl: bare }))).to.equal(
      'ArgumentError: Row 0 (counted from 0) has no target, so it has no loss. Give a loader whose rows have targets.',
    );
    const empty = CollabDataLoaders.fromTable(ratings, {
      split: { train: split.train, valid: [] },
      bs: 2,
    });
    expect(
      await failure(Interpretation.fromLearner(new Learner(empty, fixedModel({}, empty)))),
    ).to.contain('ArgumentError: There are no rows');
    const interp = await Interpretation.fromLearner(learn);
    for (const k of [0, -1, 1.5, NaN])
      expect(() => interp.topLosses(k)).to.throw(
        ArgumentError,
        `k must be a positive whole number, got ${k}`,
      );
    expect(() => interp.showResults([6])).to.throw(
      ArgumentError,
      'Row 6 does not exist; there are 6',
    );
  });
});

describe('calibrationCurve', () => {
  it('compares the means of each bin, as the example says', () => {
    const curve = calibrationCurve([0.1, 0.3, 0.9], [0, 1, 1], 2);
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
      3,
    );
    const close = (name: string, expected: number[]): void => {
      curve.numbers(name).forEach((value, i) => {
        expect(value).to.be.closeTo(expected[i], 1e-12);
      });
    };
    close('observed', [0, 0.5, 1]);
    close('predicted', [0.2, 0.525, 0.85]);
    const gap = calibrationCurve([0.1, 0.9], [0, 1], 3);
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
    expect([...calibrationCurve([0, 0.5, 1], [0, 0, 1], 2).numbers('count')]).to.deep.equal([2, 1]);
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
        (rows, bins) => {
          const [preds, targets] = [rows.map(([p]) => p), rows.map(([, y]) => y)];
          const curve = calibrationCurve(preds, targets, bins);
          expect(curve.numbers('count').reduce((a, b) => a + b, 0)).to.equal(rows.length);
          expect(curve.ece).to.be.within(0, curve.mce + 1e-12);
          expect(curve.length).to.equal(bins);
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
    expect(() => calibrationCurve([0.5], [1], 0)).to.throw(
      ArgumentError,
      'bins must be a positive whole number, at most 10000, got 0',
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
      calibrationCurve(preds, targets, 3).rows(),
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
      calibrationCurve(preds, [0, 0, 1, 0, 1, 1], 5).plotCalibration({
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
