import { Table } from '../data/table.js';
import { ArgumentError } from '../errors.js';
import { checkCount, checkOptions } from '../options.js';
import type { Interactions } from './interactions.js';
import { TopN } from './rank.js';
import { Recommendations } from './recommendations.js';
import type { Id, Recommender, SimilarTracksOptions, TrackVectors } from './recommender.js';
import { blockedTracks, trackIndex, userIndex } from './resolve-ids.js';

/** See {@link Recommender.similarTracks}. */
export function similarTracks(
  recommender: Recommender,
  track: Id,
  options: SimilarTracksOptions = {},
): Recommendations {
  checkOptions(options, ['n', 'among', 'exclude'], 'similarTracks');
  const { n = 10 } = options;
  checkCount(n, 'n');
  const { tracks, catalogue, seen, names } = recommender;
  const index = trackIndex(recommender, track);
  const vectors = recommender.trackVectors?.();
  if (!vectors && seen.totals) {
    throw new ArgumentError(
      `${recommender.name} compares tracks by who listens to them, and was exported without listening histories ({ seen: false }): it cannot say which are alike.`,
    );
  }
  const similarity = vectors ? cosineToRow(vectors, index) : listenerCosine(seen, index);
  for (const t of blockedTracks(recommender, options)) similarity[t] = -Infinity;
  similarity[index] = -Infinity;
  const { found, scores } = best(
    similarity,
    n,
    (t) =>
      `${recommender.name}: the similarity of track "${tracks.id(t)}" to "${tracks.id(index)}"`,
  );
  return new Recommendations(tracks.decode(found), scores, {
    catalogue,
    measure: 'similarity',
    names,
  });
}

/** Options of {@link Recommender.similarUsers}. */
export interface SimilarUsersOptions {
  /** Length of the list; default 10. */
  n?: number;
}

/**
 * See {@link Recommender.similarUsers}.
 * @param to a user of the training data, or a listener by vector, if users have one, and history:
 *   track indices
 */
export function similarUsers(
  recommender: Recommender,
  to: { user: Id } | { vector: Float64Array | undefined; history: readonly number[] },
  options: SimilarUsersOptions = {},
): Table {
  checkOptions(options, ['n'], 'similarUsers');
  const { n = 10 } = options;
  checkCount(n, 'n');
  const { users, seen, names } = recommender;
  const self = 'user' in to ? userIndex(recommender, to.user) : -1;
  const vectors = recommender.userVectors?.();
  if (seen.totals && (!vectors || users.length === 0)) {
    throw new ArgumentError(
      `${recommender.name} was exported without listening histories ({ seen: false }): it cannot say which users are alike.`,
    );
  }
  const vector =
    'user' in to
      ? vectors?.values.subarray(self * vectors.width, (self + 1) * vectors.width)
      : to.vector;
  const similarity =
    vectors && vector
      ? cosines(vectors, vector)
      : sharedTracks(seen, 'user' in to ? seen.row(self) : to.history);
  if (self >= 0) similarity[self] = -Infinity;
  const { found, scores } = best(
    similarity,
    n,
    (u) => `${recommender.name}: the similarity of "${users.id(u)}"`,
  );
  return new Table({
    rank: Float64Array.from(found, (_, i) => i + 1),
    [names?.user ?? 'user_id']: users.decode(found),
    similarity: scores,
  });
}

/** The n largest similarities, and whose they are. */
function best(
  similarity: Float32Array,
  n: number,
  what: (index: number) => string,
): { found: Int32Array; scores: Float32Array } {
  const top = new TopN(Math.min(n, similarity.length));
  top.select(similarity, 0, similarity.length, what);
  const [found, scores] = [new Int32Array(top.count), new Float32Array(top.count)];
  top.copyTo(found, scores, 0);
  return { found, scores };
}

/** Cosine of the tracks of some history with those of every user, |A ∩ B| / √(|A|·|B|). */
function sharedTracks(seen: Interactions, history: ArrayLike<number>): Float32Array {
  const byTrack = seen.transpose();
  const out = new Float32Array(seen.users.length);
  for (let i = 0; i < history.length; i++)
    for (let j = byTrack.indptr[history[i]]; j < byTrack.indptr[history[i] + 1]; j++)
      out[byTrack.indices[j]]++;
  for (let u = 0; u < out.length; u++)
    if (out[u] > 0) out[u] /= Math.sqrt(history.length * (seen.indptr[u + 1] - seen.indptr[u]));
  return out;
}

/** Cosine of one row with every row: see {@link cosines}. */
export function cosineToRow(vectors: TrackVectors, row: number): Float32Array {
  return cosines(vectors, vectors.values.subarray(row * vectors.width, (row + 1) * vectors.width));
}

/**
 * Cosine of a vector with every row, a·b / (|a|·|b|), summed in float64; 0 where one is all zero
 * (scikit-learn's rule).
 */
function cosines({ values, width }: TrackVectors, a: ArrayLike<number>): Float32Array {
  const rows = values.length / width;
  const out = new Float32Array(rows);
  let aa = 0;
  for (let j = 0; j < width; j++) aa += a[j] * a[j];
  for (let r = 0; r < rows; r++) {
    let ab = 0;
    let bb = 0;
    for (let j = 0, p = r * width; j < width; j++, p++) {
      ab += a[j] * values[p];
      bb += values[p] * values[p];
    }
    out[r] = aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
  }
  return out;
}

/** Cosine of a track's listeners with those of every track, |A ∩ B| / √(|A|·|B|). */
export function listenerCosine(seen: Interactions, track: number): Float32Array {
  const byTrack = seen.transpose();
  const out = new Float32Array(seen.tracks.length);
  const { indptr, indices } = seen;
  for (let i = byTrack.indptr[track]; i < byTrack.indptr[track + 1]; i++) {
    const user = byTrack.indices[i];
    for (let j = indptr[user]; j < indptr[user + 1]; j++) out[indices[j]]++;
  }
  const listeners = (t: number): number => byTrack.indptr[t + 1] - byTrack.indptr[t];
  for (let t = 0; t < out.length; t++)
    if (out[t] > 0) out[t] /= Math.sqrt(listeners(t) * listeners(track));
  return out;
}
