import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../../lib/recital/compute/random.js';
import type { CollabDataLoader } from '../../../lib/recital/data/batches.js';
import { CollabDataLoaders, type CollabPlaysOptions } from '../../../lib/recital/data/collab.js';
import { Csr } from '../../../lib/recital/data/csr.js';
import { NegativeSampler, WeightedDraw } from '../../../lib/recital/data/negatives.js';

import { type PlayRecord, Plays } from '../../../lib/recital/data/plays.js';

import { ArgumentError, DataError } from '../../../lib/recital/errors.js';

/** Plays of 30 users: each has 12 of 40 tracks, low numbers more often. */
function plays(): Plays {
  const random = new Random('plays');
  const draw = new WeightedDraw(Array.from({ length: 40 }, (_, t) => 1 / (1 + t)));
  const rows: PlayRecord[] = [];
  for (let u = 0; u < 30; u++) {
    const own = new Set<number>();
    while (own.size < 12) own.add(draw.draw(random));
    for (const t of own) rows.push({ user: `u${u}`, track: `t${t}`, playcount: 1 + random.int(5) });
  }
  return Plays.fromRows(rows);
}
const loaders = (options: CollabPlaysOptions = {}): CollabDataLoaders =>
  CollabDataLoaders.fromPlays(plays(), { negatives: {}, ...options });

interface Row {
  user: number;
  item: number;
  target: number;
  row: number;
}

function rowsOf(loader: CollabDataLoader, epoch = 0): Row[] {
  const out: Row[] = [];
  for (const { size, inputs, targets, rows } of loader.batches(epoch)) {
    for (let k = 0; k < size; k++)
      out.push({ user: inputs[0][k], item: inputs[1][k], target: targets[k], row: rows[k] });
  }
  return out;
}

const chiSquare = (counts: number[], expected: number[]): number =>
  counts.reduce((s, c, i) => s + (expected[i] ? (c - expected[i]) ** 2 / expected[i] : 0), 0);

describe('WeightedDraw', () => {
  it('draws in proportion to the weights, and nothing of weight 0', () => {
    const weights = [0, 3, 1, 0, 6, 0];
    const draw = new WeightedDraw(weights);
    const random = new Random(1);
    const counts = weights.map(() => 0);
    for (let i = 0; i < 10_000; i++) counts[draw.draw(random)]++;
    expect([counts[0], counts[3], counts[5]]).to.deep.equal([0, 0, 0]);
    expect(
      chiSquare(
        counts,
        weights.map((w) => 1000 * w),
      ),
    ).to.be.below(13.8); // 2 degrees of freedom, p = 0.001
  });

  it('draws an index of positive weight whatever the weights', () => {
    const weights = fc.array(
      fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 1e6, noNaN: true })),
      { minLength: 1, maxLength: 50 },
    );
    fc.assert(
      fc.property(weights, fc.integer(), (w, seed) => {
        fc.pre(w.some((x) => x > 0));
        return w[new WeightedDraw(w).draw(new Random(seed))] > 0;
      }),
    );
  });
});

describe('NegativeSampler', () => {
  const known = Csr.fromPairs([3, 6], {
    row: Int32Array.of(1, 1, 1, 2),
    column: Int32Array.of(1, 2, 4, 5),
  });
  const draws = (weights: number[], user: number, n = 6000): number[] => {
    const sampler = new NegativeSampler(known, { weights: Float64Array.from(weights), n: 1 });
    const random = new Random(2);
    const counts = weights.map(() => 0);
    for (let i = 0; i < n; i++) counts[sampler.draw(user, random)]++;
    return counts;
  };

  it('never draws what the user has, nor #na#, and the rest by weight', () => {
    const counts = draws([0, 5, 5, 2, 5, 1], 1);
    expect(counts.slice(0, 5).map((c, i) => (i === 3 ? -1 : c))).to.deep.equal([0, 0, 0, -1, 0]);
    expect(chiSquare([counts[3], counts[5]], [4000, 2000])).to.be.below(10.8);
  });

  it('draws by the same chances for a user who has nearly everything that weighs', () => {
    const counts = draws([0, 1e9, 1e9, 2, 1e9, 1], 1, 3000); // by chance alone it would never come to an end
    expect(counts[3] + counts[5]).to.equal(3000);
    expect(chiSquare([counts[3], counts[5]], [2000, 1000])).to.be.below(10.8);
  });
});

describe('negative sampling of loaders', () => {
  it('puts each positive of the training rows before its negatives, which the user has not in training', () => {
    const dls = loaders({ negatives: { n: 3 }, bs: 50 });
    expect([dls.train.bs, dls.train.n, dls.train.length]).to.deep.equal([48, 4 * 288, 24]);
    const { indptr, indices } = dls.seen;
    const rows = rowsOf(dls.train, 5);
    const positives = rows.filter((_, i) => i % 4 === 0);
    rows.forEach(({ user, item, target, row }, i) => {
      expect(target).to.equal(i % 4 === 0 ? 1 : 0);
      expect(user).to.equal(rows[i - (i % 4)].user);
      const has = indices.subarray(indptr[user], indptr[user + 1]).includes(item);
      expect(has, `row ${i}`).to.equal(i % 4 === 0);
      expect(item).to.be.above(0);
      if (i % 4 > 0) expect(row).to.equal(-1);
    });
    expect(new Set(positives.map((r) => r.row)).size).to.equal(288);
    const all = plays();
    for (const { user, item, row } of positives) {
      expect([dls.classes.user.id(user), dls.classes.item.id(item)]).to.deep.equal([
        all.users.id(all.user[row]),
        all.tracks.id(all.track[row]),
      ]);
    }
  });

  it('draws negatives of seed and epoch alone', () => {
    const epoch = (e: number, seed = 42): Row[] => rowsOf(loaders({ seed }).train, e);
    expect(epoch(3)).to.deep.equal(epoch(3));
    const items = (rows: Row[]): string =>
      rows
        .map((r) => `${r.row}:${r.item}`)
        .sort()
        .join();
    expect(items(epoch(3))).to.not.equal(items(epoch(4)));
    expect(items(epoch(3))).to.not.equal(items(epoch(3, 43)));
  });

  it('gives validation fixed negatives, which the user has in neither part', () => {
    const dls = loaders({ negatives: { n: 2 } });
    expect(rowsOf(dls.valid, 0)).to.deep.equal(rowsOf(dls.valid, 9));
    expect(rowsOf(dls.valid.inOrder({ bs: 9 }))).to.deep.equal(rowsOf(dls.valid));
    const all = plays();
    const own = new Set(
      Array.from(all.user, (u, i) => `${all.users.id(u)} ${all.tracks.id(all.track[i])}`),
    );
    for (const { user, item, target } of rowsOf(dls.valid)) {
      if (item > 0)
        expect(own.has(`${dls.classes.user.id(user)} ${dls.classes.item.id(item)}`)).to.equal(
          target === 1,
        );
    }
    expect(rowsOf(dls.train.inOrder())).to.deep.equal(rowsOf(dls.train.inOrder(), 7));
  });

  it('draws uniformly, or by popularity to a power', () => {
    const share = (negatives: CollabPlaysOptions['negatives']): number => {
      const dls = loaders({ negatives: { n: 20, ...negatives }, bs: 84 });
      const rows = rowsOf(dls.train);
      const popularity = new Float64Array(dls.classes.item.length);
      for (const r of rows) if (r.target === 1) popularity[r.item]++;
      const drawn = rows.filter((r) => r.target === 0);
      return drawn.reduce((s, r) => s + popularity[r.item], 0) / drawn.length; // mean popularity of a negative
    };
    const uniform = share({});
    const [zero, some, full] = [0, 0.75, 1].map((power) =>
      share({ sampling: 'popularity', power }),
    );
    expect(zero).to.be.closeTo(uniform, 0.15);
    expect(some).to.be.above(uniform + 0.5);
    expect(full).to.be.above(some + 0.1);
    expect(share({ sampling: 'popularity' })).to.equal(some);
  });

  it('gives every play the target 1, and does not warn of it', () => {
    expect(rowsOf(loaders().train).filter((r) => r.target === 1)).to.have.length(288);
    const test = loaders().testDl(Plays.fromRows([{ user: 'u1', track: 't1', playcount: 1 }]));
    expect(rowsOf(test)).to.have.length(1);
    expect(rowsOf(test)[0].target).to.equal(1);
  });

  it('draws anything for an unknown user', () => {
    const all = plays();
    const rows = Array.from({ length: all.length }, (_, i) => i);
    const dls = CollabDataLoaders.fromPlays(all, {
      negatives: {},
      split: {
        train: rows.filter((i) => all.user[i] >= 5),
        valid: rows.filter((i) => all.user[i] < 5),
      },
    });
    const negatives = rowsOf(dls.valid).filter((r) => r.target === 0);
    expect(negatives).to.have.length(60);
    expect(negatives.every((r) => r.user === 0 && r.item > 0)).to.equal(true);
  });

  it('refuses what cannot be drawn', () => {
    const everything = Plays.fromRows(
      [...'abcdefgh'].flatMap((track) => [
        { user: 'all', track },
        ...(track < 'd' ? [{ user: 'few', track }] : []),
      ]),
    );
    const split = { train: Array.from({ length: everything.length }, (_, i) => i), valid: [] };
    expect(() => CollabDataLoaders.fromPlays(everything, { negatives: {}, split, bs: 2 })).to.throw(
      DataError,
      'User "all" has every one of the 8 items',
    );
    for (const n of [0, -1, 1.5, NaN])
      expect(() => loaders({ negatives: { n } })).to.throw(
        ArgumentError,
        `positive whole number, got ${n}`,
      );
    expect(() => loaders({ negatives: { sampling: 'hard' as never } })).to.throw(
      ArgumentError,
      "'uniform' or 'popularity'",
    );
    expect(() => loaders({ negatives: { sampling: 'popularity', power: -1 } })).to.throw(
      ArgumentError,
      'power must be a number, 0 or more',
    );
    expect(() => loaders({ negatives: { power: 1 } })).to.throw(
      ArgumentError,
      "power is for sampling: 'popularity'",
    );
    expect(() => loaders({ negatives: { n: 64 } })).to.throw(
      ArgumentError,
      '65 rows, more than a batch: bs = 64',
    );
    expect(() => loaders({ target: 'log' })).to.throw(ArgumentError, 'every play is a positive');
    expect(() => loaders({ threshold: 3 })).to.throw(ArgumentError, 'every play is a positive');
  });
});
