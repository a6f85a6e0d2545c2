import { inspect } from 'node:util';
import { type Cell, Table } from '../data/table.js';
import type { Tracks } from '../data/tracks.js';
import type { Vocabulary } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import { said } from '../options.js';
import { visible } from '../printed.js';
import { Recommendations } from './recommendations.js';
import type { Names } from './recommender.js';
import { trackInfo } from './track-info.js';

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
