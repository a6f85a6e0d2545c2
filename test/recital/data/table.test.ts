import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { readTable } from '../../../lib/recital/data/files/read-table.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { type ColumnValues, formatColumn, Table } from '../../../lib/recital/data/table.js';
import { tableHtml } from '../../../lib/recital/display/html.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { TemporaryFolder } from './temporary.js';

describe('Table', () => {
  const folder = new TemporaryFolder();

  it('is its rows, one after the other and as JSON', () => {
    const table = new Table({ track: ['a', null], plays: [3, NaN], share: [Infinity, 0.5] });
    expect([...table]).to.deep.equal(table.rows());
    const seen: unknown[] = [];
    for (const row of table) seen.push(row.track);
    expect(seen).to.deep.equal(['a', null]);
    expect(JSON.parse(JSON.stringify({ table }))).to.deep.equal({
      table: [
        { track: 'a', plays: 3, share: null },
        { track: null, plays: null, share: 0.5 },
      ],
    });
    expect([...new Table({}), ...new Table({ x: [] })]).to.deep.equal([]);
    expect(JSON.stringify(new Table({}))).to.equal('[]');
  });

  it('is saved as CSV, which readTable reads back, and as JSON', async () => {
    const at = (name: string): string => `${folder.path}/${name}`;
    const table = new Table({
      artist: ['Björk, live', 'say "Can"', null, 'two\nlines'],
      plays: [1 / 3, 5, null, -2e-9],
    });
    const file = table.save(at('a.csv'));
    expect(file).to.equal(at('a.csv'));
    expect(readFileSync(file, 'utf8').split('\n')[0]).to.equal('artist,plays');
    expect((await readTable(file)).rows()).to.deep.equal(table.rows());
    expect(JSON.parse(readFileSync(table.save(at('A.JSON')), 'utf8'))).to.deep.equal(table.rows());
    expect(() => table.save(at('a.xlsx'))).to.throw(
      ArgumentError,
      'A table is saved as .csv or .json, got',
    );
    expect(() => table.save(undefined as never)).to.throw(ArgumentError, 'got undefined');
  });

  it('takes ordinary arrays of numbers, with null for a missing one, and typed arrays of any kind', () => {
    const table = new Table({
      track: ['a', null],
      plays: [3, null],
      rank: Int32Array.of(1, 2),
      score: Float32Array.of(0.5, 0.25),
    });
    expect(table.rows()).to.deep.equal([
      { track: 'a', plays: 3, rank: 1, score: 0.5 },
      { track: null, plays: null, rank: 2, score: 0.25 },
    ]);
    expect([...table.numbers('plays')]).to.deep.equal([3, NaN]);
    expect([...table.withColumn('year', [1999, 2000]).numbers('year')]).to.deep.equal([1999, 2000]);
    expect(new Table(new Map([['n', [null, 2]]])).row(1)).to.deep.equal({ n: 2 });
  });

  it('keeps a Float64Array and an array of texts without a copy, and takes a column without values for text', () => {
    const plays = Float64Array.of(1, 2);
    const track = ['a', 'b'];
    const table = new Table({ plays, track });
    expect([table.column('plays'), table.column('track')]).to.deep.equal([plays, track]);
    expect(table.column('plays')).to.equal(plays);
    expect(new Table({ nothing: [null, null] }).strings('nothing')).to.deep.equal([null, null]);
    expect(new Table({ none: [] }).length).to.equal(0);
  });

  it('gives back any numbers', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.double({ noNaN: true }))), (values) => {
        const table = new Table({ n: values, i: values.map((_, i) => i) });
        expect(table.rows().map((row) => row.n)).to.deep.equal(values);
      }),
    );
  });

  it('refuses a column that mixes numbers and texts, or holds anything else, with its row', () => {
    const cases: [unknown, string][] = [
      [[1, 'a'], 'got string in row 1 (counted from 0). One column holds one kind'],
      [['a', 1], 'got number in row 1'],
      [[true], 'got boolean in row 0'],
      [[1, undefined], 'got undefined in row 1'],
      [[1n], 'got bigint in row 0'],
      [BigInt64Array.of(1n), 'got an object of BigInt64Array'],
      [new DataView(new ArrayBuffer(8)), 'got an object of DataView'],
      [7, 'got a number'],
      [null, 'got null'],
    ];
    for (const [column, message] of cases) {
      expect(() => new Table({ x: column as ColumnValues }))
        .to.throw(ArgumentError, 'Column "x" needs an array of numbers or an array of strings')
        .with.property('message')
        .that.includes(message);
    }
    expect(() => new Table({ a: [1], b: [1, 2] })).to.throw(
      ArgumentError,
      'equal lengths, got a: 1, b: 2',
    );
  });

  it('counts the rows that it does not show', () => {
    const of = (n: number): Table => new Table({ n: Array.from({ length: n }, (_, i) => i) });
    expect(of(20).toString()).not.to.contain('more');
    expect(of(21).toString()).to.match(/\n… 1 more row$/);
    expect(of(1500).toString()).to.match(/\n… 1,480 more rows$/);
    expect(tableHtml(of(21))).to.contain('… 1 more row<');
    expect(() => of(1).row(1)).to.throw(ArgumentError, 'Row 1 does not exist; there are 1,');
  });
});

describe('Plays in print', () => {
  const plays = (users: number, tracks: number): Plays =>
    Plays.fromRows(
      Array.from({ length: users }, (_, i) => ({ user: `u${i}`, track: `t${i % tracks}` })),
    );

  it('says how many there are, and how full the table of users and tracks is, in figures that can be read', () => {
    expect(inspect(plays(1, 1))).to.equal(
      'Plays: 1 of 1 user × 1 track (1.0 per user, 100 % filled)',
    );
    expect(inspect(plays(3, 2))).to.equal(
      'Plays: 3 of 3 users × 2 tracks (1.0 per user, 50 % filled)',
    );
    expect(inspect(plays(1200, 300))).to.equal(
      'Plays: 1,200 of 1,200 users × 300 tracks (1.0 per user, 0.33 % filled)',
    );
  });
});

const written = (...values: number[]): string[] => formatColumn(Float64Array.from(values));

describe('numbers of a column', () => {
  it('have the same decimals, as many as give the largest six digits', () => {
    expect(written(0.0123, 0.5)).to.deep.equal(['0.012300', '0.500000']);
    expect(written(1234.5, 20)).to.deep.equal(['1234.50', '20.00']);
    expect(written(3, 12)).to.deep.equal(['3', '12']);
  });

  it('have their thousands separated from 10,000 on, which leaves years alone', () => {
    expect(written(1999, 2024)).to.deep.equal(['1999', '2024']);
    expect(written(12_345, 7, -1_234_567)).to.deep.equal(['12,345', '7', '-1,234,567']);
    expect(written(12_345.678)).to.deep.equal(['12,345.7']);
    expect(written(123_456_789_012)).to.deep.equal(['123,456,789,012']);
  });

  it('stay readable beside far larger ones', () => {
    expect(written(252_506.4, 0.487)).to.deep.equal(['252,506.400', '0.487']);
  });

  it('are in scientific notation only where they could not be read otherwise', () => {
    expect(written(1e-7, 3e-6)).to.deep.equal(['1.000e-7', '3.000e-6']);
    expect(written(1.5e9)).to.deep.equal(['1,500,000,000']);
    expect(written(1234567890.5)).to.deep.equal(['1.235e+9']);
    expect(written(1e20)).to.deep.equal(['1.000e+20']);
  });

  it('do not look like zero unless they are, but for a rounding error', () => {
    expect(written(5e-3, 5e-8, 0)).to.deep.equal(['0.005000', '5.00e-8', '0.000000']);
    expect(written(1.5, -2.17e-16, -0)).to.deep.equal(['1.50000', '0.00000', '0.00000']);
  });

  it('may be missing or infinite', () => {
    expect(written(NaN, Infinity, -Infinity, 2)).to.deep.equal(['–', 'Infinity', '-Infinity', '2']);
  });
});
