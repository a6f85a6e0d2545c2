import { expect } from 'chai';
import fc from 'fast-check';
import { Table } from '../../../lib/recital/data/table.js';
import { Tracks } from '../../../lib/recital/data/tracks.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import {
  audioVectors,
  diversityAtK,
  giniAtK,
  noveltyAtK,
  popularityAtK,
} from '../../../lib/recital/evaluation/beyond-accuracy.js';

const listeners = (track: string): number => ({ a: 8, b: 2 })[track] ?? 0;
const lists = fc.array(
  fc.uniqueArray(fc.integer({ min: 0, max: 19 }), { minLength: 1, maxLength: 8 }),
  { minLength: 1, maxLength: 12 },
);
const ks = fc.integer({ min: 1, max: 10 });

describe('Metrics beyond accuracy', () => {
  it('give the worked examples of their documentation', () => {
    expect(noveltyAtK([['a', 'b']], { k: 2, users: 8, listeners })).to.equal(1);
    expect(popularityAtK([['a', 'b'], ['a']], { k: 2, listeners })).to.equal(6.5);
    expect(
      giniAtK(
        [
          ['a', 'b'],
          ['a', 'c'],
        ],
        { k: 2, catalogueSize: 4 },
      ),
    ).to.equal(0.375);
    const vector = (t: string): number[] | undefined => ({ a: [1, 0], b: [0, 2], c: [1, 0] })[t];
    expect(diversityAtK([['a', 'b', 'c']], { k: 3, vector })).to.be.closeTo(2 / 3, 1e-15);
  });

  it('take a track without listeners for one with a single listener', () => {
    expect(noveltyAtK([['z']], { users: 8, listeners })).to.equal(3);
  });

  it('are within their bounds, and do not depend on the order of the users', () => {
    fc.assert(
      fc.property(lists, ks, (all, k) => {
        const count = (t: number): number => (t * 7) % 20;
        const vector = (t: number): number[] => [Math.cos(t), Math.sin(t), t - 9];
        const measure = (given: number[][]): number[] => [
          noveltyAtK(given, { k, users: 20, listeners: count }),
          popularityAtK(given, { k, listeners: count }),
          giniAtK(given, { k, catalogueSize: 20 }),
          diversityAtK(given, { k, vector }),
        ];
        const [novelty, popularity, gini, diversity] = measure(all);
        expect(novelty).to.be.within(0, Math.log2(20));
        expect(popularity).to.be.within(0, 19);
        expect(gini).to.be.within(-1e-12, 1 - 1 / 20 + 1e-12);
        if (!Number.isNaN(diversity)) expect(diversity).to.be.within(0, 2);
        measure([...all].reverse()).forEach((x, i) => {
          if (!Number.isNaN(x))
            expect(x).to.be.closeTo([novelty, popularity, gini, diversity][i], 1e-12);
        });
      }),
    );
  });

  it('look at the first k only, and there not at the order', () => {
    fc.assert(
      fc.property(lists, (all) => {
        const vector = (t: number): number[] => [1, t];
        const more = all.map((list) => [...list, 20, 21]);
        const k = Math.min(...all.map((list) => list.length));
        expect(diversityAtK(more, { k, vector })).to.deep.equal(diversityAtK(all, { k, vector }));
        const turned = all.map((list) => list.slice(0, k).reverse());
        expect(giniAtK(turned, { k, catalogueSize: 20 })).to.be.closeTo(
          giniAtK(more, { k, catalogueSize: 22 - 2 }),
          1e-12,
        );
      }),
    );
  });

  it('know the best and the worst: everybody the same, everybody something else', () => {
    expect(giniAtK([[1], [1], [1]], { catalogueSize: 4 })).to.equal(0.75);
    expect(giniAtK([[1], [2], [3], [4]], { catalogueSize: 4 })).to.equal(0);
    expect(diversityAtK([[1, 2]], { vector: () => [3, 4] })).to.be.closeTo(0, 1e-12);
    expect(diversityAtK([[1, -1]], { vector: (t) => [t] })).to.equal(2);
  });

  it('pairs one by one give the same diversity', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: 1, max: 9 })), {
          minLength: 2,
          maxLength: 8,
        }),
        (vectors) => {
          let [sum, pairs] = [0, 0];
          for (let i = 0; i < vectors.length; i++) {
            for (let j = 0; j < i; j++, pairs++) {
              const [[a, b], [c, d]] = [vectors[i], vectors[j]];
              sum += 1 - (a * c + b * d) / (Math.hypot(a, b) * Math.hypot(c, d));
            }
          }
          const list = [...vectors.keys()];
          expect(diversityAtK([list], { vector: (t) => vectors[t] })).to.be.closeTo(
            sum / pairs,
            1e-9,
          );
        },
      ),
    );
  });

  it('leave out tracks without a vector, and lists of fewer than two', () => {
    const vector = (t: string): number[] | undefined =>
      t === 'x' ? undefined : t === 'y' ? [0, 0] : [t.length, 1];
    expect(diversityAtK([['a', 'x', 'y', 'a2'], ['a', 'x'], ['y']], { vector })).to.equal(
      diversityAtK([['a', 'a2']], { vector }),
    );
    expect(diversityAtK([['x']], { vector })).to.be.NaN;
  });

  it('refuse what cannot be measured', () => {
    expect(() => giniAtK([[]], { catalogueSize: 3 })).to.throw(ArgumentError, 'empty');
    expect(() => giniAtK([[1, 2]], { catalogueSize: 1 })).to.throw(
      ArgumentError,
      'whole catalogue',
    );
    expect(() => noveltyAtK([[1]], { users: 0, listeners: () => 1 })).to.throw(
      ArgumentError,
      'users',
    );
    expect(() => popularityAtK([[1]], { k: 0, listeners: () => 1 })).to.throw(
      ArgumentError,
      'k must be',
    );
  });
});

describe('audioVectors', () => {
  const catalogue = new Tracks(
    new Table({ track_id: ['a', 'b', 'c'], energy: [0, 1, null], tempo: [60, 180, 120] }),
  );

  it('are standardised, of length 1, a missing value at the mean', () => {
    const vector = audioVectors(catalogue);
    expect([...vector('a')!]).to.deep.equal([...vector('b')!].map((x) => -x));
    expect(Math.hypot(...vector('a')!)).to.be.closeTo(1, 1e-12);
    expect(vector('c')).to.equal(undefined); // at the mean in every feature
    expect(vector('z')).to.equal(undefined);
  });

  it('need a catalogue with audio features', () => {
    expect(() => audioVectors(undefined)).to.throw(ArgumentError, 'withCatalogue');
    expect(() => audioVectors(new Tracks(new Table({ track_id: ['a'] })))).to.throw(
      ArgumentError,
      'audio features',
    );
  });
});

describe('Metrics of what lists are like', () => {
  it('refuse what a function says of a track if it is no number: else the list would be left out as if it were empty', () => {
    const odd = (value: unknown) => (): never => value as never;
    for (const value of [NaN, undefined, -1, Infinity, '3']) {
      expect(
        () => noveltyAtK([['a']], { users: 8, listeners: odd(value) }),
        String(value),
      ).to.throw(ArgumentError, 'listeners(a) must be');
      expect(() => popularityAtK([['a']], { listeners: odd(value) }), String(value)).to.throw(
        ArgumentError,
        'listeners(a) must be',
      );
    }
    for (const value of [[1, NaN], [Infinity, 0], 'text', null])
      expect(() => diversityAtK([['a', 'b']], { vector: odd(value) }), String(value)).to.throw(
        ArgumentError,
        'ector of track a',
      );
    expect(
      diversityAtK([['a', 'b', 'c']], { vector: (t) => (t === 'c' ? undefined : [1, 0]) }),
    ).to.equal(0);
  });
});
