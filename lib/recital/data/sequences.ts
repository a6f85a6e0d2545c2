import { inspect } from 'node:util';
import { ArgumentError, DataError } from '../errors.js';
import {
  checkArgument,
  checkCount,
  checkFlag,
  checkIndex,
  checkNumber,
  checkOptions,
  given,
  isNumbers,
} from '../options.js';

import { Plays } from './plays.js';
import type { Sessions } from './sessions.js';
import type { Tracks } from './tracks.js';
import { Vocabulary } from './vocabulary.js';

export const WINDOWS = {
  /**
   * Tracks in a window, at most; default 10. Infinity: the whole history before the track that is
   * predicted.
   */
  length: 10,
  /**
   * Tracks in a window, at least; default 1, so that the beginning of a history is learnt from too.
   * With `minLength` equal to `length` there are full windows only, and histories of no more than
   * `length` tracks have none.
   */
  minLength: 1,
  /**
   * Whether every position of a window has a target, the track after it, instead of the last alone;
   * default false. Windows then do not overlap: each track but the first of a history is a target
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

/** The numbers that say where windows lie. */
interface WindowColumns {
  start: Int32Array;
  size: Int32Array;
  first: Int32Array | undefined;
  sequence: Int32Array;
}

/** Indices are targets in Float32Array, which holds whole numbers exactly up to here. */
const MOST_ITEMS = 2 ** 24;

/**
 * Windows over histories, each with the track that comes next (PyTorch's Dataset of the paper's
 * notebook). A window is a start and a size in the flat array of plays: nothing is copied. It lies
 * in one history.
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
  /** Number of each window's history: the user's index, or the session. */
  readonly sequence: Int32Array;
  private readonly first: Int32Array | undefined;

  /** Windows come from {@link createSequences} and `take`. */
  constructor(
    /** The histories of the windows. */
    readonly histories: Histories,
    /** T: the room that a window has in a batch. */
    readonly windowLength: number,
    columns: WindowColumns,
  ) {
    if (histories.items.length > MOST_ITEMS)
      throw new ArgumentError(
        `At most ${MOST_ITEMS} tracks can be targets, got ${histories.items.length}.`,
      );
    this.length = columns.start.length;
    this.start = columns.start;
    this.size = columns.size;
    this.sequence = columns.sequence;
    this.first = columns.first;
  }

  /** Whether windows have a target at every position. */
  get everyPosition(): boolean {
    return this.first !== undefined;
  }

  /** Targets of a window in a batch: 1, or `windowLength` with `everyPosition`. */
  get targetWidth(): number {
    return this.first ? this.windowLength : 1;
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
   * @param inputs rows × windowLength
   * @param targets rows × targetWidth
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
   * target, of up to `windowLength` tracks before it in its history; else the windows as they are.
   * @returns the windows, and the number of the original window of each
   */
  eachTarget(): { dataset: SequenceDataset; window: Int32Array } {
    const { first, start, size, sequence, histories } = this;
    if (!first)
      return { dataset: this, window: Int32Array.from({ length: this.length }, (_, i) => i) };
    let n = 0;
    for (let i = 0; i < this.length; i++) n += size[i] - first[i];
    const window = new Int32Array(n);
    const [starts, sizes, sequences] = [0, 0, 0].map(() => new Int32Array(n));
    const columns = { start: starts, size: sizes, sequence: sequences, first: undefined };
    for (let i = 0, k = 0; i < this.length; i++) {
      for (let target = start[i] + first[i] + 1; target <= start[i] + size[i]; target++, k++) {
        columns.start[k] = Math.max(histories.indptr[sequence[i]], target - this.windowLength);
        columns.size[k] = target - columns.start[k];
        columns.sequence[k] = sequence[i];
        window[k] = i;
      }
    }
    return { dataset: new SequenceDataset(histories, this.windowLength, columns), window };
  }

  /** The windows with these numbers, in this order, of the same histories. */
  take(windows: ArrayLike<number>): SequenceDataset {
    checkArgument(isNumbers(windows), windows, 'take', 'numbers of windows, such as [0, 5, 7]');
    for (let j = 0; j < windows.length; j++) checkIndex(windows[j], this.length, 'window');
    const pick = (column: Int32Array): Int32Array => Int32Array.from(windows, (i) => column[i]);
    const { start, size, sequence, first } = this;
    return new SequenceDataset(this.histories, this.windowLength, {
      start: pick(start),
      size: pick(size),
      sequence: pick(sequence),
      first: first && pick(first),
    });
  }

  [inspect.custom](): string {
    const n = (x: number): string => x.toLocaleString('en');
    const targets = this.everyPosition ? ', a target at every position' : '';
    return `SequenceDataset: ${n(this.length)} windows of up to ${this.windowLength} of ${n(this.histories.items.length)} tracks${targets}`;
  }
}

/**
 * Sliding windows over each user's plays in the order of the file, or over sessions, each with the
 * track that comes next (the paper's `create_sequences`). A history of n tracks has n − 1 windows,
 * one for each track but the first; those at its beginning are shorter than `length`. Kaggle's
 * history has no times, so its order is that of the file.
 * @param source plays, in the order of the file, or sessions
 * @throws ArgumentError for a wrong length; DataError if no history is long enough for a window
 * @example
 * const sessions = new Sessions(Vocabulary.fromValues(['a', 'b', 'c']), Int32Array.of(0, 3), Int32Array.of(0, 1, 2));
 * createSequences(sessions, { length: 10 }).at(1) // inputs 0, 1; targets 2
 */
export function createSequences(
  source: SequenceSource,
  options: SequenceOptions = {},
): SequenceDataset {
  const all = given(WINDOWS, options, 'createSequences');
  return windowsOf(Histories.of(source), all);
}

/**
 * The windows of histories.
 * @param lastApart with `everyPosition`: the last track of a history of three or more is the target
 *   of a window of its own, the history's last: for the split that holds it out
 */
export function windowsOf(
  histories: Histories,
  { length, minLength, everyPosition }: Required<SequenceOptions>,
  lastApart = false,
): SequenceDataset {
  if (length !== Infinity) checkCount(length, 'length of a window');
  checkNumber(
    minLength,
    Number.isInteger(minLength) && minLength >= 1 && minLength <= length,
    `minLength must be a whole number from 1 to length = ${length}`,
  );
  checkFlag(everyPosition, 'everyPosition');
  if (everyPosition && minLength > 1)
    throw new ArgumentError(
      `With everyPosition each track but the first is a target, so minLength means nothing: leave it out, got ${minLength}.`,
    );
  const options = { length, minLength, everyPosition, lastApart };
  let n = 0;
  let longest = 0;
  eachWindow(histories, options, (_sequence, _start, size) => {
    n++;
    longest = Math.max(longest, size);
  });
  if (n === 0) {
    throw new DataError(
      `No ${histories.users ? 'user' : 'session'} of ${histories.length} has ${minLength + 1} tracks, so there is no window with a track after it. ` +
        `${minLength > 1 ? 'Lower minLength, or take longer histories.' : 'A single track has no next one.'}`,
    );
  }
  const [starts, sizes, sequences, firsts] = [0, 0, 0, 0].map(() => new Int32Array(n));
  let i = 0;
  eachWindow(histories, options, (sequence, start, size, first) => {
    sequences[i] = sequence;
    starts[i] = start;
    sizes[i] = size;
    firsts[i++] = first;
  });
  const first = everyPosition ? firsts : undefined;
  const columns = { start: starts, size: sizes, sequence: sequences, first };
  return new SequenceDataset(histories, length === Infinity ? longest : length, columns);
}

/**
 * Calls `visit` for each window, history after history: its history, its start, its size, and the
 * first position that has a target.
 */
function eachWindow(
  { indptr }: Histories,
  {
    length,
    minLength,
    everyPosition,
    lastApart,
  }: Required<SequenceOptions> & { lastApart: boolean },
  visit: (sequence: number, start: number, size: number, first: number) => void,
): void {
  for (let s = 0; s + 1 < indptr.length; s++) {
    const begin = indptr[s];
    const last = indptr[s + 1] - 1;
    let target = begin + minLength; // of windows that predict one track
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

/** The source of sequences: each user's plays in the order of the file, sessions, or histories. */
export type SequenceSource = Plays | Sessions | Histories;

/** Arrays that {@link Histories.from} makes histories of. */
export interface HistoryParts {
  /** The tracks. */
  readonly items: Vocabulary;
  /** A user for each sequence; default none: sessions. */
  readonly users?: Vocabulary;
  /** Where the sequences begin and end. */
  readonly indptr: Int32Array;
  /** The tracks that were played, as indices. */
  readonly item: Int32Array;
  /** The catalogue of the tracks. */
  readonly catalogue?: Tracks;
}

/**
 * The plays of each user, or of each session, in order and as track indices, without padding.
 * @example
 * const histories = Histories.of(plays);
 * histories.history(0); // what the first user has played, in order: indices in histories.items
 */
export class Histories {
  /** Number of sequences: users or sessions. */
  readonly length: number;

  private constructor(
    /** The tracks; there is no padding track among them. */
    readonly items: Vocabulary,
    /**
     * The users, whose index is that of the sequence; undefined for sessions, which have numbers
     * only, unless some are left out.
     */
    readonly users: Vocabulary | undefined,
    /** length + 1 numbers: sequence `s` is `item[indptr[s] … indptr[s + 1])`. */
    readonly indptr: Int32Array,
    /** Index in `items`, sequence after sequence. */
    readonly item: Int32Array,
    /** The catalogue of the tracks. */
    readonly catalogue: Tracks | undefined,
  ) {
    this.length = indptr.length - 1;
  }

  /**
   * From plays (a sequence a user, in file order) or sessions (a sequence a session); histories are
   * taken as they are.
   * @param options.items encode with these tracks; default: those of the source. Tracks that they
   *   lack: UnknownIdError
   * @throws ArgumentError for a source that is neither; DataError for one without a play
   */
  static of(source: SequenceSource, options: { items?: Vocabulary } = {}): Histories {
    checkOptions(options, ['items'], 'Histories.of');
    if (source instanceof Histories && (options.items ?? source.items) === source.items)
      return source;
    const wanted = 'plays, such as readPlays reads, or sessions, such as readSessions reads';
    let parts: HistoryParts;
    if (source instanceof Plays) {
      const { indptr, indices } = source.byUser();
      const item = indices.map((row) => source.track[row]);
      const { tracks: items, users, catalogue } = source;
      parts = { indptr, item, items, users, catalogue };
    } else {
      const fits = source?.items instanceof Vocabulary;
      checkArgument(fits && isNumbers(source.item), source, 'A sequence', wanted);
      parts = source;
    }
    if (parts.item.length === 0)
      throw new DataError('There is no play to make sequences of. Was everything filtered away?');
    const { items: own, users, indptr, item, catalogue } = parts;
    const { items = own } = options;
    return new Histories(items, users, indptr, recode(item, own, items), catalogue);
  }

  /**
   * From arrays: for histories that come from a file.
   * @throws DataError for sequences that do not span `item`, tracks that are not among `items`, or
   *   another number of users than of sequences
   */
  static from(parts: HistoryParts): Histories {
    checkArgument(
      parts?.items instanceof Vocabulary && isNumbers(parts.indptr) && isNumbers(parts.item),
      parts,
      'Histories.from',
      '{ items, indptr, item }; Histories.of(plays) takes plays',
    );
    const { items, users, indptr, item, catalogue } = parts;
    const n = indptr.length - 1;
    const falls = indptr.findIndex((at, s) => s > 0 && at < indptr[s - 1]);
    if (n < 0 || indptr[0] !== 0 || indptr[n] !== item.length || falls > 0)
      throw new DataError(
        `The sequences do not span the ${item.length} plays: indptr must rise from 0 to that number.`,
      );
    const bad = item.findIndex((t) => !(t >= 0 && t < items.length));
    if (bad >= 0)
      throw new DataError(
        `Play ${bad} is of track ${item[bad]}; the tracks have indices 0 to ${items.length - 1}.`,
      );
    if (users && users.length !== n)
      throw new DataError(
        `There are ${users.length} users for ${n} sequences; one each is needed.`,
      );
    return new Histories(items, users, indptr, item, catalogue);
  }

  /**
   * Part of the plays. Sequences without plays are left out; sessions keep their numbers, as the
   * ids of `users`.
   * @param kept for each play, in the order of `item`, whether it stays: not 0
   * @param options.items encode with these tracks; default: the same as here
   */
  only(kept: ArrayLike<number>, options: { items?: Vocabulary } = {}): Histories {
    checkOptions(options, ['items'], 'only');
    const { items = this.items } = options;
    checkArgument(isNumbers(kept), kept, 'only', 'a number for each play, not 0 where it stays');
    if (kept.length !== this.item.length)
      throw new ArgumentError(
        `There are ${this.item.length} plays to keep or not, got ${kept.length} values.`,
      );
    const item = this.item.filter((_, i) => kept[i] !== 0);
    const indptr = [0];
    const sequences: number[] = [];
    for (let s = 0, n = 0; s < this.length; s++) {
      const before = n;
      for (let i = this.indptr[s]; i < this.indptr[s + 1]; i++) if (kept[i]) n++;
      if (n === before) continue;
      indptr.push(n);
      sequences.push(s);
    }
    const whole = sequences.length === this.length;
    const all =
      this.users ??
      (whole ? undefined : Vocabulary.inOrder(Array(this.length).keys(), { kind: 'session' }));
    const users = whole ? all : all!.subset(sequences);
    const recoded = recode(item, this.items, items);
    return new Histories(items, users, Int32Array.from(indptr), recoded, this.catalogue);
  }

  /** The track indices of sequence `s`, in order. A view: not to be written to. */
  history(s: number): Int32Array {
    checkIndex(s, this.length, 'sequence');
    return this.item.subarray(this.indptr[s], this.indptr[s + 1]);
  }

  /** "Title by Artist" of a track, or its id where no more is known. */
  label(item: number): string {
    const id = this.items.id(item);
    return this.catalogue?.label(id) ?? id;
  }

  [inspect.custom](): string {
    const n = (x: number): string => x.toLocaleString('en');
    return `Histories: ${n(this.item.length)} plays of ${n(this.length)} ${this.users ? 'users' : 'sessions'}, of ${n(this.items.length)} tracks`;
  }
}

/** Tracks as indices in another vocabulary. */
function recode(item: Int32Array, from: Vocabulary, to: Vocabulary): Int32Array {
  if (from === to) return item;
  const code = new Int32Array(from.length).fill(-1);
  return item.map((i) => (code[i] < 0 ? (code[i] = to.index(from.id(i))) : code[i]));
}
