import { Random } from '../../compute/random.js';
import type { Plays } from '../../data/plays.js';
import { ArgumentError } from '../../errors.js';
import { given } from '../../options.js';
import { Interactions } from '../interactions.js';
import { checkScores, Recommender } from '../recommender.js';
import type { SavedForm } from '../saved-form.js';

const DEFAULTS = {
  /** Equal seeds give equal lists; default 42. */
  seed: 42 as number | string,
};

/** Options of {@link RandomRecommender}. */
export type RandomRecommenderOptions = Partial<typeof DEFAULTS>;

/**
 * The floor of any comparison: tracks in random order. A user's scores, uniform in [0, 1), depend
 * on the seed and the user's id alone, so that the same lists come alone or in a batch, today or
 * tomorrow.
 * @example new RandomRecommender(plays, { seed: 1 }).recommend(user, { n: 5 })
 */
export class RandomRecommender extends Recommender {
  readonly name: string = 'Random';
  /** Equal seeds give equal lists. */
  readonly seed: number | string;
  private readonly random: Random;

  /**
   * @param plays the training plays: their tracks are the catalogue. Or what another recommender
   *   has seen (`content.seen`), to draw from the same tracks as that one, those included that
   *   nobody has played
   */
  constructor(plays: Plays | Interactions, options: RandomRecommenderOptions = {}) {
    const { seed } = given(DEFAULTS, options, 'RandomRecommender');
    const seen = plays instanceof Interactions ? plays : Interactions.fromPlays(plays);
    super(seen, { catalogue: plays instanceof Interactions ? undefined : plays.catalogue });
    if (seen.tracks.length === 0)
      throw new ArgumentError('There are no plays, so no tracks to choose from.');
    this.seed = seed;
    this.random = new Random(seed).child('recommend');
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    const tracks = this.tracks.length;
    for (let b = 0; b < users.length; b++) {
      const random = this.random.child(this.users.id(users[b]));
      for (let i = b * tracks; i < (b + 1) * tracks; i++)
        out[i] = (random.uint32() >>> 8) / 16777216; // 24 bits, what a float32 holds
    }
  }

  static readonly saved: SavedForm<RandomRecommender> = {
    name: 'RandomRecommender',
    withoutSeen: 'users',
    describe: ({ seed }) => ({ config: { seed } }),
    // Made of plays it has their catalogue; made of interactions it has none, but perhaps tracks
    // that nobody has played.
    make: ({ plays, seen }, config) =>
      new RandomRecommender(plays.catalogue ? plays : seen, {
        seed: config.isText('seed') ? config.text('seed') : config.number('seed'),
      }),
  };
}
