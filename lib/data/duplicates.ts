import { groupBy } from './csr.js';

/** What {@link sumDuplicates} needs of plays. */
interface Pairs {
  readonly users: { readonly length: number };
  readonly tracks: { readonly length: number };
  readonly user: Int32Array;
  readonly track: Int32Array;
  readonly playcount: Float32Array;
}

/**
 * Sums repeated (user, track) into the first of them. Linear in the rows: one counting sort by user, one mark per track.
 * @returns `kept`: row numbers of the first ones, ascending; `playcount`: their sums; `duplicates`: number of rows merged into others
 */
export function sumDuplicates({ users, tracks, user, track, playcount }: Pairs): { kept: Int32Array; playcount: Float32Array; duplicates: number } {
  const { indptr, indices } = groupBy(user, users.length);
  const markedBy = new Int32Array(tracks.length).fill(-1);
  const firstRow = new Int32Array(tracks.length);
  const into: [from: number, to: number][] = [];
  for (let u = 0; u < users.length; u++) {
    for (let j = indptr[u]; j < indptr[u + 1]; j++) {
      const i = indices[j];
      const t = track[i];
      if (markedBy[t] === u) into.push([i, firstRow[t]]);
      else {
        markedBy[t] = u;
        firstRow[t] = i;
      }
    }
  }
  if (into.length === 0) return { kept: Int32Array.from(playcount, (_, i) => i), playcount, duplicates: 0 };
  const sums = Float64Array.from(playcount);
  const dropped = new Uint8Array(user.length);
  for (const [from, to] of into) {
    sums[to] += playcount[from];
    dropped[from] = 1;
  }
  const kept = new Int32Array(user.length - into.length);
  for (let i = 0, n = 0; i < user.length; i++) if (!dropped[i]) kept[n++] = i;
  return { kept, playcount: Float32Array.from(kept, (i) => sums[i]), duplicates: into.length };
}
