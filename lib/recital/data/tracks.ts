import { found } from '../compute/checked.js';
import { ArgumentError, DataError, UnknownIdError } from '../errors.js';
import { checkArgument } from '../options.js';
import { counted, printed } from '../printed.js';
import { type Cell, Table } from './table.js';
import { Vocabulary } from './vocabulary.js';

/**
 * The 13 columns of Kaggle's `Music Info.csv` that describe the sound: Spotify's audio features and
 * the duration.
 * @example tracks.table.select(audioFeatures).head(3)
 */
export const audioFeatures: readonly string[] = [
  'duration_ms',
  'danceability',
  'energy',
  'key',
  'loudness',
  'mode',
  'speechiness',
  'acousticness',
  'instrumentalness',
  'liveness',
  'valence',
  'tempo',
  'time_signature',
];

/** The 21 columns of Kaggle's `Music Info.csv`, in its order. */
export const trackColumns: readonly string[] = [
  'track_id',
  'name',
  'artist',
  'spotify_preview_url',
  'spotify_id',
  'tags',
  'genre',
  'year',
  ...audioFeatures,
];

type Texts = readonly (string | null)[] | undefined;

/**
 * The catalogue: what is known of each track, in Kaggle's columns as far as they are there.
 * @example
 * const tracks = await readTracks('../data');
 * tracks.label(tracks.find('Song A')); // "Song A by …"
 */
export class Tracks {
  /** Number of tracks. */
  readonly length: number;
  /** Track ids in the order of the table's rows: the index of an id is its row. */
  readonly ids: Vocabulary;
  /** Kaggle's columns that the table lacks. */
  readonly missingColumns: readonly string[];
  private readonly titles: Texts;
  private readonly artists: Texts;
  private readonly years: Float64Array | undefined;
  private byName: Map<string, number[]> | undefined;

  /**
   * @param table one row per track; `track_id` is required, Kaggle's other columns are optional,
   *   further ones are kept
   * @throws DataError without a `track_id` column, for a missing id, and for an id that occurs
   *   twice
   */
  constructor(readonly table: Table) {
    const wanted = 'a table with a column track_id; readTracks reads a catalogue from a file';
    checkArgument(table instanceof Table, table, 'new Tracks', wanted);
    if (!table.has('track_id'))
      throw new DataError(
        `The tracks need a column "track_id"; there are: ${table.columnNames.join(', ') || 'none'}.`,
      );
    const ids = table.strings('track_id');
    const none = ids.findIndex((id) => id === null || id === '');
    if (none >= 0)
      throw new DataError(`Row ${none} of the tracks (counted from 0) has no track_id.`);
    this.ids =
      found<Vocabulary>(ids, 'vocabulary') ??
      Vocabulary.inOrder(ids as readonly string[], { kind: 'track' });
    if (this.ids.length < ids.length) {
      const seen = new Set<string | null>();
      const row = ids.findIndex((id) => seen.has(id) || !seen.add(id));
      const before = ids.indexOf(ids[row]);
      throw new DataError(
        `Track "${ids[row]}" occurs twice, in rows ${before} and ${row} (counted from 0). Each track needs one row: drop the others.`,
      );
    }
    this.length = table.length;
    this.missingColumns = trackColumns.filter((name) => !table.has(name));
    this.titles = table.has('name') ? table.strings('name') : undefined;
    this.artists = table.has('artist') ? table.strings('artist') : undefined;
    this.years = table.has('year') ? table.numbers('year') : undefined;
  }

  /** The audio features that the table has. */
  get audioFeatures(): readonly string[] {
    return audioFeatures.filter((name) => this.table.has(name));
  }

  /**
   * The value that JSON.stringify writes: the rows of the table.
   * @example JSON.stringify(new Tracks(Table.fromRows([{ track_id: 'a', name: 'A' }]))) // '[{"track_id":"a","name":"A"}]'
   */
  toJSON(): Record<string, Cell>[] {
    return this.table.rows();
  }

  /** Whether the catalogue has this track. */
  has(id: string): boolean {
    return this.ids.has(id);
  }

  /** The track's title, undefined where it is not known. */
  title(id: string): string | undefined {
    return this.text(this.titles, id);
  }

  /** The track's artist, undefined where it is not known. */
  artist(id: string): string | undefined {
    return this.text(this.artists, id);
  }

  /** The track's year of release, undefined where it is not known. */
  year(id: string): number | undefined {
    const row = this.ids.indexOf(id);
    const year = row < 0 || !this.years ? NaN : this.years[row];
    return Number.isNaN(year) ? undefined : year;
  }

  /**
   * "Title by Artist"; the id stands in for an unknown title, and an unknown artist is left out.
   */
  label(id: string): string {
    const title = this.title(id) ?? id;
    const artist = this.artist(id);
    return artist === undefined ? title : `${title} by ${artist}`;
  }

  /** The table's row of each class of a vocabulary, −1 for tracks that the catalogue lacks. */
  rowsOf(tracks: Vocabulary): Int32Array {
    const fits = tracks instanceof Vocabulary;
    checkArgument(fits, tracks, 'rowsOf', 'the ids of tracks, such as plays.tracks');
    return Int32Array.from({ length: tracks.length }, (_, i) => this.ids.indexOf(tracks.id(i)));
  }

  /**
   * The id of a track that a person names: by id, by title, or as "title by artist", whatever the
   * case.
   * @throws ArgumentError listing the candidates if several tracks have that name; UnknownIdError,
   *   with the nearest title, if none has
   */
  find(text: string): string {
    if (typeof text === 'string' && this.ids.has(text)) return text;
    this.byName ??= this.nameIndex();
    const rows = (typeof text === 'string' && this.byName.get(fold(text))) || [];
    if (rows.length === 1) return this.ids.id(rows[0]);
    if (rows.length === 0) {
      const known = new Set(this.titles?.flatMap((title) => title || []));
      const hint = 'Give an id, a title, or "title by artist".';
      throw new UnknownIdError('track', text, [...known], hint);
    }
    const listed = rows.slice(0, 10).map((row) => {
      const id = this.ids.id(row);
      const year = this.year(id);
      return `\n  ${id}  ${this.label(id)}${year ? ` (${year})` : ''}`;
    });
    const more = rows.length > listed.length ? `\n  … ${rows.length - listed.length} more` : '';
    throw new ArgumentError(
      `${rows.length} tracks are called "${text}". Say which, by its id or as "title by artist":${listed.join('')}${more}`,
    );
  }

  private text(column: Texts, id: string): string | undefined {
    const row = column ? this.ids.indexOf(id) : -1;
    return row < 0 ? undefined : column![row] || undefined;
  }

  private nameIndex(): Map<string, number[]> {
    const index = new Map<string, number[]>();
    for (let row = 0; row < this.length; row++) {
      const title = this.titles?.[row];
      if (!title) continue;
      const artist = this.artists?.[row];
      for (const name of artist ? [title, `${title} by ${artist}`] : [title]) {
        const key = fold(name);
        index.set(key, [...(index.get(key) ?? []), row]);
      }
    }
    return index;
  }
}

printed(Tracks, ({ length, table, missingColumns }) => {
  const missing = missingColumns.length ? `; without ${missingColumns.join(', ')}` : '';
  return `Tracks: ${counted(length, 'track')}, ${table.columnNames.length} columns${missing}\n${table.toString(10)}`;
});

/** A name without regard to case, surrounding blanks and the way accents are composed. */
function fold(name: string): string {
  return name.normalize('NFC').toLowerCase().trim();
}
