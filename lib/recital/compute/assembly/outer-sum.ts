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
