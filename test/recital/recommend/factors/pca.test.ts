import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { type PlayRecord, Plays } from '../../../../lib/recital/data/plays.js';
import { PCA } from '../../../../lib/recital/decomposition/pca.js';
import { ArgumentError } from '../../../../lib/recital/errors.js';
import { loadRecommender } from '../../../../lib/recital/files/load.js';
import {
  getRecommendationsPca,
  PcaRecommender,
} from '../../../../lib/recital/recommend/factors/pca.js';
import { recommenderContract, smallPlays } from '../contract.js';
import { scoreBytes } from '../contract-support.js';

// One component holds all that a checkerboard has to say.
const nComponents = (plays: Plays): number => (plays.catalogue ? 5 : 1);
recommenderContract(
  'PCA',
  (plays) => PcaRecommender.fit(plays, { nComponents: nComponents(plays) }),
  { foldIn: true },
);
recommenderContract(
  'PCA by reconstruction',
  (plays) =>
    PcaRecommender.fit(plays, {
      nComponents: nComponents(plays),
      score: 'reconstruction',
      value: 'log',
    }),
  { foldIn: true },
);

describe('PcaRecommender', () => {
  const plays = smallPlays();

  it('scores by the cosine of coordinates and loadings', async () => {
    const r = await PcaRecommender.fit(plays, { nComponents: 4 });
    const { users, components } = r.factors;
    const cosine = (u: number, t: number): number => {
      const a = Array.from({ length: 4 }, (_, c) => users.data[u * 4 + c]);
      const b = Array.from({ length: 4 }, (_, c) => components.data[c * 30 + t]);
      return a.reduce((s, v, c) => s + v * b[c], 0) / (Math.hypot(...a) * Math.hypot(...b));
    };
    const out = new Float32Array(2 * 30);
    r.scores(Int32Array.of(3, 17), out);
    out.forEach((score, i) => {
      expect(score).to.be.closeTo(cosine(i < 30 ? 3 : 17, i % 30), 1e-6);
    });
  });

  it('gives the whole matrix back with all components', async () => {
    const r = await PcaRecommender.fit(plays, { nComponents: 20, score: 'reconstruction' });
    const out = new Float32Array(20 * 30);
    r.scores(
      Int32Array.from({ length: 20 }, (_, u) => u),
      out,
    );
    const expected = new Float32Array(20 * 30);
    for (let u = 0; u < 20; u++)
      for (let j = r.seen.indptr[u]; j < r.seen.indptr[u + 1]; j++)
        expected[u * 30 + r.seen.indices[j]] = r.seen.playcount[j];
    out.forEach((score, i) => {
      expect(score).to.be.closeTo(expected[i], 1e-5);
    });
  });

  for (const score of ['cosine', 'reconstruction'] as const) {
    it(`folds the history of a user in to where the user is: ${score}`, async () => {
      const r = await PcaRecommender.fit(plays, { nComponents: 6, score });
      const out = new Float32Array(30);
      r.users.classes.forEach((_, u) => {
        r.scores(Int32Array.of(u), out);
        const history = Array.from(r.seen.row(u), (t, i) => ({
          track: r.tracks.id(t),
          playcount: r.seen.playcount[r.seen.indptr[u] + i],
        }));
        r.foldIn(history).scores.forEach((s, t) => {
          expect(s).to.be.closeTo(out[t], 1e-5);
        });
      });
    });
  }

  it('knows what its components explain, as PCA does', async () => {
    const r = await PcaRecommender.fit(plays, { nComponents: 0.6 });
    const sum = r.explainedVarianceRatio.reduce((a, b) => a + b, 0);
    expect(sum).to.be.above(0.6);
    expect(r.explainedVarianceRatio.length).to.equal(r.factors.components.shape[0]);
    expect(() => new PCA({ nComponents: 1.5 })).to.throw(ArgumentError);
  });

  it('has fifty components by default, or as many as there are', async () => {
    expect((await PcaRecommender.fit(plays)).factors.components.shape).to.deep.equal([20, 30]);
  });

  it('scores a user at the mean, who has no direction, 0 everywhere', async () => {
    const rows: PlayRecord[] = ['u1', 'u2', 'u3'].flatMap((user) =>
      ['a', 'b'].map((track) => ({ user, track })),
    );
    const r = await PcaRecommender.fit(Plays.fromRows(rows), { nComponents: 1 });
    expect([...r.recommend('u1', { filterSeen: false }).scores]).to.deep.equal([0, 0]);
  });

  it('is the same when it has been in a file', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'pca-'));
    try {
      for (const score of ['cosine', 'reconstruction'] as const) {
        const r = await PcaRecommender.fit(plays, { nComponents: 5, score, value: 'log' });
        const loaded = loadRecommender(r.export(path.join(dir, score)), { type: PcaRecommender });
        expect(scoreBytes(loaded).equals(scoreBytes(r))).to.equal(true);
        expect(loaded.foldIn(['track04']).scores).to.deep.equal(r.foldIn(['track04']).scores);
        expect(loaded.explainedVarianceRatio).to.deep.equal(r.explainedVarianceRatio);
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("answers the paper's question", async () => {
    const r = await PcaRecommender.fit(plays, { nComponents: 5 });
    const list = getRecommendationsPca(r, 'user03', { n: 4 });
    expect(list.ids).to.deep.equal(r.recommend('user03', { n: 4 }).ids);
    expect(list.columnNames).to.deep.equal([
      'rank',
      'track_id',
      'title',
      'artist',
      'year',
      'score',
    ]);
    expect(() => getRecommendationsPca(plays as never, 'user03')).to.throw(
      ArgumentError,
      'needs a PcaRecommender',
    );
  });

  it('refuses one user, other scores and values, and components of other plays', async () => {
    const refused = async (make: () => Promise<unknown>): Promise<string> => {
      try {
        await make();
      } catch (error) {
        expect(error).to.be.instanceOf(ArgumentError);
        return (error as Error).message;
      }
      throw new Error('It was not refused.');
    };
    expect(
      await refused(() => PcaRecommender.fit(Plays.fromRows([{ user: 'u', track: 'a' }]))),
    ).to.contain('at least 2 rows');
    expect(await refused(() => PcaRecommender.fit(plays, { score: 'dot' as 'cosine' }))).to.contain(
      "'cosine' or 'reconstruction', got 'dot'",
    );
    expect(await refused(() => PcaRecommender.fit(plays, { value: 'sum' as 'count' }))).to.contain(
      "got 'sum'",
    );
    expect(await refused(() => PcaRecommender.fit(plays, { nComponents: 21 }))).to.contain(
      'at most 20',
    );
    expect(await refused(() => PcaRecommender.fit(plays, { ncomponents: 3 } as never))).to.contain(
      'did you mean "nComponents"',
    );
    const { factors } = await PcaRecommender.fit(plays, { nComponents: 3 });
    expect(() => new PcaRecommender(plays.take([0, 1, 2]), factors)).to.throw(
      ArgumentError,
      'do not belong to these plays',
    );
  });
});
