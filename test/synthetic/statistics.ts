/** Small statistics for judging generated data. */

export function mean(x: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i];
  return sum / x.length;
}

export function std(x: ArrayLike<number>): number {
  const m = mean(x);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] - m) ** 2;
  return Math.sqrt(sum / x.length);
}

export function quantileOf(x: ArrayLike<number>, p: number): number {
  const sorted = Float64Array.from(x).sort();
  const at = p * (sorted.length - 1);
  const i = Math.floor(at);
  return sorted[i] + (at - i) * ((sorted[i + 1] ?? sorted[i]) - sorted[i]);
}

export function shareOf(x: ArrayLike<number>, test: (value: number) => boolean): number {
  let n = 0;
  for (let i = 0; i < x.length; i++) if (test(x[i])) n++;
  return n / x.length;
}

export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const ma = mean(a);
  const mb = mean(b);
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) ** 2;
    bb += (b[i] - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

/** Ranks from 0, equal values share their mean rank. */
export function midRanks(x: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: x.length }, (_, i) => i).sort((i, j) => x[i] - x[j]);
  const ranks = new Float64Array(x.length);
  for (let i = 0; i < order.length; ) {
    let j = i;
    while (j < order.length && x[order[j]] === x[order[i]]) j++;
    for (let k = i; k < j; k++) ranks[order[k]] = (i + j - 1) / 2;
    i = j;
  }
  return ranks;
}

export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return pearson(midRanks(a), midRanks(b));
}

/** The chance that a positive example has a higher score than a negative one. */
export function auc(score: ArrayLike<number>, positive: (i: number) => boolean): number {
  const ranks = midRanks(score);
  let sum = 0;
  let n = 0;
  for (let i = 0; i < score.length; i++) {
    if (positive(i)) {
      sum += ranks[i];
      n++;
    }
  }
  return (sum - (n * (n - 1)) / 2) / (n * (score.length - n));
}

/** Eigenvalues of a symmetric matrix, greatest first (cyclic Jacobi). */
export function eigenvalues(matrix: readonly (readonly number[])[]): number[] {
  const a = matrix.map((row) => [...row]);
  const n = a.length;
  for (let sweep = 0; sweep < 50; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(a[p][q]) < 1e-12) continue;
        const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++)
          [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]];
        for (let k = 0; k < n; k++)
          [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
      }
    }
  }
  return a.map((row, i) => row[i]).sort((x, y) => y - x);
}

/** Explained variance ratios of the standardised columns. */
export function pcaRatios(columns: readonly ArrayLike<number>[]): number[] {
  const correlation = columns.map((a) => columns.map((b) => pearson(a, b)));
  return eigenvalues(correlation).map((value) => value / columns.length);
}

/**
 * How much of a column's variance (of its ranks) lies between groups that have several members
 * (intraclass correlation).
 */
export function intraclass(x: ArrayLike<number>, group: ArrayLike<number>): number {
  const ranks = midRanks(x);
  const members = new Map<number, number[]>();
  for (let i = 0; i < group.length; i++) {
    const list = members.get(group[i]);
    if (list) list.push(ranks[i]);
    else members.set(group[i], [ranks[i]]);
  }
  let within = 0;
  let freedom = 0;
  for (const list of members.values()) {
    const m = mean(list);
    for (const r of list) within += (r - m) ** 2;
    freedom += list.length - 1;
  }
  return 1 - within / freedom / std(ranks) ** 2;
}
