import { flush4, get, put } from './simd';

// How far a row without gradient has moved, by the tables of time-skipping (below).

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

// Time-skipping optimizers: rows of a table that get no gradient are left alone and brought up to
// date when they are needed. The derivation is in
// lib/recital/learner/optimizers/time-skipping/timeline.ts. A row of which the last step was at
// slot a has missed steps that together do
//
//   w ← w − ((1 − E)·w + E·m·A(√v))      m ← M·m      v ← B·v          with A = G(u)/(√v + eps),  u = PER·(log₂√v − log₂ of node 0)
//
// E, M/E and B lie in `scalars` (three float64 a slot: r = M/E, q = B, e = E) and G in `tables`, as
// float32, from its first to its last node, which are in `spans` (three integers a slot; the third
// is where node 0 would lie). G is smooth in u: cubic interpolation. Without v there is no
// division, and G is one number.

// @ts-ignore: decorator
@inline const STRIDE: usize = 212; // nodes of the widest table, as in timeline.ts

/** Smallest and largest v of the values that still move. */
// @ts-ignore: decorator
@inline function widen(range: usize, low: v128, high: v128): void {
  v128.store(range, f32x4.pmin(v128.load(range), low));
  v128.store(range + 16, f32x4.pmax(v128.load(range + 16), high));
}

// @ts-ignore: decorator
@inline function moving(m: v128): v128 {
  return f32x4.ne(m, f32x4.splat(0));
}

/**
 * Four values of a row, or one in its tail. Measuring, returns whether (as a mask) they still move,
 * and notes their v.
 */
// @ts-ignore: decorator
@inline function bring(
  w: usize, m: usize, v: usize, tail: bool, hasV: bool, measure: bool,
  fade: v128, e: v128, md: v128, q: v128, table: usize, lowest: v128, highest: v128, shift: v128, scale: v128, eps: v128, range: usize,
): v128 {
  const p = get(w, tail);
  const m0 = get(m, tail);
  const m1 = flush4(f32x4.mul(m0, md));
  put(m, m1, tail);
  let move = f32x4.mul(e, m0);
  let v1 = move;
  if (hasV) {
    const v0 = get(v, tail);
    v1 = flush4(f32x4.mul(v0, q));
    put(v, v1, tail);
    move = f32x4.mul(move, movement(v0, table, lowest, highest, shift, scale, eps));
  } else move = f32x4.mul(move, v128.load32_splat(table)); // one number, at every node
  put(w, f32x4.sub(p, f32x4.add(f32x4.mul(fade, p), move)), tail);
  if (!measure) return m1;
  const mask = moving(m1);
  if (hasV) widen(range, v128.bitselect(v1, f32x4.splat(f32.MAX_VALUE), mask), v128.and(v1, mask));
  return mask;
}

/** A row whose momentum is spent: its weights fade and its v shrinks. */
// @ts-ignore: decorator
@inline function fadeRow(w: usize, v: usize, bytes: usize, fade: f32, q: f32): void {
  const fade4 = f32x4.splat(fade), q4 = f32x4.splat(q);
  const end4 = bytes & ~15;
  if (fade != 0) {
    let o: usize = 0;
    for (; o < end4; o += 16) {
      const p = v128.load(w + o);
      v128.store(w + o, f32x4.sub(p, f32x4.mul(fade4, p)));
    }
    for (; o < bytes; o += 4) store<f32>(w + o, load<f32>(w + o) - fade * load<f32>(w + o));
  }
  if (v) {
    let o: usize = 0;
    for (; o < end4; o += 16) v128.store(v + o, flush4(f32x4.mul(v128.load(v + o), q4)));
    for (; o < bytes; o += 4) put(v + o, flush4(f32x4.mul(get(v + o, true), q4)), true);
  }
}

// @ts-ignore: decorator
@inline function bringRow(
  w: usize, m: usize, v: usize, bytes: usize, hasV: bool, measure: bool,
  fade: f32, e: f32, md: f32, q: f32, table: usize, lo: i32, hi: i32, shift: f32, scale: f32, eps: f32, range: usize,
): bool {
  const fade4 = f32x4.splat(fade), e4 = f32x4.splat(e), md4 = f32x4.splat(md), q4 = f32x4.splat(q);
  const lowest = f32x4.splat(<f32>(lo + 1)), highest = f32x4.splat(<f32>(hi - 2));
  const shift4 = f32x4.splat(shift), scale4 = f32x4.splat(scale), eps4 = f32x4.splat(eps);
  let still = f32x4.splat(0);
  const end4 = bytes & ~15;
  let o: usize = 0;
  for (; o < end4; o += 16) {
    still = v128.or(still, bring(w + o, m + o, v + o, false, hasV, measure, fade4, e4, md4, q4, table, lowest, highest, shift4, scale4, eps4, range));
  }
  for (; o < bytes; o += 4) {
    still = v128.or(still, bring(w + o, m + o, v + o, true, hasV, measure, fade4, e4, md4, q4, table, lowest, highest, shift4, scale4, eps4, range));
  }
  return !measure || v128.any_true(still);
}

// Rows lie far apart. So many are fetched before they are worked on, at once and not one after the
// other: 38 KB of 50 factors.
// @ts-ignore: decorator
@inline const AHEAD = 64;

/**
 * Reads a word of each cache line of rows[from … to). What it returns is of no use but to be asked
 * for, so that it is not left out.
 */
function fetch(from: i32, to: i32, rows: usize, bytes: usize, w: usize, m: usize, v: usize): i32 {
  let seen = 0;
  for (let j = from; j < to; j++) {
    const o = <usize>load<i32>(rows + (<usize>j << 2)) * bytes;
    for (let line: usize = 0; line < bytes; line += 64) {
      seen ^= load<i32>(w + o + line);
      if (m) seen ^= load<i32>(m + o + line);
      if (v) seen ^= load<i32>(v + o + line);
    }
  }
  return seen;
}

/**
 * Brings rows up to date: rows[from … to) or, with rows = 0, the rows from … to − 1. last[row] is
 * the slot that a row stands at or, of a row whose momentum is spent, −1 − the block; afterwards
 * `mark`, or `spentMark` if nothing of it moves any more, which is looked for with `measure` only.
 * Rows at a slot below `done` have spent their momentum. `ranges`: eight floats a thread, four for
 * the lowest and four for the highest v that still moves, noted with `measure`.
 */
export function skipRows(
  from: i32, to: i32, rows: usize, width: i32, w: usize, m: usize, v: usize, last: usize,
  tables: usize, scalars: usize, spans: usize, blocks: usize, mark: i32, spentMark: i32, done: i32, measure: bool,
  shift: f32, scale: f32, eps: f32, ranges: usize, thread: i32,
): i32 {
  const bytes = <usize>width << 2;
  const range = ranges + (<usize>thread << 5);
  let seen = 0;
  for (let j = from; j < to; j++) {
    if (rows && (j - from) % AHEAD == 0) seen ^= fetch(j, min<i32>(to, j + AHEAD), rows, bytes, w, m, v);
    const row = rows ? load<i32>(rows + (<usize>j << 2)) : j;
    const at = last + (<usize>row << 2);
    const slot = load<i32>(at);
    const o = <usize>row * bytes;
    if (slot < 0) {
      const factors = blocks + (<usize>(-1 - slot) << 4);
      const fade = <f32>(1.0 - load<f64>(factors)), q = <f32>load<f64>(factors, 8);
      if (fade != 0 || q != 1) fadeRow(w + o, v ? v + o : 0, bytes, fade, q);
      store<i32>(at, spentMark);
      continue;
    }
    const scalar = scalars + <usize>slot * 24;
    const r = load<f64>(scalar), q = <f32>load<f64>(scalar, 8), e = load<f64>(scalar, 16);
    const span = spans + <usize>slot * 12;
    const lo = load<i32>(span), hi = load<i32>(span, 4);
    const table = tables + (<usize>load<i32>(span, 8) << 2);
    const fade = <f32>(1.0 - e), md = <f32>(r * e);
    let still = !measure;
    const rest: f32 = slot < done ? 0 : md; // of spent momentum nothing is left
    if (!m) fadeRow(w + o, v ? v + o : 0, bytes, fade, q);
    else if (!v) still = bringRow(w + o, m + o, 0, bytes, false, measure, fade, <f32>e, rest, q, table, lo, hi, shift, scale, eps, range);
    else if (measure) still = bringRow(w + o, m + o, v + o, bytes, true, true, fade, <f32>e, rest, q, table, lo, hi, shift, scale, eps, range);
    else still = bringRow(w + o, m + o, v + o, bytes, true, false, fade, <f32>e, rest, q, table, lo, hi, shift, scale, eps, range);
    store<i32>(at, still ? mark : spentMark);
  }
  return seen;
}

/** Four values of a row with its gradient, or one: see moments.ts for the step. */
// @ts-ignore: decorator
@inline function stepValues(
  w: usize, g: usize, m: usize, v: usize, tail: bool, hasM: bool, hasV: bool,
  fade: v128, b1: v128, d1: v128, b2: v128, d2: v128, a: v128, c: v128, e: v128, f: v128, eps: v128, range: usize,
): void {
  const p = get(w, tail);
  const g1 = get(g, tail);
  let step = f32x4.mul(a, g1);
  let m1 = f32x4.splat(0);
  if (hasM) {
    m1 = flush4(f32x4.add(f32x4.mul(b1, get(m, tail)), f32x4.mul(d1, g1)));
    put(m, m1, tail);
    step = f32x4.add(f32x4.mul(c, m1), step);
  }
  if (hasV) {
    const square = f32x4.mul(g1, g1);
    const v1 = flush4(f32x4.add(f32x4.mul(b2, get(v, tail)), f32x4.mul(d2, square)));
    put(v, v1, tail);
    step = f32x4.div(step, f32x4.add(f32x4.sqrt(f32x4.add(f32x4.mul(f, v1), f32x4.mul(e, square))), eps));
    if (hasM) {
      const mask = moving(m1);
      widen(range, v128.bitselect(v1, f32x4.splat(f32.MAX_VALUE), mask), v128.and(v1, mask));
    }
  }
  put(w, f32x4.sub(p, f32x4.add(f32x4.mul(fade, p), step)), tail);
}

// @ts-ignore: decorator
@inline function stepRow(
  w: usize, g: usize, m: usize, v: usize, bytes: usize, hasM: bool, hasV: bool,
  fade: f32, b1: f32, d1: f32, b2: f32, d2: f32, a: f32, c: f32, e: f32, f: f32, eps: f32, range: usize,
): void {
  const fade4 = f32x4.splat(fade), b14 = f32x4.splat(b1), d14 = f32x4.splat(d1), b24 = f32x4.splat(b2), d24 = f32x4.splat(d2);
  const a4 = f32x4.splat(a), c4 = f32x4.splat(c), e4 = f32x4.splat(e), f4 = f32x4.splat(f), eps4 = f32x4.splat(eps);
  const end4 = bytes & ~15;
  let o: usize = 0;
  for (; o < end4; o += 16) stepValues(w + o, g + o, m + o, v + o, false, hasM, hasV, fade4, b14, d14, b24, d24, a4, c4, e4, f4, eps4, range);
  for (; o < bytes; o += 4) stepValues(w + o, g + o, m + o, v + o, true, hasM, hasV, fade4, b14, d14, b24, d24, a4, c4, e4, f4, eps4, range);
}

/**
 * One step of rows[from … to), which are up to date, with their gradients at g, in the same order:
 * they stand at slot `mark` then.
 */
export function skipStep(
  from: i32, to: i32, rows: usize, width: i32, w: usize, g: usize, m: usize, v: usize, last: usize, mark: i32,
  fade: f32, b1: f32, d1: f32, b2: f32, d2: f32, a: f32, c: f32, e: f32, f: f32, eps: f32, ranges: usize, thread: i32,
): void {
  const bytes = <usize>width << 2;
  const range = ranges + (<usize>thread << 5);
  for (let j = from; j < to; j++) {
    const row = <usize>load<i32>(rows + (<usize>j << 2));
    const o = row * bytes;
    const gradient = g + <usize>j * bytes;
    if (m) {
      if (v) stepRow(w + o, gradient, m + o, v + o, bytes, true, true, fade, b1, d1, b2, d2, a, c, e, f, eps, range);
      else stepRow(w + o, gradient, m + o, 0, bytes, true, false, fade, b1, d1, b2, d2, a, c, e, f, eps, range);
    } else if (v) stepRow(w + o, gradient, 0, v + o, bytes, false, true, fade, b1, d1, b2, d2, a, c, e, f, eps, range);
    else stepRow(w + o, gradient, 0, 0, bytes, false, false, fade, b1, d1, b2, d2, a, c, e, f, eps, range);
    store<i32>(last + (row << 2), mark);
  }
}

/**
 * Looks which of the rows from … to − 1 still move: last[row] becomes 0, or −1 if its momentum is
 * 0.
 */
export function skipScan(from: i32, to: i32, width: i32, m: usize, v: usize, last: usize, ranges: usize, thread: i32): void {
  const bytes = <usize>width << 2;
  const end4 = bytes & ~15;
  const range = ranges + (<usize>thread << 5);
  const infinite = f32x4.splat(f32.MAX_VALUE), zero = f32x4.splat(0);
  for (let row = from; row < to; row++) {
    const start = <usize>row * bytes;
    let still = zero;
    for (let o: usize = 0; m && o < bytes; o += o < end4 ? 16 : 4) {
      const tail = o >= end4;
      const mask = moving(tail ? get(m + start + o, true) : get(m + start + o, false));
      still = v128.or(still, mask);
      if (!v) continue;
      const v1 = tail ? get(v + start + o, true) : get(v + start + o, false);
      widen(range, v128.bitselect(v1, infinite, mask), v128.and(v1, mask));
    }
    store<i32>(last + (<usize>row << 2), v128.any_true(still) ? 0 : -1);
  }
}

/**
 * One step of time for the slots from … to − 1, whose tables are not complete: what a row of each,
 * without gradient, does in it is added to its table, r ← r·dr, q ← q·dq, e ← e·de. nodes: √v of
 * each node, then what G is multiplied by there, √v + eps, or 1 without v.
 */
export function skipAdvance(
  from: i32, to: i32, tables: usize, scalars: usize, spans: usize, nodes: usize, dr: f64, dq: f64, de: f64, c: f64, f: f64, eps: f32,
): void {
  const eps4 = f32x4.splat(eps);
  for (let slot = from; slot < to; slot++) {
    const scalar = scalars + <usize>slot * 24;
    const r = load<f64>(scalar) * dr, q = load<f64>(scalar, 8) * dq;
    store<f64>(scalar, r);
    store<f64>(scalar, q, 8);
    store<f64>(scalar, load<f64>(scalar, 16) * de, 16);
    const move = f32x4.splat(<f32>(c * r)), shrink = f32x4.splat(<f32>Math.sqrt(f * q));
    const span = spans + <usize>slot * 12;
    const table = tables + (<usize>load<i32>(span, 8) << 2);
    const start = <usize>(load<i32>(span) & ~3) << 2;
    const end = <usize>(load<i32>(span, 4) + 1) << 2;
    for (let o = start; o < end; o += 16) {
      const term = f32x4.div(
        f32x4.mul(move, v128.load(nodes + o + (STRIDE << 2))),
        f32x4.add(f32x4.mul(v128.load(nodes + o), shrink), eps4),
      );
      v128.store(table + o, f32x4.add(v128.load(table + o), term));
    }
  }
}
