import type { Csr, InteractionValue } from '../../data/csr.js';

import type { Plays } from '../../data/plays.js';
import { checkOptions, type NoOptions } from '../../options.js';
import type { Explanation } from '../explain.js';
import { explainByTracks } from '../explain-tracks.js';
import { FoldedUser, type HistoryItem, type HistoryOptions, readHistory } from '../fold-in.js';
import { Interactions } from '../interactions.js';
import { checkScores, trackIndex } from '../lookup.js';
import { PlayValues } from '../play-values.js';
import { type Id, Recommender } from '../recommender.js';

/**
 * Recommends by what tracks are worth to each other: score of track t = Σ value(track) ·
 * similarity[track, t] over the tracks of the user. What a pair is worth, subclasses say.
 */
export abstract class ItemItemRecommender extends Recommender {
  /** Tracks × tracks: row i lists the tracks that who plays track i may like. */
  readonly similarity: Csr;
  /** What a play is worth. */
  readonly value: InteractionValue;
  private readonly values: PlayValues;

  /**
   * @param plays the training plays
   * @param options.value what a play is worth; `similarity`: makes the matrix of the users × tracks
   *   values; `learnt`: the matrix, if it is there already
   */
  constructor(
    plays: Plays,
    {
      value,
      similarity,
      learnt,
    }: {
      value: InteractionValue;
      similarity: (values: Csr) => Csr;
      learnt?: Csr;
    },
  ) {
    super(Interactions.fromPlays(plays), { catalogue: plays.catalogue });
    this.values = new PlayValues(this.seen, value);
    this.value = value;
    this.similarity = learnt ?? similarity(this.values.matrix);
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    const { seen, values } = this;
    const tracks = this.tracks.length;
    for (let b = 0; b < users.length; b++) {
      const [from, to] = [seen.indptr[users[b]], seen.indptr[users[b] + 1]];
      this.scoresOf(
        seen.indices.subarray(from, to),
        values.data.subarray(from, to),
        out.subarray(b * tracks, (b + 1) * tracks),
      );
    }
  }

  /**
   * Scores a listener by the tracks of the history alone, exactly as a user of training with these
   * plays. See {@link Recommender.foldIn}.
   */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const read = readHistory(this, history, options);
    const scores = new Float32Array(this.tracks.length);
    this.scoresOf(read.track, this.values.ofHistory(read), scores);
    return new FoldedUser(this, read.track, scores, read);
  }

  /**
   * Which of a user's tracks speak for a track: their contributions add up to the score.
   * @param user a user of the training data
   * @param track id, title, or "title by artist"
   */
  explain(user: Id, track: Id, options: NoOptions = {}): Explanation {
    checkOptions(options, [], 'explain');
    const t = trackIndex(this, track);
    const { indptr, indices, data } = this.similarity;
    return explainByTracks(this, { user, track: t }, (own, at) => {
      for (let j = indptr[own]; j < indptr[own + 1]; j++)
        if (indices[j] === t) return this.values.data[at] * data[j];
      return 0;
    });
  }

  private scoresOf(tracks: Int32Array, values: Float32Array, out: Float32Array): void {
    const { indptr, indices, data } = this.similarity;
    out.fill(0);
    for (let i = 0; i < tracks.length; i++) {
      const value = values[i];
      for (let j = indptr[tracks[i]]; j < indptr[tracks[i] + 1]; j++)
        out[indices[j]] += value * data[j];
    }
  }
}
