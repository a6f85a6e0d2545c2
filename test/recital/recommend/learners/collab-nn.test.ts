import { expect } from 'chai';
import { CollabDataLoaders } from '../../../../lib/recital/data/collab.js';
import type { Plays } from '../../../../lib/recital/data/plays.js';
import { ArgumentError, NumericError } from '../../../../lib/recital/errors.js';
import { EmbeddingDotBias } from '../../../../lib/recital/models/embedding-dot-bias.js';
import { EmbeddingNN } from '../../../../lib/recital/models/embedding-nn.js';
import { BCEWithLogitsLossFlat } from '../../../../lib/recital/nn/losses.js';
import {
  type CollabLearnerOptions,
  collabLearner,
} from '../../../../lib/recital/recommend/learners/collab.js';
import type { CollabNNLearner } from '../../../../lib/recital/recommend/learners/collab-nn.js';
import { recommenderContract, smallPlays } from '../contract.js';

const wholeLoaders = (plays: Plays): CollabDataLoaders =>
  CollabDataLoaders.fromPlays(plays, {
    bs: 16,
    split: { train: Array.from({ length: plays.length }, (_, i) => i), valid: [] },
  });

async function train(
  plays: Plays,
  options: CollabLearnerOptions<true> = {},
): Promise<CollabNNLearner> {
  const learn = collabLearner(wholeLoaders(plays), {
    useNn: true,
    nFactors: 16,
    lossFunc: new BCEWithLogitsLossFlat(),
    ...options,
  });
  await learn.fitOneCycle(20, 0.03);
  return learn;
}

recommenderContract('CollabNNLearner', (plays) => train(plays), { checkerboard: 'graded' });

describe('CollabNNLearner', () => {
  const plays = smallPlays();

  it('scores every pair as getPreds does: with hidden layers, dropout, biases, a range, a final batch norm, no hidden layer', async () => {
    for (const options of [
      {
        layers: [12, 7],
        config: { ps: 0.2, embedP: 0.1 },
        yRange: [-0.5, 1.5] as const,
        lossFunc: undefined,
      },
      { layers: [9], config: { useBn: false } },
      { layers: [9], config: { bnFinal: true } },
      { layers: [] },
    ]) {
      const learn = await train(plays, options);
      const { preds } = await learn.getPreds({ dsIdx: 0 });
      const out = new Float32Array(20 * 30);
      learn.scores(
        Int32Array.from({ length: 20 }, (_, u) => u),
        out,
      );
      const all = learn.recommendBatch(plays.users.classes, { n: 30, filterSeen: false });
      for (const i of [0, 17, 99]) {
        const { ids, scores } = all.at(plays.user[i]);
        expect(scores[ids.indexOf(plays.tracks.id(plays.track[i]))]).to.be.closeTo(preds[i], 2e-6);
        expect(learn.prediction(out[plays.user[i] * 30 + plays.track[i]])).to.be.closeTo(
          preds[i],
          2e-6,
        );
      }
    }
  });

  it('compares tracks by their embeddings, which it hands out as copies', async () => {
    const learn = await train(plays, { embSzs: { item: 3 } });
    const { values, width } = learn.trackVectors();
    expect([values.length, width]).to.deep.equal([90, 3]);
    expect(values.subarray(0, 3)).to.deep.equal(learn.model.item.weight.value.slice(3, 6));
    values.fill(7);
    expect(learn.model.item.weight.value[3]).to.not.equal(7);
    expect(learn.model.user.width, 'by the rule').to.equal(9);
  });

  it('fails to rank when weights are NaN, and says whose', async () => {
    const learn = await train(plays);
    learn.model.item.weight.value[7 * learn.model.item.width] = NaN; // row 7: track 6
    expect(() => learn.recommend('user01', { filterSeen: false })).to.throw(
      NumericError,
      /EmbeddingNN, user "user01": the score of track "track06" is NaN/,
    );
  });

  it('is made by collabLearner with useNn, one hidden layer of nFactors by default', () => {
    const { model, name } = collabLearner(wholeLoaders(plays), { useNn: true });
    expect(model).to.be.instanceOf(EmbeddingNN);
    expect(name).to.equal('EmbeddingNN');
    expect([model.first.outputs, model.first.inputs]).to.deep.equal([50, 9 + 11]);
    expect(collabLearner(wholeLoaders(plays)).model).to.be.instanceOf(EmbeddingDotBias);
    const start = (seed: number): Float32Array =>
      collabLearner(wholeLoaders(plays), { useNn: true, seed }).trackVectors().values;
    expect(start(1)).to.deep.equal(start(1));
    expect(start(1)).to.not.deep.equal(start(2));
  });

  it('refuses options of the network without the network', () => {
    for (const options of [{ layers: [10] }, { embSzs: { user: 5 } }, { config: { ps: 0.1 } }]) {
      const [name] = Object.keys(options);
      expect(() => collabLearner(wholeLoaders(plays), options as never)).to.throw(
        ArgumentError,
        `${name} is an option of the network: it needs useNn: true`,
      );
    }
    expect(() => collabLearner(wholeLoaders(plays), { useNn: true, nFactors: 0 })).to.throw(
      ArgumentError,
      'positive whole number',
    );
  });
});
