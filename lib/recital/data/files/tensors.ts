import { type Findings, found } from '../../compute/checked.js';
import { isUtf8, sha256, textBytes } from '../../compute/host.js';
import { atOnce, type Steps } from '../../compute/interrupt.js';
import { DataError } from '../../errors.js';
import { Csr } from '../csr.js';
import { type Column, Table } from '../table.js';
import { Tracks } from '../tracks.js';
import { NA, pack, Vocabulary } from '../vocabulary.js';
import type { Tensor, TensorData, TensorSource } from './safetensors.js';

/**
 * Strings as tensors: `NAME.bytes` (U8), their UTF-8 joined, and `NAME.offsets` (U32, one more than
 * strings). String i is `bytes[offsets[i] … offsets[i + 1])`.
 */
export function stringTensors(name: string, values: readonly string[]): [string, Tensor][] {
  const { bytes, offsets } = pack(values);
  return vectors(name, { bytes, offsets });
}

/** One-dimensional tensors `NAME.PART` of the parts of a thing. */
function vectors(name: string, parts: Readonly<Record<string, TensorData>>): [string, Tensor][] {
  return Object.entries(parts).map(([part, data]) => [
    `${name}.${part}`,
    { shape: [data.length], data },
  ]);
}

/** The strings under a name, in steps. */
export function* readStrings(st: TensorSource, name: string): Steps<string[]> {
  const { bytes, offsets } = readPacked(st, name);
  const buffer = textBytes(bytes);
  const all: string[] = [];
  for (let i = 0; i + 1 < offsets.length; i++) {
    all.push(buffer.toString('utf8', offsets[i], offsets[i + 1]));
    if (i % 4096 === 0) yield;
  }
  return all;
}

/**
 * A vocabulary as tensors: its strings, and `NAME.order` (I32) where its classes are not in the
 * order of code points: their positions in that order, `#na#` left out.
 */
export function vocabularyTensors(
  name: string,
  { bytes, offsets, order }: Vocabulary,
): [string, Tensor][] {
  return vectors(name, { bytes, offsets, ...(order && { order }) });
}

/**
 * The vocabulary under a name, checked: text, every class once, and in the order that looking up
 * relies on.
 * @param options what the tensors do not say: whether index 0 is `#na#`, and what the ids are
 */
export function readVocabulary(
  st: TensorSource,
  name: string,
  options: { na: boolean; kind: string },
): Vocabulary {
  const { bytes, offsets } = readPacked(st, name);
  const first = options.na ? 1 : 0;
  const n = offsets.length - 1 - first;
  const order = st.tensors.has(`${name}.order`)
    ? st.read(`${name}.order`, 'I32', [Math.max(0, n)])
    : undefined;
  const buffer = textBytes(bytes);
  if (options.na && (n < 0 || buffer.toString('utf8', 0, offsets[1]) !== NA))
    throw new DataError(`${name} should begin with ${NA}.`);
  atOnce(checkOrder(name, { bytes, offsets, order, first }));
  return new Vocabulary(bytes, offsets, options, order);
}

/** Checks that classes are in order, and distinct, those before `first` left out. */
export function* checkOrder(
  name: string,
  {
    bytes,
    offsets,
    order,
    first,
  }: { bytes: Uint8Array; offsets: Uint32Array; order: Int32Array | undefined; first: number },
): Steps<void> {
  const known = found<{ first: number; order: Int32Array | undefined }>(bytes, 'ordered');
  if (known?.first === first && known.order === order) return;
  const n = offsets.length - 1 - first;
  const buffer = textBytes(bytes);
  let last = -1;
  for (let i = 0; i < n; i++) {
    if (i % 4096 === 0) yield;
    const at = order ? order[i] : i + first;
    if (!(at >= first && at < n + first))
      throw new DataError(`${name}.order names class ${at}; there are ${n + first}.`);
    const [from, to] = [offsets[at], offsets[at + 1]];
    if (last >= 0 && buffer.compare(buffer, offsets[last], offsets[last + 1], from, to) <= 0)
      throw new DataError(`the classes of ${name} are not in order, or not distinct.`);
    last = at;
  }
}

/** A hash (SHA-256) of the classes and their indices: equal for equal vocabularies only. */
export function classesHash({ bytes, offsets }: Vocabulary): string {
  return sha256().update(offsets).update(bytes).digest('hex');
}

function readPacked(st: TensorSource, name: string): { bytes: Uint8Array; offsets: Uint32Array } {
  const bytes = st.read(`${name}.bytes`, 'U8');
  const offsets = st.read(`${name}.offsets`, 'U32');
  atOnce(checkPacked(name, bytes, offsets));
  return { bytes, offsets };
}

/** Checks that bytes and offsets are texts. */
export function* checkPacked(name: string, bytes: Uint8Array, offsets: Uint32Array): Steps<void> {
  if (found<Uint32Array>(bytes, 'packed') === offsets) return;
  const wrong = (what: string): DataError => new DataError(`${name} is damaged: ${what}.`);
  if (offsets.length === 0 || offsets[0] !== 0 || offsets[offsets.length - 1] !== bytes.length)
    throw wrong('its offsets do not span its bytes');
  if (!isUtf8(bytes)) throw wrong('its bytes are not UTF-8');
  for (let i = 1; i < offsets.length; i++) {
    if (i % 65536 === 0) yield;
    if (offsets[i] < offsets[i - 1]) throw wrong('its offsets fall');
    if ((bytes[offsets[i]] & 0xc0) === 0x80) throw wrong('an offset lies within a character');
  }
}

/** A sparse matrix as tensors NAME.indptr, NAME.indices and NAME.data. */
export function csrTensors(name: string, { indptr, indices, data }: Csr): [string, Tensor][] {
  const numbers = data instanceof Float64Array ? data : Float32Array.from(data);
  return vectors(name, { indptr, indices, data: numbers });
}

/** The sparse matrix under a name, checked. */
export function readCsr(tensors: TensorSource, name: string, columns: number): Csr {
  const indptr = tensors.read(`${name}.indptr`, 'I32');
  const indices = tensors.read(`${name}.indices`, 'I32');
  const dtype = tensors.tensors.get(`${name}.data`)?.dtype === 'F64' ? 'F64' : 'F32';
  const data = tensors.read(`${name}.data`, dtype);
  const matrix = new Csr({ shape: [indptr.length - 1, columns], indptr, indices, data });
  Csr.check(matrix);
  return matrix;
}

/** The similarities of tracks; undefined in a file with plays, from which they are computed. */
export function readSimilarity(tensors: TensorSource, tracks: number): Csr | undefined {
  if (!tensors.has('similarity.indptr')) return undefined;
  const matrix = readCsr(tensors, 'similarity', tracks);
  if (matrix.shape[0] !== tracks)
    throw new DataError(`its similarities are of ${matrix.shape[0]} tracks, not ${tracks}.`);
  return matrix;
}

const texts = ['track_id', 'name', 'artist'] as const;

/**
 * What lists show of tracks, as tensors: strings `catalogue.track_id` and, as far as the catalogue
 * has them, `catalogue.name` (titles), `catalogue.artist`, both empty where unknown, and
 * `catalogue.year` (F64, NaN where unknown).
 */
export function tracksTensors({ table }: Tracks): [string, Tensor][] {
  const known = texts.filter((name) => table.has(name));
  return [
    ...known.flatMap((name) =>
      stringTensors(
        `catalogue.${name}`,
        table.strings(name).map((v) => v ?? ''),
      ),
    ),
    ...(table.has('year') ? vectors('catalogue', { year: table.numbers('year') }) : []),
  ];
}

/** The catalogue in a file; undefined if there is none. */
export function readTracks(st: TensorSource): Tracks | undefined {
  const info = st.tensors.get('catalogue.track_id.bytes');
  return info && (found<Tracks>(info, 'tracks') ?? atOnce(readTracksInSteps(st)));
}

/**
 * The catalogue in a file that has one, in steps.
 * @param prepare the index of ids as Tracks will ask for it, made in steps and put into `findings`
 */
export function* readTracksInSteps(
  st: TensorSource,
  prepare?: {
    readonly findings: Findings;
    readonly index: (ids: readonly string[], kind: string) => Steps<Vocabulary>;
  },
): Steps<Tracks> {
  const columns: Record<string, Column> = {};
  let length = 0;
  for (const name of texts) {
    if (!st.tensors.has(`catalogue.${name}.bytes`)) continue;
    const values = yield* readStrings(st, `catalogue.${name}`);
    if (name === 'track_id') length = values.length;
    if (values.length !== length)
      throw new DataError(`catalogue.${name} has ${values.length} texts for ${length} tracks.`);
    columns[name] = values.map((v) => v || null);
  }
  if (st.tensors.has('catalogue.year')) columns.year = st.read('catalogue.year', 'F64', [length]);
  const table = new Table(columns);
  if (!prepare) return new Tracks(table);
  const ids = table.strings('track_id');
  if (ids.every((id) => id !== null))
    prepare.findings.add(ids, 'vocabulary', yield* prepare.index(ids as string[], 'track'));
  return prepare.findings.use(() => new Tracks(table));
}
