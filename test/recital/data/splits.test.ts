import { expect } from 'chai';
import fc from 'fast-check';
import { Plays } from '../../../lib/recital/data/plays.js';
import {
  kFold,
  leaveKOut,
  orderSplit,
  perUserSplit,
  randomSplit,
  type Split,
  splitPlays,
} from '../../../lib/recital/data/splits.js';

import { ArgumentError } from '../../../lib/recital/errors.js';

const someRows = fc.uniqueArray(fc.tuple(fc.nat(6), fc.nat(30)), {
  selector: (pair) => pair.join(' '),
  minLength: 1,
  maxLength: 80,
});
const playsOf = (pairs: [number, number][]): Plays =>
  Plays.fromRows(pairs.map(([user, track]) => ({ user, track })));
const one = (n: number): Plays =>
  playsOf(Array.from({ length: n }, (_, i) => [1, i] as [number, number]));
const sizesOf = (split: Split): number[] =>
  [split.train, split.valid, split.test].flatMap((part) => (part ? [part.length] : []));
const ratio = fc.constantFrom<number[][]>(
  [0.8, 0.1, 0.1],
  [0.5, 0.5],
  [0.7, 0.3],
  [0.34, 0.33, 0.33],
  [1, 0, 0],
);

describe('splits', () => {
  const kinds: [string, (plays: Plays, seed: number, ratios: number[]) => Split][] = [
    ['perUserSplit', (plays, seed, ratios) => perUserSplit(plays, { ratios, seed })],
    ['orderSplit', (plays, _, ratios) => orderSplit(plays, { ratios })],
    ['leaveKOut', (plays, seed) => leaveKOut(plays, { k: 2, seed })],
    ['leaveKOut of three parts', (plays, seed) => leaveKOut(plays, { valid: 2, test: 1, seed })],
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
          expect(split(plays, seed, ratios)).to.deep.equal({
            train,
            valid,
            ...(test ? { test } : {}),
          });
          expect(new Set(Array.from(train, (i) => plays.user[i])).size).to.equal(
            plays.users.length,
          );
        }),
      );
    });
  }

  it('randomSplit: trunc(validPct · n) rows for validation, disjoint, complete, by the seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 200 }), fc.integer(), (n, seed) => {
        const { train, valid } = randomSplit(n, { validPct: 0.3, seed });
        expect(valid.length).to.equal(Math.trunc(0.3 * n));
        expect([...train, ...valid].sort((a, b) => a - b)).to.deep.equal(
          Array.from({ length: n }, (_, i) => i),
        );
        expect(randomSplit(n, { validPct: 0.3, seed })).to.deep.equal({ train, valid });
      }),
    );
    expect(randomSplit(1000, { seed: 1 })).to.not.deep.equal(randomSplit(1000, { seed: 2 }));
  });

  it("has RecBole's sizes: a part of less than a row gets one while training keeps one", () => {
    const sizes = (n: number, ratios?: number[]): number[] =>
      sizesOf(perUserSplit(one(n), { ratios }));
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
    expect([[...order.train], [...order.valid], [...order.test]]).to.deep.equal([
      [0, 1, 5],
      [2],
      [3, 4],
    ]);
  });

  it('leaveKOut: validation and test, the test behind; whoever has no more plays than that stays in training', () => {
    const plays = playsOf([
      ...[5, 4, 3, 2].map((t): [number, number] => [1, t]),
      ...[7, 8, 9].map((t): [number, number] => [2, t]),
    ]);
    const { train, valid, test } = leaveKOut(plays, { valid: 1, test: 2, which: 'last' });
    expect([[...train], [...valid], [...test]]).to.deep.equal([[0, 4, 5, 6], [1], [2, 3]]);
    expect(leaveKOut(plays, { test: 2, which: 'last' })).to.deep.equal({ train, valid, test });
    expect(leaveKOut(plays, { valid: 2, seed: 3 })).to.deep.equal(
      leaveKOut(plays, { k: 2, seed: 3 }),
    );
    expect(leaveKOut(one(2), { test: 1 })).to.deep.equal({
      train: Int32Array.of(0, 1),
      valid: new Int32Array(0),
      test: new Int32Array(0),
    });
    expect(() => leaveKOut(plays, { k: 1, valid: 1 })).to.throw(ArgumentError, 'give one of them');
    for (const odd of [0, -1, 1.5, NaN, '1' as unknown as number]) {
      expect(() => leaveKOut(plays, { test: odd })).to.throw(
        ArgumentError,
        'test must be a positive whole number',
      );
      expect(() => leaveKOut(plays, { valid: odd, test: 1 })).to.throw(
        ArgumentError,
        'valid must be a positive whole number',
      );
    }
  });

  it('have a test part in their types if there are three shares, or none given, and in the plays that splitPlays makes', () => {
    const plays = one(10);
    const three: Plays[] = [
      splitPlays(plays, perUserSplit(plays)).test,
      splitPlays(plays, perUserSplit(plays, { ratios: [0.8, 0.1, 0.1], seed: 1 })).test,
      splitPlays(plays, orderSplit(plays, { ratios: [0.8, 0.1, 0.1] })).test,
      splitPlays(plays, leaveKOut(plays, { valid: 1, test: 1 })).test,
    ];
    for (const test of three) expect(test.length).to.equal(1);
    const two = splitPlays(plays, perUserSplit(plays, { ratios: [0.8, 0.2] }));
    const valid: Plays = two.valid;
    // @ts-expect-error two shares: there may be no test
    const none: Plays = two.test;
    expect([valid.length, none]).to.deep.equal([2, undefined]);
  });

  it('kFold: every play is held out once; of each user about as many in each fold; folds of the same size', () => {
    fc.assert(
      fc.property(someRows, fc.integer(), fc.integer({ min: 2, max: 7 }), (pairs, seed, k) => {
        const plays = playsOf(pairs);
        if (k > plays.length) return;
        const folds = kFold(plays, { k, seed });
        expect(folds.length).to.equal(k);
        expect(kFold(plays, { k, seed })).to.deep.equal(folds);
        const rows = pairs.map((_, i) => i);
        expect(folds.flatMap(({ valid }) => [...valid]).sort((a, b) => a - b)).to.deep.equal(rows);
        const sizes = folds.map(({ valid }) => valid.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).to.be.at.most(1);
        for (const { train, valid } of folds) {
          expect([...train, ...valid].sort((a, b) => a - b)).to.deep.equal(rows);
          expect([...valid]).to.deep.equal([...valid].sort((a, b) => a - b));
          const count = (part: Int32Array, user: number): number =>
            part.filter((i) => plays.user[i] === user).length;
          for (const user of new Set(plays.user)) {
            const n = count(train, user) + count(valid, user);
            expect(count(valid, user)).to.be.within(Math.floor(n / k), Math.ceil(n / k));
          }
        }
      }),
    );
  });

  it('kFold: draws at random, by the seed, and refuses folds that would be empty', () => {
    const plays = one(10);
    expect(kFold(plays, { seed: 1 })).to.not.deep.equal(kFold(plays, { seed: 2 }));
    const counts = new Array(10).fill(0);
    for (let seed = 0; seed < 2000; seed++)
      for (const i of kFold(plays, { k: 10, seed })[0].valid) counts[i]++;
    expect(Math.min(...counts)).to.be.greaterThan(140);
    expect(Math.max(...counts)).to.be.lessThan(260);
    for (const k of [1, 0, 2.5, NaN, '3' as unknown as number])
      expect(() => kFold(plays, { k })).to.throw(ArgumentError, '2 or more');
    expect(() => kFold(plays, { k: 11 })).to.throw(ArgumentError, '11 folds of 10 plays');
    expect(() => kFold(plays, { folds: 3 } as object)).to.throw(ArgumentError, 'no option "folds"');
    expect(() => kFold([] as unknown as Plays)).to.throw(ArgumentError, 'A split needs plays');
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
    for (const ratios of [
      [0.8, 0.1],
      [1],
      [0, 0.5, 0.5],
      [1.2, -0.2],
      [NaN, 1],
      [0.4, 0.2, 0.2, 0.2],
    ]) {
      expect(() => perUserSplit(one(5), { ratios })).to.throw(ArgumentError, 'two or three shares');
    }
    expect(() => leaveKOut(one(5), { k: 0 })).to.throw(ArgumentError, 'got 0');
    expect(() => leaveKOut(one(5), { which: 'first' as 'last' })).to.throw(
      ArgumentError,
      "got 'first'",
    );
  });
});
