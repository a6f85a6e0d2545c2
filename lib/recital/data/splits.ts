import { sha256 } from '../compute/host.js';
import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import {
  checkArgument,
  checkCount,
  checkIndex,
  checkNumber,
  checkOneOf,
  checkOptions,
  given,
  isNumbers,
  said,
} from '../options.js';
import { numbersWhere } from './csr.js';
import { Plays } from './plays.js';

/** Row numbers of the parts of a data set: disjoint, and together every row. */
export interface Split {
  /** Rows to train on. */
  readonly train: Int32Array;
  /** Rows to choose settings by. */
  readonly valid: Int32Array;
  /** Rows to report on, where the split has three parts. */
  readonly test?: Int32Array;
}

const RANDOM = {
  /** Share of the rows for validation. Default 0.2. */
  validPct: 0.2,
  /** Seed of the order. Default 42. */
  seed: 42 as number | string,
};
/** Options of {@link randomSplit}. */
export type RandomSplitOptions = Partial<typeof RANDOM>;

/**
 * Options of {@link perUserSplit} and {@link orderSplit}.
 * @example const options: RatioOptions = { ratios: [0.8, 0.2] };
 */
export interface RatioOptions<R extends readonly number[] = readonly number[]> {
  /**
   * Shares of train, valid and, if there are three, test; they add up to 1. Default [0.8, 0.1,
   * 0.1].
   */
  ratios?: R;
}
const RATIOS = { ratios: [0.8, 0.1, 0.1] as readonly number[] };
type ThreeRatios = readonly [number, number, number];
type Seeded = { seed?: number | string };

const LEAVE_OUT = {
  /** Rows of each user for validation. Default 1. */
  k: undefined as number | undefined,
  /** The same as `k`, beside `test`. */
  valid: undefined as number | undefined,
  /** Rows of each user for test, the last ones behind validation's. Default: no such part. */
  test: undefined as number | undefined,
  /** Which ones: drawn at random (default) or the user's last in the file. */
  which: 'random' as 'random' | 'last',
  /** Seed of the draw. Default 42. */
  seed: 42 as number | string,
};
/** Options of {@link leaveKOut}. */
export type LeaveKOutOptions = Partial<typeof LEAVE_OUT>;

const FOLDS = {
  /** Number of folds, at least 2; default 5. */
  k: 5,
  /** Seed of the draw; default 42. */
  seed: 42 as number | string,
};
/**
 * Options of {@link kFold}.
 * @example const options: KFoldOptions = { k: 10 };
 */
export type KFoldOptions = Partial<typeof FOLDS>;

/**
 * fastai's RandomSplitter: of the rows in random order the first trunc(validPct · n) are for
 * validation, the others for training. Both parts come in that random order.
 * @param n number of rows
 * @throws ArgumentError unless both parts get a row
 * @example randomSplit(10).valid.length // 2
 */
export function randomSplit(n: number, options: RandomSplitOptions = {}): Split {
  const { validPct, seed } = given(RANDOM, options, 'randomSplit');
  const wanted = 'validPct must be between 0 and 1, both excluded';
  const hint = ' To train on every row give a split with an empty valid part instead.';
  checkNumber(validPct, validPct > 0 && validPct < 1, wanted, hint);
  checkCount(n, 'n', { least: 0, most: 2 ** 31 - 1 });
  const cut = Math.trunc(validPct * n);
  if (cut === 0 || cut === n)
    throw new ArgumentError(
      `validPct ${validPct} of ${n} rows leaves none for ${cut === n ? 'training. Give a smaller validPct' : 'validation. Give more rows or a larger validPct'}.`,
    );
  const order = new Random(seed).child('split').permutation(n);
  return { train: order.slice(cut), valid: order.slice(0, cut) };
}

/**
 * Splits each user's plays at random by ratios, with RecBole's rounding: valid and test get ⌊ratio
 * · n⌋ rows, a part whose share is less than one row gets one if training keeps at least one,
 * training gets the others. Rows of a part are ascending.
 * @param plays what is split
 * @example perUserSplit(plays, { ratios: [0.8, 0.1, 0.1], seed: 2020 })
 */
export function perUserSplit(
  plays: Plays,
  options?: RatioOptions<ThreeRatios> & Seeded,
): Required<Split>;
export function perUserSplit(plays: Plays, options: RatioOptions & Seeded): Split;
export function perUserSplit(plays: Plays, options: RatioOptions & Seeded = {}): Split {
  const { ratios, seed } = given({ ...RATIOS, seed: RANDOM.seed }, options, 'perUserSplit');
  const random = new Random(seed).child('split');
  return splitUsers(
    plays,
    (n) => sizes(n, ratios),
    (rows) => shuffle(rows, random),
  );
}

/**
 * Splits each user's plays by ratios in the order of the file: first train, then valid, then test,
 * with the sizes of {@link perUserSplit}. Where the file is in order of time, this is the split by
 * time.
 * @param plays what is split
 * @example const { train, valid } = splitPlays(plays, orderSplit(plays, { ratios: [0.8, 0.2] }));
 */
export function orderSplit(plays: Plays, options?: RatioOptions<ThreeRatios>): Required<Split>;
export function orderSplit(plays: Plays, options: RatioOptions): Split;
export function orderSplit(plays: Plays, options: RatioOptions = {}): Split {
  const { ratios } = given(RATIOS, options, 'orderSplit');
  return splitUsers(plays, (n) => sizes(n, ratios));
}

/**
 * Keeps `k` plays of each user for validation, or `valid` for validation and `test` for test. Users
 * with no more plays than that stay in training as a whole.
 * @param plays what is split
 * @example leaveKOut(plays, { valid: 1, test: 1, which: 'last' }) // the usual protocol of sequential recommendation: see evaluateNextItem
 */
export function leaveKOut(
  plays: Plays,
  options: LeaveKOutOptions & { test: number },
): Required<Split>;
export function leaveKOut(plays: Plays, options?: LeaveKOutOptions): Split;
export function leaveKOut(plays: Plays, options: LeaveKOutOptions = {}): Split {
  const { k, valid = k ?? 1, test, which, seed } = given(LEAVE_OUT, options, 'leaveKOut');
  if (k !== undefined && options.valid !== undefined)
    throw new ArgumentError(
      `k and valid are the same number: give one of them, got ${said(k)} and ${said(valid)}.`,
    );
  checkCount(valid, k === undefined ? 'valid' : 'k');
  if (test !== undefined) checkCount(test, 'test');
  checkOneOf(which, ['random', 'last'], 'which');
  const random = new Random(seed).child('split');
  const held = test === undefined ? [valid] : [valid, test];
  const out = valid + (test ?? 0);
  const sizesOf = (n: number): number[] =>
    n > out ? [n - out, ...held] : [n, ...held.map(() => 0)];
  return splitUsers(plays, sizesOf, which === 'last' ? undefined : (rows) => shuffle(rows, random));
}

/**
 * Cross-validation: k splits, in which every play is held out exactly once, in `valid`. By user, as
 * {@link perUserSplit}: a fold has ⌊n/k⌋ or ⌈n/k⌉ of the n plays of each user, at random, and the
 * folds differ by no more than one play in all. A user with a single play is unknown to the
 * training part of one fold, and measured in none. Rows of a part are ascending.
 *
 * The training parts of the folds overlap, so the standard deviation over folds is too small for a
 * test; each fold has tests of its own.
 * @param plays what is split
 * @throws ArgumentError for more folds than plays
 * @example
 * for (const split of kFold(plays, { k: 5 })) {
 *   const parts = splitPlays(plays, split);
 *   console.log(evaluateRecommender(new Popularity(parts.train), parts.valid).ndcg);
 * }
 */
export function kFold(plays: Plays, options: KFoldOptions = {}): Split[] {
  checkPlays(plays);
  const { k, seed } = given(FOLDS, options, 'kFold');
  checkCount(k, 'k', { least: 2 });
  if (k > plays.length)
    throw new ArgumentError(
      `${k} folds of ${plays.length} plays would leave some empty. Take fewer, or more plays.`,
    );
  const random = new Random(seed).child('folds');
  const { indptr, indices } = plays.byUser();
  const fold = new Int32Array(plays.length);
  for (let u = 0; u < plays.users.length; u++) {
    const rows = indices.subarray(indptr[u], indptr[u + 1]);
    shuffle(rows, random);
    rows.forEach((row, j) => {
      fold[row] = (indptr[u] + j) % k; // where the user before left off, so that no fold gets all remainders
    });
  }
  return Array.from({ length: k }, (_, f) => ({
    train: numbersWhere(fold.length, (i) => fold[i] !== f),
    valid: numbersWhere(fold.length, (i) => fold[i] === f),
  }));
}

function checkPlays(plays: unknown): void {
  checkArgument(plays instanceof Plays, plays, 'A split', 'plays, such as readPlays reads');
}

/** Number of rows of each part, of n. */
function sizes(n: number, ratios: readonly number[]): number[] {
  const wanted = 'two or three shares that add up to 1, the first more than 0';
  checkArgument(Array.isArray(ratios), ratios, 'ratios', wanted);
  const fits =
    (ratios.length === 2 || ratios.length === 3) &&
    ratios.every((r) => typeof r === 'number' && r >= 0) &&
    ratios[0] > 0 &&
    Math.abs(ratios.reduce((a, b) => a + b, 0) - 1) <= 1e-9;
  if (!fits)
    throw new ArgumentError(`ratios must be ${wanted}, got [${ratios.map(String).join(', ')}].`);
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

/** The first rows of each user, arranged, for the first part, the next for the second, … */
function splitUsers(
  plays: Plays,
  sizesOf: (n: number) => number[],
  arrange?: (rows: Int32Array) => void,
): Split {
  checkPlays(plays);
  const { indptr, indices } = plays.byUser();
  const part = new Uint8Array(plays.length);
  const counts = sizesOf(0);
  for (let u = 0; u < plays.users.length; u++) {
    const rows = indices.subarray(indptr[u], indptr[u + 1]);
    if (rows.length === 0) continue;
    arrange?.(rows);
    let j = 0;
    sizesOf(rows.length).forEach((size, p) => {
      counts[p] += size;
      for (const end = j + size; j < end; j++) part[rows[j]] = p;
    });
  }
  const [train, valid, test] = counts.map((count) => new Int32Array(count));
  const used = [0, 0, 0];
  for (let i = 0; i < part.length; i++) [train, valid, test][part[i]][used[part[i]]++] = i;
  return test ? { train, valid, test } : { train, valid };
}

/** Fisher-Yates, in place. */
function shuffle(rows: Int32Array, random: Random): void {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    [rows[i], rows[j]] = [rows[j], rows[i]];
  }
}

const ROWS =
  'the row numbers { train, valid }, as randomSplit, perUserSplit or leaveKOut return them';

/**
 * A split of n rows that was given by row numbers, checked: `train` is not empty, and no row is in
 * both parts.
 */
export function checkedSplit(
  split: { readonly train: ArrayLike<number>; readonly valid: ArrayLike<number> },
  n: number,
): Split {
  checkArgument(isNumbers(split?.train) && isNumbers(split.valid), split, 'split', ROWS);
  if (split.train.length === 0) throw new ArgumentError('The split has no training row.');
  const trains = new Uint8Array(n);
  for (const name of ['train', 'valid'] as const) {
    for (let j = 0; j < split[name].length; j++) {
      const i = split[name][j];
      checkIndex(i, n, `row of split.${name}`);
      if (name === 'train') trains[i] = 1;
      else if (trains[i])
        throw new ArgumentError(
          `Row ${i} is in both parts of the split, so validation would be on what was trained.`,
        );
    }
  }
  return { train: Int32Array.from(split.train), valid: Int32Array.from(split.valid) };
}

/** Plays in parts: what is trained on, and what is measured on. */
export interface PlaysSplit {
  /** Plays to train on. */
  readonly train: Plays;
  /** Plays to choose settings by. */
  readonly valid?: Plays;
  /** Plays to report on. */
  readonly test?: Plays;
}

/**
 * The plays of each part of a split. The vocabularies stay, so that indices mean the same in all
 * parts.
 * @param plays what was split
 * @param split row numbers, as `randomSplit`, `perUserSplit`, `orderSplit`, `leaveKOut` and `kFold`
 *   return them, or `dls.split`
 * @throws ArgumentError for a row that does not exist, or that two parts have
 * @example const { train, valid, test } = splitPlays(plays, perUserSplit(plays, { ratios: [0.8, 0.1, 0.1] }));
 */
export function splitPlays(plays: Plays, split: Required<Split>): Required<PlaysSplit>;
export function splitPlays(plays: Plays, split: Split): PlaysSplit & { readonly valid: Plays };
export function splitPlays(plays: Plays, split: Split): PlaysSplit & { readonly valid: Plays } {
  checkPlays(plays);
  checkArgument(Boolean(split?.train && split.valid), split, 'splitPlays', ROWS);
  checkOptions<Split>(split, ['train', 'valid', 'test'], 'splitPlays');
  const { train, valid, test } = split;
  const taken = new Uint8Array(plays.length);
  for (const rows of [train, valid, test ?? []])
    for (let j = 0; j < rows.length; j++) {
      if (taken[rows[j]] === 1)
        throw new ArgumentError(
          `Row ${rows[j]} is twice in the split, so something would be measured on what was trained.`,
        );
      taken[rows[j]] = 1;
    }
  return {
    train: plays.take(train),
    valid: plays.take(valid),
    ...(test && { test: plays.take(test) }),
  };
}

/**
 * Eight hexadecimal digits that tell parts of plays apart: equal ones have the same users, tracks
 * and rows, in the same order.
 */
export function fingerprint(...parts: readonly Plays[]): string {
  const hash = sha256();
  for (const { users, tracks, user, track, playcount } of parts) {
    for (const { bytes, offsets } of [users, tracks]) hash.update(bytes).update(offsets);
    hash.update(user).update(track).update(playcount);
  }
  return hash.digest('hex').slice(0, 8);
}

/**
 * The part of a split to measure on, checked to be there.
 * @param of who asks, for errors
 * @param part default: `test` if there is one, else `valid`
 */
export function checkedPart(
  of: string,
  split: PlaysSplit,
  part?: 'test' | 'valid',
): 'test' | 'valid' {
  const wanted =
    'a split of plays, { train, valid, test }, as splitPlays(plays, perUserSplit(plays)) returns it';
  checkArgument(split?.train instanceof Plays, split, of, wanted);
  const on = part ?? (split.test ? 'test' : 'valid');
  checkOneOf(on, ['test', 'valid'], 'on');
  if (split[on] instanceof Plays) return on;
  throw new ArgumentError(
    `The split has no part "${on}" to measure on; it needs one, beside train.`,
  );
}
