import { dispose, float64 } from '../../compute/memory.js';
import { BLOCK, denseBlock, denseTransposeBlock, sparseBlock } from '../../compute/sparse.js';
import { Csr, type DenseMatrix } from '../../data/csr.js';

const B = BLOCK; // an import is read through `exports` at each access

/**
 * A linear operator: a matrix A known only by its products with blocks of eight vectors, which lie
 * on the shared memory, n × 8, row-major.
 */
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

/** The transposed operator, on the same memory. */
export function transposed(a: Operator): Operator {
  return {
    rows: a.columns,
    columns: a.rows,
    times: a.transposeTimes,
    transposeTimes: a.times,
    dispose: a.dispose,
  };
}

/**
 * A matrix as an operator, its columns centred if their means are given. A sparse matrix stays
 * sparse: (A − 1·μᵀ)·X = A·X − 1·(μᵀX).
 * @param means one number a column
 */
export function operatorOf(x: Csr | DenseMatrix, means?: Float64Array): Operator {
  return x instanceof Csr ? sparseOperator(x, means) : denseOperator(x, means);
}

function sparseOperator(x: Csr, means?: Float64Array): Operator {
  const [rows, columns] = x.shape;
  const byRow = x.toShared(Float64Array);
  const byColumn = x.transpose(Csr.onShared([columns, rows], x.data.length, Float64Array));
  const onShared = means && float64(columns);
  onShared?.set(means!);
  const centre = onShared && { means: onShared, ones: float64(rows).fill(1), sums: float64(B) };
  const less = (left: 'ones' | 'means', weights: 'ones' | 'means', x: Float64Array) =>
    centre && { left: centre[left], right: weightedSums(centre[weights], x, centre.sums) };
  return {
    rows,
    columns,
    times: (x, out) => sparseBlock(byRow, x, out, less('ones', 'means', x)),
    transposeTimes: (y, out) => sparseBlock(byColumn, y, out, less('means', 'ones', y)),
    dispose() {
      byRow.dispose();
      byColumn.dispose();
      if (centre) for (const array of Object.values(centre)) dispose(array);
    },
  };
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
function denseOperator({ shape, data }: DenseMatrix, means?: Float64Array): Operator {
  const [rows, columns] = shape;
  const values = float64(rows * columns);
  values.set(data);
  if (means)
    for (let i = 0, p = 0; i < rows; i++) for (let j = 0; j < columns; j++) values[p++] -= means[j];
  const a = { values, rows, columns, stride: columns };
  return {
    rows,
    columns,
    times: (x, out) => denseBlock(a, x, out),
    transposeTimes: (y, out) => denseTransposeBlock(a, y, out),
    dispose: () => dispose(values),
  };
}
