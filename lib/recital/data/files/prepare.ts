import type { Findings } from '../../compute/checked.js';
import type { Steps } from '../../compute/interrupt.js';
import { unsetFloat32 } from '../../compute/memory.js';
import { RecitalError } from '../../errors.js';
import { Csr, rowOfEachInSteps } from '../csr.js';
import { codePointOrder, NA, pack, Vocabulary } from '../vocabulary.js';
import { emptyTensor, type SafetensorsFile, type TensorData } from './safetensors.js';
import { checkOrder, checkPacked, readTracksInSteps } from './tensors.js';

/** Numbers that are looked at between two yields. */
const MANY = 1 << 16;

/** Matrices of factors and of EASE, which kernels compute with: names of their tensors. */
const OF_KERNELS = /^model\.(?:.*\.)?(?:users|tracks|inverse)$/;

/**
 * Where a tensor of a file is read to: the shared memory, if kernels will compute with it as it is.
 */
export function placeFor(st: SafetensorsFile, name: string, findings: Findings): TensorData {
  const { dtype, shape } = st.tensors.get(name)!;
  if (dtype !== 'F32' || shape.length !== 2 || !OF_KERNELS.test(name)) return emptyTensor(st, name);
  const values = unsetFloat32(shape[0] * shape[1]);
  findings.add(values, 'shared', true);
  return values;
}

/**
 * Finds out, in steps, what readers of these tensors will ask of them. What is wrong with them is
 * not said here: it is simply not found, and the reader will say so.
 * @param data the tensors by name, which the reader will get
 */
export function* findInSteps(
  st: SafetensorsFile,
  data: ReadonlyMap<string, TensorData>,
  findings: Findings,
): Steps<void> {
  for (const [name, values] of data) {
    const prefix = name.slice(0, name.lastIndexOf('.'));
    const part = (other: string): TensorData | undefined => data.get(`${prefix}.${other}`);
    try {
      if (values instanceof Float32Array) yield* findRange(values, findings);
      else if (name.endsWith('.indptr') && values instanceof Int32Array) {
        const indices = part('indices') ?? part('item');
        if (indices instanceof Int32Array)
          yield* findRows(values, indices, { findings, each: part('playcount') !== undefined });
      } else if (name.endsWith('.bytes') && values instanceof Uint8Array) {
        const [offsets, order] = [part('offsets'), part('order')];
        if (offsets instanceof Uint32Array)
          yield* findTexts(values, { offsets, order, name: prefix }, findings);
      }
    } catch (error) {
      if (!(error instanceof RecitalError)) throw error;
    }
  }
  for (const [name, info] of st.tensors) {
    if (!name.endsWith('catalogue.track_id.bytes')) continue;
    const own = st.within(name.slice(0, -'catalogue.track_id.bytes'.length));
    try {
      findings.add(
        info,
        'tracks',
        yield* readTracksInSteps(own, { findings, index: vocabularyInSteps }),
      );
    } catch (error) {
      if (!(error instanceof RecitalError)) throw error;
    }
  }
}

/** Whether all numbers are finite, and whether they are positive as well. */
function* findRange(values: Float32Array, findings: Findings): Steps<void> {
  let [finite, positive] = [true, true];
  for (let from = 0; from < values.length && finite; from += MANY) {
    const to = Math.min(values.length, from + MANY);
    for (let i = from; i < to; i++) {
      if (!Number.isFinite(values[i])) finite = false;
      if (!(values[i] > 0)) positive = false;
    }
    yield;
  }
  findings.add(values, 'finite', finite);
  findings.add(values, 'positive', finite && positive);
}

/** Whether rows follow each other, with ascending numbers in each; and the row of each number. */
function* findRows(
  indptr: Int32Array,
  indices: Int32Array,
  { findings, each }: { findings: Findings; each: boolean },
): Steps<void> {
  let below = 0;
  for (let i = 0; i < indices.length; i++) {
    if (indices[i] >= below) below = indices[i] + 1;
    if (i % MANY === 0) yield;
  }
  const shape = [indptr.length - 1, below] as const;
  yield* Csr.checking({ shape, indptr, indices, data: undefined });
  findings.add(indices, 'rows', { indptr, below });
  findings.add(indices, 'below', below);
  if (!each) return;
  const rows = yield* rowOfEachInSteps(indptr);
  findings.add(rows, 'below', indptr.length - 1);
  findings.add(indptr, 'rowOfEach', rows);
}

/** Whether bytes and offsets are texts, and these in order. */
function* findTexts(
  bytes: Uint8Array,
  { offsets, order, name }: { offsets: Uint32Array; order?: TensorData; name: string },
  findings: Findings,
): Steps<void> {
  yield* checkPacked(name, bytes, offsets);
  findings.add(bytes, 'packed', offsets);
  if (/(^|\.)catalogue\.\w+$/.test(name)) return; // texts that need no order
  const na = new TextDecoder().decode(bytes.subarray(0, offsets[1])) === NA;
  const first = na ? 1 : 0;
  const codes = order instanceof Int32Array ? order : undefined;
  yield* checkOrder(name, { bytes, offsets, order: codes, first });
  findings.add(bytes, 'ordered', { first, order: codes });
}

/** {@link Vocabulary.inOrder} of texts, in steps. */
export function* vocabularyInSteps(values: readonly string[], kind: string): Steps<Vocabulary> {
  const position = new Map<string, number>();
  for (let i = 0; i < values.length; i++) {
    if (!position.has(values[i])) position.set(values[i], position.size);
    if (i % 4096 === 0) yield;
  }
  const classes = [...position.keys()];
  const { bytes, offsets } = pack(classes);
  const order = new Int32Array(classes.length);
  const sorted = yield* sortedInSteps(classes);
  for (let i = 0; i < sorted.length; i++) {
    order[i] = position.get(sorted[i])!;
    if (i % 4096 === 0) yield;
  }
  return new Vocabulary(bytes, offsets, { kind }, order);
}

/** Distinct strings by code point, as {@link codePointOrder} sorts them: parts of it are merged. */
function* sortedInSteps(values: readonly string[]): Steps<string[]> {
  const parts: string[][] = [];
  for (let from = 0; from < values.length; from += 4096) {
    parts.push(codePointOrder(values.slice(from, from + 4096)));
    yield;
  }
  while (parts.length > 1) {
    const [a, b] = parts.splice(0, 2);
    const merged: string[] = [];
    for (let i = 0, j = 0; i < a.length || j < b.length; ) {
      const first = j === b.length || (i < a.length && precedes(a[i], b[j]));
      merged.push(first ? a[i++] : b[j++]);
      if (merged.length % 4096 === 0) yield;
    }
    parts.push(merged);
  }
  return parts[0] ?? [];
}

/** Whether a text comes before another one by code point. */
function precedes(a: string, b: string): boolean {
  let i = 0;
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i >= a.length || i >= b.length) return a.length < b.length;
  return a.codePointAt(i)! < b.codePointAt(i)!;
}
