import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../../../lib/recital/compute/random.js';
import {
  cholesky,
  choleskySolve,
} from '../../../../lib/recital/decomposition/positive-definite.js';
import { ArgumentError, NumericError } from '../../../../lib/recital/errors.js';
import {
  BCEWithLogitsLossFlat,
  BPRLoss,
  HingeLoss,
  L1LossFlat,
  type Loss,
  MSELossFlat,
} from '../../../../lib/recital/nn/losses.js';
import {
  type ScoreCurve,
  scoreCurve,
  solveUser,
  type UserRow,
} from '../../../../lib/recital/recommend/learners/newton.js';

const WIDTH = 4;
const l2 = 0.7;

function someRows(n: number, { seed = 1, binary = false } = {}): UserRow[] {
  const random = new Random(seed);
  return Array.from({ length: n }, () => ({
    x: Float64Array.of(random.normal(), random.normal(), random.normal(), 1),
    offset: 0.3 * random.normal(),
    target: binary ? random.int(2) : 2 + random.normal(),
    weight: 0.5 + random.uniform(),
  }));
}

/** What solveUser minimises, written out. */
function objective(rows: readonly UserRow[], curve: ScoreCurve, theta: Float64Array): number {
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((s, v, j) => s + v * b[j], 0);
  const loss = ({ x, offset, target, weight }: UserRow): number =>
    weight * curve(offset + dot(x, theta), target)[0];
  return rows.reduce((sum, row) => sum + loss(row), 0.5 * l2 * dot(theta, theta));
}

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
            const [, slope, curvature] = curve(s, y);
            const difference = (order: 0 | 1): number =>
              (curve(s + h, y)[order] - curve(s - h, y)[order]) / (2 * h);
            expect(slope).to.be.closeTo(difference(0), 1e-6);
            expect(curvature).to.be.at.least(0);
            if (!yRange) expect(curvature).to.be.closeTo(difference(1), 1e-6);
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
      expect(scoreCurve(loss, yRange)(s, y)[0]).to.be.closeTo(out[0], 1e-6);
    }
    const pair = new Float64Array(2);
    new BPRLoss().losses(
      { size: 2, pred: Float32Array.of(0.9, 0.2), targets: Float32Array.of(1, 0) },
      pair,
    );
    expect(scoreCurve(new BPRLoss(), undefined)(0.7, 1)[0]).to.be.closeTo(pair[1], 1e-6);
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
  const solve = (rows: readonly UserRow[], curve: ScoreCurve, lambda = l2) =>
    solveUser(rows, curve, { width: WIDTH, l2: lambda });

  it('solves squared errors as the normal equations do', () => {
    const rows = someRows(9);
    const a = new Float64Array(WIDTH * WIDTH); // 2XᵀWX + λ
    const b = new Float64Array(WIDTH); // 2XᵀW(y − offset)
    for (const { x, offset, target, weight } of rows) {
      for (let j = 0; j < WIDTH; j++) {
        b[j] += 2 * weight * x[j] * (target - offset);
        for (let k = 0; k < WIDTH; k++) a[j * WIDTH + k] += 2 * weight * x[j] * x[k];
      }
    }
    for (let j = 0; j < WIDTH; j++) a[j * WIDTH + j] += l2;
    cholesky(a, WIDTH);
    choleskySolve(a, b);
    solve(rows, scoreCurve(new MSELossFlat(), undefined)).theta.forEach((t, j) => {
      expect(t).to.be.closeTo(b[j], 1e-12);
    });
  });

  for (const [name, loss, yRange] of losses) {
    it(`finds a minimum for ${name}, where its pulls add up to the solution`, () => {
      for (const seed of [1, 2, 3]) {
        const curve = scoreCurve(loss, yRange);
        const rows = someRows(12, { seed, binary: loss instanceof BCEWithLogitsLossFlat });
        const { theta, hessian, pull } = solve(rows, curve);
        const least = objective(rows, curve, theta);
        const random = new Random(seed);
        const step = yRange ? 1e-3 : 3; // with a range there are other minima further off, without one there is only this
        for (let t = 0; t < 50; t++) {
          const other = theta.map((x) => x + step * random.normal());
          expect(objective(rows, curve, other)).to.be.above(least);
        }
        const sum = new Float64Array(WIDTH);
        rows.forEach(({ x }, i) => {
          for (let j = 0; j < WIDTH; j++) sum[j] += x[j] * pull[i];
        });
        choleskySolve(hessian, sum).forEach((t, j) => {
          expect(t).to.be.closeTo(theta[j], 1e-7);
        });
      }
    });
  }

  it('does not diverge where a whole Newton step would: far scores of a range, separable classes', () => {
    const far = { x: Float64Array.of(5, 0, 0, 1), offset: 9, target: 0, weight: 1 };
    const { theta } = solve([far], scoreCurve(new MSELossFlat(), [0, 1]), 1e-6);
    expect(theta.every(Number.isFinite)).to.equal(true);
    const separable = [1, -1].map((side) => ({
      x: Float64Array.of(side, 0, 0, 1),
      offset: 0,
      target: (1 + side) / 2,
      weight: 1,
    }));
    const fit = solve(separable, scoreCurve(new BCEWithLogitsLossFlat(), undefined), 1e-6);
    expect(fit.theta[0]).to.be.within(5, 30);
    expect(Math.abs(fit.theta[3])).to.be.below(1e-6);
  });

  it('says so when the model holds NaN', () => {
    const rows = someRows(2).map((row) => ({ ...row, offset: NaN }));
    expect(() => solve(rows, scoreCurve(new MSELossFlat(), undefined))).to.throw(
      NumericError,
      'Has training diverged?',
    );
  });
});
