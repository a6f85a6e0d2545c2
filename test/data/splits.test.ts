import { expect } from 'chai';
import fc from 'fast-check';
import { Plays } from '../../lib/data/plays.js';
import { leaveKOut, orderSplit, perUserSplit, randomSplit, type Split } from '../../lib/data/splits.js';
import { ArgumentError } from '../../lib/errors.js';

const someRows = fc.uniqueArray(fc.tuple(fc.nat(6), fc.nat(30)), { selector: (pair) => pair.join(' '), minLength: 1, maxLength: 80 });
const playsOf = (pairs: [number, number][]): Plays => Plays.fromRows(pairs.map(([user, track]) => ({ user, track })));
const one = (n: number): Plays => playsOf(Array.from({ length: n }, (_, i) => [1, i] as [number, number]));
const sizesOf = (split: Split): number[] => [split.train, split.valid, split.test].flatMap((part) => (part ? [part.length] : []));
const ratio = fc.constantFrom<number[][]>([0.8, 0.1, 0.1], [0.5, 0.5], [0.7, 0.3], [0.34, 0.33, 0.33], [1, 0, 0]);

describe('splits', () => {
  const kinds: [string, (plays: Plays, seed: number, ratios: number[]) => Split][] = [
    ['perUserSplit', (plays, seed, ratios) => perUserSplit(plays, { ratios, seed })],
    ['orderSplit', (plays, _, ratios) => orderSplit(plays, { ratios })],
    ['leaveKOut', (plays, seed) => leaveKOut(plays, { k: 2, seed })],
    ['leaveKOut of the last', (plays) => leaveKOut(plays, { k: 1, which: 'last' })],
  ];
  for (const [name, split] of kinds) {
    it(`${name}: parts are disjoint, complete, reproducible, and leave every user something to train on`, () => {
      fc.assert(
        fc.property(someRows, fc.integer(), ratio, (pairs, seed, ratios) => {
          const plays = playsOf(pairs);
          const { train, valid, test } = split(plays, seed, ratios);
          const all = [...train, ...valid, ...(test ?? [])].sort((a, b) => a - b);
          expect(all).to.deep.equal(pairs.map((_, i) => i));
          expect(split(plays, seed, ratios)).to.deep.equal({ train, valid, ...(test ? { test } : {}) });
          expect(new Set(Array.from(train, (i) => plays.user[i])).size).to.equal(plays.users.length);
        }),
      );
    });
  }

  it('randomSplit: trunc(validPct · n) rows for validation, disjoint, complete, by the seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 200 }), fc.integer(), (n, seed) => {
        const { train, valid } = randomSplit(n, { validPct: 0.3, seed });
        expect(valid.length).to.equal(Math.trunc(0.3 * n));
        expect([...train, ...valid].sort((a, b) => a - b)).to.deep.equal(Array.from({ length: n }, (_, i) => i));
        expect(randomSplit(n, { validPct: 0.3, seed })).to.deep.equal({ train, valid });
      }),
    );
    expect(randomSplit(1000, { seed: 1 })).to.not.deep.equal(randomSplit(1000, { seed: 2 }));
  });

  it("has RecBole's sizes: a part of less than a row gets one while training keeps one", () => {
    const sizes = (n: number, ratios?: number[]): number[] => sizesOf(perUserSplit(one(n), { ratios }));
    expect([1, 2, 3, 5, 10, 15, 19, 20, 30].map((n) => sizes(n))).to.deep.equal([
      [1, 0, 0],
      [1, 0, 1],
      [1, 1, 1],
      [3, 1, 1],
      [8, 1, 1],
      [13, 1, 1],
      [17, 1, 1],
      [16, 2, 2],
      [24, 3, 3],
    ]);
    expect(sizes(10, [0.5, 0.5])).to.deep.equal([5, 5]);
    expect(sizes(10, [1, 0, 0])).to.deep.equal([10, 0, 0]);
  });

  it("orderSplit and leaveKOut 'last' follow the order of the file within each user", () => {
    const plays = playsOf([
      [1, 5],
      [2, 1],
      [1, 4],
      [1, 3],
      [2, 2],
      [3, 1],
    ]);
    const last = leaveKOut(plays, { which: 'last' });
    expect([[...last.train], [...last.valid]]).to.deep.equal([
      [0, 1, 2, 5],
      [3, 4],
    ]);
    const order = orderSplit(plays, { ratios: [0.4, 0.3, 0.3] });
    expect([[...order.train], [...order.valid], [...order.test!]]).to.deep.equal([[0, 1, 5], [2], [3, 4]]);
  });

  it('draws other rows for another seed, the last ones no more often than the first', () => {
    const plays = one(10);
    expect(perUserSplit(plays, { seed: 1 })).to.not.deep.equal(perUserSplit(plays, { seed: 2 }));
    const counts = new Array(10).fill(0);
    for (let seed = 0; seed < 2000; seed++) counts[leaveKOut(plays, { seed }).valid[0]]++;
    expect(Math.min(...counts)).to.be.greaterThan(140);
    expect(Math.max(...counts)).to.be.lessThan(260);
  });

  it('refuses ratios that are no shares, and k that is no number of plays', () => {
    for (const ratios of [[0.8, 0.1], [1], [0, 0.5, 0.5], [1.2, -0.2], [NaN, 1], [0.4, 0.2, 0.2, 0.2]]) {
      expect(() => perUserSplit(one(5), { ratios })).to.throw(ArgumentError, 'two or three shares');
    }
    expect(() => leaveKOut(one(5), { k: 0 })).to.throw(ArgumentError, 'got 0');
    expect(() => leaveKOut(one(5), { which: 'first' as 'last' })).to.throw(ArgumentError, "got 'first'");
  });
});
