import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setCompute } from '../../lib/recital/compute/threads.js';
import { type InteractionMatrix, interactionMatrix } from '../../lib/recital/data/csr.js';
import { readPlays } from '../../lib/recital/data/files/read-plays.js';
import { Table } from '../../lib/recital/data/table.js';
import { type Benchmark, main } from './support/benchmark.js';
import { alternate, type Contender, peer, type Runs, worker } from './support/contenders.js';
import { benchFile, bytes, withFolder } from './support/data.js';
import { type Figure, figure, spread } from './support/figures.js';
import { count, flag } from './support/options.js';
import { findPeers, type Peers } from './support/peers.js';
import { measure } from './support/process.js';
import { ourVariants } from './support/variants.js';

const options = {
  runs: count(3, 'processes of each, in turn; figures are medians'),
  repeats: count(3, 'times in each process, after a first time that does not count'),
  retries: count(1, 'further rounds for runs during which others used the machine, at most', {
    least: 0,
  }),
  quiet: count(0, 'seconds to wait for a quiet machine before each run, at most', { least: 0 }),
  fast: flag(true, 'measure the fast build of the kernels too'),
  dense: flag(
    true,
    "measure scikit-learn's PCA of the dense matrix too: once, without repeats, as it takes 3 GB",
  ),
};

/** Fifty components of a sparse 10,000 × 15,676. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'pca: fit of PCA and TruncatedSVD with 50 components on a sparse matrix of 10,000 users × 15,676 tracks, 1 for what was played.\n' +
    'Beside it scikit-learn: PCA of the dense matrix (a randomized solver, as its default is at this size), PCA and TruncatedSVD by ARPACK, TruncatedSVD by\n' +
    "random projection, its default, with 5 and with 20 iterations; and SciPy's svds. Error: the largest, relatively, of the 50 explained variances, against\n" +
    'ARPACK on the matrix times its transpose to machine precision.',
  options,
  async run({ runs, repeats, retries, quiet, fast, dense }) {
    const peers = findPeers(['scikit-learn', 'scipy']);
    const x = interactionMatrix(await readPlays(benchFile('bench')), { value: 'binary' });
    return withFolder(async (dir) => {
      write(x, dir);
      if (peers)
        await measure(peers.python, [path.join(__dirname, 'peers', 'pca.py'), dir, 'exact', '0']);
      const contenders = ourVariants({ fast }).flatMap(({ name, threads, build }) =>
        (['pca', 'svd'] as const).map((which) =>
          worker(`${name} ${which}`, 'pca.ts', [dir, build, repeats, which], {
            RECITAL_THREADS: String(threads),
          }),
        ),
      );
      if (peers) contenders.push(...theirs(peers, [dir, repeats]));
      const measured = await alternate(contenders, { runs, retries, quietS: quiet });
      if (peers?.versions['scikit-learn'] && dense)
        measured.push(
          ...(await alternate([densePca(peers, dir)], { runs: 1, retries: 0, quietS: quiet })),
        );
      console.log(String(table(measured, peers !== undefined)));
      return figuresOf(measured);
    });
  },
};

function write(x: InteractionMatrix, dir: string): void {
  writeFileSync(path.join(dir, 'shape.i32'), bytes(Int32Array.from(x.shape)));
  writeFileSync(path.join(dir, 'indptr.i32'), bytes(x.indptr));
  writeFileSync(path.join(dir, 'indices.i32'), bytes(x.indices));
  writeFileSync(path.join(dir, 'data.f64'), bytes(x.data));
}

const blas = (): Record<string, string> => ({ OPENBLAS_NUM_THREADS: String(setCompute().threads) });

function theirs({ python, versions }: Peers, args: readonly (string | number)[]): Contender[] {
  const [dir, repeats] = args;
  const one = (name: string, which: string): Contender =>
    peer(name, python, 'pca.py', [dir, which, repeats], blas());
  const sklearn = `scikit-learn ${versions['scikit-learn']}`;
  return [
    ...(versions['scikit-learn']
      ? [
          one(`${sklearn} PCA arpack`, 'pca-arpack'),
          one(`${sklearn} TruncatedSVD randomized`, 'randomized'),
          one(`${sklearn} TruncatedSVD randomized, 20 iterations`, 'randomized20'),
          one(`${sklearn} TruncatedSVD arpack`, 'svd-arpack'),
        ]
      : []),
    ...(versions.scipy ? [one(`scipy ${versions.scipy} svds`, 'svds')] : []),
  ];
}

function densePca({ python, versions }: Peers, dir: string): Contender {
  return peer(
    `scikit-learn ${versions['scikit-learn']} PCA dense`,
    python,
    'pca.py',
    [dir, 'dense', 0],
    blas(),
  );
}

function table(measured: readonly Runs[], exact: boolean): Table {
  return Table.fromRows(
    measured.map((m) => ({
      '': m.name,
      'fit s': spread(m.values('fitS'), { decimals: 3 }),
      'first time s': spread(m.values('firstS'), { decimals: 3 }),
      'largest error': exact ? m.median('error').toExponential(1) : '',
      'peak MB': m.peakMB.toFixed(0),
      'cores used by others': m.others.toFixed(2),
    })),
  );
}

/** Ours beside each of theirs of the same kind. */
function figuresOf(measured: readonly Runs[]): Figure[] {
  const ours = measured.filter((m) => m.name.startsWith('recital '));
  return ours.flatMap((m) => {
    const [variant, kind] = [m.name.slice('recital '.length, -4), m.name.slice(-3)];
    const name = `pca ${kind} ${variant}`;
    const peers = measured.filter(
      (p) => !ours.includes(p) && p.name.includes(' PCA ') === (kind === 'pca'),
    );
    if (peers.length === 0 || variant.endsWith('fast'))
      return [figure(name, m.median('fitS'), 's', m.peakMB)];
    return peers.map((p) =>
      figure(name, m.median('fitS'), 's', m.peakMB, { name: p.name, value: p.median('fitS') }),
    );
  });
}

if (require.main === module) void main(benchmark);
