import { expect } from 'chai';
import {
  correlation,
  countsByGenre,
  describe as describeColumns,
  meansByYear,
  missingValues,
  topArtists,
} from '../../../lib/recital/data/explore.js';

import { Plays } from '../../../lib/recital/data/plays.js';
import { Table } from '../../../lib/recital/data/table.js';
import { Tracks } from '../../../lib/recital/data/tracks.js';
import { ArgumentError, UnknownIdError } from '../../../lib/recital/errors.js';

// The expected numbers are those of pandas 2.3: describe().T, isna().sum(), corr(),
// groupby('year').mean().
const table = new Table({
  a: Float64Array.of(3, 1, 4, 1, 5, 9, 2.5),
  b: Float64Array.of(2, NaN, 7, 1, 8, 2, 8),
  c: Float64Array.of(NaN, NaN, NaN, 5, NaN, NaN, NaN),
  text: ['x', null, 'y', 'x', 'z', 'x', ''],
  d: new Float64Array(7).fill(6),
  e: new Float64Array(7).fill(NaN),
});
const tracks = new Tracks(
  new Table({
    track_id: ['t1', 't2', 't3', 't4', 't5'],
    artist: ['Zoë', 'Abba', null, 'Abba', 'Björk'],
    genre: ['Pop', 'Rock', 'Rock', null, null],
    year: Float64Array.of(2001, 1999, 2001, NaN, 1999),
    tempo: Float64Array.of(1, 2, 4, 8, NaN),
    energy: Float64Array.of(NaN, 1, NaN, 1, 5),
  }),
);
const plays = Plays.fromRows(
  [
    { user: 'u1', track: 't1', playcount: 9 },
    { user: 'u1', track: 't2', playcount: 4 },
    { user: 'u2', track: 't2', playcount: 1 },
    { user: 'u2', track: 't5', playcount: 5 },
    { user: 'u2', track: 't9', playcount: 50 },
  ],
  { catalogue: tracks },
);

describe('describe', () => {
  it("gives pandas' numbers, missing values left out", () => {
    const rows = describeColumns(table).rows();
    expect(rows.map((r) => r.column)).to.deep.equal(['a', 'b', 'c', 'd', 'e']);
    const [a, b, c, d, e] = rows;
    expect(a).to.deep.equal({
      column: 'a',
      count: 7,
      missing: 0,
      mean: 25.5 / 7,
      std: 2.779602575223745,
      min: 1,
      '25%': 1.75,
      '50%': 3,
      '75%': 4.5,
      max: 9,
    });
    expect(b.std).to.be.closeTo(3.32665998663324, 1e-14);
    expect([b.count, b.missing, b['25%'], b['50%'], b['75%']]).to.deep.equal([6, 1, 2, 4.5, 7.75]);
    expect([c.count, c.mean, c.std, c['25%'], c.max]).to.deep.equal([1, 5, null, 5, 5]);
    expect([d.std, d.missing]).to.deep.equal([0, 0]);
    expect([e.count, e.missing, e.mean, e.std, e.min, e['50%']]).to.deep.equal([
      0,
      7,
      null,
      null,
      null,
      null,
    ]);
  });

  it('describes chosen columns, tracks, and plays with their users and tracks', () => {
    expect(describeColumns(table, ['b']).length).to.equal(1);
    expect(() => describeColumns(table, ['text'])).to.throw(ArgumentError, 'holds text');
    expect(() => describeColumns(table, ['aa'])).to.throw(UnknownIdError);
    expect(describeColumns(tracks).column('column')).to.deep.equal(['year', 'tempo', 'energy']);
    const [count, user, track] = describeColumns(plays).rows();
    expect([count.count, count.mean, count.max]).to.deep.equal([5, 13.8, 50]);
    expect([user.column, user.count, user.mean, user.max]).to.deep.equal([
      'plays of a user',
      2,
      2.5,
      3,
    ]);
    expect([track.column, track.count, track.mean, track.min]).to.deep.equal([
      'plays of a track',
      4,
      1.25,
      1,
    ]);
  });
});

describe('missingValues', () => {
  it('counts missing numbers and texts; an empty text is not missing', () => {
    expect(missingValues(table).column('missing')).to.deep.equal(Float64Array.of(0, 1, 6, 1, 0, 7));
    expect(missingValues(tracks).rows()[2]).to.deep.equal({
      column: 'genre',
      missing: 2,
      percent: 40,
    });
    expect(missingValues(new Table({ x: [] })).rows()).to.deep.equal([
      { column: 'x', missing: 0, percent: 0 },
    ]);
  });
});

describe('correlation', () => {
  it("gives pandas' numbers over the rows where both values are there, NaN for a column that does not vary", () => {
    const { columns, matrix, table: shown } = correlation(table);
    expect(columns).to.deep.equal(['a', 'b', 'c', 'd', 'e']);
    expect(matrix[0]).to.equal(1);
    expect(matrix[1]).to.be.closeTo(-0.0289978816461932, 1e-15);
    expect(matrix[5]).to.equal(matrix[1]);
    expect([...matrix].filter((v) => Number.isNaN(v))).to.have.length(21);
    expect(shown.row(1).a).to.equal(matrix[5]);
    expect(shown.columnNames).to.deep.equal(['column', ...columns]);
  });

  it('takes the audio features of tracks, or the columns that it is given', () => {
    expect(correlation(tracks).columns).to.deep.equal(['energy', 'tempo']);
    expect(
      [...correlation(tracks, ['tempo', 'year']).matrix].map((v) => v.toFixed(4)),
    ).to.deep.equal(['1.0000', '0.1890', '0.1890', '1.0000']);
    expect(() => correlation(new Table({ x: ['a'] }))).to.throw(ArgumentError, 'no numeric column');
  });
});

describe('topArtists, countsByGenre, meansByYear', () => {
  it('counts tracks, ties in the order of the names, unknown ones left out', () => {
    expect(topArtists(tracks).rows()).to.deep.equal([
      { artist: 'Abba', tracks: 2 },
      { artist: 'Björk', tracks: 1 },
      { artist: 'Zoë', tracks: 1 },
    ]);
    expect(topArtists(tracks, 1).length).to.equal(1);
    expect(countsByGenre(tracks).rows()).to.deep.equal([
      { genre: 'Rock', tracks: 2 },
      { genre: 'Pop', tracks: 1 },
    ]);
    expect(() => topArtists(tracks, 0)).to.throw(ArgumentError, 'got 0');
  });

  it('ranks by playcount when given plays', () => {
    expect(topArtists(plays).rows()).to.deep.equal([
      { artist: 'Zoë', tracks: 1, playcount: 9 },
      { artist: 'Abba', tracks: 1, playcount: 5 },
      { artist: 'Björk', tracks: 1, playcount: 5 },
    ]);
    expect(countsByGenre(plays).rows()).to.deep.equal([
      { genre: 'Pop', tracks: 1, playcount: 9 },
      { genre: 'Rock', tracks: 1, playcount: 5 },
    ]);
    expect(() => topArtists(Plays.fromRows([{ user: 'a', track: 'b' }]))).to.throw(
      ArgumentError,
      'withCatalogue',
    );
  });

  it('averages by year, ascending, over the values that are there', () => {
    expect(meansByYear(tracks, ['tempo', 'energy']).rows()).to.deep.equal([
      { year: 1999, tracks: 2, tempo: 2, energy: 3 },
      { year: 2001, tracks: 2, tempo: 2.5, energy: null },
    ]);
    expect(meansByYear(tracks).columnNames).to.deep.equal([
      'year',
      'tracks',
      ...tracks.audioFeatures,
    ]);
  });
});
