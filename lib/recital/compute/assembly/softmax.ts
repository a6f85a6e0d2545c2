import { exp4 } from './exp';
import { flush4, sum4 } from './simd';

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
