import { expect } from 'chai';
import fc from 'fast-check';
import { Plays } from '../../../lib/recital/data/plays.js';
import { playsAmong } from '../../../lib/recital/data/plays-among.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { indicesIn } from '../../../lib/recital/data/vocabulary-map.js';

const ids = fc.array(
  fc.oneof(
    fc.constantFrom('a', 'b', 'ab', '#na#', 'é', '中', '𝄞', ''),
    fc.string({ unit: 'grapheme' }),
  ),
  { maxLength: 12 },
);
const numbers = fc.array(fc.integer({ min: -20, max: 120 }), { maxLength: 12 });
const vocabulary = fc
  .tuple(fc.oneof(ids, numbers), fc.boolean(), fc.boolean())
  .map(([values, na, sorted]) =>
    sorted ? Vocabulary.fromValues(values, { na }) : Vocabulary.inOrder(values, { na }),
  );

describe('indices of one vocabulary in another', () => {
  it('are those that each id is looked up at', () => {
    fc.assert(
      fc.property(vocabulary, vocabulary, (from, to) => {
        expect([...indicesIn(from, to)]).to.deep.equal(from.classes.map((id) => to.indexOf(id)));
      }),
    );
  });

  it('are its own in itself', () => {
    const v = Vocabulary.fromValues(['b', 'a', 'c'], { na: true });
    expect([...indicesIn(v, v)]).to.deep.equal([0, 1, 2, 3]);
  });

  it('keep the plays of users and tracks that are known, in their order', () => {
    const plays = Plays.fromRows([
      { user: 'u1', track: 'c', playcount: 3 },
      { user: 'u2', track: 'a', playcount: 2 },
      { user: 'u1', track: 'a', playcount: 4 },
      { user: 'u3', track: 'b', playcount: 5 },
    ]);
    const known = {
      users: Vocabulary.fromValues(['u0', 'u1', 'u3']),
      tracks: Vocabulary.inOrder(['c', 'b']),
    };
    const { user, track, playcount } = playsAmong(plays, known);
    expect([...user]).to.deep.equal([1, 2]);
    expect([...track]).to.deep.equal([0, 1]);
    expect([...playcount]).to.deep.equal([3, 5]);
  });
});
