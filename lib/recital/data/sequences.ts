import { DataError } from '../errors.js';
import {
  checkArgument,
  checkCount,
  checkFlag,
  checkIndex,
  checkIndices,
  given,
  isNumbers,
} from '../options.js';
import { counted, printed } from '../printed.js';
import { pick } from './csr.js';
import { type SequenceSource, Sessions } from './sessions.js';

export const WINDOWS = {
  /**
   * Tracks in a window, at most; default 10. Infinity: the whole sequence before the track that is
   * predicted.
   */
  length: 10,
  /**
   * Whether every position of a window has a target, the track after it, instead of the last alone;
   * default false. Windows then do not overlap: each track but the first of a sequence is a target
   * once.
   */
  everyPosition: false,
};
/** Options of {@link createSequences}. */
export type SequenceOptions = Partial<typeof WINDOWS>;

/** A window, as {@link SequenceDataset.at} gives it. */
export interface SequenceWindow {
  /** Track indices, in order: from 1 to `windowLength` of them. */
  readonly inputs: Int32Array;
  /** The next track; with `everyPosition` one for each input, −1 where there is none. */
  readonly targets: Int32Array;
}

/** The numbers that say where windows lie; `first`: the first position that has a target. */
interface WindowColumns {
  start: Int32Array;
  size: Int32Array;
  sequence: Int32Array;
  first: Int32Array | undefined;
}

/** Indices are targets in Float32Array, which holds whole numbers exactly up to here. */
const MOST_ITEMS = 2 ** 24;

/**
 * Windows over sequences, each with the track that comes next (PyTorch's Dataset of the paper's
 * notebook). A window is a start and a size in the flat array of plays: nothing is copied.
 * @example
 * const dataset = createSequences(plays, { length: 10 });
 * dataset.at(0); // the first window: its tracks and the one that comes next, as indices
 */
export class SequenceDataset {
  /** Number of windows. */
  readonly length: number;
  /** Position of each window's first track in `histories.item`. */
  readonly start: Int32Array;
  /** Tracks in each window. */
  readonly size: Int32Array;
  /** Number of each window's sequence: the user's index, or the session. */
  readonly sequence: Int32Array;
  /** Whether windows have a target at every position. */
  readonly everyPosition: boolean;
  /** Targets of a window in a batch: 1, or `windowLength` with `everyPosition`. */
  readonly targetWidth: number;
  private readonly first: Int32Array | undefined;

  /** Windows come from {@link createSequences} and `take`. */
  constructor(
    /** The sequences of the windows. */
    readonly histories: Sessions,
    /** T: the room that a window has in a batch. */
    readonly windowLength: number,
    { start, size, sequence, first }: WindowColumns,
  ) {
    checkCount(histories.items.length, 'The number of tracks', { most: MOST_ITEMS });
    this.length = start.length;
    this.start = start;
    this.size = size;
    this.sequence = sequence;
    this.first = first;
    this.everyPosition = first !== undefined;
    this.targetWidth = first ? windowLength : 1;
  }

  /** Window `i`. */
  at(i: number): SequenceWindow {
    checkIndex(i, this.length, 'window');
    const { item } = this.histories;
    const end = this.start[i] + this.size[i];
    const inputs = item.slice(this.start[i], end);
    if (!this.first) return { inputs, targets: Int32Array.of(item[end]) };
    return { inputs, targets: item.slice(this.start[i] + 1, end + 1).fill(-1, 0, this.first[i]) };
  }

  /**
   * Writes window `i` into row `row` of a batch's arrays: tracks from the left, then zeros; targets
   * likewise, −1 where there is none.
   * @param arrays `inputs`, rows × windowLength, and `targets`, rows × targetWidth
   */
  write(
    i: number,
    row: number,
    { inputs, targets }: { inputs: Int32Array; targets: Float32Array },
  ): void {
    const { item } = this.histories;
    const { windowLength: T, first } = this;
    const start = this.start[i];
    const size = this.size[i];
    const at = row * T;
    for (let j = 0; j < size; j++) inputs[at + j] = item[start + j];
    inputs.fill(0, at + size, at + T);
    if (!first) {
      targets[row] = item[start + size];
      return;
    }
    targets.fill(-1, at, at + T);
    for (let j = first[i]; j < size; j++) targets[at + j] = item[start + j + 1];
  }

  /**
   * Windows that predict one track each, in the same order: with `everyPosition` one for each
   * target, of up to `windowLength` tracks before it in its sequence; else the windows as they are.
   * @returns the windows, and the number of the original window of each
   */
  eachTarget(): { dataset: SequenceDataset; window: Int32Array } {
    const { first, start, size, sequence, histories, windowLength } = this;
    if (!first)
      return { dataset: this, window: Int32Array.from({ length: this.length }, (_, i) => i) };
    let n = 0;
    for (let i = 0; i < this.length; i++) n += size[i] - first[i];
    const window = new Int32Array(n);
    const columns = emptyColumns(n, false);
    for (let i = 0, k = 0; i < this.length; i++) {
      for (let target = start[i] + first[i] + 1; target <= start[i] + size[i]; target++, k++) {
        columns.start[k] = Math.max(histories.indptr[sequence[i]], target - windowLength);
        columns.size[k] = target - columns.start[k];
        columns.sequence[k] = sequence[i];
        window[k] = i;
      }
    }
    return { dataset: new SequenceDataset(histories, windowLength, columns), window };
  }

  /** The windows with these numbers, in this order, of the same sequences. */
  take(windows: ArrayLike<number>): SequenceDataset {
    checkArgument(isNumbers(windows), windows, 'take', 'numbers of windows, such as [0, 5, 7]');
    checkIndices(windows, this.length, 'window');
    return new SequenceDataset(this.histories, this.windowLength, {
      start: pick(this.start, windows),
      size: pick(this.size, windows),
      sequence: pick(this.sequence, windows),
      first: this.first && pick(this.first, windows),
    });
  }
}

printed(SequenceDataset, ({ length, windowLength, histories, everyPosition }) => {
  const of = `windows of up to ${windowLength} of ${counted(histories.items.length, 'track')}`;
  const targets = everyPosition ? ', a target at every position' : '';
  return `SequenceDataset: ${length.toLocaleString('en')} ${of}${targets}`;
});

function emptyColumns(n: number, everyPosition: boolean): WindowColumns {
  const [start, size, sequence] = [0, 0, 0].map(() => new Int32Array(n));
  return { start, size, sequence, first: everyPosition ? new Int32Array(n) : undefined };
}

/**
 * Sliding windows over each user's plays in the order of the file, or over sessions, each with the
 * track that comes next (the paper's `create_sequences`). A sequence of n tracks has n − 1 windows,
 * one for each track but the first; those at its beginning are shorter than `length`.
 * @param source plays, in the order of the file (Kaggle's history has no times), or sessions
 * @throws ArgumentError for a wrong length; DataError if no sequence is long enough for a window
 * @example
 * const sessions = new Sessions(Vocabulary.fromValues(['a', 'b', 'c']), Int32Array.of(0, 3), Int32Array.of(0, 1, 2));
 * createSequences(sessions, { length: 10 }).at(1) // inputs 0, 1; targets 2
 */
export function createSequences(
  source: SequenceSource,
  options: SequenceOptions = {},
): SequenceDataset {
  return windowsOf(Sessions.of(source), given(WINDOWS, options, 'createSequences'));
}

/**
 * The windows of sequences.
 * @param lastApart with `everyPosition`: the last track of a sequence of three or more is the
 *   target of a window of its own, the sequence's last: for the split that holds it out
 */
export function windowsOf(
  histories: Sessions,
  { length, everyPosition }: Required<SequenceOptions>,
  lastApart = false,
): SequenceDataset {
  if (length !== Infinity) checkCount(length, 'length of a window');
  checkFlag(everyPosition, 'everyPosition');
  const options = { length, everyPosition, lastApart };
  let n = 0;
  let longest = 0;
  eachWindow(histories, options, (_sequence, _start, size) => {
    n++;
    longest = Math.max(longest, size);
  });
  if (n === 0)
    throw new DataError(
      `No ${histories.users ? 'user' : 'session'} of ${histories.length} has 2 tracks, so there is no window. A single track has no next one.`,
    );
  const columns = emptyColumns(n, everyPosition);
  let i = 0;
  eachWindow(histories, options, (sequence, start, size, first) => {
    columns.sequence[i] = sequence;
    columns.start[i] = start;
    columns.size[i] = size;
    if (columns.first) columns.first[i] = first;
    i++;
  });
  return new SequenceDataset(histories, length === Infinity ? longest : length, columns);
}

/**
 * Calls `visit` for each window, sequence after sequence: its sequence, its start, its size, and the
 * first position that has a target.
 */
function eachWindow(
  { indptr }: Sessions,
  options: Required<SequenceOptions> & { lastApart: boolean },
  visit: (sequence: number, start: number, size: number, first: number) => void,
): void {
  const { length, everyPosition, lastApart } = options;
  for (let s = 0; s + 1 < indptr.length; s++) {
    const begin = indptr[s];
    const last = indptr[s + 1] - 1;
    let target = begin + 1; // of windows that predict one track
    if (everyPosition) {
      const apart = lastApart && last - begin >= 2;
      const end = apart ? last - 1 : last;
      for (let start = begin; start < end; start += length)
        visit(s, start, Math.min(length, end - start), 0);
      target = apart ? last : last + 1;
    }
    for (; target <= last; target++) {
      const start = Math.max(begin, target - length);
      visit(s, start, target - start, target - start - 1);
    }
  }
}
