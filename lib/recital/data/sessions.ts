import { inspect } from 'node:util';
import { ArgumentError, DataError, UnknownIdError } from '../errors.js';
import {
  checkArgument,
  checkFlag,
  checkIndex,
  checkOptions,
  didYouMean,
  isNumbers,
  whatIs,
} from '../options.js';
import { groupBy } from './csr.js';
import { checkFormat, shownNames, type TextFormatOptions } from './files/csv-format.js';
import { eachRecord, openText, type TextFile } from './files/text-file.js';
import { checkColumn, timesOf } from './plays-columns.js';
import { Table } from './table.js';
import { Vocabulary } from './vocabulary.js';

/** An item of a session as a record, for {@link Sessions.fromRows}. */
export interface SessionRecord {
  /** Which session. */
  session: string | number;
  /** Item id. */
  item: string | number;
  /** When: a number, or an ISO date and time. Default: the order of the records. */
  time?: string | number;
}

/**
 * Where the columns of a table of sessions are: by name (whatever the case and separators), or by
 * position from 0.
 */
export interface SessionsColumnNames {
  /** Default `SessionId`, `session_id` or `session`. */
  session?: string | number;
  /** Default `ItemId`, `item_id`, `item`, or the same of `track`, `song` or `artist`. */
  item?: string | number;
  /** Default `Time` or `timestamp`; if there is none, the order of the rows. */
  time?: string | number;
}

/**
 * Listening sessions: sequences of items, in the order in which they were played. An item may
 * repeat.
 * @example new Sessions(Vocabulary.fromValues(['a', 'b']), Int32Array.of(0, 3), Int32Array.of(0, 1, 0)).session(0) // ['a', 'b', 'a']
 */
export class Sessions {
  /** Number of sessions. */
  readonly length: number;

  /**
   * @param items the items
   * @param indptr length + 1 numbers: session `s` is `item[indptr[s] … indptr[s + 1])`
   * @param item index in `items`, session after session
   * @param ids what each session is called: its id, or the user's; undefined where nothing is known
   */
  constructor(
    readonly items: Vocabulary,
    readonly indptr: Int32Array,
    readonly item: Int32Array,
    readonly ids?: readonly string[],
  ) {
    checkArgument(
      items instanceof Vocabulary && indptr instanceof Int32Array && item instanceof Int32Array,
      items,
      'new Sessions',
      "the items' Vocabulary, indptr and item; readSessions reads sessions from a file",
    );
    this.length = indptr.length - 1;
    if (ids && ids.length !== this.length)
      throw new ArgumentError(`There are ${this.length} sessions and ${ids.length} ids of them.`);
  }

  /**
   * From records, one a played item. Sessions come in the order in which they first occur, their
   * items in the order of time.
   * @param options `items`: the items to encode with; default: those of the records, sorted
   * @throws ArgumentError for other fields, and for a record without a session or item
   * @example Sessions.fromRows([{ session: 1, item: 'b', time: 20 }, { session: 1, item: 'a', time: 10 }]).session(0) // ['a', 'b']
   */
  static fromRows(rows: readonly SessionRecord[], options: { items?: Vocabulary } = {}): Sessions {
    checkArgument(
      Array.isArray(rows),
      rows,
      'Sessions.fromRows',
      "an array of records, such as [{ session: 1, item: 'a', time: 10 }]",
    );
    checkOptions(options, ['items'], 'Sessions.fromRows');
    const timed = rows.some((row) => row?.time !== undefined);
    for (const [i, row] of rows.entries()) checkRecord(row, timed, rowName(i));
    const item = rows.map((row) => String(row.item));
    const times = timed
      ? timesOf(
          rows.map((row) => row.time ?? null),
          rowName,
        )
      : undefined;
    const numbers = new Map<string, number>();
    const session = Int32Array.from(rows, (row) => {
      const id = String(row.session);
      if (!numbers.has(id)) numbers.set(id, numbers.size);
      return numbers.get(id)!;
    });
    const { indptr, indices: order } = groupBy(session, numbers.size);
    for (let s = 0; times && s < numbers.size; s++)
      order.subarray(indptr[s], indptr[s + 1]).sort((a, b) => times[a] - times[b] || a - b);
    const items = options.items ?? Vocabulary.fromValues(numericIfAll(item), { kind: 'item' });
    const encoded = items.encode(Array.from(order, (i) => item[i]));
    return new Sessions(items, indptr, encoded, [...numbers.keys()]);
  }

  /**
   * From a table, a row a played item. Sessions come in the order in which they first occur, their
   * items in the order of time.
   * @param options `columns`: which ones; `items`: the items to encode with; default: those of the
   *   table, sorted
   * @throws UnknownIdError for a column that is not there
   * @example Sessions.fromTable(await sql("from 'log.csv'"), { columns: { session: 'who', item: 'song', time: 'when' } })
   */
  static fromTable(
    table: Table,
    options: { columns?: SessionsColumnNames; items?: Vocabulary } = {},
  ): Sessions {
    checkArgument(
      table instanceof Table,
      table,
      'Sessions.fromTable',
      'a table, such as sql gives; Sessions.fromRows takes records',
    );
    checkOptions(options, ['columns', 'items'], 'Sessions.fromTable');
    const { columnNames: names } = table;
    const at = positions(names, options.columns ?? {});
    const [session, item, time] = ROLES.map((role) =>
      at[role] < 0 ? undefined : table.column(names[at[role]]),
    );
    const rows = Array.from({ length: table.length }, (_, i) => ({
      session: session![i],
      item: item![i],
      ...(time && { time: time[i] }),
    }));
    return Sessions.fromRows(rows as SessionRecord[], { items: options.items });
  }

  /**
   * The value that JSON.stringify writes: the item ids of each, in order.
   * @example JSON.stringify(Sessions.fromRows([{ session: 1, item: 'b' }, { session: 1, item: 'a' }])) // '[["b","a"]]'
   */
  toJSON(): string[][] {
    return Array.from({ length: this.length }, (_, s) => this.session(s));
  }

  /** The item ids of session `s`, in order. */
  session(s: number): string[] {
    checkIndex(s, this.length, 'session');
    return this.items.decode(this.item.subarray(this.indptr[s], this.indptr[s + 1]));
  }

  /** The sessions with these numbers, in this order, with all items. */
  take(sessions: ArrayLike<number>): Sessions {
    checkArgument(isNumbers(sessions), sessions, 'take', 'numbers of sessions, such as [0, 5, 7]');
    const parts = Array.from(sessions, (s) => {
      checkIndex(s, this.length, 'session');
      return this.item.subarray(this.indptr[s], this.indptr[s + 1]);
    });
    const ids = this.ids && Array.from(sessions, (s) => this.ids![s]);
    return new Sessions(this.items, ...joined(parts), ids);
  }

  [inspect.custom](): string {
    const n = (x: number): string => x.toLocaleString('en');
    return `Sessions: ${n(this.length)} of ${n(this.item.length)} plays in all, of ${n(this.items.length)} items`;
  }
}

type Role = keyof SessionsColumnNames;
const ROLES = ['session', 'item', 'time'] as const;

/** Sequences as one array, and where each of them begins. */
function joined(parts: readonly ArrayLike<number>[]): [indptr: Int32Array, item: Int32Array] {
  const indptr = new Int32Array(parts.length + 1);
  for (const [s, { length }] of parts.entries()) indptr[s + 1] = indptr[s] + length;
  const item = new Int32Array(indptr[parts.length]);
  for (const [s, part] of parts.entries()) item.set(part, indptr[s]);
  return [indptr, item];
}

function rowName(i: number): string {
  return `Row ${i} (counted from 0)`;
}

function checkRecord(row: SessionRecord, timed: boolean, where: string): void {
  if (typeof row !== 'object' || row === null)
    throw new ArgumentError(
      `${where} must be a record, { session, item, time }, got ${whatIs(row)}.`,
    );
  const other = Object.keys(row).find((field) => !ROLES.includes(field as Role));
  if (other !== undefined)
    throw new ArgumentError(
      `${where} has the field "${other}"${didYouMean(other, ROLES)} Its fields: ${ROLES.join(', ')}.`,
    );
  for (const role of ['session', 'item'] as const) {
    const id: unknown = row[role];
    if (typeof id === 'string') continue;
    const exact = Number.isSafeInteger(id) || !Number.isInteger(id);
    if (typeof id === 'number' && exact && !Number.isNaN(id)) continue;
    const got = typeof id === 'number' ? id : whatIs(id);
    throw new ArgumentError(
      `${where}: the ${role} must be a text, or a number below 2⁵³, got ${got}.`,
    );
  }
  if (timed && row.time === undefined)
    throw new ArgumentError(`${where} has no time, others have.`);
}

/** Names that columns have, without case and separators. */
const NAMES: Readonly<Record<Role, RegExp>> = {
  session: /^session(?:id)?$/,
  item: /^(?:item|track|song|artist)(?:id)?$/,
  time: /^time(?:stamp)?$/,
};

/** A word that names a column, and no item: SessionId, user_id, timestamp. */
const COLUMN_WORD =
  /^(?:(?:session|sess|user|listener|visitor|customer|item|track|song|artist|album|movie|product|article|event|playlist)s?(?:id|key|name|number|no)?|[stuip]?id|time|timestamp|ts|date|datetime|day|hour|rating|score|playcount|plays|count|weight|category|position|type)$/;

/** A name without case and separators. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_.-]/g, '');
}

/** Positions of the columns; −1 where there is no time. */
function positions(names: readonly string[], columns: SessionsColumnNames): Record<Role, number> {
  checkOptions(columns, ROLES, 'columns');
  const find = (role: Role): number => {
    const wanted = columns[role];
    checkColumn(wanted, `columns.${role}`);
    const at = typeof wanted === 'number' ? wanted : names.indexOf(wanted ?? '');
    if (at >= 0 && at < names.length) return at;
    const fits = [...names.keys()].filter((i) =>
      typeof wanted === 'string'
        ? plain(names[i]) === plain(wanted)
        : wanted === undefined && NAMES[role].test(plain(names[i])),
    );
    if (fits.length === 1) return fits[0];
    if (role === 'time' && wanted === undefined) return -1;
    const hint = `Say which it is: { columns: { ${role}: '…' } }.`;
    throw new UnknownIdError('column', String(wanted ?? `${role}_id`), names, hint);
  };
  return { session: find('session'), item: find('item'), time: find('time') };
}

/** Options of {@link readSessions}. */
export interface ReadSessionsOptions
  extends Pick<TextFormatOptions, 'delimiter' | 'comment' | 'encoding'> {
  /**
   * The items to encode with, e.g. those of the training sessions. Default: those of the file,
   * sorted. Unknown ones: UnknownIdError.
   */
  items?: Vocabulary;
  /** `false`: the first line is a session, even if its words look like names of columns. */
  header?: false;
  /**
   * Whether the first id of each line is the user, as in `7 12 5 9` of user 7, and not an item.
   * Users are not part of the session, but `sessions.ids`. Default: no; but a file that allows both
   * readings is an error: its first ids count the lines from 0 or 1, or, in five lines or more,
   * they never fall, or are all different and occur nowhere else.
   */
  user?: boolean;
}

/**
 * Reads sessions from a text file (also .gz), a session a line: item ids separated by blanks or
 * commas (or by `delimiter`); blank lines are left out. Of a table with a played item a row, as
 * GRU4Rec has it, {@link Sessions.fromTable} makes sessions.
 * @throws DataError for a missing, empty, cut-off or foreign file, a character that is none in its
 *   encoding, a table, and for a file of which nobody can tell whether its lines begin with users
 * @example const train = await readSessions('train_sessions.txt.gz'); const test = await readSessions('test_sessions.txt.gz', { items: train.items });
 */
export async function readSessions(
  path: string,
  options: ReadSessionsOptions = {},
): Promise<Sessions> {
  const names = ['items', 'header', 'user', 'delimiter', 'comment', 'encoding'] as const;
  checkOptions(options, names, 'readSessions');
  checkFormat(options);
  const { items, user, header, delimiter, comment = '' } = options;
  if (user !== undefined) checkFlag(user, 'user');
  if (header !== undefined && header !== false)
    throw new ArgumentError(
      'header is false or left out. Of a table make sessions by Sessions.fromTable.',
    );
  const file = await openText(path, options.encoding);
  const words = (line: string): string[] =>
    line.split(delimiter ?? /[\s,]+/).flatMap((word) => word.trim() || []);
  if (header !== false) refuseTable(file, comment);
  const codes = new Map<string, number>();
  const sessions: number[][] = [];
  await eachRecord(
    file,
    { delimiter: '\n', quote: '', comment, skip: 0, blank: false },
    ({ fields: [line] }) => {
      const session = words(line).map((id) => {
        const code = codes.get(id) ?? codes.size;
        if (code === codes.size) codes.set(id, code);
        return code;
      });
      if (session.length) sessions.push(session);
    },
  );
  file.unchanged();
  const ids = [...codes.keys()];
  if (user === undefined) refuseUsers(file.path, ids, sessions);
  const kept = user ? sessions.filter((session) => session.length > 1) : sessions;
  if (kept.length === 0) throw new DataError(`"${file.path}" holds no session.`);
  const held = user ? kept.map((session) => session.slice(1)) : kept;
  const used = new Set(held.flat());
  const distinct = [...used].map((code) => ids[code]);
  const vocabulary = items ?? Vocabulary.fromValues(numericIfAll(distinct), { kind: 'item' });
  const index = new Int32Array(ids.length);
  const encoded = vocabulary.encode(distinct);
  [...used].forEach((code, j) => {
    index[code] = encoded[j];
  });
  const [indptr, item] = joined(held.map((session) => session.map((code) => index[code])));
  return new Sessions(
    vocabulary,
    indptr,
    item,
    user ? kept.map(([first]) => ids[first]) : undefined,
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
    `"${path}", line 1, names columns: ${shownNames(words)}. Of a table with a played item a row make sessions by Sessions.fromTable(await readTable('…')); if these are items, give { header: false }.`,
  );
}

/**
 * Throws DataError where the first ids of the lines may be users: see
 * {@link ReadSessionsOptions.user}.
 */
function refuseUsers(
  path: string,
  ids: readonly string[],
  sessions: readonly (readonly number[])[],
): void {
  const first = sessions.map(([code]) => code);
  const n = first.length;
  const numbers = first.map((code) =>
    /^\d{1,15}$/.test(ids[code]) ? Number(ids[code]) : Number.NaN,
  );
  const counting = n > 1 && numbers[0] <= 1 && numbers.every((x, i) => x === numbers[0] + i);
  const rising =
    n >= 5 &&
    numbers[0] < numbers[n - 1] &&
    numbers.every((x, i) => i === 0 || x >= numbers[i - 1]);
  const begins = new Set(first);
  const apart =
    n >= 5 &&
    begins.size === n &&
    sessions.every(
      (session) => session.length > 1 && session.every((code, i) => i === 0 || !begins.has(code)),
    );
  if (!counting && !rising && !apart) return;
  const how = counting
    ? 'They count the lines.'
    : rising
      ? 'They never fall from line to line.'
      : 'They are all different, and stand nowhere else.';
  const width = sessions[0].length;
  const even = width > 1 && width < 5 && sessions.every((session) => session.length === width);
  const some = first.slice(0, 3).map((code) => ids[code]);
  throw new DataError(
    `"${path}": are the first ids of the lines (${some.join(', ')}${n > 3 ? ', …' : ''}) users, or items like the others? ${how} ` +
      'If each line is a user and their items, give { user: true }; if the first id is an item, { user: false }.' +
      (even
        ? ' If each line is a session, an item and a time, read it by Sessions.fromTable.'
        : ''),
  );
}

/** Whole numbers sort by size, so that the order is that of the file's own numbering. */
function numericIfAll(ids: readonly string[]): Iterable<string | number> {
  const distinct = [...new Set(ids)];
  return distinct.every((id) => /^(0|[1-9]\d{0,14})$/.test(id)) ? distinct.map(Number) : distinct;
}
