import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import * as library from '../../lib/recital/index.js';

const folder = join(resolve(__dirname, '../..'), '.cache', `test main ${process.pid}`); // within the checkout: the library is found by its name

const run = (args: string[]): string =>
  execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });

describe('the library in a script', () => {
  const names = "import { DataError, sql, Table } from 'recital';\n";
  const work =
    "const t: Table = await sql('select 1 as a');\nconsole.log(t.length, t instanceof Table, typeof DataError);";
  const wrapped = `${names}async function main(): Promise<void> {\n${work}\n}\nvoid main();`;
  const scripts: [string, string[], string][] = [
    ['script.mjs', [], `${names}${work.replace(': Table', '')}`],
    [
      'script.cjs',
      [],
      "const r = require('recital');\nvoid import('recital').then((m) => console.log(1, m.Table === r.Table, typeof m.DataError));",
    ],
    ['script.mts', ['--import', 'tsx'], names + work],
    ['script.ts', ['--import', 'tsx'], wrapped],
    ['script.cts', ['--import', 'tsx'], wrapped],
  ];
  before(() => mkdirSync(folder, { recursive: true }));
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, options, text] of scripts) {
    it(`is imported by name in a ${name.replace('script', '')} file${options.length ? ' run by tsx' : ' run by Node alone'}`, () => {
      writeFileSync(join(folder, name), text);
      expect(run([...options, join(folder, name)])).to.equal('1 true function\n');
    });
  }

  it('keeps its progress off standard output: `node job.mjs > out.json` holds what the job prints', () => {
    const job = `import { ALS, collabLearner, CollabDataLoaders, evaluate, lineChart, perUserSplit, Plays, Popularity, search, show, splitPlays, Table } from 'recital';
const plays = Plays.fromRows(Array.from({ length: 400 }, (_, i) => ({ user: \`u\${i % 40}\`, track: \`t\${(i * 7 + (i % 11)) % 23}\` })));
const learn = collabLearner(CollabDataLoaders.fromPlays(plays, { seed: 1 }), { nFactors: 4 });
await learn.fit(2, 1e-3);
const split = splitPlays(plays, perUserSplit(plays, { seed: 1 }));
await evaluate([new Popularity(split.train)], split, { k: 5, verbose: true });
await search(({ factors }, { train }) => ALS.fit(train, { factors, iterations: 1 }), { factors: [2, 4] }, { split, trials: 2 });
show(new Table({ shown: ['by the job'] }));
show(lineChart(new Table({ x: [1, 2], y: [1, 2] }), { x: 'x', y: 'y' }));
console.log(JSON.stringify({ done: true }));`;
    writeFileSync(join(folder, 'job.mjs'), job);
    const done = spawnSync(process.execPath, [join(folder, 'job.mjs')], {
      cwd: folder,
      encoding: 'utf8',
    });
    const lines = done.stdout.trim().split('\n');
    expect(lines[0], done.stderr).to.equal('shown');
    expect(lines.at(-1)).to.equal('{"done":true}');
    expect(done.stdout).to.not.match(/train_loss|made in|ranked in|\d of \d/);
    expect(done.stdout).to.contain('by the job').and.to.contain('Line'); // the chart as a sentence
    expect(done.stderr).to.match(/epoch +train_loss/);
    expect(done.stderr)
      .to.match(/^Popularity.*ranked in/m)
      .and.match(/1 of 2: /);
  });

  it('has the names that are pinned, for ES modules as for others: one goes, or comes, on purpose', () => {
    const pinned = JSON.parse(
      readFileSync(resolve(__dirname, '../golden/public-names.json'), 'utf8'),
    ) as string[];
    expect(Object.keys(library).sort()).to.deep.equal(pinned);
    const script =
      "const names = Object.keys(require('recital')); import('recital').then((m) => console.log(JSON.stringify([names.sort(), Object.keys(m).sort()])));";
    const [others, modules] = JSON.parse(run(['-e', script])) as string[][];
    expect(others).to.deep.equal(pinned);
    expect(modules).to.deep.equal(pinned);
  });

  it('is a bundle, in which classes and functions have the names that they have in the sources', () => {
    const script =
      "const r = require('recital'); console.log(JSON.stringify(Object.keys(r).map((key) => [key, r[key].name])));";
    const names = Object.entries(library as unknown as Record<string, { name?: string }>).map(
      ([key, { name }]) => (name === undefined ? [key, null] : [key, name]),
    );
    const sorted = (pairs: unknown[]): string[] => pairs.map((pair) => JSON.stringify(pair)).sort();
    expect(sorted(JSON.parse(run(['-e', script])))).to.deep.equal(sorted(names));
  });

  it('leaves the process as it is: no hook, no listener, no global, and little of its time', () => {
    const script = `const state = () => JSON.stringify([Object.keys(require.extensions), require.extensions['.js'].toString(), Module._resolveFilename.toString(),
      process.eventNames(), Reflect.ownKeys(globalThis).map(String), typeof Error.prepareStackTrace, Error.stackTraceLimit, process.execArgv]);
      const Module = require('node:module'); const before = state(); const { user, system } = process.cpuUsage(); require('recital');
      const used = process.cpuUsage(); console.log(JSON.stringify([before === state(), used.user + used.system - user - system]));`;
    const runs = [1, 2, 3].map(() => JSON.parse(run(['-e', script])) as [boolean, number]);
    expect(runs.map(([same]) => same)).to.deep.equal([true, true, true]);
    expect(Math.min(...runs.map(([, microseconds]) => microseconds))).to.be.below(200_000); // 60,000 on an idle machine
  });
});

describe('package-lock.json', () => {
  it('has the hash of every package, of other systems too, and no address: npm runs nothing unchecked, from whatever registry', () => {
    const text = readFileSync(resolve(__dirname, '../../package-lock.json'), 'utf8');
    const { packages } = JSON.parse(text) as {
      packages: Record<string, { integrity?: string; link?: boolean }>;
    };
    const unchecked = Object.entries(packages).filter(
      ([path, { integrity, link }]) =>
        path !== '' &&
        !path.startsWith('lib/') &&
        !link &&
        !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''),
    );
    expect(
      unchecked.map(([path]) => path),
      'without a hash: npm view NAME@VERSION dist.integrity',
    ).to.deep.equal([]);
    expect(text).to.not.match(/"resolved": "\w+:/);
    expect(Object.keys(packages).length).to.be.above(200);
  });
});
