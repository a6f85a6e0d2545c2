import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { SequenceDataLoaders } from '../../../lib/recital/data/sequence-loaders.js';
import { createSequences } from '../../../lib/recital/data/sequences.js';
import { Sessions } from '../../../lib/recital/data/sessions.js';
import { Table } from '../../../lib/recital/data/table.js';
import { Tracks } from '../../../lib/recital/data/tracks.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { itemVectors, ppmi } from '../../../lib/recital/decomposition/item-vectors.js';
import { ArgumentError, NumericError, UnknownIdError } from '../../../lib/recital/errors.js';
import { evaluateNextItem } from '../../../lib/recital/evaluation/next-track.js';
import { fuse } from '../../../lib/recital/hybrid/fit-hybrid.js';
import { WeightedSum } from '../../../lib/recital/hybrid/hybrid.js';
import { LSTMModel } from '../../../lib/recital/models/lstm.js';
import { RandomRecommender } from '../../../lib/recital/recommend/baselines/random.js';
import { recommendSongs } from '../../../lib/recital/sequential/lstm.js';
import {
  Markov,
  NextItemKNN,
  SequentialRules,
} from '../../../lib/recital/sequential/markov-and-rules.js';
import {
  NextItemPopularity,
  SequenceRecommender,
} from '../../../lib/recital/sequential/sequence-recommender.js';
import { SessionKNN, STAN } from '../../../lib/recital/sequential/session-knn.js';
import { chainSessions, sessionsOf } from '../../support/sequences.js';
import { recommenderContract } from '../recommend/contract.js';

const order = { checkerboard: 'none' } as const; // what comes next is not what a user likes
recommenderContract('NextItemPopularity', (plays) => new NextItemPopularity(plays), order);
recommenderContract('Markov', (plays) => new Markov(plays), order);
recommenderContract('SequentialRules', (plays) => new SequentialRules(plays), order);
recommenderContract('NextItemKNN', (plays) => new NextItemKNN(plays));
recommenderContract('SessionKNN', (plays) => new SessionKNN(plays));
recommenderContract('STAN', (plays) => new STAN(plays));
recommenderContract(
  'WeightedSum',
  (plays) =>
    new WeightedSum([new Markov(plays), new SessionKNN(plays), new NextItemPopularity(plays)]),
  order,
);

/** The scores after a history of track numbers, by track. */
function scoresAfter(recommender: SequenceRecommender, ...history: number[]): number[] {
  const out = new Float32Array(recommender.tracks.length).fill(NaN);
  recommender.scoresOf(Int32Array.from(history), out);
  return [...out];
}

const rounded = (values: number[]): number[] => values.map(Math.fround);

describe('a recommender of the next track', () => {
  const names = ['a', 'b', 'c', 'd'];
  const catalogue = new Tracks(
    Table.fromRows(names.map((id) => ({ track_id: id, name: `Song ${id}`, artist: 'X' }))),
  );
  const rows = [
    ['u1', 'abcd'],
    ['u2', 'bcd'],
    ['u3', 'bd'],
  ].flatMap(([user, tracks]) => [...tracks].map((track) => ({ user, track })));
  const markov = new Markov(Plays.fromRows(rows, { catalogue }));

  it('goes on from what was just played: ids, titles or "title by artist"', () => {
    for (const history of [['a', 'b'], ['Song a', 'song b by x'], ['b']]) {
      const list = markov.recommend(history, { n: 2 });
      expect(list.ids).to.deep.equal(['c', 'd']);
      expect([...list.scores]).to.deep.equal([2, 1]);
      expect(list.column('title')).to.deep.equal(['Song c', 'Song d']);
    }
    expect(
      markov.foldIn(['a', { track: 'b', playcount: 9 }]).recommend({ n: 1 }).ids,
    ).to.deep.equal(['c']);
  });

  it('goes on from what a user has played, in the order of the file', () => {
    const early = new Markov(
      Plays.fromRows([...rows, { user: 'u4', track: 'd' }, { user: 'u4', track: 'b' }], {
        catalogue,
      }),
    );
    expect(early.recommend('u4', { n: 1 }).ids).to.deep.equal(['c']);
    expect(recommendSongs(early, 'u4', { n: 2 }).ids).to.deep.equal(['c', 'a']); // d was played
  });

  it('leaves the history out, unless told', () => {
    expect(markov.recommend(['c', 'b'], { n: 1 }).ids).to.deep.equal(['d']);
    expect(markov.recommend(['c', 'b'], { n: 1, filterSeen: false }).ids).to.deep.equal(['c']);
  });

  it('takes the order of the history into account', () => {
    expect(markov.recommend(['a', 'b'], { n: 1 }).ids).to.not.deep.equal(
      markov.recommend(['b', 'c'], { n: 1 }).ids,
    );
  });

  it('serves recommendSongs, for a user and for a history', () => {
    expect(recommendSongs(markov, ['Song a'], { n: 1 }).ids).to.deep.equal(['b']);
    expect(recommendSongs(markov, ['Song a']).length).to.equal(3);
    expect(recommendSongs(markov, 'u3').ids).to.deep.equal(markov.recommend('u3').ids);
    const random = new RandomRecommender(Plays.fromRows(rows));
    expect(recommendSongs(random, 'u1', { filterSeen: false }).length).to.equal(4);
    expect(() => recommendSongs(random, ['a'])).to.throw(ArgumentError, 'not from a history');
  });

  it('refuses unknown tracks and users, and an empty history', () => {
    expect(() => markov.recommend(['a', 'Song q'])).to.throw(
      UnknownIdError,
      'Unknown track "Song q"',
    );
    expect(() => recommendSongs(markov, ['Sonk d'])).to.throw(
      UnknownIdError,
      'did you mean "Song d"?',
    );
    expect(() => markov.recommend([])).to.throw(ArgumentError, 'history is empty');
    expect(() => recommendSongs(markov, 'u9')).to.throw(UnknownIdError, 'Unknown user "u9"');
  });

  it('trained on sessions, knows them by number', () => {
    const sessions = new Markov(sessionsOf([[0, 1, 2], [3, 0], [4]]));
    expect(sessions.users.classes).to.deep.equal(['0', '1', '2']);
    expect(sessions.recommend(1, { n: 1 }).ids).to.deep.equal(['t01']);
    expect(sessions.recommend(['t04'], { n: 2 }).ids).to.deep.equal(['t00', 't01']); // nothing followed: by index
  });

  it('can be one of your own', () => {
    class Again extends SequenceRecommender {
      readonly name: string = 'Again';
      scoresOf(history: Int32Array, out: Float32Array): void {
        out.fill(0);
        out[history[history.length - 1]] = 1;
      }
    }
    const again = new Again(Sessions.of(sessionsOf([[0, 1, 2]])));
    expect(again.recommend(['t00', 't01'], { n: 1, filterSeen: false }).ids).to.deep.equal(['t01']);
  });
});

describe('scores of the next track', () => {
  const sessions = sessionsOf([
    [0, 1, 2],
    [0, 1],
    [1, 0, 1, 3],
    [2, 3],
  ]);

  it('of popularity are plays, repeats included', () => {
    expect(scoresAfter(new NextItemPopularity(sessions), 0)).to.deep.equal([3, 4, 2, 2]);
  });

  it('of the Markov chain are how often a track came right after the last one', () => {
    const markov = new Markov(sessions);
    expect(scoresAfter(markov, 0)).to.deep.equal([0, 3, 0, 0]);
    expect(scoresAfter(markov, 0, 1)).to.deep.equal([1, 0, 1, 1]);
    expect(scoresAfter(markov, 3)).to.deep.equal([0, 0, 0, 0]);
  });

  it('of sequential rules fall with distance and age', () => {
    const rules = new SequentialRules(sessions);
    expect(scoresAfter(rules, 1)).to.deep.equal(rounded([1, 1 / 2, 1, 1 + 1 / 3]));
    expect(scoresAfter(rules, 0)).to.deep.equal(rounded([0, 3, 1 / 2, 1 / 2]));
    expect(scoresAfter(rules, 1, 0)).to.deep.equal(
      rounded([0.8, 3 + 0.8 / 2, 1 / 2 + 0.8, 1 / 2 + 0.8 * Math.fround(1 + 1 / 3)]),
    );
    expect(scoresAfter(new SequentialRules(sessions, { window: 1 }), 1)).to.deep.equal([
      1, 0, 1, 1,
    ]);
    expect(scoresAfter(new SequentialRules(sessions, { decay: 0 }), 1, 0)).to.deep.equal(
      scoresAfter(rules, 0),
    );
  });

  it('of item-kNN are shrunk cosines of the sessions that have both', () => {
    // track 0 is in sessions 0, 1, 2; 1 in 0, 1, 2; 2 in 0, 3; 3 in 2, 3
    const cosine = (both: number, a: number, b: number, shrinkage = 20): number =>
      both / (Math.sqrt(a * b) + shrinkage);
    expect(scoresAfter(new NextItemKNN(sessions), 0)).to.deep.equal(
      rounded([0, cosine(3, 3, 3), cosine(1, 3, 2), cosine(1, 3, 2)]),
    );
    expect(scoresAfter(new NextItemKNN(sessions, { shrinkage: 0 }), 2)).to.deep.equal(
      rounded([cosine(1, 2, 3, 0), cosine(1, 2, 3, 0), 0, cosine(1, 2, 2, 0)]),
    );
    const whole = scoresAfter(new NextItemKNN(sessions, { shrinkage: 0 }), 2, 0);
    expect(whole[3]).to.be.closeTo(cosine(1, 3, 2, 0) + 0.8 * cosine(1, 2, 2, 0), 1e-6);
    expect(scoresAfter(new NextItemKNN(sessions, { decay: 0 }), 2, 0)).to.deep.equal(
      scoresAfter(new NextItemKNN(sessions), 0),
    );
  });

  it('of pairs with decay 1 are the sums over the whole history, all tracks alike', () => {
    for (const recommender of [
      new NextItemKNN(sessions, { decay: 1 }),
      new SequentialRules(sessions, { decay: 1 }),
    ]) {
      const alone = [0, 1, 2, 1].map((track) => scoresAfter(recommender, track));
      const sums = alone[0].map((_, t) => alone.reduce((sum, scores) => sum + scores[t], 0));
      scoresAfter(recommender, 0, 1, 2, 1).forEach((x, t) => {
        expect(x, recommender.name).to.be.closeTo(sums[t], 1e-6);
      });
    }
  });

  it('of session-kNN are how near the sessions are that have the track', () => {
    const knn = new SessionKNN(sessions);
    const near = [1.5, 1.5, 1.5, 0].map((w, s) => w / Math.sqrt([3, 2, 3, 2][s])); // after 0, 1: weights 1/2 and 1
    const both = near[0] + near[1] + near[2];
    scoresAfter(knn, 0, 1).forEach((score, t) => {
      expect(score).to.be.closeTo([both, both, near[0], near[2]][t], 1e-6);
    });
    const last = scoresAfter(new SessionKNN(sessions, { k: 1 }), 0, 1); // session 1 is nearest: it has nothing else
    expect(last).to.deep.equal(rounded([near[1], near[1], 0, 0]));
    const recent = scoresAfter(new SessionKNN(sessions, { recent: 1 }), 0); // session 2 is the last that has track 0
    expect(recent).to.deep.equal(
      rounded([1 / Math.sqrt(3), 1 / Math.sqrt(3), 0, 1 / Math.sqrt(3)]),
    );
    expect(scoresAfter(knn, 1, 1)).to.deep.equal(scoresAfter(knn, 1)); // a repeated track counts once, where it was last
  });

  it('of STAN find the songs that are played again where the shared track has a weight', () => {
    const random = new Random('again');
    const again = (lists: number[][]): number[][] =>
      lists.map((list) =>
        list.flatMap((track) => (random.uniform() < 0.3 ? [track, track] : [track])),
      );
    const train = sessionsOf(again(chainSessions({ follow: 0.5 })));
    const test = sessionsOf(again(chainSessions({ follow: 0.5, sessions: 80, seed: 6 })));
    const of = (recommender: SequenceRecommender): number =>
      evaluateNextItem(recommender, test, { k: 5 }).hitRate;
    expect(of(new STAN(train, { repeat: 0.8 }))).to.be.above(
      of(new STAN(train, { repeat: 0.05 })) + 0.05,
    );
    expect(new STAN(train).options.repeat).to.equal(1 / 8);
  });

  it('of STAN fall with the distance from the shared track, more so before it, and with age', () => {
    const far = (d: number): number => Math.exp(-d / 4);
    const close = (actual: number[], expected: number[]): void => {
      actual.forEach((score, t) => {
        expect(score, `track ${t}`).to.be.closeTo(expected[t], 1e-6);
      });
    };
    const one = sessionsOf([[0, 1, 2, 3, 1], [4]]); // five plays of four tracks
    close(scoresAfter(new STAN(one, { repeat: 0.05 }), 2), [
      far(4) / 2,
      (far(2) + far(2)) / 2,
      0.05 / 2,
      far(1) / 2,
      0,
    ]);
    close(scoresAfter(new STAN(one, { backwards: 1, repeat: 0 }), 2), [
      far(2) / 2,
      (far(1) + far(2)) / 2,
      0,
      far(1) / 2,
      0,
    ]);
    // 0 and then 3: both are shared, 3 is the later one in the history
    const sim = (1 + Math.exp(-1 / 3)) / 2;
    close(scoresAfter(new STAN(one, { repeat: 0.05 }), 0, 3), [
      sim * far(6),
      sim * (far(4) + far(1)),
      sim * far(2),
      sim * 0.05,
      0,
    ]);
    const two = sessionsOf([
      [0, 1],
      [0, 2],
    ]);
    const [older, newer] = [Math.exp(-1), 1].map((weight) => weight / Math.SQRT2); // ages 1/2 and 0
    close(scoresAfter(new STAN(two, { ageScale: 0.5, repeat: 0.05 }), 0), [
      0.05 * (older + newer),
      older * far(1),
      newer * far(1),
    ]);
    close(scoresAfter(new STAN(two, { ageScale: 0.5, k: 1, repeat: 0.05 }), 0), [
      0.05 * newer,
      0,
      newer * far(1),
    ]);
  });

  it('of STAN stay scores in histories of any length and sessions of any age', () => {
    const long = Array.from({ length: 5000 }, (_, i) => i % 500);
    const sessions = sessionsOf([long, [1, 2]]);
    const scores = scoresAfter(new STAN(sessions), ...long);
    expect(scores.every((score) => score >= 0 && score < Infinity)).to.equal(true);
    expect(scores[498]).to.be.above(scores[497]);
    expect(scores[200]).to.equal(0); // too far away
    const old = scoresAfter(new STAN(sessions, { ageScale: 1e-3 }), 3, 1);
    expect(old.indexOf(Math.max(...old))).to.equal(2);
    expect(old[4]).to.equal(0);
  });

  it('of a sum are shares of each maximum, weighted', () => {
    const parts = [new Markov(sessions), new NextItemPopularity(sessions)];
    const sum = new WeightedSum(parts, { weights: [2, 1] });
    expect(scoresAfter(sum, 0)).to.deep.equal([3 / 4, 2 + 1, 2 / 4, 2 / 4]);
    expect(scoresAfter(sum, 3)).to.deep.equal([3 / 4, 1, 2 / 4, 2 / 4]); // Markov has nothing to say
    expect(sum.name).to.equal('Markov + Popularity (plays in sequences)');
    expect(sum.listOf).to.equal(undefined);
    expect(new WeightedSum([parts[0]], { name: 'mine' }))
      .to.include({ name: 'mine' })
      .and.have.property('listOf')
      .that.is.a('function');
  });

  it('of a model with logits come into a sum as roots of probabilities', () => {
    class Logits extends SequenceRecommender {
      readonly name: string = 'Logits';
      override readonly scale = 'logit' as const;
      scoresOf(_history: Int32Array, out: Float32Array): void {
        out.set([-3, -1, -1 + Math.log(4), -1000]);
      }
    }
    const sum = new WeightedSum([new Logits(Sessions.of(sessions)), new Markov(sessions)]);
    const expected = [Math.exp((-2 - Math.log(4)) / 2), 1 / 2 + 1, 1, 0];
    scoresAfter(sum, 0).forEach((score, t) => {
      expect(score).to.be.closeTo(expected[t], 1e-6);
    });
  });

  it('that are NaN do not pass for 0 in a sum', () => {
    class Broken extends SequenceRecommender {
      readonly name: string = 'Broken';
      scoresOf(_history: Int32Array, out: Float32Array): void {
        out.fill(NaN);
      }
    }
    const sum = new WeightedSum([new Markov(sessions), new Broken(Sessions.of(sessions))]);
    expect(() => sum.recommend(['t00'])).to.throw(NumericError, 'NaN');
  });

  it('need options that make sense', () => {
    for (const decay of [-0.1, 1.1, NaN]) {
      expect(() => new SequentialRules(sessions, { decay })).to.throw(
        ArgumentError,
        `got ${decay}`,
      );
      expect(() => new NextItemKNN(sessions, { decay })).to.throw(ArgumentError, `got ${decay}`);
    }
    for (const n of [0, 1.5, NaN]) {
      expect(() => new SequentialRules(sessions, { window: n })).to.throw(
        ArgumentError,
        `got ${n}`,
      );
      expect(() => new SessionKNN(sessions, { k: n })).to.throw(
        ArgumentError,
        `k must be a positive whole number, got ${n}`,
      );
      expect(() => new SessionKNN(sessions, { recent: n })).to.throw(
        ArgumentError,
        `recent must be a positive whole number, got ${n}`,
      );
    }
    for (const name of ['historyScale', 'ageScale', 'distanceScale', 'backwards']) {
      expect(() => new STAN(sessions, { [name]: 0 })).to.throw(
        ArgumentError,
        `${name} must be more than 0, got 0`,
      );
    }
    expect(() => new STAN(sessions, { distanceScale: Infinity })).to.throw(
      ArgumentError,
      'take SessionKNN',
    );
    expect(() => new STAN(sessions, { repeat: 2 })).to.throw(ArgumentError, 'got 2');
    expect(() => new NextItemKNN(sessions, { shrinkage: -1 })).to.throw(ArgumentError, 'got -1');
    const parts = [new Markov(sessions), new SessionKNN(sessions)];
    expect(() => new WeightedSum([])).to.throw(ArgumentError, 'at least one');
    expect(() => new WeightedSum(parts, { weights: [1] })).to.throw(
      ArgumentError,
      'each of the 2 recommenders, got 1',
    );
    for (const weights of [
      [0, 0],
      [1, -1],
      [1, NaN],
      [1, Infinity],
    ]) {
      expect(() => new WeightedSum(parts, { weights })).to.throw(
        ArgumentError,
        `got [${weights.join(', ')}]`,
      );
    }
    expect(() => new WeightedSum([parts[0], new Markov(sessionsOf([[0, 1]]))])).to.throw(
      ArgumentError,
      'know different tracks',
    );
  });
});

const sessions = new Sessions(
  Vocabulary.inOrder(['a', 'b', 'c']),
  Int32Array.of(0, 3, 6),
  Int32Array.of(0, 1, 2, 0, 1, 2),
);
const markov = new Markov(sessions);

/** A mistyped option of each, which types would refuse, and what was meant. */
const mistyped: Record<string, [(options: never) => unknown, object, string]> = {
  createSequences: [(options) => createSequences(sessions, options), { lenght: 5 }, 'length'],
  SequenceDataLoaders: [
    (options) => SequenceDataLoaders.fromSessions(sessions, options),
    { everyPositions: true },
    'everyPosition',
  ],
  LSTMModel: [
    (options) => new LSTMModel({ item: sessions.items }, options),
    { embSize: 5 },
    'embSz',
  ],
  negatives: [
    (options) =>
      new LSTMModel(
        { item: sessions.items },
        { negatives: { counts: [1, 1, 1], ...(options as object) } },
      ),
    { powr: 1 },
    'power',
  ],
  SequentialRules: [(options) => new SequentialRules(sessions, options), { decy: 0 }, 'decay'],
  NextItemKNN: [(options) => new NextItemKNN(sessions, options), { shrinkag: 1 }, 'shrinkage'],
  SessionKNN: [(options) => new SessionKNN(sessions, options), { recnt: 1 }, 'recent'],
  STAN: [(options) => new STAN(sessions, options), { agescale: 1 }, 'ageScale'],
  WeightedSum: [(options) => new WeightedSum([markov], options), { weight: [1] }, 'weights'],
  fuse: [(options) => fuse([markov], sessions, options), { metrc: 'mrr' }, 'metric'],
  evaluateNextItem: [
    (options) => evaluateNextItem(markov, sessions, options),
    { sampl: 1 },
    'sample',
  ],
  ppmi: [(options) => ppmi(sessions, options), { windw: 2 }, 'window'],
};

describe('fuse', () => {
  it('refuses sessions of known tracks that all end with an unknown one: there is nothing to fit', () => {
    const items = Vocabulary.inOrder(['a', 'b', 'z']);
    const late = new Sessions(items, Int32Array.of(0, 2, 4), Int32Array.of(0, 2, 1, 2));
    expect(() => fuse([markov], late)).to.throw(
      ArgumentError,
      'know no next track of these sessions',
    );
    const some = new Sessions(items, Int32Array.of(0, 2, 4), Int32Array.of(0, 2, 1, 0));
    expect(fuse([markov], some).weights).to.deep.equal([1]);
  });
});

describe('a mistyped option', () => {
  for (const [of, [call, options, meant]] of Object.entries(mistyped)) {
    it(`of ${of} is refused, with the one that was meant`, () => {
      expect(() => call(options as never)).to.throw(
        ArgumentError,
        new RegExp(`${of} has no option .*"${meant}"`),
      );
    });
  }

  it('of itemVectors is refused, too', async () => {
    const refused = await itemVectors(sessions, { meannorm: 1 } as object).catch(
      (error: unknown) => error,
    );
    expect(refused)
      .to.be.instanceOf(ArgumentError)
      .with.property('message')
      .that.includes('itemVectors has no option "meannorm"');
  });
});
