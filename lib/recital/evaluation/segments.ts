import type { CsrRows } from '../data/csr.js';
import { type Cell, Table } from '../data/table.js';
import { ArgumentError } from '../errors.js';
import { whatIs } from '../options.js';
import type { HeldOut } from './held-out.js';
import { isAccuracy, type MetricColumn } from './metric-columns.js';
import { type Measure, type RankedHeldOut, valuesOf } from './rank-held-out.js';
import { type Entry, meanOf, overSeeds } from './statistics.js';

/** Names the segment of an id; undefined: none. */
type SegmentOf = (id: string) => string | undefined;

/** Segments of users or tracks: see {@link Comparison.bySegment}. */
export type SegmentBy =
  | 'users'
  | 'tracks'
  | { readonly users: SegmentOf }
  | { readonly tracks: SegmentOf };

/** Everything that was measured, kept for later questions. */
export interface Measured {
  readonly measure: Measure;
  readonly columns: readonly MetricColumn[];
  readonly entries: readonly Entry[];
  /** The lists of each entry, one per seed. */
  readonly ranked: readonly (readonly RankedHeldOut[])[];
}

/** The ids of the users in the means, in the order of their values. */
export function usersOf({ measure: { heldOut, rows } }: Measured): string[] {
  return Array.from(rows, (row) => heldOut.users[row]);
}

/** Tracks among this share of those with the most listeners are popular. */
const POPULAR = 0.2;

/** Names of segments, and the segment of each user (or track code), −1 for none. */
interface Segments {
  readonly names: readonly string[];
  readonly of: ArrayLike<number>;
}

/** Means of the accuracy metrics by segment: see {@link Comparison.bySegment}. */
export function segmentTable(measured: Measured, by: SegmentBy): Table {
  const { heldOut, rows } = measured.measure;
  if (by === 'users')
    return userTable(measured, thirds(Array.from(rows, (row) => heldOut.activity[row])));
  if (by === 'tracks') return trackTable(measured, byPopularity(heldOut));
  const { users, tracks } = Object(by) as { users?: unknown; tracks?: unknown };
  if (typeof users === 'function')
    return userTable(measured, named(usersOf(measured), users as SegmentOf));
  if (typeof tracks === 'function')
    return trackTable(measured, named(heldOut.codes.ids(), tracks as SegmentOf));
  throw new ArgumentError(
    `Segments are 'users', 'tracks', { users: (id) => name } or { tracks: (id) => name }, got ${typeof by === 'string' ? `'${by}'` : whatIs(by)}.`,
  );
}

function named(ids: readonly string[], segmentOf: SegmentOf): Segments {
  const found = ids.map(segmentOf);
  const names = [...new Set(found.flatMap((name) => name ?? []))].sort();
  if (names.length === 0)
    throw new ArgumentError('The function names no part for any id, so there are no segments.');
  return { names, of: found.map((name) => (name === undefined ? -1 : names.indexOf(name))) };
}

/** Three segments of about equal size; users with equal numbers are in the same, the lower one. */
function thirds(activity: readonly number[]): Segments {
  const sorted = [...activity].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  const [low, high] = [at(1 / 3), at(2 / 3)];
  const names = [
    `light (up to ${low} tracks)`,
    `middle (up to ${high})`,
    `heavy (more than ${high})`,
  ];
  return { names, of: activity.map((n) => (n <= low ? 0 : n <= high ? 1 : 2)) };
}

function byPopularity({ listeners, trainTracks, codes }: HeldOut): Segments {
  const ranked = [...Array(trainTracks).keys()].sort(
    (a, b) => listeners[b] - listeners[a] || a - b,
  );
  const of = new Int8Array(codes.length).fill(2);
  ranked.forEach((code, rank) => {
    of[code] = rank < Math.ceil(POPULAR * trainTracks) ? 0 : 1;
  });
  return { names: ['popular (top 20 %)', 'tail', 'cold (not in training)'], of };
}

function userTable({ entries, columns }: Measured, { names, of }: Segments): Table {
  const kept = columns.filter(isAccuracy);
  return tableOf(names, entries, kept, (e, column, s) =>
    overSeeds(entries[e].values.get(column.name)!).filter((_, i) => of[i] === s),
  );
}

function trackTable(
  { entries, columns, measure, ranked }: Measured,
  { names, of }: Segments,
): Table {
  const kept = columns.filter(
    (column) => isAccuracy(column) && column.metric !== 'auc' && column.negatives === 0,
  );
  const { relevant } = measure.heldOut;
  const parts = names.map((_, s) => restricted(relevant, (code) => of[code] === s));
  return tableOf(names, entries, kept, (e, column, s) =>
    overSeeds(ranked[e].map((each) => valuesOf(each, column, measure, parts[s]))).filter(
      (x) => !Number.isNaN(x),
    ),
  );
}

function restricted({ indptr, indices }: CsrRows, keep: (code: number) => boolean): CsrRows {
  const ends = new Int32Array(indptr.length);
  const kept: number[] = [];
  for (let row = 0; row < indptr.length - 1; row++) {
    for (let j = indptr[row]; j < indptr[row + 1]; j++) if (keep(indices[j])) kept.push(indices[j]);
    ends[row + 1] = kept.length;
  }
  return { indptr: ends, indices: Int32Array.from(kept) };
}

function tableOf(
  names: readonly string[],
  entries: readonly Entry[],
  columns: readonly MetricColumn[],
  values: (entry: number, column: MetricColumn, segment: number) => Float64Array,
): Table {
  if (columns.length === 0)
    throw new ArgumentError(
      'No accuracy metric was measured that segments can have. Give evaluate one, such as ndcg.',
    );
  const rows = names.flatMap((segment, s) =>
    entries.flatMap(({ name }, e): Record<string, Cell>[] => {
      const measured = columns.map((column) => values(e, column, s));
      if (measured[0].length === 0) return [];
      const means = columns.map((column, c) => [column.name, meanOf(measured[c])]);
      const users = measured[0].length;
      return [{ segment, users, recommender: name, ...Object.fromEntries(means) }];
    }),
  );
  return Table.fromRows(rows);
}
