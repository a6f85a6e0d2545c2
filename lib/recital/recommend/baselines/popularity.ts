import type { Plays } from '../../data/plays.js';
import { ArgumentError } from '../../errors.js';
import { checkOneOf, given } from '../../options.js';
import { FoldedUser, type HistoryItem, type HistoryOptions, readHistory } from '../fold-in.js';
import { Interactions } from '../interactions.js';
import { checkScores, Recommender } from '../recommender.js';
import type { SavedForm } from '../saved-form.js';

const MEASURES = ['users', 'plays'] as const;

/** What a track's popularity counts: the users that play it, or their playcounts. */
export type PopularityMeasure = (typeof MEASURES)[number];

const DEFAULTS = {
  /** What is counted; default `'users'`, which one devoted user cannot push. */
  by: 'users' as PopularityMeasure,
};

/** Options of {@link Popularity}. */
export type PopularityOptions = Partial<typeof DEFAULTS>;

/**
 * The baseline that any model must beat: everybody gets the most popular tracks that they have not
 * played. The score is the count in training.
 * @example
 * const plays = Plays.fromRows([{ user: 'u1', track: 'a' }, { user: 'u2', track: 'a' }, { user: 'u2', track: 'b' }]);
 * new Popularity(plays).recommend('u1').ids // ['b']
 */
export class Popularity extends Recommender {
  readonly name: string;
  /** The count of each track. */
  readonly counts: Float32Array;

  constructor(plays: Plays, options: PopularityOptions = {}) {
    const { by } = given(DEFAULTS, options, 'Popularity');
    super(Interactions.fromPlays(plays), { catalogue: plays.catalogue });
    checkOneOf(by, MEASURES, 'by');
    if (plays.length === 0 && !this.seen.totals)
      throw new ArgumentError('There are no plays to count. Popularity needs at least one.');
    this.name = by === 'users' ? 'Popularity' : 'Popularity (plays)';
    const { seen } = this;
    this.counts = Float32Array.from(by === 'users' ? seen.usersPerTrack() : seen.plays());
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    for (let b = 0; b < users.length; b++) out.set(this.counts, b * this.counts.length);
  }

  /** The most popular tracks that are not in the history; playcounts make no difference. */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const read = readHistory(this, history, options);
    return new FoldedUser(this, read.track, this.counts.slice(), read);
  }

  static readonly saved: SavedForm<Popularity> = {
    name: 'Popularity',
    withoutSeen: 'tracks',
    describe: ({ name }) => ({ config: { by: name === 'Popularity' ? 'users' : 'plays' } }),
    make: ({ plays }, config) => {
      const by = config.oneOf('by', [...MEASURES, 'listeners']); // as older files call users
      return new Popularity(plays, { by: by === 'plays' ? by : 'users' });
    },
  };
}
