import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { writeBench } from '../../lib/synthetic/bench.js';
import { LISTENING_HISTORY } from '../../lib/synthetic/kaggle.js';

describe('generate: the histories of the benchmarks', () => {
  let dir = '';
  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'recital-bench-'));
  });
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

  it('are the very bytes that scripts in other languages write (300 users, 700 tracks, seed 1)', () => {
    const written = writeBench({ users: 300, tracks: 700, base: 5, scale: 39 }, dir);
    expect(written).to.include({ rows: 17_406, path: path.join(dir, LISTENING_HISTORY) });
    expect(written.sha256).to.equal(
      '1496f9ef2a1ea2c8c83fcf81c10cd66b8cd318ee38cdc274232e428a9047ff35',
    );
  });

  it('hold every pair of user and track once, and every track', () => {
    writeBench({ users: 200, tracks: 500, base: 1, scale: 6.12 }, dir, { seed: 7 });
    const lines = fs
      .readFileSync(path.join(dir, LISTENING_HISTORY), 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1);
    expect(new Set(lines.map((line) => line.slice(0, line.lastIndexOf(',')))).size).to.equal(
      lines.length,
    );
    expect(new Set(lines.map((line) => line.slice(0, 18))).size).to.equal(500);
  });
});
