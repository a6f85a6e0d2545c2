import { ArgumentError } from '../errors.js';
import { checkArgument, checkOneOf, given, said } from '../options.js';
import { counted, printed } from '../printed.js';
import { type Batch, checkRowOf, Loader, Loaders } from './batches.js';
import { numbersWhere } from './csr.js';
import type { Plays } from './plays.js';
import { SequenceDataset, WINDOWS, windowsOf } from './sequences.js';
import { type SequenceSource, Sessions } from './sessions.js';
import { checkedSplit, randomSplit, type Split } from './splits.js';
import type { Tracks } from './tracks.js';
import type { Vocabulary } from './vocabulary.js';

/**
 * Which windows are for validation:
 * - `'user'`: all windows of `validPct` of the users (or sessions), drawn at random;
 * - `'last'`: each sequence's last window, which predicts its last track; sequences with one window stay in training;
 * - `'window'`: `validPct` of the windows, drawn at random: the paper's. The tracks that they predict are inputs of windows in training;
 * - numbers of users (or sessions) for training and validation. `valid` may be empty.
 * @example const split: SequenceSplit = 'last';
 */
export type SequenceSplit =
  | 'user'
  | 'last'
  | 'window'
  | { readonly train: ArrayLike<number>; readonly valid: ArrayLike<number> };

const SPLIT = {
  /** Default `'user'`. */
  split: 'user' as SequenceSplit,
  /**
   * Share for validation of `'user'` and `'window'`, more than 0 and less than 1; default 0.2. The
   * others have none.
   */
  validPct: undefined as number | undefined,
  /** Seed of the draw; default 42. */
  seed: 42 as number | string,
};
/**
 * Options of the split of {@link SequenceDataLoaders}.
 * @example const lastOut: SequenceSplitOptions = { split: 'last' };
 */
export type SequenceSplitOptions = Partial<typeof SPLIT>;

const LOADERS = {
  ...WINDOWS,
  ...SPLIT,
  /** Windows per training batch. Default 64. */
  bs: 64,
  /** Windows per validation batch. Default `bs`. */
  valBs: undefined as number | undefined,
};
/** Options of {@link SequenceDataLoaders}. */
export type SequenceLoadersOptions = Partial<typeof LOADERS>;

/** Tracks of a window that are shown: the last ones. */
const SHOWN = 3;

/**
 * Windows of sequences → the next track, split and in batches. {@link SequenceDataLoader} has the
 * layout of a batch.
 *
 * The default split is `'user'`: no play of a validation user is in training. A split by window,
 * the paper's, cuts one sequence into windows that overlap, so that tracks to predict have been
 * inputs; a split by time needs times, which Kaggle's history does not have.
 *
 * With `everyPosition` training has a target at each position of its windows, which do not overlap:
 * fewer windows, trained faster. Validation still has one window for each of its targets, so that
 * it measures recommendations.
 *
 * The classes are all tracks of the data, without a padding or unknown one. Training drops a last
 * batch of fewer than `bs` windows, validation keeps it.
 * @example
 * const dls = SequenceDataLoaders.fromPlays(plays, { length: 10, bs: 64, split: 'last' });
 * dls.showBatch();
 */
export class SequenceDataLoaders extends Loaders {
  /** The tracks, by index. */
  readonly classes: { readonly item: Vocabulary };
  /** Training batches. */
  readonly train: SequenceDataLoader;
  /** Validation batches. */
  readonly valid: SequenceDataLoader;
  /** The catalogue of the tracks. */
  readonly catalogue: Tracks | undefined;
  /** Window numbers of training and validation in `dataset`. */
  readonly split: Split;
  /** All windows. */
  readonly dataset: SequenceDataset;

  private constructor(
    /** The sequences: each user's plays, or sessions. */
    readonly histories: Sessions,
    options: SequenceLoadersOptions,
  ) {
    super();
    const all = given(LOADERS, options, 'SequenceDataLoaders');
    const { bs, valBs = bs, seed } = all;
    this.catalogue = histories.catalogue;
    this.classes = { item: histories.items };
    this.dataset = windowsOf(histories, all, all.split === 'last');
    this.split = splitSequences(this.dataset, all);
    const part = (rows: Int32Array, size: number, shuffle: boolean): SequenceDataLoader =>
      new SequenceDataLoader(this.dataset.take(rows), { bs: size, shuffle, seed, rows });
    this.train = part(this.split.train, bs, true);
    this.valid = part(this.split.valid, valBs, false).inOrder();
    this.warnOfNoBatch('windows');
  }

  /**
   * From plays: windows over each user's plays in the order of the file.
   * @throws ArgumentError for wrong options; DataError if no user has two plays
   * @example SequenceDataLoaders.fromPlays(plays, { length: 10, bs: 64, split: 'last' })
   */
  static fromPlays(plays: Plays, options: SequenceLoadersOptions = {}): SequenceDataLoaders {
    return new SequenceDataLoaders(Sessions.of(plays), options);
  }

  /**
   * From sessions.
   * @throws ArgumentError for wrong options; DataError if no session has two tracks
   * @example SequenceDataLoaders.fromSessions(sessions, { length: 20, everyPosition: true, validPct: 0.05 })
   */
  static fromSessions(
    sessions: Sessions,
    options: SequenceLoadersOptions = {},
  ): SequenceDataLoaders {
    return new SequenceDataLoaders(Sessions.of(sessions), options);
  }

  /**
   * Batches of other plays or sessions, in order, in windows of the same length with one target
   * each (fastai's `test_dl`).
   * @param options `bs`: windows per batch, default as in validation
   * @throws UnknownIdError for a track that is not among the classes
   */
  testDl(source: SequenceSource, options: { bs?: number } = {}): SequenceDataLoader {
    const { bs } = given({ bs: this.valid.bs }, options, 'testDl');
    const sequences = Sessions.of(source, { items: this.classes.item });
    const windows = windowsOf(sequences, { ...WINDOWS, length: this.dataset.windowLength });
    return new SequenceDataLoader(windows, { bs });
  }

  /**
   * A row of a batch by column name: `history`, the last tracks of the window as "Title by Artist"
   * (ids where there is no catalogue); `length`, how many it has; `next`, the track that follows.
   */
  decode(batch: Batch, row: number): Record<string, string | number> {
    checkRowOf(batch, row, 2);
    const [tracks, sizes] = batch.inputs;
    const [T, targetWidth] = [tracks, batch.targets].map((all) => all.length / sizes.length);
    const size = sizes[row];
    const shown = tracks.subarray(row * T + Math.max(0, size - SHOWN), row * T + size);
    const labels = Array.from(shown, (item) => this.histories.label(item));
    const target = row * targetWidth + (targetWidth === 1 ? 0 : size - 1);
    return {
      history: [...(size > SHOWN ? ['…'] : []), ...labels].join(' → '),
      length: size,
      next: this.histories.label(batch.targets[target]),
    };
  }
}

printed(SequenceDataLoaders, ({ train, valid, classes }) => {
  const parts = `${counted(train.n, 'training window')} in ${counted(train.length, 'batch', 'batches')} of ${train.bs}, ${counted(valid.n, 'validation window')}`;
  return `SequenceDataLoaders: ${parts}; ${counted(classes.item.length, 'track')}`;
});

const LOADER = {
  /** Windows per batch. Default 64. */
  bs: 64,
  /**
   * Whether each epoch has another random order, and a last batch of fewer than `bs` windows is
   * dropped; default false.
   */
  shuffle: false,
  /** Seed of the order. Default 42. */
  seed: 42 as number | string,
  /** Number of each window in the data, for `Batch.rows`. Default: its number in the dataset. */
  rows: undefined as Int32Array | undefined,
};
/** Options of {@link SequenceDataLoader}. */
export type SequenceLoaderOptions = Partial<typeof LOADER>;

/**
 * Batches of windows. With B = bs and T = the dataset's `windowLength`:
 * - `inputs[0]`: B × T track indices, row-major, each window at the left of its row; what is right of it is 0 and must be ignored;
 * - `inputs[1]`: B sizes, from 1 to T: the tracks in each window;
 * - `targets`: B indices of the next track; with `everyPosition` B × T, row-major: at position j the track that follows it, −1 where there is no target
 * (right of the window, and where a position is context only). A loss counts the targets from 0 on.
 * @example
 * const dls = SequenceDataLoaders.fromPlays(plays, { length: 10, bs: 64 });
 * for (const { size, inputs: [tracks, lengths], targets } of dls.train.batches()) console.log(size, lengths[0], tracks[0], targets[0]);
 */
export class SequenceDataLoader extends Loader {
  /** Whether each epoch comes in another random order. */
  readonly shuffle: boolean;
  private readonly rows: Int32Array | undefined;

  constructor(
    /** The windows, in order. */
    readonly dataset: SequenceDataset,
    options: SequenceLoaderOptions = {},
  ) {
    const { bs, shuffle, seed, rows } = given(LOADER, options, 'SequenceDataLoader');
    const wanted = 'windows, such as createSequences(plays) makes';
    const fits = dataset instanceof SequenceDataset;
    checkArgument(fits, dataset, 'new SequenceDataLoader', wanted);
    if (rows && rows.length !== dataset.length)
      throw new ArgumentError(`rows needs a number for each of the ${dataset.length} windows.`);
    super(dataset.length, { bs, seed, dropLast: shuffle });
    this.shuffle = shuffle;
    this.rows = rows;
  }

  /**
   * The same targets, once each and in order, the last batch included: for predictions, of which
   * there is one per row. So windows of `everyPosition` come as {@link SequenceDataset.eachTarget}
   * makes them. `bs`: windows per batch, default as now.
   */
  inOrder(options: { bs?: number } = {}): SequenceDataLoader {
    const { bs } = given({ bs: this.bs }, options, 'inOrder');
    const { dataset, window } = this.dataset.eachTarget();
    const rows = this.rows ? window.map((i) => this.rows![i]) : window;
    return new SequenceDataLoader(dataset, { bs, seed: this.seed, rows });
  }

  /**
   * The batches of one epoch. The arrays of a batch are used again for the next one of the same
   * call.
   */
  *batches(epoch = 0): Generator<Batch, void, undefined> {
    const { dataset, bs } = this;
    const order = this.shuffle ? this.random('shuffle', epoch).permutation(this.n) : undefined;
    const inputs = new Int32Array(bs * dataset.windowLength);
    const sizes = new Int32Array(bs);
    const targets = new Float32Array(bs * dataset.targetWidth);
    const rows = new Int32Array(bs);
    const batch = { size: 0, inputs: [inputs, sizes], targets, rows };
    for (let b = 0; b < this.length; b++) {
      batch.size = Math.min(bs, this.n - b * bs);
      for (let r = 0; r < batch.size; r++) {
        const i = order ? order[b * bs + r] : b * bs + r;
        dataset.write(i, r, { inputs, targets });
        sizes[r] = dataset.size[i];
        rows[r] = this.rows ? this.rows[i] : i;
      }
      yield batch;
    }
  }
}

printed(SequenceDataLoader, ({ n, bs, length, shuffle }) => {
  return `SequenceDataLoader: ${counted(n, 'window')} in ${counted(length, 'batch', 'batches')} of ${bs}, ${shuffle ? 'shuffled' : 'in order'}`;
});

/** Window numbers of training and validation. Throws ArgumentError if a part would be empty. */
function splitSequences(dataset: SequenceDataset, { split, seed, validPct }: typeof SPLIT): Split {
  if (typeof split === 'string') checkOneOf(split, ['user', 'last', 'window'], 'split');
  if (split !== 'user' && split !== 'window' && validPct !== undefined)
    throw new ArgumentError(
      `validPct means nothing to this split: leave it out, got ${said(validPct)}.`,
    );
  if (split === 'window') return randomSplit(dataset.length, { validPct, seed });
  if (split === 'last') return lastApart(dataset);
  const { length } = dataset.histories;
  const parts =
    split === 'user' ? userParts(dataset, { validPct, seed }) : checkedSplit(split, length);
  const part = new Uint8Array(length);
  for (const s of parts.train) part[s] = 1;
  for (const s of parts.valid) part[s] = 2;
  const [train, valid] = [1, 2].map((p) =>
    numbersWhere(dataset.length, (i) => part[dataset.sequence[i]] === p),
  );
  if (train.length === 0 || (valid.length === 0 && parts.valid.length > 0))
    throw new ArgumentError(
      `The ${train.length === 0 ? 'training' : 'validation'} sequences have a single track each, so there is nothing to predict in them.`,
    );
  return { train, valid };
}

/** Users or sessions by share; only those that have a window count. */
function userParts(
  dataset: SequenceDataset,
  options: { validPct?: number; seed: number | string },
): Split {
  const sequences = dataset.sequence.filter((s, i, all) => i === 0 || s !== all[i - 1]);
  const { train, valid } = randomSplit(sequences.length, options);
  return { train: train.map((j) => sequences[j]), valid: valid.map((j) => sequences[j]) };
}

/** The last window of each sequence that has two, for validation. */
function lastApart({ sequence, length }: SequenceDataset): Split {
  const isLast = (i: number): boolean =>
    sequence[i] !== sequence[i + 1] && i > 0 && sequence[i - 1] === sequence[i];
  const valid = numbersWhere(length, isLast);
  if (valid.length === 0)
    throw new ArgumentError(
      'No sequence has two windows (three tracks), so no last one can be held out.',
    );
  return { train: numbersWhere(length, (i) => !isLast(i)), valid };
}
