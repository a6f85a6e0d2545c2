import { expect } from 'chai';
import fc from 'fast-check';
import { aucOf } from '../../../lib/recital/evaluation/rank-held-out.js';
import { rocAuc } from '../../../lib/recital/learner/metrics.js';

describe('aucOf', () => {
  it('gives the worked example of its documentation', () => {
    expect(aucOf([0.9, 0.4, 0.4, 0.1], [1])).to.equal(0.5);
  });

  it('equals the learner’s rocAuc, whatever the order of the tracks', () => {
    const rows = fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.boolean()), {
      minLength: 2,
      maxLength: 30,
    });
    fc.assert(
      fc.property(rows, (all) => {
        const relevant = [...all.keys()].filter((i) => all[i][1]);
        if (relevant.length === 0 || relevant.length === all.length) return;
        const scores = all.map(([score]) => score);
        const auc = aucOf(scores, relevant);
        const targets = Float32Array.from(all, ([, right]) => Number(right));
        expect(auc).to.be.closeTo(rocAuc(Float32Array.from(scores), targets), 1e-12);
        expect(auc).to.be.within(0, 1);
        const last = scores.length - 1;
        const turned = relevant.map((t) => last - t);
        expect(aucOf([...scores].reverse(), turned)).to.be.closeTo(auc, 1e-12);
      }),
    );
  });

  it('is 1 for the best, 0 for the worst, and half for all alike', () => {
    expect(aucOf([3, 2, 1], [0])).to.equal(1);
    expect(aucOf([3, 2, 1], [2])).to.equal(0);
    expect(aucOf([1, 1, 1], [2])).to.equal(0.5);
  });

  it('leaves out what is masked, and counts a missed track as below all', () => {
    expect(aucOf([-Infinity, 2, 1], [1])).to.equal(1);
    expect(aucOf([3, 2, 1], [0], 1)).to.equal(0.5);
    expect(aucOf([-Infinity, 2, 1], [0])).to.equal(0);
    expect(aucOf([2], [0])).to.be.NaN;
  });
});
