import { found } from '../compute/checked.js';
import { interruptible } from '../compute/interrupt.js';
import { Csr, type CsrRows } from '../data/csr.js';
import { Plays } from '../data/plays.js';
import { Vocabulary } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkLengths, isNumbers, whatIs } from '../options.js';
import { inspected } from '../printed.js';

/** What {@link Interactions.fromPairs} is made from: columns of equal length. */
export interface InteractionPairs {
  /** The users and the tracks; never with `#na#`. */
  users: Vocabulary;
  /** The tracks; never with `#na#`. */
  tracks: Vocabulary;
  /** Index in `users`, one per pair. */
  user: Int32Array;
  /** Index in `tracks`, one per pair. */
  track: Int32Array;
  /** Playcount of each pair; default 1 each. Repeated pairs are summed. */
  playcount?: Float32Array;
}

/** What is known of listening histories that are left out: sums over all users. */
export interface InteractionTotals {
  /** How many users have played each track. */
  readonly usersPerTrack: Int32Array;
  /** How often each track was played. */
  readonly plays: Float64Array;
  /** The mean of the natural logarithms of the playcounts. */
  readonly meanLog: number;
}

/** Those that {@link Interactions.fromPlays} has made. */
const ofPlays = new WeakMap<Plays, Interactions>();

/**
 * Who has played what: a sparse users × tracks matrix by rows (SciPy's CSR, its names). It is what
 * recommenders count in, and their seen lists. The tracks of user u are
 * `indices[indptr[u] … indptr[u + 1])`, ascending, each once.
 * @example
 * const seen = Interactions.fromPlays(plays);
 * seen.row(0); // what the first user has played: indices in seen.tracks
 */
export class Interactions implements CsrRows {
  /** Number of (user, track) pairs. */
  readonly length: number;
  readonly indptr: Int32Array;
  readonly indices: Int32Array;
  /** How often, one per pair; more than 0. */
  readonly playcount: Float32Array;
  private byTrack: CsrRows | undefined;

  /** @param totals the sums, where the pairs themselves are left out */
  private constructor(
    /** The users, a row each. */
    readonly users: Vocabulary,
    /** The tracks, a column each. */
    readonly tracks: Vocabulary,
    /** The playcounts: users × tracks. */
    readonly matrix: Csr<Float32Array>,
    readonly totals?: InteractionTotals,
  ) {
    this.indptr = matrix.indptr;
    this.indices = matrix.indices;
    this.playcount = matrix.data;
    this.length = matrix.indices.length;
  }

  /**
   * From plays. Users and tracks without a play are left out of the vocabularies: nothing is known
   * of them. Made on first use and kept: recommenders of the same plays share it.
   * @example Interactions.fromPlays(plays).usersPerTrack() // how many have played each track
   */
  static fromPlays(plays: Plays): Interactions {
    if (!(plays instanceof Plays))
      throw new ArgumentError(
        `Plays were expected, such as readPlays reads or Plays.fromRows([{ user: 'u1', track: 't1' }]) makes, got ${whatIs(plays)}.`,
      );
    const made = ofPlays.get(plays) ?? interruptible(() => Interactions.fromPairs(plays.compact()));
    ofPlays.set(plays, made);
    return made;
  }

  /** From pairs of indices. The vocabularies are kept whole. */
  static fromPairs(pairs: InteractionPairs): Interactions {
    const fits = isNumbers(pairs?.user) && isNumbers(pairs.track);
    checkArgument(
      fits,
      pairs,
      'fromPairs',
      '{ users, tracks, user, track }; fromPlays takes plays',
    );
    const { users, tracks, user, track, playcount } = pairs;
    checkLengths({ user, track, ...(playcount && { playcount }) });
    for (let i = 0; i < user.length; i++) {
      if (user[i] >= 0 && user[i] < users.length && track[i] >= 0 && track[i] < tracks.length)
        continue;
      throw new ArgumentError(
        `Pair ${i} is user ${user[i]} and track ${track[i]}; there are ${users.length} users and ${tracks.length} tracks, counted from 0.`,
      );
    }
    if (playcount && !allPositive(playcount))
      throw new ArgumentError('Playcounts must be positive, finite numbers.');
    const columns = { row: user, column: track, value: playcount };
    const matrix = Csr.fromPairs([users.length, tracks.length], columns, Float32Array);
    return new Interactions(users, tracks, matrix);
  }

  /**
   * From rows that are there already, one per user, kept as they are and checked.
   * @param rows the tracks of each user, ascending; `playcount`: one per pair, more than 0, default
   *   1 each
   */
  static fromCsr(
    rows: CsrRows & { users: Vocabulary; tracks: Vocabulary; playcount?: Float32Array },
  ): Interactions {
    const fits = isNumbers(rows?.indptr) && isNumbers(rows.indices);
    checkArgument(
      fits,
      rows,
      'fromCsr',
      '{ users, tracks, indptr, indices }; fromPlays takes plays',
    );
    const { users, tracks, indptr, indices } = rows;
    const data = rows.playcount ?? new Float32Array(indices.length).fill(1);
    if (data.length !== indices.length || !allPositive(data))
      throw new ArgumentError(
        `${indices.length} playcounts above 0 were expected, one for each pair.`,
      );
    const matrix = new Csr({ shape: [users.length, tracks.length], indptr, indices, data });
    Csr.check(matrix);
    return new Interactions(users, tracks, matrix);
  }

  /**
   * Of listening histories that are left out: nobody has played anything, but `usersPerTrack`
   * and `plays` are those of training.
   * @param ids users and tracks; of plays without a row it becomes what `fromPlays` makes of them
   */
  static ofTotals(
    ids: Plays | { readonly users: Vocabulary; readonly tracks: Vocabulary },
    totals: InteractionTotals,
  ): Interactions {
    const known = ids?.users instanceof Vocabulary && ids.tracks instanceof Vocabulary;
    const fits = known && isNumbers(totals?.usersPerTrack) && isNumbers(totals.plays);
    const wanted = '{ users, tracks } and { usersPerTrack, plays, meanLog }';
    checkArgument(fits, ids, 'ofTotals', wanted);
    const { users, tracks } = ids;
    const none = { row: new Int32Array(0), column: new Int32Array(0) };
    const nothing = Csr.fromPairs([users.length, tracks.length], none, Float32Array);
    const made = new Interactions(users, tracks, nothing, totals);
    if (ids instanceof Plays) ofPlays.set(ids, made);
    return made;
  }

  /** The logarithm of the geometric mean of the playcounts; NaN without plays. */
  get meanLog(): number {
    if (this.totals) return this.totals.meanLog;
    return this.playcount.reduce((sum, count) => sum + Math.log(count), 0) / this.length;
  }

  /** The track indices of a user (by index), ascending. A view: not to be written to. */
  row(user: number): Int32Array {
    checkArgument(typeof user === 'number', user, 'row', 'the number of a user: users.index(id)');
    return this.matrix.row(user);
  }

  /** Whether a user has played a track (both by index). */
  has(user: number, track: number): boolean {
    checkArgument(typeof user === 'number', user, 'has', 'the numbers of a user and a track');
    return this.matrix.has(user, track);
  }

  /** Users of each track: how many have played it. */
  usersPerTrack(): Int32Array {
    if (this.totals) return this.totals.usersPerTrack.slice();
    const count = new Int32Array(this.tracks.length);
    for (let j = 0; j < this.length; j++) count[this.indices[j]]++;
    return count;
  }

  /** Plays of each track: the sum of its playcounts. */
  plays(): Float64Array {
    if (this.totals) return this.totals.plays.slice();
    const sum = new Float64Array(this.tracks.length);
    for (let j = 0; j < this.length; j++) sum[this.indices[j]] += this.playcount[j];
    return sum;
  }

  /**
   * The same pairs by track: the user indices of track t are `indices[indptr[t] … indptr[t + 1])`,
   * ascending. Made on first use and kept.
   */
  transpose(): CsrRows {
    this.byTrack ??= new Csr({ ...this.matrix, data: undefined }).transpose();
    return this.byTrack;
  }

  [inspected](): string {
    const n = (x: number): string => x.toLocaleString('en');
    return `Interactions: ${n(this.length)} of ${n(this.users.length)} users × ${n(this.tracks.length)} tracks`;
  }
}

function allPositive(values: Float32Array): boolean {
  if (found<boolean>(values, 'positive')) return true;
  for (let i = 0; i < values.length; i++)
    if (!(values[i] > 0 && values[i] < Infinity)) return false;
  return true;
}
