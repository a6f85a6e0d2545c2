import { expect } from 'chai';
import fc from 'fast-check';
import { HashIndex } from '../../../../lib/recital/data/files/encode-plays.js';

const of = (...hashes: (readonly [number, number])[]): Int32Array => Int32Array.from(hashes.flat());

describe('HashIndex', () => {
  it('tells hashes apart that share a half, and finds which one it does not have', () => {
    const index = new HashIndex(of([5, 1], [5, 2], [6, 1]));
    expect(index.distinct).to.equal(true);
    const out = new Int32Array(5).fill(-7);
    expect(index.encode(of([5, 2], [6, 1], [5, 1]), out, 1)).to.equal(-1);
    expect([...out]).to.deep.equal([-7, 1, 2, 0, -7]);
    expect(index.encode(of([5, 3]), out, 0)).to.equal(0);
    expect(index.encode(of([5, 1], [6, 2], [7, 7]), out, 0)).to.equal(1);
    expect(index.encode(of([0, 0]), out, 0)).to.equal(0); // what free slots hold
  });

  it('says whether a hash is there twice', () => {
    expect(new HashIndex(of([5, 1], [5, 1])).distinct).to.equal(false);
    expect(new HashIndex(of([5, 1], [6, 1], [5, 2], [6, 1])).distinct).to.equal(false);
    expect(new HashIndex(of([5, 1], [1, 5])).distinct).to.equal(true);
    expect(new HashIndex(of()).distinct).to.equal(true);
  });

  it('gives the position of every hash, however many share their low half, and zeros included (property)', () => {
    const half = fc.oneof(fc.constantFrom(0, 1, -1, 4, 8, 2 ** 31 - 1, -(2 ** 31)), fc.integer());
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(half, half), { selector: String, maxLength: 40 }),
        half,
        half,
        (hashes, low, high) => {
          const index = new HashIndex(of(...hashes));
          const out = new Int32Array(hashes.length);
          expect([index.distinct, index.encode(of(...hashes), out, 0)]).to.deep.equal([true, -1]);
          expect([...out]).to.deep.equal(hashes.map((_, i) => i));
          const known = hashes.some(([l, h]) => l === low && h === high);
          expect(index.encode(of([low, high]), new Int32Array(1), 0)).to.equal(known ? -1 : 0);
        },
      ),
    );
  });
});
