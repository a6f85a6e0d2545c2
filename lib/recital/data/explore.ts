import { ArgumentError, UnknownIdError } from '../errors.js';
import { checkArgument, checkCount, checkNumber } from '../options.js';
import { numbersWhere } from './csr.js';
import { countsOf, Plays } from './plays.js';
import { type Column, Table } from './table.js';
import { Tracks } from './tracks.js';
import { codePointOrder } from './vocabulary.js';

/** Data to explore: a table, the catalogue, or plays. */
export type Explorable = Table | Tracks | Plays;

/**
 * Descriptive statistics, as pandas' `describe().T`: a row per numeric column, with count (values
 * there), missing, mean, std (divided by n − 1), min, the quartiles by linear interpolation, and
 * max. NaN where a value is not defined: std of one value, everything of none.
 *
 * Of plays it describes the playcounts, the plays of each user and the plays of each track: the
 * columns `playcount`, `plays of a user`, `plays of a track`.
 * @param columns which ones. Default: all numeric ones
 * @example describe(new Table({ x: Float64Array.of(1, 2, 3, 4) })) // count 4, mean 2.5, std 1.290994, quartiles 1.75, 2.5, 3.25
 */
export function describe(data: Explorable, columns?: readonly string[]): Table {
  if (!(data instanceof Plays)) checkTabular(data, 'describe', ', or plays');
  const source =
    data instanceof Plays ? playsColumns(data, columns) : numericColumns(data, columns);
  return Table.fromRows(
    Array.from(source, ([column, values]) => ({ column, ...statistics(values) })),
    ['column', 'count', 'missing', 'mean', 'std', 'min', '25%', '50%', '75%', 'max'],
  );
}

function statistics(values: Float64Array): Record<string, number> {
  const sorted = values.slice().sort(); // NaN last
  const none = sorted.findIndex(Number.isNaN);
  const present = none < 0 ? sorted : sorted.subarray(0, none);
  const count = present.length;
  const mean = count === 0 ? NaN : sumOf(present) / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (present[i] - mean) ** 2;
  return {
    count,
    missing: values.length - count,
    mean,
    std: count < 2 ? NaN : Math.sqrt(squares / (count - 1)),
    min: quantile(present, 0),
    '25%': quantile(present, 0.25),
    '50%': quantile(present, 0.5),
    '75%': quantile(present, 0.75),
    max: quantile(present, 1),
  };
}

/**
 * The q-quantile of ascending values: between the two nearest ones in proportion (pandas' and
 * NumPy's `linear`). NaN of none.
 * @param q a share, from 0 to 1
 */
export function quantile(ascending: Float64Array, q: number): number {
  checkNumber(q, q >= 0 && q <= 1, 'q is a share between 0 and 1', ' The median is q = 0.5.');
  if (ascending.length === 0) return NaN;
  const place = q * (ascending.length - 1);
  const below = Math.floor(place);
  const above = Math.ceil(place);
  return above === below
    ? ascending[below]
    : ascending[below] + (place - below) * (ascending[above] - ascending[below]);
}

/**
 * The number of missing values of each column, and their share of all rows in percent.
 * @example missingValues(tracks)
 */
export function missingValues(
  data: Table | Tracks,
): Table<{ column: string; missing: number; percent: number }> {
  const table = checkTabular(data, 'missingValues', ': of plays, plays.toTable()');
  const missing = table.columnNames.map((name) => {
    const column = table.column(name);
    let n = 0;
    for (let i = 0; i < column.length; i++) if (column[i] === null || Number.isNaN(column[i])) n++;
    return n;
  });
  return new Table({
    column: [...table.columnNames],
    missing: Float64Array.from(missing),
    percent: Float64Array.from(missing, (n) => (table.length === 0 ? 0 : (100 * n) / table.length)),
  });
}

/** Correlations of columns with each other. */
export interface Correlation {
  /** The columns. */
  readonly columns: readonly string[];
  /** columns × columns, row-major. */
  readonly matrix: Float64Array;
  /** The matrix with a column `column` of names in front. */
  readonly table: Table;
}

/**
 * Pearson's correlation of each pair of columns, over the rows where both have a value (pandas'
 * `corr`): Σ(x − x̄)(y − ȳ) / √(Σ(x − x̄)² Σ(y − ȳ)²). NaN where a column does not vary.
 * @param columns which ones. Default: of tracks the audio features, of a table all numeric columns
 * @example correlation(new Table({ x: Float64Array.of(1, 2, 3), y: Float64Array.of(6, 4, 2) })).matrix // 1, −1, −1, 1
 */
export function correlation(data: Table | Tracks, columns?: readonly string[]): Correlation {
  checkTabular(data, 'correlation', ': of plays, plays.toTable() or plays.catalogue');
  const features = data instanceof Tracks ? data.audioFeatures : undefined;
  const source = numericColumns(data, columns ?? features);
  const names = [...source.keys()];
  const values = [...source.values()];
  if (names.length === 0) throw new ArgumentError('There is no numeric column to correlate.');
  refuseName('column', names, 'the names in front of the matrix');
  const rows = values.map((x) => values.map((y) => pearson(x, y)));
  const own = names.map((name, j) => [name, Float64Array.from(rows[j])] as const);
  const table = new Table(new Map<string, Column>([['column', names], ...own]));
  return { columns: names, matrix: Float64Array.from(rows.flat()), table };
}

/** Pearson's correlation of two columns, over the rows where both have a value. */
export function pearson(x: Float64Array, y: Float64Array): number {
  const both = numbersWhere(x.length, (i) => !Number.isNaN(x[i]) && !Number.isNaN(y[i]));
  const [a, b] = [x, y].map((all) => {
    const values = Float64Array.from(both, (i) => all[i]);
    const mean = sumOf(values) / values.length;
    const largest = values.reduce((most, v) => Math.max(most, Math.abs(v - mean)), 0);
    return values.map((v) => (v - mean) / largest); // so that squares neither vanish nor overflow
  });
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < both.length; i++) {
    xx += a[i] * a[i];
    yy += b[i] * b[i];
    xy += a[i] * b[i];
  }
  return xx > 0 && yy > 0 ? Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy))) : NaN;
}

/** The table that is meant. */
function checkTabular(data: unknown, of: string, hint = ''): Table {
  const table = data instanceof Tracks ? data.table : data;
  const wanted = `a table, such as readTable reads, or a catalogue of tracks${hint}`;
  checkArgument(table instanceof Table, data, of, wanted);
  return table as Table;
}

function numericColumns(
  data: Table | Tracks,
  columns?: readonly string[],
): Map<string, Float64Array> {
  const table = data instanceof Tracks ? data.table : data;
  checkNames(columns, 'The choice of columns');
  const names =
    columns ?? table.columnNames.filter((name) => table.column(name) instanceof Float64Array);
  return new Map(names.map((name) => [name, table.numbers(name)]));
}

function playsColumns(plays: Plays, columns?: readonly string[]): Map<string, Float64Array> {
  checkNames(columns, 'describe');
  const all = new Map([
    ['playcount', new Float64Array(plays.playcount)],
    ['plays of a user', Float64Array.from(countsOf(plays.user, plays.users.length))],
    ['plays of a track', Float64Array.from(countsOf(plays.track, plays.tracks.length))],
  ]);
  const unknown = columns?.find((name) => !all.has(name));
  if (unknown !== undefined) throw new UnknownIdError('column', unknown, [...all.keys()]);
  return columns ? new Map(columns.map((name) => [name, all.get(name)!])) : all;
}

function checkNames(columns: unknown, of: string): void {
  const fits = columns === undefined || Array.isArray(columns);
  checkArgument(fits, columns, of, "an array of columns' names, such as ['energy', 'tempo']");
}

function refuseName(name: string, names: readonly string[], other: string): void {
  if (names.includes(name))
    throw new ArgumentError(
      `A column called "${name}" cannot be told from ${other}. Give it another name.`,
    );
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}

/** The rows of counts: of plays with their sum. */
type CountsBy<By extends string, D> = {
  [K in By | 'tracks' | (D extends Plays ? 'playcount' : never)]: K extends By ? string : number;
};

/**
 * The artists with the most. Of tracks: with the most tracks. Of plays: played most often, with the
 * number of their tracks that are played and the sum of the playcounts. Ties are in the order of
 * the names; tracks without an artist are left out.
 * @param data a catalogue, or plays that have one
 * @param n how many. Default 10
 * @returns columns artist, tracks, and for plays playcount
 * @example topArtists(plays, 10) // columns artist, tracks, playcount
 */
export function topArtists<D extends Tracks | Plays>(
  data: D,
  n = 10,
): Table<CountsBy<'artist', D>> {
  if (n !== Infinity) checkCount(n, 'n');
  return countBy('artist', data, 'topArtists').head(n) as Table<object> as Table<
    CountsBy<'artist', D>
  >;
}

/**
 * The number of tracks of each genre, and for plays the sum of playcounts: see {@link topArtists}.
 * All genres; tracks without one are left out.
 * @param data a catalogue, or plays that have one
 * @example countsByGenre(tracks).head(5)
 */
export function countsByGenre<D extends Tracks | Plays>(data: D): Table<CountsBy<'genre', D>> {
  return countBy('genre', data, 'countsByGenre') as Table<object> as Table<CountsBy<'genre', D>>;
}

/** The tracks of each artist or genre and, of plays, the plays: most first. */
function countBy(by: string, data: Tracks | Plays, of: string): Table {
  const wanted = 'a catalogue, such as readTracks reads, or plays that have one';
  checkArgument(data instanceof Tracks || data instanceof Plays, data, of, wanted);
  const plays = data instanceof Plays ? data : undefined;
  const catalogue = data instanceof Plays ? data.catalogue : data;
  if (!catalogue)
    throw new ArgumentError(
      `Plays without a catalogue have no ${by}. Attach one: plays.withCatalogue(await readTracks(…)).`,
    );
  const values = catalogue.table.strings(by);
  const sums = new Float64Array(catalogue.length).fill(plays ? 0 : 1); // plays of each row
  if (plays) {
    const rows = catalogue.rowsOf(plays.tracks);
    for (let i = 0; i < plays.length; i++) {
      const row = rows[plays.track[i]];
      if (row >= 0) sums[row] += plays.playcount[i];
    }
  }
  const counts = new Map<string, { tracks: number; playcount: number }>();
  values.forEach((value, row) => {
    if (value === null || sums[row] === 0) return;
    const count = counts.get(value) ?? { tracks: 0, playcount: 0 };
    counts.set(value, { tracks: count.tracks + 1, playcount: count.playcount + sums[row] });
  });
  const size = plays ? 'playcount' : 'tracks';
  const names = codePointOrder([...counts.keys()]);
  const best = names.sort((a, b) => counts.get(b)![size] - counts.get(a)![size]); // stable: ties stay in the order of the names
  const column = (field: 'tracks' | 'playcount'): Float64Array =>
    Float64Array.from(best, (name) => counts.get(name)![field]);
  return new Table({
    [by]: best,
    tracks: column('tracks'),
    ...(plays && { playcount: column('playcount') }),
  });
}

/**
 * The means of columns by year of release, for trends: columns year (ascending), tracks, and the
 * mean of each column over the tracks of that year that have a value. Tracks without a year are
 * left out.
 * @param tracks the catalogue
 * @param columns which ones. Default: the audio features
 * @example lineChart(meansByYear(tracks, ['energy']), { x: 'year', y: 'energy' })
 */
export function meansByYear<K extends string>(
  tracks: Tracks,
  columns: readonly K[] = tracks?.audioFeatures as readonly K[],
): Table<{ [N in K | 'year' | 'tracks']: number }> {
  const wanted = 'a catalogue of tracks, such as readTracks reads: of plays, plays.catalogue';
  checkArgument(tracks instanceof Tracks, tracks, 'meansByYear', wanted);
  checkNames(columns, 'meansByYear');
  refuseName('tracks', columns, 'the number of tracks');
  const years = tracks.table.numbers('year');
  const distinct = Float64Array.from(new Set(years.filter((y) => !Number.isNaN(y)))).sort();
  const at = new Map(Array.from(distinct, (year, i) => [year, i]));
  const mean = (values: Float64Array): { n: Float64Array; mean: Float64Array } => {
    const n = new Float64Array(distinct.length);
    const sums = new Float64Array(distinct.length);
    for (let row = 0; row < years.length; row++) {
      const i = at.get(years[row]);
      if (i === undefined || Number.isNaN(values[row])) continue;
      n[i]++;
      sums[i] += values[row];
    }
    return { n, mean: sums.map((sum, i) => sum / n[i]) };
  };
  const means = columns.map((name) => [name, mean(tracks.table.numbers(name)).mean] as const);
  const all = new Map<string, Column>([['year', distinct], ['tracks', mean(years).n], ...means]);
  return new Table(all) as Table<object> as Table<{ [N in K | 'year' | 'tracks']: number }>;
}

/** Units of audio features; the others are shares from 0 to 1. */
const units: Readonly<Record<string, string>> = {
  duration_ms: 'ms',
  loudness: 'dB',
  tempo: 'beats a minute',
};

/** The title of an axis: the column's name, and its unit if it has one, e.g. `loudness (dB)`. */
export function withUnit(column: string): string {
  return Object.hasOwn(units, column) ? `${column} (${units[column]})` : column;
}
