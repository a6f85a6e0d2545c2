import { ArgumentError, DataError } from '../../errors.js';
import { said } from '../../options.js';
import { type CsvRecord, type Dialect, Records } from './csv-records.js';
import type { TextFile } from './text-file.js';

/**
 * How a table is written as text: options of everything that reads CSV files. They are refused for
 * a Parquet file, which needs none of them.
 */
export interface TextFormatOptions {
  /**
   * Whether the first line holds the names of the columns. Default: true, but false where `names`
   * are given (pandas' rule). Unless this is given, a first line of nothing but numbers is an
   * error: it is data.
   */
  header?: boolean;
  /**
   * The names of all columns, in place of those in the file. Default: those in the file;
   * `column0`, `column1` … without a header.
   */
  names?: readonly string[];
  /**
   * The text between fields, such as `'\t'`, MovieLens 1M's `'::'` or the Million Song Dataset's
   * `'<SEP>'`. Default: comma, tab, semicolon or bar, whichever splits the first two lines into
   * most fields, equally many; if none does, `<SEP>`, `::`, or blanks between numbers or between
   * as many words as there are `names`. Blanks beside each delimiter in both lines, as in
   * `user, item`, are part of it. Excel's first line `sep=;` is obeyed.
   */
  delimiter?: string;
  /**
   * The mark around fields that hold delimiters or line ends; within them it is written twice.
   * `''`: no mark; marks are part of the texts, as in most tab-separated files of titles. Default
   * `'"'`, but then a quotation over several lines, each of which would be a row without it, is an
   * error, as it is ambiguous. Give `'"'` to allow it.
   */
  quote?: string;
  /**
   * The encoding of the characters: a label of TextDecoder, such as `'latin1'` (which is
   * Windows-1252, as in browsers), `'utf-16le'`, `'shift_jis'`. Default: UTF-8, or UTF-16 if the
   * file has its byte order mark.
   */
  encoding?: string;
  /** The beginning of lines that are left out, such as `'#'`. Default: none are left out. */
  comment?: string;
}

type Checks = Record<keyof TextFormatOptions, readonly [(value: unknown) => boolean, string]>;

const CHECKS: Checks = {
  header: [
    (value) => typeof value === 'boolean',
    'header is true or false: whether the first line holds names',
  ],
  names: [
    (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((name) => typeof name === 'string' && name !== ''),
    "names must be a list of texts, such as ['user', 'item', 'rating']",
  ],
  delimiter: [
    (value) => typeof value === 'string' && /^[^"\r\n\0]+$/.test(value),
    "delimiter must be a text without quotation marks and line ends, such as ',' or '\\t' or '<SEP>'",
  ],
  quote: [
    (value) => typeof value === 'string' && /^[^\s\0\w]?$/u.test(value),
    `quote must be a mark that is no part of the delimiter, such as '"', or '' for none`,
  ],
  encoding: [
    (value) => typeof value === 'string' && decoderOf(value) !== undefined,
    "encoding must be one that TextDecoder knows, such as 'latin1', 'utf-16le' or 'shift_jis'",
  ],
  comment: [
    (value) => typeof value === 'string' && /^[^\r\n]+$/.test(value),
    "comment must be the beginning of lines that are left out, such as '#'",
  ],
};

/** Names of these options. */
export const formatOptions = Object.keys(CHECKS) as readonly (keyof TextFormatOptions)[];

/** Throws ArgumentError for options that no file could be read by. */
export function checkFormat(options: TextFormatOptions): void {
  const { names = [], delimiter, quote } = options;
  for (const name of formatOptions) {
    const value = options[name];
    const [fits, wanted] = CHECKS[name];
    const clash = name === 'quote' && quote && delimiter?.includes(quote);
    if (value !== undefined && (!fits(value) || clash))
      throw new ArgumentError(
        `${wanted}, got ${typeof value === 'string' ? JSON.stringify(value) : said(value)}.`,
      );
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new ArgumentError(`names must differ from each other, but "${twice}" occurs twice.`);
}

/** The label by which TextDecoder knows an encoding. Throws ArgumentError for an unknown one. */
export function decoderLabel(encoding: string | undefined): string | undefined {
  checkFormat({ encoding });
  return encoding === undefined ? undefined : decoderOf(encoding);
}

function decoderOf(encoding: string): string | undefined {
  try {
    return new TextDecoder(/^latin[-_ ]1$/i.test(encoding) ? 'latin1' : encoding).encoding;
  } catch {
    return undefined;
  }
}

/** The dialect of a file, and its first record. */
export interface TextStart extends Dialect {
  /** Fields of the first record, without blanks around them. */
  first: string[];
  /** The end of the first line; undefined if there is none. */
  lineEnd?: string;
  /** Whether the delimiter, and whether the mark, is a guess. */
  assumed: { delimiter: boolean; quote: boolean };
}

/** How a file is written. */
export interface TextFormat extends TextStart {
  /** Whether the first record holds names. */
  header: boolean;
  /** Names of the columns. */
  names: string[];
}

/** Throws ArgumentError if any option is given: for files that need none, such as Parquet. */
export function refuseFormat(options: TextFormatOptions, path: string): void {
  const given = formatOptions.filter((name) => options[name] !== undefined);
  if (given.length)
    throw new ArgumentError(`"${path}" has columns of its own: leave ${given.join(' and ')} out.`);
}

/**
 * The format of a file, by its first lines and the options. Throws DataError for a first line of
 * numbers, and for names that do not fit it.
 */
export function formatOf(file: TextFile, options: TextFormatOptions): TextFormat {
  const start = startOf(file, options);
  const header = options.header ?? options.names === undefined;
  if (header && options.header === undefined && start.first.every(isNumber))
    throw headerOfNumbers(file.path, start.first);
  return {
    ...start,
    header,
    names: columnNames(file.path, { first: start.first, header, given: options.names }),
  };
}

/** The dialect of a file, and its first record. */
export function startOf(file: TextFile, options: TextFormatOptions): TextStart {
  const { head } = file;
  const blanks = /^(?:[^\S\r\n]*(?:\r\n|\r|\n))*/.exec(head)![0];
  const told = /^sep=(.)(?=[\r\n])/i.exec(head.slice(blanks.length)); // Excel's first line, which names the delimiter
  const obeyed = told && (options.delimiter ?? told[1]) === told[1];
  const dialect = {
    delimiter: options.delimiter ?? (obeyed ? told[1] : ','),
    quote: options.quote ?? '"',
    comment: options.comment ?? '',
    skip: (blanks.match(/\r\n|\r|\n/g) ?? []).length + (obeyed ? 1 : 0),
    blank: false,
  };
  const assumed = {
    delimiter: options.delimiter === undefined && !obeyed,
    quote: options.quote === undefined,
  };
  if (assumed.delimiter) dialect.delimiter = guessedDelimiter(head, dialect, options);
  const [record = { line: 1, fields: [''] }] = firstRecords(head, dialect);
  const first = record.fields;
  const lineEnd = /\r\n|\r|\n/.exec(head.slice(blanks.length))?.[0];
  const start = {
    ...dialect,
    blank: first.length === 1,
    first: first.map((field) => field.trim()),
    lineEnd,
    assumed,
  };
  const fault = recordFault(file.path, record, start);
  if (fault) throw fault;
  return start;
}

/** The first two records. */
function firstRecords(head: string, dialect: Dialect): CsvRecord[] {
  const records: CsvRecord[] = [];
  new Records(dialect).push(head, true, (record) => records.push(record) < 2);
  return records;
}

/** Guesses the delimiter by the first two records: see {@link TextFormatOptions.delimiter}. */
function guessedDelimiter(
  head: string,
  dialect: Dialect,
  { header, names }: TextFormatOptions,
): string {
  const split = (delimiter: string): string[][] =>
    firstRecords(head, { ...dialect, delimiter }).map(({ fields }) => fields);
  const [line = ''] =
    firstRecords(head, { ...dialect, quote: '', delimiter: '\n' })[0]?.fields ?? [];
  if (line.includes('<SEP>')) return '<SEP>';
  const counts = [',', '\t', ';', '|'].map((delimiter) => {
    const [first, second = first] = split(delimiter);
    return { delimiter, n: first.length, even: first.length > 1 && first.length === second.length };
  });
  const even = counts.filter((c) => c.even);
  const { delimiter, n } = (even.length ? even : counts).reduce((best, next) =>
    next.n > best.n ? next : best,
  );
  if (n === 1 && line.includes('::')) return '::';
  const words = line.split(' ');
  const counted = words.length === 3 && isNumber(words[2]);
  if (
    n === 1 &&
    words.length > 1 &&
    !words.includes('') &&
    (words.every(isNumber) || counted || words.length === names?.length)
  )
    return ' ';
  if (n === 1 || header === false || names) return delimiter;
  const padded = [` ${delimiter} `, `${delimiter} `, ` ${delimiter}`].find((d) => {
    const records = split(d);
    return records.length === 2 && records.every((fields) => fields.length === n);
  });
  return padded ?? delimiter;
}

/** Names of the columns: those given, those of the header, or numbered ones. */
export function columnNames(
  path: string,
  {
    first,
    header,
    given,
  }: { first: readonly string[]; header: boolean; given?: readonly string[] },
): string[] {
  if (given && given.length !== first.length) {
    throw new DataError(
      `"${path}" has ${first.length} column${first.length === 1 ? '' : 's'} in line 1, but ${given.length} name${given.length === 1 ? ' is' : 's are'} given: ${given.join(', ')}. ` +
        `${first.length === 1 ? 'Is the delimiter another one? Give it by the option delimiter.' : 'Name each column.'}`,
    );
  }
  if (given) return [...given];
  const twice = header ? first.find((name, i) => first.indexOf(name) !== i) : undefined;
  if (twice !== undefined) {
    throw new DataError(
      `"${path}", line 1: two columns are called "${shownText(twice)}". Rename one of them, or give names (and header: true).`,
    );
  }
  return header ? [...first] : first.map((_, i) => `column${i}`);
}

/** Whether a field is a number. */
export function isNumber(field: string | undefined): boolean {
  return field !== undefined && field.trim() !== '' && Number.isFinite(Number(field));
}

/** Names of columns for a message: the first ones, shortened. */
export function shownNames(names: readonly string[]): string {
  return (
    names.slice(0, 20).map(shownText).join(', ') +
    (names.length > 20 ? `, … (${names.length.toLocaleString('en')} columns)` : '')
  );
}

/** A text of a file for a message, shortened. */
export function shownText(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function headerOfNumbers(path: string, first: readonly string[]): DataError {
  const example = ['user', 'item', 'rating', 'timestamp'];
  const names = first.slice(0, 8).map((_, i) => `'${example[i] ?? `column${i}`}'`);
  return new DataError(
    `"${path}", line 1: expected the names of the columns, found numbers: ${shownNames(first.slice(0, 8))}. If the file has no header, name its columns: ` +
      `{ names: [${names.join(', ')}${first.length > 8 ? ', …' : ''}] }, or give { header: false }. If these are the names, give { header: true }.`,
  );
}

const MARKS_AS_TEXT = "If the marks are part of the texts, switch quoting off: { quote: '' }.";

/**
 * The error for a record; undefined if there is no fault. Empty fields beyond the columns are
 * allowed: delimiters at the end of the line.
 */
export function recordFault(
  path: string,
  { line, fields, raw, fault }: CsvRecord,
  format: TextStart,
): DataError | undefined {
  const where = `"${path}", line ${line}`;
  const n = format.first.length;
  if (fault === 'open')
    return new DataError(
      `${where}: a quotation mark opens a text and none closes it. ${MARKS_AS_TEXT}`,
    );
  if (fault === 'stray') {
    return new DataError(
      `${where}: a text goes on behind the quotation mark that closes it. Write a mark within a quoted text twice. ${MARKS_AS_TEXT}`,
    );
  }
  if (fields.length < n || fields.slice(n).some((field) => field !== '')) {
    const hint = 'Is a line cut off, or a text with a delimiter not quoted?';
    return new DataError(
      `${where}: expected ${n} column${n === 1 ? '' : 's'}, found ${fields.length}. ${hint} ${delimiterHint(format)}`,
    );
  }
  const lines = raw !== undefined && format.assumed.quote ? raw.split(/\r\n?|\n/) : [];
  if (lines.length === 0 || !lines.every((row) => row.split(format.delimiter).length === n))
    return undefined;
  return new DataError(
    `${where}: a quotation mark opens a text that goes on to line ${line + lines.length - 1}, but each of these ${lines.length} lines is a row without it. ` +
      `${MARKS_AS_TEXT} If it is one text, say so: { quote: '"' }.`,
  );
}

/** A hint that names the delimiter, and what else may be wrong with line 1. */
export function delimiterHint({ delimiter, assumed, first, comment }: TextStart): string {
  const by = `Fields were split by ${JSON.stringify(delimiter)}`;
  const hint = assumed.delimiter
    ? `${by}, a guess by the first lines: another one is given by the option delimiter.`
    : `${by}.`;
  const remark = comment === '' ? /^(?:#|%|\/\/|--)/.exec(first[0])?.[0] : undefined;
  return remark ? `${hint} If line 1 is a comment, give { comment: '${remark}' }.` : hint;
}
