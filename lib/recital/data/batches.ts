import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import {
  checkArgument,
  checkCount,
  checkIndex,
  checkLengths,
  checkNumber,
  checkOneOf,
  given,
} from '../options.js';
import { counted, printed } from '../printed.js';
import { type NegativeSampler, WeightedDraw } from './negatives.js';
import { display } from './output.js';
import { Table } from './table.js';
import type { Vocabulary } from './vocabulary.js';

/**
 * One mini-batch. Arrays may be longer than the batch: only the first `size` rows count, and they
 * are valid until the next batch is drawn.
 *
 * Collaborative filtering: `inputs` = [user index, track index], `targets` = rating. With negative
 * sampling a row with target 1 (a track that the user has played) is followed in the same batch by
 * its rows with target 0 (same user, tracks that the user has not played). Sequences: see
 * SequenceDataLoader.
 */
export interface Batch {
  /** Rows in this batch. */
  readonly size: number;
  /** One array per input column, row-major, with room for bs rows. */
  readonly inputs: readonly Int32Array[];
  /** One target per row (NaN if there is none), or per position of a sequence. */
  readonly targets: Float32Array;
  /** One weight per row, if the loader weights its rows. */
  readonly weights?: Float32Array;
  /** Each row's number in the data; −1 for a drawn negative. */
  readonly rows: Int32Array;
}

/** Batches of one part of the data. */
export interface DataLoader<B extends Batch = Batch> {
  /** Rows. */
  readonly n: number;
  /** Rows per batch. */
  readonly bs: number;
  /** Batches per epoch. */
  readonly length: number;
  /**
   * The batches of one epoch.
   * @param epoch number of the epoch: the order depends on it and the seed alone, so that a resumed
   *   run draws the same batches
   */
  batches(epoch: number): Iterable<B>;
  /** A loader of the same rows in order, none dropped: for predictions. */
  inOrder(): DataLoader<B>;
}

/** Training and validation loaders. */
export interface DataLoaders<B extends Batch = Batch> {
  /** Batches of the rows to learn from. */
  readonly train: DataLoader<B>;
  /** Batches of the rows that are held out. */
  readonly valid: DataLoader<B>;
  /** Vocabularies of the indices in batches, by column: a saved model belongs to them. */
  readonly classes?: Readonly<Record<string, Vocabulary>>;
  /** Shows a few rows, decoded. */
  showBatch(options?: { maxN?: number }): void;
  /** The decoded inputs and target of a row of a batch, by column name. */
  decode(batch: B, row: number): Record<string, string | number>;
}

/** Base class of training and validation loaders: the first batch, and how it is shown. */
export abstract class Loaders implements DataLoaders {
  abstract readonly train: DataLoader;
  abstract readonly valid: DataLoader;
  abstract decode(batch: Batch, row: number): Record<string, string | number>;

  /** The first batch of training. */
  oneBatch(): Batch {
    const { train } = this;
    for (const batch of train.batches(0)) return batch;
    throw new ArgumentError(
      `bs = ${train.bs} is more than the ${train.n} training rows, so training has no batch. Give a smaller bs.`,
    );
  }

  /** Shows the first rows of the first training batch, decoded; at most `maxN`, default 10. */
  showBatch(options: { maxN?: number } = {}): void {
    const { maxN } = given({ maxN: 10 }, options, 'showBatch');
    checkNumber(maxN, maxN >= 1, 'maxN must be a number of rows, at least 1');
    const loader = this.train.length > 0 ? this.train : this.train.inOrder();
    for (const batch of loader.batches(0)) {
      const length = Math.min(maxN, batch.size);
      display().table(Table.fromRows(Array.from({ length }, (_, i) => this.decode(batch, i))));
      return;
    }
  }

  /** Warns if a training batch is larger than the training part. */
  protected warnOfNoBatch(rows: string): void {
    const { bs, n, length } = this.train;
    if (length === 0)
      display().warn(
        `bs = ${bs} is more than the ${n} training ${rows}; training drops the ragged last batch, so it has none.`,
      );
  }
}

/** Throws unless this is a row of a batch of `inputs` columns, so that it can be decoded. */
export function checkRowOf(batch: Batch, row: number, inputs: number): void {
  const { inputs: columns, targets, size } = batch ?? {};
  const fits = Array.isArray(columns) && columns.length >= inputs;
  checkArgument(
    fits && columns.every((c) => c instanceof Int32Array) && targets instanceof Float32Array,
    batch,
    'decode',
    'a batch, as the loaders make them, and the number of a row of it',
  );
  checkIndex(row, size, 'row of the batch');
}

/** The largest batch: its memory is reserved before it is filled. */
const MAX_BS = 1 << 24;

/** Base class of loaders: how many rows and batches, and the random numbers of an epoch. */
export abstract class Loader implements DataLoader {
  readonly n: number;
  readonly bs: number;
  readonly length: number;
  /** Seed of the order of the rows. */
  protected readonly seed: number | string;

  /** @param group rows that stay together in one batch: n counts them, bs is rounded down to them */
  constructor(
    n: number,
    options: { bs: number; seed: number | string; dropLast: boolean; group?: number },
  ) {
    const { bs, seed, dropLast, group = 1 } = options;
    checkCount(bs, 'bs', { most: MAX_BS });
    if (bs < group)
      throw new ArgumentError(
        `A positive and its ${group - 1} negatives make ${group} rows, more than a batch: bs = ${bs}.`,
      );
    this.n = n * group;
    this.bs = bs - (bs % group);
    this.seed = seed;
    this.length = dropLast ? Math.floor(this.n / this.bs) : Math.ceil(this.n / this.bs); // as in fastai
  }

  abstract batches(epoch?: number): Iterable<Batch>;
  abstract inOrder(options?: { bs?: number }): Loader;

  /** The random numbers of an epoch for one use, such as its order. */
  protected random(use: string, epoch: number | string): Random {
    return new Random(this.seed).child(use).child(epoch);
  }
}

/**
 * How the rows of an epoch are drawn:
 * - `'permutation'`: each row once, in random order;
 * - `'replacement'`: as many draws as rows, each of any row with equal chance, so that about 63 % of the rows come up (fastai from 2.7.15 on); if rows
 *   have weights, with a chance in proportion to them;
 * - `'none'`: each row once, in order.
 */
export type Shuffle = 'permutation' | 'replacement' | 'none';

/** Encoded rows of (user, item, target), all of the same length. */
export interface CollabRows {
  /** Index of the user in `classes.user`. */
  user: Int32Array;
  /** Index of the track in `classes.item`. */
  item: Int32Array;
  /** Rating, NaN where it is not known. */
  target: Float32Array;
  /** Number of the row in the data set. */
  row: Int32Array;
  /** Weight of each row, if they have any. */
  weight?: Float32Array;
}

/** Options of {@link CollabDataLoader}. */
export interface CollabLoaderOptions {
  /** Rows per batch. */
  bs: number;
  /** How an epoch's rows are drawn. Default `'none'`. */
  shuffle?: Shuffle;
  /** Seed of the order. Default 42. */
  seed?: number | string;
  /** Draws the negatives that follow each row in its batch. Default: none. */
  negatives?: Pick<NegativeSampler, 'n' | 'draw'>;
}

/**
 * Batches of (user, item) → rating. Unless rows come in order, a last batch of fewer than `bs` rows
 * is dropped. With weights, a batch of `'permutation'` carries them, `'replacement'` draws by them,
 * and `'none'`, which is for measuring, ignores them.
 *
 * With negatives each row becomes 1 + n: itself, then n rows of the same user with drawn tracks,
 * whose target is 0 and whose row number is −1. They stay together in one batch, so `bs` is rounded
 * down to a multiple of 1 + n. The negatives depend on seed and epoch alone; in order, on the seed.
 * @example for (const { size, inputs: [users, items], targets } of dls.train.batches()) console.log(size, users[0], items[0], targets[0]);
 */
export class CollabDataLoader extends Loader {
  /** How an epoch's rows are drawn. */
  readonly shuffle: Shuffle;
  private readonly negatives: CollabLoaderOptions['negatives'];

  /** @param data the rows, in order */
  constructor(
    readonly data: CollabRows,
    { bs, shuffle = 'none', seed = 42, negatives }: CollabLoaderOptions,
  ) {
    const { user, item, target, row, weight = user } = data;
    checkLengths({ user, item, target, row, weight });
    checkOneOf(shuffle, ['permutation', 'replacement', 'none'], 'shuffle');
    const group = 1 + (negatives?.n ?? 0);
    super(user.length, { bs, seed, dropLast: shuffle !== 'none', group });
    this.negatives = negatives;
    this.shuffle = shuffle;
  }

  /**
   * The same rows, once each and in order, the last batch included: for predictions. `bs`: rows per
   * batch, default as now.
   */
  inOrder(options: { bs?: number } = {}): CollabDataLoader {
    const { bs } = given({ bs: this.bs }, options, 'inOrder');
    return new CollabDataLoader(this.data, { bs, seed: this.seed, negatives: this.negatives });
  }

  /**
   * The batches of one epoch. The arrays of a batch are used again for the next one of the same
   * call.
   */
  *batches(epoch = 0): Generator<Batch, void, undefined> {
    const { negatives, bs, shuffle } = this;
    const data = shuffle === 'permutation' ? this.data : { ...this.data, weight: undefined };
    const order = this.order(epoch);
    const random = this.random('negatives', shuffle === 'none' ? 'in order' : epoch);
    const batch = {
      size: 0,
      inputs: [new Int32Array(bs), new Int32Array(bs)] as const,
      targets: new Float32Array(bs),
      rows: new Int32Array(bs),
      ...(data.weight && { weights: new Float32Array(bs) }),
    };
    const group = 1 + (negatives?.n ?? 0);
    for (let b = 0; b < this.length; b++) {
      const start = (b * bs) / group;
      const end = Math.min(start + bs / group, data.user.length);
      batch.size = (end - start) * group;
      gather(data, order, { start, end, group }, batch);
      if (negatives) addNegatives(negatives, random, group, batch);
      yield batch;
    }
  }

  private order(epoch: number): Int32Array | undefined {
    const { user, weight } = this.data;
    if (this.shuffle === 'none') return undefined;
    const random = this.random('shuffle', epoch);
    if (this.shuffle === 'permutation') return random.permutation(user.length);
    const weighted = weight && new WeightedDraw(weight);
    const draw = () => (weighted ? weighted.draw(random) : random.int(user.length));
    return Int32Array.from(user, draw);
  }
}

interface CollabBatch extends Batch {
  readonly inputs: readonly [users: Int32Array, items: Int32Array];
}

/**
 * Copies rows, each to the first place of its group. A function of its own, since V8 does not
 * optimize loops in generators.
 */
function gather(
  { user, item, target, row, weight }: CollabRows,
  order: Int32Array | undefined,
  { start, end, group }: { start: number; end: number; group: number },
  { inputs: [users, items], targets, rows, weights }: CollabBatch,
): void {
  for (let j = start, k = 0; j < end; j++, k += group) {
    const i = order ? order[j] : j;
    users[k] = user[i];
    items[k] = item[i];
    targets[k] = target[i];
    rows[k] = row[i];
    if (weight && weights) weights[k] = weight[i];
  }
}

/** Fills the other places of each group with drawn tracks of its user. */
function addNegatives(
  negatives: Pick<NegativeSampler, 'draw'>,
  random: Random,
  group: number,
  { size, inputs: [users, items], targets, rows, weights }: CollabBatch,
): void {
  for (let first = 0; first < size; first += group) {
    const user = users[first];
    for (let k = first + 1; k < first + group; k++) {
      users[k] = user;
      items[k] = negatives.draw(user, random);
      targets[k] = 0;
      rows[k] = -1;
      if (weights) weights[k] = weights[first];
    }
  }
}

printed(CollabDataLoader, ({ n, bs, length, shuffle }) => {
  const order = {
    none: 'in order',
    permutation: 'shuffled',
    replacement: 'drawn with replacement',
  }[shuffle];
  return `CollabDataLoader: ${counted(n, 'row')} in ${counted(length, 'batch', 'batches')} of ${bs}, ${order}`;
});
