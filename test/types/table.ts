// Rows of tables: what is known of their columns, by the compiler.
import {
  type Cell,
  type Column,
  countsByGenre,
  meansByYear,
  missingValues,
  type Plays,
  Plays as PlaysClass,
  type Row,
  readTable,
  sql,
  Table,
  type Tracks,
  topArtists,
} from '../../lib/recital/index.js';
import { is } from './same.js';

declare const plays: Plays;
declare const tracks: Tracks;
declare const name: string;
declare const any: Table;

// Without a type of rows all is as it was.
is<Column>()(any.column('whatever'));
is<Float64Array>()(any.numbers(name));
is<readonly (string | null)[]>()(any.strings('whatever'));
is<Row>()(any.row(0));
is<Row[]>()(any.rows());
export const record: Record<string, Cell> = any.row(0);
is<Table<Row>>()(any.select(['a', name]));
is<Table<Row>>()(any.head().take([0]).withColumn('more', [1]));
const names = ['a', 'b'] as readonly string[];
new Table(new Map(names.map((each) => [each, any.column(each)])));

// Of records.
const list = Table.fromRows([
  { track: 'a', plays: 3, liked: true },
  { track: 'b', plays: null },
]);
is<string>()(list.row(0).track);
is<number | null>()(list.row(0).plays);
is<string | null>()(list.row(0).liked);
is<Float64Array>()(list.column('plays'));
is<readonly string[]>()(list.column('track'));
is<readonly (string | null)[]>()(list.column('liked'));
is<readonly string[]>()(list.strings('track'));
is<readonly (string | null)[]>()(list.strings('plays'));
for (const row of list) is<string>()(row.track);
for (const row of list.rows()) is<number | null>()(row.plays);
is<string>()(list.head(1).take([0]).row(0).track);
is<Column>()(list.column(name)); // a name that only the program knows
list.numbers(name);
list.select([name]).column('anything');
const chosen = list.select(['plays']);
is<number | null>()(chosen.row(0).plays);
const wider: Table = list;
wider.column('anything');
is<number>()(list.withColumn('share', [0.5, 0.5]).row(0).share);
is<string | null>()(list.withColumn('plays', ['many', null]).row(0).plays);
is<string>()(list.withColumn('plays', ['many', null]).row(0).track);
is<Table<Row>>()(list.withColumn(name, [1, 2]));
is<{ plays: number | null }>()({
  ...Table.fromRows([{ plays: 3 }, { plays: null, b: 1 }], ['plays']).row(0),
});
interface Listen {
  user: string;
  n: number;
}
declare const listens: Listen[];
is<number>()(Table.fromRows(listens).row(0).n);
is<Table<Row>>()(Table.fromRows([]));
is<Table<Row>>()(Table.fromRows(any.rows()));
is<Table<Row>>()(Table.fromRows(any.rows(), ['a', name]));

// @ts-expect-error: there is no such column
list.column('palys');
// @ts-expect-error
list.numbers('palys');
// @ts-expect-error
list.strings('palys');
// @ts-expect-error
list.select(['track', 'palys']);
// @ts-expect-error
chosen.column('track');
// @ts-expect-error
list.row(0).palys;
// @ts-expect-error
for (const row of list) row.palys;
// @ts-expect-error: a cell is no array
Table.fromRows([{ track: ['a'] }]);

// Of columns.
const made = new Table({ title: ['a', 'b'], n: [3, 1], f: Float32Array.of(1, 2), m: ['x', null] });
is<{ title: string; n: number; f: number; m: string | null }>()({ ...made.row(0) });
is<Float64Array>()(made.column('f'));
is<Table<Row>>()(new Table(new Map([['a', [1]]])));
// @ts-expect-error
made.column('titel');
// @ts-expect-error: a column is of numbers or of texts
new Table({ wrong: [new Date()] });
const written: Table<{ title: string }> = made.select(['title']);
written.strings('title');
// @ts-expect-error: a column of texts is none of numbers
const numbers: Table<{ title: number }> = made.select(['title']);
numbers.length;

// Of queries and files.
export async function asked(): Promise<void> {
  const counts = await sql<{ artist: string; n: number }>(
    'select artist, count(*) as n from tracks',
    {
      tables: { tracks, plays, list },
    },
  );
  is<string>()(counts.row(0).artist);
  is<Float64Array>()(counts.column('n'));
  for (const { artist, n } of counts) is<string>()(artist + n.toFixed());
  // @ts-expect-error
  counts.column('artits');
  is<Table<Row>>()(await sql('select 1'));
  const typed = await sql<Listen>('select "user", n from plays'); // an interface
  PlaysClass.fromTable(typed, { columns: { playcount: 'n' } });
  is<number>()((await readTable<Listen>('log.csv')).row(0).n);
  is<Table<Row>>()(await readTable('log.csv'));
  await sql('from typed', { tables: { typed } });
}

// Of the library.
is<{ track_id: string; user_id: string; playcount: number }>()(plays.toTable().row(0));
is<number>()(topArtists(plays, 3).row(0).playcount);
is<string>()(topArtists(tracks).row(0).artist);
// @ts-expect-error: a catalogue has no plays
topArtists(tracks).row(0).playcount;
is<string>()(countsByGenre(plays).row(0).genre);
is<number>()(meansByYear(tracks, ['energy']).row(0).energy);
is<Float64Array>()(meansByYear(tracks).column('anything'));
is<number>()(missingValues(list).row(0).percent);
