import { expect } from 'chai';
import fc from 'fast-check';
import { Plays } from '../../../lib/recital/data/plays.js';
import { ArgumentError, DataError } from '../../../lib/recital/errors.js';

const plays = Plays.fromRows(
  ['a x', 'a y', 'a z', 'b x', 'b y', 'c x', 'd w'].map((pair, i) => ({
    user: pair[0],
    track: pair[2],
    playcount: i + 1,
  })),
);
const pairs = (p: Plays): string[] =>
  p
    .toTable()
    .rows()
    .map((r) => `${r.user_id} ${r.track_id}`);

describe('filters of Plays', () => {
  it('minPlays counts once, drops, and compacts', () => {
    const kept = plays.minPlays({ perUser: 2, perTrack: 2 });
    expect(pairs(kept)).to.deep.equal(['a x', 'a y', 'b x', 'b y']);
    expect([kept.users.classes, kept.tracks.classes]).to.deep.equal([
      ['a', 'b'],
      ['x', 'y'],
    ]);
    expect([...kept.playcount]).to.deep.equal([1, 2, 4, 5]);
    expect(pairs(plays.minPlays({ perUser: 2 }))).to.deep.equal([
      'a x',
      'a y',
      'a z',
      'b x',
      'b y',
    ]);
    expect(() => plays.minPlays({ perUser: 9 })).to.throw(DataError, 'Lower the limits');
    expect(() => plays.minPlays({ perTrack: 0 })).to.throw(
      ArgumentError,
      'perTrack must be a whole number',
    );
  });

  it('kCore repeats until nothing falls below k', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.nat(7), fc.nat(7)), { selector: String, minLength: 1 }),
        fc.integer({ min: 1, max: 4 }),
        (rows, k) => {
          const all = Plays.fromRows(rows.map(([user, track]) => ({ user, track })));
          let left = rows.map(([user, track]) => `${user} ${track}`);
          for (let n = -1; n !== left.length; ) {
            n = left.length;
            const count = (i: number, id: string): number =>
              left.filter((pair) => pair.split(' ')[i] === id).length;
            left = left.filter((pair) => pair.split(' ').every((id, i) => count(i, id) >= k));
          }
          if (left.length === 0) expect(() => all.kCore(k)).to.throw(DataError);
          else expect(pairs(all.kCore(k))).to.deep.equal(left);
        },
      ),
    );
  });

  it('sampleUsers keeps whole users, nested for one seed', () => {
    const small = plays.sampleUsers(2, { seed: 7 });
    const large = plays.sampleUsers(3, { seed: 7 });
    expect(small.users.length).to.equal(2);
    expect(pairs(small)).to.deep.equal(pairs(plays).filter((pair) => small.users.has(pair[0])));
    expect(small.users.classes.every((u) => large.users.has(u))).to.equal(true);
    expect(plays.sampleUsers(2, { seed: 7 }).toTable()).to.deep.equal(small.toTable());
    const chosen = new Set(
      Array.from({ length: 40 }, (_, seed) => plays.sampleUsers(1, { seed }).users.id(0)),
    );
    expect(chosen.size).to.equal(4);
    for (const n of [0, 5, 1.5])
      expect(() => plays.sampleUsers(n)).to.throw(
        ArgumentError,
        `from 1 to 4 (all users with plays), got ${n}`,
      );
  });

  it('sampleUsers draws among users with plays alone: a part of a split has others in its vocabulary', () => {
    const part = plays.take([1, 6]); // of a and d, not of the first to the last
    for (let seed = 0; seed < 9; seed++) expect(part.sampleUsers(1, { seed }).length).to.equal(1);
    expect(part.sampleUsers(2).users.classes).to.deep.equal(['a', 'd']);
    const late = plays.take([6]);
    for (let seed = 0; seed < 9; seed++)
      expect(pairs(late.sampleUsers(1, { seed }))).to.deep.equal(['d w']);
    expect(() => late.sampleUsers(2)).to.throw(
      ArgumentError,
      'from 1 to 1 (all users with plays), got 2',
    );
    expect(() => plays.sampleUsers(3, { sead: 1 } as never)).to.throw(
      ArgumentError,
      'sampleUsers has no option "sead"; did you mean "seed"?',
    );
  });
});
