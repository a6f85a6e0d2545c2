import { expect } from 'chai';
import { Plays } from '../../../lib/recital/data/plays.js';
import { perUserSplit } from '../../../lib/recital/data/splits.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { evaluateRecommender } from '../../../lib/recital/evaluation/evaluate-recommender.js';
import { withSeen } from '../../../lib/recital/evaluation/held-out.js';
import { fitHybrid } from '../../../lib/recital/hybrid/fit-hybrid.js';
import { Hybrid } from '../../../lib/recital/hybrid/hybrid.js';
import { normaliseScores } from '../../../lib/recital/hybrid/normalise.js';

import { Popularity } from '../../../lib/recital/recommend/baselines/popularity.js';
import { RandomRecommender } from '../../../lib/recital/recommend/baselines/random.js';
import { Interactions } from '../../../lib/recital/recommend/interactions.js';
import { ItemKNN, UserKNN } from '../../../lib/recital/recommend/neighbours/knn.js';
import { Recommender } from '../../../lib/recital/recommend/recommender.js';
import { recommenderContract, smallPlays } from '../recommend/contract.js';

const parts = (plays: Plays): Recommender[] => [
  new ItemKNN(plays),
  new UserKNN(plays),
  new Popularity(plays),
];

/** Scores by hand, of tracks that it may know without a play. */
class ByHand extends Recommender {
  readonly name: string = 'By hand';

  constructor(
    tracks: readonly string[],
    private readonly own: readonly number[],
    users: readonly string[] = ['u1', 'u2'],
  ) {
    const plays = Plays.fromRows(users.flatMap((user) => tracks.map((track) => ({ user, track }))));
    super(
      Interactions.fromPairs({
        users: plays.users,
        tracks: plays.tracks,
        user: new Int32Array(0),
        track: new Int32Array(0),
      }),
    );
  }

  scores(users: Int32Array, out: Float32Array): void {
    for (let b = 0; b < users.length; b++) out.set(this.own, b * this.own.length);
  }
}

describe('Hybrid', () => {
  for (const fusion of ['sum', 'rank'] as const) {
    recommenderContract(
      `Hybrid (${fusion})`,
      (plays) => new Hybrid(parts(plays), { weights: [1, 0.5, 0.01], fusion }),
      { foldIn: true },
    );
  }

  it('adds standardised scores, or reciprocal ranks, of tracks that are not played', () => {
    const sum = Float32Array.of(9, 1, 2, 3, -Infinity);
    normaliseScores(sum, Int32Array.of(0), 'sum');
    const deviation = Math.sqrt(2 / 3);
    [7, -1, 0, 1].forEach((z, t) => {
      expect(sum[t]).to.be.closeTo(z / deviation, 1e-6);
    });
    expect(sum[4]).to.equal(-Infinity);
    const rank = Float32Array.of(9, 1, 2, 2, 5);
    normaliseScores(rank, Int32Array.of(0), 'rank');
    [1, 4, 2.5, 2.5, 1].forEach((r, t) => {
      expect(rank[t]).to.be.closeTo(1 / (60 + r), 1e-7);
    });
  });

  it('knows the tracks of all parts, so that content brings in tracks without plays', () => {
    const known = new ByHand(['a', 'b'], [1, 0]);
    const content = new ByHand(['a', 'b', 'cold'], [0, 0, 4]);
    const hybrid = new Hybrid([known, content]);
    expect(hybrid.tracks.classes).to.deep.equal(['a', 'b', 'cold']);
    expect(hybrid.recommend('u1').ids).to.deep.equal(['cold', 'a', 'b']);
    expect(hybrid.explain('u1', 'cold').row(0)).to.include({
      recommender: 'By hand',
      comparable: 0,
      contribution: 0,
    });
  });

  it('asks a part only for users that it knows', () => {
    const hybrid = new Hybrid(
      [new ByHand(['a', 'b'], [0, 1]), new ByHand(['a', 'b'], [5, 0], ['u2'])],
      { weights: [1, 2] },
    );
    expect(hybrid.recommend('u1').ids).to.deep.equal(['b', 'a']);
    expect(hybrid.recommend('u2').ids).to.deep.equal(['a', 'b']);
    expect(hybrid.recommendBatch(['u2', 'u1']).at(1).ids).to.deep.equal(['b', 'a']);
  });

  it('explains a score by what each part says', () => {
    const plays = smallPlays();
    const hybrid = new Hybrid(parts(plays), { weights: [1, 0.5, 2] });
    const out = new Float32Array(30);
    hybrid.scores(Int32Array.of(3), out);
    const explained = hybrid.explain('user03', 'track05');
    expect(explained.numbers('contribution').reduce((a, b) => a + b, 0)).to.be.closeTo(
      out[5],
      1e-5,
    );
    expect(explained.strings('recommender')).to.deep.equal(['ItemKNN', 'UserKNN', 'Popularity']);
    expect(explained.numbers('score')[2]).to.equal(new Popularity(plays).counts[5]);
  });

  it('folds in only where all parts can', () => {
    const plays = smallPlays();
    const hybrid = new Hybrid([new ItemKNN(plays), new RandomRecommender(plays)]);
    expect(hybrid.canFoldIn).to.equal(false);
    expect(() => hybrid.foldIn(['track01'])).to.throw(
      ArgumentError,
      'Random cannot fold in a user whom it was not trained on',
    );
    expect(new Hybrid(parts(plays)).canFoldIn).to.equal(true);
  });

  it('refuses weights and parts that make no sense', () => {
    const plays = smallPlays();
    const knn = new ItemKNN(plays);
    expect(() => new Hybrid([])).to.throw(ArgumentError, 'There is no recommender to join');
    expect(() => new Hybrid([knn], { weights: [1, 1] })).to.throw(
      ArgumentError,
      'a weight for each of the 1 recommenders, got 2',
    );
    expect(() => new Hybrid([knn], { weights: [0] })).to.throw(
      ArgumentError,
      'one must be more than 0',
    );
    expect(() => new Hybrid([knn], { fusion: 'max' as 'sum' })).to.throw(
      ArgumentError,
      "fusion must be 'sum' or 'rank', got 'max'",
    );
  });
});

describe('fitHybrid', () => {
  const plays = smallPlays();
  const split = perUserSplit(plays, { seed: 3, ratios: [0.7, 0.3] });
  const train = plays.take(split.train);
  const heldOut = plays.take(split.valid);

  for (const fusion of ['sum', 'rank'] as const) {
    it(`finds weights that are at least as good as equal ones and as each part alone, fusion '${fusion}'`, () => {
      const trained = [...parts(train), new RandomRecommender(train)];
      const hybrid = fitHybrid(trained, heldOut, { fusion, k: 5 });
      const ndcg = (r: Recommender): number => evaluateRecommender(r, heldOut, { k: 5 }).ndcg;
      expect(Math.max(...hybrid.weights)).to.equal(1);
      expect(ndcg(hybrid)).to.be.at.least(ndcg(new Hybrid(trained, { fusion })) - 1e-9);
    });
  }

  it('weighs recommenders that know different tracks, over the tracks of all', () => {
    const known = new ByHand(['a', 'b', 'c'], [3, 2, 1]);
    const content = new ByHand(['b', 'c', 'cold'], [0, 0, 5]);
    const cold = fitHybrid(
      [known, content],
      Plays.fromRows(['u1', 'u2'].map((user) => ({ user, track: 'cold' }))),
    );
    expect(cold.recommend('u1').ids[0]).to.equal('cold');
    const warm = fitHybrid(
      [known, content],
      Plays.fromRows(['u1', 'u2'].map((user) => ({ user, track: 'a' }))),
    );
    expect(warm.recommend('u1').ids[0]).to.equal('a');
    expect(warm.weights[0]).to.equal(1);
    expect(warm.weights[1]).to.be.below(cold.weights[1]);
  });

  it('refuses plays that tell nothing, and metrics that are none', () => {
    expect(() => fitHybrid(parts(train), train)).to.throw(ArgumentError, 'nothing to fit');
    expect(() => fitHybrid(parts(train), heldOut, { metric: 'rmse' as 'ndcg' })).to.throw(
      ArgumentError,
      'metric must be',
    );
    expect(() => fitHybrid([], heldOut)).to.throw(ArgumentError, 'no recommender to join');
  });
});

describe('withSeen', () => {
  it('leaves further plays out of lists, and scores as before', () => {
    const plays = smallPlays();
    const knn = new ItemKNN(plays);
    const [first, second] = knn.recommend('user02').ids;
    const masked = withSeen(
      knn,
      Plays.fromRows([
        { user: 'user02', track: first },
        { user: 'user02', track: 'unknown' },
        { user: 'nobody', track: second },
      ]),
    );
    expect(masked.recommend('user02').ids[0]).to.equal(second);
    expect(masked.recommend('user03').ids).to.deep.equal(knn.recommend('user03').ids);
    expect(masked.name).to.equal('ItemKNN');
    expect(masked.foldIn!(['track01']).scores).to.deep.equal(knn.foldIn(['track01']).scores);
  });
});
