import { kernels } from './kernels.js';
import { float32 } from './memory.js';
import { MAX_THREADS, native, parallel } from './threads.js';

/**
 * A matrix on the shared memory: element (i, j) lies at values[offset + i·rowStride +
 * j·columnStride].
 */
export interface Matrix {
  /** An array of float32() that holds it. */
  readonly values: Float32Array;
  /** Where it starts in it; default 0. */
  readonly offset?: number;
  readonly rowStride: number;
  /** Default 1: row-major. A transposed matrix has rowStride 1. */
  readonly columnStride?: number;
}

let scratch: Float32Array | undefined;

/** Address of the room that kernels which multiply need: gemmWorkspace() bytes for each thread. */
export function matmulScratch(): number {
  scratch ??= float32((MAX_THREADS * kernels().gemmWorkspace()) / 4);
  return scratch.byteOffset;
}

/** What is multiplied, and where the product goes. */
export interface Product {
  readonly a: Matrix;
  readonly b: Matrix;
  /** Row-major. */
  readonly c: Matrix;
  /** Whether the product is added to what C holds; default false. */
  readonly add?: boolean;
  /**
   * A row on the shared memory, n values, that is added to each row of the product in place of what
   * C holds.
   */
  readonly bias?: Float32Array;
}

/**
 * C = A·B for A of m × k and B of k × n, added to what C holds if `add`. An element's bits do not
 * depend on m, n or the number of threads.
 * @param sizes m, n, k
 * @param product see Product
 */
export function matmul(
  { m, n, k }: { m: number; n: number; k: number },
  { a, b, c, add = false, bias }: Product,
): void {
  const at = ({ values, offset = 0 }: Matrix): number => values.byteOffset + 4 * offset;
  const left = [at(a), a.rowStride, a.columnStride ?? 1];
  const right = [at(b), b.rowStride, b.columnStride ?? 1];
  const matrices = [...left, ...right, at(c), c.rowStride];
  // Either way each thread packs the whole of the other matrix, so the longer side is split.
  const [kernel, longer, shorter] =
    n > m ? (['gemmColumns', n, m] as const) : (['gemmRows', m, n] as const);
  if (native(kernel, longer, [shorter, k, ...matrices, add ? 1 : 0, bias?.byteOffset ?? 0])) return;
  if (bias) repeatRow(bias, c, { m, n });
  const args = [shorter, k, ...matrices, add || bias ? 1 : 0, matmulScratch()];
  parallel(kernel, longer, args, {
    grain: Math.max(n > m ? 8 : 4, Math.ceil(200_000 / (shorter * k))),
  });
}

/** Fills the m rows of C with copies of a row, doubling what is there if they lie side by side. */
function repeatRow(
  row: Float32Array,
  { values, offset = 0, rowStride }: Matrix,
  { m, n }: { m: number; n: number },
): void {
  if (m === 0 || n === 0) return;
  if (rowStride !== n) {
    for (let i = 0; i < m; i++) values.set(row, offset + i * rowStride);
    return;
  }
  const end = offset + m * n;
  values.set(row, offset);
  for (let done = n; done < m * n; done *= 2)
    values.copyWithin(offset + done, offset, Math.min(offset + done, end - done));
}

/** Fills an array on the shared memory with zeros. */
export function zero(values: Float32Array): void {
  if (!native('zero', values.length, [values.byteOffset])) values.fill(0);
}

/** Adds the n rows of a matrix to `sums`, one number a column; both on the shared memory. */
export function addColumnSums(values: Float32Array, n: number, sums: Float32Array): void {
  const width = sums.length;
  if (!native('columnSums', width, [n, values.byteOffset, sums.byteOffset]))
    kernels().columnSums(n, width, values.byteOffset, sums.byteOffset);
}
