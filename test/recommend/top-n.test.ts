import { expect } from 'chai';
import fc from 'fast-check';
import { NumericError } from '../../lib/errors.js';
import { TopN } from '../../lib/recommend/top-n.js';

const what = (i: number): string => `score ${i}`;

function select(scores: readonly number[], n: number, start = 0, length = scores.length - start): number[] {
  const top = new TopN(n).select(Float32Array.from(scores), start, length, what);
  const index = new Int32Array(n);
  const score = new Float32Array(n);
  top.copyTo(index, score, 0);
  for (let j = 0; j < top.count; j++) expect(score[j]).to.equal(Math.fround(scores[start + index[j]]));
  return [...index.subarray(0, top.count)];
}

describe('TopN', () => {
  it('is the head of a sort by score, descending, then by index', () => {
    const scores = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(-Infinity)), { maxLength: 60 });
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
