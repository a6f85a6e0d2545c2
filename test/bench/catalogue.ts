import { Table } from '../../lib/recital/data/table.js';
import { Adam } from '../../lib/recital/learner/optimizers/steps.js';
import { begin, dense64, gap, makeTask, oneCycle, rules64, run } from '../support/dense64.js';
import { type Benchmark, main } from './support/benchmark.js';
import { alternate, type Contender, peer, type Runs, worker } from './support/contenders.js';
import { type Figure, figure, spread } from './support/figures.js';
import { count } from './support/options.js';
import { findPeers, type Peers } from './support/peers.js';

const options = {
  bs: count(64, 'rows of a batch'),
  steps: count(
    32_768,
    'steps that are measured: a block, so that what is done at its end is in them',
  ),
  denseSteps: count(40, 'the same where every row takes every step'),
  runs: count(3, 'processes of each, in turn; figures are medians'),
  retries: count(1, 'further rounds for runs during which others used the machine, at most', {
    least: 0,
  }),
  quiet: count(0, 'seconds to wait for a quiet machine before each run, at most', { least: 0 }),
};

const SIZES = [
  { users: 10_000, items: 15_676 },
  { users: 962_037, items: 30_459 },
] as const;

/** Step time as tables grow. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'catalogue: one training step of EmbeddingDotBias (50 factors, Adam, decay) with tables of 10,000 users and 15,676 tracks, and of 962,037 and 30,459, on\n' +
    'drawn plays. recital: time-skipping, the default; "dense": every row takes every step, the same weights. torch: AdamW in a hand-written loop; "sparse" is\n' +
    'SparseAdam, another algorithm without decay, in which momentum of rows without gradient is kept for later. "growth" is the time of a step with the\n' +
    'large tables over that with the small ones. settle: bringing every row up to date, once an epoch. Accuracy: weights after 4,000 steps of one cycle\n' +
    '(6,000 rows of 8, decay 0.1) against those of a float64 run.',
  options,
  async run({ bs, steps, denseSteps, runs, retries, quiet }) {
    const peers = findPeers(['torch']);
    const measured: Runs[][] = [];
    for (const { users, items } of SIZES) {
      const args = [users, items, bs];
      const ours = (name: string, how: string, n: number): Contender =>
        worker(name, 'catalogue.ts', [...args, 'reproducible', how, n]);
      const contenders = [
        ours('recital', 'skip', steps),
        ours('recital dense', 'dense', denseSteps),
        ...theirs(args, denseSteps, peers),
      ];
      measured.push(await alternate(contenders, { runs, retries, quietS: quiet }));
    }
    console.log(String(table(measured)));
    console.log(`\n${String(accuracy())}`);
    return figures(measured);
  },
};

/**
 * How far float32 weights are from those of a float64 run that takes every step in every row, after
 * 4,000 steps of one cycle.
 */
function accuracy(): Table {
  const task = makeTask({
    rows: 6000,
    width: 8,
    steps: 4000,
    batch: 64,
    hypers: oneCycle(4000, 5e-3),
  });
  const exact = dense64(task, rules64.adam);
  return Table.fromRows(
    [true, false].map((timeSkipping) => {
      const trained = begin(task, (p) => new Adam(p, { lr: 5e-3, timeSkipping }));
      run(task, trained);
      trained.opt.settle();
      const { max, rms } = gap(trained.p.value, exact);
      return {
        '': timeSkipping ? 'recital' : 'recital dense',
        'largest error': max.toExponential(1),
        'root mean square': rms.toExponential(1),
      };
    }),
  );
}

function theirs(args: readonly number[], steps: number, peers: Peers | undefined): Contender[] {
  if (!peers?.versions.torch) return [];
  return ['plain', 'fused', 'sparse'].map((kind) =>
    peer(
      `torch ${peers.versions.torch}${kind === 'plain' ? '' : ` ${kind}`}`,
      peers.python,
      'catalogue_torch.py',
      [...args, kind, steps],
    ),
  );
}

const growth = (name: string, [small, large]: readonly Runs[][]): number => {
  const ms = (all: readonly Runs[]): number =>
    all.find((r) => r.name === name)?.median('stepMs') ?? NaN;
  return ms(large) / ms(small);
};

function table(measured: readonly Runs[][]): Table {
  return Table.fromRows(
    measured.flatMap((all, size) =>
      all.map((m) => ({
        users: SIZES[size].users,
        tracks: SIZES[size].items,
        '': m.name,
        'ms a step': spread(m.values('stepMs')),
        'processor ms': spread(m.values('stepCpuMs')),
        growth: size ? growth(m.name, measured).toFixed(1) : '',
        'ms to settle': m.name === 'recital' ? spread(m.values('settleMs')) : '',
        'peak MB': m.peakMB.toFixed(0),
        'cores used by others': m.others.toFixed(2),
      })),
    ),
  );
}

function figures(measured: readonly Runs[][]): Figure[] {
  const ours = measured.flatMap((all, size) => {
    const [skipping, ...others] = all;
    const name = `catalogue ${SIZES[size].users} x ${SIZES[size].items}`;
    return others.map((o) =>
      figure(name, skipping.median('stepMs'), 'ms', skipping.peakMB, {
        name: o.name,
        value: o.median('stepMs'),
      }),
    );
  });
  const [dense] = measured[1].slice(1);
  return [
    ...ours,
    figure('catalogue growth', growth('recital', measured), 'ratio', dense.peakMB, {
      name: dense.name,
      value: growth(dense.name, measured),
    }),
  ];
}

if (require.main === module) void main(benchmark);
