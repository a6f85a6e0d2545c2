import { gemm, gemmWorkspace } from './gemm';
import { get, put, sigmoid4, tanh4 } from './simd';

// One layer of a GRU over whole sequences, for rows [from, to) of a batch; packed as in lstm.ts.
// Gates lie in rows of 3·H: r, z, n.

// @ts-ignore: decorator
@inline function forward(x: usize, u: usize, hb: usize, before: usize, h: usize, tail: bool): void {
  const r = sigmoid4(f32x4.add(get(x, tail), get(u, tail)));
  const z = sigmoid4(f32x4.add(get(x + hb, tail), get(u + hb, tail)));
  const n = tanh4(f32x4.add(get(x + 2 * hb, tail), f32x4.mul(r, get(u + 2 * hb, tail))));
  put(x, r, tail);
  put(x + hb, z, tail);
  put(x + 2 * hb, n, tail);
  const fresh = f32x4.mul(f32x4.sub(f32x4.splat(1), z), n);
  put(h, before ? f32x4.add(fresh, f32x4.mul(z, get(before, tail))) : fresh, tail);
}

/**
 * x: in, what the inputs and their bias give; out, the gates σ(r), σ(z), tanh(n). u = W·h' + b, h =
 * (1 − z)·n + z·h', where h' is that of the step before, 0 at first. W is 3H × H, row-major.
 */
export function gruForward(
  from: i32, to: i32, steps: i32, H: i32, sizes: usize, W: usize, b: usize, x: usize, u: usize, h: usize, scratch: usize, thread: i32,
): void {
  const own = scratch + <usize>thread * <usize>gemmWorkspace();
  const hb = <usize>H << 2, hb4 = hb & ~15;
  let last: usize = 0;
  let start: usize = 0;
  for (let s = 0; s < steps; s++) {
    const n = load<i32>(sizes + (<usize>s << 2)), end = min(to, n);
    if (end <= from) return;
    const at = (start + <usize>from) * hb, before = (last + <usize>from) * hb, rows = <usize>(end - from) * hb;
    for (let r: usize = 0; r < rows; r += hb) memory.copy(u + 3 * (at + r), b, 3 * hb);
    if (s > 0) gemm(end - from, 3 * H, H, h + before, H, 1, W, 1, H, u + 3 * at, 3 * H, true, own);
    for (let r: usize = 0; r < rows; r += hb) {
      const xr = x + 3 * (at + r), ur = u + 3 * (at + r), hr = h + at + r, hp = s > 0 ? h + before + r : 0;
      let j: usize = 0;
      if (s > 0) for (; j < hb4; j += 16) forward(xr + j, ur + j, hb, hp + j, hr + j, false);
      else for (; j < hb4; j += 16) forward(xr + j, ur + j, hb, 0, hr + j, false);
      for (; j < hb; j += 4) forward(xr + j, ur + j, hb, s > 0 ? hp + j : 0, hr + j, true);
    }
    last = start;
    start += <usize>n;
  }
}

// @ts-ignore: decorator
@inline function backward(x: usize, u: usize, hb: usize, before: usize, dh: usize, dBefore: usize, tail: bool): void {
  const one = f32x4.splat(1);
  const r = get(x, tail), z = get(x + hb, tail), n = get(x + 2 * hb, tail), un = get(u + 2 * hb, tail), d = get(dh, tail);
  const dn = f32x4.mul(f32x4.mul(d, f32x4.sub(one, z)), f32x4.sub(one, f32x4.mul(n, n)));
  const dr = f32x4.mul(f32x4.mul(dn, un), f32x4.mul(r, f32x4.sub(one, r)));
  const gap = before ? f32x4.sub(get(before, tail), n) : f32x4.neg(n);
  const dz = f32x4.mul(f32x4.mul(d, gap), f32x4.mul(z, f32x4.sub(one, z)));
  put(x, dr, tail);
  put(x + hb, dz, tail);
  put(x + 2 * hb, dn, tail);
  put(u, dr, tail);
  put(u + hb, dz, tail);
  put(u + 2 * hb, f32x4.mul(dn, r), tail);
  if (dBefore) put(dBefore, f32x4.add(get(dBefore, tail), f32x4.mul(d, z)), tail);
}

/**
 * Back through time: x and u become their gradients, and dh, the gradient of each h by what comes
 * after the layer, gets that by the next step added.
 */
export function gruBackward(
  from: i32, to: i32, steps: i32, H: i32, sizes: usize, W: usize, x: usize, u: usize, h: usize, dh: usize, scratch: usize, thread: i32,
): void {
  const own = scratch + <usize>thread * <usize>gemmWorkspace();
  const hb = <usize>H << 2, hb4 = hb & ~15;
  let start: usize = 0;
  for (let s = 0; s < steps; s++) start += <usize>load<i32>(sizes + (<usize>s << 2));
  for (let s = steps - 1; s >= 0; s--) {
    const n = load<i32>(sizes + (<usize>s << 2)), end = min(to, n);
    start -= <usize>n;
    if (end <= from) continue;
    const last = s > 0 ? start - <usize>load<i32>(sizes + (<usize>(s - 1) << 2)) : 0;
    const at = (start + <usize>from) * hb, before = (last + <usize>from) * hb;
    for (let r: usize = 0, rows = <usize>(end - from) * hb; r < rows; r += hb) {
      const xr = x + 3 * (at + r), ur = u + 3 * (at + r), dr = dh + at + r;
      const hp = s > 0 ? h + before + r : 0, dp = s > 0 ? dh + before + r : 0;
      let j: usize = 0;
      if (s > 0) for (; j < hb4; j += 16) backward(xr + j, ur + j, hb, hp + j, dr + j, dp + j, false);
      else for (; j < hb4; j += 16) backward(xr + j, ur + j, hb, 0, dr + j, 0, false);
      for (; j < hb; j += 4) backward(xr + j, ur + j, hb, s > 0 ? hp + j : 0, dr + j, s > 0 ? dp + j : 0, true);
    }
    if (s > 0) gemm(end - from, H, 3 * H, u + 3 * at, 3 * H, 1, W, H, 1, dh + before, H, true, own);
  }
}
