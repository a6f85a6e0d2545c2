import { dispose, float32, int32 } from './memory.js';
import { parallel } from './threads.js';

/** The parts of a sparse matrix by rows, see `CsrMatrix`. */
interface Rows {
  readonly shape: readonly [number, number];
  readonly indptr: Int32Array;
  readonly indices: Int32Array;
  readonly data: Float64Array | Float32Array;
}

/** A sparse matrix on the shared memory, in float32. */
export class SparseFloat32 {
  readonly rows: number;
  readonly columns: number;
  private readonly indptr: Int32Array;
  private readonly indices: Int32Array;
  private readonly values: Float32Array;

  /** @param matrix copied */
  constructor({ shape, indptr, indices, data }: Rows) {
    [this.rows, this.columns] = shape;
    this.indptr = int32(indptr.length);
    this.indices = int32(indices.length);
    this.values = float32(data.length);
    this.indptr.set(indptr);
    this.indices.set(indices);
    this.values.set(data);
  }

  /**
   * out = A·X for X of columns × width and out of rows × width, row-major on the shared memory, not
   * the same. The bits of a number do not depend on the number of threads, nor on the width.
   * @param options.width columns of X; `plus`: what is added, like `out`, which it may be; default:
   *   nothing
   */
  times(
    x: Float32Array,
    out: Float32Array,
    { width, plus }: { width: number; plus?: Float32Array },
  ): void {
    const { rows, indptr, indices, values } = this;
    const args = [
      indptr.byteOffset,
      indices.byteOffset,
      values.byteOffset,
      x.byteOffset,
      width,
      plus ? plus.byteOffset : 0,
      out.byteOffset,
    ];
    parallel('sparseRows', rows, args, {
      grain: Math.max(4, Math.ceil((100_000 * rows) / (width * (indices.length + 1)))),
    });
  }

  /** Gives its memory back. */
  dispose(): void {
    for (const array of [this.indptr, this.indices, this.values]) dispose(array);
  }
}
