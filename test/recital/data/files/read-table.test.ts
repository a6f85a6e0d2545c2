import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { CollabDataLoaders } from '../../../../lib/recital/data/collab.js';
import { literal, withDuckDB } from '../../../../lib/recital/data/files/duckdb.js';
import { type ReadTableOptions, readTable } from '../../../../lib/recital/data/files/read-table.js';
import type { Table } from '../../../../lib/recital/data/table.js';
import { ArgumentError, DataError } from '../../../../lib/recital/errors.js';
import { rejection, TemporaryFolder } from '../temporary.js';

const U_DATA = '196\t242\t3\t881250949\n186\t302\t3\t891717742\n22\t377\t1\t878887116\n'; // MovieLens 100K
const RATINGS_DAT = '1::1193::5::978300760\n1::661::3::978302109\n2::1357::5::978298709\n'; // MovieLens 1M
const NAMES = ['user', 'item', 'rating', 'timestamp'];
const numbers = (table: Table): number[][] =>
  table.columnNames.map((name) => [...table.numbers(name)]);

describe('readTable', () => {
  const folder = new TemporaryFolder();

  it('tells numbers from text, and keeps large whole numbers exact as text', async () => {
    const table = await readTable(
      folder.write(
        'a.tsv',
        'n\tt\tmixed\tbig\tflag\tday\n1.5\tx\t1\t9007199254740993\ttrue\t2020-01-02\n\t\tb\t1\tfalse\t2020-01-03\n',
      ),
    );
    expect(table.rows()).to.deep.equal([
      { n: 1.5, t: 'x', mixed: '1', big: '9007199254740993', flag: 'true', day: '2020-01-02' },
      { n: null, t: null, mixed: 'b', big: '1', flag: 'false', day: '2020-01-03' },
    ]);
  });

  it('refuses a missing file and a folder', async () => {
    expect((await rejection(readTable(path.join(folder.path, 'no.csv')))).message).to.match(
      /There is no file ".*no.csv"/,
    );
    expect((await rejection(readTable(folder.path))).message).to.include('is not a file');
  });

  it('reads a file without a header, whose columns are named or numbered', async () => {
    const file = folder.write('u.data', U_DATA);
    const named = await readTable(file, { names: NAMES });
    expect(named.columnNames).to.deep.equal(NAMES);
    expect(numbers(named).slice(0, 3)).to.deep.equal([
      [196, 186, 22],
      [242, 302, 377],
      [3, 3, 1],
    ]);
    const numbered = await readTable(file, { header: false });
    expect([numbered.columnNames, numbered.length]).to.deep.equal([
      ['column0', 'column1', 'column2', 'column3'],
      3,
    ]);
    const packed = folder.write('u.data.gz', gzipSync(U_DATA));
    expect(numbers(await readTable(packed, { names: NAMES }))).to.deep.equal(numbers(named));
  });

  it('reads delimiters of several characters, found or given', async () => {
    const table = await readTable(folder.write('ratings.dat', RATINGS_DAT), { names: NAMES });
    expect(numbers(table).slice(0, 3)).to.deep.equal([
      [1, 1, 2],
      [1193, 661, 1357],
      [5, 3, 5],
    ]);
    const blanks = await readTable(folder.write('blanks.txt', RATINGS_DAT.replaceAll('::', ' ')), {
      names: NAMES,
      delimiter: ' ',
    });
    expect(numbers(blanks)).to.deep.equal(numbers(table));
    const words = folder.write('words.txt', 'u1 so what\nu2 b c\n');
    expect((await readTable(words, { names: ['a', 'b', 'c'] })).rows()[0]).to.deep.equal({
      a: 'u1',
      b: 'so',
      c: 'what',
    });
    expect((await readTable(words, { names: ['a'] })).rows()[0]).to.deep.equal({ a: 'u1 so what' }); // a title, not three fields
    const movies = await readTable(
      folder.write('movies.dat', "1::Toy Story::Animation|Children's|Comedy\n"),
      { header: false, delimiter: '::' },
    );
    expect(movies.row(0)).to.deep.equal({
      column0: 1,
      column1: 'Toy Story',
      column2: "Animation|Children's|Comedy",
    });
  });

  it('refuses a first line of numbers where names were expected, unless told that these are the names', async () => {
    const file = folder.write('u.data', U_DATA);
    const error = await rejection(readTable(file));
    expect(error).to.be.instanceOf(DataError);
    expect(error.message)
      .to.include(
        `"${file}", line 1: expected the names of the columns, found numbers: 196, 242, 3, 881250949.`,
      )
      .and.include("{ names: ['user', 'item', 'rating', 'timestamp'] }")
      .and.include('{ header: false }');
    expect((await rejection(readTable(folder.write('1m.dat', RATINGS_DAT)))).message).to.include(
      'found numbers: 1, 1193, 5, 978300760',
    );
    const years = await readTable(folder.write('years.csv', '2001,2002\n1,2\n'), { header: true });
    expect(years.row(0)).to.deep.equal({ '2001': 1, '2002': 2 });
  });

  it('renames the columns of a header, trims names, skips blank lines above it, and keeps names that differ in case', async () => {
    const file = folder.write('a.csv', '\n \nA , a,b\n1,2,3\n');
    expect((await readTable(file)).row(0)).to.deep.equal({ A: 1, a: 2, b: 3 });
    expect((await readTable(file, { header: true, names: ['x', 'y', 'z'] })).row(0)).to.deep.equal({
      x: 1,
      y: 2,
      z: 3,
    });
  });

  it('leaves out no line: neither a short first one, nor one that looks like a comment', async () => {
    const comment = await readTable(folder.write('comment.csv', 'x,y\n#a,1\n#b,2\nc,3\n'));
    expect(comment.strings('x')).to.deep.equal(['#a', '#b', 'c']);
    const error = await rejection(
      readTable(folder.write('first.csv', '1,2\n1,2,3\n4,5,6\n'), { header: false }),
    );
    expect(error.message).to.include('line 2: expected 2 columns, found 3');
  });

  const malformed: [string, string, string, ReadTableOptions?][] = [
    ['a row that is cut off', 'a,b\n1,2\n\n4\n5,6\n', 'line 4: expected 2 columns, found 1'],
    ['a row that is too long', 'a,b\n"1\n1",2\n4,5,6\n', 'line 4: expected 2 columns, found 3'],
    [
      'a row that is cut off between delimiters of several characters',
      '1::2::3\n4::5\n',
      'line 2: expected 3 columns, found 2',
      { header: false },
    ],
    [
      'a quotation that is not closed',
      'a,b\n1,2\n4,"q\n3,2\n',
      'line 3: a quotation mark opens a text and none closes it',
    ],
    [
      'a text behind a quotation',
      'a,b\n1,2\n4,"q"r\n3,2\n',
      'line 3: a text goes on behind the quotation mark',
    ],
    [
      'a text among numbers',
      'a,b\n1,2\n3,x\n',
      'line 3, column "B": expected a number, got "x"',
      { names: ['A', 'B'], header: true, numbers: ['b'] },
    ],
    [
      'too few names',
      '1,2,3\n',
      'has 3 columns in line 1, but 2 names are given: x, y',
      { names: ['x', 'y'] },
    ],
    [
      'names for another delimiter',
      '1/2/3\n',
      'Is the delimiter another one?',
      { names: ['x', 'y', 'z'] },
    ],
  ];
  for (const [what, text, message, options] of malformed) {
    it(`names the line of ${what}`, async () => {
      const file = folder.write('malformed.csv', text);
      const error = await rejection(readTable(file, options));
      expect(error).to.be.instanceOf(DataError);
      expect(error.message).to.include(`"${file}"`).and.include(message);
    });
  }

  it('refuses options that it cannot follow, and those that a Parquet file has no use for', async () => {
    const file = folder.write('a.csv', 'a,b\n1,2\n');
    const wrong: [unknown, string][] = [
      [{ header: 'yes' }, 'header is true or false'],
      [{ names: 'a,b' }, 'names must be a list of texts'],
      [{ names: [] }, 'names must be a list of texts'],
      [{ names: ['a', 2] }, 'names must be a list of texts'],
      [{ texts: 'a' }, 'texts needs an array of names'],
      [{ numbers: 'a' }, 'numbers needs an array of names'],
      [{ names: ['a', 'a'] }, '"a" occurs twice'],
      [{ delimiter: '' }, 'delimiter must be a text'],
      [{ quote: '""' }, 'quote must be a mark'],
      [{ quote: 'a' }, 'quote must be a mark'],
      [{ quote: '|', delimiter: '|' }, 'no part of the delimiter'],
      [{ encoding: 'latin-7' }, 'encoding must be one that TextDecoder knows'],
      [{ comment: '' }, 'comment must be the beginning of lines'],
      [{ delimiter: '"' }, 'delimiter must be a text'],
      [{ delimiter: 9 }, 'delimiter must be a text'],
    ];
    for (const [options, message] of wrong) {
      const error = await rejection(readTable(file, options as ReadTableOptions));
      expect(error).to.be.instanceOf(ArgumentError);
      expect(error.message).to.include(message);
    }
    const parquet = path.join(folder.path, 'a.parquet');
    await withDuckDB('writing a file', (c) => c.run(`copy (select 1 as a) to ${literal(parquet)}`));
    expect(
      (await rejection(readTable(parquet, { header: false, delimiter: ',' }))).message,
    ).to.include('leave header and delimiter out');
  });

  it('reads back any texts between any delimiters', async () => {
    const field = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((s) => !/[\r\0\ufeff]/.test(s));
    const rows = fc.array(fc.tuple(field, field, field), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.constantFrom(',', '\t', ';', '|', '::', ' ', '<->'),
        async (all, delimiter) => {
          const quoted = all
            .map((row) => row.map((s) => `"${s.replaceAll('"', '""')}"`).join(delimiter))
            .join('\n');
          const table = await readTable(folder.write('any.txt', quoted), {
            names: ['a', 'b', 'c'],
            texts: ['a', 'b', 'c'],
            delimiter,
          });
          expect(table.rows().map((r) => [r.a, r.b, r.c])).to.deep.equal(all);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('CollabDataLoaders.fromCsv', () => {
  const folder = new TemporaryFolder();
  const split = { train: [0, 1, 2], valid: [] };

  it("reads MovieLens' files, which have no header", async () => {
    for (const text of [U_DATA, RATINGS_DAT]) {
      const dls = await CollabDataLoaders.fromCsv(folder.write('ratings', text), {
        names: NAMES,
        split,
        bs: 1,
      });
      expect(dls.names).to.deep.equal({ user: 'user', item: 'item', rating: 'rating' });
      expect(dls.train.data.user).to.have.length(3);
    }
    const error = await rejection(
      CollabDataLoaders.fromCsv(folder.write('u.data', U_DATA), { split, bs: 1 }),
    );
    expect(error).to.be.instanceOf(DataError);
    expect(error.message).to.include('names: [');
  });

  it('names the line of the file on which an id is missing or a rating is no number', async () => {
    const cases: [string, string][] = [
      [
        'u,i,r\na,b,1\n\na,c,good\n',
        'line 4, column "r": expected a finite number, which a float32 holds, got "good"',
      ],
      [
        'u,i,r\na,b,1\na,c,\n',
        'line 3, column "r": expected a finite number, which a float32 holds, got nothing',
      ],
      ['u,i,r\na,b,1\na,c,1e300\n', 'line 3, column "r"'],
      ['u,i,r\n"a\n",b,1\n,c,2\n', 'line 4, column "u": expected an id, got nothing'],
    ];
    for (const [text, message] of cases) {
      const file = folder.write('bad.csv', text);
      const error = await rejection(
        CollabDataLoaders.fromCsv(file, { split: { train: [0, 1], valid: [] }, bs: 1 }),
      );
      expect(error).to.be.instanceOf(DataError);
      expect(error.message).to.include(`"${file}"`).and.include(message);
    }
  });
});
