import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { csrFromPairs, groupBy } from '../../lib/data/csr.js';
import { Plays } from '../../lib/data/plays.js';
import { Table } from '../../lib/data/table.js';
import { Tracks } from '../../lib/data/tracks.js';
import { Vocabulary } from '../../lib/data/vocabulary.js';
import { ArgumentError, DataError } from '../../lib/errors.js';

const records = [
  { user: 'u2', track: 't9', playcount: 3 },
  { user: 'u1', track: 't1' },
  { user: 'u2', track: 't1', playcount: 5 },
  { user: 'u3', track: 't5', playcount: 2 },
];
const plays = Plays.fromRows(records);
const triples = (p: Plays): string[] =>
  p
    .toTable()
    .rows()
    .map((r) => `${r.user_id} ${r.track_id} ${r.playcount}`);

describe('Plays', () => {
  it('keeps the order of the rows and encodes ids by sorted vocabularies', () => {
    expect(plays.users.classes).to.deep.equal(['u1', 'u2', 'u3']);
    expect(plays.tracks.classes).to.deep.equal(['t1', 't5', 't9']);
    expect([...plays.user]).to.deep.equal([1, 0, 1, 2]);
    expect([...plays.track]).to.deep.equal([2, 0, 0, 1]);
    expect([...plays.playcount]).to.deep.equal([3, 1, 5, 2]);
    expect(triples(plays)).to.deep.equal(['u2 t9 3', 'u1 t1 1', 'u2 t1 5', 'u3 t5 2']);
  });

  it('sums repeated (user, track) into the first and counts them', () => {
    const repeated = Plays.fromRows([...records, { user: 'u2', track: 't9', playcount: 4 }, { user: 'u2', track: 't9', playcount: 1 }]);
    expect(triples(repeated)).to.deep.equal(['u2 t9 8', 'u1 t1 1', 'u2 t1 5', 'u3 t5 2']);
    expect(repeated.repairs).to.deep.equal({ duplicates: 2, notInCatalogue: 0 });
  });

  it('leaves no pair twice and loses no playcount, whatever is repeated', () => {
    const record = fc.record({ user: fc.nat(4), track: fc.nat(4), playcount: fc.integer({ min: 1, max: 9 }) });
    fc.assert(
      fc.property(fc.array(record), (rows) => {
        const sums = new Map<string, number>();
        for (const r of rows) sums.set(`${r.user} ${r.track}`, (sums.get(`${r.user} ${r.track}`) ?? 0) + r.playcount);
        const p = Plays.fromRows(rows);
        expect(triples(p)).to.deep.equal([...sums].map(([pair, sum]) => `${pair} ${sum}`));
        expect(p.repairs.duplicates).to.equal(rows.length - sums.size);
      }),
    );
  });

  it('takes rows without renumbering, and compacts on request', () => {
    const part = plays.take([3, 0]);
    expect(triples(part)).to.deep.equal(['u3 t5 2', 'u2 t9 3']);
    expect(part.users).to.equal(plays.users);
    const small = part.compact();
    expect(triples(small)).to.deep.equal(triples(part));
    expect(small.users.classes).to.deep.equal(['u2', 'u3']);
    expect(small.tracks.classes).to.deep.equal(['t5', 't9']);
    expect(plays.compact().users).to.equal(plays.users);
    expect(() => plays.take([4])).to.throw(ArgumentError, 'Row 4 does not exist; there are 4 plays');
  });

  it('lists the rows of each user and track in file order', () => {
    const { indptr, indices } = plays.byUser();
    expect([...indptr]).to.deep.equal([0, 1, 3, 4]);
    expect([...indices]).to.deep.equal([1, 0, 2, 3]);
    expect([...plays.byTrack().indices]).to.deep.equal([1, 2, 3, 0]);
  });

  it('keeps plays of tracks that the catalogue lacks, and counts them', () => {
    const catalogue = new Tracks(new Table({ track_id: ['t9', 't5'] }));
    const known = Plays.fromRows(records, { catalogue });
    expect(known.length).to.equal(4);
    expect(known.repairs).to.deep.equal({ duplicates: 0, notInCatalogue: 2 });
    expect(known.take([0]).catalogue).to.equal(catalogue);
  });

  it('refuses playcounts that are not positive numbers, and broken columns', () => {
    for (const playcount of [0, -1, NaN, Infinity]) {
      expect(() => Plays.fromRows([{ user: 'a', track: 'b', playcount }])).to.throw(DataError, `Row 0 (counted from 0) has playcount ${playcount}`);
    }
    const users = Vocabulary.fromValues(['a']);
    const columns = { users, tracks: users, user: Int32Array.of(0), track: Int32Array.of(0), playcount: Float32Array.of(1) };
    expect(() => new Plays({ ...columns, track: new Int32Array(2) })).to.throw(ArgumentError, 'equal lengths');
    expect(() => new Plays({ ...columns, user: Int32Array.of(1) })).to.throw(ArgumentError, 'user index 1, but the vocabulary has 1');
  });

  it('says what it holds', () => {
    expect(inspect(plays)).to.equal('Plays: 4 of 3 users × 3 tracks (1.3 a user, 44 % filled)');
  });
});

describe('csr', () => {
  it('groups every position under its key, ascending', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5)), (keys) => {
        const { indptr, indices } = groupBy(Int32Array.from(keys), 6);
        for (let k = 0; k < 6; k++) {
          expect([...indices.subarray(indptr[k], indptr[k + 1])]).to.deep.equal(keys.flatMap((key, i) => (key === k ? [i] : [])));
        }
      }),
    );
  });

  it('lists the distinct columns of each row, ascending', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(4))), (pairs) => {
        const rows = Int32Array.from(pairs, (p) => p[0]);
        const columns = Int32Array.from(pairs, (p) => p[1]);
        const { indptr, indices } = csrFromPairs(rows, columns, { rows: 4, columns: 5 });
        for (let r = 0; r < 4; r++) {
          const expected = [...new Set(pairs.filter((p) => p[0] === r).map((p) => p[1]))].sort();
          expect([...indices.subarray(indptr[r], indptr[r + 1])]).to.deep.equal(expected);
        }
      }),
    );
  });
});
