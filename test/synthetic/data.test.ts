import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { ArgumentError, DataError } from '../../lib/recital/errors.js';
import { parseArguments, run } from '../../lib/synthetic/data.js';
import { generate, writeKaggle } from '../../lib/synthetic/kaggle.js';

const SMALL = { users: 60, plays: 400, catalogue: 200, playable: 150, heard: 90 };

describe('generate: the command', () => {
  let dir = '';
  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'recital-data-'));
  });
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

  it('reads what, --out, --seed and --force', () => {
    expect(parseArguments(['paper'])).to.deep.equal({ what: 'paper', seed: 1, force: false });
    expect(parseArguments(['--seed', '-7', 'full', '--out', 'x', '--force'])).to.deep.equal({
      what: 'full',
      out: 'x',
      seed: -7,
      force: true,
    });
  });

  it('says what is wrong with the arguments', () => {
    expect(() => parseArguments([])).to.throw(ArgumentError, 'Which data?');
    expect(() => parseArguments(['papers'])).to.throw(
      ArgumentError,
      'There is no data called "papers"',
    );
    expect(() => parseArguments(['toString'])).to.throw(
      ArgumentError,
      'There is no data called "toString"',
    );
    expect(() => parseArguments(['paper', '--seed', '1.5'])).to.throw(
      ArgumentError,
      '--seed needs an integer, got "1.5"',
    );
    expect(() => parseArguments(['paper', '--out'])).to.throw(ArgumentError, '--out needs a value');
    expect(() => parseArguments(['paper', 'full'])).to.throw(
      ArgumentError,
      'What does "full" mean?',
    );
    expect(() => parseArguments(['paper', '--fast'])).to.throw(
      ArgumentError,
      'What does "--fast" mean?',
    );
  });

  it('refuses to overwrite, names the files and the way out, and replaces with --force', () => {
    const options = { what: 'sample', out: dir, seed: 1 };
    const first = run({ ...options, force: false });
    expect(() => run({ ...options, force: false })).to.throw(
      DataError,
      /Music Info\.csv and .*User Listening History\.csv are there already.*--force/,
    );
    const second = run({ ...options, seed: 2, force: true });
    expect(second[1].sha256).not.to.equal(first[1].sha256);
    expect(fs.readdirSync(dir).sort()).to.deep.equal([
      'Music Info.csv',
      'User Listening History.csv',
    ]);
  });

  it('says of a folder that cannot be made, or that is full, what it is, without a stack', () => {
    const file = path.join(dir, 'file');
    fs.writeFileSync(file, '');
    const args = [
      '--import',
      'tsx',
      path.resolve(__dirname, '../../lib/synthetic/data.ts'),
      'sample',
      '--out',
      path.join(file, 'below'),
    ];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).to.equal(1);
    expect(stderr).to.equal(
      `The folder "${path.join(file, 'below')}" cannot be made: "${file}" is not a folder.\n`,
    );
  });

  it('the same seed gives the same bytes, another seed others', () => {
    const sums = [3, 3, 4].map((seed, i) =>
      writeKaggle(SMALL, path.join(dir, String(i)), { seed }).map((file) => file.sha256),
    );
    expect(sums[0]).to.deep.equal(sums[1]);
    expect(sums[0][0]).not.to.equal(sums[2][0]);
    expect(sums[0][1]).not.to.equal(sums[2][1]);
  });

  it('impossible sizes give errors that say what is possible', () => {
    const each = { users: 100, plays: 100, catalogue: 200, playable: 150, heard: 100 }; // every play is of a track of its own
    try {
      generate(each);
    } catch (error) {
      expect(String(error)).to.contain('These plays reach about'); // they cannot be drawn so, but the size is one
    }
    expect(() => generate({ ...each, heard: 101 })).to.throw(ArgumentError, 'heard ≤ plays');
    expect(() => generate({ ...SMALL, heard: 160 })).to.throw(ArgumentError, 'heard ≤ playable');
    expect(() => generate({ ...SMALL, plays: 59 })).to.throw(ArgumentError, 'users ≤ plays');
    expect(() => generate({ ...SMALL, plays: 5000 })).to.throw(
      ArgumentError,
      'have room for at most',
    );
    expect(() => generate({ ...SMALL, heard: 1 })).to.throw(
      ArgumentError,
      /These plays reach about \d+ tracks/,
    );
    expect(() => generate(SMALL, 0.5)).to.throw(ArgumentError, 'seed');
  });
});
