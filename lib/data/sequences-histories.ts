import { inspect } from 'node:util';
import { ArgumentError, DataError } from '../errors.js';
import { Plays } from './plays.js';
import type { Sessions } from './sessions.js';
import type { Tracks } from './tracks.js';
import type { Vocabulary } from './vocabulary.js';

/** Where sequences come from: each user's plays in the order of the file, or sessions. */
export type SequenceSource = Plays | Sessions;

/**
 * What was played, in order, one sequence after the other: the plays of each user, or sessions. Tracks are indices; nothing is padded.
 */
export class Histories {
  /** Number of sequences: users or sessions. */
  readonly length: number;

  private constructor(
    /** The tracks; there is no padding track among them. */
    readonly items: Vocabulary,
    /** The users, whose index is that of the sequence; undefined for sessions, which have numbers only. */
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
   * @param options.items encode with these tracks; default: those of the source. Tracks that they lack: UnknownIdError
   * @throws DataError for a source without a play
   */
  static of(source: SequenceSource, { items }: { items?: Vocabulary } = {}): Histories {
    const plays = source instanceof Plays;
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
    return new Histories(vocabulary, plays ? source.users : undefined, indptr, item, plays ? source.catalogue : undefined);
  }

  /** The track indices of sequence `s`, in order. A view: not to be written to. */
  history(s: number): Int32Array {
    if (!(Number.isInteger(s) && s >= 0 && s < this.length)) {
      throw new ArgumentError(`Sequence ${s} does not exist; there are ${this.length}, counted from 0.`);
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
