import { ArgumentError, DataError } from '../errors.js';
import { delimiterOf, firstLine, splitRecord, type TextFile } from './text-file.js';

/** How a table is written as text: options of everything that reads CSV files and their like. A Parquet file needs none of them, and refuses them. */
export interface TextFormatOptions {
  /**
   * Whether the first line holds the names of the columns. Default: true, but false where `names` are given (pandas' rule). Unless this is given, a first line
   * of nothing but numbers is an error: it is data.
   */
  header?: boolean;
  /** The names of the columns, one for each, in the place of those in the file. Default: those in the file; `column0`, `column1` … without a header. */
  names?: readonly string[];
  /**
   * What stands between fields: 1 to 4 bytes, such as `'\t'`, or MovieLens 1M's `'::'`. Default: comma, tab, semicolon or bar, whichever the first line has most
   * of; `::` if it has none of them.
   */
  delimiter?: string;
}

/** How one file is written. */
export interface TextFormat {
  /** Whether its first record holds names. */
  header: boolean;
  /** Names of the columns. */
  names: string[];
  delimiter: string;
  /** Fields of its first record, trimmed. */
  first: string[];
  /** Blank lines above its first record. */
  skip: number;
}

const MAX_BYTES = 4; // of a delimiter: DuckDB's limit

/** Throws ArgumentError unless the options can be followed, whatever the file. */
export function checkFormat({ header, names, delimiter }: TextFormatOptions): void {
  if (header !== undefined && typeof header !== 'boolean') {
    throw new ArgumentError(`header is true or false: whether the first line holds names. Got ${JSON.stringify(header)}.`);
  }
  if (names !== undefined) {
    if (!Array.isArray(names) || names.length === 0 || !names.every((name) => typeof name === 'string' && name !== '')) {
      throw new ArgumentError(`names must be a list of texts, such as ['user', 'item', 'rating'], got ${JSON.stringify(names)}.`);
    }
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) throw new ArgumentError(`names must differ from each other, but "${twice}" occurs twice.`);
  }
  if (delimiter === undefined) return;
  if (typeof delimiter !== 'string' || delimiter === '' || Buffer.byteLength(delimiter) > MAX_BYTES || /["\r\n\0]/.test(delimiter)) {
    throw new ArgumentError(
      `delimiter must be a text of 1 to ${MAX_BYTES} bytes without quotation marks and line ends, such as ',' or '\\t' or '::', got ${JSON.stringify(delimiter)}.`,
    );
  }
}

/** Throws ArgumentError if any option is given: for files that say themselves how they are written. */
export function refuseFormat({ header, names, delimiter }: TextFormatOptions, path: string): void {
  const given = Object.entries({ header, names, delimiter }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (given.length) throw new ArgumentError(`"${path}" has columns of its own: leave ${given.join(' and ')} out.`);
}

/** The format of a file, from its first lines and what is given. Throws DataError for a first line of numbers, and for names that do not fit it. */
export function formatOf(file: TextFile, options: TextFormatOptions): TextFormat {
  const { delimiter, first, skip } = firstRecord(file, options);
  const header = options.header ?? options.names === undefined;
  if (header && options.header === undefined && first.every(isNumber)) throw headerOfNumbers(file.path, first);
  return { header, names: columnNames(file.path, { first, header, given: options.names }), delimiter, first, skip };
}

/** The first record of a file and its delimiter. */
export function firstRecord(file: TextFile, options: TextFormatOptions): Pick<TextFormat, 'delimiter' | 'first' | 'skip'> {
  const line = firstLine(file.head);
  const delimiter = options.delimiter ?? delimiterOf(line);
  const skip = /^(?:[^\S\n]*\n)*/.exec(file.head)?.[0].split('\n').length ?? 1;
  return { delimiter, first: splitRecord(line, delimiter).map((field) => field.trim()), skip: skip - 1 };
}

/** Names of the columns: those given, those of the header, or numbered ones. */
export function columnNames(
  path: string,
  { first, header, given }: { first: readonly string[]; header: boolean; given?: readonly string[] },
): string[] {
  if (given && given.length !== first.length) {
    throw new DataError(
      `"${path}" has ${first.length} column${first.length === 1 ? '' : 's'} in line 1, but ${given.length} name${given.length === 1 ? ' is' : 's are'} given: ${given.join(', ')}. ` +
        `${first.length === 1 ? 'Is the delimiter another one? Give it by the option delimiter.' : 'Name each column.'}`,
    );
  }
  if (given) return [...given];
  return header ? [...first] : first.map((_, i) => `column${i}`);
}

/** Whether a field is a number. */
export function isNumber(field: string | undefined): boolean {
  return field !== undefined && field.trim() !== '' && Number.isFinite(Number(field));
}

function headerOfNumbers(path: string, first: readonly string[]): DataError {
  const example = ['user', 'item', 'rating', 'timestamp'];
  const names = first.slice(0, 8).map((_, i) => `'${example[i] ?? `column${i}`}'`);
  return new DataError(
    `"${path}", line 1: expected the names of the columns, found numbers: ${first.slice(0, 8).join(', ')}. If the file has no header, name its columns: ` +
      `{ names: [${names.join(', ')}${first.length > 8 ? ', …' : ''}] }, or give { header: false }. If these are the names, give { header: true }.`,
  );
}
