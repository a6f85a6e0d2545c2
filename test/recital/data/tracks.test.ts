import { inspect } from 'node:util';
import { expect } from 'chai';
import { Table } from '../../../lib/recital/data/table.js';
import { Tracks } from '../../../lib/recital/data/tracks.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { ArgumentError, DataError, UnknownIdError } from '../../../lib/recital/errors.js';

const tracks = new Tracks(
  new Table({
    track_id: ['TR3', 'TR1', 'TR2', 'TR4', 'TR5'],
    name: ['Hurt', 'Hurt', 'Café', null, 'Once'],
    artist: ['Johnny Cash', 'Nine Inch Nails', 'Vocal', 'Nobody', null],
    year: Float64Array.of(2002, 1994, NaN, 1980, 2000),
    tempo: Float64Array.of(90, 100, 110, 120, 130),
  }),
);

describe('Tracks', () => {
  it('looks titles, artists and years up by id, undefined where they are not known', () => {
    expect(tracks.title('TR1')).to.equal('Hurt');
    expect(tracks.artist('TR3')).to.equal('Johnny Cash');
    expect(tracks.year('TR3')).to.equal(2002);
    expect([
      tracks.title('TR4'),
      tracks.artist('TR5'),
      tracks.year('TR2'),
      tracks.title('TR9'),
    ]).to.deep.equal([undefined, undefined, undefined, undefined]);
  });

  it('labels a track "title by artist", with the id for an unknown title', () => {
    expect(['TR1', 'TR4', 'TR5', 'TR9'].map((id) => tracks.label(id))).to.deep.equal([
      'Hurt by Nine Inch Nails',
      'TR4 by Nobody',
      'Once',
      'TR9',
    ]);
  });

  it('finds a track by id, title, or "title by artist", whatever the case', () => {
    expect(tracks.find('TR2')).to.equal('TR2');
    expect(tracks.find(' once ')).to.equal('TR5');
    expect(tracks.find('hurt by johnny cash')).to.equal('TR3');
    expect(tracks.find('CAFE\u0301')).to.equal('TR2');
  });

  it('lists the candidates for an ambiguous title', () => {
    expect(() => tracks.find('Hurt')).to.throw(
      ArgumentError,
      /2 tracks.*\n {2}TR3 {2}Hurt by Johnny Cash \(2002\)\n {2}TR1 {2}Hurt by Nine Inch Nails \(1994\)$/,
    );
  });

  it('suggests the nearest title for an unknown one', () => {
    expect(() => tracks.find('Hurd')).to.throw(UnknownIdError, 'did you mean "Hurt"?');
  });

  it('knows which columns are missing, and which rows belong to a vocabulary', () => {
    expect(tracks.missingColumns).to.include('genre').and.not.include('tempo');
    expect(tracks.audioFeatures).to.deep.equal(['tempo']);
    expect([...tracks.rowsOf(Vocabulary.fromValues(['TR1', 'TR9', 'TR3']))]).to.deep.equal([
      1, 0, -1,
    ]);
    expect(inspect(tracks)).to.match(/^Tracks: 5 tracks, 5 columns; without spotify_preview_url/);
  });

  it('refuses a table without ids, a missing id, and an id that occurs twice', () => {
    expect(() => new Tracks(new Table({ id: ['a'] }))).to.throw(
      DataError,
      'need a column "track_id"; there are: id',
    );
    expect(() => new Tracks(new Table({ track_id: ['a', null] }))).to.throw(DataError, 'Row 1');
    expect(() => new Tracks(new Table({ track_id: ['a', 'b', 'a'] }))).to.throw(
      DataError,
      '"a" occurs twice, in rows 0 and 2',
    );
  });
});
