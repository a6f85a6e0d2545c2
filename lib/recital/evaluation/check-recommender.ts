import { Random } from '../compute/random.js';
import { type PlayRecord, Plays } from '../data/plays.js';
import { Table } from '../data/table.js';
import { ArgumentError, RecitalError } from '../errors.js';
import { checkArgument, given, isFunction } from '../options.js';
import { Recommender, type TrackVectors } from '../recommend/recommender.js';

const DEFAULTS = {
  /** Plays that the recommender is made of; default: 240 random ones of 20 users and 30 tracks. */
  plays: undefined as Plays | undefined,
};

/** Options of {@link checkRecommender}. */
export type CheckRecommenderOptions = Partial<typeof DEFAULTS>;

/** What is checked: two recommenders of the same plays. */
interface Checked {
  readonly plays: Plays;
  readonly one: Recommender;
  readonly two: Recommender;
}

/**
 * Checks a recommender of one's own against what every recommender of the library does: whether
 * `scores` fills all of its block with numbers, for one user at a time as for many; whether the same
 * plays give the same scores; whether it knows the users, the tracks and what was played; whether
 * its lists hold every unseen track once, best first; the shapes of vectors; and `foldIn`, where it
 * has one.
 * @param make makes a recommender of plays; it is called twice
 * @returns a table with a row for each check, in order, and what was looked at
 * @throws RecitalError that names the first check that fails: what was expected, and what came
 * @example
 * class Alphabetical extends Recommender {
 *   readonly name: string = 'Alphabetical';
 *   scores(users: Int32Array, out: Float32Array): void { out.fill(0); }
 * }
 * await checkRecommender((plays) => new Alphabetical(Interactions.fromPlays(plays)));
 */
export async function checkRecommender(
  make: (plays: Plays) => Recommender | Promise<Recommender>,
  options: CheckRecommenderOptions = {},
): Promise<Table> {
  const wanted = 'a function (plays) => recommender';
  checkArgument(isFunction(make), make, 'checkRecommender', wanted);
  const { plays = somePlays() } = given(DEFAULTS, options, 'checkRecommender');
  checkArgument(
    plays instanceof Plays,
    plays,
    'checkRecommender',
    'plays, such as readPlays reads',
  );
  const one = await make(plays);
  const two = await make(plays);
  if (!(one instanceof Recommender) || !(two instanceof Recommender))
    throw new ArgumentError(
      'The function must return a recommender: an object of a class that extends Recommender.',
    );
  const rows = Object.entries(CHECKS).map(([check, look]) => {
    const outcome = look({ plays, one, two });
    if (typeof outcome === 'string') return { check, 'looked at': outcome };
    const [expected, came] = outcome;
    throw new RecitalError(`${one.name}: ${check}. Expected ${expected}, got ${came}.`);
  });
  return Table.fromRows(rows);
}

/** What a check has looked at, or, if it fails, what it expected and what came. */
type Outcome = string | readonly [expected: string, came: string];

const CHECKS: Readonly<Record<string, (checked: Checked) => Outcome>> = {
  'It has a name': ({ one: { name } }) =>
    typeof name === 'string' && name ? name : ['a text that is not empty', String(name)],
  'It knows the users and the tracks of the plays, in their order': ({ plays, one }) => {
    const { users, tracks } = plays.compact();
    const same = (a: readonly string[], b: readonly string[]): boolean =>
      a.length === b.length && a.every((id, i) => id === b[i]);
    const sizes = (of: Pick<Plays, 'users' | 'tracks'>): string =>
      `${of.users.length} users, ${of.tracks.length} tracks`;
    return same(one.users.classes, users.classes) && same(one.tracks.classes, tracks.classes)
      ? sizes({ users, tracks })
      : [sizes({ users, tracks }), sizes(one)];
  },
  'It knows what each user has played': ({ plays, one }) => {
    const { users, tracks, user, track, length } = plays.compact();
    const i = user.findIndex((u, i) => !one.seen.has(u, track[i]));
    if (i < 0) return `${length} plays`;
    const expected = `${tracks.id(track[i])} among what ${users.id(user[i])} has played`;
    return [expected, 'nothing of it'];
  },
  'Every score is a number': ({ one }) => {
    const out = allScores(one);
    const bad = out.findIndex((score) => Number.isNaN(score) || score === Infinity);
    return bad < 0
      ? `${out.length} scores`
      : ['a number or −Infinity in each place of `out`', `${out[bad]} for ${pair(one, bad)}`];
  },
  'The scores of a user are the same alone, among others, and again': ({ one }) => {
    const [width, all] = [one.tracks.length, allScores(one)];
    const alone = new Float32Array(width);
    for (let u = one.users.length - 1; u >= 0; u--) {
      one.scores(Int32Array.of(u), alone.fill(NaN));
      const t = alone.findIndex((score, t) => !Object.is(score, all[u * width + t]));
      if (t < 0) continue;
      const at = u * width + t;
      return [`${all[at]} for ${pair(one, at)}, as among all users`, String(alone[t])];
    }
    return `${one.users.length} users`;
  },
  'Made again of the same plays, it has the same scores': ({ one, two }) => {
    const [first, second] = [allScores(one), allScores(two)];
    const i = first.findIndex((score, at) => !Object.is(score, second[at]));
    return i < 0
      ? `${first.length} scores`
      : [`${first[i]} again (one seed, and no Math.random)`, String(second[i])];
  },
  'A list holds every track that the user has not played, once, the best first': ({ one }) => {
    for (const [u, user] of one.users.classes.entries()) {
      const list = one.recommend(user, { n: one.tracks.length });
      const own = new Set(one.seen.row(u));
      const { size } = new Set(list.ids);
      const rise = list.scores.findIndex((s, i) => s > list.scores[i - 1]);
      const repeats = list.ids.some((id) => own.has(one.tracks.index(id)));
      const count = one.tracks.length - own.size;
      if (size !== count || list.length !== count || repeats || rise > 0)
        return [
          `${count} different tracks for ${user}, scores falling`,
          `${size} of ${list.length}${repeats ? ', some of them played' : ''}${rise > 0 ? `, and a score that rises at place ${rise + 1}` : ''}`,
        ];
    }
    return `${one.users.length} lists`;
  },
  'Vectors of users and tracks have one row each': ({ one }) => {
    const sides = [
      ['track', one.trackVectors?.(), one.tracks.length],
      ['user', one.userVectors?.(), one.users.length],
    ] as const;
    for (const [side, vectors, rows] of sides)
      if (vectors && !fits(vectors, rows))
        return [
          `${rows} ${side} vectors of ${vectors.width} numbers`,
          `${vectors.values.length} numbers, or such that are not finite`,
        ];
    return sides.map(([side, v]) => `${side}: ${v ? v.width : 'none'}`).join(', ');
  },
  'foldIn gives scores, and leaves the recommender as it is': ({ one }) => {
    if (!one.canFoldIn) return 'no foldIn';
    const before = allScores(one);
    const folded = one.foldIn([one.tracks.id(0), one.tracks.id(1)]).recommend({ n: 3 });
    const changed = allScores(one).some((score, i) => !Object.is(score, before[i]));
    if (!changed && !folded.scores.some(Number.isNaN)) return `${folded.length} tracks`;
    const expected = 'a list with scores, and the same scores of all users as before';
    return [expected, changed ? 'other scores of users' : 'NaN'];
  },
};

/** The user and the track of a place among all scores. */
const pair = ({ users, tracks }: Recommender, at: number): string =>
  `user ${users.id(Math.floor(at / tracks.length))} and track ${tracks.id(at % tracks.length)}`;

const fits = ({ values, width }: TrackVectors, rows: number): boolean =>
  values.length === rows * width && values.every(Number.isFinite);

function allScores(recommender: Recommender): Float32Array {
  const { users, tracks } = recommender;
  const out = new Float32Array(users.length * tracks.length).fill(NaN);
  recommender.scores(Int32Array.from(users.classes.keys()), out);
  return out;
}

/** Random plays in which every user and every track occurs. */
function somePlays(): Plays {
  const random = new Random('checkRecommender');
  const rows: PlayRecord[] = [];
  const id = (kind: string, n: number): string => `${kind}${String(n).padStart(2, '0')}`;
  for (let u = 0; u < 20; u++) {
    const order = random.permutation(30);
    for (const t of order.subarray(0, 12))
      rows.push({ user: id('user', u), track: id('track', t), playcount: 1 + random.int(4) });
  }
  return Plays.fromRows(rows);
}
