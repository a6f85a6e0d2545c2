import { ArgumentError } from '../errors.js';
import { type Csr, checkCsr } from './csr.js';

/** A dense matrix: element (i, j) is data[i · columns + j]. */
export interface DenseMatrix {
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  /** The numbers, row after row. */
  readonly data: Float64Array | Float32Array;
}

/**
 * A sparse matrix by rows, SciPy's `csr_matrix` and its names: what is not listed is 0. In each row
 * the columns ascend.
 */
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
    throw new ArgumentError(
      `A sparse matrix has one value for each of its indices, got ${x.data.length} values and ${x.indices.length} indices.`,
    );
  }
  checkCsr(x, { rows, columns });
}

/**
 * The transposed matrix, by rows again.
 * @param into where to put it, if not in arrays of its own: as many indices and values as the
 *   matrix has, indptr of columns + 1
 */
export function transposeCsr(
  { shape: [rows, columns], indptr, indices, data }: CsrMatrix,
  into?: Omit<CsrMatrix, 'shape'>,
): CsrMatrix {
  const out = into ?? {
    indptr: new Int32Array(columns + 1),
    indices: new Int32Array(indices.length),
    data: new Float64Array(indices.length),
  };
  const next = new Int32Array(columns + 1);
  for (let j = 0; j < indices.length; j++) next[indices[j] + 1]++;
  for (let c = 0; c < columns; c++) next[c + 1] += next[c];
  out.indptr.set(next);
  for (let r = 0; r < rows; r++) {
    for (let j = indptr[r]; j < indptr[r + 1]; j++) {
      const at = next[indices[j]]++;
      out.indices[at] = r;
      out.data[at] = data[j];
    }
  }
  return { shape: [columns, rows], indptr: out.indptr, indices: out.indices, data: out.data };
}
