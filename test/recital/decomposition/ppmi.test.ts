import { expect } from 'chai';
import fc from 'fast-check';
import { Sessions } from '../../../lib/recital/data/sessions.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { ppmi } from '../../../lib/recital/decomposition/ppmi.js';
import { ArgumentError, DataError } from '../../../lib/recital/errors.js';

function sessions(items: number, ...parts: number[][]): Sessions {
  const ends = parts.map((_, s) => parts.slice(0, s + 1).flat().length);
  return new Sessions(
    Vocabulary.inOrder(Array(items).keys()),
    Int32Array.of(0, ...ends),
    Int32Array.from(parts.flat()),
  );
}

/** The formula, written down. */
function dense(parts: number[][], items: number, window: number, power: number): number[][] {
  const n = Array.from({ length: items }, () => Array(items).fill(0));
  for (const part of parts) {
    part.forEach((a, p) => {
      part.forEach((b, q) => {
        if (p !== q && Math.abs(p - q) <= window) n[a][b] += 1 / Math.abs(p - q);
      });
    });
  }
  const sums = n.map((row) => row.reduce((x, y) => x + y, 0));
  const total = sums.reduce((x, y) => x + y ** power, 0);
  return n.map((row, a) =>
    row.map((x, b) =>
      x > 0 ? Math.max(0, Math.log((x * total) / (sums[a] * sums[b] ** power))) : 0,
    ),
  );
}

describe('ppmi', () => {
  it('is what the formula says, for any sessions', () => {
    const session = fc.array(fc.nat(6), { minLength: 1, maxLength: 9 });
    const some = fc
      .array(session, { minLength: 1, maxLength: 8 })
      .filter((parts) => parts.some((part) => part.length > 1));
    fc.assert(
      fc.property(
        some,
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom(0, 0.75, 1),
        (parts, window, power) => {
          const { shape, indptr, indices, data } = ppmi(sessions(7, ...parts), { window, power });
          expect(shape).to.deep.equal([7, 7]);
          const wanted = dense(parts, 7, window, power);
          for (let a = 0; a < 7; a++) {
            const row = Array(7).fill(0);
            for (let j = indptr[a]; j < indptr[a + 1]; j++) {
              if (j > indptr[a]) expect(indices[j]).to.be.above(indices[j - 1]);
              row[indices[j]] = data[j];
            }
            for (let b = 0; b < 7; b++) expect(row[b]).to.be.closeTo(wanted[a][b], 1e-9);
          }
        },
      ),
    );
  });

  it('does not count across sessions, nor a track that is played alone', () => {
    const { indptr } = ppmi(sessions(4, [0, 1], [2], [3, 0]));
    expect([...indptr.slice(2, 4)]).to.deep.equal([indptr[2], indptr[2]]);
  });

  it('refuses sessions without neighbours and options that mean nothing', () => {
    expect(() => ppmi(sessions(2, [0], [1]))).to.throw(DataError, 'none is played near another');
    expect(() => ppmi(sessions(2, [0, 1]), { window: 0 })).to.throw(ArgumentError, 'window');
    expect(() => ppmi(sessions(2, [0, 1]), { power: -1 })).to.throw(ArgumentError, 'power');
  });
});
