import { flush4, get, madd, put, TINY } from './simd';

// fastai's Adam (optimizer.py): p ← p·keep (decoupled decay); m ← b1·m + d1·g; v ← b2·v +
// (1−b2)·g²; p ← p − step·m / (√v·unbias + eps), with keep = 1 − lr·wd, d1 = 1 − b1, step =
// lr/(1−b1^t), unbias = 1/√(1−b2^t). With l2 ≠ 0 the decay is coupled instead: g ← g + l2·p.

// @ts-ignore: decorator
@inline function flush1(x: f32): f32 {
  return abs<f32>(x) < TINY ? 0 : x;
}

// @ts-ignore: decorator
@inline function update4(w: usize, gv: v128, m: usize, v: usize, keep: v128, l2: v128, b1: v128, d1: v128, b2: v128, d2: v128, step: v128, unbias: v128, eps: v128): void {
  const p = v128.load(w);
  const g = f32x4.add(gv, f32x4.mul(l2, p));
  const m1 = flush4(madd(b1, v128.load(m), f32x4.mul(d1, g)));
  const v1 = flush4(madd(b2, v128.load(v), f32x4.mul(d2, f32x4.mul(g, g))));
  v128.store(m, m1);
  v128.store(v, v1);
  v128.store(w, f32x4.sub(f32x4.mul(p, keep), f32x4.div(f32x4.mul(step, m1), madd(f32x4.sqrt(v1), unbias, eps))));
}

// @ts-ignore: decorator
@inline function update1(w: usize, g0: f32, m: usize, v: usize, keep: f32, l2: f32, b1: f32, d1: f32, b2: f32, d2: f32, step: f32, unbias: f32, eps: f32): void {
  const p = load<f32>(w);
  const g = g0 + l2 * p;
  const m1 = flush1(b1 * load<f32>(m) + d1 * g);
  const v1 = flush1(b2 * load<f32>(v) + d2 * (g * g));
  store<f32>(m, m1);
  store<f32>(v, v1);
  store<f32>(w, p * keep - (step * m1) / (sqrt<f32>(v1) * unbias + eps));
}

/** One step for n values with gradients g (0: no gradient, all zero). */
export function adam(
  n: i32, w: usize, g: usize, m: usize, v: usize,
  keep: f32, l2: f32, b1: f32, d1: f32, b2: f32, d2: f32, step: f32, unbias: f32, eps: f32,
): void {
  const keep4 = f32x4.splat(keep), l24 = f32x4.splat(l2), b14 = f32x4.splat(b1), d14 = f32x4.splat(d1), b24 = f32x4.splat(b2), d24 = f32x4.splat(d2);
  const step4 = f32x4.splat(step), unbias4 = f32x4.splat(unbias), eps4 = f32x4.splat(eps);
  let o: usize = 0;
  const end = <usize>n << 2, end4 = end & ~15;
  if (g) {
    for (; o < end4; o += 16) update4(w + o, v128.load(g + o), m + o, v + o, keep4, l24, b14, d14, b24, d24, step4, unbias4, eps4);
    for (; o < end; o += 4) update1(w + o, load<f32>(g + o), m + o, v + o, keep, l2, b1, d1, b2, d2, step, unbias, eps);
  } else {
    const zero = f32x4.splat(0);
    for (; o < end4; o += 16) update4(w + o, zero, m + o, v + o, keep4, l24, b14, d14, b24, d24, step4, unbias4, eps4);
    for (; o < end; o += 4) update1(w + o, 0, m + o, v + o, keep, l2, b1, d1, b2, d2, step, unbias, eps);
  }
}

/** The same for values [from, to). */
export function adamRange(
  from: i32, to: i32, w: usize, g: usize, m: usize, v: usize,
  keep: f32, l2: f32, b1: f32, d1: f32, b2: f32, d2: f32, step: f32, unbias: f32, eps: f32, _thread: i32,
): void {
  const o = <usize>from << 2;
  adam(to - from, w + o, g + o, m + o, v + o, keep, l2, b1, d1, b2, d2, step, unbias, eps);
}

/**
 * The same for rows [from, to) of a table of `width` columns whose gradients are compact: slot[row]
 * is a row's place in g, −1 where it has none. Runs of rows without gradient are done in one go.
 */
export function adamTable(
  from: i32, to: i32, width: i32, slot: usize, w: usize, g: usize, m: usize, v: usize,
  keep: f32, l2: f32, b1: f32, d1: f32, b2: f32, d2: f32, step: f32, unbias: f32, eps: f32,
): void {
  const bytes = <usize>width << 2;
  let r = from;
  while (r < to) {
    let s = load<i32>(slot + (<usize>r << 2));
    const o = <usize>r * bytes;
    if (s >= 0) {
      adam(width, w + o, g + <usize>s * bytes, m + o, v + o, keep, l2, b1, d1, b2, d2, step, unbias, eps);
      r++;
    } else {
      const start = r;
      do r++; while (r < to && load<i32>(slot + (<usize>r << 2)) < 0);
      adam((r - start) * width, w + o, 0, m + o, v + o, keep, l2, b1, d1, b2, d2, step, unbias, eps);
    }
  }
}

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
