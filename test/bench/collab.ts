import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { readPlays } from '../../lib/recital/data/files/read-plays.js';
import type { Plays } from '../../lib/recital/data/plays.js';
import { randomSplit } from '../../lib/recital/data/splits.js';
import { Table } from '../../lib/recital/data/table.js';
import { type Benchmark, main } from './support/benchmark.js';
import { alternate, type Contender, peer, type Runs, worker } from './support/contenders.js';
import { benchFile, bytes, withFolder } from './support/data.js';
import { type Figure, figure, spread } from './support/figures.js';
import { count, counts, flag } from './support/options.js';
import { findPeers, type Peers } from './support/peers.js';
import { againstPeers, ourVariants, variantOf } from './support/variants.js';

const options = {
  bs: counts([64, 1024, 4096], 'batch sizes, with commas'),
  runs: count(3, 'runs of each, in turn; figures are medians'),
  fast: flag(true, 'measure the fast build of the kernels too'),
  fastai: flag(true, 'measure fastai (two minutes a run at batch size 64)'),
  retries: count(1, 'further rounds for runs during which others used the machine, at most', {
    least: 0,
  }),
  quiet: count(0, 'seconds to wait for a quiet machine before each run, at most', { least: 0 }),
  peerThreads: count(0, 'threads of the peers; 0: as many as they take by themselves', {
    least: 0,
  }),
  torch: flag(true, 'measure hand-written PyTorch loops (a minute a run at batch size 64)'),
};

/**
 * An epoch of the 520,000-row benchmark: ours on one thread and on all, beside fastai and PyTorch.
 */
export const benchmark: Benchmark<typeof options> = {
  about:
    'collab: one epoch of EmbeddingDotBias, training and validation: 519,588 + 129,896 plays of 10,000 users and 15,676 tracks, 50 factors,\n' +
    'target playcount > 1, dense Adam with weight decay 0.01, fitOneCycle(1, 5e-3). The same rows are held out everywhere. Each run is a process of its own.\n' +
    'fastai: the same by collab_learner and fit_one_cycle. torch: the same model in a hand-written loop, constant learning rate, no weight decay;\n' +
    '"fused" with the fused kernel of torch.optim.Adam. "processor s" is the time that all threads together were at work: with one thread it tells more than\n' +
    'the clock when others use the machine. fastai (from 2.7.15 on) draws the rows of an epoch with replacement, which learns some by heart: train losses are\n' +
    'lower. The line "recital, replacement" does the same, once: its losses are to be compared with those of fastai.',
  options,
  async run({ bs: sizes, runs, retries, quiet, peerThreads, fast, fastai, torch }) {
    const peers =
      fastai || torch ? findPeers([...(fastai ? ['fastai'] : []), 'torch', 'pandas']) : undefined;
    const file = benchFile('bench');
    const plays = await readPlays(file); // encoded once: the runs find it in the cache
    return withFolder(async (dir) => {
      const validFile = path.join(dir, 'valid.i32');
      const { train, valid } = randomSplit(plays.length);
      writeFileSync(validFile, bytes(valid));
      console.log(
        `Validation loss of the mean of the training targets, for comparison: ${constantLoss(plays, train, valid).toFixed(4)}`,
      );
      const figures: Figure[] = [];
      for (const bs of sizes) {
        const contenders = [
          ...ours(file, validFile, bs, fast),
          ...(peers
            ? theirs([file, validFile, bs], peers, { fastai, torch, threads: peerThreads })
            : []),
        ];
        const measured = await alternate(contenders, { runs, retries, quietS: quiet });
        const sampled = measured.some(({ name }) => name.startsWith('fastai'))
          ? await asFastai(file, validFile, bs)
          : [];
        console.log(
          `\nBatch size ${bs}, ${measured[0].values('steps')[0].toLocaleString('en')} steps, ${runs} run(s)\n${table([...measured, ...sampled])}`,
        );
        figures.push(...figuresOf(bs, measured));
      }
      return figures;
    });
  },
};

function ours(file: string, valid: string, bs: number, fast: boolean): Contender[] {
  return ourVariants({ fast }).map(({ name, threads, build }) =>
    worker(name, 'collab.ts', [file, valid, bs, build], { RECITAL_THREADS: String(threads) }),
  );
}

/** Ours with rows drawn as fastai draws them, once: for the losses. */
async function asFastai(file: string, valid: string, bs: number): Promise<Runs[]> {
  return alternate(
    [worker('recital, replacement', 'collab.ts', [file, valid, bs, 'reproducible', 'replacement'])],
    { runs: 1, retries: 0 },
  );
}

function theirs(
  args: readonly (string | number)[],
  { python, versions }: Peers,
  { fastai, torch, threads }: { fastai: boolean; torch: boolean; threads: number },
): Contender[] {
  if (!versions.torch || !versions.pandas) return [];
  const env: Record<string, string> = threads
    ? { OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) }
    : {};
  const suffix = threads ? ` t${threads}` : '';
  return [
    ...(fastai && versions.fastai
      ? [peer(`fastai ${versions.fastai}${suffix}`, python, 'collab_fastai.py', args, env)]
      : []),
    ...(torch
      ? [
          peer(
            `torch ${versions.torch}${suffix}`,
            python,
            'collab_torch.py',
            [...args, 'plain'],
            env,
          ),
        ]
      : []),
    ...(torch
      ? [
          peer(
            `torch ${versions.torch} fused${suffix}`,
            python,
            'collab_torch.py',
            [...args, 'fused'],
            env,
          ),
        ]
      : []),
  ];
}

/**
 * Validation loss of a model that predicts the mean of the training targets: what one epoch has to
 * beat.
 */
function constantLoss({ playcount }: Plays, train: Int32Array, valid: Int32Array): number {
  const mean = (rows: Int32Array): number =>
    rows.reduce((sum, row) => sum + (playcount[row] > 1 ? 1 : 0), 0) / rows.length;
  const p = mean(train);
  const q = mean(valid);
  return -q * Math.log(p) - (1 - q) * Math.log(1 - p);
}

function table(measured: readonly Runs[]): Table {
  const fastai = measured.find(({ name }) => name.startsWith('fastai'));
  return Table.fromRows(
    measured.map((m) => ({
      '': m.name,
      'epoch s': spread(m.values('epochS')),
      'processor s': spread(m.values('epochCpuS')),
      'ms a step': ((1000 * m.median('epochS')) / m.values('steps')[0]).toFixed(3),
      ...(fastai && { 'fastai / this': (fastai.median('epochS') / m.median('epochS')).toFixed(1) }),
      'train loss': m.median('trainLoss').toFixed(4),
      'valid loss': m.median('validLoss').toFixed(4),
      'peak MB': m.peakMB.toFixed(0),
      'cores used by others': m.others.toFixed(2),
    })),
  );
}

function figuresOf(bs: number, measured: readonly Runs[]): Figure[] {
  return againstPeers(measured).map(([m, p]) => {
    const other = p && { name: p.name, value: p.median('epochS') };
    return figure(`collab b${bs}${variantOf(m.name)}`, m.median('epochS'), 's', m.peakMB, other);
  });
}

if (require.main === module) void main(benchmark);
