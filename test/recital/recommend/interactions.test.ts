import { expect } from 'chai';
import fc from 'fast-check';
import { Plays } from '../../../lib/recital/data/plays.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { withSeen } from '../../../lib/recital/evaluation/held-out.js';
import { Popularity } from '../../../lib/recital/recommend/baselines/popularity.js';
import { Interactions } from '../../../lib/recital/recommend/interactions.js';

const vocabulary = (kind: string, n: number): Vocabulary =>
  Vocabulary.fromValues(
    Array.from({ length: n }, (_, i) => i),
    { kind },
  );

describe('Interactions', () => {
  it('hold each pair once, by user, tracks ascending, playcounts summed', () => {
    const pairs = fc.array(
      fc.record({ u: fc.nat(4), t: fc.nat(6), c: fc.integer({ min: 1, max: 9 }) }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(pairs, (rows) => {
        const columns = { users: vocabulary('user', 5), tracks: vocabulary('track', 7) };
        const user = Int32Array.from(rows, (r) => r.u);
        const track = Int32Array.from(rows, (r) => r.t);
        const made = Interactions.fromPairs({
          ...columns,
          user,
          track,
          playcount: Float32Array.from(rows, (r) => r.c),
        });
        const byTrack = made.transpose();
        let n = 0;
        for (let u = 0; u < 5; u++) {
          for (let t = 0; t < 7; t++) {
            const same = rows.filter((r) => r.u === u && r.t === t);
            expect(made.has(u, t)).to.equal(same.length > 0);
            expect(
              [...byTrack.indices.subarray(byTrack.indptr[t], byTrack.indptr[t + 1])].includes(u),
            ).to.equal(same.length > 0);
            if (!same.length) continue;
            expect(made.row(u).includes(t)).to.equal(true);
            expect(made.playcount[n++]).to.equal(same.reduce((sum, r) => sum + r.c, 0));
          }
        }
        expect(made.length).to.equal(n);
      }),
    );
  });

  it('count listeners and plays of each track', () => {
    const made = Interactions.fromPlays(
      Plays.fromRows([
        { user: 'u1', track: 'a', playcount: 2 },
        { user: 'u2', track: 'a', playcount: 3 },
        { user: 'u2', track: 'b' },
      ]),
    );
    expect([...made.usersPerTrack()]).to.deep.equal([2, 1]);
    expect([...made.plays()]).to.deep.equal([5, 1]);
  });

  it('of plays leave out users and tracks that a split has left without plays', () => {
    const plays = Plays.fromRows([
      { user: 'u1', track: 'a' },
      { user: 'u2', track: 'b' },
    ]);
    const made = Interactions.fromPlays(plays.take([1]));
    expect(made.users.classes).to.deep.equal(['u2']);
    expect(made.tracks.classes).to.deep.equal(['b']);
    expect(made.has(0, 0)).to.equal(true);
  });

  it('count 1 a pair without playcounts', () => {
    const columns = { users: vocabulary('user', 1), tracks: vocabulary('track', 2) };
    const made = Interactions.fromPairs({
      ...columns,
      user: Int32Array.of(0, 0, 0),
      track: Int32Array.of(1, 0, 1),
    });
    expect([...made.playcount]).to.deep.equal([1, 2]);
  });

  it('are the same when they are made of their own rows', () => {
    const columns = { users: vocabulary('user', 3), tracks: vocabulary('track', 4) };
    const made = Interactions.fromPairs({
      ...columns,
      user: Int32Array.of(2, 0, 2, 0),
      track: Int32Array.of(3, 1, 0, 2),
      playcount: Float32Array.of(5, 1, 2, 3),
    });
    expect(Interactions.fromCsr(made)).to.deep.equal(made);
    const { indptr, indices } = made;
    expect([...Interactions.fromCsr({ ...columns, indptr, indices }).playcount]).to.deep.equal([
      1, 1, 1, 1,
    ]);
  });

  it('refuse rows that are none, whatever is wrong with them', () => {
    const columns = { users: vocabulary('user', 2), tracks: vocabulary('track', 3) };
    const rows = (indptr: number[], indices: number[], playcount?: number[]) => () =>
      Interactions.fromCsr({
        ...columns,
        indptr: Int32Array.from(indptr),
        indices: Int32Array.from(indices),
        ...(playcount && { playcount: Float32Array.from(playcount) }),
      });
    expect(rows([0, 1, 2], [2, 0])).to.not.throw();
    for (const indptr of [[0, 2], [0, 1, 1, 2], [1, 1, 2], [0, 1, 3], []])
      expect(rows(indptr, [0, 1]), indptr.join()).to.throw(ArgumentError, '2 rows of together 2');
    expect(rows([0, 3, 2], [0, 1])).to.throw(ArgumentError, 'Row 1 has less than no numbers');
    for (const indices of [
      [1, 1],
      [2, 0],
      [0, 3],
      [-1, 0],
    ])
      expect(rows([0, 2, 2], indices), indices.join()).to.throw(
        ArgumentError,
        'Row 0 has the number',
      );
    for (const playcount of [[1], [1, 0], [1, NaN], [1, Infinity], [1, -1]])
      expect(rows([0, 1, 2], [0, 1], playcount)).to.throw(ArgumentError, 'playcounts above 0');
  });

  it('refuse columns of unequal lengths', () => {
    const columns = { users: vocabulary('user', 1), tracks: vocabulary('track', 1) };
    expect(() =>
      Interactions.fromPairs({ ...columns, user: Int32Array.of(0), track: new Int32Array(0) }),
    ).to.throw(ArgumentError, 'equal lengths');
  });

  it('are made once of the same plays, which recommenders share', () => {
    const plays = Plays.fromRows([{ user: 'u', track: 'a' }]);
    expect(Interactions.fromPlays(plays)).to.equal(new Popularity(plays).seen);
    expect(Interactions.fromPlays(plays.take([0]))).to.not.equal(Interactions.fromPlays(plays));
  });
});

describe('plays that came in later', () => {
  const play = fc.record({
    user: fc.constantFrom('u1', 'u2', 'u3', 'u4'),
    track: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    playcount: fc.integer({ min: 1, max: 9 }),
  });

  it('are seen beside those of training, as if all had been counted together, users and tracks that are not known left out', () => {
    fc.assert(
      fc.property(
        fc.array(play, { minLength: 1, maxLength: 15 }),
        fc.array(play, { maxLength: 15 }),
        (before, later) => {
          const popularity = new Popularity(Plays.fromRows(before));
          const { users, tracks } = popularity;
          const plays = Plays.fromRows(later);
          const { seen } = withSeen(popularity, plays);
          const both = [
            ...before,
            ...later.filter(({ user, track }) => users.has(user) && tracks.has(track)),
          ];
          const expected = Interactions.fromPlays(Plays.fromRows(both));
          for (const part of ['indptr', 'indices', 'playcount'] as const)
            expect([...seen[part]], part).to.deep.equal([...expected[part]]);
          expect(seen.users.classes).to.deep.equal(users.classes);
          expect(withSeen(popularity, plays).seen).to.equal(seen);
        },
      ),
    );
  });
});
