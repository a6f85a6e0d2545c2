import { inspect } from 'node:util';
import { type Cell, type Column, Table } from '../data/table.js';
import type { Tracks } from '../data/tracks.js';
import type { Vocabulary } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import { said } from '../options.js';
import { visible } from '../printed.js';
import type { Names } from './recommender.js';

/**
 * A ranked list of tracks, best first: a table with the columns rank (from 1), the track's id under
 * the name that it has in the data (`track_id` in plays), title, artist and year (as far as the
 * catalogue has them) and score, or similarity in answers of `similarTracks`. As the last value of
 * a cell it shows itself.
 * @example
 * const list = learn.recommend(user, { n: 10 });
 * list.labels[0]; // "title by artist"
 * list.select(['rank', 'title', 'score']);
 */
export class Recommendations extends Table {
  /** Track ids, best first. */
  readonly ids: readonly string[];
  /** The score of each, as in the last column. */
  readonly scores: Float32Array;

  /**
   * @param ids track ids, best first
   * @param scores one a track
   * @param options.catalogue where titles come from; `measure`: name of the last column; `names`:
   *   what ids are called
   */
  constructor(
    ids: readonly string[],
    scores: Float32Array,
    {
      catalogue,
      measure = 'score',
      names,
    }: { catalogue?: Tracks; measure?: 'score' | 'similarity'; names?: Pick<Names, 'item'> } = {},
  ) {
    super({
      rank: Float64Array.from(ids, (_, i) => i + 1),
      ...trackInfo(ids, { catalogue, names }),
      [measure]: Float64Array.from(scores),
    });
    this.ids = ids;
    this.scores = scores;
  }

  /**
   * Each track as "Title by Artist (year)", the paper's way, as far as these are known; the id
   * stands in for an unknown title.
   */
  get labels(): readonly string[] {
    const text = (name: string): readonly (string | null)[] =>
      this.has(name) ? this.strings(name) : [];
    const [titles, artists, years] = ['title', 'artist', 'year'].map(text);
    return this.ids.map(
      (id, i) =>
        `${titles[i] || id}${artists[i] ? ` by ${artists[i]}` : ''}${years[i] ? ` (${years[i]})` : ''}`,
    );
  }
}

/** The columns of a {@link RecommendationBatch}. */
export interface RecommendationBatchColumns {
  /** User ids, one a list. */
  users: readonly string[];
  /** What `track` counts in. */
  tracks: Vocabulary;
  /** Room for tracks in each list. */
  n: number;
  /** users × n track indices, best first; −1 where a list ends early. */
  track: Int32Array;
  /** users × n scores; NaN where a list ends early. */
  score: Float32Array;
  /** Tracks in each list. */
  counts: Int32Array;
  /** Where titles come from. */
  catalogue?: Tracks;
  /** What ids are called. */
  names?: Names;
}

/**
 * Ranked lists for many users, as typed arrays; ids and tables are made when they are asked for.
 * @example
 * const batch = learn.recommendBatch(learn.users.classes, { n: 5 });
 * batch.at(0); // the list of the first user
 * batch.toTable();
 */
export class RecommendationBatch {
  /** Number of lists. */
  readonly length: number;
  /** User ids, one a list. */
  readonly users: readonly string[];
  /** The tracks that `track` counts in. */
  readonly tracks: Vocabulary;
  /** Room for tracks in each list. */
  readonly n: number;
  /** users × n track indices, best first; −1 where a list ends early. */
  readonly track: Int32Array;
  /** users × n scores; NaN where a list ends early. */
  readonly score: Float32Array;
  /** Tracks in each list. */
  readonly counts: Int32Array;
  private readonly catalogue: Tracks | undefined;
  private readonly names: Names | undefined;

  constructor(columns: RecommendationBatchColumns) {
    this.users = columns.users;
    this.tracks = columns.tracks;
    this.n = columns.n;
    this.track = columns.track;
    this.score = columns.score;
    this.counts = columns.counts;
    this.catalogue = columns.catalogue;
    this.names = columns.names;
    this.length = columns.users.length;
  }

  /** The list in position `i`, as `recommend` returns it. */
  at(i: number): Recommendations {
    if (!(Number.isInteger(i) && i >= 0 && i < this.length))
      throw new ArgumentError(
        `List ${said(i)} does not exist; there are ${this.length}, counted from 0.`,
      );
    const { catalogue, names } = this;
    const [start, end] = [i * this.n, i * this.n + this.counts[i]];
    return new Recommendations(
      this.tracks.decode(this.track.subarray(start, end)),
      this.score.slice(start, end),
      { catalogue, names },
    );
  }

  /** All lists, with their users. */
  *[Symbol.iterator](): IterableIterator<[user: string, list: Recommendations]> {
    for (let i = 0; i < this.length; i++) yield [this.users[i], this.at(i)];
  }

  /**
   * One table, list after list: user_id, rank, track_id (or what they are called in the data),
   * title, artist, year (as far as the catalogue has them), score.
   */
  toTable(): Table {
    const kept: number[] = [];
    for (let i = 0; i < this.length; i++)
      for (let j = 0; j < this.counts[i]; j++) kept.push(i * this.n + j);
    const ids = this.tracks.decode(kept.map((j) => this.track[j]));
    return new Table({
      [this.names?.user ?? 'user_id']: kept.map((j) => this.users[Math.floor(j / this.n)]),
      rank: Float64Array.from(kept, (j) => (j % this.n) + 1),
      ...trackInfo(ids, { catalogue: this.catalogue, names: this.names }),
      score: Float64Array.from(kept, (j) => this.score[j]),
    });
  }

  /** For JSON.stringify: of each user the id and the list, a record a track. */
  toJSON(): { user: string; recommendations: Record<string, Cell>[] }[] {
    return Array.from(this, ([user, list]) => ({ user, recommendations: list.rows() }));
  }

  [inspect.custom](): string {
    const some = this.length > 3 ? [0, 1, 2] : Array.from(this.users, (_, i) => i);
    const lists = some.map((i) => `${visible(this.users[i])}\n${this.at(i).toString(5)}`);
    return [
      `${this.length.toLocaleString('en')} lists of up to ${this.n} tracks`,
      ...lists,
      ...(this.length > 3 ? ['…'] : []),
    ].join('\n');
  }
}

/**
 * The columns that tell a person which tracks are meant: their ids, and `title`, `artist` and
 * `year` as far as the catalogue has them.
 * @param ids track ids, one a row
 * @param of the recommender that they come from: its catalogue, and what it calls ids of tracks
 */
export function trackInfo(
  ids: readonly string[],
  { catalogue, names }: { catalogue?: Tracks; names?: { readonly item: string } },
): Record<string, Column> {
  const columns: Record<string, Column> = { [names?.item ?? 'track_id']: ids };
  if (catalogue?.table.has('name')) columns.title = ids.map((id) => catalogue.title(id) ?? null);
  if (catalogue?.table.has('artist'))
    columns.artist = ids.map((id) => catalogue.artist(id) ?? null);
  if (catalogue?.table.has('year'))
    columns.year = Float64Array.from(ids, (id) => catalogue.year(id) ?? NaN);
  return columns;
}
