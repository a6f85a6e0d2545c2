import type { DuckDBBlobValue, DuckDBConnection } from '@duckdb/node-api';
import type { AsyncSteps } from '../../compute/interrupt.js';
import { DataError } from '../../errors.js';
import { groupBy } from '../csr.js';
import type { PlaysColumns } from '../plays-columns.js';
import { Vocabulary } from '../vocabulary.js';
import { stopped, typedItems, withDuckDB } from './duckdb.js';

/** How to read plays in SQL. */
export interface PlaysQuery {
  /** The file's name in messages. */
  path: string;
  /** SQL to put after `from`. */
  from: string;
  /** SQL of the ids of user and track as text, and of the playcount as a double. */
  user: string;
  track: string;
  playcount: string;
  /** SQL of the time as text, by which the plays are ordered; undefined: in the file's order. */
  time?: string;
  /** Throws the error for a row, counted from 0, without id, positive playcount or time. */
  reject(row: number): Promise<never>;
}

/** SQL of a 64-bit hash of a text; another one for each attempt. */
type HashSql = (text: string, attempt: number) => string;

const duckHash: HashSql = (text, attempt) =>
  attempt === 0 ? `hash(${text})` : `hash(${text} || chr(${attempt}))`;

/**
 * Reads plays into columns with sorted vocabularies, in the order of the file or of time.
 *
 * There are two passes over the file, neither of which makes a string per row. In the first, DuckDB
 * finds and sorts the distinct ids. In the second, it gives a 64-bit hash for each id of a row; the
 * position of the id with this hash is its code. That is exact: every id of the second pass is one
 * of the first, and if two ids have one hash, which is checked, another hash is taken. Errors of
 * DuckDB are let through.
 */
export async function encodePlays(
  query: PlaysQuery,
  hash: HashSql = duckHash,
): Promise<PlaysColumns> {
  return withDuckDB(`reading "${query.path}"`, (connection) =>
    encodePlaysOn(connection, query, hash),
  );
}

/**
 * {@link encodePlays} on an open database, in a schema of its own. DuckDB's errors are let through.
 */
export async function* encodePlaysOn(
  connection: DuckDBConnection,
  query: PlaysQuery,
  hash: HashSql = duckHash,
): AsyncSteps<PlaysColumns> {
  const run = (sql: string) => connection.run(sql);
  await run(`create schema ${SCHEMA}`); // so that no table of a user has these names
  await run(
    `create table ${SCHEMA}.ids as select ${query.user} as u, ${query.track} as t, count(*) as n from ${query.from} group by grouping sets ((u), (t), ())`,
  );
  const total = await connection.runAndReadAll(
    `select max(n)::int from ${SCHEMA}.ids where u is null and t is null`,
  );
  const [[rows]] = total.getRows() as [[number | null]];
  if (!rows) throw new DataError(`"${query.path}" has no plays.`);
  await run(
    `create table ${SCHEMA}.users as select u as id from ${SCHEMA}.ids where u is not null order by u`,
  );
  await run(
    `create table ${SCHEMA}.tracks as select t as id from ${SCHEMA}.ids where t is not null order by t`,
  );
  await run(`drop table ${SCHEMA}.ids`);
  const users = await vocabulary(connection, `${SCHEMA}.users`, 'user');
  const tracks = await vocabulary(connection, `${SCHEMA}.tracks`, 'track');
  for (let attempt = 0; ; attempt++) {
    const userIndex = await hashIndex(
      connection,
      `${SCHEMA}.users`,
      hash('id', attempt),
      users.length,
    );
    const trackIndex = await hashIndex(
      connection,
      `${SCHEMA}.tracks`,
      hash('id', attempt),
      tracks.length,
    );
    if (!userIndex.distinct || !trackIndex.distinct) continue;
    const time = query.time && (await timeSql(connection, query.time, query.from));
    const columns = yield* codes(connection, query, {
      rows,
      userIndex,
      trackIndex,
      hash: (id) => hash(id, attempt),
      time,
    });
    return { users, tracks, ...columns };
  }
}

const SCHEMA = 'recital_encoding';

/** The ids of a table, in its order. They come as few long texts: a million short ones take 1 s. */
async function vocabulary(
  connection: DuckDBConnection,
  table: string,
  kind: string,
): Promise<Vocabulary> {
  const sizes = await connection.run(`select strlen(id)::int from ${table}`);
  const sizeParts: Int32Array[] = [];
  for await (const chunk of sizes)
    sizeParts.push((typedItems(chunk.getColumnVector(0)) as Int32Array).slice());
  const offsets = new Uint32Array(1 + sizeParts.reduce((sum, part) => sum + part.length, 0));
  let n = 0;
  for (const part of sizeParts) for (const size of part) offsets[n + 1] = offsets[n++] + size;
  const bytes = new Uint8Array(offsets[n]);
  const texts = await connection.run(
    `select encode(string_agg(id, '' order by rowid)) from ${table} group by rowid // 100000 order by rowid // 100000`,
  );
  let used = 0;
  for await (const chunk of texts) {
    for (const { bytes: some } of chunk.getColumnValues(0) as readonly DuckDBBlobValue[]) {
      bytes.set(some, used);
      used += some.length;
    }
  }
  return new Vocabulary(bytes, offsets, { kind });
}

async function hashIndex(
  connection: DuckDBConnection,
  table: string,
  hash: string,
  n: number,
): Promise<HashIndex> {
  const hashes = new Int32Array(2 * n);
  let used = 0;
  for await (const chunk of await connection.run(`select ${hash} from ${table}`)) {
    const part = halves(typedItems(chunk.getColumnVector(0))!);
    hashes.set(part, used);
    used += part.length;
  }
  return new HashIndex(hashes);
}

/** SQL of times as numbers, NULL for others: all texts are numbers, or ISO dates and times. */
async function timeSql(connection: DuckDBConnection, time: string, from: string): Promise<string> {
  const number = `try_cast(${time} as double)`;
  const instant = `epoch(try_cast(${time} as timestamptz))`;
  await connection.run("set TimeZone = 'UTC'");
  const counts = await connection.runAndReadAll(
    `select count(${number})::int, count(${instant})::int from ${from}`,
  );
  const [[numbers, instants]] = counts.getRows() as [[number, number]];
  return numbers >= instants ? number : instant; // a year is both
}

interface Coding {
  rows: number;
  userIndex: HashIndex;
  trackIndex: HashIndex;
  hash: (id: string) => string;
  time: string | undefined;
}

/** The second pass. */
async function* codes(
  connection: DuckDBConnection,
  query: PlaysQuery,
  { rows, userIndex, trackIndex, hash, time }: Coding,
): AsyncSteps<Pick<PlaysColumns, 'user' | 'track' | 'playcount'>> {
  const user = new Int32Array(rows);
  const track = new Int32Array(rows);
  const playcount = new Float32Array(rows);
  const times = new Float64Array(time === undefined ? 0 : rows);
  const result = await connection.run(
    `select ${hash(query.user)}, ${hash(query.track)}, coalesce(try_cast(${query.playcount} as float), 'nan'::float)` +
      `${time === undefined ? '' : `, coalesce(${time}, 'nan'::double)`} from ${query.from}`,
  );
  let n = 0;
  for (
    let chunk = await result.fetchChunk();
    chunk && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    const items = (j: number): ArrayBufferView => typedItems(chunk!.getColumnVector(j))!;
    const plays = items(2) as Float32Array;
    const bad = [
      userIndex.encode(halves(items(0)), user, n),
      trackIndex.encode(halves(items(1)), track, n),
      firstNotPositive(plays),
    ];
    if (time !== undefined) {
      const seconds = items(3) as Float64Array;
      times.set(seconds, n);
      bad.push(seconds.findIndex((t) => !Number.isFinite(t)));
    }
    const first = Math.min(...bad.filter((i) => i >= 0));
    if (first < Infinity) await query.reject(n + first);
    playcount.set(plays, n);
    n += chunk.rowCount;
    if (yield) throw stopped();
  }
  if (time === undefined || times.every((t, i) => i === 0 || times[i - 1] <= t))
    return { user, track, playcount };
  const order = ascendingOrder(times);
  return {
    user: user.map((_, i) => user[order[i]]),
    track: track.map((_, i) => track[order[i]]),
    playcount: playcount.map((_, i) => playcount[order[i]]),
  };
}

/** Positions of numbers in ascending order, stable: a radix sort by 16 bits at a time. */
function ascendingOrder(values: Float64Array): Int32Array {
  const bits = new Uint32Array(values.buffer.slice(0));
  const little = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
  let order = Int32Array.from(values, (_, i) => i);
  for (const [half, shift] of [
    [0, 0],
    [0, 16],
    [1, 0],
    [1, 16],
  ]) {
    const keys = order.map((i) => {
      const high = bits[2 * i + (little ? 1 : 0)];
      const low = bits[2 * i + (little ? 0 : 1)];
      const word = half ? (high >>> 31 ? ~high : high ^ 0x80000000) : high >>> 31 ? ~low : low; // so that negative numbers come first
      return (word >>> shift) & 0xffff;
    });
    const { indices } = groupBy(keys, 1 << 16);
    order = indices.map((i) => order[i]);
  }
  return order;
}

function firstNotPositive(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!(values[i] > 0 && values[i] < Infinity)) return i;
  return -1;
}

function halves(view: ArrayBufferView): Int32Array {
  return new Int32Array(view.buffer, view.byteOffset, view.byteLength / 4);
}

/**
 * 64-bit hashes and their positions: an open-addressing table on one typed array, probed linearly.
 */
export class HashIndex {
  private readonly slots: Int32Array; // low half, high half, position + 1 (0: free), unused: a power of two, so that a slot is in one cache line
  private readonly mask: number;
  /** Whether all hashes differ. If not, the index is of no use. */
  readonly distinct: boolean;

  /**
   * @param hashes position `i` has the hash `hashes[2i]` (low half), `hashes[2i + 1]` (high half)
   */
  constructor(hashes: Int32Array) {
    const n = hashes.length / 2;
    let size = 4;
    while (size < 2 * n) size *= 2;
    this.mask = size - 1;
    this.slots = new Int32Array(4 * size);
    let distinct = true;
    for (let i = 0; i < n; i++) {
      const low = hashes[2 * i];
      const high = hashes[2 * i + 1];
      let at = 4 * (low & this.mask);
      while (this.slots[at + 2] !== 0) {
        if (this.slots[at] === low && this.slots[at + 1] === high) distinct = false;
        at = 4 * ((at / 4 + 1) & this.mask);
      }
      this.slots[at] = low;
      this.slots[at + 1] = high;
      this.slots[at + 2] = i + 1;
    }
    this.distinct = distinct;
  }

  /**
   * Writes the position of each hash into `out` from `start` on.
   * @returns the first hash that has no position, counted from 0; −1 if all have one
   */
  encode(hashes: Int32Array, out: Int32Array, start: number): number {
    const { slots, mask } = this;
    const n = hashes.length / 2;
    for (let i = 0; i < n; i++) {
      const low = hashes[2 * i];
      const high = hashes[2 * i + 1];
      let at = 4 * (low & mask);
      while (slots[at] !== low || slots[at + 1] !== high || slots[at + 2] === 0) {
        if (slots[at + 2] === 0) return i;
        at = 4 * ((at / 4 + 1) & mask);
      }
      out[start + i] = slots[at + 2] - 1;
    }
    return -1;
  }
}
