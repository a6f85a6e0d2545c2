import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readPlays } from '../../lib/recital/data/files/read-plays.js';
import { perUserSplit } from '../../lib/recital/data/splits.js';
import { Table } from '../../lib/recital/data/table.js';
import { evaluateRecommender } from '../../lib/recital/evaluation/evaluate-recommender.js';
import { ALS } from '../../lib/recital/recommend/factors/als.js';
import { FactorRecommender } from '../../lib/recital/recommend/factors/factors.js';
import { Interactions } from '../../lib/recital/recommend/interactions.js';
import { type Benchmark, main } from './support/benchmark.js';
import { alternate, peer, type Runs, worker } from './support/contenders.js';
import { benchFile, bytes, withFolder } from './support/data.js';
import { type Figure, figure, spread } from './support/figures.js';
import { count, flag } from './support/options.js';
import { findPeers, type Peers } from './support/peers.js';
import { measure } from './support/process.js';
import { againstPeers, ourVariants, variantOf } from './support/variants.js';

const options = {
  runs: count(3, 'processes of each, in turn; figures are medians'),
  retries: count(1, 'further rounds for runs during which others used the machine, at most', {
    least: 0,
  }),
  quiet: count(0, 'seconds to wait for a quiet machine before each run, at most', { least: 0 }),
  factors: count(64, 'factors'),
  iterations: count(5, 'iterations in each process; the first does not count', { least: 2 }),
  fast: flag(true, 'measure the fast build of the kernels too'),
  big: flag(false, 'measure the history of 9.7 million rows too'),
};

/** Iterations of ALS, and whether its lists are as good. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'als: one iteration of implicit ALS by conjugate gradient (3 steps) on the listening history of the benchmarks, and with --big on the one of 9.7 million\n' +
    'rows. implicit: its AlternatingLeastSquares with the same settings on the same matrix. Quality: each is trained on four fifths of the plays of the\n' +
    'benchmark history, and its lists are measured on the others.',
  options,
  async run({ runs, retries, quiet, factors, iterations, fast, big }) {
    const peers = findPeers(['implicit']);
    const figures: Figure[] = [];
    for (const name of big ? (['bench', 'bench-big'] as const) : (['bench'] as const)) {
      const file = benchFile(name);
      await withFolder(async (dir) => {
        const contenders = ourVariants({ fast }).map(({ name: variant, threads, build }) =>
          worker(variant, 'als.ts', [file, build, factors, iterations], {
            RECITAL_THREADS: String(threads),
          }),
        );
        if (peers?.versions.implicit) {
          writeMatrix(Interactions.fromPlays(await readPlays(file)), dir);
          contenders.push(
            peer(`implicit ${peers.versions.implicit}`, peers.python, 'als.py', [
              dir,
              factors,
              iterations,
            ]),
          );
        }
        const measured = await alternate(contenders, { runs, retries, quietS: quiet });
        console.log(`${name}\n${String(table(measured))}`);
        figures.push(...figuresOf(name, measured));
      });
    }
    if (peers?.versions.implicit) await compareQuality(benchFile('bench'), peers, factors);
    return figures;
  },
};

function writeMatrix({ indptr, indices, playcount }: Interactions, dir: string): void {
  for (const [name, data] of Object.entries({
    'indptr.i32': indptr,
    'indices.i32': indices,
    'data.f32': playcount,
  })) {
    writeFileSync(path.join(dir, name), bytes(data));
  }
}

/** Prints recall and NDCG at 10 of both on the same held-out plays. */
async function compareQuality(
  file: string,
  { python, versions }: Peers,
  factors: number,
): Promise<void> {
  const plays = await readPlays(file);
  const split = perUserSplit(plays, { ratios: [0.8, 0.2] });
  const [train, heldOut] = [plays.take(split.train), plays.take(split.valid)];
  const seen = Interactions.fromPlays(train);
  const ours = await ALS.fit(train, { factors });
  const theirs = await withFolder(async (dir) => {
    writeMatrix(seen, dir);
    await measure(python, [
      '-W',
      'ignore',
      path.join(__dirname, 'peers', 'als.py'),
      dir,
      String(factors),
      '15',
    ]);
    const read = (name: string): Float32Array =>
      new Float32Array(new Uint8Array(readFileSync(path.join(dir, name))).buffer);
    const sides = {
      users: { ids: seen.users.classes, values: read('users.f32') },
      tracks: { ids: seen.tracks.classes, values: read('tracks.f32') },
    };
    return FactorRecommender.fromFactors(sides, {
      plays: train,
      name: `implicit ${versions.implicit}`,
    });
  });
  const rows = [ours, theirs].map((r) => {
    const { recall, ndcg } = evaluateRecommender(r, heldOut, { k: 10 });
    return { '': r.name, 'recall@10': recall.toFixed(4), 'NDCG@10': ndcg.toFixed(4) };
  });
  console.log(`\nLists after 15 iterations\n${String(Table.fromRows(rows))}`);
}

function table(measured: readonly Runs[]): Table {
  return Table.fromRows(
    measured.map((m) => ({
      '': m.name,
      'iteration s': spread(m.values('iterationS'), { decimals: 3 }),
      'processor s in all': spread(m.values('cpuS'), { decimals: 2 }),
      'peak MB': m.peakMB.toFixed(0),
      'cores used by others': m.others.toFixed(2),
    })),
  );
}

function figuresOf(name: string, measured: readonly Runs[]): Figure[] {
  return againstPeers(measured).map(([m, p]) => {
    const other = p && { name: p.name, value: p.median('iterationS') };
    return figure(`als ${name}${variantOf(m.name)}`, m.median('iterationS'), 's', m.peakMB, other);
  });
}

if (require.main === module) void main(benchmark);
