import { inspect } from 'node:util';
import { Csr, type CsrLike, type DenseMatrix } from '../data/csr.js';
import { ArgumentError, NumericError } from '../errors.js';
import { checkOptions, said } from '../options.js';
import { checkNames, type MatrixLike, readInput } from './linear-reduction.js';

/** Options of {@link StandardScaler}. */
export interface StandardScalerOptions {
  /** Subtract the mean; default true. A sparse matrix would not stay sparse: it needs false. */
  withMean?: boolean;
  /** Divide by the standard deviation; default true. */
  withStd?: boolean;
}

interface FittedScaler {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  readonly scale: Float64Array;
  readonly counts: Float64Array;
  readonly names: readonly string[] | undefined;
}

/**
 * scikit-learn's StandardScaler: z = (x − mean) / scale for each column, where scale is the
 * standard deviation, divided by the number of values. Before PCA it makes columns of different
 * units (milliseconds, decibels) count alike.
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
    checkOptions(options, ['withMean', 'withStd'], 'StandardScaler');
    const { withMean = true, withStd = true } = options;
    for (const [name, value] of Object.entries({ withMean, withStd })) {
      if (typeof value !== 'boolean')
        throw new ArgumentError(`${name} must be true or false, got ${said(value)}.`);
    }
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
    const { x, names } = readInput(input, 'StandardScaler', { missing: true });
    this.refuseSparse(x);
    const moments = observedMoments(x);
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
  /** What columns are divided by: the standard deviation, 1 where a column is constant. */
  get scale(): Float64Array {
    return this.known().scale;
  }
  /** How many values each column has: rows less missing ones; scikit-learn's `n_samples_seen_`. */
  get nSamplesSeen(): Float64Array {
    return this.known().counts;
  }
  /** Columns that `fit` has seen. */
  get nFeaturesIn(): number {
    return this.known().mean.length;
  }
  /** Their names, if `fit` has seen a table. */
  get featureNamesIn(): readonly string[] | undefined {
    return this.known().names;
  }

  private map(
    input: MatrixLike,
    change: (value: number, column: number) => number,
  ): DenseMatrix | Csr {
    const { x, names } = readInput(input, 'StandardScaler', { missing: true });
    this.refuseSparse(x);
    const columns = x.shape[1];
    if (columns !== this.nFeaturesIn) {
      throw new ArgumentError(
        `X has ${columns} features, but StandardScaler is expecting ${this.nFeaturesIn} features as input.`,
      );
    }
    checkNames('StandardScaler', names, this.featureNamesIn);
    const columnOf = (p: number): number => (x instanceof Csr ? x.indices[p] : p % columns);
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

  private refuseSparse(x: Csr | DenseMatrix): void {
    if (!(x instanceof Csr) || !this.withMean) return;
    throw new ArgumentError(
      'Cannot center sparse matrices: pass { withMean: false } instead, or give PCA the matrix as it is, which centres it.',
    );
  }

  private known(): FittedScaler {
    if (!this.fitted)
      throw new ArgumentError(
        "This StandardScaler instance is not fitted yet. Call 'fit' with a matrix first.",
      );
    return this.fitted;
  }

  [inspect.custom](): string {
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

/** scikit-learn's rule: what of the variance may be rounding, given the size of the mean. */
function isConstant(
  { mean, variance, counts }: Omit<FittedScaler, 'scale' | 'names'>,
  c: number,
): boolean {
  const eps = Number.EPSILON;
  return variance[c] <= counts[c] * eps * variance[c] + (counts[c] * mean[c] * eps) ** 2;
}

/** Mean and variance of the values that there are. */
function observedMoments(x: Csr | DenseMatrix): {
  mean: Float64Array;
  variance: Float64Array;
  counts: Float64Array;
} {
  const [rows, columns] = x.shape;
  const mean = new Float64Array(columns);
  const variance = new Float64Array(columns);
  const counts = new Float64Array(columns).fill(rows);
  const listed = new Float64Array(columns);
  const columnOf = (p: number): number => (x instanceof Csr ? x.indices[p] : p % columns);
  for (let p = 0; p < x.data.length; p++) {
    listed[columnOf(p)]++;
    if (Number.isNaN(x.data[p])) counts[columnOf(p)]--;
    else mean[columnOf(p)] += x.data[p];
  }
  for (let c = 0; c < columns; c++) mean[c] /= counts[c];
  for (let p = 0; p < x.data.length; p++)
    if (!Number.isNaN(x.data[p])) variance[columnOf(p)] += (x.data[p] - mean[columnOf(p)]) ** 2;
  for (let c = 0; c < columns; c++)
    variance[c] = (variance[c] + (rows - listed[c]) * mean[c] ** 2) / counts[c];
  return { mean, variance, counts };
}
