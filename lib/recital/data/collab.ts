import { ArgumentError, DataError, UnknownIdError } from '../errors.js';
import { checkArgument, checkOptions, given } from '../options.js';
import { counted, printed } from '../printed.js';
import { type Batch, CollabDataLoader, checkRowOf, Loaders, type Shuffle } from './batches.js';
import {
  COLUMNS,
  classesOf,
  columnsOf,
  encodeWith,
  type IdColumn,
  idColumn,
  type RowWeights,
  rowWeights,
  type Target,
  type TargetOptions,
  targetsOf,
  wrongCell,
} from './collab-rows.js';
import { Csr, type CsrRows, numbersWhere, pick } from './csr.js';
import { formatOptions } from './files/csv-format.js';
import { loadTable, type ReadTableOptions } from './files/read-table.js';
import { type NegativeOptions, negativeSamplers } from './negatives.js';
import { display } from './output.js';
import { Plays } from './plays.js';
import { checkedSplit, randomSplit, type Split } from './splits.js';
import { type Cell, Table } from './table.js';
import type { Tracks } from './tracks.js';
import { NA, type Vocabulary } from './vocabulary.js';

const OPTIONS = {
  /** Share of the rows for validation, more than 0 and less than 1. Default 0.2. */
  validPct: undefined as number | undefined,
  /**
   * Seed of the split and of the order of each epoch. Default 42; fastai's default is another one
   * each time.
   */
  seed: 42 as number | string,
  /** Rows per training batch. Default 64. */
  bs: 64,
  /** Rows per validation batch. Default `bs`. */
  valBs: undefined as number | undefined,
  /**
   * Row numbers of training and validation, instead of `validPct`. `valid` may be empty; a row must
   * not be in both.
   */
  split: undefined as
    | { readonly train: ArrayLike<number>; readonly valid: ArrayLike<number> }
    | undefined,
  /**
   * How an epoch of training draws its rows. Default `'permutation'`; `'replacement'` is what
   * fastai does from 2.7.15 on.
   */
  shuffle: 'permutation' as Exclude<Shuffle, 'none'>,
  /**
   * Weights of the rows in training, positive: a number for each row of the data, or the name of a
   * column (of plays: `'playcount'`). With `shuffle: 'permutation'` each row comes once and its
   * loss counts so many times (the mean of a batch is divided by its sum of weights); with
   * `'replacement'` rows are drawn in proportion to them and count alike, which is what fastai's
   * weighted loader does. Validation counts every row once. Default: none.
   */
  weights: undefined as RowWeights | undefined,
};
/** Options of every way to make CollabDataLoaders. */
export type CollabOptions = Partial<typeof OPTIONS>;

const PLAYS = {
  ...OPTIONS,
  /** What is predicted. Default `'binary'`. */
  target: undefined as Target | undefined,
  /** For `'binary'`: the least playcount that counts as liked. Default 2, so one play is 0. */
  threshold: undefined as number | undefined,
  /**
   * Draw tracks that the user has not played beside those that the user has. Then every play is a
   * positive with target 1, whatever its playcount (so `target` and `threshold` are not for it),
   * and is followed in its batch by its negatives with target 0: for a loss on single rows
   * (BCEWithLogitsLossFlat) or on pairs (BPRLoss, HingeLoss). `bs` counts all rows. Training draws
   * among the tracks that the user has not in training, anew in each epoch; validation among those
   * in neither part, once. Default: none.
   */
  negatives: undefined as NegativeOptions | undefined,
};
/** Options of CollabDataLoaders.fromPlays. */
export type CollabPlaysOptions = Partial<typeof PLAYS>;

const TABLE = { ...OPTIONS, ...COLUMNS };
/** Options of CollabDataLoaders.fromTable. */
export type CollabTableOptions = Partial<typeof TABLE>;

/** What loaders know beside their rows. */
interface Described {
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

/** The loaders' state without rows, for {@link CollabDataLoaders.fromClasses}. */
export interface CollabClasses extends Described {
  /** Users and items, `#na#` first. */
  classes: { readonly user: Vocabulary; readonly item: Vocabulary };
  /** Items that each user has in training, by index in the classes. */
  seen: CsrRows;
}

interface Source extends Described {
  user: IdColumn;
  item: IdColumn;
  rating: Float32Array;
  weight?: Float32Array;
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
  readonly names: Described['names'];
  /** How playcounts became ratings; undefined where the ratings are those of a table. */
  readonly target: TargetOptions | undefined;
  /** How negatives are drawn beside the rows; undefined where none are. */
  readonly negatives: NegativeOptions | undefined;
  /** The column that weighs the rows; undefined where none does. */
  readonly weighedBy: string | undefined;
  private seenRows: CsrRows | undefined;

  private constructor(source: Source, options: CollabOptions, known?: CollabClasses) {
    super();
    const { validPct, seed = OPTIONS.seed, bs = OPTIONS.bs, valBs = bs, split } = options;
    const { shuffle = OPTIONS.shuffle } = options;
    const { rating, weight, negatives } = source;
    const n = rating.length;
    if (n === 0 && !known)
      throw new DataError('There are no rows to learn from. Was everything filtered away?');
    if (split && validPct !== undefined)
      throw new ArgumentError('Give validPct or split, not both.');
    if (known) this.split = { train: new Int32Array(0), valid: new Int32Array(0) };
    else this.split = split ? checkedSplit(split, n) : randomSplit(n, { validPct, seed });
    const trains = new Uint8Array(n);
    for (let j = 0; j < this.split.train.length; j++) trains[this.split.train[j]] = 1;
    const user = classesOf(source.user, trains);
    const item = classesOf(source.item, trains);
    this.classes = known?.classes ?? { user: user.classes, item: item.classes };
    this.seenRows = known?.seen;
    this.catalogue = source.catalogue;
    this.names = source.names;
    this.target = source.target;
    this.negatives = negatives;
    this.weighedBy = source.weighedBy;
    const [train, valid] = [this.split.train, this.split.valid].map((row) => ({
      user: pick(user.index, row),
      item: pick(item.index, row),
      target: pick(rating, row),
      row,
    }));
    const drawn =
      negatives && !known ? negativeSamplers({ train, valid }, this.classes, negatives) : undefined;
    const training = { bs, shuffle, seed, negatives: drawn?.train };
    const rows = { ...train, weight: weight && pick(weight, train.row) };
    this.train = new CollabDataLoader(rows, training);
    this.valid = new CollabDataLoader(valid, { bs: valBs, seed, negatives: drawn?.valid });
    if (known) return;
    const { target } = train;
    if (!drawn && target.length > 1 && target.every((t) => t === target[0]))
      display().warn(
        `Every training row has the target ${target[0]}, so there is nothing to learn. Choose another target or threshold.`,
      );
    this.warnOfNoBatch('rows');
  }

  /**
   * From plays; `target` says what is predicted: see {@link Target}.
   * @example CollabDataLoaders.fromPlays(plays, { target: 'binary', threshold: 2, bs: 64, seed: 42 })
   * @example CollabDataLoaders.fromPlays(plays, { negatives: { n: 1, sampling: 'popularity' }, bs: 128 }) // for BPRLoss
   */
  static fromPlays(plays: Plays, options: CollabPlaysOptions = {}): CollabDataLoaders {
    const hint = (plays as unknown) instanceof Table ? '; fromTable takes a table of ratings' : '';
    const wanted = `plays, such as readPlays reads${hint}`;
    checkArgument(plays instanceof Plays, plays, 'CollabDataLoaders.fromPlays', wanted);
    const all = given(PLAYS, options, 'fromPlays');
    const { negatives, target = 'binary', threshold = negatives ? 0 : 2 } = all;
    if (negatives && (all.target !== undefined || all.threshold !== undefined))
      throw new ArgumentError(
        'With negatives every play is a positive, so target and threshold mean nothing: leave them out, or filter the plays.',
      );
    const source = {
      ...idsOf(plays),
      rating: targetsOf(plays, { target, threshold }),
      names: {
        user: 'user_id',
        item: 'track_id',
        rating: target === 'count' ? 'playcount' : 'rating',
      },
      catalogue: plays.catalogue,
      target: { target, threshold },
      negatives,
      ...weightsOf(all.weights, plays.length, (name) => {
        if (name === 'playcount') return plays.playcount;
        const hint = "Of plays it is 'playcount'; for other weights give an array.";
        throw new UnknownIdError('column of weights', name, ['playcount'], hint);
      }),
    };
    return new CollabDataLoaders(source, all);
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
    const all = given(TABLE, options, 'fromTable');
    if ((data as unknown) instanceof Plays)
      throw new ArgumentError(
        'fromTable needs a table or records, got Plays: fromPlays makes loaders of them.',
      );
    return CollabDataLoaders.ofTable(data instanceof Table ? data : Table.fromRows(data), all);
  }

  private static ofTable(table: Table, options: CollabTableOptions): CollabDataLoaders {
    if (table.length === 0) throw new DataError('The table has no rows to learn from.');
    const [user, item, rating] = columnsOf(table.columnNames, options);
    const source = {
      ...rowsOf(table, { user, item, rating }),
      names: { user, item, rating },
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
    const names = [...Object.keys(TABLE), ...formatOptions, 'numbers', 'texts'];
    checkOptions(options, names as (keyof typeof options)[], 'fromCsv');
    const { table, lineOf } = await loadTable(path, options, (names, hint) => {
      const [user, item, rating] = columnsOf(names, options, hint);
      return { ids: [user, item], values: [rating] };
    });
    const [user, item, rating] = columnsOf(table.columnNames, options);
    const bad = lineOf && wrongCell(table, [user, item], rating);
    if (bad) throw new DataError(`"${path}", line ${await lineOf(bad.row)}, ${bad.wrong}`);
    return CollabDataLoaders.ofTable(table, options);
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
    const { user, item } = known.classes;
    if (!user.na || !item.na)
      throw new ArgumentError('The classes of users and items must begin with #na#.');
    Csr.check({ ...known.seen, shape: [user.length, item.length], data: undefined });
    const none = (vocabulary: Vocabulary) => ({ codes: new Int32Array(0), vocabulary });
    const rows = { user: none(user), item: none(item), rating: new Float32Array(0) };
    return new CollabDataLoaders({ ...known, ...rows }, options, known);
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
   * @param options `bs`: rows per batch, default as in validation
   */
  testDl(
    data: Plays | Table | readonly Record<string, Cell | undefined>[],
    options: { bs?: number } = {},
  ): CollabDataLoader {
    const { bs } = given({ bs: this.valid.bs }, options, 'testDl');
    const rows = data instanceof Plays || data instanceof Table ? data : Table.fromRows(data);
    if (rows.length === 0) throw new DataError('There are no rows to predict.');
    const { names, classes } = this;
    const columns =
      rows instanceof Plays
        ? { ...idsOf(rows), rating: targetsOf(rows, this.target ?? { target: 'count' }) }
        : rowsOf(rows, names);
    const user = encodeWith(classes.user, columns.user);
    const item = encodeWith(classes.item, columns.item);
    const unknown = [
      unknownIds(columns.user, user, names.user),
      unknownIds(columns.item, item, names.item),
    ].filter((text) => text !== '');
    if (unknown.length > 0)
      display().warn(
        `Of ${counted(rows.length, 'row')}, ${unknown.join(' and ')}: training has not seen them, so they are predicted as ${NA}.`,
      );
    const target = columns.rating;
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
}

/** Says of how many rows the id is unknown, which is encoded as 0; empty if there is none. */
function unknownIds({ codes, vocabulary }: IdColumn, encoded: Int32Array, name: string): string {
  const na = vocabulary.indexOf(NA);
  const rows = numbersWhere(encoded.length, (row) => encoded[row] === 0 && codes[row] !== na);
  if (rows.length === 0) return '';
  const first = vocabulary.id(codes[rows[0]]);
  return `${counted(rows.length, 'row')} with an unknown ${name} ("${first}" …)`;
}

/** Users and tracks of plays as columns of ids. */
function idsOf(plays: Plays): { user: IdColumn; item: IdColumn } {
  return {
    user: { codes: plays.user, vocabulary: plays.users },
    item: { codes: plays.track, vocabulary: plays.tracks },
  };
}

/** Users, items and ratings of a table, checked; NaN where it has no column of ratings. */
function rowsOf(table: Table, { user, item, rating }: Described['names']) {
  const rated = table.has(rating);
  const bad = wrongCell(table, [user, item], rated ? rating : undefined);
  if (bad) throw new DataError(`Row ${bad.row} (counted from 0), ${bad.wrong}`);
  return {
    user: idColumn(table, user),
    item: idColumn(table, item),
    rating: rated
      ? Float32Array.from(table.numbers(rating))
      : new Float32Array(table.length).fill(NaN),
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
  return { weight: rowWeights(weights, n, column), weighedBy };
}

printed(CollabDataLoaders, ({ classes, train, valid, names }) => {
  const n = (x: number): string => x.toLocaleString('en');
  const parts = `${n(train.n)} training rows in ${counted(train.length, 'batch', 'batches')} of ${train.bs}, ${n(valid.n)} validation rows`;
  return `CollabDataLoaders: ${parts}; ${n(classes.user.length - 1)} users × ${n(classes.item.length - 1)} items (${Object.values(names).join(', ')})`;
});
