import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../../../lib/recital/compute/random.js';
import {
  cholesky,
  choleskySolve,
} from '../../../../lib/recital/decomposition/positive-definite.js';
import { ArgumentError, NumericError } from '../../../../lib/recital/errors.js';
import type { Loss } from '../../../../lib/recital/nn/loss.js';
import {
  BCEWithLogitsLossFlat,
  BPRLoss,
  HingeLoss,
  L1LossFlat,
  MSELossFlat,
} from '../../../../lib/recital/nn/losses.js';
import {
  type ScoreCurve,
  scoreCurve,
  solveUser,
  type UserRows,
} from '../../../../lib/recital/recommend/learners/newton.js';

const WIDTH = 4;

function someRows(n: number, { seed = 1, binary = false } = {}): UserRows {
  const random = new Random(seed);
  return {
    features: Float64Array.from({ length: n * WIDTH }, (_, i) =>
      i % WIDTH === WIDTH - 1 ? 1 : random.normal(),
    ),
    offset: Float64Array.from({ length: n }, () => 0.3 * random.normal()),
    target: Float64Array.from({ length: n }, () => (binary ? random.int(2) : 2 + random.normal())),
    weight: Float64Array.from({ length: n }, () => 0.5 + random.uniform()),
  };
}

/** What solveUser minimises, written out. */
function objective(
  { features, offset, target, weight }: UserRows,
  curve: ScoreCurve,
  { l2, theta }: { l2: Float64Array; theta: Float64Array },
): number {
  let sum = 0;
  for (let i = 0; i < offset.length; i++) {
    let score = offset[i];
    theta.forEach((t, j) => {
      score += features[i * WIDTH + j] * t;
    });
    sum += weight[i] * curve.loss(score, target[i]);
  }
  return sum + 0.5 * theta.reduce((s, t, j) => s + l2[j] * t * t, 0);
}

const l2 = Float64Array.of(0.4, 0.7, 1, 2);
const losses: [string, Loss, (readonly [number, number])?][] = [
  ['MSELossFlat', new MSELossFlat()],
  ['MSELossFlat with a range', new MSELossFlat(), [-0.5, 5.5]],
  ['BCEWithLogitsLossFlat', new BCEWithLogitsLossFlat()],
  ['BCEWithLogitsLossFlat weighing positives', new BCEWithLogitsLossFlat({ posWeight: 3 })],
  ['BCEWithLogitsLossFlat with a range', new BCEWithLogitsLossFlat(), [-3, 3]],
  ['BPRLoss', new BPRLoss()],
];

describe('scoreCurve', () => {
  for (const [name, loss, yRange] of losses) {
    it(`knows the derivatives of ${name}`, () => {
      const curve = scoreCurve(loss, yRange);
      const h = 1e-5;
      fc.assert(
        fc.property(
          fc.double({ min: -6, max: 6, noNaN: true }),
          fc.constantFrom(0, 0.3, 1),
          (s, y) => {
            expect(curve.slope(s, y)).to.be.closeTo(
              (curve.loss(s + h, y) - curve.loss(s - h, y)) / (2 * h),
              1e-6,
            );
            expect(curve.curvature(s, y)).to.be.at.least(0);
            if (!yRange)
              expect(curve.curvature(s, y)).to.be.closeTo(
                (curve.slope(s + h, y) - curve.slope(s - h, y)) / (2 * h),
                1e-6,
              );
          },
        ),
        { numRuns: 60 },
      );
    });
  }

  it('is the loss that the learner trains with', () => {
    for (const [, loss, yRange] of losses.filter(([, loss]) => !(loss instanceof BPRLoss))) {
      const [s, y] = [0.7, 1];
      const p = yRange ? yRange[0] + (yRange[1] - yRange[0]) / (1 + Math.exp(-s)) : s;
      const out = new Float64Array(1);
      loss.losses({ size: 1, pred: Float32Array.of(p), targets: Float32Array.of(y) }, out);
      expect(scoreCurve(loss, yRange).loss(s, y)).to.be.closeTo(out[0], 1e-6);
    }
    const pair = new Float64Array(2);
    new BPRLoss().losses(
      { size: 2, pred: Float32Array.of(0.9, 0.2), targets: Float32Array.of(1, 0) },
      pair,
    );
    expect(scoreCurve(new BPRLoss(), undefined).loss(0.7, 1)).to.be.closeTo(pair[1], 1e-6);
  });

  it('refuses losses without two derivatives, and pairs with a range', () => {
    for (const loss of [new L1LossFlat(), new HingeLoss()])
      expect(() => scoreCurve(loss, undefined)).to.throw(
        ArgumentError,
        `This learner has ${loss.name}`,
      );
    expect(() => scoreCurve(new BPRLoss(), [0, 1])).to.throw(
      ArgumentError,
      'BPRLoss with a yRange',
    );
  });
});

describe('solveUser', () => {
  it('solves squared errors as the normal equations do', () => {
    const rows = someRows(9);
    const a = new Float64Array(WIDTH * WIDTH); // 2XᵀWX + Λ
    const b = new Float64Array(WIDTH); // 2XᵀW(y − offset)
    for (let i = 0; i < 9; i++) {
      for (let j = 0; j < WIDTH; j++) {
        b[j] +=
          2 * rows.weight[i] * rows.features[i * WIDTH + j] * (rows.target[i] - rows.offset[i]);
        for (let k = 0; k < WIDTH; k++)
          a[j * WIDTH + k] +=
            2 * rows.weight[i] * rows.features[i * WIDTH + j] * rows.features[i * WIDTH + k];
      }
    }
    for (let j = 0; j < WIDTH; j++) a[j * WIDTH + j] += l2[j];
    cholesky(a, WIDTH);
    choleskySolve(a, b);
    solveUser(rows, scoreCurve(new MSELossFlat(), undefined), l2).theta.forEach((t, j) => {
      expect(t).to.be.closeTo(b[j], 1e-12);
    });
  });

  for (const [name, loss, yRange] of losses) {
    it(`finds a minimum for ${name}, where its pulls add up to the solution`, () => {
      for (const seed of [1, 2, 3]) {
        const curve = scoreCurve(loss, yRange);
        const rows = someRows(12, { seed, binary: loss instanceof BCEWithLogitsLossFlat });
        const { theta, hessian, pull } = solveUser(rows, curve, l2);
        const least = objective(rows, curve, { l2, theta });
        const random = new Random(seed);
        const step = yRange ? 1e-3 : 3; // with a range there are other minima further off, without one there is only this
        for (let t = 0; t < 50; t++) {
          const other = theta.map((x) => x + step * random.normal());
          expect(objective(rows, curve, { l2, theta: other })).to.be.above(least);
        }
        const sum = new Float64Array(WIDTH);
        for (let i = 0; i < 12; i++)
          for (let j = 0; j < WIDTH; j++) sum[j] += rows.features[i * WIDTH + j] * pull[i];
        choleskySolve(hessian, sum).forEach((t, j) => {
          expect(t).to.be.closeTo(theta[j], 1e-7);
        });
      }
    });
  }

  it('does not diverge where a whole Newton step would: far scores of a range, separable classes', () => {
    const far: UserRows = {
      features: Float64Array.of(5, 0, 0, 1),
      offset: Float64Array.of(9),
      target: [0],
      weight: Float64Array.of(1),
    };
    const { theta } = solveUser(
      far,
      scoreCurve(new MSELossFlat(), [0, 1]),
      new Float64Array(4).fill(1e-6),
    );
    expect(theta.every(Number.isFinite)).to.equal(true);
    const separable: UserRows = {
      features: Float64Array.of(1, 0, 0, 1, -1, 0, 0, 1),
      offset: new Float64Array(2),
      target: [1, 0],
      weight: Float64Array.of(1, 1),
    };
    const fit = solveUser(
      separable,
      scoreCurve(new BCEWithLogitsLossFlat(), undefined),
      new Float64Array(4).fill(1e-6),
    );
    expect(fit.theta[0]).to.be.within(5, 30);
    expect(Math.abs(fit.theta[3])).to.be.below(1e-6);
  });

  it('says so when the model holds NaN', () => {
    const rows = { ...someRows(2), offset: Float64Array.of(NaN, 0) };
    expect(() => solveUser(rows, scoreCurve(new MSELossFlat(), undefined), l2)).to.throw(
      NumericError,
      'Has training diverged?',
    );
  });
});
