import { interruptible } from '../compute/interrupt.js';
import { Csr, type CsrRows, groupBy } from '../data/csr.js';
import { Histories, type SequenceSource } from '../data/sequences-histories.js';
import { ArgumentError, DataError } from '../errors.js';
import { checkOptions, said } from '../options.js';

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
