import { madd } from './simd';

// C = A·B (+ C), float32, the Goto/BLIS way: panels of A and B are packed so that the inner loop
// reads them in order, and a 4×8 tile of C stays in registers (8 accumulators: a 6×8 tile spills
// under V8). Element (i,k) of A lies at a + 4·(i·rsa + k·csa), so that A or B may be transposed.
const MR: i32 = 4, NR: i32 = 8; // register tile
const KC: i32 = 256, MC: i32 = 96, NC: i32 = 512; // packed panels: fit L1 and L2

/** Bytes of scratch memory that gemm needs, per thread. */
export function gemmWorkspace(): i32 {
  return (MC * KC + KC * NC + MR * NR) * 4 + 64;
}

/** Packs an mc × kc block of A into panels of MR rows, zero-padded. */
function packA(a: usize, rsa: i32, csa: i32, mc: i32, kc: i32, out: usize): void {
  const rs = <usize>rsa << 2, cs = <usize>csa << 2;
  for (let i = 0; i < mc; i += MR) {
    const h = min(MR, mc - i);
    let p = a + <usize>i * rs;
    let k = 0;
    if (h == MR) {
      if (csa == 1) {
        for (; k + 4 <= kc; k += 4) {
          const r0 = v128.load(p), r1 = v128.load(p + rs), r2 = v128.load(p + 2 * rs), r3 = v128.load(p + 3 * rs);
          storeTransposed(r0, r1, r2, r3, out, 16);
          out += 64;
          p += 16;
        }
      } else if (rsa == 1) {
        for (; k < kc; k++) {
          v128.store(out, v128.load(p));
          out += 16;
          p += cs;
        }
      }
    }
    for (; k < kc; k++) {
      for (let r = 0; r < MR; r++) store<f32>(out + (<usize>r << 2), r < h ? load<f32>(p + <usize>r * rs) : <f32>0);
      out += 16;
      p += cs;
    }
  }
}

/** Packs a kc × nc block of B into panels of NR columns, zero-padded. */
function packB(b: usize, rsb: i32, csb: i32, kc: i32, nc: i32, out: usize): void {
  const rs = <usize>rsb << 2, cs = <usize>csb << 2;
  for (let j = 0; j < nc; j += NR) {
    const w = min(NR, nc - j);
    let p = b + <usize>j * cs;
    let k = 0;
    if (w == NR) {
      if (csb == 1) {
        for (; k < kc; k++) {
          v128.store(out, v128.load(p));
          v128.store(out, v128.load(p, 16), 16);
          out += 32;
          p += rs;
        }
      } else if (rsb == 1) {
        for (; k + 4 <= kc; k += 4) {
          storeTransposed(v128.load(p), v128.load(p + cs), v128.load(p + 2 * cs), v128.load(p + 3 * cs), out, 32);
          const q = p + 4 * cs;
          storeTransposed(v128.load(q), v128.load(q + cs), v128.load(q + 2 * cs), v128.load(q + 3 * cs), out + 16, 32);
          out += 128;
          p += 16;
        }
      }
    }
    for (; k < kc; k++) {
      for (let c = 0; c < NR; c++) store<f32>(out + (<usize>c << 2), c < w ? load<f32>(p + <usize>c * cs) : <f32>0);
      out += 32;
      p += rs;
    }
  }
}

/** Stores the transpose of four vectors, `stride` bytes apart. */
// @ts-ignore: decorator
@inline function storeTransposed(r0: v128, r1: v128, r2: v128, r3: v128, out: usize, stride: usize): void {
  const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<f32>(t0, t1, 0, 1, 4, 5));
  v128.store(out + stride, v128.shuffle<f32>(t0, t1, 2, 3, 6, 7));
  v128.store(out + 2 * stride, v128.shuffle<f32>(t2, t3, 0, 1, 4, 5));
  v128.store(out + 3 * stride, v128.shuffle<f32>(t2, t3, 2, 3, 6, 7));
}

// @ts-ignore: decorator
@inline function put(c: usize, sum: v128, add: bool): void {
  v128.store(c, add ? f32x4.add(v128.load(c), sum) : sum);
}

/** One 4×8 tile of C from packed panels; `ldc` in bytes. */
function tile(ap: usize, bp: usize, kc: i32, c: usize, ldc: usize, add: bool): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  const end = ap + (<usize>kc << 4);
  while (ap < end) {
    const b0 = v128.load(bp), b1 = v128.load(bp, 16);
    let a = v128.load32_splat(ap);
    c00 = madd(a, b0, c00);
    c01 = madd(a, b1, c01);
    a = v128.load32_splat(ap, 4);
    c10 = madd(a, b0, c10);
    c11 = madd(a, b1, c11);
    a = v128.load32_splat(ap, 8);
    c20 = madd(a, b0, c20);
    c21 = madd(a, b1, c21);
    a = v128.load32_splat(ap, 12);
    c30 = madd(a, b0, c30);
    c31 = madd(a, b1, c31);
    ap += 16;
    bp += 32;
  }
  put(c, c00, add);
  put(c + 16, c01, add);
  c += ldc;
  put(c, c10, add);
  put(c + 16, c11, add);
  c += ldc;
  put(c, c20, add);
  put(c + 16, c21, add);
  c += ldc;
  put(c, c30, add);
  put(c + 16, c31, add);
}

/**
 * C[M,N] = A[M,K]·B[K,N], added to what C holds if `add`. C is row-major with rows `ldc` floats
 * apart. `scratch` is gemmWorkspace() bytes of the caller's own.
 */
export function gemm(
  M: i32, N: i32, K: i32, a: usize, rsa: i32, csa: i32, b: usize, rsb: i32, csb: i32, c: usize, ldc: i32, add: bool, scratch: usize,
): void {
  const packedA = scratch, packedB = scratch + MC * KC * 4, edge = packedB + KC * NC * 4;
  const row = <usize>ldc << 2;
  for (let jc = 0; jc < N; jc += NC) {
    const nc = min(NC, N - jc);
    for (let pc = 0; pc < K; pc += KC) {
      const kc = min(KC, K - pc);
      const more = add || pc > 0;
      packB(b + ((<usize>pc * <usize>rsb + <usize>jc * <usize>csb) << 2), rsb, csb, kc, nc, packedB);
      for (let ic = 0; ic < M; ic += MC) {
        const mc = min(MC, M - ic);
        packA(a + ((<usize>ic * <usize>rsa + <usize>pc * <usize>csa) << 2), rsa, csa, mc, kc, packedA);
        for (let jr = 0; jr < nc; jr += NR) {
          const bp = packedB + <usize>jr * <usize>kc * 4;
          const w = min(NR, nc - jr);
          for (let ir = 0; ir < mc; ir += MR) {
            const ap = packedA + <usize>ir * <usize>kc * 4;
            const cp = c + <usize>(ic + ir) * row + (<usize>(jc + jr) << 2);
            const h = min(MR, mc - ir);
            if (h == MR && w == NR) {
              tile(ap, bp, kc, cp, row, more);
              continue;
            }
            tile(ap, bp, kc, edge, NR * 4, false);
            for (let i = 0; i < h; i++) {
              for (let j = 0; j < w; j++) {
                const q = cp + <usize>i * row + (<usize>j << 2);
                const x = load<f32>(edge + (<usize>(i * NR + j) << 2));
                store<f32>(q, more ? load<f32>(q) + x : x);
              }
            }
          }
        }
      }
    }
  }
}

/**
 * Columns [from, to) of C = A·B (+ C) for A of M rows: for a B so wide that packing it is most of
 * the work, each thread packs its part.
 */
export function gemmColumns(
  from: i32, to: i32, M: i32, K: i32, a: usize, rsa: i32, csa: i32, b: usize, rsb: i32, csb: i32, c: usize, ldc: i32, add: bool, scratch: usize, thread: i32,
): void {
  const bc = b + ((<usize>from * <usize>csb) << 2), cc = c + (<usize>from << 2);
  gemm(M, to - from, K, a, rsa, csa, bc, rsb, csb, cc, ldc, add, scratch + <usize>thread * <usize>gemmWorkspace());
}

/**
 * Rows [from, to) of C = A·B (+ C), on a thread whose scratch is the thread-th of gemmWorkspace()
 * bytes.
 */
export function gemmRows(
  from: i32, to: i32, N: i32, K: i32, a: usize, rsa: i32, csa: i32, b: usize, rsb: i32, csb: i32, c: usize, ldc: i32, add: bool, scratch: usize, thread: i32,
): void {
  const ar = a + ((<usize>from * <usize>rsa) << 2), cr = c + ((<usize>from * <usize>ldc) << 2);
  gemm(to - from, N, K, ar, rsa, csa, b, rsb, csb, cr, ldc, add, scratch + <usize>thread * <usize>gemmWorkspace());
}
