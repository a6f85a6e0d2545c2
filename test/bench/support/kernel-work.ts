import { memory } from '../../../lib/recital/compute/memory.js';

/** What a call of a kernel has to do at least. */
export interface Work {
  /**
   * Additions and multiplications, as many as the formula has. One on float64 counts twice: half as
   * many fit into a register.
   */
  flops: number;
  /** Bytes of its operands and results, each read or written once. */
  bytes: number;
}

interface About {
  work(args: readonly number[]): Work;
  /** What keeps it from a limit where it is not at one. */
  readonly why: string;
  /** Whether it reads or writes rows of a table that lie at random places. */
  readonly scattered?: boolean;
}

/** Operations of assembly/simd.ts. */
const EXP = 27;
const SIGMOID = EXP + 3;
const TANH = SIGMOID + 3;

const tiles = 'operands are packed before they are multiplied, and tiles at edges are not full';
const rows = 'short rows, each with work of its own';
const roots = 'a division and a square root for each number';
const blocks = 'sums in registers, which eight columns do not fill';

const kernels: Readonly<Record<string, About>> = {
  gemm: { why: tiles, work: ([m, n, k, , , , , , , , , add]) => product(m, n, k, add) },
  gemmRows: {
    why: tiles,
    work: ([from, to, n, k, , , , , , , , , add]) => product(to - from, n, k, add),
  },
  gemmColumns: {
    why: tiles,
    work: ([from, to, m, k, , , , , , , , , add]) => product(m, to - from, k, add),
  },
  dotBiasForward: {
    why: rows,
    scattered: true,
    work: ([n, k]) => ({ flops: n * (2 * k + 2), bytes: n * (8 * k + 20) }),
  },
  dotBiasBackward: {
    why: rows,
    scattered: true,
    work: ([n, k]) => ({ flops: n * (4 * k + 2), bytes: n * (24 * k + 36) }),
  },
  adamTable: { why: roots, work: ([from, to, width]) => adam((to - from) * width) },
  adamRange: { why: roots, work: ([from, to]) => adam(to - from) },
  moments: { why: roots, work: ([n]) => adam(n) },
  momentsTable: { why: roots, work: ([n, width]) => adam(n * width) },
  skipRows: {
    why: 'what each row has missed; a logarithm, four nodes of a table and a root for each number',
    scattered: true,
    work: ([from, to, , width]) => ({
      flops: 58 * (to - from) * width,
      bytes: (to - from) * (24 * width + 4),
    }),
  },
  skipStep: {
    why: roots,
    scattered: true,
    work: ([from, to, , width]) => ({
      flops: 20 * (to - from) * width,
      bytes: (to - from) * (28 * width + 8),
    }),
  },
  skipAdvance: {
    why: 'a division for each node',
    work: ([from, to, , , spans]) => nodes(spans, from, to),
  },
  gatherRows: {
    why: rows,
    scattered: true,
    work: ([n, width]) => ({ flops: 0, bytes: n * (8 * width + 4) }),
  },
  scatterRows: {
    why: rows,
    scattered: true,
    work: ([n, width]) => ({ flops: n * width, bytes: n * (12 * width + 4) }),
  },
  columnSums: {
    why: 'one sum at a time',
    work: ([n, width]) => ({ flops: n * width, bytes: 4 * (n + 2) * width }),
  },
  outerSum: {
    why: 'one addition for each number',
    work: ([from, to, length]) => ({
      flops: (to - from) * length,
      bytes: 4 * ((to - from) * (length + 1) + length),
    }),
  },
  lstmForward: {
    why: 'exponentials and divisions, and products that a time step must wait for',
    work: ([, , steps, h, sizes]) =>
      recurrent(sizes, steps, h, { each: 3 * SIGMOID + 2 * TANH + 4, bytes: 4 * 12 }),
  },
  lstmBackward: {
    why: 'products that a time step must wait for',
    work: ([, , steps, h, sizes]) => recurrent(sizes, steps, h, { each: 24, bytes: 4 * 13 }),
  },
  crossEntropyRows: {
    why: 'each row is gone through three times',
    work: ([from, to, n, , , , out]) => ({
      flops: (to - from) * n * (EXP + (out ? 4 : 3)),
      bytes: 4 * (to - from) * n * (out ? 2 : 1),
    }),
  },
  topRows: {
    why: 'each score is compared with the least of the best',
    work: ([from, to, , length]) => ({
      flops: (to - from) * length,
      bytes: 4 * (to - from) * length,
    }),
  },
  alsRows: {
    // Of the factors that it reads nothing is counted: how many they are it is not told.
    why: 'sums that the next step waits for, and factors at random places',
    work: ([from, to, indptr, , , , , w, steps]) => {
      const n = entries(indptr, from, to);
      const times = steps + 1;
      return {
        flops: times * ((to - from) * (2 * w * w + 8 * w) + 4 * n * w),
        bytes: 8 * times * n + 8 * (to - from) * w,
      };
    },
  },
  sparseBlock: {
    why: rows,
    scattered: true,
    work: ([from, to, indptr]) => {
      const n = entries(indptr, from, to);
      return { flops: 2 * 16 * n, bytes: n * (12 + 64) + 68 * (to - from) };
    },
  },
  denseBlock: {
    why: blocks,
    work: ([from, to, k, , , , subtract]) => dense(to - from, k, subtract ? 8 * (to - from) : 0),
  },
  denseTransposeBlock: { why: blocks, work: ([from, to, m]) => dense(m, to - from, 0) },
};

function i32(at: number): number {
  return new Int32Array(memory.buffer, at, 1)[0];
}

/** Entries of the rows from … to of compressed rows. */
function entries(indptr: number, from: number, to: number): number {
  return i32(indptr + 4 * to) - i32(indptr + 4 * from);
}

function product(m: number, n: number, k: number, add: number): Work {
  return { flops: 2 * m * n * k, bytes: 4 * (m * k + k * n + m * n * (add ? 2 : 1)) };
}

/**
 * Weights, both moments and the gradient: three of them are written, too. Operations: those of
 * assembly/optimizers.ts.
 */
function adam(n: number): Work {
  return { flops: 15 * n, bytes: 28 * n };
}

/**
 * The nodes of the slots from … to of time-skipping that are moved on: those from the first to the
 * last of each, of three integers a slot.
 */
function nodes(spans: number, from: number, to: number): Work {
  const span = new Int32Array(memory.buffer, spans + 12 * from, 3 * (to - from));
  let n = 0;
  for (let i = 0; i < span.length; i += 3) n += span[i + 1] - span[i] + 1;
  return { flops: 6 * n, bytes: 8 * n };
}

/**
 * An LSTM's states: the product with the states before, and `each` operations on numbers of `bytes`
 * bytes for each state.
 */
function recurrent(
  sizes: number,
  steps: number,
  h: number,
  { each, bytes }: { each: number; bytes: number },
): Work {
  let all = 0;
  for (let s = 0; s < steps; s++) all += i32(sizes + 4 * s);
  const later = steps ? all - i32(sizes) : 0;
  return { flops: 8 * later * h * h + all * h * each, bytes: all * h * bytes + 16 * h * h };
}

/** A dense matrix of float64 times eight columns. */
function dense(m: number, n: number, out: number): Work {
  return { flops: 2 * 16 * m * n, bytes: 8 * (m * n + 8 * (m + n) + out) };
}

/** What a call of a kernel has to do; nothing is known of kernels that are not described here. */
export function workOf(name: string, args: readonly number[]): Work {
  return kernels[name]?.work(args) ?? { flops: NaN, bytes: NaN };
}

/** Whether a kernel reads or writes rows of a table that lie at random places. */
export function isScattered(name: string): boolean {
  return kernels[name]?.scattered ?? false;
}

/** What keeps a kernel from the limits. */
export function whyNot(name: string): string {
  return kernels[name]?.why ?? 'not described in kernel-work.ts';
}
