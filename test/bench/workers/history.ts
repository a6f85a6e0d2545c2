// One stage of work on the whole history, in a process of its own: STAGE FILE DIR A B (threads: the
// environment variable RECITAL_THREADS). A and B are the numbers that the stage takes; DIR is where
// ALS leaves its model for the evaluation.
import path from 'node:path';
import {
  ALS,
  BCEWithLogitsLossFlat,
  CollabDataLoaders,
  collabLearner,
  evaluate,
  interactionMatrix,
  loadRecommender,
  lstmLearner,
  noLogging,
  PCA,
  type Plays,
  type PlaysSplit,
  Popularity,
  perUserSplit,
  readPlays,
  SequenceDataLoaders,
  splitPlays,
} from '../../../lib/recital/index.js';
import { report } from '../support/process.js';

interface Given {
  /** Where ALS leaves its model. */
  readonly model: string;
  /** Runs work and returns its seconds. */
  time(work: () => unknown): Promise<number>;
  readonly a: number;
  readonly b: number;
}

type Stage = (plays: Plays, given: Given) => Promise<Record<string, number>>;

const split = (plays: Plays): PlaysSplit => splitPlays(plays, perUserSplit(plays));

const stages: Readonly<Record<string, Stage>> = {
  async loaders(plays, { time, a: bs }) {
    let rows = 0;
    const seconds = await time(() => {
      rows = CollabDataLoaders.fromPlays(plays, { bs }).train.n;
    });
    return { seconds, rows };
  },

  async collab(plays, { time, a: bs, b: nFactors }) {
    const dls = CollabDataLoaders.fromPlays(plays, { bs });
    const learn = collabLearner(dls, { nFactors, lossFunc: new BCEWithLogitsLossFlat() });
    const seconds = await time(() => noLogging(() => learn.fitOneCycle(1, 5e-3)));
    return { seconds, steps: dls.train.length, validLoss: learn.recorder.values[0][1] as number };
  },

  async lstm(plays, { time, a: bs, b: users }) {
    const dls = SequenceDataLoaders.fromPlays(plays.sampleUsers(users), { bs });
    const learn = lstmLearner(dls);
    const seconds = await time(() => noLogging(() => learn.fitOneCycle(1, 3e-3)));
    return {
      seconds,
      steps: dls.train.length,
      windows: dls.train.n,
      tracks: dls.classes.item.length,
    };
  },

  async als(plays, { time, model, a: factors, b: iterations }) {
    const { train } = split(plays);
    let als: ALS | undefined;
    const seconds = await time(async () => {
      als = await ALS.fit(train, { factors, iterations });
    });
    als!.export(model);
    return { seconds, rows: train.length };
  },

  async pca(plays, { time, a: nComponents }) {
    const seconds = await time(() =>
      new PCA({ nComponents }).fit(interactionMatrix(plays, { value: 'binary' })),
    );
    return { seconds };
  },

  async evaluate(plays, { time, model, a: users, b: k }) {
    const parts = split(plays);
    const recommenders = [new Popularity(parts.train), loadRecommender(model, { type: ALS })];
    const sample = parts.test!.sampleUsers(users).users.classes;
    let ndcg: Float64Array = new Float64Array(0);
    const seconds = await time(async () => {
      ndcg = (await evaluate(recommenders, parts, { k, users: sample })).numbers(`ndcg@${k}`);
    });
    return { seconds, popularity: ndcg[0], als: ndcg[1] };
  },
};

async function run([stage, file, dir, a, b]: string[]): Promise<void> {
  if (!(stage in stages))
    throw new Error(`No stage "${stage}"; there are ${Object.keys(stages).join(', ')}.`);
  const plays = await readPlays(file);
  const time = async (work: () => unknown): Promise<number> => {
    const started = performance.now();
    await work();
    return (performance.now() - started) / 1000;
  };
  report(
    await stages[stage](plays, {
      model: path.join(dir, 'als.safetensors'),
      time,
      a: Number(a),
      b: Number(b),
    }),
  );
}

void run(process.argv.slice(2));
