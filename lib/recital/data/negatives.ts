import type { Random } from '../compute/random.js';
import { ArgumentError, DataError } from '../errors.js';
import { said } from '../options.js';
import { Csr } from './csr.js';
import type { Vocabulary } from './vocabulary.js';
import { WeightedDraw } from './weighted-draw.js';

/** How items that a user has not played are drawn beside those that the user has. */
export interface NegativeOptions {
  /** Negatives for each positive; default 1. */
  n?: number;
  /**
   * `'uniform'` (default): each item with equal chance. `'popularity'`: in proportion to (its
   * training rows)^power, so that popular items, which a user more likely knows and did not choose,
   * come up more often.
   */
  sampling?: 'uniform' | 'popularity';
  /**
   * For `'popularity'`: 0 is uniform, 1 in proportion to the rows. Default 0.75, word2vec's choice.
   */
  power?: number;
}

/** What a loader needs to draw negatives. */
export interface Negatives {
  /** How many for each positive. */
  readonly n: number;
  /** An item that is not known to be the user's. */
  draw(user: number, random: Random): number;
}

/** Pairs of user and item, by index in the classes (0: `#na#`). */
interface Pairs {
  readonly user: Int32Array;
  readonly item: Int32Array;
}

/**
 * Tries by chance before the items that are left are counted out: for a user who has nearly all of
 * them.
 */
const TRIES = 30;

/**
 * Draws items that a user has not, `#na#` never: independent draws, so an item may come up twice
 * for the same positive.
 */
export class NegativeSampler implements Negatives {
  readonly n: number;
  private readonly weights: Float64Array;
  private readonly among: WeightedDraw;

  /**
   * @param known what each user has, `#na#` (row 0) nothing
   * @param options weights of the items, 0 for `#na#`; `n`: negatives for each positive
   */
  constructor(
    private readonly known: Csr<undefined>,
    { weights, n }: { weights: Float64Array; n: number },
  ) {
    this.n = n;
    this.weights = weights;
    this.among = new WeightedDraw(weights);
  }

  draw(user: number, random: Random): number {
    for (let t = 0; t < TRIES; t++) {
      const item = this.among.draw(random);
      if (!this.known.has(user, item)) return item;
    }
    const left = this.weights.slice(); // the same chances, without trying
    for (const item of this.known.row(user)) left[item] = 0;
    return new WeightedDraw(left).draw(random);
  }
}

/**
 * The samplers of training and validation. In training an item that the user has not in training
 * may be drawn; in validation one that the user has neither in training nor in validation.
 * @param pairs positives of both parts, and their classes
 * @throws DataError if somebody has every item, so that nothing can be drawn
 */
export function negativeSamplers(
  {
    train,
    valid,
    classes,
  }: {
    train: Pairs;
    valid: Pairs;
    classes: { readonly user: Vocabulary; readonly item: Vocabulary };
  },
  options: NegativeOptions,
): { train: Negatives; valid: Negatives } {
  if (typeof options !== 'object')
    throw new ArgumentError(`negatives are options, such as { n: 1 }, got ${said(options)}.`);
  const { n = 1, sampling = 'uniform', power } = options;
  if (!(Number.isInteger(n) && n > 0))
    throw new ArgumentError(`negatives.n must be a positive whole number, got ${said(n)}.`);
  if (sampling !== 'uniform' && sampling !== 'popularity') {
    throw new ArgumentError(
      `negatives.sampling must be 'uniform' or 'popularity', got '${said(sampling)}'.`,
    );
  }
  if (power !== undefined && sampling !== 'popularity')
    throw new ArgumentError("negatives.power is for sampling: 'popularity'; leave it out.");
  const exponent = sampling === 'uniform' ? 0 : (power ?? 0.75);
  if (!(exponent >= 0 && Number.isFinite(exponent)))
    throw new ArgumentError(`negatives.power must be a number, 0 or more, got ${said(power)}.`);
  const items = classes.item.length;
  const weights = new Float64Array(items);
  for (let j = 0; j < train.item.length; j++) weights[train.item[j]]++;
  let total = 0;
  for (let i = 0; i < items; i++) total += weights[i] = i === 0 ? 0 : weights[i] ** exponent;
  if (!Number.isFinite(total))
    throw new ArgumentError(
      `negatives.power ${power} makes numbers that are too large. Values up to 1 are usual, 0.75 is the default.`,
    );
  const sampler = (...parts: Pairs[]): NegativeSampler => {
    const known = knownItems(parts, [classes.user.length, items]);
    for (let u = 1; u < classes.user.length; u++) {
      if (known.indptr[u + 1] - known.indptr[u] === items - 1) {
        throw new DataError(
          `User "${classes.user.id(u)}" has every one of the ${items - 1} items, so no negative can be drawn. Leave this user out.`,
        );
      }
    }
    return new NegativeSampler(known, { weights, n });
  };
  return { train: sampler(train), valid: sampler(train, valid) };
}

/** What each user has. Users that are unknown (0) are many: what one has, another may not have. */
function knownItems(parts: readonly Pairs[], shape: [number, number]): Csr<undefined> {
  const room = parts.reduce((n, { user }) => n + user.length, 0);
  const users = new Int32Array(room);
  const items = new Int32Array(room);
  let n = 0;
  for (const { user, item } of parts) {
    for (let j = 0; j < user.length; j++) {
      if (user[j] === 0 || item[j] === 0) continue;
      users[n] = user[j];
      items[n++] = item[j];
    }
  }
  return Csr.fromPairs(shape, { row: users.subarray(0, n), column: items.subarray(0, n) });
}
