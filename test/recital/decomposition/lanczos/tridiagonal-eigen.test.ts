import { expect } from 'chai';
import fc from 'fast-check';
import { atOnce } from '../../../../lib/recital/compute/interrupt.js';
import { Random } from '../../../../lib/recital/compute/random.js';
import { tridiagonalEigen } from '../../../../lib/recital/decomposition/lanczos/tridiagonal-eigen.js';

/**
 * Checks that rows of `vectors` are orthonormal and only stretched by the symmetric matrix `a`, the
 * largest value first.
 */
function check(a: Float64Array, n: number, tolerance: number): void {
  const { values, vectors } = atOnce(tridiagonalEigen(a.slice(), n));
  for (let e = 0; e < n; e++) {
    if (e > 0) expect(values[e]).to.be.at.most(values[e - 1]);
    for (let i = 0; i < n; i++) {
      let stretched = 0;
      let dot = 0;
      for (let j = 0; j < n; j++) {
        stretched += a[i * n + j] * vectors[e * n + j];
        dot += vectors[e * n + j] * vectors[i * n + j];
      }
      expect(stretched).to.be.closeTo(values[e] * vectors[e * n + i], tolerance);
      expect(dot).to.be.closeTo(e === i ? 1 : 0, 1e-12);
    }
  }
}

function symmetric(n: number, at: (i: number, j: number) => number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, p) =>
    at(Math.max(Math.floor(p / n), p % n), Math.min(Math.floor(p / n), p % n)),
  );
}

describe('tridiagonalEigen', () => {
  it('finds orthonormal vectors that the matrix only stretches, largest value first', () => {
    const sizes = fc.integer({ min: 1, max: 7 });
    const matrices = sizes.chain((n) =>
      fc.array(fc.float({ min: -100, max: 100, noNaN: true }), {
        minLength: n * n,
        maxLength: n * n,
      }),
    );
    fc.assert(
      fc.property(matrices, (numbers) => {
        const n = Math.sqrt(numbers.length);
        check(
          symmetric(n, (i, j) => numbers[i * n + j]),
          n,
          1e-10,
        );
      }),
    );
  });

  it('does so for a hundred rows, and where many values are equal', () => {
    const random = new Random(3);
    const drawn = Float64Array.from({ length: 10_000 }, () => random.normal());
    check(
      symmetric(100, (i, j) => drawn[100 * i + j]),
      100,
      1e-11,
    );
    check(
      symmetric(30, (i, j) => (i === j ? 1 + (i % 3) : 0)),
      30,
      1e-13,
    );
  });

  it('gives the last entries of the vectors alone, if asked, and the same ones', () => {
    const random = new Random(4);
    const a = symmetric(9, () => random.normal());
    const whole = atOnce(tridiagonalEigen(a.slice(), 9));
    const last = atOnce(tridiagonalEigen(a.slice(), 9, 2));
    expect(last.values).to.deep.equal(whole.values);
    for (let e = 0; e < 9; e++)
      for (let r = 0; r < 2; r++)
        expect(last.vectors[2 * e + r]).to.equal(whole.vectors[9 * e + 7 + r]);
  });
});
