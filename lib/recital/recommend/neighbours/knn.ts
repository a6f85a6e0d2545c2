import { Csr, type InteractionValue } from '../../data/csr.js';
import { csrTensors, readSimilarity } from '../../data/files/tensors.js';
import { countsOf, type Plays } from '../../data/plays.js';
import { ArgumentError } from '../../errors.js';
import type { Fields } from '../../fields.js';
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
import { type Entries, RowProducts, rowOf, topProducts } from './sparse-top-k.js';

const WEIGHTINGS = ['none', 'tfidf', 'bm25'] as const;

/** How rows are weighed before they are compared, as the `implicit` library does: {@link ItemKNN}. */
export type Weighting = (typeof WEIGHTINGS)[number];

/** implicit's constants for its BM25Recommender. */
const K1 = 1.2;
const B = 0.75;

/**
 * Makes the weights of a row of a matrix, seen as a document whose words are the columns; x is an
 * entry, N the number of rows, n_c the entries of column c and idf_c = ln N − ln(1 + n_c):
 *
 *     none    x
 *     tfidf   √x · idf_c
 *     bm25    x·(K1 + 1) / (K1·(1 − B + B·length/mean length) + x) · idf_c
 *
 * with K1 = 1.2, B = 0.75 and length the row's sum, as in CosineRecommender, TFIDFRecommender and
 * BM25Recommender of the `implicit` library.
 */
function rowWeights(
  weighting: Weighting,
  { shape: [rows, columns], indices, data }: Csr,
): (row: Entries) => Float64Array {
  const counts = countsOf(indices, columns);
  const idf = Float64Array.from(counts, (n) => Math.log(rows) - Math.log1p(n));
  const meanLength = sum(data) / rows;
  return (row) => {
    const out = Float64Array.from(row.data);
    const norm = weighting === 'bm25' ? K1 * (1 - B + (B * sum(out)) / meanLength) : 0;
    for (let j = 0; j < out.length; j++) {
      const x = out[j];
      if (weighting === 'tfidf') out[j] = Math.sqrt(x) * idf[row.indices[j]];
      if (weighting === 'bm25') out[j] = ((x * (K1 + 1)) / (norm + x)) * idf[row.indices[j]];
    }
    return out;
  };
}

function sum(values: Float32Array | Float64Array): number {
  let total = 0;
  for (let j = 0; j < values.length; j++) total += values[j];
  return total;
}

/** The rows of a matrix, weighted, ready to be compared with others. */
class WeightedRows {
  readonly byColumn: Csr;
  private readonly matrix: Csr;
  private readonly weigh: (row: Entries) => Float64Array;
  private readonly lengths: Float64Array;

  constructor(
    matrix: Csr,
    private readonly options: Required<KNNOptions>,
  ) {
    this.weigh = rowWeights(options.weighting, matrix);
    const data = new Float64Array(matrix.data.length);
    for (let r = 0; r < matrix.shape[0]; r++)
      data.set(this.weigh(rowOf(matrix, r)), matrix.indptr[r]);
    this.matrix = new Csr({ ...matrix, data });
    this.lengths = Float64Array.from({ length: matrix.shape[0] }, (_, r) =>
      norm(rowOf(this.matrix, r).data),
    );
    this.byColumn = this.matrix.transpose();
  }

  /** The k nearest other rows of each row. */
  nearest(): Csr {
    const { matrix, byColumn, lengths, options } = this;
    const score = (product: number, a: number, b: number): number =>
      similarity(product, lengths[a] * lengths[b], options);
    return topProducts(matrix, byColumn, { k: options.k, score });
  }

  /** The k nearest rows of one that is not among them. */
  nearestTo(row: Entries): Entries {
    const { byColumn, lengths, options } = this;
    const own = { indices: row.indices, data: this.weigh(row) };
    const length = norm(own.data);
    return new RowProducts(byColumn).largest(own, options.k, (product, v) =>
      similarity(product, length * lengths[v], options),
    );
  }
}

/** How alike two weighted rows are: a·b / (|a|·|b| + shrink), or a·b for 'bm25'. */
function similarity(
  product: number,
  lengths: number,
  { weighting, shrink }: { weighting: Weighting; shrink: number },
): number {
  return weighting === 'bm25' ? product : product / (lengths + shrink);
}

function norm(values: Float32Array | Float64Array): number {
  let squares = 0;
  for (let j = 0; j < values.length; j++) squares += values[j] * values[j];
  return Math.sqrt(squares);
}

/** out = Σ weights.data[i] · row weights.indices[i] of a matrix. */
function sumOfRows({ indptr, indices, data }: Csr, weights: Entries, out: Float32Array): void {
  out.fill(0);
  for (let i = 0; i < weights.indices.length; i++) {
    const weight = weights.data[i];
    const row = weights.indices[i];
    for (let j = indptr[row]; j < indptr[row + 1]; j++) out[indices[j]] += weight * data[j];
  }
}

/** out = some rows of a·b, both sparse. */
function rowsOfProduct(a: Csr, b: Csr, rows: Int32Array, out: Float32Array): void {
  const columns = b.shape[1];
  rows.forEach((row, i) => {
    sumOfRows(b, rowOf(a, row), out.subarray(i * columns, (i + 1) * columns));
  });
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
   * @param similarity makes the matrix of the users × tracks values
   * @param learnt the matrix, if it is known already: that of a file without users' plays
   */
  constructor(
    plays: Plays,
    value: InteractionValue,
    similarity: (values: Csr) => Csr,
    learnt?: Csr,
  ) {
    super(Interactions.fromPlays(plays), { catalogue: plays.catalogue });
    this.values = new PlayValues(this.seen, value);
    this.value = value;
    this.similarity = learnt ?? similarity(this.values.matrix);
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    rowsOfProduct(this.values.matrix, this.similarity, users, out);
  }

  /** Scores a history as a user of training with these plays: {@link Recommender.foldIn}. */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const read = readHistory(this, history, options);
    const scores = new Float32Array(this.tracks.length);
    const row = { indices: read.track, data: this.values.ofHistory(read) };
    sumOfRows(this.similarity, row, scores);
    return new FoldedUser(this, read.track, scores, read);
  }

  /** What each of a user's tracks contributes to the score of a track; the sum is the score. */
  explain(user: Id, track: Id, options: NoOptions = {}): Explanation {
    checkOptions(options, [], 'explain');
    const t = trackIndex(this, track);
    return explainByTracks(this, { user, track: t }, (own, at) => {
      const { indices, data } = rowOf(this.similarity, own);
      const j = indices.indexOf(t);
      return j < 0 ? 0 : this.values.data[at] * data[j];
    });
  }
}

/** What a file holds of an ItemItemRecommender: the options and, without plays, the matrix. */
export function describeItemItem(
  { options, similarity }: ItemItemRecommender & { options: { [option: string]: string | number } },
  { seen }: { seen: boolean },
): ReturnType<SavedForm['describe']> {
  const tensors = seen ? undefined : new Map(csrTensors('similarity', similarity));
  return { config: { ...options }, ...(tensors && { tensors }) };
}

const KNN = {
  /** Neighbours that count, the nearest ones; default 100. */
  k: 100,
  /**
   * Added to the denominator of the cosine, so that those who share little are not alike by chance;
   * default 0. Not for 'bm25', which has none.
   */
  shrink: 0,
  /** How rows are weighed before they are compared: 'none' (default), 'tfidf' or 'bm25'. */
  weighting: 'none' as Weighting,
  /** What a play is worth: 1 ('binary', default), ln(1 + playcount) ('log'), playcount ('count'). */
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
  checkOneOf(weighting, WEIGHTINGS, 'weighting');
  if (shrink > 0 && weighting === 'bm25')
    throw new ArgumentError(
      "shrink is for cosines; with weighting 'bm25' there is no denominator to add it to.",
    );
  return all;
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
 * Item-kNN: of each track the k tracks with the most similar users, sim(a, b) = a·b / (|a|·|b| +
 * shrink) for the columns a, b of the users × tracks matrix, or a·b for 'bm25'; the score of a
 * track is Σ value·sim over the tracks of the user. With `value: 'count'` these are
 * CosineRecommender, TFIDFRecommender and BM25Recommender of the `implicit` library, but for the
 * track itself, which is no neighbour here and takes one of the k places there.
 *
 * It is counted at once, when it is made or loaded: 10 million plays take many seconds, during which
 * nothing else goes on. A file that was exported with `{ seen: false }` holds the similarities.
 * @example new ItemKNN(plays, { k: 50, weighting: 'tfidf' }).recommend(user)
 */
export class ItemKNN extends ItemItemRecommender {
  readonly name: string = 'ItemKNN';
  /** Its options, defaults included. */
  readonly options: Readonly<Required<KNNOptions>>;

  /** @param learnt the similarities, if they are known already: those of a file without plays */
  constructor(plays: Plays, options: KNNOptions = {}, learnt?: Csr) {
    const all = knnOptions(options, 'ItemKNN');
    const similarity = (values: Csr): Csr => new WeightedRows(values.transpose(), all).nearest();
    super(plays, all.value, similarity, learnt);
    this.options = all;
  }

  static readonly saved: SavedForm<ItemKNN> = {
    name: 'ItemKNN',
    withoutSeen: 'tracks',
    describe: describeItemItem,
    make: ({ plays }, config, tensors) =>
      new ItemKNN(plays, readKNN(config), readSimilarity(tensors, plays.tracks.length)),
  };
}

/**
 * User-kNN: of each user the k users with the most similar plays, compared as {@link ItemKNN} does;
 * the score of a track is Σ sim·value over the neighbours who play it.
 * @example new UserKNN(plays, { k: 50 }).recommend(user)
 */
export class UserKNN extends Recommender {
  readonly name: string = 'UserKNN';
  /** Its options, defaults included. */
  readonly options: Readonly<Required<KNNOptions>>;
  /** Users × users: the neighbours of each. */
  readonly similarity: Csr;
  private readonly values: PlayValues;
  private readonly rows: WeightedRows;

  constructor(plays: Plays, options: KNNOptions = {}) {
    const all = knnOptions(options, 'UserKNN');
    super(Interactions.fromPlays(plays), { catalogue: plays.catalogue });
    this.options = all;
    this.values = new PlayValues(this.seen, all.value);
    this.rows = new WeightedRows(this.values.matrix, all);
    this.similarity = this.rows.nearest();
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    rowsOfProduct(this.similarity, this.values.matrix, users, out);
  }

  /** Scores a history by the k users most similar to it: {@link Recommender.foldIn}. */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const read = readHistory(this, history, options);
    const near = this.rows.nearestTo({ indices: read.track, data: this.values.ofHistory(read) });
    const scores = new Float32Array(this.tracks.length);
    sumOfRows(this.values.matrix, near, scores);
    return new FoldedUser(this, read.track, scores, read);
  }

  static readonly saved: SavedForm<UserKNN> = {
    name: 'UserKNN',
    describe: ({ options }) => ({ config: { ...options } }),
    make: ({ plays }, config) => new UserKNN(plays, readKNN(config)),
  };
}
