import { found } from '../compute/checked.js';
import { Random } from '../compute/random.js';
import { ArgumentError, DataError } from '../errors.js';
import {
  checkArgument,
  checkCount,
  checkIndices,
  checkLengths,
  checkOptions,
  given,
  isNumbers,
  said,
} from '../options.js';
import { counted, printed } from '../printed.js';
import { type CsrRows, groupBy } from './csr.js';
import {
  idsIn,
  type PlayArrays,
  type PlaysColumnNames,
  type PlaysColumns,
  playsPositionsIn,
  type Repairs,
  rowsOf,
  sumDuplicates,
  timesOf,
} from './plays-columns.js';
import { type Cell, checkRecord, Table } from './table.js';
import type { Tracks } from './tracks.js';
import { indicesIn, refuseRounded, Vocabulary } from './vocabulary.js';

/** A play as a record. */
export interface PlayRecord {
  /** User id. */
  user: string | number;
  /** Track id. */
  track: string | number;
  /** How often the user has played the track. Default 1. */
  playcount?: number;
}

/** Plays as columns of equal length with the ids, for {@link Plays.fromColumns}. */
export interface PlayColumns {
  /** User ids: texts, or whole numbers (which become their texts, `7` → `'7'`). */
  user: ArrayLike<string | number> | ArrayLike<bigint>;
  /** Track ids, likewise. */
  track: ArrayLike<string | number> | ArrayLike<bigint>;
  /** How often the user has played the track: more than 0. Default: once each. */
  playcount?: ArrayLike<number>;
}

const MIN_PLAYS = {
  /** Least number of tracks that a user has played. Default 1. */
  perUser: 1,
  /** Least number of users who have played a track. Default 1. */
  perTrack: 1,
};
/** Least numbers of plays, for {@link Plays.minPlays}. */
export type MinPlaysOptions = Partial<typeof MIN_PLAYS>;

/** Names of the fields of a record, and of the columns. */
const PLAY_FIELDS = ['user', 'track', 'playcount'] as const;

/**
 * Who played what, how often: one row per (user, track), in the order of the file. Ids are indices
 * into two vocabularies, columns are typed arrays. `from…` sum repeated (user, track) into the
 * first, counted in `repairs`; filters return new plays.
 * @example
 * const plays = await readPlays('../data');
 * const active = plays.minPlays({ perUser: 5, perTrack: 5 });
 */
export class Plays {
  /** Number of plays (rows). */
  readonly length: number;
  /** The users. A user may have no play left after `take`. */
  readonly users: Vocabulary;
  /** The tracks. A track may have no play left after `take`. */
  readonly tracks: Vocabulary;
  /** Index in `users`, one per play. */
  readonly user: Int32Array;
  /** Index in `tracks`, one per play. */
  readonly track: Int32Array;
  /** How often the user has played the track, one per play. */
  readonly playcount: Float32Array;
  /** The catalogue of the tracks. */
  readonly catalogue: Tracks | undefined;
  /** What was repaired when the plays were read. */
  readonly repairs: Repairs;

  /**
   * @throws ArgumentError for columns of unequal lengths or indices outside their vocabulary
   * @throws DataError for a playcount that is not a positive, finite number
   */
  constructor(columns: PlaysColumns) {
    const { users, tracks, user, track, playcount, catalogue, repairs } = columns ?? {};
    checkArgument(
      [user, track, playcount].every(isNumbers) &&
        [users, tracks].every((ids) => ids instanceof Vocabulary),
      columns,
      'new Plays',
      'columns of indices, as readPlays makes; Plays.fromRows([{ user, track }]) makes plays of records',
    );
    this.length = user.length;
    checkLengths({ user, track, playcount });
    checkCodes(user, users, 'user');
    checkCodes(track, tracks, 'track');
    const positive = found<boolean>(playcount, 'positive');
    for (let i = 0; i < playcount.length && !positive; i++)
      if (!(playcount[i] > 0 && playcount[i] < Infinity)) throw notPositive(i, playcount[i]);
    this.users = users;
    this.tracks = tracks;
    this.user = user;
    this.track = track;
    this.playcount = playcount;
    this.catalogue = catalogue;
    this.repairs = repairs ?? { duplicates: 0, notInCatalogue: 0 };
  }

  /**
   * From records: for small data and for examples.
   * @param options `catalogue`: that of the tracks
   * @throws ArgumentError for a field that a play does not have
   * @throws DataError for a playcount that is no positive number
   * @example Plays.fromRows([{ user: 'u1', track: 't1', playcount: 3 }, { user: 'u2', track: 't1' }])
   */
  static fromRows(rows: readonly PlayRecord[], options: { catalogue?: Tracks } = {}): Plays {
    const example = "{ user: 'u1', track: 't1' }";
    const wanted = `an array of records, such as [${example}]`;
    checkArgument(Array.isArray(rows), rows, 'Plays.fromRows', wanted);
    for (const [i, row] of rows.entries()) checkRecord(row, i, example, PLAY_FIELDS);
    const [user, track] = [rows.map((row) => row.user), rows.map((row) => row.track)];
    const playcount = rows.map(({ playcount = 1 }) => playcount);
    return Plays.fromColumns({ user, track, playcount }, options);
  }

  /**
   * From columns with the ids themselves, arrays or typed arrays.
   * @param columns of equal lengths; without `playcount` each play counts once
   * @param options `catalogue`: that of the tracks
   * @throws ArgumentError for other fields, unequal lengths, a missing id, and whole numbers beyond
   *   2⁵³, which JavaScript rounds
   * @throws DataError for a playcount that is no positive number
   * @example Plays.fromColumns({ user: ['u1', 'u2'], track: ['t1', 't1'], playcount: Int32Array.of(3, 1) })
   */
  static fromColumns(columns: PlayColumns, options: { catalogue?: Tracks } = {}): Plays {
    const fits = typeof columns === 'object' && columns !== null;
    checkArgument(fits, columns, 'Plays.fromColumns', 'columns, { user, track, playcount }');
    checkOptions(columns, PLAY_FIELDS, 'Plays.fromColumns');
    checkOptions(options, ['catalogue'], 'Plays.from…');
    const { user, track, playcount = new Float32Array(user?.length ?? 0).fill(1) } = columns;
    for (const [name, column] of Object.entries({ user, track, playcount }))
      checkArgument(isNumbers(column), column, 'Plays.fromColumns', `an array as ${name}`);
    checkLengths({ user, track, playcount } as Record<string, ArrayLike<unknown>>);
    const [users, userIndex] = encoded(user, 'user');
    const [tracks, trackIndex] = encoded(track, 'track');
    const counts = new Float32Array(user.length);
    for (let i = 0; i < counts.length; i++) {
      const count: unknown = playcount[i];
      if (!(typeof count === 'number' && count > 0 && count < Infinity))
        throw notPositive(i, count);
      counts[i] = count;
      if (!(counts[i] > 0 && counts[i] < Infinity))
        throw notPositive(i, count, ' that float32 holds, 1e-45 to 3e38,');
    }
    const ids = { users, tracks, user: userIndex, track: trackIndex };
    const { columns: unique, duplicates } = sumDuplicates({ ...ids, playcount: counts });
    const plays = new Plays({ ...unique, repairs: { duplicates, notInCatalogue: 0 } });
    return options.catalogue === undefined ? plays : plays.withCatalogue(options.catalogue);
  }

  /**
   * From a table with a row per play, such as `sql` or `readTable` gives.
   * @param options `columns`: which ones, by name or position; default `user_id` or `user`,
   *   `track_id` or `track`, and `playcount`. Without `playcount` each play counts once, with a
   *   `time` the plays are sorted by it. `catalogue`: that of the tracks
   * @throws UnknownIdError for a column that is not there; otherwise as {@link Plays.fromColumns}
   * @example Plays.fromTable(await sql("select who, song, count(*) as n from 'log.csv' group by all"), { columns: { user: 'who', track: 'song', playcount: 'n' } })
   */
  static fromTable(
    table: Table,
    options: { columns?: PlaysColumnNames; catalogue?: Tracks } = {},
  ): Plays {
    const wanted = 'a table, such as sql gives; Plays.fromRows takes records';
    checkArgument(table instanceof Table, table, 'Plays.fromTable', wanted);
    checkOptions(options, ['columns', 'catalogue'], 'Plays.fromTable');
    const { columnNames: names } = table;
    const at = playsPositionsIn(names, options.columns ?? {});
    if (at.time >= 0) {
      const name = names[at.time];
      const where = (row: number): string => `Row ${row} (counted from 0), column "${name}"`;
      const times = timesOf(table.column(name), where);
      const order = Array.from(times.keys()).sort((a, b) => times[a] - times[b]); // stable
      const columns = { ...options.columns, time: undefined };
      return Plays.fromTable(table.take(order), { ...options, columns });
    }
    const [user, track] = (['user', 'track'] as const).map((role) =>
      idsIn(table, names[at[role]], role),
    );
    const playcount = at.playcount < 0 ? undefined : table.numbers(names[at.playcount]);
    return Plays.fromColumns({ user, track, playcount }, { catalogue: options.catalogue });
  }

  /** The same plays with a catalogue; plays of tracks that it lacks are counted in `repairs`. */
  withCatalogue(catalogue: Tracks): Plays {
    const fits = typeof catalogue?.rowsOf === 'function';
    checkArgument(fits, catalogue, 'withCatalogue', 'Tracks, such as readTracks reads');
    const rows = catalogue.rowsOf(this.tracks);
    let notInCatalogue = 0;
    for (let i = 0; i < this.length; i++) if (rows[this.track[i]] < 0) notInCatalogue++;
    return new Plays({ ...this, catalogue, repairs: { ...this.repairs, notInCatalogue } });
  }

  /**
   * The plays with these row numbers, in this order. The vocabularies stay, so that indices mean
   * the same in every part of a split; `compact()` drops users and tracks without plays.
   * @example plays.take(randomSplit(plays.length, { seed: 42 }).train)
   */
  take(rows: ArrayLike<number>): Plays {
    checkArgument(isNumbers(rows), rows, 'take', 'row numbers, such as dls.split.valid');
    checkIndices(rows, this.length, 'row');
    return new Plays({ ...this, ...rowsOf(this, rows) });
  }

  /** The same plays without users and tracks that do not occur in them. */
  compact(): Plays {
    const [users, user] = compacted(this.users, this.user);
    const [tracks, track] = compacted(this.tracks, this.track);
    return new Plays({ ...this, users, tracks, user, track });
  }

  /**
   * The plays of `n` users drawn at random, compacted: the paper's 10,000 of 962,037, say.
   * @param options `seed`: default 42. One seed's smaller samples are parts of its larger ones
   * @example plays.sampleUsers(10, { seed: 1 }).users.length // 10
   */
  sampleUsers(n: number, options: { seed?: number | string } = {}): Plays {
    const { seed } = given({ seed: 42 as number | string }, options, 'sampleUsers');
    const counts = countsOf(this.user, this.users.length);
    const active = Int32Array.from(counts.keys()).filter((u) => counts[u] > 0);
    checkCount(n, 'The number of users to sample', { most: active.length });
    const chosen = new Uint8Array(this.users.length);
    for (const i of new Random(seed).child('users').permutation(active.length).subarray(0, n))
      chosen[active[i]] = 1;
    return this.among(chosen, new Uint8Array(this.tracks.length).fill(1)).compact();
  }

  /**
   * Drops users with fewer than `perUser` plays and tracks with fewer than `perTrack`, counted
   * before anything is dropped; compacted. What is left may fall below the limits again: `kCore`.
   * @example plays.minPlays({ perUser: 5, perTrack: 2 })
   */
  minPlays(options: MinPlaysOptions): Plays {
    const { perUser, perTrack } = given(MIN_PLAYS, options, 'minPlays');
    checkCount(perUser, 'perUser');
    checkCount(perTrack, 'perTrack');
    const atLeast = (least: number) => (count: number) => (count >= least ? 1 : 0);
    const left = this.among(
      Uint8Array.from(countsOf(this.user, this.users.length), atLeast(perUser)),
      Uint8Array.from(countsOf(this.track, this.tracks.length), atLeast(perTrack)),
    );
    if (left.length === 0)
      throw new DataError(
        `No user and track has that many plays (${JSON.stringify(options)}). Lower the limits.`,
      );
    return left.compact();
  }

  /**
   * The largest part in which every user has played at least `k` tracks and every track was played
   * by at least `k` users; compacted.
   * @example plays.kCore(2)
   */
  kCore(k: number): Plays {
    checkCount(k, 'k of kCore');
    let core = this.minPlays({ perUser: k, perTrack: k });
    for (let before = this.length; core.length < before; ) {
      before = core.length;
      core = core.minPlays({ perUser: k, perTrack: k });
    }
    return core;
  }

  /** The plays whose user and track are both marked. */
  private among(users: Uint8Array, tracks: Uint8Array): Plays {
    return new Plays({ ...this, ...rowsOf(this, rowsAmong(this, users, tracks)) });
  }

  /**
   * Row numbers by user, in file order: those of user `u` are `indices[indptr[u] … indptr[u + 1])`.
   * @example plays.byUser().indices // the row numbers, user after user
   */
  byUser(): CsrRows {
    return groupBy(this.user, this.users.length);
  }

  /** Row numbers by track, like {@link Plays.byUser}. */
  byTrack(): CsrRows {
    return groupBy(this.track, this.tracks.length);
  }

  /**
   * The value that JSON.stringify writes: the rows of {@link toTable}.
   * @example JSON.stringify(Plays.fromRows([{ user: 'u', track: 't', playcount: 3 }])) // '[{"track_id":"t","user_id":"u","playcount":3}]'
   */
  toJSON(): Record<string, Cell>[] {
    return this.toTable().rows();
  }

  /**
   * The plays as a table with Kaggle's column names: track_id, user_id, playcount.
   * @example plays.toTable().head(3)
   */
  toTable(): Table<{ track_id: string; user_id: string; playcount: number }> {
    const users = this.users.classes;
    const tracks = this.tracks.classes;
    return new Table({
      track_id: Array.from(this.track, (i) => tracks[i]),
      user_id: Array.from(this.user, (i) => users[i]),
      playcount: Float64Array.from(this.playcount),
    });
  }
}

printed(Plays, ({ length, users, tracks, catalogue }) => {
  const percent = (100 * length) / Math.max(1, users.length * tracks.length);
  const filled = Number(percent.toPrecision(2)); // a number again: not 1.0e+2
  const each = (length / Math.max(1, users.length)).toFixed(1);
  const of = `${counted(users.length, 'user')} × ${counted(tracks.length, 'track')}`;
  const known = catalogue ? `, catalogue of ${counted(catalogue.length, 'track')}` : '';
  return `Plays: ${length.toLocaleString('en')} of ${of} (${each} per user, ${filled} % filled)${known}`;
});

/** How often each of the numbers 0 … n − 1 occurs. */
export function countsOf(indices: Int32Array, n: number): Int32Array {
  const counts = new Int32Array(n);
  for (let i = 0; i < indices.length; i++) counts[indices[i]]++;
  return counts;
}

/** The part of a vocabulary that occurs among `indices`, and the indices in it. */
function compacted(vocabulary: Vocabulary, indices: Int32Array): [Vocabulary, Int32Array] {
  const renumbered = countsOf(indices, vocabulary.length);
  const used = new Int32Array(vocabulary.length);
  let n = 0;
  for (let i = 0; i < vocabulary.length; i++) {
    if (renumbered[i] === 0) continue;
    used[n] = i;
    renumbered[i] = n++;
  }
  if (n === vocabulary.length) return [vocabulary, indices];
  return [vocabulary.subset(used.subarray(0, n)), indices.map((i) => renumbered[i])];
}

function notPositive(row: number, playcount: unknown, kind = ''): DataError {
  const got = typeof playcount === 'string' ? `"${playcount}"` : said(playcount);
  return new DataError(
    `Row ${row} (counted from 0) has playcount ${got}; a positive number${kind} was expected.`,
  );
}

/** The distinct ids of a column, and where each row's is among them. */
function encoded(values: PlayColumns['user'], kind: 'user' | 'track'): [Vocabulary, Int32Array] {
  const ids =
    typeof values[0] === 'bigint'
      ? Array.from(values as ArrayLike<bigint>, (id) => (typeof id === 'bigint' ? String(id) : id))
      : (values as (string | number)[]);
  refuseRounded(ids, kind);
  const vocabulary = Vocabulary.fromValues(ids, { kind });
  return [vocabulary, vocabulary.encode(ids)];
}

function checkCodes(indices: Int32Array, vocabulary: Vocabulary, name: string): void {
  const n = vocabulary.length;
  if (found<number>(indices, 'below')! <= n) return;
  let row = 0; // millions of rows: findIndex takes three times as long
  while (row < indices.length && indices[row] >= 0 && indices[row] < n) row++;
  if (row < indices.length)
    throw new ArgumentError(
      `Row ${row} has ${name} index ${indices[row]}, but the vocabulary has ${n} classes, counted from 0.`,
    );
}

/** The rows whose user and track are both marked. */
function rowsAmong(plays: PlayArrays, users: Uint8Array, tracks: Uint8Array): Int32Array {
  const { user, track } = plays;
  const rows = new Int32Array(user.length);
  let n = 0;
  for (let i = 0; i < user.length; i++) if (users[user[i]] && tracks[track[i]]) rows[n++] = i;
  return rows.subarray(0, n);
}

/** The plays of these users and tracks, in order and encoded with these vocabularies. */
export function playsAmong(
  plays: Plays,
  { users, tracks }: { users: Vocabulary; tracks: Vocabulary },
): PlayArrays {
  const userOf = indicesIn(plays.users, users);
  const trackOf = indicesIn(plays.tracks, tracks);
  const [known, knownTracks] = [userOf, trackOf].map((of) =>
    Uint8Array.from(of, (i) => (i >= 0 ? 1 : 0)),
  );
  const out = rowsOf(plays, rowsAmong(plays, known, knownTracks));
  return { ...out, user: out.user.map((u) => userOf[u]), track: out.track.map((t) => trackOf[t]) };
}
