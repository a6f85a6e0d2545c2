import { ArgumentError } from '../errors.js';
import { checkArgument, said } from '../options.js';
import { Plays } from './plays.js';
import { type Column, Table } from './table.js';
import { Tracks } from './tracks.js';
import { codePointOrder } from './vocabulary.js';

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
 * How many tracks each genre has, and for plays the sum of the playcounts: see {@link topArtists}.
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
  checkArgument(
    Array.isArray(columns),
    columns,
    'meansByYear',
    "an array of columns' names, such as ['energy', 'tempo']",
  );
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
  if (!(n >= 1 && (Number.isInteger(n) || n === Infinity)))
    throw new ArgumentError(`n must be a positive whole number, got ${said(n)}.`);
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
