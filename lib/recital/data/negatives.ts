import type { Random } from '../compute/random.js';
import { ArgumentError, DataError } from '../errors.js';
import { checkCount, checkNumber, checkOneOf, given } from '../options.js';
import { Csr } from './csr.js';
import type { Vocabulary } from './vocabulary.js';

const NEGATIVES = {
  /** Negatives for each positive; default 1. */
  n: 1,
  /**
   * `'uniform'` (default): each item with equal chance. `'popularity'`: in proportion to (its
   * training rows)^power, so that popular items, which a user more likely knows and did not choose,
   * come up more often.
   */
  sampling: 'uniform' as 'uniform' | 'popularity',
  /**
   * For `'popularity'`: 0 is uniform, 1 in proportion to the rows. Default 0.75, word2vec's choice.
   */
  power: undefined as number | undefined,
};
/** Options of negative sampling: drawing items that a user has not played. */
export type NegativeOptions = Partial<typeof NEGATIVES>;

/** Pairs of user and item, by index in the classes (0: `#na#`). */
interface Pairs {
  readonly user: Int32Array;
  readonly item: Int32Array;
}

/** Rejected draws after which a user's items are excluded from the weights instead. */
const TRIES = 30;

/** Draws items that a user does not have, never `#na#`, independently of each other. */
export class NegativeSampler {
  /** Number of negatives for each positive. */
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

  /** A track that is not known to be the user's. */
  draw(user: number, random: Random): number {
    for (let t = 0; t < TRIES; t++) {
      const item = this.among.draw(random);
      if (!this.known.has(user, item)) return item;
    }
    const left = this.weights.slice();
    for (const item of this.known.row(user)) left[item] = 0;
    return new WeightedDraw(left).draw(random);
  }
}

/**
 * The samplers of training and validation: training draws tracks that the user does not have in
 * training, validation those that the user has in neither part.
 * @throws DataError if a user has every track, so that nothing can be drawn
 */
export function negativeSamplers(
  { train, valid }: { train: Pairs; valid: Pairs },
  classes: { readonly user: Vocabulary; readonly item: Vocabulary },
  options: NegativeOptions,
): { train: NegativeSampler; valid: NegativeSampler } {
  const { n, sampling, power } = given(NEGATIVES, options, 'negatives');
  checkCount(n, 'negatives.n');
  checkOneOf(sampling, ['uniform', 'popularity'], 'negatives.sampling');
  if (power !== undefined && sampling !== 'popularity')
    throw new ArgumentError("negatives.power is for sampling: 'popularity'; leave it out.");
  const exponent = sampling === 'uniform' ? 0 : (power ?? 0.75);
  checkNumber(
    exponent,
    exponent >= 0 && exponent < Infinity,
    'negatives.power must be a number, 0 or more',
  );
  const items = classes.item.length;
  const weights = new Float64Array(items);
  for (let j = 0; j < train.item.length; j++) weights[train.item[j]]++;
  let total = 0;
  for (let i = 0; i < items; i++) total += weights[i] = i === 0 ? 0 : weights[i] ** exponent;
  if (!Number.isFinite(total))
    throw new ArgumentError(
      `negatives.power ${power} makes numbers too large: 1 is usual at most.`,
    );
  const sampler = (...parts: Pairs[]): NegativeSampler => {
    const known = knownTracks(parts, [classes.user.length, items]);
    for (let u = 1; u < classes.user.length; u++)
      if (known.row(u).length === items - 1)
        throw new DataError(
          `User "${classes.user.id(u)}" has every one of the ${items - 1} items, so no negative can be drawn. Leave this user out.`,
        );
    return new NegativeSampler(known, { weights, n });
  };
  return { train: sampler(train), valid: sampler(train, valid) };
}

/** The tracks of each user. Unknown users (0) share an index, so they are left out. */
function knownTracks(parts: readonly Pairs[], shape: [number, number]): Csr<undefined> {
  const room = parts.reduce((n, { user }) => n + user.length, 0);
  const [row, column] = [new Int32Array(room), new Int32Array(room)];
  let n = 0;
  for (const { user, item } of parts) {
    for (let j = 0; j < user.length; j++) {
      if (user[j] === 0 || item[j] === 0) continue;
      row[n] = user[j];
      column[n++] = item[j];
    }
  }
  return Csr.fromPairs(shape, { row: row.subarray(0, n), column: column.subarray(0, n) });
}

/** Draws indices with chances in proportion to weights, by binary search in their running sum. */
export class WeightedDraw {
  private readonly sums: Float64Array;

  /** @param weights one for each index, 0 or more, not all 0 */
  constructor(weights: ArrayLike<number>) {
    this.sums = new Float64Array(weights.length);
    let total = 0;
    for (let i = 0; i < weights.length; i++) this.sums[i] = total += weights[i];
  }

  /** An index, never one of weight 0. */
  draw(random: Random): number {
    const { sums } = this;
    const x = random.uniform() * sums[sums.length - 1];
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sums[middle] > x) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
