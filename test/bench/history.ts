import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { Table } from '../../lib/recital/data/table.js';
import { type Benchmark, main } from './support/benchmark.js';
import { alternate, type Contender, DISTURBED, type Runs, worker } from './support/contenders.js';
import { benchFile, withFolder } from './support/data.js';
import { type Figure, figure } from './support/figures.js';
import { count } from './support/options.js';

const options = {
  bs: count(4096, 'batch size of collaborative filtering'),
  epochFactors: count(50, 'factors of collaborative filtering'),
  listeners: count(10_000, 'users whose histories the LSTM sees, drawn at random'),
  lstmBs: count(64, 'batch size of the LSTM'),
  factors: count(64, 'factors of ALS'),
  iterations: count(15, 'iterations of ALS'),
  components: count(50, 'components of PCA'),
  users: count(10_000, 'users to evaluate, drawn at random'),
  k: count(10, 'length of their lists'),
  maxSeconds: count(
    720,
    'fails if all stages together, with the start of their processes, take longer',
  ),
  maxMb: count(4096, 'fails if a stage takes more memory, in megabytes'),
  maxFirstMs: count(
    5000,
    'fails if the first load takes longer on a machine that does nothing else',
  ),
  maxAgainMs: count(500, 'the same for the load from the cache'),
  loads: count(3, 'times that the loads are measured; figures are medians'),
  retries: count(
    0,
    'times that a stage is repeated during which others used the machine, at most',
    { least: 0 },
  ),
  quiet: count(0, 'seconds to wait for a quiet machine before each stage, at most', { least: 0 }),
};

type Options = { [K in keyof typeof options]: number };

/** One stage: a process of its own. */
interface Stage {
  readonly name: string;
  readonly process: Contender;
  /** Times that it is measured; default 1. */
  readonly runs?: number;
  /** What it did, from what it reports. */
  says(value: (name: string) => string): string;
  /** The most seconds that it may take. */
  readonly most?: number;
}

/** Everything with the whole history of Kaggle's size. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'history: what one does with the whole listening history: 962,037 users, 30,459 tracks, 9,702,851 plays (602 MB of CSV; synthetic, of the size of the real one).\n' +
    'Each stage is a process of its own, so that its peak memory is its own. "seconds": of the stage itself; "in all": of its process, from start to end, with\n' +
    'what comes before (reading the cache, loaders, splitting). Settings are those that one would take for so many plays: a batch of 4,096 and not 64. ALS, PCA\n' +
    'and loaders take all of it, the LSTM the histories of 10,000 users, as the paper does; 10,000 users are evaluated, each with the whole catalogue, without\n' +
    'what they have heard in training and validation. Nothing is measured beside ours: `load`, `collab`, `lstm`, `als`, `pca` and `topn` do that.',
  options,
  async run(given) {
    const source = benchFile('bench-big');
    return withFolder(async (dir) => {
      const link = path.join(dir, path.basename(source)); // the cache goes beside the link, and away with it
      symlinkSync(source, link);
      const rows: Row[] = [];
      const broken: string[] = [];
      for (const stage of stagesOf([link, dir], given)) {
        const [runs] = await alternate([stage.process], {
          runs: stage.runs ?? 1,
          retries: given.retries,
          quietS: given.quiet,
        });
        rows.push({ stage, runs });
        const seconds = runs.median('seconds');
        if (stage.most === undefined || seconds <= stage.most) continue;
        const late = `${stage.name} took ${seconds.toFixed(2)} s, more than ${stage.most}`;
        if (runs.others > DISTURBED)
          console.log(`${late}: not judged, as others used the machine.`);
        else broken.push(late);
      }
      const total = rows.reduce((sum, { runs }) => sum + runs.median('processS'), 0);
      const peak = Math.max(...rows.map(({ runs }) => runs.peakMB));
      if (total > given.maxSeconds)
        broken.push(`all stages took ${total.toFixed(0)} s, more than ${given.maxSeconds}`);
      if (peak > given.maxMb)
        broken.push(`${peak.toFixed(0)} MB were taken, more than ${given.maxMb}`);
      console.log(table(rows, { total, peak }).toString(rows.length + 1));
      console.log(
        broken.length ? `\nOUT OF BOUNDS: ${broken.join('; ')}.` : '\nWithin its bounds.',
      );
      if (broken.length) process.exitCode = 1;
      const figures: Figure[] = rows.map(({ stage, runs }) =>
        figure(`history ${stage.name}`, runs.median('seconds'), 's', runs.peakMB),
      );
      return [...figures, figure('history, all stages', total, 's', peak)];
    });
  },
};

interface Row {
  readonly stage: Stage;
  readonly runs: Runs;
}

function stagesOf([file, dir]: [file: string, dir: string], o: Options): Stage[] {
  const load = (which: string): Contender => worker(which, 'load.ts', [file, which]);
  const of = (stage: string, a: number, b = 0): Contender =>
    worker(stage, 'history.ts', [stage, file, dir, a, b]);
  return [
    {
      name: 'first load',
      process: load('first'),
      runs: o.loads,
      most: o.maxFirstMs / 1000,
      says: (v) => `${v('rows')} plays parsed`,
    },
    {
      name: 'second load',
      process: load('again'),
      runs: o.loads,
      most: o.maxAgainMs / 1000,
      says: () => 'from the cache',
    },
    {
      name: 'loaders',
      process: of('loaders', o.bs),
      says: (v) => `CollabDataLoaders.fromPlays, ${v('rows')} of the plays for training`,
    },
    {
      name: `collab epoch b${o.bs}`,
      process: of('collab', o.bs, o.epochFactors),
      says: (v) =>
        `${o.epochFactors} factors, ${v('steps')} steps and validation: loss ${v('validLoss')}`,
    },
    {
      name: `lstm epoch b${o.lstmBs}`,
      process: of('lstm', o.lstmBs, o.listeners),
      says: (v) =>
        `${o.listeners} users, ${v('tracks')} tracks, ${v('windows')} windows: ${v('steps')} steps and validation`,
    },
    {
      name: 'als',
      process: of('als', o.factors, o.iterations),
      says: (v) =>
        `${o.factors} factors, ${o.iterations} iterations on the ${v('rows')} plays to train on`,
    },
    {
      name: 'pca',
      process: of('pca', o.components),
      says: () => `${o.components} components of users × tracks, 1 for what was played`,
    },
    {
      name: 'evaluate',
      process: of('evaluate', o.users, o.k),
      says: (v) =>
        `${o.users} users, Popularity (NDCG@${o.k} ${v('popularity')}) and that ALS (${v('als')})`,
    },
  ];
}

function table(rows: readonly Row[], { total, peak }: { total: number; peak: number }): Table {
  const text = (runs: Runs) => (name: string) =>
    runs
      .median(name)
      .toLocaleString('en', { maximumSignificantDigits: 7, maximumFractionDigits: 4 });
  return Table.fromRows([
    ...rows.map(({ stage, runs }) => ({
      stage: stage.name,
      seconds: runs.median('seconds').toFixed(2),
      'in all': runs.median('processS').toFixed(1),
      'peak MB': runs.peakMB.toFixed(0),
      'cores used by others': runs.others.toFixed(2),
      '': stage.says(text(runs)),
    })),
    {
      stage: 'all',
      seconds: '',
      'in all': total.toFixed(1),
      'peak MB': peak.toFixed(0),
      'cores used by others': '',
      '': '',
    },
  ]);
}

if (require.main === module) void main(benchmark);
