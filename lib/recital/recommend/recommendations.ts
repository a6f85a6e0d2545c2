import { Table } from '../data/table.js';
import type { Tracks } from '../data/tracks.js';
import type { Names } from './recommender.js';
import { trackInfo } from './track-info.js';

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
