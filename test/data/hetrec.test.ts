import { existsSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { readHetRec } from '../../lib/data/hetrec.js';
import { readPlays } from '../../lib/data/read-plays.js';
import { readTracks } from '../../lib/data/read-tracks.js';
import { unzip } from '../../lib/data/unzip.js';
import { DataError } from '../../lib/errors.js';
import { rejection, TemporaryFolder } from './temporary.js';

const data = path.resolve(__dirname, '../../../shared/data');
const FILES: Record<string, Buffer> = {
  'artists.dat': Buffer.from('id\tname\turl\tpictureURL\n1\tMötley "Crüe"\thttp://x\t\n20\tBjörk\thttp://y\tp\n3\tUnheard\thttp://z\t\n'),
  'user_artists.dat': Buffer.from('userID\tartistID\tweight\n2\t20\t13\n2\t1\t5\n10\t1\t7\n'),
  'tags.dat': Buffer.from('tagID\ttagValue\n1\tmetal\n2\tn\u00fa metal\n', 'latin1'),
  'user_taggedartists-timestamps.dat': Buffer.from('userID\tartistID\ttagID\ttimestamp\n2\t1\t2\t1238536800000\n10\t20\t1\t-5\n'),
  'user_friends.dat': Buffer.from('userID\tfriendID\n2\t10\n10\t2\n'),
};

/** A zip archive, every second file packed. */
function zip(files: Record<string, Buffer>): Buffer {
  const parts: Buffer[] = [];
  const list: Buffer[] = [];
  let at = 0;
  Object.entries(files).forEach(([name, content], i) => {
    const packed = i % 2 ? deflateRawSync(content) : content;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(i % 2 ? 8 : 0, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    list.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, rest, Buffer.from(name)]));
    parts.push(local);
    at += local.length;
  });
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(list.length, 10);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...list, end]);
}

describe('readHetRec', () => {
  const folder = new TemporaryFolder();

  it('reads plays, artists as the catalogue, tags in Latin-1 and friends, from the zip, its folder or the unpacked files', async () => {
    const file = folder.write('zip/hetrec2011-lastfm-2k.zip', zip(FILES));
    for (const [name, content] of Object.entries(FILES)) folder.write(`unpacked/${name}`, content);
    for (const where of [file, path.dirname(file), path.join(folder.path, 'unpacked')]) {
      const { plays, tags, friends } = await readHetRec(where);
      expect(plays.toTable().rows()).to.deep.equal([
        { track_id: '20', user_id: '2', playcount: 13 },
        { track_id: '1', user_id: '2', playcount: 5 },
        { track_id: '1', user_id: '10', playcount: 7 },
      ]);
      expect(plays.catalogue?.label('1')).to.equal('Mötley "Crüe"');
      expect(plays.catalogue?.audioFeatures).to.deep.equal([]);
      expect(tags.rows()).to.deep.equal([
        { user_id: '2', track_id: '1', tag: 'nú metal', timestamp: 1238536800000 },
        { user_id: '10', track_id: '20', tag: 'metal', timestamp: -5 },
      ]);
      expect(friends.rows()).to.deep.equal([
        { user_id: '2', friend_id: '10' },
        { user_id: '10', friend_id: '2' },
      ]);
    }
  });

  it('is what readPlays and readTracks find in a folder with the zip', async () => {
    folder.write('zip/hetrec2011-lastfm-2k.zip', zip(FILES));
    const where = path.join(folder.path, 'zip');
    expect((await readPlays(where)).catalogue?.title('20')).to.equal('Björk');
    expect((await readPlays(where, { catalogue: false })).catalogue).to.equal(undefined);
    expect((await readTracks(where)).find('björk')).to.equal('20');
    expect((await rejection(readPlays(where, { header: true }))).message).to.include('has columns of its own');
  });

  it('refuses a missing file, a missing column, a broken line and a weight that is no play', async () => {
    const broken = (changes: Record<string, string>, drop?: string): Promise<Error> => {
      const files = { ...FILES, ...Object.fromEntries(Object.entries(changes).map(([name, text]) => [name, Buffer.from(text)])) };
      if (drop) delete files[drop];
      return rejection(readHetRec(folder.write('broken/hetrec-lastfm.zip', zip(files))));
    };
    expect((await broken({}, 'tags.dat')).message).to.include('holds no tags.dat');
    expect((await broken({ 'user_artists.dat': 'userID\tartist\tweight\n' })).message).to.include('line 1: expected a column "artistID"');
    expect((await broken({ 'user_artists.dat': 'userID\tartistID\tweight\n1\t2\n' })).message).to.include(
      'user_artists.dat", line 2: expected 3 fields',
    );
    const weight = await broken({ 'user_artists.dat': 'userID\tartistID\tweight\n2\t1\t3\n2\t1\t0\n' });
    expect(weight).to.be.instanceOf(DataError);
    expect(weight.message).to.include('line 3, column "weight": expected a positive number, got "0"');
    expect((await rejection(readHetRec(folder.write('x.csv', 'a')))).message).to.include("neither HetRec's zip nor a folder");
  });

  it('reads the real one (skipped where ../shared/data is absent)', async function () {
    if (!existsSync(path.join(data, 'hetrec2011-lastfm-2k.zip'))) this.skip();
    const { plays, tags, friends } = await readHetRec(data);
    expect([plays.users.length, plays.tracks.length, plays.length]).to.deep.equal([1892, 17632, 92834]);
    expect([tags.length, friends.length]).to.deep.equal([186479, 25434]);
    expect(plays.repairs).to.deep.equal({ duplicates: 0, notInCatalogue: 0 });
  });
});

describe('unzip', () => {
  const folder = new TemporaryFolder();

  it('gives back what was packed, and refuses what is damaged, cut off or no archive', () => {
    const whole = zip(FILES);
    expect(Object.fromEntries(unzip(folder.write('a.zip', whole)))).to.deep.equal(FILES);
    const damaged = Buffer.from(whole);
    damaged[60] ^= 255;
    for (const bytes of [damaged, whole.subarray(0, 100), Buffer.from('no zip'), Buffer.alloc(0)]) {
      expect(() => unzip(folder.write('b.zip', bytes))).to.throw(DataError, 'not a whole zip archive');
    }
  });
});
