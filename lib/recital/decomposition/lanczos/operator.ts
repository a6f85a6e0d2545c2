import { BLOCK, denseBlock, denseTransposeBlock, sparseBlock } from '../../compute/block.js';
import { dispose, float64 } from '../../compute/memory.js';
import { Csr, type DenseMatrix } from '../../data/csr.js';

/** A name of this file's own: one of another is looked up anew each time, which loops feel. */
const B = BLOCK;

/** A matrix that can multiply blocks (rows × 8 on the shared memory), and so can its transpose. */
export interface Operator {
  readonly rows: number;
  readonly columns: number;
  /** out = A·X for X of columns × 8. */
  times(x: Float64Array, out: Float64Array): void;
  /** out = Aᵀ·Y for Y of rows × 8. */
  transposeTimes(y: Float64Array, out: Float64Array): void;
  /** Gives its memory back. */
  dispose(): void;
}

/** The same matrix transposed: it shares the memory. */
export function transposed(a: Operator): Operator {
  return {
    rows: a.columns,
    columns: a.rows,
    times: (x, out) => a.transposeTimes(x, out),
    transposeTimes: (y, out) => a.times(y, out),
    dispose: () => a.dispose(),
  };
}

/**
 * A matrix as an operator, less its column means if they are given. Of a sparse matrix only the
 * entries are kept: (A − 1·μᵀ)·X = A·X − 1·(μᵀX).
 * @param means one number a column
 */
export function operatorOf(x: Csr | DenseMatrix, means?: Float64Array): Operator {
  return x instanceof Csr ? new SparseOperator(x, means) : new DenseOperator(x, means);
}

class SparseOperator implements Operator {
  readonly rows: number;
  readonly columns: number;
  private readonly byRow: Csr<Float64Array>;
  private readonly byColumn: Csr<Float64Array>;
  private readonly centre:
    | { means: Float64Array; ones: Float64Array; sums: Float64Array }
    | undefined;

  constructor(x: Csr, means?: Float64Array) {
    [this.rows, this.columns] = x.shape;
    this.byRow = x.toShared(Float64Array);
    this.byColumn = x.transpose(
      Csr.onShared([this.columns, this.rows], x.data.length, Float64Array),
    );
    if (means) {
      const copy = float64(this.columns);
      copy.set(means);
      this.centre = { means: copy, ones: float64(this.rows).fill(1), sums: float64(B) };
    }
  }

  times(x: Float64Array, out: Float64Array): void {
    sparseBlock(
      this.byRow,
      x,
      out,
      this.centre && {
        left: this.centre.ones,
        right: weightedSums(this.centre.means, x, this.centre.sums),
      },
    );
  }

  transposeTimes(y: Float64Array, out: Float64Array): void {
    sparseBlock(
      this.byColumn,
      y,
      out,
      this.centre && {
        left: this.centre.means,
        right: weightedSums(this.centre.ones, y, this.centre.sums),
      },
    );
  }

  dispose(): void {
    this.byRow.dispose();
    this.byColumn.dispose();
    if (this.centre) for (const array of Object.values(this.centre)) dispose(array);
  }
}

/** sums = Xᵀ·weights for a block X. */
function weightedSums(weights: Float64Array, x: Float64Array, sums: Float64Array): Float64Array {
  sums.fill(0);
  for (let i = 0, p = 0; i < weights.length; i++) {
    const w = weights[i];
    for (let c = 0; c < B; c++) sums[c] += w * x[p++];
  }
  return sums;
}

/** A dense matrix, copied and centred. */
class DenseOperator implements Operator {
  readonly rows: number;
  readonly columns: number;
  private readonly values: Float64Array;

  constructor(x: DenseMatrix, means?: Float64Array) {
    [this.rows, this.columns] = x.shape;
    this.values = float64(this.rows * this.columns);
    this.values.set(x.data);
    if (means)
      for (let i = 0, p = 0; i < this.rows; i++)
        for (let j = 0; j < this.columns; j++) this.values[p++] -= means[j];
  }

  times(x: Float64Array, out: Float64Array): void {
    denseBlock(
      { values: this.values, rows: this.rows, columns: this.columns, stride: this.columns },
      x,
      out,
    );
  }

  transposeTimes(y: Float64Array, out: Float64Array): void {
    denseTransposeBlock(
      { values: this.values, rows: this.rows, columns: this.columns, stride: this.columns },
      y,
      out,
    );
  }

  dispose(): void {
    dispose(this.values);
  }
}

/** What `columnMoments` finds for each column. */
export interface Moments {
  readonly mean: Float64Array;
  /** Divided by the number of rows. */
  readonly variance: Float64Array;
}

/**
 * Mean and variance of each column, in two passes: of (x − mean)², so that nothing is lost where
 * the mean is large. What a sparse matrix leaves out is 0.
 */
export function columnMoments(x: Csr | DenseMatrix): Moments {
  const [rows, columns] = x.shape;
  const mean = new Float64Array(columns);
  const variance = new Float64Array(columns);
  if (x instanceof Csr) {
    const count = new Float64Array(columns);
    for (let j = 0; j < x.data.length; j++) {
      mean[x.indices[j]] += x.data[j];
      count[x.indices[j]]++;
    }
    for (let c = 0; c < columns; c++) mean[c] /= rows;
    for (let j = 0; j < x.data.length; j++)
      variance[x.indices[j]] += (x.data[j] - mean[x.indices[j]]) ** 2;
    for (let c = 0; c < columns; c++)
      variance[c] = (variance[c] + (rows - count[c]) * mean[c] ** 2) / rows;
    return { mean, variance };
  }
  for (let i = 0, p = 0; i < rows; i++) for (let c = 0; c < columns; c++) mean[c] += x.data[p++];
  for (let c = 0; c < columns; c++) mean[c] /= rows;
  for (let i = 0, p = 0; i < rows; i++)
    for (let c = 0; c < columns; c++) variance[c] += (x.data[p++] - mean[c]) ** 2;
  for (let c = 0; c < columns; c++) variance[c] /= rows;
  return { mean, variance };
}

/** X·Vᵀ − 1·shiftᵀ for V of k × columns, as rows × k. */
export function timesRows(
  x: Csr | DenseMatrix,
  v: DenseMatrix,
  shift?: Float64Array,
): Float64Array {
  const [rows, columns] = x.shape;
  const k = v.shape[0];
  const out = new Float64Array(rows * k);
  const byColumn = new Float64Array(columns * k); // V transposed: the k numbers of a column lie together
  for (let i = 0, p = 0; i < k; i++)
    for (let j = 0; j < columns; j++) byColumn[j * k + i] = v.data[p++];
  for (let r = 0; r < rows; r++) {
    const row = out.subarray(r * k, (r + 1) * k);
    const start = x instanceof Csr ? x.indptr[r] : r * columns;
    const end = x instanceof Csr ? x.indptr[r + 1] : start + columns;
    for (let p = start; p < end; p++) {
      const value = x.data[p];
      const from = (x instanceof Csr ? x.indices[p] : p - start) * k;
      for (let i = 0; i < k; i++) row[i] += value * byColumn[from + i];
    }
    if (shift) for (let i = 0; i < k; i++) row[i] -= shift[i];
  }
  return out;
}

/** Y·V for Y of rows × k and V of k × columns. */
export function times(y: DenseMatrix, v: DenseMatrix): Float64Array {
  const [rows, k] = y.shape;
  const columns = v.shape[1];
  const out = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const row = out.subarray(r * columns, (r + 1) * columns);
    for (let i = 0; i < k; i++) {
      const value = y.data[r * k + i];
      for (let j = 0, p = i * columns; j < columns; j++, p++) row[j] += value * v.data[p];
    }
  }
  return out;
}
