import { Csr, type CsrLike, type DenseMatrix } from '../data/csr.js';
import { ArgumentError, NumericError } from '../errors.js';
import { checkFlag, given } from '../options.js';
import { inspected } from '../printed.js';
import {
  checkColumns,
  columnMoments,
  type Input,
  type MatrixLike,
  type Moments,
  readInput,
} from './linear-reduction.js';

const DEFAULTS = {
  /** Whether to subtract the mean. A sparse matrix would not stay sparse: it needs false. */
  withMean: true,
  /** Whether to divide by the standard deviation. */
  withStd: true,
};

/** Options of {@link StandardScaler}. */
export type StandardScalerOptions = Partial<typeof DEFAULTS>;

interface FittedScaler extends Moments {
  readonly scale: Float64Array;
  readonly names: readonly string[] | undefined;
}

/**
 * scikit-learn's StandardScaler: z = (x − mean) / scale for each column, where scale is the
 * standard deviation (of the sum of squares divided by the number of values). Before PCA it gives
 * columns of different units (milliseconds, decibels) the same weight.
 *
 * A constant column has scale 1 and becomes 0. Missing values (NaN) are left out of mean and
 * variance and stay missing.
 * @example
 * const scaler = new StandardScaler();
 * scaler.fitTransform({ shape: [2, 1], data: Float64Array.of(1, 3) }).data // Float64Array [-1, 1]
 */
export class StandardScaler {
  private fitted: FittedScaler | undefined;
  /** Whether the mean is subtracted. */
  readonly withMean: boolean;
  /** Whether columns are divided by their standard deviation. */
  readonly withStd: boolean;

  constructor(options: StandardScalerOptions = {}) {
    const { withMean, withStd } = given(DEFAULTS, options, 'StandardScaler');
    checkFlag(withMean, 'withMean');
    checkFlag(withStd, 'withStd');
    this.withMean = withMean;
    this.withStd = withStd;
  }

  /**
   * Learns mean and variance of each column. A column without any value has mean and variance NaN,
   * as in scikit-learn.
   * @throws NumericError for infinity, and for values whose squares are beyond any number;
   *   ArgumentError for a sparse matrix unless `withMean` is false
   */
  fit(input: MatrixLike): this {
    const { x, names } = this.read(input);
    const moments = columnMoments(x);
    const huge = moments.counts.findIndex(
      (n, c) =>
        n > 0 && !(Number.isFinite(moments.mean[c]) && Number.isFinite(moments.variance[c])),
    );
    if (huge >= 0) throw tooLarge(huge, names, 'their squares do not fit into a number');
    const scale = moments.variance.map((v, c) =>
      this.withStd && !isConstant(moments, c) ? Math.sqrt(v) : 1,
    );
    this.fitted = { ...moments, scale, names };
    return this;
  }

  /** The scaled matrix, sparse if it was sparse. */
  transform(input: CsrLike): Csr;
  transform(input: Exclude<MatrixLike, CsrLike>): DenseMatrix;
  transform(input: MatrixLike): DenseMatrix | Csr {
    const { mean, scale } = this.known();
    return this.map(input, (v, c) => (this.withMean ? v - mean[c] : v) / scale[c]);
  }

  /** `fit` and `transform` in one. */
  fitTransform(input: CsrLike): Csr;
  fitTransform(input: Exclude<MatrixLike, CsrLike>): DenseMatrix;
  fitTransform(input: MatrixLike): DenseMatrix | Csr {
    return this.fit(input).transform(input as CsrLike);
  }

  /** Back to the units of the data. */
  inverseTransform(input: CsrLike): Csr;
  inverseTransform(input: Exclude<MatrixLike, CsrLike>): DenseMatrix;
  inverseTransform(input: MatrixLike): DenseMatrix | Csr {
    const { mean, scale } = this.known();
    return this.map(input, (v, c) => v * scale[c] + (this.withMean ? mean[c] : 0));
  }

  /** Mean of each column. */
  get mean(): Float64Array {
    return this.known().mean;
  }
  /** Variance of each column, divided by the number of its values; scikit-learn's `var_`. */
  get var(): Float64Array {
    return this.known().variance;
  }
  /** The divisor of each column: its standard deviation, 1 where a column is constant. */
  get scale(): Float64Array {
    return this.known().scale;
  }
  /** Number of values in each column, without missing ones; scikit-learn's `n_samples_seen_`. */
  get nSamplesSeen(): Float64Array {
    return this.known().counts;
  }
  /** Number of columns in `fit`. */
  get nFeaturesIn(): number {
    return this.known().mean.length;
  }
  /** Names of the columns, if `fit` was given a table. */
  get featureNamesIn(): readonly string[] | undefined {
    return this.known().names;
  }

  private map(
    input: MatrixLike,
    change: (value: number, column: number) => number,
  ): DenseMatrix | Csr {
    const { x, names } = this.read(input);
    checkColumns('StandardScaler', { x, names }, this);
    const columnOf = (p: number): number => (x instanceof Csr ? x.indices[p] : p % x.shape[1]);
    const data = Float64Array.from(x.data, (v, p) => change(v, columnOf(p)));
    const { mean, scale } = this.known();
    const huge = data.findIndex(
      (y, p) =>
        !Number.isFinite(y) &&
        Number.isFinite(x.data[p]) &&
        Number.isFinite(mean[columnOf(p)] + scale[columnOf(p)]),
    );
    if (huge >= 0) throw tooLarge(columnOf(huge), names, `of ${x.data[huge]} comes ${data[huge]}`);
    return x instanceof Csr ? new Csr({ ...x, data }) : { shape: x.shape, data };
  }

  private read(input: MatrixLike): Input {
    const read = readInput(input, 'StandardScaler', { missing: true });
    if (read.x instanceof Csr && this.withMean)
      throw new ArgumentError(
        'Cannot center sparse matrices: pass { withMean: false } instead, or give PCA the matrix as it is, which centres it.',
      );
    return read;
  }

  private known(): FittedScaler {
    if (!this.fitted)
      throw new ArgumentError(
        "This StandardScaler instance is not fitted yet. Call 'fit' with a matrix first.",
      );
    return this.fitted;
  }

  [inspected](): string {
    return this.fitted
      ? `StandardScaler of ${this.nFeaturesIn.toLocaleString('en')} columns`
      : 'StandardScaler, not fitted';
  }
}

function tooLarge(column: number, names: readonly string[] | undefined, why: string): NumericError {
  const which = names ? `"${names[column]}"` : `${column} (counted from 0)`;
  return new NumericError(
    `StandardScaler: the values of column ${which} are too large, ${why}. Divide them by a number first.`,
  );
}

/** scikit-learn's rule: whether the variance may be rounding error, given the size of the mean. */
function isConstant({ mean, variance, counts }: Moments, c: number): boolean {
  const eps = Number.EPSILON;
  return variance[c] <= counts[c] * eps * variance[c] + (counts[c] * mean[c] * eps) ** 2;
}
