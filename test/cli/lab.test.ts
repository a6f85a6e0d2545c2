import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { findJupyter, installJupyter, JupyterMissingError } from '../../lib/cli/jupyter.js';
import { jupyterHome } from '../../lib/cli/jupyter-home.js';
import { printed } from '../support/printed.js';

const root = resolve(__dirname, '..', '..');
let folder: string;

/** A program that answers like Jupyter: its version, or the arguments and variables that it was started with. */
function fakeJupyter(version: string): string {
  const file = join(folder, 'jupyter');
  const script = `#!${process.execPath}
if (process.argv.includes('--version')) console.log('${version}');
else console.log(JSON.stringify({ args: process.argv.slice(2), env: process.env, cwd: process.cwd() }));
process.exit(process.argv.includes('--fail') ? 3 : 0);`;
  writeFileSync(file, script, { mode: 0o755 });
  return file;
}

/** Runs `work` with these environment variables. */
function withEnv<T>(variables: Record<string, string>, work: () => T): T {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    return work();
  } finally {
    process.env = before;
  }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recital lab '));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('jupyterHome', () => {
  it('keeps all that Jupyter writes within the checkout, and gives it the kernel of this checkout', () => {
    const env = jupyterHome(folder);
    expect(Object.keys(env)).to.have.members(['JUPYTER_CONFIG_DIR', 'JUPYTER_DATA_DIR', 'JUPYTER_RUNTIME_DIR', 'IPYTHONDIR']);
    expect(Object.values(env).every((path) => path.startsWith(join(folder, '.cache')))).to.equal(true);
    const kernel = JSON.parse(readFileSync(join(env.JUPYTER_DATA_DIR, 'kernels', 'tslab', 'kernel.json'), 'utf8'));
    expect(kernel).to.deep.include({ language: 'typescript', interrupt_mode: 'signal' });
    expect(kernel.argv).to.deep.equal([process.execPath, join(folder, 'lib', 'notebook', 'launch.cjs'), '{connection_file}']);
  });

  it('writes the kernel again at each start, but leaves the settings that the user has changed', () => {
    const { JUPYTER_CONFIG_DIR, JUPYTER_DATA_DIR } = jupyterHome(folder);
    const kernel = join(JUPYTER_DATA_DIR, 'kernels', 'tslab', 'kernel.json');
    const setting = join(JUPYTER_CONFIG_DIR, 'lab', 'user-settings', '@jupyterlab', 'completer-extension', 'manager.jupyterlab-settings');
    writeFileSync(kernel, '{}');
    writeFileSync(setting, '{"autoCompletion": false}');
    jupyterHome(folder);
    expect(readFileSync(kernel, 'utf8')).to.contain('launch.cjs');
    expect(readFileSync(setting, 'utf8')).to.equal('{"autoCompletion": false}');
  });
});

describe('findJupyter', () => {
  it('takes $JUPYTER, if it is new enough', () => {
    const file = fakeJupyter('4.6.6');
    expect(withEnv({ JUPYTER: file }, () => findJupyter(folder))).to.deep.equal({ command: [file, 'lab'], version: '4.6.6', from: '$JUPYTER' });
    fakeJupyter('3.9.1');
    expect(() => withEnv({ JUPYTER: file }, () => findJupyter(folder))).to.throw(JupyterMissingError, 'version 4 or newer');
    expect(() => withEnv({ JUPYTER: join(folder, 'none') }, () => findJupyter(folder))).to.throw(JupyterMissingError, 'does not answer');
  });

  it('takes a jupyter on the PATH', () => {
    fakeJupyter('4.1.0');
    const found = withEnv({ JUPYTER: '', PATH: folder, PYTHON: join(folder, 'none') }, () => findJupyter(folder));
    expect(found).to.deep.equal({ command: ['jupyter', 'lab'], version: '4.1.0', from: 'the PATH' });
  });

  it('passes over one that is too old', () => {
    fakeJupyter('3.6.0');
    expect(withEnv({ JUPYTER: '', PATH: folder, PYTHON: join(folder, 'none') }, () => findJupyter(folder))).to.equal(undefined);
  });
});

describe('installJupyter', () => {
  it('says that Python is missing, and leaves nothing behind', () => {
    const install = (): unknown => printed(() => withEnv({ PYTHON: join(folder, 'no python') }, () => installJupyter(folder)));
    expect(install).to.throw(JupyterMissingError, 'needs Python 3.9 or newer');
    expect(install).to.throw(JupyterMissingError, '`npm start` runs the notebooks');
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("says that Python's venv module is missing, and how Debian gets it", () => {
    const python = join(folder, 'python');
    writeFileSync(python, '#!/bin/sh\necho "The virtual environment was not created: ensurepip is not available." >&2\nexit 1\n', { mode: 0o755 });
    const install = (): unknown => printed(() => withEnv({ PYTHON: python }, () => installJupyter(folder)));
    expect(install).to.throw(JupyterMissingError, 'apt install python3-venv');
  });
});

describe('npm run lab', () => {
  const lab = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, ['--import', 'tsx', join(root, 'lib/cli/lab.ts'), ...args], {
      cwd: root,
      env: { ...process.env, INIT_CWD: folder, JUPYTER: fakeJupyter('4.6.6') },
      encoding: 'utf8',
    });

  it("starts JupyterLab in this checkout with the user's options last, and passes on how it ended", () => {
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', 'my.ipynb'), '{}');
    const { status, stdout } = lab('--no-browser', '--port', '8890', 'sub/my.ipynb', '--fail');
    expect(status).to.equal(3);
    const { args, env, cwd } = JSON.parse(stdout.split('\n').find((line) => line.startsWith('{')) ?? '');
    expect(cwd).to.equal(root);
    expect(args[0]).to.equal('lab');
    expect(args).to.include(`--ServerApp.root_dir=${root}`);
    expect(args.slice(-5)).to.deep.equal(['--no-browser', '--port', '8890', join(folder, 'sub', 'my.ipynb'), '--fail']);
    expect(env.JUPYTER_DATA_DIR).to.equal(join(root, '.cache', 'jupyter', 'data'));
  });
});
