import { expect } from 'chai';
import fc from 'fast-check';
import { groupPairs } from '../../../lib/recital/data/csr.js';

/** Pairs of few rows and columns, so that many are equal; one row may have hundreds. */
const pairs = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 60 }))
  .chain(([rows, columns]) =>
    fc.record({
      shape: fc.constant({ rows, columns }),
      pairs: fc.array(fc.tuple(fc.nat({ max: rows - 1 }), fc.nat({ max: columns - 1 })), {
        maxLength: 400,
      }),
    }),
  );

describe('compressed rows of pairs', () => {
  it('group positions by row, column and place, in short rows and in long ones', () => {
    fc.assert(
      fc.property(pairs, ({ shape, pairs }) => {
        const [rows, columns] = [0, 1].map((side) => Int32Array.from(pairs, (pair) => pair[side]));
        const { indptr, indices } = groupPairs(rows, columns, shape);
        const expected = [...pairs.keys()].sort(
          (a, b) => rows[a] - rows[b] || columns[a] - columns[b] || a - b,
        );
        expect([...indices]).to.deep.equal(expected);
        for (let r = 0; r < shape.rows; r++)
          for (let j = indptr[r]; j < indptr[r + 1]; j++) expect(rows[indices[j]]).to.equal(r);
        expect(indptr[shape.rows]).to.equal(pairs.length);
      }),
    );
  });
});
