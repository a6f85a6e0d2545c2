import { BLOCK, denseBlock } from '../compute/block.js';
import { dispose, float64 } from '../compute/memory.js';
import type { Random } from '../compute/random.js';
import type { Operator } from './operator.js';
import { type Basis, orthonormalise, project } from './orthonormal.js';
import { tridiagonalEigen } from './tridiagonal-eigen.js';

/** Options of blockLanczos. */
export interface LanczosOptions {
  /** How many eigenvectors. */
  components: number;
  /** Largest residual ‖A·Aᵀu − θu‖ of a wanted vector, as a share of its θ. */
  tol: number;
  /** The vectors to start from. */
  random: Random;
  /** Columns of the basis before it is begun anew from the best of it, a multiple of eight, at least components + 32. */
  capacity: number;
  /** Products with A·Aᵀ, of eight vectors each, at most. */
  maxIter: number;
  /** Asked after each step: true stops with what there is. */
  turn: () => Promise<boolean>;
}

/** What blockLanczos returns. */
export interface Ritz {
  /** Eigenvalues of A·Aᵀ, descending: as many as were asked for, fewer if it was stopped early. */
  readonly values: Float64Array;
  /** Their unit vectors in blocks of eight on the shared memory, each rows × 8; the last one is filled with zeros. To be given back by the caller. */
  readonly blocks: Float64Array[];
  /** How many of them are as exact as was asked for. */
  readonly converged: number;
  /** Whether `turn` stopped it. */
  readonly stopped: boolean;
  /** Products with A·Aᵀ, of eight vectors each. */
  readonly iterations: number;
}

/**
 * The largest eigenvalues of A·Aᵀ and their vectors, by Lanczos' method with blocks of eight vectors, full reorthogonalisation and, when the basis has
 * grown to its capacity, thick restarts (Golub and Underwood, 1977; Wu and Simon, SIAM J. Matrix Anal. Appl. 22, 2000). Exact to the tolerance, where methods
 * that iterate a random subspace are not: the whole Krylov space is searched. A·Aᵀ is never formed.
 * @param a with at least as many columns as rows is cheapest; more rows than `capacity`
 */
export async function blockLanczos(a: Operator, options: LanczosOptions): Promise<Ritz> {
  const lanczos = new BlockLanczos(a, options);
  try {
    return await lanczos.run();
  } finally {
    lanczos.dispose();
  }
}

class BlockLanczos {
  private readonly n: number;
  private readonly basis: Float64Array;
  private readonly block: Float64Array;
  private readonly next: Float64Array;
  private readonly between: Float64Array;
  /** QᵀA·AᵀQ, capacity × capacity. */
  private readonly t: Float64Array;
  private m = 0;
  /** First column that the next product may have a large part along: the two blocks before, or after a restart all. */
  private near = 0;
  private largest = 0;
  private iterations = 0;
  /** R of the last block: what is left of A·Aᵀ·block outside the basis. */
  private rest: Float64Array = new Float64Array(BLOCK * BLOCK);

  constructor(
    private readonly a: Operator,
    private readonly options: LanczosOptions,
  ) {
    this.n = a.rows;
    const { capacity } = options;
    this.basis = float64(this.n * capacity);
    this.block = float64(this.n * BLOCK);
    this.next = float64(this.n * BLOCK);
    this.between = float64(a.columns * BLOCK);
    this.t = new Float64Array(capacity * capacity);
  }

  async run(): Promise<Ritz> {
    const { components, capacity, maxIter, random, turn } = this.options;
    for (let i = 0; i < this.block.length; i++) this.block[i] = random.normal();
    orthonormalise(this.block, this.used(), { least: 0, random });
    let check = Math.min(capacity, Math.ceil((4 * components) / BLOCK) * BLOCK);
    let before: { m: number; residual: number } | undefined;
    for (;;) {
      this.step();
      const full = this.m + BLOCK > capacity;
      const last = this.iterations >= maxIter;
      if (this.m >= components && (this.m >= check || full || last)) {
        const { residual, converged } = this.check();
        if (converged >= components || last) return this.ritz(false);
        check = this.m + this.wait(residual, before);
        before = { m: this.m, residual };
        if (full) {
          this.restart();
          check = this.m + BLOCK;
          before = undefined;
        }
      }
      if (await turn()) return this.ritz(true);
    }
  }

  /** The basis grows by the block; the next one is what A·Aᵀ makes of it, less its part in the basis. */
  private step(): void {
    const { a, block, next, between, options } = this;
    const { capacity, random } = options;
    const from = this.m;
    for (let i = 0, p = from, q = 0; i < this.n; i++, p += capacity) for (let c = 0; c < BLOCK; c++) this.basis[p + c] = block[q++];
    this.m += BLOCK;
    a.transposeTimes(block, between);
    a.times(between, next);
    this.iterations++;
    const size = largestColumn(next);
    this.largest = Math.max(this.largest, size);
    const first = Math.min(this.near, from);
    const near = project(this.used(), next, { from: first });
    const all = project(this.used(), next);
    for (let i = 0; i < BLOCK; i++) {
      for (let j = 0; j < BLOCK; j++) {
        const own = (p: number, q: number): number => near[(from - first + p) * BLOCK + q] + all[(from + p) * BLOCK + q];
        this.t[(from + i) * capacity + from + j] = (own(i, j) + own(j, i)) / 2;
      }
    }
    const least = 1e-13 * this.largest;
    this.rest = orthonormalise(next, this.used(), { least, random });
    let smallest = Infinity;
    for (let j = 0; j < BLOCK; j++) smallest = Math.min(smallest, this.rest[j * BLOCK + j]);
    if (smallest < 1e-3 * size) {
      // Little was left, and what rounding put into it along the basis is no longer little beside it.
      project(this.used(), next);
      const again = orthonormalise(next, this.used(), { least: 1e-8, random });
      this.rest = timesUpper(again, this.rest);
    }
    block.set(next);
    this.near = from;
    if (this.m + BLOCK <= capacity) this.join(this.rest, this.m - BLOCK);
  }

  /** Enters R between the columns from `at` on and the block that comes next. */
  private join(r: Float64Array, at: number): void {
    const { capacity } = this.options;
    for (let i = 0; i < BLOCK; i++) {
      for (let j = 0; j < BLOCK; j++) this.t[(this.m + i) * capacity + at + j] = this.t[(at + j) * capacity + this.m + i] = r[i * BLOCK + j];
    }
  }

  private used(): Basis {
    return { values: this.basis, rows: this.n, columns: this.m, stride: this.options.capacity };
  }

  /** A copy of the projected matrix. */
  private projected(): Float64Array {
    const { m, t } = this;
    const { capacity } = this.options;
    const copy = new Float64Array(m * m);
    for (let i = 0; i < m; i++) copy.set(t.subarray(i * capacity, i * capacity + m), i * m);
    return copy;
  }

  /** The largest relative residual of the wanted pairs, and how many are small enough. */
  private check(): { residual: number; converged: number } {
    const { values, vectors } = tridiagonalEigen(this.projected(), this.m, { rows: BLOCK });
    const { components, tol } = this.options;
    let residual = 0;
    let converged = 0;
    for (let i = 0; i < components; i++) {
      const r = this.residual(vectors.subarray(i * BLOCK, (i + 1) * BLOCK)) / Math.max(values[i], 1e-13 * this.largest, Number.MIN_VALUE);
      if (r <= tol) converged++;
      residual = Math.max(residual, r);
    }
    return { residual, converged };
  }

  /** ‖R·s‖ for the last eight entries of an eigenvector of the projected matrix. */
  private residual(s: Float64Array): number {
    let square = 0;
    for (let i = 0; i < BLOCK; i++) {
      let sum = 0;
      for (let j = i; j < BLOCK; j++) sum += this.rest[i * BLOCK + j] * s[j];
      square += sum * sum;
    }
    return Math.sqrt(square);
  }

  /** Columns to the next check: residuals fall by about the same factor with each block. */
  private wait(residual: number, before: { m: number; residual: number } | undefined): number {
    const { components, tol } = this.options;
    const most = BLOCK * Math.max(1, Math.round(components / (2 * BLOCK)));
    if (!before || residual >= before.residual) return most;
    const perColumn = Math.log(before.residual / residual) / (this.m - before.m);
    return Math.max(BLOCK, Math.min(most, Math.round(Math.log(residual / tol) / perColumn / BLOCK) * BLOCK));
  }

  /** Keeps the best vectors and goes on from them. */
  private restart(): void {
    const { capacity, components } = this.options;
    const { values, vectors } = tridiagonalEigen(this.projected(), this.m);
    const keep = Math.min(capacity - 2 * BLOCK, Math.ceil((components + (capacity - components) / 3) / BLOCK) * BLOCK);
    const m = this.m;
    const blocks = this.combine(vectors, keep);
    this.basis.fill(0);
    for (let b = 0; b < blocks.length; b++) {
      for (let i = 0, p = b * BLOCK, q = 0; i < this.n; i++, p += capacity) for (let c = 0; c < BLOCK; c++) this.basis[p + c] = blocks[b][q++];
      dispose(blocks[b]);
    }
    this.t.fill(0);
    this.m = keep;
    for (let k = 0; k < keep; k++) {
      this.t[k * capacity + k] = values[k];
      for (let i = 0; i < BLOCK; i++) {
        let sum = 0;
        for (let j = 0; j < BLOCK; j++) sum += this.rest[i * BLOCK + j] * vectors[k * m + m - BLOCK + j];
        this.t[(keep + i) * capacity + k] = this.t[k * capacity + keep + i] = sum;
      }
    }
    this.near = 0;
  }

  /** Q·sᵢ for the first eigenvectors sᵢ of the projected matrix, in blocks of eight. */
  private combine(vectors: Float64Array, count: number): Float64Array[] {
    const { m, n } = this;
    const blocks: Float64Array[] = [];
    const s = float64(m * BLOCK);
    for (let from = 0; from < count; from += BLOCK) {
      s.fill(0);
      for (let c = 0; c < Math.min(BLOCK, count - from); c++) for (let i = 0; i < m; i++) s[i * BLOCK + c] = vectors[(from + c) * m + i];
      const out = float64(n * BLOCK);
      denseBlock(this.used(), s, out);
      blocks.push(out);
    }
    dispose(s);
    return blocks;
  }

  private ritz(stopped: boolean): Ritz {
    const { components, tol } = this.options;
    const { m } = this;
    const { values, vectors } = tridiagonalEigen(this.projected(), m);
    const count = Math.min(components, m);
    let converged = 0;
    for (let i = 0; i < count; i++) {
      const r = this.residual(vectors.subarray((i + 1) * m - BLOCK, (i + 1) * m));
      if (r <= tol * Math.max(values[i], 1e-13 * this.largest)) converged++;
    }
    return { values: values.slice(0, count), blocks: this.combine(vectors, count), converged, stopped, iterations: this.iterations };
  }

  dispose(): void {
    for (const array of [this.basis, this.block, this.next, this.between]) dispose(array);
  }
}

function largestColumn(w: Float64Array): number {
  let largest = 0;
  for (let c = 0; c < BLOCK; c++) {
    let square = 0;
    for (let p = c; p < w.length; p += BLOCK) square += w[p] * w[p];
    largest = Math.max(largest, square);
  }
  return Math.sqrt(largest);
}

function timesUpper(a: Float64Array, b: Float64Array): Float64Array {
  const c = new Float64Array(BLOCK * BLOCK);
  for (let i = 0; i < BLOCK; i++)
    for (let k = 0; k < BLOCK; k++) for (let j = 0; j < BLOCK; j++) c[i * BLOCK + j] += a[i * BLOCK + k] * b[k * BLOCK + j];
  return c;
}
