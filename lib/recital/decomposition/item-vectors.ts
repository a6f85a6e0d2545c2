import { InterruptGuard } from '../compute/interrupt.js';
import type { Histories, SequenceSource } from '../data/sequences-histories.js';
import { ArgumentError, InterruptedError } from '../errors.js';
import { checkOptions, said } from '../options.js';
import { type PpmiOptions, ppmi } from './ppmi.js';
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
