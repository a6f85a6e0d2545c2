import { kernels } from './kernels.js';
import { float32 } from './memory.js';
import { MAX_THREADS, parallel } from './threads.js';

/** A matrix on the shared memory: element (i, j) lies at values[offset + i·rowStride + j·columnStride]. */
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

/**
 * C = A·B for A of m × k and B of k × n, added to what C holds if `add`. An element's bits do not depend on m, n or the number of threads.
 * @param sizes m, n, k
 * @param matrices a and b as described, c row-major
 */
export function matmul(
  { m, n, k }: { m: number; n: number; k: number },
  { a, b, c, add = false }: { a: Matrix; b: Matrix; c: Matrix; add?: boolean },
): void {
  const at = ({ values, offset = 0 }: Matrix): number => values.byteOffset + 4 * offset;
  const matrices = [
    at(a),
    a.rowStride,
    a.columnStride ?? 1,
    at(b),
    b.rowStride,
    b.columnStride ?? 1,
    at(c),
    c.rowStride,
    add ? 1 : 0,
    matmulScratch(),
  ];
  // Either way each thread packs the whole of the other matrix, so the longer side is split.
  if (n > m) parallel('gemmColumns', n, [m, k, ...matrices], { grain: Math.max(8, Math.ceil(200_000 / (m * k))) });
  else parallel('gemmRows', m, [n, k, ...matrices], { grain: Math.max(4, Math.ceil(200_000 / (n * k))) });
}
