import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { checkNumber, said, whatIs } from '../options.js';
import type { SequenceDataset } from './sequences.js';
import { checkedSplit, randomSplit, type Split } from './splits.js';

/**
 * Which windows are for validation:
 * - `'user'`: all windows of `validPct` of the users (or sessions), drawn at random;
 * - `'order'`: all windows of the last `validPct` of the users (or sessions) in the order of the file: by time, where the file is;
 * - `'last'`: each history's last window, which predicts its last track; histories with one window stay in training;
 * - `'window'`: `validPct` of the windows, drawn at random: the paper's. The tracks that they predict are inputs of windows in training;
 * - numbers of users (or sessions) for training and validation. `valid` may be empty.
 * @example const split: SequenceSplit = 'last';
 */
export type SequenceSplit =
  | 'user'
  | 'order'
  | 'last'
  | 'window'
  | {
      /** Numbers of users or sessions to train on. */
      readonly train: ArrayLike<number>;
      /** Numbers of users or sessions to validate with. */
      readonly valid: ArrayLike<number>;
    };

/** Options of {@link splitSequences}. */
export interface SequenceSplitOptions {
  /** Default `'user'`. */
  split?: SequenceSplit;
  /**
   * Share for validation of `'user'`, `'order'` and `'window'`, more than 0 and less than 1;
   * default 0.2. The others have none.
   */
  validPct?: number;
  /** Seed of the draw; default 42. */
  seed?: number | string;
}

const words = ['user', 'order', 'last', 'window'];

/** Window numbers of training and validation. Throws ArgumentError if a part would be empty. */
export function splitSequences(
  dataset: SequenceDataset,
  options: SequenceSplitOptions = {},
): Split {
  const { split = 'user', seed = 42, validPct } = options;
  const byShare = split === 'user' || split === 'order' || split === 'window';
  if (
    typeof split === 'string' ? !words.includes(split) : typeof split !== 'object' || split === null
  ) {
    const got = typeof split === 'string' ? `'${split}'` : whatIs(split);
    throw new ArgumentError(
      `split must be 'user', 'order', 'last', 'window', or { train, valid } with numbers of histories, got ${got}.`,
    );
  }
  if (!byShare && validPct !== undefined)
    throw new ArgumentError(
      `validPct means nothing to this split: leave it out, got ${said(validPct)}.`,
    );
  if (split === 'window') return randomSplit(dataset.length, { validPct, seed });
  if (split === 'last') return lastApart(dataset);
  const parts =
    typeof split === 'object'
      ? checkedSplit(split, dataset.histories.length)
      : sequenceParts(dataset, { split, validPct, seed });
  const part = new Uint8Array(dataset.histories.length);
  for (const s of parts.train) part[s] = 1;
  for (const s of parts.valid) part[s] = 2;
  const found = {
    train: windowsWhere(dataset, (i) => part[dataset.sequence[i]] === 1),
    valid: windowsWhere(dataset, (i) => part[dataset.sequence[i]] === 2),
  };
  if (found.train.length === 0)
    throw new ArgumentError(
      'The training histories have a single track each, so there is nothing to predict in them.',
    );
  if (found.valid.length === 0 && parts.valid.length > 0) {
    throw new ArgumentError(
      'The validation histories have a single track each, so there is nothing to predict in them.',
    );
  }
  return found;
}

/** Users or sessions by share; only those that have a window count. */
function sequenceParts(
  dataset: SequenceDataset,
  options: { split: 'user' | 'order'; validPct?: number; seed: number | string },
): Split {
  const { split, validPct = 0.2, seed } = options;
  checkNumber(
    validPct,
    validPct > 0 && validPct < 1,
    'validPct must be between 0 and 1, both excluded',
  );
  const sequences = dataset.sequence.filter((s, i, all) => i === 0 || s !== all[i - 1]);
  const n = sequences.length;
  const cut = Math.trunc(validPct * n);
  if (cut === 0)
    throw new ArgumentError(
      `validPct ${validPct} of ${n} histories leaves none for validation. Give more of them or a larger validPct.`,
    );
  if (split === 'order')
    return { train: sequences.slice(0, n - cut), valid: sequences.slice(n - cut) };
  const order = new Random(seed).child('split').permutation(n);
  return {
    train: order.slice(cut).map((j) => sequences[j]),
    valid: order.slice(0, cut).map((j) => sequences[j]),
  };
}

function lastApart(dataset: SequenceDataset): Split {
  const { sequence, length } = dataset;
  const isLast = (i: number): boolean =>
    sequence[i] !== sequence[i + 1] && i > 0 && sequence[i - 1] === sequence[i];
  const valid = windowsWhere(dataset, isLast);
  if (valid.length === 0)
    throw new ArgumentError(
      'No history has two windows (three tracks), so no last one can be held out.',
    );
  return { train: windowsWhere({ length }, (i) => !isLast(i)), valid };
}

function windowsWhere(
  { length }: { readonly length: number },
  chosen: (i: number) => boolean,
): Int32Array {
  const out = new Int32Array(length);
  let n = 0;
  for (let i = 0; i < length; i++) if (chosen(i)) out[n++] = i;
  return out.slice(0, n);
}
