import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { CollabDataLoaders } from '../../../../lib/recital/data/collab.js';
import { readPlays, readTracks } from '../../../../lib/recital/data/files/read-plays.js';
import { readTable } from '../../../../lib/recital/data/files/read-table.js';
import { setDisplay } from '../../../../lib/recital/data/output.js';
import { leaveKOut } from '../../../../lib/recital/data/splits.js';
import { csv, Table } from '../../../../lib/recital/data/table.js';
import { ArgumentError, DataError, UnknownIdError } from '../../../../lib/recital/errors.js';
import { rejection, TemporaryFolder } from '../temporary.js';

const given = (name: string): string => path.resolve(__dirname, '../../../cases', name);
const triples = async (...args: Parameters<typeof readPlays>): Promise<string[]> =>
  (await readPlays(...args))
    .toTable()
    .rows()
    .map((r) => `${r.user_id} ${r.track_id} ${r.playcount}`);

/** Pieces of texts that readers have taken for something else. */
const piece = fc.constantFrom(
  ...[
    '"',
    '""',
    "'",
    ',',
    '\t',
    ';',
    '|',
    '::',
    '<SEP>',
    '\n',
    '\r\n',
    '\r',
    ' ',
    '#',
    '\\',
    'é',
    '日本',
    '😀',
    '\u00a0',
    '\u2028',
  ],
  ...[
    '0',
    '7',
    '007',
    '62.0',
    '1e5',
    '1e400',
    '1_000',
    '0x1F',
    '-0',
    '+5',
    '.5',
    '12345678901234567890',
    '9007199254740993',
    'nan',
    'inf',
    'true',
    'null',
    'NULL',
  ],
  ...['2009-05-04T23:08:57Z', '03:45', '4:33', '2020-01-02', 'sep=;', 'a', 'b'],
);
const anyText = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(''));
const plainText = anyText.map((text) => text.replace(/[\r\n,]/g, '.'));
const matrix = (text: fc.Arbitrary<string>): fc.Arbitrary<string[][]> =>
  fc
    .array(fc.tuple(text, text), { minLength: 1, maxLength: 6 })
    .map((rows) => rows.map(([a, b], i) => [a, `${b}${i}`, `${i}`]));
const quoted = (field: string): string =>
  /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;

/**
 * Writes rows of a user, a track and a number, and checks that each reader gives the very same
 * texts.
 */
async function comesBack(
  file: string,
  rows: readonly string[][],
  options: { quote: string },
): Promise<void> {
  const write = (header: string): void =>
    writeFileSync(
      file,
      [header, ...rows.map((row) => row.map(options.quote ? quoted : String).join(',')), ''].join(
        '\n',
      ),
    );
  write('user_id,track_id,playcount');
  const counted = rows.map((row) => [row[0], row[1], Number(row[2]) + 1]);
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(/,(\d+)\n/g, (_, n) => `,${Number(n) + 1}\n`),
  );
  const plays = (await readPlays(file, options)).toTable().rows();
  expect(plays.map((r) => [r.user_id, r.track_id, r.playcount])).to.deep.equal(counted);
  const dls = await CollabDataLoaders.fromCsv(file, {
    ...options,
    split: { train: rows.map((_, i) => i), valid: [] },
    bs: 1,
  });
  const { user, item, target } = dls.train.data;
  const rated = rows.map((_, i) => [
    dls.classes.user.id(user[i]),
    dls.classes.item.id(item[i]),
    target[i],
  ]);
  expect(rated).to.deep.equal(counted);
  write('artist,track_id,x');
  const tracks = await readTracks(file, options);
  expect(tracks.ids.classes).to.deep.equal(rows.map((row) => row[1]));
  expect(rows.map((row) => tracks.artist(row[1]))).to.deep.equal(rows.map((row) => row[0]));
  const table = await readTable(file, options);
  for (const [j, name] of ['artist', 'track_id'].entries()) {
    const column = table.column(name);
    const texts = rows.map((row) => row[j]);
    if (!(column instanceof Float64Array)) expect(column).to.deep.equal(texts);
    else
      expect(
        texts.filter(
          (t, i) =>
            !Object.is(
              Number.isNaN(column[i]) ? 'nan' : column[i],
              /nan/i.test(t) ? 'nan' : Number(t.replace('inf', 'Infinity')),
            ),
        ),
      ).to.deep.equal([]);
  }
}

describe('text files', () => {
  const folder = new TemporaryFolder();

  it('give the same texts to every reader, whatever they look like, if written by the rule of CSV', async () => {
    await fc.assert(
      fc.asyncProperty(matrix(anyText), (rows) =>
        comesBack(path.join(folder.path, 'any.csv'), rows, { quote: '"' }),
      ),
      { numRuns: 12 },
    );
  });

  it('give the same texts without quotation, if these hold no delimiter and no line end', async () => {
    await fc.assert(
      fc.asyncProperty(matrix(plainText), (rows) =>
        comesBack(path.join(folder.path, 'plain.csv'), rows, { quote: '' }),
      ),
      { numRuns: 12 },
    );
  });

  it('are read alike when they are large, and DuckDB reads them itself', async () => {
    const filler = Array.from({ length: 40_000 }, (_, i) => [`u${i % 7}`, `filler ${i}`, '1']);
    const before = setDisplay({ table() {}, chart() {}, text() {}, warn() {} });
    try {
      await fc.assert(
        fc.asyncProperty(matrix(anyText), fc.constantFrom('\n', '\r\n'), async (rows, end) => {
          const all = [...filler, ...rows.map(([a, b]) => [a, b, '1'])];
          const text = (fields: (field: string) => string): string =>
            ['user_id,track_id,playcount', ...all.map((row) => row.map(fields).join(',')), ''].join(
              end,
            );
          const file = folder.write('large.csv', text(quoted));
          const plays = (await readPlays(file, { quote: '"', cache: false })).toTable();
          expect([
            plays.strings('user_id').slice(40_000),
            plays.strings('track_id').slice(40_000),
          ]).to.deep.equal([rows.map((row) => row[0]), rows.map((row) => row[1])]);
        }),
        { numRuns: 4 },
      );
    } finally {
      setDisplay(before);
    }
    const lines = (tail: string): string =>
      `user_id,track_id,playcount,title\n${'u,filler,1,t\n'.repeat(60_000)}${tail}`;
    const faults: [string, string][] = [
      ['u,t,1,"a" "b"\n', 'line 60002: a text goes on behind the quotation mark'],
      [
        'u,t,1,"a\nu,t,2,b\nu,t,1,c"\n',
        'line 60002: a quotation mark opens a text that goes on to line 60004, but each of these 3 lines is a row without it',
      ],
      ['u,t,1,a\r\nu,t,1\n', 'line 60003: expected 4 columns, found 3'],
      ['u,t,many,a\n', 'line 60002, column "playcount": expected a number, got "many"'],
      [
        'u,t,1e39,a\n',
        'line 60002, column "playcount": expected a positive number that a float32 holds',
      ],
    ];
    for (const [tail, message] of faults) {
      const error = await rejection(
        readPlays(folder.write('fault.csv', lines(tail)), { cache: false }),
      );
      expect(error).to.be.instanceOf(DataError);
      expect(error.message).to.include(message);
    }
    const mixed = await readTable(folder.write('mixed.csv', lines('u,t,1,"x\ny"\r\nu,t,2,z\n')));
    expect(mixed.strings('title').slice(60_000)).to.deep.equal(['x\ny', 'z']);
  });

  it('with a quotation over lines that are rows without it are refused, unless it is said what is meant', async () => {
    const file = given('marks-of-names.tsv');
    for (const read of [readPlays, readTable, CollabDataLoaders.fromCsv]) {
      const error = await rejection(read(file));
      expect(error).to.be.instanceOf(DataError);
      expect(error.message)
        .to.include('line 3: a quotation mark opens a text that goes on to line 5')
        .and.include("{ quote: '' }")
        .and.include(`{ quote: '"' }`);
    }
    expect(await triples(file, { quote: '' })).to.deep.equal([
      'u1 a 1',
      'u1 "heroes 2',
      'u2 b 3',
      'u3 x" 5',
      'u3 c 6',
    ]);
    expect((await readTable(file, { quote: '"' })).column('track_id')).to.deep.equal([
      'a',
      'heroes\t2\nu2\tb\t3\nu3\tx',
      'c',
    ]);
    const notes = folder.write('notes.csv', 'a,b\n1,"x, y\nz"\n2,"\n"\n');
    expect((await readTable(notes)).strings('b')).to.deep.equal(['x, y\nz', '\n']);
  });

  it('hold marks as text where quoting is off, and other marks where they are given', async () => {
    const file = given('lastfm-360k.tsv');
    const options = {
      names: ['user', 'mbid', 'artist', 'plays'],
      columns: { user: 'user', track: 'artist', playcount: 'plays' },
    };
    expect(await triples(file, { ...options, quote: '' })).to.deep.equal([
      'u1 "weird al" yankovic 7',
      'u2 air 3',
    ]);
    expect((await rejection(readPlays(file, options))).message)
      .to.include('line 1: a text goes on behind')
      .and.include("{ quote: '' }");
    const marks = folder.write('marks.csv', "a,b\n'x, ''y''',z\n");
    expect((await readTable(marks, { quote: "'" })).row(0)).to.deep.equal({ a: "x, 'y'", b: 'z' });
  });

  it('are split by any delimiter, and the Million Song Dataset without being told', async () => {
    const file = given('unique_tracks.txt');
    for (const delimiter of ['<SEP>', undefined]) {
      const tracks = await readTracks(file, {
        names: ['track_id', 'song', 'artist', 'name'],
        delimiter,
        quote: '',
      });
      expect(tracks.title('TRMMMKD128F425225D')).to.equal('"Tanssi" vaan');
      expect(tracks.label('TRMMMYQ128F932D901')).to.equal('Silent Night by Faster Pussy cat');
    }
    const table = await readTable(folder.write('long.txt', 'a<---->b\n1<---->x\n'), {
      delimiter: '<---->',
    });
    expect(table.row(0)).to.deep.equal({ a: 1, b: 'x' });
    expect((await readTable(given('bars-in-names.csv'))).row(0)).to.deep.equal({
      track_id: 't1',
      'tags (a|b|c|d)': 'rock|pop',
    });
    expect((await readTable(given('excel-sep.csv'))).columnNames).to.deep.equal([
      'user_id',
      'track_id',
      'playcount',
    ]);
    expect(await triples(given('excel-sep.csv'))).to.deep.equal(['u1 t1 3']);
  });

  it('have blanks beside their delimiters in names and values, or in neither', async () => {
    expect(await triples(given('blanks-behind.csv'))).to.deep.equal(['u1 t1 3', 'u2 t2 1']);
    expect((await readTable(given('blanks-around.csv'))).row(0)).to.deep.equal({
      user: 'u1',
      item: 't1',
    });
    const uneven = await readTable(folder.write('uneven.csv', 'a, b\nx, y\nz,w\n')).catch(
      (error: Error) => error.message,
    );
    expect(uneven)
      .to.include('line 3: expected 2 columns, found 1')
      .and.include('split by ", ", a guess by the first lines');
    const values = await readTable(folder.write('values.csv', 'a,b\nx, y\nz,w\n'));
    expect(values.strings('b')).to.deep.equal([' y', 'w']);
  });

  it('are decoded by the encoding that is given, or that their byte order mark says', async () => {
    const latin = given('latin1.txt');
    const names = ['track_id', 'name'];
    for (const encoding of ['latin1', 'latin-1', 'windows-1252'])
      expect((await readTracks(latin, { names, encoding })).title('1')).to.equal('Amélie');
    expect((await rejection(readTracks(latin, { names }))).message)
      .to.include('line 1')
      .and.include("{ encoding: 'latin1' }");
    expect(
      (await rejection(readTracks(latin, { names, encoding: 'shift_jis' }))).message,
    ).to.include('no text in shift_jis');
    const text = 'user_id\ttrack_id\tplaycount\nü\t日本 😀\t3\n';
    for (const [order, name] of [
      ['\ufeff', 'mark'],
      ['', 'none'],
    ]) {
      const little = Buffer.from(order + text, 'utf16le');
      const files = [
        folder.write(`${name}-le.txt`, little),
        folder.write(`${name}-be.txt`, Buffer.from(little).swap16()),
        folder.write(`${name}.gz`, gzipSync(little)),
      ];
      for (const [i, file] of files.entries()) {
        const encoding = i === 1 ? 'utf-16be' : 'utf-16le';
        expect(await triples(file, { encoding })).to.deep.equal(['ü 日本 😀 3']);
        if (order) expect(await triples(file)).to.deep.equal(['ü 日本 😀 3']);
        else
          expect((await rejection(readPlays(file))).message).to.include(
            `give { encoding: '${encoding}' }`,
          );
      }
    }
  });

  it('have comments where it is said so, and are asked about', async () => {
    const file = given('comment.csv');
    expect((await readTable(file, { comment: '#' })).row(0)).to.deep.equal({
      user: 'u',
      item: 'a',
      rating: 1,
    });
    const error = await rejection(readTable(file));
    expect(error.message)
      .to.include('line 2: expected 1 column, found 3')
      .and.include('split by ","')
      .and.include("give { comment: '#' }");
  });

  it('end their lines in any way, also in a quoted header', async () => {
    for (const name of ['returns-only.csv', 'mixed-ends.csv'])
      expect(await triples(given(name))).to.deep.equal(['u1 t1 3', 'u2 t1 1']);
    const table = await readTable(given('break-in-header.csv'));
    expect(table.row(1)).to.deep.equal({ user: 'u2', 'item\nid': 'b', rating: 4 });
  });

  it('keep ids and times as they are written', async () => {
    const ids = [
      '12345678901234567890',
      '12345678901234567891',
      '99999999999999999999',
      '9007199254740993',
      '9007199254740992',
    ];
    const split = { train: [0, 1, 2, 3, 4], valid: [] };
    const dls = await CollabDataLoaders.fromCsv(given('twenty-digits.csv'), { split, bs: 1 });
    expect(dls.classes.user.classes.slice(1)).to.have.members(ids);
    expect((await readTable(given('twenty-digits.csv'))).column('user')).to.deep.equal(ids);
    expect(
      (await readTable(given('times.csv'))).rows().map((r) => [r.time, r.length]),
    ).to.deep.equal([
      ['2009-05-04T23:08:57Z', '03:45'],
      ['2009-05-05', '4:33'],
    ]);
    const table = await readTable(
      folder.write(
        'numbers.csv',
        'a,b,c,d,e,f,g\n007,1.50,1_0,0x1F,nan,nan,1e400\n7,-.5e1,10,31,x,inf,2\n,,,,,3,\n',
      ),
    );
    const kinds = table.columnNames.map((name) =>
      table.column(name) instanceof Float64Array ? 'number' : 'text',
    );
    expect(kinds).to.deep.equal(['text', 'number', 'text', 'text', 'text', 'number', 'text']);
    expect([...table.numbers('b'), ...table.numbers('f')]).to.deep.equal([
      1.5,
      -5,
      NaN,
      NaN,
      Infinity,
      3,
    ]);
    const decimals = folder.write(
      'decimals.csv',
      'user_id,track_id,playcount\n62.0,1,3\n7.0,10,1\n62.0,9,2\n',
    );
    const loaders = await CollabDataLoaders.fromCsv(decimals, {
      split: { train: [0, 1, 2], valid: [] },
      bs: 1,
    });
    expect(loaders.classes.user.classes).to.deep.equal(['#na#', '62.0', '7.0']);
    expect(loaders.classes.item.classes).to.deep.equal(['#na#', '1', '9', '10']); // whole numbers, by size
    expect((await readPlays(decimals)).users.classes).to.deep.equal(['62.0', '7.0']);
  });

  it('are refused by what they are', async () => {
    const refused: [string, string][] = [
      [given('lines.json'), 'holds JSON, not a table'],
      [
        folder.write(
          'x.xlsx',
          Buffer.from('PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0[Content_Types].xml', 'latin1'),
        ),
        'an Excel file. Save its sheet as CSV',
      ],
      [
        folder.write('y.csv', Buffer.from('PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0data.csv', 'latin1')),
        'a zip archive. Unpack it',
      ],
      [folder.write('y.parq', 'PAR1xxxx'), 'ends in .parquet'],
      [folder.write('blank.csv', ' \n\t\n\n'), 'is blank'],
      [
        folder.write('nothing.csv', `${'x'.repeat(17 << 20)}`),
        'has no line end in its first 16 million characters',
      ],
      [
        folder.write(
          'open.csv',
          `user_id,track_id,playcount\na,b,1\n"c,d,2\n${'a,b,1234567890\n'.repeat(1_200_000)}`,
        ),
        'line 3: a record goes on for more than 16 million characters',
      ],
      ['/dev/null', 'a pipe or a device'],
    ];
    for (const [file, message] of refused) {
      const error = await rejection(readPlays(file, { cache: false }));
      expect(error, file).to.be.instanceOf(DataError);
      expect(error.message).to.include(message);
      expect(error.message.length).to.be.lessThan(1000);
    }
    const wide = Array.from({ length: 3_000 }, (_, i) => `column${i}`);
    const error = await rejection(
      readPlays(folder.write('wide.csv', `${wide.join(',')}\n${wide.join(',')}\n`)),
    );
    expect(error.message).to.include('column19, … (3,000 columns)');
    const rows = ['a', 'b'].map((text) =>
      wide.map((_, i) => (i % 3 ? i : `${text}${i}`)).join(','),
    );
    const table = await readTable(
      folder.write('wide-table.csv', `${wide.join(',')}\n${rows.join('\n')}\n`),
    );
    expect([table.column('column3'), [...table.numbers('column2999')]]).to.deep.equal([
      ['a3', 'b3'],
      [2999, 2999],
    ]);
    const long = `user_id,track_id,playcount\na,${'x'.repeat(3_000_000)},2\n`;
    expect((await readPlays(folder.write('long.csv', long))).tracks.id(0)).to.have.length(
      3_000_000,
    );
  });

  it('that change while they are read are refused', async () => {
    const file = folder.write(
      'changing.csv',
      `user_id,track_id,playcount\n${'a,b,1\n'.repeat(200_000)}`,
    );
    const reading = readPlays(file, { cache: false });
    setTimeout(() => appendFileSync(file, 'a,c,1\n'), 20);
    expect((await rejection(reading)).message).to.include('was changed while it was read');
  });

  it('have columns of the names that options give, or the nearest is proposed', async () => {
    const file = folder.write('names.csv', 'user_id,track_id,playcount\nu,t,1\n');
    for (const options of [{ texts: ['userid'] }, { numbers: ['userid'] }]) {
      for (const read of [readTable, CollabDataLoaders.fromCsv]) {
        const error = await rejection(read(file, options));
        expect(error).to.be.instanceOf(UnknownIdError);
        expect(error.message).to.include('did you mean "user_id"');
      }
    }
    expect(
      (await rejection(CollabDataLoaders.fromCsv(file, { itemName: 'trackid' }))).message,
    ).to.include('did you mean "track_id"');
    const tme = await rejection(readPlays(file, { columns: { tme: 'x' } as object }));
    expect(tme).to.be.instanceOf(ArgumentError);
    expect(tme.message).to.include('columns has no option "tme"; did you mean "time"?');
    expect((await rejection(readPlays(given('name-twice.csv')))).message).to.include(
      'two columns are called "playcount"',
    );
    expect(
      await triples(given('name-twice.csv'), { columns: { user: 0, track: 1, playcount: 3 } }),
    ).to.deep.equal(['u1 t1 100', 'u2 t2 200']);
    expect(
      (await rejection(readPlays(file, { columns: { track: 'user_id' } }))).message,
    ).to.include('are the same column');
    const both = await rejection(readTable(file, { numbers: ['playcount'], texts: ['PLAYCOUNT'] }));
    expect(both.message).to.include('as numbers and as text');
  });

  it('come back from Table.save, a missing value in a column of its own too', async () => {
    for (const values of [[null, 'a', null, 'b\r\nc', ' "x"'], ['x'], ['a', null]]) {
      const file = folder.write('saved.csv', csv(new Table({ name: values })));
      expect((await readTable(file, { quote: '"' })).column('name')).to.deep.equal(values);
    }
  });
});

describe('readPlays of logs and of published splits', () => {
  const folder = new TemporaryFolder();
  const names = ['user_id', 'track_id', 'playcount', 'time'];

  it('puts plays in the order of a column of times', async () => {
    const file = given('out-of-order.tsv');
    const plays = await readPlays(file, { names, columns: { time: 'time' } });
    const order = (p: typeof plays): string[] => Array.from(p.track, (t) => p.tracks.id(t));
    expect(order(plays)).to.deep.equal(['a', 'b', 'c', 'd']);
    expect(order(plays.take(leaveKOut(plays, { k: 1, which: 'last' }).valid))).to.deep.equal(['d']);
    expect(order(await readPlays(file, { names }))).to.deep.equal(['d', 'a', 'c', 'b']);
    const positions = await readPlays(file, { header: false, columns: { time: 3 } });
    expect([...positions.playcount]).to.deep.equal([4, 2, 5, 3]);
  });

  it('takes ISO dates, numbers of any size and sign, and keeps the order of equal times', async () => {
    const log = given('log.csv');
    const columns = { user: 'who', track: 'song', time: 'when' };
    expect(await triples(log, { columns })).to.deep.equal(['u1 a 1', 'u1 c 1', 'u1 b 1', 'u2 a 1']); // +02:00 is 22:08:56
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.double({ noNaN: true, noDefaultInfinity: true }),
            fc.integer({ min: -3, max: 3 }),
          ),
          { minLength: 1 },
        ),
        async (times) => {
          const file = folder.write(
            'times.csv',
            `user_id,track_id,playcount,time\n${times.map((t, i) => `u,${i},1,${t}\n`).join('')}`,
          );
          const plays = await readPlays(file, { columns: { time: 'time' } });
          const expected = times
            .map((t, i) => [t, i] as const)
            .sort(([a, i], [b, j]) => a - b || i - j);
          expect(Array.from(plays.track, (t) => Number(plays.tracks.id(t)))).to.deep.equal(
            expected.map(([, i]) => i),
          );
        },
      ),
      { numRuns: 15 },
    );
  });

  it('sums repeated plays into the first in time, and refuses a time that is none', async () => {
    const before = setDisplay({ table() {}, chart() {}, text() {}, warn() {} });
    try {
      const file = folder.write(
        'repeated.csv',
        'user_id,track_id,playcount,time\nu,a,1,9\nu,b,2,5\nu,a,4,1\n',
      );
      expect(await triples(file, { columns: { time: 'time' } })).to.deep.equal(['u a 5', 'u b 2']);
    } finally {
      setDisplay(before);
    }
    const huge = folder.write('huge.csv', 'user_id,track_id,playcount\nu,a,3e38\nu,a,3e38\n');
    expect((await rejection(readPlays(huge))).message)
      .to.include(huge)
      .and.include('user "u" and track "a" add up to more than a float32 holds');
    for (const [bad, line] of [
      ['u,b,2,soon', 3],
      ['u,b,2,', 3],
      ['u,b,2,05/04/2009', 3],
      ['u,b,2,inf', 3],
    ] as const) {
      const file = folder.write(
        'bad.csv',
        `user_id,track_id,playcount,time\nu,a,1,9\n${bad}\nu,c,1,3\n`,
      );
      expect((await rejection(readPlays(file, { columns: { time: 'time' } }))).message).to.include(
        `line ${line}, column "time": expected a time`,
      );
    }
    expect(
      (
        await rejection(
          readPlays(folder.write('no.csv', 'user_id,track_id,playcount,timestamp\nu,a,1,9\n'), {
            columns: { time: 'time' },
          }),
        )
      ).message,
    )
      .to.include('There is no column "time"')
      .and.include("{ columns: { time: 'timestamp' } }");
  });

  it('caches plays by their columns and format', async () => {
    const file = path.join(folder.path, 'cached.tsv');
    copyFileSync(given('out-of-order.tsv'), file);
    const first = async (columns: object): Promise<string> => {
      const plays = await readPlays(file, { names, columns, cache: true });
      return plays.tracks.id(plays.track[0]);
    };
    expect([
      await first({}),
      await first({ time: 'time' }),
      await first({}),
      await first({ time: 'time' }),
    ]).to.deep.equal(['d', 'a', 'd', 'a']);
  });

  it('reads triples between blanks, lists of tracks, and plays without counts', async () => {
    expect(await triples(given('blanks-between.txt'), { header: false })).to.deep.equal([
      '0 818 1',
      '0 5 2',
      '1 818 4',
    ]);
    const lists = ['0 5 1', '0 9 1', '0 12 1', '1 818 1', '3 5 1', '3 818 1', '3 7 1', '3 1 1'];
    expect(await triples(given('lists.txt'), { lists: true })).to.deep.equal(lists);
    expect((await rejection(readPlays(given('lists.txt')))).message).to.include('{ lists: true }');
    expect(
      (await rejection(readPlays(given('lists.txt'), { lists: true, names: ['a'] }))).message,
    ).to.include('leave header, names and columns out');
    expect(
      await triples(folder.write('pairs.csv', 'track_id,user_id\nt1,u1\nt2,u1\n')),
    ).to.deep.equal(['u1 t1 1', 'u1 t2 1']);
    expect(await triples(folder.write('pairs.txt', '1 5\n1 9\n'), { header: false })).to.deep.equal(
      ['1 5 1', '1 9 1'],
    );
    const more = folder.write('more.csv', 'user_id,track_id,x\nu1,t1,5\n');
    expect((await rejection(readPlays(more))).message).to.include(
      '{ columns: { playcount: null } }',
    );
    expect(await triples(more, { columns: { playcount: null } })).to.deep.equal(['u1 t1 1']);
  });
});
