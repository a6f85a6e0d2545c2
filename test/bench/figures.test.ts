import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { ArgumentError, RecitalError } from '../../lib/recital/errors.js';
import { printed } from '../support/printed.js';
import { alternate, type Contender, Runs } from './support/contenders.js';
import { withFolder } from './support/data.js';
import { digits, figure, jsonLine, median, spread } from './support/figures.js';
import { growth } from './support/growth.js';
import { findPeers } from './support/peers.js';
import { measure, parseResult } from './support/process.js';
import { againstPeers, ourVariants, variantOf } from './support/variants.js';

describe('figures of benchmarks', () => {
  it('are medians', () => {
    expect(median([3, 1, 2])).to.equal(2);
    expect(median([10, 1, 2, 4])).to.equal(3);
    expect(median([5])).to.equal(5);
    expect(() => median([])).to.throw(ArgumentError);
  });

  it('end as one line of JSON each, with the peer and how many times ours is better', () => {
    const line = jsonLine(
      figure('lstm b64', 29.98765, 'ms', 430.4, { name: 'torch 2.15', value: 45 }),
    );
    expect(line).to.equal(
      '{"bench":"lstm b64","ours":29.99,"unit":"ms","peer":"torch 2.15","theirs":45,"ratio":1.501,"peakMB":430}',
    );
  });

  it('have null for the peer where there is none', () => {
    expect(jsonLine(figure('load', 5, 's', 900))).to.equal(
      '{"bench":"load","ours":5,"unit":"s","peer":null,"theirs":null,"ratio":null,"peakMB":900}',
    );
  });

  it('must be numbers: JSON would make null of NaN', () => {
    expect(() => jsonLine(figure('load', NaN, 's', 900))).to.throw(
      ArgumentError,
      '"load" has ours = NaN',
    );
    expect(() => jsonLine(figure('load', 0, 's', 900, { name: 'pandas', value: 1 }))).to.throw(
      ArgumentError,
      'ratio = Infinity',
    );
  });

  it('have four digits', () => {
    expect([0.000123456, 1.23456, 999.94, 12345.6, -0.5].map(digits)).to.deep.equal([
      0.0001235, 1.235, 999.9, 12346, -0.5,
    ]);
  });

  it('are shown with their spread', () => {
    expect(spread([1, 2, 4])).to.equal('2.00 (1.00–4.00)');
    expect(spread([1.234], { decimals: 1 })).to.equal('1.2');
  });

  it('grow by the slope of the line that fits best', () => {
    expect(growth([1, 3, 5, 7])).to.equal(2);
    expect(growth([5, 5, 5])).to.equal(0);
    expect(growth([2, 1, 3])).to.equal(0.5);
    expect(() => growth([1])).to.throw(ArgumentError);
  });
});

describe('measuring programs', () => {
  const script = (code: string): Contender => ({
    name: 'script',
    command: process.execPath,
    args: ['-e', code],
  });

  it('reads the last RESULT line', () => {
    expect(parseResult('warning\nRESULT {"a":1}\nRESULT {"a":2}\nbye\n')).to.deep.equal({ a: 2 });
    expect(parseResult('nothing')).to.equal(undefined);
  });

  it('runs one and takes what it reports, and what it is given in its environment', async () => {
    const { command, args } = script(
      `console.log('RESULT {"seconds":' + process.env.BENCH_S + ',"cpuS":0,"peakMB":1}')`,
    );
    const { values, others } = await measure(command, args, { env: { BENCH_S: '7' } });
    expect(values).to.deep.equal({ seconds: 7, cpuS: 0, peakMB: 1 });
    expect(others).to.be.at.least(0);
  });

  it('fails with what a program said when it fails, or reports nothing', async () => {
    for (const code of [
      "console.error('no such module'); process.exit(3)",
      "console.error('no such module')",
    ]) {
      const { command, args } = script(code);
      const error = await measure(command, args).catch((e: unknown) => e);
      expect(error)
        .to.be.instanceOf(RecitalError)
        .with.property('message')
        .that.includes('no such module');
    }
  });

  it('takes contenders in turn, and repeats disturbed runs', async () => {
    const order: string[] = [];
    const run: typeof measure = async (command) => {
      order.push(command);
      const disturbed = command === 'b' && order.length === 2;
      return { values: { s: order.length, peakMB: order.length }, others: disturbed ? 0.9 : 0 };
    };
    const contenders = ['a', 'b'].map((name) => ({ name, command: name, args: [] }));
    const [a, b] = await alternate(contenders, { runs: 2, run });
    expect(order).to.deep.equal(['a', 'b', 'a', 'b', 'b']);
    expect(a.values('s')).to.deep.equal([1, 3]);
    expect(b.values('s')).to.deep.equal([4, 5]);
    expect(b).to.include({ name: 'b', peakMB: 5, others: 0 });
    expect(b.median('s')).to.equal(4.5);
  });

  it('goes on without a peer that fails, and not without one of ours', async () => {
    const run: typeof measure = async (command) => {
      if (command === 'peer') throw new RecitalError('negative strides');
      return { values: { peakMB: 1 }, others: 0 };
    };
    const ours = { name: 'recital t1', command: 'ours', args: [] };
    const theirs = { name: 'fastai', command: 'peer', args: [], optional: true };
    const lines: string[] = [];
    const { log } = console;
    console.log = (line: string): void => void lines.push(line);
    const measured = await alternate([theirs, ours], { runs: 2, run }).finally(() =>
      Object.assign(console, { log }),
    );
    expect(measured.map((m) => m.name)).to.deep.equal(['recital t1']);
    expect(lines).to.deep.equal(['fastai is left out, because it failed. negative strides']);
    const error = await alternate([{ ...theirs, optional: false }], { runs: 1, run }).catch(
      (e: unknown) => e,
    );
    expect(error).to.be.instanceOf(RecitalError);
  });

  it('compares our default build with each peer, the fast one with none', () => {
    const run = (name: string): Runs => new Runs(name, []);
    const variants = ourVariants({ fast: true, all: 2, native: false });
    expect(variants.map((v) => variantOf(v.name))).to.deep.equal([
      ' t1',
      ' t1 fast',
      ' t2',
      ' t2 fast',
    ]);
    const native = ourVariants({ fast: false, all: 2, native: true });
    expect(native.map((v) => variantOf(v.name))).to.deep.equal([
      ' t1',
      ' t1 native',
      ' t2',
      ' t2 native',
    ]);
    expect(ourVariants({ fast: false, all: 1, native: false })).to.deep.equal([
      { name: 'recital t1', threads: 1, build: 'reproducible' },
    ]);
    const pairs = againstPeers([
      run('recital t1'),
      run('recital t1 fast'),
      run('recital t1 native'),
      run('fastai 2'),
      run('torch 2'),
    ]);
    expect(pairs.map(([m, p]) => [m.name, p?.name])).to.deep.equal([
      ['recital t1', 'fastai 2'],
      ['recital t1', 'torch 2'],
      ['recital t1 fast', undefined],
      ['recital t1 native', 'fastai 2'],
      ['recital t1 native', 'torch 2'],
    ]);
    expect(againstPeers([run('recital t1')])[0][1]).to.equal(undefined);
  });
});

describe('PEER_PYTHON', () => {
  it('is asked for when it is not set', () => {
    const lines = printed(() => expect(findPeers(['torch'], { python: '' })).to.equal(undefined));
    expect(lines.join()).to.match(/PEER_PYTHON is not set.*torch.*pip install torch/);
  });

  it('is named when it does not run', () => {
    const lines = printed(() =>
      expect(findPeers(['torch'], { python: '/no/such/python' })).to.equal(undefined),
    );
    expect(lines.join()).to.match(/PEER_PYTHON \(\/no\/such\/python\) does not run: .*ENOENT/);
  });

  it('is told apart by what it has and lacks', async function () {
    if (process.platform === 'win32') this.skip(); // the stand-in is a shell script
    await withFolder(async (dir) => {
      const python = path.join(dir, 'python');
      const answer = (json: string): void =>
        writeFileSync(python, `#!/bin/sh\necho '${json}'\n`, { mode: 0o755 });
      answer('{"torch":"2.15.0","fastai":null}');
      const lines = printed(() =>
        expect(findPeers(['torch', 'fastai'], { python })).to.deep.equal({
          python,
          versions: { torch: '2.15.0' },
        }),
      );
      expect(lines.join()).to.include('lacks fastai: not measured');
      answer('{"torch":null}');
      expect(
        printed(() => expect(findPeers(['torch'], { python })).to.equal(undefined)).join(),
      ).to.include('lacks torch');
    });
  });
});
