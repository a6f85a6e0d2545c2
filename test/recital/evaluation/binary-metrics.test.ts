import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { ArgumentError, NumericError } from '../../../lib/recital/errors.js';
import {
  type BinaryMetrics,
  binaryMetrics,
} from '../../../lib/recital/evaluation/binary-metrics.js';

const golden = JSON.parse(
  readFileSync(path.join(__dirname, '../../golden/ranking.json'), 'utf8'),
).binary_classification;

describe('binaryMetrics', () => {
  it('equals scikit-learn', () => {
    const ours = binaryMetrics(golden.y, golden.score, { threshold: 0.4 });
    const names: Record<keyof BinaryMetrics, string> = {
      rocAuc: 'roc_auc',
      averagePrecision: 'average_precision',
      accuracy: 'accuracy',
      precision: 'precision',
      recall: 'recall',
      f1: 'f1',
      logLoss: 'log_loss',
      mse: 'mse',
      mae: 'mae',
    };
    for (const [name, theirs] of Object.entries(names))
      expect(ours[name as keyof BinaryMetrics], name).to.be.closeTo(golden[theirs], 1e-15);
  });

  it('gives the worked example of its documentation', () => {
    expect(binaryMetrics([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).rocAuc).to.equal(0.75);
  });

  it('counts for the area under the ROC curve the pairs that are ordered rightly, ties half', () => {
    const rows = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 5 })),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(rows, (pairs) => {
        let [right, all] = [0, 0];
        for (const [y1, s1] of pairs) {
          for (const [y0, s0] of pairs) {
            if (y1 !== 1 || y0 !== 0) continue;
            all++;
            right += s1 > s0 ? 1 : s1 === s0 ? 0.5 : 0;
          }
        }
        const { rocAuc } = binaryMetrics(
          pairs.map(([y]) => y),
          pairs.map(([, s]) => s / 5),
        );
        if (all === 0) expect(rocAuc).to.be.NaN;
        else expect(rocAuc).to.be.closeTo(right / all, 1e-12);
      }),
    );
  });

  it('has a finite log loss for certain answers, and none for scores that are no probabilities', () => {
    expect(binaryMetrics([0, 1], [1, 0]).logLoss).to.be.closeTo(-Math.log(2 ** -52), 1e-12);
    expect(binaryMetrics([0, 1], [0, 1.5]).logLoss).to.be.NaN;
  });

  it('has precision and f1 of 0 when nothing is decided 1', () => {
    expect(binaryMetrics([0, 1], [0.1, 0.2])).to.include({
      precision: 0,
      recall: 0,
      f1: 0,
      accuracy: 0.5,
    });
  });

  it('refuses other targets, NaN, and unequal lengths', () => {
    expect(() => binaryMetrics([0, 2], [0, 1])).to.throw(ArgumentError, 'got 2 in row 1');
    expect(() => binaryMetrics([0, 1], [0, NaN])).to.throw(NumericError, 'row 1 is NaN');
    expect(() => binaryMetrics([0], [])).to.throw(ArgumentError, '1 targets and 0 scores');
    expect(() => binaryMetrics([], [])).to.throw(ArgumentError, 'at least one');
    expect(() => binaryMetrics([0], [0], { threshold: NaN })).to.throw(ArgumentError, 'threshold');
  });
});
