import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ArgumentError, DataError, NumericError, RecitalError } from '../../errors.js';
import { checkOptions, whatIs } from '../../options.js';
import { writeAtomically } from './atomic-write.js';
import { existingFile } from './text-file.js';

/**
 * A header of more than this is refused before it is read: a model's is some kilobytes. (The format
 * itself allows 100 MB.)
 */
const MAX_HEADER = 1 << 24;
const CHUNK = 1 << 28;
/** So many bytes are read at once to be summed up. */
const PIECE = 1 << 22;

/** Numbers of a tensor, row-major: the array's type says which kind. */
export type TensorData = TensorArrays[Dtype];

/** Numbers and their dimensions. */
export interface Tensor {
  /** Sizes of the dimensions; their product is the number of values. Empty for a single number. */
  readonly shape: readonly number[];
  /** The values, row-major. */
  readonly data: TensorData;
}

/** The content of a file. */
export interface Safetensors {
  /** Tensors by name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Texts by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

const arrayTypes = {
  F64: Float64Array,
  F32: Float32Array,
  U32: Uint32Array,
  I32: Int32Array,
  U16: Uint16Array,
  I16: Int16Array,
  U8: Uint8Array,
  I8: Int8Array,
};

/** The kind of number in an array. */
function dtypeOf(name: string, data: TensorData): Dtype {
  for (const dtype of Object.keys(arrayTypes) as Dtype[])
    if (data instanceof arrayTypes[dtype]) return dtype;
  throw new ArgumentError(
    `Tensor "${name}" must be one of ${Object.values(arrayTypes).map((type) => type.name)}, got ${typeof data}.`,
  );
}

/**
 * Writes tensors in the safetensors format, which Python's package of that name reads, and nothing
 * in which is ever executed:
 *
 * bytes 0 … 7 N, the length of the header, little-endian 8 … 8 + N JSON {name: {dtype, shape,
 * data_offsets: [begin, end]}, …, "__metadata__": {text: text}}, padded with spaces 8 + N … the
 * data; a tensor's are at 8 + N + begin … 8 + N + end, little-endian, row-major
 *
 * Here 8 + N is a multiple of 8, and tensors of 8-byte numbers come first, then those of 4, 2 and
 * 1, so that each is aligned. The file is written as a whole or not at all, straight from the
 * arrays.
 * @param file its path
 * @param tensors by name
 * @param options `metadata`: texts by name, default none
 * @example
 * writeSafetensors('two.safetensors', { a: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } }, { metadata: { by: 'me' } });
 * readSafetensors('two.safetensors').tensors.get('a')?.shape // [2, 2]
 */
export function writeSafetensors(
  file: string,
  tensors: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>,
  options: { metadata?: Readonly<Record<string, string>> } = {},
): void {
  checkOptions(options, ['metadata'], 'writeSafetensors');
  const { metadata = {} } = options;
  if (typeof metadata !== 'object' || metadata === null)
    throw new ArgumentError(`metadata are texts by name, { by: 'me' }, got ${whatIs(metadata)}.`);
  if (typeof file !== 'string' || file === '')
    throw new ArgumentError(
      `writeSafetensors needs the path of a file, got ${file === '' ? 'an empty one' : typeof file}.`,
    );
  if (typeof tensors !== 'object' || tensors === null)
    throw new ArgumentError(
      `Tensors are given by name, as an object or a Map, got ${typeof tensors}.`,
    );
  const entries =
    tensors instanceof Map
      ? [...(tensors as ReadonlyMap<string, Tensor>)]
      : Object.entries(tensors as Record<string, Tensor>);
  for (const [name, text] of Object.entries(metadata)) {
    if (typeof text !== 'string')
      throw new ArgumentError(
        `Metadata are texts; "${name}" is a ${typeof text}: write it as text, e.g. by JSON.stringify.`,
      );
  }
  for (const [name, tensor] of entries) {
    if (!Array.isArray(tensor?.shape))
      throw new ArgumentError(
        `Tensor "${name}" must be { shape, data } with the sizes of its dimensions, got ${typeof tensor}.`,
      );
  }
  const described = entries.map(([name, { shape, data }]) => ({
    name,
    shape,
    data,
    dtype: dtypeOf(name, data),
  }));
  described.sort((a, b) => dtypeBytes[b.dtype] - dtypeBytes[a.dtype]);
  const infos = new Map<string, TensorInfo>();
  let at = 0;
  for (const { name, shape, data, dtype } of described) {
    if (
      !Array.from(shape).every((d) => Number.isInteger(d) && d >= 0) ||
      shape.reduce((a, b) => a * b, 1) !== data.length
    ) {
      throw new ArgumentError(
        `Tensor "${name}" has the shape [${shape.join(', ')}], which does not fit its ${data.length} values.`,
      );
    }
    infos.set(name, { dtype, shape, offsets: [at, (at += data.byteLength)] });
  }
  const header = formatHeader({ tensors: infos, metadata });
  if (header.length > MAX_HEADER)
    throw new ArgumentError(
      `The header has ${header.length} bytes, more than ${MAX_HEADER}: put large texts into tensors of bytes.`,
    );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeAtomically(file, [length, header, ...described.map(({ data }) => data)]);
}

/**
 * Reads a safetensors file as a whole. Everything the header says is checked against the file
 * before memory is taken for it.
 * @param file its path
 * @throws DataError if there is no such file, or it is not whole, not of this format, or of kinds
 *   of numbers that JavaScript has no array for (F16, BF16 …)
 * @example
 * const { tensors } = readSafetensors(learn.save('stage-1'));
 * [...tensors.keys()];
 */
export function readSafetensors(file: string): Safetensors {
  return openSafetensors(file, (st) => {
    const tensors = new Map<string, Tensor>();
    for (const [name, { dtype, shape }] of st.tensors)
      tensors.set(name, { shape, data: st.read(name, dtype) });
    return { tensors, metadata: st.metadata };
  });
}

/** The name under which a checksum stands among the metadata. */
const CHECKSUM = 'sha256';

/** What a checksum covers before any data: all other metadata, by name. */
function metadataHash(metadata: Readonly<Record<string, string>>): Hash {
  const others = Object.entries(metadata).filter(([name]) => name !== CHECKSUM);
  return createHash('sha256').update(JSON.stringify(others.sort(([a], [b]) => (a < b ? -1 : 1))));
}

/**
 * Metadata with the SHA-256 of all that a file says: the other metadata, and of each tensor, in the
 * order of their names, its name, kind of number, shape and bytes. It does not depend on how the
 * header is written or where the tensors lie. It tells damage, not forgery.
 */
export function withChecksum(
  metadata: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, Tensor>,
): Record<string, string> {
  const hash = metadataHash(metadata);
  for (const name of [...tensors.keys()].sort()) {
    const { shape, data } = tensors.get(name)!;
    hash.update(JSON.stringify([name, dtypeOf(name, data), shape]));
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at < bytes.length; at += CHUNK) hash.update(bytes.subarray(at, at + CHUNK));
  }
  return { ...metadata, [CHECKSUM]: hash.digest('hex') };
}

/** Where tensors are read from: a file, or those of a file whose names begin alike. */
export abstract class TensorSource {
  /** Kind, shape and place of each tensor by name. */
  abstract readonly tensors: ReadonlyMap<string, TensorInfo>;

  /**
   * The values of a tensor.
   * @param name which
   * @param dtype the kind of number that is expected
   * @param shape the shape that is expected; default: any
   * @throws DataError if there is no such tensor, or it is of another kind or shape
   */
  abstract read<D extends Dtype>(
    name: string,
    dtype: D,
    shape?: readonly number[],
  ): TensorArrays[D];

  /** Whether there is a tensor of this name. */
  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /** Sizes of a tensor's dimensions; none if there is no such tensor. */
  shape(name: string): readonly number[] {
    return this.tensors.get(name)?.shape ?? [];
  }

  /** The tensors whose names begin with `prefix`, without it. */
  within(prefix: string): TensorSource {
    return prefix === '' ? this : new TensorsWithin(this, prefix);
  }
}

class TensorsWithin extends TensorSource {
  readonly tensors: ReadonlyMap<string, TensorInfo>;

  constructor(
    private readonly of: TensorSource,
    private readonly prefix: string,
  ) {
    super();
    this.tensors = new Map(
      Array.from(of.tensors).flatMap(([name, info]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), info]] : [],
      ),
    );
  }

  read<D extends Dtype>(name: string, dtype: D, shape?: readonly number[]): TensorArrays[D] {
    return this.of.read(this.prefix + name, dtype, shape);
  }
}

/**
 * An open file: its header has been read and checked, its data are read when they are asked for.
 */
export class SafetensorsFile extends TensorSource {
  /** Texts by name. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  private readonly dataStart: number;

  /** @param fd an open file */
  constructor(private readonly fd: number) {
    super();
    const { size } = fstatSync(fd);
    if (size < 8) throw new DataError(`it has ${size} bytes, too few for a safetensors file.`);
    const first = this.bytes(0, 8);
    const length = first.readBigUInt64LE();
    if (length < 2n || length > BigInt(MAX_HEADER)) {
      throw new DataError(
        `it is not a safetensors file${foreign(first)}: its header would have ${length} bytes; 2 to ${MAX_HEADER} are taken.`,
      );
    }
    this.dataStart = 8 + Number(length);
    if (this.dataStart > size) {
      const what = foreign(first)
        ? `not a safetensors file${foreign(first)}`
        : 'cut off, or not a safetensors file';
      throw new DataError(
        `it is ${what}: a header of ${length} bytes was expected, ${size - 8} are there.`,
      );
    }
    const header = this.bytes(8, Number(length));
    if (header[0] !== 0x7b)
      throw new DataError('it is not a safetensors file: its header does not begin with "{".');
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
    } catch {
      throw new DataError('it is not a safetensors file: its header is not UTF-8.');
    }
    ({ tensors: this.tensors, metadata: this.metadata } = parseHeader(text, size - this.dataStart));
  }

  read<D extends Dtype>(name: string, dtype: D, shape?: readonly number[]): TensorArrays[D] {
    const info = this.tensors.get(name);
    const wanted = `${dtype}${shape ? ` of shape [${shape.join(', ')}]` : ''}`;
    if (!info) throw new DataError(`it has no tensor "${name}"; one of ${wanted} was expected.`);
    if (info.dtype !== dtype || (shape && shape.join() !== info.shape.join())) {
      throw new DataError(
        `tensor "${name}" is ${info.dtype} of shape [${info.shape.join(', ')}]; ${wanted} was expected.`,
      );
    }
    const [begin, end] = info.offsets;
    const { buffer } = this.bytes(this.dataStart + begin, end - begin);
    return new arrayTypes[dtype](buffer as ArrayBuffer) as TensorArrays[D];
  }

  /**
   * Compares the file with its checksum, if it has one: see {@link withChecksum}.
   * @throws DataError if they differ
   */
  checkSum(): void {
    const { metadata, tensors } = this;
    if (!Object.hasOwn(metadata, CHECKSUM)) return;
    const hash = metadataHash(metadata);
    for (const name of [...tensors.keys()].sort()) {
      const { dtype, shape, offsets } = tensors.get(name)!;
      hash.update(JSON.stringify([name, dtype, shape]));
      for (let at = offsets[0]; at < offsets[1]; at += PIECE)
        hash.update(this.bytes(this.dataStart + at, Math.min(PIECE, offsets[1] - at)));
    }
    if (hash.digest('hex') === metadata[CHECKSUM]) return;
    throw new DataError(
      `it is damaged: its content is not what was written (its checksum is another). Take a copy, or write it again. Whoever has changed it on purpose takes "${CHECKSUM}" out of its metadata.`,
    );
  }

  private bytes(from: number, length: number): Buffer {
    let buffer: Buffer;
    try {
      buffer = Buffer.from(new ArrayBuffer(length));
    } catch {
      throw new NumericError(`there is not enough memory to read ${length} bytes.`);
    }
    for (let at = 0; at < length; ) {
      const got = readSync(this.fd, buffer, at, Math.min(length - at, CHUNK), from + at);
      if (got === 0) throw new DataError('it was cut off while it was read.');
      at += got;
    }
    return buffer;
  }
}

/**
 * Opens a file for as long as `use` works with it. An error of ours in there is about the file, and
 * comes out as a DataError that names it.
 * @param file its path
 * @param use takes what it needs, and returns it
 */
export function openSafetensors<T>(file: string, use: (st: SafetensorsFile) => T): T {
  const fd = open(file);
  try {
    return use(new SafetensorsFile(fd));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof NumericError) throw new NumericError(`"${file}": ${message}`);
    if (error instanceof RecitalError || code !== undefined)
      throw new DataError(`"${file}": ${message}`);
    throw error;
  } finally {
    closeSync(fd);
  }
}

function open(file: string): number {
  try {
    existingFile(file);
    return openSync(file, 'r');
  } catch (error) {
    if (error instanceof RecitalError) throw error;
    throw new DataError(`"${file}" cannot be opened: ${(error as Error).message}.`);
  }
}

/** What a file of another kind seems to be. */
function foreign(first: Buffer): string {
  const starts = (text: string): boolean => first.toString('latin1').startsWith(text);
  if (starts('PK')) return ' but a zip archive, as PyTorch writes it';
  if (first[0] === 0x80 && first[1] <= 5) return ' but a Python pickle';
  if (starts('\x1f\x8b')) return ' but a gzip file';
  if (starts('\x89HDF')) return ' but HDF5';
  return '';
}

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
