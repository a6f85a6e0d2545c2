import type { DuckDBBlobValue, DuckDBConnection } from '@duckdb/node-api';
import type { AsyncSteps } from '../../compute/interrupt.js';
import { DataError } from '../../errors.js';
import { groupBy } from '../csr.js';
import type { PlaysColumns, PlaysPositions } from '../plays-columns.js';
import { Vocabulary } from '../vocabulary.js';
import { stopped, typedItems, withDuckDB } from './duckdb.js';

/** How to read plays in SQL. */
export interface PlaysQuery {
  /** The file's name in messages. */
  path: string;
  /** SQL to put after `from`; of the ids as text; of the playcount as a double. */
  from: string;
  user: string;
  track: string;
  playcount: string;
  /** SQL of the time as text, by which the plays are ordered; undefined: in the file's order. */
  time?: string;
  /** Throws the error for a row, counted from 0, without id, positive playcount or time. */
  reject(row: number): Promise<never>;
}

/** The SQL of plays by the positions of their columns: of a column, and of one as an id. */
export function playsSql(
  at: PlaysPositions,
  column: (i: number) => string,
  id: (i: number) => string,
): Pick<PlaysQuery, 'user' | 'track' | 'playcount' | 'time'> {
  return {
    user: id(at.user),
    track: id(at.track),
    playcount: at.playcount < 0 ? '1::double' : `${column(at.playcount)}::double`,
    ...(at.time >= 0 && { time: `${column(at.time)}::varchar` }),
  };
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

const SCHEMA = 'recital_encoding';
const SIDES = { users: 'user', tracks: 'track' } as const;

/** {@link encodePlays} on an open database, in a schema of its own. */
export async function* encodePlaysOn(
  connection: DuckDBConnection,
  query: PlaysQuery,
  hash: HashSql = duckHash,
): AsyncSteps<PlaysColumns> {
  const { path, from } = query;
  const ids = `${SCHEMA}.ids`;
  await connection.run(`create schema ${SCHEMA}`); // so that no table of a user has these names
  await connection.run(
    `create table ${ids} as select ${query.user} as users, ${query.track} as tracks, count(*) as n from ${from} group by grouping sets ((users), (tracks), ())`,
  );
  const total = await connection.runAndReadAll(
    `select max(n)::int from ${ids} where users is null and tracks is null`,
  );
  const [[rows]] = total.getRows() as [[number | null]];
  if (!rows) throw new DataError(`"${path}" has no plays.`);
  for (const side of Object.keys(SIDES))
    await connection.run(
      `create table ${SCHEMA}.${side} as select ${side} as id from ${ids} where ${side} is not null order by ${side}`,
    );
  await connection.run(`drop table ${ids}`);
  const users = await vocabulary(connection, 'users');
  const tracks = await vocabulary(connection, 'tracks');
  for (let attempt = 0; ; attempt++) {
    const index = {
      users: await hashIndex(connection, 'users', hash('id', attempt), users.length),
      tracks: await hashIndex(connection, 'tracks', hash('id', attempt), tracks.length),
    };
    if (!index.users.distinct || !index.tracks.distinct) continue;
    const time = query.time && (await timeSql(connection, query.time, from));
    const user = hash(query.user, attempt);
    const track = hash(query.track, attempt);
    const columns = yield* codes(connection, { ...query, user, track, time }, index, rows);
    return { users, tracks, ...columns };
  }
}

/** The sorted ids. They come as few long texts: a million short ones take 1 s. */
async function vocabulary(
  connection: DuckDBConnection,
  side: keyof typeof SIDES,
): Promise<Vocabulary> {
  const table = `${SCHEMA}.${side}`;
  const sizes: number[] = [];
  for await (const chunk of await connection.run(`select strlen(id)::int from ${table}`))
    for (const size of typedItems(chunk.getColumnVector(0)) as Int32Array) sizes.push(size);
  const offsets = new Uint32Array(1 + sizes.length);
  sizes.forEach((size, i) => {
    offsets[i + 1] = offsets[i] + size;
  });
  const bytes = new Uint8Array(offsets[sizes.length]);
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
  return new Vocabulary(bytes, offsets, { kind: SIDES[side] });
}

async function hashIndex(
  connection: DuckDBConnection,
  side: keyof typeof SIDES,
  hash: string,
  n: number,
): Promise<HashIndex> {
  const hashes = new Int32Array(2 * n);
  let used = 0;
  for await (const chunk of await connection.run(`select ${hash} from ${SCHEMA}.${side}`)) {
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

/** The second pass, of a query whose `user` and `track` are hashes, and whose `time` is a number. */
async function* codes(
  connection: DuckDBConnection,
  query: PlaysQuery,
  index: Readonly<Record<keyof typeof SIDES, HashIndex>>,
  rows: number,
): AsyncSteps<Pick<PlaysColumns, 'user' | 'track' | 'playcount'>> {
  const { time } = query;
  const user = new Int32Array(rows);
  const track = new Int32Array(rows);
  const playcount = new Float32Array(rows);
  const times = new Float64Array(time === undefined ? 0 : rows);
  const result = await connection.run(
    `select ${query.user}, ${query.track}, coalesce(try_cast(${query.playcount} as float), 'nan'::float)` +
      `${time === undefined ? '' : `, coalesce(${time}, 'nan'::double)`} from ${query.from}`,
  );
  let n = 0;
  for await (const chunk of result) {
    const items = (j: number): ArrayBufferView => typedItems(chunk.getColumnVector(j))!;
    const plays = items(2) as Float32Array;
    const bad = [
      index.users.encode(halves(items(0)), user, n),
      index.tracks.encode(halves(items(1)), track, n),
      plays.findIndex((x) => !(x > 0 && x < Infinity)),
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
  if (times.every((t, i) => i === 0 || times[i - 1] <= t)) return { user, track, playcount };
  const order = ascendingOrder(times);
  return {
    user: user.map((_, i) => user[order[i]]),
    track: track.map((_, i) => track[order[i]]),
    playcount: playcount.map((_, i) => playcount[order[i]]),
  };
}

/** Positions of numbers in ascending order, stable: a radix sort by 16 bits at a time. */
function ascendingOrder(values: Float64Array): Int32Array {
  const bits = new Uint16Array(values.buffer, values.byteOffset, 4 * values.length); // the lowest come first
  let order = Int32Array.from(values.keys());
  for (let word = 0; word < 4; word++) {
    const positive = word === 3 ? 0x8000 : 0; // so that negative numbers come first,
    const negative = 0xffff; // those far from 0 before those near it
    const keys = order.map((i) => {
      const sign = bits[4 * i + 3] & 0x8000;
      return bits[4 * i + word] ^ (sign ? negative : positive);
    });
    const { indices } = groupBy(keys, 1 << 16);
    order = indices.map((i) => order[i]);
  }
  return order;
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
  readonly distinct: boolean = true;

  /** @param hashes low half and high half of that of position 0, of position 1 … */
  constructor(hashes: Int32Array) {
    const n = hashes.length / 2;
    let size = 4;
    while (size < 2 * n) size *= 2;
    this.mask = size - 1;
    this.slots = new Int32Array(4 * size);
    for (let i = 0; i < n; i++) {
      const low = hashes[2 * i];
      const high = hashes[2 * i + 1];
      let at = 4 * (low & this.mask);
      while (this.slots[at + 2] !== 0) {
        if (this.slots[at] === low && this.slots[at + 1] === high) this.distinct = false;
        at = 4 * ((at / 4 + 1) & this.mask);
      }
      this.slots.set([low, high, i + 1], at);
    }
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
