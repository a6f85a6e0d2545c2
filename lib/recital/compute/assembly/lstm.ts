import { gemm, gemmWorkspace } from './gemm';
import { get, put, sigmoid4, tanh4 } from './simd';

// One layer of an LSTM over whole sequences, for rows [from, to) of a batch: rows do not depend on
// each other, so each thread goes through all time steps of its own rows. Sequences are packed:
// first all first items, then all second ones, …; `sizes[t]` rows have an item t, and because rows
// are sorted by length, longest first, they are the first ones. Gates lie in rows of 4·H: i, f, g,
// o.

// @ts-ignore: decorator
@inline function forward(z: usize, hb: usize, before: usize, c: usize, t: usize, h: usize, tail: bool): void {
  const i = sigmoid4(get(z, tail)), f = sigmoid4(get(z + hb, tail)), g = tanh4(get(z + 2 * hb, tail)), o = sigmoid4(get(z + 3 * hb, tail));
  const ig = f32x4.mul(i, g);
  const cell = before ? f32x4.add(f32x4.mul(f, get(before, tail)), ig) : ig;
  const squashed = tanh4(cell);
  put(z, i, tail);
  put(z + hb, f, tail);
  put(z + 2 * hb, g, tail);
  put(z + 3 * hb, o, tail);
  put(c, cell, tail);
  put(t, squashed, tail);
  put(h, f32x4.mul(o, squashed), tail);
}

/**
 * z: in, what the inputs and both biases give; out, the gates σ(i), σ(f), tanh(g), σ(o). c = f·c' +
 * i·g, t = tanh c, h = o·t, where c' and h' are those of the step before, 0 at first, and z gets
 * W·h' added. W is 4H × H, row-major.
 */
export function lstmForward(
  from: i32, to: i32, steps: i32, H: i32, sizes: usize, W: usize, z: usize, c: usize, t: usize, h: usize, scratch: usize, thread: i32,
): void {
  const own = scratch + <usize>thread * <usize>gemmWorkspace();
  const hb = <usize>H << 2, hb4 = hb & ~15;
  let last: usize = 0; // of the step before: where its rows start, in rows
  let start: usize = 0;
  for (let s = 0; s < steps; s++) {
    const n = load<i32>(sizes + (<usize>s << 2)), end = min(to, n);
    if (end <= from) return;
    const at = (start + <usize>from) * hb, before = (last + <usize>from) * hb;
    if (s > 0) gemm(end - from, 4 * H, H, h + before, H, 1, W, 1, H, z + 4 * at, 4 * H, true, own);
    for (let r: usize = 0, rows = <usize>(end - from) * hb; r < rows; r += hb) {
      const zr = z + 4 * (at + r), cr = c + at + r, tr = t + at + r, hr = h + at + r, cp = s > 0 ? c + before + r : 0;
      let j: usize = 0;
      if (s > 0) for (; j < hb4; j += 16) forward(zr + j, hb, cp + j, cr + j, tr + j, hr + j, false);
      else for (; j < hb4; j += 16) forward(zr + j, hb, 0, cr + j, tr + j, hr + j, false);
      for (; j < hb; j += 4) forward(zr + j, hb, s > 0 ? cp + j : 0, cr + j, tr + j, hr + j, true);
    }
    last = start;
    start += <usize>n;
  }
}

// @ts-ignore: decorator
@inline function backward(z: usize, hb: usize, before: usize, t: usize, dh: usize, dc: usize, tail: bool): void {
  const one = f32x4.splat(1);
  const i = get(z, tail), f = get(z + hb, tail), g = get(z + 2 * hb, tail), o = get(z + 3 * hb, tail);
  const squashed = get(t, tail), d = get(dh, tail);
  const cell = f32x4.add(get(dc, tail), f32x4.mul(f32x4.mul(d, o), f32x4.sub(one, f32x4.mul(squashed, squashed))));
  put(z, f32x4.mul(f32x4.mul(cell, g), f32x4.mul(i, f32x4.sub(one, i))), tail);
  put(z + hb, before ? f32x4.mul(f32x4.mul(cell, get(before, tail)), f32x4.mul(f, f32x4.sub(one, f))) : f32x4.splat(0), tail);
  put(z + 2 * hb, f32x4.mul(f32x4.mul(cell, i), f32x4.sub(one, f32x4.mul(g, g))), tail);
  put(z + 3 * hb, f32x4.mul(f32x4.mul(d, squashed), f32x4.mul(o, f32x4.sub(one, o))), tail);
  put(dc, f32x4.mul(cell, f), tail);
}

/**
 * Back through time: z becomes the gradient before the gates, and dh, the gradient of each h by
 * what comes after the layer, gets that by the next step added. dc: room for a row of H for each
 * row of the batch.
 */
export function lstmBackward(
  from: i32, to: i32, steps: i32, H: i32, sizes: usize, W: usize, z: usize, c: usize, t: usize, dh: usize, dc: usize, scratch: usize, thread: i32,
): void {
  const own = scratch + <usize>thread * <usize>gemmWorkspace();
  const hb = <usize>H << 2, hb4 = hb & ~15;
  memory.fill(dc + <usize>from * hb, 0, <usize>(to - from) * hb);
  let start: usize = 0;
  for (let s = 0; s < steps; s++) start += <usize>load<i32>(sizes + (<usize>s << 2));
  for (let s = steps - 1; s >= 0; s--) {
    const n = load<i32>(sizes + (<usize>s << 2)), end = min(to, n);
    start -= <usize>n;
    if (end <= from) continue;
    const last = s > 0 ? start - <usize>load<i32>(sizes + (<usize>(s - 1) << 2)) : 0;
    const at = (start + <usize>from) * hb, before = (last + <usize>from) * hb;
    for (let r: usize = 0, rows = <usize>(end - from) * hb; r < rows; r += hb) {
      const zr = z + 4 * (at + r), tr = t + at + r, dr = dh + at + r, dcr = dc + <usize>from * hb + r, cp = s > 0 ? c + before + r : 0;
      let j: usize = 0;
      if (s > 0) for (; j < hb4; j += 16) backward(zr + j, hb, cp + j, tr + j, dr + j, dcr + j, false);
      else for (; j < hb4; j += 16) backward(zr + j, hb, 0, tr + j, dr + j, dcr + j, false);
      for (; j < hb; j += 4) backward(zr + j, hb, s > 0 ? cp + j : 0, tr + j, dr + j, dcr + j, true);
    }
    if (s > 0) gemm(end - from, H, 4 * H, z + 4 * at, 4 * H, 1, W, H, 1, dh + before, H, true, own);
  }
}
