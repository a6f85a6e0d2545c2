import { expect } from 'chai';
import { Plays } from '../../../../lib/recital/data/plays.js';
import { ArgumentError } from '../../../../lib/recital/errors.js';
import type {
  ItemItemRecommender,
  Weighting,
} from '../../../../lib/recital/recommend/neighbours/knn.js';
import { ItemKNN, UserKNN } from '../../../../lib/recital/recommend/neighbours/knn.js';
import { RP3beta } from '../../../../lib/recital/recommend/neighbours/rp3beta.js';
import { recommenderContract, smallPlays } from '../contract.js';

/** 4 users × 5 tracks. */
const counts = [
  [3, 0, 1, 0, 2],
  [0, 2, 0, 5, 1],
  [1, 1, 0, 0, 0],
  [0, 0, 4, 1, 1],
];

const plays = Plays.fromRows(
  counts.flatMap((row, u) =>
    row.flatMap((playcount, t) =>
      playcount > 0 ? [{ user: `u${u}`, track: `t${t}`, playcount }] : [],
    ),
  ),
);

function dense({ similarity: { shape, indptr, indices, data } }: ItemItemRecommender): number[][] {
  return Array.from({ length: shape[0] }, (_, r) => {
    const row = new Array<number>(shape[1]).fill(0);
    for (let j = indptr[r]; j < indptr[r + 1]; j++) row[indices[j]] = data[j];
    return row;
  });
}

describe('ItemKNN, UserKNN and RP3beta', () => {
  for (const weighting of ['none', 'tfidf', 'bm25'] as const) {
    recommenderContract(
      `ItemKNN (${weighting})`,
      (p) => new ItemKNN(p, { weighting, value: weighting === 'bm25' ? 'count' : 'binary' }),
      {
        foldIn: true,
      },
    );
  }
  recommenderContract('UserKNN', (p) => new UserKNN(p, { shrink: 2, value: 'log' }), {
    foldIn: true,
  });
  recommenderContract('RP3beta', (p) => new RP3beta(p), { foldIn: true });

  /** Similarities of implicit 0.7.3 on the same counts with K = 5, its diagonal taken away. */
  const implicit: Record<Weighting, number[][]> = {
    none: [
      [0, 0.141421, 0.230089, 0, 0.774597],
      [0.141421, 0, 0, 0.877058, 0.365148],
      [0.230089, 0, 0, 0.190261, 0.594089],
      [0, 0.877058, 0.190261, 0, 0.480384],
      [0.774597, 0.365148, 0.594089, 0.480384, 0],
    ],
    tfidf: [
      [0, 0.678442, 0.269835, 0, 0.426646],
      [0.678442, 0, 0, 0.479776, 0.262784],
      [0.269835, 0, 0, 0.365148, 0.763441],
      [0, 0.479776, 0.365148, 0, 0.66056],
      [0.426646, 0.262784, 0.763441, 0.66056, 0],
    ],
    bm25: [
      [0, 0.311579, 0.075584, 0, 0.112605],
      [0.311579, 0, 0, 0.126721, 0.078099],
      [0.075584, 0, 0, 0.071662, 0.152051],
      [0, 0.126721, 0.071662, 0, 0.132174],
      [0.112605, 0.078099, 0.152051, 0.132174, 0],
    ],
  };
  for (const weighting of ['none', 'tfidf', 'bm25'] as const) {
    it(`has the similarities of the implicit library, weighting '${weighting}'`, () => {
      const got = dense(new ItemKNN(plays, { weighting, value: 'count' }));
      implicit[weighting].forEach((row, i) => {
        row.forEach((expected, j) => {
          expect(got[i][j], `${i}, ${j}`).to.be.closeTo(Math.max(0, expected), 2e-6);
        });
      });
    });
  }

  it('adds the shrinkage to the denominator', () => {
    const got = dense(new ItemKNN(plays, { shrink: 3 }));
    expect(got[0][4]).to.be.closeTo(1 / (Math.sqrt(2 * 3) + 3), 1e-7); // u0 alone plays both, two play t0 and three t4
  });

  it('keeps the k nearest, of equals those that come first', () => {
    const got = dense(new ItemKNN(plays, { k: 1 }));
    for (const row of got) expect(row.filter((s) => s > 0)).to.have.length(1);
    expect(got[4].findIndex((s) => s > 0)).to.equal(2); // t2 and t3 are as near to t4
  });

  it('follows the random walk of RP3beta', () => {
    const got = dense(new RP3beta(plays, { alpha: 1, beta: 0.5 }));
    // From t0: to u0 or u2, each by half; from u0 to t4 by a third; t4 has three listeners.
    expect(got[0][4]).to.be.closeTo((1 / 2) * (1 / 3) * 3 ** -0.5, 1e-7);
    const held = dense(new RP3beta(plays, { alpha: 2, beta: 0 }));
    expect(held[0][4]).to.be.closeTo((1 / 2) ** 2 * (1 / 3) ** 2, 1e-7);
  });

  it('scores a user by the neighbours who play a track', () => {
    const knn = new UserKNN(plays);
    const out = new Float32Array(5);
    knn.scores(Int32Array.of(2), out);
    // u2 plays t0 and t1; u0 (t0 of three tracks) and u1 (t1 of three) are as near, 1/√6, u3 shares
    // nothing.
    [1, 1, 1, 1, 2].forEach((n, t) => {
      expect(out[t]).to.be.closeTo(n / Math.sqrt(6), 1e-6);
    });
  });

  it('explains a score by the tracks of the user, which add up to it', () => {
    for (const recommender of [
      new ItemKNN(smallPlays(), { value: 'log' }),
      new RP3beta(smallPlays()),
    ]) {
      const out = new Float32Array(30);
      recommender.scores(Int32Array.of(3), out);
      const explained = recommender.explain('user03', 'track05');
      expect(explained.total).to.be.closeTo(out[5], 1e-6);
      expect(explained.length).to.equal(recommender.seen.row(3).length);
    }
  });

  it('folds a user of training in with the very scores that they have', () => {
    for (const recommender of [new ItemKNN(plays, { value: 'count' }), new RP3beta(plays)]) {
      const out = new Float32Array(5);
      recommender.scores(Int32Array.of(0), out);
      const history = counts[0].flatMap((playcount, t) =>
        playcount > 0 ? [{ track: `t${t}`, playcount }] : [],
      );
      expect(recommender.foldIn(history).scores).to.deep.equal(out);
    }
  });

  it('refuses options that make no sense', () => {
    expect(() => new ItemKNN(plays, { k: 0 })).to.throw(
      ArgumentError,
      'k must be a positive whole number',
    );
    expect(() => new ItemKNN(plays, { shrink: -1 })).to.throw(
      ArgumentError,
      'shrink must be a number from 0 on, got -1',
    );
    expect(() => new ItemKNN(plays, { shrink: 1, weighting: 'bm25' })).to.throw(
      ArgumentError,
      'no denominator',
    );
    expect(() => new ItemKNN(plays, { weighting: 'idf' as 'tfidf' })).to.throw(
      ArgumentError,
      "weighting must be 'none', 'tfidf' or 'bm25', got 'idf'",
    );
    expect(() => new UserKNN(plays, { value: 'x' as 'log' })).to.throw(
      ArgumentError,
      "value must be 'count', 'binary' or 'log', got 'x'",
    );
    expect(() => new UserKNN(plays, { neighbours: 3 } as never)).to.throw(
      ArgumentError,
      'UserKNN has no option "neighbours"',
    );
    expect(() => new RP3beta(plays, { beta: NaN })).to.throw(
      ArgumentError,
      'beta must be a number from 0 on, got NaN',
    );
    expect(() => new ItemKNN(plays.take([]))).to.throw(ArgumentError, 'There are no plays');
  });
});
