import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setCompute } from '../../lib/recital/compute/threads.js';
import { Table } from '../../lib/recital/data/table.js';
import type { CollabLearner } from '../../lib/recital/recommend/learners/collab.js';
import { type Benchmark, main } from './support/benchmark.js';
import { alternate, type Contender, peer, type Runs, worker } from './support/contenders.js';
import { benchFile, bytes, withFolder } from './support/data.js';
import { type Figure, figure, spread } from './support/figures.js';
import { count, flag } from './support/options.js';
import { findPeers, type Peers } from './support/peers.js';
import { topnLearner } from './support/topn.js';
import { againstPeers, ourVariants, variantOf } from './support/variants.js';

const options = {
  runs: count(3, 'processes of each, in turn; figures are medians'),
  repeats: count(3, 'times in each process, after a first time that does not count'),
  retries: count(1, 'further rounds for runs during which others used the machine, at most', {
    least: 0,
  }),
  quiet: count(0, 'seconds to wait for a quiet machine before each run, at most', { least: 0 }),
  fast: flag(true, 'measure the fast build of the kernels too'),
};

/** Lists of ten for 10,000 users out of 15,676 tracks. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'topn: recommendBatch for all 10,000 users, the best 10 of 15,676 tracks each, what they have heard left out; 50 factors and biases, one epoch trained.\n' +
    'implicit: its native recommend with the same factors and biases, which should give the same lists. scikit-learn: cosine_similarity of the factors alone\n' +
    'and argpartition, by blocks of a thousand users.',
  options,
  async run({ runs, retries, repeats, quiet, fast }) {
    const peers = findPeers(['implicit', 'scikit-learn']);
    const file = benchFile('bench');
    return withFolder(async (dir) => {
      const contenders = ourVariants({ fast }).map(({ name, threads, build }) =>
        worker(name, 'topn.ts', [file, build, repeats], { RECITAL_THREADS: String(threads) }),
      );
      if (peers) {
        exportModel(await topnLearner(file), dir);
        contenders.push(...theirs(peers, [dir, repeats]));
      }
      const measured = await alternate(contenders, { runs, retries, quietS: quiet });
      console.log(String(table(measured)));
      return figuresOf(measured);
    });
  },
};

/** Writes factors, plays and our lists for peers/topn.py. */
function exportModel(learn: CollabLearner, dir: string): void {
  const { uWeight, iWeight, uBias, iBias, nFactors } = learn.model;
  const write = (name: string, values: Int32Array | Float32Array): void =>
    writeFileSync(path.join(dir, name), bytes(values));
  const rows = (weight: Float32Array, bias: Float32Array, biasAt: 0 | 1): Float32Array => {
    const out = new Float32Array((bias.length - 1) * (nFactors + 2)).fill(1);
    for (let r = 1, at = 0; r < bias.length; r++, at += nFactors + 2) {
      out.set(weight.subarray(r * nFactors, (r + 1) * nFactors), at);
      out[at + nFactors + biasAt] = bias[r];
    }
    return out;
  };
  write('users.f32', rows(uWeight.value, uBias.value, 0));
  write('tracks.f32', rows(iWeight.value, iBias.value, 1));
  write('indptr.i32', Int32Array.from(learn.seen.indptr));
  write('indices.i32', Int32Array.from(learn.seen.indices));
  write('lists.i32', learn.recommendBatch(learn.users.classes, { n: 10 }).track);
}

function theirs(
  { python, versions }: Peers,
  [dir, repeats]: readonly (string | number)[],
): Contender[] {
  const all = String(setCompute().threads);
  return [
    ...(versions.implicit
      ? [peer(`implicit ${versions.implicit}`, python, 'topn.py', [dir, 'implicit', repeats])]
      : []),
    // Nothing here but the product has threads, and that is BLAS's: give it all.
    ...(versions['scikit-learn']
      ? [
          peer(
            `scikit-learn ${versions['scikit-learn']}`,
            python,
            'topn.py',
            [dir, 'sklearn', repeats],
            { OPENBLAS_NUM_THREADS: all },
          ),
        ]
      : []),
  ];
}

function table(measured: readonly Runs[]): Table {
  return Table.fromRows(
    measured.map((m) => ({
      '': m.name,
      'all lists s': spread(m.values('listsS'), { decimals: 3 }),
      'first time s': spread(m.values('firstS'), { decimals: 3 }),
      'lists like ours': m.name.startsWith('implicit')
        ? `${(100 * m.median('same')).toFixed(2)} %`
        : '',
      'peak MB': m.peakMB.toFixed(0),
      'cores used by others': m.others.toFixed(2),
    })),
  );
}

function figuresOf(measured: readonly Runs[]): Figure[] {
  return againstPeers(measured).map(([m, p]) => {
    const other = p && { name: p.name, value: p.median('listsS') };
    return figure(`topn${variantOf(m.name)}`, m.median('listsS'), 's', m.peakMB, other);
  });
}

if (require.main === module) void main(benchmark);
