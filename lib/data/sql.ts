import type { DuckDBConnection, DuckDBType, DuckDBVector } from '@duckdb/node-api';
import { ArgumentError } from '../errors.js';
import { checkOptions } from '../options.js';
import { identifier, tableOf, typedItems, withDuckDB } from './duckdb.js';
import { Plays } from './plays.js';
import { Table } from './table.js';
import { Tracks } from './tracks.js';

/** Options of {@link sql}. */
export interface SqlOptions {
  /** What the query can name, by name. Plays have the columns track_id, user_id and playcount. Default: nothing but files. */
  tables?: Readonly<Record<string, Table | Tracks | Plays>>;
}

/**
 * Asks a question in SQL (DuckDB's dialect) of tables in memory, and of files by their quoted paths. Missing values are NULL there. Rows come in no
 * order unless the query says `order by`.
 * @param query in DuckDB's dialect; files are named in quotes, `'../data/x.csv'`
 * @throws ArgumentError with DuckDB's explanation if the query is wrong, or a table's or column's name cannot be had (DuckDB takes `a` and `A` for the same)
 * @example await sql('select artist, count(*) as n from tracks group by artist order by n desc limit 3', { tables: { tracks } })
 * @example await sql("select * from '../data/Music Info.csv' limit 5")
 */
export async function sql(query: string, options: SqlOptions = {}): Promise<Table> {
  checkOptions(options, ['tables'], 'sql');
  const { tables = {} } = options;
  if (typeof query !== 'string' || query.trim() === '') {
    throw new ArgumentError(`A query is a text, such as "select 1", got ${typeof query === 'string' ? 'an empty one' : typeof query}.`);
  }
  return withDuckDB('asking the query', async (connection, turn) => {
    const database = { connection, turn };
    for (const [name, data] of Object.entries(tables)) {
      try {
        if (data instanceof Plays) await addPlays(database, name, data);
        else await addTable(database, name, columnsOf(tableIn(data)));
      } catch (error) {
        throw new ArgumentError(`The table "${name}" cannot be given to a query: ${(error as Error).message}`);
      }
    }
    try {
      return await tableOf(await connection.run(query), turn);
    } catch (error) {
      const { message } = error as Error;
      const known = Object.keys(tables);
      const hint = /Table with name/.test(message) ? ' Variables are given to it by name: sql(query, { tables: { plays } }).' : '';
      const given = known.length ? `the tables ${known.join(', ')}.` : `no tables.${hint}`;
      throw new ArgumentError(`The query failed: ${message}\nIt was given ${given}`);
    }
  });
}

function tableIn(data: unknown): Table {
  if (data instanceof Table) return data;
  if (data instanceof Tracks) return data.table;
  throw new ArgumentError(`a Table, Tracks or Plays was expected, got ${typeof data}.`);
}

/** A database, and what gives the event loop a turn. */
interface Database {
  connection: DuckDBConnection;
  turn(): Promise<void>;
}

/** A column on its way into DuckDB. Typed arrays have no missing values. */
interface NewColumn {
  name: string;
  type: 'DOUBLE' | 'INTEGER' | 'FLOAT' | 'VARCHAR';
  values: Int32Array | Float32Array | readonly (number | string | null)[];
}

function columnsOf(table: Table): NewColumn[] {
  return table.columnNames.map((name) => {
    const column = table.column(name);
    if (!(column instanceof Float64Array)) return { name, type: 'VARCHAR', values: column };
    return { name, type: 'DOUBLE', values: Array.from(column, (v) => (Number.isNaN(v) ? null : v)) };
  });
}

/** Plays go in as they are encoded, with their ids as tables of their own, and a view puts them together: millions of rows cost no strings. */
async function addPlays(database: Database, name: string, plays: Plays): Promise<void> {
  const ids = (classes: readonly string[]): NewColumn[] => [
    { name: 'i', type: 'INTEGER', values: Int32Array.from(classes, (_, i) => i) },
    { name: 'id', type: 'VARCHAR', values: classes },
  ];
  await addTable(database, `${name} users`, ids(plays.users.classes));
  await addTable(database, `${name} tracks`, ids(plays.tracks.classes));
  await addTable(database, `${name} rows`, [
    { name: 'u', type: 'INTEGER', values: plays.user },
    { name: 't', type: 'INTEGER', values: plays.track },
    { name: 'playcount', type: 'FLOAT', values: plays.playcount },
  ]);
  await database.connection.run(
    `create view ${identifier(name)} as select tracks.id as track_id, users.id as user_id, playcount::double as playcount ` +
      `from ${identifier(`${name} rows`)} as plays join ${identifier(`${name} users`)} as users on u = users.i ` +
      `join ${identifier(`${name} tracks`)} as tracks on t = tracks.i`,
  );
}

async function addTable({ connection, turn }: Database, name: string, columns: NewColumn[]): Promise<void> {
  const { DOUBLE, DuckDBDataChunk, FLOAT, INTEGER, VARCHAR } = await import('@duckdb/node-api');
  if (columns.length === 0) throw new ArgumentError('it has no columns.');
  await connection.run(`create table ${identifier(name)} (${columns.map((c) => `${identifier(c.name)} ${c.type}`).join(', ')})`);
  const types: DuckDBType[] = columns.map((c) => ({ DOUBLE, FLOAT, INTEGER, VARCHAR })[c.type]);
  const appender = await connection.createAppender(name);
  const ROWS = 2048; // DuckDB's vector size: a chunk cannot be longer
  const length = columns[0].values.length;
  for (let start = 0; start < length; start += ROWS) {
    const end = Math.min(start + ROWS, length);
    const chunk = DuckDBDataChunk.create(types, end - start);
    columns.forEach(({ values }, j) => {
      if (Array.isArray(values)) chunk.setColumnValues(j, values.slice(start, end));
      else fill(chunk.getColumnVector(j), (values as Int32Array | Float32Array).subarray(start, end));
    });
    appender.appendDataChunk(chunk);
    await turn();
  }
  appender.closeSync();
}

/** Copies numbers at once where the vector shows its memory, else one by one. */
function fill(vector: DuckDBVector, values: Int32Array | Float32Array): void {
  const items = typedItems(vector);
  if (items instanceof Int32Array || items instanceof Float32Array) items.set(values);
  else for (let i = 0; i < values.length; i++) vector.setItem(i, values[i]);
  vector.flush();
}
