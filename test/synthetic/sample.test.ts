import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { expect } from 'chai';
import {
  generate,
  LISTENING_HISTORY,
  MUSIC_INFO,
  SIZES,
  writeKaggle,
} from '../../lib/synthetic/kaggle.js';

const ROOT = path.resolve(__dirname, '../..');
const SAMPLE = path.join(ROOT, 'data/sample');
const REAL = path.resolve(ROOT, '../shared/data/kaggle-tracks/tracks_30459.csv.gz');

/** The fields of one CSV line. */
function fields(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    (m) => m[1]?.replaceAll('""', '"') ?? m[2],
  );
}

describe('data/sample', () => {
  const info = fs.readFileSync(path.join(SAMPLE, MUSIC_INFO), 'utf8').trimEnd().split('\n');
  const history = fs
    .readFileSync(path.join(SAMPLE, LISTENING_HISTORY), 'utf8')
    .trimEnd()
    .split('\n');

  it('is what `npm run data -- sample` writes, byte for byte', () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'recital-sample-'));
    try {
      for (const file of writeKaggle(SIZES.sample, dir)) {
        const committed = fs.readFileSync(path.join(SAMPLE, path.basename(file.path)));
        expect(createHash('sha256').update(committed).digest('hex')).to.equal(file.sha256);
      }
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
  });

  it('is smaller than 4 MB', () => {
    const bytes = [MUSIC_INFO, LISTENING_HISTORY].reduce(
      (sum, file) => sum + fs.statSync(path.join(SAMPLE, file)).size,
      0,
    );
    expect(bytes).to.be.lessThan(4e6);
  });

  it("has Kaggle's columns, ids of its shapes, and rows of as many fields", () => {
    const columns =
      'track_id,name,artist,spotify_preview_url,spotify_id,tags,genre,year,duration_ms,danceability,energy,key,loudness,mode,speechiness,acousticness,instrumentalness,liveness,valence,tempo,time_signature';
    expect(info[0]).to.equal(columns);
    expect(history[0]).to.equal('track_id,user_id,playcount');
    expect(info.length - 1).to.equal(4000);
    expect(history.length - 1).to.equal(42_000);
    for (const line of info.slice(1)) {
      const row = fields(line);
      expect(row.length, line).to.equal(21);
      expect(row[0]).to.match(/^TR[A-Z]{5}(128[EF][0-9A-F]{7}|12903[0-9A-F]{6})$/);
      expect(row[4]).to.match(/^[0-9A-Za-z]{22}$/);
      for (const value of row.slice(7)) expect(value).to.match(/^-?\d+(\.\d+)?(e-\d\d)?$/);
    }
    for (const line of history.slice(1))
      expect(line).to.match(/^TR[A-Z]{5}[0-9A-F]{11},[0-9a-f]{40},[1-9]\d*$/);
  });

  it('has unique track ids, users in one block each, every pair once, and tracks that nobody played', () => {
    const ids = new Set(info.slice(1).map((line) => line.slice(0, 18)));
    expect(ids.size).to.equal(4000);
    const pairs = new Set<string>();
    const users = new Set<string>();
    const heard = new Set<string>();
    let last = '';
    for (const line of history.slice(1)) {
      const [track, user] = line.split(',');
      expect(ids.has(track)).to.equal(true);
      if (user !== last) expect(users.has(user), user).to.equal(false);
      users.add((last = user));
      heard.add(track);
      pairs.add(track + user);
    }
    expect([users.size, heard.size, pairs.size]).to.deep.equal([4000, 3000, 42_000]);
  });

  it('exercises the reader: accents, other scripts, commas, quotation marks, missing genres and tags', () => {
    const text = info.join('\n');
    for (const sign of ['é', 'ö', 'ń', 'ż', 'と', 'н', '""', ',"'])
      expect(text.includes(sign), sign).to.equal(true);
    const rows = info.slice(1).map(fields);
    expect(rows.filter((row) => row[6] === '').length).to.be.greaterThan(2000);
    expect(rows.filter((row) => row[5] === '').length).to.be.greaterThan(50);
    expect(rows.filter((row) => row[1].includes(',')).length).to.be.greaterThan(50);
  });

  it('names no artist of the real catalogue, in any size (needs the tracks of the real data beside the project)', function () {
    if (!fs.existsSync(REAL)) this.skip();
    const lines = zlib.gunzipSync(fs.readFileSync(REAL)).toString('utf8').split('\n');
    const column = lines[0].split(',').indexOf('artist');
    const real = new Set(lines.slice(1).map((line) => fields(line)[column]?.toLowerCase()));
    expect(real.size).to.be.greaterThan(6000);
    const { artists } = generate(SIZES.paper).catalogue;
    expect(
      artists.map((artist) => artist.name).filter((name) => real.has(name.toLowerCase())),
    ).to.deep.equal([]);
    const names = new Set(info.slice(1).map((line) => fields(line)[2].toLowerCase()));
    expect([...names].filter((name) => real.has(name))).to.deep.equal([]);
  });
});
