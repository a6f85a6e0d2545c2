import { inspect } from 'node:util';
import { ArgumentError } from '../errors.js';
import { checkOptions, said, whatIs } from '../options.js';
import { groupPairs } from './csr.js';
import type { CsrMatrix } from './matrix.js';
import { Plays } from './plays.js';
import type { Vocabulary } from './vocabulary.js';

/** What an entry of an interaction matrix is: how often, whether, or the logarithm of how often. */
export type InteractionValue = 'count' | 'binary' | 'log';

/** Options of {@link interactionMatrix}. */
export interface InteractionMatrixOptions {
  /**
   * `'count'` (default): the playcount. `'binary'`: 1 for what was played. `'log'`: ln(1 +
   * playcount), which keeps the order and takes most of the weight from a few songs played a
   * hundred times.
   */
  value?: InteractionValue;
}

/** Users × tracks, sparse, with who the rows and what the columns are. */
export interface InteractionMatrix extends CsrMatrix {
  /** The user of each row. */
  readonly users: Vocabulary;
  /** The track of each column. */
  readonly tracks: Vocabulary;
  readonly data: Float64Array;
}

/**
 * Who has played what as a sparse matrix, one row a user, one column a track: what PCA and
 * TruncatedSVD take. Users and tracks without a play are left out, repeated plays of a track are
 * added up. It prints its shape and its sparsity, the share of its cells that are empty.
 * @param plays who played what
 * @example
 * const plays = Plays.fromRows([{ user: 'u1', track: 'a', playcount: 3 }, { user: 'u2', track: 'b' }]);
 * interactionMatrix(plays).data // Float64Array [3, 1]
 */
export function interactionMatrix(
  plays: Plays,
  options: InteractionMatrixOptions = {},
): InteractionMatrix {
  checkOptions(options, ['value'], 'interactionMatrix');
  const { value = 'count' } = options;
  if (value !== 'count' && value !== 'binary' && value !== 'log') {
    throw new ArgumentError(`value must be 'count', 'binary' or 'log', got '${said(value)}'.`);
  }
  if (!(plays instanceof Plays))
    throw new ArgumentError(
      `interactionMatrix needs plays, such as readPlays reads, got ${whatIs(plays)}.`,
    );
  if (plays.length === 0) throw new ArgumentError('There are no plays to make a matrix of.');
  const { users, tracks, user, track, playcount } = plays.compact();
  const sorted = groupPairs(user, track, { rows: users.length });
  const indptr = new Int32Array(users.length + 1);
  let indices = new Int32Array(user.length);
  let data = new Float64Array(user.length);
  let n = 0;
  for (let u = 0; u < users.length; u++) {
    for (let j = sorted.indptr[u]; j < sorted.indptr[u + 1]; j++) {
      const i = sorted.indices[j];
      if (n === indptr[u] || indices[n - 1] !== track[i]) indices[n++] = track[i];
      data[n - 1] += playcount[i];
    }
    indptr[u + 1] = n;
  }
  if (n < indices.length) [indices, data] = [indices.slice(0, n), data.slice(0, n)];
  if (value === 'binary') data.fill(1);
  else if (value === 'log') for (let j = 0; j < data.length; j++) data[j] = Math.log1p(data[j]);
  const matrix: InteractionMatrix = {
    users,
    tracks,
    shape: [users.length, tracks.length],
    indptr,
    indices,
    data,
  };
  return Object.defineProperty(matrix, inspect.custom, { value: describe });
}

function describe(this: InteractionMatrix): string {
  const [rows, columns] = this.shape;
  const n = (x: number): string => x.toLocaleString('en');
  const cells = rows * columns;
  const empty = Number(((100 * (cells - this.data.length)) / cells).toPrecision(4));
  return `Matrix of ${n(rows)} users × ${n(columns)} tracks: ${n(this.data.length)} of ${n(cells)} cells filled, ${empty} % empty`;
}
