import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../lib/recital/compute/random.js';
import {
  argsort,
  BentLogNormal,
  category,
  normal,
  quantile,
  ranks,
  WeightedDraw,
} from '../../lib/synthetic/draw.js';
import { exactExp, exactLog, normalQuantile } from '../../lib/synthetic/exact.js';
import { balance } from '../../lib/synthetic/tracks/balance.js';
import { mean, std } from './statistics.js';

describe('generate: numbers that are the same on every machine', () => {
  it('exactLog and exactExp agree with Math to 1e-14', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-300, max: 1e300, noNaN: true }),
        (x) => Math.abs(exactLog(x) - Math.log(x)) <= 1e-14 * Math.max(1, Math.abs(Math.log(x))),
      ),
    );
    fc.assert(
      fc.property(
        fc.double({ min: -300, max: 300, noNaN: true }),
        (x) => Math.abs(exactExp(x) / Math.exp(x) - 1) <= 1e-13,
      ),
    );
    expect(exactLog(0)).to.equal(-Infinity);
    expect(exactLog(-1)).to.be.NaN;
  });

  it('normalQuantile gives the quantiles of the tables and is odd about one half', () => {
    const table = [
      [0.5, 0],
      [0.75, 0.6744897501960817],
      [0.9, 1.2815515655446004],
      [0.975, 1.959963984540054],
      [0.99, 2.3263478740408408],
      [0.999999, 4.753424308822899],
    ];
    for (const [p, z] of table) expect(normalQuantile(p)).to.be.closeTo(z, 1e-7);
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 0.999999, noNaN: true }),
        (p) => Math.abs(normalQuantile(p) + normalQuantile(1 - p)) < 1e-9,
      ),
    );
  });

  it('normal numbers have mean 0 and standard deviation 1', () => {
    const random = new Random(1);
    const x = Float64Array.from({ length: 50_000 }, () => normal(random));
    expect(mean(x)).to.be.closeTo(0, 0.02);
    expect(std(x)).to.be.closeTo(1, 0.02);
  });

  it('WeightedDraw draws in proportion to the weights, and never what has none', () => {
    const draw = new WeightedDraw([1, 0, 3, 6]);
    const random = new Random(2);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 40_000; i++) counts[draw.draw(random)]++;
    expect(draw.total).to.equal(10);
    expect(counts[1]).to.equal(0);
    expect(counts.map((c) => Math.round(c / 400))).to.satisfy(
      (p: number[]) =>
        Math.abs(p[0] - 10) <= 1 && Math.abs(p[2] - 30) <= 1 && Math.abs(p[3] - 60) <= 1,
    );
  });

  it('argsort and ranks put equal values in order of index', () => {
    expect([...argsort([3, 1, 3, 2])]).to.deep.equal([1, 3, 0, 2]);
    expect([...ranks([3, 1, 3, 2])]).to.deep.equal([0.625, 0.125, 0.875, 0.375]);
  });

  it('quantile is straight between knots, logarithmic where they are far apart, and constant outside', () => {
    expect(quantile([0, 0.5, 1], [10, 20, 40], 0.25)).to.equal(15);
    expect(quantile([0, 1], [1, 100], 0.5)).to.be.closeTo(10, 1e-9);
    expect(quantile([0.1, 1], [5, 6], 0)).to.equal(5);
    expect(quantile([0.1, 0.9], [5, 6], 1)).to.equal(6);
  });

  it('category falls into each category with its share', () => {
    expect([0, 0.24, 0.26, 0.74, 0.76, 0.9999].map((p) => category([1, 2, 1], p))).to.deep.equal([
      0, 0, 1, 1, 2, 2,
    ]);
  });

  it('BentLogNormal passes through its knots and goes on beyond them', () => {
    const law = new BentLogNormal(
      [
        [0.1, 1],
        [0.5, 10],
        [0.9, 1000],
      ],
      normalQuantile,
    );
    for (const [p, x] of [
      [0.1, 1],
      [0.5, 10],
      [0.9, 1000],
    ]) {
      expect(law.at(normalQuantile(p))).to.be.closeTo(x, 1e-6 * x);
    }
    expect(law.at(3)).to.be.greaterThan(1000);
    expect(law.at(-3)).to.be.lessThan(1);
  });

  it('balance gives a matrix its row and column sums and keeps its odds ratios', () => {
    const m = Float64Array.of(1, 2, 3, 4);
    balance(m, [10, 20], [12, 18], { rounds: 200 });
    expect(m[0] + m[1]).to.be.closeTo(10, 1e-9);
    expect(m[2] + m[3]).to.be.closeTo(20, 1e-9);
    expect(m[0] + m[2]).to.be.closeTo(12, 1e-6);
    expect((m[0] * m[3]) / (m[1] * m[2])).to.be.closeTo(4 / 6, 1e-9);
  });

  it('balance keeps entries below the cap, with exact row sums', () => {
    const m = Float64Array.of(100, 1, 1, 1, 1, 1);
    balance(m, [2, 1], [1.5, 1, 0.5], { cap: 0.98 });
    expect(Math.max(...m)).to.be.at.most(0.98 + 1e-12);
    expect(m[0] + m[1] + m[2]).to.be.closeTo(2, 1e-9);
  });
});
