import { checkArgument, checkNumber } from '../options.js';

/**
 * Throws unless this is a history, and a list to add scores to: by type alone, as it is asked for
 * each play of an evaluation.
 */
export function checkList(history: Int32Array, list: ScoreList): void {
  checkArgument(
    history instanceof Int32Array,
    history,
    'listOf',
    'a history of track indices, such as Int32Array.of(recommender.tracks.index(track))',
  );
  checkArgument(
    list instanceof ScoreList,
    list,
    'listOf',
    'a list to add scores to, new ScoreList(recommender.tracks.length)',
  );
}

/**
 * Scores of the few tracks that a method has something to say about; all others have the score 0.
 * Made once and used again for each history: clearing costs what was added.
 * @example
 * const list = new ScoreList(3);
 * list.add(2, 0.5);
 * list.max() // 0.5
 */
export class ScoreList {
  /** Number of tracks with a score. */
  count = 0;
  /** Their indices, in the order in which they were added: the first `count` numbers. */
  readonly track: Int32Array;
  /** The score of each track of the catalogue, by index. */
  readonly score: Float64Array;

  /** @param tracks number of tracks in the catalogue */
  constructor(readonly tracks: number) {
    checkNumber(
      tracks,
      Number.isInteger(tracks) && tracks >= 0 && tracks < 2 ** 31,
      'The number of tracks of a ScoreList must be a whole number, 0 or more',
    );
    this.track = new Int32Array(tracks);
    this.score = new Float64Array(tracks);
  }

  /** Adds to a track's score. `x` must be more than 0. */
  add(track: number, x: number): void {
    if (this.score[track] === 0) this.track[this.count++] = track;
    this.score[track] += x;
  }

  /** The largest score, 0 if there is none. */
  max(): number {
    let max = 0;
    for (let j = 0; j < this.count; j++) max = Math.max(max, this.score[this.track[j]]);
    return max;
  }

  /** Takes all scores away. */
  clear(): void {
    for (let j = 0; j < this.count; j++) this.score[this.track[j]] = 0;
    this.count = 0;
  }

  /** Writes all scores, zeros included, to `out`: one a track. */
  copyTo(out: Float32Array): void {
    checkArgument(
      out instanceof Float32Array,
      out,
      'copyTo',
      'a Float32Array, a number for each track',
    );
    out.fill(0);
    for (let j = 0; j < this.count; j++) out[this.track[j]] = this.score[this.track[j]];
  }
}
