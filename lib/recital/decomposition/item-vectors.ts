import { InterruptGuard, interruptible } from '../compute/interrupt.js';
import { Csr, type CsrRows, groupBy } from '../data/csr.js';
import { Histories, type SequenceSource } from '../data/sequences.js';
import { ArgumentError, DataError, InterruptedError } from '../errors.js';
import { checkOptions, said } from '../options.js';
import { TruncatedSVD } from './truncated-svd.js';

/** Options of {@link itemVectors}. */
export interface ItemVectorsOptions extends PpmiOptions {
  /** Length of a vector; default 50. */
  embSz?: number;
  /** Mean length of the vectors that are not 0, as √Σx²; default 2. */
  meanNorm?: number;
  /** Seed of the decomposition's start; default 42. */
  seed?: number | string;
}

/**
 * Vectors of the tracks in which tracks that are played near each other lie close: U·√Σ of the
 * truncated SVD of their {@link ppmi}. To start an LSTMModel's embedding from (`embInit`): what
 * neighbours tell, it then need not find again. Tracks that are never played beside another have
 * the vector 0.
 * @param source plays, whose order is that of the file, or sessions
 * @returns tracks × embSz, row-major
 * @throws ArgumentError for more numbers than there are tracks; DataError if no history has two
 *   tracks
 * @example
 * const dls = SequenceDataLoaders.fromSessions(trainSessions, { length: 10 });
 * lstmLearner(dls, { embSz: 64, layers: [64], tied: true, embInit: await itemVectors(trainSessions, { embSz: 64 }) })
 */
export async function itemVectors(
  source: SequenceSource | Histories,
  options: ItemVectorsOptions = {},
): Promise<Float32Array> {
  checkOptions(options, ['embSz', 'meanNorm', 'seed', 'window', 'power'], 'itemVectors');
  const { embSz = 50, meanNorm = 2, seed = 42, ...neighbours } = options;
  if (!(meanNorm > 0 && Number.isFinite(meanNorm)))
    throw new ArgumentError(`meanNorm must be a positive number, got ${said(meanNorm)}.`);
  if (!(Number.isInteger(embSz) && embSz >= 1))
    throw new ArgumentError(`embSz must be a positive whole number, got ${said(embSz)}.`);
  const neighbourhood = ppmi(source, neighbours);
  const [tracks] = neighbourhood.shape;
  if (embSz > tracks)
    throw new ArgumentError(
      `embSz must be at most ${tracks}, the number of tracks, got ${said(embSz)}.`,
    );
  const svd = new TruncatedSVD({ nComponents: embSz, seed, tol: 1e-4 });
  const guard = new InterruptGuard(); // around that of the decomposition, whose first vectors are of no use here
  const { data, shape } = await svd.fitTransform(neighbourhood).finally(() => guard.stop()); // U·Σ
  if (guard.interrupted) throw new InterruptedError('Interrupted before the vectors were made.');
  const [rows, width] = shape;
  const roots = svd.singularValues.map(Math.sqrt);
  const out = Float32Array.from(data, (x, i) => (roots[i % width] > 0 ? x / roots[i % width] : 0));
  let norms = 0;
  let played = 0;
  for (let r = 0; r < rows; r++) {
    const norm = Math.hypot(...out.subarray(r * width, (r + 1) * width));
    norms += norm;
    if (norm > 0) played++;
  }
  return norms > 0 ? out.map((x) => (x * meanNorm * played) / norms) : out;
}

/** Options of {@link ppmi}. */
export interface PpmiOptions {
  /** How far apart in a history two tracks may be to count as neighbours; default 5. */
  window?: number;
  /**
   * The frequency of a neighbour is taken to this power, so that rare ones do not get the largest
   * values; default 0.75, word2vec's.
   */
  power?: number;
}

/**
 * How much more often two tracks are played near each other than chance would have it: positive
 * pointwise mutual information, a sparse tracks × tracks matrix. With n(a, b) = Σ 1/distance over
 * the places where b is played at most `window` tracks from a in one history,
 *
 * ppmi(a, b) = max(0, log( n(a, b) · Σ_c n(c)^power / (n(a) · n(b)^power) )), n(a) = Σ_b n(a, b)
 *
 * (Levy, Goldberg and Dagan 2015: factored by an SVD it gives vectors as word2vec does.) A track
 * that is played alone has an empty row.
 * @param source plays, whose order is that of the file, or sessions
 * @throws DataError if no history has two tracks
 * @example const { shape, indices } = ppmi(sessions, { window: 5 });
 */
export function ppmi(
  source: SequenceSource | Histories,
  options: PpmiOptions = {},
): Csr<Float64Array> {
  checkOptions(options, ['window', 'power'], 'ppmi');
  const { window = 5, power = 0.75 } = options;
  if (!(Number.isInteger(window) && window >= 1))
    throw new ArgumentError(
      `window must be a whole number of tracks, at least 1, got ${said(window)}.`,
    );
  if (!(power >= 0 && Number.isFinite(power)))
    throw new ArgumentError(`power must be a number, 0 or more, got ${said(power)}.`);
  const histories = source instanceof Histories ? source : Histories.of(source);
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
  { items, indptr, item }: Histories,
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
