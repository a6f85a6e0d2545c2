import { type CsrMatrix, checkCsrMatrix } from '../data/matrix.js';
import type { Tensor } from '../data/safetensors.js';
import type { RecommenderTensors } from './export-recommender.js';

/** A sparse matrix as tensors NAME.indptr, NAME.indices and NAME.data. */
export function csrTensors(name: string, { indptr, indices, data }: CsrMatrix): [string, Tensor][] {
  return Object.entries({ indptr, indices, data: Float32Array.from(data) }).map(([part, array]) => [
    `${name}.${part}`,
    { shape: [array.length], data: array },
  ]);
}

/** What csrTensors has made, checked. */
export function readCsr(tensors: RecommenderTensors, name: string, columns: number): CsrMatrix {
  const indptr = tensors.read(`${name}.indptr`, 'I32');
  const [indices, data] = [tensors.read(`${name}.indices`, 'I32'), tensors.read(`${name}.data`, 'F32')];
  const matrix = { shape: [indptr.length - 1, columns] as const, indptr, indices, data };
  checkCsrMatrix(matrix);
  return matrix;
}
