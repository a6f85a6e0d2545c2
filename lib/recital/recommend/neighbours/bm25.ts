import { Csr } from '../../data/csr.js';
import { ArgumentError } from '../../errors.js';
import { said } from '../../options.js';

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
 * none x tfidf √x · idf_c bm25 x·(K1 + 1) / (K1·(1 − B + B·length/mean length) + x) · idf_c, K1 =
 * 1.2, B = 0.75, length: the row's sum
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
    if (weighting !== 'none' && weighting !== 'tfidf' && weighting !== 'bm25') {
      throw new ArgumentError(
        `weighting must be 'none', 'tfidf' or 'bm25', got '${said(weighting)}'.`,
      );
    }
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
