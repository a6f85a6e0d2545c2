import path from 'node:path';
import { expect } from 'chai';
import { CollabDataLoaders } from '../../../../lib/recital/data/collab.js';
import { Plays } from '../../../../lib/recital/data/plays.js';
import { ArgumentError } from '../../../../lib/recital/errors.js';
import { evaluateRecommender } from '../../../../lib/recital/evaluation/evaluate-recommender.js';
import type { Callback } from '../../../../lib/recital/learner/callback.js';

import { SaveModel } from '../../../../lib/recital/learner/callbacks/trackers.js';
import { Learner } from '../../../../lib/recital/learner/learner.js';
import { TrainedLearner, trainModel } from '../../../../lib/recital/learner/train-model.js';
import { EmbeddingDotBias } from '../../../../lib/recital/models/embedding-dot-bias.js';
import { LSTMModel } from '../../../../lib/recital/models/lstm.js';
import { CollabLearner, collabLearner } from '../../../../lib/recital/recommend/learners/collab.js';
import { CollabNNLearner } from '../../../../lib/recital/recommend/learners/collab-nn.js';
import { LearnerRecommender } from '../../../../lib/recital/recommend/learners/learner-recommender.js';
import {
  LightGCNLearner,
  lightGCNLearner,
} from '../../../../lib/recital/recommend/learners/light-gcn.js';
import {
  LSTMLearner,
  LSTMRecommender,
  lstmLearner,
} from '../../../../lib/recital/sequential/lstm.js';
import { wholeLoaders } from '../../../support/exported.js';
import { wholeSequences } from '../../../support/lstm.js';
import { TemporaryFolder } from '../../data/temporary.js';
import { smallPlays } from '../contract.js';

const out = (learn: Asked): Float32Array => new Float32Array(learn.tracks.length);

/**
 * What may be asked of a learner that trains: nothing of it reads or changes weights, or the state
 * of the run's optimizer.
 */
const allowed = [
  ...['addCbs', 'removeCbs', 'noLogging', 'withoutCbs', 'loader', 'summary', 'opt', 'history'],
  ...[
    'seen',
    'users',
    'tracks',
    'catalogue',
    'names',
    'knows',
    'knowsTrack',
    'name',
    'histories',
    'heldOut',
    'recommender',
    'prediction',
    'makeRecommender',
    'scale',
    'usesHistory',
    'canFoldIn',
  ],
];

/** A learner of which anything is asked. */
type Asked = CollabLearner & Pick<LSTMLearner, 'scoresOf' | 'scoresOfMany'>;

/** What is refused then, and how it is asked for. */
const refused: Record<string, (learn: Asked) => unknown> = {
  dispose: (learn) => learn.dispose(),
  createOpt: (learn) => learn.createOpt(),
  freezeTo: (learn) => learn.freezeTo(0),
  freeze: (learn) => learn.freezeTo(0), // there may be one group only
  unfreeze: (learn) => learn.unfreeze(),
  fit: (learn) => learn.fit(1),
  fitOneCycle: (learn) => learn.fitOneCycle(1),
  fitFlatCos: (learn) => learn.fitFlatCos(1),
  fitSgdr: (learn) => learn.fitSgdr(1, 1),
  fineTune: (learn) => (learn.opt.groups.length > 1 ? learn.fineTune(1) : learn.fit(1)),
  resume: (learn) => learn.resume(),
  unfinished: (learn) => {
    learn.unfinished = undefined;
  },
  lrFind: (learn) => learn.lrFind(),
  validate: (learn) => learn.validate({ dsIdx: 0 }),
  getPreds: (learn) => learn.getPreds({ dsIdx: 0 }),
  showResults: (learn) => learn.showResults({ dsIdx: 0 }),
  save: (learn) => learn.save('while'),
  load: (learn) => learn.load('before'),
  settle: (learn) => learn.settle(),
  export: (learn) => learn.export('while'),
  recommend: (learn) => learn.recommend('user03'),
  recommendBatch: (learn) => learn.recommendBatch(['user03', 'user04']),
  similarTracks: (learn) => learn.similarTracks('track05'),
  scores: (learn) => learn.scores(Int32Array.of(0), out(learn)),
  scoresOf: (learn) => learn.scoresOf(Int32Array.of(0), out(learn)),
  scoresOfMany: (learn) => learn.scoresOfMany([Int32Array.of(0)], out(learn)),
  trackVectors: (learn) => learn.trackVectors(),
  similarUsers: (learn) =>
    learn instanceof LSTMLearner ? learn.settle() : learn.similarUsers('user03'), // of plays, which do not change
  userVectors: (learn) => learn.userVectors(),
  foldIn: (learn) => (learn.canFoldIn ? learn.foldIn(['track05']) : learn.settle()),
  bias: (learn) => learn.bias(),
  mostLiked: (learn) => learn.mostLiked(),
  leastLiked: (learn) => learn.leastLiked(),
  trackFactorsPca: (learn) => learn.trackFactorsPca(['track05', 'track06', 'track07']),
  explain: (learn) => learn.explain('user03', 'track05'),
};

/** All that can be called on a learner or read of it, but its own fields. */
function entryPoints(learn: object): string[] {
  const names = new Set<string>();
  for (let o = learn; o !== Object.prototype; o = Object.getPrototypeOf(o))
    for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(o) ?? {}))
      if (Object.getPrototypeOf(o) !== Object.prototype) names.add(name);
  names.delete('constructor');
  names.delete('toString');
  return [...names];
}

/** The message of the error that something ends in, at once or by its promise. */
async function outcome(ask: () => unknown): Promise<string> {
  try {
    await ask();
    return 'no error';
  } catch (error) {
    expect(error).to.be.instanceOf(ArgumentError);
    return (error as Error).message;
  }
}

describe('A learner that trains', () => {
  const folder = new TemporaryFolder();
  const plays = smallPlays();
  const learners: Record<string, () => Learner> = {
    CollabLearner: () => collabLearner(wholeLoaders(plays), { nFactors: 3, path: folder.path }),
    CollabNNLearner: () =>
      collabLearner(wholeLoaders(plays), { useNn: true, layers: [4], path: folder.path }),
    LightGCNLearner: () =>
      lightGCNLearner(CollabDataLoaders.fromPlays(plays, { negatives: { n: 1 }, bs: 16 }), {
        nFactors: 3,
        path: folder.path,
      }),
    LSTMLearner: () =>
      lstmLearner(wholeSequences(plays), { embSz: 4, layers: [4], path: folder.path }),
  };

  it('is of classes all of whose methods are on one of the two lists', () => {
    const names = new Set<string>();
    const classes = [TrainedLearner, CollabLearner, CollabNNLearner, LightGCNLearner, LSTMLearner];
    for (const { prototype } of classes)
      for (let of: object = prototype; of !== Object.prototype; of = Object.getPrototypeOf(of))
        for (const name of Object.getOwnPropertyNames(of))
          if (!['constructor', 'toString'].includes(name)) names.add(name);
    expect([...names].sort()).to.deep.equal(
      [...new Set([...allowed, ...Object.keys(refused)])].sort(),
    );
  });

  for (const [name, make] of Object.entries(learners)) {
    it(`answers nothing about weights on their way, and lets nobody change them (${name})`, async () => {
      const learn = make();
      await learn.fit(1);
      learn.save('before');
      const alone = make();
      await alone.fit(1);
      await alone.fit(2);
      let goOn = (): void => {};
      let arrived = (): void => {};
      const there = new Promise<void>((resolve) => (arrived = resolve));
      const gate = new Promise<void>((resolve) => (goOn = resolve));
      const wait: Callback = {
        name: 'wait',
        async afterEpoch({ epoch }) {
          if (epoch > 0) return;
          arrived();
          await gate;
        },
      };
      const asked = entryPoints(learn).filter((method) => refused[method]);
      expect(asked.length).to.be.greaterThan(20);
      const askAll = async (): Promise<void> => {
        for (const method of asked)
          expect(await outcome(() => refused[method](learn as Asked)), method).to.contain(
            'at work already: await the run',
          );
        for (const method of entryPoints(learn).filter((one) => allowed.includes(one))) {
          expect(() => {
            const value: unknown = (learn as unknown as Record<string, unknown>)[method];
            if (method === 'knows' || method === 'knowsTrack')
              (value as (id: string) => boolean).call(learn, 'user03');
            if (method === 'summary') (value as () => unknown).call(learn);
          }, method).to.not.throw();
        }
      };
      const run = learn.fit(2, undefined, { cbs: wait });
      expect(await outcome(() => refused.scores(learn as Asked)), 'at once').to.contain(
        'at work already',
      ); // before anything has been awaited
      await there;
      await askAll(); // while a callback waits for something
      goOn();
      await run;
      expect(learn.model.parameters.map(({ value }) => value.slice())).to.deep.equal(
        alone.model.parameters.map(({ value }) => value.slice()),
      );
      if (name !== 'LSTMLearner')
        expect(await outcome(() => refused.recommend(learn as Asked))).to.equal('no error');
    });
  }

  it('answers its own callbacks, after their awaits too, and those of SaveModel and of measuring', async () => {
    const learn = learners.CollabLearner() as CollabLearner;
    const found: number[] = [];
    const unheard = learn.tracks.classes.find(
      (id) => !learn.seen.row(3).includes(learn.tracks.index(id)),
    )!;
    const heldOut = Plays.fromRows([{ user: 'user03', track: unheard }]);
    const measure: Callback = {
      name: 'measure',
      afterTrain: ({ epoch }) =>
        void found.push((learn.recommend('user03').length * 10 + epoch) | 0),
      async afterEpoch() {
        await new Promise((resolve) => setTimeout(resolve, 1));
        found.push(learn.bias().length, evaluateRecommender(learn, heldOut).users);
        learn.save('within');
        learn.export('within');
        found.push((await learn.getPreds({ dsIdx: 0 })).preds.length);
      },
      afterBatch: () => void learn.similarTracks('track05'),
    };
    await learn.fit(2, undefined, {
      cbs: [
        measure,
        new SaveModel({ monitor: 'train_loss', fname: path.join(folder.path, 'best') }),
      ],
    });
    expect(found).to.deep.equal([100, 30, 1, plays.length, 101, 30, 1, plays.length]);
  });

  it('does not answer the callbacks of another', async () => {
    const [learn, other] = [learners.CollabLearner() as CollabLearner, learners.CollabLearner()];
    let message = '';
    let done = (): void => {};
    const asked = new Promise<void>((resolve) => (done = resolve));
    const run = learn.fit(1, undefined, { cbs: { name: 'wait', beforeEpoch: () => asked } });
    await other.fit(1, undefined, {
      cbs: {
        name: 'ask',
        afterEpoch: async () => {
          message = await outcome(() => learn.recommend('user03'));
          done();
        },
      },
    });
    await run;
    expect(message).to.contain('at work already');
  });

  it('is not asked by way of what it is part of', async () => {
    const dls = wholeLoaders(plays);
    const plain = new Learner(dls, new EmbeddingDotBias(3, dls.classes));
    const own = new LearnerRecommender(plain);
    const run = plain.fit(1);
    expect(await outcome(() => own.recommend('user03'))).to.contain('at work already');
    await run;
    const sequences = wholeSequences(plays);
    const lstm = await trainModel(
      new LSTMModel(sequences.classes, { embSz: 4, layers: [4] }),
      sequences,
      { epochs: 1 },
    );
    const next = new LSTMRecommender(lstm);
    const again = lstm.fit(1);
    expect(await outcome(() => next.recommend('user03'))).to.contain('at work already');
    expect(lstm.history.length).to.equal(1);
    await again;
    const collab = learners.CollabLearner() as CollabLearner;
    await collab.fit(1);
    const folded = collab.foldIn(['track05']);
    const third = collab.fit(1);
    expect(folded.recommend().length).to.equal(10);
    expect(await outcome(() => folded.explain('track06'))).to.contain('at work already');
    await third;
  });

  it('may be read while it validates', async () => {
    const learn = learners.CollabLearner() as CollabLearner;
    const validating = learn.validate({ dsIdx: 0 });
    expect(learn.recommend('user03').length).to.equal(10);
    expect(await outcome(() => learn.fit(1))).to.contain('at work already');
    await validating;
  });
});
