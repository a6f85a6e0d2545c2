import { inspect } from 'node:util';
import { expect } from 'chai';
import { interactionMatrix } from '../../../lib/recital/data/interaction-matrix.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { ArgumentError } from '../../../lib/recital/errors.js';

const plays = Plays.fromRows([
  { user: 'u2', track: 'b', playcount: 5 },
  { user: 'u1', track: 'c', playcount: 2 },
  { user: 'u1', track: 'a', playcount: 3 },
  { user: 'u3', track: 'a' },
]);

describe('interactionMatrix', () => {
  it('has a row a user and a column a track', () => {
    const x = interactionMatrix(plays);
    expect(x.shape).to.deep.equal([3, 3]);
    expect(x.users.classes).to.deep.equal(['u1', 'u2', 'u3']);
    expect(x.tracks.classes).to.deep.equal(['a', 'b', 'c']);
    expect([...x.indptr]).to.deep.equal([0, 2, 3, 4]);
    expect([...x.indices]).to.deep.equal([0, 2, 1, 0]);
    expect([...x.data]).to.deep.equal([3, 2, 5, 1]);
  });

  it('says whether, or the logarithm of how often', () => {
    expect([...interactionMatrix(plays, { value: 'binary' }).data]).to.deep.equal([1, 1, 1, 1]);
    expect([...interactionMatrix(plays, { value: 'log' }).data]).to.deep.equal(
      [3, 2, 5, 1].map(Math.log1p),
    );
  });

  it('adds repeated plays up and leaves users and tracks without plays out', () => {
    const twice = plays.take([0, 0, 3]);
    const x = interactionMatrix(twice);
    expect(x.users.classes).to.deep.equal(['u2', 'u3']);
    expect(x.tracks.classes).to.deep.equal(['a', 'b']);
    expect([...x.indices]).to.deep.equal([1, 0]);
    expect([...x.data]).to.deep.equal([10, 1]);
  });

  it('prints its shape and how much of it is empty', () => {
    expect(inspect(interactionMatrix(plays))).to.equal(
      'Matrix of 3 users × 3 tracks: 4 of 9 cells filled, 55.56 % empty',
    );
    expect(Object.keys(interactionMatrix(plays)).sort()).to.deep.equal([
      'data',
      'indices',
      'indptr',
      'shape',
      'tracks',
      'users',
    ]);
  });

  it('refuses no plays and another value', () => {
    expect(() => interactionMatrix(plays.take([]))).to.throw(ArgumentError, 'no plays');
    expect(() => interactionMatrix(plays, { value: 'sum' as 'count' })).to.throw(
      ArgumentError,
      "'count', 'binary' or 'log', got 'sum'",
    );
  });
});
