import { madd, sum4 } from './simd';

/** Dot product of two rows of k floats. */
function dot(k: i32, a: usize, b: usize): f32 {
  let s = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= k; j += 4) {
    s = madd(v128.load(a), v128.load(b), s);
    a += 16;
    b += 16;
  }
  let sum = sum4(s);
  for (; j < k; j++) {
    sum += load<f32>(a) * load<f32>(b);
    a += 4;
    b += 4;
  }
  return sum;
}

/** y += d · x over k floats. */
function axpy(k: i32, d: f32, x: usize, y: usize): void {
  const dv = f32x4.splat(d);
  let j = 0;
  for (; j + 4 <= k; j += 4) {
    v128.store(y, madd(dv, v128.load(x), v128.load(y)));
    x += 16;
    y += 16;
  }
  for (; j < k; j++) {
    store<f32>(y, load<f32>(y) + d * load<f32>(x));
    x += 4;
    y += 4;
  }
}

/**
 * out[r] = U[user[r]] · V[item[r]] + bu[user[r]] + bv[item[r]] for n rows of k factors.
 */
export function dotBiasForward(n: i32, k: i32, users: usize, items: usize, U: usize, V: usize, bu: usize, bv: usize, out: usize): void {
  const width = <usize>k << 2;
  for (let r: usize = 0, end = <usize>n << 2; r < end; r += 4) {
    const u = <usize>load<u32>(users + r);
    const i = <usize>load<u32>(items + r);
    store<f32>(out + r, dot(k, U + u * width, V + i * width) + load<f32>(bu + (u << 2)) + load<f32>(bv + (i << 2)));
  }
}

/**
 * Adds the gradients of n rows, given d = dLoss/dOut, to the compact gradients of the touched rows:
 * slotU and slotI map a row to its place there.
 */
export function dotBiasBackward(
  n: i32, k: i32, users: usize, items: usize, d: usize, U: usize, V: usize,
  slotU: usize, slotI: usize, gU: usize, gV: usize, gbu: usize, gbv: usize,
): void {
  const width = <usize>k << 2;
  for (let r: usize = 0, end = <usize>n << 2; r < end; r += 4) {
    const g = load<f32>(d + r);
    const u = <usize>load<u32>(users + r);
    const i = <usize>load<u32>(items + r);
    const su = <usize>load<u32>(slotU + (u << 2));
    const si = <usize>load<u32>(slotI + (i << 2));
    axpy(k, g, V + i * width, gU + su * width);
    axpy(k, g, U + u * width, gV + si * width);
    store<f32>(gbu + (su << 2), load<f32>(gbu + (su << 2)) + g);
    store<f32>(gbv + (si << 2), load<f32>(gbv + (si << 2)) + g);
  }
}

/**
 * Rows [from, to) of out[r, c] = left[r] + right[c], rows of `length`: what scores of factors and
 * biases start from.
 */
export function outerSum(from: i32, to: i32, length: i32, left: usize, right: usize, out: usize, _thread: i32): void {
  const bytes = <usize>length << 2, whole = bytes & ~15;
  for (let r = from; r < to; r++) {
    const s = load<f32>(left + (<usize>r << 2));
    const s4 = f32x4.splat(s);
    const row = out + <usize>r * bytes;
    let o: usize = 0;
    for (; o < whole; o += 16) v128.store(row + o, f32x4.add(s4, v128.load(right + o)));
    for (; o < bytes; o += 4) store<f32>(row + o, s + load<f32>(right + o));
  }
}
