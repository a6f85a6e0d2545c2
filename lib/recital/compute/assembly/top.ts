// The n best of each row of scores: a bounded heap with its worst at the root, as TopN in lib/recital/recommend/rank.ts, fed by a scan of eight scores at a time.

/**
 * Whether the entry at `a` is worse than (i, s): a lower score or, of equal ones, a later index.
 */
// @ts-ignore: decorator
@inline function worse(index: usize, score: usize, a: i32, i: i32, s: f32): bool {
  const other = load<f32>(score + (<usize>a << 2));
  return other < s || (other == s && load<i32>(index + (<usize>a << 2)) > i);
}

// @ts-ignore: decorator
@inline function put(index: usize, score: usize, at: i32, i: i32, s: f32): void {
  store<i32>(index + (<usize>at << 2), i);
  store<f32>(score + (<usize>at << 2), s);
}

// @ts-ignore: decorator
@inline function copy(index: usize, score: usize, to: i32, from: i32): void {
  put(index, score, to, load<i32>(index + (<usize>from << 2)), load<f32>(score + (<usize>from << 2)));
}

function siftUp(index: usize, score: usize, at: i32, i: i32, s: f32): void {
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (worse(index, score, parent, i, s)) break;
    copy(index, score, at, parent);
    at = parent;
  }
  put(index, score, at, i, s);
}

function siftDown(index: usize, score: usize, size: i32, i: i32, s: f32): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size) {
      const o = <usize>child << 2;
      if (worse(index, score, child + 1, load<i32>(index + o), load<f32>(score + o))) child++;
    }
    if (!worse(index, score, child, i, s)) break;
    copy(index, score, at, child);
    at = child;
  }
  put(index, score, at, i, s);
}

/**
 * For rows [from, to): the n best of `length` scores, best first, without those that `maskStart`
 * and `maskIndex` list for the row (compressed rows; 0 for none; their scores become −∞), into rows
 * of n indices and scores; how many there are into `counts`. Scores of −∞ are never taken. A score
 * that is NaN or +∞ ends its row: its count is −1 − the index.
 */
export function topRows(
  from: i32, to: i32, n: i32, length: i32, scores: usize, maskStart: usize, maskIndex: usize, index: usize, score: usize, counts: usize, _thread: i32,
): void {
  const scanned = length & ~7;
  for (let r = from; r < to; r++) {
    const row = scores + ((<usize>r * <usize>length) << 2);
    const ri = index + ((<usize>r * <usize>n) << 2), rs = score + ((<usize>r * <usize>n) << 2);
    if (maskStart) {
      // Here and not where scores are made: the thread that scans a row holds it in its cache.
      const end = load<i32>(maskStart + (<usize>r << 2), 4);
      for (let j = load<i32>(maskStart + (<usize>r << 2)); j < end; j++) {
        store<f32>(row + (<usize>load<i32>(maskIndex + (<usize>j << 2)) << 2), -Infinity);
      }
    }
    let count = 0;
    let threshold: f32 = -Infinity;
    let all = f32x4.splat(threshold);
    let i = 0;
    while (i < length) {
      if (i < scanned && !(i & 7)) {
        // A score that is no larger than the worst of n does not enter, nor does an equal one
        // later. Not-a-number is not "less or equal", so it is seen.
        const p = row + (<usize>i << 2);
        if (i32x4.all_true(v128.and(f32x4.le(v128.load(p), all), f32x4.le(v128.load(p, 16), all)))) {
          i += 8;
          continue;
        }
      }
      const end = min(i + 8 - (i & 7), length);
      for (; i < end; i++) {
        const s = load<f32>(row + (<usize>i << 2));
        if (s <= threshold) continue;
        if (!(s < Infinity)) {
          count = -1 - i;
          break;
        }
        if (count < n) siftUp(ri, rs, count++, i, s);
        else siftDown(ri, rs, n, i, s);
        if (count == n) threshold = load<f32>(rs);
      }
      if (count < 0) break;
      all = f32x4.splat(threshold);
    }
    store<i32>(counts + (<usize>r << 2), count);
    for (let last = count - 1; last > 0; last--) {
      const o = <usize>last << 2;
      const wi = load<i32>(ri), ws = load<f32>(rs); // the worst of those left goes behind them
      siftDown(ri, rs, last, load<i32>(ri + o), load<f32>(rs + o));
      put(ri, rs, last, wi, ws);
    }
  }
}
