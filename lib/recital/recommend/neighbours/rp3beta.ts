import { Csr, type InteractionValue } from '../../data/csr.js';
import { readSimilarity } from '../../data/files/tensors.js';
import type { Plays } from '../../data/plays.js';
import { checkCount, checkNumber, given } from '../../options.js';
import { readValue } from '../play-values.js';
import type { SavedForm } from '../saved-form.js';
import { describeItemItem, ItemItemRecommender } from './knn.js';
import { topProducts } from './sparse-top-k.js';

const DEFAULTS = {
  /** Power of the chances of a step; default 1. */
  alpha: 1,
  /** How much popular tracks are held back: 0 not at all; default 0.3. */
  beta: 0.3,
  /** Tracks that count for each, the most likely ones; default 200. */
  k: 200,
  /** What a play is worth: 1 ('binary', default), ln(1 + playcount) ('log'), playcount ('count'). */
  value: 'binary' as InteractionValue,
};

/** Options of {@link RP3beta}. */
export type RP3betaOptions = Partial<typeof DEFAULTS>;

/**
 * RP³β (Paudel, Christoffel, Newell and Bernstein, 2017): a random walk of three steps, from a user
 * to a track of theirs, to a user of it, to a track of that user; similarity[i, j] = Σ over users
 * P(user | i)^α · P(j | user)^α / users(j)^β, where P is in proportion to what plays are worth.
 * @example new RP3beta(plays, { beta: 0.4 }).recommend(user)
 */
export class RP3beta extends ItemItemRecommender {
  readonly name: string = 'RP3beta';
  /** Its options, defaults included. */
  readonly options: Readonly<Required<RP3betaOptions>>;

  /** @param learnt the similarities, if they are known already: those of a file without plays */
  constructor(plays: Plays, options: RP3betaOptions = {}, learnt?: Csr) {
    const all = given(DEFAULTS, options, 'RP3beta');
    const { alpha, beta, k, value } = all;
    checkCount(k, 'k');
    for (const [name, power] of Object.entries({ alpha, beta }))
      checkNumber(power, power >= 0 && power < Infinity, `${name} must be a number from 0 on`);
    const similarity = (values: Csr): Csr => {
      const byTrack = values.transpose();
      const held = Float64Array.from(
        { length: byTrack.shape[0] },
        (_, t) => (byTrack.indptr[t + 1] - byTrack.indptr[t]) ** beta,
      );
      const score = (product: number, _: number, track: number): number => product / held[track];
      return topProducts(chances(byTrack, alpha), chances(values, alpha), { k, score });
    };
    super(plays, value, similarity, learnt);
    this.options = all;
  }

  static readonly saved: SavedForm<RP3beta> = {
    name: 'RP3beta',
    withoutSeen: 'tracks',
    describe: describeItemItem,
    make: ({ plays }, config, tensors) => {
      const options = {
        alpha: config.number('alpha'),
        beta: config.number('beta'),
        k: config.count('k'),
        value: readValue(config),
      };
      return new RP3beta(plays, options, readSimilarity(tensors, plays.tracks.length));
    },
  };
}

/** Each row divided by its sum, to a power. */
function chances(matrix: Csr, power: number): Csr {
  const { shape, indptr, data } = matrix;
  const out = new Float64Array(data.length);
  for (let r = 0; r < shape[0]; r++) {
    let sum = 0;
    for (let j = indptr[r]; j < indptr[r + 1]; j++) sum += data[j];
    for (let j = indptr[r]; j < indptr[r + 1]; j++) out[j] = (data[j] / sum) ** power;
  }
  return new Csr({ ...matrix, data: out });
}
