import { expect } from 'chai';
import { Random } from '../../../../lib/recital/compute/random.js';
import { CollabDataLoaders, type CollabPlaysOptions } from '../../../../lib/recital/data/collab.js';
import { WeightedDraw } from '../../../../lib/recital/data/negatives.js';
import { type PlayRecord, Plays } from '../../../../lib/recital/data/plays.js';
import {
  type Evaluation,
  evaluateRecommender,
} from '../../../../lib/recital/evaluation/evaluate-recommender.js';
import { BCEWithLogitsLossFlat, BPRLoss } from '../../../../lib/recital/nn/losses.js';
import { Popularity } from '../../../../lib/recital/recommend/baselines/popularity.js';
import {
  type CollabLearner,
  type CollabLearnerOptions,
  collabLearner,
} from '../../../../lib/recital/recommend/learners/collab.js';
import type { Recommender } from '../../../../lib/recital/recommend/recommender.js';
import { FoldedRecommender, holdOutUsers } from '../../../support/folded.js';

/**
 * 150 users × 100 tracks of four tastes: 20 plays each, two of three within the own taste and
 * played often, the others once.
 */
function tastePlays(seed = 1): Plays {
  const random = new Random(seed);
  const popular = new WeightedDraw(Array.from({ length: 25 }, (_, t) => 1 / (4 + t)));
  const rows: PlayRecord[] = [];
  for (let u = 0; u < 150; u++) {
    const own = new Map<number, number>();
    while (own.size < 20) {
      const taste = random.uniform() < 2 / 3 ? u % 4 : random.int(4);
      own.set(4 * popular.draw(random) + taste, taste === u % 4 ? 3 + random.int(6) : 1);
    }
    for (const [t, playcount] of own) rows.push({ user: `u${u}`, track: `t${t}`, playcount });
  }
  return Plays.fromRows(rows);
}

describe('listeners who are folded in', () => {
  interface Outcome {
    trained: Evaluation;
    folded: Evaluation;
    popular: Evaluation;
  }

  /**
   * A sixth of the users is set apart: what they get when they are trained with the others, and
   * when they are folded into a model of the others.
   */
  async function measure(
    loader: CollabPlaysOptions,
    options: CollabLearnerOptions,
  ): Promise<Outcome> {
    const plays = tastePlays();
    const { others, history, test } = holdOutUsers(plays, { userPct: 1 / 6, testPct: 0.25 });
    const learner = async (rows: number[]): Promise<CollabLearner> => {
      const dls = CollabDataLoaders.fromPlays(plays, {
        bs: 64,
        split: { train: rows, valid: [] },
        ...loader,
      });
      const learn = collabLearner(dls, { nFactors: 8, ...options });
      await learn.fitOneCycle(12, 0.02, { wd: 0.1 });
      return learn;
    };
    const alone = await learner(others);
    const folded = new FoldedRecommender(alone, plays.take(history).compact(), (items) =>
      alone.foldIn(items),
    );
    const heldOut = plays.take(test);
    const evaluate = (r: Recommender): Evaluation =>
      evaluateRecommender(r, heldOut, { users: folded.foldedUsers });
    const popular = new Popularity(plays.take([...others, ...history]));
    return {
      trained: evaluate(await learner([...others, ...history])),
      folded: evaluate(folded),
      popular: evaluate(popular),
    };
  }

  const cases: [string, CollabPlaysOptions, CollabLearnerOptions][] = [
    ['MSELossFlat', { target: 'log' }, {}],
    ['MSELossFlat with a range', { target: 'rank' }, { yRange: [-0.1, 1.1] }],
    ['BCEWithLogitsLossFlat', { target: 'binary' }, { lossFunc: new BCEWithLogitsLossFlat() }],
    [
      'BCEWithLogitsLossFlat with negatives',
      { negatives: { n: 2 } },
      { lossFunc: new BCEWithLogitsLossFlat() },
    ],
    [
      'BPRLoss with negatives by popularity',
      { negatives: { n: 2, sampling: 'popularity' } },
      { lossFunc: new BPRLoss() },
    ],
  ];
  for (const [name, loader, options] of cases) {
    it(`rank within 10 % of the same listeners trained, and far better than by popularity: ${name}`, async () => {
      const { trained, folded, popular } = await measure(loader, options);
      for (const metric of ['ndcg', 'recall'] as const) {
        expect(folded[metric]).to.be.above(0.9 * trained[metric]);
        expect(folded[metric]).to.be.above(1.3 * popular[metric]);
      }
    });
  }
});
