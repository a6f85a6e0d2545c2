import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { Table } from '../../../lib/recital/data/table.js';
import { StandardScaler } from '../../../lib/recital/decomposition/standard-scaler.js';
import { ArgumentError, NumericError } from '../../../lib/recital/errors.js';
import golden from '../../golden/pca.json';
import { close, dense, toSparse } from './support.js';

describe('StandardScaler', () => {
  it("has scikit-learn's numbers", () => {
    const scaler = new StandardScaler();
    const scaled = scaler.fitTransform(dense(golden.X));
    close(scaled.data, golden.standard_scaler.transform.flat());
    close(scaler.mean, golden.standard_scaler.mean);
    close(scaler.scale, golden.standard_scaler.scale);
    close(
      scaler.var,
      golden.standard_scaler.scale.map((s) => s * s),
    );
    expect(scaler.nFeaturesIn).to.equal(6);
    expect(inspect(scaler)).to.equal('StandardScaler of 6 columns');
  });

  it('leaves missing values out, keeps them missing, and gives constant columns scale 1', () => {
    // scikit-learn 1.9.1: StandardScaler().fit_transform([[1, nan, .1], [3, 4, .1], [nan, 8, .1]])
    const scaler = new StandardScaler();
    const scaled = scaler.fitTransform(
      dense([
        [1, NaN, 0.1],
        [3, 4, 0.1],
        [NaN, 8, 0.1],
      ]),
    );
    expect([...scaler.mean]).to.deep.equal([2, 6, 0.10000000000000002]);
    expect([...scaler.scale]).to.deep.equal([1, 2, 1]);
    expect([...scaler.nSamplesSeen]).to.deep.equal([2, 2, 3]);
    expect([...scaled.data].filter((_, p) => p % 3 < 2)).to.deep.equal([-1, NaN, 1, -1, NaN, 1]);
  });

  it('scales a sparse matrix without making it dense, if it need not be centred', () => {
    const x = toSparse(
      dense([
        [0, 3],
        [4, 0],
        [0, 0],
      ]),
    );
    const scaler = new StandardScaler({ withMean: false });
    const whole = new StandardScaler({ withMean: false }).fitTransform(
      dense([
        [0, 3],
        [4, 0],
        [0, 0],
      ]),
    );
    const scaled = scaler.fitTransform(x);
    close(
      scaled.data,
      Array.from(whole.data).filter((v) => v !== 0),
    );
    close(scaler.inverseTransform(scaled).data, [3, 4]);
    expect(() => new StandardScaler().fit(x)).to.throw(
      ArgumentError,
      'Cannot center sparse matrices: pass { withMean: false }',
    );
  });

  it('takes a table and knows its columns', () => {
    const scaler = new StandardScaler().fit(
      new Table({ tempo: Float64Array.of(1, 3), year: Float64Array.of(1999, NaN) }),
    );
    expect(scaler.featureNamesIn).to.deep.equal(['tempo', 'year']);
    expect([...scaler.scale]).to.deep.equal([1, 1]);
  });

  it('gives back what it has scaled', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.double({ min: -1e6, max: 1e6 }), fc.double({ min: -1, max: 1, noNaN: true })),
          { minLength: 1, maxLength: 20 },
        ),
        fc.boolean(),
        fc.boolean(),
        (rows, withMean, withStd) => {
          const x = dense(rows);
          const scaler = new StandardScaler({ withMean, withStd });
          const back = scaler.inverseTransform(scaler.fitTransform(x));
          x.data.forEach((v, p) => {
            if (Number.isNaN(v)) expect(back.data[p]).to.be.NaN;
            else expect(back.data[p]).to.be.closeTo(v, 1e-9 * 1e6);
          });
        },
      ),
    ));

  it('refuses infinity, other columns, other options, and to be asked before fit', () => {
    expect(() => new StandardScaler().fit(dense([[1], [Infinity]]))).to.throw(
      NumericError,
      'Infinity: row 1, column 0',
    );
    expect(() => new StandardScaler().transform(dense([[1]]))).to.throw(
      ArgumentError,
      'not fitted',
    );
    expect(() => new StandardScaler().fit(dense([[1, 2]])).transform(dense([[1]]))).to.throw(
      ArgumentError,
      'X has 1 features',
    );
    expect(() => new StandardScaler({ withMean: 0 as unknown as boolean })).to.throw(
      ArgumentError,
      'withMean',
    );
  });

  it('refuses values whose squares overflow, in fit and in what it makes of them, and says in which column', () => {
    const table = new Table({ a: Float64Array.of(1, 2, 3), b: Float64Array.of(0, 1e200, 3) });
    expect(() => new StandardScaler().fit(table)).to.throw(
      NumericError,
      'the values of column "b" are too large, their squares do not fit',
    );
    expect(() =>
      new StandardScaler().fit(
        dense([
          [1e308, 1],
          [1e308, 2],
        ]),
      ),
    ).to.throw(NumericError, 'column 0 (counted from 0)'); // their sum overflows
    const scaler = new StandardScaler().fit(dense([[0], [1e-3]]));
    expect(() => scaler.transform(dense([[1e307]]))).to.throw(
      NumericError,
      'of 1e+307 comes Infinity',
    );
    const wide = new StandardScaler().fit(dense([[0], [1e10]]));
    expect(() => wide.inverseTransform(dense([[1e300]]))).to.throw(
      NumericError,
      'of 1e+300 comes Infinity',
    );
    close(new StandardScaler().fitTransform(dense([[1e150], [3e150]])).data, [-1, 1]);
    expect(
      Number.isNaN(new StandardScaler().fitTransform(dense([[NaN], [1], [2]])).data[0]),
      'a missing value stays one',
    ).to.equal(true);
  });
});
