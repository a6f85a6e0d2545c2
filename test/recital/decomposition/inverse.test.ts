import { expect } from 'chai';
import { float32 } from '../../../lib/recital/compute/memory.js';
import { Random } from '../../../lib/recital/compute/random.js';
import { setCompute } from '../../../lib/recital/compute/threads.js';
import { invertSymmetric } from '../../../lib/recital/decomposition/inverse.js';
import { ArgumentError, NumericError } from '../../../lib/recital/errors.js';

/** XXᵀ + n/2 for random X of n × 8, lower triangle only. */
function lower(n: number): Float32Array {
  const random = new Random(n);
  const x = Array.from({ length: n * 8 }, () => random.normal());
  const a = float32(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++)
      for (let k = 0; k < 8; k++) a[i * n + j] += x[i * 8 + k] * x[j * 8 + k];
    a[i * n + i] += n / 2;
  }
  return a;
}

describe('invertSymmetric', () => {
  for (const n of [1, 5, 256, 300, 520]) {
    it(`inverts a matrix of ${n} rows from its lower triangle, symmetrically`, async () => {
      const a = lower(n);
      const inverse = lower(n);
      expect(await invertSymmetric(inverse, { n })).to.equal(true);
      let worst = 0;
      for (const i of new Set([0, n >> 1, n - 1])) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let k = 0; k < n; k++)
            sum += a[Math.max(i, k) * n + Math.min(i, k)] * inverse[k * n + j];
          worst = Math.max(worst, Math.abs(sum - (i === j ? 1 : 0)));
          expect(inverse[i * n + j]).to.equal(inverse[j * n + i]);
        }
      }
      expect(worst).to.be.below(1e-5);
    });
  }

  it('gives the same bits on one thread and on two', async () => {
    const { threads } = setCompute();
    const [a, b] = [lower(600), lower(600)];
    try {
      setCompute({ threads: 1 });
      await invertSymmetric(a, { n: 600 });
      setCompute({ threads: 2 });
      await invertSymmetric(b, { n: 600 });
    } finally {
      setCompute({ threads });
    }
    expect(
      Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
        Buffer.from(b.buffer, b.byteOffset, b.byteLength),
      ),
    ).to.equal(true);
  });

  it('refuses a matrix that is not positive definite, or of another size, and can be stopped', async () => {
    const a = lower(3);
    a[4] = -1;
    await invertSymmetric(a, { n: 3 }).then(
      () => expect.fail('should not invert'),
      (e) => expect(e).to.be.instanceOf(NumericError),
    );
    await invertSymmetric(a, { n: 2 }).then(
      () => expect.fail('should not invert'),
      (e) => expect(e).to.be.instanceOf(ArgumentError),
    );
    expect(await invertSymmetric(lower(3), { n: 3, turn: async () => true })).to.equal(false);
  });
});
