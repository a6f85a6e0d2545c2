import { madd } from './simd';

/**
 * Rows [from, to) of Z + A·X for A in compressed rows (indptr, indices, float32 values) and a dense
 * X of `width` columns, float32, row-major. Z is like the result; 0 for none. Sums run over the
 * entries of a row in order.
 */
export function sparseRows(
  from: i32, to: i32, indptr: usize, indices: usize, values: usize, x: usize, width: i32, z: usize, out: usize, _thread: i32,
): void {
  const row = <usize>width << 2;
  for (let r = from; r < to; r++) {
    const start = <usize>load<i32>(indptr + (<usize>r << 2)), end = <usize>load<i32>(indptr + (<usize>r << 2), 4);
    const o = out + <usize>r * row, zr = z + <usize>r * row;
    let c = 0;
    for (; c + 16 <= width; c += 16) {
      const xc = x + (<usize>c << 2);
      let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
      if (z) {
        const zc = zr + (<usize>c << 2);
        a0 = v128.load(zc);
        a1 = v128.load(zc, 16);
        a2 = v128.load(zc, 32);
        a3 = v128.load(zc, 48);
      }
      for (let j = start; j < end; j++) {
        const v = v128.load32_splat(values + (j << 2));
        const p = xc + <usize>load<i32>(indices + (j << 2)) * row;
        a0 = madd(v, v128.load(p), a0);
        a1 = madd(v, v128.load(p, 16), a1);
        a2 = madd(v, v128.load(p, 32), a2);
        a3 = madd(v, v128.load(p, 48), a3);
      }
      const oc = o + (<usize>c << 2);
      v128.store(oc, a0);
      v128.store(oc, a1, 16);
      v128.store(oc, a2, 32);
      v128.store(oc, a3, 48);
    }
    for (; c < width; c++) {
      const xc = x + (<usize>c << 2);
      // As above, lane by lane: a column's bits must not depend on its place.
      let sum = f32x4.splat(z ? load<f32>(zr + (<usize>c << 2)) : 0);
      for (let j = start; j < end; j++) {
        const p = xc + <usize>load<i32>(indices + (j << 2)) * row;
        sum = madd(v128.load32_splat(values + (j << 2)), v128.load32_splat(p), sum);
      }
      store<f32>(o + (<usize>c << 2), f32x4.extract_lane(sum, 0));
    }
  }
}

// Products of a matrix with a block: eight columns of float64, row-major, so that a row of a block
// is one cache line. Multiplying a sparse matrix by eight vectors at once reads it once, and
// each of its entries fetches one line.

/** a·b + c on two lanes of float64, fused in the fast build. */
// @ts-ignore: decorator
@inline function madd2(a: v128, b: v128, c: v128): v128 {
  // @ts-ignore: compile-time constant
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

// @ts-ignore: decorator
@inline function less(sum: v128, s: v128, right: usize): v128 {
  return f64x2.sub(sum, f64x2.mul(s, v128.load(right)));
}

/**
 * Rows [from, to) of A·X − left·rightᵀ for A in compressed rows (indptr, indices, float64 values)
 * and a block X. left: one number a row, right: eight numbers; 0 for none.
 */
export function sparseBlock(
  from: i32, to: i32, indptr: usize, indices: usize, values: usize, x: usize, left: usize, right: usize, out: usize, _thread: i32,
): void {
  for (let r = from; r < to; r++) {
    let a0 = f64x2.splat(0), a1 = a0, a2 = a0, a3 = a0;
    const start = <usize>load<i32>(indptr + (<usize>r << 2)), end = <usize>load<i32>(indptr + (<usize>r << 2), 4);
    for (let j = start; j < end; j++) {
      const v = v128.load64_splat(values + (j << 3));
      const p = x + (<usize>load<i32>(indices + (j << 2)) << 6);
      a0 = madd2(v, v128.load(p), a0);
      a1 = madd2(v, v128.load(p, 16), a1);
      a2 = madd2(v, v128.load(p, 32), a2);
      a3 = madd2(v, v128.load(p, 48), a3);
    }
    if (left) {
      const s = v128.load64_splat(left + (<usize>r << 3));
      a0 = less(a0, s, right);
      a1 = less(a1, s, right + 16);
      a2 = less(a2, s, right + 32);
      a3 = less(a3, s, right + 48);
    }
    const o = out + (<usize>r << 6);
    v128.store(o, a0);
    v128.store(o, a1, 16);
    v128.store(o, a2, 32);
    v128.store(o, a3, 48);
  }
}

// @ts-ignore: decorator
@inline function put2(o: usize, sum: v128, subtract: bool): void {
  v128.store(o, subtract ? f64x2.sub(v128.load(o), sum) : sum);
}

/**
 * Rows [from, to) of A·B for a dense A with K columns and rows `lda` numbers apart, and a block B
 * of K rows: written to a block, or subtracted from what it holds.
 */
export function denseBlock(from: i32, to: i32, K: i32, a: usize, lda: i32, b: usize, subtract: bool, out: usize, _thread: i32): void {
  const row = <usize>lda << 3, end = b + (<usize>K << 6);
  for (let r = from; r < to; r += 2) {
    let p = a + <usize>r * row;
    const next: usize = r + 1 < to ? row : 0; // the last row of an odd number is done twice
    let a0 = f64x2.splat(0), a1 = a0, a2 = a0, a3 = a0, c0 = a0, c1 = a0, c2 = a0, c3 = a0;
    for (let q = b; q < end; q += 64) {
      const b0 = v128.load(q), b1 = v128.load(q, 16), b2 = v128.load(q, 32), b3 = v128.load(q, 48);
      const s = v128.load64_splat(p), t = v128.load64_splat(p + next);
      a0 = madd2(s, b0, a0);
      a1 = madd2(s, b1, a1);
      a2 = madd2(s, b2, a2);
      a3 = madd2(s, b3, a3);
      c0 = madd2(t, b0, c0);
      c1 = madd2(t, b1, c1);
      c2 = madd2(t, b2, c2);
      c3 = madd2(t, b3, c3);
      p += 8;
    }
    const o = out + (<usize>r << 6);
    put2(o, a0, subtract);
    put2(o + 16, a1, subtract);
    put2(o + 32, a2, subtract);
    put2(o + 48, a3, subtract);
    if (next) {
      put2(o + 64, c0, subtract);
      put2(o + 80, c1, subtract);
      put2(o + 96, c2, subtract);
      put2(o + 112, c3, subtract);
    }
  }
}

const CHUNK: i32 = 64; // rows at a time: they stay in the cache while one pair of columns after the other passes over them

/**
 * Rows [from, to) of Aᵀ·W for a dense A of M rows, `lda` numbers apart, and a block W of M rows.
 * Each sum runs over the rows in order, however the columns of A are split.
 */
export function denseTransposeBlock(from: i32, to: i32, M: i32, a: usize, lda: i32, w: usize, out: usize, _thread: i32): void {
  const row = <usize>lda << 3;
  memory.fill(out + (<usize>from << 6), 0, <usize>(to - from) << 6);
  for (let r = 0; r < M; r += CHUNK) {
    const h = min(CHUNK, M - r);
    const wr = w + (<usize>r << 6), end = wr + (<usize>h << 6);
    const ar = a + <usize>r * row;
    for (let c = from; c < to; c += 2) {
      const o = out + (<usize>c << 6);
      let p = ar + (<usize>c << 3);
      const two = c + 1 < to;
      const next: usize = two ? 8 : 0;
      let a0 = v128.load(o), a1 = v128.load(o, 16), a2 = v128.load(o, 32), a3 = v128.load(o, 48);
      const o2 = two ? o + 64 : o;
      let c0 = v128.load(o2), c1 = v128.load(o2, 16), c2 = v128.load(o2, 32), c3 = v128.load(o2, 48);
      for (let q = wr; q < end; q += 64) {
        const w0 = v128.load(q), w1 = v128.load(q, 16), w2 = v128.load(q, 32), w3 = v128.load(q, 48);
        const s = v128.load64_splat(p), t = v128.load64_splat(p + next);
        a0 = madd2(s, w0, a0);
        a1 = madd2(s, w1, a1);
        a2 = madd2(s, w2, a2);
        a3 = madd2(s, w3, a3);
        c0 = madd2(t, w0, c0);
        c1 = madd2(t, w1, c1);
        c2 = madd2(t, w2, c2);
        c3 = madd2(t, w3, c3);
        p += row;
      }
      v128.store(o, a0);
      v128.store(o, a1, 16);
      v128.store(o, a2, 32);
      v128.store(o, a3, 48);
      if (two) {
        v128.store(o2, c0);
        v128.store(o2, c1, 16);
        v128.store(o2, c2, 32);
        v128.store(o2, c3, 48);
      }
    }
  }
}
