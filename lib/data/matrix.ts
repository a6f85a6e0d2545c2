import { ArgumentError } from '../errors.js';
import { type Csr, checkCsr, groupBy } from './csr.js';

/** A dense matrix: element (i, j) is data[i · columns + j]. */
export interface DenseMatrix {
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  /** The numbers, row after row. */
  readonly data: Float64Array | Float32Array;
}

/** A sparse matrix by rows, SciPy's `csr_matrix` and its names: what is not listed is 0. In each row the columns ascend. */
export interface CsrMatrix extends Csr {
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  /** The value of each entry of `indices`. */
  readonly data: Float64Array | Float32Array;
}

/** Whether a matrix is sparse. */
export function isSparse(x: object): x is CsrMatrix {
  return 'indptr' in x;
}

/**
 * Checks a sparse matrix that comes from outside.
 * @throws ArgumentError that says what is wrong
 */
export function checkCsrMatrix(x: CsrMatrix): void {
  const [rows, columns] = x.shape;
  if (x.data.length !== x.indices.length) {
    throw new ArgumentError(`A sparse matrix has one value for each of its indices, got ${x.data.length} values and ${x.indices.length} indices.`);
  }
  checkCsr(x, { rows, columns });
}

/** The transposed matrix, by rows again. */
export function transposeCsr(x: CsrMatrix): CsrMatrix {
  const [rows, columns] = x.shape;
  const { indptr, indices: positions } = groupBy(x.indices, columns);
  const rowOf = new Int32Array(x.indices.length);
  for (let r = 0; r < rows; r++) rowOf.fill(r, x.indptr[r], x.indptr[r + 1]);
  const data = new Float64Array(positions.length);
  for (let j = 0; j < positions.length; j++) {
    const position = positions[j];
    data[j] = x.data[position];
    positions[j] = rowOf[position];
  }
  return { shape: [columns, rows], indptr, indices: positions, data };
}
