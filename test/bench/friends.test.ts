import { expect } from 'chai';
import { Plays } from '../../lib/recital/data/plays.js';
import { Table } from '../../lib/recital/data/table.js';
import { ArgumentError } from '../../lib/recital/errors.js';
import { recommenderContract, smallPlays } from '../recital/recommend/contract.js';
import { padded } from '../recital/recommend/contract-support.js';
import { Friends } from './support/friends.js';

/** Users who are the same modulo 2 are friends. */
const friends = Table.fromRows(
  Array.from({ length: 400 }, (_, i) => [i % 20, Math.floor(i / 20)]).flatMap(([a, b]) =>
    (a + b) % 2 === 0 ? [{ user_id: padded('user', a), friend_id: padded('user', b) }] : [],
  ),
);

describe('Friends', () => {
  recommenderContract('Friends', (plays) => new Friends(plays, { friends }));

  it('adds up what friends play, popular tracks held back, strangers left out', () => {
    const plays = Plays.fromRows([
      { user: 'a', track: 'x' },
      { user: 'b', track: 'x', playcount: 3 },
      { user: 'b', track: 'y' },
      { user: 'c', track: 'z' },
    ]);
    const rows = [
      { user_id: 'a', friend_id: 'b' },
      { user_id: 'a', friend_id: 'a' },
      { user_id: 'a', friend_id: 'nobody' },
    ];
    const out = new Float32Array(9);
    new Friends(plays, { friends: Table.fromRows(rows), popularityPower: 0.5 }).scores(
      Int32Array.of(0, 1, 2),
      out,
    );
    [Math.log(4) / Math.SQRT2, Math.log(2), 0, 0, 0, 0, 0, 0, 0].forEach((expected, i) => {
      expect(out[i]).to.be.closeTo(expected, 1e-6);
    });
  });

  it('refuses powers that make no sense', () => {
    expect(() => new Friends(smallPlays(), { friends, popularityPower: -1 })).to.throw(
      ArgumentError,
      'popularityPower must be a number from 0 on',
    );
  });
});
