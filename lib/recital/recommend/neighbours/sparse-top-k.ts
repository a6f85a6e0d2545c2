import { interruptible } from '../../compute/interrupt.js';
import { Csr } from '../../data/csr.js';
import { TopN } from '../rank.js';

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
   * @param k how many
   * @param score makes an entry of a product; default: the product itself
   */
  largest(
    row: { indices: Int32Array; data: ArrayLike<number> },
    k: number,
    score: (product: number, column: number) => number = (product) => product,
  ): { indices: Int32Array; data: Float32Array } {
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
      const value = sums[column] === 0 ? 0 : score(sums[column], column);
      return value > 0 || Number.isNaN(value) ? value : -Infinity;
    });
    for (const column of columns) sums[column] = 0;
    this.count = 0;
    const top = new TopN(Math.max(1, Math.min(k, columns.length))).select(
      scores,
      0,
      scores.length,
      (i) => `The similarity of number ${columns[i]}`,
    );
    const at = new Int32Array(top.count);
    top.copyTo(at, new Float32Array(top.count), 0);
    at.sort();
    return { indices: at.map((i) => columns[i]), data: Float32Array.from(at, (i) => scores[i]) };
  }
}

/**
 * The k largest entries of each row of A·B, those above 0 only; the diagonal is left out.
 * @param options.k how many; `score`: makes an entry of a product, given row and column
 */
export function topProducts(left: Csr, right: Csr, options: TopProductsOptions): Csr {
  return interruptible(() => rowsOfProduct(left, right, options));
}

interface TopProductsOptions {
  k: number;
  score: (product: number, row: number, column: number) => number;
}

function rowsOfProduct(left: Csr, right: Csr, { k, score }: TopProductsOptions): Csr {
  const rows = left.shape[0];
  const products = new RowProducts(right);
  const parts: { indices: Int32Array; data: Float32Array }[] = [];
  const indptr = new Int32Array(rows + 1);
  for (let r = 0; r < rows; r++) {
    const [from, to] = [left.indptr[r], left.indptr[r + 1]];
    const row = { indices: left.indices.subarray(from, to), data: left.data.subarray(from, to) };
    const part = products.largest(row, k, (product, column) =>
      column === r ? 0 : score(product, r, column),
    );
    parts.push(part);
    indptr[r + 1] = indptr[r] + part.indices.length;
  }
  const indices = new Int32Array(indptr[rows]);
  const data = new Float32Array(indptr[rows]);
  parts.forEach((part, r) => {
    indices.set(part.indices, indptr[r]);
    data.set(part.data, indptr[r]);
  });
  return new Csr({ shape: [rows, right.shape[1]], indptr, indices, data });
}
