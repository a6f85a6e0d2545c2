import { get, put } from './exp';
import { flush4, madd } from './simd';

// One step of SGD, RMSProp, RAdam, QHAdam, Larc, Lamb: they differ in their coefficients alone.
// With g' = g + l2·p,
//
//   m ← b1·m + d1·g'        v ← b2·v + d2·g'²        p ← keep·p − (a·g' + c·m) / (√(e·g'² + f·v) + eps)
//
// where a moment that is not kept (address 0) is left out, and without v the division is, too.
// Coefficients lie at k in the order of COEFFICIENTS (lib/recital/learner/optimizers/moments.ts),
// as floats.

/**
 * Four values or, in the tail, one. The flags are constants, so that each use is code of its own.
 */
// @ts-ignore: decorator
@inline function update(
  w: usize, g: usize, m: usize, v: usize, hasG: bool, hasM: bool, hasV: bool, tail: bool,
  keep: v128, l2: v128, b1: v128, d1: v128, b2: v128, d2: v128, a: v128, c: v128, e: v128, f: v128, eps: v128,
): void {
  const p = get(w, tail);
  const decayed = f32x4.mul(l2, p);
  const g1 = hasG ? f32x4.add(get(g, tail), decayed) : decayed;
  let step = f32x4.mul(a, g1);
  if (hasM) {
    const m1 = flush4(madd(b1, get(m, tail), f32x4.mul(d1, g1)));
    put(m, m1, tail);
    step = madd(c, m1, step);
  }
  if (hasV) {
    const square = f32x4.mul(g1, g1);
    const v1 = flush4(madd(b2, get(v, tail), f32x4.mul(d2, square)));
    put(v, v1, tail);
    step = f32x4.div(step, f32x4.add(f32x4.sqrt(madd(f, v1, f32x4.mul(e, square))), eps));
  }
  put(w, f32x4.sub(f32x4.mul(p, keep), step), tail);
}

// @ts-ignore: decorator
@inline function loop(n: i32, w: usize, g: usize, m: usize, v: usize, k: usize, hasG: bool, hasM: bool, hasV: bool): void {
  const keep = v128.load32_splat(k), l2 = v128.load32_splat(k, 4), b1 = v128.load32_splat(k, 8), d1 = v128.load32_splat(k, 12);
  const b2 = v128.load32_splat(k, 16), d2 = v128.load32_splat(k, 20), a = v128.load32_splat(k, 24), c = v128.load32_splat(k, 28);
  const e = v128.load32_splat(k, 32), f = v128.load32_splat(k, 36), eps = v128.load32_splat(k, 40);
  const end = <usize>n << 2, end4 = end & ~15;
  let o: usize = 0;
  for (; o < end4; o += 16) update(w + o, g + o, m + o, v + o, hasG, hasM, hasV, false, keep, l2, b1, d1, b2, d2, a, c, e, f, eps);
  for (; o < end; o += 4) update(w + o, g + o, m + o, v + o, hasG, hasM, hasV, true, keep, l2, b1, d1, b2, d2, a, c, e, f, eps);
}

// @ts-ignore: decorator
@inline function rows(n: i32, w: usize, g: usize, m: usize, v: usize, k: usize, hasG: bool): void {
  if (m) {
    if (v) loop(n, w, g, m, v, k, hasG, true, true);
    else loop(n, w, g, m, v, k, hasG, true, false);
  } else {
    if (v) loop(n, w, g, m, v, k, hasG, false, true);
    else loop(n, w, g, m, v, k, hasG, false, false);
  }
}

/**
 * One step for n values with gradients g (0: no gradient, all zero) and moments m and v (0: not
 * kept).
 */
export function moments(n: i32, w: usize, g: usize, m: usize, v: usize, k: usize): void {
  if (g) rows(n, w, g, m, v, k, true);
  else rows(n, w, g, m, v, k, false);
}

/**
 * The same for a table of `count` rows of `width` values whose gradients are compact: slot[row] is
 * a row's place in g, −1 where it has none. Runs of rows without gradient are done in one go.
 */
export function momentsTable(count: i32, width: i32, slot: usize, w: usize, g: usize, m: usize, v: usize, k: usize): void {
  const bytes = <usize>width << 2;
  let r = 0;
  while (r < count) {
    const start = r;
    const s = load<i32>(slot + (<usize>r << 2));
    do r++; while (s < 0 && r < count && load<i32>(slot + (<usize>r << 2)) < 0);
    const o = <usize>start * bytes;
    moments((r - start) * width, w + o, s < 0 ? 0 : g + <usize>s * bytes, m ? m + o : 0, v ? v + o : 0, k);
  }
}
