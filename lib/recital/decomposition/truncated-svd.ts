import type { Steps } from '../compute/interrupt.js';
import type { Csr, DenseMatrix } from '../data/csr.js';
import { checkCount, given } from '../options.js';
import { leadingSingular } from './lanczos/block-lanczos.js';
import {
  columnMoments,
  type Decomposed,
  LinearReduction,
  REDUCTION_DEFAULTS,
} from './linear-reduction.js';

const DEFAULTS = {
  ...REDUCTION_DEFAULTS,
  /** Number of components: 1 to the shorter side of the matrix. Default 2, scikit-learn's. */
  nComponents: 2,
};

/** Options of {@link TruncatedSVD}. */
export type TruncatedSVDOptions = Partial<typeof DEFAULTS>;

/**
 * scikit-learn's TruncatedSVD, also called latent semantic analysis where rows are documents: the
 * largest singular values of a matrix and their vectors, its columns not centred. Sparse matrices
 * stay sparse. Exact to `tol`, like scikit-learn's `algorithm='arpack'`; scikit-learn's default is
 * an approximation by random projection.
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
  /** Number of components that was asked for. */
  readonly nComponents: number;

  constructor(options: TruncatedSVDOptions = {}) {
    const { nComponents, ...rest } = given(DEFAULTS, options, 'TruncatedSVD');
    super(rest);
    checkCount(nComponents, 'nComponents of TruncatedSVD');
    this.nComponents = nComponents;
  }

  /** Finds the components of a matrix, a step at a time. */
  protected *decompose(x: Csr | DenseMatrix): Steps<Decomposed> {
    const { nComponents: components } = this;
    this.checkMost(components, x.shape);
    const found = yield* this.leading(x, undefined, (a, options) =>
      leadingSingular(a, { components, ...options }),
    );
    const total = columnMoments(x).variance.reduce((sum, v) => sum + v, 0);
    const explainedVariance = Float64Array.from(
      found.scores,
      (data) => columnMoments({ shape: [data.length, 1], data }).variance[0],
    );
    const explainedVarianceRatio = explainedVariance.map((v) => (total > 0 ? v / total : 0));
    const rest = { mean: undefined, noiseVariance: 0 };
    return { ...found, explainedVariance, explainedVarianceRatio, ...rest };
  }
}
