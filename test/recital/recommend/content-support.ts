import { Random } from '../../../lib/recital/compute/random.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { type ColumnValues, Table } from '../../../lib/recital/data/table.js';
import { Tracks } from '../../../lib/recital/data/tracks.js';

/** A catalogue of tracks `t00`, `t01` … with these columns. */
export function catalogueOf(columns: Readonly<Record<string, ColumnValues>>): Tracks {
  const table = new Table(columns);
  return new Tracks(
    new Table({
      track_id: Array.from({ length: table.length }, (_, i) => `t${String(i).padStart(2, '0')}`),
      ...columns,
    }),
  );
}

/**
 * The plays with a catalogue of audio features: tracks with even and with odd numbers sound
 * differently, each a little different from the others. Tracks that nobody plays have none.
 */
export function withSound(plays: Plays): Plays {
  const random = new Random('sound');
  const before = plays.catalogue?.table ?? new Table({ track_id: plays.tracks.classes });
  const ids = before.strings('track_id');
  const column = (of: (number: number) => number): Float64Array =>
    Float64Array.from(ids, (id) => (plays.tracks.has(id!) ? of(Number(id!.slice(-2))) : NaN));
  const parity = (number: number): number => (number % 2) + 0.1 * random.normal();
  return plays.withCatalogue(
    new Tracks(
      before
        .withColumn('energy', column(parity))
        .withColumn('valence', column(parity))
        .withColumn(
          'tempo',
          column(() => 120 + 5 * random.normal()),
        ),
    ),
  );
}

/**
 * Listeners who play tracks that sound alike: four kinds of 60 tracks, 12 tracks each, with noise
 * in features and taste.
 */
export function plantedPlays(): Plays {
  const random = new Random('planted');
  const tracks = Array.from({ length: 240 }, (_, t) => ({ track_id: `t${100 + t}`, kind: t % 4 }));
  const feature = (of: (kind: number) => number): Float64Array =>
    Float64Array.from(tracks, ({ kind }) => of(kind) + 0.4 * random.normal());
  const catalogue = new Tracks(
    new Table({
      track_id: tracks.map(({ track_id }) => track_id),
      energy: feature((kind) => kind % 2),
      valence: feature((kind) => (kind >> 1) % 2),
      tempo: feature(() => 0).map((x) => 100 + 30 * x), // says nothing
    }),
  );
  const rows = Array.from({ length: 120 }, (_, u) => {
    const order = random.permutation(tracks.length);
    const own = order.filter((t) => tracks[t].kind === u % 4).subarray(0, 10);
    const other = order.filter((t) => tracks[t].kind !== u % 4).subarray(0, 2);
    return [...own, ...other].map((t) => ({
      user: `u${100 + u}`,
      track: tracks[t].track_id,
      playcount: 1 + random.int(5),
    }));
  });
  return Plays.fromRows(rows.flat(), { catalogue });
}

/**
 * The same plays, but each track's are those of another: sound and taste have nothing to do with
 * each other.
 */
export function withShuffledTracks(plays: Plays, seed: number): Plays {
  const to = new Random(seed).permutation(plays.tracks.length);
  return new Plays({ ...plays, track: plays.track.map((t) => to[t]) });
}
