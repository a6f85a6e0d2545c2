import { existsSync } from 'node:fs';
import path from 'node:path';
import { readSessions, type Sessions } from '../../lib/data/sessions.js';
import { Table } from '../../lib/data/table.js';
import { DataError } from '../../lib/errors.js';
import { NextItemKNN } from '../../lib/recommend/item-knn-next.js';
import { Markov } from '../../lib/recommend/markov.js';
import type { SequenceRecommender } from '../../lib/recommend/next-item.js';
import { evaluateNextItem, type NextItemEvaluation } from '../../lib/recommend/next-item-evaluate.js';
import { fuse } from '../../lib/recommend/next-item-fuse.js';
import { NextItemPopularity } from '../../lib/recommend/next-item-popularity.js';
import { WeightedSum } from '../../lib/recommend/next-item-sum.js';
import { SequentialRules } from '../../lib/recommend/sequential-rules.js';
import { SessionKNN } from '../../lib/recommend/session-knn.js';
import { STAN } from '../../lib/recommend/session-knn-stan.js';
import { type Benchmark, main } from './support/benchmark.js';
import { type Figure, figure } from './support/figures.js';
import { count } from './support/options.js';

const options = {
  sample: count(0, 'cases to evaluate, drawn at random; 0: all 89,824', { least: 0 }),
  fit: count(2000, 'cases to fit the weights of the sum on'),
};

const K = 20;
/** Share of the training sessions, the last ones of the file, on which weights are fitted. */
const LATE = 0.05;
/** The training sessions are in order of time, so that newer ones can count more. */
const AGE_SCALE = 0.5;

/** One method's outcome and what it took. */
interface Measured {
  name: string;
  evaluation: NextItemEvaluation;
  seconds: number;
  peakMB: number;
}

/** Next-track methods on #nowplaying. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'nowplaying: every track of the 14,479 test sessions but the first is predicted from those before it, ranking all 60,416 tracks; P@20 is the share of\n' +
    `cases whose next track is among the first ${K}, ties have their middle rank. Weights of the sum are fitted on the last ${100 * LATE} % of the training sessions,\n` +
    'with methods trained on the others, and then serve methods trained on all. Figures: cases missed at 20 in %, and seconds to train and evaluate.',
  options,
  async run({ sample, fit }) {
    const { train, test } = await nowplaying();
    const measured: Measured[] = [];
    const measure = (make: () => SequenceRecommender, name?: string): SequenceRecommender => {
      const started = performance.now();
      const recommender = make();
      const evaluation = evaluateNextItem(recommender, test, { k: K, ...(sample > 0 && { sample }) });
      const seconds = (performance.now() - started) / 1000;
      measured.push({ name: name ?? recommender.name, evaluation, seconds, peakMB: process.resourceUsage().maxRSS / 1024 });
      return recommender;
    };
    measure(() => new NextItemPopularity(train), 'Popularity');
    const markov = measure(() => new Markov(train));
    measure(() => new NextItemKNN(train, { decay: 0 }));
    const itemKNN = measure(() => new NextItemKNN(train));
    const rules = measure(() => new SequentialRules(train));
    const sessionKNN = measure(() => new SessionKNN(train));
    const stan = measure(() => new STAN(train, { ageScale: AGE_SCALE }));
    measure(() => new WeightedSum([markov, sessionKNN, rules]));
    const weights = fittedWeights(train, fit);
    measure(() => new WeightedSum([markov, sessionKNN, rules, itemKNN, stan], { weights }), 'All five, weights fitted');
    console.log(String(table(measured)));
    console.log(`\nweights of Markov, session-kNN, rules, item-kNN, STAN: ${weights.map((w) => w.toFixed(2)).join(', ')}`);
    return measured.flatMap(figuresOf);
  },
};

async function nowplaying(): Promise<{ train: Sessions; test: Sessions }> {
  const folder = path.resolve(__dirname, '../../../shared/data/nowplaying');
  if (!existsSync(folder)) {
    throw new DataError(`There is no ${folder}. This benchmark needs train_sessions.txt.gz and test_sessions.txt.gz of #nowplaying there.`);
  }
  const train = await readSessions(path.join(folder, 'train_sessions.txt.gz'));
  return { train, test: await readSessions(path.join(folder, 'test_sessions.txt.gz'), { items: train.items }) };
}

/** Weights of Markov, session-kNN, rules, item-kNN and STAN. */
function fittedWeights(train: Sessions, sample: number): readonly number[] {
  const numbers = Int32Array.from({ length: train.length }, (_, s) => s);
  const cut = Math.round((1 - LATE) * train.length);
  const early = train.take(numbers.subarray(0, cut));
  const methods = [
    new Markov(early),
    new SessionKNN(early),
    new SequentialRules(early),
    new NextItemKNN(early),
    new STAN(early, { ageScale: AGE_SCALE }),
  ];
  return fuse(methods, train.take(numbers.subarray(cut)), { k: K, sample }).weights;
}

function table(measured: readonly Measured[]): Table {
  const percent = (share: number): string => (100 * share).toFixed(2);
  return Table.fromRows(
    measured.map(({ name, evaluation, seconds, peakMB }) => ({
      '': name,
      [`P@${K} %`]: percent(evaluation.hitRate),
      [`MRR@${K} %`]: percent(evaluation.mrr),
      [`NDCG@${K} %`]: percent(evaluation.ndcg),
      cases: evaluation.cases,
      s: seconds.toFixed(1),
      'peak MB': peakMB.toFixed(0),
    })),
  );
}

function figuresOf({ name, evaluation, seconds, peakMB }: Measured): Figure[] {
  return [figure(`nowplaying ${name} missed`, 100 * (1 - evaluation.hitRate), '%', peakMB), figure(`nowplaying ${name} time`, seconds, 's', peakMB)];
}

if (require.main === module) void main(benchmark);
