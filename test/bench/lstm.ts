import { Table } from '../../lib/recital/data/table.js';
import { type Benchmark, main } from './support/benchmark.js';
import { alternate, type Contender, peer, type Runs, worker } from './support/contenders.js';
import { type Figure, figure, spread } from './support/figures.js';
import { count, counts, flag } from './support/options.js';
import { findPeers, type Peers } from './support/peers.js';
import { againstPeers, ourVariants, variantOf } from './support/variants.js';

const options = {
  bs: counts([64, 256], 'batch sizes, with commas'),
  runs: count(3, 'runs of each, in turn; figures are medians'),
  steps: count(60, 'steps a run; the median counts'),
  fast: flag(
    true,
    'measure the fast build of the kernels too: setCompute({ reproducible: false })',
  ),
  quiet: count(0, 'seconds to wait for a quiet machine before each run, at most', { least: 0 }),
  peerThreads: count(0, 'threads of the peers; 0: as many as they take by themselves', {
    least: 0,
  }),
};

/** A training step of the next-song network: ours on one thread and on all, beside PyTorch. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'lstm: one training step of Embedding(15676, 50) → LSTM(50, 100) → LSTM(100, 100) → Linear(100, 15676), sequences of 10, cross-entropy over all items,\n' +
    'dense Adam; ours inside the Learner, callbacks and all. Random windows. Each run is a process of its own and reports the median of its steps.\n' +
    'torch: the same in a hand-written loop; "fused" with the fused kernel of torch.optim.Adam.',
  options,
  async run({ bs: sizes, runs, steps, quiet, peerThreads, fast }) {
    const peers = findPeers(['torch']);
    const figures: Figure[] = [];
    for (const bs of sizes) {
      const ours = ourVariants({ fast }).map(({ name, threads, build }) =>
        worker(name, 'lstm.ts', [bs, steps, build], { RECITAL_THREADS: String(threads) }),
      );
      const measured = await alternate(
        [...ours, ...(peers ? theirs([bs, steps], peers, peerThreads) : [])],
        { runs, quietS: quiet },
      );
      console.log(`\nBatch size ${bs}, ${runs} run(s) of ${steps} steps\n${table(measured)}`);
      figures.push(...figuresOf(bs, measured));
    }
    return figures;
  },
};

function theirs(
  args: readonly number[],
  { python, versions }: Peers,
  threads: number,
): Contender[] {
  const env: Record<string, string> = threads
    ? { OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) }
    : {};
  const name = `torch ${versions.torch}${threads ? ` t${threads}` : ''}`;
  return ['plain', 'fused'].map((kind) =>
    peer(kind === 'fused' ? `${name} fused` : name, python, 'torch_lstm.py', [...args, kind], env),
  );
}

function table(measured: readonly Runs[]): Table {
  return Table.fromRows(
    measured.map((m) => ({
      '': m.name,
      'ms a step': spread(m.values('stepMs'), { decimals: 1 }),
      'best ms': Math.min(...m.values('bestMs')).toFixed(1),
      'first loss': m.median('loss').toFixed(4),
      'peak MB': m.peakMB.toFixed(0),
      'cores used by others': m.others.toFixed(2),
    })),
  );
}

function figuresOf(bs: number, measured: readonly Runs[]): Figure[] {
  return againstPeers(measured).map(([m, p]) => {
    const other = p && { name: p.name, value: p.median('stepMs') };
    return figure(`lstm b${bs}${variantOf(m.name)}`, m.median('stepMs'), 'ms', m.peakMB, other);
  });
}

if (require.main === module) void main(benchmark);
