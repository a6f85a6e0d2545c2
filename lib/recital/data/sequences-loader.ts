import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkOptions } from '../options.js';
import { counted, printed } from '../printed.js';
import type { Batch, DataLoader } from './batch.js';
import { SequenceDataset } from './sequences.js';

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
