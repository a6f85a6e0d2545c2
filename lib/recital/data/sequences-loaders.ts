import { ArgumentError } from '../errors.js';
import { checkArgument, checkOptions } from '../options.js';
import { counted, printed } from '../printed.js';
import { type Batch, checkRowOf, type DataLoaders } from './batch.js';
import { display } from './display.js';
import type { Plays } from './plays.js';
import { type SequenceDataset, type SequenceOptions, windowsOf } from './sequences.js';
import { Histories, type SequenceSource } from './sequences-histories.js';
import { SequenceDataLoader } from './sequences-loader.js';
import { type SequenceSplitOptions, splitSequences } from './sequences-split.js';
import type { Sessions } from './sessions.js';
import type { Split } from './splits.js';
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
