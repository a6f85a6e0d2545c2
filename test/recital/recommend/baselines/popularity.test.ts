import { expect } from 'chai';
import { Plays } from '../../../../lib/recital/data/plays.js';
import { ArgumentError } from '../../../../lib/recital/errors.js';
import { Popularity } from '../../../../lib/recital/recommend/baselines/popularity.js';
import { recommenderContract } from '../contract.js';

recommenderContract('Popularity', (plays) => new Popularity(plays), {
  checkerboard: 'none',
  foldIn: true,
});
recommenderContract('Popularity by plays', (plays) => new Popularity(plays, { by: 'plays' }), {
  checkerboard: 'none',
  foldIn: true,
});

describe('Popularity', () => {
  const plays = Plays.fromRows([
    { user: 'u1', track: 'a', playcount: 1 },
    { user: 'u2', track: 'a', playcount: 1 },
    { user: 'u3', track: 'a', playcount: 1 },
    { user: 'u1', track: 'b', playcount: 9 },
    { user: 'u2', track: 'c', playcount: 2 },
    { user: 'u3', track: 'c', playcount: 2 },
    { user: 'u3', track: 'd', playcount: 4 },
  ]);

  it('counts listeners by default', () => {
    const list = new Popularity(plays).recommend('u1', { n: 4, filterSeen: false });
    expect(list.ids).to.deep.equal(['a', 'c', 'b', 'd']); // b and d are tied: by index
    expect([...list.scores]).to.deep.equal([3, 2, 1, 1]);
  });

  it('counts plays if told', () => {
    const list = new Popularity(plays, { by: 'plays' }).recommend('u1', {
      n: 4,
      filterSeen: false,
    });
    expect(list.ids).to.deep.equal(['b', 'c', 'd', 'a']);
    expect([...list.scores]).to.deep.equal([9, 4, 4, 3]);
  });

  it('compares tracks by their listeners', () => {
    const list = new Popularity(plays).similarTracks('c');
    expect(list.ids).to.deep.equal(['a', 'd', 'b']);
    expect([...list.scores]).to.deep.equal(
      [2 / Math.sqrt(6), 1 / Math.sqrt(2), 0].map(Math.fround),
    );
  });

  it('knows only users and tracks with a play in its part of a split', () => {
    const part = new Popularity(plays.take([0, 1, 3]));
    expect(part.users.classes).to.deep.equal(['u1', 'u2']);
    expect(part.tracks.classes).to.deep.equal(['a', 'b']);
  });

  it('refuses no plays and an unknown measure', () => {
    expect(() => new Popularity(plays.take([]))).to.throw(ArgumentError, 'no plays to count');
    expect(() => new Popularity(plays, { by: 'likes' as 'plays' })).to.throw(
      ArgumentError,
      "'users' or 'plays', got 'likes'",
    );
  });
});
