import { expect } from 'chai';
import fc from 'fast-check';
import { atOnce } from '../../../lib/recital/compute/interrupt.js';
import { float32, memoryUsage } from '../../../lib/recital/compute/memory.js';
import { Random } from '../../../lib/recital/compute/random.js';
import { setCompute } from '../../../lib/recital/compute/threads.js';
import {
  cholesky,
  choleskySolve,
  invertSymmetric,
} from '../../../lib/recital/decomposition/positive-definite.js';
import { ArgumentError, NumericError } from '../../../lib/recital/errors.js';

describe('cholesky', () => {
  it('factors and solves as its examples say', () => {
    const l = Float64Array.of(4, 0, 2, 5);
    cholesky(l, 2);
    expect([...l]).to.deep.equal([2, 0, 1, 2]);
    expect([...choleskySolve(l, Float64Array.of(8, 9))]).to.deep.equal([1.375, 1.25]);
  });

  it('solves every well-conditioned positive definite system', () => {
    const entries = fc.integer({ min: 1, max: 6 }).chain((n) =>
      fc.tuple(
        fc.constant(n),
        fc.array(fc.double({ min: -3, max: 3, noNaN: true }), {
          minLength: n * n,
          maxLength: n * n,
        }),
        fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: n, maxLength: n }),
      ),
    );
    fc.assert(
      fc.property(entries, ([n, m, x]) => {
        const a = new Float64Array(n * n); // MᵀM + 1
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < n; j++) {
            for (let k = 0; k < n; k++) a[i * n + j] += m[k * n + i] * m[k * n + j];
            if (i === j) a[i * n + j] += 1;
          }
        }
        const b = Float64Array.from(x, (_, i) =>
          x.reduce((sum, xj, j) => sum + a[i * n + j] * xj, 0),
        );
        cholesky(a, n);
        choleskySolve(a, b).forEach((value, i) => {
          expect(value).to.be.closeTo(x[i], 1e-9);
        });
      }),
    );
  });

  it('refuses a matrix that is not positive definite, and one with NaN', () => {
    expect(() => cholesky(Float64Array.of(1, 0, 2, 1), 2)).to.throw(
      NumericError,
      'not positive definite (pivot 1 of 2 is -3)',
    );
    expect(() => cholesky(Float64Array.of(NaN), 1)).to.throw(NumericError, 'pivot 0 of 1 is NaN');
  });
});

/** XXᵀ + n/2 for random X of n × 8, lower triangle only. */
function lower(n: number): Float32Array {
  const random = new Random(n);
  const x = Array.from({ length: n * 8 }, () => random.normal());
  const a = float32(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++)
      for (let k = 0; k < 8; k++) a[i * n + j] += x[i * 8 + k] * x[j * 8 + k];
    a[i * n + i] += n / 2;
  }
  return a;
}

describe('invertSymmetric', () => {
  for (const n of [1, 5, 256, 300, 520]) {
    it(`inverts a matrix of ${n} rows from its lower triangle, symmetrically`, () => {
      const a = lower(n);
      const inverse = lower(n);
      atOnce(invertSymmetric(inverse, n));
      let worst = 0;
      for (const i of new Set([0, n >> 1, n - 1])) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let k = 0; k < n; k++)
            sum += a[Math.max(i, k) * n + Math.min(i, k)] * inverse[k * n + j];
          worst = Math.max(worst, Math.abs(sum - (i === j ? 1 : 0)));
          expect(inverse[i * n + j]).to.equal(inverse[j * n + i]);
        }
      }
      expect(worst).to.be.below(1e-5);
    });
  }

  it('gives the same bits on one thread and on two', () => {
    const { threads } = setCompute();
    const [a, b] = [lower(600), lower(600)];
    try {
      setCompute({ threads: 1 });
      atOnce(invertSymmetric(a, 600));
      setCompute({ threads: 2 });
      atOnce(invertSymmetric(b, 600));
    } finally {
      setCompute({ threads });
    }
    expect(
      Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
        Buffer.from(b.buffer, b.byteOffset, b.byteLength),
      ),
    ).to.equal(true);
  });

  it('refuses a matrix that is not positive definite, or of another size', () => {
    const a = lower(3);
    a[4] = -1;
    expect(() => atOnce(invertSymmetric(a, 3))).to.throw(NumericError);
    expect(() => atOnce(invertSymmetric(a, 2))).to.throw(ArgumentError);
  });

  it('can be stopped, and gives its memory back', () => {
    const a = lower(300);
    const { used } = memoryUsage();
    const work = invertSymmetric(a, 300);
    expect(work.next().done).to.equal(false);
    expect(memoryUsage().used).to.be.above(used);
    work.return();
    expect(memoryUsage().used).to.equal(used);
  });
});
