import { inspect } from 'node:util';
import { InterruptGuard } from '../compute/interrupt.js';
import { dispose } from '../compute/memory.js';
import { Random } from '../compute/random.js';
import { Csr, type CsrLike, type DenseMatrix } from '../data/csr.js';
import { display, sayInterrupted } from '../data/display.js';
import { Table } from '../data/table.js';
import { ArgumentError, InterruptedError, NumericError } from '../errors.js';
import { said } from '../options.js';
import { times, timesRows } from './lanczos/operator.js';

/** Options that PCA and TruncatedSVD share. */
export interface ReductionOptions {
  /**
   * Start of the iteration; default 42. The result does not depend on it beyond the tolerance, but
   * the last bits do.
   */
  seed?: number | string;
  /**
   * Largest residual of a component, ‖XᵀX·v − σ²·v‖, as a share of σ²: a bound for the relative
   * error of each explained variance, which is in fact about its square. Default 1e-7.
   */
  tol?: number;
}

/** What `fit` has found. */
export interface Fitted {
  readonly components: DenseMatrix;
  readonly explainedVariance: Float64Array;
  readonly explainedVarianceRatio: Float64Array;
  readonly singularValues: Float64Array;
  readonly mean: Float64Array | undefined;
  readonly noiseVariance: number;
  readonly nSamples: number;
  readonly names: readonly string[] | undefined;
  /** How many components are as exact as was asked for: all, unless `fit` was stopped. */
  readonly converged: number;
}

/**
 * Larger numbers have fourth powers, summed over a matrix, that are no numbers any more. Much
 * smaller ones than 1 / LARGEST count as 0.
 */
const LARGEST = 1e70;

/** What PCA and TruncatedSVD have in common, with scikit-learn's words in camelCase. */
export abstract class LinearReduction {
  protected fitted: Fitted | undefined;
  protected readonly seed: number | string;
  protected readonly tol: number;
  /** Stands in errors. */
  protected abstract readonly who: string;

  constructor({ seed = 42, tol = 1e-7 }: ReductionOptions) {
    if (!(typeof tol === 'number' && tol > 0 && tol < 1))
      throw new ArgumentError(`tol must be a number between 0 and 1, got ${said(tol)}.`);
    new Random(seed); // refuses what is no seed
    this.seed = seed;
    this.tol = tol;
  }

  /**
   * Learns the components. The event loop gets a turn every 50 ms; Ctrl-C, or "interrupt kernel",
   * stops it: what can be made within a second of what was found stays.
   * @param x rows × columns: sparse, dense, or a table of numbers. It is not changed
   * @throws ArgumentError for a shape or a number of components that does not fit; NumericError for
   *   NaN and infinity
   */
  async fit(x: MatrixLike): Promise<this> {
    await this.run(x, (scores) => scores.forEach(dispose));
    return this;
  }

  /** `fit`, and the coordinates of each row: rows × components. */
  async fitTransform(x: MatrixLike): Promise<DenseMatrix> {
    return this.run(x, (scores) => {
      const k = scores.length;
      const rows = scores[0].length;
      const scales = this.scales();
      const data = new Float64Array(rows * k);
      for (let c = 0; c < k; c++)
        for (let i = 0; i < rows; i++)
          data[i * k + c] = scales ? scores[c][i] / scales[c] : scores[c][i];
      scores.forEach(dispose);
      return { shape: [rows, k], data };
    });
  }

  /**
   * The coordinates of each row, rows × components.
   * @throws ArgumentError before `fit`, or for another number of columns; NumericError for NaN and
   *   infinity
   */
  transform(x: MatrixLike): DenseMatrix {
    const { components, mean } = this.known();
    const { x: input, names } = readInput(x, this.who);
    this.checkColumns(input.shape[1], components.shape[1]);
    checkNames(this.who, names, this.featureNamesIn);
    const k = components.shape[0];
    const shift = mean && timesRows({ shape: [1, mean.length], data: mean }, components);
    const data = timesRows(input, components, shift);
    const scales = this.scales();
    if (scales) for (let p = 0; p < data.length; p++) data[p] /= scales[p % k];
    return { shape: [input.shape[0], k], data };
  }

  /**
   * Rows that have these coordinates: rows × columns, dense. What the components do not hold is
   * lost.
   * @throws ArgumentError before `fit`, or for another number of coordinates
   */
  inverseTransform(y: DenseMatrix): DenseMatrix {
    const { components, mean } = this.known();
    const { x } = readInput(y, this.who);
    if ('indptr' in x || x.shape[1] !== components.shape[0]) {
      throw new ArgumentError(
        `${this.who} has ${components.shape[0]} components: dense rows of as many numbers were expected, got ${x.shape[1]}.`,
      );
    }
    const scales = this.scales();
    const data = scales
      ? Float64Array.from(x.data, (v, p) => v * scales[p % scales.length])
      : x.data;
    const out = times({ shape: x.shape, data }, components);
    if (mean) for (let p = 0; p < out.length; p++) out[p] += mean[p % mean.length];
    return { shape: [x.shape[0], components.shape[1]], data: out };
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
  /** The same as a share of the variance of all columns; zeros if there is none. */
  get explainedVarianceRatio(): Float64Array {
    return this.known().explainedVarianceRatio;
  }
  /** The singular value of each component: the length of its column of coordinates. */
  get singularValues(): Float64Array {
    return this.known().singularValues;
  }
  /** Columns that `fit` has seen. */
  get nFeaturesIn(): number {
    return this.known().components.shape[1];
  }
  /** Their names, if `fit` has seen a table. */
  get featureNamesIn(): readonly string[] | undefined {
    return this.known().names;
  }
  /** Rows that `fit` has seen. */
  get nSamples(): number {
    return this.known().nSamples;
  }
  /** How many components are as exact as `tol` asks: all, unless `fit` was stopped. */
  get converged(): number {
    return this.known().converged;
  }

  protected abstract decompose(
    x: Csr | DenseMatrix,
    options: { random: Random; turn: () => Promise<boolean> },
  ): Promise<Decomposed>;

  /**
   * What coordinates are divided by, one number a component; nothing if they are left as they are.
   */
  protected scales(): Float64Array | undefined {
    return undefined;
  }

  protected known(): Fitted {
    if (!this.fitted)
      throw new ArgumentError(
        `This ${this.who} instance is not fitted yet. Call 'fit' with a matrix first.`,
      );
    return this.fitted;
  }

  private async run<T>(input: MatrixLike, use: (scores: Float64Array[]) => T): Promise<T> {
    const { x, names } = readInput(input, this.who);
    const huge = x.data.find((v) => Math.abs(v) > LARGEST);
    if (huge !== undefined)
      throw new NumericError(
        `${this.who} adds squares up, and that of ${huge} is too large. Divide the matrix by a number, or scale its columns.`,
      );
    const guard = new InterruptGuard();
    try {
      const turn = (): Promise<boolean> => guard.turnIfDue();
      const { scores, ...found } = await this.decompose(x, {
        random: new Random(this.seed).child(this.who),
        turn,
      });
      const k = found.components.shape[0];
      if (k === 0) throw new InterruptedError(`Interrupted before ${this.who} had a component.`);
      this.fitted = { ...found, names, nSamples: x.shape[0] };
      if (guard.interrupted)
        sayInterrupted(
          guard,
          `Interrupted. ${this.who} keeps ${k} components, of which ${found.converged} are exact.`,
        );
      else if (found.converged < k)
        display().warn(
          `${this.who} has not come to an end: ${found.converged} of ${k} components are exact.`,
        );
      return use(scores);
    } finally {
      guard.stop();
    }
  }

  private checkColumns(columns: number, expected: number): void {
    if (columns === expected) return;
    throw new ArgumentError(
      `X has ${columns} features, but ${this.who} is expecting ${expected} features as input.`,
    );
  }

  [inspect.custom](): string {
    if (!this.fitted) return `${this.who}, not fitted`;
    const { components, explainedVarianceRatio } = this.fitted;
    const share = explainedVarianceRatio.reduce((a, b) => a + b, 0);
    const n = (x: number): string => x.toLocaleString('en');
    return `${this.who} of ${n(this.nSamples)} × ${n(components.shape[1])}: ${components.shape[0]} components, ${(100 * share).toFixed(2)} % of the variance`;
  }
}

/**
 * What a decomposition hands back: what is kept, and the coordinates of the rows, one array a
 * component.
 */
export type Decomposed = Omit<Fitted, 'names' | 'nSamples'> & { readonly scores: Float64Array[] };

/**
 * Components as one matrix, out of the shared memory, each (with its scores) turned so that its
 * entry of largest magnitude is positive: the first, if several are equally large.
 */
export function flipSigns(
  right: readonly Float64Array[],
  scores: readonly Float64Array[],
  columns: number,
): DenseMatrix {
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

/**
 * What can be decomposed: a sparse matrix, a dense one, or a table whose columns are all numbers.
 */
export type MatrixLike = CsrLike | DenseMatrix | Table;

/** A checked matrix and, if it was a table, the names of its columns. */
export interface Input {
  readonly x: Csr | DenseMatrix;
  readonly names: readonly string[] | undefined;
}

/**
 * Checks what a user hands over.
 * @param who stands in errors, e.g. `PCA`
 * @param options.missing NaN is let through; default false
 * @throws ArgumentError for a shape that does not fit; NumericError for NaN or infinity, with its
 *   place
 */
export function readInput(
  input: MatrixLike,
  who: string,
  { missing = false }: { missing?: boolean } = {},
): Input {
  if (input instanceof Table) {
    const names = input.columnNames;
    const x = fromTable(input);
    checkFinite(x, { who, names, missing });
    return { x, names };
  }
  if (
    typeof input !== 'object' ||
    input === null ||
    !Array.isArray(input.shape) ||
    !isFloats(input.data)
  ) {
    throw new ArgumentError(
      `${who} needs a matrix: { shape: [rows, columns], data: Float64Array }, a sparse one with indptr and indices besides, or a Table of numbers.`,
    );
  }
  const { shape, data } = input;
  if (shape.length !== 2 || !shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new ArgumentError(
      `A shape is [rows, columns] in whole numbers, got [${shape.join(', ')}].`,
    );
  }
  if ('indptr' in input) Csr.check(input);
  else if (data.length !== shape[0] * shape[1]) {
    throw new ArgumentError(
      `A matrix of ${shape[0]} × ${shape[1]} holds ${shape[0] * shape[1]} numbers, got ${data.length}.`,
    );
  }
  if (shape[0] === 0 || shape[1] === 0)
    throw new ArgumentError(
      `${who} needs at least one row and one column, got ${shape[0]} × ${shape[1]}.`,
    );
  const x = 'indptr' in input && !(input instanceof Csr) ? new Csr(input) : input;
  checkFinite(x, { who, missing });
  return { x, names: undefined };
}

/**
 * Throws where the columns of a table are not those of the table that was fitted, in their order:
 * numbers would be taken for others'.
 */
export function checkNames(
  who: string,
  names: readonly string[] | undefined,
  fitted: readonly string[] | undefined,
): void {
  if (!names || !fitted) return;
  const at = names.findIndex((name, j) => name !== fitted[j]);
  if (at < 0) return;
  throw new ArgumentError(
    `The columns must be those that ${who} was fitted to, in the same order: column ${at} (counted from 0) is "${names[at]}", "${fitted[at]}" was expected. table.select([…]) puts them in order.`,
  );
}

function isFloats(data: unknown): boolean {
  return data instanceof Float64Array || data instanceof Float32Array;
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

function checkFinite(
  x: Csr | DenseMatrix,
  { who, names, missing }: { who: string; names?: readonly string[]; missing: boolean },
): void {
  const at = x.data.findIndex((v) => !(Number.isFinite(v) || (missing && Number.isNaN(v))));
  if (at < 0) return;
  const row =
    x instanceof Csr
      ? x.indptr.findIndex((start, r) => start <= at && at < x.indptr[r + 1])
      : Math.floor(at / x.shape[1]);
  const column = x instanceof Csr ? x.indices[at] : at % x.shape[1];
  const place = `row ${row}, column ${names ? `"${names[column]}"` : column} (counted from 0)`;
  const hint = Number.isNaN(x.data[at])
    ? 'Fill in what is missing, or leave the row out.'
    : 'Look for a division by zero, or an overflow.';
  throw new NumericError(`${who} does not accept ${x.data[at]}: ${place}. ${hint}`);
}
