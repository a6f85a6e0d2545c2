import { existsSync } from 'node:fs';
import path from 'node:path';
import { setCompute } from '../../lib/recital/compute/threads.js';
import { readSessions, Sessions } from '../../lib/recital/data/sessions.js';
import { Table } from '../../lib/recital/data/table.js';
import { DataError } from '../../lib/recital/errors.js';
import {
  evaluateNextItem,
  type NextItemEvaluation,
} from '../../lib/recital/evaluation/next-track.js';
import { fuse } from '../../lib/recital/hybrid/fit-hybrid.js';
import { WeightedSum } from '../../lib/recital/hybrid/hybrid.js';
import type { LSTMLearner } from '../../lib/recital/sequential/lstm.js';
import {
  Markov,
  NextItemKNN,
  SequentialRules,
} from '../../lib/recital/sequential/markov-and-rules.js';
import {
  NextItemPopularity,
  type SequenceRecommender,
} from '../../lib/recital/sequential/sequence-recommender.js';
import { SessionKNN, STAN } from '../../lib/recital/sequential/session-knn.js';

import { type Benchmark, main } from './support/benchmark.js';
import { type Figure, figure } from './support/figures.js';
import { trainGru } from './support/gru.js';
import { count } from './support/options.js';

const options = {
  sample: count(0, 'cases to evaluate, drawn at random; 0: all 89,824', { least: 0 }),
  fit: count(2000, 'cases to fit the weights of the sums on'),
  gru: count(1, 'seeds to train the recurrent model with, some minutes each; 0: without it', {
    least: 0,
  }),
  epochs: count(8, 'epochs of its training'),
  curve: count(
    0,
    'cases to measure it on after each epoch, of the last 5 % of the training sessions; 0: none',
    { least: 0 },
  ),
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
  trainS: number;
  evaluateS: number;
  peakMB: number;
}

/** Next-track methods on #nowplaying. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'nowplaying: every track of the 14,479 test sessions but the first is predicted from those before it, ranking all 60,416 tracks; P@20 is the share of\n' +
    `cases whose next track is among the first ${K}, ties at their expected value. Weights of sums are fitted on the last ${100 * LATE} % of the training sessions,\n` +
    'with methods trained on the others, and then serve methods trained on all. Figures: cases missed at 20 in %, and seconds to train and evaluate.\n' +
    'Kernels are those of the fast build.',
  options,
  async run({ sample, fit, gru, epochs, curve }) {
    setCompute({ reproducible: false });
    const { train, test } = await nowplaying();
    const measured: Measured[] = [];
    const measure = async <R extends SequenceRecommender>(
      make: () => R | Promise<R>,
      name?: string,
    ): Promise<R> => {
      const started = performance.now();
      const recommender = await make();
      const trained = performance.now();
      const evaluation = evaluateNextItem(recommender, test, {
        k: K,
        ...(sample > 0 && { sample }),
      });
      const [trainS, evaluateS] = [
        (trained - started) / 1000,
        (performance.now() - trained) / 1000,
      ];
      measured.push({
        name: name ?? recommender.name,
        evaluation,
        trainS,
        evaluateS,
        peakMB: process.resourceUsage().maxRSS / 1024,
      });
      return recommender;
    };
    await measure(() => new NextItemPopularity(train), 'Popularity');
    await measure(() => new NextItemKNN(train, { decay: 0 }));
    const counting: SequenceRecommender[] = [];
    for (const make of METHODS) counting.push(await measure(() => make(train)));
    const [markov, sessionKNN, rules] = counting;
    await measure(() => new WeightedSum([markov, sessionKNN, rules]));
    const { early, late } = lateApart(train);
    const fitted = METHODS.map((make) => make(early));
    const weights = fuse(fitted, late, { k: K, sample: fit }).weights;
    await measure(() => new WeightedSum(counting, { weights }), 'All five, weights fitted');
    const lines = [`weights of ${counting.map((r) => r.name).join(', ')}: ${shown(weights)}`];
    if (gru > 0) {
      const afterEpoch = (learn: LSTMLearner, epoch: number): void => {
        if (curve > 0)
          lines.push(
            `GRU trained on the others, on the last ${100 * LATE} %, epoch ${epoch}: ${quality(evaluateNextItem(learn, late, { k: K, sample: curve }))}`,
          );
      };
      const young = await trainGru(early, { epochs, seed: 0, afterEpoch });
      const withGru = fuse([...fitted, young], late, { k: K, sample: fit }).weights;
      lines.push(`weights with the GRU as the last: ${shown(withGru)}`);
      for (let seed = 1; seed <= gru; seed++) {
        const learn = await measure(() => trainGru(train, { epochs, seed }), `GRU, seed ${seed}`);
        await measure(
          () => new WeightedSum([...counting, learn], { weights: withGru }),
          `All six, weights fitted, seed ${seed}`,
        );
      }
    }
    console.log(`${table(measured)}\n\n${lines.join('\n')}`);
    return measured.flatMap(figuresOf);
  },
};

/** Methods that count, which a sum is made of: Markov, session-kNN and rules first. */
const METHODS: readonly ((sessions: Sessions) => SequenceRecommender)[] = [
  (sessions) => new Markov(sessions),
  (sessions) => new SessionKNN(sessions),
  (sessions) => new SequentialRules(sessions),
  (sessions) => new NextItemKNN(sessions),
  (sessions) => new STAN(sessions, { ageScale: AGE_SCALE }),
];

async function nowplaying(): Promise<{ train: Sessions; test: Sessions }> {
  const folder = path.resolve(__dirname, '../../../shared/data/nowplaying');
  if (!existsSync(folder)) {
    throw new DataError(
      `There is no ${folder}. This benchmark needs train_sessions.txt.gz and test_sessions.txt.gz of #nowplaying there.`,
    );
  }
  const train = await readSessions(path.join(folder, 'train_sessions.txt.gz'));
  return {
    train,
    test: await readSessions(path.join(folder, 'test_sessions.txt.gz'), { items: train.items }),
  };
}

/** The training sessions without the last ones, and those. */
function lateApart(train: Sessions): { early: Sessions; late: Sessions } {
  const { items, indptr, item } = train;
  const cut = Math.round((1 - LATE) * train.length);
  const at = indptr[cut];
  return {
    early: new Sessions(items, indptr.slice(0, cut + 1), item.slice(0, at)),
    late: new Sessions(
      items,
      indptr.slice(cut).map((end) => end - at),
      item.slice(at),
    ),
  };
}

const shown = (weights: readonly number[]): string => weights.map((w) => w.toFixed(2)).join(', ');
const percent = (share: number): string => (100 * share).toFixed(2);
const quality = ({ hitRate, mrr }: NextItemEvaluation): string =>
  `P@${K} ${percent(hitRate)} %, MRR@${K} ${percent(mrr)} %`;

function table(measured: readonly Measured[]): Table {
  return Table.fromRows(
    measured.map(({ name, evaluation, trainS, evaluateS, peakMB }) => ({
      '': name,
      [`P@${K} %`]: percent(evaluation.hitRate),
      [`MRR@${K} %`]: percent(evaluation.mrr),
      [`NDCG@${K} %`]: percent(evaluation.ndcg),
      cases: evaluation.cases,
      's to train': trainS.toFixed(1),
      's to evaluate': evaluateS.toFixed(1),
      'peak MB': peakMB.toFixed(0),
    })),
  );
}

function figuresOf({ name, evaluation, trainS, evaluateS, peakMB }: Measured): Figure[] {
  return [
    figure(`nowplaying ${name} missed`, 100 * (1 - evaluation.hitRate), '%', peakMB),
    figure(`nowplaying ${name} time`, trainS + evaluateS, 's', peakMB),
  ];
}

if (require.main === module) void main(benchmark);
