import { interruptible } from '../../compute/interrupt.js';
import { Csr } from '../../data/csr.js';
import { TopN } from '../rank.js';

/** Some entries of a row. */
export interface Entries {
  readonly indices: Int32Array;
  readonly data: Float32Array | Float64Array;
}

export function rowOf({ indptr, indices, data }: Csr, row: number): Entries {
  const [from, to] = [indptr[row], indptr[row + 1]];
  return { indices: indices.subarray(from, to), data: data.subarray(from, to) };
}

/**
 * Stands for a sum that has cancelled to 0, to tell it from a column that nothing was added to: it
 * changes no later sum, and is not above 0.
 */
const CANCELLED = -Number.MIN_VALUE;

/** A product of two sparse matrices, row by row. */
export class RowProducts {
  private readonly sums: Float64Array;
  private readonly touched: Int32Array;
  private count = 0;

  /** @param right the second matrix */
  constructor(private readonly right: Csr) {
    this.sums = new Float64Array(right.shape[1]);
    this.touched = new Int32Array(right.shape[1]);
  }

  /**
   * The k largest entries of a row of the product, those above 0 only, by column, ascending.
   * @param row a row of the first matrix
   * @param score makes an entry of a product
   */
  largest(row: Entries, k: number, score: (product: number, column: number) => number): Entries {
    const { right, sums } = this;
    for (let i = 0; i < row.indices.length; i++) {
      const v = row.data[i];
      const c = row.indices[i];
      for (let j = right.indptr[c]; j < right.indptr[c + 1]; j++) {
        const column = right.indices[j];
        const before = sums[column];
        const after = before + v * right.data[j];
        if (before === 0) this.touched[this.count++] = column;
        sums[column] = after === 0 ? CANCELLED : after;
      }
    }
    // Equal entries go by column, so that the result does not depend on the order of touching.
    const columns = this.touched.slice(0, this.count).sort();
    const scores = Float32Array.from(columns, (column) => {
      const value = score(sums[column], column);
      return value > 0 || Number.isNaN(value) ? value : -Infinity;
    });
    for (const column of columns) sums[column] = 0;
    this.count = 0;
    const top = new TopN(Math.max(1, Math.min(k, columns.length)));
    top.select(scores, 0, scores.length, (i) => `The similarity of number ${columns[i]}`);
    const at = new Int32Array(top.count);
    top.copyTo(at, new Float32Array(top.count), 0);
    at.sort();
    return { indices: at.map((i) => columns[i]), data: Float32Array.from(at, (i) => scores[i]) };
  }
}

/**
 * The k largest entries of each row of A·B, those above 0 only; the diagonal is left out.
 * @param options.score makes an entry of a product, given row and column
 */
export function topProducts(
  left: Csr,
  right: Csr,
  options: { k: number; score: (product: number, row: number, column: number) => number },
): Csr {
  const { k, score } = options;
  return interruptible(() => {
    const rows = left.shape[0];
    const products = new RowProducts(right);
    const indptr = new Int32Array(rows + 1);
    const parts = Array.from({ length: rows }, (_, r) => {
      const part = products.largest(rowOf(left, r), k, (product, column) =>
        column === r ? 0 : score(product, r, column),
      );
      indptr[r + 1] = indptr[r] + part.indices.length;
      return part;
    });
    const indices = new Int32Array(indptr[rows]);
    const data = new Float32Array(indptr[rows]);
    parts.forEach((part, r) => {
      indices.set(part.indices, indptr[r]);
      data.set(part.data, indptr[r]);
    });
    return new Csr({ shape: [rows, right.shape[1]], indptr, indices, data });
  });
}
