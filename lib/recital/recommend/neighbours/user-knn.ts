import type { Csr } from '../../data/csr.js';
import type { Plays } from '../../data/plays.js';
import { PlayValues } from '../confidence.js';
import type { SavedForm } from '../export.js';
import { FoldedUser, type HistoryItem, type HistoryOptions, readHistory } from '../fold-in.js';
import { Interactions } from '../interactions.js';
import { Recommender } from '../recommender.js';
import { checkScores } from '../resolve-ids.js';
import { RowWeighting, rowLengths, similarity } from './bm25.js';
import { type KNNOptions, knnOptions, readKNN } from './item-knn.js';
import { RowProducts, topProducts } from './sparse-top-k.js';

/**
 * User-kNN: of each user the k users with the most similar plays, sim(u, v) = u·v / (|u|·|v| +
 * shrink) for the rows u, v of the users × tracks matrix; the score of a track is Σ sim·value over
 * the neighbours who play it.
 * @example new UserKNN(plays, { k: 50 }).recommend(user)
 */
export class UserKNN extends Recommender {
  readonly name: string = 'UserKNN';
  /** All options. */
  readonly options: Readonly<Required<KNNOptions>>;
  /** Users × users: the neighbours of each. */
  readonly similarity: Csr;
  private readonly values: PlayValues;
  private readonly rows: RowWeighting;
  private readonly byTrack: Csr;
  private readonly lengths: Float64Array;

  /** @param plays the training plays */
  constructor(plays: Plays, options: KNNOptions = {}) {
    const all = knnOptions(options, 'UserKNN');
    super(Interactions.fromPlays(plays), { catalogue: plays.catalogue });
    this.options = all;
    this.values = new PlayValues(this.seen, all.value);
    this.rows = new RowWeighting(all.weighting, this.values.matrix);
    const weighted = this.rows.apply(this.values.matrix);
    this.lengths = rowLengths(weighted);
    this.byTrack = weighted.transpose();
    const { lengths } = this;
    this.similarity = topProducts(weighted, this.byTrack, {
      k: all.k,
      score: (product, u, v) => similarity(product, lengths[u] * lengths[v], all),
    });
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    const tracks = this.tracks.length;
    const { indptr, indices, data } = this.similarity;
    for (let b = 0; b < users.length; b++) {
      const [from, to] = [indptr[users[b]], indptr[users[b] + 1]];
      this.scoresOf(
        indices.subarray(from, to),
        data.subarray(from, to),
        out.subarray(b * tracks, (b + 1) * tracks),
      );
    }
  }

  /**
   * Scores a listener by the k users most similar to the history. See {@link Recommender.foldIn}.
   */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const read = readHistory(this, history, options);
    const own = this.rows.row(read.track, this.values.ofHistory(read));
    const length = Math.sqrt(own.reduce((sum, x) => sum + x * x, 0));
    const near = new RowProducts(this.byTrack).largest(
      { indices: read.track, data: own },
      this.options.k,
      (product, v) => similarity(product, length * this.lengths[v], this.options),
    );
    const scores = new Float32Array(this.tracks.length);
    this.scoresOf(near.indices, near.data, scores);
    return new FoldedUser(this, read.track, scores, read);
  }

  private scoresOf(
    neighbours: Int32Array,
    weights: Float32Array | Float64Array,
    out: Float32Array,
  ): void {
    const { indptr, indices } = this.seen;
    const { data } = this.values;
    out.fill(0);
    for (let i = 0; i < neighbours.length; i++) {
      const weight = weights[i];
      for (let j = indptr[neighbours[i]]; j < indptr[neighbours[i] + 1]; j++)
        out[indices[j]] += weight * data[j];
    }
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<UserKNN> = {
    name: 'UserKNN',
    describe: ({ options }) => ({ config: { ...options } }),
    make: ({ plays }, config) => new UserKNN(plays, readKNN(config)),
  };
}
