import { expect } from 'chai';
import * as library from '../lib/recital/index.js';
import {
  ALS,
  ArgumentError,
  accuracy,
  correlation,
  coverageAtK,
  EASE,
  evaluate,
  evaluateNextItem,
  fitHybrid,
  Hybrid,
  interactionMatrix,
  itemVectors,
  LSTMModel,
  leaveKOut,
  Markov,
  missingValues,
  noLogging,
  orderSplit,
  PCA,
  PcaRecommender,
  Plays,
  Popularity,
  perUserSplit,
  randomSplit,
  readPlays,
  readSessions,
  readTable,
  SequenceDataLoaders,
  SessionKNN,
  Sessions,
  StandardScaler,
  search,
  splitPlays,
  Table,
  topKAccuracy,
  UnknownIdError,
  WeightedSum,
} from '../lib/recital/index.js';

const plays = Plays.fromRows(
  ['u1', 'u2', 'u3'].flatMap((user) => ['a', 'b', 'c', 'd'].map((track) => ({ user, track }))),
);

const played = Plays.fromRows(
  plays.users.classes.flatMap((user, u) =>
    plays.tracks.classes.map((track, t) => ({ user, track, playcount: 1 + u + t })),
  ),
);

/** What a cell of JavaScript, or of TypeScript that is not checked, can hand over. */
function wrong<T>(value: unknown): T {
  return value as T;
}

async function failure(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('wrong arguments', () => {
  const cases: Record<string, [work: () => unknown, message: string]> = {
    'plays instead of numbers to correlate': [
      () => correlation(wrong(plays)),
      'of plays, plays.toTable() or plays.catalogue, got an object of Plays',
    ],
    'a promise instead of a table': [
      () => missingValues(wrong(Promise.resolve())),
      'got an object of Promise',
    ],
    'plays instead of predictions': [
      () => accuracy(wrong(plays), wrong(plays)),
      'accuracy needs predictions and targets, Float32Arrays, got an object of Plays',
    ],
    'a list instead of lists': [
      () => coverageAtK(wrong<string[][]>(['a']), { catalogueSize: 3 }),
      'an array of arrays, got a string',
    ],
    'training instead of a function that trains': [
      () => noLogging(wrong(Promise.resolve())),
      'such as () => learn.fit(1), got an object of Promise',
    ],
    'a table instead of plays, for loaders': [
      () => SequenceDataLoaders.fromPlays(wrong(plays.toTable())),
      'an object of Table',
    ],
    'a promise instead of plays, for loaders': [
      () => SequenceDataLoaders.fromPlays(wrong(Promise.resolve(plays))),
      'an object of Promise',
    ],
    'records instead of plays': [() => new Markov(wrong([{ user: 'u', track: 't' }])), 'an array'],
    'nothing instead of plays': [() => new SessionKNN(wrong(undefined)), 'got nothing'],
    'nothing instead of sessions': [() => itemVectors(wrong(undefined)), 'got nothing'],
    'loaders instead of held-out sessions': [
      () =>
        evaluateNextItem(
          new Markov(plays),
          wrong(SequenceDataLoaders.fromPlays(plays, { bs: 2, split: 'last' })),
        ),
      'an object of SequenceDataLoaders',
    ],
    'what does not recommend the next track': [
      () => evaluateNextItem(wrong(new Popularity(plays)), plays),
      'an object of Popularity',
    ],
    'no recommender of the next track': [
      () => evaluateNextItem(wrong(undefined), plays),
      'got nothing',
    ],
    'no classes': [() => new LSTMModel(wrong(100)), 'new LSTMModel(dls.classes), got a number'],
    'a metric that was not called': [
      () => topKAccuracy(wrong(new Float32Array(1000))),
      'Call it: topKAccuracy(5)',
    ],
    'more numbers than tracks': [() => itemVectors(plays, { embSz: 5 }), 'embSz must be at most 4'],
    'no numbers': [() => itemVectors(plays, { embSz: 0 }), 'embSz must be'],
    'an option that perUserSplit lacks': [
      () => perUserSplit(plays, wrong({ validPct: 0.1 })),
      'no option "validPct"',
    ],
    'ratios that are not an option': [
      () => perUserSplit(plays, wrong([0.8, 0.2])),
      'must be an object',
    ],
    'an option that orderSplit lacks': [
      () => orderSplit(plays, wrong({ seed: 1 })),
      'no option "seed"',
    ],
    'an option that leaveKOut lacks': [() => leaveKOut(plays, wrong({ n: 1 })), 'no option "n"'],
    'an option that randomSplit lacks': [
      () => randomSplit(10, wrong({ valid_pct: 0.1 })),
      'did you mean "validPct"',
    ],
    'a table to split': [() => perUserSplit(wrong(plays.toTable())), 'an object of Table'],
    'an option that minPlays lacks': [() => plays.minPlays(wrong({ user: 5 })), 'no option "user"'],
    'a number for minPlays': [() => plays.minPlays(wrong(5)), 'must be an object'],
    'no k': [() => plays.kCore(wrong(undefined)), 'got nothing'],
    'a whole split for take': [() => plays.take(wrong(randomSplit(12))), 'take needs row numbers'],
    'no records': [() => Plays.fromRows(wrong(undefined)), 'got nothing'],
    'a record that is none': [
      () => Plays.fromRows([{ user: 'u', track: 't' }, wrong(null)]),
      'Row 1',
    ],
    'a table for a matrix': [() => interactionMatrix(wrong(plays.toTable())), 'an object of Table'],
    'one recommender to join': [
      () => new Hybrid(wrong(new Popularity(plays))),
      'an object of Popularity',
    ],
    'a promise to join': [
      () => new Hybrid([new Popularity(plays), wrong(EASE.fit(plays))]),
      'an object of Promise as number 1',
    ],
    'nothing to join': [() => new Hybrid(wrong(undefined)), 'got nothing'],
    'a whole split to fit weights on': [
      () => fitHybrid([new Popularity(plays)], wrong(splitPlays(plays, leaveKOut(plays)))),
      'such as split.valid',
    ],
    'a text for a number': [
      () => new Popularity(plays).recommend('u1', { n: wrong('5') }),
      "the text '5'",
    ],
    'nothing to add up': [() => new WeightedSum(wrong(undefined)), 'got nothing'],
    'new EASE': [() => new EASE(plays, wrong(undefined)), 'EASE.fit(plays)'],
    'new ALS': [() => new ALS(plays, wrong(undefined)), 'ALS.fit(plays)'],
    'new PcaRecommender': [
      () => new PcaRecommender(plays, wrong(undefined)),
      'PcaRecommender.fit(plays)',
    ],
    'a class to search with': [
      () =>
        search(
          wrong<(settings: unknown) => Popularity>(ALS),
          { factors: [2] },
          { split: splitPlays(plays, leaveKOut(plays)), trials: 1 },
        ),
      'the class ALS',
    ],
    'a class that is fitted, to compare': [
      () => evaluate([wrong(EASE)], splitPlays(plays, leaveKOut(plays))),
      '(train) => EASE.fit(train)',
    ],
    'an option that readPlays lacks': [
      () => readPlays('data/sample', wrong({ colums: {} })),
      'did you mean "columns"',
    ],
    'an option that readTable lacks': [
      () => readTable('data/sample/Music Info.csv', wrong({ sep: ',' })),
      'no option "sep"',
    ],
    'an option that readSessions lacks': [
      () => readSessions('sessions.txt', wrong({ item: 1 })),
      'did you mean "items"',
    ],
  };
  for (const [name, [work, message]] of Object.entries(cases)) {
    it(`are said what they are: ${name}`, async () => {
      const error = await failure(work);
      expect(error).to.be.instanceOf(ArgumentError);
      expect((error as ArgumentError).message).to.include(message);
    });
  }

  it('are not left out of an evaluation in silence: a user that nobody knows', async () => {
    const split = splitPlays(plays, leaveKOut(plays));
    expect(
      await failure(() => evaluate([new Popularity(split.train)], split, { users: ['u1', 'u9'] })),
    ).to.be.instanceOf(UnknownIdError);
  });

  it("are not taken for other columns' numbers: a table whose columns are in another order than those of fit", async () => {
    const table = Table.fromRows([
      { a: 1, b: 2 },
      { a: 3, b: 7 },
    ]);
    const turned = table.select(['b', 'a']);
    const scaler = new StandardScaler().fit(table);
    const pca = await new PCA({ nComponents: 1 }).fit(table);
    expect(() => scaler.transform(turned)).to.throw(
      ArgumentError,
      'column 0 (counted from 0) is "b", "a" was expected',
    );
    expect(() => pca.transform(turned)).to.throw(ArgumentError, 'in the same order');
    expect([...scaler.transform(turned.select(['a', 'b'])).data]).to.deep.equal([-1, -1, 1, 1]);
  });

  it('give no NaN: tracks that are played next to each other no more often than by chance', async () => {
    const { tracks } = Plays.fromRows([{ user: 'u', track: 'a' }]);
    const histories = new Sessions(tracks, Int32Array.of(0, 2), Int32Array.of(0, 0));
    expect([...(await itemVectors(histories, { embSz: 1 }))]).to.deep.equal([0]);
  });

  describe('in the place of a name, a list, options or a source of chance are no riddle either', () => {
    const table = new Table({ a: Float64Array.of(1, 2), b: ['x', 'y'] });
    const dls = library.CollabDataLoaders.fromPlays(played, { bs: 2, target: 'count' });
    const learn = library.collabLearner(dls, { nFactors: 2 });
    const windows = SequenceDataLoaders.fromPlays(plays, { bs: 2, split: 'last' });
    const markov = new Markov(plays);
    const popular = new Popularity(plays);
    const labels = new library.LabelEncoder().fit(['a']);
    const calls: Record<string, (x: never) => unknown> = {
      'a column of a table': (x) => table.column(x),
      'numbers of a table': (x) => table.numbers(x),
      'columns of a table': (x) => table.select(x),
      'a column among others': (x) => table.select([x]),
      'columns to correlate': (x) => correlation(table, x),
      'columns to describe': (x) => library.describe(table, x),
      'options of a line chart': (x) => library.lineChart(table, x),
      'the x of a line chart': (x) => library.lineChart(table, { x, y: 'a' }),
      'the y of a line chart': (x) => library.lineChart(table, { x: 'a', y: x }),
      'the x of a bar chart': (x) => library.barChart(table, { x, y: 'a' }),
      'columns of a histogram': (x) => library.histogram(table, x),
      ratios: (x) => perUserSplit(plays, { ratios: x }),
      'a ratio': (x) => orderSplit(plays, { ratios: [x, 0.5] }),
      'a split of windows': (x) => SequenceDataLoaders.fromPlays(plays, { bs: 2, split: x }),
      'options of a sample': (x) => plays.sampleUsers(2, x),
      'a catalogue': (x) => plays.withCatalogue(x),
      'options of a vocabulary': (x) => library.Vocabulary.fromValues(['a'], x),
      'options of writeSafetensors': (x) => library.writeSafetensors('', {}, x),
      labels: (x) => new library.LabelEncoder().fit(x),
      'labels to look up': (x) => labels.transform(x),
      'indices of labels': (x) => labels.inverseTransform(x),
      'what an LSTM draws from': (x) => new library.LSTM(5, 3, { random: x }),
      'options of an LSTM': (x) => new library.LSTM(5, 3, x),
      'options of a GRU': (x) => new library.GRU(5, 3, x),
      'what an Embedding draws from': (x) => new library.Embedding(5, 3, { random: x }),
      'options of BatchNorm1d': (x) => new library.BatchNorm1d(3, x),
      'options of a Parameter': (x) => new library.Parameter('p', [2], x),
      'what EmbeddingDotBias draws from': (x) =>
        new library.EmbeddingDotBias(3, dls.classes, { random: x }),
      'layers of EmbeddingNN': (x) => new library.EmbeddingNN(dls.classes, { layers: x }),
      'sizes of EmbeddingNN': (x) => new library.EmbeddingNN(dls.classes, { embSzs: x }),
      'what LightGCN draws from': (x) => new library.LightGCN(dls.classes, dls.seen, { random: x }),
      'layers of LSTMModel': (x) => new LSTMModel(windows.classes, { layers: x }),
      'names of a model': (x) => learn.model.weight(x),
      'schedules to combine': (x) => library.combineScheds([0.5, 0.5], [x, x])(0.2),
      'a splitter': (x) => library.collabLearner(dls, { splitter: x }),
      'what a splitter makes': (x) => library.collabLearner(dls, { splitter: () => x }),
      'weights of a hybrid': (x) => new Hybrid([popular], { weights: x }),
      'weights of a sum': (x) => new WeightedSum([markov], { weights: x }),
      'tables of sql': (x) => library.sql('select 1', { tables: x }),
      'a user': (x) => learn.recommend(x),
      'a track': (x) => learn.similarTracks(x),
    };
    const odd: unknown[] = [null, undefined, 5, 'x', {}, [], [null], true, () => 1, new Date(0)];
    for (const [name, call] of Object.entries(calls)) {
      it(name, async () => {
        for (const x of odd) {
          const error = await failure(() => noLogging(async () => call(x as never)));
          if (error === undefined || error instanceof library.RecitalError) continue;
          throw new Error(`of ${JSON.stringify(x)}: ${(error as Error).stack}`);
        }
      });
    }

    it('and are said what they are', () => {
      expect(() => table.column(wrong(5))).to.throw(UnknownIdError, 'Unknown column "5"');
      expect(() => table.column(wrong(null))).to.throw(
        UnknownIdError,
        'Unknown column: a text was expected, got null. 2 columns known: a, b.',
      );
      expect(() => table.select(wrong('a'))).to.throw(
        ArgumentError,
        "select needs columns' names, such as ['name', 'artist'], got a string.",
      );
      expect(() => new library.LSTM(5, 3, wrong({}))).to.throw(
        ArgumentError,
        'LSTM needs random, such as { random: new Random(42) }, got nothing.',
      );
      expect(() => new library.GRU(5, 3, wrong({ numLayer: 2 }))).to.throw(
        ArgumentError,
        'GRU has no option "numLayer"; did you mean "numLayers"?',
      );
    });
  });

  it('are no options that nobody reads: of metrics, losses, loaders, show', () => {
    const dls = library.CollabDataLoaders.fromPlays(played, { bs: 2, target: 'count' });
    const calls: Record<string, (options: never) => unknown> = {
      precisionAtK: (o) => library.precisionAtK(['a'], ['a'], o),
      recallAtK: (o) => library.recallAtK(['a'], ['a'], o),
      hitAtK: (o) => library.hitAtK(['a'], ['a'], o),
      ndcgAtK: (o) => library.ndcgAtK(['a'], ['a'], o),
      reciprocalRankAtK: (o) => library.reciprocalRankAtK(['a'], ['a'], o),
      accuracyThresh: (o) => library.accuracyThresh(0.5, o),
      testDl: (o) => dls.testDl(plays, o),
      inOrder: (o) => dls.train.inOrder(o),
      show: (o) => library.show('text', o),
    };
    for (const [name, call] of Object.entries(calls)) {
      for (const options of [{ mistyped: 1 }, null, 3])
        expect(() => call(wrong(options)), name).to.throw(ArgumentError, name);
    }
  });

  it('are bounded where they say how often: a number of rounds that would not end', async () => {
    const dls = library.CollabDataLoaders.fromPlays(played, { bs: 2, target: 'count' });
    const learn = library.collabLearner(dls, { nFactors: 2 });
    const split = splitPlays(plays, leaveKOut(plays));
    for (const n of [1e9, 1e308]) {
      const rounds: Record<string, () => unknown> = {
        nEpoch: () => learn.fit(n),
        epochs: () => library.trainModel(learn.model, dls, { epochs: n, lossFunc: learn.lossFunc }),
        numIt: () => learn.lrFind({ numIt: n }),
        iterations: () => library.ALS.fit(plays, { iterations: n }),
        cgSteps: () => library.ALS.fit(plays, { cgSteps: n }),
        trials: () => search(() => new Popularity(plays), { k: [1] }, { split, trials: n }),
        samples: () => evaluate([new Popularity(split.train)], split, { samples: n }),
      };
      for (const [name, work] of Object.entries(rounds)) {
        const error = await failure(work);
        expect(error, name).to.be.instanceOf(ArgumentError);
        expect((error as Error).message).to.equal(`${name} must be at most 1,000,000, got ${n}.`);
      }
      expect(await failure(() => learn.fitOneCycle(n, 1e-3))).to.be.instanceOf(ArgumentError);
      expect(await failure(() => learn.fitSgdr(1, n))).to.be.instanceOf(ArgumentError);
    }
  });

  describe('in the place of the first one are no riddle: no TypeError from somewhere inside', () => {
    const wrongs: Record<string, unknown> = {
      plays,
      nothing: undefined,
      null: null,
      text: 'text',
      array: [1, 2],
      number: 3,
      record: {},
      function: () => 1,
    };
    /** What is right behind the first argument, where something must be. */
    const further: Record<string, unknown[]> = {
      coverageAtK: [{ catalogueSize: 5 }],
      diversityAtK: [{ vector: () => [1] }],
      giniAtK: [{ catalogueSize: 5 }],
      noveltyAtK: [{ listeners: () => 1, users: 2 }],
      popularityAtK: [{ listeners: () => 1 }],
      rankingMetrics: [[['a']], { catalogueSize: 5 }],
      withSeen: [plays],
      evaluateNextItem: [plays],
      recommendSongs: ['u1'],
    };
    /**
     * What the library makes and hands over; TypeScript does not let anybody call most of these
     * constructors, and nobody has a reason to.
     */
    const handedOver = new Set([
      'CollabDataLoaders',
      'FactorRecommender',
      'FoldedUser',
      'Interactions',
      'Interpretation',
      'PackedSequences',
      'RecommendationBatch',
      'Recommendations',
      'SequenceDataLoaders',
      'SequenceDataset',
      'UnknownIdError',
      'Vocabulary',
    ]);
    const notStatic = new Set(['ofTable']); // private
    type Call = (...args: unknown[]) => unknown;
    const { log, warn, error: complain } = console;
    before(() => Object.assign(console, { log: () => {}, warn: () => {}, error: () => {} })); // `show` shows what is no riddle to it
    after(() => Object.assign(console, { log, warn, error: complain }));

    /** Every way to call an export, by how it reads. */
    function callsOf(name: string, value: unknown): [reads: string, call: Call][] {
      if (typeof value !== 'function') return [];
      if (!/^class\b/.test(Function.prototype.toString.call(value))) return [[name, value as Call]];
      const type = value as unknown as (new (...args: unknown[]) => unknown) & Record<string, Call>;
      const statics = Object.getOwnPropertyNames(type).filter(
        (key) => typeof type[key] === 'function' && !notStatic.has(key),
      );
      const calls = statics.map((key): [string, Call] => [
        `${name}.${key}`,
        (...args) => type[key](...args),
      ]);
      return handedOver.has(name)
        ? calls
        : [[`new ${name}`, (...args) => new type(...args)], ...calls];
    }

    for (const [name, value] of Object.entries(library)) {
      for (const [reads, call] of callsOf(name, value)) {
        it(`${reads}(…)`, async () => {
          for (const [what, first] of Object.entries(wrongs)) {
            for (const rest of [[], further[name] ?? []]) {
              const error = await failure(() => call(first, ...rest));
              if (error === undefined || error instanceof library.RecitalError) continue;
              throw new Error(`of ${what}: ${(error as Error).stack}`);
            }
          }
        });
      }
    }
  });
});
