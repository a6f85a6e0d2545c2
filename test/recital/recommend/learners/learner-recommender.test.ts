import { expect } from 'chai';
import { Random } from '../../../../lib/recital/compute/random.js';
import type { Batch } from '../../../../lib/recital/data/batches.js';
import { CollabDataLoaders } from '../../../../lib/recital/data/collab.js';
import type { Plays } from '../../../../lib/recital/data/plays.js';
import { SequenceDataLoaders } from '../../../../lib/recital/data/sequence-loaders.js';
import { perUserSplit, splitPlays } from '../../../../lib/recital/data/splits.js';

import { ArgumentError, NumericError } from '../../../../lib/recital/errors.js';
import { evaluate } from '../../../../lib/recital/evaluation/evaluate.js';
import { Learner } from '../../../../lib/recital/learner/learner.js';
import { tensorflowModel } from '../../../../lib/recital/models/tensorflow.js';
import { tensorflow } from '../../../../lib/recital/models/tensorflow-load.js';
import { CrossEntropyLossFlat } from '../../../../lib/recital/nn/cross-entropy.js';
import { BCEWithLogitsLossFlat } from '../../../../lib/recital/nn/losses.js';
import type { Model } from '../../../../lib/recital/nn/model.js';
import { Parameter } from '../../../../lib/recital/nn/parameter.js';
import { collabLearner } from '../../../../lib/recital/recommend/learners/collab.js';
import { LearnerRecommender } from '../../../../lib/recital/recommend/learners/learner-recommender.js';
import { recommenderContract, smallPlays } from '../contract.js';

const wholeLoaders = (plays: Plays): CollabDataLoaders =>
  CollabDataLoaders.fromPlays(plays, {
    bs: 16,
    split: { train: Array.from({ length: plays.length }, (_, i) => i), valid: [] },
  });

/** A dot product with a bias of the item, by hand. */
function dotProduct({ classes: { user, item } }: CollabDataLoaders, width = 8): Model {
  const random = new Random(1);
  const [U, V, b] = [
    new Parameter('U', [user.length, width]),
    new Parameter('V', [item.length, width]),
    new Parameter('b', [item.length]),
  ];
  for (const { value } of [U, V])
    for (let j = 0; j < value.length; j++) value[j] = 0.1 * random.normal();
  let at: Batch;
  return {
    parameters: [U, V, b],
    outputs: 1,
    forward(batch) {
      at = batch;
      const pred = Float32Array.from({ length: batch.size }, (_, r) => b.value[batch.inputs[1][r]]);
      for (let r = 0; r < batch.size; r++)
        for (let f = 0; f < width; f++)
          pred[r] +=
            U.value[width * batch.inputs[0][r] + f] * V.value[width * batch.inputs[1][r] + f];
      return pred;
    },
    backward(d) {
      for (let r = 0; r < at.size; r++) {
        const [u, v] = [at.inputs[0][r], at.inputs[1][r]];
        b.grad[v] += d[r];
        for (let f = 0; f < width; f++) {
          U.grad[width * u + f] += d[r] * V.value[width * v + f];
          V.grad[width * v + f] += d[r] * U.value[width * u + f];
        }
      }
    },
  };
}

async function train(plays: Plays): Promise<LearnerRecommender> {
  const dls = wholeLoaders(plays);
  const learn = new Learner(dls, dotProduct(dls), { lossFunc: new BCEWithLogitsLossFlat() });
  await learn.fitOneCycle(20, 0.05);
  return new LearnerRecommender(learn);
}

recommenderContract('LearnerRecommender', (plays) => train(plays), { checkerboard: 'graded' });

describe('LearnerRecommender', () => {
  const plays = smallPlays();
  const dls = wholeLoaders(plays);

  it('reports for every pair what getPreds returns, of a model in TensorFlow.js as well', async () => {
    const tf = tensorflow();
    const model = tensorflowModel(
      ([users, items], { U, V }) => tf.gather(U, users).mul(tf.gather(V, items)).sum(1),
      {
        U: [dls.classes.user.length, 4],
        V: [dls.classes.item.length, 4],
      },
    );
    for (const each of [model, dotProduct(dls)]) {
      const learn = new Learner(dls, each, { lossFunc: new BCEWithLogitsLossFlat() });
      await learn.fit(2, 0.05);
      const { preds } = await learn.getPreds({ dsIdx: 0 });
      const all = new LearnerRecommender(learn).recommendBatch(plays.users.classes, {
        n: 30,
        filterSeen: false,
      });
      for (const i of [0, 17, 99]) {
        const { ids, scores } = all.at(plays.user[i]);
        expect(scores[ids.indexOf(plays.tracks.id(plays.track[i]))]).to.be.closeTo(preds[i], 1e-6);
      }
    }
  });

  it('ranks as the same model of ours does, in as many parts as it takes', () => {
    const learn = collabLearner(dls, { nFactors: 5, seed: 3 });
    const own = new LearnerRecommender(learn);
    const users = Int32Array.from({ length: 20 }, (_, u) => u);
    const many = Int32Array.from({ length: 400 }, (_, i) => users[i % 20]); // 12,000 pairs
    const [expected, scores] = [new Float32Array(400 * 30), new Float32Array(400 * 30)];
    learn.scores(many, expected);
    own.scores(many, scores);
    for (const [i, score] of scores.entries()) expect(score).to.be.closeTo(expected[i], 1e-6);
  });

  it('stands in a comparison under its name, and follows further training', async () => {
    const split = splitPlays(plays, perUserSplit(plays, { ratios: [0.6, 0.2, 0.2] }));
    const loaders = wholeLoaders(split.train);
    const learn = new Learner(loaders, dotProduct(loaders));
    const own = new LearnerRecommender(learn, { name: 'mine' });
    const before = own.recommend('user00', { n: 30 }).scores;
    await learn.fit(3, 0.05);
    expect(own.recommend('user00', { n: 30 }).scores).to.not.deep.equal(before);
    const found = await evaluate([own], split, {
      k: [5],
      metrics: ['recall'],
      samples: 20,
      verbose: false,
    });
    expect(found.details.strings('recommender')).to.include('mine');
  });

  it('refuses what it cannot rank by', () => {
    const model = dotProduct(dls);
    const lossFunc = new CrossEntropyLossFlat();
    const wrong: [() => unknown, string][] = [
      [
        () => new LearnerRecommender(plays as never),
        'needs a learner, such as new Learner(dls, model), got',
      ],
      [() => new LearnerRecommender(new Learner(dls, model), { name: '' }), 'name must be a text'],
      [
        () => new LearnerRecommender(new Learner(dls, model), { title: 'x' } as never),
        'LearnerRecommender has no option "title"',
      ],
      [
        () =>
          new LearnerRecommender(
            new Learner(
              SequenceDataLoaders.fromPlays(plays, { length: 2 }),
              { ...model, outputs: 30 },
              { lossFunc },
            ),
          ),
        'with CollabDataLoaders, which know users and tracks',
      ],
      [
        () => new LearnerRecommender(new Learner(dls, { ...model, outputs: 2 }, { lossFunc })),
        'a model with one output, the score of a user and a track; got one with 2',
      ],
      [
        () =>
          new LearnerRecommender(
            new Learner(dls, { ...model, forward: () => new Float32Array(3) }),
          ).recommend('user00'),
        'a prediction for each of the 30 rows of the batch, got 3 numbers',
      ],
    ];
    for (const [work, message] of wrong) expect(work).to.throw(ArgumentError, message);
    const broken = new Learner(dls, {
      ...model,
      forward: ({ size }) => new Float32Array(size).fill(NaN),
    });
    expect(() => new LearnerRecommender(broken).recommend('user00')).to.throw(NumericError);
  });
});
