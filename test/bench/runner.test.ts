import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { ArgumentError, UnknownIdError } from '../../lib/recital/errors.js';
import { benchmarkNames, parseArguments } from './run.js';
import type { Benchmark } from './support/benchmark.js';
import { count, counts, flag, parseOptions, usage } from './support/options.js';

describe('npm run bench', () => {
  it('knows the files of test/bench by name, and nothing else', () => {
    expect(benchmarkNames()).to.include.members(['collab', 'load', 'memory', 'topn']);
    expect(benchmarkNames()).to.not.include.members(['run', 'runner.test', 'support']);
  });

  it('takes names first and passes the rest on', () => {
    expect(parseArguments(['topn', 'collab', '--bs', '64', '--no-fastai'])).to.deep.equal({
      names: ['topn', 'collab'],
      options: ['--bs', '64', '--no-fastai'],
    });
  });

  it('runs every benchmark when none is named, and one once when it is named twice', () => {
    expect(parseArguments([], ['a', 'b'])).to.deep.equal({ names: ['a', 'b'], options: [] });
    expect(parseArguments(['--runs', '1'], ['a', 'b'])).to.deep.equal({
      names: ['a', 'b'],
      options: ['--runs', '1'],
    });
    expect(parseArguments(['b', 'b'], ['a', 'b']).names).to.deep.equal(['b']);
  });

  it('lists the known names at an unknown one', () => {
    expect(() => parseArguments(['colab'], ['collab', 'load'])).to.throw(
      UnknownIdError,
      /"colab".*did you mean "collab".*Known: collab, load\./s,
    );
  });

  it('ends with code 1 and the names at an unknown one', () => {
    const args = ['--import', 'tsx', path.join(__dirname, 'run.ts'), 'nonsense'];
    expect(() => execFileSync(process.execPath, args, { stdio: 'pipe', encoding: 'utf8' }))
      .to.throw()
      .that.includes({ status: 1 })
      .and.has.property('stderr')
      .that.matches(/Unknown benchmark "nonsense".*Known: .*collab/s);
  });

  for (const name of benchmarkNames()) {
    it(`${name} says what it does and has options that explain themselves`, () => {
      const { benchmark } = require(`./${name}.js`) as { benchmark: Benchmark };
      expect(benchmark.about).to.match(new RegExp(`^${name}: .{40}`));
      for (const { about } of Object.values(benchmark.options)) expect(about).to.not.equal('');
      expect(usage(benchmark.options)).to.include('--');
      expect(parseOptions(benchmark.options, [])).to.have.keys(Object.keys(benchmark.options));
    });
  }

  it('has the programs of the peers that benchmarks run', () => {
    const used = readdirSync(__dirname).filter((f) => f.endsWith('.ts') && !f.endsWith('.test.ts'));
    const programs = used.flatMap((f) =>
      [...readFileSync(path.join(__dirname, f), 'utf8').matchAll(/'([a-z_]+\.py)'/g)].map(
        (m) => m[1],
      ),
    );
    expect(programs).to.include('collab_fastai.py');
    for (const program of programs)
      expect(existsSync(path.join(__dirname, 'peers', program)), program).to.equal(true);
  });
});

describe('options of a benchmark', () => {
  const specs = {
    bs: counts([64, 1024], 'batch sizes'),
    runs: count(3, 'how often'),
    maxGrowth: count(0, 'bound', { least: 0 }),
    fastai: flag(true, 'fastai too'),
  };

  it('have defaults', () => {
    expect(parseOptions(specs, [])).to.deep.equal({
      bs: [64, 1024],
      runs: 3,
      maxGrowth: 0,
      fastai: true,
    });
  });

  it('are read in both notations, with switches on and off', () => {
    expect(
      parseOptions(specs, ['--bs', '64,4096', '--runs=5', '--max-growth', '0', '--no-fastai']),
    ).to.deep.equal({
      bs: [64, 4096],
      runs: 5,
      maxGrowth: 0,
      fastai: false,
    });
    expect(parseOptions(specs, ['--no-fastai', '--fastai']).fastai).to.equal(true);
  });

  it('must be known', () => {
    expect(() => parseOptions(specs, ['--run', '3'])).to.throw(
      UnknownIdError,
      /"run".*did you mean "runs"/,
    );
    expect(() => parseOptions(specs, ['64'])).to.throw(ArgumentError, 'begin with --');
  });

  for (const [what, args] of [
    ['a word', ['--runs', 'many']],
    ['nothing', ['--runs']],
    ['zero', ['--runs', '0']],
    ['a fraction', ['--runs', '1.5']],
    ['an empty part', ['--bs', '64,']],
    ['a negation', ['--no-runs']],
    ['a value for a switch', ['--fastai=yes']],
  ] as const) {
    it(`refuse ${what}`, () => {
      expect(() => parseOptions(specs, args)).to.throw(ArgumentError, /--(no-)?(runs|bs|fastai)/);
    });
  }
});
