import { ArgumentError, DataError } from '../../errors.js';
import { counted, said } from '../../printed.js';
import {
  type CsvRecord,
  type Dialect,
  decoderOf,
  lineEnds,
  Records,
  type TextFile,
} from './text-file.js';

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
   * The text between fields, such as `'\t'`, `'::'` (MovieLens 1M) or `'<SEP>'` (Million Song
   * Dataset). Default: comma, tab, semicolon or bar, whichever splits the first two lines into
   * most fields, equally many, with the blanks beside it in both lines; if none does, `<SEP>`,
   * `::`, or blanks between numbers or as many words as `names`. Excel's `sep=;` is obeyed.
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

const isText = (value: unknown, form: RegExp): boolean =>
  typeof value === 'string' && form.test(value);

/** What each option must be. */
const CHECKS: Record<keyof TextFormatOptions, [(value: unknown) => boolean, string]> = {
  header: [
    (value) => typeof value === 'boolean',
    'header is true or false: whether the first line holds names',
  ],
  names: [
    (value) =>
      Array.isArray(value) && value.length > 0 && value.every((name) => isText(name, /./s)),
    "names must be a list of texts, such as ['user', 'item', 'rating']",
  ],
  delimiter: [
    (value) => isText(value, /^[^"\r\n\0]+$/),
    "delimiter must be a text without quotation marks and line ends, such as ',' or '\\t' or '<SEP>'",
  ],
  quote: [
    (value) => isText(value, /^[^\s\0\w]?$/u),
    `quote must be a mark that is no part of the delimiter, such as '"', or '' for none`,
  ],
  encoding: [
    (value) => typeof value === 'string' && decoderOf(value) !== undefined,
    "encoding must be one that TextDecoder knows, such as 'latin1', 'utf-16le' or 'shift_jis'",
  ],
  comment: [
    (value) => isText(value, /^[^\r\n]+$/),
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
  const twice = repeated(names);
  if (twice !== undefined)
    throw new ArgumentError(`names must differ from each other, but "${twice}" occurs twice.`);
}

const repeated = (names: readonly string[]): string | undefined =>
  names.find((name, i) => names.indexOf(name) !== i);

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

/**
 * Throws ArgumentError if any option is given: for files that need none, such as Parquet.
 * @param further more such options by name
 */
export function refuseFormat(options: TextFormatOptions, path: string, further: object = {}): void {
  const format = formatOptions.filter((name) => options[name] !== undefined);
  const others = Object.entries(further).flatMap(([name, value]) => (value ? name : []));
  const given = [...format, ...others];
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
    throw numbersForNames(file.path, start.first, 'name its columns:', namesFor(start.first));
  return { ...start, header, names: columnNames(file.path, start.first, header, options.names) };
}

/** The dialect of a file, and its first record. */
export function startOf({ path, head }: TextFile, options: TextFormatOptions): TextStart {
  const blanks = /^(?:[^\S\r\n]*(?:\r\n|\r|\n))*/.exec(head)![0];
  const told = /^sep=(.)(?=[\r\n])/i.exec(head.slice(blanks.length)); // Excel's first line, which names the delimiter
  const obeyed = told && (options.delimiter ?? told[1]) === told[1];
  const dialect = {
    delimiter: options.delimiter ?? (obeyed ? told[1] : ','),
    quote: options.quote ?? '"',
    comment: options.comment ?? '',
    skip: lineEnds(blanks) + (obeyed ? 1 : 0),
    blank: false,
  };
  const assumed = {
    delimiter: options.delimiter === undefined && !obeyed,
    quote: options.quote === undefined,
  };
  if (assumed.delimiter) dialect.delimiter = guessedDelimiter(head, dialect, options);
  const [record = { line: 1, fields: [''] }] = firstRecords(head, dialect);
  const start = {
    ...dialect,
    blank: record.fields.length === 1,
    first: record.fields.map((field) => field.trim()),
    lineEnd: /\r\n|\r|\n/.exec(head.slice(blanks.length))?.[0],
    assumed,
  };
  const fault = recordFault(path, record, start);
  if (fault) throw fault;
  return start;
}

/** The first two records. */
function firstRecords(head: string, dialect: Dialect): CsvRecord[] {
  const records: CsvRecord[] = [];
  new Records(dialect).push(head, true, (record) => records.push(record) < 2);
  return records;
}

/** The fields of one CSV record, unquoted. */
export function splitRecord(record: string, delimiter: string): string[] {
  const dialect = { delimiter, quote: '"', comment: '', skip: 0, blank: true };
  return firstRecords(record, dialect)[0]?.fields ?? [''];
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
  const triplet = words.length === 3 && isNumber(words[2]);
  const likely = words.every(isNumber) || triplet || words.length === names?.length;
  if (n === 1 && words.length > 1 && !words.includes('') && likely) return ' ';
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
  first: readonly string[],
  header: boolean,
  given?: readonly string[],
): string[] {
  if (given && given.length !== first.length) {
    const advice =
      first.length === 1
        ? 'Is the delimiter another one? Give it by the option delimiter.'
        : 'Name each column.';
    throw new DataError(
      `"${path}" has ${counted(first.length, 'column')} in line 1, but ${counted(given.length, 'name is', 'names are')} given: ${given.join(', ')}. ${advice}`,
    );
  }
  if (given) return [...given];
  const twice = header ? repeated(first) : undefined;
  if (twice !== undefined)
    throw new DataError(
      `"${path}", line 1: two columns are called "${shownText(twice)}". Rename one of them, or give names (and header: true).`,
    );
  return header ? [...first] : first.map((_, i) => `column${i}`);
}

/** Whether a field is a number. */
export function isNumber(field: string | undefined): boolean {
  return field !== undefined && field.trim() !== '' && Number.isFinite(Number(field));
}

/** Names of columns for a message: the first ones, shortened. */
export function shownNames(names: readonly string[]): string {
  const more = names.length > 20 ? `, … (${counted(names.length, 'column')})` : '';
  return names.slice(0, 20).map(shownText).join(', ') + more;
}

/** A text of a file for a message, shortened. */
export function shownText(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/** The error for a first line of numbers where names were expected, with the options to give. */
export function numbersForNames(
  path: string,
  first: readonly string[],
  advice: string,
  options: string,
): DataError {
  return new DataError(
    `"${path}", line 1: expected the names of the columns, found numbers: ${shownNames(first.slice(0, 8))}. ` +
      `If the file has no header, ${advice} ${options}. If these are the names, give { header: true }.`,
  );
}

function namesFor(first: readonly string[]): string {
  const example = ['user', 'item', 'rating', 'timestamp'];
  const names = first.slice(0, 8).map((_, i) => `'${example[i] ?? `column${i}`}'`);
  return `{ names: [${names.join(', ')}${first.length > 8 ? ', …' : ''}] }, or give { header: false }`;
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
  const error = (what: string): DataError => new DataError(`${where}: ${what}`);
  if (fault === 'open')
    return error(`a quotation mark opens a text and none closes it. ${MARKS_AS_TEXT}`);
  if (fault === 'stray')
    return error(
      `a text goes on behind the quotation mark that closes it. Write a mark within a quoted text twice. ${MARKS_AS_TEXT}`,
    );
  if (fields.length < n || fields.slice(n).some((field) => field !== ''))
    return error(
      `expected ${counted(n, 'column')}, found ${fields.length}. Is a line cut off, or a text with a delimiter not quoted? ${delimiterHint(format)}`,
    );
  const lines = raw !== undefined && format.assumed.quote ? raw.split(/\r\n?|\n/) : [];
  if (lines.length === 0 || !lines.every((row) => row.split(format.delimiter).length === n))
    return undefined;
  return error(
    `a quotation mark opens a text that goes on to line ${line + lines.length - 1}, but each of these ${lines.length} lines is a row without it. ${MARKS_AS_TEXT} If it is one text, say so: { quote: '"' }.`,
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
