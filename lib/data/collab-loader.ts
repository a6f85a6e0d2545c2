import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import type { Batch, DataLoader } from './batch.js';

/**
 * How the rows of an epoch are drawn:
 * - `'permutation'`: each row once, in random order;
 * - `'replacement'`: as many draws as rows, each of any row with equal chance, so that about 63 % of the rows come up (fastai from 2.7.15 on);
 * - `'none'`: each row once, in order.
 */
export type Shuffle = 'permutation' | 'replacement' | 'none';

/** Encoded rows of (user, item, target), all of the same length. */
export interface CollabRows {
  /** Index of the user in `classes.user`. */
  user: Int32Array;
  /** Index of the item in `classes.item`. */
  item: Int32Array;
  /** Rating, NaN where it is not known. */
  target: Float32Array;
  /** Number of the row in the data set. */
  row: Int32Array;
}

/** Options of {@link CollabDataLoader}. */
export interface CollabLoaderOptions {
  /** Rows a batch. */
  bs: number;
  /** How an epoch's rows are drawn. Default `'none'`. */
  shuffle?: Shuffle;
  /** Whether the last batch is dropped if it has fewer than `bs` rows. Default: if the loader shuffles, as in fastai. */
  dropLast?: boolean;
  /** Seed of the order. Default 42. */
  seed?: number | string;
}

/** Batches of (user, item) → rating. */
export class CollabDataLoader implements DataLoader {
  /** Rows. */
  readonly n: number;
  /** Rows a batch. */
  readonly bs: number;
  /** Batches an epoch. */
  readonly length: number;
  /** How an epoch's rows are drawn. */
  readonly shuffle: Shuffle;
  /** Whether a last batch of fewer than `bs` rows is dropped. */
  readonly dropLast: boolean;
  private readonly seed: number | string;

  /** @param data the rows, in order */
  constructor(
    readonly data: CollabRows,
    { bs, shuffle = 'none', dropLast = shuffle !== 'none', seed = 42 }: CollabLoaderOptions,
  ) {
    if (!(Number.isInteger(bs) && bs >= 1)) throw new ArgumentError(`A batch needs a whole number of rows, at least 1, got bs = ${bs}.`);
    if (!['permutation', 'replacement', 'none'].includes(shuffle)) {
      throw new ArgumentError(`shuffle must be 'permutation', 'replacement' or 'none', got '${shuffle}'.`);
    }
    this.n = data.user.length;
    this.bs = bs;
    this.shuffle = shuffle;
    this.dropLast = dropLast;
    this.seed = seed;
    this.length = dropLast ? Math.floor(this.n / bs) : Math.ceil(this.n / bs);
  }

  /** The same rows, once each and in order, the last batch included: for predictions. `bs`: rows a batch, default as now. */
  inOrder({ bs = this.bs }: { bs?: number } = {}): CollabDataLoader {
    return new CollabDataLoader(this.data, { bs, seed: this.seed });
  }

  /** The batches of one epoch. The arrays of a batch are used again for the next one of the same call. */
  *batches(epoch = 0): Generator<Batch, void, undefined> {
    const { user, item, target, row } = this.data;
    const order = this.order(epoch);
    const users = new Int32Array(this.bs);
    const items = new Int32Array(this.bs);
    const batch = { size: 0, inputs: [users, items], targets: new Float32Array(this.bs), rows: new Int32Array(this.bs) };
    const { targets, rows } = batch;
    for (let b = 0; b < this.length; b++) {
      const start = b * this.bs;
      const size = Math.min(this.bs, this.n - start);
      for (let k = 0; k < size; k++) {
        const i = order ? order[start + k] : start + k;
        users[k] = user[i];
        items[k] = item[i];
        targets[k] = target[i];
        rows[k] = row[i];
      }
      batch.size = size;
      yield batch;
    }
  }

  private order(epoch: number): Int32Array | undefined {
    if (this.shuffle === 'none') return undefined;
    const random = new Random(this.seed).child('shuffle').child(epoch);
    if (this.shuffle === 'permutation') return random.permutation(this.n);
    return Int32Array.from({ length: this.n }, () => random.int(this.n));
  }
}
