import { Csr, type CsrLike, type DenseMatrix } from '../data/csr.js';
import { Table } from '../data/table.js';
import { ArgumentError, NumericError } from '../errors.js';

/**
 * What can be decomposed: a sparse matrix, a dense one, or a table whose columns are all numbers.
 */
export type MatrixLike = CsrLike | DenseMatrix | Table;

/** A checked matrix and, if it was a table, the names of its columns. */
export interface Input {
  readonly x: Csr | DenseMatrix;
  readonly names: readonly string[] | undefined;
}

/**
 * Checks what a user hands over.
 * @param who stands in errors, e.g. `PCA`
 * @param options.missing NaN is let through; default false
 * @throws ArgumentError for a shape that does not fit; NumericError for NaN or infinity, with its
 *   place
 */
export function readInput(
  input: MatrixLike,
  who: string,
  { missing = false }: { missing?: boolean } = {},
): Input {
  if (input instanceof Table) {
    const names = input.columnNames;
    const x = fromTable(input);
    checkFinite(x, { who, names, missing });
    return { x, names };
  }
  if (
    typeof input !== 'object' ||
    input === null ||
    !Array.isArray(input.shape) ||
    !isFloats(input.data)
  ) {
    throw new ArgumentError(
      `${who} needs a matrix: { shape: [rows, columns], data: Float64Array }, a sparse one with indptr and indices besides, or a Table of numbers.`,
    );
  }
  const { shape, data } = input;
  if (shape.length !== 2 || !shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new ArgumentError(
      `A shape is [rows, columns] in whole numbers, got [${shape.join(', ')}].`,
    );
  }
  if ('indptr' in input) Csr.check(input);
  else if (data.length !== shape[0] * shape[1]) {
    throw new ArgumentError(
      `A matrix of ${shape[0]} × ${shape[1]} holds ${shape[0] * shape[1]} numbers, got ${data.length}.`,
    );
  }
  if (shape[0] === 0 || shape[1] === 0)
    throw new ArgumentError(
      `${who} needs at least one row and one column, got ${shape[0]} × ${shape[1]}.`,
    );
  const x = 'indptr' in input && !(input instanceof Csr) ? new Csr(input) : input;
  checkFinite(x, { who, missing });
  return { x, names: undefined };
}

/**
 * Throws where the columns of a table are not those of the table that was fitted, in their order:
 * numbers would be taken for others'.
 */
export function checkNames(
  who: string,
  names: readonly string[] | undefined,
  fitted: readonly string[] | undefined,
): void {
  if (!names || !fitted) return;
  const at = names.findIndex((name, j) => name !== fitted[j]);
  if (at < 0) return;
  throw new ArgumentError(
    `The columns must be those that ${who} was fitted to, in the same order: column ${at} (counted from 0) is "${names[at]}", "${fitted[at]}" was expected. table.select([…]) puts them in order.`,
  );
}

function isFloats(data: unknown): boolean {
  return data instanceof Float64Array || data instanceof Float32Array;
}

function fromTable(table: Table): DenseMatrix {
  const names = table.columnNames;
  if (table.length === 0 || names.length === 0)
    throw new ArgumentError(
      `A table of ${table.length} rows and ${names.length} columns has no numbers.`,
    );
  const data = new Float64Array(table.length * names.length);
  names.forEach((name, j) => {
    const column = table.numbers(name);
    for (let i = 0; i < table.length; i++) data[i * names.length + j] = column[i];
  });
  return { shape: [table.length, names.length], data };
}

function checkFinite(
  x: Csr | DenseMatrix,
  { who, names, missing }: { who: string; names?: readonly string[]; missing: boolean },
): void {
  const at = x.data.findIndex((v) => !(Number.isFinite(v) || (missing && Number.isNaN(v))));
  if (at < 0) return;
  const row =
    x instanceof Csr
      ? x.indptr.findIndex((start, r) => start <= at && at < x.indptr[r + 1])
      : Math.floor(at / x.shape[1]);
  const column = x instanceof Csr ? x.indices[at] : at % x.shape[1];
  const place = `row ${row}, column ${names ? `"${names[column]}"` : column} (counted from 0)`;
  const hint = Number.isNaN(x.data[at])
    ? 'Fill in what is missing, or leave the row out.'
    : 'Look for a division by zero, or an overflow.';
  throw new NumericError(`${who} does not accept ${x.data[at]}: ${place}. ${hint}`);
}
