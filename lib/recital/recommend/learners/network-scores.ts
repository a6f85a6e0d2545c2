import { kernels } from '../../compute/kernels.js';
import { matmul } from '../../compute/matmul.js';
import { dispose, float32 } from '../../compute/memory.js';
import type { EmbeddingNN } from '../../models/embedding-nn.js';

/** Tracks that go through the network at once: what its layers hold of them stays in the cache. */
const CHUNK = 1024;

/**
 * Predictions of an EmbeddingNN, before its range, for a block of users and all tracks (the items
 * without `#na#`). The first layer is linear in the two vectors, W·[u; v] = Wᵤ·u + Wᵥ·v, so each
 * half is computed once for each user and each track; only what follows is computed for every pair.
 * @param users user indices, without `#na#`
 * @param out users × tracks, overwritten
 */
export function networkScores(model: EmbeddingNN, users: Int32Array, out: Float32Array): void {
  const { user, item, first, rest } = model;
  const tracks = item.rows - 1;
  const width = first.outputs;
  const half = (
    rows: Float32Array,
    { offset, from, m, k }: { offset: number; from: number; m: number; k: number },
  ): Float32Array => {
    const c = float32(m * width);
    const b = {
      values: first.weight.value,
      offset: from,
      rowStride: 1,
      columnStride: first.inputs,
    };
    matmul(
      { m, n: width, k },
      { a: { values: rows, offset, rowStride: k }, b, c: { values: c, rowStride: width } },
    );
    return c;
  };
  const vectors = float32(users.length * user.width);
  for (let b = 0; b < users.length; b++) {
    const row = users[b] + 1;
    vectors.set(
      user.weight.value.subarray(row * user.width, (row + 1) * user.width),
      b * user.width,
    );
  }
  const ofUsers = half(vectors, { offset: 0, from: 0, m: users.length, k: user.width });
  const ofTracks = half(item.weight.value, {
    offset: item.width,
    from: user.width,
    m: tracks,
    k: item.width,
  });
  const ofUser = float32(width);
  const one = float32(width).fill(1);
  const hidden = float32(Math.min(CHUNK, tracks) * width);
  for (let b = 0; b < users.length; b++) {
    for (let c = 0; c < width; c++)
      ofUser[c] = ofUsers[b * width + c] + (first.bias?.value[c] ?? 0);
    for (let from = 0; from < tracks; from += CHUNK) {
      const size = Math.min(CHUNK, tracks - from);
      kernels().scaleShift(
        size,
        width,
        ofTracks.byteOffset + 4 * from * width,
        one.byteOffset,
        ofUser.byteOffset,
        hidden.byteOffset,
      );
      out.set(rest.forward(hidden.subarray(0, size * width), size, false), b * tracks + from);
    }
  }
  for (const array of [vectors, ofUsers, ofTracks, hidden, ofUser, one]) dispose(array);
}
