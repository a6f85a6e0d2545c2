import type { Steps } from '../../compute/interrupt.js';
import { dispose, float64 } from '../../compute/memory.js';
import type { Random } from '../../compute/random.js';
import { BLOCK, denseBlock } from '../../compute/sparse.js';
import { type Operator, transposed } from './operator.js';
import {
  type Basis,
  completeRows,
  diagonalise,
  orthonormalise,
  product,
  project,
} from './orthonormal.js';
import { type EigenRows, tridiagonalEigen } from './tridiagonal-eigen.js';

const B = BLOCK; // an import is read through `exports` at each access

/** Up to this shorter side, the whole matrix A·Aᵀ is formed and decomposed. */
export const WHOLE = 256;
/** Numbers that the basis may hold: 512 MB. */
const MAX_BASIS = 2 ** 26;

/** Options of leadingSingular. */
export interface SingularOptions {
  /** Number of singular values, at most the shorter side. */
  components: number;
  /** Largest residual ‖A·Aᵀu − σ²u‖ of a vector, as a share of σ². */
  tol: number;
  /** The vectors to start from. */
  random: Random;
  /** Products of A·Aᵀ with eight vectors, at most. */
  maxIter: number;
  /**
   * Columns of the basis before a restart, a multiple of eight, at least components + 32. Default:
   * as many as are needed, within half a gigabyte.
   */
  capacity?: number;
}

/** Singular values and vectors, A ≈ Σ σᵢ·uᵢ·vᵢᵀ; the vectors lie on the shared memory. */
export interface Singular {
  /** Singular values, descending. */
  readonly values: Float64Array;
  /** vᵢ: one row for each value, orthonormal, of arbitrary sign. */
  readonly right: Float64Array[];
  /** σᵢ·uᵢ: one row for each value. */
  readonly scores: Float64Array[];
  /** Number of values that are as exact as `tol` asks. */
  readonly converged: number;
}

/** Eigenvalues of A·Aᵀ and their vectors. */
interface Ritz {
  /** Descending. */
  readonly values: Float64Array;
  /** Unit vectors in blocks of eight on the shared memory, each rows × 8, padded with zeros. */
  readonly blocks: Float64Array[];
  readonly converged: number;
}

/** The largest singular values of a matrix and their vectors. */
export function* leadingSingular(a: Operator, options: SingularOptions): Steps<Singular> {
  const wide = a.rows <= a.columns;
  const short = wide ? a : transposed(a);
  const found = yield* leadingEigen(short, options);
  const { u, w } = images(short, found);
  // The residuals of u are small beside the largest eigenvalue, which says little about the small
  // singular values. The images Aᵀu hold those to full precision once they are orthogonal.
  const values = yield* diagonalise(w, u);
  const { converged } = found;
  if (!wide) return { values, right: u, scores: w, converged };
  const least = Number.EPSILON * Math.max(a.rows, a.columns) * values[0];
  for (let i = 0; i < w.length; i++) {
    for (let j = 0; j < w[i].length; j++) w[i][j] = values[i] > least ? w[i][j] / values[i] : 0;
    for (let j = 0; j < u[i].length; j++) u[i][j] *= values[i];
  }
  yield* completeRows(w, options.random);
  return { values, right: w, scores: u, converged };
}

/** The vectors u of A·Aᵀ as rows, and their images Aᵀu. Disposes of the blocks. */
function images(a: Operator, { blocks, values }: Ritz): { u: Float64Array[]; w: Float64Array[] } {
  const u: Float64Array[] = [];
  const w: Float64Array[] = [];
  const image = float64(a.columns * B);
  blocks.forEach((block, b) => {
    const count = Math.min(B, values.length - b * B);
    u.push(...columnsOf(block, count));
    a.transposeTimes(block, image);
    w.push(...columnsOf(image, count));
    dispose(block);
  });
  dispose(image);
  return { u, w };
}

/** The first columns of a block, one array each. */
function columnsOf(block: Float64Array, count: number): Float64Array[] {
  const length = block.length / B;
  const columns = Array.from({ length: count }, () => float64(length));
  for (let i = 0, p = 0; i < length; i++, p += B)
    for (let c = 0; c < count; c++) columns[c][i] = block[p + c];
  return columns;
}

/** The leading eigenvectors of A·Aᵀ, by Lanczos if the matrix is large. */
function* leadingEigen(a: Operator, options: SingularOptions): Steps<Ritz> {
  const { components } = options;
  const least = Math.ceil(components / B) * B + 4 * B;
  const most = Math.floor((a.rows - B) / B) * B;
  const wanted = Math.max(least, 8 * B + 6 * components);
  const capacity = Math.min(
    most,
    options.capacity ??
      Math.max(least + components, Math.min(wanted, Math.floor(MAX_BASIS / a.rows / B) * B)),
  );
  if (a.rows > WHOLE && capacity >= least) {
    const lanczos = new BlockLanczos(a, { ...options, capacity });
    try {
      return yield* lanczos.run();
    } finally {
      lanczos.dispose();
    }
  }
  const n = a.rows;
  const { values, vectors } = yield* tridiagonalEigen(yield* gramOf(a), n);
  const blocks: Float64Array[] = [];
  for (let from = 0; from < components; from += B) {
    const count = Math.min(B, components - from);
    blocks.push(columnBlock(vectors.subarray(from * n, (from + count) * n), n));
  }
  return { blocks, values: values.slice(0, components), converged: components };
}

/** Up to eight vectors of n numbers, row after row, as the columns of a block. */
function columnBlock(vectors: Float64Array, n: number, block = float64(n * B)): Float64Array {
  block.fill(0);
  for (let c = 0; c * n < vectors.length; c++)
    for (let i = 0; i < n; i++) block[i * B + c] = vectors[c * n + i];
  return block;
}

/** The whole of A·Aᵀ. */
function* gramOf(a: Operator): Steps<Float64Array> {
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
      yield;
    }
    return gram;
  } finally {
    for (const array of [unit, between, out]) dispose(array);
  }
}

/** Eigenvalues of the projected matrix, and the last `rows` entries of each of its vectors. */
type Pairs = EigenRows & { readonly rows: number };

/**
 * The largest eigenvalues of A·Aᵀ and their vectors, by Lanczos' method with blocks of eight
 * vectors, full reorthogonalisation and, when the basis has grown to its capacity, thick restarts
 * (Golub and Underwood, 1977; Wu and Simon, SIAM J. Matrix Anal. Appl. 22, 2000). Exact to the
 * tolerance, since the whole Krylov space is searched; methods that iterate a random subspace are
 * not. A·Aᵀ is never formed. Cheapest if A has at least as many columns as rows.
 */
class BlockLanczos {
  private readonly n: number;
  private readonly basis: Float64Array;
  private readonly block: Float64Array;
  private readonly image: Float64Array;
  private readonly between: Float64Array;
  /** QᵀA·AᵀQ, capacity × capacity. */
  private readonly t: Float64Array;
  private m = 0;
  /**
   * First basis column along which the next product may have a large part: that of the last two
   * blocks or, after a restart, 0.
   */
  private near = 0;
  private largest = 0;
  private iterations = 0;
  /** R of the last block: the part of A·Aᵀ·block outside the basis. */
  private rest: Float64Array = new Float64Array(B * B);

  constructor(
    private readonly a: Operator,
    private readonly options: SingularOptions & { capacity: number },
  ) {
    this.n = a.rows;
    const { capacity } = options;
    this.basis = float64(this.n * capacity);
    this.block = float64(this.n * B);
    this.image = float64(this.n * B);
    this.between = float64(a.columns * B);
    this.t = new Float64Array(capacity * capacity);
  }

  *run(): Steps<Ritz> {
    const { components, capacity, maxIter, random } = this.options;
    for (let i = 0; i < this.block.length; i++) this.block[i] = random.normal();
    orthonormalise(this.block, this.used(), { least: 0, random });
    let check = Math.ceil((2 * components) / B + 4) * B;
    let likely = false; // whether the next check is expected to be the last, and needs whole vectors
    let before: { m: number; residual: number } | undefined;
    for (;;) {
      this.step();
      const full = this.m + B > capacity;
      const last = this.iterations >= maxIter;
      if (this.m >= components && (this.m >= check || full || last)) {
        const pairs = yield* this.pairs(likely || full || last ? this.m : B);
        const { residual, converged } = this.check(pairs);
        if (converged >= components || last) return yield* this.ritz(pairs, converged);
        ({ check, likely } = this.next(residual, before));
        before = { m: this.m, residual };
        if (full) {
          yield* this.restart(pairs);
          before = undefined;
        }
      }
      yield;
    }
  }

  /**
   * Adds the block to the basis; the next block is A·Aᵀ·block, orthogonalised against the basis.
   */
  private step(): void {
    const { a, block, image: next, between, options } = this;
    const { capacity, random } = options;
    const from = this.m;
    for (let i = 0, p = from, q = 0; i < this.n; i++, p += capacity)
      for (let c = 0; c < B; c++) this.basis[p + c] = block[q++];
    this.m += B;
    a.transposeTimes(block, between);
    a.times(between, next);
    this.iterations++;
    const size = largestColumn(next);
    this.largest = Math.max(this.largest, size);
    const first = Math.min(this.near, from);
    const near = project(this.used(), next, first);
    const all = project(this.used(), next);
    for (let i = 0; i < B; i++) {
      for (let j = 0; j < B; j++) {
        const own = (p: number, q: number): number =>
          near[(from - first + p) * B + q] + all[(from + p) * B + q];
        this.t[(from + i) * capacity + from + j] = (own(i, j) + own(j, i)) / 2;
      }
    }
    const least = 1e-13 * this.largest;
    this.rest = orthonormalise(next, this.used(), { least, random });
    let smallest = Infinity;
    for (let j = 0; j < B; j++) smallest = Math.min(smallest, this.rest[j * B + j]);
    if (smallest < 1e-3 * size) {
      // Beside so small a rest, the rounding error along the basis is no longer small.
      project(this.used(), next);
      const again = orthonormalise(next, this.used(), { least: 1e-8, random });
      this.rest = product(again, this.rest);
    }
    block.set(next);
    this.near = from;
    if (this.m + B <= capacity) this.join(this.rest, this.m - B);
  }

  /** Writes R into t, between the columns from `at` on and the next block. */
  private join(r: Float64Array, at: number): void {
    const { capacity } = this.options;
    for (let i = 0; i < B; i++) {
      for (let j = 0; j < B; j++)
        this.t[(this.m + i) * capacity + at + j] = this.t[(at + j) * capacity + this.m + i] =
          r[i * B + j];
    }
  }

  private used(): Basis {
    return { values: this.basis, rows: this.n, columns: this.m, stride: this.options.capacity };
  }

  /** Eigenvalues of the projected matrix, and the last entries of each vector. */
  private *pairs(rows: number): Steps<Pairs> {
    const { m } = this;
    const projected = new Float64Array(m * m);
    for (let i = 0, from = 0; i < m; i++, from += this.options.capacity)
      projected.set(this.t.subarray(from, from + m), i * m);
    return { ...(yield* tridiagonalEigen(projected, m, rows)), rows };
  }

  /** The largest relative residual of the wanted pairs, and how many are small enough. */
  private check({ values, vectors, rows }: Pairs): { residual: number; converged: number } {
    const { components, tol } = this.options;
    let residual = 0;
    let converged = 0;
    for (let i = 0; i < Math.min(components, this.m); i++) {
      const r =
        this.residual(vectors.subarray((i + 1) * rows - B, (i + 1) * rows)) /
        Math.max(values[i], 1e-13 * this.largest, Number.MIN_VALUE);
      if (r <= tol) converged++;
      residual = Math.max(residual, r);
    }
    return { residual, converged };
  }

  /** ‖R·s‖ for the last eight entries of an eigenvector of the projected matrix. */
  private residual(s: Float64Array): number {
    let square = 0;
    for (let i = 0; i < B; i++) {
      let sum = 0;
      for (let j = i; j < B; j++) sum += this.rest[i * B + j] * s[j];
      square += sum * sum;
    }
    return Math.sqrt(square);
  }

  /**
   * When to check next, since a check costs as much as some steps: at a quarter more columns, or
   * earlier if the residuals, falling as they did, will be small enough.
   */
  private next(
    residual: number,
    before: { m: number; residual: number } | undefined,
  ): { check: number; likely: boolean } {
    const { m } = this;
    const most = Math.ceil(m / 4 / B) * B;
    if (!before || residual >= before.residual) return { check: m + most, likely: false };
    const perColumn = Math.log(before.residual / residual) / (m - before.m);
    const missing = Math.max(
      B,
      Math.round(Math.log(residual / this.options.tol) / perColumn / B) * B,
    );
    return { check: m + Math.min(most, missing), likely: missing <= most };
  }

  /** A thick restart: the basis becomes the best vectors found in it. */
  private *restart({ values, vectors }: Pairs): Steps<void> {
    const { capacity, components } = this.options;
    const keep = Math.min(
      capacity - 2 * B,
      Math.ceil((components + (capacity - components) / 3) / B) * B,
    );
    const m = this.m;
    const blocks = yield* this.vectors(vectors, keep);
    this.basis.fill(0);
    for (let b = 0; b < blocks.length; b++) {
      for (let i = 0, p = b * B, q = 0; i < this.n; i++, p += capacity)
        for (let c = 0; c < B; c++) this.basis[p + c] = blocks[b][q++];
      dispose(blocks[b]);
    }
    this.t.fill(0);
    this.m = keep;
    for (let k = 0; k < keep; k++) {
      this.t[k * capacity + k] = values[k];
      for (let i = 0; i < B; i++) {
        let sum = 0;
        for (let j = 0; j < B; j++) sum += this.rest[i * B + j] * vectors[k * m + m - B + j];
        this.t[(keep + i) * capacity + k] = this.t[k * capacity + keep + i] = sum;
      }
    }
    this.near = 0;
  }

  /** The wanted pairs as vectors of A·Aᵀ. */
  private *ritz(checked: Pairs, converged: number): Steps<Ritz> {
    const pairs = checked.rows === this.m ? checked : yield* this.pairs(this.m);
    const count = Math.min(this.options.components, this.m);
    const blocks = yield* this.vectors(pairs.vectors, count);
    return { values: pairs.values.slice(0, count), blocks, converged };
  }

  /** Q·sᵢ for the basis Q and the first `count` eigenvectors sᵢ of the projected matrix. */
  private *vectors(eigen: Float64Array, count: number): Steps<Float64Array[]> {
    const { m, n } = this;
    const blocks: Float64Array[] = [];
    const s = float64(m * B);
    let whole = false;
    try {
      for (let from = 0; from < count; from += B) {
        columnBlock(eigen.subarray(from * m, Math.min(count, from + B) * m), m, s);
        blocks.push(float64(n * B));
        denseBlock(this.used(), s, blocks[from / B]);
        yield;
      }
      whole = true;
      return blocks;
    } finally {
      dispose(s);
      if (!whole) blocks.forEach(dispose); // stopped
    }
  }

  dispose(): void {
    for (const array of [this.basis, this.block, this.image, this.between]) dispose(array);
  }
}

function largestColumn(w: Float64Array): number {
  let largest = 0;
  for (let c = 0; c < B; c++) {
    let square = 0;
    for (let p = c; p < w.length; p += B) square += w[p] * w[p];
    largest = Math.max(largest, square);
  }
  return Math.sqrt(largest);
}
