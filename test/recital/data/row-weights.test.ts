import { expect } from 'chai';
import { CollabDataLoaders } from '../../../lib/recital/data/collab.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { Table } from '../../../lib/recital/data/table.js';
import { ArgumentError, UnknownIdError } from '../../../lib/recital/errors.js';
import { MSELossFlat } from '../../../lib/recital/nn/losses.js';
import { collabLearner } from '../../../lib/recital/recommend/learners/collab.js';

const table = Table.fromRows(
  Array.from({ length: 400 }, (_, i) => ({
    user: `u${i % 20}`,
    item: `i${Math.floor(i / 20)}`,
    rating: i % 3,
    weight: 1 + (i % 4),
    label: 'x',
  })),
);
const weightOf = (row: number): number => 1 + (row % 4);

describe('weights of rows', () => {
  it('come with their rows in training, and not in validation or in order', () => {
    for (const weights of ['weight', Array.from({ length: 400 }, (_, i) => weightOf(i))]) {
      const dls = CollabDataLoaders.fromTable(table, { weights });
      let n = 0;
      for (const batch of dls.train.batches(1)) {
        for (let k = 0; k < batch.size; k++, n++)
          expect(batch.weights![k]).to.equal(weightOf(batch.rows[k]));
      }
      expect(n).to.equal(320);
      for (const loader of [dls.valid, dls.train.inOrder()])
        for (const batch of loader.batches(0)) expect(batch.weights).to.equal(undefined);
    }
    for (const batch of CollabDataLoaders.fromTable(table).train.batches(0))
      expect(batch.weights).to.equal(undefined);
  });

  it('say how often rows are drawn with replacement, as in fastai, and then every row counts alike', () => {
    const dls = CollabDataLoaders.fromTable(table, { weights: 'weight', shuffle: 'replacement' });
    const total = [0, 0, 0, 0];
    for (let epoch = 0; epoch < 40; epoch++) {
      for (const batch of dls.train.batches(epoch)) {
        expect(batch.weights).to.equal(undefined);
        for (let k = 0; k < batch.size; k++) total[batch.rows[k] % 4]++;
      }
    }
    const all = total.reduce((a, b) => a + b, 0);
    const rows = [0, 0, 0, 0]; // training rows by weight
    for (const row of dls.split.train) rows[row % 4]++;
    const mass = rows.reduce((s, r, w) => s + r * (w + 1), 0);
    rows.forEach((r, w) => {
      expect(total[w] / all).to.be.closeTo((r * (w + 1)) / mass, 0.015);
    });
  });

  it('pull the prediction towards the rows that weigh more', async () => {
    // one user and item: target 0 with weight 1, target 1 with weight 3, so the best constant is
    // 0.75
    const rows = Array.from({ length: 64 }, (_, i) => ({
      user: 'u',
      item: 'i',
      rating: i % 2,
      weight: i % 2 ? 3 : 1,
    }));
    const split = { train: rows.map((_, i) => i), valid: [] };
    for (const [shuffle, tolerance] of [
      ['permutation', 0.02],
      ['replacement', 0.15],
    ] as const) {
      const dls = CollabDataLoaders.fromTable(rows, { weights: 'weight', shuffle, bs: 64, split });
      const learn = collabLearner(dls, { nFactors: 2, lossFunc: new MSELossFlat() });
      await learn.fit(150, 0.02, { wd: 0 });
      expect((await learn.getPreds({ dsIdx: 0 })).preds[0]).to.be.closeTo(0.75, tolerance);
    }
  });

  it('are given to negatives as to their positive', () => {
    const plays = Plays.fromRows(
      Array.from({ length: 60 }, (_, i) => ({
        user: `u${i % 10}`,
        track: `t${i % 10 < 5 ? i : i + 1}`,
        playcount: 1 + (i % 7),
      })),
    );
    const dls = CollabDataLoaders.fromPlays(plays, {
      weights: 'playcount',
      negatives: { n: 2 },
      bs: 12,
    });
    for (const { size, weights, rows } of dls.train.batches(0)) {
      for (let k = 0; k < size; k++)
        expect(weights![k]).to.equal(plays.playcount[rows[k - (k % 3)]]);
    }
  });

  it('must be a positive number for each row', () => {
    const make = (weights: string | number[]): CollabDataLoaders =>
      CollabDataLoaders.fromTable(table, { weights });
    expect(() => make([1, 2])).to.throw(
      ArgumentError,
      'one number for each of the 400 rows, got 2',
    );
    for (const bad of [0, -1, NaN, Infinity]) {
      const weights = new Array(400).fill(1);
      weights[7] = bad;
      expect(() => make(weights)).to.throw(
        ArgumentError,
        `Row 7 (counted from 0) has the weight ${bad}`,
      );
    }
    expect(() => make('label')).to.throw(ArgumentError, 'has the weight x');
    expect(() => make('wieght')).to.throw(UnknownIdError, 'weight');
    expect(() =>
      CollabDataLoaders.fromPlays(Plays.fromRows([{ user: 'a', track: 'b' }]), {
        weights: 'rating',
      }),
    ).to.throw(UnknownIdError, 'playcount');
  });
});
