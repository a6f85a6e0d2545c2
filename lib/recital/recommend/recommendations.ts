import { type Cell, type Column, Table } from '../data/table.js';
import type { Tracks } from '../data/tracks.js';
import type { Vocabulary } from '../data/vocabulary.js';
import { checkIndex } from '../options.js';
import { counted, inspected, visible } from '../printed.js';
import type { RankedLists } from './rank.js';
import type { Names, Recommender } from './recommender.js';

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
  /**
   * @param ids track ids, best first
   * @param scores one per track, as in the last column
   * @param options `catalogue`: where titles come from; `measure`: name of the last column; `names`:
   *   what ids are called
   */
  constructor(
    readonly ids: readonly string[],
    readonly scores: Float32Array,
    {
      measure = 'score',
      ...of
    }: { catalogue?: Tracks; measure?: 'score' | 'similarity'; names?: Pick<Names, 'item'> } = {},
  ) {
    super({
      rank: Float64Array.from(ids, (_, i) => i + 1),
      ...trackInfo(ids, of),
      [measure]: Float64Array.from(scores),
    });
  }

  /** Each track as "Title by Artist (year)", as far as they are known; the id for want of a title. */
  get labels(): readonly string[] {
    const [titles, artists, years] = ['title', 'artist', 'year'].map((name) =>
      this.has(name) ? this.strings(name) : [],
    );
    return this.ids.map(
      (id, i) =>
        `${titles[i] || id}${artists[i] ? ` by ${artists[i]}` : ''}${years[i] ? ` (${years[i]})` : ''}`,
    );
  }
}

/**
 * Ranked lists for many users, as typed arrays; ids and tables are made when they are asked for.
 * @example
 * const batch = learn.recommendBatch(learn.users.classes, { n: 5 });
 * batch.at(0); // the list of the first user
 * batch.toTable();
 */
export class RecommendationBatch implements RankedLists {
  /** Number of lists. */
  readonly length: number;
  /** Room for tracks in each list. */
  readonly n: number;
  /** users × n track indices, best first; −1 where a list ends early. */
  readonly track: Int32Array;
  /** users × n scores; NaN where a list ends early. */
  readonly score: Float32Array;
  /** Tracks in each list. */
  readonly counts: Int32Array;
  /** The tracks that `track` counts in. */
  readonly tracks: Vocabulary;
  private readonly of: { readonly catalogue?: Tracks; readonly names?: Names };

  /** @param users user ids, one per list */
  constructor(
    { tracks, catalogue, names }: Recommender,
    readonly users: readonly string[],
    { n, track, score, counts }: RankedLists,
  ) {
    this.length = users.length;
    this.n = n;
    this.track = track;
    this.score = score;
    this.counts = counts;
    this.tracks = tracks;
    this.of = { catalogue, names };
  }

  /** The list in position `i`, as `recommend` returns it. */
  at(i: number): Recommendations {
    checkIndex(i, this.length, 'list');
    const [start, end] = [i * this.n, i * this.n + this.counts[i]];
    const ids = this.tracks.decode(this.track.subarray(start, end));
    return new Recommendations(ids, this.score.slice(start, end), this.of);
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
    const { n, of } = this;
    const kept = Array.from(this.track.keys()).filter((j) => this.track[j] >= 0);
    return new Table({
      [of.names?.user ?? 'user_id']: kept.map((j) => this.users[Math.floor(j / n)]),
      rank: Float64Array.from(kept, (j) => (j % n) + 1),
      ...trackInfo(this.tracks.decode(kept.map((j) => this.track[j])), of),
      score: Float64Array.from(kept, (j) => this.score[j]),
    });
  }

  /** For JSON.stringify: the id of each user and the list, a record per track. */
  toJSON(): { user: string; recommendations: Record<string, Cell>[] }[] {
    return Array.from(this, ([user, list]) => ({ user, recommendations: list.rows() }));
  }

  [inspected](): string {
    const shown = Math.min(3, this.length);
    const lists = Array.from(
      { length: shown },
      (_, i) => `${visible(this.users[i])}\n${this.at(i).toString(5)}`,
    );
    const more = this.length > shown ? ['…'] : [];
    return [`${counted(this.length, 'list')} of up to ${this.n} tracks`, ...lists, ...more].join(
      '\n',
    );
  }
}

/**
 * The columns that say which tracks are meant: their ids, and `title`, `artist` and `year` as far
 * as the catalogue has them.
 * @param ids track ids, one per row
 * @param of the recommender that they come from: its catalogue, and what it calls ids of tracks
 */
export function trackInfo(
  ids: readonly string[],
  { catalogue, names }: { catalogue?: Tracks; names?: { readonly item: string } },
): Record<string, Column> {
  const columns: Record<string, Column> = { [names?.item ?? 'track_id']: ids };
  const { table } = catalogue ?? {};
  if (table?.has('name')) columns.title = ids.map((id) => catalogue!.title(id) ?? null);
  if (table?.has('artist')) columns.artist = ids.map((id) => catalogue!.artist(id) ?? null);
  if (table?.has('year')) columns.year = Float64Array.from(ids, (id) => catalogue!.year(id) ?? NaN);
  return columns;
}
