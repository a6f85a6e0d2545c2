/** a·b + c, fused in the fast build. */
// @ts-ignore: decorator
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  // @ts-ignore: compile-time constant
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Sum of the four lanes. */
// @ts-ignore: decorator
@inline export function sum4(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

// The moments of a row without gradient shrink for ever. Numbers below 2⁻¹²⁶ (denormals) cost a
// hundred times the time, so moments below 1e-30 become 0: beside eps = 1e-5 neither moves a
// float32 weight. NaN is kept (the comparison is false for it), so that it shows.
// @ts-ignore: decorator
@inline export const TINY: f32 = 1e-30;

/** Four moments, those too small to matter as 0. */
// @ts-ignore: decorator
@inline export function flush4(x: v128): v128 {
  return v128.andnot(x, f32x4.lt(f32x4.abs(x), f32x4.splat(TINY)));
}

/**
 * eˣ, four at a time, relative error about 1e-7 (Cephes' expf: eˣ = 2ⁿ·eᶠ with n = round(x/ln 2),
 * eᶠ by a polynomial). Below −87.3 it stays at 1e-38, above 88.3 at 2e38. NaN stays NaN.
 */
// @ts-ignore: decorator
@inline export function exp4(x0: v128): v128 {
  let x = f32x4.max(f32x4.min(x0, f32x4.splat(88.3762626647949)), f32x4.splat(-87.3365478515625));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  x = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  x = f32x4.sub(x, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let y = f32x4.splat(1.9875691500e-4);
  y = madd(y, x, f32x4.splat(1.3981999507e-3));
  y = madd(y, x, f32x4.splat(8.3334519073e-3));
  y = madd(y, x, f32x4.splat(4.1665795894e-2));
  y = madd(y, x, f32x4.splat(1.6666665459e-1));
  y = madd(y, x, f32x4.splat(5.0000001201e-1));
  y = madd(y, f32x4.mul(x, x), f32x4.add(x, f32x4.splat(1)));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(y, power);
}

/** σ(x) = 1/(1 + e⁻ˣ). */
// @ts-ignore: decorator
@inline export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}

/** tanh x = 2σ(2x) − 1. */
// @ts-ignore: decorator
@inline export function tanh4(x: v128): v128 {
  return f32x4.sub(f32x4.mul(f32x4.splat(2), sigmoid4(f32x4.add(x, x))), f32x4.splat(1));
}

/** Four floats or, in the tail of a row, one. */
// @ts-ignore: decorator
@inline export function get(at: usize, tail: bool): v128 {
  return tail ? v128.load_zero<f32>(at) : v128.load(at);
}

/** Stores four floats or, in the tail of a row, one. */
// @ts-ignore: decorator
@inline export function put(at: usize, x: v128, tail: bool): void {
  if (tail) v128.store_lane<f32>(at, x, 0);
  else v128.store(at, x);
}
