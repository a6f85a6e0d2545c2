import type { CsrRows } from '../data/csr.js';
import { Table } from '../data/table.js';
import { ArgumentError, messagesNameIds } from '../errors.js';
import { checkCount, given } from '../options.js';
import type { Interactions } from './interactions.js';
import { TopN } from './rank.js';
import { Recommendations } from './recommendations.js';
import type { Recommender, TrackVectors } from './recommender.js';

/**
 * See {@link Recommender.similarTracks}.
 * @param track its index
 * @param options.blocked indices of the tracks that are left out beside it
 */
export function similarTracks(
  recommender: Recommender,
  track: number,
  { n, blocked }: { n: number; blocked: Int32Array },
): Recommendations {
  const { tracks, seen, catalogue, names } = recommender;
  const vectors = recommender.trackVectors?.();
  if (!vectors && seen.totals) throw withoutSeen(recommender, 'tracks');
  const similarity = vectors ? cosineToRow(vectors, track) : userCosine(seen, track);
  for (const t of blocked) similarity[t] = -Infinity;
  similarity[track] = -Infinity;
  const what = (t: number): string =>
    `${recommender.name}: the similarity of track "${tracks.id(t)}" to "${tracks.id(track)}"`;
  const { found, scores } = best(similarity, n, what);
  return new Recommendations(tracks.decode(found), scores, {
    catalogue,
    names,
    measure: 'similarity',
  });
}

const SIMILAR_USERS = {
  /** Length of the list; default 10. */
  n: 10,
};

/** Options of {@link Recommender.similarUsers}. */
export type SimilarUsersOptions = Partial<typeof SIMILAR_USERS>;

/**
 * See {@link Recommender.similarUsers}.
 * @param to the index of a user of the training data; or the vector, if users have one, and the
 *   track indices of another user
 */
export function similarUsers(
  recommender: Recommender,
  to: { user: number } | { vector: Float64Array | undefined; history: readonly number[] },
  options: SimilarUsersOptions = {},
): Table {
  const { n } = given(SIMILAR_USERS, options, 'similarUsers');
  checkCount(n, 'n');
  const { users, seen, names } = recommender;
  const vectors = recommender.userVectors?.();
  if (seen.totals && (!vectors || users.length === 0)) throw withoutSeen(recommender, 'users');
  const known = 'user' in to;
  const vector = known ? vectors && rowOf(vectors, to.user) : to.vector;
  const similarity =
    vectors && vector
      ? cosines(vectors, vector)
      : sharedColumns(known ? seen.row(to.user) : to.history, seen.transpose(), seen.indptr);
  if (known) similarity[to.user] = -Infinity;
  const what = (u: number): string =>
    `${recommender.name}: the similarity of ${messagesNameIds() ? `"${users.id(u)}"` : 'a user'}`;
  const { found, scores } = best(similarity, n, what);
  return new Table({
    rank: Float64Array.from(found, (_, i) => i + 1),
    [names?.user ?? 'user_id']: users.decode(found),
    similarity: scores,
  });
}

function withoutSeen({ name }: Recommender, what: 'tracks' | 'users'): ArgumentError {
  return new ArgumentError(
    `${name} was exported without listening histories ({ seen: false }): it cannot say which ${what} are alike.`,
  );
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

function rowOf({ values, width }: TrackVectors, row: number): Float32Array {
  return values.subarray(row * width, (row + 1) * width);
}

/** Cosine of one row with every row: see {@link cosines}. */
export function cosineToRow(vectors: TrackVectors, row: number): Float32Array {
  return cosines(vectors, rowOf(vectors, row));
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

/** Cosine of a track's users with those of every track, |A ∩ B| / √(|A|·|B|). */
export function userCosine(seen: Interactions, track: number): Float32Array {
  const { indptr, indices } = seen.transpose();
  return sharedColumns(indices.subarray(indptr[track], indptr[track + 1]), seen, indptr);
}

/**
 * Cosine of a set A of rows with the rows B of each column of a sparse matrix, |A ∩ B| / √(|A|·|B|).
 * @param columns where the rows of column c begin and end: columns[c] … columns[c + 1]
 */
function sharedColumns(
  rows: ArrayLike<number>,
  { indptr, indices }: CsrRows,
  columns: Int32Array,
): Float32Array {
  const out = new Float32Array(columns.length - 1);
  for (let i = 0; i < rows.length; i++)
    for (let j = indptr[rows[i]]; j < indptr[rows[i] + 1]; j++) out[indices[j]]++;
  for (let c = 0; c < out.length; c++)
    if (out[c] > 0) out[c] /= Math.sqrt(rows.length * (columns[c + 1] - columns[c]));
  return out;
}
