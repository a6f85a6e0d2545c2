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
    'The option plays',
    'plays, such as readPlays reads',
  );
  const one = await make(plays);
  const two = await make(plays);
  if (!(one instanceof Recommender) || !(two instanceof Recommender))
    throw new ArgumentError(
      'The function must return a recommender: an object of a class that extends Recommender.',
    );
  const checked: Checked = { plays, one, two };
  const rows = Object.entries(CHECKS).map(([check, look]) => {
    const { at, expected, came } = look(checked);
    if (expected !== undefined)
      throw new RecitalError(`${one.name}: ${check}. Expected ${expected}, got ${came}.`);
    return { check, 'looked at': at };
  });
  return Table.fromRows(rows);
}

/** What a check has looked at, and, if it fails, what it expected and what came. */
interface Outcome {
  at: string;
  expected?: string;
  came?: string;
}

const CHECKS: Readonly<Record<string, (checked: Checked) => Outcome>> = {
  'It has a name': ({ one }) => ({
    at: String(one.name),
    ...(!(typeof one.name === 'string' && one.name) && {
      expected: 'a text that is not empty',
      came: String(one.name),
    }),
  }),
  'It knows the users and the tracks of the plays, in their order': ({ plays, one }) => {
    const { users, tracks } = plays.compact();
    const same = (a: readonly string[], b: readonly string[]): boolean =>
      a.length === b.length && a.every((id, i) => id === b[i]);
    const at = `${users.length} users, ${tracks.length} tracks`;
    return same(one.users.classes, users.classes) && same(one.tracks.classes, tracks.classes)
      ? { at }
      : { at, expected: at, came: `${one.users.length} users, ${one.tracks.length} tracks` };
  },
  'It knows what each user has played': ({ plays, one }) => {
    const { users, tracks, user, track, length } = plays.compact();
    const at = `${length} plays`;
    for (let i = 0; i < length; i++)
      if (!one.seen.has(user[i], track[i]))
        return {
          at,
          expected: `${tracks.id(track[i])} among what ${users.id(user[i])} has played`,
          came: 'nothing of it',
        };
    return { at };
  },
  'Every score is a number': ({ one }) => {
    const out = allScores(one);
    const bad = out.findIndex((score) => Number.isNaN(score) || score === Infinity);
    return {
      at: `${out.length} scores`,
      ...(bad >= 0 && {
        expected: 'a number or −Infinity in each place of `out`',
        came: `${out[bad]} for user ${one.users.id(Math.floor(bad / one.tracks.length))} and track ${one.tracks.id(bad % one.tracks.length)}`,
      }),
    };
  },
  'The scores of a user are the same alone, among others, and again': ({ one }) => {
    const [width, all] = [one.tracks.length, allScores(one)];
    const alone = new Float32Array(width);
    for (let u = one.users.length - 1; u >= 0; u--) {
      one.scores(Int32Array.of(u), alone.fill(NaN));
      const t = alone.findIndex((score, t) => !Object.is(score, all[u * width + t]));
      if (t >= 0)
        return {
          at: '',
          expected: `${all[u * width + t]} for user ${one.users.id(u)} and track ${one.tracks.id(t)}, as among all users`,
          came: String(alone[t]),
        };
    }
    return { at: `${one.users.length} users` };
  },
  'Made again of the same plays, it has the same scores': ({ one, two }) => {
    const [first, second] = [allScores(one), allScores(two)];
    const i = first.findIndex((score, at) => !Object.is(score, second[at]));
    return {
      at: `${first.length} scores`,
      ...(i >= 0 && {
        expected: `${first[i]} again (one seed, and no Math.random)`,
        came: String(second[i]),
      }),
    };
  },
  'A list holds every track that the user has not played, once, the best first': ({ one }) => {
    for (const [u, user] of one.users.classes.entries()) {
      const list = one.recommend(user, { n: one.tracks.length });
      const own = new Set(one.seen.row(u));
      const [ids, falls] = [
        new Set(list.ids),
        list.scores.findIndex((s, i) => s > list.scores[i - 1]),
      ];
      const repeats = list.ids.some((id) => own.has(one.tracks.index(id)));
      const count = one.tracks.length - own.size;
      if (ids.size !== count || list.length !== count || repeats || falls > 0)
        return {
          at: '',
          expected: `${count} different tracks for ${user}, scores falling`,
          came: `${ids.size} of ${list.length}${repeats ? ', some of them played' : ''}${falls > 0 ? `, and a score that rises at place ${falls + 1}` : ''}`,
        };
    }
    return { at: `${one.users.length} lists` };
  },
  'Vectors of users and tracks have one row each': ({ one }) => {
    const sides = [
      ['track', one.trackVectors?.(), one.tracks.length],
      ['user', one.userVectors?.(), one.users.length],
    ] as const;
    for (const [side, vectors, rows] of sides)
      if (vectors && !fits(vectors, rows))
        return {
          at: '',
          expected: `${rows} ${side} vectors of ${vectors.width} numbers`,
          came: `${vectors.values.length} numbers, or such that are not finite`,
        };
    return { at: sides.map(([side, v]) => `${side}: ${v ? v.width : 'none'}`).join(', ') };
  },
  'foldIn gives scores, and leaves the recommender as it is': ({ one }) => {
    if (!one.canFoldIn) return { at: 'no foldIn' };
    const before = allScores(one);
    const folded = one.foldIn([one.tracks.id(0), one.tracks.id(1)]).recommend({ n: 3 });
    const changed = allScores(one).some((score, i) => !Object.is(score, before[i]));
    return {
      at: `${folded.length} tracks`,
      ...((changed || folded.scores.some(Number.isNaN)) && {
        expected: 'a list with scores, and the same scores of all users as before',
        came: changed ? 'other scores of users' : 'NaN',
      }),
    };
  },
};

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
    for (let j = 0; j < 12; j++)
      rows.push({
        user: id('user', u),
        track: id('track', order[j]),
        playcount: 1 + random.int(4),
      });
  }
  return Plays.fromRows(rows);
}
