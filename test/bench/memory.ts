import { memoryUsage } from '../../lib/recital/compute/memory.js';
import {
  BCEWithLogitsLossFlat,
  type Callback,
  CancelFitException,
  CollabDataLoaders,
  collabLearner,
  noLogging,
  type Plays,
  readPlays,
  Table,
} from '../../lib/recital/index.js';
import { type Benchmark, main } from './support/benchmark.js';
import { benchFile } from './support/data.js';
import { type Figure, figure } from './support/figures.js';
import { growth } from './support/growth.js';
import { count } from './support/options.js';

/** Cells after which garbage collection has found its rhythm. */
const WARM_UP = 20;

const options = {
  cells: count(50, 'how often each cell is run', { least: WARM_UP + 10 }),
  batches: count(20, 'training batches each time'),
  maxGrowth: count(
    3,
    'megabytes a cell: fails if the process, or the memory for arrays, grows by more',
    { least: 0 },
  ),
};

/** A cell that is run again and again must not grow the process. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'memory: two cells of a notebook, each run fifty times in one process. "loaders, learner": loaders of 649,484 plays, a learner (10,000 users × 15,676 tracks × 50\n' +
    'factors, with moments 16 MB), some batches of training, validation, lists for a hundred users. "learner": the same with loaders made once. The result is\n' +
    'kept in a variable that the next run replaces, as in a cell. Growth is that of the line that fits the megabytes after each cell best, the first twenty left out.\n' +
    'RSS: of the process. Used, held: memory for arrays in use, and taken from the system. Garbage is collected when it pays, so that used goes up and down.',
  options,
  async run({ cells, batches, maxGrowth }) {
    const plays = await readPlays(benchFile('bench'));
    const loaders = CollabDataLoaders.fromPlays(plays, { bs: 4096 });
    const figures: Figure[] = [];
    for (const [name, dls] of [
      ['loaders, learner', undefined] as const,
      ['learner', loaders] as const,
    ]) {
      const usage = await repeat(() => cell(plays, { dls, batches }), cells);
      const shown = usage.filter((_, i) => i % 5 === 4 || i === 0);
      console.log(
        `"${name}"\n${Table.fromRows(shown.map((u) => ({ cell: u.cell, 'RSS MB': u.rss, 'used MB': u.used, 'held MB': u.held })))}`,
      );
      const warm = usage.slice(WARM_UP);
      const rss = growth(warm.map((u) => u.rss));
      const held = growth(warm.map((u) => u.held));
      const grows = Math.max(rss, held) > maxGrowth;
      console.log(
        `${grows ? 'GROWS' : 'flat'}: RSS ${rss.toFixed(2)}, held ${held.toFixed(2)} MB a cell; at most ${maxGrowth} allowed.\n`,
      );
      if (grows) process.exitCode = 1;
      const peakMB = process.resourceUsage().maxRSS / 1024;
      figures.push(
        figure(`memory, ${name}: growth of RSS`, rss, 'MB a cell', peakMB),
        figure(`memory, ${name}: growth of held`, held, 'MB a cell', peakMB),
      );
    }
    return figures;
  },
};

interface Usage {
  cell: number;
  rss: number;
  used: number;
  held: number;
}

/** Runs a cell again and again, keeping its last result, and notes the megabytes after each. */
async function repeat(run: () => Promise<unknown>, cells: number): Promise<Usage[]> {
  const usage: Usage[] = [];
  const mb = (bytes: number): number => Math.round(bytes / 2 ** 20);
  const notebook: { result?: unknown } = {};
  for (let i = 0; i < cells; i++) {
    notebook.result = await run();
    const { used, held } = memoryUsage();
    usage.push({ cell: i + 1, rss: mb(process.memoryUsage().rss), used: mb(used), held: mb(held) });
  }
  return usage;
}

async function cell(
  plays: Plays,
  {
    dls = CollabDataLoaders.fromPlays(plays, { bs: 4096 }),
    batches,
  }: { dls?: CollabDataLoaders; batches: number },
): Promise<unknown> {
  const learn = collabLearner(dls, { nFactors: 50, lossFunc: new BCEWithLogitsLossFlat() });
  const stop: Callback = {
    name: 'stop',
    afterBatch({ training, trainIter }) {
      if (training && trainIter >= batches) throw new CancelFitException();
    },
  };
  await noLogging(() => learn.fit(1, 5e-3, { cbs: stop }));
  await noLogging(() => learn.validate());
  learn.recommendBatch(learn.users.classes.slice(0, 100));
  return learn;
}

if (require.main === module) void main(benchmark);
