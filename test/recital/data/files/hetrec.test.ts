import { existsSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { readHetRec, unzip } from '../../../../lib/recital/data/files/hetrec.js';
import { readPlays, readTracks } from '../../../../lib/recital/data/files/read-plays.js';
import { DataError } from '../../../../lib/recital/errors.js';
import { rejection, TemporaryFolder } from '../temporary.js';

const data = path.resolve(__dirname, '../../../../../shared/data');
const FILES: Record<string, Buffer> = {
  'artists.dat': Buffer.from(
    'id\tname\turl\tpictureURL\n1\tMötley "Crüe"\thttp://x\t\n20\tBjörk\thttp://y\tp\n3\tUnheard\thttp://z\t\n',
  ),
  'user_artists.dat': Buffer.from('userID\tartistID\tweight\n2\t20\t13\n2\t1\t5\n10\t1\t7\n'),
  'tags.dat': Buffer.from('tagID\ttagValue\n1\tmetal\n2\tn\u00fa metal\n', 'latin1'),
  'user_taggedartists-timestamps.dat': Buffer.from(
    'userID\tartistID\ttagID\ttimestamp\n2\t1\t2\t1238536800000\n10\t20\t1\t-5\n',
  ),
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
    const local = Buffer.concat([
      Buffer.from('PK\x03\x04', 'latin1'),
      common,
      Buffer.from(name),
      packed,
    ]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    list.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, rest, Buffer.from(name)]),
    );
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
    expect((await rejection(readPlays(where, { header: true }))).message).to.include(
      'has columns of its own',
    );
  });

  it('refuses a character that is none in UTF-8, wherever it stands, and reads another encoding if told so', async () => {
    const many = 'x\ty\thttp://z\t\n'.repeat(20_000);
    const latin = {
      ...FILES,
      'artists.dat': Buffer.from(
        `id\tname\turl\tpictureURL\n1\tA\thttp://x\t\n20\tB\thttp://y\tp\n${many.replace(/x/g, () => '7')}3\tcaf\xe9\tu\t\n`,
        'latin1',
      ),
    };
    const error = await rejection(readHetRec(folder.write('latin/hetrec-lastfm.zip', zip(latin))));
    expect(error).to.be.instanceOf(DataError);
    expect(error.message)
      .to.include('artists.dat", line 20004: expected text in UTF-8')
      .and.include("{ encoding: 'latin1' }");
    const small = {
      ...FILES,
      'artists.dat': Buffer.from('id\tname\turl\n1\tcaf\xe9\tu\n20\tcaf\xe8\tu\n', 'latin1'),
    };
    const file = folder.write('latin/hetrec-lastfm.zip', zip(small));
    expect((await readHetRec(file, { encoding: 'latin1' })).plays.catalogue?.title('1')).to.equal(
      'café',
    );
    expect((await rejection(readHetRec(file, { encodin: 'x' } as never))).message).to.include(
      'did you mean "encoding"',
    );
    expect((await rejection(readHetRec(file, { encoding: 'klingon' }))).message).to.include(
      'klingon',
    );
  });

  it('refuses a missing file, a missing column, a broken line and a weight that is no play', async () => {
    const broken = (changes: Record<string, string>, drop?: string): Promise<Error> => {
      const files = {
        ...FILES,
        ...Object.fromEntries(
          Object.entries(changes).map(([name, text]) => [name, Buffer.from(text)]),
        ),
      };
      if (drop) delete files[drop];
      return rejection(readHetRec(folder.write('broken/hetrec-lastfm.zip', zip(files))));
    };
    expect((await broken({}, 'tags.dat')).message).to.include('holds no tags.dat');
    expect((await broken({ 'user_artists.dat': 'userID\tartist\tweight\n' })).message).to.include(
      'line 1: expected a column "artistID"',
    );
    expect(
      (await broken({ 'user_artists.dat': 'userID\tartistID\tweight\n1\t2\n' })).message,
    ).to.include('user_artists.dat", line 2: expected 3 fields');
    const weight = await broken({
      'user_artists.dat': 'userID\tartistID\tweight\n2\t1\t3\n2\t1\t0\n',
    });
    expect(weight).to.be.instanceOf(DataError);
    expect(weight.message).to.include(
      'line 3, column "weight": expected a positive number, got "0"',
    );
    expect((await rejection(readHetRec(folder.write('x.csv', 'a')))).message).to.include(
      "neither HetRec's zip nor a folder",
    );
  });

  it('reads the real one (skipped where ../shared/data is absent)', async function () {
    if (!existsSync(path.join(data, 'hetrec2011-lastfm-2k.zip'))) this.skip();
    const { plays, tags, friends } = await readHetRec(data);
    expect([plays.users.length, plays.tracks.length, plays.length]).to.deep.equal([
      1892, 17632, 92834,
    ]);
    expect([tags.length, friends.length]).to.deep.equal([186479, 25434]);
    expect(plays.repairs).to.deep.equal({ duplicates: 0, notInCatalogue: 0 });
  });
});

describe('unzip', () => {
  const folder = new TemporaryFolder();

  it('gives back what was packed and is asked for, and refuses what is damaged, cut off or no archive', async () => {
    const whole = zip(FILES);
    const names = Object.keys(FILES);
    expect(Object.fromEntries(await unzip(folder.write('a.zip', whole), names))).to.deep.equal(
      FILES,
    );
    expect([
      ...(await unzip(folder.write('a.zip', whole), ['tags.dat', 'none'])).keys(),
    ]).to.deep.equal(['tags.dat']);
    const comment = Buffer.from('made by PK\x05\x06 me, a comment of some length');
    const commented = Buffer.concat([whole, comment]);
    commented.writeUInt16LE(comment.length, whole.length - 2);
    expect((await unzip(folder.write('c.zip', commented), names)).size).to.equal(5);
    const damaged = Buffer.from(whole);
    damaged[60] ^= 255;
    const cut = [
      whole.subarray(0, 100),
      whole.subarray(0, -1),
      whole.subarray(0, -2),
      commented.subarray(0, -1),
    ];
    for (const bytes of [
      damaged,
      ...cut,
      Buffer.from('no zip'),
      Buffer.alloc(0),
      Buffer.concat([whole, Buffer.of(0)]),
    ]) {
      const error = await rejection(unzip(folder.write('b.zip', bytes), names));
      expect(error).to.be.instanceOf(DataError);
      expect(error.message).to.include('not a whole zip archive');
    }
  });

  it('unpacks only what is asked for: what lies beside may be damaged', async () => {
    const whole = zip(FILES);
    whole[whole.indexOf('Björk')] ^= 1; // in artists.dat
    expect((await unzip(folder.write('a.zip', whole), ['tags.dat'])).size).to.equal(1);
    expect(
      (await rejection(unzip(folder.write('a.zip', whole), ['artists.dat']))).message,
    ).to.include('"artists.dat" in it is damaged');
  });

  it('refuses archives made to do harm: one name twice, files on top of each other, more than they say, more than 1 GB', async () => {
    const whole = zip(FILES);
    const list = (n: number): number => {
      let at = whole.indexOf('PK\x01\x02', 0, 'latin1');
      for (let i = 0; i < n; i++) at = whole.indexOf('PK\x01\x02', at + 4, 'latin1');
      return at;
    };
    const refused = async (
      change: (bytes: Buffer) => void,
      names = Object.keys(FILES),
    ): Promise<string> => {
      const bytes = Buffer.from(whole);
      change(bytes);
      const error = await rejection(unzip(folder.write('harm.zip', bytes), names));
      expect(error).to.be.instanceOf(DataError);
      return error.message;
    };
    const [first, second] = [list(0), list(1)];
    expect(
      await refused((bytes) => bytes.copy(bytes, second + 42, first + 42, first + 46)),
    ).to.include('on top of each other');
    expect(await refused((bytes) => bytes.writeUInt32LE(5, list(1) + 24))).to.include(
      'not a whole zip archive',
    ); // unpacks to more
    expect(await refused((bytes) => bytes.writeUInt32LE(2 ** 31, list(1) + 24))).to.include(
      'bytes, more than the 1,073,741,824',
    );
    expect(await refused((bytes) => bytes.writeUInt32LE(0xfffffff0, list(0) + 42))).to.include(
      'is not where its list of files says',
    );
    expect(await refused((bytes) => bytes.writeUInt32LE(1 << 20, list(4) + 20))).to.include(
      'goes on beyond its end',
    );
    const two = zip({ 'a.dat': Buffer.from('one'), 'b.dat': Buffer.from('two') });
    two.write('a.dat', two.lastIndexOf('b.dat'));
    expect((await rejection(unzip(folder.write('two.zip', two), ['a.dat']))).message).to.include(
      '"a.dat" is in it twice',
    );
  });
});
