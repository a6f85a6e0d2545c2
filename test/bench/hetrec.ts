import { existsSync } from 'node:fs';
import path from 'node:path';
import { CollabDataLoaders } from '../../lib/recital/data/collab.js';
import { type HetRec, readHetRec } from '../../lib/recital/data/files/hetrec.js';
import type { Plays } from '../../lib/recital/data/plays.js';
import { perUserSplit } from '../../lib/recital/data/splits.js';
import { Table } from '../../lib/recital/data/table.js';
import { DataError } from '../../lib/recital/errors.js';
import { evaluateRecommender } from '../../lib/recital/evaluation/evaluate-recommender.js';
import { withSeen } from '../../lib/recital/evaluation/held-out.js';
import { fitHybrid } from '../../lib/recital/hybrid/fit-hybrid.js';
import { noLogging } from '../../lib/recital/index.js';
import { type Callback, CancelFitException } from '../../lib/recital/learner/callback.js';

import { BPRLoss } from '../../lib/recital/nn/losses.js';
import { Popularity } from '../../lib/recital/recommend/baselines/popularity.js';
import { ALS, type ALSOptions } from '../../lib/recital/recommend/factors/als.js';
import { collabLearner } from '../../lib/recital/recommend/learners/collab.js';
import { lightGCNLearner } from '../../lib/recital/recommend/learners/light-gcn.js';
import { EASE, type EASEOptions } from '../../lib/recital/recommend/neighbours/ease.js';
import { ItemKNN, UserKNN } from '../../lib/recital/recommend/neighbours/knn.js';
import { RP3beta } from '../../lib/recital/recommend/neighbours/rp3beta.js';
import type { Recommender } from '../../lib/recital/recommend/recommender.js';
import { type Benchmark, main } from './support/benchmark.js';
import { type Figure, figure } from './support/figures.js';
import { Friends } from './support/friends.js';
import { count, flag } from './support/options.js';
import { tagRows } from './support/tag-rows.js';

const options = {
  splits: count(5, 'random splits; means and standard deviations are over these'),
  learners: flag(false, 'train BPR and LightGCN too, some minutes a split'),
};

const K = 10;

/** What one method reached on the splits. */
interface Measured {
  readonly recall: number[];
  readonly ndcg: number[];
  readonly seconds: number[];
  readonly chosen: string[];
}

/** One split of the plays, and what is known beside them. */
interface Data {
  readonly train: Plays;
  readonly valid: Plays;
  readonly test: Plays;
  readonly hetrec: HetRec;
  readonly heldOut: Plays;
}

/** Settings of EASE that validation chooses among: on plays alone, and with tags. */
const easeGrid: EASEOptions[] = [0.15, 0.2, 0.25].flatMap((popularityPower) =>
  [80, 120, 180].map((lambda) => ({ popularityPower, lambda })),
);
const tagGrid: EASEOptions[] = [
  { popularityPower: 0.1, sideWeight: 0.7, lambda: 100 },
  { popularityPower: 0.15, sideWeight: 0.5, lambda: 100 },
  { popularityPower: 0.15, sideWeight: 0.7, lambda: 130 },
  { popularityPower: 0.15, sideWeight: 1, lambda: 100 },
];

const alsGrid: ALSOptions[] = [
  { alpha: 1, regularization: 30 },
  { alpha: 2, regularization: 50 },
  { alpha: 3, regularization: 80 },
];

/** All recommenders on HetRec Last.fm, as RecBole measures. */
export const benchmark: Benchmark<typeof options> = {
  about:
    "hetrec: artists for the 1,892 users of HetRec Last.fm-2K; each user's plays split at random 8:1:1, trained on the 8, the whole catalogue ranked,\n" +
    'training and validation masked, recall and NDCG at 10, means over users, then over splits. Settings and weights are chosen on validation alone. Tags\n' +
    'that a user gave to an artist held out for them are not used. Published for this protocol (RecBole-GNN): BPR .1761/.1674, LightGCN .2064/.1972,\n' +
    'MHCN .2123/.2068. Figures: recall and NDCG missed in %, and seconds to train.',
  options,
  async run({ splits, learners }) {
    const hetrec = await hetRec();
    const measured = new Map<string, Measured>();
    for (let seed = 1; seed <= splits; seed++) {
      const { train, valid, test } = perUserSplit(hetrec.plays, { seed });
      const { plays } = hetrec;
      const heldOut = plays.take([...valid, ...test!]);
      await oneSplit(
        {
          train: plays.take(train),
          valid: plays.take(valid),
          test: plays.take(test!),
          hetrec,
          heldOut,
        },
        learners,
        measured,
      );
      console.error(`split ${seed} of ${splits} is done`);
    }
    console.log(String(table(measured)));
    const peakMB = process.resourceUsage().maxRSS / 1024;
    return [...measured].flatMap(([name, m]) => figuresOf(name, m, peakMB));
  },
};

async function hetRec(): Promise<HetRec> {
  const folder = path.resolve(__dirname, '../../../shared/data');
  if (!existsSync(folder))
    throw new DataError(
      `There is no ${folder}. This benchmark needs hetrec2011-lastfm-2k.zip there.`,
    );
  return readHetRec(folder);
}

async function oneSplit(
  data: Data,
  learners: boolean,
  measured: Map<string, Measured>,
): Promise<void> {
  const { train, valid, test, hetrec } = data;
  const measure = async <R extends Recommender>(
    name: string,
    make: () => R | Promise<R>,
    chosen?: (r: R) => string,
  ): Promise<R> => {
    const started = performance.now();
    const recommender = await make();
    const seconds = (performance.now() - started) / 1000;
    const { recall, ndcg } = evaluateRecommender(withSeen(recommender, valid), test, { k: K });
    const m = measured.get(name) ?? { recall: [], ndcg: [], seconds: [], chosen: [] };
    measured.set(name, m);
    m.recall.push(recall);
    m.ndcg.push(ndcg);
    m.seconds.push(seconds);
    if (chosen) m.chosen.push(chosen(recommender));
    return recommender;
  };
  const fitEase = (o: EASEOptions): Promise<EASE> => EASE.fit(train, { value: 'log', ...o });
  const settings = ({ options: { lambda, popularityPower, sideWeight, value } }: EASE): string =>
    `λ ${lambda}, power ${popularityPower}, side ${sideWeight}, ${value}`;
  const weights = (r: { weights: readonly number[] }): string =>
    r.weights.map((w) => w.toFixed(2)).join(' ');
  await measure('Popularity', () => new Popularity(train));
  const userKNN = await measure('UserKNN', () => new UserKNN(train, { value: 'log' }));
  const itemKNN = await measure('ItemKNN', () => new ItemKNN(train, { value: 'log', shrink: 10 }));
  const rp3beta = await measure('RP3beta', () => new RP3beta(train, { beta: 0.3 }));
  const als = await measure(
    'ALS',
    () => best(data, alsGrid, (o) => ALS.fit(train, { factors: 64, value: 'log', ...o })),
    ({ options: { alpha, regularization } }) => `alpha ${alpha}, regularization ${regularization}`,
  );
  if (learners) {
    await measure('BPR', () => bpr(data));
    await measure('LightGCN', () => lightGCN(data));
  }
  const ease = await measure('EASE', () => best(data, easeGrid, fitEase), settings);
  await measure(
    'Hybrid of plays',
    () => fitHybrid([ease, rp3beta, als, userKNN, itemKNN], valid, { k: K }),
    weights,
  );
  const sideRows = tagRows(hetrec.tags, { heldOut: data.heldOut });
  const tags = await measure(
    'EASE with tags',
    () => best(data, tagGrid, (o) => fitEase({ ...o, sideRows })),
    settings,
  );
  const friends = new Friends(train, { friends: hetrec.friends });
  await measure(
    'Hybrid with tags and friends',
    () => fitHybrid([tags, ease, friends, rp3beta, als], valid, { k: K }),
    weights,
  );
}

/** The recommender with the highest NDCG on validation. */
async function best<O, R extends Recommender>(
  { valid }: Data,
  grid: readonly O[],
  make: (options: O) => Promise<R>,
): Promise<R> {
  let found: { recommender: R; ndcg: number } | undefined;
  for (const each of grid) {
    const recommender = await make(each);
    const { ndcg } = evaluateRecommender(recommender, valid, { k: K });
    if (!found || ndcg > found.ndcg) found = { recommender, ndcg };
  }
  return found!.recommender;
}

function loaders({ train }: Data, bs = 4096): CollabDataLoaders {
  return CollabDataLoaders.fromPlays(train, {
    negatives: { n: 1 },
    bs,
    split: { train: Int32Array.from(train.user.keys()), valid: [] },
  });
}

async function bpr(data: Data): Promise<Recommender> {
  const learn = collabLearner(loaders(data), { nFactors: 64, lossFunc: new BPRLoss() });
  await noLogging(() => learn.fitOneCycle(40, 0.01, { wd: 0.1 }));
  return learn;
}

/**
 * As RecBole-GNN trains it (4,096 pairs a batch, Adam as PyTorch's, reg 1e-5), at five times its
 * rate; the epoch is the best one on validation.
 */
async function lightGCN(data: Data): Promise<Recommender> {
  const learn = lightGCNLearner(loaders(data, 8192), { nFactors: 64, layers: 3 });
  const best = { ndcg: 0, epoch: 0, weights: new Float32Array(0) };
  const look: Callback = {
    name: 'look',
    afterEpoch: ({ epoch }) => {
      if (epoch % 5 !== 4) return;
      const { ndcg } = evaluateRecommender(learn, data.valid, { k: K });
      if (ndcg > best.ndcg)
        Object.assign(best, { ndcg, epoch, weights: learn.model.weight.value.slice() });
      else if (epoch >= best.epoch + 50) throw new CancelFitException();
    },
  };
  await noLogging(() => learn.fit(1000, 5e-3, { cbs: look }));
  learn.model.weight.value.set(best.weights);
  return learn;
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Mean ± standard deviation, as papers write them. */
function text(values: readonly number[]): string {
  const m = mean(values);
  const deviation = Math.sqrt(
    mean(values.map((v) => (v - m) ** 2)) * (values.length / Math.max(1, values.length - 1)),
  );
  return values.length === 1 ? m.toFixed(4) : `${m.toFixed(4)} ± ${deviation.toFixed(4)}`;
}

function table(measured: ReadonlyMap<string, Measured>): Table {
  return Table.fromRows(
    Array.from(measured, ([name, { recall, ndcg, seconds, chosen }]) => ({
      '': name,
      [`recall@${K}`]: text(recall),
      [`NDCG@${K}`]: text(ndcg),
      's to train': mean(seconds).toFixed(1),
      'chosen on validation': [...new Set(chosen)].join(' | '),
    })),
  );
}

function figuresOf(name: string, { recall, ndcg, seconds }: Measured, peakMB: number): Figure[] {
  return [
    figure(`hetrec ${name} recall missed`, 100 * (1 - mean(recall)), '%', peakMB),
    figure(`hetrec ${name} NDCG missed`, 100 * (1 - mean(ndcg)), '%', peakMB),
    figure(`hetrec ${name} time`, mean(seconds), 's', peakMB),
  ];
}

if (require.main === module) void main(benchmark);
