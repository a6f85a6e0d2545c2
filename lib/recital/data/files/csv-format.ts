import { ArgumentError, DataError } from '../../errors.js';
import { said } from '../../options.js';
import { type CsvRecord, type Dialect, Records, type TextFile } from './text-file.js';

/**
 * How a table is written as text: options of everything that reads CSV files and their like. A
 * Parquet file needs none of them, and refuses them.
 */
export interface TextFormatOptions {
  /**
   * Whether the first line holds the names of the columns. Default: true, but false where `names`
   * are given (pandas' rule). Unless this is given, a first line of nothing but numbers is an
   * error: it is data.
   */
  header?: boolean;
  /**
   * The names of the columns, one for each, in the place of those in the file. Default: those in
   * the file; `column0`, `column1` … without a header.
   */
  names?: readonly string[];
  /**
   * What stands between fields, such as `'\t'`, MovieLens 1M's `'::'` or the Million Song Dataset's
   * `'<SEP>'`. Default: comma, tab, semicolon or bar, whichever splits the first two lines into
   * most fields, equally many; if neither is there `<SEP>`, `::`, or blanks, between numbers or as
   * many words as there are `names`. Where blanks stand beside each of them in both lines, as in
   * `user, item`, they belong to it. Excel's first line `sep=;` is obeyed.
   */
  delimiter?: string;
  /**
   * The mark around fields that hold delimiters or line ends; within them it is written twice.
   * `''`: none, every mark is part of a text, as in most tab-separated files of titles. Default
   * `'"'`, but then a quotation over several lines each of which is a row without it is an error:
   * nobody can tell what is meant. Give `'"'` to say that it is one.
   */
  quote?: string;
  /**
   * How characters are written: a label of TextDecoder, such as `'latin1'` (which is Windows-1252,
   * as in browsers), `'utf-16le'`, `'shift_jis'`. Default: UTF-8, or UTF-16 where the file's byte
   * order mark says so.
   */
  encoding?: string;
  /** What lines begin with that are left out, such as `'#'`. Default: there are none. */
  comment?: string;
}

/** Names of these options. */
export const formatOptions = [
  'header',
  'names',
  'delimiter',
  'quote',
  'encoding',
  'comment',
] as const;

/** How one file begins: its dialect and its first record. */
export interface TextStart extends Dialect {
  /** Fields of its first record, without blanks around them. */
  first: string[];
  /** Which end the first line has; undefined if there is none. */
  lineEnd?: string;
  /** Whether the delimiter, and whether the mark, is a guess. */
  assumed: { delimiter: boolean; quote: boolean };
}

/** How one file is written. */
export interface TextFormat extends TextStart {
  /** Whether its first record holds names. */
  header: boolean;
  /** Names of the columns. */
  names: string[];
}

/** Throws ArgumentError unless the options can be followed, whatever the file. */
export function checkFormat({
  header,
  names,
  delimiter,
  quote,
  encoding,
  comment,
}: TextFormatOptions): void {
  if (header !== undefined && typeof header !== 'boolean') {
    throw new ArgumentError(
      `header is true or false: whether the first line holds names. Got ${said(header)}.`,
    );
  }
  if (names !== undefined) {
    if (
      !Array.isArray(names) ||
      names.length === 0 ||
      !names.every((name) => typeof name === 'string' && name !== '')
    ) {
      throw new ArgumentError(
        `names must be a list of texts, such as ['user', 'item', 'rating'], got ${typeof names === 'string' ? JSON.stringify(names) : said(names)}.`,
      );
    }
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined)
      throw new ArgumentError(`names must differ from each other, but "${twice}" occurs twice.`);
  }
  if (
    delimiter !== undefined &&
    (typeof delimiter !== 'string' || delimiter === '' || /["\r\n\0]/.test(delimiter))
  ) {
    throw new ArgumentError(
      `delimiter must be a text without quotation marks and line ends, such as ',' or '\\t' or '<SEP>', got ${typeof delimiter === 'string' ? JSON.stringify(delimiter) : said(delimiter)}.`,
    );
  }
  if (
    quote !== undefined &&
    (typeof quote !== 'string' ||
      !/^[^\s\0\w]?$/u.test(quote) ||
      (quote !== '' && delimiter?.includes(quote)))
  ) {
    throw new ArgumentError(
      `quote must be a mark that is no part of the delimiter, such as '"', or '' for none, got ${typeof quote === 'string' ? JSON.stringify(quote) : said(quote)}.`,
    );
  }
  if (
    comment !== undefined &&
    (typeof comment !== 'string' || comment === '' || /[\r\n]/.test(comment))
  ) {
    throw new ArgumentError(
      `comment must be what lines begin with that are to be left out, such as '#', got ${typeof comment === 'string' ? JSON.stringify(comment) : said(comment)}.`,
    );
  }
  decoderLabel(encoding);
}

/** The label by which TextDecoder knows an encoding. Throws ArgumentError if it knows it not. */
export function decoderLabel(encoding: string | undefined): string | undefined {
  if (encoding === undefined) return undefined;
  try {
    return new TextDecoder(/^latin[-_ ]1$/i.test(encoding) ? 'latin1' : encoding).encoding;
  } catch {
    throw new ArgumentError(
      `encoding must be one that TextDecoder knows, such as 'latin1', 'utf-16le' or 'shift_jis', got ${typeof encoding === 'string' ? JSON.stringify(encoding) : said(encoding)}.`,
    );
  }
}

/**
 * Throws ArgumentError if any option is given: for files that say themselves how they are written.
 */
export function refuseFormat(options: TextFormatOptions, path: string): void {
  const given = formatOptions.filter((name) => options[name] !== undefined);
  if (given.length)
    throw new ArgumentError(`"${path}" has columns of its own: leave ${given.join(' and ')} out.`);
}

/**
 * The format of a file, from its first lines and what is given. Throws DataError for a first line
 * of numbers, and for names that do not fit it.
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
  const told = /^sep=(.)(?=[\r\n])/i.exec(head.slice(blanks.length)); // Excel's way to say which delimiter it is
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
  if (assumed.delimiter) dialect.delimiter = guessed(head, dialect, options);
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

/**
 * The delimiter of a text, judged by its first two records: see
 * {@link TextFormatOptions.delimiter}.
 */
function guessed(head: string, dialect: Dialect, { header, names }: TextFormatOptions): string {
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

/** The names of columns as a message shows them: the first ones, not too long. */
export function shownNames(names: readonly string[]): string {
  return (
    names.slice(0, 20).map(shownText).join(', ') +
    (names.length > 20 ? `, … (${names.length.toLocaleString('en')} columns)` : '')
  );
}

/** A text of a file as a message shows it. */
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
 * What is wrong with a record of a file; undefined if nothing is. Empty fields more than there are
 * columns are delimiters at the end of the line.
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

/** Which delimiter was taken, and what else may be wrong with line 1. */
export function delimiterHint({ delimiter, assumed, first, comment }: TextStart): string {
  const by = `Fields were split by ${JSON.stringify(delimiter)}`;
  const hint = assumed.delimiter
    ? `${by}, a guess by the first lines: another one is given by the option delimiter.`
    : `${by}.`;
  const remark = comment === '' ? /^(?:#|%|\/\/|--)/.exec(first[0])?.[0] : undefined;
  return remark ? `${hint} If line 1 is a comment, give { comment: '${remark}' }.` : hint;
}
