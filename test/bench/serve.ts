import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Random } from '../../lib/recital/compute/random.js';
import { Table } from '../../lib/recital/data/table.js';
import { type Benchmark, main } from './support/benchmark.js';
import { alternate, type Runs, worker } from './support/contenders.js';
import { bytes, withFolder } from './support/data.js';
import { type Figure, figure, spread } from './support/figures.js';
import { count } from './support/options.js';
import { findPeers } from './support/peers.js';

const options = {
  runs: count(3, 'processes of each, in turn; figures are medians'),
  requests: count(3000, 'requests in each process, after a tenth as many that do not count'),
  clients: count(4, 'requests that are under way at a time'),
  tracks: count(30_459, 'tracks'),
  users: count(10_000, 'users, with 50 plays each'),
  factors: count(64, 'factors'),
  retries: count(1, 'further rounds for runs during which others used the machine, at most', {
    least: 0,
  }),
  quiet: count(0, 'seconds to wait for a quiet machine before each run, at most', { least: 0 }),
};

/** A recommender behind HTTP: how long one waits for a list of ten. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'serve: lists of ten over HTTP, the server on one core and one thread, the client on another: `serve` behind node:http, beside it implicit behind FastAPI\n' +
    'and uvicorn with the same factors and plays. Milliseconds from sending a request to having its answer. The factors are random numbers.',
  options,
  async run({ runs, requests, clients, tracks, users, factors, retries, quiet }) {
    const peers = findPeers(['implicit', 'fastapi', 'uvicorn']);
    return withFolder(async (dir) => {
      write(dir, { tracks, users, factors });
      const asked = [requests, clients, users];
      const shape = [users, tracks, factors];
      const contenders = [
        worker('recital', 'serve.ts', [
          ...asked,
          process.execPath,
          '--import',
          'tsx',
          path.join(__dirname, 'workers/serve-server.ts'),
          dir,
          ...shape,
        ]),
      ];
      if (peers?.versions.implicit && peers.versions.fastapi && peers.versions.uvicorn)
        contenders.push({
          ...worker(`implicit ${peers.versions.implicit}, FastAPI`, 'serve.ts', [
            ...asked,
            peers.python,
            path.join(__dirname, 'peers/serve.py'),
            dir,
            ...shape,
          ]),
          optional: true,
        });
      const measured = await alternate(contenders, { runs, retries, quietS: quiet });
      console.log(String(table(measured)));
      return figuresOf(measured);
    });
  },
};

/** Random factors and plays, for both servers. */
function write(
  dir: string,
  { tracks, users, factors }: { tracks: number; users: number; factors: number },
): void {
  const random = new Random(42);
  const numbers = (n: number): Float32Array =>
    Float32Array.from({ length: n }, () => random.normal());
  const seen = Int32Array.from({ length: 50 * users }, () => random.int(tracks));
  writeFileSync(path.join(dir, 'users.f32'), bytes(numbers(users * factors)));
  writeFileSync(path.join(dir, 'tracks.f32'), bytes(numbers(tracks * factors)));
  writeFileSync(path.join(dir, 'seen.i32'), bytes(seen));
}

function table(measured: readonly Runs[]): Table {
  const ms = (m: Runs, name: string): string => spread(m.values(name), { decimals: 2 });
  return Table.fromRows(
    measured.map((m) => ({
      '': m.name,
      'p50 ms': ms(m, 'p50'),
      'p99 ms': ms(m, 'p99'),
      'alone p50 ms': ms(m, 'aloneP50'),
      'alone p99 ms': ms(m, 'aloneP99'),
      'requests/s': spread(m.values('perSecond'), { decimals: 0 }),
      'cores used by others': m.others.toFixed(2),
    })),
  );
}

function figuresOf([ours, theirs]: readonly Runs[]): Figure[] {
  return (['aloneP50', 'aloneP99', 'p50', 'p99'] as const).map((name) =>
    figure(
      `serve ${name}`,
      ours.median(name),
      'ms',
      ours.peakMB,
      theirs && { name: theirs.name, value: theirs.median(name) },
    ),
  );
}

if (require.main === module) void main(benchmark);
