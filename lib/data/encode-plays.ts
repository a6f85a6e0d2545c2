import type { DuckDBBlobValue, DuckDBConnection } from '@duckdb/node-api';
import { DataError } from '../errors.js';
import { fileError, typedItems, withDuckDB } from './duckdb.js';
import { HashIndex } from './hash-index.js';
import type { PlaysColumns } from './plays.js';
import { Vocabulary } from './vocabulary.js';

/** Plays in a file, in SQL. */
export interface PlaysQuery {
  /** The file, for messages. */
  path: string;
  /** What to put after `from`. */
  from: string;
  /** SQL of the user's and the track's id as text, and of the playcount as a double. */
  user: string;
  track: string;
  playcount: string;
  /** The file's names of the columns, by those in the SQL. */
  names?: Readonly<Record<string, string>>;
  /** Raises the error for a row, counted from 0, that has no id or no positive playcount. */
  reject(row: number): Promise<never>;
}

/** SQL of a 64-bit hash of a text; another one for each attempt. */
type HashSql = (text: string, attempt: number) => string;

const duckHash: HashSql = (text, attempt) => (attempt === 0 ? `hash(${text})` : `hash(${text} || chr(${attempt}))`);

/**
 * Reads plays into columns, in file order, with sorted vocabularies.
 *
 * Two passes over the file, neither of which makes a string per row. The first finds the distinct ids, DuckDB sorts them. The second gives a 64-bit
 * hash per id and row, and the position of the id that has this hash is its code. That is exact: every id of the second pass is one of the first,
 * and if two of those have the same hash, which is checked, another hash is taken.
 */
export async function encodePlays(query: PlaysQuery, hash: HashSql = duckHash): Promise<PlaysColumns> {
  return withDuckDB(`reading "${query.path}"`, async (connection, turn) => {
    try {
      const run = (sql: string) => connection.run(sql);
      await run(
        `create temp table ids as select ${query.user} as u, ${query.track} as t, count(*) as n from ${query.from} group by grouping sets ((u), (t), ())`,
      );
      const [[rows]] = (await connection.runAndReadAll('select max(n)::int from ids where u is null and t is null')).getRows() as [[number | null]];
      if (!rows) throw new DataError(`"${query.path}" has no plays.`);
      await run('create temp table users as select u as id from ids where u is not null order by u');
      await run('create temp table tracks as select t as id from ids where t is not null order by t');
      await run('drop table ids');
      const users = await vocabulary(connection, 'users', 'user');
      const tracks = await vocabulary(connection, 'tracks', 'track');
      for (let attempt = 0; ; attempt++) {
        const userIndex = await hashIndex(connection, 'users', hash('id', attempt), users.length);
        const trackIndex = await hashIndex(connection, 'tracks', hash('id', attempt), tracks.length);
        if (!userIndex.distinct || !trackIndex.distinct) continue;
        const columns = await codes(connection, query, { rows, userIndex, trackIndex, hash: (id) => hash(id, attempt), turn });
        return { users, tracks, ...columns };
      }
    } catch (error) {
      throw error instanceof DataError ? error : fileError(error, query.path, query.names);
    }
  });
}

/** The ids of a table, in its order. They come as a few long texts, because a million short ones take a second. */
async function vocabulary(connection: DuckDBConnection, table: string, kind: string): Promise<Vocabulary> {
  const sizes = await connection.run(`select strlen(id)::int from ${table}`);
  const sizeParts: Int32Array[] = [];
  for await (const chunk of sizes) sizeParts.push((typedItems(chunk.getColumnVector(0)) as Int32Array).slice());
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

async function hashIndex(connection: DuckDBConnection, table: string, hash: string, n: number): Promise<HashIndex> {
  const hashes = new Int32Array(2 * n);
  let used = 0;
  for await (const chunk of await connection.run(`select ${hash} from ${table}`)) {
    const part = halves(typedItems(chunk.getColumnVector(0))!);
    hashes.set(part, used);
    used += part.length;
  }
  return new HashIndex(hashes);
}

interface Coding {
  rows: number;
  userIndex: HashIndex;
  trackIndex: HashIndex;
  hash: (id: string) => string;
  turn: () => Promise<void>;
}

/** The second pass. */
async function codes(connection: DuckDBConnection, query: PlaysQuery, { rows, userIndex, trackIndex, hash, turn }: Coding) {
  const user = new Int32Array(rows);
  const track = new Int32Array(rows);
  const playcount = new Float32Array(rows);
  const result = await connection.run(
    `select ${hash(query.user)}, ${hash(query.track)}, coalesce(${query.playcount}, 'nan')::float from ${query.from}`,
  );
  let n = 0;
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    const [users, tracks, plays] = [0, 1, 2].map((j) => typedItems(chunk!.getColumnVector(j))!);
    const bad = [userIndex.encode(halves(users), user, n), trackIndex.encode(halves(tracks), track, n), firstNotPositive(plays as Float32Array)];
    const first = Math.min(...bad.filter((i) => i >= 0));
    if (first < Infinity) await query.reject(n + first);
    playcount.set(plays as Float32Array, n);
    n += chunk.rowCount;
    await turn();
  }
  return { user, track, playcount };
}

function firstNotPositive(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!(values[i] > 0 && values[i] < Infinity)) return i;
  return -1;
}

function halves(view: ArrayBufferView): Int32Array {
  return new Int32Array(view.buffer, view.byteOffset, view.byteLength / 4);
}
