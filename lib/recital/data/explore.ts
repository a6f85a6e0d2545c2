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
 * Descriptive statistics, as pandas' `describe().T`: a row a numeric column, with count (values
 * there), missing, mean, std (divided by n − 1), min, the quartiles by linear interpolation, and
 * max. NaN where a value is not defined: std of one value, everything of none.
 *
 * Of plays it describes the playcounts, the plays of each user and the plays of each track: the
 * columns `playcount`, `plays of a user`, `plays of a track`.
 * @param data what is described: a table, a catalogue or plays
 * @param columns which ones. Default: all numeric ones
 * @example describe(new Table({ x: Float64Array.of(1, 2, 3, 4) })) // count 4, mean 2.5, std 1.290994, quartiles 1.75, 2.5, 3.25
 */
export function describe(data: Explorable, columns?: readonly string[]): Table {
  checkArgument(isTabular(data) || data instanceof Plays, data, 'describe', `${TABULAR}, or plays`);
  const source =
    data instanceof Plays ? playsColumns(data, columns) : numericColumns(data, columns);
  return Table.fromRows(
    Array.from(source, ([column, values]) => ({ column, ...statistics(values) })),
    ['column', 'count', 'missing', 'mean', 'std', 'min', '25%', '50%', '75%', 'max'],
  );
}

function statistics(values: Float64Array): Record<string, number> {
  const present = ascending(values);
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

/** The values that are not missing, ascending. Sorting puts NaN last. */
function ascending(values: Float64Array): Float64Array {
  const sorted = values.slice().sort();
  let n = sorted.length;
  while (n > 0 && Number.isNaN(sorted[n - 1])) n--;
  return sorted.subarray(0, n);
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
 * @param data a table or a catalogue
 * @example missingValues(tracks)
 */
export function missingValues(data: Table | Tracks): Table {
  checkArgument(isTabular(data), data, 'missingValues', `${TABULAR}: of plays, plays.toTable()`);
  const table = data instanceof Tracks ? data.table : data;
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
 * @param data columns of numbers; of a catalogue its audio features
 * @param columns which ones. Default: of tracks the audio features, of a table all numeric columns
 * @example correlation(new Table({ x: Float64Array.of(1, 2, 3), y: Float64Array.of(6, 4, 2) })).matrix // 1, −1, −1, 1
 */
export function correlation(data: Table | Tracks, columns?: readonly string[]): Correlation {
  const hint = ': of plays, plays.toTable() or plays.catalogue';
  checkArgument(isTabular(data), data, 'correlation', TABULAR + hint);
  const source = numericColumns(
    data,
    columns ?? (data instanceof Tracks ? data.audioFeatures : undefined),
  );
  const names = [...source.keys()];
  const values = [...source.values()];
  if (names.length === 0) throw new ArgumentError('There is no numeric column to correlate.');
  if (source.has('column'))
    throw new ArgumentError(
      'A column called "column" cannot be told from the names in front of the matrix. Give it another name.',
    );
  const rows = values.map((x) => values.map((y) => pearson(x, y)));
  const table = new Map<string, Column>([['column', names]]);
  names.forEach((name, j) => {
    table.set(name, Float64Array.from(rows[j]));
  });
  return { columns: names, matrix: Float64Array.from(rows.flat()), table: new Table(table) };
}

function pearson(x: Float64Array, y: Float64Array): number {
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

const TABULAR = 'a table, such as readTable reads, or a catalogue of tracks';

function isTabular(data: unknown): data is Table | Tracks {
  return data instanceof Table || data instanceof Tracks;
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
  const counts = (indices: Int32Array, n: number): Float64Array =>
    Float64Array.from(countsOf(indices, n));
  const all = new Map([
    ['playcount', () => new Float64Array(plays.playcount)],
    ['plays of a user', () => counts(plays.user, plays.users.length)],
    ['plays of a track', () => counts(plays.track, plays.tracks.length)],
  ]);
  const known = [...all.keys()];
  const column = (name: string): Float64Array => {
    const make = all.get(name);
    if (!make) throw new UnknownIdError('column', name, known);
    return make();
  };
  checkNames(columns, 'describe');
  return new Map((columns ?? known).map((name) => [name, column(name)]));
}

function checkNames(columns: unknown, of: string): void {
  const fits = columns === undefined || Array.isArray(columns);
  checkArgument(fits, columns, of, "an array of columns' names, such as ['energy', 'tempo']");
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}

/**
 * The artists with the most. Of tracks: with the most tracks. Of plays: played most often, with the
 * number of their tracks that are played and the sum of the playcounts. Ties are in the order of
 * the names; tracks without an artist are left out.
 * @param data a catalogue, or plays that have one
 * @param n how many. Default 10
 * @returns columns artist, tracks, and for plays playcount
 * @example topArtists(plays, 10) // columns artist, tracks, playcount
 */
export function topArtists(data: Tracks | Plays, n = 10): Table {
  return top(countBy(data, 'artist'), n);
}

/**
 * The number of tracks of each genre, and for plays the sum of playcounts: see {@link topArtists}.
 * All genres; tracks without one are left out.
 * @param data a catalogue, or plays that have one
 * @example countsByGenre(tracks).head(5)
 */
export function countsByGenre(data: Tracks | Plays): Table {
  return top(countBy(data, 'genre'), Infinity);
}

/**
 * The means of columns by year of release, for trends: columns year (ascending), tracks, and the
 * mean of each column over the tracks of that year that have a value. Tracks without a year are
 * left out.
 * @param tracks the catalogue
 * @param columns which ones. Default: the audio features
 * @example lineChart(meansByYear(tracks, ['energy']), { x: 'year', y: 'energy' })
 */
export function meansByYear(
  tracks: Tracks,
  columns: readonly string[] = tracks?.audioFeatures,
): Table {
  checkArgument(
    tracks instanceof Tracks,
    tracks,
    'meansByYear',
    'a catalogue of tracks, such as readTracks reads: of plays, plays.catalogue',
  );
  checkNames(columns, 'meansByYear');
  if (columns.includes('tracks'))
    throw new ArgumentError(
      'A column called "tracks" cannot be told from the number of tracks. Give it another name.',
    );
  const years = tracks.table.numbers('year');
  const values = columns.map((name) => tracks.table.numbers(name));
  const distinct = Float64Array.from(new Set(years.filter((y) => !Number.isNaN(y)))).sort();
  const at = new Map(Array.from(distinct, (year, i) => [year, i]));
  const size = new Float64Array(distinct.length);
  const sums = columns.map(() => new Float64Array(distinct.length));
  const counts = columns.map(() => new Float64Array(distinct.length));
  for (let row = 0; row < years.length; row++) {
    const i = at.get(years[row]);
    if (i === undefined) continue;
    size[i]++;
    values.forEach((column, j) => {
      if (Number.isNaN(column[row])) return;
      sums[j][i] += column[row];
      counts[j][i]++;
    });
  }
  const means = columns.map(
    (name, j) => [name, sums[j].map((sum, i) => sum / counts[j][i])] as const,
  );
  return new Table(new Map<string, Column>([['year', distinct], ['tracks', size], ...means]));
}

interface Counts {
  by: string;
  names: string[];
  tracks: Map<string, number>;
  playcount: Map<string, number> | undefined;
}

function countBy(data: Tracks | Plays, by: string): Counts {
  checkArgument(
    data instanceof Tracks || data instanceof Plays,
    data,
    by === 'artist' ? 'topArtists' : 'countsByGenre',
    'a catalogue, such as readTracks reads, or plays that have one',
  );
  const plays = data instanceof Plays ? data : undefined;
  const catalogue = data instanceof Plays ? data.catalogue : data;
  if (!catalogue)
    throw new ArgumentError(
      `Plays without a catalogue have no ${by}. Attach one: plays.withCatalogue(await readTracks(…)).`,
    );
  const values = catalogue.table.strings(by);
  const counts = {
    by,
    names: [] as string[],
    tracks: new Map<string, number>(),
    playcount: plays ? new Map<string, number>() : undefined,
  };
  const add = (map: Map<string, number>, key: string, n: number): unknown =>
    map.set(key, (map.get(key) ?? 0) + n);
  if (plays) {
    const sums = new Float64Array(plays.tracks.length);
    for (let i = 0; i < plays.length; i++) sums[plays.track[i]] += plays.playcount[i];
    catalogue.rowsOf(plays.tracks).forEach((row, t) => {
      const value = row < 0 ? null : values[row];
      if (value === null || sums[t] === 0) return;
      add(counts.tracks, value, 1);
      add(counts.playcount!, value, sums[t]);
    });
  } else for (const value of values) if (value !== null) add(counts.tracks, value, 1);
  counts.names = codePointOrder([...counts.tracks.keys()]);
  return counts;
}

function top({ by, names, tracks, playcount }: Counts, n: number): Table {
  if (n !== Infinity) checkCount(n, 'n');
  const size = playcount ?? tracks;
  const best = names.sort((a, b) => size.get(b)! - size.get(a)!).slice(0, n); // stable: ties stay in the order of the names
  const column = (map: Map<string, number>): Float64Array =>
    Float64Array.from(best, (name) => map.get(name)!);
  return new Table({
    [by]: best,
    tracks: column(tracks),
    ...(playcount ? { playcount: column(playcount) } : {}),
  });
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
