import { expect } from 'chai';
import { Plays } from '../../lib/recital/data/plays.js';
import { Table } from '../../lib/recital/data/table.js';
import { ArgumentError } from '../../lib/recital/errors.js';
import { tagRows } from './support/tag-rows.js';

describe('tagRows', () => {
  const tags = Table.fromRows([
    { user_id: 'u1', track_id: 'a', tag: 'rock' },
    { user_id: 'u2', track_id: 'a', tag: 'rock' },
    { user_id: 'u2', track_id: 'b', tag: 'rock' },
    { user_id: 'u2', track_id: 'b', tag: 'rare' },
  ]);

  it('counts how often a tag was given to a track, and drops rare tags', () => {
    const { rows, tracks, matrix } = tagRows(tags, { minCount: 2 });
    expect(rows.classes).to.deep.equal(['rock']);
    expect(tracks.classes).to.deep.equal(['a', 'b']);
    expect(Array.from(matrix.data)).to.deep.equal([Math.log1p(2), Math.log1p(1)].map(Math.fround));
  });

  it('leaves out what a user called a track that is held out for them', () => {
    const heldOut = Plays.fromRows([
      { user: 'u2', track: 'a' },
      { user: 'u1', track: 'b' },
    ]);
    const { matrix } = tagRows(tags, { minCount: 1, heldOut });
    expect(Array.from(matrix.data)).to.deep.equal([1, 1, 1].map((n) => Math.fround(Math.log1p(n))));
  });

  it('says so when no tag is left', () => {
    expect(() => tagRows(tags, { minCount: 5 })).to.throw(
      ArgumentError,
      'No tag was given 5 times',
    );
    expect(() => tagRows(tags, { minCount: 0 })).to.throw(
      ArgumentError,
      'minCount must be a positive whole number',
    );
  });
});
