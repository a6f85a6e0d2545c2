import { expect } from 'chai';
import * as library from '../../../lib/recital/index.js';
import {
  ALS,
  ArgumentError,
  CollabDataLoaders,
  ContentRecommender,
  collabLearner,
  EASE,
  FactorRecommender,
  Hybrid,
  ItemKNN,
  Learner,
  LearnerRecommender,
  LightGCN,
  lightGCNLearner,
  lstmLearner,
  Markov,
  NextItemKNN,
  NextItemPopularity,
  PcaRecommender,
  Popularity,
  RandomRecommender,
  Recommender,
  RP3beta,
  SequenceDataLoaders,
  SequentialRules,
  SessionKNN,
  Sessions,
  STAN,
  UserKNN,
  WeightedSum,
} from '../../../lib/recital/index.js';
import { smallPlays } from './contract.js';

type Make = (options: never) => unknown;

/** How each recommender that takes options is made with some, and its options that are numbers. */
interface Kind {
  readonly make: Make;
  readonly numbers: readonly string[];
}

describe('the options of every recommender', () => {
  const plays = smallPlays();
  const popular = new Popularity(plays);
  const markov = new Markov(plays);
  const ratings = CollabDataLoaders.fromPlays(plays, { bs: 16 });
  const pairs = CollabDataLoaders.fromPlays(plays, { bs: 16, negatives: { n: 1 } });
  const windows = SequenceDataLoaders.fromPlays(plays, { bs: 4 });
  const values = Float32Array.of(1, 0);
  const factors = { users: { ids: ['u'], values }, tracks: { ids: ['a'], values } };
  const with_ = (options: never, more: object): never =>
    ({ ...(options as object), ...more }) as never;

  const kinds: Record<string, Kind> = {
    ALS: {
      make: (o) => ALS.fit(plays, o),
      numbers: ['factors', 'regularization', 'alpha', 'iterations', 'cgSteps'],
    },
    CollabLearner: { make: (o) => collabLearner(ratings, o), numbers: ['nFactors', 'lr', 'wd'] },
    CollabNNLearner: {
      make: (o) => collabLearner(ratings, with_(o, { useNn: true })),
      numbers: ['lr', 'wd'],
    },
    ContentRecommender: {
      make: (o) => ContentRecommender.fit(plays, plays.catalogue!, o),
      numbers: ['nComponents', 'k'],
    },
    EASE: { make: (o) => EASE.fit(plays, o), numbers: ['lambda', 'popularityPower', 'sideWeight'] },
    FactorRecommender: {
      make: (o) => FactorRecommender.fromFactors(factors, o),
      numbers: ['alpha', 'regularization'],
    },
    Hybrid: { make: (o) => new Hybrid([popular], o), numbers: [] },
    ItemKNN: { make: (o) => new ItemKNN(plays, o), numbers: ['k', 'shrink'] },
    LSTMLearner: {
      make: (o) => lstmLearner(windows, o),
      numbers: ['embSz', 'dropout', 'embedP', 'lr', 'wd'],
    },
    LearnerRecommender: {
      make: (o) =>
        new LearnerRecommender(new Learner(pairs, new LightGCN(pairs.classes, pairs.seen)), o),
      numbers: [],
    },
    LightGCNLearner: {
      make: (o) => lightGCNLearner(pairs, o),
      numbers: ['nFactors', 'layers', 'reg', 'lr', 'wd'],
    },
    Markov: { make: (o) => new Markov(plays, o), numbers: [] },
    NextItemKNN: { make: (o) => new NextItemKNN(plays, o), numbers: ['shrinkage', 'decay'] },
    NextItemPopularity: { make: (o) => new NextItemPopularity(plays, o), numbers: [] },
    PcaRecommender: { make: (o) => PcaRecommender.fit(plays, o), numbers: ['nComponents'] },
    Popularity: { make: (o) => new Popularity(plays, o), numbers: [] },
    RP3beta: { make: (o) => new RP3beta(plays, o), numbers: ['alpha', 'beta', 'k'] },
    RandomRecommender: { make: (o) => new RandomRecommender(plays, o), numbers: [] },
    STAN: {
      make: (o) => new STAN(plays, o),
      numbers: ['k', 'recent', 'historyScale', 'ageScale', 'distanceScale', 'backwards', 'repeat'],
    },
    SequentialRules: { make: (o) => new SequentialRules(plays, o), numbers: ['window', 'decay'] },
    SessionKNN: { make: (o) => new SessionKNN(plays, o), numbers: ['k', 'recent'] },
    UserKNN: { make: (o) => new UserKNN(plays, o), numbers: ['k', 'shrink'] },
    WeightedSum: { make: (o) => new WeightedSum([markov], o), numbers: [] },
  };

  it('are looked at here: no recommender that the library exports is forgotten', () => {
    const bases = ['Recommender', 'SequenceRecommender']; // abstract
    const withoutOptions = ['LSTMRecommender']; // made of a learner alone
    const isRecommender = (value: unknown): boolean =>
      typeof value === 'function' &&
      (value.prototype instanceof Recommender || 'recommender' in Object(value.prototype));
    const exports = new Map<string, unknown>(Object.entries(library));
    const all = [...exports.keys()].filter((name) => isRecommender(exports.get(name)));
    expect(
      all.filter((name) => !bases.includes(name) && !withoutOptions.includes(name)).sort(),
    ).to.deep.equal(Object.keys(kinds).sort());
  });

  const message = async (work: () => unknown): Promise<string> => {
    try {
      await work();
    } catch (error) {
      if (error instanceof ArgumentError) return error.message;
      throw error;
    }
    return 'it was taken';
  };

  for (const [name, { make, numbers }] of Object.entries(kinds)) {
    it(`${name} refuses ones that there are not, with their name`, async () => {
      for (const odd of ['betta', 'toString', '__proto__x']) {
        expect(await message(() => make({ [odd]: 1 } as never))).to.match(
          new RegExp(`has no option "${odd}"|takes no options`),
        );
      }
    });

    for (const option of numbers) {
      it(`${name} refuses a ${option} that is no number: JavaScript takes null and '' for 0, and '1' for 1`, async () => {
        for (const odd of [null, '', '1', true, [], ...(option === 'lr' ? [] : [[1]]), NaN, -1]) {
          const said = await message(() => make({ [option]: odd } as never));
          expect(said, JSON.stringify(odd)).to.not.equal('it was taken');
          expect(said, JSON.stringify(odd)).to.match(
            new RegExp(`${option}|probability of dropout|learning rate`),
          );
        }
      });
    }
  }

  it('of foldIn and explain are refused where there are no such ones', async () => {
    const als = await ALS.fit(plays, { factors: 2, iterations: 1 });
    const [user] = plays.users.classes;
    const [track] = plays.tracks.classes;
    for (const r of [als, await EASE.fit(plays), new ItemKNN(plays), new RP3beta(plays)]) {
      expect(
        () => (r.foldIn as (...args: unknown[]) => unknown)([track], { n: 5 }),
        r.name,
      ).to.throw(ArgumentError, 'foldIn has no option');
      expect(
        () => (r.explain as (...args: unknown[]) => unknown)(user, track, { n: 5 }),
        r.name,
      ).to.throw(ArgumentError, 'explain takes no options');
    }
    for (const r of [
      new UserKNN(plays),
      popular,
      markov,
      new Markov(Sessions.of(plays)),
      await PcaRecommender.fit(plays, { nComponents: 2 }),
    ]) {
      expect(
        () => (r.foldIn as (...args: unknown[]) => unknown)([track], { l2: 1 }),
        r.name,
      ).to.throw(ArgumentError, 'foldIn has no option');
    }
  });
});
