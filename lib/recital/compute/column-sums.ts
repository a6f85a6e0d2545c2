import { kernels } from './kernels.js';
import { native } from './threads.js';

/**
 * Adds n rows of values, row by row, to `sums`, which holds one number a column; both on the shared
 * memory.
 */
export function addColumnSums(values: Float32Array, n: number, sums: Float32Array): void {
  const width = sums.length;
  if (!native('columnSums', width, [n, values.byteOffset, sums.byteOffset]))
    kernels().columnSums(n, width, values.byteOffset, sums.byteOffset);
}
