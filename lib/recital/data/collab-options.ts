import type { Shuffle } from './collab-loader.js';
import { formatOptions } from './files/csv-format.js';
import type { NegativeOptions } from './negatives.js';
import type { RowWeights } from './row-weights.js';
import type { TargetOptions } from './targets.js';

/** Options of every way to make CollabDataLoaders. */
export interface CollabOptions {
  /** Share of the rows for validation, more than 0 and less than 1. Default 0.2. */
  validPct?: number;
  /**
   * Seed of the split and of the order of each epoch. Default 42; fastai's default is another one
   * each time.
   */
  seed?: number | string;
  /** Rows a training batch. Default 64. */
  bs?: number;
  /** Rows a validation batch. Default `bs`. */
  valBs?: number;
  /**
   * Row numbers of training and validation, instead of `validPct`. `valid` may be empty; a row must
   * not be in both.
   */
  split?: { readonly train: ArrayLike<number>; readonly valid: ArrayLike<number> };
  /**
   * How an epoch of training draws its rows. Default `'permutation'`; `'replacement'` is what
   * fastai does from 2.7.15 on.
   */
  shuffle?: Exclude<Shuffle, 'none'>;
  /**
   * Weights of the rows in training, positive: a number for each row of the data, or the name of a
   * column (of plays: `'playcount'`). With `shuffle: 'permutation'` each row comes once and its
   * loss counts so many times (the mean of a batch is divided by its sum of weights); with
   * `'replacement'` rows are drawn in proportion to them and count alike, which is what fastai's
   * weighted loader does. Validation counts every row once. Default: none.
   */
  weights?: RowWeights;
}

/** Options of CollabDataLoaders.fromPlays. */
export interface CollabPlaysOptions extends CollabOptions, TargetOptions {
  /**
   * Draw tracks that the user has not played beside those that the user has. Then every play is a
   * positive with target 1, whatever its playcount (so `target` and `threshold` are not for it),
   * and is followed in its batch by its negatives with target 0: for a loss on single rows
   * (BCEWithLogitsLossFlat) or on pairs (BPRLoss, HingeLoss). `bs` counts all rows. Training draws
   * among the tracks that the user has not in training, anew in each epoch; validation among those
   * in neither part, once. Default: none.
   */
  negatives?: NegativeOptions;
}

/** Options of CollabDataLoaders.fromTable. */
export interface CollabTableOptions extends CollabOptions {
  /** Column of the users. Default: the first column. */
  userName?: string;
  /** Column of the items. Default: the second column. */
  itemName?: string;
  /** Column of the ratings. Default: the third column. */
  ratingName?: string;
}

const every = ['validPct', 'seed', 'bs', 'valBs', 'split', 'shuffle', 'weights'] as const;
/** Names of the options of fromPlays. */
export const playsOptions = [...every, 'target', 'threshold', 'negatives'] as const;
/** Names of the options of fromTable. */
export const tableOptions = [...every, 'userName', 'itemName', 'ratingName'] as const;
/** Names of the options of fromCsv: those of a table, and of how it is read. */
export const csvOptions = [...tableOptions, ...formatOptions, 'numbers', 'texts'] as const;
