import { expect } from 'chai';
import type { Plays } from '../../../lib/recital/data/plays.js';
import { ArgumentError, RecitalError } from '../../../lib/recital/errors.js';
import { checkRecommender } from '../../../lib/recital/evaluation/check-recommender.js';
import { Popularity } from '../../../lib/recital/recommend/baselines/popularity.js';
import { ALS } from '../../../lib/recital/recommend/factors/als.js';
import type { FoldedUser, HistoryItem } from '../../../lib/recital/recommend/fold-in.js';
import { Interactions } from '../../../lib/recital/recommend/interactions.js';
import { EASE } from '../../../lib/recital/recommend/neighbours/ease.js';
import { Recommender } from '../../../lib/recital/recommend/recommender.js';

/** By id, all scores different. */
class Right extends Recommender {
  readonly name: string = 'Right';
  constructor(readonly plays: Plays) {
    super(Interactions.fromPlays(plays));
  }
  scores(users: Int32Array, out: Float32Array): void {
    const width = this.tracks.length;
    users.forEach((u, b) => {
      for (let t = 0; t < width; t++) out[b * width + t] = ((7 * u + 11 * t) % width) / width;
    });
  }
}

describe('checkRecommender', () => {
  it("passes the library's and one's own, with a row for each check", async () => {
    for (const make of [
      (plays: Plays) => new Right(plays),
      (plays: Plays) => new Popularity(plays),
      (plays: Plays) => ALS.fit(plays, { factors: 4, seed: 1 }),
      (plays: Plays) => EASE.fit(plays),
    ]) {
      const table = await checkRecommender(make);
      expect(table.columnNames).to.deep.equal(['check', 'looked at']);
      expect(table.length).to.equal(9);
    }
    const table = await checkRecommender((plays) => ALS.fit(plays, { factors: 4, seed: 1 }));
    expect(table.strings('looked at').slice(-2)).to.deep.equal(['track: 4, user: 4', '3 tracks']);
  });

  const wrong: Record<string, [(plays: Plays) => Recommender, RegExp]> = {
    'a name': [
      (plays) =>
        new (class extends Right {
          override readonly name: string = '';
        })(plays),
      /It has a name\. Expected a text/,
    ],
    'other users': [
      (plays) =>
        new (class extends Right {})(
          plays.take([...plays.user.keys()].filter((i) => plays.user[i] > 0)),
        ),
      /users and the tracks.*Expected 20 users, 30 tracks, got 19 users/,
    ],
    'fewer plays': [
      (plays) => {
        const own = new Right(plays);
        const { seen } = own;
        const has = seen.has.bind(seen);
        seen.has = (user, track) => has(user, track) && !(user === 3 && track === seen.row(3)[0]);
        return own;
      },
      /what each user has played\. Expected track\d\d among what user03 has played/,
    ],
    'a score left out': [
      (plays) =>
        new (class extends Right {
          override scores(users: Int32Array, out: Float32Array): void {
            super.scores(users, out);
            out[out.length - 1] = NaN;
          }
        })(plays),
      /Every score is a number\. Expected .*, got NaN for user user19 and track track29/,
    ],
    'an infinite score': [
      (plays) =>
        new (class extends Right {
          override scores(users: Int32Array, out: Float32Array): void {
            super.scores(users, out);
            out[0] = Infinity;
          }
        })(plays),
      /Every score is a number.*got Infinity/,
    ],
    'the same scores for all users of a block': [
      (plays) =>
        new (class extends Right {
          override scores(users: Int32Array, out: Float32Array): void {
            super.scores(
              users.map(() => users[0]),
              out,
            );
          }
        })(plays),
      /the same alone, among others, and again/,
    ],
    'other scores each time': [
      (() => {
        let made = 0;
        return (plays: Plays) => {
          const by = made++;
          return new (class extends Right {
            override scores(users: Int32Array, out: Float32Array): void {
              super.scores(users, out);
              for (let i = 0; i < out.length; i++) out[i] += by;
            }
          })(plays);
        };
      })(),
      /Made again of the same plays.*no Math\.random/,
    ],
    'a list of its own': [
      (plays) =>
        new (class extends Right {
          override recommend(user: string, options = {}) {
            return super.recommend(user, { ...options, filterSeen: false });
          }
        })(plays),
      /A list holds every track.*some of them played/,
    ],
    'vectors of another shape': [
      (plays) =>
        new (class extends Right {
          override trackVectors = () => ({ values: new Float32Array(29), width: 1 });
        })(plays),
      /Expected 30 track vectors of 1 numbers, got 29/,
    ],
    'a foldIn that trains': [
      (plays) =>
        new (class extends Right {
          private added = 0;
          override scores(users: Int32Array, out: Float32Array): void {
            super.scores(users, out);
            for (let i = 0; i < out.length; i++) out[i] += this.added;
          }
          override foldIn(history: readonly HistoryItem[]): FoldedUser {
            this.added++;
            const popularity = new Popularity(this.plays);
            return popularity.foldIn(history);
          }
        })(plays),
      /foldIn gives scores.*other scores of users/,
    ],
  };
  for (const [what, [make, message]] of Object.entries(wrong))
    it(`finds ${what}`, async () => {
      const error = await checkRecommender(make).then(
        () => undefined,
        (failure: Error) => failure,
      );
      expect(error).to.be.instanceOf(RecitalError);
      expect(error!.message).to.match(message);
    });

  it('refuses a class by its name', async () => {
    const error = await checkRecommender(Popularity as never).catch((e) => e);
    expect(error.message).to.match(
      /a function \(plays\) => recommender.*, got the class Popularity/,
    );
  });

  it('refuses what is no function, no recommender, no plays', async () => {
    const failing = async (...args: unknown[]): Promise<Error> =>
      checkRecommender(...(args as Parameters<typeof checkRecommender>)).then(
        () => new Error('none'),
        (error) => error,
      );
    for (const args of [
      [undefined],
      [Popularity],
      [() => ({ name: 'x' })],
      [() => 1, { plays: 3 }],
      [() => 1, { n: 3 }],
    ])
      expect(await failing(...args)).to.be.instanceOf(ArgumentError);
  });
});
