import { BLOCK, denseBlock } from '../../compute/block.js';
import { dispose, float64 } from '../../compute/memory.js';
import type { Operator } from './operator.js';
import type { Basis } from './orthonormal.js';

/** A name of this file's own: one of another is looked up anew each time, which loops feel. */
const B = BLOCK;

/**
 * Of how many vectors the rest of the work, which grows with the square of their number, takes some
 * tenths of a second.
 */
export function keptWhenStopped(a: Operator): number {
  return Math.max(B, Math.floor(Math.sqrt(2e8 / Math.max(a.rows, a.columns))));
}

/**
 * Q·sᵢ for the first eigenvectors sᵢ of the projected matrix of as many columns as the basis Q has.
 * @param vectors row after row
 * @param options.count how many; `turn`: asked after each block: true stops
 * @returns blocks of eight on the shared memory, the last one filled with zeros; nothing if it was
 *   stopped
 */
export async function ritzVectors(
  basis: Basis,
  vectors: Float64Array,
  { count, turn }: { count: number; turn?: () => Promise<boolean> },
): Promise<Float64Array[] | undefined> {
  const m = basis.columns;
  const blocks: Float64Array[] = [];
  const s = float64(m * B);
  let stopped = false;
  for (let from = 0; from < count && !stopped; from += B) {
    s.fill(0);
    for (let c = 0; c < Math.min(B, count - from); c++)
      for (let i = 0; i < m; i++) s[i * B + c] = vectors[(from + c) * m + i];
    const out = float64(basis.rows * B);
    denseBlock(basis, s, out);
    blocks.push(out);
    if (turn && (await turn())) stopped = true;
  }
  dispose(s);
  if (!stopped) return blocks;
  for (const block of blocks) dispose(block);
  return undefined;
}
