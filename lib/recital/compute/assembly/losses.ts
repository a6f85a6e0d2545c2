import { exp4, flush4, get, put, sigmoid4, sum4 } from './simd';

const BLOCK: usize = 1024; // bytes that are summed in float32, before the sum goes to float64

/** The largest of n floats; NaN if one of them is. */
function largest(n: i32, x: usize): f32 {
  const end = x + (<usize>n << 2), end4 = x + ((<usize>n & ~3) << 2);
  let most = f32x4.splat(-Infinity);
  for (; x < end4; x += 16) most = f32x4.max(most, v128.load(x));
  let m = max(max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)), max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)));
  for (; x < end; x += 4) m = max(m, load<f32>(x));
  return m;
}

/**
 * Σ e^(x − m) over n floats, those below 1e-30 as 0 (as denormals they would be slow ever after);
 * if `keep`, each also goes to `out`.
 */
// @ts-ignore: decorator
@inline function exponentials(n: i32, x: usize, m: f32, out: usize, keep: bool): f64 {
  const m4 = f32x4.splat(m);
  const bytes = <usize>n << 2, bytes4 = bytes & ~15;
  let total: f64 = 0;
  let o: usize = 0;
  while (o < bytes4) {
    const end = min(bytes4, o + BLOCK);
    let sum = f32x4.splat(0);
    for (; o < end; o += 16) {
      const e = flush4(exp4(f32x4.sub(v128.load(x + o), m4)));
      if (keep) v128.store(out + o, e);
      sum = f32x4.add(sum, e);
    }
    total += <f64>sum4(sum);
  }
  for (; o < bytes; o += 4) {
    const e = f32x4.extract_lane(flush4(exp4(f32x4.splat(load<f32>(x + o) - m))), 0);
    if (keep) store<f32>(out + o, e);
    total += <f64>e;
  }
  return total;
}

/**
 * Cross-entropy of the softmax of rows [from, to) of n floats; classes: i32, a negative one means
 * that the row does not count. parts (float64): for each row Σ e^(x − m) and m − x[class], where m
 * is the largest x, so that its loss is log(first) + second. (No logarithm here: its tables would
 * lie on the shared memory.) Unless `out` is 0, it gets scales[row]·(softmax(x) − one-hot(class));
 * it may be x itself.
 */
export function crossEntropyRows(from: i32, to: i32, n: i32, x: usize, classes: usize, parts: usize, out: usize, scales: usize, _thread: i32): void {
  const bytes = <usize>n << 2, bytes4 = bytes & ~15;
  for (let r = from; r < to; r++) {
    const row = x + <usize>r * bytes, to_ = out + <usize>r * bytes;
    const c = load<i32>(classes + (<usize>r << 2));
    if (c < 0) {
      store<f64>(parts + (<usize>r << 4), 1);
      store<f64>(parts + (<usize>r << 4), 0, 8);
      if (out) memory.fill(to_, 0, bytes);
      continue;
    }
    const m = largest(n, row), known = load<f32>(row + (<usize>c << 2));
    const sum = out ? exponentials(n, row, m, to_, true) : exponentials(n, row, m, 0, false);
    store<f64>(parts + (<usize>r << 4), sum);
    store<f64>(parts + (<usize>r << 4), <f64>m - <f64>known, 8);
    if (!out) continue;
    const scale = load<f32>(scales + (<usize>r << 2)), k = <f32>(<f64>scale / sum), k4 = f32x4.splat(k);
    let o: usize = 0;
    for (; o < bytes4; o += 16) v128.store(to_ + o, f32x4.mul(v128.load(to_ + o), k4));
    for (; o < bytes; o += 4) store<f32>(to_ + o, load<f32>(to_ + o) * k);
    const at = to_ + (<usize>c << 2);
    store<f32>(at, load<f32>(at) - scale);
  }
}

/** A negative with a score below this is none (it is the target itself). */
const NONE: f32 = -1e14;

/** The first lane in the tail of a row, else all: what does not count is 0. */
// @ts-ignore: decorator
@inline function part(x: v128, tail: bool): v128 {
  return tail ? f32x4.replace_lane(f32x4.splat(0), 0, f32x4.extract_lane(x, 0)) : x;
}

/**
 * BPR-max of rows [from, to) of `width` scores, the positive's r first, then the negatives' r_j.
 * With s = softmax(r_j) and σ_j = σ(r − r_j) it is −log A + reg·R, A = Σ s_j·σ_j, R = Σ s_j·r_j².
 * parts (float64): A and R of each row. The scores become scales[row] times their gradient. A row
 * without negatives has A = 1, R = 0 and no gradient.
 */
export function bprMaxRows(from: i32, to: i32, width: i32, x: usize, parts: usize, scales: usize, reg: f32, _thread: i32): void {
  const bytes = <usize>width << 2, one = f32x4.splat(1), end4: usize = 4 + ((bytes - 4) & ~15);
  for (let row = from; row < to; row++) {
    const z = x + <usize>row * bytes, at = parts + (<usize>row << 4);
    let m: f32 = -Infinity;
    for (let o: usize = 4; o < bytes; o += 4) m = max(m, load<f32>(z + o));
    if (m < NONE || width < 2) {
      store<f64>(at, 1);
      store<f64>(at, 0, 8);
      memory.fill(z, 0, bytes);
      continue;
    }
    const m4 = f32x4.splat(m), r = f32x4.splat(load<f32>(z));
    let e4 = f32x4.splat(0), a4 = e4, d4 = e4, r4 = e4;
    for (let o: usize = 4; o < bytes; ) {
      const tail: bool = o >= end4;
      const v = tail ? get(z + o, true) : get(z + o, false);
      const e = part(flush4(exp4(f32x4.sub(v, m4))), tail), s = sigmoid4(f32x4.sub(r, v)), es = f32x4.mul(e, s);
      e4 = f32x4.add(e4, e);
      a4 = f32x4.add(a4, es);
      d4 = f32x4.add(d4, f32x4.mul(es, f32x4.sub(one, s)));
      r4 = f32x4.add(r4, f32x4.mul(e, f32x4.mul(v, v)));
      o += tail ? 4 : 16;
    }
    const sum = sum4(e4), scale = load<f32>(scales + (<usize>row << 2));
    const A = max<f32>(sum4(a4) / sum, 1e-30), R = sum4(r4) / sum;
    store<f64>(at, <f64>A);
    store<f64>(at, <f64>R, 8);
    const perA = f32x4.splat(-scale / A), k = f32x4.splat(scale * reg), A4 = f32x4.splat(A), R4 = f32x4.splat(R), S = f32x4.splat(1 / sum);
    for (let o: usize = 4; o < bytes; ) {
      const tail: bool = o >= end4;
      const v = tail ? get(z + o, true) : get(z + o, false);
      const s = f32x4.mul(flush4(exp4(f32x4.sub(v, m4))), S), g = sigmoid4(f32x4.sub(r, v));
      // dA/dr_j = s_j·(σ_j − A) − s_j·σ_j·(1 − σ_j) = s_j·(σ_j² − A); dR/dr_j = s_j·(r_j² − R +
      // 2·r_j)
      const dA = f32x4.mul(perA, f32x4.sub(f32x4.mul(g, g), A4));
      const dR = f32x4.mul(k, f32x4.sub(f32x4.mul(v, f32x4.add(v, f32x4.splat(2))), R4));
      const d = f32x4.mul(s, f32x4.add(dA, dR));
      if (tail) put(z + o, d, true);
      else put(z + o, d, false);
      o += tail ? 4 : 16;
    }
    store<f32>(z, (-scale / A) * (sum4(d4) / sum));
  }
}
