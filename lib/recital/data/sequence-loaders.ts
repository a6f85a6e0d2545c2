import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkCount, checkOneOf, checkOptions, given, said } from '../options.js';
import { counted, printed } from '../printed.js';
import { type Batch, checkRowOf, type DataLoader, Loaders } from './batches.js';
import { numbersWhere } from './csr.js';
import type { Plays } from './plays.js';
import {
  Histories,
  SequenceDataset,
  type SequenceOptions,
  type SequenceSource,
  WINDOWS,
  windowsOf,
} from './sequences.js';
import type { Sessions } from './sessions.js';
import { checkedSplit, randomSplit, type Split } from './splits.js';
import type { Tracks } from './tracks.js';
import type { Vocabulary } from './vocabulary.js';

/** Options of {@link SequenceDataLoaders}. */
export interface SequenceLoadersOptions extends SequenceOptions, SequenceSplitOptions {
  /** Windows a training batch. Default 64. */
  bs?: number;
  /** Windows a validation batch. Default `bs`. */
  valBs?: number;
}
const LOADERS = {
  ...WINDOWS,
  bs: 64,
  valBs: undefined as number | undefined,
  split: 'user' as SequenceSplit,
  validPct: undefined as number | undefined,
  seed: 42 as number | string,
};

/** Tracks of a window that are shown: the last ones. */
const SHOWN = 3;

/**
 * Windows of histories → the next track, split and in batches. {@link SequenceDataLoader} has the
 * layout of a batch.
 *
 * The default split is `'user'`: no play of a validation user is in training. A split by window,
 * the paper's, cuts one history into windows that overlap, so that tracks to predict have been
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
    /** What was played: each user's plays, or sessions. */
    readonly histories: Histories,
    options: SequenceLoadersOptions,
  ) {
    super();
    const all = given(LOADERS, options, 'SequenceDataLoaders');
    const { bs, valBs = bs, split, validPct, seed } = all;
    this.catalogue = histories.catalogue;
    this.classes = { item: histories.items };
    this.dataset = windowsOf(histories, all, split === 'last');
    this.split = splitSequences(this.dataset, { split, validPct, seed });
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
    return new SequenceDataLoaders(Histories.of(plays), options);
  }

  /**
   * From sessions, or from histories.
   * @throws ArgumentError for wrong options; DataError if no session has two tracks
   * @example SequenceDataLoaders.fromSessions(sessions, { length: 20, everyPosition: true, split: 'order', validPct: 0.05 })
   */
  static fromSessions(
    sessions: Sessions | Histories,
    options: SequenceLoadersOptions = {},
  ): SequenceDataLoaders {
    return new SequenceDataLoaders(Histories.of(sessions), options);
  }

  /**
   * Batches of other plays or sessions, in order, in windows of the same length with one target
   * each (fastai's `test_dl`).
   * @param options `bs`: windows a batch, default as in validation
   * @throws UnknownIdError for a track that is not among the classes
   */
  testDl(source: SequenceSource, options: { bs?: number } = {}): SequenceDataLoader {
    checkOptions(options, ['bs'], 'testDl');
    const { bs = this.valid.bs } = options;
    const histories = Histories.of(source, { items: this.classes.item });
    const windows = windowsOf(histories, { ...WINDOWS, length: this.dataset.windowLength });
    return new SequenceDataLoader(windows, { bs });
  }

  /**
   * A row of a batch by column name: `history`, the last tracks of the window as "Title by Artist"
   * (ids where there is no catalogue); `length`, how many it has; `next`, the track that follows.
   */
  decode(batch: Batch, row: number): Record<string, string | number> {
    checkRowOf(batch, row, 2);
    const bs = batch.inputs[1].length;
    const [T, targetWidth] = [batch.inputs[0].length / bs, batch.targets.length / bs];
    const size = batch.inputs[1][row];
    const shown = batch.inputs[0].subarray(row * T + Math.max(0, size - SHOWN), row * T + size);
    const labels = Array.from(shown, (item) => this.histories.label(item));
    return {
      history: [...(size > SHOWN ? ['…'] : []), ...labels].join(' → '),
      length: size,
      next: this.histories.label(
        batch.targets[row * targetWidth + (targetWidth === 1 ? 0 : size - 1)],
      ),
    };
  }
}

printed(SequenceDataLoaders, ({ train, valid, classes }) => {
  const parts = `${counted(train.n, 'training window')} in ${counted(train.length, 'batch', 'batches')} of ${train.bs}, ${counted(valid.n, 'validation window')}`;
  return `SequenceDataLoaders: ${parts}; ${counted(classes.item.length, 'track')}`;
});

/** Options of {@link SequenceDataLoader}. */
export interface SequenceLoaderOptions {
  /** Windows a batch. Default 64. */
  bs?: number;
  /**
   * Whether each epoch has another random order, and a last batch of fewer than `bs` windows is
   * dropped; default false.
   */
  shuffle?: boolean;
  /** Seed of the order. Default 42. */
  seed?: number | string;
  /** Number of each window in the data, for `Batch.rows`. Default: its number in the dataset. */
  rows?: Int32Array;
}

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
export class SequenceDataLoader implements DataLoader {
  /** Windows. */
  readonly n: number;
  /** Windows a batch. */
  readonly bs: number;
  /** Batches an epoch. */
  readonly length: number;
  /** Whether each epoch comes in another random order. */
  readonly shuffle: boolean;
  private readonly seed: number | string;
  private readonly rows: Int32Array | undefined;

  constructor(
    /** The windows, in order. */
    readonly dataset: SequenceDataset,
    { bs = 64, shuffle = false, seed = 42, rows }: SequenceLoaderOptions = {},
  ) {
    checkArgument(
      dataset instanceof SequenceDataset,
      dataset,
      'new SequenceDataLoader',
      'windows, such as createSequences(plays) makes',
    );
    checkCount(bs, 'bs');
    if (rows && rows.length !== dataset.length)
      throw new ArgumentError(`rows needs a number for each of the ${dataset.length} windows.`);
    this.n = dataset.length;
    this.bs = bs;
    this.shuffle = shuffle;
    this.seed = seed;
    this.rows = rows;
    this.length = shuffle ? Math.floor(this.n / bs) : Math.ceil(this.n / bs); // as in fastai
  }

  /**
   * The same targets, once each and in order, the last batch included: for predictions, of which
   * there is one a row. So windows of `everyPosition` come as {@link SequenceDataset.eachTarget}
   * makes them. `bs`: windows a batch, default as now.
   */
  inOrder(options: { bs?: number } = {}): SequenceDataLoader {
    checkOptions(options, ['bs'], 'inOrder');
    const { bs = this.bs } = options;
    const { dataset, window } = this.dataset.eachTarget();
    return new SequenceDataLoader(dataset, {
      bs,
      seed: this.seed,
      rows: this.rows ? window.map((i) => this.rows![i]) : window,
    });
  }

  /**
   * The batches of one epoch. The arrays of a batch are used again for the next one of the same
   * call.
   */
  *batches(epoch = 0): Generator<Batch, void, undefined> {
    const { dataset, bs } = this;
    const order = this.shuffle
      ? new Random(this.seed).child('shuffle').child(epoch).permutation(this.n)
      : undefined;
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

/**
 * Which windows are for validation:
 * - `'user'`: all windows of `validPct` of the users (or sessions), drawn at random;
 * - `'order'`: all windows of the last `validPct` of the users (or sessions) in the order of the file: by time, where the file is;
 * - `'last'`: each history's last window, which predicts its last track; histories with one window stay in training;
 * - `'window'`: `validPct` of the windows, drawn at random: the paper's. The tracks that they predict are inputs of windows in training;
 * - numbers of users (or sessions) for training and validation. `valid` may be empty.
 * @example const split: SequenceSplit = 'last';
 */
export type SequenceSplit =
  | 'user'
  | 'order'
  | 'last'
  | 'window'
  | {
      /** Numbers of users or sessions to train on. */
      readonly train: ArrayLike<number>;
      /** Numbers of users or sessions to validate with. */
      readonly valid: ArrayLike<number>;
    };

/** Options of {@link splitSequences}. */
export interface SequenceSplitOptions {
  /** Default `'user'`. */
  split?: SequenceSplit;
  /**
   * Share for validation of `'user'`, `'order'` and `'window'`, more than 0 and less than 1;
   * default 0.2. The others have none.
   */
  validPct?: number;
  /** Seed of the draw; default 42. */
  seed?: number | string;
}

/** Window numbers of training and validation. Throws ArgumentError if a part would be empty. */
export function splitSequences(
  dataset: SequenceDataset,
  options: SequenceSplitOptions = {},
): Split {
  const { split = 'user', seed = 42, validPct } = options;
  if (typeof split === 'string') checkOneOf(split, ['user', 'order', 'last', 'window'], 'split');
  else
    checkArgument(
      typeof split === 'object' && split !== null,
      split,
      'split',
      "'user', 'order', 'last', 'window', or { train, valid } with numbers of histories",
    );
  if ((typeof split === 'object' || split === 'last') && validPct !== undefined)
    throw new ArgumentError(
      `validPct means nothing to this split: leave it out, got ${said(validPct)}.`,
    );
  if (split === 'window') return randomSplit(dataset.length, { validPct, seed });
  if (split === 'last') return lastApart(dataset);
  const parts =
    typeof split === 'object'
      ? checkedSplit(split, dataset.histories.length)
      : sequenceParts(dataset, { split, validPct, seed });
  const part = new Uint8Array(dataset.histories.length);
  for (const s of parts.train) part[s] = 1;
  for (const s of parts.valid) part[s] = 2;
  const found = {
    train: numbersWhere(dataset.length, (i) => part[dataset.sequence[i]] === 1),
    valid: numbersWhere(dataset.length, (i) => part[dataset.sequence[i]] === 2),
  };
  for (const [name, windows] of Object.entries(found))
    if (windows.length === 0 && (name === 'train' || parts.valid.length > 0))
      throw new ArgumentError(
        `The ${name === 'train' ? 'training' : 'validation'} histories have a single track each, so there is nothing to predict in them.`,
      );
  return found;
}

/** Users or sessions by share; only those that have a window count. */
function sequenceParts(
  dataset: SequenceDataset,
  options: { split: 'user' | 'order'; validPct?: number; seed: number | string },
): Split {
  const { split, validPct, seed } = options;
  const sequences = dataset.sequence.filter((s, i, all) => i === 0 || s !== all[i - 1]);
  const n = sequences.length;
  const parts = randomSplit(n, { validPct, seed });
  const cut = n - parts.valid.length;
  if (split === 'order') return { train: sequences.slice(0, cut), valid: sequences.slice(cut) };
  const numbers = (rows: Int32Array): Int32Array => rows.map((j) => sequences[j]);
  return { train: numbers(parts.train), valid: numbers(parts.valid) };
}

/** The last window of each history that has two, for validation. */
function lastApart({ sequence, length }: SequenceDataset): Split {
  const isLast = (i: number): boolean =>
    sequence[i] !== sequence[i + 1] && i > 0 && sequence[i - 1] === sequence[i];
  const valid = numbersWhere(length, isLast);
  if (valid.length === 0)
    throw new ArgumentError(
      'No history has two windows (three tracks), so no last one can be held out.',
    );
  return { train: numbersWhere(length, (i) => !isLast(i)), valid };
}
