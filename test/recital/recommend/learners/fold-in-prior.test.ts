import { expect } from 'chai';
import { CollabDataLoaders, type CollabPlaysOptions } from '../../../../lib/recital/data/collab.js';
import type { Plays } from '../../../../lib/recital/data/plays.js';
import {
  type CollabLearner,
  type CollabLearnerOptions,
  collabLearner,
} from '../../../../lib/recital/recommend/learners/collab.js';
import { fitListener } from '../../../../lib/recital/recommend/learners/collab-fold-in.js';
import { smallPlays } from '../contract.js';

async function train(
  plays: Plays,
  loader: CollabPlaysOptions = {},
  options: CollabLearnerOptions = {},
): Promise<CollabLearner> {
  const all = { train: Array.from({ length: plays.length }, (_, i) => i), valid: [] };
  const dls = CollabDataLoaders.fromPlays(plays, { bs: 16, split: all, ...loader });
  const learn = collabLearner(dls, { nFactors: 6, ...options });
  await learn.fitOneCycle(8, 0.03, { wd: 0.1 });
  return learn;
}

/**
 * The prior's strengths, and the root mean square of each parameter's gradient over training rows,
 * counted again here.
 */
function strengths(learn: CollabLearner): { strength: readonly number[]; rms: number[] } {
  const { model, dls } = learn;
  const { user, item, target } = dls.train.data;
  const squares = new Float64Array(7);
  for (let i = 0; i < user.length; i++) {
    let score = model.uBias.value[user[i]] + model.iBias.value[item[i]];
    for (let j = 0; j < 6; j++)
      score += model.uWeight.value[user[i] * 6 + j] * model.iWeight.value[item[i] * 6 + j];
    const g = 2 * (score - target[i]);
    for (let j = 0; j < 7; j++)
      squares[j] += (g * (j < 6 ? model.iWeight.value[item[i] * 6 + j] : 1)) ** 2;
  }
  return {
    strength: learn.userPrior().strength,
    rms: Array.from(squares, (s) => Math.sqrt(s / user.length)),
  };
}

describe('userPrior', () => {
  it('finds the ridge again that users were fitted with', async () => {
    const learn = await train(smallPlays(), { target: 'log' });
    const { model, dls } = learn;
    let prior = learn.userPrior();
    const [factors, bias] = [0.8, 2.5]; // times the gradient's root mean square, which moves with the users
    for (let round = 0; round < 30; round++) {
      const { rms } = strengths(learn);
      prior = { ...prior, strength: rms.map((r, j) => (j < 6 ? factors : bias) * r) };
      for (let u = 1; u < dls.classes.user.length; u++) {
        const rows = [...dls.train.data.user.keys()]
          .filter((i) => dls.train.data.user[i] === u)
          .sort((a, b) => dls.train.data.item[a] - dls.train.data.item[b]);
        const track = Int32Array.from(rows, (i) => dls.train.data.item[i] - 1);
        const target = Float32Array.from(rows, (i) => dls.train.data.target[i]);
        const { theta } = fitListener(
          learn,
          { track, target, weight: new Float64Array(rows.length).fill(1) },
          { prior },
        );
        model.uWeight.value.set(theta.subarray(0, 6), u * 6);
        model.uBias.value[u] = theta[6];
      }
    }
    const { rms, strength } = strengths(learn);
    for (let j = 0; j < 7; j++)
      expect(strength[j] / rms[j]).to.be.closeTo(
        j < 6 ? factors : bias,
        0.05 * (j < 6 ? factors : bias),
      );
  });

  it('is what weight decay amounts to after long training', async () => {
    const plays = smallPlays();
    const learn = collabLearner(
      CollabDataLoaders.fromPlays(plays, {
        bs: 1,
        target: 'log',
        split: { train: [...Array(plays.length).keys()], valid: [] },
      }),
      { nFactors: 6 },
    );
    await learn.fitOneCycle(150, 0.01, { wd: 0.3 });
    const balance = 0.3 * Math.sqrt(plays.length);
    const { strength, rms } = strengths(learn);
    for (let j = 0; j < 7; j++) expect(strength[j] / rms[j] / balance).to.be.within(0.5, 2);
  });

  it('is found once, and again when the weights have changed', async () => {
    const learn = await train(smallPlays(), { target: 'log' });
    const prior = learn.userPrior();
    expect(learn.userPrior()).to.equal(prior);
    learn.model.uWeight.value[40] += 0.5;
    expect(learn.userPrior().strength).to.not.deep.equal(prior.strength);
    learn.model.uWeight.value[40] -= 0.5;
    await learn.fit(1, 0.01, { wd: 0.1 });
    expect(learn.userPrior().strength).to.not.deep.equal(prior.strength);
  });
});
