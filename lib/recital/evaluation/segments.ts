import type { CsrRows } from '../data/csr.js';
import { type Cell, Table } from '../data/table.js';
import { ArgumentError } from '../errors.js';
import { whatIs } from '../options.js';
import type { HeldOut } from './held-out.js';
import { isAccuracy, type MetricColumn } from './parse.js';
import { type Measure, type RankedHeldOut, valuesOf } from './rank.js';
import { type Entry, meanOf, overSeeds } from './statistics.js';

/** The part that an id belongs to; undefined: none. */
type PartOf = (id: string) => string | undefined;

/** Parts of users or tracks: see {@link Comparison.bySegment}. */
export type SegmentBy =
  | 'users'
  | 'tracks'
  | { readonly users: PartOf }
  | { readonly tracks: PartOf };

/** Everything that was measured, kept for questions that come later. */
export interface Measured {
  readonly measure: Measure;
  readonly columns: readonly MetricColumn[];
  readonly entries: readonly Entry[];
  /** Of each entry, one a seed. */
  readonly ranked: readonly (readonly RankedHeldOut[])[];
  /** Ids of the users, one a value. */
  readonly users: () => string[];
}

/** Tracks with listeners up to this share of all, the most played first, are popular. */
const POPULAR = 0.2;

/** See {@link Comparison.bySegment}. */
export function segmentTable(measured: Measured, by: SegmentBy): Table {
  const { heldOut, rows } = measured.measure;
  if (by === 'users')
    return userSegments(measured, thirds(Array.from(rows, (row) => heldOut.activity[row])));
  if (by === 'tracks') return trackSegments(measured, byPopularity(heldOut));
  if (typeof by === 'object' && by !== null && 'users' in by && typeof by.users === 'function') {
    return userSegments(measured, own(measured.users(), by.users));
  }
  if (typeof by === 'object' && by !== null && 'tracks' in by && typeof by.tracks === 'function') {
    return trackSegments(measured, own(heldOut.codes.ids(), by.tracks));
  }
  throw new ArgumentError(
    `Segments are 'users', 'tracks', { users: (id) => name } or { tracks: (id) => name }, got ${typeof by === 'string' ? `'${by}'` : whatIs(by)}.`,
  );
}

/** Parts of users or tracks: their names in order, and which part each is in, −1 for none. */
interface Parts {
  readonly names: readonly string[];
  readonly part: ArrayLike<number>;
}

function own(ids: readonly string[], partOf: PartOf): Parts {
  const found = ids.map(partOf);
  const names = [...new Set(found.flatMap((name) => name ?? []))].sort();
  if (names.length === 0)
    throw new ArgumentError(
      'The function names no part for any id, so there is nothing to tell apart.',
    );
  return { names, part: found.map((name) => (name === undefined ? -1 : names.indexOf(name))) };
}

/** Equal numbers come into the same part, the lower one. */
function thirds(activity: readonly number[]): Parts {
  const sorted = [...activity].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  const [low, high] = [at(1 / 3), at(2 / 3)];
  const names = [
    `light (up to ${low} tracks)`,
    `middle (up to ${high})`,
    `heavy (more than ${high})`,
  ];
  return { names, part: activity.map((n) => (n <= low ? 0 : n <= high ? 1 : 2)) };
}

function byPopularity({ listeners, trainTracks, codes }: HeldOut): Parts {
  const ranked = Array.from({ length: trainTracks }, (_, code) => code).sort(
    (a, b) => listeners[b] - listeners[a] || a - b,
  );
  const part = new Int8Array(codes.length).fill(2);
  ranked.forEach((code, rank) => {
    part[code] = rank < Math.ceil(POPULAR * trainTracks) ? 0 : 1;
  });
  return { names: ['popular (top 20 %)', 'tail', 'cold (not in training)'], part };
}

function userSegments({ entries, columns }: Measured, { names, part }: Parts): Table {
  const kept = columns.filter(isAccuracy);
  return tableOf(names, entries, kept, (entry, column, s) => {
    return overSeeds(entries[entry].values.get(column.name)!).filter((_, i) => part[i] === s);
  });
}

function trackSegments(
  { entries, columns, measure, ranked }: Measured,
  { names, part }: Parts,
): Table {
  const kept = columns.filter(
    (column) => isAccuracy(column) && column.metric !== 'auc' && column.negatives === 0,
  );
  const relevant = names.map((_, s) =>
    restricted(measure.heldOut.relevant, (code) => part[code] === s),
  );
  return tableOf(names, entries, kept, (entry, column, s) =>
    overSeeds(
      ranked[entry].map((each) => valuesOf(each, column, measure, { relevant: relevant[s] })),
    ).filter((x) => !Number.isNaN(x)),
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
      'No metric of right and wrong was measured that could be told apart by parts. Give evaluate one, such as ndcg.',
    );
  const rows: Record<string, Cell>[] = [];
  names.forEach((segment, s) => {
    entries.forEach(({ name }, e) => {
      const measured = columns.map((column) => values(e, column, s));
      if (measured[0].length === 0) return;
      const means = columns.map((column, c): [string, Cell] => [column.name, meanOf(measured[c])]);
      rows.push({
        segment,
        users: measured[0].length,
        recommender: name,
        ...Object.fromEntries(means),
      });
    });
  });
  return Table.fromRows(rows);
}
