import type {
  DuckDBConnection,
  DuckDBPreparedStatement,
  DuckDBResult,
  DuckDBType,
  DuckDBValue,
} from '@duckdb/node-api';
import type { AsyncSteps } from '../../compute/interrupt.js';
import { ArgumentError, DataError, InterruptedError, RecitalError } from '../../errors.js';
import { checkOptions, didYouMean, isNumbers } from '../../options.js';
import { counted, whatIs } from '../../printed.js';
import { Plays } from '../plays.js';
import {
  type PlaysColumnNames,
  playsPositionsIn,
  sumDuplicates,
  warnOfDuplicates,
} from '../plays-columns.js';
import { type Cells, type Row, Table } from '../table.js';
import { Tracks } from '../tracks.js';
import {
  identifier,
  loadDuckDB,
  missingExtension,
  stopped,
  tableOf,
  typedItems,
  withDuckDB,
} from './duckdb.js';
import { encodePlaysOn, playsSql } from './encode-plays.js';

/**
 * A value for a query. null is NULL; an array of texts or numbers is a list, for
 * `where x in (select unnest($list))`.
 */
export type SqlValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | ArrayLike<string | number | null>;

/** Options of {@link sql}. */
export interface SqlOptions {
  /**
   * Tables of the query by name. Plays have the columns track_id, user_id and playcount. Default:
   * none; files can be named anyway.
   */
  tables?: Readonly<Record<string, Table<object> | Tracks | Plays>>;
  /**
   * Values for the query's `?`, `$1` …, in order, or for its `$name`, by name. They never become
   * part of the query's text, so that a quotation mark in a value does no harm. Default: none.
   */
  params?: readonly SqlValue[] | Readonly<Record<string, SqlValue>>;
}

/**
 * Runs a query in SQL (DuckDB's dialect) on tables in memory, and on files by their quoted paths.
 * Missing values are NULL. Rows have no order unless the query says `order by`.
 *
 * Numbers come as numbers. Dates and times come as text, and so does a column of whole or decimal
 * numbers with more digits than a JavaScript number holds. DuckDB guesses the types of a text
 * file's columns: ids of more than 18 digits become rounded DOUBLEs, `4:33` a time, `t` true. To
 * keep texts as they are, write `from read_csv('x.csv', all_varchar = true)`, or use `readTable`.
 * The rows are as the type argument says, `sql<{ artist: string; n: number }>(…)`; nothing checks that
 * they are. Default: any columns, each cell a text, a number or null.
 * @param query in DuckDB's dialect; files are named in quotes, `'../data/x.csv'`. Of several
 *   statements only the last may give rows
 * @throws ArgumentError with DuckDB's explanation if the query is wrong, or a table's or column's
 *   name cannot be had (DuckDB takes `a` and `A` for the same)
 * @example await sql('select artist, count(*) as n from tracks group by artist order by n desc limit 3', { tables: { tracks } })
 * @example (await sql<{ artist: string; n: number }>('select artist, count(*) as n from tracks group by all', { tables: { tracks } })).row(0).n
 * @example await sql("select * from '../data/Music Info.csv' limit 5")
 * @example await sql('select * from tracks where artist = $artist', { tables: { tracks }, params: { artist: "Guns N' Roses" } })
 */
export async function sql<R extends object = Row>(
  query: string,
  options: SqlOptions = {},
): Promise<Table<Cells<R>>> {
  checkOptions(options, ['tables', 'params'], 'sql');
  const table = await withDuckDB('asking the query', async function* (connection) {
    return yield* tableOf(yield* runQuery(connection, query, options));
  });
  return table as Table<object> as Table<Cells<R>>;
}

/** Runs a query with its tables and parameters. */
async function* runQuery(
  connection: DuckDBConnection,
  query: string,
  { tables = {}, params = [] }: SqlOptions,
): AsyncSteps<DuckDBResult> {
  if (typeof query !== 'string' || query.trim() === '')
    throw new ArgumentError(
      `A query is a text, such as "select 1", got ${typeof query === 'string' ? 'an empty one' : typeof query}.`,
    );
  if (typeof tables !== 'object' || tables === null)
    throw new ArgumentError(`tables are given by name, { plays }, got ${whatIs(tables)}.`);
  if (typeof params !== 'object' || params === null)
    throw new ArgumentError(
      `params are the values of ? in order, ['a', 3], or those of $name by name, { name: 'a' }, got ${whatIs(params)}.`,
    );
  for (const [name, data] of Object.entries(tables)) {
    try {
      if (data instanceof Plays) yield* addPlays(connection, name, data);
      else yield* addTable(connection, name, columnsOf(data));
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
      throw new ArgumentError(
        `The table "${name}" cannot be given to a query: ${(error as Error).message}`,
      );
    }
  }
  try {
    return await runStatements(connection, query, params);
  } catch (error) {
    if (error instanceof RecitalError) throw error;
    const message = (error as Error).message.replace(/^Failed to extract statements: /, '');
    const extension = missingExtension(message);
    if (extension !== undefined) throw new ArgumentError(`The query failed. ${extension}`);
    const known = Object.keys(tables);
    const hint = /Table with name/.test(message)
      ? ' Variables are given to it by name: sql(query, { tables: { plays } }).'
      : '';
    const given = known.length ? `the tables ${known.join(', ')}.` : `no tables.${hint}`;
    throw new ArgumentError(`The query failed: ${message}\nIt was given ${given}`);
  }
}

type Params = NonNullable<SqlOptions['params']>;

/** Runs the statements of a query in order, and returns the result of the last one. */
async function runStatements(
  connection: DuckDBConnection,
  query: string,
  params: Params,
): Promise<DuckDBResult> {
  const { ResultReturnType } = await loadDuckDB();
  const statements = await connection.extractStatements(query).catch((error: Error) => {
    if (/native callback/.test(error.message))
      throw new ArgumentError('The query holds no statement, such as "select 1".'); // of comments alone
    throw error;
  });
  const used = new Set<string>();
  let result: DuckDBResult | undefined;
  for (let i = 0; i < statements.count; i++) {
    const statement = await statements.prepare(i); // only now: it may name what an earlier one has made
    await bind(statement, params, used);
    if (result?.returnType === ResultReturnType.QUERY_RESULT)
      throw new ArgumentError(
        `The query has ${statements.count} statements, and statement ${i} gives rows that would be lost: only the last one may give any. Ask them one by one.`,
      );
    result = await statement.run();
  }
  checkUsed(params, [...used]);
  return result!;
}

/** Throws for a value that no statement has used. */
function checkUsed(params: Params, used: readonly string[]): void {
  const inOrder = Array.isArray(params);
  const names = inOrder ? params.map((_, i) => String(i + 1)) : Object.keys(params);
  const unused = names.find((name) => !used.includes(name));
  if (unused === undefined) return;
  const what = inOrder ? `value ${unused} of params` : `the value "${unused}" of params`;
  const there = used.length
    ? `It has ${used.map((name) => `$${name}`).join(', ')}`
    : 'It has no parameters';
  const end = inOrder ? '.' : didYouMean(unused, used);
  throw new ArgumentError(`The query does not use ${what}. ${there}${end}`);
}

/** Gives a statement the values of its parameters. */
async function bind(
  statement: DuckDBPreparedStatement,
  params: Params,
  used: Set<string>,
): Promise<void> {
  const values = new Map(
    Array.isArray(params)
      ? params.map((value, i): [string, unknown] => [String(i + 1), value])
      : Object.entries(params),
  );
  for (let i = 1; i <= statement.parameterCount; i++) {
    const name = statement.parameterName(i);
    used.add(name);
    const value = values.get(name);
    if (value === undefined) {
      const numbered = /^\d+$/.test(name);
      const example = numbered ? "{ params: ['…'] }" : `{ params: { ${name}: '…' } }`;
      const given = Array.isArray(params)
        ? counted(params.length, 'value')
        : `the names ${Object.keys(params).join(', ')}`;
      throw new ArgumentError(
        `The query needs a value for its parameter ${numbered ? name : `$${name}`}, ${example}; given: ${given}.`,
      );
    }
    statement.bindValue(i, ...(await typedValue(value, name)));
  }
}

/** The value of a parameter as DuckDB takes it, and its type. */
async function typedValue(value: unknown, name: string): Promise<[DuckDBValue, DuckDBType]> {
  const duckdb = await loadDuckDB();
  const { BIGINT, BOOLEAN, DOUBLE, HUGEINT, INTEGER, LIST, SQLNULL, VARCHAR } = duckdb;
  const wrong = (got: string): ArgumentError =>
    new ArgumentError(
      `Parameter ${name} must be a text, a number, true, false, null, or an array of texts or of numbers, got ${got}.`,
    );
  if (value === null) return [null, SQLNULL];
  if (typeof value === 'string') return [value, VARCHAR];
  if (typeof value === 'boolean') return [value, BOOLEAN];
  if (typeof value === 'bigint') {
    if (value >= -(2n ** 127n) && value < 2n ** 127n) return [value, HUGEINT];
    throw wrong(`${value}, of more than 127 bits`);
  }
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) return [value, DOUBLE];
    return Math.abs(value) < 2 ** 31 ? [value, INTEGER] : [BigInt(value), BIGINT];
  }
  if (!isNumbers(value)) throw wrong(whatIs(value));
  const items: unknown[] = Array.from(value);
  const are = (fits: (item: unknown) => boolean): boolean =>
    items.every((item) => item === null || fits(item));
  const list = (type: DuckDBType): [DuckDBValue, DuckDBType] => {
    const made = items.map((item) =>
      type === BIGINT && item !== null ? BigInt(item as number) : item,
    );
    return [duckdb.listValue(made as DuckDBValue[]), LIST(type)];
  };
  if (are((item) => typeof item === 'string')) return list(VARCHAR);
  if (are(Number.isSafeInteger)) return list(BIGINT);
  if (are((item) => typeof item === 'number')) return list(DOUBLE);
  throw wrong(`an array of ${[...new Set(items.map(whatIs))].join(' and ')}`);
}

/** Plays as the rows of a query, for {@link readPlays} in place of a path. */
export interface PlaysOfQuery extends SqlOptions {
  /**
   * The query in DuckDB's dialect, as for `sql`: over files, folders of them
   * (`'plays/**' + '/*.parquet'`), and `tables`.
   */
  sql: string;
  /**
   * The columns. Default: `user_id` or `user`, `track_id` or `track`, and `playcount`; without
   * `playcount` each row counts once. Plays are in the order of `time` if it is given, else in that
   * of the query.
   */
  columns?: PlaysColumnNames;
  /** The catalogue of the tracks. Default: none. */
  catalogue?: Tracks;
}

/** The plays of a query. Ids of millions of rows become no strings. */
export async function playsOfQuery(options: PlaysOfQuery): Promise<Plays> {
  const names = ['sql', 'tables', 'params', 'columns', 'catalogue'] as const;
  checkOptions(options, names, 'readPlays of a query');
  const { sql: query, tables, params, columns = {}, catalogue } = options;
  const plays = await withDuckDB('asking the query', async function* (connection) {
    const result = yield* runQuery(connection, query, { tables, params });
    const parts = partsOf(result, columns);
    const rows = '"recital rows"';
    const types = result.columnTypes().map((type, i) => `c${i} ${type}`);
    await connection.run(`create table ${rows} (${types.join(', ')})`);
    const appender = await connection.createAppender('recital rows');
    for await (const chunk of result) {
      appender.appendDataChunk(chunk);
      if (yield) throw stopped();
    }
    appender.closeSync();
    const reject = async (row: number): Promise<never> => {
      const wanted = Object.values(parts).join(', ');
      const read = await connection.runAndReadAll(
        `select ${wanted} from ${rows} limit 1 offset ${row}`,
      );
      const [[user, track, playcount, time]] = read.getRows();
      const when = parts.time ? ` and the time ${time}` : '';
      const times = parts.time ? ', and a time: in all rows a number, or in all an ISO date' : '';
      throw new DataError(
        `Row ${row} (counted from 0) of the query has the user ${user}, the track ${track}, the playcount ${playcount}${when}. ` +
          `Expected: two ids and a positive number${times}. Leave such rows out, by where.`,
      );
    };
    const encoded = yield* encodePlaysOn(connection, {
      path: 'The query',
      from: rows,
      ...parts,
      reject,
    });
    const { columns: unique, duplicates } = sumDuplicates(encoded);
    return new Plays({ ...unique, repairs: { duplicates, notInCatalogue: 0 } });
  });
  warnOfDuplicates('The query', plays.repairs);
  return catalogue === undefined ? plays : plays.withCatalogue(catalogue);
}

/** SQL of user, track, playcount and, if there is one, time, of the columns c0, c1 … */
function partsOf(result: DuckDBResult, columns: PlaysColumnNames) {
  const names = result.deduplicatedColumnNames();
  const types = result.columnTypes().map(String);
  const at = playsPositionsIn(names, columns);
  for (const role of ['user', 'track'] as const)
    checkIdType(role, names[at[role]], types[at[role]], QUERY);
  if (at.playcount >= 0 && !/INT|^(?:FLOAT|DOUBLE|BIGNUM|DECIMAL)/.test(types[at.playcount]))
    throw new DataError(
      `Column "${names[at.playcount]}" of the query is ${types[at.playcount]}; playcounts are numbers: write it as …::double.`,
    );
  const column = (i: number): string => `c${i}`;
  return playsSql(at, column, (i) => `c${i}::varchar`);
}

/** Types of which every id is written in one way, without rounding. */
const ID_TYPE =
  /^(?:VARCHAR|JSON|UUID|ENUM\(.*\)|U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|UINTEGER|BIGNUM)$|^DECIMAL/s;

/**
 * Throws DataError for a type of ids whose values may be rounded or written in another way.
 * @param source the name of the column's table, and advice
 */
export function checkIdType(
  role: string,
  column: string,
  type: string,
  source: { name: string; advice: string },
): void {
  if (ID_TYPE.test(type)) return;
  throw new DataError(
    `Column "${column}" of ${source.name}, the ${role}s, is ${type}, in which ids can be rounded, or be written otherwise than they were. ` +
      `${source.advice} ${column}::bigint or ${column}::varchar.`,
  );
}

const QUERY = {
  name: 'the query',
  advice:
    "Of a text file read them as they stand there, from read_csv('…', all_varchar = true); else say what they are,",
};

/** The values of a column for DuckDB. */
type NewColumn = Float64Array | Float32Array | Int32Array | readonly (string | null)[];
type NewColumns = readonly (readonly [string, NewColumn])[];

function columnsOf(data: unknown): NewColumns {
  const table = data instanceof Tracks ? data.table : data;
  if (!(table instanceof Table))
    throw new ArgumentError(`a Table, Tracks or Plays was expected, got ${typeof data}.`);
  return table.columnNames.map((name) => [name, table.column(name)]);
}

/** Plays as a view that joins their codes with tables of ids: rows cost no strings. */
async function* addPlays(
  connection: DuckDBConnection,
  name: string,
  { users, tracks, user, track, playcount }: Plays,
): AsyncSteps<void> {
  const numbered = (ids: readonly string[]): NewColumns => [
    ['i', Int32Array.from(ids.keys())],
    ['id', ids],
  ];
  yield* addTable(connection, `${name} users`, numbered(users.classes));
  yield* addTable(connection, `${name} tracks`, numbered(tracks.classes));
  const rows = Object.entries({ u: user, t: track, playcount });
  yield* addTable(connection, `${name} rows`, rows);
  await connection.run(
    `create view ${identifier(name)} as select tracks.id as track_id, users.id as user_id, playcount::double as playcount ` +
      `from ${identifier(`${name} rows`)} as plays join ${identifier(`${name} users`)} as users on u = users.i ` +
      `join ${identifier(`${name} tracks`)} as tracks on t = tracks.i`,
  );
}

/** Numbers that are NaN become NULL, in a column of float64. */
async function* addTable(
  connection: DuckDBConnection,
  name: string,
  columns: NewColumns,
): AsyncSteps<void> {
  const { DOUBLE, DuckDBDataChunk, FLOAT, INTEGER, VARCHAR } = await loadDuckDB();
  if (columns.length === 0) throw new ArgumentError('it has no columns.');
  const types = columns.map(([, column]) => {
    if (column instanceof Float64Array) return DOUBLE;
    if (column instanceof Float32Array) return FLOAT;
    return column instanceof Int32Array ? INTEGER : VARCHAR;
  });
  const described = columns.map(([column], j) => `${identifier(column)} ${types[j]}`);
  await connection.run(`create table ${identifier(name)} (${described.join(', ')})`);
  const appender = await connection.createAppender(name);
  const ROWS = 2048; // DuckDB's vector size: a chunk cannot be longer
  const [[, { length }]] = columns;
  for (let start = 0; start < length; start += ROWS) {
    const end = Math.min(start + ROWS, length);
    const chunk = DuckDBDataChunk.create(types, end - start);
    columns.forEach(([, column], j) => {
      if (column instanceof Float64Array) {
        const part = Array.from(column.subarray(start, end), (v) => (Number.isNaN(v) ? null : v));
        chunk.setColumnValues(j, part);
      } else if (column instanceof Float32Array || column instanceof Int32Array) {
        const vector = chunk.getColumnVector(j);
        (typedItems(vector) as typeof column).set(column.subarray(start, end)); // at once
        vector.flush();
      } else chunk.setColumnValues(j, column.slice(start, end));
    });
    appender.appendDataChunk(chunk);
    if (yield) throw stopped();
  }
  appender.closeSync();
}
