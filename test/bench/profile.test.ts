import { expect } from 'chai';
import { instantiate } from '../../lib/recital/compute/kernels.js';
import { dispose, float32, float64, int32, memory } from '../../lib/recital/compute/memory.js';
import { KernelClock } from './support/kernel-clock.js';
import { whyNot, workOf } from './support/kernel-work.js';
import { copyLimit } from './support/limits.js';
import { Sampler } from './support/sampler.js';

describe('what the profile tells', () => {
  it('of kernels is the work that their arguments ask for', () => {
    const product = [10, 20, 30, 0, 30, 1, 0, 20, 1, 0, 20]; // 10 × 30 times 30 × 20
    expect(workOf('gemm', [...product, 0])).to.deep.equal({
      flops: 12_000,
      bytes: 4 * (300 + 600 + 200),
    });
    expect(workOf('gemm', [...product, 1]).bytes, 'reads what is there').to.equal(
      4 * (300 + 600 + 400),
    );
    expect(workOf('gemmRows', [5, 15, ...product.slice(1), 0])).to.deep.equal(
      workOf('gemm', [...product, 0]),
    );
  });

  it('of sparse matrices depends on how many entries the rows have', () => {
    const indptr = int32(4);
    indptr.set([0, 3, 3, 10]);
    expect(workOf('sparseBlock', [1, 3, indptr.byteOffset]).flops).to.equal(2 * 16 * 7);
    dispose(indptr);
  });

  it('of time-skipping is as many nodes as it moves on', () => {
    const api = (globalThis as unknown as { WebAssembly: { Instance: unknown } }).WebAssembly;
    const { Instance } = api;
    const clock = new KernelClock();
    const { skipAdvance } = instantiate('reproducible', memory);
    api.Instance = Instance; // the clock is for this test alone
    const spans = int32(6);
    spans.set([0, 7, 0, 4, 11, 8]); // of two slots the first and the last node, and where node 0 would lie
    const [tables, nodes, scalars] = [float32(64), float32(1000).fill(1), float64(6).fill(1)];
    clock.start();
    skipAdvance(
      0,
      2,
      tables.byteOffset,
      scalars.byteOffset,
      spans.byteOffset,
      nodes.byteOffset,
      1,
      1,
      1,
      1,
      1,
      1,
    );
    expect(tables.filter((x) => x !== 0).length).to.equal(16);
    expect(clock.stop().get('skipAdvance')).to.include({ calls: 1, flops: 6 * 16, bytes: 8 * 16 });
    for (const array of [spans, tables, nodes, scalars]) dispose(array);
  });

  it('of unknown kernels is nothing', () => {
    expect(workOf('later', [1])).to.deep.equal({ flops: NaN, bytes: NaN });
    expect(whyNot('later')).to.include('not described');
  });

  it('is compared with a copy that touches as many bytes, or more', () => {
    const asked: string[] = [];
    const limits = (name: string): number => asked.push(name);
    for (const bytes of [1, 2 ** 20, 2 ** 20 + 1, 2 ** 40]) copyLimit(limits, bytes);
    expect(asked).to.deep.equal([
      `copy ${2 ** 18}`,
      `copy ${2 ** 20}`,
      `copy ${2 ** 22}`,
      `copy ${2 ** 29}`,
    ]);
  });

  it('of functions is their name and file, and the time that they took', () => {
    const sampler = new Sampler();
    sampler.start();
    busy(performance.now() + 100);
    expect(sampler.stop().get('busy test/bench/profile.test.ts')).to.be.within(30, 150);
  });
});

function busy(until: number): number {
  let sum = 0;
  while (performance.now() < until) for (let i = 0; i < 100_000; i++) sum += Math.sqrt(i);
  return sum;
}
