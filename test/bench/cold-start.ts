import path from 'node:path';
import {
  ContentRecommender,
  type ContentRecommenderOptions,
  coldTrackSplit,
  evaluateColdTracks,
  evaluateRecommender,
  type Plays,
  type Recommender,
  readPlays,
  Table,
} from '../../lib/recital/index.js';
import { type Benchmark, main } from './support/benchmark.js';
import { GenrePopularity, RandomTracks, RawFeatures } from './support/cold-start.js';
import { type Figure, figure } from './support/figures.js';
import { count, flag } from './support/options.js';

const options = {
  seeds: count(5, 'times that other tracks are hidden; figures are means and standard deviations'),
  validation: flag(
    false,
    'measure on a tenth of the tracks that are left when a tenth is hidden: what settings are chosen by',
  ),
};

const METRICS = ['ndcg', 'recall', 'hitRate'] as const;

/** Settings that are measured. The first is the default. */
const settings: readonly [name: string, options: ContentRecommenderOptions][] = [
  ['Content: PCA, 95 %', {}],
  ['… 80 %', { nComponents: 0.8 }],
  ['… binary', { value: 'binary' }],
  ['… count', { value: 'count' }],
  ['… genre', { genre: true }],
  ['… tags', { tags: true }],
  ['… tags 1', { tags: 1 }],
  ['… tags 4', { tags: 4 }],
  ['… tags, genre', { tags: true, genre: true }],
];

/** How tracks that nobody has played are recommended. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'cold-start: a tenth of the played tracks of the sample is hidden with all plays of them, as if they were new. "hidden": how they are ranked among themselves\n' +
    'for each user who has played some; "all": the same in the whole catalogue, what the user has played left out. NDCG, recall and hit rate at 10,\n' +
    'mean ± standard deviation over seeds. The sample is synthetic: its users follow scenes and artists, its popularity is not tied to the sound.',
  options,
  async run({ seeds, validation }) {
    const plays = await readPlays(path.resolve(__dirname, '../../data/sample'));
    const found = new Map<string, number[][]>();
    const figures: Figure[] = [];
    for (let seed = 0; seed < seeds; seed++) {
      const outer = coldTrackSplit(plays, { seed });
      const left = validation ? plays.take(outer.train).compact() : plays;
      const { train, valid } = validation
        ? coldTrackSplit(left, { seed: `validation ${seed}` })
        : outer;
      for (const [name, recommender] of await contenders(left.take(train), seed)) {
        const hidden = evaluateColdTracks(recommender, left.take(valid));
        const all = evaluateRecommender(recommender, left.take(valid));
        const values = [hidden, all].flatMap((result) => METRICS.map((m) => result[m]));
        found.set(name, [...(found.get(name) ?? []), values]);
      }
    }
    const rows = Array.from(found, ([name, runs]) => {
      const cells = METRICS.flatMap((m, i) =>
        ['hidden', 'all'].map((where, j) => [
          `${m}, ${where}`,
          spreadOf(runs.map((r) => r[j * METRICS.length + i])),
        ]),
      );
      return { recommender: name, ...Object.fromEntries(cells) };
    });
    console.log(`${Table.fromRows(rows).toString(rows.length)}\n`);
    const peakMB = process.resourceUsage().maxRSS / 1024;
    for (const [name, runs] of found)
      figures.push(
        figure(
          `cold-start, ${name}: hidden tracks not among the 10`,
          100 * (1 - mean(runs.map((r) => r[1]))),
          '% missed',
          peakMB,
        ),
      );
    return figures;
  },
};

async function contenders(train: Plays, seed: number): Promise<[string, Recommender][]> {
  const catalogue = train.catalogue!;
  const content: [string, ContentRecommender][] = [];
  for (const [name, chosen] of settings)
    content.push([name, await ContentRecommender.fit(train, catalogue, chosen)]);
  const [[, first]] = content;
  const baselines = [
    new RandomTracks(first, seed),
    new GenrePopularity(first, catalogue, false),
    new GenrePopularity(first, catalogue, true),
    new RawFeatures(first, catalogue, { scaled: false }),
    new RawFeatures(first, catalogue, { scaled: true }),
  ];
  return [...baselines.map((r): [string, Recommender] => [r.name, r]), ...content];
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** "mean ± standard deviation". */
function spreadOf(values: readonly number[]): string {
  const m = mean(values);
  const deviation = Math.sqrt(
    values.reduce((sum, v) => sum + (v - m) ** 2, 0) / Math.max(1, values.length - 1),
  );
  return `${m.toFixed(4)} ± ${deviation.toFixed(4)}`;
}

if (require.main === module) void main(benchmark);
