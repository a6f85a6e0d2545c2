import { matmul } from '../../compute/matmul.js';
import { dispose, float32, memory } from '../../compute/memory.js';
import { parallel } from '../../compute/threads.js';

/**
 * Factors of users and tracks, on the shared memory. Row `skip` + i belongs to index i: rows before
 * are of no user or track (`#na#`).
 */
export interface FactorTables {
  /** User factors, rows × width. */
  readonly userFactors: Float32Array;
  /** Track factors, rows × width. */
  readonly trackFactors: Float32Array;
  /** Bias of each user row; default: none has one. */
  readonly userBias?: Float32Array;
  /** Bias of each track row; default: none has one. */
  readonly trackBias?: Float32Array;
  /** Number of factors. */
  readonly width: number;
  /** Rows to skip at the start of each table. */
  readonly skip: number;
}

/**
 * out[b, t] = U[users[b]] · V[t] + userBias[users[b]] + trackBias[t] for a block of users and all
 * tracks, as one matrix product. A row does not depend on which other users are in the block, to
 * the last bit.
 * @param users user indices
 * @param out users × tracks; written in place if it lies on the shared memory, else by way of a
 *   copy
 */
export function factorScores(users: Int32Array, out: Float32Array, tables: FactorTables): void {
  const { userFactors, trackFactors, userBias, trackBias, width, skip } = tables;
  const tracks = trackFactors.length / width - skip;
  const inPlace = out.buffer === (memory.buffer as ArrayBufferLike);
  const scores = inPlace ? out : float32(out.length);
  const factors = float32(users.length * width);
  for (let b = 0; b < users.length; b++) {
    const row = users[b] + skip;
    factors.set(userFactors.subarray(row * width, (row + 1) * width), b * width);
  }
  const add = userBias !== undefined || trackBias !== undefined;
  if (add) {
    const left = float32(users.length);
    const right = float32(tracks);
    if (userBias) for (let b = 0; b < users.length; b++) left[b] = userBias[users[b] + skip];
    if (trackBias) right.set(trackBias.subarray(skip));
    outerSum(left, right, scores);
    dispose(left);
    dispose(right);
  }
  // The factors of a track are a row of the table: read it transposed.
  const b = { values: trackFactors, offset: skip * width, rowStride: 1, columnStride: width };
  const sizes = { m: users.length, n: tracks, k: width };
  matmul(sizes, {
    a: { values: factors, rowStride: width },
    b,
    c: { values: scores, rowStride: tracks },
    add,
  });
  dispose(factors);
  if (!inPlace) {
    out.set(scores);
    dispose(scores);
  }
}

/** out[r, c] = left[r] + right[c], all on the shared memory. */
function outerSum(left: Float32Array, right: Float32Array, out: Float32Array): void {
  const args = [right.length, left.byteOffset, right.byteOffset, out.byteOffset];
  parallel('outerSum', left.length, args, {
    grain: Math.max(4, Math.ceil(200_000 / right.length)),
  });
}
