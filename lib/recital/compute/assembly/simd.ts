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
