import path from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { float32, memoryUsage } from '../../../lib/recital/compute/memory.js';
import { Random } from '../../../lib/recital/compute/random.js';
import { CollabDataLoaders } from '../../../lib/recital/data/collab.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import {
  loadLearner,
  loadRecommender,
  loadRecommenderAsync,
} from '../../../lib/recital/files/load.js';
import { Hybrid } from '../../../lib/recital/hybrid/hybrid.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import { EmbeddingDotBias } from '../../../lib/recital/models/embedding-dot-bias.js';
import { Popularity } from '../../../lib/recital/recommend/baselines/popularity.js';
import { ALS } from '../../../lib/recital/recommend/factors/als.js';
import { FactorRecommender } from '../../../lib/recital/recommend/factors/factors.js';
import { PcaRecommender } from '../../../lib/recital/recommend/factors/pca.js';
import { collabLearner } from '../../../lib/recital/recommend/learners/collab.js';
import { lightGCNLearner } from '../../../lib/recital/recommend/learners/light-gcn.js';
import { EASE } from '../../../lib/recital/recommend/neighbours/ease.js';
import { ItemKNN } from '../../../lib/recital/recommend/neighbours/knn.js';
import type { Recommender } from '../../../lib/recital/recommend/recommender.js';
import { trainLstm } from '../../support/lstm.js';
import { TemporaryFolder } from '../data/temporary.js';
import { smallPlays } from '../recommend/contract.js';
import { scoreBytes } from '../recommend/contract-support.js';

const plays = smallPlays();
const user = plays.users.id(3);
const loaders = (): CollabDataLoaders => CollabDataLoaders.fromPlays(plays, { bs: 16, seed: 1 });
const used = (): number => memoryUsage().used;

const makers: Record<string, () => Promise<Recommender> | Recommender> = {
  ALS: () => ALS.fit(plays, { factors: 4, iterations: 1 }),
  EASE: () => EASE.fit(plays),
  ItemKNN: () => new ItemKNN(plays),
  PCA: () => PcaRecommender.fit(plays, { nComponents: 3 }),
  Popularity: () => new Popularity(plays),
  Hybrid: async () =>
    new Hybrid([new ItemKNN(plays), await ALS.fit(plays, { factors: 4, iterations: 1 })]),
  'a collab learner': () => collabLearner(loaders(), { nFactors: 4 }) as unknown as Recommender,
  'a network': () => collabLearner(loaders(), { useNn: true }) as unknown as Recommender,
  LightGCN: () =>
    lightGCNLearner(CollabDataLoaders.fromPlays(plays, { negatives: { n: 1 }, seed: 1 }), {
      nFactors: 4,
    }) as unknown as Recommender,
  LSTM: async () => (await trainLstm(plays)) as unknown as Recommender,
};

describe('dispose', () => {
  const folder = new TemporaryFolder();

  for (const [name, make] of Object.entries(makers)) {
    it(`gives the memory back at once, and every use is an error of ours: ${name}`, async () => {
      const one = await make();
      one.users.length && one.recommend(one.users.id(0), { n: 3 });
      const before = used();
      one.dispose();
      if (!['ItemKNN', 'Popularity'].includes(name)) expect(used()).to.be.below(before);
      const after = used();
      one.dispose();
      expect(used(), 'a second time').to.equal(after);
      for (const use of [
        () => one.recommend(user),
        () => one.similarTracks('track05'),
        () => one.scores(Int32Array.of(0), new Float32Array(30)),
        () => one.export('x'),
        () => one.users,
        () => one.foldIn(['track05']),
        () => one.seen,
      ])
        expect(use, String(use)).to.throw(ArgumentError, /has been disposed: its memory was given/);
      expect(String(one)).to.match(/disposed$/);
      expect(inspect(one)).to.match(/disposed$/);
      expect(one.name).to.be.a('string');
    });
  }

  it('is all of what a recommender has: as much as it took', async () => {
    const gains: number[] = [];
    for (let i = 0; i < 3; i++) {
      const before = used();
      const als = await ALS.fit(plays, { factors: 32, iterations: 1 });
      als.recommend(user);
      als.dispose();
      gains.push(used() - before);
    }
    expect(Math.max(...gains.slice(1)), 'bytes').to.be.below(20_000); // of 34,000 that the factors alone take
  });

  it('leaves plays, lists and other recommenders of the same plays as they are', async () => {
    const [one, other] = [await ALS.fit(plays), await ALS.fit(plays)];
    const list = one.recommend(user, { n: 4 });
    const batch = one.recommendBatch([user], { n: 4 });
    const bytes = scoreBytes(other);
    one.dispose();
    for (let i = 0; i < 50; i++) float32(500).fill(7); // whoever takes the memory next
    expect(scoreBytes(other).equals(bytes)).to.equal(true);
    expect(list.ids.length).to.equal(4);
    expect(batch.at(0).ids).to.deep.equal(list.ids);
    expect(plays.users.id(3)).to.equal(user);
    expect(new Popularity(plays).recommend(user).length).to.equal(10);
  });

  it('leaves factors and models that another one computes with', async () => {
    const als = await ALS.fit(plays, { factors: 4, iterations: 1 });
    const again = new FactorRecommender(als.seen, als.factors);
    const bytes = scoreBytes(again);
    als.dispose();
    for (let i = 0; i < 50; i++) float32(120).fill(7);
    expect(scoreBytes(again).equals(bytes)).to.equal(true);
    const before = used();
    again.dispose();
    expect(used()).to.be.below(before);
    expect(() => again.recommend(user)).to.throw(ArgumentError, 'disposed');

    const dls = loaders();
    const model = new EmbeddingDotBias(4, dls.classes, { random: new Random(1) });
    const [first, second] = [new Learner(dls, model), new Learner(dls, model)];
    const weights = model.parameters[0].value.slice();
    first.dispose();
    expect(model.parameters[0].value).to.deep.equal(weights);
    await second.fit(1, 1e-3);
    second.dispose();
    expect(() => model.parameters[0].value).to.throw(ArgumentError, 'disposed');
  });

  it('is refused while a learner trains', async () => {
    const learn = collabLearner(loaders(), { nFactors: 4 });
    const run = learn.fit(1, 1e-3);
    expect(() => learn.dispose()).to.throw(ArgumentError, /trains|run/);
    await run;
    learn.dispose();
    for (const use of [
      () => learn.fit(1),
      () => learn.model,
      () => learn.opt,
      () => learn.save('x'),
    ])
      expect(use).to.throw(ArgumentError, 'CollabLearner has been disposed');
  });

  it('is what `using` calls', async () => {
    const before = used();
    let kept: Recommender | undefined;
    {
      using als = await ALS.fit(plays, { factors: 64, iterations: 1 });
      kept = als;
      expect(als.recommend(user).length).to.equal(10);
    }
    expect(() => kept?.recommend(user)).to.throw(ArgumentError, 'ALS has been disposed');
    {
      using learn = collabLearner(loaders(), { nFactors: 64 });
      expect(learn.model.parameters.length).to.be.greaterThan(0);
    }
    expect(used() - before).to.be.below(20_000);
  });

  describe('120 models loaded one after the other', () => {
    const listeners = Plays.fromRows(
      Array.from({ length: 24_000 }, (_, i) => ({
        user: `user number ${i % 6000}`,
        track: `t${((i * 7) % 301) + Math.floor(i / 6000)}`,
      })),
    );
    const mb = 2 ** 20;

    it('take as much memory as one, if each is disposed', async () => {
      const als = await ALS.fit(listeners, { factors: 64, iterations: 1 });
      const file = als.export(path.join(folder.path, 'two megabytes'));
      const id = listeners.users.id(5);
      const before = used();
      for (let i = 0; i < 120; i++) {
        const one = loadRecommender(file); // not an await in between
        one.recommend(id);
        one.dispose();
      }
      expect(used() - before).to.be.below(2 * mb); // 1.6 MB of each are shared memory
    }).timeout(60_000);

    it('are collected before they are many, if none is disposed', async () => {
      const file = path.join(folder.path, 'two megabytes.safetensors');
      let most = 0;
      const before = used();
      for (let i = 0; i < 120; i++) {
        await loadRecommenderAsync(file);
        most = Math.max(most, used() - before);
      }
      expect(most / mb).to.be.below(100); // of 190
    }).timeout(60_000);

    it('so do learners', async () => {
      const learn = collabLearner(loaders(), { nFactors: 200 });
      const file = learn.export(path.join(folder.path, 'learner'));
      const before = used();
      for (let i = 0; i < 30; i++) loadLearner(file).dispose();
      expect(used() - before).to.be.below(mb / 2);
    });
  });
});
