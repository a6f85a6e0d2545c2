import { Csr, type DenseMatrix } from '../../data/csr.js';

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
