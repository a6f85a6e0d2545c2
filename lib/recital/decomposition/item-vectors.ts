import { interruptible } from '../compute/interrupt.js';
import { Csr, type CsrRows, groupBy } from '../data/csr.js';
import { type SequenceSource, Sessions } from '../data/sessions.js';
import { ArgumentError, DataError } from '../errors.js';
import { checkCount, checkNumber, given, said } from '../options.js';
import { TruncatedSVD } from './truncated-svd.js';

const PPMI_DEFAULTS = {
  /** The largest distance in a history at which two tracks count as neighbours. */
  window: 5,
  /**
   * The exponent of a neighbour's frequency: below 1, rare neighbours do not get the largest
   * values. Default 0.75, word2vec's.
   */
  power: 0.75,
};

const DEFAULTS = {
  ...PPMI_DEFAULTS,
  /** Length of a vector. */
  embSz: 50,
  /** Mean length (√Σx²) of the vectors that are not 0. */
  meanNorm: 2,
  /** Seed of the decomposition. */
  seed: 42 as number | string,
};

/** Options of {@link ppmi}. */
export type PpmiOptions = Partial<typeof PPMI_DEFAULTS>;

/** Options of {@link itemVectors}. */
export type ItemVectorsOptions = Partial<typeof DEFAULTS>;

/**
 * Vectors of the tracks, close for tracks that are played near each other: U·√Σ of the truncated
 * SVD of their `ppmi`, positive pointwise mutual information. They initialise an LSTMModel's
 * embedding (`embInit`). A track that is never played beside another has the vector 0.
 * @param source plays, in the order of their file, or sessions
 * @returns tracks × embSz, row-major
 * @throws ArgumentError if embSz exceeds the number of tracks; DataError if no history has two
 *   tracks; InterruptedError if it was stopped
 * @example
 * const dls = SequenceDataLoaders.fromSessions(trainSessions, { length: 10 });
 * lstmLearner(dls, { embSz: 64, layers: [64], tied: true, embInit: await itemVectors(trainSessions, { embSz: 64 }) })
 */
export async function itemVectors(
  source: SequenceSource,
  options: ItemVectorsOptions = {},
): Promise<Float32Array> {
  const { embSz, meanNorm, seed, window, power } = given(DEFAULTS, options, 'itemVectors');
  checkNumber(meanNorm, meanNorm > 0 && meanNorm < Infinity, 'meanNorm must be a positive number');
  checkCount(embSz, 'embSz');
  const neighbourhood = ppmi(source, { window, power });
  const [tracks] = neighbourhood.shape;
  if (embSz > tracks)
    throw new ArgumentError(
      `embSz must be at most ${tracks}, the number of tracks, got ${said(embSz)}.`,
    );
  const svd = new TruncatedSVD({ nComponents: embSz, seed, tol: 1e-4 });
  const { data } = await svd.fitTransform(neighbourhood); // U·Σ
  const roots = svd.singularValues.map(Math.sqrt);
  const out = Float32Array.from(data, (x, i) => (roots[i % embSz] > 0 ? x / roots[i % embSz] : 0));
  let norms = 0;
  let played = 0;
  for (let r = 0; r < tracks; r++) {
    const norm = Math.hypot(...out.subarray(r * embSz, (r + 1) * embSz));
    norms += norm;
    if (norm > 0) played++;
  }
  return norms > 0 ? out.map((x) => (x * meanNorm * played) / norms) : out;
}

/**
 * Positive pointwise mutual information of the tracks, a sparse tracks × tracks matrix: how much
 * more often two tracks are played near each other than chance would have it. With n(a, b) = Σ
 * 1/distance over the places where b is played at most `window` tracks from a in one history,
 *
 *     ppmi(a, b) = max(0, log(n(a, b)·Σ_c n(c)^power / (n(a)·n(b)^power)))    n(a) = Σ_b n(a, b)
 *
 * Its SVD gives vectors like those of word2vec (Levy, Goldberg and Dagan 2015). A track that is
 * played alone has an empty row.
 * @param source plays, in the order of their file, or sessions
 * @throws DataError if no history has two tracks
 * @example const { shape, indices } = ppmi(sessions, { window: 5 });
 */
export function ppmi(source: SequenceSource, options: PpmiOptions = {}): Csr<Float64Array> {
  const { window, power } = given(PPMI_DEFAULTS, options, 'ppmi');
  checkCount(window, 'window');
  checkNumber(power, power >= 0 && power < Infinity, 'power must be a number, 0 or more');
  const histories = source instanceof Sessions ? source : Sessions.of(source);
  const { indptr, indices, data } = interruptible(() => neighbours(histories, window));
  const n = histories.items.length;
  if (indices.length === 0)
    throw new DataError(
      'No history has two tracks, so none is played near another. Take longer histories.',
    );
  const sums = new Float64Array(n); // of rows, and of columns: n(a, b) = n(b, a)
  for (let a = 0; a < n; a++) for (let j = indptr[a]; j < indptr[a + 1]; j++) sums[a] += data[j];
  const context = sums.map((sum) => sum ** power);
  const total = context.reduce((sum, x) => sum + x, 0);
  const starts = new Int32Array(n + 1);
  let kept = 0;
  for (let a = 0; a < n; a++) {
    for (let j = indptr[a]; j < indptr[a + 1]; j++) {
      const value = Math.log((data[j] * total) / (sums[a] * context[indices[j]]));
      if (!(value > 0)) continue;
      indices[kept] = indices[j];
      data[kept++] = value;
    }
    starts[a + 1] = kept;
  }
  return new Csr({
    shape: [n, n],
    indptr: starts,
    indices: indices.slice(0, kept),
    data: data.slice(0, kept),
  });
}

/** n(a, b), row after row, columns ascending. */
function neighbours(
  { items, indptr, item }: Sessions,
  window: number,
): CsrRows & { data: Float64Array } {
  const n = items.length;
  const places = groupBy(item, n);
  const first = new Int32Array(item.length);
  const end = new Int32Array(item.length);
  for (let s = 0; s + 1 < indptr.length; s++) {
    first.fill(indptr[s], indptr[s], indptr[s + 1]);
    end.fill(indptr[s + 1], indptr[s], indptr[s + 1]);
  }
  let room = 0;
  for (let p = 0; p < item.length; p++)
    room += Math.min(window, p - first[p]) + Math.min(window, end[p] - 1 - p);
  const starts = new Int32Array(n + 1);
  const indices = new Int32Array(room);
  const data = new Float64Array(room);
  const weight = new Float64Array(n);
  let used = 0;
  for (let a = 0; a < n; a++) {
    const from = used;
    for (let j = places.indptr[a]; j < places.indptr[a + 1]; j++) {
      const p = places.indices[j];
      for (let q = Math.max(first[p], p - window); q < Math.min(end[p], p + window + 1); q++) {
        if (q === p) continue;
        if (weight[item[q]] === 0) indices[used++] = item[q];
        weight[item[q]] += 1 / Math.abs(q - p);
      }
    }
    indices.subarray(from, used).sort();
    for (let j = from; j < used; j++) {
      data[j] = weight[indices[j]];
      weight[indices[j]] = 0;
    }
    starts[a + 1] = used;
  }
  return { indptr: starts, indices, data };
}
