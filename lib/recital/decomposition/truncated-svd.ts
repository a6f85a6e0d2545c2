import type { Random } from '../compute/random.js';
import type { Csr, DenseMatrix } from '../data/csr.js';
import { ArgumentError } from '../errors.js';
import { checkOptions, said } from '../options.js';
import { columnMoments, operatorOf } from './lanczos/operator.js';
import { leadingSingular } from './lanczos/singular.js';
import {
  type Decomposed,
  flipSigns,
  LinearReduction,
  type ReductionOptions,
} from './linear-reduction.js';

/** Options of {@link TruncatedSVD}. */
export interface TruncatedSVDOptions extends ReductionOptions {
  /**
   * How many components: a whole number from 1 to the shorter side of the matrix. Default 2,
   * scikit-learn's.
   */
  nComponents?: number;
}

/**
 * scikit-learn's TruncatedSVD, known as latent semantic analysis where rows are documents: the
 * largest singular values of a matrix and their vectors, its columns not centred. Made for sparse
 * matrices, which stay sparse; exact to `tol` (scikit-learn's `algorithm='arpack'`), where its
 * default is an approximation by random projection.
 *
 * `explainedVariance` is the variance of the coordinates, divided by the number of rows, and the
 * ratio is its share of the sum of the columns' variances.
 * @example
 * const svd = new TruncatedSVD({ nComponents: 1 });
 * await svd.fit({ shape: [2, 2], data: Float64Array.of(3, 0, 0, 1) });
 * svd.singularValues // Float64Array [3]
 */
export class TruncatedSVD extends LinearReduction {
  protected readonly who: string = 'TruncatedSVD';
  /** How many components were asked for. */
  readonly nComponents: number;

  constructor(options: TruncatedSVDOptions = {}) {
    checkOptions(options, ['nComponents', 'seed', 'tol'], 'TruncatedSVD');
    const { nComponents = 2, ...rest } = options;
    super(rest);
    if (!(Number.isInteger(nComponents) && nComponents >= 1)) {
      throw new ArgumentError(
        `nComponents of TruncatedSVD must be a whole number from 1 on, got ${said(nComponents)}.`,
      );
    }
    this.nComponents = nComponents;
  }

  protected async decompose(
    x: Csr | DenseMatrix,
    { random, turn }: { random: Random; turn: () => Promise<boolean> },
  ): Promise<Decomposed> {
    const [rows, columns] = x.shape;
    const most = Math.min(rows, columns);
    if (this.nComponents > most) {
      throw new ArgumentError(
        `A matrix of ${rows} × ${columns} has at most ${most} components, ${this.nComponents} were asked for.`,
      );
    }
    const a = operatorOf(x);
    try {
      const { values, right, scores, converged } = await leadingSingular(a, {
        components: this.nComponents,
        tol: this.tol,
        maxIter: 1000,
        random,
        turn,
      });
      const total = columnMoments(x).variance.reduce((sum, v) => sum + v, 0);
      const components = flipSigns(right, scores, columns);
      const explainedVariance = Float64Array.from(scores, variance);
      const explainedVarianceRatio = explainedVariance.map((v) => (total > 0 ? v / total : 0));
      return {
        components,
        explainedVariance,
        explainedVarianceRatio,
        singularValues: values,
        mean: undefined,
        noiseVariance: 0,
        converged,
        scores,
      };
    } finally {
      a.dispose();
    }
  }
}

/** Divided by the number of values. */
function variance(values: Float64Array): number {
  let mean = 0;
  for (const v of values) mean += v;
  mean /= values.length;
  let sum = 0;
  for (const v of values) sum += (v - mean) ** 2;
  return sum / values.length;
}
