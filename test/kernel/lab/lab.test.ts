import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import {
  findJupyter,
  installJupyter,
  installKernel,
  JupyterMissingError,
  jupyterHome,
} from '../../../lib/kernel/lab/jupyter.js';
import { prepareWorkspace, workspaceOf } from '../../../lib/kernel/lab/lab.js';
import { RecitalError } from '../../../lib/recital/errors.js';
import { printed } from '../../support/printed.js';

const root = resolve(__dirname, '../../..');
let folder: string;

/**
 * A program that answers like Jupyter: its version, or the arguments and variables that it was
 * started with.
 */
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
    expect(Object.keys(env)).to.have.members([
      'JUPYTER_CONFIG_DIR',
      'JUPYTER_DATA_DIR',
      'JUPYTER_RUNTIME_DIR',
      'IPYTHONDIR',
    ]);
    expect(Object.values(env).every((path) => path.startsWith(join(folder, '.cache')))).to.equal(
      true,
    );
    const kernel = JSON.parse(
      readFileSync(join(env.JUPYTER_DATA_DIR, 'kernels', 'tslab', 'kernel.json'), 'utf8'),
    );
    expect(kernel).to.deep.include({ language: 'typescript', interrupt_mode: 'message' });
    expect(kernel.argv).to.deep.equal([
      process.execPath,
      join(folder, 'lib', 'kernel', 'tslab', 'start.cjs'),
      'supervise',
      '{connection_file}',
    ]);
  });

  it('writes the kernel again at each start, but leaves the settings that the user has changed', () => {
    const { JUPYTER_CONFIG_DIR, JUPYTER_DATA_DIR } = jupyterHome(folder);
    const kernel = join(JUPYTER_DATA_DIR, 'kernels', 'tslab', 'kernel.json');
    const setting = join(
      JUPYTER_CONFIG_DIR,
      'lab',
      'user-settings',
      '@jupyterlab',
      'completer-extension',
      'manager.jupyterlab-settings',
    );
    writeFileSync(kernel, '{}');
    writeFileSync(setting, '{"autoCompletion": false}');
    jupyterHome(folder);
    expect(readFileSync(kernel, 'utf8')).to.contain('start.cjs');
    expect(readFileSync(setting, 'utf8')).to.equal('{"autoCompletion": false}');
  });
});

describe('installKernel', () => {
  it('writes the kernel into the folder of another Python environment, with the limits that are set for its users', () => {
    const file = withEnv({ RECITAL_THREADS: '1', NODE_OPTIONS: '--max-old-space-size=400' }, () =>
      installKernel('/opt/my recital', folder),
    );
    expect(file).to.equal(join(folder, 'share', 'jupyter', 'kernels', 'tslab', 'kernel.json'));
    const { argv, env } = JSON.parse(readFileSync(file, 'utf8'));
    expect(argv).to.deep.equal([
      process.execPath,
      join('/opt/my recital', 'lib', 'kernel', 'tslab', 'start.cjs'),
      'supervise',
      '{connection_file}',
    ]);
    expect(env).to.include({ RECITAL_THREADS: '1', NODE_OPTIONS: '--max-old-space-size=400' });
  });
});

describe('installKernel, where nothing can be written', () => {
  it('says so, and what is wanted', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => installKernel(root, join(folder, 'file'))).to.throw(
      RecitalError,
      /kernel cannot be written into .*file: .* Python environment/,
    );
  });
});

describe('a workspace', () => {
  it('is the checkout where that can be written, ~/recital where not, and what RECITAL_WORKSPACE says in any case', () => {
    const of = (checkout: string, given = ''): string =>
      withEnv({ RECITAL_WORKSPACE: given }, () => workspaceOf(checkout));
    expect(of(folder)).to.equal(folder);
    expect(of(join(folder, 'cannot be written: is not there'))).to.equal(
      join(homedir(), 'recital'),
    );
    expect(of(folder, '/srv/mine')).to.equal('/srv/mine');
  });

  it('gets copies of the notebooks, and links to the library and to what they name; what is there already stays', () => {
    const workspace = join(folder, 'my work');
    mkdirSync(join(workspace, 'notebooks'), { recursive: true });
    writeFileSync(join(workspace, 'notebooks', '1-collab.ipynb'), 'mine');
    prepareWorkspace(root, workspace);
    prepareWorkspace(root, workspace);
    expect(readFileSync(join(workspace, 'notebooks', '1-collab.ipynb'), 'utf8')).to.equal('mine');
    expect(readdirSync(join(workspace, 'notebooks'))).to.include.members([
      '1-collab.ipynb',
      '2-lstm.ipynb',
    ]);
    expect(lstatSync(join(workspace, 'notebooks', '2-lstm.ipynb')).isFile()).to.equal(true); // of one's own, not a link
    expect(realpathSync(join(workspace, 'node_modules', 'recital'))).to.equal(realpathSync(root));
    expect(existsSync(join(workspace, 'data', 'sample'))).to.equal(true);
    const named = readdirSync(join(root, 'notebooks')).filter((file) => file.endsWith('.ipynb'));
    const links = named.flatMap((file) =>
      [...readFileSync(join(root, 'notebooks', file), 'utf8').matchAll(/\]\((\.\.?\/[^)#]+)/g)].map(
        ([, link]) => link,
      ),
    );
    expect(links.length).to.be.greaterThan(1);
    expect(links.filter((link) => !existsSync(join(workspace, 'notebooks', link)))).to.deep.equal(
      [],
    );
    expect(existsSync(join(workspace, 'docs', 'jupyter.md'))).to.equal(true);
  });

  it('that is the checkout gets nothing', () => {
    prepareWorkspace(folder, folder);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('that cannot be made is an error that says which and what to do', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => prepareWorkspace(root, join(folder, 'file'))).to.throw(
      RecitalError,
      /workspace .*file cannot be made: .* Name another/,
    );
  });
});

describe('findJupyter', () => {
  it('takes $JUPYTER, if it is new enough', () => {
    const file = fakeJupyter('4.6.6');
    expect(withEnv({ JUPYTER: file }, () => findJupyter([folder]))).to.deep.equal({
      command: [file, 'lab'],
      version: '4.6.6',
      from: '$JUPYTER',
    });
    fakeJupyter('3.9.1');
    expect(() => withEnv({ JUPYTER: file }, () => findJupyter([folder]))).to.throw(
      JupyterMissingError,
      'version 4 or newer',
    );
    expect(() => withEnv({ JUPYTER: join(folder, 'none') }, () => findJupyter([folder]))).to.throw(
      JupyterMissingError,
      'does not answer',
    );
  });

  it('takes a jupyter on the PATH', () => {
    fakeJupyter('4.1.0');
    const found = withEnv({ JUPYTER: '', PATH: folder, PYTHON: join(folder, 'none') }, () =>
      findJupyter([folder]),
    );
    expect(found).to.deep.equal({
      command: ['jupyter', 'lab'],
      version: '4.1.0',
      from: 'the PATH',
    });
  });

  it('passes over one that is too old', () => {
    fakeJupyter('3.6.0');
    expect(
      withEnv({ JUPYTER: '', PATH: folder, PYTHON: join(folder, 'none') }, () =>
        findJupyter([folder]),
      ),
    ).to.equal(undefined);
  });
});

describe('installJupyter', () => {
  it('says that Python is missing, and leaves nothing behind', () => {
    const install = (): unknown =>
      printed(() => withEnv({ PYTHON: join(folder, 'no python') }, () => installJupyter(folder)));
    expect(install).to.throw(JupyterMissingError, 'needs Python 3.9 or newer');
    expect(install).to.throw(JupyterMissingError, '`npm start` runs the notebooks');
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('installs into .venv of the folder, and asks pip to leave nothing in the home folder', function () {
    if (process.platform === 'win32') this.skip(); // the stand-in for Python is a shell script
    const python = join(folder, 'python');
    const log = join(folder, 'log');
    writeFileSync(
      python,
      `#!/bin/sh
echo "$*|$RUSTUP_HOME" >> '${log}'
case "$*" in
  *'-m venv'*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python";;
  *--version*) echo 4.6.6;;
esac
`,
      { mode: 0o755 },
    );
    let lab: unknown;
    const lines = printed(() => {
      lab = withEnv({ PYTHON: python }, () => installJupyter(folder));
    });
    expect(lines.join()).to.contain(`Installing it into ${join(folder, '.venv')}`);
    expect(lab).to.deep.include({ version: '4.6.6', from: '.venv' });
    const [venv, pip] = readFileSync(log, 'utf8').split('\n');
    const rustup = join(folder, '.cache', 'rustup');
    expect(venv).to.equal(`-m venv ${join(folder, '.venv')}|${rustup}`);
    expect(pip)
      .to.match(/^-m pip install .*--no-cache-dir .*jupyterlab==\S+ nbconvert==\S+\|/)
      .and.to.contain(rustup);
    expect(
      withEnv({ JUPYTER: '' }, () => findJupyter([join(folder, 'other'), folder])),
    ).to.deep.equal(lab); // and is found again
  });

  it("says that Python's venv module is missing, and how Debian gets it", () => {
    const python = join(folder, 'python');
    writeFileSync(
      python,
      '#!/bin/sh\necho "The virtual environment was not created: ensurepip is not available." >&2\nexit 1\n',
      { mode: 0o755 },
    );
    const install = (): unknown =>
      printed(() => withEnv({ PYTHON: python }, () => installJupyter(folder)));
    expect(install).to.throw(JupyterMissingError, 'apt install python3-venv');
  });
});

describe('npm run lab', () => {
  const run = (
    jupyter: string,
    args: readonly string[],
  ): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, ['--import', 'tsx', join(root, 'lib/kernel/lab/lab.ts'), ...args], {
      cwd: root,
      env: { ...process.env, INIT_CWD: folder, JUPYTER: jupyter, RECITAL_WORKSPACE: '' },
      encoding: 'utf8',
    });
  const lab = (...args: string[]): ReturnType<typeof run> => run(fakeJupyter('4.6.6'), args);
  /** What JupyterLab was started with. */
  const started = ({
    stdout,
  }: {
    stdout: string;
  }): { args: string[]; env: Record<string, string>; cwd: string } =>
    JSON.parse(stdout.split('\n').find((line) => line.startsWith('{')) ?? '');

  it("starts JupyterLab in this checkout with the user's options last, and passes on how it ended", () => {
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', 'my.txt'), '');
    const run = lab('--no-browser', '--port', '8890', 'sub/my.txt', '--fail');
    expect(run.status).to.equal(3);
    const { args, env, cwd } = started(run);
    expect(cwd).to.equal(root);
    expect(args[0]).to.equal('lab');
    expect(args).to.include(`--ServerApp.root_dir=${root}`);
    expect(args.slice(-5)).to.deep.equal([
      '--no-browser',
      '--port',
      '8890',
      join(folder, 'sub', 'my.txt'),
      '--fail',
    ]);
    expect(env.JUPYTER_DATA_DIR).to.equal(join(root, '.cache', 'jupyter', 'data'));
  });

  it('opens the first notebook, 0-start-here where it is there, unless another is named', () => {
    const opened = (...args: string[]): string | undefined =>
      started(lab(...args)).args.find((arg) => arg.includes('default_url'));
    mkdirSync(join(folder, 'notebooks'));
    for (const name of ['1-collab', '0-start-here'])
      writeFileSync(join(folder, 'notebooks', `${name}.ipynb`), '{}');
    expect(opened('--workspace', '.')).to.equal(
      '--LabApp.default_url=/lab/tree/notebooks/0-start-here.ipynb',
    );
    expect(opened('--workspace=.', 'notebooks/1-collab.ipynb')).to.equal(undefined);
    expect(opened()).to.match(/=\/lab\/tree\/notebooks\/[01]-/);
  });

  it('keeps all of it in the workspace that is named', () => {
    const { args, env, cwd } = started(lab('--workspace', 'my work'));
    const workspace = join(folder, 'my work');
    expect(cwd).to.equal(realpathSync(workspace));
    expect(args).to.include(`--ServerApp.root_dir=${workspace}`);
    for (const name of [
      'JUPYTER_CONFIG_DIR',
      'JUPYTER_DATA_DIR',
      'JUPYTER_RUNTIME_DIR',
      'IPYTHONDIR',
    ]) {
      expect(env[name]).to.match(new RegExp(`^${workspace}/.cache/jupyter/`));
    }
    expect(readdirSync(join(workspace, 'notebooks'))).to.include('1-collab.ipynb');
  });

  it('asks a JupyterLab for its version without leaving anything in the home folder, either', () => {
    const seen = join(folder, 'asked');
    const jupyter = fakeJupyter('4.6.6');
    const asked = `require('fs').appendFileSync(${JSON.stringify(seen)}, process.env.JUPYTER_CONFIG_DIR + '\\n');`;
    writeFileSync(jupyter, readFileSync(jupyter, 'utf8').replace('\n', `\n${asked}\n`));
    run(jupyter, ['--workspace', '.']);
    expect(readFileSync(seen, 'utf8').trim().split('\n')).to.deep.equal(
      Array(2).fill(join(folder, '.cache', 'jupyter', 'config')),
    );
  });

  it('makes the workspace, or writes the kernel, and ends', () => {
    expect(lab('--workspace', 'w', '--prepare').stdout).to.equal(
      `Your notebooks and results are in ${join(folder, 'w')}.\n`,
    );
    expect(existsSync(join(folder, 'w', 'notebooks', '1-collab.ipynb'))).to.equal(true);
    const { status, stdout } = lab('--kernel', 'python');
    expect(status).to.equal(0);
    expect(stdout).to.contain(
      join(folder, 'python', 'share', 'jupyter', 'kernels', 'tslab', 'kernel.json'),
    );
  });

  it('refuses a notebook that JupyterLab could not show, and an option without its folder', () => {
    writeFileSync(join(folder, 'x.ipynb'), '{}');
    expect(lab('x.ipynb')).to.include({ status: 1 });
    expect(lab('x.ipynb').stderr).to.match(
      /x\.ipynb is not in .*: JupyterLab shows that folder alone.*--workspace FOLDER/,
    );
    expect(started(lab('--workspace', '.', 'x.ipynb')).args).to.include(join(folder, 'x.ipynb'));
    expect(lab('--workspace', '--prepare').stderr).to.equal('--workspace needs a folder.\n');
  });
});
