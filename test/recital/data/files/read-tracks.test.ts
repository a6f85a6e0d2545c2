import { existsSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { literal, withDuckDB } from '../../../../lib/recital/data/files/duckdb.js';
import { readTracks } from '../../../../lib/recital/data/files/read-plays.js';
import { DataError } from '../../../../lib/recital/errors.js';
import { rejection, TemporaryFolder } from '../temporary.js';

const CSV =
  'track_id,name,artist,genre,year,tempo,extra\nTR2,"Hurt, again",Johnny Cash,,2002,91.5,1\nTR1,NULL,"",Rock,,,2\n';
const data = path.resolve(__dirname, '../../../../../shared/data');

describe('readTracks', () => {
  const folder = new TemporaryFolder();

  it("reads Kaggle's columns by their meaning, further ones by their content, in the order of the file", async () => {
    const tracks = await readTracks(folder.write('a/Music Info.csv', CSV));
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
    folder.write('b/sample/Music Info.csv', CSV);
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
