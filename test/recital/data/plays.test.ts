import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { readPlays } from '../../../lib/recital/data/files/read-plays.js';
import { sql } from '../../../lib/recital/data/files/sql.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { splitPlays } from '../../../lib/recital/data/splits.js';
import { Table } from '../../../lib/recital/data/table.js';
import { Tracks } from '../../../lib/recital/data/tracks.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { ArgumentError, DataError, RecitalError } from '../../../lib/recital/errors.js';
import { runs } from '../../support/hostile.js';

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
    const repeated = Plays.fromRows([
      ...records,
      { user: 'u2', track: 't9', playcount: 4 },
      { user: 'u2', track: 't9', playcount: 1 },
    ]);
    expect(triples(repeated)).to.deep.equal(['u2 t9 8', 'u1 t1 1', 'u2 t1 5', 'u3 t5 2']);
    expect(repeated.repairs).to.deep.equal({ duplicates: 2, notInCatalogue: 0 });
  });

  it('leaves no pair twice and loses no playcount, whatever is repeated', () => {
    const record = fc.record({
      user: fc.nat(4),
      track: fc.nat(4),
      playcount: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(record), (rows) => {
        const sums = new Map<string, number>();
        for (const r of rows)
          sums.set(`${r.user} ${r.track}`, (sums.get(`${r.user} ${r.track}`) ?? 0) + r.playcount);
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
    expect(() => plays.take([4])).to.throw(
      ArgumentError,
      'Row 4 does not exist; there are 4, counted',
    );
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

  it('is made of columns, arrays or typed ones, and of tables', () => {
    const made = Plays.fromColumns({
      user: Int32Array.of(10, 9, 10, 10),
      track: ['b', 'a', 'a', 'b'],
      playcount: Uint8Array.of(1, 2, 3, 4),
    });
    expect(triples(made)).to.deep.equal(['10 b 5', '9 a 2', '10 a 3']);
    expect(made.users.classes).to.deep.equal(['9', '10']);
    expect(made.repairs.duplicates).to.equal(1);
    const big = Plays.fromColumns({
      user: BigInt64Array.of(2n ** 60n, 2n ** 60n + 1n),
      track: [2n ** 80n, 1n],
    });
    expect(triples(big)).to.deep.equal([`${2n ** 60n} ${2n ** 80n} 1`, `${2n ** 60n + 1n} 1 1`]);
    const table = new Table({
      who: ['u', 'v'],
      song: [1, 2],
      n: [3, 4],
      user: ['x', 'y'],
      track: ['s', 't'],
    });
    expect(
      triples(Plays.fromTable(table, { columns: { user: 'who', track: 'Song', playcount: 2 } })),
    ).to.deep.equal(['u 1 3', 'v 2 4']);
    expect(triples(Plays.fromTable(table))).to.deep.equal(['x s 1', 'y t 1']);
    expect(triples(Plays.fromTable(plays.toTable()))).to.deep.equal(triples(plays));
    const catalogue = new Tracks(new Table({ track_id: ['s'], name: ['Song'] }));
    expect(Plays.fromTable(table, { catalogue }).repairs.notInCatalogue).to.equal(1);
    expect(Plays.fromColumns({ user: [], track: [] }).length).to.equal(0);
  });

  it('refuses fields, columns and options that it does not know, and ids that are none or that are rounded', () => {
    const row = { user: 'a', track: 'b' };
    const wrong: [() => unknown, RegExp][] = [
      [
        () => Plays.fromRows([row, { ...row, playCount: 7 } as never]),
        /Row 1 .*the field "playCount".*did you mean "playcount"\?/,
      ],
      [
        () => Plays.fromRows([{ ...row, title: 'T' } as never]),
        /the field "title"\. Its fields: user, track, playcount/,
      ],
      [
        () => Plays.fromRows([row], { catalog: 1 } as never),
        /no option "catalog"; did you mean "catalogue"/,
      ],
      [() => Plays.fromRows([row], { catalogue: {} as never }), /needs Tracks/],
      [() => Plays.fromRows([{ ...row, playcount: '3' as never }]), /Row 0 .*playcount "3"/],
      [() => Plays.fromRows([row, { ...row, playcount: null as never }]), /Row 1 .*playcount null/],
      [
        () => Plays.fromColumns({ user: ['a'], track: ['b'], plays: [1] } as never),
        /no option "plays"/,
      ],
      [() => Plays.fromColumns({ user: ['a'], track: ['b', 'c'] }), /user: 1, track: 2/],
      [
        () => Plays.fromColumns({ user: ['a'], track: ['b'], playcount: [] }),
        /equal lengths, got user: 1, track: 1, playcount: 0/,
      ],
      [
        () => Plays.fromColumns({ user: 'a' as never, track: ['b'] }),
        /needs an array as user, got a string/,
      ],
      [
        () => Plays.fromColumns({ user: ['a'], track: ['b'], playcount: [1e39] }),
        /playcount 1e\+39; a positive number that float32 holds/,
      ],
      [
        () => Plays.fromColumns({ user: ['a'], track: ['b'], playcount: [1e-46] }),
        /playcount 1e-46; a positive number that float32 holds/,
      ],
      [
        () => Plays.fromColumns({ user: ['a', null as never], track: ['b', 'b'] }),
        /A user must be a string or a number, got null/,
      ],
      [
        () => Plays.fromColumns({ user: [1, 2 ** 53], track: ['b', 'b'] }),
        /Row 1 .*the user 9007199254740992, a whole number beyond/,
      ],
      [
        () => Plays.fromColumns({ user: ['a'], track: [-(2 ** 53)] }),
        /Row 0 .*the track -9007199254740992/,
      ],
      [
        () => Plays.fromTable(new Table({ user: ['a', null], track: ['b', 'c'] })),
        /Row 1 .*has no user: column "user" is empty there/,
      ],
      [
        () => Plays.fromTable(new Table({ user: ['a'], track: [Number.NaN] })),
        /Row 0 .*has no track/,
      ],
      [
        () => Plays.fromTable(new Table({ user: ['a'], track: ['b'], playcount: [0] })),
        /Row 0 .*playcount 0/,
      ],
      [
        () => Plays.fromTable(new Table({ user: ['a'], trak: ['b'] })),
        /Unknown column "track_id".*\{ columns: \{ track: '…' \} \}/,
      ],
      [
        () => Plays.fromTable(plays.toTable(), { columns: { playcount: 'playcnt' } }),
        /Unknown column "playcnt".*did you mean "playcount"/,
      ],
      [
        () => Plays.fromTable(plays.toTable(), { columns: { usr: 'user_id' } as never }),
        /no option "usr"; did you mean "user"/,
      ],
      [() => Plays.fromTable([row] as never), /needs a table, .* got an array/],
      [
        () => splitPlays(plays, { train: [0], valid: [1], tset: [2] } as never),
        /no option "tset"; did you mean "test"/,
      ],
      [
        () => Vocabulary.fromValues(['a'], { knd: 'user' } as never),
        /no option "knd"; did you mean "kind"/,
      ],
      [() => Vocabulary.inOrder(['a'], { na: 1 } as never), /na must be true or false/],
      [
        () => Vocabulary.fromValues(['a']).subset([0], { NA: true } as never),
        /no option "NA"; did you mean "na"/,
      ],
    ];
    for (const [work, message] of wrong)
      expect(work, String(message)).to.throw(RecitalError, message);
  });

  it('keeps any texts as ids, whatever they look like: none changes, none merges (property)', async () => {
    const lookalikes = fc.constantFrom(
      ...[
        '7',
        '007',
        '7.0',
        '7e0',
        ' 7',
        '7 ',
        '٧',
        '12345678901234567890',
        '12345678901234567891',
        '1e400',
        'NaN',
        'null',
        'true',
        '4:33',
        '04:33:00',
      ],
      ...[
        '2009-05-04T23:08:57Z',
        '2009-05-04 23:08:57+00',
        '#na#',
        '',
        '\ufeff',
        '\ufeffa',
        'a',
        'A',
        'é',
        'e\u0301',
        'a\0b',
        '"',
        "'",
        'a\nb',
        'a,b',
        '\u{10ffff}',
        '\uffff',
      ],
    );
    const id = fc.oneof(lookalikes, fc.string({ unit: 'binary' }), fc.string());
    const row = fc.record({ user: id, track: id });
    const unique = fc.uniqueArray(row, {
      selector: ({ user, track }) => JSON.stringify([user, track]),
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(unique, async (rows) => {
        const [user, track] = [rows.map((r) => r.user), rows.map((r) => r.track)];
        const table = new Table({ user, track });
        const ways = [
          Plays.fromRows(rows),
          Plays.fromColumns({ user, track }),
          Plays.fromTable(table),
          await readPlays({ sql: 'select * from t', tables: { t: table } }),
          Plays.fromTable(
            await sql('select user_id, track_id from plays', {
              tables: { plays: Plays.fromRows(rows) },
            }),
          ),
        ];
        for (const [way, made] of ways.entries()) {
          const back = made.toTable();
          const pairs = back.rows().map((r) => JSON.stringify([r.user_id, r.track_id]));
          const wanted = rows.map((r) => JSON.stringify([r.user, r.track]));
          if (way === 4)
            expect(pairs.sort()).to.deep.equal(wanted.sort()); // rows of a join come in no order
          else expect(pairs).to.deep.equal(wanted);
        }
      }),
      runs(25),
    );
  });

  it('refuses playcounts that are not positive numbers, and broken columns', () => {
    for (const playcount of [0, -1, NaN, Infinity]) {
      expect(() => Plays.fromRows([{ user: 'a', track: 'b', playcount }])).to.throw(
        DataError,
        `Row 0 (counted from 0) has playcount ${playcount}`,
      );
    }
    const users = Vocabulary.fromValues(['a']);
    const columns = {
      users,
      tracks: users,
      user: Int32Array.of(0),
      track: Int32Array.of(0),
      playcount: Float32Array.of(1),
    };
    expect(() => new Plays({ ...columns, track: new Int32Array(2) })).to.throw(
      ArgumentError,
      'equal lengths',
    );
    expect(() => new Plays({ ...columns, user: Int32Array.of(1) })).to.throw(
      ArgumentError,
      'user index 1, but the vocabulary has 1',
    );
  });

  it('says what it holds', () => {
    expect(inspect(plays)).to.equal('Plays: 4 of 3 users × 3 tracks (1.3 per user, 44 % filled)');
  });
});

const few = Plays.fromRows(
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
    const kept = few.minPlays({ perUser: 2, perTrack: 2 });
    expect(pairs(kept)).to.deep.equal(['a x', 'a y', 'b x', 'b y']);
    expect([kept.users.classes, kept.tracks.classes]).to.deep.equal([
      ['a', 'b'],
      ['x', 'y'],
    ]);
    expect([...kept.playcount]).to.deep.equal([1, 2, 4, 5]);
    expect(pairs(few.minPlays({ perUser: 2 }))).to.deep.equal(['a x', 'a y', 'a z', 'b x', 'b y']);
    expect(() => few.minPlays({ perUser: 9 })).to.throw(DataError, 'Lower the limits');
    expect(() => few.minPlays({ perTrack: 0 })).to.throw(
      ArgumentError,
      'perTrack must be a positive whole number',
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
    const small = few.sampleUsers(2, { seed: 7 });
    const large = few.sampleUsers(3, { seed: 7 });
    expect(small.users.length).to.equal(2);
    expect(pairs(small)).to.deep.equal(pairs(few).filter((pair) => small.users.has(pair[0])));
    expect(small.users.classes.every((u) => large.users.has(u))).to.equal(true);
    expect(few.sampleUsers(2, { seed: 7 }).toTable()).to.deep.equal(small.toTable());
    const chosen = new Set(
      Array.from({ length: 40 }, (_, seed) => few.sampleUsers(1, { seed }).users.id(0)),
    );
    expect(chosen.size).to.equal(4);
    for (const n of [0, 5, 1.5])
      expect(() => few.sampleUsers(n)).to.throw(ArgumentError, `from 1 to 4, got ${n}`);
  });

  it('sampleUsers draws among users with plays alone: a part of a split has others in its vocabulary', () => {
    const part = few.take([1, 6]); // of a and d, not of the first to the last
    for (let seed = 0; seed < 9; seed++) expect(part.sampleUsers(1, { seed }).length).to.equal(1);
    expect(part.sampleUsers(2).users.classes).to.deep.equal(['a', 'd']);
    const late = few.take([6]);
    for (let seed = 0; seed < 9; seed++)
      expect(pairs(late.sampleUsers(1, { seed }))).to.deep.equal(['d w']);
    expect(() => late.sampleUsers(2)).to.throw(ArgumentError, 'from 1 to 1, got 2');
    expect(() => few.sampleUsers(3, { sead: 1 } as never)).to.throw(
      ArgumentError,
      'sampleUsers has no option "sead"; did you mean "seed"?',
    );
  });
});
