/**
 * Scales a matrix of weights until its rows and columns have the sums asked for (iterative
 * proportional fitting; Deming and Stephan, 1940). The result keeps the odds ratios of the weights,
 * so what belongs together stays together. With `cap`, entries are probabilities and stay below it,
 * the row sums are then exact and the column sums as near as the cap allows.
 *
 * @param weights rows × columns, row-major, not negative; changed in place
 * @param rows the row sums
 * @param columns the column sums
 */
export function balance(
  weights: Float64Array,
  rows: ArrayLike<number>,
  columns: ArrayLike<number>,
  { rounds = 40, cap = Infinity }: { rounds?: number; cap?: number } = {},
): void {
  const n = rows.length;
  const m = columns.length;
  const sums = new Float64Array(m);
  for (let round = 0; round < rounds; round++) {
    sums.fill(0);
    for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) sums[j] += weights[i * m + j];
    for (let j = 0; j < m; j++) sums[j] = sums[j] > 0 ? columns[j] / sums[j] : 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < m; j++) weights[i * m + j] *= sums[j];
      scaleRow(weights, i * m, m, rows[i], cap);
    }
  }
}

/**
 * Scales one row to its sum; entries that reach the cap stay there and the others share the rest.
 */
function scaleRow(
  weights: Float64Array,
  start: number,
  m: number,
  target: number,
  cap: number,
): void {
  for (let pass = 0; pass < 6; pass++) {
    let free = 0;
    let capped = 0;
    for (let j = start; j < start + m; j++) {
      if (weights[j] >= cap) capped += cap;
      else free += weights[j];
    }
    if (!(free > 0)) return;
    const factor = Math.max(0, target - capped) / free;
    let reached = false;
    for (let j = start; j < start + m; j++) {
      if (weights[j] >= cap) weights[j] = cap;
      else if ((weights[j] *= factor) >= cap) reached = true;
    }
    if (!reached) return;
  }
}
