import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadNative } from '../../lib/recital/compute/kernels.js';
import { addColumnSums, matmul, zero } from '../../lib/recital/compute/matmul.js';
import { float32 } from '../../lib/recital/compute/memory.js';
import { Random } from '../../lib/recital/compute/random.js';
import { setCompute } from '../../lib/recital/compute/threads.js';
import { Adam } from '../../lib/recital/learner/optimizers/steps.js';
import { softmaxCrossEntropy } from '../../lib/recital/nn/cross-entropy.js';
import { Parameter } from '../../lib/recital/nn/parameter.js';
import { GRU, LSTM, PackedSequences } from '../../lib/recital/nn/recurrent.js';
import { cannotBuild, nativeFolder } from '../support/native.js';

const inForce = setCompute();
const targets = arch() === 'x64' ? ['native', 'haswell', 'x86-64'] : ['native']; // vectors of 512 (if there are), 256 and 128 bits

/** Whether this processor has the instructions that a build was made for. */
function runs(target: string): boolean {
  return target !== 'haswell' || spawnSync('grep', ['-qw', 'avx2', '/proc/cpuinfo']).status === 0;
}

function filled(n: number, seed: number): Float32Array {
  const random = new Random(seed);
  const a = float32(n);
  for (let i = 0; i < n; i++) a[i] = random.normal();
  return a;
}

/**
 * What a computation gives by the reproducible build on one thread, and by the native one on one,
 * two and three, which must be the same bits.
 */
function both(compute: () => Float32Array[]): { wasm: Float32Array[]; native: Float32Array[] } {
  const under = (threads: number, native: boolean): Float32Array[] => {
    setCompute({ threads, ...(native ? { native } : { reproducible: true }) });
    return compute().map((values) => values.slice());
  };
  const wasm = under(1, false);
  const native = under(1, true);
  for (const threads of [2, 3]) {
    const other = under(threads, true);
    for (const [i, values] of native.entries())
      expect(Buffer.compare(Buffer.from(values.buffer), Buffer.from(other[i].buffer))).to.equal(0);
  }
  return { wasm, native };
}

function expectClose(
  { wasm, native }: { wasm: Float32Array[]; native: Float32Array[] },
  relative = 2e-5,
): void {
  for (const [i, values] of wasm.entries()) {
    const size = values.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-30);
    let gap = 0;
    for (const [j, x] of values.entries()) gap = Math.max(gap, Math.abs(x - native[i][j]));
    expect(gap / size, `array ${i}`).to.be.below(relative); // NaN is not below
  }
}

const missing = cannotBuild();

describe(`the native kernel${missing ? ` (skipped: ${missing})` : ''}`, function () {
  this.timeout(300_000);
  let dir = '';
  before(function () {
    if (missing) this.skip();
    dir = nativeFolder(targets);
  });
  afterEach(() => setCompute(inForce));
  after(() => rmSync(dir, { recursive: true, force: true }));

  for (const target of targets) {
    describe(`compiled for ${target}`, () => {
      before(function () {
        if (!runs(target)) this.skip(); // the processor lacks instructions that it was compiled for
        loadNative(join(dir, target));
      });

      const sizes = [
        [1, 1, 1],
        [7, 13, 5],
        [8, 48, 16],
        [130, 70, 9],
        [64, 1003, 100],
        [1003, 100, 64],
        [61, 103, 511],
        [33, 47, 513],
        [20, 30, 4600], // the sum is split
        [3, 100, 4097],
        [300, 260, 1100],
      ];
      for (const [m, n, k] of sizes) {
        it(`multiplies ${m} × ${k} by ${k} × ${n}, transposed or not, added, with a bias`, () => {
          const [a, b, at, bt, bias, start] = [m * k, k * n, m * k, k * n, n, m * (n + 3)].map(
            (size, i) => filled(size, i),
          );
          const product = (rest: object, transposed: boolean): Float32Array => {
            const c = float32(m * (n + 3) + 5);
            c.set(start, 5);
            const A = transposed
              ? { values: at, rowStride: 1, columnStride: m }
              : { values: a, rowStride: k };
            const B = transposed
              ? { values: bt, rowStride: 1, columnStride: k }
              : { values: b, rowStride: n };
            matmul(
              { m, n, k },
              { a: A, b: B, c: { values: c, offset: 5, rowStride: n + 3 }, ...rest },
            );
            return c;
          };
          expectClose(
            both(() => [
              product({}, false),
              product({ add: true }, true),
              product({ bias }, true),
              product({ bias }, false),
            ]),
          );
        });
      }

      it('multiplies parts of larger matrices, and strides in both directions', () => {
        const [a, b] = [filled(5000, 1), filled(5000, 2)];
        expectClose(
          both(() => {
            const c = float32(40 * 33);
            const [A, B] = [
              { values: a, offset: 7, rowStride: 120, columnStride: 3 },
              { values: b, offset: 11, rowStride: 2, columnStride: 70 },
            ];
            matmul({ m: 40, n: 33, k: 35 }, { a: A, b: B, c: { values: c, rowStride: 33 } });
            return [c];
          }),
        );
      });

      it('takes the steps of Adam, of a dense parameter and of a table', () => {
        const weights = (): Float32Array[] => {
          const dense = new Parameter('dense', [100_003]);
          const table = new Parameter('table', [20_001, 7], { table: true });
          const random = new Random(9);
          for (const p of [dense, table])
            for (let i = 0; i < p.value.length; i++) p.value[i] = random.normal();
          const opt = new Adam([[dense, table]], { lr: 0.01, wd: 0.1, decoupledWd: false });
          for (let t = 0; t < 5; t++) {
            table.touch(Int32Array.from({ length: 50 }, () => random.int(20_001)));
            for (const p of [dense, table])
              for (let j = 0; j < p.gradSize; j++) p.grad[j] = random.normal();
            opt.step();
            opt.zeroGrad();
          }
          return [dense.value, table.value];
        };
        expectClose(both(weights), 1e-6);
      });

      for (const outputs of [257, 1003, 5000]) {
        it(`has the cross-entropy of ${outputs} classes, and its gradient`, () => {
          const size = 37;
          const logits = filled(size * outputs, 3);
          for (let i = 0; i < logits.length; i++) logits[i] *= i % 5 === 0 ? 40 : 3;
          const rows = {
            size,
            outputs,
            classOf: (i: number) => (i % 6 === 5 ? -1 : (i * 31) % outputs),
          };
          expectClose(
            both(() => {
              const out = float32(size * outputs);
              const losses = Float32Array.from(
                softmaxCrossEntropy(
                  { ...rows, pred: logits },
                  { out, scaleOf: (i) => 1 / (i + 1) },
                ),
              );
              const alone = Float32Array.from(softmaxCrossEntropy({ ...rows, pred: logits }));
              return [losses, alone, out];
            }),
            2e-6,
          );
        });
      }

      it('shows a logit that is NaN', () => {
        const logits = filled(2 * 300, 3);
        logits[17] = NaN;
        setCompute({ native: true });
        const losses = softmaxCrossEntropy({
          size: 2,
          outputs: 300,
          pred: logits,
          classOf: () => 5,
        });
        expect([...losses.subarray(0, 2)].map(Number.isNaN)).to.deep.equal([true, false]);
      });

      it('fills with zeros, and nothing beside them', () => {
        setCompute({ native: true, threads: 2 });
        for (const n of [0, 1, 65_537, 300_000]) {
          const all = float32(n + 2).fill(1);
          zero(all.subarray(1, n + 1));
          expect([all[0], all.subarray(1, n + 1).every((x) => x === 0), all[n + 1]]).to.deep.equal([
            1,
            true,
            1,
          ]);
        }
      });

      it('adds up columns', () => {
        for (const [n, width] of [
          [1, 1],
          [70, 1003],
          [1000, 30],
        ]) {
          const x = filled(n * width, 3);
          expectClose(
            both(() => {
              const sums = float32(width).fill(1);
              addColumnSums(x, n, sums);
              return [sums];
            }),
          );
        }
      });

      for (const Layer of [LSTM, GRU]) {
        for (const [inputs, hidden, size, steps] of [
          [5, 3, 1, 1],
          [50, 100, 37, 10],
          [16, 130, 70, 4],
          [20, 48, 9, 6],
        ]) {
          it(`goes through a ${Layer.name} of ${hidden} forth and back, ${size} sequences of up to ${steps}`, () => {
            const lengths = Int32Array.from({ length: size }, (_, r) => 1 + ((r * 7) % steps));
            const packed = new PackedSequences(lengths, { steps, size });
            const input = filled(packed.total * inputs, 1);
            const gradient = filled(packed.total * hidden, 2);
            const pass = (): Float32Array[] => {
              const layer = new Layer(inputs, hidden, { random: new Random(4) });
              const h = layer.forward(input, packed, true).slice();
              const d = layer.backward(gradient).slice();
              return [h, d, ...layer.parameters.map((p) => p.grad)];
            };
            expectClose(both(pass), 5e-5);
          });
        }
      }
    });
  }
});
