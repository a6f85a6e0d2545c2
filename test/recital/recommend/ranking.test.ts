import { expect } from 'chai';
import fc from 'fast-check';
import { float32, int32 } from '../../../lib/recital/compute/memory.js';
import { Random } from '../../../lib/recital/compute/random.js';
import { NumericError } from '../../../lib/recital/errors.js';
import { TopN, topRows } from '../../../lib/recital/recommend/rank.js';

const what = (i: number): string => `score ${i}`;

function select(
  scores: readonly number[],
  n: number,
  start = 0,
  length = scores.length - start,
): number[] {
  const top = new TopN(n).select(Float32Array.from(scores), start, length, what);
  const index = new Int32Array(n);
  const score = new Float32Array(n);
  top.copyTo(index, score, 0);
  for (let j = 0; j < top.count; j++)
    expect(score[j]).to.equal(Math.fround(scores[start + index[j]]));
  return [...index.subarray(0, top.count)];
}

describe('TopN', () => {
  it('is the head of a sort by score, descending, then by index', () => {
    const scores = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(-Infinity)), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(scores, fc.integer({ min: 1, max: 70 }), (values, n) => {
        const sorted = values.map((_, i) => i).filter((i) => values[i] > -Infinity);
        sorted.sort((a, b) => values[b] - values[a] || a - b);
        expect(select(values, n)).to.deep.equal(sorted.slice(0, n));
      }),
    );
  });

  it('looks at its part of the scores only, and counts from its start', () => {
    expect(select([9, 1, 3, 2, 9], 2, 1, 3)).to.deep.equal([1, 2]);
  });

  it('can be used again', () => {
    const top = new TopN(3);
    top.select(Float32Array.of(5, 6, 7, 8), 0, 4, what);
    expect(top.select(Float32Array.of(1, 2), 0, 2, what).count).to.equal(2);
  });

  it('refuses NaN and infinity, wherever they stand', () => {
    for (const bad of [NaN, Infinity]) {
      for (let at = 0; at < 5; at++) {
        const scores = [5, 4, 3, 2, 1];
        scores[at] = bad;
        expect(() => select(scores, 2)).to.throw(NumericError, `score ${at} is ${bad}`);
      }
    }
  });
});

describe('topRows', () => {
  const score = fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.constant(-Infinity),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
  );

  /**
   * What topRows finds for rows of equal length: lists of indices, or the index of what is no
   * score.
   */
  function select(rows: readonly (readonly number[])[], n: number): (number[] | number)[] {
    const length = rows[0].length;
    const scores = float32(rows.length * length);
    scores.set(rows.flat());
    const best = {
      track: int32(rows.length * n),
      score: float32(rows.length * n),
      counts: int32(rows.length),
    };
    topRows(scores, { rows: rows.length, length, n }, best);
    return rows.map((row, r) => {
      const count = best.counts[r];
      if (count < 0) return -1 - count;
      const found = [...best.track.subarray(r * n, r * n + count)];
      found.forEach((i, j) => {
        expect(best.score[r * n + j]).to.equal(Math.fround(row[i]));
      });
      return found;
    });
  }

  it('finds what TopN finds, in rows of any length', () => {
    const block = fc.integer({ min: 1, max: 60 }).chain((length) =>
      fc.array(fc.array(score, { minLength: length, maxLength: length }), {
        minLength: 1,
        maxLength: 20,
      }),
    );
    fc.assert(
      fc.property(block, fc.integer({ min: 1, max: 20 }), (rows, n) => {
        const index = new Int32Array(n);
        const expected = rows.map((row) => {
          const top = new TopN(n).select(Float32Array.from(row), 0, row.length, what);
          top.copyTo(index, new Float32Array(n), 0);
          return [...index.subarray(0, top.count)];
        });
        expect(select(rows, n)).to.deep.equal(expected);
      }),
    );
  });

  it('is the head of a sort of rows so long that threads share them', () => {
    const random = new Random(1);
    const rows = Array.from({ length: 40 }, () =>
      Array.from({ length: 10_001 }, () => Math.fround(random.normal())),
    );
    const expected = rows.map((row) =>
      row
        .map((_, i) => i)
        .sort((a, b) => row[b] - row[a] || a - b)
        .slice(0, 10),
    );
    expect(select(rows, 10)).to.deep.equal(expected);
  });

  it('leaves out what is masked', () => {
    const scores = float32(20);
    scores.set([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    const masked = { indptr: int32(3), indices: int32(12) };
    masked.indptr.set([0, 2, 12]);
    masked.indices.set([0, 2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const best = { track: int32(6), score: float32(6), counts: int32(2) };
    topRows(scores, { rows: 2, length: 10, n: 3, masked }, best);
    expect([...best.track.subarray(0, 3)]).to.deep.equal([1, 3, 4]);
    expect([...best.counts]).to.deep.equal([3, 0]);
  });

  it('says where a score is NaN or infinity, wherever it stands', () => {
    for (const bad of [NaN, Infinity]) {
      for (let at = 0; at < 21; at++) {
        const row = Array.from({ length: 21 }, (_, i) => (i === at ? bad : 21 - i));
        expect(select([row, row.map((_, i) => i)], 2)).to.deep.equal([at, [20, 19]]);
      }
    }
  });
});
