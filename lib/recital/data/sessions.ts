import { ArgumentError, DataError, UnknownIdError } from '../errors.js';
import {
  checkArgument,
  checkFlag,
  checkIndex,
  checkOptions,
  given,
  isNumbers,
} from '../options.js';
import { counted, printed } from '../printed.js';
import { groupBy, pick } from './csr.js';
import { checkFormat, shownNames, type TextFormatOptions } from './files/csv-format.js';
import { eachRecord, openText, type TextFile } from './files/text-file.js';
import { Plays } from './plays.js';
import { checkColumn, idsIn, timesOf } from './plays-columns.js';
import { Table } from './table.js';
import type { Tracks } from './tracks.js';
import { Vocabulary } from './vocabulary.js';

/** Columns of a table of sessions: names (whatever the case and separators), or positions from 0. */
export interface SessionsColumnNames {
  /** Default `SessionId`, `session_id` or `session`. */
  session?: string | number;
  /** Default `ItemId`, `item_id`, `item`, or the same of `track`, `song` or `artist`. */
  item?: string | number;
  /** Default `Time` or `timestamp`; if there is none, the order of the rows. */
  time?: string | number;
}

/** The source of sequences: each user's plays in the order of the file, or sessions. */
export type SequenceSource = Plays | Sessions;

const SOURCE = { items: undefined as Vocabulary | undefined };

/**
 * Sequences of tracks in the order in which they were played: listening sessions, or the plays of
 * each user. A track may repeat; there is no padding.
 * @example new Sessions(Vocabulary.fromValues(['a', 'b']), Int32Array.of(0, 3), Int32Array.of(0, 1, 0)).session(0) // ['a', 'b', 'a']
 */
export class Sessions {
  /** Number of sequences. */
  readonly length: number;
  /** The users, whose index is that of the sequence; undefined for sessions. */
  readonly users: Vocabulary | undefined;
  /** The catalogue of the tracks. */
  readonly catalogue: Tracks | undefined;

  /**
   * @param items the tracks
   * @param indptr length + 1 numbers: sequence `s` is `item[indptr[s] … indptr[s + 1])`
   * @param item index in `items`, sequence after sequence
   * @param more `users`: one per sequence; `catalogue`: that of the tracks
   * @throws DataError for sequences that do not span `item`, a track that is not among `items`, or
   *   another number of users than of sequences
   */
  constructor(
    readonly items: Vocabulary,
    readonly indptr: Int32Array,
    readonly item: Int32Array,
    { users, catalogue }: { users?: Vocabulary; catalogue?: Tracks } = {},
  ) {
    checkArgument(
      items instanceof Vocabulary && isNumbers(indptr) && isNumbers(item),
      items,
      'new Sessions',
      "the tracks' Vocabulary, indptr and item; readSessions reads sessions from a file",
    );
    const n = indptr.length - 1;
    const falls = indptr.some((at, s) => s > 0 && at < indptr[s - 1]);
    if (n < 0 || indptr[0] !== 0 || indptr[n] !== item.length || falls)
      throw new DataError(
        `The sequences do not span the ${item.length} plays: indptr must rise from 0 to that number.`,
      );
    for (let i = 0; i < item.length; i++)
      if (!(item[i] >= 0 && item[i] < items.length))
        throw new DataError(
          `Play ${i} is of track ${item[i]}; the tracks have indices 0 to ${items.length - 1}.`,
        );
    if (users && users.length !== n)
      throw new DataError(
        `There are ${users.length} users for ${n} sequences; one each is needed.`,
      );
    this.length = n;
    this.users = users;
    this.catalogue = catalogue;
  }

  /**
   * From plays, a sequence per user in file order; sessions are taken as they are.
   * @param options `items`: the tracks to encode with; default: those of the source
   * @throws ArgumentError for a source that is neither; DataError for one without a play;
   *   UnknownIdError for a track that is not among `items`
   */
  static of(source: SequenceSource, options: { items?: Vocabulary } = {}): Sessions {
    const { items } = given(SOURCE, options, 'Sessions.of');
    const wanted = 'plays, such as readPlays reads, or sessions, such as readSessions reads';
    const fits = source instanceof Plays || source instanceof Sessions;
    checkArgument(fits, source, 'A sequence', wanted);
    let sessions = source as Sessions;
    if (source instanceof Plays) {
      const { indptr, indices } = source.byUser();
      sessions = new Sessions(source.tracks, indptr, pick(source.track, indices), source);
    }
    if (sessions.item.length === 0)
      throw new DataError('There is no play to make sequences of. Was everything filtered away?');
    return items && items !== sessions.items ? sessions.encodedWith(items) : sessions;
  }

  /**
   * From a table, a row per played track. Sessions come in the order in which they first occur,
   * their tracks in the order of time.
   * @param options `columns`: which ones; `items`: the tracks to encode with; default: those of the
   *   table, sorted
   * @throws UnknownIdError for a column that is not there; DataError for a row without an id
   * @example Sessions.fromTable(await sql("from 'log.csv'"), { columns: { session: 'who', item: 'song', time: 'when' } })
   */
  static fromTable(
    table: Table,
    options: { columns?: SessionsColumnNames; items?: Vocabulary } = {},
  ): Sessions {
    const wanted = 'a table, such as sql gives; Table.fromRows makes one of records';
    checkArgument(table instanceof Table, table, 'Sessions.fromTable', wanted);
    checkOptions(options, ['columns', 'items'], 'Sessions.fromTable');
    const { columns = {} } = options;
    checkOptions(columns, ROLES, 'columns');
    const [session, item, time] = ROLES.map((role) =>
      columnOf(table.columnNames, role, columns[role]),
    );
    const ids = Array.from(idsIn(table, session!, 'session'), String);
    const tracks = Array.from(idsIn(table, item!, 'item'), String);
    const where = (row: number): string => `Row ${row} (counted from 0), column "${time}"`;
    const times = time === undefined ? undefined : timesOf(table.column(time), where);
    const numbers = new Map<string, number>();
    const sequence = Int32Array.from(ids, (id) => codeOf(numbers, id));
    const { indptr, indices: order } = groupBy(sequence, numbers.size);
    for (let s = 0; times && s < numbers.size; s++)
      order.subarray(indptr[s], indptr[s + 1]).sort((a, b) => times[a] - times[b] || a - b);
    const { items = vocabularyOf(tracks) } = options;
    return new Sessions(items, indptr, items.encode(Array.from(order, (i) => tracks[i])));
  }

  /**
   * The value that JSON.stringify writes: the track ids of each sequence, in order.
   * @example JSON.stringify(Sessions.fromTable(new Table({ session: [1, 1], item: ['b', 'a'] }))) // '[["b","a"]]'
   */
  toJSON(): string[][] {
    return Array.from({ length: this.length }, (_, s) => this.session(s));
  }

  /** The track ids of sequence `s`, in order. */
  session(s: number): string[] {
    return this.items.decode(this.history(s));
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

  /**
   * Part of the plays. Sequences without plays are left out; sessions keep their numbers, as the
   * ids of `users`.
   * @param kept for each play, in the order of `item`, whether it stays: not 0
   * @param options `items`: the tracks to encode with; default: the same as here
   */
  only(kept: ArrayLike<number>, options: { items?: Vocabulary } = {}): Sessions {
    const { items = this.items } = given(SOURCE, options, 'only');
    if (!isNumbers(kept) || kept.length !== this.item.length)
      throw new ArgumentError(
        `There are ${this.item.length} plays to keep or not, got ${kept?.length} values.`,
      );
    const indptr = [0];
    const sequences: number[] = [];
    for (let s = 0, n = 0; s < this.length; s++) {
      for (let i = this.indptr[s]; i < this.indptr[s + 1]; i++) if (kept[i]) n++;
      if (n === indptr[indptr.length - 1]) continue;
      indptr.push(n);
      sequences.push(s);
    }
    const item = this.item.filter((_, i) => kept[i] !== 0);
    const { catalogue } = this;
    let { users } = this;
    if (sequences.length < this.length) {
      users ??= Vocabulary.inOrder(Array(this.length).keys(), { kind: 'session' });
      users = users.subset(sequences);
    }
    const part = new Sessions(this.items, Int32Array.from(indptr), item, { users, catalogue });
    return items === this.items ? part : part.encodedWith(items);
  }

  /** The same sequences with other track indices. */
  private encodedWith(items: Vocabulary): Sessions {
    const code = new Int32Array(this.items.length).fill(-1); // looked up when a track first occurs
    const item = this.item.map((t) =>
      code[t] < 0 ? (code[t] = items.index(this.items.id(t))) : code[t],
    );
    return new Sessions(items, this.indptr, item, this);
  }
}

printed(Sessions, ({ length, item, items, users }) => {
  const of = counted(length, users ? 'user' : 'session');
  return `Sessions: ${counted(item.length, 'play')} of ${of}, of ${counted(items.length, 'track')}`;
});

type Role = keyof SessionsColumnNames;
const ROLES = ['session', 'item', 'time'] as const;

/** The number of an id in the order of first occurrence; a new id is added. */
function codeOf(codes: Map<string, number>, id: string): number {
  const code = codes.get(id) ?? codes.size;
  if (code === codes.size) codes.set(id, code);
  return code;
}

/** The distinct ids: whole numbers sort by size, so that the order is the file's own numbering. */
function vocabularyOf(ids: readonly string[]): Vocabulary {
  const distinct = [...new Set(ids)];
  const whole = distinct.every((id) => /^(0|[1-9]\d{0,14})$/.test(id));
  return Vocabulary.fromValues(whole ? distinct.map(Number) : distinct, { kind: 'item' });
}

/** Names that columns have by default, without case and separators. */
const NAMES: Readonly<Record<Role, RegExp>> = {
  session: /^session(?:id)?$/,
  item: /^(?:item|track|song|artist)(?:id)?$/,
  time: /^time(?:stamp)?$/,
};

/** A word that names a column, and no track: SessionId, user_id, timestamp. */
const COLUMN_WORD =
  /^(?:(?:session|sess|user|listener|visitor|customer|item|track|song|artist|album|movie|product|article|event|playlist)s?(?:id|key|name|number|no)?|[stuip]?id|time|timestamp|ts|date|datetime|day|hour|rating|score|playcount|plays|count|weight|category|position|type)$/;

/** A name without case and separators. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_.-]/g, '');
}

/** The name of a column; undefined where there is no time. */
function columnOf(names: readonly string[], role: Role, wanted?: string | number) {
  checkColumn(wanted, `columns.${role}`);
  if (typeof wanted === 'number' && wanted < names.length) return names[wanted];
  if (typeof wanted === 'string' && names.includes(wanted)) return wanted;
  const fits = (name: string): boolean =>
    wanted === undefined
      ? NAMES[role].test(plain(name))
      : typeof wanted === 'string' && plain(name) === plain(wanted);
  const alike = names.filter(fits);
  if (alike.length === 1) return alike[0];
  if (role === 'time' && wanted === undefined) return undefined;
  const hint = `Say which it is: { columns: { ${role}: '…' } }.`;
  throw new UnknownIdError('column', String(wanted ?? `${role}_id`), names, hint);
}

/** Options of {@link readSessions}. */
export interface ReadSessionsOptions
  extends Pick<TextFormatOptions, 'delimiter' | 'comment' | 'encoding'> {
  /** The tracks to encode with, e.g. those of training. Default: those of the file, sorted. */
  items?: Vocabulary;
  /** `false`: the first line is a session, even if its words look like names of columns. */
  header?: false;
  /**
   * Whether the first id of each line is the user, as in `7 12 5 9` of user 7, and left out.
   * Default: no; but a file that allows both readings is an error: its first ids count the lines
   * from 0 or 1, or, in five lines or more, never fall, or are all different and occur nowhere else.
   */
  user?: boolean;
}

/**
 * Reads sessions from a text file (also .gz), a session per line: track ids separated by blanks or
 * commas (or by `delimiter`); blank lines are left out. {@link Sessions.fromTable} makes sessions
 * of a table with a row per play, as GRU4Rec has it.
 * @throws DataError for a missing, empty, cut-off or foreign file, a character that is none in its
 *   encoding, a table, and for lines that may begin with users; UnknownIdError for a track that is
 *   not among `items`
 * @example const train = await readSessions('train_sessions.txt.gz'); const test = await readSessions('test_sessions.txt.gz', { items: train.items });
 */
export async function readSessions(
  path: string,
  options: ReadSessionsOptions = {},
): Promise<Sessions> {
  const names = ['items', 'header', 'user', 'delimiter', 'comment', 'encoding'] as const;
  checkOptions(options, names, 'readSessions');
  checkFormat(options);
  const { user, header, delimiter, comment = '' } = options;
  if (user !== undefined) checkFlag(user, 'user');
  if (header !== undefined && header !== false)
    throw new ArgumentError(
      'header is false or left out. Of a table make sessions by Sessions.fromTable.',
    );
  const file = await openText(path, options.encoding);
  if (header !== false) refuseTable(file, comment);
  const codes = new Map<string, number>();
  const lines: number[][] = [];
  const format = { delimiter: '\n', quote: '', comment, skip: 0, blank: false };
  await eachRecord(file, format, ({ fields: [line] }) => {
    const words = line.split(delimiter ?? /[\s,]+/).flatMap((word) => word.trim() || []);
    if (words.length) lines.push(words.map((id) => codeOf(codes, id)));
  });
  file.unchanged();
  const ids = [...codes.keys()];
  if (user === undefined) refuseUsers(file.path, ids, lines);
  const sessions = user
    ? lines.map((line) => line.slice(1)).filter((line) => line.length > 0)
    : lines;
  if (sessions.length === 0) throw new DataError(`"${file.path}" holds no session.`);
  const indptr = new Int32Array(sessions.length + 1);
  for (const [s, { length }] of sessions.entries()) indptr[s + 1] = indptr[s] + length;
  const all = sessions.flat();
  const used = [...new Set(all)];
  const { items = vocabularyOf(used.map((code) => ids[code])) } = options;
  const index = new Int32Array(ids.length);
  const encoded = items.encode(used.map((code) => ids[code]));
  for (const [j, code] of used.entries()) index[code] = encoded[j];
  return new Sessions(
    items,
    indptr,
    Int32Array.from(all, (code) => index[code]),
  );
}

/**
 * Throws DataError if a file begins with the names of columns: every word of its first line names
 * one, or two of them are ids by name.
 */
function refuseTable({ path, head }: TextFile, comment: string): void {
  const lines = head.split(/[\r\n]+/);
  const line = lines.find((text) => text.trim() !== '' && !(comment && text.startsWith(comment)));
  const words = (line ?? '').split(/[\s,;|"]+|::/).filter((word) => word !== '');
  const names = words.map(plain).filter((word) => COLUMN_WORD.test(word));
  const ids = names.filter((word) => /.id$/.test(word));
  if (words.length < 2 || (names.length < words.length && ids.length < 2)) return;
  throw new DataError(
    `"${path}", line 1, names columns: ${shownNames(words)}. Use Sessions.fromTable(await readTable('…')), or { header: false } if these are tracks.`,
  );
}

/** Throws DataError where the first ids of the lines may be users: {@link ReadSessionsOptions}. */
function refuseUsers(path: string, ids: readonly string[], lines: readonly number[][]): void {
  const first = lines.map(([code]) => code);
  const n = first.length;
  const numbers = first.map((code) => (/^\d{1,15}$/.test(ids[code]) ? Number(ids[code]) : NaN));
  const begins = new Set(first);
  let how = '';
  if (n > 1 && numbers[0] <= 1 && numbers.every((x, i) => x === numbers[0] + i))
    how = 'They count the lines.';
  else if (n < 5) return;
  else if (numbers[0] < numbers[n - 1] && numbers.every((x, i) => i === 0 || x >= numbers[i - 1]))
    how = 'They never fall from line to line.';
  else if (
    begins.size === n &&
    lines.every((line) => line.length > 1 && !line.slice(1).some((code) => begins.has(code)))
  )
    how = 'They are all different, and occur nowhere else.';
  else return;
  const some = first.slice(0, 3).map((code) => ids[code]);
  throw new DataError(
    `"${path}": are the first ids of the lines (${some.join(', ')}${n > 3 ? ', …' : ''}) users? ${how} If they are, give { user: true }; if they are tracks, { user: false }; read a table of plays by Sessions.fromTable.`,
  );
}
