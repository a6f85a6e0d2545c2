import { BLOCK, denseBlock } from '../../compute/block.js';
import { dispose, float64 } from '../../compute/memory.js';
import type { Random } from '../../compute/random.js';
import type { Operator } from './operator.js';
import { type Basis, orthonormalise, project } from './orthonormal.js';
import { type EigenRows, tridiagonalEigen, tridiagonalEigenInTurns } from './tridiagonal-eigen.js';

/** A name of this file's own: one of another is looked up anew each time, which loops feel. */
const B = BLOCK;

/**
 * Columns of the basis that are looked at when it was stopped: the eigenvectors of their matrix
 * take a tenth of a second.
 */
const LEADING = 256;

/** Options of blockLanczos. */
export interface LanczosOptions {
  /** How many eigenvectors. */
  components: number;
  /** Largest residual ‖A·Aᵀu − θu‖ of a wanted vector, as a share of its θ. */
  tol: number;
  /** The vectors to start from. */
  random: Random;
  /**
   * Columns of the basis before it is begun anew from the best of it, a multiple of eight, at least
   * components + 32.
   */
  capacity: number;
  /** Products with A·Aᵀ, of eight vectors each, at most. */
  maxIter: number;
  /** Asked often: true stops with what there is. */
  turn: () => Promise<boolean>;
}

/** What blockLanczos returns. */
export interface Ritz {
  /** Eigenvalues of A·Aᵀ, descending: as many as were asked for, fewer if it was stopped early. */
  readonly values: Float64Array;
  /**
   * Their unit vectors in blocks of eight on the shared memory, each rows × 8; the last one is
   * filled with zeros. To be given back by the caller.
   */
  readonly blocks: Float64Array[];
  /** How many of them are as exact as was asked for. */
  readonly converged: number;
  /** Products with A·Aᵀ, of eight vectors each. */
  readonly iterations: number;
}

/**
 * The largest eigenvalues of A·Aᵀ and their vectors, by Lanczos' method with blocks of eight
 * vectors, full reorthogonalisation and, when the basis has grown to its capacity, thick restarts
 * (Golub and Underwood, 1977; Wu and Simon, SIAM J. Matrix Anal. Appl. 22, 2000). Exact to the
 * tolerance, where methods that iterate a random subspace are not: the whole Krylov space is
 * searched. A·Aᵀ is never formed.
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

/** Eigenvalues of the projected matrix and the last `rows` entries of each vector. */
type Pairs = EigenRows & { readonly rows: number };

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
   * First column that the next product may have a large part along: the two blocks before, or after
   * a restart all.
   */
  private near = 0;
  private largest = 0;
  private iterations = 0;
  /** R of the last block: what is left of A·Aᵀ·block outside the basis. */
  private rest: Float64Array = new Float64Array(B * B);

  constructor(
    private readonly a: Operator,
    private readonly options: LanczosOptions,
  ) {
    this.n = a.rows;
    const { capacity } = options;
    this.basis = float64(this.n * capacity);
    this.block = float64(this.n * B);
    this.image = float64(this.n * B);
    this.between = float64(a.columns * B);
    this.t = new Float64Array(capacity * capacity);
  }

  async run(): Promise<Ritz> {
    const { components, capacity, maxIter, random, turn } = this.options;
    for (let i = 0; i < this.block.length; i++) this.block[i] = random.normal();
    orthonormalise(this.block, this.used(), { least: 0, random });
    let check = Math.ceil((2 * components) / B + 4) * B;
    let likely = false; // that it is the last check, so that all of the vectors are needed
    let before: { m: number; residual: number } | undefined;
    for (;;) {
      this.step();
      const full = this.m + B > capacity;
      const last = this.iterations >= maxIter;
      if (this.m >= components && (this.m >= check || full || last)) {
        const pairs = await this.pairs(likely || full || last);
        if (!pairs) return this.leading();
        const { residual, converged } = this.check(pairs);
        if (converged >= components || last)
          return (await this.ritz(pairs, converged)) ?? this.leading();
        ({ check, likely } = this.next(residual, before));
        before = { m: this.m, residual };
        if (full) {
          if (!(await this.restart(pairs))) return this.leading();
          before = undefined;
        }
      }
      if (await turn()) return this.leading();
    }
  }

  /**
   * The basis grows by the block; the next one is what A·Aᵀ makes of it, less its part in the
   * basis.
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
    const near = project(this.used(), next, { from: first });
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
      // Little was left, and what rounding put into it along the basis is no longer little beside
      // it.
      project(this.used(), next);
      const again = orthonormalise(next, this.used(), { least: 1e-8, random });
      this.rest = timesUpper(again, this.rest);
    }
    block.set(next);
    this.near = from;
    if (this.m + B <= capacity) this.join(this.rest, this.m - B);
  }

  /** Enters R between the columns from `at` on and the block that comes next. */
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

  /**
   * Eigenvalues of the projected matrix; of each vector all entries, or only the last eight, which
   * residuals take. Nothing if it was stopped.
   */
  private async pairs(whole: boolean): Promise<Pairs | undefined> {
    const { m } = this;
    const rows = whole ? m : B;
    const found = await tridiagonalEigenInTurns(this.projected(m), m, {
      rows,
      turn: this.options.turn,
    });
    return found && { ...found, rows };
  }

  /** The projected matrix of the first m columns. */
  private projected(m: number): Float64Array {
    const copy = new Float64Array(m * m);
    for (let i = 0, from = 0; i < m; i++, from += this.options.capacity)
      copy.set(this.t.subarray(from, from + m), i * m);
    return copy;
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
   * When to check next, as that is as costly as some steps: when there are a quarter more columns,
   * or as many as are missing if residuals go on to fall as they did.
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

  /** Keeps the best vectors and goes on from them. False if it was stopped before. */
  private async restart({ values, vectors }: Pairs): Promise<boolean> {
    const { capacity, components, turn } = this.options;
    const keep = Math.min(
      capacity - 2 * B,
      Math.ceil((components + (capacity - components) / 3) / B) * B,
    );
    const m = this.m;
    const blocks = await ritzVectors(this.used(), vectors, { count: keep, turn });
    if (!blocks) return false;
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
    return true;
  }

  /** The wanted pairs as vectors of A·Aᵀ. Nothing if it was stopped. */
  private async ritz(checked: Pairs, converged: number): Promise<Ritz | undefined> {
    const pairs = checked.rows === this.m ? checked : await this.pairs(true);
    const count = Math.min(this.options.components, this.m);
    const blocks =
      pairs && (await ritzVectors(this.used(), pairs.vectors, { count, turn: this.options.turn }));
    return (
      blocks && {
        values: pairs.values.slice(0, count),
        blocks,
        converged,
        iterations: this.iterations,
      }
    );
  }

  /**
   * What there is when it was stopped: from the first columns of the basis alone, so that it takes
   * no long.
   */
  private async leading(): Promise<Ritz> {
    const { components, tol } = this.options;
    const m = Math.min(this.m, LEADING);
    const count = Math.min(components, m, keptWhenStopped(this.a));
    const { values, vectors } = tridiagonalEigen(this.projected(m), m);
    let converged = 0;
    for (let i = 0; i < count; i++) {
      const s = vectors.subarray(i * m, (i + 1) * m);
      if (
        this.leadingResidual(s) <=
        tol * Math.max(values[i], 1e-13 * this.largest, Number.MIN_VALUE)
      )
        converged++;
    }
    const blocks = (await ritzVectors({ ...this.used(), columns: m }, vectors, { count }))!;
    return { values: values.slice(0, count), blocks, converged, iterations: this.iterations };
  }

  /**
   * The residual of an eigenvector of the projected matrix of the first columns: what A·Aᵀ makes of
   * it in the later ones.
   */
  private leadingResidual(s: Float64Array): number {
    const m = s.length;
    if (m === this.m) return this.residual(s.subarray(m - B));
    let square = 0;
    for (let r = m; r < this.m; r++) {
      const from = r * this.options.capacity;
      let sum = 0;
      for (let j = 0; j < m; j++) sum += this.t[from + j] * s[j];
      square += sum * sum;
    }
    return Math.sqrt(square);
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

function timesUpper(a: Float64Array, b: Float64Array): Float64Array {
  const c = new Float64Array(B * B);
  for (let i = 0; i < B; i++)
    for (let k = 0; k < B; k++)
      for (let j = 0; j < B; j++) c[i * B + j] += a[i * B + k] * b[k * B + j];
  return c;
}

/**
 * Of how many vectors the rest of the work, which grows with the square of their number, takes some
 * tenths of a second.
 */
export function keptWhenStopped(a: Operator): number {
  return Math.max(B, Math.floor(Math.sqrt(2e8 / Math.max(a.rows, a.columns))));
}

/**
 * Q·sᵢ for the first eigenvectors sᵢ of the projected matrix of as many columns as the basis Q has.
 * @param vectors row after row
 * @param options.count how many; `turn`: asked after each block: true stops
 * @returns blocks of eight on the shared memory, the last one filled with zeros; nothing if it was
 *   stopped
 */
export async function ritzVectors(
  basis: Basis,
  vectors: Float64Array,
  { count, turn }: { count: number; turn?: () => Promise<boolean> },
): Promise<Float64Array[] | undefined> {
  const m = basis.columns;
  const blocks: Float64Array[] = [];
  const s = float64(m * B);
  let stopped = false;
  for (let from = 0; from < count && !stopped; from += B) {
    s.fill(0);
    for (let c = 0; c < Math.min(B, count - from); c++)
      for (let i = 0; i < m; i++) s[i * B + c] = vectors[(from + c) * m + i];
    const out = float64(basis.rows * B);
    denseBlock(basis, s, out);
    blocks.push(out);
    if (turn && (await turn())) stopped = true;
  }
  dispose(s);
  if (!stopped) return blocks;
  for (const block of blocks) dispose(block);
  return undefined;
}
