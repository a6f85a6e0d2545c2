import { madd, sum4 } from './simd';

// Implicit ALS by conjugate gradient, as the `implicit` library does it (Takács, Pilászy and Tikk,
// 2011). Rows of factors are `width` floats, a multiple of 4.

// @ts-ignore: decorator
@inline function dot(a: usize, b: usize, bytes: usize): f32 {
  let sum = f32x4.splat(0);
  for (let d: usize = 0; d < bytes; d += 16) sum = madd(v128.load(a + d), v128.load(b + d), sum);
  return sum4(sum);
}

/** y += s·x */
// @ts-ignore: decorator
@inline function axpy(s: f32, x: usize, y: usize, bytes: usize): void {
  const v = f32x4.splat(s);
  for (let d: usize = 0; d < bytes; d += 16) v128.store(y + d, madd(v, v128.load(x + d), v128.load(y + d)));
}

/** out = G·p for a symmetric G of width × width. */
function symmetricTimes(G: usize, p: usize, out: usize, bytes: usize): void {
  let d: usize = 0;
  for (; d + 64 <= bytes; d += 64) {
    let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
    let g = G + d;
    for (let j: usize = 0; j < bytes; j += 4) {
      const v = v128.load32_splat(p + j);
      a0 = madd(v, v128.load(g), a0);
      a1 = madd(v, v128.load(g, 16), a1);
      a2 = madd(v, v128.load(g, 32), a2);
      a3 = madd(v, v128.load(g, 48), a3);
      g += bytes;
    }
    v128.store(out + d, a0);
    v128.store(out + d, a1, 16);
    v128.store(out + d, a2, 32);
    v128.store(out + d, a3, 48);
  }
  for (; d < bytes; d += 16) {
    let a = f32x4.splat(0);
    let g = G + d;
    for (let j: usize = 0; j < bytes; j += 4) {
      a = madd(v128.load32_splat(p + j), v128.load(g), a);
      g += bytes;
    }
    v128.store(out + d, a);
  }
}

/** (c − 1)·s, or c − (c − 1)·s where the residual is started. */
// @ts-ignore: decorator
@inline function weight(c: f32, s: f32, residual: bool): f32 {
  return residual ? c - (c - 1) * s : (c - 1) * s;
}

/**
 * out += Σ weight(c_i, y_i·p)·y_i over the entries start … end of a row. Four rows of Y at a time:
 * p and out are loaded once for them.
 */
function addEntries(start: usize, end: usize, indices: usize, confidence: usize, Y: usize, p: usize, out: usize, bytes: usize, residual: bool): void {
  let j = start;
  for (; j + 4 <= end; j += 4) {
    const at = indices + (j << 2), c = confidence + (j << 2);
    const y0 = Y + <usize>load<i32>(at) * bytes, y1 = Y + <usize>load<i32>(at, 4) * bytes;
    const y2 = Y + <usize>load<i32>(at, 8) * bytes, y3 = Y + <usize>load<i32>(at, 12) * bytes;
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (let d: usize = 0; d < bytes; d += 16) {
      const v = v128.load(p + d);
      s0 = madd(v128.load(y0 + d), v, s0);
      s1 = madd(v128.load(y1 + d), v, s1);
      s2 = madd(v128.load(y2 + d), v, s2);
      s3 = madd(v128.load(y3 + d), v, s3);
    }
    const t0 = f32x4.splat(weight(load<f32>(c), sum4(s0), residual)), t1 = f32x4.splat(weight(load<f32>(c, 4), sum4(s1), residual));
    const t2 = f32x4.splat(weight(load<f32>(c, 8), sum4(s2), residual)), t3 = f32x4.splat(weight(load<f32>(c, 12), sum4(s3), residual));
    for (let d: usize = 0; d < bytes; d += 16) {
      let o = madd(t0, v128.load(y0 + d), v128.load(out + d));
      o = madd(t1, v128.load(y1 + d), o);
      o = madd(t2, v128.load(y2 + d), o);
      v128.store(out + d, madd(t3, v128.load(y3 + d), o));
    }
  }
  for (; j < end; j++) {
    const y = Y + <usize>load<i32>(indices + (j << 2)) * bytes;
    axpy(weight(load<f32>(confidence + (j << 2)), dot(y, p, bytes), residual), y, out, bytes);
  }
}

/** Bytes of scratch memory that alsRows needs, per thread. */
export function alsWorkspace(width: i32): i32 {
  return 3 * (width << 2) + 64;
}

/**
 * Rows [from, to) of X: `steps` steps of conjugate gradient, from where X stands, towards (G + Yᵀ(C
 * − 1)Y)·x = YᵀC·1, where G = YᵀY + regularization and C holds the confidences of the row's
 * entries. Rows without entries become 0. `scratch` is alsWorkspace(width) bytes for each thread.
 */
export function alsRows(
  from: i32, to: i32, indptr: usize, indices: usize, confidence: usize, Y: usize, G: usize, width: i32, steps: i32, X: usize, scratch: usize, thread: i32,
): void {
  const bytes = <usize>width << 2;
  const r = scratch + <usize>thread * <usize>alsWorkspace(width), p = r + bytes, Ap = p + bytes;
  for (let row = from; row < to; row++) {
    const start = <usize>load<i32>(indptr + (<usize>row << 2)), end = <usize>load<i32>(indptr + (<usize>row << 2), 4);
    const x = X + <usize>row * bytes;
    if (start == end) {
      memory.fill(x, 0, bytes);
      continue;
    }
    symmetricTimes(G, x, r, bytes);
    for (let d: usize = 0; d < bytes; d += 16) v128.store(r + d, f32x4.neg(v128.load(r + d)));
    addEntries(start, end, indices, confidence, Y, x, r, bytes, true);
    memory.copy(p, r, bytes);
    let rsold = dot(r, r, bytes);
    if (rsold < 1e-20) continue;
    for (let step = 0; step < steps; step++) {
      symmetricTimes(G, p, Ap, bytes);
      addEntries(start, end, indices, confidence, Y, p, Ap, bytes, false);
      const alpha = rsold / dot(p, Ap, bytes);
      axpy(alpha, p, x, bytes);
      axpy(-alpha, Ap, r, bytes);
      const rsnew = dot(r, r, bytes);
      if (rsnew < 1e-20) break;
      const beta = f32x4.splat(rsnew / rsold);
      for (let d: usize = 0; d < bytes; d += 16) v128.store(p + d, madd(beta, v128.load(p + d), v128.load(r + d)));
      rsold = rsnew;
    }
  }
}
