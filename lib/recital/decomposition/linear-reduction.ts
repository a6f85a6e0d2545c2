import { orInterrupted, type Steps, stoppable } from '../compute/interrupt.js';
import { dispose } from '../compute/memory.js';
import { Random } from '../compute/random.js';
import { Csr, type CsrLike, type DenseMatrix } from '../data/csr.js';
import { display } from '../data/output.js';
import { Table } from '../data/table.js';
import { ArgumentError, NumericError } from '../errors.js';
import { checkArgument, checkNumber } from '../options.js';
import { inspected } from '../printed.js';
import type { Singular, SingularOptions } from './lanczos/block-lanczos.js';
import { type Operator, operatorOf } from './lanczos/operator.js';

/** The options that PCA and TruncatedSVD share, and their defaults. */
export const REDUCTION_DEFAULTS = {
  /**
   * Seed of the vectors that the iteration starts from; default 42. The result depends on it in the
   * last bits alone, within the tolerance.
   */
  seed: 42 as number | string,
  /**
   * Largest residual of a component, ‖XᵀX·v − σ²·v‖, as a share of σ²: an upper bound for the
   * relative error of each explained variance, which in fact is about the square of it. Default
   * 1e-7.
   */
  tol: 1e-7,
};

/**
 * Options that PCA and TruncatedSVD share.
 * @example const options: ReductionOptions = { seed: 7, tol: 1e-9 };
 */
export type ReductionOptions = Partial<typeof REDUCTION_DEFAULTS>;

/** The result of `fit`. */
export interface Fitted {
  readonly components: DenseMatrix;
  readonly explainedVariance: Float64Array;
  readonly explainedVarianceRatio: Float64Array;
  readonly singularValues: Float64Array;
  readonly mean: Float64Array | undefined;
  readonly noiseVariance: number;
  readonly nSamples: number;
  readonly names: readonly string[] | undefined;
  readonly converged: number;
}

/** The result of a decomposition; `scores`: the coordinates of the rows, one array a component. */
export type Decomposed = Omit<Fitted, 'names' | 'nSamples'> & { readonly scores: Float64Array[] };

/** Fourth powers of larger numbers, summed over a matrix, may overflow. */
const LARGEST = 1e70;

/** Base class of PCA and TruncatedSVD, with scikit-learn's names in camelCase. */
export abstract class LinearReduction {
  /** What `fit` has found; undefined before. */
  protected fitted: Fitted | undefined;
  /** Seed of the random start of the search for components. */
  protected readonly seed: number | string;
  /** Largest residual of a component, as a share of its variance. */
  protected readonly tol: number;
  /** The class's name, for errors. */
  protected abstract readonly who: string;

  constructor({ seed, tol }: Required<ReductionOptions>) {
    checkNumber(tol, tol > 0 && tol < 1, 'tol must be a number between 0 and 1');
    new Random(seed); // refuses what is no seed
    this.seed = seed;
    this.tol = tol;
  }

  /**
   * Learns the components. Ctrl-C or "interrupt kernel" stops it; it then stays as it was.
   * @param x rows × columns: sparse, dense, or a table of numbers. It is not changed
   * @throws ArgumentError for a shape or a number of components that does not fit; NumericError for
   *   NaN and infinity; InterruptedError if it was stopped
   */
  async fit(x: MatrixLike): Promise<this> {
    (await stoppable(this.fitting(x))).forEach(dispose);
    return this;
  }

  /** `fit`, and the coordinates of each row: rows × components. */
  async fitTransform(x: MatrixLike): Promise<DenseMatrix> {
    return this.coordinates(await stoppable(this.fitting(x)));
  }

  /** Fits in steps; returns the coordinates of the rows, one array a component. */
  protected *fitting(input: MatrixLike): Steps<Float64Array[]> {
    const { who } = this;
    const { x, names } = readInput(input, who);
    const huge = x.data.find((v) => Math.abs(v) > LARGEST);
    if (huge !== undefined)
      throw new NumericError(
        `${who} adds squares up, and that of ${huge} is too large. Divide the matrix by a number, or scale its columns.`,
      );
    const message = `Interrupted before ${who} was fitted.`;
    const { scores, ...found } = yield* orInterrupted(this.decompose(x), message);
    this.fitted = { ...found, names, nSamples: x.shape[0] };
    if (found.converged < scores.length)
      display().warn(
        `${who} has not converged: ${found.converged} of ${scores.length} components are exact.`,
      );
    return scores;
  }

  /** Rows × components, from one array a component, which is given back to the shared memory. */
  protected coordinates(scores: Float64Array[]): DenseMatrix {
    const [rows, k] = [scores[0].length, scores.length];
    const scales = this.scales();
    const data = new Float64Array(rows * k);
    scores.forEach((column, c) => {
      for (let i = 0; i < rows; i++) data[i * k + c] = scales ? column[i] / scales[c] : column[i];
      dispose(column);
    });
    return { shape: [rows, k], data };
  }

  /**
   * The coordinates of each row, rows × components.
   * @throws ArgumentError before `fit`, or for another number of columns; NumericError for NaN and
   *   infinity
   */
  transform(x: MatrixLike): DenseMatrix {
    const { components, mean } = this.known();
    const input = readInput(x, this.who);
    checkColumns(this.who, input, this);
    const byColumn = transposed(components);
    const shift = mean && product({ shape: [1, mean.length], data: mean }, byColumn).data;
    const found = product(input.x, byColumn, shift);
    const scales = this.scales();
    if (scales)
      for (let p = 0; p < found.data.length; p++) found.data[p] /= scales[p % scales.length];
    return found;
  }

  /**
   * The rows that have these coordinates: rows × columns, dense. What lies outside the components
   * is lost.
   * @throws ArgumentError before `fit`, or for another number of coordinates
   */
  inverseTransform(y: DenseMatrix): DenseMatrix {
    const { components, mean } = this.known();
    const { x } = readInput(y, this.who);
    if ('indptr' in x || x.shape[1] !== components.shape[0])
      throw new ArgumentError(
        `${this.who} has ${components.shape[0]} components: dense rows of as many numbers were expected, got ${x.shape[1]}.`,
      );
    const scales = this.scales();
    const data = scales
      ? Float64Array.from(x.data, (v, p) => v * scales[p % scales.length])
      : x.data;
    const rows = product({ shape: x.shape, data }, components);
    if (mean) for (let p = 0; p < rows.data.length; p++) rows.data[p] += mean[p % mean.length];
    return rows;
  }

  /**
   * components × columns: orthonormal rows, by explained variance, each with its entry of largest
   * magnitude positive (scikit-learn's sign rule).
   */
  get components(): DenseMatrix {
    return this.known().components;
  }
  /** The variance of the coordinates along each component. */
  get explainedVariance(): Float64Array {
    return this.known().explainedVariance;
  }
  /** The same as a share of the sum of the columns' variances; zeros if that is 0. */
  get explainedVarianceRatio(): Float64Array {
    return this.known().explainedVarianceRatio;
  }
  /** The singular value of each component: the length of its column of coordinates. */
  get singularValues(): Float64Array {
    return this.known().singularValues;
  }
  /** Number of columns in `fit`. */
  get nFeaturesIn(): number {
    return this.known().components.shape[1];
  }
  /** Names of the columns, if `fit` was given a table. */
  get featureNamesIn(): readonly string[] | undefined {
    return this.known().names;
  }
  /** Number of rows in `fit`. */
  get nSamples(): number {
    return this.known().nSamples;
  }
  /** Number of components that are as exact as `tol` asks. */
  get converged(): number {
    return this.known().converged;
  }

  protected abstract decompose(x: Csr | DenseMatrix): Steps<Decomposed>;

  /**
   * Runs a decomposition on the matrix as an operator, its columns centred if `mean` is given.
   */
  protected *leading(
    x: Csr | DenseMatrix,
    mean: Float64Array | undefined,
    find: (a: Operator, options: Omit<SingularOptions, 'components'>) => Steps<Singular>,
  ): Steps<Pick<Decomposed, 'components' | 'singularValues' | 'converged' | 'scores'>> {
    const a = operatorOf(x, mean);
    try {
      const random = new Random(this.seed).child(this.who);
      const found = yield* find(a, { tol: this.tol, maxIter: 1000, random });
      const { values: singularValues, right, scores, converged } = found;
      return { components: flipSigns(right, scores), singularValues, converged, scores };
    } finally {
      a.dispose();
    }
  }

  /** The divisor of each component's coordinates; undefined for none. */
  protected scales(): Float64Array | undefined {
    return undefined;
  }

  /** Refuses more components than the shorter side of the matrix has. */
  protected checkMost(asked: number, [rows, columns]: readonly [number, number]): void {
    const most = Math.min(rows, columns);
    if (asked > most)
      throw new ArgumentError(
        `A matrix of ${rows} × ${columns} has at most ${most} components, ${asked} were asked for.`,
      );
  }

  /** What `fit` has found; an ArgumentError before it. */
  protected known(): Fitted {
    if (this.fitted) return this.fitted;
    throw new ArgumentError(
      `This ${this.who} instance is not fitted yet. Call 'fit' with a matrix first.`,
    );
  }

  [inspected](): string {
    if (!this.fitted) return `${this.who}, not fitted`;
    const { components, explainedVarianceRatio } = this.fitted;
    const share = explainedVarianceRatio.reduce((a, b) => a + b, 0);
    const n = (x: number): string => x.toLocaleString('en');
    return `${this.who} of ${n(this.nSamples)} × ${n(components.shape[1])}: ${components.shape[0]} components, ${(100 * share).toFixed(2)} % of the variance`;
  }
}

/**
 * Components as one matrix, out of the shared memory, with scikit-learn's signs (the first entry of
 * largest magnitude is positive). Changes the signs of the scores too.
 */
function flipSigns(right: readonly Float64Array[], scores: readonly Float64Array[]): DenseMatrix {
  const columns = right[0].length;
  const data = new Float64Array(right.length * columns);
  right.forEach((row, c) => {
    let at = 0;
    for (let j = 1; j < columns; j++) if (Math.abs(row[j]) > Math.abs(row[at])) at = j;
    const sign = row[at] < 0 ? -1 : 1;
    for (let j = 0; j < columns; j++) data[c * columns + j] = sign * row[j];
    if (sign < 0) for (let i = 0; i < scores[c].length; i++) scores[c][i] = -scores[c][i];
    dispose(row);
  });
  return { shape: [right.length, columns], data };
}

/** A matrix to decompose: sparse, dense, or a table whose columns are all numbers. */
export type MatrixLike = CsrLike | DenseMatrix | Table;

/** A checked matrix and, if it was a table, the names of its columns. */
export interface Input {
  readonly x: Csr | DenseMatrix;
  readonly names: readonly string[] | undefined;
}

/**
 * Checks a user's matrix.
 * @param who names the class in errors, e.g. `PCA`
 * @param options.missing whether NaN is allowed; default false
 * @throws ArgumentError for a shape that does not fit; NumericError for NaN or infinity, with its
 *   place
 */
export function readInput(
  input: MatrixLike,
  who: string,
  { missing = false }: { missing?: boolean } = {},
): Input {
  const names = input instanceof Table ? input.columnNames : undefined;
  const x = input instanceof Table ? fromTable(input) : fromMatrix(input, who);
  const at = x.data.findIndex((v) => !(Number.isFinite(v) || (missing && Number.isNaN(v))));
  if (at < 0) return { x, names };
  const sparse = x instanceof Csr;
  const row = sparse
    ? x.indptr.findIndex((start, r) => start <= at && at < x.indptr[r + 1])
    : Math.floor(at / x.shape[1]);
  const column = sparse ? x.indices[at] : at % x.shape[1];
  const hint = Number.isNaN(x.data[at])
    ? 'Fill in what is missing, or leave the row out.'
    : 'Look for a division by zero, or an overflow.';
  throw new NumericError(
    `${who} does not accept ${x.data[at]}: row ${row}, column ${names ? `"${names[column]}"` : column} (counted from 0). ${hint}`,
  );
}

function fromMatrix(input: CsrLike | DenseMatrix, who: string): Csr | DenseMatrix {
  const data: unknown = input?.data;
  checkArgument(
    Array.isArray(input?.shape) && (data instanceof Float64Array || data instanceof Float32Array),
    input,
    who,
    'a matrix: { shape: [rows, columns], data: Float64Array }, a sparse one with indptr and indices besides, or a Table of numbers',
  );
  const { shape } = input;
  if (shape.length !== 2 || !shape.every((n) => Number.isInteger(n) && n >= 0))
    throw new ArgumentError(
      `A shape is [rows, columns] in whole numbers, got [${shape.join(', ')}].`,
    );
  const [rows, columns] = shape;
  if ('indptr' in input) Csr.check(input);
  else if (input.data.length !== rows * columns)
    throw new ArgumentError(
      `A matrix of ${rows} × ${columns} holds ${rows * columns} numbers, got ${input.data.length}.`,
    );
  if (rows === 0 || columns === 0)
    throw new ArgumentError(
      `${who} needs at least one row and one column, got ${rows} × ${columns}.`,
    );
  return 'indptr' in input && !(input instanceof Csr) ? new Csr(input) : input;
}

function fromTable(table: Table): DenseMatrix {
  const names = table.columnNames;
  if (table.length === 0 || names.length === 0)
    throw new ArgumentError(
      `A table of ${table.length} rows and ${names.length} columns has no numbers.`,
    );
  const data = new Float64Array(table.length * names.length);
  names.forEach((name, j) => {
    const column = table.numbers(name);
    for (let i = 0; i < table.length; i++) data[i * names.length + j] = column[i];
  });
  return { shape: [table.length, names.length], data };
}

/**
 * Throws unless a matrix has the columns that were fitted: as many and, in tables, of the same
 * names in the same order.
 */
export function checkColumns(
  who: string,
  { x, names }: Input,
  fitted: { nFeaturesIn: number; featureNamesIn: readonly string[] | undefined },
): void {
  if (x.shape[1] !== fitted.nFeaturesIn)
    throw new ArgumentError(
      `X has ${x.shape[1]} features, but ${who} is expecting ${fitted.nFeaturesIn} features as input.`,
    );
  const at = names?.findIndex((name, j) => name !== (fitted.featureNamesIn ?? names)[j]) ?? -1;
  if (at < 0) return;
  throw new ArgumentError(
    `The columns must be those that ${who} was fitted to, in the same order: column ${at} (counted from 0) is "${names![at]}", "${fitted.featureNamesIn![at]}" was expected. table.select([…]) puts them in order.`,
  );
}

export type Moments = ReturnType<typeof columnMoments>;

/**
 * Mean, variance (divided by the number of values) and number of values of each column, missing
 * values (NaN) left out; in two passes, so that no digits are lost where the mean is large.
 */
export function columnMoments(x: Csr | DenseMatrix) {
  const [rows, columns] = x.shape;
  const { data } = x;
  const indices = x instanceof Csr ? x.indices : undefined;
  const mean = new Float64Array(columns);
  const variance = new Float64Array(columns);
  const counts = new Float64Array(columns).fill(rows);
  const listed = new Float64Array(columns); // of a sparse matrix: the other values are 0
  for (let p = 0; p < data.length; p++) {
    const c = indices ? indices[p] : p % columns;
    listed[c]++;
    if (Number.isNaN(data[p])) counts[c]--;
    else mean[c] += data[p];
  }
  for (let c = 0; c < columns; c++) mean[c] /= counts[c];
  for (let p = 0; p < data.length; p++) {
    const c = indices ? indices[p] : p % columns;
    if (!Number.isNaN(data[p])) variance[c] += (data[p] - mean[c]) ** 2;
  }
  for (let c = 0; c < columns; c++)
    variance[c] = (variance[c] + (rows - listed[c]) * mean[c] ** 2) / counts[c];
  return { mean, variance, counts };
}

function transposed({ shape: [rows, columns], data }: DenseMatrix): DenseMatrix {
  const out = new Float64Array(rows * columns);
  for (let i = 0, p = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) out[j * rows + i] = data[p++];
  return { shape: [columns, rows], data: out };
}

/** X·W − 1·shiftᵀ for a dense W of columns × k: rows × k. */
function product(x: Csr | DenseMatrix, w: DenseMatrix, shift?: Float64Array) {
  const [rows, columns] = x.shape;
  const { data: weights } = w;
  const k = w.shape[1];
  const data = new Float64Array(rows * k);
  for (let r = 0; r < rows; r++) {
    const row = data.subarray(r * k, (r + 1) * k);
    const start = x instanceof Csr ? x.indptr[r] : r * columns;
    const end = x instanceof Csr ? x.indptr[r + 1] : start + columns;
    for (let p = start; p < end; p++) {
      const value = x.data[p];
      const from = (x instanceof Csr ? x.indices[p] : p - start) * k;
      for (let i = 0; i < k; i++) row[i] += value * weights[from + i];
    }
    if (shift) for (let i = 0; i < k; i++) row[i] -= shift[i];
  }
  return { shape: [rows, k] as [number, number], data };
}
