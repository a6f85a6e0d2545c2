import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { factorPca } from '../../../lib/recital/decomposition/factor-pca.js';
import { ArgumentError, NumericError } from '../../../lib/recital/errors.js';

const golden = JSON.parse(readFileSync(path.join(__dirname, '../../golden/pca.json'), 'utf8'));
const close = (ours: ArrayLike<number>, theirs: number[], tolerance = 1e-10): void => {
  expect(ours.length).to.equal(theirs.length);
  for (const [i, x] of theirs.entries()) expect(ours[i]).to.be.closeTo(x, tolerance);
};

describe('factorPca', () => {
  it('equals scikit-learn, with the sign rule', () => {
    const { coordinates, components, explainedVariance, explainedVarianceRatio } = factorPca(
      golden.X.flat(),
      { width: 6, components: 3 },
    );
    close(components, golden.n3.components.flat());
    close(coordinates, golden.n3.transform.flat());
    close(explainedVariance, golden.n3.explained_variance);
    close(explainedVarianceRatio, golden.n3.explained_variance_ratio);
  });

  it('gives the worked example of its documentation', () => {
    expect([
      ...factorPca(Float32Array.of(1, 0, -1, 0), { width: 2, components: 1 }).coordinates,
    ]).to.deep.equal([1, -1]);
  });

  it('keeps distances when all components are kept, with fewer rows than columns too', () => {
    const matrix = fc.array(
      fc.array(fc.float({ min: -10, max: 10, noNaN: true }), { minLength: 5, maxLength: 5 }),
      { minLength: 2, maxLength: 8 },
    );
    fc.assert(
      fc.property(matrix, (rows) => {
        const { coordinates, components } = factorPca(rows.flat(), { width: 5, components: 5 });
        const row = (i: number): number[] => [...coordinates.subarray(5 * i, 5 * i + 5)];
        const distance = (a: number[], b: number[]): number =>
          Math.hypot(...a.map((x, j) => x - b[j]));
        for (let i = 1; i < rows.length; i++)
          expect(distance(row(0), row(i))).to.be.closeTo(distance(rows[0], rows[i]), 1e-9);
        for (let c = 0; c < 5; c++) {
          const part = [...components.subarray(5 * c, 5 * c + 5)];
          expect(Math.max(...part)).to.equal(Math.max(...part.map(Math.abs)));
        }
      }),
    );
  });

  it('is 0 everywhere when all rows are equal', () => {
    const { coordinates, explainedVarianceRatio } = factorPca([1, 2, 1, 2, 1, 2], { width: 2 });
    expect([...coordinates, ...explainedVarianceRatio]).to.deep.equal(new Array(8).fill(0));
  });

  it('refuses too few rows, wrong shapes and NaN', () => {
    expect(() => factorPca([1, 2], { width: 2 })).to.throw(ArgumentError, 'at least 2 rows, got 1');
    expect(() => factorPca([1, 2, 3], { width: 2 })).to.throw(
      ArgumentError,
      '3 values do not make rows of 2',
    );
    expect(() => factorPca([1, 2, 3, 4], { width: 2, components: 3 })).to.throw(
      ArgumentError,
      'from 1 to 2',
    );
    expect(() => factorPca([1, 2, 3, 4], { width: 0 })).to.throw(ArgumentError, 'width');
    expect(() => factorPca([1, NaN, 3, 4], { width: 2 })).to.throw(NumericError, 'Column 1');
  });
});
