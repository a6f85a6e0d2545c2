import type { Histories } from '../data/sequences-histories.js';
import { checkNumber } from '../options.js';
import { SparseSequenceRecommender } from './next-item.js';
import { checkList, ScoreList } from './next-item-scores.js';

/** Ages whose weight is less than this are left out. */
const LEAST_WEIGHT = 1e-6;

/**
 * Recommends by pairs of tracks: score of track t after a history = Σ decay^age · pair(track of
 * that age, t), where the last track played has age 0. With decay 0 the last track alone counts.
 * What a pair is worth, subclasses say; a track's pairs are worked out when it is first needed, and
 * kept.
 */
export abstract class PairRecommender extends SparseSequenceRecommender {
  private readonly rows: ({ track: Int32Array; score: Float32Array } | undefined)[];
  private readonly pairs: ScoreList;

  constructor(
    histories: Histories,
    /** Weight of a track, relative to the one played after it. */
    readonly decay: number,
  ) {
    super(histories);
    checkNumber(
      decay,
      decay >= 0 && decay <= 1,
      'decay must be from 0 (the last track alone) to 1 (all alike)',
    );
    this.rows = new Array(this.tracks.length);
    this.pairs = new ScoreList(this.tracks.length);
  }

  /** Adds what each track is worth after `track` to an empty list. */
  protected abstract addPairs(track: number, list: ScoreList): void;

  override listOf(history: Int32Array, list: ScoreList): void {
    checkList(history, list);
    let weight = 1;
    for (let j = history.length - 1; j >= 0 && weight >= LEAST_WEIGHT; j--, weight *= this.decay) {
      const { track, score } = this.row(history[j]);
      for (let i = 0; i < track.length; i++) list.add(track[i], weight * score[i]);
    }
  }

  private row(track: number): { track: Int32Array; score: Float32Array } {
    const known = this.rows[track];
    if (known) return known;
    const { pairs } = this;
    pairs.clear();
    this.addPairs(track, pairs);
    const tracks = pairs.track.slice(0, pairs.count);
    return (this.rows[track] = {
      track: tracks,
      score: Float32Array.from(tracks, (t) => pairs.score[t]),
    });
  }
}
