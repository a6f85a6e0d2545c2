import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../../lib/recital/compute/random.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import {
  bootstrapIntervals,
  deviationOf,
  holm,
  type Interval,
  meanOf,
  pairedTTest,
} from '../../../lib/recital/evaluation/statistics.js';

/** The intervals, without a stop on the way. */
function drain<T>(work: Generator<void, T>): T {
  for (let step = work.next(); ; step = work.next()) if (step.done) return step.value;
}

describe('pairedTTest', () => {
  it('gives the worked example of its documentation', () => {
    const { t, df, p } = pairedTTest([1, 2, 3, 4]);
    expect(t).to.be.closeTo(Math.sqrt(15), 1e-12);
    expect(df).to.equal(3);
    expect(p).to.be.closeTo(0.030466, 5e-7);
  });

  it('has the quantiles of the tables of Student’s distribution', () => {
    // t for two-sided p: a sample of n values with mean m and deviation 1 has t = m·√n
    const sample = (t: number, n: number): number[] => {
      const raw = Array.from({ length: n }, (_, i) => i - (n - 1) / 2);
      const sd = deviationOf(raw);
      return raw.map((x) => x / sd + t / Math.sqrt(n));
    };
    for (const [t, df, p] of [
      [12.7062047, 1, 0.05],
      [2.22813885, 10, 0.05],
      [3.16927267, 10, 0.01],
      [1.971896224, 200, 0.05],
      [0.6998121, 10, 0.5],
    ]) {
      expect(pairedTTest(sample(t, df + 1)).p, `t ${t}, ${df}`).to.be.closeTo(p, 2e-6);
    }
    // with two values, df = 1, p has a closed form: 1 − 2·atan(t)/π
    expect(pairedTTest([1, 2]).p).to.be.closeTo(1 - (2 * Math.atan(3)) / Math.PI, 1e-12);
  });

  it('knows no difference, a certain one, and too few', () => {
    expect(pairedTTest([0, 0, 0]).p).to.equal(1);
    expect(pairedTTest([1, -1]).p).to.equal(1);
    expect(pairedTTest([2, 2, 2]).p).to.equal(0);
    expect(pairedTTest([2]).p).to.be.NaN;
  });

  it('is NaN where a difference is NaN or infinite, wherever it stands', () => {
    for (const odd of [NaN, Infinity, -Infinity]) {
      for (const place of [0, 1, 3]) {
        const { t, df, p } = pairedTTest(
          [0.1, -0.2, 0.3, 0.4].map((x, i) => (i === place ? odd : x)),
        );
        expect([t, df, p], `${odd} in place ${place}`).to.deep.equal([NaN, 3, NaN]);
      }
    }
  });

  it('does not depend on the unit, from the smallest numbers to the largest', () => {
    const { t, p } = pairedTTest([1, 2, 3, -4, 2.5]);
    for (const unit of [1e-308, 1e-200, 1e200, 4e307]) {
      const other = pairedTTest([1, 2, 3, -4, 2.5].map((x) => x * unit));
      expect(other.t / t, `${unit}`).to.be.closeTo(1, 1e-9);
      expect(other.p).to.be.closeTo(p, 1e-9);
    }
    expect(pairedTTest([0.1, 0.1, 0.1])).to.deep.equal({ t: Infinity, df: 2, p: 0 });
  });

  it('is small as often as it says where there is nothing', () => {
    const random = new Random(5);
    let small = 0;
    for (let run = 0; run < 1000; run++)
      if (pairedTTest(Array.from({ length: 20 }, () => random.normal())).p < 0.1) small++;
    expect(small).to.be.within(70, 130);
  });

  it('does not depend on the order, nor on the sign', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2 }), (d) => {
        const { p } = pairedTTest(d);
        expect(p).to.be.within(0, 1);
        expect(pairedTTest(d.map((x) => -x)).p).to.be.closeTo(p, 1e-9);
        expect(pairedTTest([...d].reverse()).p).to.be.closeTo(p, 1e-9);
      }),
    );
  });
});

describe('holm', () => {
  it('gives the worked example of its documentation', () => {
    expect(holm([0.01, 0.04, 0.03])).to.deep.equal([0.03, 0.06, 0.06]);
  });

  it('refuses what is no probability', () => {
    for (const odd of [Infinity, -Infinity, -0.01, 1.01])
      expect(() => holm([0.2, odd])).to.throw(ArgumentError, 'from 0 to 1');
  });

  it('leaves NaN alone, and never goes above 1 nor below the uncorrected value', () => {
    expect(holm([NaN, 0.6, 0.7])).to.deep.equal([NaN, 1, 1]);
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (p) => {
        holm(p).forEach((x, i) => {
          expect(x).to.be.within(p[i], 1);
          expect(x).to.be.at.most(Math.min(1, p[i] * p.length) + 1e-15);
        });
      }),
    );
  });
});

describe('bootstrapIntervals', () => {
  const intervals = (
    columns: Float64Array[],
    options = { samples: 400, confidence: 0.95, seed: 1 },
  ): Interval[] => drain(bootstrapIntervals(columns, options));

  it('is as wide as the standard error says, and holds the mean', () => {
    const random = new Random(2);
    const values = Float64Array.from({ length: 400 }, () => random.normal() + 3);
    const [{ low, high }] = intervals([values], { samples: 2000, confidence: 0.95, seed: 1 });
    expect(low).to.be.below(meanOf(values));
    expect(high).to.be.above(meanOf(values));
    expect((high - low) / ((2 * 1.96 * deviationOf([...values])) / 20)).to.be.within(0.93, 1.07);
  });

  it('leaves NaN out, resamples all columns alike, and is the same each time', () => {
    const a = Float64Array.of(1, 2, NaN, 4, 9);
    const [first, second] = intervals([a, a.map((x) => x + 1)]);
    expect(second.low).to.be.closeTo(first.low + 1, 1e-6);
    expect(second.high).to.be.closeTo(first.high + 1, 1e-6);
    expect(intervals([a])[0]).to.deep.equal(first);
    expect(intervals([Float64Array.of(NaN, NaN)])[0].low).to.be.NaN;
  });

  it('has no end beyond the values, whatever these are', () => {
    const values = fc.array(
      fc.oneof(fc.constantFrom(0, 1, 1 / 3, NaN), fc.double({ min: 0, max: 1, noNaN: true })),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(values, fc.integer(), (array, seed) => {
        const there = array.filter((x) => !Number.isNaN(x));
        const [{ low, high }] = intervals([Float64Array.from(array)], {
          samples: 30,
          confidence: 0.99,
          seed,
        });
        if (there.length === 0) return;
        expect(low).to.be.within(Math.min(...there), Math.max(...there));
        expect(high).to.be.within(low, Math.max(...there));
      }),
    );
    for (const x of [0.1, 1 / 3, 0.7])
      for (let n = 2; n < 40; n++) {
        // n times x, divided by n, may be another number
        expect(
          intervals([new Float64Array(n).fill(x)], { samples: 5, confidence: 0.5, seed: n })[0],
        ).to.deep.equal({ low: x, high: x });
      }
    // Nearly all miss, so that a resample may have no hit: its mean is 0, not a rounding.
    for (let n = 2; n < 60; n++) {
      const rare = new Float64Array(n);
      rare[n - 1] = 0.1;
      expect(
        Object.is(intervals([rare], { samples: 60, confidence: 0.95, seed: n })[0].low, 0),
        `${n}`,
      ).to.equal(true);
    }
  });

  it('is the interval of the resampled means, to float32', () => {
    const values = Float64Array.of(0.1, 0.25, 0.7, NaN, 1 / 3);
    const random = new Random(3).child('bootstrap');
    const means = Array.from({ length: 101 }, () => {
      const drawn = Array.from({ length: 5 }, () => random.int(5)).filter((i) => i !== 3);
      return drawn.reduce((sum, i) => sum + values[i], 0) / drawn.length;
    }).sort((a, b) => a - b);
    const [{ low, high }] = intervals([values], { samples: 101, confidence: 0.8, seed: 3 });
    expect(low).to.be.closeTo(means[10], 1e-7);
    expect(high).to.be.closeTo(means[90], 1e-7);
  });

  it('holds the true mean as often as it says', () => {
    const random = new Random(7);
    let held = 0;
    for (let run = 0; run < 200; run++) {
      const values = Float64Array.from({ length: 50 }, () => random.uniform());
      const [{ low, high }] = intervals([values], { samples: 200, confidence: 0.8, seed: run });
      if (low <= 0.5 && high >= 0.5) held++;
    }
    expect(held / 200).to.be.within(0.7, 0.88);
  });
});
