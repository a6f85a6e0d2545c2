import { inspect } from 'node:util';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkOptions, said } from '../options.js';
import { Csr } from './csr.js';
import type { Plays } from './plays.js';
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

/** A sparse matrix of users × tracks, with the vocabularies of its rows and columns. */
export interface InteractionMatrix extends Csr<Float64Array> {
  /** The user of each row. */
  readonly users: Vocabulary;
  /** The track of each column. */
  readonly tracks: Vocabulary;
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
  checkArgument(
    typeof plays?.compact === 'function',
    plays,
    'interactionMatrix',
    'plays, such as readPlays reads',
  );
  if (plays.length === 0) throw new ArgumentError('There are no plays to make a matrix of.');
  const { users, tracks, user, track, playcount } = plays.compact();
  const shape = [users.length, tracks.length] as const;
  const pairs = { row: user, column: track, value: playcount };
  const matrix = Csr.fromPairs(shape, pairs, Float64Array);
  const { data } = matrix;
  if (value === 'binary') data.fill(1);
  else if (value === 'log') for (let j = 0; j < data.length; j++) data[j] = Math.log1p(data[j]);
  const describe = (): string => matrix.describe(['users', 'tracks']);
  Object.defineProperty(matrix, inspect.custom, { value: describe });
  return Object.assign(matrix, { users, tracks });
}
