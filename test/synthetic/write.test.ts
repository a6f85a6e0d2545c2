import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { csvField, pythonFloat, writeFiles } from '../../lib/synthetic/write.js';

describe('generate: writing', () => {
  let dir = '';
  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'recital-write-'));
  });
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

  it('numbers look as Python writes them', () => {
    expect([0, -12, 0.514, 0.000859, 0.0000377, 1.5e-7, -60.0].map(pythonFloat)).to.deep.equal([
      '0.0',
      '-12.0',
      '0.514',
      '0.000859',
      '3.77e-05',
      '1.5e-07',
      '-60.0',
    ]);
  });

  it('fields with commas, quotation marks or line ends are quoted', () => {
    expect(['plain', 'a, b', 'say "no"', 'two\nlines', ''].map(csvField)).to.deep.equal([
      'plain',
      '"a, b"',
      '"say ""no"""',
      '"two\nlines"',
      '',
    ]);
  });

  it('plays are written with playcounts of any length, across the buffer', () => {
    const file = path.join(dir, 'new', 'plays.csv');
    const tracks = Buffer.from('T0T1');
    const user = Buffer.from('someone');
    const counts = [1, 9, 10, 99, 100, 2948, 65535];
    const [written] = writeFiles([file], ([writer]) => {
      for (let i = 0; i < 100_000; i++)
        writer.play(tracks, i % 2, 2, user, counts[i % counts.length]);
    });
    const lines = fs.readFileSync(file, 'utf8').split('\n');
    expect(lines.length).to.equal(100_001);
    for (let i = 0; i < 100_000; i += 997)
      expect(lines[i]).to.equal(`T${i % 2},someone,${counts[i % counts.length]}`);
    expect(written).to.include({ rows: 100_000, bytes: fs.statSync(file).size });
  });

  it('a failure in the middle leaves nothing behind and existing files as they were', () => {
    const files = [path.join(dir, 'a.csv'), path.join(dir, 'b.csv')];
    fs.writeFileSync(files[0], 'kept');
    expect(() =>
      writeFiles(files, ([a]) => {
        a.line('half\n');
        throw new Error('disk on fire');
      }),
    ).to.throw('disk on fire');
    expect(fs.readdirSync(dir)).to.deep.equal(['a.csv']);
    expect(fs.readFileSync(files[0], 'utf8')).to.equal('kept');
  });
});
