import { expect } from 'chai';
import { Plays } from '../../../../lib/recital/data/plays.js';
import { Vocabulary } from '../../../../lib/recital/data/vocabulary.js';
import { ArgumentError } from '../../../../lib/recital/errors.js';
import { RandomRecommender } from '../../../../lib/recital/recommend/baselines/random.js';
import { Interactions } from '../../../../lib/recital/recommend/interactions.js';
import { recommenderContract, smallPlays } from '../contract.js';

recommenderContract('RandomRecommender', (plays) => new RandomRecommender(plays), {
  checkerboard: 'none',
});

const small = Plays.fromRows(['a', 'b', 'c'].map((track) => ({ user: 'u', track })));

describe('RandomRecommender', () => {
  it('gives other lists to other users and with other seeds', () => {
    const plays = smallPlays();
    const lists = [new RandomRecommender(plays), new RandomRecommender(plays, { seed: 1 })].flatMap(
      (r) =>
        ['user00', 'user01'].map((user) =>
          r.recommend(user, { n: 30, filterSeen: false }).ids.join(),
        ),
    );
    expect(new Set(lists).size).to.equal(4);
  });

  it('puts every track first about equally often', () => {
    const firsts = new Map<string, number>();
    for (let seed = 0; seed < 3000; seed++) {
      const [id] = new RandomRecommender(small, { seed }).recommend('u', {
        n: 1,
        filterSeen: false,
      }).ids;
      firsts.set(id, (firsts.get(id) ?? 0) + 1);
    }
    for (const track of small.tracks.classes) expect(firsts.get(track)).to.be.within(900, 1100); // 1000 ± 3.9 standard deviations
  });

  it('draws from what another recommender knows, tracks included that nobody has played', () => {
    const { users } = small;
    const tracks = Vocabulary.fromValues(['a', 'b', 'c', 'd', 'e']);
    const seen = Interactions.fromPairs({
      users,
      tracks,
      user: Int32Array.of(0, 0),
      track: Int32Array.of(0, 3),
    });
    const { ids } = new RandomRecommender(seen).recommend('u', { n: 5 });
    expect([...ids].sort()).to.deep.equal(['b', 'c', 'e']);
  });

  it('refuses no plays and a seed that is none', () => {
    expect(() => new RandomRecommender(small.take([]))).to.throw(ArgumentError, 'no plays');
    expect(() => new RandomRecommender(small, { seed: 0.5 })).to.throw(
      ArgumentError,
      'seed must be an integer',
    );
  });
});
