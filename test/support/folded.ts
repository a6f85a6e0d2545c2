import { Random } from '../../lib/recital/compute/random.js';
import type { Plays } from '../../lib/recital/data/plays.js';
import type { HistoryItem } from '../../lib/recital/recommend/fold-in.js';
import { Interactions } from '../../lib/recital/recommend/interactions.js';
import { type Id, Recommender } from '../../lib/recital/recommend/recommender.js';

/**
 * Plays of which some users are set apart, and of these users' plays a part to test on. Row
 * numbers.
 */
export interface HeldOutUsers {
  /** Plays of the users who are not set apart. */
  others: number[];
  /** What is known of the users who are. */
  history: number[];
  /** What they are tested on. */
  test: number[];
}

/**
 * Sets a share of the users apart, and of the plays of each of them `testPct` (rounded up, and
 * never all) to test on.
 */
export function holdOutUsers(
  plays: Plays,
  { userPct = 0.2, testPct = 0.2, seed = 1 } = {},
): HeldOutUsers {
  const random = new Random(seed);
  const { indptr, indices } = plays.byUser();
  const order = random.child('users').permutation(plays.users.length);
  const apart = new Set(order.subarray(0, Math.floor(userPct * order.length)));
  const parts: HeldOutUsers = { others: [], history: [], test: [] };
  for (let u = 0; u < plays.users.length; u++) {
    const rows = indices.subarray(indptr[u], indptr[u + 1]);
    if (!apart.has(u)) {
      parts.others.push(...rows);
      continue;
    }
    const shuffled = random.child('plays').child(u).permutation(rows.length);
    const cut = Math.min(rows.length - 1, Math.ceil(testPct * rows.length));
    shuffled.forEach((j, r) => {
      (r < cut ? parts.test : parts.history).push(rows[j]);
    });
  }
  return parts;
}

/**
 * A recommender's word for users whom it has not met, each folded in from their plays, so that
 * it can be evaluated like any other.
 */
export class FoldedRecommender extends Recommender {
  readonly name: string;
  private readonly histories: HistoryItem[][];

  constructor(
    base: Pick<Recommender, 'name' | 'tracks'>,
    plays: Plays,
    private readonly fold: (history: HistoryItem[]) => { scores: Float32Array },
  ) {
    const known: [user: number, track: number, playcount: number][] = [];
    for (let i = 0; i < plays.length; i++) {
      const track = base.tracks.indexOf(plays.tracks.id(plays.track[i]));
      if (track >= 0) known.push([plays.user[i], track, plays.playcount[i]]);
    }
    const column = (j: 0 | 1): Int32Array => Int32Array.from(known, (row) => row[j]);
    super(
      Interactions.fromPairs({
        users: plays.users,
        tracks: base.tracks,
        user: column(0),
        track: column(1),
      }),
    );
    this.name = `${base.name}, folded in`;
    this.histories = plays.users.classes.map(() => []);
    for (const [user, track, playcount] of known)
      this.histories[user].push({ track: base.tracks.id(track), playcount });
  }

  scores(users: Int32Array, out: Float32Array): void {
    users.forEach((u, b) => {
      out.set(this.fold(this.histories[u]).scores, b * this.tracks.length);
    });
  }

  /** Users whose history has a track that the recommender knows. */
  get foldedUsers(): Id[] {
    return this.users.classes.filter((_, u) => this.histories[u].length > 0);
  }
}
