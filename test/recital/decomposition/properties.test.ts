import { expect } from 'chai';
import fc from 'fast-check';
import { PCA as MlPca } from 'ml-pca';
import { atOnce } from '../../../lib/recital/compute/interrupt.js';
import { memoryUsage } from '../../../lib/recital/compute/memory.js';
import { Random } from '../../../lib/recital/compute/random.js';
import { setCompute } from '../../../lib/recital/compute/threads.js';
import type { DenseMatrix } from '../../../lib/recital/data/csr.js';
import {
  leadingSingular,
  type Singular,
} from '../../../lib/recital/decomposition/lanczos/block-lanczos.js';
import { operatorOf } from '../../../lib/recital/decomposition/lanczos/operator.js';
import { PCA } from '../../../lib/recital/decomposition/pca.js';
import { TruncatedSVD } from '../../../lib/recital/decomposition/truncated-svd.js';
import { InterruptedError } from '../../../lib/recital/errors.js';
import { close, dense, randomSparse, refusal, rowsOf, toSparse } from './support.js';

/**
 * Matrices of 2 to 12 rows and 1 to 12 columns with zeros, equal rows, and numbers of very
 * different size.
 */
const matrix = fc
  .tuple(
    fc.integer({ min: 2, max: 12 }),
    fc.integer({ min: 1, max: 12 }),
    fc.constantFrom(1e-6, 1, 1e6),
  )
  .chain(([rows, columns, scale]) =>
    fc
      .array(
        fc.oneof(
          fc.constant(0),
          fc.integer({ min: -9, max: 9 }),
          fc.double({ min: -3, max: 3, noNaN: true }),
        ),
        {
          minLength: rows * columns,
          maxLength: rows * columns,
        },
      )
      .map(
        (data): DenseMatrix => ({
          shape: [rows, columns],
          data: Float64Array.from(data, (v) => (Math.abs(v) < 1e-9 ? 0 : v * scale)),
        }),
      ),
  );

/** Components times their transpose: the identity. */
function checkOrthonormal({ shape: [k, columns], data }: DenseMatrix): void {
  for (let a = 0; a < k; a++) {
    for (let b = 0; b <= a; b++) {
      let dot = 0;
      for (let j = 0; j < columns; j++) dot += data[a * columns + j] * data[b * columns + j];
      expect(dot, `components ${a} and ${b}`).to.be.closeTo(a === b ? 1 : 0, 1e-11);
    }
  }
}

const largest = (x: DenseMatrix): number =>
  Array.from(x.data).reduce((m, v) => Math.max(m, Math.abs(v)), 1e-300);

function same(a: DenseMatrix, b: DenseMatrix, scale: number, tolerance = 1e-11): void {
  expect(a.shape).to.deep.equal(b.shape);
  a.data.forEach((v, i) => {
    expect(Math.abs(v - b.data[i])).to.be.at.most(tolerance * scale);
  });
}

describe('decompositions, whatever the matrix', () => {
  for (const kind of ['dense', 'sparse'] as const) {
    it(`of a ${kind} matrix have orthonormal components that give everything back at full rank`, () =>
      fc.assert(
        fc.asyncProperty(matrix, async (x) => {
          const input = kind === 'dense' ? x : toSparse(x);
          for (const model of [
            new PCA(),
            new TruncatedSVD({ nComponents: Math.min(...x.shape) }),
          ]) {
            const scores = await model.fitTransform(input);
            checkOrthonormal(model.components);
            same(model.inverseTransform(scores), x, largest(x));
            same(model.transform(input), scores, largest(x));
            for (let c = 1; c < model.singularValues.length; c++)
              expect(model.singularValues[c]).to.be.at.most(model.singularValues[c - 1]);
          }
        }),
        { numRuns: 60 },
      ));
  }

  it('find the same variances dense and sparse, and all of the variance together', () =>
    fc.assert(
      fc.asyncProperty(matrix, async (x) => {
        const [a, b] = [await new PCA().fit(x), await new PCA().fit(toSparse(x))];
        const scale = a.explainedVariance[0];
        a.explainedVariance.forEach((v, i) => {
          expect(Math.abs(v - b.explainedVariance[i])).to.be.at.most(1e-11 * scale);
        });
        const sum = a.explainedVarianceRatio.reduce((s, v) => s + v, 0);
        expect(sum).to.be.closeTo(scale > 0 ? 1 : 0, 1e-11);
      }),
      { numRuns: 60 },
    ));

  it('agree with ml-pca', () =>
    fc.assert(
      fc.asyncProperty(matrix, async (x) => {
        const ours = await new PCA().fit(x);
        const theirs = new MlPca(rowsOf(x), { method: 'SVD' }).getEigenvalues();
        ours.explainedVariance.forEach((v, i) => {
          expect(Math.abs(v - (theirs[i] ?? 0))).to.be.at.most(1e-10 * ours.explainedVariance[0]);
        });
      }),
      { numRuns: 60 },
    ));
});

describe('decompositions by iteration', () => {
  const x = randomSparse(420, 300, 0.05);
  const inForce = setCompute();
  afterEach(() => setCompute(inForce));

  it('have orthonormal components, and scores that are what transform finds', async () => {
    for (const model of [new PCA({ nComponents: 10 }), new TruncatedSVD({ nComponents: 10 })]) {
      const scores = await model.fitTransform(x);
      checkOrthonormal(model.components);
      same(model.transform(x), scores, largest(scores), 1e-7);
      close(
        model.singularValues,
        Array.from({ length: 10 }, (_, c) =>
          Math.hypot(...Array.from({ length: 420 }, (_, r) => scores.data[r * 10 + c])),
        ),
      );
    }
  });

  it('have the same bytes for the same seed on any number of threads', async () => {
    const found: Float64Array[] = [];
    for (const threads of [1, 2, 3]) {
      setCompute({ threads });
      found.push(
        (await new PCA({ nComponents: 10, seed: 3 }).fit(x)).components.data as Float64Array,
      );
    }
    expect(found[1]).to.deep.equal(found[0]);
    expect(found[2]).to.deep.equal(found[0]);
    const other = await new PCA({ nComponents: 10, seed: 4 }).fit(x);
    expect(other.components.data).not.to.deep.equal(found[0]);
    close(other.components.data, Array.from(found[0]), 1e-6);
  });

  it('find the same when the basis is so small that it is begun anew again and again', async () => {
    const flat = randomSparse(420, 300, 0.05, { fade: false });
    const a = operatorOf(flat);
    const find = (capacity: number): Singular =>
      atOnce(
        leadingSingular(a, {
          components: 10,
          tol: 1e-9,
          maxIter: 1000,
          capacity,
          random: new Random(1),
        }),
      );
    const [small, large] = [find(48), find(288)];
    expect([small.converged, large.converged]).to.deep.equal([10, 10]);
    close(small.values, Array.from(large.values), 1e-13);
    a.dispose();
  });

  it('find singular values that occur many times, and zeros', async () => {
    // Twenty times 3, twenty times 1, and nothing else: every Krylov space of it is small.
    const rows = Array.from({ length: 300 }, (_, r) =>
      Array.from({ length: 280 }, (_, c) => (r === c && r < 40 ? (r < 20 ? 3 : 1) : 0)),
    );
    const svd = await new TruncatedSVD({ nComponents: 44 }).fit(toSparse(dense(rows)));
    close(svd.singularValues, [...new Array(20).fill(3), ...new Array(20).fill(1), 0, 0, 0, 0]);
    checkOrthonormal(svd.components);
  });

  it('stop at SIGINT, and stay as they were', async () => {
    const small = randomSparse(30, 20, 0.3);
    const pca = await new PCA({ nComponents: 20, tol: 1e-15 }).fit(small); // an iteration does not reach that
    const before = pca.components;
    const { used } = memoryUsage();
    const fit = pca.fit(randomSparse(1200, 1100, 0.02, { fade: false }));
    const send = (): void => {
      if (process.listenerCount('SIGINT') > 0) process.emit('SIGINT');
      else setImmediate(send);
    };
    send();
    expect(await refusal(() => fit, InterruptedError)).to.equal(
      'Interrupted before PCA was fitted.',
    );
    expect(process.listenerCount('SIGINT')).to.equal(0);
    expect(pca.components).to.equal(before);
    expect(memoryUsage().used).to.be.at.most(used);
  });
});
