import { Random } from '../../lib/recital/compute/random.js';
import type { Chart } from '../../lib/recital/data/output.js';
import { Table } from '../../lib/recital/data/table.js';
import {
  barChart,
  heatmap,
  histogram,
  lineChart,
  scatter,
} from '../../lib/recital/display/index.js';
import { comparisonChart, tradeOffChart } from '../../lib/recital/evaluation/comparison.js';
import { SearchResult, type SearchTrial } from '../../lib/recital/evaluation/search.js';
import type { ComparisonRow } from '../../lib/recital/evaluation/statistics.js';
import { plotLoss, plotLrFind, plotSched } from '../../lib/recital/learner/plots.js';
import type { Recorder } from '../../lib/recital/learner/recorder.js';

const random = new Random(1);
const names = ['Björk', 'Can', 'Air', 'Neu!', 'Low', 'Yo La Tengo', 'Stereolab', 'Broadcast'];
const table = new Table({
  artist: names,
  genre: names.map((_, i) => ['rock', 'pop', 'jazz'][i % 3]),
  plays: names.map((_, i) => (i + 1) ** 2),
  loudness: names.map(() => -20 + 15 * random.uniform()),
  tempo: names.map(() => 80 + 100 * random.uniform()),
  step: names.map((_, i) => i),
});
const many = names.map((name, i) => ({ name, values: names.map((_, j) => 1 / (1 + i + j)) }));

/**
 * One chart of every kind that is made from a table, in every variety that has colours or texts of
 * its own.
 */
export const tableCharts: Record<string, () => Chart> = {
  heatmap: () =>
    heatmap(
      {
        labels: names,
        values: names.flatMap((_, i) => names.map((_, j) => Math.cos((i - j) / 2.3))),
      },
      { title: 'Correlation of artists' },
    ),
  'standing bars': () => barChart(table, { x: 'artist', y: 'plays', title: 'Plays' }),
  'lying bars': () => barChart(table, { x: 'loudness', y: 'artist', title: 'Loudness of artists' }),
  histogram: () => histogram(table, 'tempo', { title: 'Tempo' }),
  histograms: () => histogram(table, ['plays', 'loudness', 'tempo', 'step'], { title: 'Features' }),
  'logarithmic histogram': () => histogram(table, 'plays', { title: 'Plays', scale: 'log' }),
  line: () => lineChart(table, { x: 'step', y: 'tempo', title: 'Tempo by step' }),
  lines: () =>
    lineChart(
      new Table({
        step: table.column('step'),
        ...Object.fromEntries(many.map((line) => [line.name, line.values])),
      }),
      {
        x: 'step',
        y: names.slice(0, 7),
        title: 'Seven lines',
        yTitle: 'share',
      },
    ),
  scatter: () => scatter(table, { x: 'tempo', y: 'loudness', label: 'artist', title: 'Sound' }),
  'scatter by category': () =>
    scatter(table, {
      x: 'tempo',
      y: 'loudness',
      label: 'artist',
      color: 'genre',
      title: 'Sound by genre',
    }),
  'scatter by number': () =>
    scatter(table, { x: 'tempo', y: 'loudness', color: 'plays', title: 'Sound by plays' }),
};

const steps = Array.from({ length: 60 }, (_, i) => i);
const recorder = {
  losses: steps.map((i) => 0.7 * 0.98 ** i),
  iters: [20, 40, 60],
  values: [0.65, 0.5, 0.42].map((valid) => [null, valid]),
  hps: {
    lr: steps.map((i) => 1e-3 * Math.sin(((i + 1) / 61) * Math.PI)),
    mom: steps.map((i) => 0.95 - 0.001 * i),
  },
} as unknown as Recorder;
const row = (metric: string, recommender: string, mean: number): ComparisonRow =>
  ({ recommender, metric, mean, low: mean - 0.02, high: mean + 0.02 }) as ComparisonRow;
const compared = (metric: string): ComparisonRow[] =>
  ['EASE', 'ALS', 'Popularity'].map((name, i) => row(metric, name, 0.2 - 0.05 * i));
const search = (): Chart =>
  new SearchResult(
    [32, 16, 8].map((factors, i) => ({
      trial: 2 - i,
      settings: { factors },
      score: 0.14 - i / 50,
    })) as unknown as SearchTrial[],
    { factors: { min: 8, max: 64, log: true } },
    'ndcg@10',
    false,
  ).plot('factors');

/**
 * The charts that the library makes of its own results; showing them is left to the display in
 * force.
 */
export const resultCharts: Record<string, () => Chart> = {
  'losses of a run': () => plotLoss(recorder, { skipStart: 0 }),
  'schedules of a run': () => plotSched(recorder),
  'learning rate finder': () =>
    plotLrFind({
      lrs: steps.map((i) => 1e-6 * 1.2 ** i),
      losses: steps.map((i) => 0.7 + (i - 40) ** 2 / 5000),
      points: { valley: { value: 1e-4, lr: 1e-4, loss: 0.8 } },
    }),
  'comparison of recommenders': () => comparisonChart(compared('ndcg@10'), { confidence: 0.95 }),
  'trade-off of recommenders': () =>
    tradeOffChart(compared('novelty@10'), compared('ndcg@10'), { confidence: 0.95 }),
  'trade-off without intervals': () =>
    tradeOffChart(
      compared('coverage@10').map((of) => ({ ...of, low: null, high: null })),
      compared('ndcg@10'),
      { confidence: 0.95 },
    ),
  'trials of a search': search,
};
