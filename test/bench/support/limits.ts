import { kernels } from '../../../lib/recital/compute/kernels.js';
import { dispose, float32, int32 } from '../../../lib/recital/compute/memory.js';
import { Random } from '../../../lib/recital/compute/random.js';

const MB = 2 ** 20;
/**
 * Bytes that are touched in all where copies are measured: some stay in the first cache, the last
 * ones in none.
 */
const TOUCHED = [MB / 4, MB, 4 * MB, 16 * MB, 64 * MB, 512 * MB] as const;
/** Rows as long as those of fifty factors. */
const WIDTH = 50;

/**
 * What one core of this machine does at best, by kernels of ours, to measure by what they attain
 * elsewhere: `gflops`, 10⁹ additions and multiplications a second in a product of matrices that
 * stay in the cache; `copy N`, 10⁹ bytes read and written a second where N bytes are read and
 * written again and again; `rows`, the same for rows of 200 bytes at random places of 256 MB, and
 * `rows cached` for those of 4 MB. Takes about three seconds.
 */
export function measureLimits(): Record<string, number> {
  const copies = TOUCHED.map((bytes) => [`copy ${bytes}`, copyRate(bytes)]);
  return {
    gflops: productRate(),
    rows: rowRate(256 * MB),
    'rows cached': rowRate(4 * MB),
    ...Object.fromEntries(copies),
  };
}

/** The rate of copies that touch as many bytes, or the next larger number that was measured. */
export function copyLimit(limits: (name: string) => number, bytes: number): number {
  return limits(
    `copy ${TOUCHED.find((touched) => touched >= bytes) ?? TOUCHED[TOUCHED.length - 1]}`,
  );
}

/** The best of some runs, in work a second. */
function best(work: number, run: () => void, { seconds = 0.3 }: { seconds?: number } = {}): number {
  let least = Infinity;
  for (
    const end = performance.now() + 1000 * seconds;
    performance.now() < end || least === Infinity;
  ) {
    const started = performance.now();
    run();
    least = Math.min(least, performance.now() - started);
  }
  return (1000 * work) / least;
}

/** 96 × 256 times 256 × 64: one block of A, one of B, 184 kB with the result. */
function productRate(): number {
  const [m, n, k, repeats] = [96, 64, 256, 50];
  const [a, b, c] = [float32(m * k).fill(1), float32(k * n).fill(1), float32(m * n)];
  const scratch = float32(kernels().gemmWorkspace() / 4);
  const rate = best(2 * m * n * k * repeats, () => {
    for (let i = 0; i < repeats; i++)
      kernels().gemm(
        m,
        n,
        k,
        a.byteOffset,
        k,
        1,
        b.byteOffset,
        n,
        1,
        c.byteOffset,
        n,
        0,
        scratch.byteOffset,
      );
  });
  for (const array of [a, b, c, scratch]) dispose(array);
  return rate / 1e9;
}

function copyRate(touched: number): number {
  const [from, to] = [new Float32Array(touched / 8).fill(1), new Float32Array(touched / 8).fill(1)];
  const repeats = Math.max(1, (4 * MB) / touched);
  const rate = best(touched * repeats, () => {
    for (let i = 0; i < repeats; i++) to.set(from);
  });
  return rate / 1e9;
}

function rowRate(bytes: number): number {
  const n = Math.floor(bytes / (4 * WIDTH));
  const table = float32(n * WIDTH).fill(1);
  const rows = int32(20_000);
  const out = float32(rows.length * WIDTH);
  const random = new Random(1);
  let rate = 0;
  for (let run = 0; run < 20; run++) {
    for (let r = 0; r < rows.length; r++) rows[r] = random.int(n); // others each time: the last ones are in the cache
    const gather = (): number =>
      kernels().gatherRows(
        rows.length,
        WIDTH,
        rows.byteOffset,
        table.byteOffset,
        out.byteOffset,
        WIDTH,
      );
    rate = Math.max(rate, best(8 * WIDTH * rows.length, gather, { seconds: 0 }));
  }
  for (const array of [table, rows, out]) dispose(array);
  return rate / 1e9;
}
