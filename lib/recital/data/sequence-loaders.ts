import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkNumber, checkOptions, said, whatIs } from '../options.js';
import { counted, printed } from '../printed.js';
import { type Batch, checkRowOf, type DataLoader, type DataLoaders } from './batches.js';
import { display } from './display.js';
import type { Plays } from './plays.js';
import {
  Histories,
  SequenceDataset,
  type SequenceOptions,
  type SequenceSource,
  windowsOf,
} from './sequences.js';
import type { Sessions } from './sessions.js';
import { checkedSplit, randomSplit, type Split } from './splits.js';
import { Table } from './table.js';
import type { Tracks } from './tracks.js';
import type { Vocabulary } from './vocabulary.js';

/** Options of {@link SequenceDataLoaders}. */
export interface SequenceLoadersOptions extends SequenceOptions, SequenceSplitOptions {
  /** Windows a training batch. Default 64. */
  bs?: number;
  /** Windows a validation batch. Default `bs`. */
  valBs?: number;
}

/** Tracks of a window that are shown: the last ones. */
const SHOWN = 3;

/**
 * Windows of what was played → the next track, split and in batches; the layout of a batch is that
 * of {@link SequenceDataLoader}.
 *
 * The default split is `'user'`: nothing of a validation listener is in training. A split by
 * window, the paper's, cuts one history into windows that overlap, so that the tracks to predict
 * have been seen as inputs; and a split in time needs times, which Kaggle's history has not.
 *
 * With `everyPosition` training has a target at each position of its windows, which do not overlap:
 * few windows, read fast. Validation has a window for each of its targets all the same, of the
 * tracks before it, so that it measures what a recommendation would be, whatever the form of
 * training.
 *
 * The classes are all tracks of the data, without a padding or unknown one: a short window has its
 * own size instead. Training drops a last batch of fewer than `bs` windows, validation keeps it.
 * @example
 * const dls = SequenceDataLoaders.fromPlays(plays, { length: 10, bs: 64, split: 'last' });
 * dls.showBatch();
 */
export class SequenceDataLoaders implements DataLoaders {
  /** The tracks, by index. */
  readonly classes: { readonly item: Vocabulary };
  /** Training batches. */
  readonly train: SequenceDataLoader;
  /** Validation batches. */
  readonly valid: SequenceDataLoader;
  /** What is known of the tracks. */
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
    checkOptions(
      options,
      ['bs', 'valBs', 'length', 'minLength', 'everyPosition', 'split', 'validPct', 'seed'],
      'SequenceDataLoaders',
    );
    const { bs = 64, valBs = bs, length, minLength, everyPosition, ...splitOptions } = options;
    this.catalogue = histories.catalogue;
    this.classes = { item: histories.items };
    this.dataset = windowsOf(histories, {
      length,
      minLength,
      everyPosition,
      lastApart: splitOptions.split === 'last',
    });
    this.split = splitSequences(this.dataset, splitOptions);
    const { train, valid } = this.split;
    const { seed } = splitOptions;
    this.train = new SequenceDataLoader(this.dataset.take(train), {
      bs,
      shuffle: true,
      seed,
      rows: train,
    });
    this.valid = new SequenceDataLoader(this.dataset.take(valid), {
      bs: valBs,
      seed,
      rows: valid,
    }).inOrder();
    if (this.train.length === 0) {
      display().warn(
        `bs = ${bs} is more than the ${this.train.n} training windows; training drops the ragged last batch, so it has none.`,
      );
    }
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
   * From sessions.
   * @throws ArgumentError for wrong options; DataError if no session has two tracks
   * @example SequenceDataLoaders.fromSessions(sessions, { length: 20, everyPosition: true, split: 'order', validPct: 0.05 })
   */
  static fromSessions(
    sessions: Sessions,
    options: SequenceLoadersOptions = {},
  ): SequenceDataLoaders {
    return new SequenceDataLoaders(Histories.of(sessions), options);
  }

  /**
   * From histories, such as part of those of other loaders.
   * @throws ArgumentError for wrong options; DataError if no history has two tracks
   */
  static fromHistories(
    histories: Histories,
    options: SequenceLoadersOptions = {},
  ): SequenceDataLoaders {
    checkArgument(
      histories instanceof Histories,
      histories,
      'fromHistories',
      'histories, such as Histories.of(plays); fromPlays takes plays',
    );
    return new SequenceDataLoaders(histories, options);
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
    const { windowLength: length } = this.dataset;
    return new SequenceDataLoader(
      windowsOf(Histories.of(source, { items: this.classes.item }), { length }),
      { bs },
    );
  }

  /** The first batch of training. */
  oneBatch(): Batch {
    for (const batch of this.train.batches(0)) return batch;
    throw new ArgumentError(
      `bs = ${this.train.bs} is more than the ${this.train.n} training windows, so training has no batch. Give a smaller bs.`,
    );
  }

  /**
   * Shows the first windows of the first training batch, decoded. `maxN`: how many at most, default
   * 10.
   */
  showBatch(options: { maxN?: number } = {}): void {
    checkOptions(options, ['maxN'], 'showBatch');
    const { maxN = 10 } = options;
    const loader = this.train.length > 0 ? this.train : this.train.inOrder();
    for (const batch of loader.batches(0)) {
      display().table(
        Table.fromRows(
          Array.from({ length: Math.min(maxN, batch.size) }, (_, row) => this.decode(batch, row)),
        ),
      );
      return;
    }
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
   * Whether each epoch comes in another random order; default false: in the order of the dataset.
   */
  shuffle?: boolean;
  /**
   * Whether the last batch is dropped if it has fewer than `bs` windows. Default: if the loader
   * shuffles, as in fastai.
   */
  dropLast?: boolean;
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
  /** Whether a last batch of fewer than `bs` windows is dropped. */
  readonly dropLast: boolean;
  private readonly seed: number | string;
  private readonly rows: Int32Array | undefined;

  constructor(
    /** The windows, in order. */
    readonly dataset: SequenceDataset,
    { bs = 64, shuffle = false, dropLast = shuffle, seed = 42, rows }: SequenceLoaderOptions = {},
  ) {
    checkArgument(
      dataset instanceof SequenceDataset,
      dataset,
      'new SequenceDataLoader',
      'windows, such as createSequences(plays) makes',
    );
    if (!(Number.isInteger(bs) && bs >= 1))
      throw new ArgumentError(
        `A batch needs a whole number of windows, at least 1, got bs = ${bs}.`,
      );
    if (rows && rows.length !== dataset.length)
      throw new ArgumentError(`rows needs a number for each of the ${dataset.length} windows.`);
    this.n = dataset.length;
    this.bs = bs;
    this.shuffle = shuffle;
    this.dropLast = dropLast;
    this.seed = seed;
    this.rows = rows;
    this.length = dropLast ? Math.floor(this.n / bs) : Math.ceil(this.n / bs);
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

const words = ['user', 'order', 'last', 'window'];

/** Window numbers of training and validation. Throws ArgumentError if a part would be empty. */
export function splitSequences(
  dataset: SequenceDataset,
  options: SequenceSplitOptions = {},
): Split {
  const { split = 'user', seed = 42, validPct } = options;
  const byShare = split === 'user' || split === 'order' || split === 'window';
  if (
    typeof split === 'string' ? !words.includes(split) : typeof split !== 'object' || split === null
  ) {
    const got = typeof split === 'string' ? `'${split}'` : whatIs(split);
    throw new ArgumentError(
      `split must be 'user', 'order', 'last', 'window', or { train, valid } with numbers of histories, got ${got}.`,
    );
  }
  if (!byShare && validPct !== undefined)
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
    train: windowsWhere(dataset, (i) => part[dataset.sequence[i]] === 1),
    valid: windowsWhere(dataset, (i) => part[dataset.sequence[i]] === 2),
  };
  if (found.train.length === 0)
    throw new ArgumentError(
      'The training histories have a single track each, so there is nothing to predict in them.',
    );
  if (found.valid.length === 0 && parts.valid.length > 0) {
    throw new ArgumentError(
      'The validation histories have a single track each, so there is nothing to predict in them.',
    );
  }
  return found;
}

/** Users or sessions by share; only those that have a window count. */
function sequenceParts(
  dataset: SequenceDataset,
  options: { split: 'user' | 'order'; validPct?: number; seed: number | string },
): Split {
  const { split, validPct = 0.2, seed } = options;
  checkNumber(
    validPct,
    validPct > 0 && validPct < 1,
    'validPct must be between 0 and 1, both excluded',
  );
  const sequences = dataset.sequence.filter((s, i, all) => i === 0 || s !== all[i - 1]);
  const n = sequences.length;
  const cut = Math.trunc(validPct * n);
  if (cut === 0)
    throw new ArgumentError(
      `validPct ${validPct} of ${n} histories leaves none for validation. Give more of them or a larger validPct.`,
    );
  if (split === 'order')
    return { train: sequences.slice(0, n - cut), valid: sequences.slice(n - cut) };
  const order = new Random(seed).child('split').permutation(n);
  return {
    train: order.slice(cut).map((j) => sequences[j]),
    valid: order.slice(0, cut).map((j) => sequences[j]),
  };
}

function lastApart(dataset: SequenceDataset): Split {
  const { sequence, length } = dataset;
  const isLast = (i: number): boolean =>
    sequence[i] !== sequence[i + 1] && i > 0 && sequence[i - 1] === sequence[i];
  const valid = windowsWhere(dataset, isLast);
  if (valid.length === 0)
    throw new ArgumentError(
      'No history has two windows (three tracks), so no last one can be held out.',
    );
  return { train: windowsWhere({ length }, (i) => !isLast(i)), valid };
}

function windowsWhere(
  { length }: { readonly length: number },
  chosen: (i: number) => boolean,
): Int32Array {
  const out = new Int32Array(length);
  let n = 0;
  for (let i = 0; i < length; i++) if (chosen(i)) out[n++] = i;
  return out.slice(0, n);
}
