import path from 'node:path';
import { Findings, found } from '../compute/checked.js';
import { sha256 } from '../compute/host.js';
import { atOnce, type Steps } from '../compute/interrupt.js';
import { findInSteps, placeFor } from '../data/files/prepare.js';
import {
  dtypeOf,
  type SafetensorsFile,
  type Tensor,
  type TensorData,
  type TensorInfo,
  type TensorSource,
  writeSafetensors,
} from '../data/files/safetensors.js';
import { display } from '../data/output.js';
import { ArgumentError, DataError, NumericError } from '../errors.js';
import { Fields, type Json } from '../fields.js';
import type { Model } from '../nn/model.js';
import { firstNotFinite } from '../options.js';

const VERSION = 1;

/** What a file holds: weights for a learner, a whole learner, or a recommender that is none. */
type FileKind = 'checkpoint' | 'learner' | 'recommender';

/** The metadata of our files, by name; `sha256` came later, so that older files have none. */
const known = ['format', 'version', 'kind', 'config', 'sha256'];

/** Writes tensors with metadata: kind, version, a description as JSON, and a checksum of all. */
export function writeModelFile(
  file: string,
  kind: FileKind,
  { config, tensors }: { config: Json; tensors: ReadonlyMap<string, Tensor> },
): void {
  const described = { version: String(VERSION), kind, config: JSON.stringify(config) };
  const metadata = { format: 'recital', ...described };
  const pieces = (name: string): Iterable<Uint8Array> => piecesOf(tensors.get(name)!.data);
  const sha256 = atOnce(checksum(metadata, tensors, pieces));
  writeSafetensors(file, tensors, { metadata: { ...metadata, sha256 } });
}

/** Bytes that are hashed by one call. */
const CHUNK = 1 << 28;

function* piecesOf({ buffer, byteOffset, byteLength }: TensorData): Iterable<Uint8Array> {
  for (let at = 0; at < byteLength; at += CHUNK)
    yield new Uint8Array(buffer, byteOffset + at, Math.min(CHUNK, byteLength - at));
}

/**
 * The SHA-256 of all content: the other metadata, and of each tensor, in the order of their names,
 * its name, dtype, shape and bytes. It does not depend on how the header is written or where the
 * tensors lie. It shows damage, not forgery.
 */
function* checksum(
  { sha256: _, ...metadata }: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, Tensor | TensorInfo>,
  pieces: (name: string) => Iterable<Uint8Array>,
): Steps<string> {
  const hash = sha256();
  hash.update(JSON.stringify(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))));
  for (const name of [...tensors.keys()].sort()) {
    const tensor = tensors.get(name)!;
    const dtype = 'dtype' in tensor ? tensor.dtype : dtypeOf(name, tensor.data);
    hash.update(JSON.stringify([name, dtype, tensor.shape]));
    for (const bytes of pieces(name)) {
      hash.update(bytes);
      yield;
    }
  }
  return hash.digest('hex');
}

const checksumOf = (st: SafetensorsFile): string =>
  atOnce(checksum(st.metadata, st.tensors, (name) => st.pieces(name)));

/**
 * Reads all of a file that {@link fileConfig} and others will read, in steps, and finds out what
 * they will ask. It refuses nothing: they do.
 */
export function* readAhead(st: SafetensorsFile): Steps<Findings> {
  const findings = new Findings();
  const { metadata } = st;
  if (metadata.format !== 'recital' || metadata.kind === 'checkpoint') return findings;
  const data = new Map<string, TensorData>();
  const sha256 = yield* checksum(metadata, st.tensors, (name) => {
    const to = placeFor(st, name, findings);
    data.set(name, to);
    return st.fill(name, to);
  });
  findings.add(st, 'sha256', sha256);
  if (metadata.sha256 === undefined || metadata.sha256 === sha256)
    yield* findInSteps(st, data, findings);
  return findings;
}

/** Checks that a file is ours and whole, and returns its description. */
export function fileConfig(st: SafetensorsFile, kinds: readonly FileKind[]): Fields {
  const { metadata } = st;
  const { format, version, sha256 } = metadata;
  if (format !== 'recital')
    throw new DataError(
      'it is a safetensors file, but not one that learn.save or learn.export wrote.',
    );
  if (Number(version) > VERSION)
    throw new DataError(
      `a later recital wrote it (format ${version}, known is ${VERSION}): update recital.`,
    );
  if (version !== String(VERSION))
    throw new DataError(`its format is "${version}"; ${VERSION} was expected.`);
  const odd = Object.keys(metadata).find((name) => !known.includes(name));
  if (odd !== undefined)
    throw new DataError(
      `it has metadata of an unknown name, ${JSON.stringify(odd)}; known are: ${known.join(', ')}. Is it damaged?`,
    );
  if (sha256 !== undefined && sha256 !== (found<string>(st, 'sha256') ?? checksumOf(st)))
    throw new DataError(
      'it is damaged: its content is not what was written (its checksum is another). Take a copy, or write it again. If the change was intended, remove "sha256" from its metadata.',
    );
  const kind = metadata.kind as FileKind;
  if (!kinds.includes(kind))
    throw new DataError(
      kind === 'checkpoint'
        ? 'it is a checkpoint, written by learn.save. It holds weights without vocabularies: make loaders and a learner as before, then learn.load(file); or write it by learn.export.'
        : `its kind is "${kind}"; ${kinds.join(' or ')} was expected.`,
    );
  return Fields.parse(metadata.config, 'config');
}

/** The weights (`model.NAME`) and other state (`buffers.NAME`) of a model: views, not copies. */
export function modelTensors(model: Model): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  const add = (name: string, shape: readonly number[], data: Float32Array): void => {
    if (tensors.has(name))
      throw new ArgumentError(
        `The model has two parameters or buffers of the name ${name}, so it cannot be saved: names must differ.`,
      );
    tensors.set(name, { shape, data });
  };
  for (const { name, shape, value } of model.parameters) {
    const bad = firstNotFinite(value);
    if (bad >= 0)
      throw new NumericError(
        `Parameter ${name} holds ${value[bad]} at position ${bad}, so the model is not saved: no file was changed.`,
      );
    add(`model.${name}`, shape, value);
  }
  for (const { name, value } of model.buffers ?? []) add(`buffers.${name}`, [value.length], value);
  return tensors;
}

/** Reads and checks a model's weights and buffers; returns what sets them. */
export function readModel(
  st: TensorSource,
  model: Model,
  { strict = true }: { strict?: boolean } = {},
): () => void {
  const taken: { to: Float32Array; values: Float32Array }[] = [];
  const missing: string[] = [];
  const wanted = new Set<string>();
  const take = (name: string, shape: readonly number[], to: Float32Array): void => {
    wanted.add(name);
    if (!st.tensors.has(name)) {
      missing.push(name);
      return;
    }
    const values = st.read(name, 'F32', shape);
    const sound = !name.startsWith('model.') || found<boolean>(values, 'finite');
    const bad = sound ? -1 : firstNotFinite(values);
    if (bad >= 0)
      throw new DataError(
        `tensor "${name}" holds ${values[bad]} at position ${bad}; finite weights were expected.`,
      );
    taken.push({ to, values });
  };
  for (const { name, shape, value } of model.parameters) take(`model.${name}`, shape, value);
  for (const { name, value } of model.buffers ?? []) take(`buffers.${name}`, [value.length], value);
  const unexpected = [...st.tensors.keys()].filter(
    (name) => /^(model|buffers)\./.test(name) && !wanted.has(name),
  );
  if (missing.length + unexpected.length > 0) {
    const what = Object.entries({ missing, unexpected })
      .flatMap(([how, names]) => (names.length ? [`${how}: ${names.join(', ')}`] : []))
      .join('; ');
    if (strict || taken.length === 0)
      throw new DataError(`its parameters are not those of ${model.constructor.name} (${what}).`);
    display().warn(`Only parameters of the same name were loaded (${what}).`);
  }
  return () => {
    for (const { to, values } of taken) to.set(values);
  };
}

/** The extension of model files. */
export const EXTENSION = '.safetensors';

/**
 * The path of a file of `save`, `load` and `export`. A name, such as `best` or `run-3/best`, is a
 * file in `folder`, and cannot leave it. A path that is absolute, or begins with `./`, is taken as
 * it is, from the current folder. `.safetensors` is added unless it is there.
 */
export function modelFile(file: string, folder: string): string {
  if (typeof file !== 'string' || file === '' || file.includes('\0'))
    throw new ArgumentError(
      `A file needs a name, got ${typeof file === 'string' ? JSON.stringify(file) : typeof file}.`,
    );
  if (/[\\/]$/.test(file))
    throw new ArgumentError(`"${file}" is a folder; the name of a file was expected.`);
  const full = file.endsWith(EXTENSION) ? file : file + EXTENSION;
  if (isPath(file)) return path.resolve(full);
  const bad = file.split(/[\\/]/).find((part) => part === '' || part === '.' || part === '..');
  if (bad !== undefined)
    throw new ArgumentError(
      `"${file}" is not a name: it has the part "${bad}". To give a path, write an absolute one, or one that begins with "./", such as "./${file}".`,
    );
  return path.resolve(folder, full);
}

/** Whether a file is given by its path, not by its name. */
export function isPath(file: string): boolean {
  return path.isAbsolute(file) || /^\.[\\/]/.test(file);
}
