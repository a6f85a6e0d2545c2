import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import { Table } from '../../../lib/recital/data/table.js';
import { leadingSingular } from '../../../lib/recital/decomposition/lanczos/block-lanczos.js';
import { operatorOf } from '../../../lib/recital/decomposition/lanczos/operator.js';
import { explaining, PCA, principalComponents } from '../../../lib/recital/decomposition/pca.js';
import { StandardScaler } from '../../../lib/recital/decomposition/standard-scaler.js';
import { TruncatedSVD } from '../../../lib/recital/decomposition/truncated-svd.js';
import { ArgumentError, NumericError } from '../../../lib/recital/errors.js';
import golden from '../../golden/pca.json';
import { close, dense, randomSparse, refusal, rowsOf, toSparse } from './support.js';

const X = dense(golden.X);

describe('PCA', () => {
  for (const [kind, x] of [
    ['dense', X],
    ['float32', { shape: X.shape, data: Float32Array.from(X.data) }],
    ['sparse', toSparse(X)],
  ] as const) {
    const tolerance = kind === 'float32' ? 1e-6 : 1e-12;

    for (const name of ['n3', 'full', 'whiten3', 'ratio_0_9'] as const) {
      it(`has scikit-learn's numbers for a ${kind} matrix: ${name}`, async () => {
        const expected = golden[name];
        const nComponents = { n3: 3, full: undefined, whiten3: 3, ratio_0_9: 0.9 }[name];
        const pca = new PCA({ nComponents, whiten: name === 'whiten3' });
        const scores = await pca.fitTransform(x);
        close(pca.components.data, expected.components.flat(), tolerance * 10);
        close(scores.data, expected.transform.flat(), tolerance * 10);
        close(pca.transform(x).data, expected.transform.flat(), tolerance * 10);
        close(pca.mean, expected.mean, tolerance);
        close(pca.explainedVariance, expected.explained_variance, tolerance);
        close(pca.explainedVarianceRatio, expected.explained_variance_ratio, tolerance);
        close(pca.singularValues, expected.singular_values, tolerance);
        close([pca.noiseVariance], [expected.noise_variance], tolerance * 10);
        expect(pca.nFeaturesIn).to.equal(6);
        expect(pca.nSamples).to.equal(12);
      });
    }
  }

  it('places new rows, and gives back what the components hold', async () => {
    const pca = await new PCA({ nComponents: 3 }).fit(X);
    const placed = pca.transform(dense(golden.new_rows));
    close(placed.data, golden.transform_new_n3.flat());
    close(pca.inverseTransform(pca.transform(X)).data, golden.inverse_transform_n3.flat());
  });

  it('takes a table of numbers and knows its columns', async () => {
    const table = new Table(
      Object.fromEntries(
        golden.X[0].map((_, j) => [`c${j}`, Float64Array.from(golden.X, (row) => row[j])]),
      ),
    );
    const pca = await new PCA({ nComponents: 3 }).fit(table);
    expect(pca.featureNamesIn).to.deep.equal(['c0', 'c1', 'c2', 'c3', 'c4', 'c5']);
    close(pca.explainedVariance, golden.n3.explained_variance);
    close(pca.transform(table).data, golden.n3.transform.flat());
  });

  it('gives the worked example of its documentation', async () => {
    const pca = await new PCA({ nComponents: 1 }).fit({
      shape: [3, 2],
      data: Float64Array.of(0, 0, 2, 0, 4, 0),
    });
    close(pca.explainedVariance, [4]);
    expect(String(require('node:util').inspect(pca))).to.equal(
      'PCA of 3 × 2: 1 components, 100.00 % of the variance',
    );
  });

  it('gives constant columns no part in any component', async () => {
    const x = dense(golden.X.map((row) => [...row, 7, 0]));
    for (const input of [x, toSparse(x)]) {
      const pca = await new PCA({ nComponents: 3 }).fit(input);
      close(pca.explainedVariance, golden.n3.explained_variance);
      close(
        pca.components.data,
        golden.n3.components.flatMap((row) => [...row, 0, 0]),
      );
    }
  });

  it('has variances and ratios of 0 where nothing varies', async () => {
    const pca = new PCA({ nComponents: 2 });
    const scores = await pca.fitTransform(
      dense([
        [1, 2],
        [1, 2],
        [1, 2],
      ]),
    );
    expect(
      [...pca.explainedVariance, ...pca.explainedVarianceRatio, ...scores.data].every(
        (v) => Math.abs(v) < 1e-30,
      ),
    ).to.equal(true);
  });

  it('places an empty row of a sparse matrix where minus the mean lies', async () => {
    const x = randomSparse(30, 20, 0.3);
    const empty = {
      shape: [1, 20] as const,
      indptr: Int32Array.of(0, 0),
      indices: new Int32Array(0),
      data: new Float64Array(0),
    };
    const pca = await new PCA({ nComponents: 4 }).fit(x);
    close(
      pca.transform(empty).data,
      Array.from(pca.transform({ shape: [1, 20], data: new Float64Array(20) }).data),
    );
  });

  it('finds the same by iteration, dense and sparse, as of the whole covariance', async () => {
    const x = randomSparse(600, 320, 0.05);
    const all = await new PCA().fit(x);
    for (const input of [x, dense(rowsOf(x)), transpose(transpose(x))]) {
      const pca = await new PCA({ nComponents: 12, tol: 1e-10 }).fit(input);
      close(
        pca.explainedVarianceRatio,
        Array.from(all.explainedVarianceRatio.subarray(0, 12)),
        1e-11,
      );
      close(pca.components.data, Array.from(all.components.data.subarray(0, 12 * 320)), 1e-7);
      expect(pca.converged).to.equal(12);
    }
  });

  it('looks for a share of the variance in a sparse matrix too large to be decomposed whole', async () => {
    const x = randomSparse(1100, 1050, 0.004);
    const pca = await new PCA({ nComponents: 0.3 }).fit(x);
    const ratios = Array.from(pca.explainedVarianceRatio);
    const sum = ratios.reduce((a, b) => a + b, 0);
    expect(sum).to.be.above(0.3);
    expect(sum - ratios[ratios.length - 1]).to.be.at.most(0.3);
    const n = Int32Array.from({ length: 1051 }, (_, i) => i);
    const identity = {
      shape: [1050, 1050] as const,
      indptr: n,
      indices: n.slice(0, 1050),
      data: new Float64Array(1050).fill(1),
    };
    expect(
      await refusal(() => new PCA({ nComponents: 0.99 }).fit(identity), ArgumentError),
    ).to.contain(
      'The first 64 components explain 6.1 % of the variance, so that 99.0 % takes more than 512.',
    );
    expect(await refusal(() => new PCA().fit(x), ArgumentError)).to.contain('say how many');
  });

  describe('a share of the variance', () => {
    const squares = [4, 3, 2, 1.9, 1.8, 1.7, 1.6, 1.5]; // of the singular values
    const total = squares.reduce((a, b) => a + b, 0);
    const diagonal = dense(
      squares.map((s, i) => squares.map((_, j) => (i === j ? Math.sqrt(s) : 0))),
    );
    const among = (share: number, { first = 1, most = 4 } = {}): number => {
      const a = operatorOf(diagonal);
      const random = new Random(1);
      try {
        const options = { share, total, first, most, tol: 1e-9, maxIter: 100, random };
        let steps = 0;
        for (const search = explaining(a, options); ; ) {
          const step = search.next();
          if (step.done) return step.value.values.length;
          if (++steps > 1000) throw new Error('It does not end.');
        }
      } finally {
        a.dispose();
      }
    };

    it('takes as few components as explain more than it', () => {
      expect(among(3.9 / total)).to.equal(1);
      expect(among(4.1 / total)).to.equal(2);
      expect(among(10.8 / total)).to.equal(4); // the most that are looked at
    });

    it('is given up as soon as the components that are left cannot reach it, the last round included', () => {
      expect(() => among(0.99)).to.throw(ArgumentError, 'The first 1 components explain 22.9 %');
      expect(() => among(11 / total)).to.throw(
        ArgumentError,
        'The first 4 components explain 62.3 %',
      ); // after 2, 7 + 2·3 might do
    });
  });

  it('can be stopped after each of the products that make the covariance', () => {
    const a = operatorOf(dense(golden.X.map((row) => [...row, ...row, ...row, ...row])));
    let products = 0;
    const times: typeof a.times = (x, out) => {
      products++;
      a.times(x, out);
    };
    const options = { components: 3, tol: 1e-9, maxIter: 100, random: new Random(1) };
    const work = leadingSingular({ ...a, times }, options);
    for (const expected of [1, 2]) {
      work.next(); // of the 2 blocks that 12 rows make
      expect(products).to.equal(expected);
    }
    a.dispose();
  });

  it('finds principal components of factors at once, as many as there are columns', () => {
    const values = Float32Array.from(golden.X.flat());
    close(
      principalComponents(values, { width: 6, components: 3 }),
      golden.n3.transform.flat(),
      1e-6,
    );
    close(principalComponents(Float32Array.of(1, 0, -1, 0), { width: 2, components: 1 }), [1, -1]);
    const two = values.subarray(0, 12);
    const [a, , , b] = principalComponents(two, { width: 6, components: 3 });
    const distance = Math.hypot(...two.subarray(0, 6).map((x, j) => x - two[6 + j]));
    expect(Math.abs(a - b)).to.be.closeTo(distance, 1e-6);
    expect(() => principalComponents(values, { width: 6, components: 7 })).to.throw(
      ArgumentError,
      'from 1 to 6',
    );
    expect(() => principalComponents(two.subarray(0, 6), { width: 6, components: 1 })).to.throw(
      ArgumentError,
      'at least 2 rows',
    );
    expect(() =>
      principalComponents(Float32Array.of(1, NaN, 3, 4), { width: 2, components: 1 }),
    ).to.throw(NumericError, 'column 1');
  });

  it('refuses what is no matrix at all', async () => {
    for (const input of [
      null,
      undefined,
      3,
      'x',
      {},
      { shape: [1, 1] },
      { shape: 2, data: new Float64Array(4) },
    ]) {
      for (const fit of [
        () => new PCA().fit(input as never),
        async () => new StandardScaler().fit(input as never),
        () => new TruncatedSVD().fit(input as never),
      ]) {
        expect(await refusal(fit, ArgumentError)).to.match(/^\w+ needs a matrix/);
      }
    }
  });

  it('refuses numbers of components that do not exist', async () => {
    for (const nComponents of [0, -1, 1.5, NaN, Infinity, '3' as unknown as number]) {
      expect(() => new PCA({ nComponents })).to.throw(ArgumentError, 'nComponents must be');
    }
    expect(await refusal(() => new PCA({ nComponents: 7 }).fit(X), ArgumentError)).to.equal(
      'A matrix of 12 × 6 has at most 6 components, 7 were asked for.',
    );
    expect(
      await refusal(() => new PCA({ nComponents: 7 }).fit(toSparse(X)), ArgumentError),
    ).to.contain('at most 6');
  });

  it('refuses one row, no rows and shapes that do not fit', async () => {
    expect(await refusal(() => new PCA().fit(dense([[1, 2]])), ArgumentError)).to.contain(
      'at least 2 rows',
    );
    expect(
      await refusal(
        () => new PCA().fit({ shape: [0, 3], data: new Float64Array(0) }),
        ArgumentError,
      ),
    ).to.contain('0 × 3');
    expect(
      await refusal(
        () => new PCA().fit({ shape: [2, 3], data: new Float64Array(5) }),
        ArgumentError,
      ),
    ).to.contain('got 5');
    const x = toSparse(X);
    expect(
      await refusal(() => new PCA().fit({ ...x, data: x.data.slice(1) }), ArgumentError),
    ).to.contain('one value for each');
    expect(
      await refusal(
        () => new PCA().fit({ ...x, indices: x.indices.slice().fill(9) }),
        ArgumentError,
      ),
    ).to.contain('below 6');
    expect(await refusal(() => new PCA().fit([[1, 2]] as never), ArgumentError)).to.contain(
      'needs a matrix',
    );
  });

  it('refuses NaN and infinity and says where they are', async () => {
    const x = dense([
      [1, 2],
      [3, NaN],
      [5, 6],
    ]);
    expect(await refusal(() => new PCA().fit(x), NumericError)).to.contain('NaN: row 1, column 1');
    const sparse = toSparse(
      dense([
        [1, 0],
        [3, 0],
        [0, Infinity],
      ]),
    );
    expect(await refusal(() => new PCA().fit(sparse), NumericError)).to.contain(
      'Infinity: row 2, column 1',
    );
    const table = new Table({ tempo: Float64Array.of(1, 2), year: Float64Array.of(1999, NaN) });
    expect(await refusal(() => new PCA().fit(table), NumericError)).to.contain(
      'row 1, column "year"',
    );
    expect(await refusal(() => new PCA().fit(dense([[1], [1e200]])), NumericError)).to.contain(
      '1e+200 is too large',
    );
    const pca = await new PCA().fit(X);
    expect(() => pca.transform(dense([[1, 2, 3, 4, 5, NaN]]))).to.throw(NumericError, 'column 5');
  });

  it('refuses to be asked before fit, and another number of columns after it', async () => {
    const pca = new PCA();
    expect(() => pca.transform(X)).to.throw(
      ArgumentError,
      "This PCA instance is not fitted yet. Call 'fit' with a matrix first.",
    );
    expect(() => pca.components).to.throw(ArgumentError, 'not fitted');
    await pca.fit(X);
    expect(() => pca.transform(dense([[1, 2]]))).to.throw(
      ArgumentError,
      'X has 2 features, but PCA is expecting 6 features as input.',
    );
    expect(() => pca.inverseTransform(dense([[1, 2]]))).to.throw(ArgumentError, '6 components');
    expect(() => new PCA({ whiten: 1 as unknown as boolean })).to.throw(ArgumentError, 'whiten');
    expect(() => new PCA({ n_components: 3 } as never)).to.throw(
      ArgumentError,
      'did you mean "nComponents"',
    );
    expect(() => new PCA({ tol: 0 })).to.throw(ArgumentError, 'tol');
    expect(() => new PCA({ seed: 0.5 })).to.throw(ArgumentError, 'seed');
  });
});

/** A dense copy whose rows and columns have changed places. */
function transpose(x: Parameters<typeof rowsOf>[0]): ReturnType<typeof dense> {
  const rows = rowsOf(x);
  return dense(rows[0].map((_, j) => rows.map((row) => row[j])));
}
