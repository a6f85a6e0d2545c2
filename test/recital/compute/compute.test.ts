import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { matmul } from '../../../lib/recital/compute/matmul.js';
import {
  dispose,
  float32,
  int32,
  memoryUsage,
  reclaim,
} from '../../../lib/recital/compute/memory.js';
import { Random } from '../../../lib/recital/compute/random.js';
import { parallel, setCompute } from '../../../lib/recital/compute/threads.js';
import { ArgumentError, NumericError } from '../../../lib/recital/errors.js';
import { Adam } from '../../../lib/recital/learner/optimizers/steps.js';
import { Parameter } from '../../../lib/recital/nn/parameter.js';

const inForce = setCompute();

function filled(n: number, seed: number): Float32Array {
  const random = new Random(seed);
  const a = float32(n);
  for (let i = 0; i < n; i++) a[i] = random.normal();
  return a;
}

describe('shared memory', () => {
  it('gives zeroed blocks that do not overlap, and takes them back', () => {
    const before = memoryUsage().used;
    const a = float32(1000).fill(1);
    const b = int32(500).fill(2);
    expect(a.every((x) => x === 1)).to.equal(true);
    dispose(a);
    const c = float32(900);
    expect(c.every((x) => x === 0)).to.equal(true);
    expect(b.every((x) => x === 2)).to.equal(true);
    dispose(b);
    dispose(c);
    dispose(c); // a second time does nothing
    expect(memoryUsage().used).to.equal(before);
  });

  it('joins freed neighbours, so that it does not crumble', () => {
    const held = memoryUsage().held;
    for (let round = 0; round < 50; round++) {
      const parts = Array.from({ length: 8 }, () => float32(200_000));
      for (const i of [1, 3, 5, 7, 0, 2, 4, 6]) dispose(parts[i]);
      dispose(float32(8 * 200_000));
    }
    expect(memoryUsage().held - held).to.be.below(20 * 2 ** 20);
  });

  it('keeps old views alive when it grows', () => {
    const a = float32(10).fill(3);
    const big = float32(Math.ceil(memoryUsage().held / 4) + 10);
    expect([...a]).to.deep.equal(new Array(10).fill(3));
    dispose(big);
  });

  it('takes arrays back that nobody holds any more', async () => {
    const { held } = memoryUsage();
    for (let i = 0; i < 30; i++) {
      float32(16 * 2 ** 20); // 64 MB, dropped at once
      await reclaim();
    }
    expect(memoryUsage().held - held).to.be.below(1000 * 2 ** 20); // 1,920 MB were asked for
  });

  it('takes them back in a loop of one’s own, which trains nothing', async () => {
    const { held } = memoryUsage();
    for (let i = 0; i < 200; i++) {
      float32(2_000_000); // 8 MB, dropped at once
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(memoryUsage().held - held).to.be.below(1100 * 2 ** 20); // 1,600 MB were asked for
  });

  it('zeroes what has been in use before, and only that: a large array costs nothing until it is written to', () => {
    const a = float32(1000).fill(1);
    dispose(a);
    const { rss } = process.memoryUsage();
    const b = float32(memoryUsage().held / 4 + 5e7); // 200 MB more than ever before
    expect(process.memoryUsage().rss - rss).to.be.below(100e6);
    expect(b.subarray(0, 1_000_000).every((x) => x === 0)).to.equal(true);
    dispose(b);
  });

  it('says how much is in use when there is no more, and what was dropped is there for the next', async () => {
    expect(() => float32(2 ** 30 + 1)).to.throw('4 GiB is the limit');
    const all: Float32Array[] = [];
    const fill = (): void => {
      for (;;) all.push(float32(2 ** 28));
    };
    expect(fill).to.throw(NumericError, 'comes back between two awaits');
    const { used } = memoryUsage();
    all.length = 0;
    expect(() => float32(2 ** 29)).to.throw(NumericError, '4 GiB is the limit'); // which collects
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(memoryUsage().used).to.be.below(used - 2 ** 31);
  });
});

describe('matmul', () => {
  afterEach(() => setCompute(inForce));

  for (const [m, n, k] of [
    [1, 1, 1],
    [7, 13, 5],
    [64, 100, 300],
    [130, 70, 9],
  ]) {
    it(`multiplies ${m} × ${k} by ${k} × ${n}, transposed or not`, () => {
      const a = filled(m * k, 1);
      const b = filled(k * n, 2);
      const bt = float32(k * n);
      for (let i = 0; i < k; i++) for (let j = 0; j < n; j++) bt[j * k + i] = b[i * n + j];
      const c = filled(m * n, 3);
      const start = c.slice();
      matmul(
        { m, n, k },
        {
          a: { values: a, rowStride: k },
          b: { values: b, rowStride: n },
          c: { values: c, rowStride: n },
          add: true,
        },
      );
      const d = float32(m * n);
      matmul(
        { m, n, k },
        {
          a: { values: a, rowStride: k },
          b: { values: bt, rowStride: 1, columnStride: k },
          c: { values: d, rowStride: n },
        },
      );
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let l = 0; l < k; l++) sum += a[i * k + l] * b[l * n + j];
          expect(d[i * n + j]).to.be.closeTo(sum, 1e-4);
          expect(c[i * n + j]).to.be.closeTo(sum + start[i * n + j], 1e-4);
        }
      }
    });
  }

  for (const [m, n, k] of [
    [301, 257, 64],
    [30, 1003, 70],
  ])
    it(`gives the same bits on any number of threads, and nearly the same in the fast build: ${m} × ${n}`, async () => {
      const a = filled(m * k, 4);
      const b = filled(k * n, 5);
      const product = (): Float32Array => {
        const c = float32(m * n);
        matmul(
          { m, n, k },
          {
            a: { values: a, rowStride: k },
            b: { values: b, rowStride: n },
            c: { values: c, rowStride: n },
          },
        );
        return c;
      };
      setCompute({ threads: 1, reproducible: true });
      const one = product();
      setCompute({ threads: 3 });
      for (let round = 0; round < 20; round++) {
        expect(
          Buffer.compare(Buffer.from(product().slice().buffer), Buffer.from(one.slice().buffer)),
        ).to.equal(0);
        await new Promise((resolve) => setTimeout(resolve, 10)); // the threads come up meanwhile
      }
      setCompute({ reproducible: false });
      const fast = product();
      expect(fast.every((x, i) => Math.abs(x - one[i]) < 1e-4)).to.equal(true);
    });
});

describe('threads', () => {
  afterEach(() => setCompute(inForce));

  it('leave Adam of a dense parameter the same bits, whatever their number', async () => {
    const weights: Float32Array[] = [];
    for (const threads of [1, 2, 3]) {
      setCompute({ threads, reproducible: true });
      const p = new Parameter('dense', [200_003]);
      const random = new Random(9);
      for (let i = 0; i < p.value.length; i++) p.value[i] = random.normal();
      const opt = new Adam([[p]], { lr: 0.01, wd: 0.1 });
      for (let t = 0; t < 4; t++) {
        for (let j = 0; j < p.grad.length; j++) p.grad[j] = random.normal();
        opt.step();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      weights.push(p.value.slice());
    }
    expect(Buffer.compare(Buffer.from(weights[1].buffer), Buffer.from(weights[0].buffer))).to.equal(
      0,
    );
    expect(Buffer.compare(Buffer.from(weights[2].buffer), Buffer.from(weights[0].buffer))).to.equal(
      0,
    );
  });

  it('leave Adam the same bits, whatever their number', async () => {
    const weights: string[] = [];
    for (const threads of [1, 2, 4]) {
      setCompute({ threads, reproducible: true });
      const table = new Parameter('table', [20_001, 7], { table: true });
      const random = new Random(9);
      for (let i = 0; i < table.value.length; i++) table.value[i] = random.normal();
      const opt = new Adam([[table]], { lr: 0.01, wd: 0.1 });
      for (let t = 0; t < 10; t++) {
        table.touch(Int32Array.from({ length: 50 }, () => random.int(20_001)));
        for (let j = 0; j < table.gradSize; j++) table.grad[j] = random.normal();
        opt.step();
        opt.zeroGrad();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      weights.push(Buffer.from(table.value.slice().buffer).toString('base64'));
    }
    expect(weights[1] === weights[0] && weights[2] === weights[0]).to.equal(true);
  });

  it('let a script end, and print nothing of their own in any version of Node', () => {
    const script = `
      const { setCompute, parallel } = require('./lib/recital/compute/threads.ts'); const { Parameter } = require('./lib/recital/nn/parameter.ts'); const { Adam } = require('./lib/recital/learner/optimizers/steps.ts');
      setCompute({ threads: 2, reproducible: false }); const p = new Parameter('p', [100000, 8], { table: true }); const opt = new Adam([[p]], { lr: 1 });
      const go = (n) => { opt.step(); if (n) setTimeout(go, 20, n - 1); else console.log('done'); }; go(10);`;
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--require', 'tsx/cjs', '-e', script],
      {
        cwd: join(__dirname, '../../..'),
        encoding: 'utf8',
        timeout: 20_000,
      },
    );
    expect(stdout).to.equal('done\n');
    expect(stderr).to.equal('');
    expect(status).to.equal(0);
  });

  it('refuse a number that makes no sense', () => {
    for (const threads of [0, 1.5, 99, NaN])
      expect(() => setCompute({ threads })).to.throw(ArgumentError, 'threads must be');
    expect(() => parallel('nothing' as never, 1, [], { grain: 1 })).to.throw();
  });
});

describe('Random', () => {
  it('gives the same numbers for the same seed and path, and others for other names', () => {
    const draw = (r: Random): number[] => Array.from({ length: 5 }, () => r.uint32());
    expect(draw(new Random(42).child('split'))).to.deep.equal(draw(new Random(42).child('split')));
    expect(draw(new Random(42).child('split'))).to.not.deep.equal(
      draw(new Random(42).child('init')),
    );
    const parent = new Random(42);
    parent.uniform();
    expect(
      draw(parent.child('split')),
      'a child does not depend on what its parent drew',
    ).to.deep.equal(draw(new Random(42).child('split')));
    expect(draw(new Random(42)), 'the numbers themselves are part of the contract').to.deep.equal([
      2447574668, 83611676, 1450851391, 3172507207, 2268724198,
    ]);
  });

  it('is uniform, normal and fair within what chance allows', () => {
    const random = new Random(7);
    const n = 100_000;
    let sum = 0;
    const faces = new Int32Array(6);
    for (let i = 0; i < n; i++) {
      sum += random.uniform();
      faces[random.int(6)]++;
    }
    expect(sum / n).to.be.closeTo(0.5, 0.005);
    for (const count of faces) expect(count / n).to.be.closeTo(1 / 6, 0.006);
    const z = Array.from({ length: n }, () => random.normal());
    expect(z.reduce((a, b) => a + b, 0) / n).to.be.closeTo(0, 0.015);
    expect(z.reduce((a, b) => a + b * b, 0) / n).to.be.closeTo(1, 0.02);
  });

  it('permutes every place equally often', () => {
    const counts = new Int32Array(25);
    for (let seed = 0; seed < 5000; seed++) {
      const p = new Random(seed).permutation(5);
      expect([...p].sort()).to.deep.equal([0, 1, 2, 3, 4]);
      p.forEach((x, i) => {
        counts[i * 5 + x]++;
      });
    }
    for (const c of counts) expect(c / 5000).to.be.closeTo(0.2, 0.03);
  });

  it('refuses a seed that is no whole number', () => {
    expect(() => new Random(0.5)).to.throw(ArgumentError);
    expect(() => new Random(1).int(0)).to.throw(ArgumentError);
  });
});
