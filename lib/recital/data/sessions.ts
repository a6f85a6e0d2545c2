import { inspect } from 'node:util';
import { ArgumentError, DataError, UnknownIdError } from '../errors.js';
import { checkArgument, checkOptions, didYouMean, isNumbers, said, whatIs } from '../options.js';
import {
  checkFormat,
  columnNames,
  decoderLabel,
  formatOptions,
  isNumber,
  recordFault,
  shownNames,
  startOf,
  type TextFormatOptions,
} from './files/csv-format.js';
import { eachRecord, openText, type TextFile } from './files/text-file.js';
import { timesOf } from './plays-columns.js';
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
    const timed = rows.some((row) => row?.time !== undefined);
    rows.forEach((row, i) => {
      if (typeof row !== 'object' || row === null)
        throw new ArgumentError(
          `Row ${i} (counted from 0) must be a record, { session, item, time }, got ${whatIs(row)}.`,
        );
      const other = Object.keys(row).find((field) => !ROLES.includes(field as Role));
      if (other !== undefined) {
        throw new ArgumentError(
          `Row ${i} (counted from 0) has the field "${other}"${didYouMean(other, ROLES)} Its fields: ${ROLES.join(', ')}.`,
        );
      }
      if (timed && row.time === undefined)
        throw new ArgumentError(`Row ${i} (counted from 0) has no time, others have.`);
    });
    const text = (value: unknown, i: number, role: Role): string => {
      if (
        typeof value === 'string' ||
        (typeof value === 'number' &&
          (Number.isSafeInteger(value) || !Number.isInteger(value)) &&
          !Number.isNaN(value))
      )
        return String(value);
      throw new ArgumentError(
        `Row ${i} (counted from 0): the ${role} must be a text, or a number below 2⁵³, got ${typeof value === 'number' ? value : whatIs(value)}.`,
      );
    };
    const session = rows.map((row, i) => text(row.session, i, 'session'));
    const item = rows.map((row, i) => text(row.item, i, 'item'));
    return ofEvents(
      { session, item, time: timed ? rows.map((row) => row.time ?? null) : undefined },
      options,
      (i) => `Row ${i} (counted from 0)`,
    );
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
    for (const role of ['session', 'item'] as const) {
      if (at[role] < 0)
        throw new UnknownIdError(
          'column',
          String(options.columns?.[role] ?? `${role}_id`),
          names,
          `Say which it is: { columns: { ${role}: '…' } }.`,
        );
    }
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
   * What JSON.stringify makes of them: the item ids of each, in order.
   * @example JSON.stringify(Sessions.fromRows([{ session: 1, item: 'b' }, { session: 1, item: 'a' }])) // '[["b","a"]]'
   */
  toJSON(): string[][] {
    return Array.from({ length: this.length }, (_, s) => this.session(s));
  }

  /** The item ids of session `s`, in order. */
  session(s: number): string[] {
    if (!(Number.isInteger(s) && s >= 0 && s < this.length)) {
      throw new ArgumentError(
        `Session ${said(s)} does not exist; there are ${this.length}, counted from 0.`,
      );
    }
    return this.items.decode(this.item.subarray(this.indptr[s], this.indptr[s + 1]));
  }

  /** The sessions with these numbers, in this order, with all items. */
  take(sessions: ArrayLike<number>): Sessions {
    checkArgument(isNumbers(sessions), sessions, 'take', 'numbers of sessions, such as [0, 5, 7]');
    const indptr = new Int32Array(sessions.length + 1);
    for (let j = 0; j < sessions.length; j++) {
      const s = sessions[j];
      if (!(Number.isInteger(s) && s >= 0 && s < this.length)) {
        throw new ArgumentError(
          `Session ${said(s)} does not exist; there are ${this.length}, counted from 0.`,
        );
      }
      indptr[j + 1] = indptr[j] + this.indptr[s + 1] - this.indptr[s];
    }
    const item = new Int32Array(indptr[sessions.length]);
    for (let j = 0; j < sessions.length; j++)
      item.set(
        this.item.subarray(this.indptr[sessions[j]], this.indptr[sessions[j] + 1]),
        indptr[j],
      );
    return new Sessions(
      this.items,
      indptr,
      item,
      this.ids && Array.from(sessions, (s) => this.ids![s]),
    );
  }

  [inspect.custom](): string {
    const n = (x: number): string => x.toLocaleString('en');
    return `Sessions: ${n(this.length)} of ${n(this.item.length)} plays in all, of ${n(this.items.length)} items`;
  }
}

type Role = keyof SessionsColumnNames;
const ROLES = ['session', 'item', 'time'] as const;

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

/** Positions of the columns; −1 for what is not there. */
function positions(names: readonly string[], columns: SessionsColumnNames): Record<Role, number> {
  checkOptions(columns, ROLES, 'columns');
  const find = (role: Role): number => {
    const wanted: unknown = columns[role];
    if (typeof wanted === 'number' && Number.isInteger(wanted) && wanted >= 0)
      return wanted < names.length ? wanted : -1;
    if (wanted !== undefined && (typeof wanted !== 'string' || wanted === '')) {
      throw new ArgumentError(
        `columns.${role} must be a name, or a position from 0, got ${JSON.stringify(wanted)}.`,
      );
    }
    if (typeof wanted === 'string' && names.includes(wanted)) return names.indexOf(wanted);
    const fits = names.flatMap((name, i) =>
      (wanted === undefined ? NAMES[role].test(plain(name)) : plain(name) === plain(wanted))
        ? [i]
        : [],
    );
    return fits.length === 1 ? fits[0] : -1;
  };
  const at = { session: find('session'), item: find('item'), time: find('time') };
  if (columns.time !== undefined && at.time < 0)
    throw new UnknownIdError('column', String(columns.time), names);
  return at;
}

/** Played items, as they come: a session, an item and, if there is one, a time each. */
interface Events {
  session: readonly string[];
  item: readonly string[];
  time?: readonly (string | number | null)[];
}

/**
 * Sessions of events, in the order in which they first occur; `where` says for messages where event
 * `i` is.
 */
function ofEvents(
  { session, item, time }: Events,
  options: { items?: Vocabulary },
  where: (i: number) => string,
): Sessions {
  checkOptions(options, ['items'], 'Sessions');
  const times =
    time &&
    timesOf(time, (i) => {
      throw new DataError(
        `${where(i)}: expected a time, in all rows a number or in all an ISO date such as 2009-05-04T23:08:57Z, got ${time[i]}.`,
      );
    });
  const numbers = new Map<string, number>();
  const of = Int32Array.from(session, (id) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size);
    return numbers.get(id)!;
  });
  const order = Int32Array.from(of.keys()).sort(
    (a, b) => of[a] - of[b] || (times ? times[a] - times[b] : 0) || a - b,
  );
  const indptr = new Int32Array(numbers.size + 1);
  for (const s of of) indptr[s + 1]++;
  for (let s = 0; s < numbers.size; s++) indptr[s + 1] += indptr[s];
  const items = options.items ?? Vocabulary.fromValues(numericIfAll(item), { kind: 'item' });
  return new Sessions(items, indptr, items.encode(Array.from(order, (i) => item[i])), [
    ...numbers.keys(),
  ]);
}

/** Options of {@link readSessions}. */
export interface ReadSessionsOptions extends TextFormatOptions {
  /**
   * The items to encode with, e.g. those of the training sessions. Default: those of the file,
   * sorted. Unknown ones: UnknownIdError.
   */
  items?: Vocabulary;
  /** Of a table with a played item a row: its columns. */
  columns?: SessionsColumnNames;
  /**
   * Of a file with a session a line: whether the first id of each line is the user, as in
   * `7 12 5 9` of user 7, and not an item. Users are no part of the session, but `sessions.ids`.
   * Default: no; but where nobody can tell, that is an error. These are files whose first ids count
   * the lines from 0 or 1; and, of five lines or more, those whose first ids never fall, or are all
   * different and occur nowhere else.
   */
  user?: boolean;
}

/**
 * Reads sessions from a text file (also .gz), in one of two forms. Either a session a line, its
 * item ids separated by blanks or commas (or by `delimiter`); blank lines are left out. Or a table
 * with a played item a row, as GRU4Rec has it: a first line `SessionId ItemId Time`, in any order,
 * with any delimiter and other columns beside; sessions come in the order in which they first
 * occur, their items in the order of time. It is taken for a table if `columns` or `names` are
 * given, or if the words of the first line are names of columns.
 * @param path the file
 * @throws DataError for a missing, empty, cut-off or foreign file, a character that is none in its
 *   encoding, columns that are not known, and for a file of which nobody can tell whether its lines
 *   begin with users
 * @example const train = await readSessions('train_sessions.txt.gz'); const test = await readSessions('test_sessions.txt.gz', { items: train.items });
 */
export async function readSessions(
  path: string,
  options: ReadSessionsOptions = {},
): Promise<Sessions> {
  checkOptions(options, ['items', 'columns', 'user', ...formatOptions], 'readSessions');
  checkFormat(options);
  const { user, columns, names, header } = options;
  if (user !== undefined && typeof user !== 'boolean')
    throw new ArgumentError(
      `user is true or false: whether lines begin with a user. Got ${JSON.stringify(user)}.`,
    );
  const file = await openText(path, decoderLabel(options.encoding));
  const named =
    header === undefined &&
    columns === undefined &&
    names === undefined &&
    namesColumns(file, options);
  const table = columns !== undefined || names !== undefined || header === true || named;
  if (table && user !== undefined) {
    const why = named
      ? `"${path}", line 1, names columns: ${shownNames(firstWords(file, options))}. If these are items, give { header: false } beside`
      : 'Leave out';
    throw new ArgumentError(
      `user is for a session a line; a table says by its columns what is what. ${why} user.`,
    );
  }
  if (!table && options.quote)
    throw new ArgumentError(
      'quote is for tables: a line of item ids has no quotation. Leave it out.',
    );
  const sessions = await (table ? readEvents : readLines)(file, options);
  file.unchanged();
  return sessions;
}

/** The first line of a text that is not blank, as words. */
function firstWords({ head }: TextFile, { delimiter, comment }: TextFormatOptions): string[] {
  const line =
    head
      .split(/[\r\n]+/)
      .find((text) => text.trim() !== '' && !(comment && text.startsWith(comment))) ?? '';
  return (delimiter === undefined ? line.split(/[\s,;|"]+|::/) : line.split(delimiter))
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/**
 * Whether a file begins with the names of columns: every word of its first line names one, or two
 * of them do that are no words otherwise.
 */
function namesColumns(file: TextFile, options: TextFormatOptions): boolean {
  const words = firstWords(file, options).map(plain);
  const names = words.filter((word) => COLUMN_WORD.test(word));
  return (
    words.length > 1 &&
    (names.length === words.length || names.filter((word) => /.id$/.test(word)).length > 1)
  );
}

/** A table with a played item a row. */
async function readEvents(
  file: TextFile,
  { items, columns = {}, ...format }: ReadSessionsOptions,
): Promise<Sessions> {
  const { path } = file;
  const guess = startOf(file, format);
  const blanks =
    format.delimiter === undefined && guess.first.length === 1
      ? firstWords(file, format).length > 1
      : false; // SessionId ItemId Time
  const start = blanks ? startOf(file, { ...format, delimiter: ' ' }) : guess;
  const { first } = start;
  const given = ROLES.flatMap((role) => columns[role] ?? []);
  const byPosition = given.length > 0 && given.every((column) => typeof column === 'number');
  const header =
    format.header ?? (format.names === undefined && !(byPosition && first.some(isNumber)));
  const names = columnNames(path, { first, header: header || byPosition, given: format.names });
  const at = positions(names, columns);
  for (const role of ['session', 'item'] as const) {
    if (at[role] >= 0) continue;
    const known =
      header || format.names
        ? `its columns are ${shownNames(names)}`
        : `it has ${names.length} columns`;
    throw new DataError(
      `"${path}", line 1: it looks like a table with a played item a row, but there is no column of the ${role}s: ${known}. ` +
        `Say which it is, { columns: { session: '…', item: '…', time: '…' } }; or, if the words are items, give { header: false }.`,
    );
  }
  const events = { session: [] as string[], item: [] as string[], time: [] as string[] };
  const lines: number[] = [];
  let heads = header ? 1 : 0;
  await eachRecord(file, start, (record) => {
    const fault = recordFault(path, record, start);
    if (fault) throw fault;
    if (heads-- > 0) return;
    const { fields, line } = record;
    for (const role of ['session', 'item'] as const) {
      const id = fields[at[role]].trim();
      if (id === '')
        throw new DataError(
          `"${path}", line ${line}, column "${names[at[role]]}": expected an id, got "".`,
        );
      events[role].push(id);
    }
    if (at.time >= 0) events.time.push(fields[at.time]);
    lines.push(line);
  });
  if (lines.length === 0) throw new DataError(`"${path}" has a header and no row.`);
  return ofEvents(
    { ...events, time: at.time < 0 ? undefined : events.time },
    { items },
    (i) => `"${path}", line ${lines[i]}, column "${names[at.time]}"`,
  );
}

/** A session a line. */
async function readLines(
  file: TextFile,
  { items, user, delimiter, comment = '' }: ReadSessionsOptions,
): Promise<Sessions> {
  const codes = new Map<string, number>();
  const first: number[] = []; // of each line
  const sessions: number[][] = []; // the rest of it
  await eachRecord(
    file,
    { delimiter: '\n', quote: '', comment, skip: 0, blank: false },
    ({ fields: [line] }) => {
      const words =
        delimiter === undefined
          ? line.split(/[\s,]+/)
          : line.split(delimiter).map((id) => id.trim());
      const session = words.flatMap((id) => {
        if (id === '') return [];
        let code = codes.get(id);
        if (code === undefined) codes.set(id, (code = codes.size));
        return [code];
      });
      if (session.length === 0) return;
      first.push(session[0]);
      sessions.push(session);
    },
  );
  const ids = [...codes.keys()];
  if (user === undefined) refuseUsers(file.path, ids, first, sessions);
  const held = user ? sessions.map((session) => session.slice(1)) : sessions;
  const kept = held.flatMap((session, i) => (session.length ? [i] : []));
  if (kept.length === 0) throw new DataError(`"${file.path}" holds no session.`);
  const used = new Uint8Array(ids.length);
  for (const session of held) for (const code of session) used[code] = 1;
  const distinct = ids.filter((_, code) => used[code]);
  const vocabulary = items ?? Vocabulary.fromValues(numericIfAll(distinct), { kind: 'item' });
  const index = new Int32Array(ids.length);
  for (const [j, i] of vocabulary.encode(distinct).entries()) index[codes.get(distinct[j])!] = i;
  const indptr = new Int32Array(kept.length + 1);
  for (const [s, i] of kept.entries()) indptr[s + 1] = indptr[s] + held[i].length;
  const item = new Int32Array(indptr[kept.length]);
  for (const [s, i] of kept.entries())
    item.set(
      held[i].map((code) => index[code]),
      indptr[s],
    );
  return new Sessions(vocabulary, indptr, item, user ? kept.map((i) => ids[first[i]]) : undefined);
}

/**
 * Throws DataError where the first ids of the lines may be users: see
 * {@link ReadSessionsOptions.user}.
 */
function refuseUsers(
  path: string,
  ids: readonly string[],
  first: readonly number[],
  sessions: readonly (readonly number[])[],
): void {
  const n = first.length;
  const numbers = first.map((code) =>
    /^\d{1,15}$/.test(ids[code]) ? Number(ids[code]) : Number.NaN,
  );
  const counting = n > 1 && numbers[0] <= 1 && numbers.every((x, i) => x === numbers[0] + i);
  const rising =
    n >= 5 &&
    numbers[0] < numbers[n - 1] &&
    numbers.every((x, i) => i === 0 || x >= numbers[i - 1]);
  let apart = n >= 5 && new Set(first).size === n;
  if (apart) {
    const begins = new Uint8Array(ids.length);
    for (const code of first) begins[code] = 1;
    apart = sessions.every(
      (session) => session.length > 1 && session.every((code, i) => i === 0 || !begins[code]),
    );
  }
  if (!counting && !rising && !apart) return;
  const how = counting
    ? 'They count the lines.'
    : rising
      ? 'They never fall from line to line.'
      : 'They are all different, and stand nowhere else.';
  const [width] = sessions.map((session) => session.length);
  const even = width > 1 && width < 5 && sessions.every((session) => session.length === width);
  throw new DataError(
    `"${path}": are the first ids of the lines (${first
      .slice(0, 3)
      .map((code) => ids[code])
      .join(', ')}${n > 3 ? ', …' : ''}) users, or items like the others? ${how} ` +
      'If each line is a user and their items, give { user: true }; if the first id is an item, { user: false }.' +
      (even
        ? " If each line is a session, an item and a time, name the columns: { names: ['SessionId', 'ItemId', 'Time'] }."
        : ''),
  );
}

/** Whole numbers sort by size, so that the order is that of the file's own numbering. */
function numericIfAll(ids: readonly string[]): Iterable<string | number> {
  const distinct = [...new Set(ids)];
  return distinct.every((id) => /^(0|[1-9]\d{0,14})$/.test(id)) ? distinct.map(Number) : distinct;
}
