import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { Table } from '../../lib/recital/data/table.js';
import { UnknownIdError } from '../../lib/recital/errors.js';
import { type Benchmark, main } from './support/benchmark.js';
import { alternate, type Contender, type Runs, worker } from './support/contenders.js';
import { benchFile, withFolder } from './support/data.js';
import { type Figure, figure } from './support/figures.js';
import { isScattered, whyNot } from './support/kernel-work.js';
import { copyLimit } from './support/limits.js';
import { count, type Option } from './support/options.js';

/** What is done in a step, and how many steps are looked at. */
interface Path {
  readonly what: string;
  readonly steps: number;
}

const paths: Readonly<Record<string, Path>> = {
  collab64: { what: 'a step of collaborative filtering, 64 rows', steps: 4000 },
  collab1024: { what: 'a step of collaborative filtering, 1,024 rows', steps: 450 },
  collab4096: { what: 'a step of collaborative filtering, 4,096 rows', steps: 100 },
  lstm64: { what: "a step of the paper's LSTM, 64 windows of 10", steps: 30 },
  pca: { what: 'fifty components of 10,000 × 15,676', steps: 1 },
  topn: { what: 'lists of ten for 10,000 users', steps: 1 },
  evaluate: {
    what: 'Popularity and ALS with 64 factors measured on 10,000 users, all tracks ranked',
    steps: 1,
  },
  als: { what: 'an iteration of ALS with 64 factors', steps: 5 },
  load: { what: 'reading 9.7 M plays for the first time', steps: 1 },
};

const chosen: Option<readonly string[]> = {
  about: `which, with commas; none: all of ${Object.keys(paths).join(', ')}`,
  value: [],
  read: (text) => text.split(','),
};

const options = {
  paths: chosen,
  least: count(2, 'parts with a smaller share of the time, in per cent, are summed up', {
    least: 0,
  }),
  retries: count(0, 'times that one is repeated during which others used the machine, at most', {
    least: 0,
  }),
  quiet: count(0, 'seconds to wait for a quiet machine before each, at most', { least: 0 }),
};

/** A part that attains this share of a limit is at it. */
const AT = 0.7;

/** Where the time of each hot path goes, and how far each part is from what the machine can do. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'profile: where the time of the hot paths goes: which kernel, which function of JavaScript. On one thread, the reproducible build, a process for each path, on\n' +
    'the history of 649,484 plays (loading: 9.7 million); both are synthetic. Each call of a kernel is timed; the rest is what V8 saw in 5,000 looks a second, so\n' +
    'that shares do not add up to the last per cent. GFLOP/s and GB/s: the operations of the formula, and each operand and result once, by the time: what is read\n' +
    'again counts once. An exponential is 27 operations, one on float64 two. Limits, measured just before: "arithmetic", GFLOP/s of our product of matrices that\n' +
    'stay in the cache; "memory", GB/s of a copy that touches as many bytes as a call, again and again, so that it finds in the caches what fits there; "random\n' +
    'rows", GB/s of copying rows of 200 bytes from random places of 256 MB, for kernels that do so, or of 4 MB, "in the cache", for those that are faster than\n' +
    'memory. A part is at the limit if it attains 70 % of it. Of the threads of DuckDB nothing is seen but that the main thread waits.',
  options,
  async run({ paths: names, least, retries, quiet }) {
    const figures: Figure[] = [];
    await withFolder(async (dir) => {
      for (const name of names.length ? names : Object.keys(paths)) {
        const { what, steps } = known(name);
        const source = benchFile(name === 'load' ? 'bench-big' : 'bench');
        const link = path.join(dir, path.basename(source)); // without a cache beside it
        if (name === 'load') symlinkSync(source, link);
        const of = (args: readonly (string | number)[]): Contender =>
          worker(name, 'profile.ts', args, { RECITAL_THREADS: '1' });
        const both = [of(['limits']), of([name, name === 'load' ? link : source, steps])];
        const [limits, runs] = await alternate(both, { runs: 1, retries, quietS: quiet });
        const each = runs.median('ms') / runs.median('steps');
        console.log(
          `\n${name}: ${what}: ${each.toFixed(each < 100 ? 3 : 0)} ms; cores used by others: ${runs.others.toFixed(2)}`,
        );
        console.log(limitsLine(limits));
        console.log(partsOf(runs, limits, least / 100).toString(40));
        figures.push(figure(`profile ${name}`, each, 'ms', runs.peakMB));
      }
    });
    return figures;
  },
};

function known(name: string): Path {
  const found = paths[name];
  if (!found) throw new UnknownIdError('path', name, Object.keys(paths));
  return found;
}

function limitsLine(limits: Runs): string {
  const copies = Object.entries(limits.results[0].values).flatMap(([key, rate]) =>
    key.startsWith('copy ') ? [`${rate.toFixed(0)} (${Number(key.slice(5)) / 2 ** 20} MB)`] : [],
  );
  return `Limits: ${limits.median('gflops').toFixed(1)} GFLOP/s; GB/s of copies: ${copies.join(', ')}; of random rows: ${limits.median('rows').toFixed(1)}, in the cache ${limits.median('rows cached').toFixed(1)}`;
}

/** A row for each part of the time, the largest first. */
function partsOf(runs: Runs, limits: Runs, least: number): Table {
  const { values } = runs.results[0];
  const all = Object.entries(values).flatMap(([key, ms]) =>
    key.startsWith('ms ') ? [{ name: key.slice(3), ms }] : [],
  );
  const shown = all.filter(({ ms }) => ms >= least * values.ms).sort((a, b) => b.ms - a.ms);
  const rest = values.ms - shown.reduce((sum, { ms }) => sum + ms, 0);
  const time = (ms: number) => ({
    share: `${((100 * ms) / values.ms).toFixed(1)} %`,
    'ms a step': (ms / values.steps).toFixed(3),
  });
  return Table.fromRows([
    ...shown.map(({ name, ms }) => ({
      part: name,
      ...time(ms),
      ...attained({ name, ms, values }, (key) => limits.median(key)),
    })),
    { part: 'the rest', ...time(rest), ...row('') },
  ]);
}

/** What a kernel attains, beside the limits. */
function attained(
  { name, ms, values }: { name: string; ms: number; values: Readonly<Record<string, number>> },
  limit: Limit,
): Record<string, string> {
  const [calls, flops, bytes] = ['calls', 'flops', 'bytes'].map(
    (what) => values[`${what} ${name}`],
  );
  if (calls === undefined) return row(notAKernel(name));
  if (!Number.isFinite(flops)) return row(`no: ${whyNot(name)}`);
  const [gflops, gbs] = [flops / ms / 1e6, bytes / ms / 1e6];
  const near = [
    { of: 'arithmetic', share: gflops / limit('gflops') },
    isScattered(name) ? ofRows(gbs, limit) : ofCopies(gbs, bytes / calls, limit),
  ];
  const { of, share } = near[0].share > near[1].share ? near[0] : near[1];
  const is = share >= AT ? `yes: ${of}` : `no: ${whyNot(name)}`;
  return row(is, {
    'GFLOP/s': gflops.toFixed(1),
    'GB/s': gbs.toFixed(1),
    'of the limit': `${(100 * share).toFixed(0)} % ${of}`,
  });
}

type Limit = (key: string) => number;

function ofCopies(gbs: number, touched: number, limit: Limit): { of: string; share: number } {
  return { of: 'memory', share: gbs / copyLimit(limit, touched) };
}

/**
 * How large its tables are a kernel is not told: what comes faster than from memory came from the
 * cache, or some of it did.
 */
function ofRows(gbs: number, limit: Limit): { of: string; share: number } {
  if (gbs <= 1.3 * limit('rows')) return { of: 'random rows', share: gbs / limit('rows') };
  return { of: 'random rows in the cache', share: gbs / limit('rows cached') };
}

function row(
  is: string,
  rates: Record<string, string> = { 'GFLOP/s': '', 'GB/s': '', 'of the limit': '' },
): Record<string, string> {
  return { ...rates, 'at the limit?': is };
}

/** Why JavaScript and what lies around it attain nothing that could be compared. */
function notAKernel(name: string): string {
  const [, why] = reasons.find(([pattern]) => pattern.test(name)) ?? [];
  return `no: ${why ?? 'JavaScript, a number at a time'}`;
}

const reasons: readonly (readonly [RegExp, string])[] = [
  [/^\(idle\)/, 'waits for the threads of DuckDB, which parse the text twice'],
  [/^\(program\)/, 'native code, or code being compiled'],
  [/^\(garbage collector\)/, 'collects what was dropped'],
  [/^writeBuffer/, 'the disk, or what the system has for it'],
  [/kernel-clock|kernel-work|^node internal\/perf/, 'the clock itself'],
  [/^gather .*collab-loader/, 'the rows of a batch are at random places of four columns'],
  [/^touch /, 'the rows of a batch are marked at random places'],
  [/compute\/zero/, "zeros by V8's own loop"],
  [/tridiagonal-eigen/, 'eigenvectors of a small dense matrix: sums that wait for each other'],
  [/hash-index/, 'each look-up is at a random place'],
];

if (require.main === module) void main(benchmark);
