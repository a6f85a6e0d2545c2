import { BLOCK } from '../../compute/block.js';
import { dispose, float64 } from '../../compute/memory.js';
import type { Random } from '../../compute/random.js';
import { blockLanczos, keptWhenStopped, type Ritz } from './block-lanczos.js';
import { type Operator, transposed } from './operator.js';
import { completeRows, diagonalise, type Stoppable } from './orthonormal.js';
import { tridiagonalEigenInTurns } from './tridiagonal-eigen.js';

/** A name of this file's own: one of another is looked up anew each time, which loops feel. */
const B = BLOCK;

/**
 * The shorter side up to which the product of a matrix with its transpose is formed and decomposed
 * whole.
 */
export const WHOLE = 256;
/** Memory for a basis, in numbers: 512 MB. */
const MAX_BASIS = 2 ** 26;

/** Options of leadingSingular. */
export interface SingularOptions {
  /** How many, at most the shorter side. */
  components: number;
  /** Largest residual of a vector, as a share of the square of its singular value. */
  tol: number;
  random: Random;
  /** Products with eight vectors, at most. */
  maxIter: number;
  /** Largest basis, for tests. Default: whatever is needed, within half a gigabyte. */
  capacity?: number;
  turn: () => Promise<boolean>;
}

/** Singular values and vectors, A ≈ Σ σᵢ·uᵢ·vᵢᵀ. */
export interface Singular {
  /** Descending. */
  readonly values: Float64Array;
  /**
   * vᵢ: one row of as many numbers as A has columns for each value, orthonormal. Their signs are
   * arbitrary. On the shared memory, as `scores`.
   */
  readonly right: Float64Array[];
  /** σᵢ·uᵢ: one row of as many numbers as A has rows for each value. */
  readonly scores: Float64Array[];
  /** How many are as exact as was asked for. */
  readonly converged: number;
  /** Whether `turn` stopped it: then there may be fewer than were asked for. */
  readonly stopped: boolean;
}

/** The largest singular values of a matrix and their vectors. */
export async function leadingSingular(a: Operator, options: SingularOptions): Promise<Singular> {
  const wide = a.rows <= a.columns;
  const short = wide ? a : transposed(a);
  let stopped = false;
  const turn = async (): Promise<boolean> => (stopped ||= await options.turn());
  const found = await shortVectors(short, { ...options, turn });
  const stop = { turn, kept: keptWhenStopped(a) };
  const { u, w } = await images(short, found, stop);
  // u are eigenvectors of A·Aᵀ, found to a share of its largest eigenvalue. Of singular values that
  // are small beside the largest that says little, until the images Aᵀu, which hold them to full
  // precision, are made orthogonal in their own right.
  const sizes = await diagonalise(w, u, stop);
  const result = (right: Float64Array[], scores: Float64Array[]): Singular => {
    const count = right.length;
    return {
      values: sizes.slice(0, count),
      right,
      scores,
      converged: Math.min(count, found.converged),
      stopped,
    };
  };
  if (!wide) return result(u, w);
  const least = Number.EPSILON * Math.max(a.rows, a.columns) * sizes[0];
  for (let i = 0; i < w.length; i++) {
    for (let j = 0; j < w[i].length; j++) w[i][j] = sizes[i] > least ? w[i][j] / sizes[i] : 0;
    for (let j = 0; j < u[i].length; j++) u[i][j] *= sizes[i];
  }
  const complete = await completeRows(w, options.random, stop);
  for (const rows of [w, u]) for (const row of rows.splice(complete)) dispose(row);
  return result(w, u);
}

/** The vectors u of A·Aᵀ as rows of their own, and their images Aᵀu. Gives the blocks back. */
async function images(
  a: Operator,
  { blocks, values }: Pick<Ritz, 'blocks' | 'values'>,
  { turn, kept }: Stoppable,
): Promise<{ u: Float64Array[]; w: Float64Array[] }> {
  const u: Float64Array[] = [];
  const w: Float64Array[] = [];
  const product = float64(a.columns * B);
  let ended = false;
  for (const [b, block] of blocks.entries()) {
    const count = Math.min(B, values.length - b * B);
    ended ||= u.length >= kept && (await turn());
    if (!ended) {
      u.push(...split(block, { count, length: a.rows }));
      a.transposeTimes(block, product);
      w.push(...split(product, { count, length: a.columns }));
    }
    dispose(block);
  }
  dispose(product);
  return { u, w };
}

/** Eigenvectors of A·Aᵀ. */
async function shortVectors(
  a: Operator,
  options: SingularOptions,
): Promise<Pick<Ritz, 'blocks' | 'values' | 'converged'>> {
  const { components, turn } = options;
  const least = Math.ceil(components / B) * B + 4 * B;
  const most = Math.floor((a.rows - B) / B) * B;
  const wanted = Math.max(least, 8 * B + 6 * components);
  const capacity = Math.min(
    most,
    options.capacity ??
      Math.max(least + components, Math.min(wanted, Math.floor(MAX_BASIS / a.rows / B) * B)),
  );
  if (a.rows > WHOLE && capacity >= least) return blockLanczos(a, { ...options, capacity });
  const gram = await gramOf(a, turn);
  const n = a.rows;
  const pairs = gram && (await tridiagonalEigenInTurns(gram, n, { turn }));
  if (!pairs) return { blocks: [], values: new Float64Array(0), converged: 0 };
  const { values, vectors } = pairs;
  const blocks: Float64Array[] = [];
  for (let from = 0; from < components; from += B) {
    const block = float64(n * B);
    for (let c = 0; c < Math.min(B, components - from); c++)
      for (let i = 0; i < n; i++) block[i * B + c] = vectors[(from + c) * n + i];
    blocks.push(block);
  }
  return { blocks, values: values.slice(0, components), converged: components };
}

/** A·Aᵀ, whole; nothing if it was stopped. */
async function gramOf(
  a: Operator,
  turn: () => Promise<boolean>,
): Promise<Float64Array | undefined> {
  const n = a.rows;
  const gram = new Float64Array(n * n);
  const unit = float64(n * B);
  const between = float64(a.columns * B);
  const out = float64(n * B);
  try {
    for (let from = 0; from < n; from += B) {
      const width = Math.min(B, n - from);
      unit.fill(0);
      for (let c = 0; c < width; c++) unit[(from + c) * B + c] = 1;
      a.transposeTimes(unit, between);
      a.times(between, out);
      for (let i = 0; i < n; i++)
        for (let c = 0; c < width; c++) gram[i * n + from + c] = out[i * B + c];
      if (await turn()) return undefined;
    }
    return gram;
  } finally {
    for (const array of [unit, between, out]) dispose(array);
  }
}

/** The first columns of a block as rows of their own. */
function split(
  block: Float64Array,
  { count, length }: { count: number; length: number },
): Float64Array[] {
  const rows = Array.from({ length: count }, () => float64(length));
  for (let i = 0, p = 0; i < length; i++, p += B)
    for (let c = 0; c < count; c++) rows[c][i] = block[p + c];
  return rows;
}
