import { expect } from 'chai';
import fc from 'fast-check';
import { cholesky, choleskySolve } from '../../../../lib/recital/decomposition/lanczos/cholesky.js';
import { NumericError } from '../../../../lib/recital/errors.js';

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
