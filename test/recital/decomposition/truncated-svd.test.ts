import { expect } from 'chai';
import { TruncatedSVD } from '../../../lib/recital/decomposition/truncated-svd.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import golden from '../../golden/pca.json';
import { close, dense, randomSparse, toSparse } from './support.js';

describe('TruncatedSVD', () => {
  for (const [name, make] of [
    ['dense', dense],
    ['sparse', (rows: number[][]) => toSparse(dense(rows))],
  ] as const) {
    it(`has scikit-learn's numbers for a ${name} matrix`, async () => {
      const expected = golden.truncated_svd3;
      const svd = new TruncatedSVD({ nComponents: 3 });
      const scores = await svd.fitTransform(make(golden.X));
      close(svd.components.data, expected.components.flat());
      close(scores.data, expected.transform.flat());
      close(svd.explainedVariance, expected.explained_variance);
      close(svd.explainedVarianceRatio, expected.explained_variance_ratio);
      close(svd.singularValues, expected.singular_values);
      close(svd.transform(make(golden.X)).data, expected.transform.flat());
    });
  }

  it('finds by iteration what it finds of the whole matrix', async () => {
    const x = randomSparse(400, 300, 0.05); // 300 > 256: by iteration
    const few = await new TruncatedSVD({ nComponents: 10, tol: 1e-10 }).fit(x);
    const all = await new TruncatedSVD({ nComponents: 290 }).fit(x); // too many to iterate for
    close(few.singularValues, Array.from(all.singularValues.subarray(0, 10)));
    close(few.components.data, Array.from(all.components.data.subarray(0, 10 * 300)), 1e-6);
  });

  it('refuses numbers of components that do not exist', async () => {
    expect(() => new TruncatedSVD({ nComponents: 0 })).to.throw(ArgumentError, 'nComponents');
    expect(() => new TruncatedSVD({ nComponents: 1.5 })).to.throw(ArgumentError, 'nComponents');
    let message = '';
    await new TruncatedSVD({ nComponents: 7 })
      .fit(dense(golden.X))
      .catch((e: Error) => (message = e.message));
    expect(message).to.contain('at most 6 components');
  });
});
