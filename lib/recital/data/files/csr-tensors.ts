import { DataError } from '../../errors.js';
import { Csr } from '../csr.js';
import type { Tensor, TensorSource } from './safetensors.js';

/** A sparse matrix as tensors NAME.indptr, NAME.indices and NAME.data. */
export function csrTensors(name: string, { indptr, indices, data }: Csr): [string, Tensor][] {
  return Object.entries({
    indptr,
    indices,
    data: data instanceof Float64Array ? data : Float32Array.from(data),
  }).map(([part, array]) => [`${name}.${part}`, { shape: [array.length], data: array }]);
}

/** What csrTensors has made, checked. */
export function readCsr(tensors: TensorSource, name: string, columns: number): Csr {
  const indptr = tensors.read(`${name}.indptr`, 'I32');
  const indices = tensors.read(`${name}.indices`, 'I32');
  const data = tensors.read(
    `${name}.data`,
    tensors.tensors.get(`${name}.data`)?.dtype === 'F64' ? 'F64' : 'F32',
  );
  const matrix = new Csr({ shape: [indptr.length - 1, columns], indptr, indices, data });
  Csr.check(matrix);
  return matrix;
}

/**
 * The similarities of tracks in a file that has no listening histories to count them from;
 * undefined if it has.
 */
export function readSimilarity(tensors: TensorSource, tracks: number): Csr | undefined {
  if (!tensors.has('similarity.indptr')) return undefined;
  const matrix = readCsr(tensors, 'similarity', tracks);
  if (matrix.shape[0] !== tracks)
    throw new DataError(`its similarities are of ${matrix.shape[0]} tracks, not ${tracks}.`);
  return matrix;
}
