import { Csr, type InteractionValue } from '../../data/csr.js';
import type { Fields } from '../../data/files/fields.js';
import { csrTensors, readSimilarity } from '../../data/files/tensors.js';
import type { Plays } from '../../data/plays.js';
import { ArgumentError } from '../../errors.js';
import {
  checkCount,
  checkNumber,
  checkOneOf,
  checkOptions,
  given,
  type NoOptions,
} from '../../options.js';
import { type Explanation, explainByTracks } from '../explanation.js';
import { FoldedUser, type HistoryItem, type HistoryOptions, readHistory } from '../fold-in.js';
import { Interactions } from '../interactions.js';
import { PlayValues, readValue } from '../play-values.js';
import { checkScores, type Id, Recommender, trackIndex } from '../recommender.js';
import type { SavedForm } from '../saved-form.js';
import { RowProducts, topProducts } from './sparse-top-k.js';

/**
 * How neighbours are weighed before they are compared, as the `implicit` library has it: see
 * {@link RowWeighting}.
 */
export type Weighting = 'none' | 'tfidf' | 'bm25';

/** implicit's constants for its BM25Recommender. */
const K1 = 1.2;
const B = 0.75;

/**
 * Weights of the rows of a matrix, seen as documents whose words are the columns; x is an entry, N
 * the number of rows, n_c the entries of column c and idf_c = ln N − ln(1 + n_c):
 *
 *     none    x
 *     tfidf   √x · idf_c
 *     bm25    x·(K1 + 1) / (K1·(1 − B + B·length/mean length) + x) · idf_c
 *
 * with K1 = 1.2, B = 0.75 and length the row's sum.
 *
 * Rows weighted by 'none' and 'tfidf' are compared by their cosine, rows weighted by 'bm25' by
 * their product. These are the formulas, and the constants, of CosineRecommender, TFIDFRecommender
 * and BM25Recommender of the `implicit` library.
 */
export class RowWeighting {
  private readonly idf: Float64Array;
  private readonly meanLength: number;

  /** @param matrix the rows, not negative */
  constructor(
    readonly weighting: Weighting,
    matrix: Csr,
  ) {
    checkOneOf(weighting, ['none', 'tfidf', 'bm25'], 'weighting');
    const [rows, columns] = matrix.shape;
    const entries = new Int32Array(columns);
    let sum = 0;
    for (let j = 0; j < matrix.indices.length; j++) {
      entries[matrix.indices[j]]++;
      sum += matrix.data[j];
    }
    this.idf = Float64Array.from(entries, (n) => Math.log(rows) - Math.log1p(n));
    this.meanLength = sum / rows;
  }

  /** The weighted matrix. */
  apply({ shape, indptr, indices, data }: Csr): Csr {
    const out = new Float64Array(data.length);
    for (let r = 0; r < shape[0]; r++)
      out.set(
        this.row(
          indices.subarray(indptr[r], indptr[r + 1]),
          data.subarray(indptr[r], indptr[r + 1]),
        ),
        indptr[r],
      );
    return new Csr({ shape, indptr, indices, data: out });
  }

  /** One weighted row. */
  row(indices: Int32Array, data: Float32Array | Float64Array): Float64Array {
    const { weighting, idf } = this;
    const out = Float64Array.from(data);
    let length = 0;
    for (let j = 0; j < out.length; j++) length += data[j];
    const norm = K1 * (1 - B + (B * length) / this.meanLength);
    if (weighting === 'tfidf')
      for (let j = 0; j < out.length; j++) out[j] = Math.sqrt(data[j]) * idf[indices[j]];
    if (weighting === 'bm25')
      for (let j = 0; j < out.length; j++)
        out[j] = ((data[j] * (K1 + 1)) / (norm + data[j])) * idf[indices[j]];
    return out;
  }
}

/**
 * How alike two weighted rows are: a·b / (|a|·|b| + shrink), or a·b for 'bm25'.
 * @param product a·b
 * @param lengths |a|·|b|
 */
export function similarity(
  product: number,
  lengths: number,
  { weighting, shrink }: { weighting: Weighting; shrink: number },
): number {
  return weighting === 'bm25' ? product : product / (lengths + shrink);
}

/** Euclidean length of each row. */
export function rowLengths({ shape, indptr, data }: Csr): Float64Array {
  const out = new Float64Array(shape[0]);
  for (let r = 0; r < out.length; r++) {
    for (let j = indptr[r]; j < indptr[r + 1]; j++) out[r] += data[j] * data[j];
    out[r] = Math.sqrt(out[r]);
  }
  return out;
}

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

const KNN = {
  /** Neighbours that count, the nearest ones; default 100. */
  k: 100,
  /**
   * Added to the denominator of the cosine, so that those who share little are not thought alike by
   * chance; default 0. Not for 'bm25', which has none.
   */
  shrink: 0,
  /** How rows are weighed before they are compared, see {@link RowWeighting}; default 'none'. */
  weighting: 'none' as Weighting,
  /**
   * What a play is worth: 1 ('binary', default), ln(1 + playcount) ('log'), or the playcount
   * ('count', as in the `implicit` library).
   */
  value: 'binary' as InteractionValue,
};

/** Options of {@link ItemKNN} and {@link UserKNN}. */
export type KNNOptions = Partial<typeof KNN>;

/** The options, checked, with their defaults. */
function knnOptions(options: KNNOptions, of: string): Required<KNNOptions> {
  const all = given(KNN, options, of);
  const { k, shrink, weighting } = all;
  checkCount(k, 'k');
  checkNumber(shrink, shrink >= 0 && shrink < Infinity, 'shrink must be a number from 0 on');
  if (shrink > 0 && weighting === 'bm25')
    throw new ArgumentError(
      "shrink is for cosines; with weighting 'bm25' there is no denominator to add it to.",
    );
  return all;
}

/**
 * Item-kNN: of each track the k tracks with the most similar listeners, sim(a, b) = a·b / (|a|·|b|
 * + shrink) for the columns a, b of the users × tracks matrix; the score of a track is Σ value·sim
 * over the tracks of the user. With `value: 'count'` these are CosineRecommender, TFIDFRecommender
 * and BM25Recommender of the `implicit` library, but for the track itself, which is no neighbour
 * here and takes one of the k places there.
 *
 * It is counted at once, when it is made or loaded: of 10 million plays that takes many seconds,
 * during which nothing else goes on. A server does it before it listens, or in a worker thread; a
 * file that was exported with `{ seen: false }` holds the similarities, and counts nothing.
 * @example new ItemKNN(plays, { k: 50, weighting: 'tfidf' }).recommend(user)
 */
export class ItemKNN extends ItemItemRecommender {
  readonly name: string = 'ItemKNN';
  /** All options. */
  readonly options: Readonly<Required<KNNOptions>>;

  /**
   * @param plays the training plays
   * @param learnt the similarities, if they are known already: those of a file without listening
   *   histories
   */
  constructor(plays: Plays, options: KNNOptions = {}, learnt?: Csr) {
    const all = knnOptions(options, 'ItemKNN');
    super(plays, {
      value: all.value,
      learnt,
      similarity: (values) => {
        const byTrack = values.transpose();
        const weighted = new RowWeighting(all.weighting, byTrack).apply(byTrack);
        const lengths = rowLengths(weighted);
        return topProducts(weighted, weighted.transpose(), {
          k: all.k,
          score: (product, a, b) => similarity(product, lengths[a] * lengths[b], all),
        });
      },
    });
    this.options = all;
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<ItemKNN> = {
    name: 'ItemKNN',
    withoutSeen: 'tracks',
    describe: ({ options, similarity }, { seen }) => ({
      config: { ...options },
      ...(!seen && { tensors: new Map(csrTensors('similarity', similarity)) }),
    }),
    make: ({ plays }, config, tensors) =>
      new ItemKNN(plays, readKNN(config), readSimilarity(tensors, plays.tracks.length)),
  };
}

/** The options from a description in a file. */
function readKNN(config: Fields): KNNOptions {
  return {
    k: config.count('k'),
    shrink: config.number('shrink'),
    weighting: config.text('weighting') as Weighting,
    value: readValue(config),
  };
}

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
