import { isUtf8, textBytes, utf8 } from '../../compute/host.js';
import { atOnce, type Steps } from '../../compute/interrupt.js';
import { ArgumentError, DataError, NumericError } from '../../errors.js';
import { Fields, shortened } from '../../fields.js';
import { checkArgument, given, whatIs } from '../../options.js';
import { writeAtomically } from './atomic-write.js';
import { namedError } from './named-error.js';
import { type ByteSource, fileInSteps } from './open-file.js';

/** Types of numbers by the format's names, and their arrays. */
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
type Dtype = keyof typeof arrayTypes;
type TensorArrays = { [D in Dtype]: (typeof arrayTypes)[D]['prototype'] };

/** Numbers of a tensor, row-major: the type of the array is the type of the numbers. */
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

/** A longer header is refused before it is read; the format itself allows 100 MB. */
const MAX_HEADER = 1 << 24;

/** The name in the header that is not a tensor's. */
const METADATA = '__metadata__';

const WRITE = {
  /** Texts by name. Default: none. */
  metadata: {} as Readonly<Record<string, string>>,
};

/**
 * Writes tensors in the safetensors format, which Python's package of that name reads, and nothing
 * in which is ever executed:
 *
 * - bytes 0 … 7: N, the length of the header, little-endian
 * - bytes 8 … 8 + N: the header, JSON {name: {dtype, shape, data_offsets: [begin, end]}, …,
 *   "__metadata__": {text: text}}, padded with spaces
 * - the data, little-endian, row-major; those of a tensor at 8 + N + begin … 8 + N + end
 *
 * Wider numbers come first, and 8 + N is a multiple of 8, so that each tensor is aligned. The file
 * is written as a whole or not at all, straight from the arrays.
 * @example
 * writeSafetensors('two.safetensors', { a: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } }, { metadata: { by: 'me' } });
 * readSafetensors('two.safetensors').tensors.get('a')?.shape // [2, 2]
 */
export function writeSafetensors(
  file: string,
  tensors: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>,
  options: Partial<typeof WRITE> = {},
): void {
  const of = 'writeSafetensors';
  const { metadata } = given(WRITE, options, of);
  checkArgument(typeof file === 'string' && file !== '', file, of, 'the path of a file');
  checkArgument(isObject(tensors), tensors, of, 'tensors by name, as an object or a Map');
  checkArgument(isObject(metadata), metadata, of, "metadata as texts by name, { by: 'me' }");
  const byName = tensors instanceof Map ? tensors : new Map(Object.entries(tensors));
  writeAtomically(file, safetensorsOf(byName, metadata));
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** A safetensors file, part by part: see {@link writeSafetensors}. */
export function safetensorsOf(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): NodeJS.ArrayBufferView[] {
  for (const [name, text] of Object.entries(metadata))
    if (typeof text !== 'string')
      throw new ArgumentError(
        `Metadata are texts; "${name}" is ${whatIs(text)}: write it as text, e.g. by JSON.stringify.`,
      );
  const entries = Array.from(tensors, ([name, tensor]) => ({ name, ...described(name, tensor) }));
  entries.sort((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const fields: [string, unknown][] = Object.keys(metadata).length ? [[METADATA, metadata]] : [];
  let at = 0;
  for (const { name, dtype, shape, data } of entries)
    fields.push([name, { dtype, shape, data_offsets: [at, (at += data.byteLength)] }]);
  const json = fields.map((field) => field.map((part) => JSON.stringify(part)).join(':')); // of an object 1 would come before a
  const text = utf8(`{${json.join(',')}}`);
  const header = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  header.set(text);
  if (header.length > MAX_HEADER)
    throw new ArgumentError(
      `The header has over ${MAX_HEADER} bytes: put large texts into tensors of bytes.`,
    );
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(header.length), true);
  return [length, header, ...entries.map(({ data }) => data)];
}

/** A tensor and the type of its numbers. Throws ArgumentError for what is no tensor. */
function described(name: string, tensor: Tensor): Tensor & { dtype: Dtype } {
  const check = (fits: boolean, wrong: string): void => {
    if (!fits) throw new ArgumentError(`Tensor "${name}" ${wrong}.`);
  };
  check(name !== METADATA, 'must have another name: the format keeps that name for itself');
  const form = 'must be { shape, data } with the sizes of its dimensions';
  check(Array.isArray(tensor?.shape), `${form}, got ${whatIs(tensor)}`);
  const { shape, data } = tensor;
  const dtype = dtypeOf(name, data);
  const sized = Array.from(shape).every((d) => Number.isInteger(d) && d >= 0);
  const misfit = `has the shape [${shape.join(', ')}], which does not fit its ${data.length} values`;
  check(sized && shape.reduce((a, b) => a * b, 1) === data.length, misfit);
  return { shape, data, dtype };
}

/** The type of the numbers in an array. */
export function dtypeOf(name: string, data: TensorData): Dtype {
  for (const dtype of Object.keys(arrayTypes) as Dtype[])
    if (data instanceof arrayTypes[dtype]) return dtype;
  throw new ArgumentError(
    `Tensor "${name}" must be one of ${Object.values(arrayTypes).map((type) => type.name)}, got ${whatIs(data)}.`,
  );
}

/** A tensor in a file: its type, shape, first byte and the one after its last in the data. */
export interface TensorInfo {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly offsets: readonly [number, number];
}

/** What a file's header says. */
interface Header extends Pick<Safetensors, 'metadata'> {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/**
 * Reads a header and checks all of it: no name twice, known types of numbers, shapes that fit their
 * bytes, and tensors that follow each other without gap or overlap to the end of the data.
 * @param dataBytes bytes that follow the header in the file
 */
export function parseHeader(text: string, dataBytes: number): Header {
  const header = Fields.parse(text, 'its header', MAX_HEADER);
  checkTokens(text);
  const texts = header.has(METADATA) ? header.object(METADATA) : undefined;
  const tensors = new Map<string, TensorInfo>();
  for (const name of header.names)
    if (name !== METADATA) tensors.set(name, tensorInfo(header.object(name)));
  checkLayout(tensors, dataBytes);
  const metadata = texts?.names.map((name) => [name, texts.text(name)]) ?? [];
  return { tensors, metadata: Object.fromEntries(metadata) as Record<string, string> };
}

function tensorInfo(fields: Fields): TensorInfo {
  fields.only(['dtype', 'shape', 'data_offsets']);
  const dtype = fields.text('dtype');
  const shape = fields.counts('shape');
  const [begin, end, ...more] = fields.counts('data_offsets');
  if (!Object.hasOwn(arrayTypes, dtype))
    return fields.wrong('dtype', `one of ${Object.keys(arrayTypes).join(', ')}`);
  if (end === undefined || more.length)
    return fields.wrong('data_offsets', 'two numbers, [begin, end]');
  return { dtype: dtype as Dtype, shape, offsets: [begin, end] };
}

/**
 * Refuses what JSON.parse lets pass: of two equal names in an object it takes the last one, and it
 * rounds numbers, or takes 1e2 for a whole one.
 * @param text valid JSON
 */
function checkTokens(text: string): void {
  const open: Set<string>[] = [];
  const unescaped = text.replace(/\\./g, '__'); // so that a quotation mark begins or ends a string
  for (const match of unescaped.matchAll(/([{}])|("[^"]*")\s*(:?)|-?\d[^\s,\]}]*/g)) {
    const [token, brace, string, colon] = match;
    if (brace === '{') open.push(new Set());
    else if (brace) open.pop();
    else if (string === undefined) {
      if (!/^\d{1,16}$/.test(token) || !Number.isSafeInteger(Number(token)))
        throw new DataError(
          `its header has the number ${token.slice(0, 30)}; expected: whole numbers up to 2⁵³ − 1.`,
        );
    } else if (colon) {
      const name = JSON.parse(text.slice(match.index, match.index + string.length)) as string;
      const names = open[open.length - 1];
      if (names.has(name)) throw new DataError(`its header has the name ${shown(name)} twice.`);
      names.add(name);
    }
  }
}

function checkLayout(tensors: ReadonlyMap<string, TensorInfo>, dataBytes: number): void {
  for (const [name, { dtype, shape, offsets }] of tensors) {
    const [begin, end] = offsets;
    let bytes = arrayTypes[dtype].BYTES_PER_ELEMENT;
    for (const size of shape)
      if ((bytes *= size) > Number.MAX_SAFE_INTEGER)
        throw new DataError(`tensor ${shown(name)} has an impossible shape.`);
    if (end - begin !== bytes)
      throw new DataError(
        `tensor ${shown(name)} has the shape [${shape.join(', ')}] of ${dtype}, ${bytes} bytes, but lies at bytes ${begin} to ${end}.`,
      );
  }
  const places = Array.from(tensors, ([name, { offsets }]) => ({ name, offsets }));
  places.sort(({ offsets: a }, { offsets: b }) => a[0] - b[0] || a[1] - b[1]);
  let at = 0;
  for (const { name, offsets } of places) {
    const [begin, end] = offsets;
    if (begin !== at)
      throw new DataError(
        `tensor ${shown(name)} begins at byte ${begin} of the data; ${at} was expected.`,
      );
    at = end;
  }
  if (at > dataBytes)
    throw new DataError(
      `it is cut off: ${at} bytes of data were expected, there are ${dataBytes}.`,
    );
  if (at < dataBytes) throw new DataError(`${dataBytes - at} bytes follow the last tensor.`);
}

const shown = (name: string): string => JSON.stringify(shortened(name));

/** Tensors to read by name: those of a file, or those of a file whose names begin alike. */
export class TensorSource {
  constructor(
    /** Type, shape and place of each tensor by name. */
    readonly tensors: ReadonlyMap<string, TensorInfo>,
    private readonly bytesOf: (info: TensorInfo) => ArrayBuffer | TensorData,
    private readonly prefix = '',
  ) {}

  /** Whether there is a tensor of this name. */
  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /** Sizes of a tensor's dimensions; none if there is no such tensor. */
  shape(name: string): readonly number[] {
    return this.tensors.get(name)?.shape ?? [];
  }

  /**
   * The values of a tensor, of the expected type and, if it is given, shape.
   * @throws DataError if there is no such tensor, or its type or shape is another one
   */
  read<D extends Dtype>(name: string, dtype: D, shape?: readonly number[]): TensorArrays[D] {
    const info = this.tensors.get(name);
    const whole = this.prefix + name;
    const wanted = `${dtype}${shape ? ` of shape [${shape.join(', ')}]` : ''}`;
    if (!info) throw new DataError(`it has no tensor "${whole}"; one of ${wanted} was expected.`);
    if (info.dtype !== dtype || (shape && shape.join() !== info.shape.join()))
      throw new DataError(
        `tensor "${whole}" is ${info.dtype} of shape [${info.shape.join(', ')}]; ${wanted} was expected.`,
      );
    const data = this.bytesOf(info);
    return (data instanceof ArrayBuffer ? new arrayTypes[dtype](data) : data) as TensorArrays[D];
  }

  /** The tensors whose names begin with `prefix`, without it. */
  within(prefix: string): TensorSource {
    const inside = [...this.tensors].filter(([name]) => name.startsWith(prefix));
    return new TensorSource(
      new Map(inside.map(([name, info]) => [name.slice(prefix.length), info])),
      this.bytesOf,
      this.prefix + prefix,
    );
  }
}

/** An open file. Its header has been read and checked; its data are read when asked for. */
export class SafetensorsFile extends TensorSource {
  /** Texts by name. */
  readonly metadata: Readonly<Record<string, string>>;
  private readonly start: number;
  private readonly held: Map<TensorInfo, TensorData>;

  /** @param bytes those of the whole file */
  constructor(private readonly bytes: ByteSource) {
    const { tensors, metadata, start } = readHeader(bytes);
    const held = new Map<TensorInfo, TensorData>();
    const given = new Set<TensorInfo>();
    super(tensors, (info) => {
      const data = held.get(info);
      const [begin, end] = info.offsets;
      if (!data) return readBytes(bytes, start + begin, end - begin).buffer;
      if (given.has(info)) return data.slice(); // whoever reads it has an array of their own
      given.add(info);
      return data;
    });
    this.metadata = metadata;
    this.start = start;
    this.held = held;
  }

  /** The bytes of a tensor in order, read piece by piece into an array, which `read` gives then. */
  *fill(name: string, data: TensorData): Iterable<Uint8Array> {
    const info = this.tensors.get(name)!;
    for (let at = 0; at < data.byteLength; at += SMALL_PIECE) {
      const length = Math.min(SMALL_PIECE, data.byteLength - at);
      const piece = new Uint8Array(data.buffer, data.byteOffset + at, length);
      this.bytes.fill(piece, this.start + info.offsets[0] + at);
      yield piece;
    }
    this.held.set(info, data);
  }

  /** The bytes of a tensor in order, read piece by piece. */
  *pieces(name: string): Iterable<Uint8Array> {
    const [begin, end] = this.tensors.get(name)!.offsets;
    for (let at = begin; at < end; at += PIECE)
      yield readBytes(this.bytes, this.start + at, Math.min(PIECE, end - at));
  }
}

/** The header of a file, checked, and the place of the first byte after it. */
function readHeader(bytes: ByteSource): Header & { start: number } {
  const { size } = bytes;
  if (size < 8) throw new DataError(`it has ${size} bytes, too few for a safetensors file.`);
  const first = readBytes(bytes, 0, 8);
  const length = new DataView(first.buffer).getBigUint64(0, true);
  const kind = foreign(first);
  const not = `it is not a safetensors file${kind}`;
  if (length < 2n || length > BigInt(MAX_HEADER))
    throw new DataError(
      `${not}: its header would have ${length} bytes; 2 to ${MAX_HEADER} are taken.`,
    );
  const start = 8 + Number(length);
  if (start > size)
    throw new DataError(
      `${kind ? not : 'it is cut off, or not a safetensors file'}: a header of ${length} bytes was expected, ${size - 8} are there.`,
    );
  const header = readBytes(bytes, 8, Number(length));
  if (header[0] !== 0x7b) throw new DataError(`${not}: its header does not begin with "{".`);
  if (!isUtf8(header)) throw new DataError(`${not}: its header is not UTF-8.`);
  return { ...parseHeader(textBytes(header).toString(), size - start), start };
}

/** What a file of another kind seems to be. */
function foreign(first: Uint8Array): string {
  const text = String.fromCharCode(...first);
  if (text.startsWith('PK')) return ' but a zip archive, as PyTorch writes it';
  if (first[0] === 0x80 && first[1] <= 5) return ' but a Python pickle';
  if (text.startsWith('\x1f\x8b')) return ' but a gzip file';
  return text.startsWith('\x89HDF') ? ' but HDF5' : '';
}

/** Bytes of a piece of a tensor. */
const PIECE = 1 << 22;
/** The same where other work waits. */
const SMALL_PIECE = 1 << 20;

/** An array for a tensor of a file, all zero. */
export function emptyTensor(st: SafetensorsFile, name: string): TensorData {
  const { dtype, offsets } = st.tensors.get(name)!;
  return new arrayTypes[dtype](newBuffer(offsets[1] - offsets[0]));
}

function newBuffer(length: number): ArrayBuffer {
  try {
    return new ArrayBuffer(length);
  } catch {
    throw new NumericError(`there is not enough memory to read ${length} bytes.`);
  }
}

function readBytes(bytes: ByteSource, from: number, length: number): Uint8Array<ArrayBuffer> {
  const part = new Uint8Array(newBuffer(length));
  bytes.fill(part, from);
  return part;
}

/** A safetensors file: its path, or its bytes. */
export type SafetensorsSource = string | Uint8Array | ArrayBuffer;

/**
 * Opens a file for as long as `use` works with it; bytes are copied as they are asked for. A
 * RecitalError in there becomes one that names the file.
 */
export function openSafetensors<T>(file: SafetensorsSource, use: (st: SafetensorsFile) => T): T {
  const work = safetensorsInSteps(file, function* (st) {
    yield;
    return use(st);
  });
  return atOnce(work);
}

/** {@link openSafetensors} for work in steps. */
export function* safetensorsInSteps<T>(
  file: SafetensorsSource,
  use: (st: SafetensorsFile) => Steps<T>,
): Steps<T> {
  const all = file instanceof ArrayBuffer ? new Uint8Array(file) : file;
  if (!(all instanceof Uint8Array))
    return yield* fileInSteps(all, (bytes) => use(new SafetensorsFile(bytes)));
  const fill = (into: Uint8Array, from: number): void =>
    into.set(all.subarray(from, from + into.length));
  try {
    return yield* use(new SafetensorsFile({ size: all.length, fill }));
  } catch (error) {
    throw namedError(error, sourceName(file));
  }
}

/** How messages name a file. */
export function sourceName(file: SafetensorsSource): string {
  return typeof file === 'string' ? `"${file}"` : 'The file given as bytes';
}

/**
 * Reads a safetensors file as a whole. Everything the header says is checked against the file
 * before memory is taken for it.
 * @throws DataError if there is no such file, or it is not whole, not of this format, or of types
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
