import { ArgumentError } from '../errors.js';

/**
 * Compressed sparse rows: the column numbers of row `r` are `indices[indptr[r] … indptr[r + 1])`.
 * SciPy's names.
 */
export interface Csr {
  /** Rows + 1 numbers, ascending from 0. */
  readonly indptr: Int32Array;
  /** Column numbers (or row numbers of the data, as each function says), row after row. */
  readonly indices: Int32Array;
}

/**
 * Checks compressed rows that come from outside, from a file for instance: as many rows as said,
 * one after the other, and in each the columns ascending, each once.
 * @throws ArgumentError that says what is wrong
 */
export function checkCsr({ indptr, indices }: Csr, shape: { rows: number; columns: number }): void {
  const { rows, columns } = shape;
  if (indptr.length !== rows + 1 || indptr[0] !== 0 || indptr[rows] !== indices.length) {
    throw new ArgumentError(
      `Rows do not fit: ${rows} rows of together ${indices.length} numbers were expected.`,
    );
  }
  for (let r = 0; r < rows; r++)
    if (indptr[r + 1] < indptr[r]) throw new ArgumentError(`Row ${r} has less than no numbers.`);
  for (let r = 0; r < rows; r++) {
    for (let j = indptr[r], last = -1; j < indptr[r + 1]; j++) {
      if (!(indices[j] > last && indices[j] < columns)) {
        throw new ArgumentError(
          `Row ${r} has the number ${indices[j]} after ${last}; ascending ones below ${columns} were expected.`,
        );
      }
      last = indices[j];
    }
  }
}

/**
 * Groups positions by key: row `k` lists the positions where `keys` is `k`, ascending (a stable
 * counting sort).
 * @param keys numbers from 0 to n − 1
 * @param n number of keys
 */
export function groupBy(keys: Int32Array, n: number): Csr {
  const indptr = new Int32Array(n + 1);
  for (let i = 0; i < keys.length; i++) indptr[keys[i] + 1]++;
  for (let k = 0; k < n; k++) indptr[k + 1] += indptr[k];
  const next = indptr.slice(0, n);
  const indices = new Int32Array(keys.length);
  for (let i = 0; i < keys.length; i++) indices[next[keys[i]]++] = i;
  return { indptr, indices };
}

/** Rows up to this length are sorted by insertion, longer ones by the array's own sort. */
const SHORT = 40;

/**
 * Groups the positions of pairs by row, and within a row by column, ascending; positions of equal
 * pairs ascend.
 * @param rows row number of each pair, 0 … nRows − 1
 * @param columns column number of each pair, 0 … nColumns − 1
 */
export function groupPairs(
  rows: Int32Array,
  columns: Int32Array,
  { rows: n }: { rows: number },
): Csr {
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

/**
 * By column and place in one number, exact below 2⁵³: more columns times pairs than that would not
 * fit into memory.
 */
function sortLong(positions: Int32Array, columns: Int32Array): void {
  const n = positions.length;
  const keys = new Float64Array(n);
  for (let i = 0; i < n; i++) keys[i] = columns[positions[i]] * n + i;
  keys.sort();
  const before = positions.slice();
  for (let i = 0; i < n; i++) positions[i] = before[keys[i] % n];
}

/**
 * The distinct columns of each row, ascending.
 * @param rows row number of each pair, 0 … nRows − 1
 * @param columns column number of each pair, 0 … nColumns − 1
 */
export function csrFromPairs(
  rows: Int32Array,
  columns: Int32Array,
  shape: { rows: number; columns: number },
): Csr {
  const { indptr, indices } = groupPairs(rows, columns, shape);
  const starts = new Int32Array(shape.rows + 1);
  let used = 0;
  for (let r = 0; r < shape.rows; r++) {
    let last = -1;
    for (let j = indptr[r]; j < indptr[r + 1]; j++) {
      const column = columns[indices[j]];
      if (column !== last) indices[used++] = last = column; // in place: what is written has been read
    }
    starts[r + 1] = used;
  }
  return { indptr: starts, indices: used === indices.length ? indices : indices.slice(0, used) };
}
