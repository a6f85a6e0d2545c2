import { ArgumentError, DataError, UnknownIdError } from '../errors.js';
import { checkArgument, checkOptions } from '../options.js';
import { counted, printed } from '../printed.js';
import { type Batch, CollabDataLoader, checkRowOf, Loaders, type Shuffle } from './batches.js';
import {
  checkLines,
  columnsOf,
  encodeWith,
  fitColumn,
  type RawColumn,
  type RowWeights,
  ratings,
  rawColumn,
  rowWeights,
  type TargetOptions,
  targetsOf,
} from './collab-rows.js';
import { Csr, type CsrRows, numbersWhere } from './csr.js';
import { display } from './display.js';
import { formatOptions } from './files/csv-format.js';
import { loadTable, type ReadTableOptions } from './files/read-table.js';
import { type NegativeOptions, negativeSamplers } from './negatives.js';
import { Plays } from './plays.js';
import { checkedSplit, randomSplit, type Split } from './splits.js';
import { type Cell, Table } from './table.js';
import type { Tracks } from './tracks.js';
import { NA, type Vocabulary } from './vocabulary.js';

/** The loaders' state without rows, for {@link CollabDataLoaders.fromClasses}. */
export interface CollabClasses {
  /** Users and items, `#na#` first. */
  classes: { readonly user: Vocabulary; readonly item: Vocabulary };
  /** Items that each user has in training, by index in the classes. */
  seen: CsrRows;
  /** Column names of user, item and rating. */
  names: { readonly user: string; readonly item: string; readonly rating: string };
  /** How playcounts became ratings. */
  target?: TargetOptions;
  /** How negatives were drawn. */
  negatives?: NegativeOptions;
  /** The column that weighed the rows. */
  weighedBy?: string;
  /** The catalogue, if the items are tracks. */
  catalogue?: Tracks;
}

interface Source {
  user: RawColumn;
  item: RawColumn;
  rating: Float32Array;
  userName: string;
  itemName: string;
  ratingName: string;
  catalogue?: Tracks;
  target?: TargetOptions;
  weight?: Float32Array;
  weighedBy?: string;
  negatives?: NegativeOptions;
}

/**
 * fastai's CollabDataLoaders: (user, item) → rating, split and in batches.
 *
 * The classes are those of the training rows, sorted, with `#na#` at index 0; users and items that
 * occur in validation only get index 0. Training drops a last batch of fewer than `bs` rows,
 * validation keeps it.
 * @example
 * const dls = CollabDataLoaders.fromPlays(plays, { validPct: 0.2, bs: 64, seed: 42 });
 * dls.showBatch();
 */
export class CollabDataLoaders extends Loaders {
  /** Users and items, by index: `#na#`, then those of the training rows. */
  readonly classes: { readonly user: Vocabulary; readonly item: Vocabulary };
  /** Training batches. */
  readonly train: CollabDataLoader;
  /** Validation batches. */
  readonly valid: CollabDataLoader;
  /** The catalogue, if the items are tracks. */
  readonly catalogue: Tracks | undefined;
  /** Row numbers of training and validation in the data that came in. */
  readonly split: Split;
  /** Column names of user, item and rating, in the data and when rows are shown. */
  readonly names: { readonly user: string; readonly item: string; readonly rating: string };
  /** How playcounts became ratings; undefined where the ratings are those of a table. */
  readonly target: TargetOptions | undefined;
  /** How negatives are drawn beside the rows; undefined where none are. */
  readonly negatives: NegativeOptions | undefined;
  /** The column that weighs the rows; undefined where none does. */
  readonly weighedBy: string | undefined;
  private seenRows: CsrRows | undefined;

  private constructor(source: Source, options: CollabOptions, known?: CollabClasses) {
    super();
    const { validPct, seed = 42, bs = 64, valBs = bs, shuffle = 'permutation' } = options;
    const n = source.rating.length;
    if (n === 0 && !known)
      throw new DataError('There are no rows to learn from. Was everything filtered away?');
    if (options.split && validPct !== undefined)
      throw new ArgumentError('Give validPct or split, not both.');
    const none = new Int32Array(0);
    if (known) this.split = { train: none, valid: none };
    else if (options.split) this.split = checkedSplit(options.split, n);
    else this.split = randomSplit(n, { validPct, seed });
    const { train, valid } = this.split;
    const trains = new Uint8Array(n);
    for (let j = 0; j < train.length; j++) trains[train[j]] = 1;
    const user = fitColumn(source.user, train, { kind: source.userName, trains });
    const item = fitColumn(source.item, train, { kind: source.itemName, trains });
    this.classes = known?.classes ?? { user: user.classes, item: item.classes };
    this.seenRows = known?.seen;
    this.catalogue = source.catalogue;
    this.names = { user: source.userName, item: source.itemName, rating: source.ratingName };
    this.target = source.target;
    this.negatives = known?.negatives ?? source.negatives;
    this.weighedBy = known?.weighedBy ?? source.weighedBy;
    const part = (rows: Int32Array) => ({
      user: user.encode(rows),
      item: item.encode(rows),
      target: pick(source.rating, rows),
      row: rows,
    });
    const parts = { train: part(train), valid: part(valid) };
    const weight = source.weight && pick(source.weight, train);
    const { classes } = this;
    const negatives = source.negatives && negativeSamplers({ ...parts, classes }, source.negatives);
    const training = { bs, shuffle, seed, negatives: negatives?.train };
    this.train = new CollabDataLoader({ ...parts.train, weight }, training);
    const validation = { bs: valBs, seed, negatives: negatives?.valid };
    this.valid = new CollabDataLoader(parts.valid, validation);
    if (!known) this.warnOfUseless({ negatives: negatives !== undefined });
  }

  /**
   * From plays; `target` says what is predicted: see {@link Target}.
   * @example CollabDataLoaders.fromPlays(plays, { target: 'binary', threshold: 2, bs: 64, seed: 42 })
   * @example CollabDataLoaders.fromPlays(plays, { negatives: { n: 1, sampling: 'popularity' }, bs: 128 }) // for BPRLoss
   */
  static fromPlays(plays: Plays, options: CollabPlaysOptions = {}): CollabDataLoaders {
    const hint = (plays as unknown) instanceof Table ? '; fromTable takes a table of ratings' : '';
    checkArgument(
      plays instanceof Plays,
      plays,
      'CollabDataLoaders.fromPlays',
      `plays, such as readPlays reads${hint}`,
    );
    checkOptions(options, playsOptions, 'fromPlays');
    const { negatives, weights } = options;
    if (negatives && (options.target !== undefined || options.threshold !== undefined))
      throw new ArgumentError(
        'With negatives every play is a positive, so target and threshold mean nothing: leave them out, or filter the plays.',
      );
    const { target = 'binary', threshold = negatives ? 0 : 2 } = options;
    const source = {
      ...idsOf(plays),
      rating: targetsOf(plays, { target, threshold }),
      userName: 'user_id',
      itemName: 'track_id',
      ratingName: target === 'count' ? 'playcount' : 'rating',
      catalogue: plays.catalogue,
      target: { target, threshold },
      negatives,
      ...weightsOf(weights, plays.length, (name) => playsColumn(plays, name)),
    };
    return new CollabDataLoaders(source, options);
  }

  /**
   * From a table or records with columns of users, items and ratings (fastai's `from_df`).
   * @throws DataError for a rating that is not a number, or a missing id, with its row
   * @example CollabDataLoaders.fromTable([{ user: 'u1', item: 'a', rating: 4 }, { user: 'u2', item: 'a', rating: 5 }], { validPct: 0.5, bs: 1 })
   */
  static fromTable(
    data: Table | readonly Record<string, Cell | undefined>[],
    options: CollabTableOptions = {},
  ): CollabDataLoaders {
    checkOptions(options, tableOptions, 'fromTable');
    if ((data as unknown) instanceof Plays)
      throw new ArgumentError(
        'fromTable needs a table or records, got Plays: fromPlays makes loaders of them.',
      );
    return CollabDataLoaders.ofTable(data instanceof Table ? data : Table.fromRows(data), options);
  }

  private static ofTable(table: Table, options: CollabTableOptions): CollabDataLoaders {
    if (table.length === 0) throw new DataError('The table has no rows to learn from.');
    const [userName, itemName, ratingName] = columnsOf(table.columnNames, options);
    const rating = ratings(table, ratingName);
    const source = {
      user: rawColumn(table, userName),
      item: rawColumn(table, itemName),
      rating,
      userName,
      itemName,
      ratingName,
      ...weightsOf(options.weights, table.length, (name) => table.column(name)),
    };
    return new CollabDataLoaders(source, options);
  }

  /**
   * From a CSV or Parquet file with columns of users, items and ratings (fastai's `from_csv`). Ids
   * are the texts of the file: whole numbers up to 2⁵³ are sorted by size, but where one of a
   * column is written otherwise (`62.0`, `007`, 20 digits), all of it is text.
   * @param options those of fromTable and of readTable
   * @throws DataError naming file, line and column for a file that cannot be read, a first line of
   *   numbers where names were expected, a rating that is not a number, or a missing id
   * @example const dls = await CollabDataLoaders.fromCsv('ratings.csv', { itemName: 'title', bs: 64 })
   * @example await CollabDataLoaders.fromCsv('ml-100k/u.data', { names: ['user', 'item', 'rating', 'timestamp'] }) // without a header
   */
  static async fromCsv(
    path: string,
    options: CollabTableOptions & ReadTableOptions = {},
  ): Promise<CollabDataLoaders> {
    checkOptions(options, csvOptions, 'fromCsv');
    const loaded = await loadTable(path, options, (names, hint) => {
      const [user, item, rating] = columnsOf(names, options, hint);
      return { ids: [user, item], values: [rating] };
    });
    await checkLines(path, loaded, columnsOf(loaded.table.columnNames, options));
    return CollabDataLoaders.ofTable(loaded.table, options);
  }

  /**
   * Loaders without rows: what a learner that comes from a file has (fastai's `new_empty`).
   * `testDl` works, training does not.
   * @param known the classes, and what else outlives the data
   * @throws ArgumentError for classes without `#na#`, or seen items that are none of them
   */
  static fromClasses(
    known: CollabClasses,
    options: Pick<CollabOptions, 'bs' | 'valBs'> = {},
  ): CollabDataLoaders {
    checkArgument(
      Boolean(known?.classes?.user && known.classes.item),
      known,
      'fromClasses',
      '{ classes, seen, names, … } of other loaders; fromPlays takes plays',
    );
    const { classes, seen, names, target, catalogue } = known;
    if (!classes.user.na || !classes.item.na)
      throw new ArgumentError('The classes of users and items must begin with #na#.');
    const shape = [classes.user.length, classes.item.length] as const;
    Csr.check({ ...seen, shape, data: undefined });
    const nothing = { values: [] };
    const source = { user: nothing, item: nothing, rating: new Float32Array(0), catalogue, target };
    return new CollabDataLoaders(
      { ...source, userName: names.user, itemName: names.item, ratingName: names.rating },
      options,
      known,
    );
  }

  /**
   * Items that each user has in training: row = index of the user in `classes.user`, columns =
   * indices in `classes.item`, ascending.
   */
  get seen(): CsrRows {
    const { user, item } = this.train.data;
    const shape = [this.classes.user.length, this.classes.item.length] as const;
    this.seenRows ??= Csr.fromPairs(shape, { row: user, column: item });
    return this.seenRows;
  }

  /**
   * Batches of other rows, in order, encoded with these classes (fastai's `test_dl`); users and
   * items that training has not seen get index 0, and a warning says of how many rows. `#na#`
   * stands for them without a warning.
   * @param data plays, a table or records. Ratings may be missing: the targets are NaN then
   * @param options `bs`: rows a batch, default as in validation
   */
  testDl(
    data: Plays | Table | readonly Record<string, Cell | undefined>[],
    options: { bs?: number } = {},
  ): CollabDataLoader {
    checkOptions(options, ['bs'], 'testDl');
    const { bs = this.valid.bs } = options;
    const rows = data instanceof Plays || data instanceof Table ? data : Table.fromRows(data);
    if (rows.length === 0) throw new DataError('There are no rows to predict.');
    const { names } = this;
    let columns: { user: RawColumn; item: RawColumn };
    let target: Float32Array;
    if (rows instanceof Plays) {
      columns = idsOf(rows);
      target = targetsOf(rows, this.target ?? { target: 'count' });
    } else {
      columns = { user: rawColumn(rows, names.user), item: rawColumn(rows, names.item) };
      target = rows.has(names.rating)
        ? ratings(rows, names.rating)
        : new Float32Array(rows.length).fill(NaN);
    }
    const user = encodeWith(this.classes.user, columns.user);
    const item = encodeWith(this.classes.item, columns.item);
    const unknown = [
      unknownIds(columns.user, user, names.user),
      unknownIds(columns.item, item, names.item),
    ].filter((text) => text !== '');
    if (unknown.length > 0)
      display().warn(
        `Of ${counted(rows.length, 'row')}, ${unknown.join(' and ')}: training has not seen them, so they are predicted as ${NA}.`,
      );
    const row = Int32Array.from(target.keys());
    return new CollabDataLoader({ user, item, target, row }, { bs });
  }

  /**
   * User, item ("Title by Artist" where the catalogue knows it) and rating of a row of a batch, by
   * column name.
   */
  decode(batch: Batch, row: number): Record<string, string | number> {
    checkRowOf(batch, row, 2);
    const item = this.classes.item.id(batch.inputs[1][row]);
    return {
      [this.names.user]: this.classes.user.id(batch.inputs[0][row]),
      [this.catalogue ? 'track' : this.names.item]: this.catalogue?.label(item) ?? item,
      [this.names.rating]: batch.targets[row],
    };
  }

  private warnOfUseless({ negatives }: { negatives: boolean }): void {
    const { target } = this.train.data;
    if (!negatives && target.length > 1 && target.every((t) => t === target[0])) {
      display().warn(
        `Every training row has the target ${target[0]}, so there is nothing to learn. Choose another target or threshold.`,
      );
    }
    this.warnOfNoBatch('rows');
  }
}

/** Says of how many rows the id is unknown, which is encoded as 0; empty if there is none. */
function unknownIds(column: RawColumn, encoded: Int32Array, name: string): string {
  const id = (row: number): string =>
    'values' in column ? String(column.values[row]) : column.vocabulary.id(column.codes[row]);
  const rows = numbersWhere(encoded.length, (row) => encoded[row] === 0 && id(row) !== NA);
  const n = counted(rows.length, 'row');
  return rows.length ? `${n} with an unknown ${name} ("${id(rows[0])}" …)` : '';
}

/** Users and tracks of plays as columns of ids. */
function idsOf(plays: Plays): { user: RawColumn; item: RawColumn } {
  return {
    user: { codes: plays.user, vocabulary: plays.users },
    item: { codes: plays.track, vocabulary: plays.tracks },
  };
}

/** The weights of rows, and the name of their column if they have one. */
function weightsOf(
  weights: RowWeights | undefined,
  n: number,
  column: (name: string) => ArrayLike<number | string | null>,
): Pick<Source, 'weight' | 'weighedBy'> {
  if (weights === undefined) return {};
  const weighedBy = typeof weights === 'string' ? weights : undefined;
  return { weight: rowWeights(weights, { n, column }), weighedBy };
}

function playsColumn(plays: Plays, name: string): Float32Array {
  if (name !== 'playcount')
    throw new UnknownIdError(
      'column of weights',
      name,
      ['playcount'],
      "Of plays it is 'playcount'; for other weights give an array.",
    );
  return plays.playcount;
}

function pick(values: Float32Array, rows: Int32Array): Float32Array {
  const out = new Float32Array(rows.length);
  for (let j = 0; j < rows.length; j++) out[j] = values[rows[j]];
  return out;
}

printed(CollabDataLoaders, ({ classes, train, valid, names }) => {
  const n = (x: number): string => x.toLocaleString('en');
  const parts = `${n(train.n)} training rows in ${counted(train.length, 'batch', 'batches')} of ${train.bs}, ${n(valid.n)} validation rows`;
  return `CollabDataLoaders: ${parts}; ${n(classes.user.length - 1)} users × ${n(classes.item.length - 1)} items (${Object.values(names).join(', ')})`;
});

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
