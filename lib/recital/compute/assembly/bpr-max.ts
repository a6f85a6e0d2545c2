import { exp4, get, put, sigmoid4 } from './exp';
import { flush4, sum4 } from './simd';

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
