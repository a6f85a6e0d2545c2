import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { writeNotebook } from '../../lib/kernel/run/notebook-file.js';
import { notebookOf } from '../support/notebook.js';

const root = resolve(__dirname, '..', '..');
const NOBODY = 65534;

/** Whether this process may act as another user, who can read this checkout and Node. */
function canBeAnother(): boolean {
  if (process.getuid?.() !== 0) return false;
  const env = { PATH: process.env.PATH, HOME: '/nonexistent' };
  return (
    spawnSync(process.execPath, [join(root, 'lib/kernel/main.mjs'), 'lab', '--help'], {
      uid: NOBODY,
      gid: NOBODY,
      cwd: '/',
      env,
    }).status === 0
  );
}

describe('a checkout that belongs to somebody else', () => {
  let home: string;
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
    const env = { PATH: process.env.PATH, HOME: home, TMPDIR: home, RECITAL_THREADS: '1' };
    return spawnSync(process.execPath, [join(root, 'lib/kernel/main.mjs'), ...args], {
      uid: NOBODY,
      gid: NOBODY,
      cwd: home,
      env,
      encoding: 'utf8',
    });
  };

  before(function () {
    if (!canBeAnother()) this.skip(); // only root can act as another user
    home = mkdtempSync(join(tmpdir(), 'recital nobody '));
    chmodSync(home, 0o777);
  });
  after(() => {
    if (home) rmSync(home, { recursive: true });
  });

  it('serves a user who may only read it (skipped unless run as root): notebooks, results and cache are in ~/recital and the temporary folder', () => {
    const prepared = run('lab', '--prepare');
    expect(prepared.stderr).to.equal('');
    expect(prepared.stdout).to.contain(join(home, 'recital'));
    mkdirSync(join(home, 'of root'));
    const refused = run('lab', '--workspace', 'of root', '--prepare');
    expect([refused.status, refused.stderr.slice(0, 14)]).to.deep.equal([1, 'The workspace ']);
    const code =
      "import { readPlays, setCompute } from 'recital';\nconst plays = await readPlays('../data/sample', { cache: true, header: true });";
    writeNotebook(
      join(home, 'recital', 'notebooks', 'a.ipynb'),
      notebookOf('# A', code, 'console.log(plays.length, setCompute().threads)'),
    );
    const { status, stdout, stderr } = run(
      'start',
      'a',
      '--notebooks',
      join(home, 'recital', 'notebooks'),
    );
    expect(stderr).to.equal('');
    expect(stdout).to.match(/\n42000 1\n/);
    expect(status).to.equal(0);
    expect(readFileSync(join(home, 'recital', 'out', 'a.html'), 'utf8')).to.contain('42000 1');
    expect(existsSync(join(home, `recital-cache-${NOBODY}`))).to.equal(true);
    expect(
      readdirSync(home).filter(
        (name) => !/^(of root|recital|recital-cache-\d+|tsx-\d+|node-compile-cache)$/.test(name),
      ),
    ).to.deep.equal([]);
  }).timeout(240_000);
});
