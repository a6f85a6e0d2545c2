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
  const args = [...[indptr, indices, data, x].map(at), width, plus ? at(plus) : 0, at(out)];
  parallel('sparseRows', rows, args, {
    grain: Math.max(4, Math.ceil((100_000 * rows) / (width * (indices.length + 1)))),
  });
}

/** Columns of a block: rows of eight float64 are one cache line. */
export const BLOCK = 8;

/**
 * out = A·X − left·rightᵀ for a sparse matrix A in compressed rows and a block X (rows × 8,
 * row-major), all on the shared memory. The bits of a row do not depend on the number of threads.
 * @param less `left`: one number a row of A, `right`: eight numbers; default: nothing is subtracted
 */
export function sparseBlock(
  { indptr, indices, data }: { indptr: Int32Array; indices: Int32Array; data: Float64Array },
  x: Float64Array,
  out: Float64Array,
  less?: { left: Float64Array; right: Float64Array },
): void {
  const rows = indptr.length - 1;
  const minus = less ? [at(less.left), at(less.right)] : [0, 0];
  const args = [...[indptr, indices, data, x].map(at), ...minus, at(out)];
  const grain = Math.max(64, Math.ceil((20_000 * rows) / (indices.length + 1)));
  parallel('sparseBlock', rows, args, { grain });
}

/**
 * Columns `from` … `from + columns` of a row-major matrix on the shared memory whose rows lie
 * `stride` numbers apart.
 */
export interface Columns {
  readonly values: Float64Array;
  readonly rows: number;
  readonly columns: number;
  readonly stride: number;
  /** Default 0. */
  readonly from?: number;
}

/** out = A·B for a dense A and a block B; with `subtract`, out −= A·B. */
export function denseBlock(
  a: Columns,
  b: Float64Array,
  out: Float64Array,
  { subtract = false }: { subtract?: boolean } = {},
): void {
  const start = a.values.byteOffset + 8 * (a.from ?? 0);
  const args = [a.columns, start, a.stride, at(b), subtract ? 1 : 0, at(out)];
  parallel('denseBlock', a.rows, args, {
    grain: Math.max(64, Math.ceil(20_000 / (a.columns + 1))),
  });
}

/**
 * out = Aᵀ·W for a dense A and a block W of as many rows. Sums run over the rows in order, on any
 * number of threads.
 */
export function denseTransposeBlock(a: Columns, w: Float64Array, out: Float64Array): void {
  const start = a.values.byteOffset + 8 * (a.from ?? 0);
  const args = [a.rows, start, a.stride, at(w), at(out)];
  parallel('denseTransposeBlock', a.columns, args, {
    grain: Math.max(4, Math.ceil(20_000 / (a.rows + 1))),
  });
}

function at(values: Float32Array | Float64Array | Int32Array): number {
  return values.byteOffset;
}
