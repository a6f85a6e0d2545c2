import { checkArgument, checkNumber } from '../options.js';
import type { Vocabulary } from './vocabulary.js';

/**
 * One mini-batch. Arrays may be longer than the batch: only the first `size` rows count, and their
 * content is valid until the next batch is drawn. Collaborative filtering: `inputs` = [user index,
 * track index], `targets` = rating, one per row. With negative sampling a row with target 1 (a
 * track that the user has played) is followed by its rows with target 0 (same user, tracks that the
 * user has not played); a batch never parts them. Sequences: `inputs` = [track indices, T a row;
 * size of each window], `targets` = the next track, one per row or one per position: see
 * SequenceDataLoader.
 */
export interface Batch {
  /** Rows in this batch. */
  readonly size: number;
  /**
   * One array per input column, row-major, with room for the loader's bs rows: a column's width is
   * its length / bs.
   */
  readonly inputs: readonly Int32Array[];
  /**
   * One target per row; NaN in data to predict that have none. Sequences may have one per position.
   */
  readonly targets: Float32Array;
  /** One weight per row, if the loader weights its rows. */
  readonly weights?: Float32Array;
  /**
   * Each row's number in the data that the loaders were made from; −1 for a row that was drawn and
   * is not in the data.
   */
  readonly rows: Int32Array;
}

/** Batches of one part of the data. */
export interface DataLoader<B extends Batch = Batch> {
  /** Rows. */
  readonly n: number;
  /** Rows a batch. */
  readonly bs: number;
  /** Batches an epoch. */
  readonly length: number;
  /**
   * The batches of one epoch.
   * @param epoch number of the epoch since the loader was made: the order depends on it and the
   *   seed alone, so a resumed run draws the same batches
   */
  batches(epoch: number): Iterable<B>;
  /**
   * A loader of the same rows in the data's order, none dropped: for predictions on the training
   * set.
   */
  inOrder(): DataLoader<B>;
}

/** Training and validation loaders. */
export interface DataLoaders<B extends Batch = Batch> {
  readonly train: DataLoader<B>;
  readonly valid: DataLoader<B>;
  /**
   * What the indices in batches stand for, by column. A saved model belongs to them: see
   * Learner.load.
   */
  readonly classes?: Readonly<Record<string, Vocabulary>>;
  /** Shows a few rows, decoded. */
  showBatch(options?: { maxN?: number }): void;
  /**
   * The decoded inputs and target of rows of a batch, by column name, for showBatch, showResults
   * and top losses.
   */
  decode(batch: B, row: number): Record<string, string | number>;
}

/** Throws unless this is a row of a batch of `inputs` columns, so that it can be decoded. */
export function checkRowOf(batch: Batch, row: number, inputs: number): void {
  const { inputs: columns, targets, size } = batch ?? {};
  const fits =
    Array.isArray(columns) &&
    columns.length >= inputs &&
    columns.every((column) => column instanceof Int32Array);
  checkArgument(
    fits && targets instanceof Float32Array,
    batch,
    'decode',
    'a batch, as the loaders make them, and the number of a row of it',
  );
  checkNumber(
    row,
    Number.isInteger(row) && row >= 0 && row < size,
    `The row of a batch of ${size} must be from 0 to ${size - 1}`,
  );
}
