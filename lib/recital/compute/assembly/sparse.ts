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
