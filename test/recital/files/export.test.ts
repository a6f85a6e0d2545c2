import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { CollabDataLoaders } from '../../../lib/recital/data/collab.js';
import type { Plays } from '../../../lib/recital/data/plays.js';
import { SequenceDataLoaders } from '../../../lib/recital/data/sequence-loaders.js';
import { ArgumentError, DataError } from '../../../lib/recital/errors.js';
import * as recital from '../../../lib/recital/index.js';
import type { LossRows } from '../../../lib/recital/nn/losses.js';
import { trainLearner, trainNetwork, wholeLoaders } from '../../support/exported.js';
import { trainLstm, wholeSequences } from '../../support/lstm.js';
import { warnings } from '../../support/saved.js';
import { chainSessions, sessionsOf } from '../../support/sequences.js';
import { TemporaryFolder } from '../data/temporary.js';
import { withSound } from '../recommend/content-support.js';
import { smallPlays } from '../recommend/contract.js';
import { scoreBytes } from '../recommend/contract-support.js';

const {
  ALS,
  ContentRecommender,
  EASE,
  FactorRecommender,
  Hybrid,
  ItemKNN,
  Learner,
  LearnerRecommender,
  LSTMRecommender,
  loadLearner,
  loadRecommender,
  loadRecommenderAsync,
  Markov,
  NextItemKNN,
  NextItemPopularity,
  PcaRecommender,
  Popularity,
  RandomRecommender,
  Recommender,
  RP3beta,
  SequentialRules,
  SessionKNN,
  STAN,
  UserKNN,
  WeightedSum,
} = recital;

const plays = smallPlays();
const heard = withSound(plays);
const sessions = sessionsOf(chainSessions({ tracks: 12, sessions: 25, length: 6 }));
const sideRows = {
  rows: recital.Vocabulary.fromValues(['even', 'odd']),
  tracks: plays.tracks,
  matrix: {
    shape: [2, 30] as [number, number],
    indptr: Int32Array.of(0, 15, 30),
    indices: Int32Array.from({ length: 30 }, (_, i) => ((2 * i) % 30) + Math.floor(i / 15)),
    data: new Float32Array(30).fill(1),
  },
};

async function factors(
  options: recital.FromFactorsOptions = {},
): Promise<recital.FactorRecommender> {
  const { factors: found } = await ALS.fit(plays, { factors: 4, iterations: 3 });
  const sides = {
    users: { ids: plays.users.classes, values: found.users },
    tracks: { ids: plays.tracks.classes, values: found.tracks },
  };
  return FactorRecommender.fromFactors(sides, options);
}

async function lightGCN(layers = 3): Promise<recital.LightGCNLearner> {
  const learn = recital.lightGCNLearner(
    CollabDataLoaders.fromPlays(plays, { negatives: { n: 1 }, bs: 16, seed: 1 }),
    { nFactors: 4, layers },
  );
  await learn.fitOneCycle(2, 0.05);
  return learn;
}

/** A learner of sequences of which some tracks are held out altogether. */
async function heldOutLstm(): Promise<recital.LSTMLearner> {
  const lists = chainSessions({ tracks: 10, sessions: 20, length: 5 });
  const loaders = SequenceDataLoaders.fromSessions(
    sessionsOf([...lists, [10, 11, 10, 11, 11], [3, 4, 5, 12, 13]]),
    {
      bs: 4,
      everyPosition: true,
      split: { train: Array.from({ length: 20 }, (_, i) => i), valid: [20, 21] },
    },
  );
  const learn = recital.lstmLearner(loaders, { embSz: 4, layers: [5] });
  await learn.fit(1, 0.02);
  expect(learn.tracks.length).to.equal(10);
  return learn;
}

type Made = recital.Recommender | Promise<recital.Recommender>;
const learner = (
  made: Promise<
    recital.CollabLearner | recital.CollabNNLearner | recital.LightGCNLearner | recital.LSTMLearner
  >,
): Promise<recital.Recommender> => made as unknown as Promise<recital.Recommender>;

/** One of each class that recommends: as it is by default, and with everything that can be said. */
const makers: Record<string, Record<string, () => Made>> = {
  ALS: {
    default: () => ALS.fit(plays),
    rich: () =>
      ALS.fit(plays, {
        factors: 5,
        regularization: 0.1,
        alpha: 3,
        iterations: 2,
        cgSteps: 2,
        value: 'log',
        seed: 'another',
      }),
  },
  CollabLearner: {
    default: () =>
      learner(Promise.resolve(recital.collabLearner(CollabDataLoaders.fromPlays(plays)))),
    rich: () => learner(trainLearner(plays, { yRange: [-0.1, 1.2], seed: 'seven' })),
    ranked: async () => {
      const dls = CollabDataLoaders.fromPlays(plays, {
        bs: 16,
        seed: 1,
        negatives: { n: 3, sampling: 'popularity', power: 0.5 },
      });
      const learn = recital.collabLearner(dls, { nFactors: 4, lossFunc: new recital.BPRLoss() });
      await learn.fit(1, 0.01);
      return learn as unknown as recital.Recommender;
    },
  },
  CollabNNLearner: {
    default: () =>
      learner(Promise.resolve(recital.collabLearner(wholeLoaders(plays), { useNn: true }))),
    'without batch norm': () =>
      learner(
        Promise.resolve(
          recital.collabLearner(wholeLoaders(plays), { useNn: true, config: { useBn: false } }),
        ),
      ),
    'without hidden layers': () =>
      learner(
        Promise.resolve(recital.collabLearner(wholeLoaders(plays), { useNn: true, layers: [] })),
      ),
    rich: () => learner(trainNetwork(plays)),
  },
  ContentRecommender: {
    default: () => ContentRecommender.fit(heard, heard.catalogue!),
    rich: () =>
      ContentRecommender.fit(heard, heard.catalogue!, {
        nComponents: 2,
        value: 'count',
      }),
  },
  EASE: {
    default: () => EASE.fit(plays),
    rich: () =>
      EASE.fit(plays, { lambda: 3, value: 'log', popularityPower: 0.2, sideRows, sideWeight: 0.5 }),
  },
  FactorRecommender: {
    default: () => factors(),
    rich: () => factors({ plays, alpha: 2, regularization: 0.5, name: 'mine' }),
  },
  Hybrid: {
    default: () => new Hybrid([new ItemKNN(plays), new Popularity(plays)]),
    rich: async () =>
      new Hybrid([new UserKNN(plays), await EASE.fit(plays), new Popularity(plays)], {
        weights: [1, 0, 0.7],
        fusion: 'rank',
        name: 'mixed',
      }),
    'of other tracks and users': async () => {
      const few = plays.take(Array.from({ length: 90 }, (_, i) => i));
      return new Hybrid(
        [
          await ContentRecommender.fit(heard, heard.catalogue!),
          new ItemKNN(few),
          new RandomRecommender(plays),
        ],
        {
          weights: [1, 1, 0.1],
        },
      );
    },
    'with a learner, a sum and a hybrid in it': async () =>
      new Hybrid([
        (await trainLearner(plays)) as unknown as recital.Recommender,
        new WeightedSum([new Markov(plays), new STAN(plays)]),
        new Hybrid(
          [
            new ItemKNN(plays, { k: 3 }),
            recital.withSeen(new Popularity(plays), plays.take([0, 1, 2])),
          ],
          { weights: [0.3, 0.7] },
        ),
      ]),
  },
  ItemKNN: {
    default: () => new ItemKNN(plays),
    rich: () => new ItemKNN(plays, { k: 7, shrink: 3, weighting: 'tfidf', value: 'log' }),
  },
  LSTMLearner: {
    default: () =>
      learner(
        Promise.resolve(recital.lstmLearner(SequenceDataLoaders.fromPlays(plays, { bs: 4 }))),
      ),
    rich: () =>
      learner(
        trainLstm(plays, {
          cell: 'gru',
          layers: [8],
          tied: true,
          dropout: 0.1,
          embedP: 0.1,
          seed: 'gru',
        }),
      ),
    'with tracks that are held out': () => learner(heldOutLstm()),
    'of sessions': () =>
      learner(
        Promise.resolve(recital.lstmLearner(wholeSequences(sessions), { embSz: 3, layers: [4] })),
      ),
  },
  LSTMRecommender: {
    default: async () => {
      const dls = wholeSequences(plays);
      return new LSTMRecommender(
        await recital.trainModel(new recital.LSTMModel(dls.classes), dls, { epochs: 1 }),
      );
    },
    rich: async () => new LSTMRecommender(await trainLstm(plays, { cell: 'gru', layers: [5] })),
    'of negatives': async () =>
      new LSTMRecommender(
        await trainLstm(plays, {
          negatives: { n: 4, loss: 'bprMax', counts: new Float64Array(30).fill(1) },
        }),
      ),
  },
  LearnerRecommender: {
    default: async () => new LearnerRecommender(await trainLearner(plays)),
    network: async () => {
      const dls = wholeLoaders(plays);
      const learn = recital.collabLearner(dls, { useNn: true, layers: [5], yRange: [0, 6] });
      await learn.fit(1, 0.05);
      return new LearnerRecommender(learn, { name: 'network' });
    },
    graph: async () => new LearnerRecommender(await lightGCN(2)),
    rich: async () =>
      new LearnerRecommender(await trainLearner(plays, { yRange: [0, 1] }), { name: 'a learner' }),
  },
  LightGCNLearner: { default: () => learner(lightGCN()), rich: () => learner(lightGCN(1)) },
  Markov: { default: () => new Markov(plays), sessions: () => new Markov(sessions) },
  NextItemKNN: {
    default: () => new NextItemKNN(plays),
    rich: () => new NextItemKNN(sessions, { shrinkage: 2, decay: 1 }),
  },
  NextItemPopularity: {
    default: () => new NextItemPopularity(plays),
    sessions: () => new NextItemPopularity(sessions),
  },
  PcaRecommender: {
    default: () => PcaRecommender.fit(plays),
    rich: () =>
      PcaRecommender.fit(plays, { nComponents: 3, value: 'log', score: 'reconstruction' }),
  },
  Popularity: {
    default: () => new Popularity(plays),
    rich: () => new Popularity(plays, { by: 'plays' }),
  },
  RP3beta: {
    default: () => new RP3beta(plays),
    rich: () => new RP3beta(plays, { alpha: 0.8, beta: 0.5, k: 11, value: 'count' }),
  },
  RandomRecommender: {
    default: () => new RandomRecommender(plays),
    rich: async () =>
      new RandomRecommender((await ContentRecommender.fit(heard, heard.catalogue!)).seen, {
        seed: 'chance',
      }),
  },
  STAN: {
    default: () => new STAN(plays),
    rich: () =>
      new STAN(sessions, {
        k: 5,
        recent: 9,
        historyScale: Infinity,
        ageScale: 0.5,
        distanceScale: 2,
        backwards: Infinity,
        repeat: 1,
      }),
  },
  SequentialRules: {
    default: () => new SequentialRules(plays),
    rich: () => new SequentialRules(sessions, { window: 3, decay: 0.5 }),
  },
  SessionKNN: {
    default: () => new SessionKNN(plays),
    rich: () => new SessionKNN(sessions, { k: 4, recent: 7 }),
  },
  UserKNN: {
    default: () => new UserKNN(plays),
    rich: () => new UserKNN(plays, { k: 5, weighting: 'bm25', value: 'count' }),
  },
  WeightedSum: {
    default: () => new WeightedSum([new Markov(plays), new SessionKNN(plays)]),
    rich: async () => {
      const all = [
        new SequentialRules(plays),
        new NextItemKNN(plays),
        (await trainLstm(plays)) as unknown as recital.SequenceRecommender,
      ];
      return new WeightedSum(
        [...all, new WeightedSum([new STAN(plays), new NextItemPopularity(plays)])],
        { weights: [1, 0, 0.5, 0.2], name: 'all' },
      );
    },
    fitted: () => recital.fuse([new Markov(plays), new SessionKNN(plays)], smallSessions(plays)),
    'of learners alone': async () =>
      new WeightedSum([(await trainLstm(plays)) as unknown as recital.SequenceRecommender]),
  },
  withSeen: { default: () => recital.withSeen(new ItemKNN(plays), plays.take([0, 1, 2])) },
};

/** Sessions of tracks of the plays that nobody has played in this order. */
function smallSessions({ tracks }: Plays): recital.Sessions {
  const item = Int32Array.from(
    { length: 60 },
    (_, i) => (i * 7 + Math.floor(i / 6)) % tracks.length,
  );
  return new recital.Sessions(
    tracks,
    Int32Array.from({ length: 11 }, (_, i) => 6 * i),
    item,
  );
}

/** What a recommender says: to some users, of a track, to listeners it has not met. */
function answers(r: recital.Recommender): unknown {
  const user = r.users.length > 3 ? r.users.id(3) : undefined;
  const history = [r.tracks.id(1), r.tracks.id(4)];
  let folded: unknown;
  try {
    folded = r.foldIn(history).scores;
  } catch (error) {
    folded = (error as Error).message;
  }
  return {
    name: r.name,
    users: r.users.classes,
    tracks: r.tracks.classes,
    seen: [r.seen.indptr, r.seen.indices],
    list: user && r.recommend(user, { n: 5 }).toString(),
    all: user && r.recommend(user, { n: 100, filterSeen: false }).ids,
    similar: r.similarTracks(r.tracks.id(5)).toString(),
    alike: user && r.similarUsers(user).toString(),
    folded,
  };
}

describe('Every recommender', () => {
  const folder = new TemporaryFolder();

  it('of the library is among those that are exported below', () => {
    const abstract = ['Recommender', 'SequenceRecommender'];
    const classes = Object.entries(recital as Record<string, unknown>).filter(
      ([, value]) =>
        typeof value === 'function' &&
        typeof (value.prototype as { scores?: unknown } | undefined)?.scores === 'function',
    );
    const names = classes.map(([name]) => name).filter((name) => !abstract.includes(name));
    expect([...names, 'withSeen'].sort()).to.deep.equal(Object.keys(makers).sort());
    expect(Object.values(makers).every((variants) => variants.default)).to.equal(true);
  });

  for (const [name, variants] of Object.entries(makers)) {
    for (const [variant, make] of Object.entries(variants)) {
      it(`is loaded with the same lists from the file that it was exported to: ${name}, ${variant}`, async () => {
        const r = await make();
        const file = r.export(path.join(folder.path, 'model'));
        expect(file).to.equal(path.join(folder.path, 'model.safetensors'));
        let loaded!: recital.Recommender;
        expect(
          warnings(() => {
            loaded = loadRecommender(path.join(folder.path, 'model'));
          }),
        ).to.equal('');
        expect(loaded.constructor).to.equal(r.constructor);
        expect(scoreBytes(loaded).equals(scoreBytes(r))).to.equal(true);
        expect(answers(loaded)).to.deep.equal(answers(r));
        const again = loaded.export(path.join(folder.path, 'again'));
        expect(
          readFileSync(again).equals(readFileSync(file)),
          'exported again it is the same file',
        ).to.equal(true);
        expect(
          loadRecommender(file, { type: Object.getPrototypeOf(r).constructor }),
        ).to.be.instanceOf(Object.getPrototypeOf(r).constructor);
        class Other {}
        expect(() => loadRecommender(file, { type: Other as never })).to.throw(
          DataError,
          'not a Other',
        );
        const beside = await loadRecommenderAsync(path.join(folder.path, 'model'));
        expect(beside.constructor).to.equal(r.constructor);
        expect(scoreBytes(beside).equals(scoreBytes(r))).to.equal(true);
        expect(answers(beside)).to.deep.equal(answers(r));
        beside.export(again);
        expect(readFileSync(again).equals(readFileSync(file)), 'read in slices').to.equal(true);
        const bytes = readFileSync(file);
        writeFileSync(again, bytes.subarray(0, bytes.length - 9));
        expect(() => loadRecommender(again)).to.throw(DataError);
      });
    }
  }

  it('that is a sum keeps the data that its parts share once', async () => {
    const one = new ItemKNN(plays).export(path.join(folder.path, 'one'));
    const many = new Hybrid([
      new ItemKNN(plays),
      new UserKNN(plays),
      new Popularity(plays),
      new RP3beta(plays),
    ]).export(path.join(folder.path, 'many'));
    expect(readFileSync(many).length - readFileSync(one).length).to.be.lessThan(1000);
    const nested = new Hybrid([
      new WeightedSum([new Markov(plays), new STAN(plays)]),
      new ItemKNN(plays),
    ]).export(path.join(folder.path, 'nested'));
    const { tensors } = recital.readSafetensors(nested);
    expect(
      [...tensors.keys()].filter((name) => name.endsWith('catalogue.track_id.bytes')),
    ).to.deep.equal(['catalogue.track_id.bytes']);
    expect(
      [...tensors.keys()]
        .filter((name) => name.endsWith('histories.item') || name.endsWith('seen.indices'))
        .sort(),
    ).to.deep.equal(['data1.seen.indices', 'histories.item']);
  });

  it('is told what to do where its class or its model cannot be rebuilt of a file', async () => {
    class Mine extends Recommender {
      readonly name: string = 'Mine';
      scores(_users: Int32Array, out: Float32Array): void {
        out.fill(0);
      }
    }
    const mine = new Mine(recital.Interactions.fromPlays(plays));
    const file = path.join(folder.path, 'mine');
    for (const r of [mine, new Hybrid([new ItemKNN(plays), mine])])
      expect(() => r.export(file)).to.throw(
        ArgumentError,
        /Mine is not known to export: a file holds no code.*registerRecommenderKind/,
      );
    const dls = wholeLoaders(plays);
    const weight = new recital.Parameter('w', [1]);
    const model: recital.Model = {
      outputs: 1,
      parameters: [weight],
      forward: ({ size }) => new Float32Array(size),
      backward() {},
    };
    const own = new LearnerRecommender(new Learner(dls, model));
    expect(() => own.export(file)).to.throw(
      ArgumentError,
      /model of own model is one of your own.*learn\.save\(file\).*learn\.load\(file\)/,
    );
    recital.registerRecommenderKind<Mine>({
      name: 'Mine',
      type: Mine,
      describe: () => ({ config: {} }),
      make: ({ seen }) => new Mine(seen),
    });
    expect(loadRecommender(new Hybrid([new ItemKNN(plays), mine]).export(file)).name).to.equal(
      'ItemKNN + Mine',
    );
    expect(() => recital.registerRecommenderKind(undefined as never)).to.throw(
      ArgumentError,
      'registerRecommenderKind needs an object',
    );
  });

  it('with a loss of one’s own is loaded with that loss', async () => {
    class Doubled extends recital.MSELossFlat {
      override readonly name: string = 'Doubled';
      override losses(rows: LossRows, each: Float64Array): void {
        super.losses(rows, each);
      }
    }
    const learn = await trainLearner(plays, { lossFunc: new Doubled() });
    const file = new Hybrid([
      learn as unknown as recital.Recommender,
      new Popularity(plays),
    ]).export(path.join(folder.path, 'loss'));
    expect(() => loadRecommender(file)).to.throw(
      DataError,
      "Doubled, which is not one of the library's losses",
    );
    expect(loadRecommender(file, { lossFunc: new Doubled() }).recommend('user03').length).to.equal(
      10,
    );
    expect(() => loadRecommender(file, { losFunc: 1 } as never)).to.throw(
      ArgumentError,
      'did you mean "lossFunc"',
    );
  });

  it('is loaded as the learner that it is by loadLearner, too', async () => {
    const file = (await trainLearner(plays)).export(path.join(folder.path, 'learner'));
    expect(loadLearner(file).recommend('user03').toString()).to.equal(
      loadRecommender(file).recommend('user03').toString(),
    );
    expect(() => loadLearner(new ItemKNN(plays).export(file))).to.throw(
      DataError,
      'learner was expected',
    );
  });
});

describe('Without listening histories', () => {
  const folder = new TemporaryFolder();
  /** Fewer tracks than users: EASE is solved for tracks. */
  const narrow = plays.take(Array.from(plays.track.keys()).filter((i) => plays.track[i] < 12));
  const users: Record<string, () => Made> = {
    ...Object.fromEntries(
      ['ALS', 'CollabLearner', 'CollabNNLearner', 'PcaRecommender'].map((name) => [
        name,
        makers[name].rich,
      ]),
    ),
    'CollabLearner by ranks': makers.CollabLearner.ranked,
    FactorRecommender: makers.FactorRecommender.rich,
    LearnerRecommender: makers.LearnerRecommender.rich,
    RandomRecommender: makers.RandomRecommender.default,
    Hybrid: async () =>
      new Hybrid([await ALS.fit(plays, { factors: 4 }), new RandomRecommender(plays)], {
        weights: [1, 0.2],
      }),
  };
  const tracks: Record<string, () => Made> = {
    EASE: () => EASE.fit(narrow, { value: 'log', popularityPower: 0.3 }),
    ItemKNN: makers.ItemKNN.rich,
    RP3beta: makers.RP3beta.rich,
    Popularity: makers.Popularity.rich,
    ContentRecommender: makers.ContentRecommender.rich,
    LSTMLearner: makers.LSTMLearner.rich,
    LSTMRecommender: makers.LSTMRecommender.rich,
    'Hybrid of tracks': () => new Hybrid([new ItemKNN(plays), new Popularity(plays)]),
  };

  /** Exports without histories, and loads what is left. */
  function withoutSeen(r: recital.Recommender, warning: RegExp): recital.Recommender {
    const whole = r.export(path.join(folder.path, 'whole'));
    const file = r.export(path.join(folder.path, 'private'), { seen: false });
    const names = [...recital.readSafetensors(file).tensors.keys()];
    expect(
      names.filter((name) => /seen\.|indptr$/.test(name) && !/similarity|histories/.test(name)),
    ).to.deep.equal([]);
    expect(
      names.some((name) => name.endsWith('totals.listeners')) ||
        !readFileSync(whole).includes('seen.'),
    ).to.equal(true);
    let loaded!: recital.Recommender;
    expect(
      warnings(() => {
        loaded = loadRecommender(file);
      }),
    ).to.match(warning);
    const again = loaded.export(path.join(folder.path, 'again'), { seen: false });
    expect(readFileSync(again).equals(readFileSync(file))).to.equal(true);
    return loaded;
  }

  for (const [name, make] of Object.entries(users)) {
    it(`${name} recommends to users by id, what they have played included, and to new listeners as before`, async () => {
      const r = await make();
      const loaded = withoutSeen(
        r,
        /exported without listening histories: lists do not leave out what users have played/,
      );
      expect(loaded.users.classes).to.deep.equal(r.users.classes);
      expect(loaded.seen.length).to.equal(0);
      if (name !== 'Hybrid') expect(scoreBytes(loaded).equals(scoreBytes(r))).to.equal(true);
      if (name !== 'Hybrid')
        expect(loaded.recommend('user03', { n: 5 }).ids).to.deep.equal(
          r.recommend('user03', { n: 5, filterSeen: false }).ids,
        );
      if (r.canFoldIn)
        expect(loaded.foldIn(['track01', 'track04']).scores).to.deep.equal(
          r.foldIn(['track01', 'track04']).scores,
        );
      if (r.trackVectors)
        expect(loaded.similarTracks('track05').ids).to.deep.equal(r.similarTracks('track05').ids);
      else
        expect(() => loaded.similarTracks('track05')).to.throw(
          ArgumentError,
          'exported without listening histories',
        );
      const explain = (loaded as Partial<recital.ALS>).explain?.bind(loaded);
      if (explain && name !== 'Hybrid')
        expect(() => explain('user03', 'track05')).to.throw(
          ArgumentError,
          /without listening histories|have none/,
        );
    });
  }

  for (const [name, make] of Object.entries(tracks)) {
    it(`${name} has nothing of single users, and recommends to new listeners as before`, async () => {
      const r = await make();
      const lstm = name.startsWith('LSTM');
      const loaded = withoutSeen(
        r,
        lstm ? /without listening histories/ : /it recommends by foldIn\(history\) only/,
      );
      expect(loaded.tracks.classes).to.deep.equal(r.tracks.classes);
      expect(loaded.knows('user03')).to.equal(false);
      expect(() => loaded.recommend('user03')).to.throw(
        recital.UnknownIdError,
        lstm ? 'user03' : 'exported without listening histories',
      );
      const history = ['track01', { track: 'track04', playcount: 3 }];
      expect(loaded.foldIn(history).scores).to.deep.equal(r.foldIn(history).scores);
      if (r.trackVectors)
        expect(loaded.similarTracks('track05').ids).to.deep.equal(r.similarTracks('track05').ids);
      else
        expect(() => loaded.similarTracks('track05')).to.throw(
          ArgumentError,
          'exported without listening histories',
        );
    });
  }

  it('a learner is loaded by loadLearner too, and says what it lacks', async () => {
    const learn = await trainLearner(plays, { nFactors: 3 });
    const file = learn.export(path.join(folder.path, 'learner'), { seen: false });
    let loaded!: recital.CollabLearner;
    expect(
      warnings(() => {
        loaded = loadLearner(file);
      }),
    ).to.include('lists do not leave out what users have played');
    expect(loaded.bias()).to.deep.equal(learn.bias());
    expect(loaded.recommend('user03').ids).to.deep.equal(
      learn.recommend('user03', { filterSeen: false }).ids,
    );
  });

  it('what works on them is refused, by name', async () => {
    const file = path.join(folder.path, 'refused');
    const refused = [
      'UserKNN',
      'Markov',
      'SequentialRules',
      'NextItemKNN',
      'NextItemPopularity',
      'SessionKNN',
      'STAN',
      'LightGCNLearner',
      'withSeen',
    ];
    for (const name of refused) {
      const r = await makers[name].default();
      expect(() => r.export(file, { seen: false }), name).to.throw(
        ArgumentError,
        `${r.name} works on the listening histories themselves`,
      );
    }
    expect(() =>
      new Hybrid([new ItemKNN(plays), new UserKNN(plays)]).export(file, { seen: false }),
    ).to.throw(ArgumentError, 'UserKNN works on');
    const wide = await EASE.fit(plays.take(Array.from({ length: 40 }, (_, i) => i)));
    expect(() => wide.export(file, { seen: false })).to.throw(
      ArgumentError,
      'who are fewer than the tracks',
    );
    expect(() => new ItemKNN(plays).export(file, { sean: false } as never)).to.throw(
      ArgumentError,
      'did you mean "seen"',
    );
    expect(() => new ItemKNN(plays).export(file, { seen: 'no' } as never)).to.throw(
      ArgumentError,
      'seen must be true or false',
    );
    expect(() => new ItemKNN(plays).export('')).to.throw(ArgumentError, 'export needs the path');
  });
});
