import { createHash } from 'node:crypto';
import { ArgumentError } from '../errors.js';
import { checkOptions, said, whatIs } from '../options.js';
import { Plays } from './plays.js';
import type { Split } from './splits.js';

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
  if (!(plays instanceof Plays))
    throw new ArgumentError(
      `splitPlays needs plays, such as readPlays reads, got ${whatIs(plays)}.`,
    );
  if (!split?.train || !split.valid) {
    throw new ArgumentError(
      'splitPlays needs the row numbers { train, valid }, as randomSplit, perUserSplit or leaveKOut return them.',
    );
  }
  checkOptions<Split>(split, ['train', 'valid', 'test'], 'splitPlays');
  const { train, valid, test } = split;
  const part = new Uint8Array(plays.length);
  for (const rows of [train, valid, test ?? []]) {
    for (let j = 0; j < rows.length; j++) {
      if (part[rows[j]] === 1)
        throw new ArgumentError(
          `Row ${rows[j]} is twice in the split, so something would be measured on what was trained.`,
        );
      part[rows[j]] = 1;
    }
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
  const hash = createHash('sha256');
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
  if (!(split?.train instanceof Plays)) {
    throw new ArgumentError(
      `${of} needs a split of plays, { train, valid, test }, as splitPlays(plays, perUserSplit(plays)) returns it, got ${whatIs(split)}.`,
    );
  }
  const on = part ?? (split.test ? 'test' : 'valid');
  if (on !== 'test' && on !== 'valid')
    throw new ArgumentError(`on must be 'test' or 'valid', got '${said(on)}'.`);
  if (!(split[on] instanceof Plays))
    throw new ArgumentError(
      `The split has no part "${on}" to measure on; it needs one, beside train.`,
    );
  return on;
}
