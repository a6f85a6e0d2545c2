import { kernels } from '../../compute/kernels.js';
import { matmul } from '../../compute/matmul.js';
import { dispose, float32, int32 } from '../../compute/memory.js';
import { MAX_THREADS, parallel } from '../../compute/threads.js';
import type { Csr } from '../../data/csr.js';

/** Entries that are handed to the kernel at once. */
const STAGED = 1 << 20;

/**
 * Solves for the rows of one side of ALS, by pieces: entries are copied to the shared memory a
 * million at a time, so that the matrix itself need not lie there.
 */
export class AlsSolver {
  private readonly indptr: Int32Array;
  private readonly indices: Int32Array;
  private readonly confidence: Float32Array;
  private readonly gram: Float32Array;
  private readonly scratch: Float32Array;

  /**
   * @param matrices both sides, whose rows are solved for in turn
   * @param options.width length of a row of factors, a multiple of 4; `alpha`: what values are
   *   multiplied by; `regularization`, `cgSteps`; `staged`: entries of a piece, more if a row has
   *   more; default 2^20
   */
  constructor(
    matrices: readonly Csr[],
    private readonly options: {
      width: number;
      alpha: number;
      regularization: number;
      cgSteps: number;
      staged?: number;
    },
  ) {
    const { width, staged = STAGED } = options;
    let most = staged;
    for (const { shape, indptr } of matrices)
      for (let r = 0; r < shape[0]; r++) most = Math.max(most, indptr[r + 1] - indptr[r]);
    most = Math.min(most, Math.max(...matrices.map((m) => m.indices.length)));
    this.indptr = int32(Math.max(...matrices.map((m) => m.shape[0])) + 1);
    this.indices = int32(most);
    this.confidence = float32(most);
    this.gram = float32(width * width);
    this.scratch = float32((MAX_THREADS * kernels().alsWorkspace(width)) / 4);
  }

  /**
   * One half of an iteration: better factors x of the rows of a matrix, the factors y of its
   * columns fixed.
   * @returns after each piece, so that others get a turn
   */
  *solve(
    { shape, indptr, indices, data }: Csr,
    x: Float32Array,
    y: Float32Array,
  ): Generator<void, void> {
    const { width, alpha, regularization, cgSteps } = this.options;
    const { gram, scratch, confidence } = this;
    const transposed = { values: y, rowStride: 1, columnStride: width };
    matmul(
      { m: width, n: width, k: shape[1] },
      { a: transposed, b: { values: y, rowStride: width }, c: { values: gram, rowStride: width } },
    );
    for (let j = 0; j < width; j++) gram[j * width + j] += regularization;
    for (let from = 0; from < shape[0]; ) {
      let to = from + 1;
      while (to < shape[0] && indptr[to + 1] - indptr[from] <= this.indices.length) to++;
      const first = indptr[from];
      for (let r = from; r <= to; r++) this.indptr[r - from] = indptr[r] - first;
      this.indices.set(indices.subarray(first, indptr[to]));
      for (let j = first; j < indptr[to]; j++) confidence[j - first] = alpha * data[j];
      const start = x.byteOffset + 4 * from * width;
      const args = [this.indptr, this.indices, confidence, y, gram].map(
        (array) => array.byteOffset,
      );
      parallel('alsRows', to - from, [...args, width, cgSteps, start, scratch.byteOffset], {
        grain: 64,
      });
      from = to;
      yield;
    }
  }

  /** Gives its memory back. */
  dispose(): void {
    for (const array of [this.indptr, this.indices, this.confidence, this.gram, this.scratch])
      dispose(array);
  }
}
