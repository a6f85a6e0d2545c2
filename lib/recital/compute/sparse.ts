import { parallel } from './threads.js';

/**
 * out = A·X for a sparse matrix A in compressed rows and X of columns × width, row-major, all on
 * the shared memory. The bits of a number do not depend on the number of threads, nor on the width.
 * @param out rows × width, not `x`
 * @param options.plus is added to the product; it may be `out`; default: nothing
 */
export function sparseRows(
  { indptr, indices, data }: { indptr: Int32Array; indices: Int32Array; data: Float32Array },
  x: Float32Array,
  out: Float32Array,
  { width, plus }: { width: number; plus?: Float32Array },
): void {
  const rows = indptr.length - 1;
  const args = [
    indptr.byteOffset,
    indices.byteOffset,
    data.byteOffset,
    x.byteOffset,
    width,
    plus ? plus.byteOffset : 0,
    out.byteOffset,
  ];
  parallel('sparseRows', rows, args, {
    grain: Math.max(4, Math.ceil((100_000 * rows) / (width * (indices.length + 1)))),
  });
}
