import { ArgumentError } from '../errors.js';

/** Weights of rows as an option of loaders. See CollabOptions.weights. */
export type RowWeights = string | ArrayLike<number>;

/**
 * The weights of rows, checked.
 * @param weights a column's name, or one number for each row
 * @param options.n number of rows; `column`: gives a column by name
 */
export function rowWeights(
  weights: RowWeights,
  { n, column }: { n: number; column: (name: string) => ArrayLike<number | string | null> },
): Float32Array {
  const values = typeof weights === 'string' ? column(weights) : weights;
  if (typeof values !== 'object' || values === null) {
    throw new ArgumentError(
      `weights are a number for each row, or the name of a column, got ${values === null ? 'null' : typeof values}.`,
    );
  }
  if (values.length !== n)
    throw new ArgumentError(
      `weights must have one number for each of the ${n} rows, got ${values.length}.`,
    );
  return Float32Array.from({ length: n }, (_, i) => {
    const w = values[i];
    if (!(typeof w === 'number' && Math.fround(w) > 0 && Number.isFinite(Math.fround(w)))) {
      throw new ArgumentError(
        `Row ${i} (counted from 0) has the weight ${w}; weights must be positive numbers that a float32 holds. Leave out rows that are not to count.`,
      );
    }
    return w;
  });
}
