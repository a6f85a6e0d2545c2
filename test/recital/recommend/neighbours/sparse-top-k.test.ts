import { expect } from 'chai';
import fc from 'fast-check';
import { Csr } from '../../../../lib/recital/data/csr.js';
import { topProducts } from '../../../../lib/recital/recommend/neighbours/sparse-top-k.js';

/** A sparse matrix of the entries that are not 0. */
function sparse(rows: readonly (readonly number[])[]): Csr {
  const [indptr, indices, data]: number[][] = [[0], [], []];
  for (const row of rows) {
    row.forEach((value, c) => {
      if (value === 0) return;
      indices.push(c);
      data.push(value);
    });
    indptr.push(indices.length);
  }
  return new Csr({
    shape: [rows.length, rows[0].length],
    indptr: Int32Array.from(indptr),
    indices: Int32Array.from(indices),
    data: Float32Array.from(data),
  });
}

describe('topProducts', () => {
  const matrix = fc
    .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 6 }))
    .chain(([rows, columns]) =>
      fc.array(
        fc.array(fc.constantFrom(0, 0, 0, 1, 2, -1), { minLength: columns, maxLength: columns }),
        { minLength: rows, maxLength: rows },
      ),
    );

  it('keeps the k largest entries above 0 of each row, never the diagonal, with k beyond the columns too', () => {
    fc.assert(
      fc.property(matrix, fc.integer({ min: 1, max: 12 }), (rows: number[][], k) => {
        const a = sparse(rows);
        const found = topProducts(a, a.transpose(), { k, score: (product) => product });
        rows.forEach((row, r) => {
          const products = rows.map((other, c) =>
            c === r ? 0 : row.reduce((sum, x, j) => sum + x * other[j], 0),
          );
          const columns = [...products.keys()].filter((c) => products[c] > 0);
          const best = columns.sort((x, y) => products[y] - products[x] || x - y).slice(0, k);
          const [from, to] = [found.indptr[r], found.indptr[r + 1]];
          expect([...found.indices.subarray(from, to)]).to.deep.equal(
            [...best].sort((x, y) => x - y),
          );
          for (let j = from; j < to; j++)
            expect(found.data[j]).to.equal(products[found.indices[j]]);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('has no entries of 0 where there are fewer neighbours than k', () => {
    const a = sparse([
      [1, 0, 1],
      [1, 0, 0],
      [0, 1, 0],
      [1, 0, -1],
    ]);
    const { indptr, indices, data } = topProducts(a, a.transpose(), {
      k: 10,
      score: (product) => product,
    });
    expect([...indptr]).to.deep.equal([0, 1, 3, 3, 4]); // rows 0 and 3 have the product 1 − 1 = 0
    expect([...indices]).to.deep.equal([1, 0, 3, 1]);
    expect(data.every((value) => value > 0)).to.equal(true);
  });
});
