import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';

/** Row numbers of the parts of a data set: disjoint, and complete unless a function says otherwise. */
export interface Split {
  /** Rows to train on. */
  readonly train: Int32Array;
  /** Rows to choose settings by. */
  readonly valid: Int32Array;
  /** Rows to report on, where the split has three parts. */
  readonly test?: Int32Array;
}

/** Options of {@link randomSplit}. */
export interface RandomSplitOptions {
  /** Share of the rows for validation. Default 0.2. */
  validPct?: number;
  /** Seed of the order. Default 42. */
  seed?: number | string;
}

/**
 * fastai's RandomSplitter: of the rows in random order the first trunc(validPct · n) are for validation, the others for training.
 * @param n number of rows
 * @throws ArgumentError unless both parts get a row
 * @example randomSplit(10).valid.length // 2
 */
export function randomSplit(n: number, { validPct = 0.2, seed = 42 }: RandomSplitOptions = {}): Split {
  if (!(validPct > 0 && validPct < 1)) {
    throw new ArgumentError(
      `validPct must be between 0 and 1, both excluded, got ${validPct}. To train on every row give a split with an empty valid part instead.`,
    );
  }
  const cut = Math.trunc(validPct * n);
  if (cut === 0) throw new ArgumentError(`validPct ${validPct} of ${n} rows leaves none for validation. Give more rows or a larger validPct.`);
  const order = new Random(seed).child('split').permutation(n);
  return { train: order.slice(cut), valid: order.slice(0, cut) };
}
