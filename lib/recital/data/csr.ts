import { found } from '../compute/checked.js';
import { atOnce, type Steps } from '../compute/interrupt.js';
import { dispose, float32, float64, int32 } from '../compute/memory.js';
import { sparseRows } from '../compute/sparse.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkOneOf, given } from '../options.js';
import { printed } from '../printed.js';
import type { Plays } from './plays.js';
import type { Vocabulary } from './vocabulary.js';

/** A dense matrix: element (i, j) is data[i · columns + j]. */
export interface DenseMatrix {
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  /** The numbers, row after row. */
  readonly data: Float64Array | Float32Array;
}

/** Lists of column numbers, one per row: row r is `indices[indptr[r] … indptr[r + 1])`. */
export interface CsrRows {
  /** Rows + 1 numbers, ascending from 0. */
  readonly indptr: Int32Array;
  /** Column numbers (or other numbers, as each function says), row after row. */
  readonly indices: Int32Array;
}

/** Types of the values of a sparse matrix; undefined: each entry is 1. */
type Values = Float64Array | Float32Array | undefined;

/** The arrays of a sparse matrix as a plain object, with SciPy's names. */
export interface CsrLike<Data extends Values = Float64Array | Float32Array> extends CsrRows {
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  /** The value of each entry of `indices`. */
  readonly data: Data;
}

/**
 * A sparse matrix in compressed rows, SciPy's `csr_matrix` with its names: entries that are not
 * listed are 0. In each row the columns ascend, each once.
 */
export class Csr<Data extends Values = Float64Array | Float32Array> implements CsrLike<Data> {
  readonly shape: readonly [number, number];
  readonly indptr: Int32Array;
  readonly indices: Int32Array;
  readonly data: Data;

  /** @param arrays kept, not copied, and not checked: see {@link Csr.check} */
  constructor({ shape, indptr, indices, data }: CsrLike<Data>) {
    this.shape = shape;
    this.indptr = indptr;
    this.indices = indices;
    this.data = data;
  }

  /** The distinct pairs, without values. */
  static fromPairs(shape: readonly [number, number], pairs: Pairs): Csr<undefined>;
  /** Each distinct pair with the sum of its values. */
  static fromPairs<D extends Float64Array | Float32Array>(
    shape: readonly [number, number],
    pairs: Pairs & { readonly value?: ArrayLike<number> },
    Data: new (length: number) => D,
  ): Csr<D>;
  static fromPairs(
    shape: readonly [number, number],
    { row, column, value }: Pairs & { readonly value?: ArrayLike<number> },
    Data?: new (length: number) => Float64Array | Float32Array,
  ): Csr<Values> {
    const sorted = groupPairs(row, column, shape[0]);
    const { indices } = sorted; // written in place: what is overwritten has been read
    const indptr = new Int32Array(shape[0] + 1);
    const data = Data && new Data(indices.length);
    let n = 0;
    for (let r = 0; r < shape[0]; r++) {
      for (let j = sorted.indptr[r]; j < sorted.indptr[r + 1]; j++) {
        const i = indices[j];
        if (n === indptr[r] || indices[n - 1] !== column[i]) indices[n++] = column[i];
        if (data) data[n - 1] += value ? value[i] : 1;
      }
      indptr[r + 1] = n;
    }
    if (n === indices.length) return new Csr({ shape, indptr, indices, data });
    return new Csr({ shape, indptr, indices: indices.slice(0, n), data: data?.slice(0, n) });
  }

  /** Arrays for a matrix of this many entries on the shared memory of the kernels. */
  static onShared<D extends Float64Array | Float32Array>(
    shape: readonly [number, number],
    entries: number,
    Data: new (length: number) => D,
  ): Csr<D> {
    const data = (Data as unknown) === Float64Array ? float64(entries) : float32(entries);
    const [indptr, indices] = [int32(shape[0] + 1), int32(entries)];
    return new Csr<D>({ shape, indptr, indices, data: data as D });
  }

  /**
   * Checks arrays that come from outside: rows one after the other, and in each the columns
   * ascending, each once, with a value for each if there are values.
   * @throws ArgumentError that says what is wrong
   */
  static check(matrix: CsrLike<Values>): void {
    atOnce(Csr.checking(matrix));
  }

  /** {@link Csr.check} in steps. */
  static *checking({
    shape: [rows, columns],
    indptr,
    indices,
    data,
  }: CsrLike<Values>): Steps<void> {
    if (data && data.length !== indices.length)
      throw new ArgumentError(
        `A sparse matrix has one value for each of its indices, got ${data.length} values and ${indices.length} indices.`,
      );
    if (indptr.length !== rows + 1 || indptr[0] !== 0 || indptr[rows] !== indices.length)
      throw new ArgumentError(
        `Rows do not fit: ${rows} rows of together ${indices.length} numbers were expected.`,
      );
    const known = found<{ indptr: Int32Array; below: number }>(indices, 'rows');
    if (known?.indptr === indptr && known.below <= columns) return;
    for (let r = 0; r < rows; r++) {
      if (indptr[r + 1] < indptr[r]) throw new ArgumentError(`Row ${r} has less than no numbers.`);
      if (r % 65536 === 0) yield;
    }
    for (let r = 0; r < rows; r++) {
      if (r % 4096 === 0) yield;
      for (let j = indptr[r], last = -1; j < indptr[r + 1]; last = indices[j++])
        if (!(indices[j] > last && indices[j] < columns))
          throw new ArgumentError(
            `Row ${r} has the number ${indices[j]} after ${last}; ascending ones below ${columns} were expected.`,
          );
    }
  }

  /** The columns of a row, ascending. A view: not to be written to. */
  row(row: number): Int32Array {
    return this.indices.subarray(this.indptr[row], this.indptr[row + 1]);
  }

  /** Whether the matrix has an entry in this place. */
  has(row: number, column: number): boolean {
    const { indices } = this;
    let low = this.indptr[row];
    let high = this.indptr[row + 1] - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (indices[middle] === column) return true;
      if (indices[middle] < column) low = middle + 1;
      else high = middle - 1;
    }
    return false;
  }

  /** The transposed matrix, by rows again. */
  transpose(): Csr<Data>;
  /** @param into the arrays to put it into, of as many rows and entries as it has */
  transpose<D extends Float64Array | Float32Array>(
    this: Csr<Float64Array | Float32Array>,
    into: Csr<D>,
  ): Csr<D>;
  transpose(into: Csr<Values> = this.emptyTransposed()): Csr<Values> {
    const { indptr, indices, data } = this;
    const [rows, columns] = this.shape;
    const next = new Int32Array(columns + 1);
    for (let j = 0; j < indices.length; j++) next[indices[j] + 1]++;
    for (let c = 0; c < columns; c++) next[c + 1] += next[c];
    into.indptr.set(next);
    for (let r = 0; r < rows; r++) {
      for (let j = indptr[r]; j < indptr[r + 1]; j++) {
        const at = next[indices[j]]++;
        into.indices[at] = r;
        if (into.data) into.data[at] = data![j];
      }
    }
    return into;
  }

  private emptyTransposed(): Csr<Values> {
    const [rows, columns] = this.shape;
    return new Csr<Values>({
      shape: [columns, rows],
      indptr: new Int32Array(columns + 1),
      indices: new Int32Array(this.indices.length),
      data: this.data && new (this.data.constructor as Float64ArrayConstructor)(this.data.length),
    });
  }

  /** A copy on the shared memory of the kernels; `dispose` gives its memory back. */
  toShared<D extends Float64Array | Float32Array>(
    this: Csr<Float64Array | Float32Array>,
    Data: new (length: number) => D,
  ): Csr<D> {
    const copy = Csr.onShared(this.shape, this.indices.length, Data);
    copy.indptr.set(this.indptr);
    copy.indices.set(this.indices);
    copy.data.set(this.data);
    return copy;
  }

  /**
   * out = A·X for this matrix A and X of columns × width, all on the shared memory and in float32,
   * row-major, X and out not the same. The bits do not depend on the number of threads, nor on the
   * width.
   * @param options.plus is added to the product; it may be `out`
   */
  times(
    this: Csr<Float32Array>,
    x: Float32Array,
    out: Float32Array,
    options: { width: number; plus?: Float32Array },
  ): void {
    sparseRows(this, x, out, options);
  }

  /** Gives the memory of a matrix on the shared memory back. */
  dispose(): void {
    for (const array of [this.indptr, this.indices, this.data]) if (array) dispose(array);
  }
}

const described = ({ shape: [rows, columns], indices }: CsrLike<Values>, of: [string, string]) => {
  const n = (x: number): string => x.toLocaleString('en');
  const cells = rows * columns;
  const empty = Number(((100 * (cells - indices.length)) / cells).toPrecision(4));
  return `Matrix of ${n(rows)} ${of[0]} × ${n(columns)} ${of[1]}: ${n(indices.length)} of ${n(cells)} cells filled, ${empty} % empty`;
};
printed(Csr, (matrix) => described(matrix, ['rows', 'columns']));

/** Row and column of each entry of a matrix, in any order; pairs may be repeated. */
interface Pairs {
  readonly row: Int32Array;
  readonly column: Int32Array;
}

/**
 * Groups positions by key, by a stable counting sort: row `k` lists the positions where `keys` is
 * `k`, ascending.
 * @param keys numbers from 0 to n − 1
 */
export function groupBy(keys: Int32Array, n: number): CsrRows {
  const indptr = new Int32Array(n + 1);
  for (let i = 0; i < keys.length; i++) indptr[keys[i] + 1]++;
  for (let k = 0; k < n; k++) indptr[k + 1] += indptr[k];
  const next = indptr.slice(0, n);
  const indices = new Int32Array(keys.length);
  for (let i = 0; i < keys.length; i++) indices[next[keys[i]]++] = i;
  return { indptr, indices };
}

/** The row of each entry of a matrix, given where the rows begin. */
export function rowOfEach(indptr: Int32Array): Int32Array {
  return found<Int32Array>(indptr, 'rowOfEach') ?? atOnce(rowOfEachInSteps(indptr));
}

/** {@link rowOfEach} in steps. */
export function* rowOfEachInSteps(indptr: Int32Array): Steps<Int32Array> {
  const row = new Int32Array(indptr[indptr.length - 1]);
  for (let r = 0; r + 1 < indptr.length; r++) {
    if (r % 4096 === 0) yield;
    row.fill(r, indptr[r], indptr[r + 1]);
  }
  return row;
}

/** The values in these places; several times as fast as `from` with a function. */
export function pick<T extends Int32Array | Float32Array | Float64Array>(
  values: T,
  places: ArrayLike<number>,
): T {
  const out = new (values.constructor as new (n: number) => T)(places.length);
  for (let j = 0; j < out.length; j++) out[j] = values[places[j]];
  return out;
}

/** The numbers 0 … n − 1 that meet a condition, ascending. */
export function numbersWhere(n: number, keep: (i: number) => boolean): Int32Array {
  const out = new Int32Array(n);
  let used = 0;
  for (let i = 0; i < n; i++) if (keep(i)) out[used++] = i;
  return out.slice(0, used);
}

/** Rows up to this length are sorted by insertion, longer ones by the array's own sort. */
const SHORT = 40;

/** Groups the positions of pairs by row, and sorts them within a row by column, then by place. */
export function groupPairs(rows: Int32Array, columns: Int32Array, n: number): CsrRows {
  const { indptr, indices } = groupBy(rows, n);
  const keys = new Int32Array(SHORT);
  for (let r = 0; r < n; r++) {
    const [from, size] = [indptr[r], indptr[r + 1] - indptr[r]];
    if (size > SHORT) sortLong(indices.subarray(from, from + size), columns);
    else sortShort(indices, columns, { from, size, keys });
  }
  return { indptr, indices };
}

function sortShort(
  positions: Int32Array,
  columns: Int32Array,
  { from, size, keys }: { from: number; size: number; keys: Int32Array },
): void {
  for (let i = 0; i < size; i++) {
    const position = positions[from + i];
    const key = columns[position];
    let j = i;
    for (; j > 0 && keys[j - 1] > key; j--) {
      keys[j] = keys[j - 1];
      positions[from + j] = positions[from + j - 1];
    }
    keys[j] = key;
    positions[from + j] = position;
  }
}

/** Sorts by column, then by place: both in one number, which is exact below 2⁵³. */
function sortLong(positions: Int32Array, columns: Int32Array): void {
  const n = positions.length;
  const keys = new Float64Array(n);
  for (let i = 0; i < n; i++) keys[i] = columns[positions[i]] * n + i;
  keys.sort();
  const before = positions.slice();
  for (let i = 0; i < n; i++) positions[i] = before[keys[i] % n];
}

/** The value of a play: how often, whether, or the logarithm of how often a track was played. */
export type InteractionValue = 'count' | 'binary' | 'log';

const MATRIX = {
  /**
   * `'count'` (default): the playcount. `'binary'`: 1 for what was played. `'log'`: ln(1 +
   * playcount), which keeps the order and takes most of the weight from a few tracks played a
   * hundred times.
   */
  value: 'count' as InteractionValue,
};
/** Options of {@link interactionMatrix}. */
export type InteractionMatrixOptions = Partial<typeof MATRIX>;

/** A sparse matrix of users × tracks, with the vocabularies of its rows and columns. */
export class InteractionMatrix extends Csr<Float64Array> {
  constructor(
    matrix: Csr<Float64Array>,
    /** The user of each row. */
    readonly users: Vocabulary,
    /** The track of each column. */
    readonly tracks: Vocabulary,
  ) {
    super(matrix);
  }
}
printed(InteractionMatrix, (matrix) => described(matrix, ['users', 'tracks']));

/**
 * Plays as a sparse matrix, a row per user, a column per track: the input of PCA and TruncatedSVD.
 * Users and tracks without a play are left out, repeated plays of a track are added up. It prints
 * its shape and the share of its cells that are empty.
 * @param plays who played what
 * @example
 * const plays = Plays.fromRows([{ user: 'u1', track: 'a', playcount: 3 }, { user: 'u2', track: 'b' }]);
 * interactionMatrix(plays).data // Float64Array [3, 1]
 */
export function interactionMatrix(
  plays: Plays,
  options: InteractionMatrixOptions = {},
): InteractionMatrix {
  const { value } = given(MATRIX, options, 'interactionMatrix');
  checkOneOf(value, ['count', 'binary', 'log'], 'value');
  const fits = typeof plays?.compact === 'function';
  checkArgument(fits, plays, 'interactionMatrix', 'plays, such as readPlays reads');
  if (plays.length === 0) throw new ArgumentError('There are no plays to make a matrix of.');
  const { users, tracks, user, track, playcount } = plays.compact();
  const shape = [users.length, tracks.length] as const;
  const pairs = { row: user, column: track, value: playcount };
  const matrix = Csr.fromPairs(shape, pairs, Float64Array);
  const { data } = matrix;
  if (value === 'binary') data.fill(1);
  else if (value === 'log') for (let j = 0; j < data.length; j++) data[j] = Math.log1p(data[j]);
  return new InteractionMatrix(matrix, users, tracks);
}
