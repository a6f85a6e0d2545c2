import { groupBy } from './csr.js';
import { display } from './display.js';
import type { PlaysColumns, Repairs } from './plays.js';

/** Columns without repeated pairs, and how many rows were merged into others. */
export interface Deduplicated {
  columns: PlaysColumns;
  duplicates: number;
}

/**
 * Sums repeated (user, track) into the first of them; the order stays. Linear in the rows: one
 * counting sort by user, one mark per track. Columns without repetition come back as they are.
 */
export function sumDuplicates(columns: PlaysColumns): Deduplicated {
  const { users, tracks, user, track, playcount } = columns;
  const { indptr, indices } = groupBy(user, users.length);
  const markedBy = new Int32Array(tracks.length).fill(-1);
  const firstRow = new Int32Array(tracks.length);
  const repeated: number[] = [];
  const into: number[] = [];
  for (let u = 0; u < users.length; u++) {
    for (let j = indptr[u]; j < indptr[u + 1]; j++) {
      const row = indices[j];
      const t = track[row];
      if (markedBy[t] === u) {
        repeated.push(row);
        into.push(firstRow[t]);
      } else {
        markedBy[t] = u;
        firstRow[t] = row;
      }
    }
  }
  if (repeated.length === 0) return { columns, duplicates: 0 };
  const sums = Float64Array.from(playcount);
  const dropped = new Uint8Array(user.length);
  for (let j = 0; j < repeated.length; j++) {
    sums[into[j]] += playcount[repeated[j]];
    dropped[repeated[j]] = 1;
  }
  const n = user.length - repeated.length;
  const unique = {
    user: new Int32Array(n),
    track: new Int32Array(n),
    playcount: new Float32Array(n),
  };
  for (let row = 0, i = 0; row < user.length; row++) {
    if (dropped[row]) continue;
    unique.user[i] = user[row];
    unique.track[i] = track[row];
    unique.playcount[i++] = sums[row];
  }
  return { columns: { ...columns, ...unique }, duplicates: repeated.length };
}

/** Warns of rows that were merged when a file was read. */
export function warnOfDuplicates(path: string, { duplicates }: Repairs): void {
  if (duplicates === 0) return;
  const rows =
    duplicates === 1 ? '1 row repeats' : `${duplicates.toLocaleString('en')} rows repeat`;
  display().warn(`"${path}": ${rows} an earlier (user, track); the playcounts were added up.`);
}
