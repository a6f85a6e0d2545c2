import { atOnce, type Steps } from '../compute/interrupt.js';
import type { Csr, DenseMatrix } from '../data/csr.js';
import { ArgumentError } from '../errors.js';
import { checkCount, checkFlag, given, said } from '../options.js';
import { leadingSingular, type Singular, type SingularOptions } from './lanczos/block-lanczos.js';
import type { Operator } from './lanczos/operator.js';
import {
  columnMoments,
  type Decomposed,
  LinearReduction,
  type MatrixLike,
  REDUCTION_DEFAULTS,
} from './linear-reduction.js';

const DEFAULTS = {
  ...REDUCTION_DEFAULTS,
  /**
   * How many components: a whole number from 1 to the shorter side of the matrix; or a share
   * between 0 and 1, for as few as explain more than that share of the variance. Default: as many
   * as the shorter side, if that is at most 1,024.
   *
   * 1 means one component. If the shorter side is longer than 1,024, a share is looked for among
   * the first 512 components.
   */
  nComponents: undefined as number | undefined,
  /** Whether to divide the coordinates of each component by their standard deviation. */
  whiten: false,
};

/** Options of {@link PCA}. */
export type PCAOptions = Partial<typeof DEFAULTS>;

/** Up to this shorter side, all components are computed if no number is given. */
const MAX_ALL = 1024;
/** Beyond it, a share is looked for among these many components at first … */
const FIRST_SHARED = 64;
/** … and at most. */
const MAX_SHARED = 512;

/**
 * scikit-learn's PCA: the directions along which the rows vary most. The columns are centred, not
 * scaled ({@link StandardScaler} does that); variances are divided by the number of rows − 1. A
 * sparse matrix stays sparse: (X − 1·μᵀ)·v is computed as X·v − 1·(μᵀv).
 *
 * The result is exact to `tol`: by block Lanczos if the shorter side is longer than 256, else by
 * the eigenvectors of the whole covariance. If no column varies, all variances and ratios are 0
 * (scikit-learn has NaN). One row has no variance and is refused.
 * @example
 * const pca = new PCA({ nComponents: 1 });
 * await pca.fit({ shape: [3, 2], data: Float64Array.of(0, 0, 2, 0, 4, 0) });
 * pca.explainedVariance // Float64Array [4]
 */
export class PCA extends LinearReduction {
  protected readonly who: string = 'PCA';
  /** The number or share that was asked for; `components.shape[0]` is the number found. */
  readonly nComponents: number | undefined;
  /** Whether coordinates are divided by their standard deviation. */
  readonly whiten: boolean;

  constructor(options: PCAOptions = {}) {
    const { nComponents, whiten, ...rest } = given(DEFAULTS, options, 'PCA');
    super(rest);
    if (
      nComponents !== undefined &&
      !((Number.isInteger(nComponents) && nComponents >= 1) || (nComponents > 0 && nComponents < 1))
    )
      throw new ArgumentError(
        `nComponents must be a whole number from 1 on, or a share between 0 and 1, got ${said(nComponents)}.`,
      );
    checkFlag(whiten, 'whiten');
    this.nComponents = nComponents;
    this.whiten = whiten;
  }

  /** Mean of each column. */
  get mean(): Float64Array {
    return this.known().mean!;
  }

  /**
   * The mean variance of the directions that were left out, the noise of Tipping and Bishop's
   * probabilistic PCA (1999); 0 if none was.
   */
  get noiseVariance(): number {
    return this.known().noiseVariance;
  }

  /** Finds the components of a matrix, a step at a time. */
  protected *decompose(x: Csr | DenseMatrix): Steps<Decomposed> {
    const [rows, columns] = x.shape;
    if (rows < 2) throw new ArgumentError('PCA needs at least 2 rows: one row has no variance.');
    const shorter = Math.min(rows, columns);
    const { nComponents: wanted = shorter } = this;
    this.checkMost(wanted, x.shape);
    if (this.nComponents === undefined && shorter > MAX_ALL)
      throw new ArgumentError(
        `A matrix of ${rows} × ${columns} has ${shorter} components: say how many, { nComponents: 50 } for instance.`,
      );
    const { mean, variance } = columnMoments(x);
    const total = variance.reduce((sum, v) => sum + v, 0) * (rows / (rows - 1));
    const found = yield* this.leading(x, mean, (a, options) =>
      wanted < 1
        ? explaining(a, {
            share: wanted,
            total: total * (rows - 1),
            first: shorter <= MAX_ALL ? shorter : FIRST_SHARED,
            most: shorter <= MAX_ALL ? shorter : MAX_SHARED,
            ...options,
          })
        : leadingSingular(a, { components: wanted, ...options }),
    );
    const explainedVariance = found.singularValues.map((s) => s ** 2 / (rows - 1));
    const explainedVarianceRatio = explainedVariance.map((v) => (total > 0 ? v / total : 0));
    const left = shorter - explainedVariance.length;
    const rest = total - explainedVariance.reduce((sum, v) => sum + v, 0);
    const noiseVariance = left > 0 ? Math.max(0, rest / left) : 0;
    return { ...found, explainedVariance, explainedVarianceRatio, mean, noiseVariance };
  }

  /** `fitTransform` without a pause, for small matrices. */
  fitTransformNow(x: MatrixLike): DenseMatrix {
    return this.coordinates(atOnce(this.fitting(x)));
  }

  protected override scales(): Float64Array | undefined {
    if (!this.whiten) return undefined;
    return this.known().explainedVariance.map((v) => Math.max(Math.sqrt(v), Number.EPSILON)); // scikit-learn's guard
  }
}

/**
 * As few components as explain more than a share of the total of all squared singular values.
 * Computes the `first` ones, then twice as many, up to `most`.
 */
export function* explaining(
  a: Operator,
  options: Omit<SingularOptions, 'components'> &
    Record<'share' | 'total' | 'first' | 'most', number>,
): Steps<Singular> {
  const { share, total, first, most } = options;
  const all = Math.min(a.rows, a.columns);
  for (let components = first; ; components = Math.min(most, 2 * components)) {
    const found = yield* leadingSingular(a, { ...options, components });
    let sum = 0;
    let count = 0;
    while (count < found.values.length && sum <= share * total) sum += found.values[count++] ** 2;
    if (sum > share * total || count === all) {
      const [right, scores] = [found.right.slice(0, count), found.scores.slice(0, count)];
      const converged = Math.min(count, found.converged);
      return { values: found.values.slice(0, count), right, scores, converged };
    }
    // Later components explain no more than the last one found.
    if (sum + (most - count) * found.values[count - 1] ** 2 <= share * total) {
      const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;
      throw new ArgumentError(
        `The first ${count} components explain ${percent(sum / total)} of the variance, so that ${percent(share)} takes more than ${most}. Ask for a smaller share, or for a number of components.`,
      );
    }
  }
}

/**
 * The first principal components of the rows of a small matrix, at once: fastai's `tensor.pca(k)`.
 * @param values rows × width, row-major
 * @returns coordinates, rows × components, row-major; zeros for components beyond the number of
 *   rows
 * @throws ArgumentError for less than 2 rows, and for more components than columns
 */
export function principalComponents(
  values: Float32Array,
  { width, components }: { width: number; components: number },
): Float64Array {
  checkCount(components, 'The number of components', { most: width });
  const rows = values.length / width;
  const nComponents = Math.min(components, rows);
  const { data } = new PCA({ nComponents }).fitTransformNow({ shape: [rows, width], data: values });
  const out = new Float64Array(rows * components);
  for (let p = 0; p < data.length; p++)
    out[Math.floor(p / nComponents) * components + (p % nComponents)] = data[p];
  return out;
}
