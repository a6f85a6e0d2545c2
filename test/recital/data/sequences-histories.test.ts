import { expect } from 'chai';
import { Plays } from '../../../lib/recital/data/plays.js';
import { Histories } from '../../../lib/recital/data/sequences-histories.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { ArgumentError, DataError, UnknownIdError } from '../../../lib/recital/errors.js';
import { sessionsOf } from '../../support/sequences.js';

/** The sequences, by id of user or session. */
function contents(histories: Histories): Record<string, string[]> {
  return Object.fromEntries(
    Array.from({ length: histories.length }, (_, s) => [
      histories.users?.id(s) ?? s,
      histories.items.decode(histories.history(s)),
    ]),
  );
}

describe('part of Histories', () => {
  const plays = Plays.fromRows(
    [...'ua ub va wb wc'.split(' ')].map(([user, track]) => ({ user, track })),
  );

  it('is what is kept, without users who have nothing left', () => {
    const all = Histories.of(plays);
    expect(contents(all.only([1, 1, 0, 0, 1]))).to.deep.equal({ u: ['a', 'b'], w: ['c'] });
    expect(contents(all.only([1, 1, 1, 1, 1]))).to.deep.equal(contents(all));
    expect(contents(all.only([0, 0, 0, 0, 0]))).to.deep.equal({});
    expect(() => all.only([1])).to.throw(
      ArgumentError,
      'There are 5 plays to keep or not, got 1 values',
    );
  });

  it('leaves sessions their numbers', () => {
    const all = Histories.of(sessionsOf([[0, 1], [2], [3, 4]]));
    expect(contents(all.only([1, 1, 0, 0, 1]))).to.deep.equal({ 0: ['t00', 't01'], 2: ['t04'] });
    expect(all.only([1, 0, 1, 1, 0]).users).to.equal(undefined);
  });

  it('may have fewer tracks', () => {
    const items = Vocabulary.fromValues(['b', 'c'], { kind: 'track' });
    expect(contents(Histories.of(plays).only([0, 1, 0, 1, 1], { items }))).to.deep.equal({
      u: ['b'],
      w: ['b', 'c'],
    });
    expect(() => Histories.of(plays).only([1, 1, 1, 1, 1], { items })).to.throw(
      UnknownIdError,
      '"a"',
    );
  });
});

describe('Histories of their parts', () => {
  const items = Vocabulary.fromValues(['a', 'b'], { kind: 'track' });
  const make = (indptr: number[], item: number[], users?: string[]): Histories =>
    Histories.from({
      items,
      users: users && Vocabulary.fromValues(users),
      indptr: Int32Array.from(indptr),
      item: Int32Array.from(item),
    });

  it('are what they say', () => {
    expect(contents(make([0, 2, 3], [1, 0, 1], ['u', 'v']))).to.deep.equal({
      u: ['b', 'a'],
      v: ['b'],
    });
    expect(contents(make([0, 1], [1]))).to.deep.equal({ 0: ['b'] });
  });

  it('must fit together', () => {
    expect(() => make([], [])).to.throw(DataError, 'do not span');
    expect(() => make([0, 1], [1, 1])).to.throw(DataError, 'do not span the 2 plays');
    expect(() => make([0, 3, 2], [1, 1])).to.throw(DataError, 'must rise');
    expect(() => make([1, 2], [1, 1])).to.throw(DataError, 'do not span');
    expect(() => make([0, 2], [1, 2])).to.throw(
      DataError,
      'Play 1 is of track 2; the tracks have indices 0 to 1',
    );
    expect(() => make([0, 1], [-1])).to.throw(DataError, 'of track -1');
    expect(() => make([0, 1], [1], ['u', 'v'])).to.throw(
      DataError,
      'There are 2 users for 1 sequences',
    );
  });
});
