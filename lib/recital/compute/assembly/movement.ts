// How far a row without gradient has moved, by the tables of time-skipping: see skip.ts.

/**
 * log₂ of four positive numbers: exponent bits and, for the rest z in [√½, √2), 2/ln 2 · artanh((z
 * − 1)/(z + 1)) to four terms (error 5e-8).
 */
// @ts-ignore: decorator
@inline function log2(x: v128): v128 {
  const exponent = i32x4.shr_s(i32x4.sub(x, i32x4.splat(0x3f3504f3)), 23);
  const z = i32x4.sub(x, i32x4.shl(exponent, 23));
  const one = f32x4.splat(1);
  const t = f32x4.div(f32x4.sub(z, one), f32x4.add(z, one));
  const t2 = f32x4.mul(t, t);
  let p = f32x4.add(f32x4.mul(t2, f32x4.splat(0.41219859)), f32x4.splat(0.57707802));
  p = f32x4.add(f32x4.mul(t2, p), f32x4.splat(0.96179669));
  p = f32x4.add(f32x4.mul(t2, p), f32x4.splat(2.8853901));
  return f32x4.add(f32x4.convert_i32x4_s(exponent), f32x4.mul(t, p));
}

/**
 * A of four values: G at nodes i − 1 … i + 2 of each, interpolated. `lowest` and `highest` bound i,
 * as floats. pmin and pmax are one instruction each, and of NaN they leave the bound; that v is NaN
 * shows by its root.
 */
// @ts-ignore: decorator
@inline export function movement(v: v128, table: usize, lowest: v128, highest: v128, shift: v128, scale: v128, eps: v128): v128 {
  const one = f32x4.splat(1);
  const u = f32x4.pmax(lowest, f32x4.pmin(f32x4.add(highest, one), f32x4.add(f32x4.mul(log2(v), scale), shift)));
  const whole = f32x4.pmin(highest, f32x4.floor(u));
  const f = f32x4.sub(u, whole);
  const i = v128.and(f32x4.add(whole, f32x4.splat(8388608)), i32x4.splat(0x7fffff)); // 2²³ + i has i for its last bits
  const before = table - 4;
  const p0 = v128.load(before + (<usize>i32x4.extract_lane(i, 0) << 2));
  const p1 = v128.load(before + (<usize>i32x4.extract_lane(i, 1) << 2));
  const p2 = v128.load(before + (<usize>i32x4.extract_lane(i, 2) << 2));
  const p3 = v128.load(before + (<usize>i32x4.extract_lane(i, 3) << 2));
  const t0 = v128.shuffle<f32>(p0, p1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(p2, p3, 0, 4, 1, 5);
  const t2 = v128.shuffle<f32>(p0, p1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(p2, p3, 2, 6, 3, 7);
  const a = v128.shuffle<f32>(t0, t1, 0, 1, 4, 5), b = v128.shuffle<f32>(t0, t1, 2, 3, 6, 7);
  const c = v128.shuffle<f32>(t2, t3, 0, 1, 4, 5), d = v128.shuffle<f32>(t2, t3, 2, 3, 6, 7);
  const f1 = f32x4.sub(f, one), f2 = f32x4.sub(f1, one), g1 = f32x4.add(f, one);
  const outer = f32x4.mul(f32x4.mul(f, f1), f32x4.splat(1.0 / 6.0)); // f(f−1)/6
  const inner = f32x4.mul(f32x4.mul(g1, f2), f32x4.splat(0.5)); // (f+1)(f−2)/2
  const sum = f32x4.add(
    f32x4.mul(outer, f32x4.sub(f32x4.mul(g1, d), f32x4.mul(f2, a))),
    f32x4.mul(inner, f32x4.sub(f32x4.mul(f1, b), f32x4.mul(f, c))),
  );
  return f32x4.div(sum, f32x4.add(f32x4.sqrt(v), eps));
}
