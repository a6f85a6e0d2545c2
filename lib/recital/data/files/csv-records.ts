/** How a text is split into records and fields. */
export interface Dialect {
  /** The text between fields. */
  delimiter: string;
  /** The mark around fields that hold delimiters, line ends or (doubled) marks; '' for none. */
  quote: string;
  /** The beginning of lines that are left out; '' for none. */
  comment: string;
  /** Number of lines to leave out at the beginning. */
  skip: number;
  /** Whether a blank line is a record: where there is one column. */
  blank: boolean;
}

/** A record of a CSV file. */
export interface CsvRecord {
  /** Line on which it begins, counted from 1. */
  line: number;
  /** Its fields, unquoted. */
  fields: string[];
  /** Its text, if it has several lines. */
  raw?: string;
  /** A fault of quotation: it is never closed, or text follows the mark that closes it. */
  fault?: 'open' | 'stray';
}

/** The most characters of a record: a longer one is an open quotation, or no table. */
export const MAX_RECORD = 1 << 24;
export const TOO_LONG = '16 million characters';

/**
 * Splits a text that comes in parts into records, by the rules of every reader: a line ends at \n,
 * \r\n or \r; blank lines are left out, unless there is one column; a quotation begins with a mark
 * at the beginning of a field, and blanks around it do not count; within a quotation two marks are
 * one, and line ends are text.
 */
export class Records {
  private text = '';
  private at = 0;
  /** The line on which the next record begins. */
  line = 1;
  private nextReturn = -2; // −1: there is none; −2: not looked for
  private toSkip: number;

  constructor(private readonly dialect: Dialect) {
    this.toSkip = dialect.skip;
  }

  /** The line that the text has reached. */
  get lineReached(): number {
    return this.line + lineEnds(this.text.slice(this.at));
  }

  /** Whether the record that has begun is too long. */
  get tooLong(): boolean {
    return this.text.length - this.at > MAX_RECORD;
  }

  /** Adds text and visits the records that it completes. Returns false once `visit` does. */
  push(part: string, last: boolean, visit: (record: CsvRecord) => unknown): boolean {
    this.text = this.text.slice(this.at) + part;
    this.at = 0;
    this.nextReturn = -2;
    for (let record = this.next(last); record; record = this.next(last))
      if (visit(record) === false) return false;
    return true;
  }

  private next(last: boolean): CsvRecord | undefined {
    const { quote, comment, delimiter, blank } = this.dialect;
    for (;;) {
      if (this.at >= this.text.length) return undefined;
      const end = this.lineEnd(this.at, last);
      if (end < 0) return undefined;
      const line = this.text.slice(this.at, end);
      const begins = this.line;
      const leftOut =
        this.toSkip > 0 || (line === '' && !blank) || (comment !== '' && line.startsWith(comment));
      if (leftOut || quote === '' || !line.includes(quote)) {
        this.pass(end);
        if (this.toSkip > 0) this.toSkip--;
        if (!leftOut) return { line: begins, fields: line.split(delimiter) };
        continue;
      }
      return this.quoted(last);
    }
  }

  /** A record with quotation marks, undefined if it is not complete. */
  private quoted(last: boolean): CsvRecord | undefined {
    const { quote, delimiter } = this.dialect;
    const { text, at: start, line: begins } = this;
    const blanks = (i: number): number => {
      while (text[i] === ' ') i++;
      return i;
    };
    const fields: string[] = [];
    let fault: CsvRecord['fault'];
    let at = start;
    let end = this.lineEnd(start, last);
    for (;;) {
      const mark = delimiter[0] === ' ' ? at : blanks(at);
      if (text[mark] !== quote) {
        const next = text.indexOf(delimiter, at);
        const more = next >= 0 && next < end;
        fields.push(text.slice(at, more ? next : end));
        if (!more) break;
        at = next + delimiter.length;
        continue;
      }
      let field = '';
      for (at = mark + 1; ; ) {
        const close = text.indexOf(quote, at);
        if (close < 0 && !last) return undefined;
        if (close < 0) {
          fields.push(field + text.slice(at));
          this.at = text.length;
          return { line: begins, fields, fault: 'open' };
        }
        if (close + 1 === text.length && !last) return undefined;
        field += text.slice(at, close);
        at = close + 1;
        if (text[at] !== quote) break;
        field += quote;
        at++;
      }
      fields.push(field);
      end = this.lineEnd(at, last);
      if (end < 0) return undefined;
      if (!text.startsWith(delimiter, at)) at = blanks(at);
      if (at === end) break;
      if (!text.startsWith(delimiter, at)) {
        fault = 'stray';
        break;
      }
      at += delimiter.length;
    }
    const raw = text.slice(start, end);
    const more = lineEnds(raw);
    this.line += more;
    this.pass(end);
    return { line: begins, fields, raw: more > 0 ? raw : undefined, fault };
  }

  /** Where the line of a place ends; −1 if that is not known yet. */
  private lineEnd(from: number, last: boolean): number {
    const { text } = this;
    if (this.nextReturn === -2 || (this.nextReturn >= 0 && this.nextReturn < from))
      this.nextReturn = text.indexOf('\r', from);
    const feed = text.indexOf('\n', from);
    const end =
      this.nextReturn >= 0 && (feed < 0 || this.nextReturn < feed) ? this.nextReturn : feed;
    if (end < 0) return last ? text.length : -1;
    return text[end] === '\r' && end + 1 === text.length && !last ? -1 : end; // \n may follow
  }

  /** Moves behind a line end. */
  private pass(end: number): void {
    this.at = end + (this.text.startsWith('\r\n', end) ? 2 : 1);
    this.line++;
  }
}

/** The number of line ends in a text. */
export function lineEnds(text: string): number {
  return (text.match(/\r\n?|\n/g) ?? []).length;
}

/** The fields of one CSV record, unquoted. */
export function splitRecord(record: string, delimiter: string): string[] {
  let fields = [''];
  const dialect = { delimiter, quote: '"', comment: '', skip: 0, blank: true };
  new Records(dialect).push(record, true, (first) => {
    ({ fields } = first);
    return false;
  });
  return fields;
}
