import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { checkNumber, checkOptions, whatIs } from '../options.js';
import type { Plays } from './plays.js';

/** Row numbers of the parts of a data set: disjoint, and together every row. */
export interface Split {
  /** Rows to train on. */
  readonly train: Int32Array;
  /** Rows to choose settings by. */
  readonly valid: Int32Array;
  /** Rows to report on, where the split has three parts. */
  readonly test?: Int32Array;
}

/** Options of {@link randomSplit}. */
export interface RandomSplitOptions {
  /** Share of the rows for validation. Default 0.2. */
  validPct?: number;
  /** Seed of the order. Default 42. */
  seed?: number | string;
}

/** Options of {@link perUserSplit} and {@link orderSplit}. */
export interface RatioOptions {
  /** Shares of train, valid and, if there are three, test; they add up to 1. Default [0.8, 0.1, 0.1]. */
  ratios?: readonly number[];
}

/** Options of {@link leaveKOut}. */
export interface LeaveKOutOptions {
  /** Rows of each user for validation. Default 1. */
  k?: number;
  /** Which ones: drawn at random (default) or the user's last in the file. */
  which?: 'random' | 'last';
  /** Seed of the draw. Default 42. */
  seed?: number | string;
}

/**
 * fastai's RandomSplitter: of the rows in random order the first trunc(validPct · n) are for validation, the others for training. Both parts come in
 * that random order.
 * @param n number of rows
 * @throws ArgumentError unless both parts get a row
 * @example randomSplit(10).valid.length // 2
 */
export function randomSplit(n: number, options: RandomSplitOptions = {}): Split {
  checkOptions(options, ['validPct', 'seed'], 'randomSplit');
  const { validPct = 0.2, seed = 42 } = options;
  const whole = ' To train on every row give a split with an empty valid part instead.';
  checkNumber(validPct, validPct > 0 && validPct < 1, 'validPct must be between 0 and 1, both excluded', whole);
  if (!(Number.isInteger(n) && n >= 0 && n < 2 ** 31)) throw new ArgumentError(`A split needs a whole number of rows, got ${n}.`);
  const cut = Math.trunc(validPct * n);
  if (cut === 0) throw new ArgumentError(`validPct ${validPct} of ${n} rows leaves none for validation. Give more rows or a larger validPct.`);
  if (cut === n) throw new ArgumentError(`validPct ${validPct} of ${n} rows leaves none for training. Give a smaller validPct.`);
  const order = new Random(seed).child('split').permutation(n);
  return { train: order.slice(cut), valid: order.slice(0, cut) };
}

/**
 * Splits each user's plays at random by ratios, with RecBole's rounding: valid and test get ⌊ratio · n⌋ rows, a part whose share is less than one row
 * gets one if training keeps at least one, training gets the others. Rows of a part are ascending.
 * @param plays what is split
 * @example perUserSplit(plays, { ratios: [0.8, 0.1, 0.1], seed: 2020 })
 */
export function perUserSplit(plays: Plays, options: RatioOptions & { seed?: number | string } = {}): Split {
  checkOptions(options, ['ratios', 'seed'], 'perUserSplit');
  const { ratios, seed = 42 } = options;
  const random = new Random(seed).child('split');
  return splitUsers(
    plays,
    (n) => sizes(n, ratios),
    (rows) => shuffle(rows, random),
  );
}

/**
 * Splits each user's plays by ratios in the order of the file: first train, then valid, then test, with the sizes of {@link perUserSplit}. Where the
 * file is in order of time, this is the split by time.
 * @param plays what is split
 * @example const { train, test } = splitPlays(plays, orderSplit(plays, { ratios: [0.8, 0.2] }));
 */
export function orderSplit(plays: Plays, options: RatioOptions = {}): Split {
  checkOptions(options, ['ratios'], 'orderSplit');
  const { ratios } = options;
  return splitUsers(plays, (n) => sizes(n, ratios));
}

/**
 * Keeps `k` plays of each user for validation. Users with no more than `k` plays stay in training as a whole.
 * @param plays what is split
 * @example leaveKOut(plays, { k: 1, which: 'last' }) // the usual protocol of sequential recommendation
 */
export function leaveKOut(plays: Plays, options: LeaveKOutOptions = {}): Split {
  checkOptions(options, ['k', 'which', 'seed'], 'leaveKOut');
  const { k = 1, which = 'random', seed = 42 } = options;
  if (!(Number.isInteger(k) && k >= 1)) throw new ArgumentError(`k must be a whole number of plays, at least 1, got ${k}.`);
  if (which !== 'random' && which !== 'last') throw new ArgumentError(`which must be 'random' or 'last', got '${which}'.`);
  const random = new Random(seed).child('split');
  return splitUsers(plays, (n) => (n > k ? [n - k, k] : [n, 0]), which === 'random' ? (rows) => shuffle(rows, random) : undefined);
}

/** How many of n rows each part gets. */
function sizes(n: number, ratios: readonly number[] = [0.8, 0.1, 0.1]): number[] {
  const sum = ratios.reduce((a, b) => a + b, 0);
  if (!(ratios.length === 2 || ratios.length === 3) || !ratios.every((r) => r >= 0) || !(ratios[0] > 0) || Math.abs(sum - 1) > 1e-9) {
    throw new ArgumentError(`ratios must be two or three shares that add up to 1, the first more than 0, got [${ratios.join(', ')}].`);
  }
  const out = ratios.map((ratio) => Math.floor(ratio * n + 1e-9)); // 0.1 · 30 is 3, not 2.999…
  out[0] = n - out.slice(1).reduce((a, b) => a + b, 0);
  for (let part = ratios.length - 1; part > 0 && out[0] > 1; part--) {
    if (ratios[part] * n > 0 && out[part] === 0) {
      out[part] = 1;
      out[0]--;
    }
  }
  return out;
}

function splitUsers(plays: Plays, sizesOf: (n: number) => number[], arrange?: (rows: Int32Array) => void): Split {
  if (typeof plays?.byUser !== 'function') throw new ArgumentError(`Plays are split by user, such as readPlays reads, got ${whatIs(plays)}.`);
  const { indptr, indices } = plays.byUser();
  const part = new Uint8Array(plays.length);
  const counts = [0, 0, 0];
  let parts = sizesOf(0).length;
  for (let u = 0; u < plays.users.length; u++) {
    const rows = indices.subarray(indptr[u], indptr[u + 1]);
    if (rows.length === 0) continue;
    arrange?.(rows);
    const userSizes = sizesOf(rows.length);
    parts = userSizes.length;
    let j = 0;
    userSizes.forEach((size, p) => {
      counts[p] += size;
      for (const end = j + size; j < end; j++) part[rows[j]] = p;
    });
  }
  const [train, valid, test] = counts.map((count) => new Int32Array(count));
  const used = [0, 0, 0];
  for (let i = 0; i < part.length; i++) [train, valid, test][part[i]][used[part[i]]++] = i;
  return parts === 3 ? { train, valid, test } : { train, valid };
}

/** Fisher-Yates, in place. */
function shuffle(rows: Int32Array, random: Random): void {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    [rows[i], rows[j]] = [rows[j], rows[i]];
  }
}

/**
 * A split that was given by row numbers, checked: `train` is not empty, every row is one of 0 … n−1, and none is in both parts.
 */
export function checkedSplit(split: { readonly train: ArrayLike<number>; readonly valid: ArrayLike<number> }, n: number): Split {
  if (!isList(split.train) || !isList(split.valid)) {
    throw new ArgumentError('split needs the row numbers { train, valid }, as randomSplit, perUserSplit or leaveKOut return them.');
  }
  const part = new Uint8Array(n);
  if (split.train.length === 0) throw new ArgumentError('The split has no training row.');
  for (const [name, rows, mark] of [['train', split.train, 1] as const, ['valid', split.valid, 2] as const]) {
    for (let j = 0; j < rows.length; j++) {
      const i = rows[j];
      if (!(Number.isInteger(i) && i >= 0 && i < n)) throw new ArgumentError(`split.${name} has row ${i}, but rows count from 0 to ${n - 1}.`);
      if (part[i] === 3 - mark) throw new ArgumentError(`Row ${i} is in both parts of the split, so validation would be on what was trained.`);
      part[i] = mark;
    }
  }
  return { train: Int32Array.from(split.train), valid: Int32Array.from(split.valid) };
}

function isList(rows: unknown): boolean {
  return Array.isArray(rows) || (ArrayBuffer.isView(rows) && !(rows instanceof DataView));
}
