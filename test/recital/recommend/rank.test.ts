import { expect } from 'chai';
import { memoryUsage } from '../../../lib/recital/compute/memory.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { NumericError } from '../../../lib/recital/errors.js';
import { Interactions } from '../../../lib/recital/recommend/interactions.js';
import { Recommender } from '../../../lib/recital/recommend/recommender.js';

/** Scores by a function of user and track index, and counts how many users it scored at once. */
class ByFunction extends Recommender {
  readonly name: string = 'ByFunction';
  readonly blocks: number[] = [];
  constructor(
    seen: Interactions,
    private readonly score: (user: number, track: number) => number,
  ) {
    super(seen);
  }
  scores(users: Int32Array, out: Float32Array): void {
    this.blocks.push(users.length);
    const n = this.tracks.length;
    expect(out.length).to.equal(users.length * n);
    for (let b = 0; b < users.length; b++)
      for (let t = 0; t < n; t++) out[b * n + t] = this.score(users[b], t);
  }
}

const people = Interactions.fromPlays(
  Plays.fromRows(
    Array.from({ length: 700 }, (_, i) => ({
      user: `user${String(i).padStart(3, '0')}`,
      track: `t${i % 7}`,
    })),
  ),
);

describe('recommendBatch', () => {
  it('ranks many users block by block, each as if alone', () => {
    const r = new ByFunction(people, (u, t) => (u * 31 + t * 17) % 7);
    const batch = r.recommendBatch(people.users.classes, { n: 3 });
    expect(r.blocks).to.deep.equal([256, 256, 188]);
    for (const i of [0, 255, 256, 511, 512, 699])
      expect(batch.at(i).ids).to.deep.equal(r.recommend(people.users.id(i), { n: 3 }).ids);
  });

  it('gives lists, pairs of user and list, and one table', () => {
    const r = new ByFunction(people, (_, t) => 7 - t);
    const batch = r.recommendBatch(['user008', 'user001'], { n: 2, among: ['t0', 't1'] }); // both have played t1
    expect([...batch].map(([user, list]) => [user, list.ids])).to.deep.equal([
      ['user008', ['t0']],
      ['user001', ['t0']],
    ]);
    expect([...batch.track]).to.deep.equal([0, -1, 0, -1]);
    expect([...batch.counts]).to.deep.equal([1, 1]);
    expect(batch.score[1]).to.be.NaN;
    expect(batch.toTable().rows()).to.deep.equal([
      { user_id: 'user008', rank: 1, track_id: 't0', score: 7 },
      { user_id: 'user001', rank: 1, track_id: 't0', score: 7 },
    ]);
    expect(() => batch.at(2)).to.throw('List 2 does not exist');
  });

  it('never recommends a track whose score is −∞', () => {
    const r = new ByFunction(people, (_, t) => (t < 5 ? -Infinity : t));
    expect(r.recommend('user000').ids).to.deep.equal(['t6', 't5']);
  });

  it('names user and track of a score that is NaN, and gives its memory back', () => {
    const r = new ByFunction(people, (u, t) => (u === 300 && t === 2 ? NaN : 1));
    const { used } = memoryUsage();
    expect(() => r.recommendBatch(people.users.classes)).to.throw(
      NumericError,
      'ByFunction, user "user300": the score of track "t2" is NaN',
    );
    expect(memoryUsage().used).to.equal(used);
  });

  it('reports predictions in place of scores, where they differ, and ranks by the scores', () => {
    class Saturated extends ByFunction {
      override prediction(score: number): number {
        return Math.min(score, 2);
      }
    }
    const list = new Saturated(people, (_, t) => t).recommend('user000', { n: 3 });
    expect(list.ids).to.deep.equal(['t6', 't5', 't4']);
    expect([...list.scores]).to.deep.equal([2, 2, 2]);
  });
});
