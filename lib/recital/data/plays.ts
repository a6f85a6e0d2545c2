import { inspect } from 'node:util';
import { Random } from '../compute/random.js';
import { ArgumentError, DataError } from '../errors.js';
import { checkArgument, checkOptions, didYouMean, isNumbers, said, whatIs } from '../options.js';
import { type CsrRows, groupBy } from './csr.js';
import { display } from './display.js';
import { type PlaysColumnNames, playsPositionsIn, timesOf } from './plays-columns.js';
import { type Cell, Table } from './table.js';
import type { Tracks } from './tracks.js';
import { indicesIn, refuseRounded, Vocabulary } from './vocabulary.js';

/** What was mended, or found and kept, when plays were read. */
export interface Repairs {
  /**
   * Rows that repeated an earlier (user, track): their playcounts were added to the earlier row's.
   */
  readonly duplicates: number;
  /** Plays of tracks that the catalogue lacks; they are kept. 0 without a catalogue. */
  readonly notInCatalogue: number;
}

/** The columns of {@link Plays}. */
export interface PlaysColumns {
  /** The users. */
  users: Vocabulary;
  /** The tracks that are played. */
  tracks: Vocabulary;
  /** Index in `users`, one a play. */
  user: Int32Array;
  /** Index in `tracks`, one a play. */
  track: Int32Array;
  /** How often the user has played the track: more than 0. */
  playcount: Float32Array;
  /** What is known of the tracks. */
  catalogue?: Tracks;
  /** Default: nothing was mended. */
  repairs?: Repairs;
}

/** A play as a record. */
export interface PlayRecord {
  /** User id. */
  user: string | number;
  /** Track id. */
  track: string | number;
  /** How often the user has played the track. Default 1. */
  playcount?: number;
}

/** Plays as columns of equal length, with the ids themselves: for {@link Plays.fromColumns}. */
export interface PlayColumns {
  /** User ids: texts, or whole numbers (which become their texts, `7` → `'7'`). */
  user: ArrayLike<string | number> | ArrayLike<bigint>;
  /** Track ids, likewise. */
  track: ArrayLike<string | number> | ArrayLike<bigint>;
  /** How often the user has played the track: more than 0. Default: once each. */
  playcount?: ArrayLike<number>;
}

/** Names of the fields of a record, and of the columns. */
const PLAY_FIELDS = ['user', 'track', 'playcount'] as const;

/**
 * Who played what, how often: one row a (user, track), in the order of the file. Ids are indices
 * into two vocabularies, columns are typed arrays. Never changed in place: each filter returns a
 * new one.
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
  /** Index in `users`, one a play. */
  readonly user: Int32Array;
  /** Index in `tracks`, one a play. */
  readonly track: Int32Array;
  /** How often the user has played the track, one a play. */
  readonly playcount: Float32Array;
  /** What is known of the tracks. */
  readonly catalogue: Tracks | undefined;
  /** What was mended when the plays were read. */
  readonly repairs: Repairs;

  /**
   * @throws ArgumentError for columns of unequal lengths or indices outside their vocabulary
   * @throws DataError for a playcount that is not a positive, finite number
   */
  constructor(columns: PlaysColumns) {
    checkArgument(
      isNumbers(columns?.user) &&
        isNumbers(columns.track) &&
        isNumbers(columns.playcount) &&
        columns.users instanceof Vocabulary &&
        columns.tracks instanceof Vocabulary,
      columns,
      'new Plays',
      'columns of indices, as readPlays makes; Plays.fromRows([{ user, track }]) makes plays of records',
    );
    const { users, tracks, user, track, playcount } = columns;
    this.length = user.length;
    if (track.length !== this.length || playcount.length !== this.length) {
      throw new ArgumentError(
        `Plays need columns of equal lengths, got user: ${user.length}, track: ${track.length}, playcount: ${playcount.length}.`,
      );
    }
    checkIndices(user, users, 'user');
    checkIndices(track, tracks, 'track');
    checkPlaycounts(playcount);
    this.users = users;
    this.tracks = tracks;
    this.user = user;
    this.track = track;
    this.playcount = playcount;
    this.catalogue = columns.catalogue;
    this.repairs = columns.repairs ?? { duplicates: 0, notInCatalogue: 0 };
  }

  /**
   * From records: for small data and for examples. Repeated (user, track) are summed into the first
   * and counted in `repairs`.
   * @param options `catalogue`: what is known of the tracks
   * @throws ArgumentError for a field that a play does not have: a misspelt `playcount` would be as
   *   good as none
   * @throws DataError for a playcount that is no positive number
   * @example Plays.fromRows([{ user: 'u1', track: 't1', playcount: 3 }, { user: 'u2', track: 't1' }])
   */
  static fromRows(rows: readonly PlayRecord[], options: { catalogue?: Tracks } = {}): Plays {
    if (!Array.isArray(rows))
      throw new ArgumentError(
        `fromRows needs an array of records, such as [{ user: 'u1', track: 't1' }], got ${whatIs(rows)}.`,
      );
    const none = rows.findIndex((row) => typeof row !== 'object' || row === null);
    if (none >= 0)
      throw new ArgumentError(
        `Row ${none} (counted from 0) must be a record, such as { user: 'u1', track: 't1' }, got ${whatIs(rows[none])}.`,
      );
    rows.forEach((row, i) => {
      const other = Object.keys(row).find(
        (field) => !(PLAY_FIELDS as readonly string[]).includes(field),
      );
      if (other === undefined) return;
      throw new ArgumentError(
        `Row ${i} (counted from 0) has the field "${other}", which a play does not have${didYouMean(other, PLAY_FIELDS)} Its fields: ${PLAY_FIELDS.join(', ')}. ` +
          'What is known of tracks is given as a catalogue; of the rows of a table, Plays.fromTable(table) makes plays.',
      );
    });
    const columns = {
      user: rows.map((r) => r.user),
      track: rows.map((r) => r.track),
      playcount: rows.map(({ playcount = 1 }) => playcount),
    };
    return Plays.fromColumns(columns, options);
  }

  /**
   * From columns with the ids themselves, arrays or typed arrays. Repeated (user, track) are summed
   * into the first and counted in `repairs`.
   * @param columns of equal lengths; without `playcount` each play counts once
   * @param options `catalogue`: what is known of the tracks
   * @throws ArgumentError for other fields, unequal lengths, a missing id, and whole numbers beyond
   *   2⁵³, as which JavaScript rounds ids: two may be one
   * @throws DataError for a playcount that is no positive number
   * @example Plays.fromColumns({ user: ['u1', 'u2'], track: ['t1', 't1'], playcount: Int32Array.of(3, 1) })
   */
  static fromColumns(columns: PlayColumns, options: { catalogue?: Tracks } = {}): Plays {
    checkArgument(
      typeof columns === 'object' && columns !== null,
      columns,
      'Plays.fromColumns',
      'columns, { user, track, playcount }',
    );
    checkOptions(columns, PLAY_FIELDS, 'Plays.fromColumns');
    checkOptions(options, ['catalogue'], 'Plays.from…');
    const { user, track, playcount } = columns;
    for (const [name, column] of Object.entries({
      user,
      track,
      ...(playcount !== undefined && { playcount }),
    })) {
      checkArgument(
        isNumbers(column),
        column,
        'Plays.fromColumns',
        `an array or a typed array as ${name}`,
      );
      if (column.length !== user.length) {
        throw new ArgumentError(
          `Plays need columns of equal lengths, got user: ${user.length}, ${name}: ${column.length}.`,
        );
      }
    }
    const [users, userIndex] = encoded(user, 'user');
    const [tracks, trackIndex] = encoded(track, 'track');
    const counts = new Float32Array(user.length).fill(1);
    if (playcount) {
      for (let i = 0; i < counts.length; i++) {
        const count: unknown = playcount[i];
        if (!(typeof count === 'number' && count > 0 && count < Infinity))
          throw notPositive(i, count);
        counts[i] = count;
        if (!(counts[i] > 0 && counts[i] < Infinity))
          throw notPositive(i, count, ' that float32 holds, 1e-45 to 3e38,');
      }
    }
    const { columns: unique, duplicates } = sumDuplicates({
      users,
      tracks,
      user: userIndex,
      track: trackIndex,
      playcount: counts,
    });
    const plays = new Plays({ ...unique, repairs: { duplicates, notInCatalogue: 0 } });
    return options.catalogue === undefined ? plays : plays.withCatalogue(options.catalogue);
  }

  /**
   * From a table, such as `sql` or `readTable` gives. Repeated (user, track) are summed into the
   * first and counted in `repairs`.
   * @param table a row a play
   * @param options `columns`: which ones, by name or position; default `user_id` or `user`,
   *   `track_id` or `track`, and `playcount`. Where there is no `playcount` each play counts once,
   *   with a `time` the plays come in its order. `catalogue`: what is known of the tracks
   * @throws UnknownIdError for a column that is not there; otherwise as {@link Plays.fromColumns}
   * @example Plays.fromTable(await sql("select who, song, count(*) as n from 'log.csv' group by all"), { columns: { user: 'who', track: 'song', playcount: 'n' } })
   */
  static fromTable(
    table: Table,
    options: { columns?: PlaysColumnNames; catalogue?: Tracks } = {},
  ): Plays {
    checkArgument(
      table instanceof Table,
      table,
      'Plays.fromTable',
      'a table, such as sql gives; Plays.fromRows takes records',
    );
    checkOptions(options, ['columns', 'catalogue'], 'Plays.fromTable');
    const { columnNames } = table;
    const at = playsPositionsIn(columnNames, options.columns ?? {});
    if (at.time >= 0) {
      const when = table.column(columnNames[at.time]);
      const times = timesOf(when, (row) => {
        throw new DataError(
          `Row ${row} (counted from 0), column "${columnNames[at.time]}": expected a time, in all rows a number or in all an ISO date such as 2009-05-04T23:08:57Z, got ${when[row]}.`,
        );
      });
      const order = Array.from(times.keys()).sort((a, b) => times[a] - times[b]); // rows of one time stay in order
      return Plays.fromTable(table.take(order), {
        ...options,
        columns: { ...options.columns, time: undefined },
      });
    }
    const ids = (role: 'user' | 'track'): ArrayLike<string | number> => {
      const column = table.column(columnNames[at[role]]);
      const none =
        column instanceof Float64Array ? column.findIndex(Number.isNaN) : column.indexOf(null);
      if (none >= 0)
        throw new DataError(
          `Row ${none} (counted from 0) has no ${role}: column "${columnNames[at[role]]}" is empty there. Drop such rows.`,
        );
      return column as ArrayLike<string | number>;
    };
    return Plays.fromColumns(
      {
        user: ids('user'),
        track: ids('track'),
        ...(at.playcount >= 0 && { playcount: table.numbers(columnNames[at.playcount]) }),
      },
      { catalogue: options.catalogue },
    );
  }

  /**
   * The same plays with a catalogue; plays of tracks that it lacks are counted in `repairs`, and
   * kept.
   */
  withCatalogue(catalogue: Tracks): Plays {
    checkArgument(
      typeof catalogue?.rowsOf === 'function',
      catalogue,
      'withCatalogue',
      'Tracks, such as readTracks reads',
    );
    const rows = catalogue.rowsOf(this.tracks);
    let notInCatalogue = 0;
    for (let i = 0; i < this.length; i++) if (rows[this.track[i]] < 0) notInCatalogue++;
    return new Plays({ ...this, catalogue, repairs: { ...this.repairs, notInCatalogue } });
  }

  /**
   * The plays with these row numbers, in this order. The vocabularies stay, so that indices mean
   * the same in every part of a split; `compact()` drops the users and tracks that are left without
   * plays.
   * @example
   * const { train, valid } = randomSplit(plays.length, { seed: 42 });
   * plays.take(train); // the vocabularies stay those of all plays
   */
  take(rows: ArrayLike<number>): Plays {
    checkArgument(isNumbers(rows), rows, 'take', 'row numbers, such as dls.split.valid');
    for (let j = 0; j < rows.length; j++) {
      const i = rows[j];
      if (!(Number.isInteger(i) && i >= 0 && i < this.length))
        throw new ArgumentError(
          `Row ${said(i)} does not exist; there are ${this.length} plays, counted from 0.`,
        );
    }
    return new Plays({ ...this, ...gather(this, rows) });
  }

  /**
   * The same plays with only those users and tracks in the vocabularies that occur, in the same
   * order.
   */
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
    checkOptions(options, ['seed'], 'sampleUsers');
    const { seed = 42 } = options;
    return this.take(rowsOfSampledUsers(this, n, seed)).compact();
  }

  /**
   * Drops users with fewer than `perUser` plays and tracks with fewer than `perTrack`, counted
   * once, before anything is dropped; compacted. What is left may fall below the limits again: see
   * `kCore`.
   * @example plays.minPlays({ perUser: 5, perTrack: 2 })
   */
  minPlays(options: MinPlaysOptions): Plays {
    checkOptions(options, ['perUser', 'perTrack'], 'minPlays');
    const rows = rowsWithMinPlays(this, options);
    if (rows.length === 0)
      throw new DataError(
        `No user and track has that many plays (${JSON.stringify(options)}). Lower the limits.`,
      );
    return this.take(rows).compact();
  }

  /**
   * The largest part in which every user has played at least `k` tracks and every track was played
   * by at least `k` users; compacted.
   * @example plays.kCore(2)
   */
  kCore(k: number): Plays {
    if (!(Number.isInteger(k) && k >= 1))
      throw new ArgumentError(`kCore needs a whole number of plays, at least 1, got ${said(k)}.`);
    let core = this.minPlays({ perUser: k, perTrack: k });
    for (let before = this.length; core.length < before; ) {
      before = core.length;
      core = core.minPlays({ perUser: k, perTrack: k });
    }
    return core;
  }

  /**
   * Row numbers by user, in file order: those of user `u` are `indices[indptr[u] … indptr[u + 1])`.
   * @example
   * const { indptr, indices } = plays.byUser();
   * indices.subarray(indptr[0], indptr[1]); // the rows of the first user
   */
  byUser(): CsrRows {
    return groupBy(this.user, this.users.length);
  }

  /**
   * Row numbers by track, in file order: those of track `t` are
   * `indices[indptr[t] … indptr[t + 1])`.
   */
  byTrack(): CsrRows {
    return groupBy(this.track, this.tracks.length);
  }

  /**
   * What JSON.stringify makes of them: the rows of {@link toTable}.
   * @example JSON.stringify(Plays.fromRows([{ user: 'u', track: 't', playcount: 3 }])) // '[{"track_id":"t","user_id":"u","playcount":3}]'
   */
  toJSON(): Record<string, Cell>[] {
    return this.toTable().rows();
  }

  /**
   * The plays as a table with Kaggle's column names: track_id, user_id, playcount.
   * @example plays.toTable().head(3)
   */
  toTable(): Table {
    const users = this.users.classes;
    const tracks = this.tracks.classes;
    return new Table({
      track_id: Array.from(this.track, (i) => tracks[i]),
      user_id: Array.from(this.user, (i) => users[i]),
      playcount: Float64Array.from(this.playcount),
    });
  }

  [inspect.custom](): string {
    const counted = (n: number, noun: string): string =>
      `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
    const percent = (100 * this.length) / Math.max(1, this.users.length * this.tracks.length);
    const filled = Number(percent.toPrecision(2)); // a number again: not 1.0e+2
    const each = (this.length / Math.max(1, this.users.length)).toFixed(1);
    const catalogue = this.catalogue
      ? `, catalogue of ${counted(this.catalogue.length, 'track')}`
      : '';
    const of = `${counted(this.users.length, 'user')} × ${counted(this.tracks.length, 'track')}`;
    return `Plays: ${this.length.toLocaleString('en')} of ${of} (${each} a user, ${filled} % filled)${catalogue}`;
  }
}

function gather(
  plays: Plays,
  rows: ArrayLike<number>,
): { user: Int32Array; track: Int32Array; playcount: Float32Array } {
  const user = new Int32Array(rows.length);
  const track = new Int32Array(rows.length);
  const playcount = new Float32Array(rows.length);
  for (let j = 0; j < rows.length; j++) {
    const i = rows[j];
    user[j] = plays.user[i];
    track[j] = plays.track[i];
    playcount[j] = plays.playcount[i];
  }
  return { user, track, playcount };
}

/** The part of a vocabulary that occurs among `indices`, and the indices in it. */
function compacted(vocabulary: Vocabulary, indices: Int32Array): [Vocabulary, Int32Array] {
  const renumbered = new Int32Array(vocabulary.length);
  for (let i = 0; i < indices.length; i++) renumbered[indices[i]] = 1;
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

function checkPlaycounts(playcount: Float32Array): void {
  for (let i = 0; i < playcount.length; i++) {
    if (!(playcount[i] > 0 && playcount[i] < Infinity)) throw notPositive(i, playcount[i]);
  }
}

function notPositive(row: number, playcount: unknown, kind = ''): DataError {
  const got =
    typeof playcount === 'string'
      ? `"${playcount}"`
      : typeof playcount === 'number'
        ? playcount
        : whatIs(playcount);
  return new DataError(
    `Row ${row} (counted from 0) has playcount ${got}; a positive number${kind} was expected.`,
  );
}

/** The distinct ids of a column, and where each row's is among them. */
function encoded(values: PlayColumns['user'], kind: 'user' | 'track'): [Vocabulary, Int32Array] {
  const big =
    values instanceof BigInt64Array ||
    values instanceof BigUint64Array ||
    typeof values[0] === 'bigint';
  const ids = big
    ? Array.from(values as ArrayLike<bigint>, (id) => (typeof id === 'bigint' ? String(id) : id))
    : (values as (string | number)[]);
  refuseRounded(ids, kind);
  const vocabulary = Vocabulary.fromValues(ids, { kind });
  return [vocabulary, vocabulary.encode(ids)];
}

function checkIndices(indices: Int32Array, vocabulary: Vocabulary, name: string): void {
  const n = vocabulary.length;
  for (let i = 0; i < indices.length; i++) {
    if (indices[i] < 0 || indices[i] >= n) {
      throw new ArgumentError(
        `Row ${i} has ${name} index ${indices[i]}, but the vocabulary has ${n} classes, counted from 0.`,
      );
    }
  }
}

/** Least numbers of plays, for {@link Plays.minPlays}. */
export interface MinPlaysOptions {
  /** Least number of tracks that a user has played. Default 1. */
  perUser?: number;
  /** Least number of users who have played a track. Default 1. */
  perTrack?: number;
}

/**
 * Rows of the plays of `n` users drawn at random. All draws from one seed are nested: those of a
 * smaller n are among those of a larger one.
 */
export function rowsOfSampledUsers(
  { users, user }: PlaysColumns,
  n: number,
  seed: number | string,
): Int32Array {
  const counts = new Int32Array(users.length);
  for (let i = 0; i < user.length; i++) counts[user[i]]++;
  const active = Int32Array.from(counts.keys()).filter((u) => counts[u] > 0);
  if (!(Number.isInteger(n) && n >= 1 && n <= active.length)) {
    throw new ArgumentError(
      `sampleUsers needs a whole number from 1 to ${active.length} (all users with plays), got ${said(n)}.`,
    );
  }
  const chosen = new Uint8Array(users.length);
  for (const i of new Random(seed).child('users').permutation(active.length).subarray(0, n))
    chosen[active[i]] = 1;
  return rowsWhere(user, (i) => chosen[user[i]] === 1);
}

/** Rows whose user and track both have enough plays among all rows: counted once. */
export function rowsWithMinPlays(
  { users, tracks, user, track }: PlaysColumns,
  { perUser = 1, perTrack = 1 }: MinPlaysOptions,
): Int32Array {
  for (const [name, k] of Object.entries({ perUser, perTrack })) {
    if (!(Number.isInteger(k) && k >= 1))
      throw new ArgumentError(
        `${name} must be a whole number of plays, at least 1, got ${said(k)}.`,
      );
  }
  const ofUser = new Int32Array(users.length);
  const ofTrack = new Int32Array(tracks.length);
  for (let i = 0; i < user.length; i++) {
    ofUser[user[i]]++;
    ofTrack[track[i]]++;
  }
  return rowsWhere(user, (i) => ofUser[user[i]] >= perUser && ofTrack[track[i]] >= perTrack);
}

/** Rows whose numbers meet a condition, ascending. */
function rowsWhere(column: Int32Array, keep: (row: number) => boolean): Int32Array {
  const rows = new Int32Array(column.length);
  let n = 0;
  for (let i = 0; i < column.length; i++) if (keep(i)) rows[n++] = i;
  return rows.slice(0, n);
}

/** Columns without repeated pairs, and how many rows were merged into others. */
export interface Deduplicated {
  columns: PlaysColumns;
  duplicates: number;
}

/**
 * Sums repeated (user, track) into the first of them; the order stays. Linear in the rows: one
 * counting sort by user, one mark per track. Columns without repetition come back as they are.
 */
export function sumDuplicates(columns: PlaysColumns): Deduplicated {
  const { users, tracks, user, track, playcount } = columns;
  const { indptr, indices } = groupBy(user, users.length);
  const markedBy = new Int32Array(tracks.length).fill(-1);
  const firstRow = new Int32Array(tracks.length);
  const repeated: number[] = [];
  const into: number[] = [];
  for (let u = 0; u < users.length; u++) {
    for (let j = indptr[u]; j < indptr[u + 1]; j++) {
      const row = indices[j];
      const t = track[row];
      if (markedBy[t] === u) {
        repeated.push(row);
        into.push(firstRow[t]);
      } else {
        markedBy[t] = u;
        firstRow[t] = row;
      }
    }
  }
  if (repeated.length === 0) return { columns, duplicates: 0 };
  const sums = Float64Array.from(playcount);
  const dropped = new Uint8Array(user.length);
  for (let j = 0; j < repeated.length; j++) {
    sums[into[j]] += playcount[repeated[j]];
    dropped[repeated[j]] = 1;
  }
  const n = user.length - repeated.length;
  const unique = {
    user: new Int32Array(n),
    track: new Int32Array(n),
    playcount: new Float32Array(n),
  };
  for (let row = 0, i = 0; row < user.length; row++) {
    if (dropped[row]) continue;
    unique.user[i] = user[row];
    unique.track[i] = track[row];
    unique.playcount[i++] = sums[row];
  }
  return { columns: { ...columns, ...unique }, duplicates: repeated.length };
}

/** Warns of rows that were merged when a file was read. */
export function warnOfDuplicates(path: string, { duplicates }: Repairs): void {
  if (duplicates === 0) return;
  const rows =
    duplicates === 1 ? '1 row repeats' : `${duplicates.toLocaleString('en')} rows repeat`;
  display().warn(`"${path}": ${rows} an earlier (user, track); the playcounts were added up.`);
}

/**
 * The plays of some users and tracks, encoded with these: columns of equal length, in the order of
 * the plays.
 */
export function playsAmong(
  plays: Plays,
  { users, tracks }: { users: Vocabulary; tracks: Vocabulary },
): { user: Int32Array; track: Int32Array; playcount: Float32Array } {
  const userOf = indicesIn(plays.users, users);
  const trackOf = indicesIn(plays.tracks, tracks);
  let n = 0;
  for (let i = 0; i < plays.length; i++)
    if (userOf[plays.user[i]] >= 0 && trackOf[plays.track[i]] >= 0) n++;
  const out = { user: new Int32Array(n), track: new Int32Array(n), playcount: new Float32Array(n) };
  for (let i = 0, at = 0; i < plays.length; i++) {
    const u = userOf[plays.user[i]];
    const t = trackOf[plays.track[i]];
    if (u < 0 || t < 0) continue;
    out.user[at] = u;
    out.track[at] = t;
    out.playcount[at++] = plays.playcount[i];
  }
  return out;
}
