import { expect } from 'chai';
import { Random } from '../../../../lib/recital/compute/random.js';
import { CollabDataLoaders, type CollabPlaysOptions } from '../../../../lib/recital/data/collab.js';
import { WeightedDraw } from '../../../../lib/recital/data/negatives.js';
import { type PlayRecord, Plays } from '../../../../lib/recital/data/plays.js';
import { evaluateRecommender } from '../../../../lib/recital/evaluation/evaluate-recommender.js';
import {
  BCEWithLogitsLossFlat,
  BPRLoss,
  HingeLoss,
  type Loss,
} from '../../../../lib/recital/nn/losses.js';
import { Popularity } from '../../../../lib/recital/recommend/baselines/popularity.js';
import { collabLearner } from '../../../../lib/recital/recommend/learners/collab.js';

/**
 * 200 users × 120 tracks, 20 plays each, nine of ten within one of four tastes; popular tracks in
 * each. `shuffled`: tastes mean nothing.
 */
function tastePlays(shuffled: boolean): Plays {
  const random = new Random('taste');
  const popular = new WeightedDraw(Array.from({ length: 30 }, (_, t) => 1 / (3 + t)));
  const rows: PlayRecord[] = [];
  for (let u = 0; u < 200; u++) {
    const own = new Set<number>();
    while (own.size < 20) {
      const taste = shuffled || random.uniform() < 0.1 ? random.int(4) : u % 4;
      own.add(4 * popular.draw(random) + taste);
    }
    for (const t of own) rows.push({ user: `u${u}`, track: `t${t}` });
  }
  return Plays.fromRows(rows);
}

describe('ranking with negative samples', () => {
  const ndcg = async (
    shuffled: boolean,
    lossFunc: Loss,
    options: CollabPlaysOptions & { useNn?: boolean } = {},
  ): Promise<{ model: number; popularity: number }> => {
    const plays = tastePlays(shuffled);
    const { useNn, ...loader } = options;
    const dls = CollabDataLoaders.fromPlays(plays, {
      negatives: { n: 1 },
      bs: 128,
      seed: 5,
      ...loader,
    });
    const made = { nFactors: 16, lossFunc };
    const learn = useNn ? collabLearner(dls, { ...made, useNn }) : collabLearner(dls, made);
    await learn.fitOneCycle(20, 0.02, { wd: 0.1 });
    const heldOut = plays.take(dls.split.valid);
    const of = [learn, new Popularity(plays.take(dls.split.train))].map(
      (r) => evaluateRecommender(r, heldOut, { k: 10 }).ndcg,
    );
    return { model: of[0], popularity: of[1] };
  };

  for (const [name, loss, options] of [
    ['BPRLoss', new BPRLoss(), {}],
    [
      'BPRLoss with two negatives by popularity',
      new BPRLoss(),
      { negatives: { n: 2, sampling: 'popularity' } },
    ],
    ['HingeLoss', new HingeLoss(), {}],
    ['BCEWithLogitsLossFlat', new BCEWithLogitsLossFlat(), {}],
    ['BPRLoss with EmbeddingNN', new BPRLoss(), { useNn: true }],
  ] as const) {
    it(`${name}: held-out tracks rank far better than by popularity where users have tastes, and not where they have none`, async () => {
      const planted = await ndcg(false, loss, options);
      expect(planted.model).to.be.above(3 * planted.popularity);
      const shuffled = await ndcg(true, loss, options);
      expect(shuffled.model).to.be.below(1.1 * shuffled.popularity);
    });
  }

  it('says what to do when the loaders have no negatives', async () => {
    const dls = CollabDataLoaders.fromPlays(tastePlays(false), { target: 'count' });
    await collabLearner(dls, { lossFunc: new BPRLoss() })
      .fit(1)
      .then(
        () => expect.fail('should not train'),
        (e) => expect(String(e)).to.include('negatives: { n: 1 }'),
      );
  });
});
