import { expect } from 'chai';
import { Plays } from '../../../lib/recital/data/plays.js';
import { targetsOf } from '../../../lib/recital/data/targets.js';
import { ArgumentError } from '../../../lib/recital/errors.js';

const counts: [user: string, playcount: number][] = [
  ['u1', 1],
  ['u2', 4],
  ['u1', 7],
  ['u1', 1],
  ['u1', 2],
];
const plays = Plays.fromRows(
  counts.map(([user, playcount], i) => ({ user, track: `t${i}`, playcount })),
);

describe('targetsOf', () => {
  it('is 1 from the threshold on, 2 by default', () => {
    expect([...targetsOf(plays)]).to.deep.equal([0, 1, 1, 0, 1]);
    expect([...targetsOf(plays, { threshold: 5 })]).to.deep.equal([0, 0, 1, 0, 0]);
  });

  it('is ln(1 + playcount)', () => {
    expect([...targetsOf(plays, { target: 'log' })]).to.deep.equal(
      counts.map(([, p]) => Math.fround(Math.log(1 + p))),
    );
  });

  it('is the rank within the user, ties at the middle, scaled into (0, 1)', () => {
    expect([...targetsOf(plays, { target: 'rank' })]).to.deep.equal([
      0.25, 0.5, 0.875, 0.25, 0.625,
    ]);
  });

  it('is the playcount itself, as a copy', () => {
    const target = targetsOf(plays, { target: 'count' });
    expect([...target]).to.deep.equal([1, 4, 7, 1, 2]);
    expect(target).to.not.equal(plays.playcount);
  });

  it('refuses a threshold that is no number', () => {
    expect(() => targetsOf(plays, { threshold: NaN })).to.throw(ArgumentError, 'got NaN');
  });
});
