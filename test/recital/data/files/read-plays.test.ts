import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { literal, withDuckDB } from '../../../../lib/recital/data/files/duckdb.js';
import { encodePlays } from '../../../../lib/recital/data/files/encode-plays.js';
import { readPlays, readTracks } from '../../../../lib/recital/data/files/read-plays.js';
import { setDisplay } from '../../../../lib/recital/data/output.js';
import type { Plays } from '../../../../lib/recital/data/plays.js';
import { Table } from '../../../../lib/recital/data/table.js';
import { Tracks } from '../../../../lib/recital/data/tracks.js';
import { DataError } from '../../../../lib/recital/errors.js';
import { rejection, TemporaryFolder } from '../temporary.js';

const HEADER = 'track_id,user_id,playcount\n';
const BODY = 'TR2,u9,3\nTR1,u10,1\nTR1,u9,2\n';
const triples = (plays: Plays): string[] =>
  plays
    .toTable()
    .rows()
    .map((r) => `${r.user_id} ${r.track_id} ${r.playcount}`);
const EXPECTED = ['u9 TR2 3', 'u10 TR1 1', 'u9 TR1 2'];
const data = path.resolve(__dirname, '../../../../../shared/data');

describe('readPlays', () => {
  const folder = new TemporaryFolder();

  it("reads Kaggle's columns in the order of the file, whatever the order of the columns", async () => {
    const plays = await readPlays(folder.write('a.csv', HEADER + BODY));
    expect(plays.users.classes).to.deep.equal(['u10', 'u9']);
    expect(triples(plays)).to.deep.equal(EXPECTED);
    const other = folder.write(
      'b.csv',
      'x,playcount,user_id,track_id\n"a, b",3,u9,TR2\n,1,u10,TR1\n,2,u9,TR1',
    );
    expect(triples(await readPlays(other))).to.deep.equal(EXPECTED);
  });

  it('reads gzip and Parquet alike', async () => {
    expect(
      triples(await readPlays(folder.write('a.csv.gz', gzipSync(HEADER + BODY)))),
    ).to.deep.equal(EXPECTED);
    const parquet = path.join(folder.path, "it's.parquet");
    await withDuckDB('writing a file', (c) =>
      c.run(
        `copy (select * from (values ('TR2', 'u9', 3), ('TR1', 'u10', 1), ('TR1', 'u9', 2)) v(track_id, user_id, playcount)) to ${literal(parquet)}`,
      ),
    );
    expect(triples(await readPlays(parquet))).to.deep.equal(EXPECTED);
  });

  it('refuses ids of Parquet that are no texts and no whole numbers', async () => {
    const file = path.join(folder.path, 'doubles.parquet');
    const write = (type: string): Promise<unknown> =>
      withDuckDB('writing a file', (c) =>
        c.run(
          `copy (select 3::${type} as user_id, 'TR1' as track_id, 1 as playcount) to ${literal(file)}`,
        ),
      );
    await write('double');
    const error = await rejection(readPlays(file));
    expect(error).to.be.instanceOf(DataError);
    expect(error.message).to.match(
      /^Column "user_id" of ".*doubles\.parquet", the users, is DOUBLE, .* readPlays\({ sql: .* user_id::bigint or/,
    );
    await write('bigint');
    expect(triples(await readPlays(file))).to.deep.equal(['3 TR1 1']);
  });

  it('reads a byte order mark, carriage returns, blank lines, quotation and wildcards in the name', async () => {
    const file = folder.write(
      '[1] *?.csv',
      '\ufefftrack_id,user_id,playcount\r\n"TR2",u9,3\r\n\r\nTR1,u10,1\r\nTR1,"u9",2\r\n',
    );
    expect(triples(await readPlays(file))).to.deep.equal(EXPECTED);
    const quoted = folder.write('quoted.csv', `${HEADER}"T ""a"", b\nc",ü😀,1\n`);
    expect(triples(await readPlays(quoted))).to.deep.equal(['ü😀 T "a", b\nc 1']);
  });

  it('reads other column names, positions, delimiters, and files without a header', async () => {
    const named = folder.write('named.csv', 'who;what;n\nu9;TR2;3\nu10;TR1;1\nu9;TR1;2\n');
    expect(
      triples(await readPlays(named, { columns: { user: 'who', track: 'what', playcount: 'n' } })),
    ).to.deep.equal(EXPECTED);
    expect(
      triples(await readPlays(named, { columns: { user: 0, track: 1, playcount: 2 } })),
    ).to.deep.equal(EXPECTED);
    const triplets = folder.write('triplets.txt', 'u9\tTR2\t3\nu10\tTR1\t1\nu9\tTR1\t2\n');
    expect(triples(await readPlays(triplets))).to.deep.equal(EXPECTED);
    const plain = folder.write('plain.csv', 'TR2,3,u9\nTR1,1,u10\nTR1,2,u9\n');
    expect(
      triples(await readPlays(plain, { columns: { user: 2, track: 0, playcount: 1 } })),
    ).to.deep.equal(EXPECTED);
    const numbers = folder.write('numbers.csv', '7,8,9\n7,9,1\n');
    expect(triples(await readPlays(numbers, { header: false }))).to.deep.equal(['7 8 9', '7 9 1']);
    expect(
      (await rejection(readPlays(numbers, { header: false, columns: { user: 'who' } }))).message,
    ).to.include('has no header');
  });

  it("reads MovieLens' files, and refuses their first line as names", async () => {
    const expected = ['196 242 3', '186 302 3'];
    const tabs = folder.write('u.data', '196\t242\t3\t881250949\n186\t302\t3\t891717742\n');
    const colons = folder.write('ratings.dat', '196::242::3::881250949\n186::302::3::891717742\n');
    for (const file of [tabs, colons]) {
      expect(triples(await readPlays(file, { header: false }))).to.deep.equal(expected);
      expect(
        triples(await readPlays(file, { names: ['user_id', 'track_id', 'playcount', 'time'] })),
      ).to.deep.equal(expected);
      const columns = { user: 'u', track: 't', playcount: 'n' };
      expect(
        triples(await readPlays(file, { names: ['u', 't', 'n', 'x'], columns })),
      ).to.deep.equal(expected);
      const error = await rejection(readPlays(file));
      expect(error).to.be.instanceOf(DataError);
      expect(error.message)
        .to.include(
          'line 1: expected the names of the columns, found numbers: 196, 242, 3, 881250949',
        )
        .and.include('{ header: false, columns: { user: 0, track: 1, playcount: 2 } }');
    }
    const spaces = folder.write('spaces.txt', 'u9 TR2 3\nu10 TR1 1\nu9 TR1 2\n');
    expect(triples(await readPlays(spaces, { delimiter: ' ' }))).to.deep.equal(EXPECTED);
    expect(
      (await rejection(readPlays(spaces, { delimiter: ' ', names: ['a'] }))).message,
    ).to.include('3 columns in line 1, but 1 name is given');
    expect((await rejection(readPlays(spaces, { delimiter: '' }))).message).to.include(
      'delimiter must be a text',
    );
    expect(
      (await rejection(readPlays(folder.write('cut.dat', 'a::b::1\nc::d\n'), { header: false })))
        .message,
    ).to.include('line 2');
  });

  it('takes the names of columns in any case and with blanks around them, but not two that differ in case only', async () => {
    expect(
      triples(
        await readPlays(folder.write('case.csv', `\n\nTrack_ID, USER_ID,Playcount\n${BODY}`)),
      ),
    ).to.deep.equal(EXPECTED);
    const both = folder.write('both.csv', `track_id,user_id,PLAYCOUNT,Playcount\nTR2,u9,3,4\n`);
    expect((await rejection(readPlays(both))).message).to.include('There is no column "playcount"');
    const columns = { playcount: 'Playcount' };
    expect(triples(await readPlays(both, { columns }))).to.deep.equal(['u9 TR2 4']);
  });

  it('says which column is missing, and which one may be meant', async () => {
    const cases: [string, string][] = [
      [
        'track_id,user_id,play_count',
        'There is no column "playcount". Did you mean "play_count"? Then give { columns: { playcount: \'play_count\' } }',
      ],
      ['track_id,user_id,rating', "{ columns: { playcount: 'rating' } }"],
      [
        'song,userid,playcount',
        'There is no column "user_id" and column "track_id". Did you mean "userid" and "song"?',
      ],
      ['track_id,user_id,x', "Say which column it is, e.g. { columns: { playcount: 'x' } }"],
      [
        'track_id,user',
        'There is no column "user_id" and column "playcount". Did you mean "user"?',
      ],
      [
        'track_id,user_id,x',
        'If there is none, as each row is one play, give { columns: { playcount: null } }.',
      ],
    ];
    for (const [header, message] of cases) {
      const file = folder.write('missing.csv', `${header}\n${header.replace(/\w+/g, 'v')}\n`);
      expect((await rejection(readPlays(file))).message).to.include(message);
    }
    for (const options of [{}, { header: false }, { names: ['x'] }]) {
      const blanks = folder.write('blanks.csv', 'user_id track_id playcount\nu t 3\n');
      const one = (await rejection(readPlays(blanks, options))).message;
      expect(one).to.include(
        'That is one column. Fields were split by ",", a guess by the first lines: another one is given by the option delimiter.',
      );
    }
    const file = folder.write('positions.csv', HEADER + BODY);
    expect((await rejection(readPlays(file, { columns: { playcount: 7 } }))).message).to.include(
      'There is no column 7 (counted from 0)',
    );
    expect((await rejection(readPlays(file, { columns: { playcount: -1 } }))).message).to.include(
      'columns.playcount must be a name, or a position',
    );
  });

  it('reads back any ids and playcounts that it is given', async () => {
    const id = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((s) => !s.includes('\r') && !s.includes('\0') && !s.startsWith('\ufeff'));
    const row = fc.record({ user: id, track: id, playcount: fc.integer({ min: 1, max: 1e6 }) });
    const quote = (s: string): string => `"${s.replaceAll('"', '""')}"`;
    const key = (r: { user: string; track: string }): string => JSON.stringify([r.user, r.track]);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(row, { selector: key, minLength: 1 }), async (rows) => {
        const file = path.join(folder.path, 'any.csv');
        writeFileSync(
          file,
          HEADER + rows.map((r) => `${quote(r.track)},${quote(r.user)},${r.playcount}\n`).join(''),
        );
        expect(triples(await readPlays(file))).to.deep.equal(
          rows.map((r) => `${r.user} ${r.track} ${r.playcount}`),
        );
      }),
      { numRuns: 25 },
    );
  });

  it('keeps the order of a file that is read by several threads', async () => {
    const n = 1_500_000;
    const lines = Array.from(
      { length: n },
      (_, i) => `t${i % 1009},u${(i * 7919) % 50000},${1 + (i % 7)}`,
    );
    const plays = await readPlays(folder.write('long.csv', `${HEADER}${lines.join('\n')}\n`), {
      cache: false,
    });
    let wrong = 0;
    for (let i = 0; i < n; i += 97)
      if (
        `${plays.tracks.id(plays.track[i])},${plays.users.id(plays.user[i])},${plays.playcount[i]}` !==
        lines[i]
      )
        wrong++;
    expect([plays.length, wrong]).to.deep.equal([n, 0]);
  });

  it('takes another hash when two ids have the same one', async () => {
    const file = folder.write('hash.csv', HEADER + BODY);
    const query = {
      path: file,
      from: `read_csv('${file}')`,
      user: 'user_id',
      track: 'track_id',
      playcount: 'playcount::double',
      reject: () => Promise.reject(Error()),
    };
    const attempts: number[] = [];
    const columns = await encodePlays(query, (text, attempt) => {
      attempts.push(attempt);
      return attempt < 2 ? '0::ubigint' : `hash(${text})`;
    });
    expect(Math.max(...attempts)).to.equal(2);
    expect(columns.users.decode(columns.user)).to.deep.equal(['u9', 'u10', 'u9']);
    expect(columns.tracks.decode(columns.track)).to.deep.equal(['TR2', 'TR1', 'TR1']);
  });

  it('sums repeated rows, counts them and warns', async () => {
    const warnings: string[] = [];
    const before = setDisplay({
      table() {},
      chart() {},
      text() {},
      warn: (line) => warnings.push(line),
    });
    try {
      const plays = await readPlays(folder.write('twice.csv', `${HEADER}${BODY}TR2,u9,4\n`));
      expect(triples(plays)).to.deep.equal(['u9 TR2 7', 'u10 TR1 1', 'u9 TR1 2']);
      expect(plays.repairs).to.deep.equal({ duplicates: 1, notInCatalogue: 0 });
    } finally {
      setDisplay(before);
    }
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.include('1 row repeats an earlier (user, track)');
  });

  it('attaches the tracks beside it, keeps and counts plays that they lack, and can do without', async () => {
    const file = folder.write('k/User Listening History.csv', HEADER + BODY);
    folder.write('k/Music Info.csv', 'track_id,name,artist,year\nTR2,Hurt,Johnny Cash,2002\n');
    const plays = await readPlays(path.dirname(file));
    expect(plays.catalogue?.label('TR2')).to.equal('Hurt by Johnny Cash');
    expect(plays.repairs.notInCatalogue).to.equal(2);
    expect((await readPlays(file, { catalogue: false })).catalogue).to.equal(undefined);
    const own = new Tracks(new Table({ track_id: ['TR1'] }));
    expect((await readPlays(file, { catalogue: own })).catalogue).to.equal(own);
  });

  it("finds Kaggle's file in a folder, compressed or not, else the sample", async () => {
    folder.write('f/sample/User Listening History.csv.gz', gzipSync(`${HEADER}s,s,1\n`));
    expect(triples(await readPlays(path.join(folder.path, 'f')))).to.deep.equal(['s s 1']);
    folder.write('f/User Listening History.csv.gz', gzipSync(HEADER + BODY));
    expect(triples(await readPlays(path.join(folder.path, 'f')))).to.deep.equal(EXPECTED);
  });

  it('reads the 526 users of the Taste Profile (skipped where ../shared/data is absent)', async function () {
    const file = path.join(data, 'taste-profile/year1_test_triplets_visible-test.txt');
    if (!(await import('node:fs')).existsSync(file)) this.skip();
    const plays = await readPlays(file);
    expect([plays.users.length, plays.length]).to.deep.equal([526, 7093]);
    expect(triples(plays)[0]).to.equal(
      '00007a02388c208ea7176479f6ae06f8224355b3 SOAITVD12A6D4F824B 3',
    );
  });

  const truncated = gzipSync(
    HEADER + Array.from({ length: 5000 }, (_, i) => `t${i},u${i * 7919},1\n`).join(''),
  );
  const refused: [string, string, string | Uint8Array, string[]][] = [
    ['an empty file', 'empty.csv', '', ['is empty']],
    ['an empty gzip file', 'empty.csv.gz', gzipSync(''), ['is empty']],
    ['a header without rows', 'header.csv', HEADER, ['has no plays']],
    [
      'a missing column',
      'column.csv',
      'track_id,user\nTR1,u1\n',
      [
        'line 1',
        'expected the columns user_id, track_id, playcount, found: track_id, user',
        'columns: {',
      ],
    ],
    [
      'a playcount that is no number',
      'text.csv',
      `${HEADER}TR1,u1,1\nTR1,u2,many\n`,
      ['line 3', 'column "playcount"', 'expected a number, got "many"'],
    ],
    [
      'a negative playcount',
      'negative.csv',
      `${HEADER}TR1,u1,1\n\nTR1,u2,-3\n`,
      ['line 4', 'column "playcount"', 'expected a positive number, got "-3"'],
    ],
    [
      'a playcount of zero',
      'zero.csv',
      `${HEADER}"TR\n1",u1,1\nTR1,u2,0\n`,
      ['line 4', 'expected a positive number, got "0"'],
    ],
    [
      'a playcount of NaN',
      'nan.csv',
      `${HEADER}TR1,u1,NaN\n`,
      ['line 2', 'expected a positive number, got "NaN"'],
    ],
    ['an infinite playcount', 'infinite.csv', `${HEADER}TR1,u1,inf\n`, ['line 2', 'got "inf"']],
    ['no playcount', 'none.csv', `${HEADER}TR1,u1,\n`, ['line 2', 'column "playcount"', 'got ""']],
    [
      'no user',
      'nobody.csv',
      `${HEADER}TR1,u1,1\nTR1,,1\n`,
      ['line 3', 'column "user_id"', 'expected an id'],
    ],
    [
      'no track, in quotation marks',
      'nothing.csv',
      `${HEADER}"",u1,1\n`,
      ['line 2', 'column "track_id"', 'expected an id'],
    ],
    [
      'a row that is cut off',
      'short.csv',
      `${HEADER}TR1,u1,1\nTR1,u`,
      ['line 3', 'expected 3 columns, found 2'],
    ],
    [
      'a row that is too long',
      'wide.csv',
      `${HEADER}TR1,u1,1\nTR1,u2,2,2\n`,
      ['line 3', 'expected 3 columns, found 4'],
    ],
    [
      'an open quotation',
      'open.csv',
      `${HEADER}TR1,u1,1\n"TR1,u2,2\n`,
      ['line 3', 'none closes it'],
    ],
    [
      'a gzip file that is cut off',
      'cut.csv.gz',
      truncated.subarray(0, truncated.length - 20),
      ['cut-off or damaged gzip file', 'Fetch it again'],
    ],
    [
      'a gzip file without its checksum',
      'sum.csv.gz',
      truncated.subarray(0, truncated.length - 8),
      ['cut-off or damaged gzip file'],
    ],
    ['a text called .gz', 'text.csv.gz', HEADER + BODY, ['is not a gzip file']],
    ['a binary file', 'binary.csv', randomBytes(5000), ['is not']],
    [
      'another encoding',
      'latin1.csv',
      Buffer.from(`${HEADER}caf\u00e9,u1,1\n`, 'latin1'),
      ['UTF-8'],
    ],
    [
      'another encoding far from the start',
      'late.csv',
      Buffer.from(HEADER + 'T,u,1\n'.repeat(40000) + 'caf\u00e9,u1,1\n', 'latin1'),
      ['line 40002', 'UTF-8'],
    ],
    ['a Parquet file that is none', 'none.parquet', HEADER + BODY, ['not a whole Parquet file']],
  ];
  for (const [what, name, content, messages] of refused) {
    it(`refuses ${what}`, async () => {
      const file = folder.write(name, content);
      const error = await rejection(readPlays(file));
      expect(error).to.be.instanceOf(DataError);
      for (const message of [file, ...messages]) expect(error.message).to.include(message);
    });
  }

  it('refuses a path that does not exist, and a folder without plays', async () => {
    expect((await rejection(readPlays(path.join(folder.path, 'no.csv')))).message).to.match(
      /There is no file or folder ".*no.csv"/,
    );
    folder.write('none/readme.txt', 'x');
    const error = await rejection(readPlays(path.join(folder.path, 'none')));
    expect(error).to.be.instanceOf(DataError);
    expect(error.message).to.include(
      'holds no plays. Put Kaggle\'s "User Listening History.csv" there',
    );
  });
});

const MUSIC_INFO =
  'track_id,name,artist,genre,year,tempo,extra\nTR2,"Hurt, again",Johnny Cash,,2002,91.5,1\nTR1,NULL,"",Rock,,,2\n';

describe('readTracks', () => {
  const folder = new TemporaryFolder();

  it("reads Kaggle's columns by their meaning, further ones by their content, in the order of the file", async () => {
    const tracks = await readTracks(folder.write('a/Music Info.csv', MUSIC_INFO));
    expect(tracks.ids.classes).to.deep.equal(['TR2', 'TR1']);
    expect(tracks.label('TR2')).to.equal('Hurt, again by Johnny Cash');
    expect([tracks.title('TR1'), tracks.artist('TR1'), tracks.year('TR1')]).to.deep.equal([
      'NULL',
      undefined,
      undefined,
    ]);
    expect([...tracks.table.numbers('tempo')]).to.deep.equal([91.5, NaN]);
    expect([...tracks.table.numbers('extra')]).to.deep.equal([1, 2]);
    expect(tracks.table.strings('genre')).to.deep.equal([null, 'Rock']);
    expect(tracks.missingColumns).to.include('energy');
  });

  it('finds Music Info, tracks_30459 or the sample in a folder, compressed or not', async () => {
    const at = path.join(folder.path, 'b');
    folder.write('b/sample/Music Info.csv', MUSIC_INFO);
    expect((await readTracks(at)).length).to.equal(2);
    folder.write('b/tracks_30459.csv.gz', gzipSync('track_id\nx\n'));
    expect((await readTracks(at)).ids.classes).to.deep.equal(['x']);
    const parquet = path.join(at, 'Music Info.parquet');
    await withDuckDB('writing a file', (c) =>
      c.run(`copy (select 'p' as track_id, 'Song' as name, 1999 as year) to ${literal(parquet)}`),
    );
    expect((await readTracks(at)).year('p')).to.equal(1999);
  });

  it("takes Kaggle's names in any case, and reads files without a header", async () => {
    const tracks = await readTracks(folder.write('case.csv', 'Track_ID,NAME,Year\n7,1999,2002\n'));
    expect([tracks.label('7'), tracks.year('7')]).to.deep.equal(['1999', 2002]);
    expect(tracks.table.columnNames).to.deep.equal(['track_id', 'name', 'year']);
    const plain = await readTracks(
      folder.write('plain.dat', '1::Toy Story (1995)::Comedy\n2::Jumanji (1995)::Adventure\n'),
      {
        names: ['track_id', 'name', 'genre'],
      },
    );
    expect(plain.title('2')).to.equal('Jumanji (1995)');
    expect(
      (await rejection(readTracks(path.join(folder.path, 'plain.dat'), { delimiter: '' }))).message,
    ).to.include('delimiter must be a text');
  });

  const refused: [string, string, string, string[]][] = [
    [
      'a file without ids',
      'ids.csv',
      'id,name\n1,x\n',
      ['line 1', 'expected a column "track_id", found: id, name'],
    ],
    [
      'an id that occurs twice',
      'twice.csv',
      'track_id\na\nb\na\n',
      ['Track "a" occurs twice, in rows 0 and 2'],
    ],
    ['a missing id', 'none.csv', 'track_id,name\na,x\n,y\n', ['Row 1']],
    [
      'a text among numbers',
      'text.csv',
      'track_id,tempo\na,1\nb,fast\n',
      ['line 3, column "tempo": expected a number, got "fast"'],
    ],
    ['a header alone', 'header.csv', 'track_id,name\n', ['a header and no row']],
    [
      'two columns of one name',
      'names.csv',
      'track_id,name,name\na,b,c\n',
      ['line 1', 'two columns are called "name"'],
    ],
  ];
  for (const [what, name, content, messages] of refused) {
    it(`refuses ${what}`, async () => {
      const file = folder.write(name, content);
      const error = await rejection(readTracks(file));
      expect(error).to.be.instanceOf(DataError);
      for (const message of [file, ...messages]) expect(error.message).to.include(message);
    });
  }

  it('reads the 30,459 real tracks (skipped where ../shared/data is absent)', async function () {
    if (!existsSync(path.join(data, 'kaggle-tracks'))) this.skip();
    const tracks = await readTracks(path.join(data, 'kaggle-tracks'));
    expect(tracks.length).to.equal(30459);
    expect(tracks.missingColumns).to.deep.equal(['spotify_preview_url']);
    expect(tracks.audioFeatures).to.have.length(13);
    const top = await readTracks(path.join(data, 'kaggle-tracks/music_info_top2000_full.csv'));
    expect(top.missingColumns).to.deep.equal([]);
    expect(top.label(top.find('where is my mind?'))).to.equal('Where Is My Mind? by Pixies');
  });
});
