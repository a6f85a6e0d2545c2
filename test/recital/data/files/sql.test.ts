import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { readPlays } from '../../../../lib/recital/data/files/read-plays.js';
import { sql } from '../../../../lib/recital/data/files/sql.js';
import { Plays } from '../../../../lib/recital/data/plays.js';
import { Table } from '../../../../lib/recital/data/table.js';
import { Tracks } from '../../../../lib/recital/data/tracks.js';
import { ArgumentError, DataError } from '../../../../lib/recital/errors.js';
import { runs, texts } from '../../../support/hostile.js';
import { rejection, TemporaryFolder } from '../temporary.js';

const tracks = new Tracks(
  new Table({
    track_id: ['t1', 't2', 't3', 't4', 't5'],
    artist: ['Zoë', 'Abba', null, 'Abba', 'Björk'],
  }),
);
const plays = Plays.fromRows([
  { user: 'u1', track: 't1', playcount: 9 },
  { user: 'u1', track: 't2', playcount: 4 },
  { user: 'u2', track: 't2', playcount: 1 },
  { user: 'u2', track: 't5', playcount: 5 },
  { user: 'u2', track: 't9', playcount: 50 },
]);
describe('sql', () => {
  const folder = new TemporaryFolder();

  it('refuses options that it lacks', async () => {
    const error = await sql('select 1', { table: {} } as never).catch((reason: Error) => reason);
    expect((error as Error).message).to.contain(
      'sql has no option "table"; did you mean "tables"?',
    );
  });

  it('joins tables, tracks and plays in memory', async () => {
    const result = await sql(
      `select artist, sum(playcount) as n, any_value(extra) as extra from plays join tracks using (track_id) join "my table" t on t.id = track_id
       group by artist order by n desc, artist`,
      {
        tables: {
          plays,
          tracks,
          'my table': new Table({ id: ['t1', 't2', 't5'], extra: [null, 'it"s', "o'k"] }),
        },
      },
    );
    expect(result.rows()).to.deep.equal([
      { artist: 'Zoë', n: 9, extra: null },
      { artist: 'Abba', n: 5, extra: 'it"s' },
      { artist: 'Björk', n: 5, extra: "o'k" },
    ]);
  });

  it('gives back every value of tables of any length, missing ones included', async () => {
    const n = 5000;
    const large = new Table({
      x: Float64Array.from({ length: n }, (_, i) => (i % 3 ? i / 7 : NaN)),
      s: Array.from({ length: n }, (_, i) => (i % 5 ? `ü${i}` : null)),
    });
    expect(await sql('select * from large', { tables: { large } })).to.deep.equal(large);
    const many = Plays.fromRows(
      Array.from({ length: n }, (_, i) => ({ user: i % 100, track: i, playcount: i + 0.5 })),
    );
    const back = await sql('select * from many order by playcount', { tables: { many } });
    expect(back.select(['track_id', 'user_id', 'playcount'])).to.deep.equal(many.toTable());
    expect(
      (
        await sql('select * from empty', {
          tables: { empty: new Table({ x: new Float64Array(0) }) },
        })
      ).length,
    ).to.equal(0);
  });

  it('reads files by their paths', async () => {
    const file = path.join(folder.path, 'a.csv');
    writeFileSync(file, 'x,y\n1,a\n2,b\n');
    expect((await sql(`select sum(x) as total from '${file}'`)).rows()).to.deep.equal([
      { total: 3 },
    ]);
  });

  it('turns whole, decimal and logical values into numbers, and other ones into text', async () => {
    const [row] = (
      await sql(
        "select 1.5 as d, 2::hugeint as h, true as b, date '2020-01-02' as day, [1, 2] as l, null as n, 2::bigint ** 62 as p",
      )
    ).rows();
    expect(row).to.deep.equal({
      d: 1.5,
      h: 2,
      b: 1,
      day: '2020-01-02',
      l: '[1, 2]',
      n: null,
      p: 2 ** 62,
    });
  });

  it('explains a wrong query', async () => {
    const error = await rejection(sql('select * from trcks', { tables: { tracks } }));
    expect(error).to.be.instanceOf(ArgumentError);
    expect(error.message)
      .to.include('trcks does not exist')
      .and.include('Did you mean "tracks"')
      .and.include('It was given the tables tracks.');
    expect((await rejection(sql('selec 1'))).message)
      .to.include('syntax error')
      .and.match(/It was given no tables\.$/);
    const forgotten = await rejection(sql('select * from tracks'));
    expect(forgotten.message).to.include(
      'It was given no tables. Variables are given to it by name: sql(query, { tables: { plays } }).',
    );
    expect((await rejection(sql('select 1', { tables: { x: new Table({}) } }))).message).to.match(
      /"x".*has no columns/,
    );
  });

  it('keeps whole and decimal numbers of too many digits as they are, as text, the whole column', async () => {
    const table = await sql(
      'select 12345678901234567890.12::decimal(38,2) as d, 12345678901234567890123::hugeint as h, 1.50 as small, 0.1::decimal(38,20) as tiny, ' +
        '9007199254740993::decimal(20,0) as w union all select 1.5, 2, 2, 0.25, 1',
    );
    expect(table.rows()).to.deep.equal([
      {
        d: '12345678901234567890.12',
        h: '12345678901234567890123',
        small: 1.5,
        tiny: 0.1,
        w: '9007199254740993',
      },
      { d: '1.50', h: '2', small: 2, tiny: 0.25, w: '1' },
    ]);
  });

  it('decimals are numbers of the same digits, or their text', async () => {
    const digits = fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n });
    await fc.assert(
      fc.asyncProperty(
        digits,
        fc.integer({ min: 0, max: 37 }),
        fc.integer({ min: 0, max: 37 }),
        async (number, shift, scale) => {
          const n = number / 10n ** BigInt(shift);
          const [whole, part] = [n / 10n ** BigInt(scale), n % 10n ** BigInt(scale)].map((x) =>
            x < 0n ? -x : x,
          );
          const text = `${n < 0n ? '-' : ''}${whole}${scale ? `.${String(part).padStart(scale, '0')}` : ''}`;
          const cell = (await sql(`select '${text}'::decimal(38,${scale}) as x`)).row(0).x;
          if (typeof cell === 'number')
            expect(cell.toFixed(scale).replace(/^-(?=[0.]*$)/, '')).to.equal(
              text.replace(/^-(?=[0.]*$)/, ''),
            );
          else expect(cell).to.equal(text);
          if (text.replace(/\D/g, '').replace(/^0+/, '').length <= 15)
            expect(cell).to.equal(Number(text) + 0);
        },
      ),
      runs(40),
    );
  });

  it('gives every kind of column its type where there are no rows', async () => {
    const table = await sql(
      'select null::json as j, null::bit as b, null::date as d, null::timestamptz as t, null::ubigint as u, null::double as x, null::struct(a int) as s where false',
    );
    expect(
      table.columnNames.filter((name) => table.column(name) instanceof Float64Array),
    ).to.deep.equal(['u', 'x']);
  });

  it('takes parameters in order or by name, of every kind, as values', async () => {
    const ordered = await sql(
      'select ? as a, ? as b, ? as c, ? as d, ? as e, round(1.25, ?) as f',
      { params: ["a'b", 3, null, true, 2.5, 1] },
    );
    expect(ordered.rows()).to.deep.equal([{ a: "a'b", b: 3, c: null, d: 1, e: 2.5, f: 1.3 }]);
    const named = await sql('select $big as a, $safe as b, $far as c', {
      params: { big: 2n ** 90n, safe: 2 ** 40, far: 1e300 },
    });
    expect(named.rows()).to.deep.equal([{ a: String(2n ** 90n), b: 2 ** 40, c: 1e300 }]);
    const tables = { plays: new Table({ track: ['a', 'b', 'c'], n: [1, 2, 3] }) };
    const listed = async (ids: never): Promise<unknown> => [
      ...(
        await sql('select track from plays where track in (select unnest($ids)) order by n', {
          tables,
          params: { ids },
        })
      ).column('track'),
    ];
    expect(await listed(['c', null, 'a'] as never)).to.deep.equal(['a', 'c']);
    expect(await listed([] as never)).to.deep.equal([]);
    const numbers = await sql('select track from plays where n in (select unnest($n))', {
      tables,
      params: { n: Int32Array.of(2, 7) },
    });
    expect(numbers.column('track')).to.deep.equal(['b']);
    const two = await sql('create table t as select $a as v; select v + $b as w from t', {
      params: { a: 1, b: 2 },
    });
    expect(two.rows()).to.deep.equal([{ w: 3 }]);
  });

  it('keeps a byte order mark at the beginning of a text: it is a part of it', async () => {
    const table = await sql(
      "select * from (values (chr(65279) || 'a'), (chr(65279)), (chr(65278)), ('a'), (null), (''), ('long ' || chr(65279) || ' text')) v(x)",
    );
    expect(table.column('x')).to.deep.equal([
      '\ufeffa',
      '\ufeff',
      '\ufefe',
      'a',
      null,
      '',
      'long \ufeff text',
    ]);
    const plays = Plays.fromRows([
      { user: '\ufeff', track: '\ufefft' },
      { user: '', track: 't' },
    ]);
    const back = await sql('select * from plays order by playcount, track_id', {
      tables: { plays },
    });
    expect(back.column('user_id')).to.deep.equal(['', '\ufeff']);
    expect(back.column('track_id')).to.deep.equal(['t', '\ufefft']);
  });

  it('any text is a parameter and comes back as it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { minLength: 1, maxLength: 5 }), async (params) => {
        const well = params.filter((text) => !/\p{Surrogate}/u.test(text)); // half a pair is no text
        if (well.length === 0) return;
        const query = `select ${well.map((_, i) => `? as c${i}`).join(', ')}`;
        expect(Object.values((await sql(query, { params: well })).row(0))).to.deep.equal(well);
      }),
      runs(30),
    );
  });

  it('refuses parameters that are missing, left over, or of no kind that there is', async () => {
    const refused = async (query: string, params: unknown): Promise<string> => {
      const error = await rejection(sql(query, { params: params as never }));
      expect(error).to.be.instanceOf(ArgumentError);
      return error.message;
    };
    expect(await refused('select ? as a', []))
      .to.include('needs a value for its parameter 1')
      .and.include('given: 0 values');
    expect(await refused('select $x as a', { y: 1 })).to.include(
      "parameter $x, { params: { x: '…' } }; given: the names y.",
    );
    expect(await refused('select $constructor as a', {})).to.include('parameter $constructor');
    expect(await refused('select ? as a', [1, 2])).to.include('does not use value 2 of params');
    expect(await refused('select $name as a', { name: 1, nme: 2 }))
      .to.include('the value "nme"')
      .and.include('did you mean "name"?');
    expect(await refused('select 1', 'a')).to.include('params are the values of ? in order');
    for (const value of [{}, new Date(), undefined, 2n ** 127n, [1, 'a'], () => 1])
      await refused('select ? as a', [value]);
  });

  it('loses no result: only the last of several statements may give rows', async () => {
    expect(
      (
        await sql(
          'create table x as select 1 as a; insert into x values (2); select sum(a) as s from x; -- end',
        )
      ).rows(),
    ).to.deep.equal([{ s: 3 }]);
    for (const query of [
      'select 1; select 2',
      'from range(3); create table y (a int)',
      'create table z (a int); insert into z values (1) returning a; select 2',
    ]) {
      expect((await rejection(sql(query))).message).to.match(
        /has \d statements, and statement [12] gives rows that would be lost/,
      );
    }
    expect((await rejection(sql('-- nothing'))).message).to.include('holds no statement');
  });

  it('fetches and loads no extension by itself, and says so', async () => {
    for (const [query, name] of [
      ["select * from 'https://localhost/x.parquet'", 'httpfs'],
      ["from read_csv('s3://bucket/x.csv')", 'httpfs'],
      ['select st_point(1, 2)', 'spatial'],
      ['load httpfs', 'httpfs'],
      ["attach 'host=localhost' as p (type postgres)", 'postgres_scanner'],
    ]) {
      const error = await rejection(sql(query));
      expect(error).to.be.instanceOf(ArgumentError);
      expect(error.message).to.match(
        new RegExp(
          `needs DuckDB's extension ${name}.*nothing is fetched unasked.*install ${name}; load ${name};`,
        ),
      );
    }
  });

  it('has a folder of its own for what does not fit into memory: for this user alone, not to be guessed, and gone afterwards', async () => {
    const spill = async (): Promise<string> =>
      String((await sql("select current_setting('temp_directory') as x")).row(0).x);
    const [one, two] = [await spill(), await spill()];
    expect(one)
      .to.match(new RegExp(`recital-duckdb-${process.pid}-\\w{6}$`))
      .and.not.to.equal(two);
    expect(
      readdirSync(tmpdir()).filter((name) => name.startsWith(`recital-duckdb-${process.pid}-`)),
    ).to.deep.equal([]);
    if (process.platform === 'win32') return;
    let ended = false;
    const modes = new Set<number>();
    const during = sql('select count(*) from range(30_000_000) a(x) where x % 7 = 3').then(
      () => (ended = true),
    );
    while (!ended) {
      const made = readdirSync(tmpdir()).find((name) =>
        name.startsWith(`recital-duckdb-${process.pid}-`),
      );
      if (made !== undefined) modes.add(statSync(path.join(tmpdir(), made)).mode & 0o777);
      await new Promise((later) => setTimeout(later, 1));
    }
    await during;
    expect([...modes]).to.deep.equal([0o700]);
  });
});

describe('readPlays of a query', () => {
  const folder = new TemporaryFolder();
  const rows = (made: Plays): unknown[] =>
    made
      .toTable()
      .rows()
      .map((r) => [r.user_id, r.track_id, r.playcount]);
  const log = new Table({ who: ['b', 'a', 'b', 'a'], song: ['x', 'y', 'x', 'x'], n: [1, 2, 3, 4] });

  it('reads the rows of a query over tables and files, in its order, with parameters', async () => {
    const tables = { log };
    const columns = { user: 'who', track: 'song' };
    expect(
      rows(await readPlays({ sql: 'from log', tables, columns: { ...columns, playcount: 'n' } })),
    ).to.deep.equal([
      ['b', 'x', 4],
      ['a', 'y', 2],
      ['a', 'x', 4],
    ]);
    expect(
      rows(await readPlays({ sql: 'from log order by n desc', tables, columns })),
    ).to.deep.equal([
      ['a', 'x', 1],
      ['b', 'x', 2],
      ['a', 'y', 1],
    ]);
    const asked = await readPlays({
      sql: 'select who as user, song as track, n * $k as playcount from log where who = $who',
      tables,
      params: { k: 2, who: 'a' },
    });
    expect(rows(asked)).to.deep.equal([
      ['a', 'y', 4],
      ['a', 'x', 8],
    ]);
    const many = Plays.fromRows(
      Array.from({ length: 5000 }, (_, i) => ({ user: i % 100, track: i, playcount: i + 0.5 })),
    );
    expect(
      rows(await readPlays({ sql: 'from many order by playcount', tables: { many } })),
    ).to.deep.equal(rows(many));
    for (const day of [1, 2]) folder.write(`days/d=${day}/x.csv`, `user,track\nu${day},007\n`);
    const catalogue = new Tracks(new Table({ track_id: ['q'], name: ['Q'] }));
    const globbed = await readPlays({
      sql: `from '${folder.path}/days/**/*.csv' order by user`,
      catalogue,
    });
    expect(rows(globbed)).to.deep.equal([
      ['u1', '007', 1],
      ['u2', '007', 1],
    ]);
    expect(globbed.repairs.notInCatalogue).to.equal(2);
    expect(
      rows(
        await readPlays({
          sql: "create table ids as select 'u' as user, 2 as track; create table users as from ids; from users",
        }),
      ),
    ).to.deep.equal([['u', '2', 1]]);
  });

  it('puts plays in order of time, as Plays.fromTable does', async () => {
    const order = async (when: string[], type = 'varchar'): Promise<unknown[]> => {
      const table = new Table({
        user: when.map(() => 'u'),
        track: when.map((_, i) => String(i)),
        when,
      });
      const asked = await readPlays({
        sql: `select user, track, "when"::${type} as t from logged`,
        tables: { logged: table },
        columns: { time: 't' },
      });
      const made = Plays.fromTable(table, { columns: { time: 'when' } })
        .toTable()
        .column('track_id');
      expect(asked.toTable().column('track_id')).to.deep.equal(made);
      return [...made];
    };
    expect(await order(['3', '1.5', '-2', '1.5', '1e3'])).to.deep.equal(['2', '1', '3', '0', '4']);
    expect(await order(['3', '1.5'], 'double')).to.deep.equal(['1', '0']);
    expect(
      await order([
        '2009-05-04T23:08:57Z',
        '2009-05-04 23:08:56',
        '2009-05-05',
        '2009-05-05T00:08:57+02',
      ]),
    ).to.deep.equal(['3', '1', '0', '2']);
    expect(await order(['2010-01-02', '2009-01-02'], 'date')).to.deep.equal(['1', '0']);
    const wrong = new Table({ user: ['u', 'u'], track: ['a', 'b'], time: ['2009-05-04', 'soon'] });
    expect(() => Plays.fromTable(wrong, { columns: { time: 'time' } })).to.throw(
      DataError,
      /Row 1 .*expected a time.* got soon/,
    );
    const error = await rejection(
      readPlays({ sql: 'from wrong', tables: { wrong }, columns: { time: 'time' } }),
    );
    expect(error.message).to.include('and the time soon');
  });

  it('keeps ids of every type that has one text for each value, and refuses the others', async () => {
    const kept = await readPlays({
      sql: "select 12345678901234567891::hugeint as user, 'e'::enum('e', 'f') as track union all select 12345678901234567890, 'f'",
    });
    expect(rows(kept)).to.deep.equal([
      ['12345678901234567891', 'e', 1],
      ['12345678901234567890', 'f', 1],
    ]);
    for (const type of [
      'double',
      'float',
      'boolean',
      'timestamp',
      'timestamptz',
      'date',
      'time',
      'interval',
      'blob',
      'integer[]',
    ]) {
      const error = await rejection(
        readPlays({ sql: `select null::${type} as user, 'a' as track` }),
      );
      expect(error).to.be.instanceOf(DataError);
      expect(error.message)
        .to.include('Column "user" of the query, the users, is')
        .and.include('all_varchar = true');
    }
  });

  it('refuses rows without an id or a positive playcount, columns that are not there, and an empty result', async () => {
    const wrong: [object, RegExp][] = [
      [
        { sql: "select 'u' as user, 'a' as track, -1 as playcount" },
        /Row 0 .* the user u, the track a, the playcount -1. Expected: two ids and a positive number/,
      ],
      [
        { sql: "select 'u' as user, 'a' as track union all select null, 'b'" },
        /Row 1 .* the user null, the track b/,
      ],
      [
        { sql: "select 'u' as user, 'a' as track, '1' as playcount" },
        /"playcount" of the query is VARCHAR; playcounts are numbers/,
      ],
      [
        { sql: "select 'u' as usr, 'a' as track" },
        /Unknown column "user_id".*\{ columns: \{ user: '…' \} \}/,
      ],
      [
        {
          sql: 'from log',
          tables: { log },
          columns: { user: 'who', track: 'song', playcount: 'm' },
        },
        /Unknown column "m"/,
      ],
      [{ sql: "select 'u' as user, 'a' as track where false" }, /"The query" has no plays/],
      [{ sql: 'from nowhere' }, /nowhere does not exist/],
      [{ sql: 'select ? as user, 1 as track' }, /needs a value for its parameter 1/],
      [{ sq: 'select 1' }, /no option "sq"; did you mean "sql"/],
      [{}, /A query is a text/],
    ];
    for (const [query, message] of wrong)
      expect((await rejection(readPlays(query as never))).message, String(message)).to.match(
        message,
      );
    expect((await rejection(readPlays({ sql: 'select 1' }, { columns: {} }))).message).to.include(
      'stand beside it',
    );
  });
});
