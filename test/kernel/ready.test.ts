import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';

const source = resolve(__dirname, '..', '..');

describe('ready.mjs', () => {
  let root: string;
  const lock = (version: string, more: object = {}): string =>
    JSON.stringify({
      packages: {
        '': {},
        'node_modules/a': { version },
        'node_modules/other-platform': { version: '1.0.0', optional: true },
        ...more,
      },
    });
  const write = (path: string, text: string): void => writeFileSync(join(root, path), text);
  const ready = (
    extra: string[] = [],
    more: Record<string, string> = {},
  ): { status: number | null; output: string } => {
    const env = { ...process.env, npm_execpath: join(root, 'npm.js'), ...more };
    const run = spawnSync(process.execPath, [...extra, join(root, 'lib/kernel/ready.mjs')], {
      cwd: tmpdir(),
      env,
      encoding: 'utf8',
    });
    return { status: run.status, output: run.stdout + run.stderr };
  };
  /** What the npm and the compiler that the test put in place were called with. */
  const calls = (): string[] =>
    existsSync(join(root, 'calls'))
      ? readFileSync(join(root, 'calls'), 'utf8').trim().split('\n')
      : [];

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'recital ready '));
    mkdirSync(join(root, 'lib/kernel'), { recursive: true });
    mkdirSync(join(root, 'lib/recital'));
    copyFileSync(join(source, 'lib/kernel/ready.mjs'), join(root, 'lib/kernel/ready.mjs'));
    const note = (text: string): string =>
      `require('fs').appendFileSync(${JSON.stringify(join(root, 'calls'))}, ${text} + '\\n');`;
    write(
      'lib/recital/build.mjs',
      `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); ${note("'kernels'")}`,
    );
    write(
      'npm.js',
      `const fs = require('fs'); const root = ${JSON.stringify(root)};
       ${note("'npm ' + process.argv.slice(2).join(' ')")}
       if (fs.existsSync(root + '/offline')) process.exit(1);
       fs.writeFileSync(root + '/cache', String(process.env.npm_config_cache));
       fs.mkdirSync(root + '/node_modules', { recursive: true });
       const { packages } = JSON.parse(fs.readFileSync(root + '/package-lock.json', 'utf8'));
       fs.writeFileSync(root + '/node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/a': packages['node_modules/a'] } }));`,
    );
    write('package-lock.json', lock('1.0.0'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('installs in a fresh clone, and then only looks after the kernels', () => {
    expect(ready().status).to.equal(0);
    expect(calls()).to.deep.equal(['npm ci --include=dev', 'kernels']);
    expect(ready()).to.deep.equal({ status: 0, output: '' });
    expect(calls()).to.deep.equal(['npm ci --include=dev', 'kernels', 'kernels']);
  });

  it('installs again when the lock file asks for something else', () => {
    ready();
    write('package-lock.json', lock('2.0.0'));
    expect(ready().output).to.contain('package-lock.json has changed');
    expect(calls().filter((call) => call === 'npm ci --include=dev')).to.have.length(2);
  });

  it('installs what somebody has taken away since', () => {
    ready();
    write('node_modules/.package-lock.json', '{"packages":{}}'); // npm prune, npm ci --omit=dev
    utimesSync(
      join(root, 'node_modules/.package-lock.json'),
      new Date(),
      new Date(Date.now() + 5000),
    );
    expect(ready().output).to.contain('or packages are missing');
    expect(calls().filter((call) => call === 'npm ci --include=dev')).to.have.length(2);
  });

  it('leaves alone what somebody installed by hand, if it fits the lock file', () => {
    spawnSync(process.execPath, [join(root, 'npm.js'), 'by hand']);
    expect(ready()).to.deep.equal({ status: 0, output: '' });
    expect(calls()).to.deep.equal(['npm by hand', 'kernels']);
  });

  it('fails with a hint when npm fails, and tries again the next time', () => {
    write('offline', '');
    const { status, output } = ready();
    expect(status).to.equal(1);
    expect(output).to.contain('npm ci failed (exit code 1)');
    rmSync(join(root, 'offline'));
    expect(ready().status).to.equal(0);
  });

  it("uses npm's cache where there is one, and leaves none in a home folder that has none", () => {
    const cache = join(root, 'home', '.npm');
    mkdirSync(cache, { recursive: true }); // npm makes it before it runs a script
    ready([], { npm_config_cache: cache });
    expect(readFileSync(join(root, 'cache'), 'utf8')).to.equal(join(root, '.cache', 'npm'));
    expect(existsSync(join(root, '.cache', 'npm'))).to.equal(false);
    expect(existsSync(cache)).to.equal(false);
    mkdirSync(join(cache, '_cacache'), { recursive: true });
    write('package-lock.json', lock('3.0.0'));
    ready([], { npm_config_cache: cache });
    expect(readFileSync(join(root, 'cache'), 'utf8')).to.equal(cache);
    expect(existsSync(cache)).to.equal(true);
  });

  it('says which Node it needs', () => {
    write(
      'old.cjs',
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.0' } });",
    );
    const { status, output } = ready(['--require', join(root, 'old.cjs')]);
    expect(status).to.equal(1);
    expect(output).to.contain('needs Node 20.19 or newer; this is Node 18.20.0');
    expect(calls()).to.deep.equal([]);
  });

  it('takes no noticeable time in this checkout when there is nothing to do', () => {
    const times = [1, 2, 3].map(() => {
      const start = performance.now();
      spawnSync(process.execPath, [join(source, 'lib/kernel/ready.mjs')]);
      return performance.now() - start;
    });
    expect(Math.min(...times)).to.be.below(400); // 60 ms, most of it the start of Node, on an idle machine
  });
});

describe('main.mjs', () => {
  it('prints help without installing or compiling anything', () => {
    const root = mkdtempSync(join(tmpdir(), 'recital help '));
    try {
      for (const file of ['main.mjs', 'usage.cjs']) {
        mkdirSync(join(root, 'lib/kernel'), { recursive: true });
        copyFileSync(join(source, 'lib/kernel', file), join(root, 'lib/kernel', file));
      }
      for (const command of ['start', 'lab', 'data']) {
        for (const flag of ['--help', '-h']) {
          const { status, stdout, stderr } = spawnSync(
            process.execPath,
            [join(root, 'lib/kernel/main.mjs'), command, flag],
            { encoding: 'utf8' },
          );
          expect([status, stderr]).to.deep.equal([0, '']);
          expect(stdout)
            .to.contain(`usage: npm ${command === 'start' ? 'start' : `run ${command}`}`)
            .and.to.contain('exit code');
        }
      }
      expect(
        spawnSync(process.execPath, [join(root, 'lib/kernel/main.mjs'), 'toString']).status,
      ).to.equal(2);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it('runs the command with its arguments', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(source, 'lib/kernel/main.mjs'), ...args], {
        encoding: 'utf8',
      });
    const data = run('data', 'papers');
    expect(data.status).to.equal(2);
    expect(data.stderr).to.contain('There is no data called "papers"');
    const start = run('start', 'nothing-of-this-name');
    expect(start.status).to.equal(2);
    expect(start.stderr).to.contain('Unknown notebook "nothing-of-this-name"');
  });
});

describe('package.json', () => {
  it('has what `npm ci --omit=dev` needs to compile the kernels and the library among its dependencies', () => {
    const { dependencies } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
    const { packages } = JSON.parse(readFileSync(join(source, 'package-lock.json'), 'utf8'));
    expect(dependencies).to.include.keys('assemblyscript', 'esbuild', 'tsx');
    for (const name of ['assemblyscript', 'binaryen', 'esbuild'])
      expect(packages[`node_modules/${name}`]).not.to.have.property('dev');
  });
});

describe('package-lock.json', () => {
  it('names the optional packages of every platform: npm ci refuses one that does not, and others could not install', () => {
    const { packages } = JSON.parse(readFileSync(join(source, 'package-lock.json'), 'utf8'));
    const missing: string[] = [];
    for (const [place, entry] of Object.entries<{ optionalDependencies?: Record<string, string> }>(
      packages,
    )) {
      for (const name of Object.keys(entry.optionalDependencies ?? {})) {
        // Node looks beside the package that asks, and then further and further up.
        const parts = place === '' ? [] : place.split('/node_modules/');
        const found = Array.from({ length: parts.length + 1 }, (_, up) =>
          [...parts.slice(0, parts.length - up), name].join('/node_modules/'),
        );
        if (
          !found.some(
            (path) =>
              (path.startsWith('node_modules/') ? path : `node_modules/${path}`) in packages,
          )
        )
          missing.push(`${name} of ${place}`);
      }
    }
    expect(missing).to.deep.equal([]);
  });
});
