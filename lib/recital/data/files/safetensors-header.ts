import { ArgumentError, DataError } from '../../errors.js';

/** Kinds of numbers and their arrays: the format's names. */
export interface TensorArrays {
  F64: Float64Array;
  F32: Float32Array;
  U32: Uint32Array;
  I32: Int32Array;
  U16: Uint16Array;
  I16: Int16Array;
  U8: Uint8Array;
  I8: Int8Array;
}

/** Kind of number, by the format's name. */
export type Dtype = keyof TensorArrays;

/** Bytes of a number of each kind. */
export const dtypeBytes: Readonly<Record<Dtype, number>> = {
  F64: 8,
  F32: 4,
  U32: 4,
  I32: 4,
  U16: 2,
  I16: 2,
  U8: 1,
  I8: 1,
};

/** Where a tensor lies in a file, and how it is to be read. */
export interface TensorInfo {
  /** Kind of number. */
  readonly dtype: Dtype;
  /** Sizes of its dimensions; empty for a single number. */
  readonly shape: readonly number[];
  /** First byte and the one after the last, counted from the end of the header. */
  readonly offsets: readonly [number, number];
}

/** What a file's header says. */
export interface SafetensorsHeader {
  /** Tensors by name. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Texts by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

const METADATA = '__metadata__';

/** A header as text, padded with spaces so that the data begin at a multiple of 8. */
export function formatHeader({ tensors, metadata }: SafetensorsHeader): Buffer {
  const entry = (name: string, value: unknown): string =>
    `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  const entries = Object.keys(metadata).length ? [entry(METADATA, metadata)] : [];
  for (const [name, { dtype, shape, offsets }] of tensors) {
    if (name === METADATA)
      throw new ArgumentError(
        `A tensor cannot be called ${METADATA}: the format keeps that name for itself.`,
      );
    entries.push(entry(name, { dtype, shape, data_offsets: offsets }));
  }
  const text = Buffer.from(`{${entries.join(',')}}`);
  return Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
}

/**
 * Reads a header and checks all of it: JSON of the one form that the format allows, no name twice,
 * known kinds of numbers, shapes that fit their bytes, and tensors that follow each other without
 * gap or overlap to the end of the data.
 *
 * It is a parser of its own, because JSON.parse takes the last of two equal names in silence and
 * follows brackets as deep as a file likes.
 * @param text the header
 * @param dataBytes bytes that follow it in the file
 * @throws DataError that says what is wrong
 */
export function parseHeader(text: string, dataBytes: number): SafetensorsHeader {
  const parser = new HeaderParser(text);
  const tensors = new Map<string, TensorInfo>();
  let metadata: Record<string, string> = {};
  parser.object((name) => {
    if (name === METADATA) metadata = parser.texts();
    else tensors.set(name, parser.tensor(name));
  });
  parser.end();
  checkLayout(tensors, dataBytes);
  return { tensors, metadata };
}

function checkLayout(tensors: ReadonlyMap<string, TensorInfo>, dataBytes: number): void {
  for (const [name, { dtype, shape, offsets }] of tensors) {
    const [begin, end] = offsets;
    let bytes = dtypeBytes[dtype];
    for (const size of shape)
      if ((bytes *= size) > Number.MAX_SAFE_INTEGER)
        throw new DataError(`tensor ${show(name)} has an impossible shape.`);
    if (end - begin !== bytes) {
      throw new DataError(
        `tensor ${show(name)} has the shape [${shape.join(', ')}] of ${dtype}, ${bytes} bytes, but lies at bytes ${begin} to ${end}.`,
      );
    }
  }
  const inOrder = [...tensors].sort(
    ([, a], [, b]) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1],
  );
  let at = 0;
  for (const [name, { offsets }] of inOrder) {
    if (offsets[0] !== at)
      throw new DataError(
        `tensor ${show(name)} begins at byte ${offsets[0]} of the data; ${at} was expected.`,
      );
    at = offsets[1];
  }
  if (at > dataBytes)
    throw new DataError(
      `it is cut off: ${at} bytes of data were expected, there are ${dataBytes}.`,
    );
  if (at < dataBytes) throw new DataError(`${dataBytes - at} bytes follow the last tensor.`);
}

/** Follows the text of a header. */
class HeaderParser {
  private at = 0;

  constructor(private readonly text: string) {}

  /** An object: calls `field` with each name, which then reads the value. */
  object(field: (name: string) => void): void {
    this.take('{');
    const names = new Set<string>();
    if (this.skipped('}')) return;
    do {
      const name = this.string();
      if (names.has(name)) throw new DataError(`its header has the name ${show(name)} twice.`);
      names.add(name);
      this.take(':');
      field(name);
    } while (this.skipped(','));
    this.take('}');
  }

  /** An object of texts. */
  texts(): Record<string, string> {
    const texts: [string, string][] = [];
    this.object((name) => texts.push([name, this.string()]));
    return Object.fromEntries(texts);
  }

  /** The description of a tensor. */
  tensor(name: string): TensorInfo {
    let dtype: string | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    this.object((field) => {
      if (field === 'dtype') dtype = this.string();
      else if (field === 'shape') shape = this.integers();
      else if (field === 'data_offsets') offsets = this.integers();
      else throw new DataError(`tensor ${show(name)} has an unknown field ${show(field)}.`);
    });
    if (dtype === undefined || !shape || offsets?.length !== 2) {
      throw new DataError(
        `tensor ${show(name)} needs the fields dtype, shape and data_offsets [begin, end].`,
      );
    }
    if (!Object.hasOwn(dtypeBytes, dtype)) {
      throw new DataError(
        `tensor ${show(name)} is of ${show(dtype)}; ${Object.keys(dtypeBytes).join(', ')} can be read.`,
      );
    }
    return { dtype: dtype as Dtype, shape, offsets: [offsets[0], offsets[1]] };
  }

  /** Nothing but blanks may follow. */
  end(): void {
    this.blanks();
    if (this.at < this.text.length) throw this.wrong('the end');
  }

  private integers(): number[] {
    this.take('[');
    const values: number[] = [];
    if (this.skipped(']')) return values;
    do values.push(this.integer());
    while (this.skipped(','));
    this.take(']');
    return values;
  }

  private integer(): number {
    this.blanks();
    const digits = /(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y;
    digits.lastIndex = this.at;
    const [found] = digits.exec(this.text) ?? [];
    if (found === undefined || Number(found) > Number.MAX_SAFE_INTEGER)
      throw this.wrong('a whole number from 0 to 2⁵³ − 1');
    this.at += found.length;
    return Number(found);
  }

  private string(): string {
    this.take('"');
    const start = this.at - 1;
    for (;;) {
      const quote = this.text.indexOf('"', this.at);
      if (quote < 0) throw this.wrong('a closing quotation mark');
      let slashes = 0;
      while (this.text[quote - 1 - slashes] === '\\') slashes++;
      this.at = quote + 1;
      if (slashes % 2 === 0) break;
    }
    try {
      return JSON.parse(this.text.slice(start, this.at)) as string; // escapes and forbidden characters are JSON's
    } catch {
      this.at = start;
      throw this.wrong('a string');
    }
  }

  private blanks(): void {
    while (' \t\n\r'.includes(this.text[this.at] || '.')) this.at++;
  }

  private skipped(character: string): boolean {
    this.blanks();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private take(character: string): void {
    if (!this.skipped(character)) throw this.wrong(`"${character}"`);
  }

  private wrong(expected: string): DataError {
    const found =
      this.at < this.text.length ? show(this.text.slice(this.at, this.at + 12)) : 'the end';
    return new DataError(
      `its header has ${found} at character ${this.at}, where ${expected} was expected.`,
    );
  }
}

/** A name from a file, shortened and escaped for a message. */
function show(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
}
