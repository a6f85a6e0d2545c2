import { inspect } from 'node:util';
import { ArgumentError, DataError } from '../errors.js';
import { checkArgument, checkOptions, isNumbers, said, whatIs } from '../options.js';
import { Plays } from './plays.js';
import type { Sessions } from './sessions.js';
import type { Tracks } from './tracks.js';
import { Vocabulary } from './vocabulary.js';

/** Where sequences come from: each user's plays in the order of the file, or sessions. */
export type SequenceSource = Plays | Sessions;

/** What {@link Histories.from} makes histories of; the fields are those of Histories. */
export interface HistoryParts {
  /** The tracks. */
  readonly items: Vocabulary;
  /** A user for each sequence; default none: sessions. */
  readonly users?: Vocabulary;
  /** Where the sequences begin and end. */
  readonly indptr: Int32Array;
  /** The tracks that were played, as indices. */
  readonly item: Int32Array;
  /** What is known of the tracks. */
  readonly catalogue?: Tracks;
}

/**
 * What was played, in order, one sequence after the other: the plays of each user, or sessions.
 * Tracks are indices; nothing is padded.
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
    /** What is known of the tracks. */
    readonly catalogue: Tracks | undefined,
  ) {
    this.length = indptr.length - 1;
  }

  /**
   * From plays (a sequence a user, in file order) or sessions (a sequence a session).
   * @param options.items encode with these tracks; default: those of the source. Tracks that they
   *   lack: UnknownIdError
   * @throws ArgumentError for a source that is neither; DataError for one without a play
   */
  static of(source: SequenceSource, options: { items?: Vocabulary } = {}): Histories {
    checkOptions(options, ['items'], 'Histories.of');
    const { items } = options;
    const plays = source instanceof Plays;
    if (
      !plays &&
      !(
        (source as Sessions | undefined)?.items instanceof Vocabulary &&
        source.indptr &&
        source.item
      )
    ) {
      throw new ArgumentError(
        `Sequences are made of plays, such as readPlays reads, or of sessions, such as readSessions reads; got ${whatIs(source)}.`,
      );
    }
    const own = plays ? source.tracks : source.items;
    if ((plays ? source.track : source.item).length === 0)
      throw new DataError('There is no play to make sequences of. Was everything filtered away?');
    const vocabulary = items ?? own;
    let item: Int32Array;
    let indptr: Int32Array;
    if (plays) {
      const byUser = source.byUser();
      indptr = byUser.indptr;
      item = byUser.indices.map((row) => source.track[row]);
    } else {
      ({ indptr, item } = source);
    }
    if (vocabulary !== own) item = recode(item, own, vocabulary);
    return new Histories(
      vocabulary,
      plays ? source.users : undefined,
      indptr,
      item,
      plays ? source.catalogue : undefined,
    );
  }

  /**
   * From what `indptr`, `item` and the rest are: for histories that have been kept in a file, or
   * made otherwise.
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
    if (n < 0 || indptr[0] !== 0 || indptr[n] !== item.length || falls > 0) {
      throw new DataError(
        `The sequences do not span the ${item.length} plays: indptr must rise from 0 to that number.`,
      );
    }
    const bad = item.findIndex((t) => !(t >= 0 && t < items.length));
    if (bad >= 0)
      throw new DataError(
        `Play ${bad} is of track ${item[bad]}; the tracks have indices 0 to ${items.length - 1}.`,
      );
    if (users && users.length !== n)
      throw new DataError(
        `There are ${users.length} users for ${n} sequences; one each was expected.`,
      );
    return new Histories(items, users, indptr, item, catalogue);
  }

  /**
   * Part of what was played. Sequences that have nothing left are left out; sessions keep their
   * numbers, which are then the ids of the users.
   * @param kept for each play, in the order of `item`, whether it stays: not 0
   * @param options.items encode with these tracks, which must be all that are left; default: the
   *   same as here
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
    return new Histories(
      items,
      whole ? all : all!.subset(sequences),
      Int32Array.from(indptr),
      items === this.items ? item : recode(item, this.items, items),
      this.catalogue,
    );
  }

  /** The track indices of sequence `s`, in order. A view: not to be written to. */
  history(s: number): Int32Array {
    if (!(Number.isInteger(s) && s >= 0 && s < this.length)) {
      throw new ArgumentError(
        `Sequence ${said(s)} does not exist; there are ${this.length}, counted from 0.`,
      );
    }
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

function recode(item: Int32Array, from: Vocabulary, to: Vocabulary): Int32Array {
  const code = new Int32Array(from.length).fill(-1);
  return item.map((i) => (code[i] < 0 ? (code[i] = to.index(from.id(i))) : code[i]));
}
