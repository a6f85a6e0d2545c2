import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import { Csr, type CsrLike, type DenseMatrix } from '../../../lib/recital/data/csr.js';

/** A dense matrix from rows. */
export function dense(rows: readonly (readonly number[])[]): DenseMatrix {
  return { shape: [rows.length, rows[0].length], data: Float64Array.from(rows.flat()) };
}

/** The rows of a matrix. */
export function rowsOf(x: DenseMatrix | CsrLike): number[][] {
  const [rows, columns] = x.shape;
  return Array.from({ length: rows }, (_, r) => {
    if (!('indptr' in x)) return Array.from(x.data.subarray(r * columns, (r + 1) * columns));
    const row = new Array<number>(columns).fill(0);
    for (let j = x.indptr[r]; j < x.indptr[r + 1]; j++) row[x.indices[j]] = x.data[j];
    return row;
  });
}

/** The entries that are not 0. */
export function toSparse(x: DenseMatrix): Csr {
  const indptr = [0];
  const indices: number[] = [];
  const data: number[] = [];
  for (const row of rowsOf(x)) {
    row.forEach((v, j) => {
      if (v === 0) return;
      indices.push(j);
      data.push(v);
    });
    indptr.push(indices.length);
  }
  return new Csr({
    shape: x.shape,
    indptr: Int32Array.from(indptr),
    indices: Int32Array.from(indices),
    data: Float64Array.from(data),
  });
}

/**
 * Random entries, about `density` of them not 0. With `fade`, columns are the smaller the later
 * they come, so that the first singular values lie apart.
 */
export function randomSparse(
  rows: number,
  columns: number,
  density: number,
  { fade = true }: { fade?: boolean } = {},
): Csr {
  const random = new Random(7);
  const entry = (c: number): number =>
    random.uniform() < density ? (3 * random.normal()) / (fade ? 1 + c / 10 : 1) : 0;
  return toSparse(
    dense(Array.from({ length: rows }, () => Array.from({ length: columns }, (_, c) => entry(c)))),
  );
}

/** Each number within `tolerance` of the expected one, as a share of the largest. */
export function close(
  got: ArrayLike<number>,
  expected: readonly number[],
  tolerance = 1e-12,
): void {
  expect(got.length).to.equal(expected.length);
  const largest = Math.max(...expected.map(Math.abs), 1e-300);
  expected.forEach((e, i) => {
    expect(got[i], `number ${i}`).to.be.closeTo(e, tolerance * largest);
  });
}

/** The message with which a promise fails; fails itself unless that is an error of this class. */
export async function refusal(
  action: () => Promise<unknown>,
  kind: new (message: string) => Error,
): Promise<string> {
  try {
    await action();
  } catch (error) {
    expect(error).to.be.instanceOf(kind);
    return (error as Error).message;
  }
  throw new Error('It was not refused.');
}
