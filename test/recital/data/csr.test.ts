import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { float32 } from '../../../lib/recital/compute/memory.js';
import {
  Csr,
  type CsrLike,
  groupBy,
  groupPairs,
  interactionMatrix,
} from '../../../lib/recital/data/csr.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { ArgumentError } from '../../../lib/recital/errors.js';

/** Pairs of few rows and columns, so that many are equal; one row may have hundreds. */
const pairs = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 60 }))
  .chain(([rows, columns]) =>
    fc.record({
      shape: fc.constant([rows, columns] as const),
      pairs: fc.array(fc.tuple(fc.nat({ max: rows - 1 }), fc.nat({ max: columns - 1 })), {
        maxLength: 400,
      }),
    }),
  );

/** Row and column of each pair. */
function sides(pairs: readonly [number, number][]): { row: Int32Array; column: Int32Array } {
  const [row, column] = [0, 1].map((side) => Int32Array.from(pairs, (pair) => pair[side]));
  return { row, column };
}

/** Every number of a matrix, row after row. */
function denseOf({ shape: [rows, columns], indptr, indices, data }: CsrLike): number[] {
  const out = new Array<number>(rows * columns).fill(0);
  for (let r = 0; r < rows; r++)
    for (let j = indptr[r]; j < indptr[r + 1]; j++) out[r * columns + indices[j]] = data[j];
  return out;
}

describe('groupBy', () => {
  it('groups every position under its key, ascending', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5)), (keys) => {
        const { indptr, indices } = groupBy(Int32Array.from(keys), 6);
        for (let k = 0; k < 6; k++) {
          expect([...indices.subarray(indptr[k], indptr[k + 1])]).to.deep.equal(
            keys.flatMap((key, i) => (key === k ? [i] : [])),
          );
        }
      }),
    );
  });
});

describe('groupPairs', () => {
  it('groups positions by row, column and place, in short rows and in long ones', () => {
    fc.assert(
      fc.property(pairs, ({ shape, pairs }) => {
        const { row, column } = sides(pairs);
        const { indptr, indices } = groupPairs(row, column, shape[0]);
        const expected = [...pairs.keys()].sort(
          (a, b) => row[a] - row[b] || column[a] - column[b] || a - b,
        );
        expect([...indices]).to.deep.equal(expected);
        for (let r = 0; r < shape[0]; r++)
          for (let j = indptr[r]; j < indptr[r + 1]; j++) expect(row[indices[j]]).to.equal(r);
        expect(indptr[shape[0]]).to.equal(pairs.length);
      }),
    );
  });
});

describe('Csr', () => {
  it('holds each distinct pair once, its columns ascending, with the sum of its values', () => {
    fc.assert(
      fc.property(pairs, ({ shape, pairs }) => {
        const value = pairs.map((_, i) => i + 1);
        const x = Csr.fromPairs(shape, { ...sides(pairs), value }, Float64Array);
        const expected = new Array<number>(shape[0] * shape[1]).fill(0);
        for (const [i, [r, c]] of pairs.entries()) expected[r * shape[1] + c] += value[i];
        expect(denseOf(x)).to.deep.equal(expected);
        Csr.check(x);
        const counts = Csr.fromPairs(shape, sides(pairs), Float32Array);
        expect(counts.data.reduce((sum, n) => sum + n, 0)).to.equal(pairs.length);
        const pattern = Csr.fromPairs(shape, sides(pairs));
        expect(pattern.data).to.equal(undefined);
        expect([pattern.indptr, pattern.indices]).to.deep.equal([x.indptr, x.indices]);
        for (let r = 0; r < shape[0]; r++)
          for (let c = 0; c < shape[1]; c++) {
            expect(pattern.has(r, c)).to.equal(expected[r * shape[1] + c] > 0);
            expect(pattern.row(r).includes(c)).to.equal(pattern.has(r, c));
          }
      }),
    );
  });

  it('is transposed, values or none, into new arrays or given ones', () => {
    fc.assert(
      fc.property(pairs, ({ shape, pairs }) => {
        const { row, column } = sides(pairs);
        const value = pairs.map((_, i) => i + 1);
        const x = Csr.fromPairs(shape, { row, column, value }, Float32Array);
        const turned = [shape[1], shape[0]] as const;
        const expected = Csr.fromPairs(turned, { row: column, column: row, value }, Float32Array);
        expect(x.transpose()).to.deep.equal(expected);
        const double = x.transpose(Csr.onShared(turned, x.indices.length, Float64Array));
        expect(double.data).to.be.instanceOf(Float64Array);
        expect(denseOf(double)).to.deep.equal(denseOf(expected));
        double.dispose();
        const pattern = new Csr({ ...x, data: undefined }).transpose();
        expect([pattern.indices, pattern.data]).to.deep.equal([expected.indices, undefined]);
      }),
    );
  });

  it('multiplies on the shared memory', () => {
    const x = Csr.fromPairs(
      [2, 3],
      { row: Int32Array.of(0, 0, 1), column: Int32Array.of(2, 0, 1), value: [3, 2, 5] },
      Float64Array,
    ).toShared(Float32Array);
    const [y, out] = [float32(6), float32(4)];
    y.set([1, 2, 3, 4, 5, 6]);
    x.times(y, out, { width: 2 });
    expect([...out]).to.deep.equal([17, 22, 15, 20]);
    x.times(y, out, { width: 2, plus: out });
    expect([...out]).to.deep.equal([34, 44, 30, 40]);
    x.dispose();
  });

  it('prints its shape and how much of it is empty', () => {
    const x = Csr.fromPairs([2, 3], { row: Int32Array.of(1), column: Int32Array.of(2) });
    expect(inspect(x)).to.equal('Matrix of 2 rows × 3 columns: 1 of 6 cells filled, 83.33 % empty');
  });

  it('is checked where it comes from outside', () => {
    const good = { indptr: [0, 2, 3], indices: [0, 2, 1], data: [1, 2, 3] };
    const check = (part: Partial<typeof good>): void => {
      const { indptr, indices, data } = { ...good, ...part };
      Csr.check({
        shape: [2, 3],
        indptr: Int32Array.from(indptr),
        indices: Int32Array.from(indices),
        data: Float64Array.from(data),
      });
    };
    check({});
    const refused: [Partial<typeof good>, string][] = [
      [{ data: [1, 2] }, '2 values and 3 indices'],
      [{ indptr: [0, 3] }, 'Rows do not fit: 2 rows'],
      [{ indptr: [0, 2, 2] }, 'Rows do not fit'],
      [{ indptr: [1, 2, 3] }, 'Rows do not fit'],
      [{ indptr: [0, 4, 3] }, 'Row 1 has less than no numbers'],
      [{ indices: [2, 0, 1] }, 'Row 0 has the number 0 after 2'],
      [{ indices: [0, 0, 1] }, 'Row 0 has the number 0 after 0'],
      [{ indices: [0, 2, 3] }, 'Row 1 has the number 3 after -1'],
      [{ indices: [-1, 2, 1] }, 'Row 0 has the number -1'],
    ];
    for (const [part, message] of refused)
      expect(() => check(part), message).to.throw(ArgumentError, message);
  });
});

const plays = Plays.fromRows([
  { user: 'u2', track: 'b', playcount: 5 },
  { user: 'u1', track: 'c', playcount: 2 },
  { user: 'u1', track: 'a', playcount: 3 },
  { user: 'u3', track: 'a' },
]);

describe('interactionMatrix', () => {
  it('has a row a user and a column a track', () => {
    const x = interactionMatrix(plays);
    expect(x.shape).to.deep.equal([3, 3]);
    expect(x.users.classes).to.deep.equal(['u1', 'u2', 'u3']);
    expect(x.tracks.classes).to.deep.equal(['a', 'b', 'c']);
    expect([...x.indptr]).to.deep.equal([0, 2, 3, 4]);
    expect([...x.indices]).to.deep.equal([0, 2, 1, 0]);
    expect([...x.data]).to.deep.equal([3, 2, 5, 1]);
  });

  it('says whether, or the logarithm of how often', () => {
    expect([...interactionMatrix(plays, { value: 'binary' }).data]).to.deep.equal([1, 1, 1, 1]);
    expect([...interactionMatrix(plays, { value: 'log' }).data]).to.deep.equal(
      [3, 2, 5, 1].map(Math.log1p),
    );
  });

  it('adds repeated plays up and leaves users and tracks without plays out', () => {
    const twice = plays.take([0, 0, 3]);
    const x = interactionMatrix(twice);
    expect(x.users.classes).to.deep.equal(['u2', 'u3']);
    expect(x.tracks.classes).to.deep.equal(['a', 'b']);
    expect([...x.indices]).to.deep.equal([1, 0]);
    expect([...x.data]).to.deep.equal([10, 1]);
  });

  it('prints its shape and how much of it is empty', () => {
    expect(inspect(interactionMatrix(plays))).to.equal(
      'Matrix of 3 users × 3 tracks: 4 of 9 cells filled, 55.56 % empty',
    );
    expect(Object.keys(interactionMatrix(plays)).sort()).to.deep.equal([
      'data',
      'indices',
      'indptr',
      'shape',
      'tracks',
      'users',
    ]);
  });

  it('refuses no plays and another value', () => {
    expect(() => interactionMatrix(plays.take([]))).to.throw(ArgumentError, 'no plays');
    expect(() => interactionMatrix(plays, { value: 'sum' as 'count' })).to.throw(
      ArgumentError,
      "'count', 'binary' or 'log', got 'sum'",
    );
  });
});
