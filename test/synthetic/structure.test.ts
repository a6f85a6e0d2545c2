import { expect } from 'chai';
import { Random } from '../../lib/recital/compute/random.js';
import { COLUMNS } from '../../lib/synthetic/calibration.js';
import { type Generated, generate, SIZES } from '../../lib/synthetic/kaggle.js';
import { contentAuc, lastPlayHits, playcountScores, shuffled } from './probes.js';
import { auc } from './statistics.js';

const MEDIUM = { users: 20_000, plays: 201_800, catalogue: 9_000, playable: 8_000, heard: 7_000 };

for (const [name, size] of [
  ['the sample', SIZES.sample],
  ['a medium size', MEDIUM],
] as const) {
  describe(`generate: what a model can learn from ${name}`, () => {
    let data: Generated;
    before(() => {
      data = generate(size, 1);
    });

    it('taste: neighbours find the held-out last play at least twice as often as popularity, order or none', () => {
      const { popularity, itemKnn } = lastPlayHits(shuffled(data, new Random(1)), size.catalogue, {
        k: 10,
        most: 1000,
      });
      expect(popularity).to.be.greaterThan(0.02);
      expect(itemKnn / popularity).to.be.greaterThan(2.5);
    });

    it('order: the track before finds the last play far better than popularity, and far better than in shuffled histories', () => {
      const inOrder = lastPlayHits(data, size.catalogue, { k: 20, most: 700 });
      const inDisorder = lastPlayHits(shuffled(data, new Random(1)), size.catalogue, {
        k: 20,
        most: 700,
      });
      expect(inOrder.markov / inOrder.popularity).to.be.greaterThan(2.5);
      expect(inOrder.markov / inDisorder.markov).to.be.greaterThan(1.6);
      expect(inOrder.markov / inOrder.itemKnn).to.be.greaterThan(1.1);
      expect(inDisorder.markov / inDisorder.itemKnn).to.be.lessThan(0.7); // without order nothing is left beyond what taste gives
    });

    it('playcounts follow affinity: plain means of user, track and artist tell counts of 2 and more', () => {
      expect(auc(data.affinity, (i) => data.playcount[i] >= 2)).to.be.within(0.75, 0.92);
      const { score, positive } = playcountScores(data, new Random(3));
      expect(auc(score, (i) => positive[i])).to.be.greaterThan(0.65);
    });

    it('content: sound alone tells hidden tracks that a user hears from others', () => {
      const features = COLUMNS.map((column) => data.catalogue.audio[column]);
      const found = contentAuc(data, features, new Random(9));
      expect(found).to.be.greaterThan(0.54);
      const random = new Random(4);
      const order = random.permutation(size.catalogue);
      const scrambled = features.map((x) => Float64Array.from(order, (t) => x[t]));
      expect(contentAuc(data, scrambled, new Random(9))).to.be.lessThan(found - 0.03);
    });
  });
}
