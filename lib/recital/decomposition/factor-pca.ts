import { ArgumentError, NumericError } from '../errors.js';
import { checkArgument, checkOptions, isNumbers, said } from '../options.js';
import { tridiagonalEigen } from './lanczos/tridiagonal-eigen.js';

/** What factorPca returns; everything in float64. */
export interface FactorPca {
  /** rows × components, row-major: the coordinates of each row. */
  readonly coordinates: Float64Array;
  /**
   * components × width, row-major: unit vectors, each with its entry of largest magnitude positive.
   */
  readonly components: Float64Array;
  /** Variance along each component (divided by rows − 1, as scikit-learn does). */
  readonly explainedVariance: Float64Array;
  /** The same as a share of the whole variance; zeros if there is none. */
  readonly explainedVarianceRatio: Float64Array;
}

/**
 * Principal components of the rows of a small dense matrix, fastai's `tensor.pca(k)`: centre the
 * columns, take the eigenvectors of their covariance, and return the centred rows projected on the
 * first ones. Made for embeddings (a few hundred columns at most).
 *
 * Sign rule, where fastai has none: each component's entry of largest magnitude is positive (the
 * first of them, if several are equally large), so that a picture is the same on every machine.
 * @param values rows × width, row-major
 * @param options.width columns; `components`: how many to keep (default 2, at most `width`)
 * @example factorPca(Float32Array.of(1, 0, -1, 0), { width: 2, components: 1 }).coordinates // Float64Array [1, -1]
 */
export function factorPca(
  values: ArrayLike<number>,
  options: { width: number; components?: number },
): FactorPca {
  checkArgument(
    isNumbers(values),
    values,
    'factorPca',
    'the numbers of vectors of one length, one after the other, such as recommender.trackVectors().values',
  );
  checkOptions(options, ['width', 'components'], 'factorPca');
  const { width, components = 2 } = options;
  if (!(Number.isInteger(width) && width >= 1))
    throw new ArgumentError(`width must be a positive whole number, got ${said(width)}.`);
  const rows = values.length / width;
  if (!Number.isInteger(rows))
    throw new ArgumentError(`${values.length} values do not make rows of ${width}.`);
  if (rows < 2)
    throw new ArgumentError(`Principal components need at least 2 rows, got ${said(rows)}.`);
  if (!(Number.isInteger(components) && components >= 1 && components <= width)) {
    throw new ArgumentError(
      `components must be a whole number from 1 to ${width} (the width of a row), got ${said(components)}.`,
    );
  }
  const x = centred(values, rows, width);
  const { values: variances, vectors } = tridiagonalEigen(covariance(x, rows, width), width);
  let total = 0;
  for (let i = 0; i < width; i++) total += Math.max(0, variances[i]);
  const kept = vectors.slice(0, components * width);
  for (let c = 0; c < components; c++) fixSign(kept.subarray(c * width, (c + 1) * width));
  const coordinates = new Float64Array(rows * components);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < components; c++) {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += x[r * width + j] * kept[c * width + j];
      coordinates[r * components + c] = sum;
    }
  }
  const explainedVariance = Float64Array.from({ length: components }, (_, c) =>
    Math.max(0, variances[c]),
  );
  return {
    coordinates,
    components: kept,
    explainedVariance,
    explainedVarianceRatio: explainedVariance.map((e) => (total > 0 ? e / total : 0)),
  };
}

function centred(values: ArrayLike<number>, rows: number, width: number): Float64Array {
  const x = Float64Array.from(values);
  for (let j = 0; j < width; j++) {
    let mean = 0;
    for (let r = 0; r < rows; r++) mean += x[r * width + j];
    mean /= rows;
    if (!Number.isFinite(mean))
      throw new NumericError(
        `Column ${j} holds a value that is not finite; principal components do not exist.`,
      );
    for (let r = 0; r < rows; r++) x[r * width + j] -= mean;
  }
  return x;
}

/** Lower triangle of XᵀX/(rows − 1). */
function covariance(x: Float64Array, rows: number, width: number): Float64Array {
  const c = new Float64Array(width * width);
  for (let r = 0; r < rows; r++) {
    const row = r * width;
    for (let i = 0; i < width; i++) {
      const xi = x[row + i];
      for (let j = 0; j <= i; j++) c[i * width + j] += xi * x[row + j];
    }
  }
  for (let i = 0; i < c.length; i++) c[i] /= rows - 1;
  return c;
}

function fixSign(component: Float64Array): void {
  let at = 0;
  for (let j = 1; j < component.length; j++)
    if (Math.abs(component[j]) > Math.abs(component[at])) at = j;
  if (component[at] < 0) for (let j = 0; j < component.length; j++) component[j] = -component[j];
}
